# mypy: disable-error-code="no-any-return"
# A blank is Any until it is declared to be a message.
"""Decoders by hand for ticks and bars of the market now. The rules are in `hot.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfutures.ib.fields import UNSET_DECIMALS, unescape
from pyfutures.ib.messages.hot_parts import (
    HIGHEST,
    INT,
    INTS,
    LOWEST,
    SIZE,
    SIZES,
    blank,
    price_of,
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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyfutures.ib.messages.base import Response

    type Fields = list[str]

__all__ = ["MARKET_DECODERS"]

_blank_tick_quote: Final = blank(TickByTickQuote)
_blank_tick_trade: Final = blank(TickByTickTrade)
_blank_tick_midpoint: Final = blank(TickByTickMidpoint)
_blank_price: Final = blank(TickPrice)
_blank_size: Final = blank(TickSize)
_blank_generic: Final = blank(TickGeneric)
_blank_string: Final = blank(TickString)
_blank_real_time_bar: Final = blank(RealTimeBar)


def _tick_by_tick(f: Fields) -> Response:
    # The commonest messages of all: no calls but the parsers.
    kind = f[2]
    if kind == "3":
        quote = _blank_tick_quote()
        quote.bid = bid = float(f[4])
        quote.ask = ask = float(f[5])
        if LOWEST < bid + ask < HIGHEST:
            quote.time = int(f[3])
            try:
                quote.request_id = INTS[f[1]]
                quote.bid_size = SIZES[f[6]]
                quote.ask_size = SIZES[f[7]]
                quote.mask = INTS[f[8]]
            except KeyError:
                quote.request_id = INT[f[1]]
                quote.bid_size = SIZE[f[6]]
                quote.ask_size = SIZE[f[7]]
                quote.mask = INT[f[8]]
            quote.__class__ = TickByTickQuote
            return quote
    elif kind == "2" or kind == "1":  # noqa: PLR1714 - a set is slower
        trade = _blank_tick_trade()
        trade.price = price = float(f[4])
        if LOWEST < price < HIGHEST:
            trade.time = int(f[3])
            trade.exchange = f[7]
            trade.conditions = f[8]
            try:
                trade.request_id = INTS[f[1]]
                trade.type = INTS[kind]
                trade.size = SIZES[f[5]]
                trade.mask = INTS[f[6]]
            except KeyError:
                trade.request_id = INT[f[1]]
                trade.type = INT[kind]
                trade.size = SIZE[f[5]]
                trade.mask = INT[f[6]]
            trade.__class__ = TickByTickTrade
            return trade
    elif kind == "4":
        midpoint = _blank_tick_midpoint()
        midpoint.request_id = INT[f[1]]
        midpoint.time = int(f[3])
        midpoint.price = price_of(f[4])
        midpoint.__class__ = TickByTickMidpoint
        return midpoint
    raise ValueError(kind)


def _tick_price(f: Fields) -> TickPrice:
    tick = _blank_price()
    tick.price = price = float(f[4])
    if not LOWEST < price < HIGHEST:
        raise ValueError(f[4])
    text = f[5]
    try:
        tick.size = SIZES[text]
        tick.request_id = INTS[f[2]]
        tick.type = INTS[f[3]]
        tick.mask = INTS[f[6]]
    except KeyError:
        tick.size = SIZE[text] if text not in UNSET_DECIMALS else None
        tick.request_id = INT[f[2]]
        tick.type = INT[f[3]]
        tick.mask = INT[f[6]]
    tick.__class__ = TickPrice
    return tick


def _tick_size(f: Fields) -> TickSize:
    tick = _blank_size()
    try:
        tick.request_id = INTS[f[2]]
        tick.type = INTS[f[3]]
        tick.size = SIZES[f[4]]
    except KeyError:
        tick.request_id = INT[f[2]]
        tick.type = INT[f[3]]
        tick.size = SIZE[f[4]]
    tick.__class__ = TickSize
    return tick


def _tick_generic(f: Fields) -> TickGeneric:
    tick = _blank_generic()
    tick.request_id = INT[f[2]]
    tick.type = INT[f[3]]
    tick.value = price_of(f[4])
    tick.__class__ = TickGeneric
    return tick


def _tick_string(f: Fields) -> TickString:
    tick = _blank_string()
    tick.request_id = INT[f[2]]
    tick.type = INT[f[3]]
    tick.value = unescape(f[4])
    tick.__class__ = TickString
    return tick


def _real_time_bar(f: Fields) -> RealTimeBar:
    bar = _blank_real_time_bar()
    bar.request_id = INT[f[2]]
    bar.time = int(f[3])
    bar.open = first = float(f[4])
    bar.high = high = float(f[5])
    bar.low = low = float(f[6])
    bar.close = last = float(f[7])
    bar.volume = SIZE[f[8]]
    bar.average = average = float(f[9])
    if not LOWEST < first + high + low + last + average < HIGHEST:
        raise ValueError(f[4])
    bar.count = int(f[10])
    bar.__class__ = RealTimeBar
    return bar


MARKET_DECODERS: Final[Mapping[str, Callable[[Fields], Response]]] = {
    "1": _tick_price,
    "2": _tick_size,
    "45": _tick_generic,
    "46": _tick_string,
    "50": _real_time_bar,
    "99": _tick_by_tick,
}
