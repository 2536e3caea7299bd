"""Calendars in the making.

Compiling goes one way: base or members, then `annual` closed days, then `add`, then `remove`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from pyfutures.calendars.bases import FIRST_DAY, LAST_DAY
from pyfutures.calendars.calendar import Calendar
from pyfutures.calendars.errors import BaseError, CalendarSpecError
from pyfutures.calendars.later import Later
from pyfutures.calendars.spec import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from pyfutures.calendars.bases import Base
    from pyfutures.calendars.spec import CalendarSpec

_DAY: Final = dt.timedelta(1)
_SATURDAY: Final = 5
_WEEK: Final = 7
_YEAR: Final = 364
"""A year of whole weeks, to see which weekdays an exchange works on."""


class Draft:
    """A calendar in the making: open flags from `first` to `last`, still to be changed."""

    def __init__(  # noqa: PLR0913
        self,
        spec: CalendarSpec,
        first: dt.date,
        valid_until: dt.date,
        flags: NDArray[np.uint8],
        *,
        zone: str | None,
        reasons: Mapping[dt.date, str],
        early_closes: Mapping[dt.date, dt.time],
    ) -> None:
        self.spec = spec
        self.first = first
        self.last = first + (len(flags) - 1) * _DAY
        self.valid_until = valid_until
        self.flags = flags
        self.zone = zone
        self._reasons = reasons
        # What the author closes, and whether it was open until then.
        self._closed: list[tuple[dt.date, str, bool]] = []
        #: What the author adds or removes in vain, as paths into the spec; known when finished.
        self.idle: list[tuple[str, dt.date]] = []
        self.early_closes = dict(early_closes)

    def finish(self) -> Calendar:
        """Apply the author's changes and freeze.

        Raises
        ------
        CalendarSpecError
            If a day is both added and removed, lies outside the calendar, ends early although
            it is closed, or ends early in no zone.

        """
        self._change_days()
        spec, is_open = self.spec, self.flags.tobytes()
        for day in spec.early_closes:
            self._see_inside("early_closes", day)
            if not is_open[self._at(day)]:
                message = f"{day} cannot end early: it is closed"
                raise CalendarSpecError(spec.calendar, message, ("early_closes", str(day)))
        self.early_closes.update(spec.early_closes)
        if self.early_closes and self.zone is None:
            message = "early closes are local times, but of no zone; name the `zone`"
            raise CalendarSpecError(spec.calendar, message, ("early_closes",))
        return Calendar(
            spec.calendar,
            self.first,
            self.last,
            self.valid_until,
            is_open,
            self.zone,
            {
                day: time
                for day, time in sorted(self.early_closes.items())
                if self.first <= day <= self.last and is_open[self._at(day)]
            },
            Later(lambda: self._why_closed(is_open)),
        )

    def _change_days(self) -> None:
        spec = self.spec
        both = spec.add.keys() & spec.remove.keys()
        if both:
            message = f"{min(both)} is in both `add` and `remove`"
            raise CalendarSpecError(spec.calendar, message, ("remove", str(min(both))))
        for rule in spec.annual:
            for day in rule.dates(self.first, self.last):
                self._close(day, rule.name)
        for day in spec.add:
            self._see_inside("add", day)
            if self.flags[self._at(day)]:
                self.idle.append(("add", day))
            self.flags[self._at(day)] = 1
        for day, why in spec.remove.items():
            self._see_inside("remove", day)
            if not self.flags[self._at(day)]:
                self.idle.append(("remove", day))
            self._close(day, why)

    def _why_closed(self, is_open: bytes) -> dict[dt.date, str]:
        reasons = dict(self._reasons)
        for day, why, was_open in self._closed:
            # A weekend needs no other reason than being one; a holiday keeps its own.
            if was_open or (day.weekday() < _SATURDAY and day not in reasons):
                reasons[day] = why
        return {
            day: why
            for day, why in sorted(reasons.items())
            if self.first <= day <= self.last and not is_open[self._at(day)]
        }

    def _see_inside(self, key: str, day: dt.date) -> None:
        if not self.first <= day <= self.last:
            raise CalendarSpecError(
                self.spec.calendar,
                f"`{key}` {day} lies outside {self.first} to {self.last};"
                " take it out or extend `valid_until`",
                (key, str(day)),
            )

    def _close(self, day: dt.date, why: str) -> None:
        at = self._at(day)
        self._closed.append((day, why, bool(self.flags[at])))
        self.flags[at] = 0

    def _at(self, day: dt.date) -> int:
        return day.toordinal() - self.first.toordinal()


def from_base(spec: CalendarSpec, load: Callable[[str], Base]) -> Draft:
    """Return the draft of a calendar that starts from a base.

    Raises
    ------
    CalendarSpecError
        If there is no such base or its bounds are out of order.

    """
    if spec.base is None:
        raise CalendarSpecError(spec.calendar, "neither `base` nor a join is given")
    zone: str | None = None
    reasons: Mapping[dt.date, str] = {}
    early: Mapping[dt.date, dt.time] = {}
    if spec.base == WEEKDAYS:
        first, known_until, week = FIRST_DAY, LAST_DAY, np.array([1, 1, 1, 1, 1, 0, 0], np.uint8)
        known = np.zeros(0, np.uint8)
    else:
        try:
            base = load(spec.base)
        except BaseError as error:
            raise CalendarSpecError(spec.calendar, str(error), ("base",)) from error
        first, known_until, zone, reasons = base.first, base.last, base.zone, base.reasons
        if spec.base_early_closes:
            early = in_zone(spec, base.early_closes, zone, spec.zone or zone)
        known = np.frombuffer(base.flags, np.uint8)
        week = _week(known, first)
    valid_until = spec.valid_until or known_until
    last = LAST_DAY if spec.projected else valid_until
    start = spec.valid_from or first
    check_bounds(spec, first, start, valid_until, LAST_DAY)
    # Past the end of the base every working weekday is open, less what the author closes.
    length = (last - first).days + 1
    flags = np.tile(np.roll(week, -first.weekday()), length // _WEEK + 1)[:length]
    flags[: len(known)] = known[:length]
    return Draft(
        spec,
        start,
        valid_until,
        flags[(start - first).days :].copy(),
        zone=spec.zone or zone,
        reasons=reasons,
        early_closes=early,
    )


def _week(flags: NDArray[np.uint8], first: dt.date) -> NDArray[np.uint8]:
    """Weekdays, Monday first, on which most days of the last year were open."""
    year = flags[-_YEAR:]
    offset = (first.weekday() + len(flags) - len(year)) % _WEEK
    weekdays = (np.arange(len(year)) + offset) % _WEEK
    opened = np.bincount(weekdays, weights=year, minlength=_WEEK)
    return (2 * opened > np.bincount(weekdays, minlength=_WEEK)).astype(np.uint8)


def in_zone(
    spec: CalendarSpec, early: Mapping[dt.date, dt.time], theirs: str | None, ours: str | None
) -> Mapping[dt.date, dt.time]:
    """Return early closes of a zone as times of another one.

    Raises
    ------
    CalendarSpecError
        If one falls on another day there.

    """
    if theirs == ours or theirs is None or ours is None:
        return early
    found = {}
    for day, time in early.items():
        close = dt.datetime.combine(day, time, ZoneInfo(theirs)).astimezone(ZoneInfo(ours))
        if close.date() != day:
            message = f"the early close {day} {time:%H:%M} {theirs} is on another day in {ours}"
            raise CalendarSpecError(spec.calendar, message, ("zone",))
        found[day] = close.time()
    return found


def check_bounds(
    spec: CalendarSpec,
    first: dt.date,
    start: dt.date,
    valid_until: dt.date,
    last: dt.date,
) -> None:
    """Refuse bounds that contradict what a calendar builds on, which starts on `first`.

    Raises
    ------
    CalendarSpecError
        If `start` or `valid_until` lies outside `first` to `last`.

    """
    if first > last:
        path = () if spec.join is None else (spec.join.kind,)
        raise CalendarSpecError(spec.calendar, "its members have no day in common", path)
    if start < first:
        raise CalendarSpecError(
            spec.calendar,
            f"`valid_from` {start} lies before {first}, where what it builds on starts",
            ("valid_from",),
        )
    if not start <= valid_until <= last:
        raise CalendarSpecError(
            spec.calendar,
            f"`valid_until` {valid_until} lies outside {start} to {last}",
            ("valid_until",),
        )
