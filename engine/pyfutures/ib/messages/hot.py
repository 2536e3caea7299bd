"""Decoders by hand for the messages that come by the thousand.

Rules of this file. A decoder here knows the usual spelling of its message only and is quick about
it: plain calls on plain fields, no walk over a table. Whatever it stumbles over (an empty number, a
field that is missing) it gives up with an IndexError, a ValueError or an ArithmeticError, and the
table's own decoder decides. So a message means the same either way; a test holds the two against
each other, on good messages and on mutated ones.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import UNSET_DECIMALS, UNSET_FLOAT, unescape
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

_is_finite: Final = Decimal.is_finite


def _size(text: str) -> Decimal:
    size = Decimal(text)
    if not size.is_finite():
        raise ValueError(text)
    return size


def _sizes(texts: list[str]) -> list[Decimal]:
    sizes = list(map(Decimal, texts))
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
    return tuple(
        map(
            Bar,
            f[i:end:8],
            map(float, f[i + 1 : end : 8]),
            map(float, f[i + 2 : end : 8]),
            map(float, f[i + 3 : end : 8]),
            map(float, f[i + 4 : end : 8]),
            _sizes(f[i + 5 : end : 8]),
            _sizes(f[i + 6 : end : 8]),
            map(int, f[i + 7 : end : 8]),
        )
    )


def _historical_bars(f: Fields) -> HistoricalBars:
    return HistoricalBars(int(f[1]), _bars(f, 4), f[2], f[3])


def _historical_bars_196(f: Fields) -> HistoricalBars:
    return HistoricalBars(int(f[1]), _bars(f, 2))


def _historical_bar_update(f: Fields) -> HistoricalBarUpdate:
    _, request, count, date, first, last, high, low, average, volume, *_ = f
    return HistoricalBarUpdate(
        int(request),
        Bar(
            date, float(first), float(high), float(low), float(last), _size(volume),
            _size(average), int(count),
        ),
    )  # fmt: skip


def _midpoints(f: Fields) -> HistoricalMidpoints:
    i, end = _items(f, 2, 4)
    ticks = map(
        HistoricalMidpoint,
        map(int, f[i:end:4]),
        map(float, f[i + 2 : end : 4]),
        _sizes(f[i + 3 : end : 4]),
    )
    return HistoricalMidpoints(int(f[1]), tuple(ticks), int(f[end]) != 0)


def _quotes(f: Fields) -> HistoricalQuotes:
    i, end = _items(f, 2, 6)
    ticks = map(
        HistoricalQuote,
        map(int, f[i:end:6]),
        map(int, f[i + 1 : end : 6]),
        map(float, f[i + 2 : end : 6]),
        map(float, f[i + 3 : end : 6]),
        _sizes(f[i + 4 : end : 6]),
        _sizes(f[i + 5 : end : 6]),
    )
    return HistoricalQuotes(int(f[1]), tuple(ticks), int(f[end]) != 0)


def _trades(f: Fields) -> HistoricalTrades:
    i, end = _items(f, 2, 6)
    ticks = map(
        HistoricalTrade,
        map(int, f[i:end:6]),
        map(int, f[i + 1 : end : 6]),
        map(float, f[i + 2 : end : 6]),
        _sizes(f[i + 3 : end : 6]),
        f[i + 4 : end : 6],
        f[i + 5 : end : 6],
    )
    return HistoricalTrades(int(f[1]), tuple(ticks), int(f[end]) != 0)


def _tick_by_tick(f: Fields) -> Response:
    kind = f[2]
    if kind == "3":
        return TickByTickQuote(
            int(f[1]), int(f[3]), float(f[4]), float(f[5]), _size(f[6]), _size(f[7]), int(f[8])
        )
    if kind in {"1", "2"}:
        return TickByTickTrade(
            int(f[1]), int(kind), int(f[3]), float(f[4]), _size(f[5]), int(f[6]), f[7], f[8]
        )
    if kind == "4":
        return TickByTickMidpoint(int(f[1]), int(f[3]), float(f[4]))
    raise ValueError(kind)


def _tick_price(f: Fields) -> TickPrice:
    size = f[5]
    return TickPrice(
        int(f[2]),
        int(f[3]),
        float(f[4]),
        None if size in UNSET_DECIMALS else _size(size),
        int(f[6]),
    )


def _tick_size(f: Fields) -> TickSize:
    return TickSize(int(f[2]), int(f[3]), _size(f[4]))


def _tick_generic(f: Fields) -> TickGeneric:
    return TickGeneric(int(f[2]), int(f[3]), float(f[4]))


def _tick_string(f: Fields) -> TickString:
    return TickString(int(f[2]), int(f[3]), unescape(f[4]))


def _real_time_bar(f: Fields) -> RealTimeBar:
    return RealTimeBar(
        int(f[2]), int(f[3]), float(f[4]), float(f[5]), float(f[6]), float(f[7]), _size(f[8]),
        _size(f[9]), int(f[10]),
    )  # fmt: skip


def _order_status(f: Fields) -> OrderStatus:
    return OrderStatus(
        int(f[1]), f[2], _size(f[3]), _size(f[4]), float(f[5]), int(f[6]), int(f[7]), float(f[8]),
        int(f[9]), f[10], float(f[11]),
    )  # fmt: skip


def _execution(f: Fields, *, pending: bool = False, submitter: str = "") -> ExecutionDetails:
    strike = float(f[7])
    if strike == UNSET_FLOAT or strike != strike:  # noqa: PLR0124 - not a number
        raise ValueError(f[7])
    return ExecutionDetails(
        int(f[1]),
        int(f[2]),
        Contract(
            con_id=int(f[3]), symbol=f[4], sec_type=f[5], last_trade=f[6], strike=strike,
            right=f[8], multiplier=f[9], exchange=f[10], currency=f[11], local_symbol=f[12],
            trading_class=f[13],
        ),
        Execution(
            f[14], f[15], f[16], f[17], f[18], _size(f[19]), float(f[20]), int(f[21]), int(f[22]),
            int(f[23]), _size(f[24]), float(f[25]), f[26], f[27], _maybe(f[28]), f[29],
            int(f[30]), pending, submitter,
        ),
    )  # fmt: skip


def _maybe(text: str) -> float | None:
    if not text:
        return None
    value = float(text)
    if value != value:  # noqa: PLR0124 - not a number
        raise ValueError(text)
    return None if value == UNSET_FLOAT else value


def _execution_178(f: Fields) -> ExecutionDetails:
    return _execution(f, pending=int(f[31]) != 0)


def _execution_198(f: Fields) -> ExecutionDetails:
    return _execution(f, pending=int(f[31]) != 0, submitter=f[32])


def _commission(f: Fields) -> CommissionReport:
    day = int(f[7]) if f[7] else None
    if day == 2147483647:
        day = None
    return CommissionReport(f[2], _maybe(f[3]), f[4], _maybe(f[5]), _maybe(f[6]), day)


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
