"""What becomes an answer: collectors of its messages, and the request that waits for it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from pyfutures.ib.codes import Reaction
from pyfutures.ib.failures import RequestFailedError, RequestTimeoutError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from pyfutures.ib.clock import Clock, Timer
    from pyfutures.ib.failures import IbError
    from pyfutures.ib.messages.base import Request, Response
    from pyfutures.ib.messages.session import ErrorMessage

__all__ = ["Collector", "First", "Ids", "Lane", "Many", "Pending", "Route"]


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

    @property
    def has_begun(self) -> bool:
        """Whether a part of the answer is here."""
        return bool(self._found)

    def ends(self, message: Response) -> bool:
        """Whether a message ends an answer."""
        return isinstance(message, self._end)

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


class Pending[T]:
    """One request that waits for its answer."""

    def __init__(
        self, what: str, collector: Collector[T], future: asyncio.Future[T], deadline: float
    ) -> None:
        self.what = what
        self.collector = collector
        self.future = future
        self.deadline = deadline
        self.timers: list[Timer] = []
        self.was_sent = False
        self.warnings: list[str] = []

    def sent(self, clock: Clock) -> None:
        """Take note that the request is written: its time runs."""
        self.was_sent = True
        self.timers.append(clock.call_later(self.deadline, self.expire))

    def expire(self) -> None:
        """Fail: its time is over."""
        text = f"no answer within {self.deadline:g} s"
        if self.warnings:
            text += "; the gateway said: " + "; ".join(self.warnings)
        self.fail(RequestTimeoutError(self.what, text))

    def fail(self, error: IbError) -> None:
        """Fail."""
        if not self.future.done():
            self.future.set_exception(error)

    def settle(self) -> None:
        """Tidy up: nobody waits any more."""
        for timer in self.timers:
            timer.cancel()
        if self.future.done() and not self.future.cancelled():
            self.future.exception()  # its caller went away in the same moment

    def begin_again(self, collector: Collector[T], clock: Clock, grace: float) -> None:
        """Take what came for the end of an older answer; it is ours if no other comes soon."""
        found, self.collector = self.collector.result(), collector

        def settle_for_it() -> None:
            if not self.future.done():
                self.future.set_result(found)

        self.timers.append(clock.call_later(grace, settle_for_it))

    def receive(self, message: Response) -> None:
        """Take a message of the answer."""
        if not self.future.done() and self.collector.add(message):
            self.future.set_result(self.collector.result())

    def refuse(self, error: ErrorMessage, reaction: Reaction) -> None:
        """Take an error, or a notice, about the request."""
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


class Lane:
    """Requests of one kind without an id: one waits at a time, answers come in their turn.

    An answer to a request that was given up still comes. The next request is content with it where
    it asks for the same, unless a part had come before it went out: then what comes up to the first
    end is the rest of a list.

    Parameters
    ----------
    clock
        The time.

    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._make: Callable[[], Collector[Any]] | None = None
        self._last: Collector[Any] | None = None
        self._request: Request | None = None
        self._owed: deque[Request | None] = deque()
        self._has_begun = False
        self.pending: Pending[Any] | None = None

    def open(
        self, pending: Pending[Any], request: Request, make: Callable[[], Collector[Any]]
    ) -> None:
        """Let a request wait for its answer."""
        self.pending, self._request, self._make = pending, request, make

    def close(self, *, is_owed: bool) -> None:
        """Take note that nobody waits any more, and whether an answer still comes."""
        pending, self.pending = self.pending, None
        if pending is None or not isinstance(pending.collector, Many):
            return
        self._last = pending.collector
        if is_owed:
            self._owed.append(self._request)
            self._has_begun = self._has_begun or pending.collector.has_begun

    def expect(self, request: Request, collector: Collector[Any]) -> None:
        """Take note that an answer comes for which nobody waits here."""
        self._last = collector
        self._owed.append(request)

    def forget(self) -> None:
        """Take note that the connection is gone, and with it what is owed."""
        self._owed.clear()
        self._has_begun = False

    def receive(self, message: Response) -> bool:
        """Take a message; whether somebody waited for it."""
        pending = self.pending
        if pending is None or not pending.was_sent:
            if self._owed and isinstance(self._last, Many):
                self._follow(self._last, message)
            return pending is not None
        if isinstance(pending.collector, Many) and self._is_old:
            if not pending.collector.ends(message):
                pending.receive(message)
                return True
            self._follow(pending.collector, message)
            if self._make is not None:
                pending.begin_again(self._make(), self._clock, min(_GRACE, pending.deadline / 2))
            return True
        pending.receive(message)
        return True

    @property
    def _is_old(self) -> bool:
        """Whether what comes belongs to an answer that is of no use to who waits."""
        return bool(self._owed) and (self._has_begun or self._owed[0] != self._request)

    def _follow(self, collector: Many[Any], message: Response) -> None:
        self._has_begun = not collector.ends(message)
        if not self._has_begun:
            self._owed.popleft()


_GRACE: Final = 5.0  # seconds for an answer behind another one's
_NOT_THE_END: Final = frozenset(
    {Reaction.IGNORE, Reaction.WARN, Reaction.KEEP, Reaction.DEGRADE, Reaction.RECOVER}
)
