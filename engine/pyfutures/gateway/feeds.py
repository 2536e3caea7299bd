"""All subscriptions: what is under way, what moves them, and what ends them.

One pulse drives everything that follows the market: it comes at the next instant at which any
stream has something to say or an order could fill. Nothing runs while nobody listens.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from pyfutures.gateway.contracts import Instrument
from pyfutures.gateway.line import history_farm, kind_of, market_farm
from pyfutures.gateway.streams import KeptBars, MarketLine, RealTimeBars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.gateway.clock import Due
    from pyfutures.gateway.core import Gateway
    from pyfutures.gateway.session import Session
    from pyfutures.gateway.streams import Stream

__all__ = ["Feed", "Feeds"]


class Feed(StrEnum):
    """What a subscription is to; ids of one kind are one space."""

    LINE = "line"
    TICKS = "ticks"
    REAL_TIME = "real_time"
    BARS = "bars"
    DEPTH = "depth"


class Feeds:
    """The subscriptions of all clients.

    Parameters
    ----------
    gateway
        Whose they are.

    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._streams: dict[tuple[Session, Feed, int], Stream] = {}
        self._due: Due | None = None

    def __len__(self) -> int:
        """Return the number of subscriptions."""
        return len(self._streams)

    def add(self, kind: Feed, stream: Stream) -> None:
        """Begin a subscription."""
        self._streams[stream.session, kind, stream.request_id] = stream
        self.arm()

    def end(self, session: Session, kind: Feed, request_id: int) -> bool:
        """End a subscription; whether there was one."""
        return self._streams.pop((session, kind, request_id), None) is not None

    def has(self, session: Session, request_id: int) -> bool:
        """Whether an id is in use for any of a client's subscriptions."""
        return any((session, kind, request_id) in self._streams for kind in Feed)

    def count(self, session: Session, kind: Feed) -> int:
        """Return how many subscriptions of a kind a client has."""
        return sum(key[0] is session and key[1] is kind for key in self._streams)

    def of(self, kind: Feed) -> Iterator[tuple[Session, int, Stream]]:
        """Return the subscriptions of a kind."""
        for (session, own, number), stream in tuple(self._streams.items()):
            if own is kind:
                yield session, number, stream

    # What moves them

    def arm(self) -> None:
        """Let the next pulse come when something is next to be said or filled."""
        timeline = self._gateway.timeline
        instants = [stream.next_due(timeline.now) for stream in self._streams.values()]
        instants.append(self._gateway.book.next_due(timeline.now))
        known = [at for at in instants if at is not None]
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if known:
            self._due = timeline.at(min(known), self._pulse)

    def _pulse(self) -> None:
        self._due = None
        now = self._gateway.timeline.now
        for stream in tuple(self._streams.values()):
            if self._flows(stream):
                stream.say(now)
        self._gateway.book.match(now)
        self.arm()

    def _flows(self, stream: Stream) -> bool:
        line, what = self._gateway.line, stream.what
        if isinstance(stream, KeptBars):
            # The past has a farm of its own, and no rival takes it away.
            return line.works(history_farm(what.exchange))
        return not line.competing and line.works(market_farm(what.exchange))

    # What ends them

    def drop(self, session: Session) -> None:
        """End all subscriptions of a client."""
        for key in [key for key in self._streams if key[0] is session]:
            del self._streams[key]
        self.arm()

    def clear(self) -> None:
        """End all subscriptions of all clients, without a word."""
        self._streams.clear()
        self.arm()

    def drop_kept_bars(self) -> None:
        """End all bars that are kept up to date, without a word."""
        self._drop(Feed.BARS)

    def _drop(self, kind: Feed) -> None:
        for key in [key for key in self._streams if key[1] is kind]:
            del self._streams[key]
        self.arm()

    def farm_broke(self, farm: str, *, kills: bool) -> None:
        """End what came from a farm: live lines without a word, kept bars with 10182."""
        past = kind_of(farm) == "history"
        for key, stream in tuple(self._streams.items()):
            session, kind, number = key
            mine = history_farm if kind is Feed.BARS else market_farm
            if mine(stream.what.exchange) != farm or (kind is Feed.BARS) is not past:
                continue
            if past:
                del self._streams[key]
                session.error(number, 10182)
            elif kills:
                del self._streams[key]
        self.arm()

    def compete(self, burst: int) -> None:
        """Say of every live subscription, many times, that another session has the data."""
        for _ in range(burst):
            for (session, kind, number), stream in tuple(self._streams.items()):
                if kind is not Feed.BARS and isinstance(stream, MarketLine | RealTimeBars):
                    session.error(number, 10197)

    def bust(self) -> None:
        """End all real-time bars with 10225, as after a bust event."""
        for session, number, _ in self.of(Feed.REAL_TIME):
            session.error(number, 10225)
        self._drop(Feed.REAL_TIME)

    def fail_kept_bars(self) -> None:
        """End all bars that are kept up to date with 10182."""
        for session, number, stream in self.of(Feed.BARS):
            if isinstance(stream.what, Instrument):
                session.error(number, 10182)
        self._drop(Feed.BARS)
