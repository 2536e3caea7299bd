"""Subscriptions: what a consumer holds.

A `Subscription` is a bounded queue that is iterated, or a callback; `feeds.py` fills it. A queue
that overflows drops its oldest values, counts them, says so in the log and raises `OverflowedError`
to its consumer, once for each gap.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, Self

from pyfutures.ib.failures import OverflowedError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FeedState", "Source", "Subscription"]

_LOG: Final = logging.getLogger("pyfutures.ib")


class FeedState(StrEnum):
    """How a subscription is."""

    WAITING = "waiting"  # for the first answer
    LIVE = "live"
    STALE = "stale"  # the connection, the line or the farm is gone; it will come back
    FAILED = "failed"  # the gateway said no, and will say so again
    CLOSED = "closed"


class Source(Protocol):
    """Where the values of a subscription come from."""

    heard_at: float

    def restart(self) -> None:
        """Ask for them anew."""


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
        self._source: Source | None = None
        self._watching: Callable[[FeedState], object] | None = None

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

    @property
    def heard_at(self) -> float:
        """When the gateway last said something of it, or was last asked; by the client's clock."""
        return 0.0 if self._source is None else self._source.heard_at

    def restart(self) -> None:
        """Ask the gateway for it anew; what is missed meanwhile is filled in as behind a cut."""
        if self._source is not None:
            self._source.restart()

    def watch(self, callback: Callable[[FeedState], object]) -> None:
        """Call back whenever its state changes."""
        self._watching = callback

    # The feed's end.

    def attach(self, source: Source) -> None:
        """Say where the values come from."""
        self._source = source

    def on_close(self, closing: Callable[[], None]) -> None:
        """Have `closing` called when the consumer closes."""
        self._closing = closing

    def become(self, state: FeedState, error: Exception | None = None) -> None:
        """Change the state; one that is closed or failed stays so."""
        if self.state in {FeedState.CLOSED, FeedState.FAILED}:
            return
        before, self.state = self.state, state
        if error is not None or state is FeedState.LIVE:
            self.error = error
        if state is not FeedState.WAITING and state is not FeedState.STALE:
            self._settled.set()
            if state is not FeedState.LIVE:
                self._notify()
        if self._watching is not None and state is not before:
            self._watching(state)

    def emit(self, value: T) -> None:
        """Hand a value over."""
        self.received += 1
        if self._callback is not None:
            try:
                self._callback(value)
            except Exception:  # noqa: BLE001 - theirs, and of no concern to others
                self.callback_errors += 1
                _LOG.exception("%s: the callback failed on %s", self.name, type(value).__name__)
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
