"""Simulated time: one queue of things to happen, and how fast it runs.

Theory of operation. A `Timeline` holds the present (UTC nanoseconds) and what is due when. It never
looks at a clock: `run_until` makes everything due happen in order, each at its own instant, and
moves the present there. A test drives it by hand; a server that runs lets a `Pace` say which
simulated instant the real clock stands for.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SECOND", "Due", "Pace", "Timeline", "seconds"]

SECOND: Final = 1_000_000_000


def seconds(amount: float) -> int:
    """Return an amount of seconds in nanoseconds."""
    return round(amount * SECOND)


@dataclass(order=True, slots=True)
class Due:
    """Something that will happen; `cancel` it and it will not."""

    at: int
    number: int
    action: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Make it never happen."""
        self.action = None


class Timeline:
    """The present and what is due.

    Parameters
    ----------
    start
        The first instant, UTC nanoseconds.

    """

    def __init__(self, start: int) -> None:
        self.now = start
        self._queue: list[Due] = []
        self._number = count()
        self._running = False

    def at(self, instant: int, action: Callable[[], None]) -> Due:
        """Let `action` happen at an instant; one that is past happens as soon as time moves."""
        due = Due(max(instant, self.now), next(self._number), action)
        heapq.heappush(self._queue, due)
        return due

    def after(self, delay: int, action: Callable[[], None]) -> Due:
        """Let `action` happen `delay` nanoseconds from now."""
        return self.at(self.now + delay, action)

    def next_due(self) -> int | None:
        """Return the instant of what happens next, None if nothing is due."""
        while self._queue and self._queue[0].action is None:
            heapq.heappop(self._queue)
        return self._queue[0].at if self._queue else None

    def run_until(self, instant: int) -> None:
        """Make all that is due up to an instant happen, and be at that instant.

        Time does not run backwards: an instant that is past changes nothing. Called from within an
        action it does nothing either; the run that is under way gets there.
        """
        if self._running:
            return
        self._running = True
        try:
            while (at := self.next_due()) is not None and at <= instant:
                due = heapq.heappop(self._queue)
                self.now = max(self.now, due.at)
                if due.action is not None:
                    due.action()
            self.now = max(self.now, instant)
        finally:
            self._running = False


class Pace:
    """Which simulated instant the real clock stands for.

    Parameters
    ----------
    start
        The simulated instant of the first call.
    speed
        Simulated seconds in a real one.
    clock
        The real clock, in seconds; monotonic.

    Raises
    ------
    ValueError
        For a speed that is not positive.

    """

    def __init__(
        self, start: int, speed: float = 1.0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not 0 < speed <= 1e6:
            raise ValueError(f"a speed of {speed}: must be above 0 and at most 1,000,000")
        self.start = start
        self.speed = speed
        self._clock = clock
        self._since = clock()

    def now(self) -> int:
        """Return the simulated instant of now."""
        return self.start + round((self._clock() - self._since) * self.speed * SECOND)

    def wait(self, instant: int) -> float:
        """Return the real seconds until a simulated instant; 0 if it is past."""
        return max(0.0, (instant - self.now()) / SECOND / self.speed)
