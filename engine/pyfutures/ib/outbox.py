"""The way out: the only place that writes to the gateway, and only at the pace it allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfutures.ib.errors import RemoteProtocolError
from pyfutures.ib.pacing import Ledger, Limits, Pacer, cost_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pyfutures.ib.clock import Clock, Timer
    from pyfutures.ib.messages.base import Request
    from pyfutures.ib.pacing import Cost

__all__ = ["Outbox"]

_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Item:
    request: Request
    data: bytes
    on_sent: Callable[[], None] | None


def _cost(item: _Item) -> Cost:
    return cost_of(item.request)


class Outbox:
    """Requests on their way out.

    While no connection is open nothing is kept: `put` says so, and what waited when the connection
    went is forgotten, for ids and subscriptions of the next one are new. The windows of the limits
    live on, because the gateway's do.

    Parameters
    ----------
    clock
        The time.
    limits
        The pace.

    """

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._ledger = Ledger(limits)
        self._pacer: Pacer[_Item] = Pacer(_cost, self._ledger)
        self._encode: Callable[[Request], bytes] | None = None
        self._write: Callable[[bytes], None] | None = None
        self._timer: Timer | None = None
        self._held_until = 0
        self.sent = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a connection to write to."""
        return self._write is not None

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return len(self._pacer)

    def open(self, encode: Callable[[Request], bytes], write: Callable[[bytes], None]) -> None:
        """Take a connection: from bytes of requests, and where they go."""
        self._encode, self._write = encode, write

    def close(self) -> None:
        """Forget the connection and all that waits for it."""
        self._encode = self._write = None
        self._pacer = Pacer(_cost, self._ledger)
        self._ledger.reset()
        self._held_until = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def put(
        self,
        request: Request,
        *,
        ticket: Hashable = None,
        on_sent: Callable[[], None] | None = None,
    ) -> bool:
        """Send a request when its turn comes; whether there is a connection at all.

        Parameters
        ----------
        request
            The request.
        ticket
            Its id, for `drop` and `done`.
        on_sent
            Called once it is written.

        Raises
        ------
        EncodeError
            For a value that cannot be said at the version in use.

        """
        if self._encode is None:
            return False
        try:
            data = self._encode(request)
        except RemoteProtocolError:
            return False  # the connection is broken, its end is being dealt with
        self._pacer.put(_Item(request, data, on_sent), ticket=ticket)
        self._pump()
        return True

    def drop(self, ticket: Hashable) -> bool:
        """Take a request out before it went; whether it was still here."""
        found = self._pacer.drop(ticket)
        if not found:
            self._pacer.done(ticket)
            self._pump()
        return found

    def done(self, ticket: Hashable) -> None:
        """Take note that a request was answered, failed or cancelled: others may go now."""
        self._pacer.done(ticket)
        self._pump()

    def hold(self, seconds: float) -> None:
        """Send nothing for a while: the gateway said that we are too fast."""
        self._held_until = self._now() + round(seconds * _SECOND)

    def _now(self) -> int:
        return round(self._clock.monotonic() * _SECOND)

    def _pump(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        write = self._write
        if write is None or not len(self._pacer):
            return
        now = self._now()
        if now >= self._held_until:
            for item in self._pacer.take(now):
                write(item.data)
                self.sent += 1
                if item.on_sent is not None:
                    item.on_sent()
        at = self._pacer.next_at(now)
        if at is not None:
            wait = max(at, self._held_until) - now
            # A millisecond more than too early: timers of a loop have no nanoseconds.
            self._timer = self._clock.call_later(wait / _SECOND + 0.001, self._pump)
