"""The data client: bars, quotes, trades, books, instruments and their status through one gateway.

Subscriptions are feeds (`feeds.py`), requests are answered by `past.py`. A request is always
answered, with nothing where it failed; what failed is never written to a catalogue as known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nautilus_trader.model.enums import BookType, book_type_to_str

from pyfutures.ib.subscriptions import FeedState
from pyfutures.nautilus.config import MarketDataType
from pyfutures.nautilus.market.bar_forms import BarTimes, UnsupportedBarError, bar_form
from pyfutures.nautilus.market.core import DataCore, FeedKey
from pyfutures.nautilus.market.feeds import BarsFeed, BookFeed, LineFeed, QuotesFeed, TradesFeed
from pyfutures.nautilus.market.values import BarValues
from pyfutures.nautilus.types import ContinuousBarData, RollEvent

if TYPE_CHECKING:
    from nautilus_trader.data.messages import (
        SubscribeBars,
        SubscribeData,
        SubscribeInstrument,
        SubscribeInstruments,
        SubscribeInstrumentStatus,
        SubscribeOrderBook,
        SubscribeQuoteTicks,
        SubscribeTradeTicks,
        UnsubscribeBars,
        UnsubscribeData,
        UnsubscribeInstrument,
        UnsubscribeInstruments,
        UnsubscribeInstrumentStatus,
        UnsubscribeOrderBook,
        UnsubscribeQuoteTicks,
        UnsubscribeTradeTicks,
    )
    from nautilus_trader.model.data import BarType
    from nautilus_trader.model.identifiers import InstrumentId, Venue

    from pyfutures.nautilus.contracts.listings import Listing

__all__ = ["FuturesDataClient"]

_DELAYED: Final = frozenset({MarketDataType.DELAYED, MarketDataType.DELAYED_FROZEN})
_ROWS: Final = 10
_OURS: Final = (ContinuousBarData, RollEvent)


class FuturesDataClient(DataCore):
    """Market data of a gateway. Made by its factory.

    Parameters
    ----------
    loop
        The node's event loop.
    link
        The connection, shared with the execution client.
    msgbus, cache, clock
        The node's.
    config
        How it is set up.
    name
        The client id.

    """

    # Feeds.

    def _line(self, listing: Listing) -> LineFeed:
        """Return the line of market data of a contract; there is one."""
        key = FeedKey("line", str(listing.id))
        feed = self.feeds.get(key)
        if not isinstance(feed, LineFeed) or feed.subscription.state is FeedState.FAILED:
            feed = self.feeds[key] = LineFeed(
                self._ib,
                listing,
                self,
                values=self._values_of(listing),
                ignore_size=self.config.ignore_quote_size_changes,
            )
        return feed

    def _leave_line(self, instrument_id: InstrumentId) -> None:
        key = FeedKey("line", str(instrument_id))
        feed = self.feeds.get(key)
        if isinstance(feed, LineFeed) and not feed.is_wanted:
            self._end(key)

    async def _subscribe_quote_ticks(self, command: SubscribeQuoteTicks) -> None:
        listing = self._known(command.instrument_id, "quotes")
        if listing is None:
            self._remove_subscription_quote_ticks(command.instrument_id)
            return
        if command.params.get("tick_by_tick", self.config.tick_by_tick_quotes):
            if self.config.market_data_type in _DELAYED:
                self._deny(
                    f"quotes of {listing.id}",
                    "IB has no delayed ones tick by tick; leave `tick_by_tick_quotes` out",
                )
                self._remove_subscription_quote_ticks(command.instrument_id)
                return
            self._end(FeedKey("quotes", str(listing.id)))
            self.feeds[FeedKey("quotes", str(listing.id))] = QuotesFeed(
                self._ib,
                listing,
                self,
                values=self._values_of(listing),
                ignore_size=self.config.ignore_quote_size_changes,
            )
            return
        line = self._line(listing)
        line.wants_quotes = True
        line.again()

    async def _unsubscribe_quote_ticks(self, command: UnsubscribeQuoteTicks) -> None:
        self._end(FeedKey("quotes", str(command.instrument_id)))
        line = self.feeds.get(FeedKey("line", str(command.instrument_id)))
        if isinstance(line, LineFeed):
            line.wants_quotes = False
            self._leave_line(command.instrument_id)

    async def _subscribe_trade_ticks(self, command: SubscribeTradeTicks) -> None:
        listing = self._known(command.instrument_id, "trades")
        if listing is None or self.config.market_data_type in _DELAYED:
            if listing is not None:
                self._deny(
                    f"trades of {listing.id}",
                    "IB has none that are delayed; quotes and bars there are",
                )
            self._remove_subscription_trade_ticks(command.instrument_id)
            return
        key = FeedKey("trades", str(listing.id))
        self._end(key)
        self.feeds[key] = TradesFeed(self._ib, listing, self, values=self._values_of(listing))

    async def _unsubscribe_trade_ticks(self, command: UnsubscribeTradeTicks) -> None:
        self._end(FeedKey("trades", str(command.instrument_id)))

    async def _subscribe_bars(self, command: SubscribeBars) -> None:
        bar_type = command.bar_type
        listing = self._known(bar_type.instrument_id, f"bars {bar_type.spec}")
        if listing is None:
            self._remove_subscription_bars(bar_type)
            return
        try:
            form = bar_form(bar_type, live=True)
            values = self._bar_values(listing, bar_type)
            values.times.check(form.size)
        except UnsupportedBarError as error:
            self._deny(f"bars {bar_type}", error)
            self._remove_subscription_bars(bar_type)
            return
        key = FeedKey("bars", str(bar_type))
        self._end(key)
        self.feeds[key] = BarsFeed(
            self._ib,
            listing,
            self,
            form=form,
            values=values,
            use_rth=self.config.use_regular_trading_hours,
        )

    async def _unsubscribe_bars(self, command: UnsubscribeBars) -> None:
        self._end(FeedKey("bars", str(command.bar_type)))

    def _bar_values(self, listing: Listing, bar_type: BarType) -> BarValues:
        return BarValues(
            bar_type,
            bar_form(bar_type, live=False).size,
            values=self._values_of(listing),
            times=BarTimes(listing, self._hours_of(listing)),
            stamp=self.config.bar_stamp,
        )

    # Order books.

    def _book(self, command: SubscribeOrderBook) -> BookFeed | None:
        listing = self._known(command.instrument_id, "an order book")
        if listing is None:
            return None
        if command.book_type != BookType.L2_MBP:
            self._deny(
                f"order book of {listing.id}",
                f"IB has it by price, L2_MBP, not {book_type_to_str(command.book_type)}",
            )
            return None
        rows = max(command.depth or 0, _ROWS)
        key = FeedKey("book", str(listing.id))
        feed = self.feeds.get(key)
        if isinstance(feed, BookFeed) and feed.subscription.state is not FeedState.FAILED:
            if feed.rows >= rows:
                feed.again()  # whoever comes later begins with a snapshot too
                return feed
            feed.close()
        before, made = feed, None
        made = self.feeds[key] = BookFeed(
            self._ib, listing, self, values=self._values_of(listing), rows=rows
        )
        if isinstance(before, BookFeed):
            made.wants_deltas, made.wants_depth = before.wants_deltas, before.wants_depth
        return made

    async def _subscribe_order_book_deltas(self, command: SubscribeOrderBook) -> None:
        feed = self._book(command)
        if feed is None:
            self._remove_subscription_order_book_deltas(command.instrument_id)
        else:
            feed.wants_deltas = True

    async def _subscribe_order_book_depth(self, command: SubscribeOrderBook) -> None:
        feed = self._book(command)
        if feed is None:
            self._remove_subscription_order_book_depth(command.instrument_id)
        else:
            feed.wants_depth = True

    async def _unsubscribe_order_book_deltas(self, command: UnsubscribeOrderBook) -> None:
        self._leave_book(command.instrument_id, "wants_deltas")

    async def _unsubscribe_order_book_depth(self, command: UnsubscribeOrderBook) -> None:
        self._leave_book(command.instrument_id, "wants_depth")

    def _leave_book(self, instrument_id: InstrumentId, what: str) -> None:
        key = FeedKey("book", str(instrument_id))
        feed = self.feeds.get(key)
        if isinstance(feed, BookFeed):
            setattr(feed, what, False)
            if not feed.is_wanted:
                self._end(key)

    # Instruments and their status.

    async def _subscribe_instrument(self, command: SubscribeInstrument) -> None:
        listing = self._known(command.instrument_id, "an instrument")
        if listing is None:
            self._remove_subscription_instrument(command.instrument_id)
            return
        self.give(listing.instrument)

    async def _subscribe_instruments(self, command: SubscribeInstruments) -> None:
        for listing in self._of_venue(command.venue):
            self.give(listing.instrument)

    async def _unsubscribe_instrument(self, command: UnsubscribeInstrument) -> None:
        """Do nothing: instruments are published as they change, to whoever listens."""

    async def _unsubscribe_instruments(self, command: UnsubscribeInstruments) -> None:
        """Do nothing: instruments are published as they change, to whoever listens."""

    def _of_venue(self, venue: Venue | None) -> list[Listing]:
        return [one for one in self.link.listings if venue is None or one.id.venue == venue]

    async def _subscribe_instrument_status(self, command: SubscribeInstrumentStatus) -> None:
        listing = self._known(command.instrument_id, "the status of an instrument")
        if listing is None:
            self._remove_subscription_instrument_status(command.instrument_id)
            return

        def halt(is_halted: bool) -> None:  # noqa: FBT001 - a callback
            self.statuses.halt(listing.id, self.gateway_now, is_halted=is_halted)

        self.statuses.add(listing, self._hours_of(listing), self.gateway_now)
        self._line(listing).on_halt = halt
        self._start_review()  # the next opening or close may be near

    async def _unsubscribe_instrument_status(self, command: UnsubscribeInstrumentStatus) -> None:
        self.statuses.remove(command.instrument_id)
        line = self.feeds.get(FeedKey("line", str(command.instrument_id)))
        if isinstance(line, LineFeed):
            line.on_halt = None
            self._leave_line(command.instrument_id)

    async def _subscribe(self, command: SubscribeData) -> None:
        if command.data_type.type not in _OURS:  # those are published by roll actors
            self._log.warning(f"{command.data_type}: this client has no such data")

    async def _unsubscribe(self, command: UnsubscribeData) -> None:
        """Do nothing: there is nothing to end."""
