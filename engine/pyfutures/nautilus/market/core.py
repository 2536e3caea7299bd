"""What a data client is besides its subscriptions: connection, clock, review, what it tells.

The connection and the farms of the broker are heard of here; the review comes by a timer of the
node, looks at feeds and statuses, and arms the next one whatever happens.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.data import BarType
from nautilus_trader.model.identifiers import ClientId

from pyfutures.ib.events import ClientEventKind
from pyfutures.ib.failures import RequestError
from pyfutures.ib.farms import FarmState
from pyfutures.ib.market import DataKind
from pyfutures.ib.masking import masked
from pyfutures.ib.subscriptions import FeedState
from pyfutures.ib.supervisor import Phase
from pyfutures.nautilus.config import MarketDataType
from pyfutures.nautilus.contracts.listings import UnknownInstrumentError
from pyfutures.nautilus.market.events import FeedEvent, FeedEventKind, feed_topic
from pyfutures.nautilus.market.feeds import BarsFeed, BookFeed, LineFeed, QuotesFeed, TradesFeed
from pyfutures.nautilus.market.past import Past
from pyfutures.nautilus.market.refusals import DataRefusals
from pyfutures.nautilus.market.requests import DataRequests
from pyfutures.nautilus.market.statuses import Statuses
from pyfutures.nautilus.market.trading_hours import TradingHoursBook
from pyfutures.nautilus.market.values import MarketValues
from pyfutures.nautilus.market.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.cache.cache import Cache
    from nautilus_trader.common.component import LiveClock, MessageBus
    from nautilus_trader.core.data import Data
    from nautilus_trader.model.identifiers import InstrumentId

    from pyfutures.ib.events import ClientEvent
    from pyfutures.ib.subscriptions import Subscription
    from pyfutures.nautilus.config import FuturesDataClientConfig
    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.link import Link
    from pyfutures.nautilus.market.feeds import LiveFeed
    from pyfutures.nautilus.market.trading_hours import TradingHours

__all__ = ["DataCore", "FeedKey"]

_NS: Final = 10**9
_KINDS: Final = {
    MarketDataType.LIVE: DataKind.LIVE,
    MarketDataType.FROZEN: DataKind.FROZEN,
    MarketDataType.DELAYED: DataKind.DELAYED,
    MarketDataType.DELAYED_FROZEN: DataKind.DELAYED_FROZEN,
}
_TICK: Final = 30.0  # seconds between two looks at the feeds, at most
_ONE: Final = dt.timedelta(seconds=1)


class FeedKey(NamedTuple):
    """A feed: what it is of and which one."""

    kind: str
    of: str


class DataCore(DataRequests, DataRefusals, LiveMarketDataClient):  # type: ignore[misc] # nautilus has no types
    """The part of a data client that stands before its subscriptions.

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

    def __init__(  # noqa: PLR0913, PLR0917 - nautilus' signature
        self,
        loop: asyncio.AbstractEventLoop,
        link: Link,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        config: FuturesDataClientConfig,
        name: str,
    ) -> None:
        super().__init__(
            loop=loop,
            client_id=ClientId(name),
            venue=None,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=link.provider,
            config=config,
        )
        self.config = config
        self.link = link
        self.rejected = 0  # values of the broker that nothing could be made of
        self.failures = 0  # reviews that failed
        self.feeds: dict[FeedKey, LiveFeed] = {}
        self.statuses = Statuses(self)
        self._ib = link.client
        use_rth = config.use_regular_trading_hours
        self._past = Past(self._ib, patience=config.history_timeout, use_rth=use_rth)
        self._hours = TradingHoursBook(use_rth=use_rth)
        self._watchdog = (
            None
            if config.stale_after_secs is None
            else Watchdog(self._ib, self, stale_after=config.stale_after_secs)
        )
        self._values: dict[InstrumentId, MarketValues] = {}
        self._topic = feed_topic(name)
        self._alert = f"{name}-{id(self)}-review"
        self._offset = dt.timedelta(0)  # of the gateway's clock
        self._is_open = False
        self._was_ready = False
        self._reviewing: asyncio.Task[None] | None = None
        self._events: Subscription[ClientEvent] | None = None
        self._unsubscribe_provider: Callable[[], None] | None = None

    # What feeds and the watchdog call.

    @property
    def now(self) -> int:
        """The node's time, UTC nanoseconds."""
        return int(self._clock.timestamp_ns())

    @property
    def gateway_now(self) -> dt.datetime:
        """The gateway's time, as far as it was asked."""
        return dt.datetime.fromtimestamp(self.now / _NS, dt.UTC) + self._offset

    def give(self, data: Data) -> None:
        """Hand data to the node."""
        self._handle_data(data)

    def changed(self, feed: LiveFeed, state: FeedState) -> None:
        """Take note of a feed's state."""
        error = feed.subscription.error
        if state is FeedState.FAILED:
            self.tell(FeedEventKind.FAILED, feed, f"refused: {error}", 1)
            self._unsubscribed(feed)
        elif state is FeedState.STALE and error is not None and not feed.is_interrupted:
            feed.is_interrupted = True
            feed.interruptions += 1
            text = f"interrupted, and tried again until it comes back: {error}"
            self.tell(FeedEventKind.INTERRUPTED, feed, text, feed.interruptions)
        elif state is FeedState.LIVE and feed.is_interrupted:
            feed.is_interrupted = False
            self.tell(FeedEventKind.LIVE, feed, "it is back", feed.interruptions)
        else:
            self._log.debug(f"{feed.name}: {state}")

    def refused(self, feed: LiveFeed, value: object, error: Exception) -> None:
        """Take note of a value that nothing can be made of."""
        self.rejected += 1
        self._log.error(
            f"{feed.name}: nothing can be made of {value!r}: {error} ({self.rejected} such values"
            " so far)"
        )

    def hours(self, feed: LiveFeed) -> TradingHours:
        """Return when the contract of a feed trades."""
        return self._hours_of(feed.listing)

    def tell(self, kind: FeedEventKind, feed: LiveFeed | str, text: str, count: int) -> None:
        """Log what happened to a feed, and publish it."""
        name = feed if isinstance(feed, str) else feed.name
        text = masked(text)
        words = f"{name}: {text}" if name else text
        if kind in {FeedEventKind.LIVE, FeedEventKind.FARM_BACK, FeedEventKind.CONNECTION_BACK}:
            self._log.info(words)
        elif kind in {FeedEventKind.FAILED, FeedEventKind.GAP}:
            self._log.error(words)
        else:
            self._log.warning(words)
        event = FeedEvent(str(self.id), kind, name, text, count, self.now)
        self._msgbus.publish(topic=self._topic, msg=event)

    # Connecting.

    async def _connect(self) -> None:
        await self.link.open()
        try:
            await self._begin()
        except BaseException:  # refused or cancelled: the connection may not stay behind
            await self._shut()
            await self.link.close()
            raise

    async def _begin(self) -> None:
        self._is_open = True
        if self.config.market_data_type != MarketDataType.LIVE:
            self._ib.market.use(_KINDS[self.config.market_data_type])
        self._events = self._ib.events(callback=self._hear)
        self._was_ready = True
        self._unsubscribe_provider = self.link.provider.subscribe(self._listed)
        for listing in self.link.listings:
            self.give(listing.instrument)
        await self._set_clock()
        self._arm(None)

    async def _disconnect(self) -> None:
        was_open = self._is_open
        await self._shut()
        if was_open:
            await self.link.close()

    async def _shut(self) -> None:
        self._is_open = False
        if self._alert in self._clock.timer_names:
            self._clock.cancel_timer(self._alert)
        task, self._reviewing = self._reviewing, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._unsubscribe_provider is not None:
            self._unsubscribe_provider()
            self._unsubscribe_provider = None
        if self._events is not None:
            self._events.close()
            self._events = None
        for key in tuple(self.feeds):
            self._end(key)

    def _hear(self, event: ClientEvent) -> None:
        """Tell of the connection and of the broker's farms: lost, and back."""
        is_ready = self._ib.is_ready
        farm = event.farm
        if farm is not None and farm.is_recovery:
            self.tell(FeedEventKind.FARM_BACK, "", event.text, 1)
        elif farm is not None and farm.after is FarmState.BROKEN is not farm.before:
            self.tell(FeedEventKind.FARM_BROKEN, "", event.text, 1)
        if event.kind not in {
            ClientEventKind.PHASE, ClientEventKind.LINE_DOWN, ClientEventKind.LINE_UP,
        }:  # fmt: skip
            return
        if self._was_ready and not is_ready and event.phase is not Phase.CLOSED:
            self._was_ready = False
            why = event.text or "IB's servers are away"
            self.tell(FeedEventKind.CONNECTION_LOST, "", f"No data: {why}", 1)
        elif not self._was_ready and is_ready:
            self._was_ready = True
            self.tell(
                FeedEventKind.CONNECTION_BACK, "", "Data again; what was missed is filled in", 1
            )

    # Looking after feeds and statuses.

    def _arm(self, change: dt.datetime | None) -> None:
        """Have the next look at feeds and statuses in a while, or when a market opens or closes."""
        wait = _TICK
        if self.config.stale_after_secs is not None:
            wait = min(wait, self.config.stale_after_secs / 4)
        if change is not None:
            wait = min(wait, max((change - self.gateway_now).total_seconds(), 0.02))
        at = self.now + int(wait * _NS)
        if self._alert in self._clock.timer_names:
            self._clock.cancel_timer(self._alert)
        self._clock.set_time_alert_ns(self._alert, at, self._rung)

    def _rung(self, _: object) -> None:
        self._loop.call_soon_threadsafe(self._start_review)  # clocks call from their own thread

    def _start_review(self) -> None:
        if self._is_open and self._reviewing is None:
            self._reviewing = self._loop.create_task(self._review(), name=self._alert)

    async def _review(self) -> None:
        change = None
        try:
            await self._set_clock()
            now = self.gateway_now
            for feed in tuple(self.feeds.values()):
                self._tell_notices(feed)
            if self._watchdog is not None:
                self._watchdog.review(tuple(self.feeds.values()), now)
            change = self.statuses.review(now)
        except Exception as error:  # noqa: BLE001 - a timer that dies in silence looks like calm
            self.failures += 1
            self._log.exception("The feeds could not be looked after", error)
            if self.is_running:
                self.degrade()
        finally:
            self._reviewing = None
            if self._is_open:
                self._arm(change)

    def _tell_notices(self, feed: LiveFeed) -> None:
        notices = feed.subscription.notices
        while notices:
            feed.notices += 1
            text = f"the broker says: {notices.popleft()}"
            self.tell(FeedEventKind.NOTICE, feed, text, feed.notices)

    async def _set_clock(self) -> None:
        """Ask for the gateway's clock, which tells whole seconds."""
        if not self._ib.is_ready:
            return
        before = self.now
        try:
            told = await self._ib.reference.server_time()
        except RequestError as error:
            self._log.debug(f"the gateway does not tell its time: {error}")
            return
        after = self.now
        least = told - dt.datetime.fromtimestamp(after / _NS, dt.UTC)
        most = told + _ONE - dt.datetime.fromtimestamp(before / _NS, dt.UTC)
        if least <= dt.timedelta(0) <= most:
            self._offset = dt.timedelta(0)
        elif not least <= self._offset <= most:
            self._offset = (least + most) / 2

    # Listings.

    def _hours_of(self, listing: Listing) -> TradingHours:
        return self._hours.of(self.link.listings.by_id(listing.id))

    def _values_of(self, listing: Listing) -> MarketValues:
        found = self._values.get(listing.id)
        if found is None:
            found = self._values[listing.id] = MarketValues(listing)
        return found

    def _listed(self, listing: Listing) -> None:
        """Publish an instrument that is new or changed."""
        self._values.pop(listing.id, None)
        self.give(listing.instrument)
        if listing.id in self.statuses:
            self.statuses.add(listing, self._hours_of(listing), self.gateway_now)

    def _known(self, instrument_id: InstrumentId, what: str) -> Listing | None:
        """Return the listing of a subscription; None and an error where there is none."""
        try:
            return self.link.listings.by_id(instrument_id)
        except UnknownInstrumentError as error:
            self._deny(f"{what} of {instrument_id}", f"{error}; or request the instrument first")
            return None

    def _deny(self, feed: str, reason: object) -> None:
        """Say of a subscription that there is none, and why."""
        self.tell(FeedEventKind.FAILED, feed, f"Cannot subscribe: {reason}", 1)

    # Feeds.

    def _unsubscribed(self, feed: LiveFeed) -> None:
        """Have nautilus know that a feed is no more: it would not ask for it a second time."""
        key = next((key for key, one in self.feeds.items() if one is feed), None)
        match feed:
            case BarsFeed() if key is not None:
                self._remove_subscription_bars(BarType.from_str(key.of))
            case TradesFeed():
                self._remove_subscription_trade_ticks(feed.listing.id)
            case BookFeed():
                self._remove_subscription_order_book_deltas(feed.listing.id)
                self._remove_subscription_order_book_depth(feed.listing.id)
            case LineFeed() | QuotesFeed():
                self._remove_subscription_quote_ticks(feed.listing.id)
            case _:
                pass

    def _end(self, key: FeedKey) -> None:
        feed = self.feeds.pop(key, None)
        if feed is not None:
            feed.close()
