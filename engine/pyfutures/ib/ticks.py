"""Live ticks and real-time bars that ask the history for what a cut cost them.

The theory is in `feeds.py`: live values first, held; then history; then both, in order. Real-time
bars wait for the first live bar before they ask, so that no bar of the history is a part of one.
Ticks of the past are handed out in the form of live ones, under the present request id.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pyfutures.ib.bar_feed import start_of
from pyfutures.ib.failures import RequestError
from pyfutures.ib.farms import FarmKind
from pyfutures.ib.feeds import Feed, Feeds
from pyfutures.ib.merge import TickSeries, duration_over, longest_duration
from pyfutures.ib.messages.history import (
    Bar,
    HistoricalMidpoint,
    HistoricalQuote,
    HistoricalTrade,
    RequestHistoricalBars,
)
from pyfutures.ib.messages.market import (
    CancelRealTimeBars,
    CancelTickByTick,
    RealTimeBar,
    RequestRealTimeBars,
    RequestTickByTick,
    TickByTickMidpoint,
    TickByTickQuote,
    TickByTickTrade,
)
from pyfutures.ib.subscriptions import FeedState, Subscription
from pyfutures.ib.times import BarSize, format_utc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Sequence

    from pyfutures.ib.bar_feed import FetchBars
    from pyfutures.ib.messages.base import Request, Response

    type LiveTick = TickByTickTrade | TickByTickQuote | TickByTickMidpoint
    type PastTick = HistoricalTrade | HistoricalQuote | HistoricalMidpoint
    type FetchTicks = Callable[[dt.datetime], Awaitable[Sequence[PastTick]]]

__all__ = ["RealTimeBarFeed", "TickFeed", "as_live"]

_LOG: Final = logging.getLogger("pyfutures.ib")
_STEPS: Final = 50
_FULL: Final = 1000
_BAR: Final = 5
_MARKET: Final = frozenset({FarmKind.MARKET})


class _GapFeed[T](Feed[T]):
    """A feed that holds what comes while it fills the gap before it."""

    def __init__(self, feeds: Feeds, subscription: Subscription[T]) -> None:
        super().__init__(feeds, subscription, farms=_MARKET)
        self._held: list[T] | None = None
        self._first = asyncio.Event()

    @property
    @abstractmethod
    def _has_past(self) -> bool:
        """Whether something came before, so that a gap is known."""

    @abstractmethod
    async def _missed(self) -> Sequence[T]:
        """Return what to hand out; `_held` is still being filled."""

    def start(self) -> None:
        """Ask under a new id; hold what comes if there is a past to fill."""
        self._held = [] if self._has_past else None
        self._first.clear()
        super().start()

    def sent(self) -> None:
        """Ask for the past once the live values are on their way."""
        if self._held is not None:
            self.feeds.spawn(self._fill(), f"back-fill of {self.subscription.name}")

    async def _fill(self) -> None:
        request_id = self.request_id
        try:
            missed = await self._missed()
        except RequestError as error:
            if self.request_id != request_id or self.is_over:
                return
            self._gap(f"{error}")
            missed = tuple(self._held or ())
        if self.request_id != request_id or self.is_over:
            return
        self._held = None
        for value in missed:
            self.subscription.emit(value)
        self.live()

    def _gap(self, text: str) -> None:
        self.subscription.gaps.append(text)
        _LOG.error("%s: a gap could not be filled: %s", self.subscription.name, text)


class RealTimeBarFeed(_GapFeed[RealTimeBar]):
    """Bars of five seconds.

    Parameters
    ----------
    feeds
        All feeds of the client.
    subscription
        The consumer's end.
    template
        The request; its id is replaced.
    fetch
        Asks for bars of the past.

    """

    def __init__(
        self,
        feeds: Feeds,
        subscription: Subscription[RealTimeBar],
        template: RequestRealTimeBars,
        *,
        fetch: FetchBars,
    ) -> None:
        super().__init__(feeds, subscription)
        self._template = template
        self._fetch = fetch
        self._last: int | None = None

    @property
    def _has_past(self) -> bool:
        return self._last is not None

    def request(self, request_id: int) -> Request:
        """Return the request that starts it."""
        return replace(self._template, request_id=request_id)

    def cancellation(self, request_id: int) -> Request:
        """Return the request that ends it."""
        return CancelRealTimeBars(request_id)

    def accept(self, message: Response) -> None:
        """Take a bar."""
        if not isinstance(message, RealTimeBar):
            return
        if self._held is not None:
            self._held.append(message)
            self._first.set()
            return
        self.live()
        if self._last is None or message.time > self._last:
            self._last = message.time
            self.subscription.emit(message)

    async def _missed(self) -> Sequence[RealTimeBar]:
        try:
            async with self.feeds.clock.timeout(3 * _BAR):
                await self._first.wait()
        except TimeoutError:
            pass  # the market is quiet: all bars of the past are complete
        last = self._last or 0
        until = self._held[0].time if self._held else None
        past: list[Bar] = []
        request = RequestHistoricalBars(
            0, self._template.contract, "", BarSize.SECOND_5,
            duration_over((self.feeds.clock.now() - start_of(f"{last:09d}")).total_seconds(),
                          BarSize.SECOND_5),
            use_rth=self._template.use_rth, show=self._template.show,
        )  # fmt: skip
        for _ in range(_STEPS):
            older = [bar for bar in await self._fetch(request)
                     if not past or int(bar.date) < int(past[0].date)]  # fmt: skip
            past = older + past
            if not older or int(older[0].date) <= last:
                break
            request = replace(
                request,
                end=format_utc(start_of(older[0].date)),
                duration=longest_duration(BarSize.SECOND_5),
            )
        else:
            self._gap(f"bars from {last} to {past[0].date}")
        request_id = self.request_id or 0
        bars = [
            _as_live_bar(bar, request_id)
            for bar in past
            if int(bar.date) > last and (until is None or int(bar.date) < until)
        ]
        for bar in self._held or ():
            if bar.time > (bars[-1].time if bars else last):
                bars.append(bar)
        if bars:
            self._last = bars[-1].time
        return bars


class TickFeed(_GapFeed["LiveTick"]):
    """Every tick.

    Parameters
    ----------
    feeds
        All feeds of the client.
    subscription
        The consumer's end.
    template
        The request; its id is replaced.
    fetch
        Asks for up to a thousand ticks of the past from an instant on.

    """

    def __init__(
        self,
        feeds: Feeds,
        subscription: Subscription[LiveTick],
        template: RequestTickByTick,
        *,
        fetch: FetchTicks,
    ) -> None:
        super().__init__(feeds, subscription)
        self._template = template
        self._fetch = fetch
        self._series: TickSeries[LiveTick] = TickSeries(_time, _identity)
        self._trade_type = 2 if template.type == "AllLast" else 1

    @property
    def _has_past(self) -> bool:
        return self._series.last is not None

    def request(self, request_id: int) -> Request:
        """Return the request that starts it."""
        return replace(self._template, request_id=request_id)

    def cancellation(self, request_id: int) -> Request:
        """Return the request that ends it."""
        return CancelTickByTick(request_id)

    def accept(self, message: Response) -> None:
        """Take a tick."""
        if self._held is not None:
            self._held.append(message)  # type: ignore[arg-type]
            return
        if self.subscription.state is not FeedState.LIVE:
            self.live()
        self._series.live(message, message.time)  # type: ignore[arg-type, attr-defined]
        self.subscription.emit(message)  # type: ignore[arg-type]

    async def _missed(self) -> Sequence[LiveTick]:
        since = self._series.last or 0
        history: list[PastTick] = []
        for _ in range(_STEPS):
            some = await self._fetch(dt.datetime.fromtimestamp(since, dt.UTC))
            history += some
            if len(some) < _FULL:
                break
            since = some[-1].time + 1  # its second was completed
        else:
            self._gap(f"ticks from {since} on")
        request_id = self.request_id or 0
        return self._series.missed(
            [as_live(tick, request_id, self._trade_type) for tick in history], self._held or ()
        )


def as_live(tick: PastTick, request_id: int, trade_type: int = 1) -> LiveTick:
    """Return a tick of the past as it would have come live."""
    if isinstance(tick, HistoricalTrade):
        return TickByTickTrade(
            request_id, trade_type, tick.time, tick.price, tick.size, tick.mask, tick.exchange,
            tick.conditions,
        )  # fmt: skip
    if isinstance(tick, HistoricalQuote):
        # The two masks have their bits the other way round.
        mask = (tick.mask & 1) << 1 | (tick.mask & 2) >> 1
        return TickByTickQuote(
            request_id, tick.time, tick.bid, tick.ask, tick.bid_size, tick.ask_size, mask
        )
    return TickByTickMidpoint(request_id, tick.time, tick.price)


def _time(tick: LiveTick) -> int:
    return tick.time


def _identity(tick: LiveTick) -> Hashable:
    if isinstance(tick, TickByTickTrade):
        return (tick.price, tick.size, tick.exchange, tick.conditions)
    if isinstance(tick, TickByTickQuote):
        return (tick.bid, tick.ask, tick.bid_size, tick.ask_size)
    return tick.price


def _as_live_bar(bar: Bar, request_id: int) -> RealTimeBar:
    return RealTimeBar(
        request_id, int(bar.date), bar.open, bar.high, bar.low, bar.close, bar.volume,
        bar.average, bar.count,
    )  # fmt: skip
