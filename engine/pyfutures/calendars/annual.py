"""Closed days that come back every year, as data: a fixed date, the n-th weekday, or Easter."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from dateutil.easter import easter as easter_sunday

from pyfutures.weekdays import Weekday

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DAY: Final = dt.timedelta(1)
_SATURDAY, _SUNDAY = 5, 6


class Observed(StrEnum):
    """Where a fixed date moves that falls on a weekend."""

    NONE = "none"
    """It stays: nothing is lost or gained."""
    MONDAY = "monday"
    """Saturday and Sunday move to the Monday after."""
    SUNDAY_TO_MONDAY = "sunday_to_monday"
    """Sunday moves to Monday, Saturday is lost: US Federal Reserve, Singapore."""
    NEAREST = "nearest"
    """Saturday moves to Friday, Sunday to Monday: US government."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annual:
    """A closed day of every year; just one of `day`, `nth` and `easter` is set.

    Attributes
    ----------
    name : str
        Name of the holiday, shown where a day is skipped.
    month, day : int or None
        A fixed date.
    nth, weekday : int and Weekday, or None
        With `month`: the n-th weekday of the month, from its end if negative.
    easter : int or None
        Days after Easter Sunday (-2 is Good Friday).
    observed : Observed
        Where a fixed date moves that falls on a weekend.
    since, until : int or None
        First and last year, inclusive; YAML keys ``from`` and ``until``.

    """

    name: str
    month: int | None = None
    day: int | None = None
    nth: int | None = None
    weekday: Weekday | None = None
    easter: int | None = None
    observed: Observed = Observed.NONE
    since: int | None = None
    until: int | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Annual:
        """Return the rule written in `data`, which the calendar schema has accepted."""
        weekday = data.get("weekday")
        return cls(
            name=str(data["name"]),
            month=_whole(data, "month"),
            day=_whole(data, "day"),
            nth=_whole(data, "nth"),
            weekday=None if weekday is None else Weekday(str(weekday)),
            easter=_whole(data, "easter"),
            observed=Observed(str(data.get("observed", "none"))),
            since=_whole(data, "from"),
            until=_whole(data, "until"),
        )

    def on(self, year: int) -> dt.date | None:
        """Return the day it is kept in `year`; None if that year has no such day."""
        if self.easter is not None:
            return easter_sunday(year) + self.easter * _DAY
        month = self.month or 1
        length = calendar.monthrange(year, month)[1]
        if self.nth is not None and self.weekday is not None:
            if self.nth > 0:
                first = dt.date(year, month, 1)
                day = 1 + (self.weekday.number - first.weekday()) % 7 + 7 * (self.nth - 1)
            else:
                last = dt.date(year, month, length)
                day = length - (last.weekday() - self.weekday.number) % 7 + 7 * (self.nth + 1)
            return dt.date(year, month, day) if 1 <= day <= length else None
        day = self.day or 1
        return _observed(dt.date(year, month, day), self.observed) if day <= length else None

    def dates(self, first: dt.date, last: dt.date) -> Iterator[dt.date]:
        """Yield the days it is kept from `first` to `last`, in order."""
        # A year more on either side: a day observed may cross New Year.
        start = max(first.year - 1, self.since or dt.MINYEAR)
        end = min(last.year + 1, self.until or dt.MAXYEAR)
        for year in range(start, end + 1):
            day = self.on(year)
            if day is not None and first <= day <= last:
                yield day


def _observed(day: dt.date, rule: Observed) -> dt.date:
    weekday = day.weekday()
    match rule:
        case Observed.NONE:
            return day
        case Observed.MONDAY:
            shift = {_SATURDAY: 2, _SUNDAY: 1}
        case Observed.SUNDAY_TO_MONDAY:
            shift = {_SUNDAY: 1}
        case Observed.NEAREST:
            shift = {_SATURDAY: -1, _SUNDAY: 1}
        case _:
            assert_never(rule)
    return day + shift.get(weekday, 0) * _DAY


def _whole(data: Mapping[str, object], key: str) -> int | None:
    value = data.get(key)
    return None if value is None else int(str(value))
