"""Feeds: one subscription at the broker each, and what becomes of what it says.

The IB client keeps subscriptions alive across cuts and fills in what was missed; a feed turns its
values into those of nautilus_trader. What cannot be turned is logged and counted, never let by.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from nautilus_trader.model.data import QuoteTick

from pyfutures.ib.failures import IbError
from pyfutures.ib.market import DepthReset, TickKind
from pyfutures.ib.merge import duration_over
from pyfutures.ib.messages.market import TickGeneric, TickPrice, TickSize, TickType
from pyfutures.ib.subscriptions import FeedState
from pyfutures.nautilus.market.books import Book, BookError
from pyfutures.nautilus.market.values import TradeIds, is_absent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from decimal import Decimal

    from nautilus_trader.core.data import Data

    from pyfutures.ib.bar_feed import BarUpdate
    from pyfutures.ib.client import Client
    from pyfutures.ib.messages.base import Response
    from pyfutures.ib.messages.market import RealTimeBar, TickByTickQuote, TickByTickTrade
    from pyfutures.ib.subscriptions import Subscription
    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.market.bar_forms import BarForm
    from pyfutures.nautilus.market.books import DepthChange
    from pyfutures.nautilus.market.values import BarValues, MarketValues

__all__ = ["BarsFeed", "BookFeed", "LineFeed", "LiveFeed", "Outlet", "QuotesFeed", "TradesFeed"]

_NS: Final = 10**9
_SIDES: Final = {
    TickType.BID: 0, TickType.DELAYED_BID: 0, TickType.ASK: 1, TickType.DELAYED_ASK: 1,
}  # fmt: skip
_SIZES: Final = {
    TickType.BID_SIZE: 0, TickType.DELAYED_BID_SIZE: 0,
    TickType.ASK_SIZE: 1, TickType.DELAYED_ASK_SIZE: 1,
}  # fmt: skip
_HALTED: Final = frozenset({TickType.HALTED, TickType.DELAYED_HALTED})


class Outlet(Protocol):
    """Where feeds give what they made: the data client."""

    @property
    def now(self) -> int:
        """The node's time, UTC nanoseconds."""

    @property
    def gateway_now(self) -> dt.datetime:
        """The gateway's time, as far as it was asked."""

    def give(self, data: Data) -> None:
        """Hand data to the node."""

    def changed(self, feed: LiveFeed, state: FeedState) -> None:
        """Take note of a feed's state."""

    def refused(self, feed: LiveFeed, value: object, error: Exception) -> None:
        """Take note of a value that nothing can be made of."""


class LiveFeed:
    """A subscription and where its values go.

    Parameters
    ----------
    name
        In words, for messages.
    listing
        The contract.
    outlet
        Where values go.

    """

    def __init__(self, name: str, listing: Listing, outlet: Outlet) -> None:
        self.name = f"{name} of {listing.id}"
        self.listing = listing
        self.strikes = 0  # how often it was started anew without having spoken since
        self.stale_count = 0
        self.marked_at: float | None = None  # of `heard_at`, when it was started anew
        self.gaps_told = 0
        self.notices = 0
        self.interruptions = 0
        self.is_interrupted = False
        self._outlet = outlet
        self._give = outlet.give
        self._subscription: Subscription[Any] | None = None

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def subscription(self) -> Subscription[Any]:
        """The subscription at the broker."""
        assert self._subscription is not None  # noqa: S101 - made by every subclass
        return self._subscription

    def _begin[T](self, subscription: Subscription[T]) -> None:
        self._subscription = subscription
        subscription.watch(self._changed)
        if subscription.state is FeedState.FAILED:
            self._changed(FeedState.FAILED)

    def _changed(self, state: FeedState) -> None:
        self._outlet.changed(self, state)

    def _guarded[T](self, take: Callable[[T], object]) -> Callable[[T], None]:
        """Return a callback that does not let a bad value end the feed."""

        def guarded(value: T) -> None:
            try:
                take(value)
            except (ValueError, ArithmeticError, IbError) as error:
                self._outlet.refused(self, value, error)

        return guarded

    def close(self) -> None:
        """End it."""
        if self._subscription is not None:
            self._subscription.close()


class BarsFeed(LiveFeed):
    """Bars as they close: real-time ones of five seconds, others kept up to date.

    Parameters
    ----------
    ib
        The client.
    listing
        The contract.
    outlet
        Where they go.
    form
        The bars in IB's words.
    values
        Makes bars.
    use_rth
        Whether regular trading hours only.

    """

    def __init__(  # noqa: PLR0913
        self,
        ib: Client,
        listing: Listing,
        outlet: Outlet,
        *,
        form: BarForm,
        values: BarValues,
        use_rth: bool,
    ) -> None:
        super().__init__(f"{form.size} {form.show} bars", listing, outlet)
        self._values = values
        self._since_ns = int(outlet.gateway_now.timestamp()) * _NS
        if form.is_real_time:
            self._begin(
                ib.market.real_time_bars(
                    listing.contract,
                    show=form.show,
                    use_rth=use_rth,
                    callback=self._guarded(self._real_time),
                )
            )
            return
        self._begin(
            ib.history.live_bars(
                listing.contract,
                size=form.size,
                show=form.show,
                use_rth=use_rth,
                duration=duration_over(2.0 * (form.size.seconds or 86400), form.size),
                history=False,
                closes=lambda date: values.times.close(date, form.size),
                callback=self._guarded(self._closed),
            )
        )

    def _closed(self, update: BarUpdate) -> None:
        # What closed before anybody asked is for requests: the last bar of the first answer may
        # be of last week.
        if self._since_ns and self._values.close_ns(update.bar) <= self._since_ns:
            return
        self._since_ns = 0
        self._give(self._values.bar(update.bar, self._outlet.now))

    def _real_time(self, bar: RealTimeBar) -> None:
        self._give(self._values.real_time(bar, self._outlet.now))


class QuotesFeed(LiveFeed):
    """Every quote, tick by tick."""

    def __init__(
        self,
        ib: Client,
        listing: Listing,
        outlet: Outlet,
        *,
        values: MarketValues,
        ignore_size: bool,
    ) -> None:
        super().__init__("tick-by-tick quotes", listing, outlet)
        self._values = values
        self._begin(
            ib.market.ticks(
                listing.contract,
                TickKind.BID_ASK,
                ignore_size=ignore_size,
                callback=self._guarded(self._take),  # type: ignore[arg-type] # only these come
            )
        )

    def _take(self, tick: TickByTickQuote) -> None:
        quote = self._values.quote(tick, self._outlet.now)
        if quote is not None:
            self._give(quote)


class TradesFeed(LiveFeed):
    """Every trade, tick by tick."""

    def __init__(
        self, ib: Client, listing: Listing, outlet: Outlet, *, values: MarketValues
    ) -> None:
        super().__init__("trades", listing, outlet)
        self._values = values
        self._ids = TradeIds()
        self._begin(
            ib.market.ticks(
                listing.contract,
                TickKind.ALL_LAST,
                callback=self._guarded(self._take),  # type: ignore[arg-type] # only these come
            )
        )

    def _take(self, tick: TickByTickTrade) -> None:
        trade = self._values.trade(tick, self._ids, self._outlet.now)
        if trade is not None:
            self._give(trade)


class LineFeed(LiveFeed):
    """A line of market data: quotes as they change, and whether trading is halted.

    Both come of one line, since lines are few. Bid and ask come one after the other, so a quote is
    made of what one read of the socket brought: between the two it would be crossed at times.
    """

    def __init__(
        self,
        ib: Client,
        listing: Listing,
        outlet: Outlet,
        *,
        values: MarketValues,
        ignore_size: bool,
    ) -> None:
        super().__init__("market data", listing, outlet)
        self.wants_quotes = False
        self.on_halt: Callable[[bool], object] | None = None
        self._values = values
        self._ignores_size = ignore_size
        self._prices: list[float | None] = [None, None]
        self._sizes: list[Decimal | None] = [None, None]
        self._told: tuple[object, ...] | None = None
        self._loop = asyncio.get_running_loop()
        self._due: asyncio.Handle | None = None
        self._begin(ib.market.line(listing.contract, callback=self._guarded(self._take)))

    @property
    def is_wanted(self) -> bool:
        """Whether anybody wants anything of it."""
        return self.wants_quotes or self.on_halt is not None

    def again(self) -> None:
        """Tell the present quote to somebody who came later."""
        self._told = None
        self._tell_soon()

    def close(self) -> None:
        """End it."""
        super().close()
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _changed(self, state: FeedState) -> None:
        if state is FeedState.STALE:
            self._prices, self._sizes = [None, None], [None, None]  # void until they come again
        super()._changed(state)

    def _take(self, tick: Response) -> None:
        if isinstance(tick, TickPrice):
            side = _SIDES.get(tick.type)  # type: ignore[call-overload]
            if side is None:
                return
            if is_absent(tick.price, tick.size):
                self._prices[side] = self._sizes[side] = None
                return
            self._prices[side] = tick.price
            if tick.size is not None:
                self._sizes[side] = tick.size
            self._tell_soon()
        elif isinstance(tick, TickSize):
            side = _SIZES.get(tick.type)  # type: ignore[call-overload]
            if side is not None and self._prices[side] is not None:
                self._sizes[side] = tick.size
                self._tell_soon()
        elif isinstance(tick, TickGeneric) and tick.type in _HALTED and self.on_halt is not None:
            self.on_halt(tick.value > 0)

    def _tell_soon(self) -> None:
        if self._due is None:
            self._due = self._loop.call_soon(self._guarded(self._tell), None)

    def _tell(self, _: object) -> None:
        self._due = None
        bid, ask = self._prices
        bid_size, ask_size = self._sizes
        if bid is None or ask is None or bid_size is None or ask_size is None:
            return
        told = (bid, ask) if self._ignores_size else (bid, ask, bid_size, ask_size)
        if not self.wants_quotes or told == self._told:
            return
        self._told = told
        values, now = self._values, self._outlet.now
        prices, sizes = values.prices, values.sizes
        self._give(
            QuoteTick(
                values.id, prices[bid], prices[ask], sizes[bid_size], sizes[ask_size], now, now
            )
        )


class BookFeed(LiveFeed):
    """The order book: changes by level, and the best ten levels."""

    def __init__(
        self, ib: Client, listing: Listing, outlet: Outlet, *, values: MarketValues, rows: int
    ) -> None:
        super().__init__("order book", listing, outlet)
        self.wants_deltas = False
        self.wants_depth = False
        self.rows = rows
        self._book = Book(values)
        self._values = values
        self._loop = asyncio.get_running_loop()
        self._due: asyncio.Handle | None = None
        self._begin(
            ib.market.depth(listing.contract, rows=rows, callback=self._guarded(self._take))
        )

    @property
    def is_wanted(self) -> bool:
        """Whether anybody wants anything of it."""
        return self.wants_deltas or self.wants_depth

    def _take(self, change: DepthChange) -> None:
        try:
            self._book.change(change)
        except BookError as error:
            self._outlet.refused(self, change, error)
            self._loop.call_soon(self.subscription.restart)  # not within its own callback
            return
        if self._due is None:
            self._due = self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        """Tell what came with one read of the socket."""
        self._due = None
        now = self._outlet.now
        deltas = self._book.deltas(now)
        if deltas is None:
            return
        if self.wants_deltas:
            self._give(deltas)
        if self.wants_depth:
            self._give(self._book.depth(now))

    def again(self) -> None:
        """Begin anew, for somebody who came later."""
        self._book.change(DepthReset())
        self.subscription.restart()

    def close(self) -> None:
        """End it."""
        super().close()
        if self._due is not None:
            self._due.cancel()
            self._due = None
