"""Sorted arrays of open days, and the questions that arrays of days ask of them.

This is the second witness of a calendar: it looks up how many days were open until then, where
`calendar.Calendar` walks from day to day. The two share the range rule and nothing else:

- a day is an int64 count of days since 1970-01-01;
- a question is answered if both the day asked about and the answer lie within first..last;
- what cannot be answered is `NAT`, and `NAT` in is `NAT` out;
- a month that has not as many open days as asked for is `NO_DAY`, which also passes through.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.months import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    type Days = NDArray[np.int64]
    type Flags = NDArray[np.bool_]

NAT: Final = int(np.iinfo(np.int64).min)
"""No answer: the calendar does not reach so far. The same bits as numpy's NaT."""
NO_DAY: Final = NAT + 1
"""An answer: the month has no such open day."""

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_FIRST_MONTH_INDEX: Final = 1970 * 12
#: Every contract month, and one more on either side.
_TABLED: Final = range(FIRST_YEAR * 12 - 1, (LAST_YEAR + 1) * 12 + 1)


def day_number(day: dt.date) -> int:
    """Days from 1970-01-01 to `day`."""
    return day.toordinal() - _EPOCH


def date_of(number: int) -> dt.date:
    """Return the date that lies `number` days after 1970-01-01.

    Raises
    ------
    ValueError
        If `number` is `NAT`, `NO_DAY` or outside the years 1-9999.

    """
    try:
        return dt.date.fromordinal(int(number) + _EPOCH)
    except OverflowError:
        msg = f"{number} is not a day"
        raise ValueError(msg) from None


def month_starts(month_indices: ArrayLike) -> Days:
    """First calendar day of each month, given as ``year * 12 + month - 1``."""
    places = np.asarray(month_indices, np.int64) - _TABLED.start
    if places.size and places.min() >= 0 and places.max() < len(_TABLED):
        return _starts().take(places)
    return _reckoned(places + _TABLED.start)


@cache
def _starts() -> Days:
    """The starts of the tabled months: looking them up takes a fifth of reckoning them."""
    return _reckoned(np.arange(_TABLED.start, _TABLED.stop))


def _reckoned(month_indices: Days) -> Days:
    months = month_indices - _FIRST_MONTH_INDEX
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class DayTable:
    """Open days in ascending order, known from `first` to `last` inclusive.

    Attributes
    ----------
    days : int64 array, shape (n,)
        Open days, strictly increasing, read-only.
    first, last : int
        Bounds of what is known, as day numbers. Either may be a closed day.

    """

    days: Days
    first: int
    last: int
    _before: NDArray[np.int32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Count how many open days lie before each day, and before the one after the last."""
        opened = np.zeros(max(0, self.last - self.first + 1) + 1, np.int32)
        opened[self.days - self.first + 1] = 1
        object.__setattr__(self, "_before", np.cumsum(opened, dtype=np.int32))

    def covers(self, days: ArrayLike) -> Flags:
        """Whether each day lies within the bounds of the table."""
        asked = np.asarray(days, np.int64)
        return (asked >= self.first) & (asked <= self.last)

    def is_open(self, days: ArrayLike) -> Flags:
        """Whether each day is known to be open; False where unknown, see `covers`."""
        asked = np.asarray(days, np.int64)
        if self.days.size == 0:
            return np.zeros(asked.shape, np.bool_)
        found: Flags = self.days.take(self._rank(asked), mode="clip") == asked
        return found

    def next(self, days: ArrayLike) -> Days:
        """First open day after each day."""
        return self.offset(days, 1)

    def previous(self, days: ArrayLike) -> Days:
        """Last open day before each day."""
        return self.offset(days, -1)

    def on_or_after(self, days: ArrayLike) -> Days:
        """Each day if it is open, else the first open day after it."""
        asked = np.asarray(days, np.int64)
        return self._pick(asked, self._rank(asked))

    def on_or_before(self, days: ArrayLike) -> Days:
        """Each day if it is open, else the last open day before it."""
        asked = np.asarray(days, np.int64)
        return self._pick(asked, self._rank(asked + 1) - 1)

    def offset(self, days: ArrayLike, n: int) -> Days:
        """Return the `n`-th open day after (or before) each day, which is never counted itself.

        Raises
        ------
        ValueError
            If `n` is 0: a strict step of no days has no meaning on a closed day.

        """
        asked = np.asarray(days, np.int64)
        if n > 0:
            return self._pick(asked, self._rank(asked + 1) + (n - 1))
        if n < 0:
            return self._pick(asked, self._rank(asked) + n)
        raise ValueError(ZERO_STEP)

    def nth_of_month(self, month_indices: ArrayLike, n: int) -> Days:
        """Return the `n`-th open day of each month, from the end if `n` is negative.

        Parameters
        ----------
        month_indices
            Months as ``year * 12 + month - 1``.
        n
            1 is the first open day, -1 the last.

        Raises
        ------
        ValueError
            If `n` is 0.

        """
        asked = np.asarray(month_indices, np.int64)
        missing = (asked == NAT) | (asked == NO_DAY)
        indices = np.where(missing, _FIRST_MONTH_INDEX, asked)
        starts, ends = month_starts(indices), month_starts(indices + 1) - 1
        if n > 0:
            near, far, at = starts, ends, self._rank(starts) + (n - 1)
        elif n < 0:
            near, far, at = ends, starts, self._rank(ends + 1) + n
        else:
            raise ValueError(ZERO_STEP)
        picked = self._pick(near, at)
        within = (picked >= starts) & (picked <= ends)
        # Known to be too few only if the whole month was seen.
        too_few = np.where(self.covers(near) & self.covers(far), NO_DAY, NAT)
        return np.where(missing, asked, np.where(within, picked, too_few))

    def count_before(self, days: ArrayLike) -> NDArray[np.int32]:
        """How many open days lie before each day, as far as they are known."""
        return self._rank(np.asarray(days, np.int64))

    def between(self, start: int, end: int) -> Days:
        """Open days from `start` to `end`, both inclusive, as far as they are known."""
        low, high = self.days.searchsorted([start, end + 1])
        return self.days[low:high]

    def _rank(self, days: Days) -> NDArray[np.int32]:
        # What has no day wraps around to some place: `_pick` does not look at it.
        return self._before.take(days - self.first, mode="clip")

    def _pick(self, asked: Days, at: NDArray[np.int32]) -> Days:
        if self.days.size == 0:
            picked = np.full(asked.shape, NAT, np.int64)
        else:
            inside = (at >= 0) & (at < self.days.size) & self.covers(asked)
            picked = np.where(inside, self.days[np.clip(at, 0, self.days.size - 1)], NAT)
        return np.where(asked == NO_DAY, NO_DAY, picked)


ZERO_STEP: Final = "n must not be 0: the start of a step is never counted"
