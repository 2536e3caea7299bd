"""Feeds: our end of the subscriptions, kept alive across connections.

Rules of this file. A `Feed` owns at most one request id at a time, and takes a new one whenever it
is started again, so that nothing of an old connection can reach it. What a feed does about the
values it missed is its own business (`bar_feed.py`, `ticks.py`).
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from pyfutures.ib.codes import Reaction
from pyfutures.ib.errors import LocalProtocolError
from pyfutures.ib.failures import ClientClosedError, RequestFailedError
from pyfutures.ib.subscriptions import FeedState, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from pyfutures.ib.answers import Ids, Route
    from pyfutures.ib.clock import Clock, Timer
    from pyfutures.ib.config import ClientConfig
    from pyfutures.ib.farms import FarmKind
    from pyfutures.ib.messages.base import Request, Response
    from pyfutures.ib.messages.session import ErrorMessage
    from pyfutures.ib.outbox import Outbox

__all__ = ["Feed", "Feeds"]

_LOG: Final = logging.getLogger("pyfutures.ib")


class Feed[T](ABC):
    """Our end of a subscription: asks, takes what comes, asks again.

    Subclasses give `request`, `cancellation` and `accept`.

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
        subscription.attach(self)

    # For subclasses.

    @abstractmethod
    def request(self, request_id: int) -> Request:
        """Return the request that starts it."""

    @abstractmethod
    def cancellation(self, request_id: int) -> Request:
        """Return the request that ends it."""

    @abstractmethod
    def accept(self, message: Response) -> None:
        """Take a message."""

    def sent(self) -> None:  # noqa: B027 - most have nothing to do then
        """Take note that the request is written."""

    def paused(self) -> None:  # noqa: B027 - as above
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

    def __init__(  # noqa: PLR0913
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
        self._closed = False

    def __iter__(self) -> Iterator[Feed[object]]:
        """Iterate over them as they are now."""
        return iter(tuple(self._feeds.values()))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._feeds)

    def add[T](self, feed: Feed[T]) -> Subscription[T]:
        """Take a feed, start it where there is a connection, and return its subscription.

        Raises
        ------
        EncodeError
            For a value that cannot be said at the version in use.

        """
        self._feeds[id(feed)] = feed  # type: ignore[assignment]
        if self._closed:
            feed.end(ClientClosedError(feed.subscription.name, "the client was closed"))
            return feed.subscription
        try:
            feed.start()
        except LocalProtocolError:
            self.remove(feed)
            raise
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
            try:
                feed.start()
            except LocalProtocolError as error:
                feed.end(error)  # it cannot be said at the version of this session

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
        self._closed = True
        self._stop_verifying()
        for feed in tuple(self._feeds.values()):
            feed.end(ClientClosedError(feed.subscription.name, "the client was closed"))

    def _stop_verifying(self) -> None:
        if self._verify is not None:
            self._verify.cancel()
            self._verify = None
