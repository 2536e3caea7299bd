"""Subscriptions: what a consumer holds, and the feeds that keep them alive across connections.

Rules of this file. A `Subscription` is the consumer's end: a bounded queue that is iterated, or a
callback. A `Feed` is our end: it owns at most one request id at a time, and takes a new one whenever
it is started again, so that nothing of an old connection can reach it. What a feed does about the
values it missed is its own business (`feeds.py`). A queue that overflows drops its oldest values,
counts them, says so in the log and raises `OverflowedError` to its consumer, once for each gap.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from pyfutures.ib.codes import Reaction
from pyfutures.ib.failures import ClientClosedError, OverflowedError, RequestFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from pyfutures.ib.clock import Clock, Timer
    from pyfutures.ib.config import ClientConfig
    from pyfutures.ib.farms import FarmKind
    from pyfutures.ib.messages.base import Request, Response
    from pyfutures.ib.messages.session import ErrorMessage
    from pyfutures.ib.outbox import Outbox
    from pyfutures.ib.requests import Ids, Route

__all__ = ["Feed", "FeedState", "Feeds", "Subscription"]

_LOG: Final = logging.getLogger("pyfutures.ib")


class FeedState(StrEnum):
    """How a subscription is."""

    WAITING = "waiting"  # for the first answer
    LIVE = "live"
    STALE = "stale"  # the connection, the line or the farm is gone; it will come back
    FAILED = "failed"  # the gateway said no, and will say so again
    CLOSED = "closed"


class Subscription[T]:
    """Values as they come: iterate it, or give a callback when you make it.

    Use it as an async context manager, or call `close`. After `OverflowedError` iteration can go
    on. One consumer only.

    Parameters
    ----------
    name
        What it is of, for messages.
    callback
        Called with each value in place of the queue. What it raises is logged and counted.
    size
        How many values wait for a slow consumer.

    """

    def __init__(
        self, name: str, *, callback: Callable[[T], object] | None = None, size: int = 10_000
    ) -> None:
        self.name = name
        self.state = FeedState.WAITING
        self.error: Exception | None = None
        self.received = 0
        self.overflowed = 0
        self.callback_errors = 0
        self.restarts = 0
        self.gaps: list[str] = []
        self.notices: deque[str] = deque(maxlen=20)
        self._callback = callback
        self._queue: deque[T] = deque()
        self._size = size
        self._dropped = 0
        self._wake: asyncio.Future[None] | None = None
        self._settled = asyncio.Event()
        self._closing: Callable[[], None] | None = None

    def __repr__(self) -> str:
        return f"<{self.name}: {self.state}, {self.received} received>"

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> T:
        """Return the next value.

        Raises
        ------
        OverflowedError
            Where values were dropped; the next call goes on behind them.
        RequestError
            When the gateway refused the subscription, or the client was closed.

        """
        while True:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                raise OverflowedError(self.name, dropped)
            if self._queue:
                return self._queue.popleft()
            if self.state is FeedState.FAILED and self.error is not None:
                raise self.error
            if self.state is FeedState.CLOSED:
                raise StopAsyncIteration
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close it."""
        self.close()

    async def started(self) -> Self:
        """Wait for the first answer and return itself.

        Raises
        ------
        RequestError
            When the gateway refused.

        """
        await self._settled.wait()
        if self.state is FeedState.FAILED and self.error is not None:
            raise self.error
        return self

    def pending(self) -> tuple[T, ...]:
        """Take all values that wait."""
        values = tuple(self._queue)
        self._queue.clear()
        return values

    def close(self) -> None:
        """End it; the gateway is told. What waits in the queue can still be fetched."""
        closing, self._closing = self._closing, None
        if closing is not None:
            closing()
        if self.state is not FeedState.FAILED:
            self.become(FeedState.CLOSED)

    # The feed's end.

    def on_close(self, closing: Callable[[], None]) -> None:
        """Have `closing` called when the consumer closes."""
        self._closing = closing

    def become(self, state: FeedState, error: Exception | None = None) -> None:
        """Change the state; one that is closed or failed stays so."""
        if self.state in {FeedState.CLOSED, FeedState.FAILED}:
            return
        self.state = state
        if error is not None or state is FeedState.LIVE:
            self.error = error
        if state is not FeedState.WAITING and state is not FeedState.STALE:
            self._settled.set()
            if state is not FeedState.LIVE:
                self._notify()

    def emit(self, value: T) -> None:
        """Hand a value over."""
        self.received += 1
        if self._callback is not None:
            try:
                self._callback(value)
            except Exception:
                self.callback_errors += 1
                _LOG.exception("%s: the callback failed on %r", self.name, value)
            return
        queue = self._queue
        if len(queue) >= self._size:
            queue.popleft()
            self._dropped += 1
            self.overflowed += 1
            if self.overflowed & (self.overflowed - 1) == 0:  # at 1, 2, 4, 8 … of them
                _LOG.error("%s: queue of %d is full, %d values dropped so far",
                           self.name, self._size, self.overflowed)  # fmt: skip
        queue.append(value)
        if self._wake is not None:
            self._notify()

    def _notify(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None and not wake.done():
            wake.set_result(None)


class Feed[T]:
    """Our end of a subscription: asks, takes what comes, asks again.

    Subclasses give `request`, `cancellation` and `receive`.

    Parameters
    ----------
    feeds
        All feeds of the client.
    subscription
        The consumer's end.
    farms
        The kinds of farms it comes from.

    """

    def __init__(
        self, feeds: Feeds, subscription: Subscription[T], *, farms: frozenset[FarmKind]
    ) -> None:
        self.feeds = feeds
        self.subscription = subscription
        self.farms = farms
        self.request_id: int | None = None
        self.heard_at = feeds.clock.monotonic()
        self._retry: Timer | None = None
        self._attempt = 0
        subscription.on_close(self.close)

    # For subclasses.

    def request(self, request_id: int) -> Request:
        """Return the request that starts it."""
        raise NotImplementedError

    def cancellation(self, request_id: int) -> Request:
        """Return the request that ends it."""
        raise NotImplementedError

    def accept(self, message: Response) -> None:
        """Take a message."""
        raise NotImplementedError

    def sent(self) -> None:
        """Take note that the request is written."""

    def paused(self) -> None:
        """Take note that what is under way is void: a new start follows some time."""

    # For the client.

    def start(self) -> None:
        """Ask under a new id, if there is a connection."""
        if self.is_over or not (self.feeds.outbox.is_open and self.feeds.is_line_up):
            return
        self._stop_retry()
        self.request_id = self.feeds.ids.new()
        self.feeds.routes[self.request_id] = self
        self.heard_at = self.feeds.clock.monotonic()
        self.feeds.outbox.put(
            self.request(self.request_id), ticket=self.request_id, on_sent=self.sent
        )

    def stop(self, *, tell: bool = True) -> None:
        """Give the id up; the gateway is told if it has it."""
        self._stop_retry()
        request_id, self.request_id = self.request_id, None
        if request_id is None:
            return
        self.feeds.routes.pop(request_id, None)
        if not self.feeds.outbox.drop(request_id) and tell:
            self.feeds.outbox.put(self.cancellation(request_id))
        self.paused()

    def restart(self) -> None:
        """Ask again under a new id."""
        if self.is_over:
            return
        self.stop()
        self.subscription.become(FeedState.STALE)
        self.subscription.restarts += 1
        self.start()

    def lost(self) -> None:
        """Take note that the connection is gone, and the id with it."""
        self.stop(tell=False)
        self.subscription.become(FeedState.STALE)

    def close(self) -> None:
        """End it, for the consumer does not want it any more."""
        self.stop()
        self.feeds.remove(self)

    def end(self, error: Exception) -> None:
        """End it, for it cannot go on."""
        self.subscription.become(FeedState.FAILED, error)
        self.close()

    @property
    def is_over(self) -> bool:
        """Whether nobody wants it any more."""
        return self.subscription.state in {FeedState.CLOSED, FeedState.FAILED}

    def receive(self, message: Response) -> None:
        """Take a message: it lives."""
        self.heard_at = self.feeds.clock.monotonic()
        if self.feeds.listens:
            self.feeds.heard()
        self.accept(message)

    def live(self) -> None:
        """Take note that the gateway answered."""
        if self.subscription.state is not FeedState.LIVE:
            self._attempt = 0
            self.subscription.become(FeedState.LIVE)

    def refuse(self, error: ErrorMessage, reaction: Reaction) -> None:
        """Take an error, or a notice, about the subscription."""
        failure = RequestFailedError(
            self.subscription.name, error.text, code=error.code, reaction=reaction
        )
        if reaction in {Reaction.FAIL, Reaction.GIVE_UP, Reaction.REJECT}:
            self.end(failure)
        elif reaction is Reaction.RESUBSCRIBE and not (
            error.code == 10182 and any(map(self.feeds.is_broken, self.farms))
        ):
            self.subscription.error = failure
            self.restart()
        elif reaction in _COMES_BACK:
            _LOG.warning("%s: %s; trying again later", self.subscription.name, failure)
            self.stop(tell=False)
            self.subscription.become(FeedState.STALE, failure)
            self.retry_later()
        else:
            self.subscription.notices.append(str(failure))

    def retry_later(self) -> None:
        """Start again after a while, longer each time."""
        self._stop_retry()
        delay = self.feeds.config.retry.delay(self._attempt)
        self._attempt += 1
        self._retry = self.feeds.clock.call_later(delay, self.restart)

    def _stop_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None


_COMES_BACK: Final = frozenset(
    {Reaction.RETRY, Reaction.EMPTY, Reaction.CANCELLED, Reaction.RESUBSCRIBE, Reaction.BACK_OFF}
)


class Feeds:
    """All feeds of a client.

    Parameters
    ----------
    config
        Waits and sizes.
    clock
        The time.
    outbox
        The way out.
    ids
        Where ids come from.
    routes
        Who gets the messages of an id.
    spawn
        Runs a coroutine until it ends, the connection goes or the client is closed.
    heard
        Called when a feed hears something while `listens` is set: the line is up.
    is_broken
        Whether a farm of a kind is broken.

    """

    def __init__(
        self,
        config: ClientConfig,
        clock: Clock,
        *,
        outbox: Outbox,
        ids: Ids,
        routes: dict[int, Route],
        spawn: Callable[[Coroutine[object, object, None], str], object],
        heard: Callable[[], None],
        is_broken: Callable[[FarmKind], bool],
    ) -> None:
        self.config = config
        self.clock = clock
        self.outbox = outbox
        self.ids = ids
        self.routes = routes
        self.spawn = spawn
        self.heard = heard
        self.is_broken = is_broken
        self.is_line_up = True
        self.listens = False
        self._feeds: dict[int, Feed[object]] = {}
        self._verify: Timer | None = None

    def __iter__(self) -> Iterator[Feed[object]]:
        """Iterate over them as they are now."""
        return iter(tuple(self._feeds.values()))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._feeds)

    def add[T](self, feed: Feed[T]) -> Subscription[T]:
        """Take a feed, start it where there is a connection, and return its subscription."""
        self._feeds[id(feed)] = feed  # type: ignore[assignment]
        feed.start()
        return feed.subscription

    def remove[T](self, feed: Feed[T]) -> None:
        """Forget a feed."""
        self._feeds.pop(id(feed), None)

    def subscription[T](
        self, name: str, callback: Callable[[T], object] | None, size: int | None
    ) -> Subscription[T]:
        """Return a consumer's end."""
        return Subscription(name, callback=callback, size=size or self.config.queue_size)

    def start(self) -> None:
        """Start all: a session is ready."""
        for feed in tuple(self._feeds.values()):
            if feed.subscription.state is FeedState.STALE:
                feed.subscription.restarts += 1
            feed.start()

    def restart(self) -> None:
        """Start all again under new ids: the gateway lost their data."""
        for feed in tuple(self._feeds.values()):
            feed.restart()

    def stale(self) -> None:
        """Mark all as stale: the gateway lost IB's servers."""
        for feed in tuple(self._feeds.values()):
            feed.subscription.become(FeedState.STALE)

    def degrade(self, kind: FarmKind, broken_since: float) -> None:
        """Mark those as stale that may come from a broken farm and were not heard since."""
        for feed in tuple(self._feeds.values()):
            if kind in feed.farms and feed.heard_at < broken_since:
                feed.subscription.become(FeedState.STALE)

    def recover(self, kind: FarmKind, broken_since: float) -> None:
        """Start those again that may come from a farm and were silent while it was broken."""
        for feed in tuple(self._feeds.values()):
            if kind in feed.farms and feed.heard_at <= broken_since:
                feed.restart()

    def verify(self, is_suspect: Callable[[Feed[object]], bool]) -> None:
        """Start the suspects again now, and after a while all others that stay silent."""
        since = self.clock.monotonic()
        for feed in tuple(self._feeds.values()):
            if feed.request_id is None or is_suspect(feed):
                feed.restart()
            elif feed.subscription.state is FeedState.STALE:
                feed.subscription.become(FeedState.LIVE)

        def judge() -> None:
            self._verify = None
            for feed in tuple(self._feeds.values()):
                if feed.heard_at < since:
                    feed.restart()

        self._stop_verifying()
        self._verify = self.clock.call_later(self.config.verify_after, judge)

    def lost(self) -> None:
        """Take note that the connection is gone."""
        self._stop_verifying()
        for feed in tuple(self._feeds.values()):
            feed.lost()

    def close(self) -> None:
        """End all: the client is closed."""
        self._stop_verifying()
        for feed in tuple(self._feeds.values()):
            feed.end(ClientClosedError(feed.subscription.name, "the client was closed"))

    def _stop_verifying(self) -> None:
        if self._verify is not None:
            self._verify.cancel()
            self._verify = None
