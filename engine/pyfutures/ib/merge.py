"""What was missed and what is live, put together: every bar and every tick once, in order.

Rules of this file. Pure: no clock, no connection. A bar is known by its date; the last one handed
out is remembered, and nothing at or before it is handed out again. A bar is closed when a later one
is seen, or when the caller says that its time is over. Ticks carry whole seconds only and several
of one second can be equal, so they are told apart by their order: history of the second in which
the line broke begins with what was handed out before, and it ends with what came live meanwhile.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pyfutures.ib.times import BarSize

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from pyfutures.ib.messages.history import Bar

__all__ = ["BarSeries", "TickSeries", "duration_over", "longest_duration"]


class BarSeries:
    """The bars of one subscription.

    `last` is the date of the last bar handed out, `forming` the bar that is not closed.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self.forming: Bar | None = None
        self.repeated = 0

    def feed(self, bar: Bar) -> Bar | None:
        """Take a bar; return the one that it closes, if any.

        Raises
        ------
        ValueError
            For a bar whose date is no number: it was asked for in a zone nobody knows.

        """
        date = int(bar.date)
        if self.last is not None and date <= self.last:
            self.repeated += 1
            return None
        forming = self.forming
        if forming is None or date == int(forming.date):
            self.forming = bar
            return None
        if date < int(forming.date):
            # Older than the one that forms, newer than all handed out: it was missed.
            self.last = date
            return bar
        self.forming = bar
        self.last = int(forming.date)
        return forming

    def close(self) -> Bar | None:
        """Return the bar that forms: its time is over."""
        forming, self.forming = self.forming, None
        if forming is not None:
            self.last = int(forming.date)
        return forming

    def skip(self, bars: Sequence[Bar]) -> None:
        """Take bars as handed out, but for the last, which forms."""
        for bar in bars:
            self.feed(bar)

    def cut(self) -> None:
        """Take note that the line is cut: what forms is only a part of its bar."""
        self.forming = None


class TickSeries[T]:
    """The ticks of one subscription.

    Parameters
    ----------
    time
        From a tick to its second.
    identity
        From a tick to what makes two ticks the same.

    """

    def __init__(self, time: Callable[[T], int], identity: Callable[[T], Hashable]) -> None:
        self._time = time
        self._identity = identity
        self.last: int | None = None
        self._recent: list[T] = []  # what was handed out of the last second

    def live(self, tick: T, time: int) -> None:
        """Take a tick that is handed out, and its second."""
        if time == self.last:
            self._recent.append(tick)
        elif self.last is None or time > self.last:
            self.last = time
            self._recent = [tick]
        # A tick that is late by its time is new all the same, and no mark to go by.

    def missed(self, history: Iterable[T], held: Iterable[T]) -> list[T]:
        """Return what to hand out after a cut, in order; it counts as handed out.

        Parameters
        ----------
        history
            What the gateway says happened from the second of the last tick on, ascending.
        held
            The live ticks that came while history was asked for.

        """
        live = [(self._time(tick), self._identity(tick), tick) for tick in held]
        past = self._behind_the_cut(
            [(self._time(tick), self._identity(tick), tick) for tick in history]
        )
        if past:
            # Seconds before its last one history has whole; of the last one, up to some tick.
            end = past[-1][0]
            told = Counter(row[:2] for row in past)
            live = [row for row in live if row[0] >= end or not _take(told, row[:2])]
            last = [row[:2] for row in past if row[0] == end]
            live = live[_overlap(last, [row[:2] for row in live]) :]
        found = [tick for _, _, tick in (*past, *live)]
        for tick in found:
            self.live(tick, self._time(tick))
        return found

    def _behind_the_cut(
        self, history: list[tuple[int, Hashable, T]]
    ) -> list[tuple[int, Hashable, T]]:
        """Return history without what was handed out before."""
        since = self.last
        if since is None:
            return history
        history = [row for row in history if row[0] >= since]
        seen = [(since, self._identity(tick)) for tick in self._recent]
        if [row[:2] for row in history[: len(seen)]] == seen:
            return history[len(seen) :]
        counted = Counter(seen)
        return [row for row in history if not _take(counted, row[:2])]


def _take(counted: Counter[tuple[int, Hashable]], key: tuple[int, Hashable]) -> bool:
    if counted[key] > 0:
        counted[key] -= 1
        return True
    return False


def _overlap(past: Sequence[tuple[int, Hashable]], live: Sequence[tuple[int, Hashable]]) -> int:
    """Return how many of the first of `live` are the last of `past`: as many as can be."""
    for length in range(min(len(past), len(live)), 0, -1):
        if past[-length] == live[0] and past[-length:] == live[:length]:
            return length
    return 0


#: How long a request may reach back, by the size of its bars: seconds, or days with their words
#: (https://interactivebrokers.github.io/tws-api/historical_limitations.html).
_STEPS: Final = {
    BarSize.SECOND_1: (1800, "1800 S"),
    BarSize.SECOND_5: (3600, "3600 S"),
    BarSize.SECOND_10: (14400, "14400 S"),
    BarSize.SECOND_15: (14400, "14400 S"),
    BarSize.SECOND_30: (28800, "28800 S"),
    BarSize.MINUTE_1: (86400, "1 D"),
    BarSize.MINUTE_2: (86400, "1 D"),
    BarSize.MINUTE_3: (7 * 86400, "1 W"),
    BarSize.MINUTE_5: (7 * 86400, "1 W"),
    BarSize.MINUTE_10: (7 * 86400, "1 W"),
    BarSize.MINUTE_15: (7 * 86400, "1 W"),
    BarSize.MINUTE_20: (7 * 86400, "1 W"),
    BarSize.MINUTE_30: (28 * 86400, "1 M"),
    BarSize.HOUR_1: (28 * 86400, "1 M"),
    BarSize.HOUR_2: (28 * 86400, "1 M"),
    BarSize.HOUR_3: (28 * 86400, "1 M"),
    BarSize.HOUR_4: (28 * 86400, "1 M"),
    BarSize.HOUR_8: (28 * 86400, "1 M"),
    BarSize.DAY_1: (365 * 86400, "1 Y"),
    BarSize.WEEK_1: (365 * 86400, "1 Y"),
    BarSize.MONTH_1: (365 * 86400, "1 Y"),
}


def longest_duration(size: BarSize) -> str:
    """Return the longest duration that one request for bars of a size may have."""
    return _STEPS[size][1]


def duration_over(seconds: float, size: BarSize) -> str:
    """Return a duration that reaches back at least so far, or as far as one request may."""
    most, words = _STEPS[size]
    length = size.seconds or 86400
    wanted = int(max(seconds, 0)) + 2 * length
    if wanted >= most:
        return words
    if wanted <= 86400 and size.seconds is not None:
        return f"{max(wanted, 60)} S"
    return f"{-(-wanted // 86400) + 1} D" if wanted + 86400 < most else words
