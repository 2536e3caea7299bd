"""Requests: each goes out once under an id of its own, and ends in one typed outcome.

Rules of this file. An id is never used twice in the life of a client, so whatever comes late for a
request that is over finds nobody and is counted. The deadline runs from the moment the request is
written; the wait for its turn (`pacing.py`) is not the gateway's fault. A request that ends without
its answer (deadline, the caller's cancellation) is cancelled at the gateway too where the protocol
has a word for it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pyfutures.ib.answers import Lane, Pending
from pyfutures.ib.codes import lookup
from pyfutures.ib.failures import (
    ClientClosedError,
    ConnectionLostError,
    LineDownError,
    NotConnectedError,
    RequestError,
    RequestFailedError,
)
from pyfutures.ib.masking import masked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from pyfutures.ib.answers import Collector, Ids, Route
    from pyfutures.ib.clock import Clock
    from pyfutures.ib.config import ClientConfig
    from pyfutures.ib.messages.base import Request, Response
    from pyfutures.ib.messages.session import ErrorMessage
    from pyfutures.ib.outbox import Outbox

__all__ = ["Requests"]

_LOG: Final = logging.getLogger("pyfutures.ib")


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
        self._pending: dict[int, Pending[object]] = {}
        self._lanes: dict[Hashable, Lane] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._is_ready = asyncio.Event()
        self._line_up = True
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many requests wait for answers."""
        return len(self._pending) + len(self._waiting_lanes())

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
        for lane in self._lanes.values():
            lane.forget()
        for pending in (*self._pending.values(), *self._waiting_lanes()):
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
        lane = self._lanes.get(key)
        return lane is not None and lane.receive(message)

    def expect(
        self, key: Hashable, request: Request, collector: Callable[[], Collector[object]]
    ) -> None:
        """Take note that an answer comes to `key` for which no request waits here."""
        self._lanes.setdefault(key, Lane(self._clock)).expect(request, collector())

    def _waiting_lanes(self) -> tuple[Pending[object], ...]:
        return tuple(lane.pending for lane in self._lanes.values() if lane.pending is not None)

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

    async def ask[T](  # noqa: PLR0913
        self,
        what: str,
        build: Callable[[int], Request],
        collector: Callable[[], Collector[T]],
        *,
        cancel: Callable[[int], Request] | None = None,
        always_cancel: bool = False,
        request_id: int | None = None,
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
        request_id
            The id, where it is not ours to choose; the request is not repeated then.
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
                what, build, collector(), cancel=cancel, always=always_cancel,
                request_id=request_id, deadline=deadline,
            )  # fmt: skip

        return await self._patiently(once, 0.0 if request_id is not None else patience)

    async def ask_lane[T](  # noqa: PLR0913
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
                    what, key, request, collector, cancel=cancel, deadline=deadline
                )

        return await self._patiently(once, patience)

    async def _patiently[T](self, once: Callable[[], Awaitable[T]], patience: float) -> T:
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
                    await self.wait_until_ready(left)
                elif isinstance(error, RequestFailedError):
                    delay = min(left, self._config.retry.delay(attempt))
                    _LOG.warning("%s; asked again in %g s", masked(str(error)), delay)
                    await self._clock.sleep(delay)
                    attempt += 1

    async def wait_until_ready(self, seconds: float) -> None:
        """Wait until requests can be sent, or the time is over; `check` says which."""
        try:
            async with self._clock.timeout(seconds):
                await self._is_ready.wait()
        except TimeoutError:
            pass  # the next try says what is wrong

    async def _once[T](  # noqa: PLR0913
        self,
        what: str,
        build: Callable[[int], Request],
        collector: Collector[T],
        *,
        cancel: Callable[[int], Request] | None,
        always: bool,
        request_id: int | None,
        deadline: float | None,
    ) -> T:
        self.check(what)
        request_id = self.ids.new() if request_id is None else request_id
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
        except RequestFailedError:
            answered = True
            raise
        else:
            return result
        finally:
            del self._pending[request_id], self.routes[request_id]
            pending.settle()
            dropped = self._outbox.drop(request_id)
            if cancel is not None and not answered and not dropped and pending.was_sent:
                self._outbox.put(cancel(request_id))

    async def _once_lane[T](  # noqa: PLR0913
        self,
        what: str,
        key: Hashable,
        request: Request,
        collector: Callable[[], Collector[T]],
        *,
        cancel: Request | None,
        deadline: float | None,
    ) -> T:
        self.check(what)
        pending = self._new(what, collector(), deadline)
        lane = self._lanes.setdefault(key, Lane(self._clock))
        lane.open(pending, request, collector)
        answered = False
        try:
            self._outbox.put(
                request, ticket=("lane", key), on_sent=lambda: pending.sent(self._clock)
            )
            result = await pending.future
            answered = True
            return result
        finally:
            dropped = self._outbox.drop(("lane", key))
            lane.close(
                is_owed=pending.was_sent and not answered and not dropped and self._outbox.is_open
            )
            pending.settle()
            if not dropped and cancel is not None and pending.was_sent:
                self._outbox.put(cancel)

    def _new[T](self, what: str, collector: Collector[T], deadline: float | None) -> Pending[T]:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        seconds = self._config.request_deadline if deadline is None else deadline
        return Pending(what, collector, future, seconds)

    def lane_notice(self, error: ErrorMessage) -> None:
        """Remember what the gateway said without an id: a request without id may be meant."""
        if lookup(error.code).is_error:
            for pending in self._waiting_lanes():
                pending.warnings.append(f"{error.code}: {error.text}")
