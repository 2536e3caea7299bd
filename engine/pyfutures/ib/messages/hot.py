"""Decoders by hand for the messages that come by the thousand.

Rules of this file. A decoder here knows the usual spelling of its message only and is quick about
it: plain calls on plain fields, no walk over a table. Whatever it stumbles over (an empty number, a
field that is missing) it gives up with an IndexError, a ValueError or an ArithmeticError, and the
table's own decoder decides. So a message means the same either way; a test holds the two against
each other, on good messages and on mutated ones.

The constructor of a frozen dataclass takes half of the time of a tick. So a message is filled in as
a draft, a class with the same slots that is not frozen, and then declared to be what it is.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import UNSET_DECIMALS, UNSET_FLOAT, UNSET_INT, unescape
from pyfutures.ib.messages.base import Response
from pyfutures.ib.messages.contracts import Contract
from pyfutures.ib.messages.executions import CommissionReport, Execution, ExecutionDetails
from pyfutures.ib.messages.history import (
    Bar,
    HistoricalBars,
    HistoricalBarUpdate,
    HistoricalMidpoint,
    HistoricalMidpoints,
    HistoricalQuote,
    HistoricalQuotes,
    HistoricalTrade,
    HistoricalTrades,
)
from pyfutures.ib.messages.market import (
    RealTimeBar,
    TickByTickMidpoint,
    TickByTickQuote,
    TickByTickTrade,
    TickGeneric,
    TickPrice,
    TickSize,
    TickString,
)
from pyfutures.ib.messages.orders import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    type Fields = list[str]

__all__ = ["hot_decoders"]

_is_finite: Final = Decimal.is_finite


def _draft[M](cls: type[M]) -> type[M]:
    """Return a class with the slots of `cls` whose constructor is quick."""
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    bases = (Response,) if issubclass(cls, Response) else ()
    draft: type[M] = dataclasses.make_dataclass(
        f"{cls.__name__}Draft", names, bases=bases, eq=False, repr=False, slots=True
    )
    return draft


_BarDraft: Final = _draft(Bar)
_BarsDraft: Final = _draft(HistoricalBars)
_BarUpdateDraft: Final = _draft(HistoricalBarUpdate)
_MidpointDraft: Final = _draft(HistoricalMidpoint)
_QuoteDraft: Final = _draft(HistoricalQuote)
_TradeDraft: Final = _draft(HistoricalTrade)
_TickQuoteDraft: Final = _draft(TickByTickQuote)
_TickTradeDraft: Final = _draft(TickByTickTrade)
_TickMidpointDraft: Final = _draft(TickByTickMidpoint)
_PriceDraft: Final = _draft(TickPrice)
_SizeDraft: Final = _draft(TickSize)
_GenericDraft: Final = _draft(TickGeneric)
_StringDraft: Final = _draft(TickString)
_RealTimeBarDraft: Final = _draft(RealTimeBar)
_StatusDraft: Final = _draft(OrderStatus)
_ContractDraft: Final = _draft(Contract)
_ExecutionDraft: Final = _draft(Execution)
_DetailsDraft: Final = _draft(ExecutionDetails)
_CommissionDraft: Final = _draft(CommissionReport)


class _Sizes(dict[str, Decimal]):
    """Sizes by their texts: a few hundred are nearly all, and Decimal is the dearest parser."""

    def __missing__(self, text: str) -> Decimal:
        size = Decimal(text)
        if not size.is_finite():
            raise ValueError(text)
        if len(text) <= _SHORT and len(self) < _MOST_KEPT:
            self[text] = _SIZES[text] = size
        return size


class _Ints(dict[str, int]):
    """Request ids, masks and kinds by their texts: they repeat for as long as a line lives."""

    def __missing__(self, text: str) -> int:
        value = int(text)
        if len(text) <= _SHORT and len(self) < _MOST_KEPT:
            self[text] = _INTS[text] = value
        return value


# The same in plain dictionaries, whose look-up is faster than that of their subclasses.
_SIZES: Final[dict[str, Decimal]] = {}
_INTS: Final[dict[str, int]] = {}
_SHORT: Final = 6
# Sizes of a message that are shorter than this on average repeat often enough to be looked up.
_REPEATING: Final = 3.5
_MOST_KEPT: Final = 16_384
_SIZE: Final = _Sizes()
_INT: Final = _Ints()
# What is between them is finite; quicker than to ask isfinite.
_LOWEST: Final = float("-inf")
_HIGHEST: Final = float("inf")


def _price(text: str) -> float:
    price = float(text)
    if not isfinite(price):
        raise ValueError(text)
    return price


def _prices(texts: list[str]) -> list[float]:
    prices = list(map(float, texts))
    if not isfinite(sum(prices)):
        raise ValueError("a price that is no number")
    return prices


def _sizes(texts: list[str]) -> list[Decimal]:
    if sum(map(len, texts[:100])) < len(texts[:100]) * _REPEATING:
        return list(map(_SIZE.__getitem__, texts))
    sizes = list(map(Decimal, texts))
    if "".join(texts).isdigit():
        return sizes
    if not all(map(_is_finite, sizes)):
        raise ValueError("a size that is no number")
    return sizes


def _items(f: Fields, at: int, width: int) -> tuple[int, int]:
    """Return where the items behind the count at `at` start and end."""
    count = int(f[at])
    first, last = at + 1, at + 1 + width * count
    if count < 0 or last > len(f):
        raise IndexError(count)
    return first, last


def _bars(f: Fields, at: int) -> tuple[Bar, ...]:
    i, end = _items(f, at, 8)
    bars = tuple(
        map(
            _BarDraft,
            f[i:end:8],
            _prices(f[i + 1 : end : 8]),
            _prices(f[i + 2 : end : 8]),
            _prices(f[i + 3 : end : 8]),
            _prices(f[i + 4 : end : 8]),
            _sizes(f[i + 5 : end : 8]),
            _prices(f[i + 6 : end : 8]),
            map(int, f[i + 7 : end : 8]),
        )
    )
    for bar in bars:
        bar.__class__ = Bar
    return bars


def _historical_bars(f: Fields) -> HistoricalBars:
    message = _BarsDraft(int(f[1]), _bars(f, 4), f[2], f[3])
    message.__class__ = HistoricalBars
    return message


def _historical_bars_196(f: Fields) -> HistoricalBars:
    message = _BarsDraft(int(f[1]), _bars(f, 2), "", "")
    message.__class__ = HistoricalBars
    return message


def _historical_bar_update(f: Fields) -> HistoricalBarUpdate:
    first, last, high, low, average = (
        float(f[4]), float(f[5]), float(f[6]), float(f[7]), float(f[8]),
    )  # fmt: skip
    if not isfinite(first + last + high + low + average):
        raise ValueError(f[4])
    bar = _BarDraft(f[3], first, high, low, last, _SIZE[f[9]], average, int(f[2]))
    bar.__class__ = Bar
    message = _BarUpdateDraft(int(f[1]), bar)
    message.__class__ = HistoricalBarUpdate
    return message


def _midpoints(f: Fields) -> HistoricalMidpoints:
    i, end = _items(f, 2, 4)
    ticks = tuple(
        map(
            _MidpointDraft,
            map(int, f[i:end:4]),
            _prices(f[i + 2 : end : 4]),
            _sizes(f[i + 3 : end : 4]),
        )
    )
    for tick in ticks:
        tick.__class__ = HistoricalMidpoint
    return HistoricalMidpoints(int(f[1]), ticks, int(f[end]) != 0)


def _quotes(f: Fields) -> HistoricalQuotes:
    i, end = _items(f, 2, 6)
    ticks = tuple(
        map(
            _QuoteDraft,
            map(int, f[i:end:6]),
            map(int, f[i + 1 : end : 6]),
            _prices(f[i + 2 : end : 6]),
            _prices(f[i + 3 : end : 6]),
            _sizes(f[i + 4 : end : 6]),
            _sizes(f[i + 5 : end : 6]),
        )
    )
    for tick in ticks:
        tick.__class__ = HistoricalQuote
    return HistoricalQuotes(int(f[1]), ticks, int(f[end]) != 0)


def _trades(f: Fields) -> HistoricalTrades:
    i, end = _items(f, 2, 6)
    ticks = tuple(
        map(
            _TradeDraft,
            map(int, f[i:end:6]),
            map(int, f[i + 1 : end : 6]),
            _prices(f[i + 2 : end : 6]),
            _sizes(f[i + 3 : end : 6]),
            f[i + 4 : end : 6],
            f[i + 5 : end : 6],
        )
    )
    for tick in ticks:
        tick.__class__ = HistoricalTrade
    return HistoricalTrades(int(f[1]), ticks, int(f[end]) != 0)


def _tick_by_tick(f: Fields) -> Response:
    # The commonest messages of all: no calls but the parsers.
    kind = f[2]
    if kind == "3":
        bid, ask = float(f[4]), float(f[5])
        if _LOWEST < bid + ask < _HIGHEST:
            try:
                quote = _TickQuoteDraft(
                    _INTS[f[1]], int(f[3]), bid, ask, _SIZES[f[6]], _SIZES[f[7]], _INTS[f[8]]
                )
            except KeyError:
                quote = _TickQuoteDraft(
                    _INT[f[1]], int(f[3]), bid, ask, _SIZE[f[6]], _SIZE[f[7]], _INT[f[8]]
                )
            quote.__class__ = TickByTickQuote
            return quote
    elif kind == "2" or kind == "1":  # noqa: PLR1714 - a set is slower
        price = float(f[4])
        if _LOWEST < price < _HIGHEST:
            try:
                trade = _TickTradeDraft(
                    _INTS[f[1]],
                    _INTS[kind],
                    int(f[3]),
                    price,
                    _SIZES[f[5]],
                    _INTS[f[6]],
                    f[7],
                    f[8],
                )
            except KeyError:
                trade = _TickTradeDraft(
                    _INT[f[1]], _INT[kind], int(f[3]), price, _SIZE[f[5]], _INT[f[6]], f[7], f[8]
                )
            trade.__class__ = TickByTickTrade
            return trade
    elif kind == "4":
        midpoint = _TickMidpointDraft(_INT[f[1]], int(f[3]), _price(f[4]))
        midpoint.__class__ = TickByTickMidpoint
        return midpoint
    raise ValueError(kind)


def _tick_price(f: Fields) -> TickPrice:
    text = f[5]
    size = _SIZE[text] if text not in UNSET_DECIMALS else None
    price = float(f[4])
    if not isfinite(price):
        raise ValueError(f[4])
    tick = _PriceDraft(_INT[f[2]], _INT[f[3]], price, size, _INT[f[6]])
    tick.__class__ = TickPrice
    return tick


def _tick_size(f: Fields) -> TickSize:
    tick = _SizeDraft(_INT[f[2]], _INT[f[3]], _SIZE[f[4]])
    tick.__class__ = TickSize
    return tick


def _tick_generic(f: Fields) -> TickGeneric:
    tick = _GenericDraft(_INT[f[2]], _INT[f[3]], _price(f[4]))
    tick.__class__ = TickGeneric
    return tick


def _tick_string(f: Fields) -> TickString:
    tick = _StringDraft(_INT[f[2]], _INT[f[3]], unescape(f[4]))
    tick.__class__ = TickString
    return tick


def _real_time_bar(f: Fields) -> RealTimeBar:
    bar = _RealTimeBarDraft(
        int(f[2]), int(f[3]), _price(f[4]), _price(f[5]), _price(f[6]), _price(f[7]), _SIZE[f[8]],
        _price(f[9]), int(f[10]),
    )  # fmt: skip
    bar.__class__ = RealTimeBar
    return bar


def _order_status(f: Fields) -> OrderStatus:
    status = _StatusDraft(
        int(f[1]), f[2], _SIZE[f[3]], _SIZE[f[4]], _price(f[5]), int(f[6]), int(f[7]),
        _price(f[8]), int(f[9]), f[10], _price(f[11]),
    )  # fmt: skip
    status.__class__ = OrderStatus
    return status


def _execution(f: Fields, *, pending: bool = False, submitter: str = "") -> ExecutionDetails:
    strike = _price(f[7])
    if strike == UNSET_FLOAT:
        raise ValueError(f[7])
    contract = _ContractDraft(
        int(f[3]), f[4], f[5], f[6], "", strike, f[8], f[9], f[10], "", f[11], f[12], f[13],
        False, "", "", "", "", (), None,
    )  # fmt: skip
    contract.__class__ = Contract
    execution = _ExecutionDraft(
        f[14], f[15], f[16], f[17], f[18], _SIZE[f[19]], _price(f[20]), int(f[21]), int(f[22]),
        int(f[23]), _SIZE[f[24]], _price(f[25]), f[26], f[27], _maybe(f[28]), f[29], int(f[30]),
        pending, submitter,
    )  # fmt: skip
    execution.__class__ = Execution
    message = _DetailsDraft(int(f[1]), int(f[2]), contract, execution)
    message.__class__ = ExecutionDetails
    return message


def _maybe(text: str) -> float | None:
    if not text:
        return None
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return None if value == UNSET_FLOAT else value


def _execution_178(f: Fields) -> ExecutionDetails:
    return _execution(f, pending=int(f[31]) != 0)


def _execution_198(f: Fields) -> ExecutionDetails:
    return _execution(f, pending=int(f[31]) != 0, submitter=f[32])


def _commission(f: Fields) -> CommissionReport:
    day = int(f[7]) if f[7] else None
    report = _CommissionDraft(
        f[2], _maybe(f[3]), f[4], _maybe(f[5]), _maybe(f[6]), None if day == UNSET_INT else day
    )
    report.__class__ = CommissionReport
    return report


def hot_decoders(version: int) -> dict[str, Callable[[Fields], Response]]:
    """Return the decoders of a server version, by the id as it stands on the wire."""
    execution: Callable[[Fields], Response]
    bars = _historical_bars_196 if version >= sv.HISTORICAL_END else _historical_bars
    if version >= sv.SUBMITTER:
        execution = _execution_198
    elif version >= sv.PENDING_PRICE_REVISION:
        execution = _execution_178
    else:
        execution = _execution
    return {
        "1": _tick_price,
        "2": _tick_size,
        "3": _order_status,
        "11": execution,
        "17": bars,
        "45": _tick_generic,
        "46": _tick_string,
        "50": _real_time_bar,
        "59": _commission,
        "90": _historical_bar_update,
        "96": _midpoints,
        "97": _quotes,
        "98": _trades,
        "99": _tick_by_tick,
    }
