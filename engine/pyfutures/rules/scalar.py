"""One rule for one contract month, day by day, with the reasons: the first witness.

It stands on dateutil and on the calendars' scalar questions and knows nothing of numpy. A calendar
is *consulted* about the day that it is asked from and all days on the way to the answer. The answer
is projected as soon as one of these lies after the `valid_until` of its calendar: cut the calendar
there, and the same question fails.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dateutil.relativedelta import FR, MO, SA, SU, TH, TU, WE, relativedelta

from pyfutures.calendars.errors import CalendarRangeError
from pyfutures.months import FIRST_YEAR, LAST_YEAR, ContractMonth, MonthError
from pyfutures.rules.errors import NoDayError, OutOfSpanError, UnknownEventError
from pyfutures.rules.steps import (
    ANCHORS,
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
    Weekday,
    WeeksBackWhileClosed,
    month_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyfutures.calendars.calendar import Calendar
    from pyfutures.rules.protocols import Calendars
    from pyfutures.rules.rule import Rule

__all__ = ["Trace", "TraceStep", "trace"]

_WEEKDAYS: Final = dict(zip(Weekday, (MO, TU, WE, TH, FR, SA, SU), strict=True))
_SHORT: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SATURDAY: Final = 5
_LONGEST_MONTH: Final = 31
_DAY: Final = dt.timedelta(1)
_WEEKEND: Final = "weekend"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """What one step did.

    Attributes
    ----------
    path : tuple of int and str
        Where the step stands, from the rule's root: ``(2,)`` or ``(0, "by_month", "G", 1)``.
    step : Step
        The step.
    text : str
        In words, ``25th day of the month before the contract month``.
    before, after : date or ContractMonth
        What it was given and what it made of it.
    note : str or None
        Why: the closed days on the way, or the branch that was taken.
    calendar : str or None
        The calendar that it asked.
    projected : bool
        Whether it consulted a day that is only projected.

    """

    path: tuple[int | str, ...]
    step: Step
    text: str
    before: dt.date | ContractMonth
    after: dt.date | ContractMonth
    note: str | None = None
    calendar: str | None = None
    projected: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """The day of a rule, and how it came about."""

    steps: tuple[TraceStep, ...]
    day: dt.date
    projected: bool


def trace(
    rule: Rule,
    month: ContractMonth,
    *,
    calendar: str,
    calendars: Calendars,
    events: Mapping[str, dt.date | Trace] | None = None,
) -> Trace:
    """Return the day that the rule gives a contract month, with every step on the way.

    Parameters
    ----------
    rule
        The rule.
    month
        The contract month.
    calendar
        Name of the calendar for the steps that name none.
    calendars
        Calendars by name.
    events
        Days of other events of the same month, for ``from``. A `Trace` hands on its `projected`.

    Raises
    ------
    CalendarRangeError
        When a day that decides lies outside its calendar.
    NoSuchDayError
        When a month has fewer open days than a ``business_day`` counts.
    NoDayError
        When the rule asks for a day that does not exist.
    UnknownEventError
        When the event that the rule counts from is not in `events`.
    OutOfSpanError
        When the rule leaves the years 1900 to 2199.
    UnknownCalendarError, KeyError
        When `calendars` has no calendar of that name.

    """
    walk = _Walk(month, calendar, calendars, events or {}, month)
    walk.take_all(rule.steps, ())
    if not isinstance(walk.at, dt.date):  # pragma: no cover - a Rule ends in a date
        raise TypeError(rule)
    return Trace(tuple(walk.done), walk.at, walk.projected)


@dataclass(slots=True)
class _Walk:
    """A rule under way: where it stands and what it has done."""

    month: ContractMonth
    calendar: str
    calendars: Calendars
    events: Mapping[str, dt.date | Trace]
    at: dt.date | ContractMonth
    projected: bool = False
    done: list[TraceStep] = field(default_factory=list)

    def take_all(self, steps: tuple[Step, ...], path: tuple[int | str, ...]) -> None:
        for number, step in enumerate(steps):
            if isinstance(step, ByMonth):
                self._branch(step, (*path, number))
            else:
                self._take(step, (*path, number))

    def _branch(self, step: ByMonth, path: tuple[int | str, ...]) -> None:
        key, steps = step.branch(self.month.code)
        text = "for all other months" if key == ELSE else f"for {key}"
        note = f"{self.month} takes `{key}`"
        self.done.append(TraceStep(path, step, text, self.at, self.at, note))
        self.take_all(steps, (*path, step.kind.value, key))

    def _take(self, step: LeafStep, path: tuple[int | str, ...]) -> None:
        before = self.at
        text = step.text
        if isinstance(before, dt.date):
            moved = self._adjust(step, before)
        else:
            moved = self._anchor(step, before)
            if isinstance(step, ANCHORS):
                text = step.words(month_words(before.index - self.month.index))
        _check_span(step, moved.at)
        self.at = moved.at
        self.projected |= moved.projected
        name = moved.calendar.name if moved.calendar else None
        self.done.append(
            TraceStep(path, step, text, before, moved.at, moved.note, name, moved.projected)
        )

    def _anchor(self, step: LeafStep, month: ContractMonth) -> _Moved:
        match step:
            case Month():
                return _Moved(_shift(step, month))
            case From():
                return self._event(step)
            case NthWeekday():
                return _Moved(_nth_weekday(step, month))
            case Day():
                return _Moved(_day_of_month(step.n, month))
            case Nearest():
                return _Moved(_nearest(step, month))
            case BusinessDay():
                return _business_day(step, month, self._calendar(step))
            case _:  # pragma: no cover - a Rule has been checked
                raise TypeError(step)

    def _adjust(self, step: LeafStep, day: dt.date) -> _Moved:
        match step:
            case IfClosed():
                return _if_closed(step, day, self._calendar(step))
            case BusinessDays():
                return _business_days(step, day, self._calendar(step))
            case WeeksBackWhileClosed():
                return _weeks_back(step, day, self._calendar(step))
            case CalendarDays():
                return _Moved(day + relativedelta(days=step.n))
            case OnOrBefore():
                return _Moved(day + relativedelta(weekday=_WEEKDAYS[step.weekday](-1)))
            case OnOrAfter():
                return _Moved(day + relativedelta(weekday=_WEEKDAYS[step.weekday](+1)))
            case _:  # pragma: no cover - a Rule has been checked
                raise TypeError(step)

    def _calendar(
        self, step: BusinessDay | IfClosed | BusinessDays | WeeksBackWhileClosed
    ) -> Calendar:
        return self.calendars[step.calendar or self.calendar]

    def _event(self, step: From) -> _Moved:
        event = self.events.get(step.event)
        if event is None:
            message = f"{step.text} of {self.month} is not known, and the rule counts from it"
            raise UnknownEventError(message)
        if isinstance(event, Trace):
            return _Moved(event.day, projected=event.projected)
        return _Moved(event)


@dataclass(frozen=True, slots=True)
class _Moved:
    """Where a step went and why."""

    at: dt.date | ContractMonth
    note: str | None = None
    calendar: Calendar | None = None
    projected: bool = False


# --- steps that need no calendar


def _shift(step: Month, month: ContractMonth) -> ContractMonth:
    day = month.first_day + relativedelta(months=step.shift)
    try:
        return ContractMonth(day.year, day.month)
    except MonthError as error:
        message = f"{step.text} {month}: {error}"
        raise OutOfSpanError(message) from None


def _nth_weekday(step: NthWeekday, month: ContractMonth) -> dt.date:
    start = 1 if step.nth > 0 else _LONGEST_MONTH
    day = month.first_day + relativedelta(day=start, weekday=_WEEKDAYS[step.day](step.nth))
    return _inside(day, month, step.words(_name(month)))


def _day_of_month(n: int, month: ContractMonth) -> dt.date:
    if n > 0:
        day = month.first_day + relativedelta(days=n - 1)
    else:
        # The absolute day is clamped to the end of the month before the days are added.
        day = month.first_day + relativedelta(day=_LONGEST_MONTH, days=n + 1)
    return _inside(day, month, Day(n).words(_name(month)))


def _nearest(step: Nearest, month: ContractMonth) -> dt.date:
    target = _day_of_month(step.day, month)
    weekday = _WEEKDAYS[step.weekday]
    sides = (target + relativedelta(weekday=weekday(n)) for n in (-1, +1))
    return min(sides, key=lambda day: abs(day - target))


def _inside(day: dt.date, month: ContractMonth, words: str) -> dt.date:
    if (day.year, day.month) != (month.year, month.month):
        message = f"there is no {words}"
        raise NoDayError(message)
    return day


def _check_span(step: Step, at: dt.date | ContractMonth) -> None:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        message = f"{step.text}: {at} lies outside the years {FIRST_YEAR} to {LAST_YEAR}"
        raise OutOfSpanError(message)


# --- steps that ask a calendar


def _business_day(step: BusinessDay, month: ContractMonth, calendar: Calendar) -> _Moved:
    day = calendar.nth_of_month(month, step.n)
    seen = (month.first_day, day) if step.n > 0 else (day, month.last_day)
    return _moved(day, seen, calendar)


def _business_days(step: BusinessDays, day: dt.date, calendar: Calendar) -> _Moved:
    after = calendar.offset(day, step.n)
    return _moved(after, (min(day, after), max(day, after)), calendar, start=day)


def _if_closed(step: IfClosed, day: dt.date, calendar: Calendar) -> _Moved:
    if step.direction is Direction.PREVIOUS:
        after = calendar.on_or_before(day)
    else:
        after = calendar.on_or_after(day)
    moved = _moved(after, (min(day, after), max(day, after)), calendar)
    if after != day and calendar.why_closed(day) == _WEEKEND:
        note = "; ".join(filter(None, (_closed(day, calendar), moved.note)))
        return _Moved(after, note, calendar, moved.projected)
    return moved


def _moved(
    after: dt.date,
    seen: tuple[dt.date, dt.date],
    calendar: Calendar,
    *,
    start: dt.date | None = None,
) -> _Moved:
    """Where a step went, with the holidays among the days that it looked at, both ends included."""
    first, last = seen
    days = (first + n * _DAY for n in range((last - first).days + 1))
    notes = [
        _closed(day, calendar)
        for day in days
        if day != start and calendar.why_closed(day) not in {None, _WEEKEND}
    ]
    return _Moved(after, "; ".join(notes) or None, calendar, last > calendar.valid_until)


def _weeks_back(step: WeeksBackWhileClosed, day: dt.date, calendar: Calendar) -> _Moved:
    start, projected = day, False
    notes: list[str] = []
    for _ in range(MOST_WEEKS_BACK + 1):
        closed, guessed = _first_closed(_window(step, day), calendar)
        projected |= guessed
        if closed is None:
            return _Moved(day, "; ".join(notes) or None, calendar, projected)
        notes.append(_closed(closed, calendar))
        day -= 7 * _DAY
    message = f"calendar `{calendar.name}` is closed in each of {MOST_WEEKS_BACK} weeks to {start}"
    raise NoDayError(message)


def _window(step: WeeksBackWhileClosed, day: dt.date) -> Iterator[dt.date]:
    """Yield the day itself and the weekdays on its side, nearest first."""
    yield day
    direction = -_DAY if step.side is Side.BEFORE else _DAY
    left = step.weekdays
    while left:
        day += direction
        if day.weekday() < _SATURDAY:
            left -= 1
            yield day


def _first_closed(days: Iterator[dt.date], calendar: Calendar) -> tuple[dt.date | None, bool]:
    """Return a closed day, or None if all are open, and whether that rests on a projection.

    One day that is surely closed settles it, whatever is known of the others; next best is one that
    is projected to be closed. A day that is not known matters only if no other one is closed.
    """
    projected_closed: dt.date | None = None
    unknown: CalendarRangeError | None = None
    projected = False
    for day in days:
        try:
            closed = not calendar.is_open(day)
        except CalendarRangeError as error:
            unknown = unknown or error
            continue
        guessed = day > calendar.valid_until
        if closed and not guessed:
            return day, False
        projected |= guessed
        if closed and projected_closed is None:
            projected_closed = day
    if projected_closed is None and unknown is not None:
        raise unknown
    return projected_closed, projected


def _closed(day: dt.date, calendar: Calendar) -> str:
    return f"{_SHORT[day.weekday()]} {day} closed: {calendar.why_closed(day)}"


def _name(month: ContractMonth) -> str:
    return f"{month.year}-{month.month:02d}"
