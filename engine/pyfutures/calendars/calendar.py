"""A calendar of open days, answering one question at a time.

This is the first witness: it looks at one day after the other, on Python dates, as a person
with a wall calendar would. `Calendar.table` is the second (`days.DayTable`, numpy).

The range rule, shared by both: a question is answered if the day asked about, and every day
looked at on the way to the answer, lies within first..last. Days after `valid_until` are
known only by projection; an answer that looked at one is a projected answer.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.calendars.days import ZERO_STEP, DayTable, day_number
from pyfutures.calendars.errors import CalendarRangeError, CalendarSpecError, NoSuchDayError
from pyfutures.calendars.later import Later

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pyfutures.calendars.days import Days
    from pyfutures.months import ContractMonth

WEEKEND: Final = "weekend"
HOLIDAY: Final = "holiday"
"""Why a day is closed when nobody recorded its name."""

_DAY: Final = dt.timedelta(1)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Calendar:
    """Open and closed days of one business-day calendar.

    Attributes
    ----------
    name : str
        Name by which rules refer to it.
    first, last : date
        What lies outside cannot be answered.
    valid_until : date
        Last day that rests on a source; later days up to `last` are projected.
    flags : bytes
        One byte a day from `first` to `last`: 1 open, 0 closed.
    zone : str or None
        Time zone of `early_closes`.
    early_closes : mapping of date to time
        Local closing time on open days that end early.
    reasons : mapping of date to str
        Why a day is closed. Weekends need no entry.

    """

    name: str
    first: dt.date
    last: dt.date
    valid_until: dt.date
    flags: bytes
    zone: str | None = None
    early_closes: Mapping[dt.date, dt.time] = field(default_factory=dict)
    reasons: Mapping[dt.date, str] = field(default_factory=dict)
    table: DayTable = field(init=False)

    def __post_init__(self) -> None:
        """Freeze the mappings and build the table.

        Raises
        ------
        CalendarSpecError
            If the bounds are out of order or do not fit `flags`.

        """
        if not self.first <= self.valid_until <= self.last:
            raise CalendarSpecError(
                self.name,
                f"`valid_until` {self.valid_until} lies outside {self.first} to {self.last}",
            )
        if len(self.flags) != (self.last - self.first).days + 1:
            raise CalendarSpecError(self.name, f"{len(self.flags)} flags do not fit its bounds")
        first = day_number(self.first)
        days = np.flatnonzero(np.frombuffer(self.flags, np.uint8)).astype(np.int64) + first
        days.flags.writeable = False
        table = DayTable(days, first, day_number(self.last))
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "early_closes", MappingProxyType(dict(self.early_closes)))
        if not isinstance(self.reasons, Later):
            object.__setattr__(self, "reasons", MappingProxyType(dict(self.reasons)))

    @classmethod
    def from_days(  # noqa: PLR0913
        cls,
        name: str,
        days: Collection[dt.date],
        *,
        first: dt.date | None = None,
        last: dt.date | None = None,
        valid_until: dt.date | None = None,
        zone: str | None = None,
        early_closes: Mapping[dt.date, dt.time] | None = None,
        reasons: Mapping[dt.date, str] | None = None,
    ) -> Calendar:
        """Return a calendar open on `days` alone.

        Parameters
        ----------
        name
            Its name.
        days
            Open days, in any order.
        first, last
            Bounds; the first and last open day by default.
        valid_until
            Later days are projected; `last` by default.
        zone, early_closes, reasons
            As the attributes.

        Raises
        ------
        CalendarSpecError
            If there is neither a day nor a bound, or a day lies outside the bounds.

        """
        if not days and (first is None or last is None):
            raise CalendarSpecError(name, "no open day: give `first` and `last`")
        start = min(days) if first is None else first
        end = max(days) if last is None else last
        flags = bytearray(max(0, (end - start).days + 1))
        for day in days:
            if not start <= day <= end:
                raise CalendarSpecError(name, f"{day} lies outside {start} to {end}")
            flags[(day - start).days] = 1
        return cls(
            name,
            start,
            end,
            end if valid_until is None else valid_until,
            bytes(flags),
            zone,
            early_closes or {},
            reasons or {},
        )

    def __repr__(self) -> str:
        """Short: the days would fill pages."""
        return f"Calendar({self.name!r}, {self.first}..{self.last})"

    def __reduce__(self) -> tuple[type[Calendar], tuple[object, ...]]:
        """Rebuild from plain values: mapping proxies do not pickle or copy."""
        return (
            Calendar,
            (
                self.name,
                self.first,
                self.last,
                self.valid_until,
                self.flags,
                self.zone,
                dict(self.early_closes),
                dict(self.reasons),
            ),
        )

    @property
    def projected(self) -> bool:
        """Whether it answers beyond `valid_until`."""
        return self.last > self.valid_until

    @property
    def days(self) -> Days:
        """Open days as a sorted, read-only int64 array of days since 1970-01-01."""
        return self.table.days

    def is_open(self, day: dt.date) -> bool:
        """Whether `day` is a business day.

        Raises
        ------
        CalendarRangeError
            If `day` lies outside the calendar.

        """
        return self.flags[self._at(day)] == 1

    def why_closed(self, day: dt.date) -> str | None:
        """Name of the holiday, ``weekend``, or None if `day` is open.

        Raises
        ------
        CalendarRangeError
            If `day` lies outside the calendar.

        """
        if self.is_open(day):
            return None
        return self.reasons.get(day) or (WEEKEND if day.weekday() >= _SATURDAY else HOLIDAY)

    def next(self, day: dt.date) -> dt.date:
        """First open day after `day`.

        Raises
        ------
        CalendarRangeError
            If `day` or the answer lies outside the calendar.

        """
        return self.offset(day, 1)

    def previous(self, day: dt.date) -> dt.date:
        """Last open day before `day`.

        Raises
        ------
        CalendarRangeError
            If `day` or the answer lies outside the calendar.

        """
        return self.offset(day, -1)

    def on_or_after(self, day: dt.date) -> dt.date:
        """Return `day` if it is open, else the first open day after it.

        Raises
        ------
        CalendarRangeError
            If `day` or the answer lies outside the calendar.

        """
        return day if self.is_open(day) else self.offset(day, 1)

    def on_or_before(self, day: dt.date) -> dt.date:
        """Return `day` if it is open, else the last open day before it.

        Raises
        ------
        CalendarRangeError
            If `day` or the answer lies outside the calendar.

        """
        return day if self.is_open(day) else self.offset(day, -1)

    def offset(self, day: dt.date, n: int) -> dt.date:
        """Return the `n`-th open day after (or before) `day`, which is never counted itself.

        Raises
        ------
        CalendarRangeError
            If `day` or the answer lies outside the calendar.
        ValueError
            If `n` is 0.

        """
        if n == 0:
            raise ValueError(ZERO_STEP)
        self._at(day)
        step = _DAY if n > 0 else -_DAY
        left = abs(n)
        while left:
            day += step
            left -= self.is_open(day)
        return day

    def nth_of_month(self, month: ContractMonth, n: int) -> dt.date:
        """Return the `n`-th open day of `month`, from its end if `n` is negative.

        Raises
        ------
        CalendarRangeError
            If a day that decides the answer lies outside the calendar.
        NoSuchDayError
            If the month has fewer open days.
        ValueError
            If `n` is 0.

        """
        if n == 0:
            raise ValueError(ZERO_STEP)
        day, step = (month.first_day, _DAY) if n > 0 else (month.last_day, -_DAY)
        left = abs(n)
        while (day.year, day.month) == (month.year, month.month):
            left -= self.is_open(day)
            if left == 0:
                return day
            day += step
        raise NoSuchDayError(self, month, n)

    def _at(self, day: dt.date) -> int:
        if not self.first <= day <= self.last:
            raise CalendarRangeError(self, day)
        return day.toordinal() - self.first.toordinal()
