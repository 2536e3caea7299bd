# mypy: disable-error-code="no-any-return"
# A blank is Any until it is declared to be a message.
"""Decoders by hand for bars and ticks of the past, and for bars that are kept up to date.

The rules are in `hot.py`. A message has a thousand values and more, so they are read by the column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyfutures.ib import versions as sv
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
from pyfutures.ib.messages.hot_parts import (
    HIGHEST,
    INT,
    LOWEST,
    SIZE,
    SIZES,
    blank,
    blanks,
    prices_of,
    sizes_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.messages.base import Response

    type Fields = list[str]

__all__ = ["history_decoders"]

_blank_bar: Final = blank(Bar)
_blank_bars: Final = blank(HistoricalBars)
_blank_update: Final = blank(HistoricalBarUpdate)
_blank_midpoint: Final = blank(HistoricalMidpoint)
_blank_quote: Final = blank(HistoricalQuote)
_blank_trade: Final = blank(HistoricalTrade)


def _items(f: Fields, at: int, width: int) -> tuple[int, int]:
    """Return where the items behind the count at `at` start and end."""
    count = int(f[at])
    first, last = at + 1, at + 1 + width * count
    if count < 0 or last > len(f):
        raise IndexError(count)
    return first, last


def _bars(f: Fields, at: int) -> tuple[Bar, ...]:
    i, end = _items(f, at, 8)
    bars = blanks(_blank_bar, (end - i) // 8)
    for (
        bar, bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.average, bar.count
    ) in zip(
        bars,
        f[i:end:8],
        prices_of(f[i + 1 : end : 8]),
        prices_of(f[i + 2 : end : 8]),
        prices_of(f[i + 3 : end : 8]),
        prices_of(f[i + 4 : end : 8]),
        sizes_of(f[i + 5 : end : 8]),
        prices_of(f[i + 6 : end : 8]),
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
    if not LOWEST < first + last + high + low + average < HIGHEST:
        raise ValueError(f[4])
    bar.date = f[3]
    try:
        bar.volume = SIZES[f[9]]
    except KeyError:
        bar.volume = SIZE[f[9]]
    bar.count = int(f[2])
    bar.__class__ = Bar
    message = _blank_update()
    message.request_id = INT[f[1]]
    message.bar = bar
    message.__class__ = HistoricalBarUpdate
    return message


def _midpoints(f: Fields) -> HistoricalMidpoints:
    i, end = _items(f, 2, 4)
    tick: Any
    ticks = blanks(_blank_midpoint, (end - i) // 4)
    for tick, tick.time, tick.price, tick.size in zip(
        ticks,
        map(int, f[i:end:4]),
        prices_of(f[i + 2 : end : 4]),
        sizes_of(f[i + 3 : end : 4]),
        strict=True,
    ):
        tick.__class__ = HistoricalMidpoint
    return HistoricalMidpoints(int(f[1]), tuple(ticks), int(f[end]) != 0)


def _quotes(f: Fields) -> HistoricalQuotes:
    i, end = _items(f, 2, 6)
    ticks = blanks(_blank_quote, (end - i) // 6)
    for tick, tick.time, tick.mask, tick.bid, tick.ask, tick.bid_size, tick.ask_size in zip(
        ticks,
        map(int, f[i:end:6]),
        map(int, f[i + 1 : end : 6]),
        prices_of(f[i + 2 : end : 6]),
        prices_of(f[i + 3 : end : 6]),
        sizes_of(f[i + 4 : end : 6]),
        sizes_of(f[i + 5 : end : 6]),
        strict=True,
    ):
        tick.__class__ = HistoricalQuote
    return HistoricalQuotes(int(f[1]), tuple(ticks), int(f[end]) != 0)


def _trades(f: Fields) -> HistoricalTrades:
    i, end = _items(f, 2, 6)
    ticks = blanks(_blank_trade, (end - i) // 6)
    for tick, tick.time, tick.mask, tick.price, tick.size, tick.exchange, tick.conditions in zip(
        ticks,
        map(int, f[i:end:6]),
        map(int, f[i + 1 : end : 6]),
        prices_of(f[i + 2 : end : 6]),
        sizes_of(f[i + 3 : end : 6]),
        f[i + 4 : end : 6],
        f[i + 5 : end : 6],
        strict=True,
    ):
        tick.__class__ = HistoricalTrade
    return HistoricalTrades(int(f[1]), tuple(ticks), int(f[end]) != 0)


def history_decoders(version: int) -> dict[str, Callable[[Fields], Response]]:
    """Return the decoders of a server version, by the id as it stands on the wire."""
    return {
        "17": _historical_bars_196 if version >= sv.HISTORICAL_END else _historical_bars,
        "90": _historical_bar_update,
        "96": _midpoints,
        "97": _quotes,
        "98": _trades,
    }
