"""Requests: each goes out once under an id of its own, and ends in one typed outcome.

Rules of this file. An id is never used twice in the life of a client, so whatever comes late for a
request that is over finds nobody and is counted. The deadline runs from the moment the request is
written; the wait for its turn (`pacing.py`) is not the gateway's fault. A request that ends without
its answer (deadline, the caller's cancellation) is cancelled at the gateway too where the protocol
has a word for it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from pyfutures.ib.codes import Reaction, lookup
from pyfutures.ib.failures import (
    ClientClosedError,
    ConnectionLostError,
    IbError,
    LineDownError,
    NotConnectedError,
    RequestError,
    RequestFailedError,
    RequestTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from pyfutures.ib.clock import Clock, Timer
    from pyfutures.ib.config import ClientConfig
    from pyfutures.ib.messages.base import Request, Response
    from pyfutures.ib.messages.session import ErrorMessage
    from pyfutures.ib.outbox import Outbox

__all__ = ["Collector", "First", "Ids", "Many", "Requests", "Route"]


class Route(Protocol):
    """Who gets the messages of a request id."""

    def receive(self, message: Response) -> None:
        """Take a message."""

    def refuse(self, error: ErrorMessage, reaction: Reaction) -> None:
        """Take an error, or a notice, about the request."""


class Collector[T](Protocol):
    """Makes one result of the messages of an answer.

    `means_nothing` are the codes, beside "no data", that say that there is nothing.
    """

    means_nothing: frozenset[int]

    def add(self, message: Response) -> bool:
        """Take a message; whether the answer is complete."""

    def result(self) -> T:
        """Return the result."""

    def nothing(self) -> T | None:
        """Return the result that says "there is nothing"; None where that would be an error."""


class First[T]:
    """The first message of a kind is the answer."""

    means_nothing: frozenset[int] = frozenset()

    def __init__(self, kind: type[T], *, nothing: T | None = None) -> None:
        self._kind = kind
        self._nothing = nothing
        self._found: list[T] = []

    def add(self, message: Response) -> bool:
        """Take a message; whether the answer is complete."""
        if isinstance(message, self._kind):
            self._found.append(message)
        return bool(self._found)

    def result(self) -> T:
        """Return the message."""
        return self._found[0]

    def nothing(self) -> T | None:
        """Return what stands for nothing."""
        return self._nothing


class Many[T]:
    """All messages of a kind up to the one that ends the answer."""

    def __init__(
        self, kind: type[T], end: type[Response], *, means_nothing: frozenset[int] = frozenset()
    ) -> None:
        self.means_nothing = means_nothing
        self._kind = kind
        self._end = end
        self._found: list[T] = []

    def add(self, message: Response) -> bool:
        """Take a message; whether the answer is complete."""
        if isinstance(message, self._kind):
            self._found.append(message)
        return isinstance(message, self._end)

    def result(self) -> tuple[T, ...]:
        """Return the messages."""
        return tuple(self._found)

    def nothing(self) -> tuple[T, ...] | None:
        """Return no messages."""
        return ()


class Ids:
    """Request ids, each one new. The place next to -1 is never reached."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._next = first
        self._step = -1 if first < 0 else 1

    def new(self) -> int:
        """Return an id that was never used."""
        found = self._next
        self._next += self._step
        return found

    def used(self, request_id: int) -> bool:
        """Whether an id is one of ours from before."""
        if self._step < 0:
            return self._next < request_id <= self._first
        return self._first <= request_id < self._next


class _Pending[T]:
    """One request that waits for its answer."""

    def __init__(
        self, what: str, collector: Collector[T], future: asyncio.Future[T], deadline: float
    ) -> None:
        self.what = what
        self.collector = collector
        self.future = future
        self.deadline = deadline
        self.timer: Timer | None = None
        self.was_sent = False
        self.warnings: list[str] = []

    def sent(self, clock: Clock) -> None:
        self.was_sent = True
        self.timer = clock.call_later(self.deadline, self.expire)

    def expire(self) -> None:
        text = f"no answer within {self.deadline:g} s"
        if self.warnings:
            text += "; the gateway said: " + "; ".join(self.warnings)
        self.fail(RequestTimeoutError(self.what, text))

    def fail(self, error: IbError) -> None:
        if not self.future.done():
            self.future.set_exception(error)

    def settle(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.future.done() and not self.future.cancelled():
            self.future.exception()  # its caller went away in the same moment

    def receive(self, message: Response) -> None:
        if not self.future.done() and self.collector.add(message):
            self.future.set_result(self.collector.result())

    def refuse(self, error: ErrorMessage, reaction: Reaction) -> None:
        if self.future.done():
            return
        if reaction in _NOT_THE_END:
            self.warnings.append(f"{error.code}: {error.text}")
            return
        if reaction is Reaction.EMPTY or (error.code == 200 and reaction is Reaction.FAIL):
            nothing = self.collector.nothing()
            if nothing is not None:
                self.future.set_result(nothing)
                return
        self.fail(RequestFailedError(self.what, error.text, code=error.code, reaction=reaction))


_NOT_THE_END = frozenset(
    {Reaction.IGNORE, Reaction.WARN, Reaction.KEEP, Reaction.DEGRADE, Reaction.RECOVER}
)


class Requests:
    """The requests of a client that wait for answers.

    Parameters
    ----------
    config
        The deadlines.
    clock
        The time.
    outbox
        The way out.
    ids
        Where ids come from.

    """

    def __init__(self, config: ClientConfig, clock: Clock, *, outbox: Outbox, ids: Ids) -> None:
        self._config = config
        self._clock = clock
        self._outbox = outbox
        self.ids = ids
        self.routes: dict[int, Route] = {}
        self._pending: dict[int, _Pending[object]] = {}
        self._lanes: dict[Hashable, _Pending[object]] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._is_ready = asyncio.Event()
        self._line_up = True
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many requests wait for answers."""
        return len(self._pending) + len(self._lanes)

    # What the client tells us.

    def opened(self) -> None:
        """Take note that a session is ready."""
        self._line_up = True
        self._is_ready.set()

    def line(self, *, up: bool) -> None:
        """Take note that IB's servers are there or not."""
        self._line_up = up
        if up and self._outbox.is_open:
            self._is_ready.set()
        else:
            self._is_ready.clear()

    def lost(self, text: str) -> None:
        """Fail all that waits: the connection is gone."""
        self._is_ready.clear()
        for pending in (*self._pending.values(), *self._lanes.values()):
            if self._closed:
                pending.fail(ClientClosedError(pending.what, "the client was closed"))
            else:
                pending.fail(ConnectionLostError(pending.what, text))

    def close(self) -> None:
        """Fail all that waits, and all that comes: the client is closed."""
        self._closed = True
        self.lost("")
        self._is_ready.set()  # who waits for a session is told

    def lane(self, key: Hashable, message: Response) -> bool:
        """Give a message without an id to the request that waits under `key`, if any."""
        pending = self._lanes.get(key)
        if pending is None:
            return False
        pending.receive(message)
        return True

    # What callers ask.

    def check(self, what: str) -> None:
        """Say no at once where nothing can be sent.

        Raises
        ------
        ClientClosedError
            When the client is closed.
        LineDownError
            When the gateway has lost IB.
        NotConnectedError
            When there is no session.

        """
        if self._closed:
            raise ClientClosedError(what, "the client was closed")
        if not self._outbox.is_open:
            raise NotConnectedError(what, "there is no session with the gateway")
        if not self._line_up:
            raise LineDownError(what, "the gateway has lost IB's servers; it tries to come back")
        if not self._is_ready.is_set():
            raise NotConnectedError(what, "the session is just being opened")

    async def ask[T](
        self,
        what: str,
        build: Callable[[int], Request],
        collector: Callable[[], Collector[T]],
        *,
        cancel: Callable[[int], Request] | None = None,
        always_cancel: bool = False,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> T:
        """Return the answer to a request.

        Parameters
        ----------
        what
            The request in words, for errors.
        build
            From an id to the request.
        collector
            Makes what makes the result.
        cancel
            From the id to the request that takes it back.
        always_cancel
            Whether the answer itself leaves something behind at the gateway.
        deadline
            Seconds for the answer, from the moment the request is written.
        patience
            Seconds during which failures that may pass (no connection, pacing, a reset) are met
            with another try. 0: the first failure is raised.

        Raises
        ------
        RequestError
            One of its kinds, see `failures.py`.

        """

        async def once() -> T:
            return await self._once(
                what, build, collector(), cancel=cancel, always=always_cancel, deadline=deadline
            )

        return await self._patiently(what, once, patience)

    async def ask_lane[T](
        self,
        what: str,
        key: Hashable,
        request: Request,
        collector: Callable[[], Collector[T]],
        *,
        cancel: Request | None = None,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> T:
        """Return the answer to a request that has no id; those of one `key` go one by one.

        Raises
        ------
        RequestError
            One of its kinds, see `failures.py`.

        """

        async def once() -> T:
            async with self._locks.setdefault(key, asyncio.Lock()):
                return await self._once_lane(
                    what, key, request, collector(), cancel=cancel, deadline=deadline
                )

        return await self._patiently(what, once, patience)

    async def _patiently[T](self, what: str, once: Callable[[], object], patience: float) -> T:
        until = self._clock.monotonic() + patience
        attempt = 0
        while True:
            try:
                return await once()
            except RequestError as error:
                left = until - self._clock.monotonic()
                if error.is_final or self._closed or left <= 0:
                    raise
                if isinstance(error, NotConnectedError | ConnectionLostError):
                    await self._wait_until_ready(left)
                elif isinstance(error, RequestFailedError):
                    await self._clock.sleep(min(left, self._config.retry.delay(attempt)))
                    attempt += 1

    async def _wait_until_ready(self, seconds: float) -> None:
        try:
            async with self._clock.timeout(seconds):
                await self._is_ready.wait()
        except TimeoutError:
            pass  # the next try says what is wrong

    async def _once[T](
        self,
        what: str,
        build: Callable[[int], Request],
        collector: Collector[T],
        *,
        cancel: Callable[[int], Request] | None,
        always: bool,
        deadline: float | None,
    ) -> T:
        self.check(what)
        request_id = self.ids.new()
        pending = self._new(what, collector, deadline)
        self._pending[request_id] = pending  # type: ignore[assignment]
        self.routes[request_id] = pending
        answered = False
        try:
            self._outbox.put(
                build(request_id), ticket=request_id, on_sent=lambda: pending.sent(self._clock)
            )
            result = await pending.future
            answered = not always
            return result
        except RequestFailedError:
            answered = True
            raise
        finally:
            del self._pending[request_id], self.routes[request_id]
            pending.settle()
            dropped = self._outbox.drop(request_id)
            if cancel is not None and not answered and not dropped and pending.was_sent:
                self._outbox.put(cancel(request_id))

    async def _once_lane[T](
        self,
        what: str,
        key: Hashable,
        request: Request,
        collector: Collector[T],
        *,
        cancel: Request | None,
        deadline: float | None,
    ) -> T:
        self.check(what)
        pending = self._new(what, collector, deadline)
        self._lanes[key] = pending  # type: ignore[assignment]
        try:
            self._outbox.put(
                request, ticket=("lane", key), on_sent=lambda: pending.sent(self._clock)
            )
            return await pending.future
        finally:
            del self._lanes[key]
            pending.settle()
            if not self._outbox.drop(("lane", key)) and cancel is not None and pending.was_sent:
                self._outbox.put(cancel)

    def _new[T](self, what: str, collector: Collector[T], deadline: float | None) -> _Pending[T]:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        seconds = self._config.request_deadline if deadline is None else deadline
        return _Pending(what, collector, future, seconds)

    def lane_notice(self, error: ErrorMessage) -> None:
        """Remember what the gateway said without an id: a request without id may be meant."""
        if lookup(error.code).is_error:
            for pending in self._lanes.values():
                pending.warnings.append(f"{error.code}: {error.text}")
