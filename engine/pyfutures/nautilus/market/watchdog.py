"""Feeds that are silent when they should not be.

The law: a feed is stale if nothing came of it for `stale_after` seconds, all of them within one
stretch of trading hours and on a connection that was up. It is then said, counted and subscribed
again, which fills in what was missed; if it stays silent the next wait is twice as long. What a cut
connection or a broken farm costs is the IB client's business, and not counted here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pyfutures.ib.subscriptions import FeedState
from pyfutures.nautilus.market.events import FeedEventKind

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from pyfutures.ib.client import Client
    from pyfutures.nautilus.market.feeds import LiveFeed
    from pyfutures.nautilus.market.trading_hours import TradingHours

__all__ = ["Watchdog"]

_DOUBLINGS: Final = 5


class Teller(Protocol):
    """Who tells the node."""

    def hours(self, feed: LiveFeed) -> TradingHours:
        """Return when the contract of a feed trades."""

    def tell(self, kind: FeedEventKind, feed: LiveFeed | str, text: str, count: int) -> None:
        """Log and publish."""


class Watchdog:
    """Looks at feeds now and then.

    Parameters
    ----------
    ib
        The client.
    teller
        Who tells the node.
    stale_after
        Seconds of silence.

    """

    def __init__(self, ib: Client, teller: Teller, *, stale_after: float) -> None:
        self._ib = ib
        self._teller = teller
        self._stale_after = stale_after

    def review(self, feeds: Iterable[LiveFeed], now: dt.datetime) -> None:
        """Start those anew that are silent for too long; `now` is the gateway's time."""
        clock = self._ib.clock.monotonic()
        for feed in feeds:
            self._tell_gaps(feed)
            self._mind_voice(feed)
            if not self._ib.is_ready or feed.subscription.state is FeedState.FAILED:
                continue
            stretch = self._teller.hours(feed).stretch(now)
            if stretch is None:
                continue
            silent = min(clock - feed.subscription.heard_at, (now - stretch[0]).total_seconds())
            if silent >= self._stale_after * 2 ** min(feed.strikes, _DOUBLINGS):
                self._start_anew(feed, silent)

    def _mind_voice(self, feed: LiveFeed) -> None:
        """Take note that a feed spoke since it was started anew."""
        if feed.marked_at is None or feed.subscription.heard_at <= feed.marked_at:
            return
        if feed.subscription.state is FeedState.LIVE:
            feed.strikes, feed.marked_at = 0, None
            self._teller.tell(FeedEventKind.LIVE, feed, "it speaks again", feed.stale_count)

    def _start_anew(self, feed: LiveFeed, silent: float) -> None:
        feed.stale_count += 1
        feed.strikes += 1
        self._teller.tell(
            FeedEventKind.STALE,
            feed,
            f"silent for {silent:.0f} s in trading hours, subscribed again"
            f" ({feed.stale_count} times now)",
            feed.stale_count,
        )
        feed.subscription.restart()
        feed.marked_at = feed.subscription.heard_at

    def _tell_gaps(self, feed: LiveFeed) -> None:
        gaps = feed.subscription.gaps
        while feed.gaps_told < len(gaps):
            text = gaps[feed.gaps_told]
            feed.gaps_told += 1
            self._teller.tell(FeedEventKind.GAP, feed, f"missed: {text}", feed.gaps_told)
