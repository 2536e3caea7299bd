"""Bars that are kept up to date, and how their gaps are filled.

Theory of operation of a gap. A feed that is started again asks for the live values first and holds
them; then it asks the history for what lies between the last value handed out and now, in as many
steps as the gateway's limits need; then both are put together (`merge.py`) and handed out in order.
A second cut in the middle throws the held values away and begins again from the last value handed
out. What history cannot give is a gap: it is written down in the subscription and in the log.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pyfutures.ib.failures import RequestError
from pyfutures.ib.farms import FarmKind
from pyfutures.ib.feeds import Feed, Feeds
from pyfutures.ib.merge import BarSeries, duration_over, longest_duration
from pyfutures.ib.messages.history import (
    Bar,
    CancelHistoricalBars,
    HistoricalBars,
    HistoricalBarUpdate,
    RequestHistoricalBars,
)
from pyfutures.ib.subscriptions import FeedState, Subscription
from pyfutures.ib.times import BarSize, format_utc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pyfutures.ib.clock import Timer
    from pyfutures.ib.messages.base import Request, Response

    type FetchBars = Callable[[RequestHistoricalBars], Awaitable[tuple[Bar, ...]]]
    type ServerTime = Callable[[], Awaitable[dt.datetime]]
    type Closes = Callable[[str], dt.datetime]

__all__ = ["BarFeed", "BarUpdate", "start_of"]

_LOG: Final = logging.getLogger("pyfutures.ib")
_STEPS: Final = 50
_BOTH: Final = frozenset({FarmKind.MARKET, FarmKind.HISTORY})


@dataclass(frozen=True, slots=True)
class BarUpdate:
    """A bar of a subscription.

    `is_closed` bars come once each, in order. Others are the bar that forms, as it is now.
    `is_history` is set for bars that came from the past: the first block, or a gap that was filled.
    """

    bar: Bar
    is_closed: bool = True
    is_history: bool = False


class BarFeed(Feed[BarUpdate]):
    """Bars that the gateway keeps up to date.

    Parameters
    ----------
    feeds
        All feeds of the client.
    subscription
        The consumer's end.
    template
        The request; its id is replaced.
    size
        The size of the bars.
    forming
        Whether the bar that forms is handed out too.
    history
        Whether the bars of the first block are handed out.
    fetch
        Asks for bars of the past.
    server_time
        Asks for the gateway's clock.
    closes
        From the date of a bar to its scheduled close. Without it intraday bars last as long as
        their size says, and longer ones are closed by the next one only.

    """

    def __init__(  # noqa: PLR0913
        self,
        feeds: Feeds,
        subscription: Subscription[BarUpdate],
        template: RequestHistoricalBars,
        *,
        size: BarSize,
        forming: bool,
        history: bool,
        fetch: FetchBars,
        server_time: ServerTime,
        closes: Closes | None = None,
    ) -> None:
        super().__init__(feeds, subscription, farms=_BOTH)
        self.series = BarSeries()
        self._template = template
        self._size = size
        self._forming = forming
        self._history = history
        self._fetch = fetch
        self._server_time = server_time
        self._closes = closes
        self._held: list[Bar] | None = []
        self._last_at: float | None = None  # our clock at the last bar handed out
        self._grace: Timer | None = None
        self._judges = False

    def request(self, request_id: int) -> Request:
        """Return the request that starts it, reaching back to the last bar handed out."""
        duration = self._template.duration
        if self.series.last is not None and self._last_at is not None:
            gap = self.feeds.clock.monotonic() - self._last_at + self._bar_seconds
            # The wall clock knows better when the bar was handed out late, if it is right.
            since = start_of(str(self.series.last))
            wall = (self.feeds.clock.now() - since).total_seconds()
            duration = duration_over(max(gap, wall), self._size)
        return replace(self._template, request_id=request_id, duration=duration)

    def cancellation(self, request_id: int) -> Request:
        """Return the request that ends it."""
        return CancelHistoricalBars(request_id)

    @property
    def _can_look_up(self) -> bool:
        # Daily bars end when a calendar says so; small ones would cost a request each.
        known = self._size.seconds is not None or self._closes is not None
        return known and not self._size.is_small

    def _close_of(self, bar: Bar) -> dt.datetime:
        if self._closes is not None:
            return self._closes(bar.date)
        return start_of(bar.date) + dt.timedelta(seconds=self._bar_seconds)

    @property
    def _bar_seconds(self) -> int:
        return self._size.seconds or 86400

    def paused(self) -> None:
        """Forget the bar that forms and what is held: both come again."""
        self.series.cut()
        self._held = []
        self._stop_grace()

    def accept(self, message: Response) -> None:
        """Take the block or an update."""
        if type(message) is HistoricalBarUpdate:
            if self._held is not None:
                self._held.append(message.bar)
                return
            self.live()
            self._take(message.bar, is_history=False)
            self._mind_grace()
        elif isinstance(message, HistoricalBars):
            self._block(message.bars)

    def _block(self, bars: Sequence[Bar]) -> None:
        last = self.series.last
        if last is None and not self._history:
            self.series.skip(bars)
            if self.series.last is None and bars:
                # One bar only, and it forms: whatever is before it is not asked for.
                self.series.last = int(bars[0].date) - 1
            self._finish(())
        elif last is None or not bars or int(bars[0].date) <= last:
            self._finish(bars)
        else:
            request_id = self.request_id
            self.feeds.spawn(
                self._reach_back(tuple(bars), last, request_id),
                f"back-fill of {self.subscription.name}",
            )

    async def _reach_back(self, bars: tuple[Bar, ...], last: int, request_id: int | None) -> None:
        """Ask for older and older bars until they meet the last one handed out."""
        oldest = bars
        for _ in range(_STEPS):
            end = start_of(oldest[0].date)
            request = replace(
                self._template,
                end=format_utc(end),
                duration=longest_duration(self._size),
                keep_up_to_date=False,
            )
            try:
                older = await self._fetch(request)
            except RequestError as error:
                if self.request_id != request_id:
                    return
                _LOG.warning("%s: %s", self.subscription.name, error)
                self.stop()
                self.subscription.become(FeedState.STALE, error)
                self.retry_later()
                return
            if self.request_id != request_id or self.is_over:
                return  # a new start fills the gap
            older = tuple(bar for bar in older if int(bar.date) < int(oldest[0].date))
            if not older:
                break
            bars = older + bars
            oldest = older
            if int(older[0].date) <= last:
                break
        else:
            self.subscription.gaps.append(f"{last} to {bars[0].date}")
            _LOG.error("%s: bars from %s to %s are missing", self.subscription.name, last,
                       bars[0].date)  # fmt: skip
        self._finish(bars)

    def _finish(self, bars: Sequence[Bar]) -> None:
        held, self._held = self._held, None
        for bar in bars:
            self._take(bar, is_history=True)
        for bar in held or ():
            self._take(bar, is_history=False)
        if self._last_at is None and self.series.last is not None:
            self._last_at = self.feeds.clock.monotonic()
        self.live()
        self._mind_grace()

    def _take(self, bar: Bar, *, is_history: bool) -> None:
        closed = self.series.feed(bar)
        if closed is not None:
            self._hand_out(closed, is_history=is_history)
        if self._forming and bar is self.series.forming and not is_history:
            self.subscription.emit(BarUpdate(bar, is_closed=False))

    def _hand_out(self, bar: Bar, *, is_history: bool) -> None:
        self._last_at = self.feeds.clock.monotonic()
        self.subscription.emit(BarUpdate(bar, is_history=is_history))

    # A bar whose time is over is closed even if no later one comes: by what history says.

    def _mind_grace(self) -> None:
        grace = self.feeds.config.bar_grace
        if self.series.forming is None or grace is None or not self._can_look_up:
            return
        if not self._judges:
            wait = float(self._bar_seconds)
            if self._closes is not None:
                left = (
                    self._close_of(self.series.forming) - self.feeds.clock.now()
                ).total_seconds()
                wait = min(wait, max(left, 0.0))
            self._wait_grace(wait + grace)

    def _wait_grace(self, seconds: float) -> None:
        # One timer or one judge, never two: the flag is set from here to the judgement.
        self._judges = True
        self._grace = self.feeds.clock.call_later(seconds, self._ask_time)

    def _ask_time(self) -> None:
        self.feeds.spawn(self._judge(), f"close of {self.subscription.name}")

    async def _judge(self) -> None:
        request_id = self.request_id
        now: dt.datetime | None = None
        try:
            now = await self._server_time()
        except RequestError as error:
            _LOG.debug("%s: %s", self.subscription.name, error)
        if self.request_id != request_id:
            return  # it was started again, and its timer with it
        forming, grace = self.series.forming, self.feeds.config.bar_grace
        if forming is None or grace is None or self.is_over:
            self._judges = False
            return
        over_at = self._close_of(forming) + dt.timedelta(seconds=grace)
        if now is None or self.subscription.state is not FeedState.LIVE:
            self._wait_grace(grace)
        elif now < over_at:
            self._wait_grace(max((over_at - now).total_seconds(), 1.0))
        else:
            await self._look_up(forming, (now - start_of(forming.date)).total_seconds())

    async def _look_up(self, forming: Bar, age: float) -> None:
        """Close a bar by what history says of it: the stream may be quiet, or dead."""
        request_id = self.request_id
        request = replace(
            self._template, duration=duration_over(age, self._size), keep_up_to_date=False
        )
        bars: Sequence[Bar] | None = None
        try:
            bars = await self._fetch(request)
        except RequestError as error:
            _LOG.debug("%s: %s", self.subscription.name, error)
        if self.request_id != request_id or self.is_over:
            return
        self._judges = False
        now_forming = self.series.forming
        if bars is None or now_forming is None or now_forming.date != forming.date:
            self._mind_grace()
        elif any(int(bar.date) > int(forming.date) for bar in bars):
            _LOG.warning("%s: history has later bars, the stream is dead", self.subscription.name)
            self.restart()
        else:
            for bar in bars:
                self._take(bar, is_history=False)
            closed = self.series.close()
            if closed is not None:
                self._hand_out(closed, is_history=False)

    def _stop_grace(self) -> None:
        self._judges = False
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None

    def close(self) -> None:
        """End it."""
        super().close()
        self._stop_grace()


def start_of(date: str) -> dt.datetime:
    """Return the start of a bar; of a daily one, the midnight before its date."""
    if len(date) == 8:
        return dt.datetime.strptime(date, "%Y%m%d").replace(tzinfo=dt.UTC)
    return dt.datetime.fromtimestamp(int(date), dt.UTC)
