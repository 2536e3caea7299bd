# mypy: disable-error-code="no-any-return"
# A blank is Any until it is declared to be a message.
"""Decoders by hand for the messages that come by the thousand.

Rules of this file. A decoder here knows the usual spelling of its message only and is quick about
it: plain calls on plain fields, no walk over a table. Whatever it stumbles over (an empty number, a
field that is missing) it gives up with an IndexError, a ValueError or an ArithmeticError, and the
table's own decoder decides. So a message means the same either way; a test holds the two against
each other, on good messages and on mutated ones.

The constructor of a frozen dataclass takes half of the time of a tick. So a message begins as a
blank, an object of a subclass that is not frozen, has its slots filled one by one, and is then
declared to be what it is. All slots of all kinds are filled: the same test sees to it.
"""

from __future__ import annotations

from decimal import (
    MAX_EMAX,
    MAX_PREC,
    MIN_EMIN,
    Clamped,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
)
from itertools import repeat, starmap
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import UNSET_DECIMALS, UNSET_FLOAT, UNSET_INT, unescape
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

    from pyfutures.ib.messages.base import Response

    type Fields = list[str]

__all__ = ["hot_decoders"]

# Exact as Decimal(text), or an error; it spares that constructor's sorting out of arguments.
_decimal: Final = Context(
    prec=MAX_PREC,
    Emin=MIN_EMIN,
    Emax=MAX_EMAX,
    traps=[InvalidOperation, Inexact, Rounded, Clamped, Overflow],
).create_decimal
_is_finite: Final = Decimal.is_finite


def _blank(cls: type) -> Callable[[], Any]:
    """Return the maker of objects with the slots of `cls`, empty and open to be filled."""
    plain = {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__")}
    return type(f"Blank{cls.__name__}", (cls,), {"__slots__": (), **plain})


def _blanks(blank: Callable[[], Any], count: int) -> list[Any]:
    # As [blank() for _ in range(count)], without the loop.
    return list(starmap(blank, repeat((), count)))


_blank_bar: Final = _blank(Bar)
_blank_bars: Final = _blank(HistoricalBars)
_blank_update: Final = _blank(HistoricalBarUpdate)
_blank_midpoint: Final = _blank(HistoricalMidpoint)
_blank_quote: Final = _blank(HistoricalQuote)
_blank_trade: Final = _blank(HistoricalTrade)
_blank_tick_quote: Final = _blank(TickByTickQuote)
_blank_tick_trade: Final = _blank(TickByTickTrade)
_blank_tick_midpoint: Final = _blank(TickByTickMidpoint)
_blank_price: Final = _blank(TickPrice)
_blank_size: Final = _blank(TickSize)
_blank_generic: Final = _blank(TickGeneric)
_blank_string: Final = _blank(TickString)
_blank_real_time_bar: Final = _blank(RealTimeBar)
_blank_status: Final = _blank(OrderStatus)
_blank_contract: Final = _blank(Contract)
_blank_execution: Final = _blank(Execution)
_blank_details: Final = _blank(ExecutionDetails)
_blank_commission: Final = _blank(CommissionReport)


class _Sizes(dict[str, Decimal]):
    """Sizes by their texts: a few hundred are nearly all, and Decimal is the dearest parser."""

    def __missing__(self, text: str) -> Decimal:
        size = _decimal(text)
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
    sizes = list(map(_decimal, texts))
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
    bars = _blanks(_blank_bar, (end - i) // 8)
    for (
        bar, bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.average, bar.count
    ) in zip(
        bars,
        f[i:end:8],
        _prices(f[i + 1 : end : 8]),
        _prices(f[i + 2 : end : 8]),
        _prices(f[i + 3 : end : 8]),
        _prices(f[i + 4 : end : 8]),
        _sizes(f[i + 5 : end : 8]),
        _prices(f[i + 6 : end : 8]),
        map(int, f[i + 7 : end : 8]),
        strict=True,
    ):  # fmt: skip
        bar.__class__ = Bar
    return tuple(bars)


def _message_of_bars(
    request_id: str, bars: tuple[Bar, ...], start: str, end: str
) -> HistoricalBars:
    message = _blank_bars()
    message.request_id = int(request_id)
    message.bars = bars
    message.start = start
    message.end = end
    message.__class__ = HistoricalBars
    return message


def _historical_bars(f: Fields) -> HistoricalBars:
    return _message_of_bars(f[1], _bars(f, 4), f[2], f[3])


def _historical_bars_196(f: Fields) -> HistoricalBars:
    return _message_of_bars(f[1], _bars(f, 2), "", "")


def _historical_bar_update(f: Fields) -> HistoricalBarUpdate:
    bar = _blank_bar()
    bar.open = first = float(f[4])
    bar.close = last = float(f[5])
    bar.high = high = float(f[6])
    bar.low = low = float(f[7])
    bar.average = average = float(f[8])
    if not _LOWEST < first + last + high + low + average < _HIGHEST:
        raise ValueError(f[4])
    bar.date = f[3]
    try:
        bar.volume = _SIZES[f[9]]
    except KeyError:
        bar.volume = _SIZE[f[9]]
    bar.count = int(f[2])
    bar.__class__ = Bar
    message = _blank_update()
    message.request_id = _INT[f[1]]
    message.bar = bar
    message.__class__ = HistoricalBarUpdate
    return message


def _midpoints(f: Fields) -> HistoricalMidpoints:
    i, end = _items(f, 2, 4)
    tick: Any
    ticks = _blanks(_blank_midpoint, (end - i) // 4)
    for tick, tick.time, tick.price, tick.size in zip(
        ticks,
        map(int, f[i:end:4]),
        _prices(f[i + 2 : end : 4]),
        _sizes(f[i + 3 : end : 4]),
        strict=True,
    ):
        tick.__class__ = HistoricalMidpoint
    return HistoricalMidpoints(int(f[1]), tuple(ticks), int(f[end]) != 0)


def _quotes(f: Fields) -> HistoricalQuotes:
    i, end = _items(f, 2, 6)
    ticks = _blanks(_blank_quote, (end - i) // 6)
    for tick, tick.time, tick.mask, tick.bid, tick.ask, tick.bid_size, tick.ask_size in zip(
        ticks,
        map(int, f[i:end:6]),
        map(int, f[i + 1 : end : 6]),
        _prices(f[i + 2 : end : 6]),
        _prices(f[i + 3 : end : 6]),
        _sizes(f[i + 4 : end : 6]),
        _sizes(f[i + 5 : end : 6]),
        strict=True,
    ):
        tick.__class__ = HistoricalQuote
    return HistoricalQuotes(int(f[1]), tuple(ticks), int(f[end]) != 0)


def _trades(f: Fields) -> HistoricalTrades:
    i, end = _items(f, 2, 6)
    ticks = _blanks(_blank_trade, (end - i) // 6)
    for tick, tick.time, tick.mask, tick.price, tick.size, tick.exchange, tick.conditions in zip(
        ticks,
        map(int, f[i:end:6]),
        map(int, f[i + 1 : end : 6]),
        _prices(f[i + 2 : end : 6]),
        _sizes(f[i + 3 : end : 6]),
        f[i + 4 : end : 6],
        f[i + 5 : end : 6],
        strict=True,
    ):
        tick.__class__ = HistoricalTrade
    return HistoricalTrades(int(f[1]), tuple(ticks), int(f[end]) != 0)


def _tick_by_tick(f: Fields) -> Response:
    # The commonest messages of all: no calls but the parsers.
    kind = f[2]
    if kind == "3":
        quote = _blank_tick_quote()
        quote.bid = bid = float(f[4])
        quote.ask = ask = float(f[5])
        if _LOWEST < bid + ask < _HIGHEST:
            quote.time = int(f[3])
            try:
                quote.request_id = _INTS[f[1]]
                quote.bid_size = _SIZES[f[6]]
                quote.ask_size = _SIZES[f[7]]
                quote.mask = _INTS[f[8]]
            except KeyError:
                quote.request_id = _INT[f[1]]
                quote.bid_size = _SIZE[f[6]]
                quote.ask_size = _SIZE[f[7]]
                quote.mask = _INT[f[8]]
            quote.__class__ = TickByTickQuote
            return quote
    elif kind == "2" or kind == "1":  # noqa: PLR1714 - a set is slower
        trade = _blank_tick_trade()
        trade.price = price = float(f[4])
        if _LOWEST < price < _HIGHEST:
            trade.time = int(f[3])
            trade.exchange = f[7]
            trade.conditions = f[8]
            try:
                trade.request_id = _INTS[f[1]]
                trade.type = _INTS[kind]
                trade.size = _SIZES[f[5]]
                trade.mask = _INTS[f[6]]
            except KeyError:
                trade.request_id = _INT[f[1]]
                trade.type = _INT[kind]
                trade.size = _SIZE[f[5]]
                trade.mask = _INT[f[6]]
            trade.__class__ = TickByTickTrade
            return trade
    elif kind == "4":
        midpoint = _blank_tick_midpoint()
        midpoint.request_id = _INT[f[1]]
        midpoint.time = int(f[3])
        midpoint.price = _price(f[4])
        midpoint.__class__ = TickByTickMidpoint
        return midpoint
    raise ValueError(kind)


def _tick_price(f: Fields) -> TickPrice:
    tick = _blank_price()
    tick.price = price = float(f[4])
    if not _LOWEST < price < _HIGHEST:
        raise ValueError(f[4])
    text = f[5]
    try:
        tick.size = _SIZES[text]
        tick.request_id = _INTS[f[2]]
        tick.type = _INTS[f[3]]
        tick.mask = _INTS[f[6]]
    except KeyError:
        tick.size = _SIZE[text] if text not in UNSET_DECIMALS else None
        tick.request_id = _INT[f[2]]
        tick.type = _INT[f[3]]
        tick.mask = _INT[f[6]]
    tick.__class__ = TickPrice
    return tick


def _tick_size(f: Fields) -> TickSize:
    tick = _blank_size()
    try:
        tick.request_id = _INTS[f[2]]
        tick.type = _INTS[f[3]]
        tick.size = _SIZES[f[4]]
    except KeyError:
        tick.request_id = _INT[f[2]]
        tick.type = _INT[f[3]]
        tick.size = _SIZE[f[4]]
    tick.__class__ = TickSize
    return tick


def _tick_generic(f: Fields) -> TickGeneric:
    tick = _blank_generic()
    tick.request_id = _INT[f[2]]
    tick.type = _INT[f[3]]
    tick.value = _price(f[4])
    tick.__class__ = TickGeneric
    return tick


def _tick_string(f: Fields) -> TickString:
    tick = _blank_string()
    tick.request_id = _INT[f[2]]
    tick.type = _INT[f[3]]
    tick.value = unescape(f[4])
    tick.__class__ = TickString
    return tick


def _real_time_bar(f: Fields) -> RealTimeBar:
    bar = _blank_real_time_bar()
    bar.request_id = _INT[f[2]]
    bar.time = int(f[3])
    bar.open = first = float(f[4])
    bar.high = high = float(f[5])
    bar.low = low = float(f[6])
    bar.close = last = float(f[7])
    bar.volume = _SIZE[f[8]]
    bar.average = average = float(f[9])
    if not _LOWEST < first + high + low + last + average < _HIGHEST:
        raise ValueError(f[4])
    bar.count = int(f[10])
    bar.__class__ = RealTimeBar
    return bar


def _order_status(f: Fields) -> OrderStatus:
    status = _blank_status()
    status.average_price = average = float(f[5])
    status.last_price = last = float(f[8])
    status.cap_price = cap = float(f[11])
    if not _LOWEST < average + last + cap < _HIGHEST:
        raise ValueError(f[5])
    status.order_id = int(f[1])
    status.status = f[2]
    status.perm_id = int(f[6])
    status.why_held = f[10]
    try:
        status.filled = _SIZES[f[3]]
        status.remaining = _SIZES[f[4]]
        status.parent_id = _INTS[f[7]]
        status.client_id = _INTS[f[9]]
    except KeyError:
        status.filled = _SIZE[f[3]]
        status.remaining = _SIZE[f[4]]
        status.parent_id = _INT[f[7]]
        status.client_id = _INT[f[9]]
    status.__class__ = OrderStatus
    return status


def _execution(f: Fields, *, pending: bool = False, submitter: str = "") -> ExecutionDetails:
    contract = _blank_contract()
    contract.strike = _maybe(f[7])
    contract.con_id = int(f[3])
    contract.symbol = f[4]
    contract.sec_type = f[5]
    contract.last_trade = f[6]
    contract.right = f[8]
    contract.multiplier = f[9]
    contract.exchange = f[10]
    contract.currency = f[11]
    contract.local_symbol = f[12]
    contract.trading_class = f[13]
    contract.last_trade_date = contract.primary_exchange = ""
    contract.include_expired = False
    contract.sec_id_type = contract.sec_id = contract.issuer_id = contract.legs_text = ""
    contract.legs = ()
    contract.delta_neutral = None
    contract.__class__ = Contract
    execution = _blank_execution()
    execution.price = price = float(f[20])
    execution.average_price = average = float(f[25])
    if not _LOWEST < price + average < _HIGHEST:
        raise ValueError(f[20])
    execution.exec_id = f[14]
    execution.time = f[15]
    execution.account = f[16]
    execution.exchange = f[17]
    execution.side = f[18]
    execution.shares = _SIZE[f[19]]
    execution.perm_id = int(f[21])
    execution.client_id = _INT[f[22]]
    execution.liquidation = _INT[f[23]]
    execution.cumulative = _SIZE[f[24]]
    execution.order_ref = f[26]
    execution.ev_rule = f[27]
    execution.ev_multiplier = _maybe(f[28])
    execution.model_code = f[29]
    execution.last_liquidity = _INT[f[30]]
    execution.pending_price_revision = pending
    execution.submitter = submitter
    execution.__class__ = Execution
    message = _blank_details()
    message.request_id = int(f[1])
    message.order_id = int(f[2])
    message.contract = contract
    message.execution = execution
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
    report = _blank_commission()
    report.exec_id = f[2]
    report.commission = _maybe(f[3])
    report.currency = f[4]
    report.realized_pnl = _maybe(f[5])
    report.bond_yield = _maybe(f[6])
    report.yield_redemption_date = None if day == UNSET_INT else day
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
