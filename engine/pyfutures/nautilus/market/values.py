"""What IB says of the market as values of nautilus_trader, one contract at a time.

Prices and sizes come by the thousand and repeat, so each is worked out once and kept: exact as
`PriceScale` has it, at the cost of a look-up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.data import Bar as NativeBar
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.objects import Price, Quantity

from pyfutures.nautilus.config import BarStamp

if TYPE_CHECKING:
    from nautilus_trader.model.data import BarType

    from pyfutures.ib.messages.history import Bar, HistoricalQuote, HistoricalTrade
    from pyfutures.ib.messages.market import RealTimeBar, TickByTickQuote, TickByTickTrade
    from pyfutures.ib.times import BarSize
    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.market.bar_forms import BarTimes
    from pyfutures.nautilus.prices import PriceScale

__all__ = ["BarValues", "MarketValues", "TradeIds"]

_NS: Final = 10**9
_KEPT: Final = 16_384
_NO_AGGRESSOR: Final = AggressorSide.NO_AGGRESSOR


class _Prices(dict[float, Price]):
    """Prices of nautilus by IB's quotes."""

    def __init__(self, scale: PriceScale) -> None:
        super().__init__()
        self._scale = scale

    def __missing__(self, quoted: float) -> Price:
        if len(self) >= _KEPT:
            self.clear()
        found = self[quoted] = self._scale.price(quoted)
        return found


class _Sizes(dict[Decimal, Quantity]):
    """Quantities by IB's sizes; a size that is not told (-1) is none."""

    def __missing__(self, size: Decimal) -> Quantity:
        if len(self) >= _KEPT:
            self.clear()
        whole = max(int(size), 0)
        if size > whole:
            raise ValueError(f"size {size}: futures are traded in whole contracts")
        found = self[size] = Quantity.from_int(whole)
        return found


class TradeIds:
    """Ids of trades, which IB does not give: the second, and the trade's place in it."""

    def __init__(self) -> None:
        self._second = -1
        self._count = 0

    def next(self, second: int) -> TradeId:
        """Return the id of the next trade."""
        self._count = self._count + 1 if second == self._second else 0
        self._second = second
        return TradeId(f"{second}-{self._count}")


class MarketValues:
    """Makes values of one instrument.

    Parameters
    ----------
    listing
        The contract.

    """

    def __init__(self, listing: Listing) -> None:
        self.id = listing.id
        self.prices = _Prices(listing.scale)
        self.sizes = _Sizes()

    def quote(self, tick: TickByTickQuote | HistoricalQuote, ts_init: int) -> QuoteTick | None:
        """Return a quote of IB; None where a side is missing. `ts_event` has whole seconds."""
        if is_absent(tick.bid, tick.bid_size) or is_absent(tick.ask, tick.ask_size):
            return None
        prices, sizes = self.prices, self.sizes
        return QuoteTick(
            self.id,
            prices[tick.bid],
            prices[tick.ask],
            sizes[tick.bid_size],
            sizes[tick.ask_size],
            tick.time * _NS,
            ts_init,
        )

    def trade(
        self, tick: TickByTickTrade | HistoricalTrade, ids: TradeIds, ts_init: int
    ) -> TradeTick | None:
        """Return a trade of IB; None for one without a size, which is no trade."""
        identity = ids.next(tick.time)
        if tick.size <= 0:
            return None
        return TradeTick(
            self.id,
            self.prices[tick.price],
            self.sizes[tick.size],
            _NO_AGGRESSOR,
            identity,
            tick.time * _NS,
            ts_init,
        )


class BarValues:
    """Makes bars of one bar type.

    Parameters
    ----------
    bar_type, size
        Which bars.
    values
        Of the instrument.
    times
        When its bars close.
    stamp
        Which end of an intraday bar is its `ts_event`.

    """

    def __init__(
        self,
        bar_type: BarType,
        size: BarSize,
        *,
        values: MarketValues,
        times: BarTimes,
        stamp: BarStamp,
    ) -> None:
        self.bar_type = bar_type
        self.size = size
        self.times = times
        self._values = values
        self._opens = stamp == BarStamp.OPEN and size.seconds is not None

    def close_ns(self, bar: Bar) -> int:
        """Return the scheduled close of a bar, UTC nanoseconds."""
        return self.times.close_ns(bar.date, self.size)

    def bar(self, bar: Bar, ts_init: int | None = None) -> NativeBar:
        """Return a bar of IB; one of the past becomes known at its close."""
        close = self.times.close_ns(bar.date, self.size)
        stamp = self.times.start_ns(bar.date) if self._opens else close
        return self._bar(bar, stamp, close if ts_init is None else ts_init)

    def real_time(self, bar: RealTimeBar, ts_init: int) -> NativeBar:
        """Return a real-time bar."""
        start = bar.time * _NS
        return self._bar(bar, start if self._opens else start + 5 * _NS, ts_init)

    def _bar(self, bar: Bar | RealTimeBar, stamp: int, ts_init: int) -> NativeBar:
        prices = self._values.prices
        return NativeBar(
            self.bar_type,
            prices[bar.open],
            prices[bar.high],
            prices[bar.low],
            prices[bar.close],
            self._values.sizes[bar.volume],
            stamp,
            ts_init,
        )


def is_absent(price: float, size: Decimal | None) -> bool:
    """Whether IB says that there is no such quote: -1 and nothing, since prices can be negative."""
    return price == -1 and not size
