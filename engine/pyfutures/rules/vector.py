"""One rule for an array of contract months at once: the second witness.

It bisects the calendars' tables and shares nothing with `scalar` but the steps. Days travel as
int64 counts since 1970-01-01; a row that has failed carries its failure in place of its day, `NAT`
(not known) or `NO_DAY` (no such day), both smaller than any day, and every later step hands it on.
So the first failure of a row wins, as in `scalar`, where it is an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, assert_never

import numpy as np

from pyfutures.calendars.days import NAT, NO_DAY, day_number, month_starts
from pyfutures.months import FIRST_YEAR, LAST_YEAR, MONTH_CODES, ContractMonth
from pyfutures.rules.steps import (
    ELSE,
    MOST_WEEKS_BACK,
    BusinessDay,
    BusinessDays,
    ByMonth,
    CalendarDays,
    Day,
    Direction,
    From,
    IfClosed,
    LeafStep,
    Month,
    Nearest,
    NthWeekday,
    OnOrAfter,
    OnOrBefore,
    Side,
    Step,
    WeeksBackWhileClosed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from pyfutures.calendars.calendar import Calendar
    from pyfutures.rules.protocols import Calendars
    from pyfutures.rules.rule import Rule

    type Days = NDArray[np.int64]
    type Flags = NDArray[np.bool_]

__all__ = ["Evaluated", "Status", "evaluate"]

_FIRST_INDEX: Final = ContractMonth(FIRST_YEAR, 1).index
_LAST_INDEX: Final = ContractMonth(LAST_YEAR, 12).index
_FIRST_DAY: Final = day_number(ContractMonth(FIRST_YEAR, 1).first_day)
_LAST_DAY: Final = day_number(ContractMonth(LAST_YEAR, 12).last_day)
_THURSDAY: Final = 3  # 1970-01-01
_WEEK: Final = 7


class Status(IntEnum):
    """What is known of the day of a row; the larger, the less."""

    OK = 0
    PROJECTED = 1
    UNKNOWN = 2
    NO_DAY = 3


class Evaluated(NamedTuple):
    """The days of a rule, one row a contract month.

    Attributes
    ----------
    days : int64 array, shape (n,)
        Days since 1970-01-01, `NAT` where there is none.
    status : uint8 array, shape (n,)
        A `Status` a row.

    """

    days: Days
    status: NDArray[np.uint8]


def evaluate(
    rule: Rule,
    indices: ArrayLike,
    *,
    calendar: str,
    calendars: Calendars,
    events: Mapping[str, ArrayLike | Evaluated] | None = None,
) -> Evaluated:
    """Return the days that the rule gives the contract months, and what is known of each.

    Parameters
    ----------
    rule
        The rule.
    indices : int64 array, shape (n,)
        Contract months as ``year * 12 + month - 1``, in any order.
    calendar
        Name of the calendar for the steps that name none.
    calendars
        Calendars by name.
    events
        Days of other events, for ``from``: for each an array of shape (n,) with `NAT` where the day
        is not known, or an `Evaluated`, which hands on what is projected.

    Raises
    ------
    UnknownCalendarError, KeyError
        When `calendars` has no calendar of that name.

    """
    months = np.asarray(indices, np.int64)
    rows = _Rows(
        months=months,
        places=np.arange(months.size),
        at=_in_span(months, _FIRST_INDEX, _LAST_INDEX).copy(),
        projected=np.zeros(months.shape, np.bool_),
    )
    _Run(calendar, calendars, events or {}).take_all(rule.steps, rows)
    status = rows.projected.astype(np.uint8)
    status[rows.at == NAT] = Status.UNKNOWN
    status[rows.at == NO_DAY] = Status.NO_DAY
    return Evaluated(np.where(rows.at == NO_DAY, NAT, rows.at), status)


@dataclass(slots=True)
class _Rows:
    """Rows under way: `at` is the index of a month, later a day, or the failure of the row."""

    months: Days
    places: NDArray[np.intp]
    at: Days
    projected: Flags

    def only(self, chosen: Flags) -> _Rows:
        return _Rows(
            self.months[chosen], self.places[chosen], self.at[chosen], self.projected[chosen]
        )

    def move(
        self, days: Days, *, seen: Days | int = NO_DAY, calendar: Calendar | None = None
    ) -> None:
        """Put each row that has not failed on its day; `seen` is the latest day looked at."""
        moved = np.where(self.at > NO_DAY, days, self.at)
        if calendar is not None and calendar.projected:
            self.projected |= np.maximum(moved, seen) > day_number(calendar.valid_until)
        self.at = _in_span(moved, _FIRST_DAY, _LAST_DAY)

    def fill(self, chosen: Flags, part: _Rows) -> None:
        self.at[chosen] = part.at
        self.projected[chosen] = part.projected


@dataclass(frozen=True, slots=True)
class _Run:
    """What the steps of a rule may ask."""

    calendar: str
    calendars: Calendars
    events: Mapping[str, ArrayLike | Evaluated]

    def take_all(self, steps: tuple[Step, ...], rows: _Rows) -> None:
        for step in steps:
            if isinstance(step, ByMonth):
                self._branch(step, rows)
            else:
                self._take(step, rows)

    def _branch(self, step: ByMonth, rows: _Rows) -> None:
        # Branches are disjoint, so a row is changed by one of them at most.
        codes = rows.months % len(MONTH_CODES)
        keys = np.array([step.branch(code)[0] for code in MONTH_CODES])[codes]
        branches = [(branch.codes, branch.steps) for branch in step.branches]
        for key, steps in (*branches, (ELSE, step.otherwise or ())):
            chosen = keys == key
            if steps and chosen.any():
                part = rows.only(chosen)
                self.take_all(steps, part)
                rows.fill(chosen, part)

    def _take(self, step: LeafStep, rows: _Rows) -> None:
        match step:
            case Month():
                rows.at = _shift(step, rows.at)
            case NthWeekday():
                rows.move(_nth_weekday(step, rows.at))
            case Day():
                rows.move(_day_of_month(step.n, rows.at))
            case Nearest():
                rows.move(_nearest(step, rows.at))
            case From():
                self._event(step, rows)
            case CalendarDays():
                rows.move(rows.at + step.n)
            case OnOrBefore():
                rows.move(rows.at - (_weekday(rows.at) - step.weekday.number) % _WEEK)
            case OnOrAfter():
                rows.move(rows.at + (step.weekday.number - _weekday(rows.at)) % _WEEK)
            case BusinessDay() | IfClosed() | BusinessDays() | WeeksBackWhileClosed():
                self._ask(step, rows, self.calendars[step.calendar or self.calendar])
            case _:
                assert_never(step)

    def _ask(
        self,
        step: BusinessDay | IfClosed | BusinessDays | WeeksBackWhileClosed,
        rows: _Rows,
        calendar: Calendar,
    ) -> None:
        table = calendar.table
        match step:
            case BusinessDay():
                months = np.where(rows.at == NAT, _FIRST_INDEX, rows.at)
                # From the end of a month, its last day is the latest that was looked at.
                asked = NO_DAY if step.n > 0 else month_starts(months + 1) - 1
                rows.move(table.nth_of_month(months, step.n), seen=asked, calendar=calendar)
            case IfClosed(direction=Direction.PREVIOUS):
                rows.move(table.on_or_before(rows.at), seen=rows.at, calendar=calendar)
            case IfClosed():
                rows.move(table.on_or_after(rows.at), seen=rows.at, calendar=calendar)
            case BusinessDays():
                rows.move(table.offset(rows.at, step.n), seen=rows.at, calendar=calendar)
            case WeeksBackWhileClosed():
                _weeks_back(step, rows, calendar)
            case _:
                assert_never(step)

    def _event(self, step: From, rows: _Rows) -> None:
        event = self.events.get(step.event)
        if event is None:
            rows.at = np.full_like(rows.at, NAT)
            return
        if isinstance(event, Evaluated):
            rows.projected |= (event.status == Status.PROJECTED)[rows.places]
            event = event.days
        days = np.asarray(event, np.int64)[rows.places]
        # An event that has no day is not known to whoever counts from it.
        rows.move(np.where(days == NO_DAY, NAT, days))


# --- months to days


def _in_span(numbers: Days, first: int, last: int) -> Days:
    """Return the numbers, `NAT` where one is outside the bounds; failures stay as they are."""
    outside = ((numbers < first) & (numbers > NO_DAY)) | (numbers > last)
    return np.where(outside, NAT, numbers) if outside.any() else numbers


def _shift(step: Month, months: Days) -> Days:
    shifted = np.where(months == NAT, NAT, months + step.shift)
    return _in_span(shifted, _FIRST_INDEX, _LAST_INDEX)


def _bounds(months: Days) -> tuple[Days, Days]:
    """Return the first and the last day of each month; any month where it is not known."""
    known = np.where(months == NAT, _FIRST_INDEX, months)
    return month_starts(known), month_starts(known + 1) - 1


def _weekday(days: Days) -> Days:
    return (days + _THURSDAY) % _WEEK


def _nth_weekday(step: NthWeekday, months: Days) -> Days:
    first, last = _bounds(months)
    if step.nth > 0:
        days = first + (step.day.number - _weekday(first)) % _WEEK + _WEEK * (step.nth - 1)
        return np.where(days <= last, days, NO_DAY)
    days = last - (_weekday(last) - step.day.number) % _WEEK + _WEEK * (step.nth + 1)
    return np.where(days >= first, days, NO_DAY)


def _day_of_month(n: int, months: Days) -> Days:
    first, last = _bounds(months)
    if n > 0:
        return np.where(first + n - 1 <= last, first + n - 1, NO_DAY)
    return np.where(last + n + 1 >= first, last + n + 1, NO_DAY)


def _nearest(step: Nearest, months: Days) -> Days:
    target = _day_of_month(step.day, months)
    offset = (step.weekday.number - _weekday(target) + _WEEK // 2) % _WEEK - _WEEK // 2
    return np.where(target == NO_DAY, NO_DAY, target + offset)


# --- the search for an undisturbed week


def _weeks_back(step: WeeksBackWhileClosed, rows: _Rows, calendar: Calendar) -> None:
    """Move each row back until its window is open; rows leave the search as they are settled."""
    valid_until = day_number(calendar.valid_until)
    places = np.flatnonzero(rows.at > NO_DAY)
    for _ in range(MOST_WEEKS_BACK + 1):
        if not places.size:
            return
        window = _window(step, rows.at[places])
        known = calendar.table.covers(window)
        closed = known & ~calendar.table.is_open(window)
        guessed = known & (window > valid_until)
        surely_closed = (closed & ~guessed).any(axis=0)
        closed_anyhow = closed.any(axis=0)
        unknown = ~closed_anyhow & ~known.all(axis=0)
        # What is known for sure settles it; only then do projected days matter.
        rows.projected[places] |= guessed.any(axis=0) & ~surely_closed
        rows.at[places[unknown]] = NAT
        places = places[closed_anyhow]
        rows.at[places] -= _WEEK
    rows.at[places] = NO_DAY


def _window(step: WeeksBackWhileClosed, days: Days) -> Days:
    """Return the days and the weekdays on their side, one row for each place in the window."""
    dates = days.astype("datetime64[D]")
    # numpy first rolls a weekend to the weekday behind it, so that the first step is counted right.
    roll: Literal["forward", "backward"]
    roll, sign = ("forward", -1) if step.side is Side.BEFORE else ("backward", 1)
    steps = sign * np.arange(1, step.weekdays + 1)[:, np.newaxis]
    weekdays = np.busday_offset(dates[np.newaxis, :], steps, roll=roll).astype(np.int64)
    return np.concatenate([days[np.newaxis, :], weekdays])
