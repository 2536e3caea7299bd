"""What becomes an answer: collectors of its messages, and the request that waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pyfutures.ib.codes import Reaction
from pyfutures.ib.failures import RequestFailedError, RequestTimeoutError

if TYPE_CHECKING:
    import asyncio

    from pyfutures.ib.clock import Clock, Timer
    from pyfutures.ib.failures import IbError
    from pyfutures.ib.messages.base import Response
    from pyfutures.ib.messages.session import ErrorMessage

__all__ = ["Collector", "First", "Ids", "Many", "Pending", "Route"]


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


class Pending[T]:
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
        """Take note that the request is written: its time runs."""
        self.was_sent = True
        self.timer = clock.call_later(self.deadline, self.expire)

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
        if self.timer is not None:
            self.timer.cancel()
        if self.future.done() and not self.future.cancelled():
            self.future.exception()  # its caller went away in the same moment

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


_NOT_THE_END: Final = frozenset(
    {Reaction.IGNORE, Reaction.WARN, Reaction.KEEP, Reaction.DEGRADE, Reaction.RECOVER}
)
