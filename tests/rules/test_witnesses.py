"""The two evaluations agree on random rules, calendars and months, on days and on status."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyfutures.calendars import Calendar, CalendarRangeError, NoSuchDayError
from pyfutures.calendars.days import NAT, NO_DAY, day_number
from pyfutures.months import MONTH_CODES, ContractMonth
from pyfutures.rules import (
    Evaluated,
    NoDayError,
    OutOfSpanError,
    Status,
    Trace,
    UnknownEventError,
    evaluate,
    parse_rule,
    trace,
)
from tests.rules.paper import weekdays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.rules import Rule

DAY = dt.timedelta(1)
EPOCH = dt.date(1970, 1, 1)


def made(name: str, first: str, last: str, valid: str, every: int) -> Calendar:
    """Weekdays of which every so-many-th is closed, so that the closed ones fall anywhere."""
    days = weekdays(first, last)
    return Calendar.from_days(
        name,
        [day for number, day in enumerate(days, 1) if every == 0 or number % every],
        first=dt.date.fromisoformat(first),
        last=dt.date.fromisoformat(last),
        valid_until=dt.date.fromisoformat(valid),
    )


KNOWN = [
    made("full", "2005-01-01", "2025-12-31", "2025-12-31", 0),
    made("holes", "2005-01-01", "2025-12-31", "2025-12-31", 23),
    made("short", "2013-03-14", "2015-09-17", "2015-09-17", 11),
    made("projected", "2010-01-01", "2022-12-31", "2014-08-20", 17),
    made("short_projected", "2014-01-10", "2014-12-24", "2014-06-30", 7),
    made("late", "2015-02-15", "2025-12-31", "2015-04-05", 13),
]
# Two of every five days open, weekends too; and one that never opens.
ODD = Calendar.from_days("odd", [dt.date(2010, 1, 1) + n * DAY for n in range(3650) if n % 5 < 2])
NEVER = Calendar.from_days("never", [], first=dt.date(2005, 1, 1), last=dt.date(2025, 12, 31))
CALENDARS: dict[str, Calendar] = {calendar.name: calendar for calendar in [*KNOWN, ODD, NEVER]}


def cut(calendar: Calendar) -> Calendar:
    """The same calendar without what it projects."""
    kept = calendar.days[calendar.days <= day_number(calendar.valid_until)].tolist()
    return Calendar.from_days(
        calendar.name,
        [EPOCH + n * DAY for n in kept],
        first=calendar.first,
        last=calendar.valid_until,
    )


CUT = {name: cut(calendar) for name, calendar in CALENDARS.items()}

names = st.sampled_from(sorted(CALENDARS))
weekday = st.sampled_from(
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
)


def counts(most: int) -> st.SearchStrategy[int]:
    return st.integers(-most, most).filter(bool)


def either(field: str, values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """A bare value, or the long form that names a calendar."""
    return values | st.fixed_dictionaries({field: values, "calendar": names})


SHIFT: st.SearchStrategy[object] = st.fixed_dictionaries({"month": counts(4)})
ANCHOR: st.SearchStrategy[object] = st.one_of(
    st.fixed_dictionaries({"weekday": st.fixed_dictionaries({"nth": counts(5), "day": weekday})}),
    st.fixed_dictionaries({"day": counts(31)}),
    st.fixed_dictionaries({"business_day": either("n", counts(23))}),
    st.fixed_dictionaries(
        {"nearest": st.fixed_dictionaries({"day": counts(31), "weekday": weekday})}
    ),
)
FROM = st.just({"from": "last_trade"})
WINDOW = st.sampled_from(["weekdays_before", "weekdays_after"]).flatmap(
    lambda side: st.fixed_dictionaries({side: st.integers(0, 6)}, optional={"calendar": names})
)
ADJUSTER = st.one_of(
    st.fixed_dictionaries(
        {"if_closed": either("direction", st.sampled_from(["previous", "next"]))}
    ),
    st.fixed_dictionaries({"business_days": either("n", counts(25))}),
    st.fixed_dictionaries({"calendar_days": counts(40)}),
    st.fixed_dictionaries({"on_or_before": weekday}),
    st.fixed_dictionaries({"on_or_after": weekday}),
    st.fixed_dictionaries({"weeks_back_while_closed": WINDOW}),
)


@st.composite
def by_month(draw: st.DrawFn, inner: st.SearchStrategy[list[object]]) -> dict[str, object]:
    """One to three branches and an `else`, all of the same kind."""
    codes = draw(st.permutations(MONTH_CODES))
    cuts = sorted(draw(st.lists(st.integers(1, 11), min_size=1, max_size=3, unique=True)))
    keys = ["".join(codes[a:b]) for a, b in zip([0, *cuts], cuts, strict=False)]
    return {"by_month": {key: draw(inner) for key in [*keys, "else"]}}


@st.composite
def month_steps(draw: st.DrawFn, depth: int) -> list[object]:
    steps: list[object] = draw(st.lists(SHIFT, max_size=1))
    if depth and draw(st.booleans()):
        steps.append(draw(by_month(month_steps(depth - 1))))
    return steps


@st.composite
def date_steps(draw: st.DrawFn, depth: int) -> list[object]:
    steps: list[object] = draw(st.lists(ADJUSTER, max_size=3))
    if depth and draw(st.booleans()):
        place = draw(st.integers(0, len(steps)))
        steps.insert(place, draw(by_month(date_steps(depth - 1))))
    return steps


@st.composite
def rules(draw: st.DrawFn) -> list[object]:
    """Steps from the contract month to a date; half of them without branches."""
    depth = draw(st.sampled_from([0, 0, 1, 2]))
    if draw(st.integers(0, 5)) == 0:
        return [draw(FROM), *draw(date_steps(depth))]
    steps = draw(month_steps(max(0, depth - 1)))
    if depth and draw(st.booleans()):
        steps.append(draw(by_month(anchored(depth - 1))))
    else:
        steps.append(draw(ANCHOR))
    return steps + draw(date_steps(depth))


@st.composite
def anchored(draw: st.DrawFn, depth: int) -> list[object]:
    """Steps from a month, perhaps shifted, to a date: the inside of a branch."""
    steps = draw(month_steps(depth))
    return [*steps, draw(ANCHOR), *draw(date_steps(depth))]


# Months near the bounds of the calendars, where the two could differ, and some far away.
INDICES = sorted(
    {1900 * 12, 2199 * 12 + 11, *range(2013 * 12, 2016 * 12)}
    | {
        day.year * 12 + day.month - 1 + shift
        for calendar in CALENDARS.values()
        for day in (calendar.first, calendar.valid_until, calendar.last)
        for shift in (-2, -1, 0, 1, 2)
    }
)
EVENT = st.none() | st.tuples(st.dates(dt.date(2012, 1, 1), dt.date(2017, 12, 31)), st.booleans())


def one(
    rule: Rule,
    index: int,
    calendar: str,
    calendars: Mapping[str, Calendar],
    event: tuple[dt.date, bool] | None,
) -> tuple[int, Status]:
    """The scalar answer as the array evaluation gives it."""
    events = {} if event is None else {"last_trade": Trace((), event[0], projected=event[1])}
    month = ContractMonth.from_index(index)
    try:
        found = trace(rule, month, calendar=calendar, calendars=calendars, events=events)
    except (CalendarRangeError, OutOfSpanError, UnknownEventError):
        return NAT, Status.UNKNOWN
    except (NoSuchDayError, NoDayError):
        return NAT, Status.NO_DAY
    return day_number(found.day), Status.PROJECTED if found.projected else Status.OK


def many(
    rule: Rule,
    calendar: str,
    calendars: Mapping[str, Calendar],
    events: list[tuple[dt.date, bool] | None],
) -> Evaluated:
    days = np.array([NAT if event is None else day_number(event[0]) for event in events])
    status = np.array(
        [Status.UNKNOWN if event is None else Status(event[1]) for event in events], np.uint8
    )
    return evaluate(
        rule,
        np.array(INDICES),
        calendar=calendar,
        calendars=calendars,
        events={"last_trade": Evaluated(days, status)},
    )


# A few events, one after the other over the months.
EVENTS = st.lists(EVENT, min_size=1, max_size=6).map(
    lambda few: (few * len(INDICES))[: len(INDICES)]
)
CASES = st.tuples(rules(), names, EVENTS)
type Case = tuple[list[object], str, list[tuple[dt.date, bool] | None]]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CASES)
def test_one_by_one_or_all_at_once(case: Case) -> None:
    steps, calendar, events = case
    rule = parse_rule(steps)
    found = many(rule, calendar, CALENDARS, events)
    rows = list(zip(found.days.tolist(), map(Status, found.status.tolist()), strict=True))
    assert rows == [
        one(rule, index, calendar, CALENDARS, event)
        for index, event in zip(INDICES, events, strict=True)
    ]
    assert NO_DAY not in found.days


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CASES)
def test_a_projected_answer_is_unknown_to_a_calendar_that_does_not_project(case: Case) -> None:
    steps, calendar, events = case
    rule = parse_rule(steps)
    certain = [None if event is None else (event[0], False) for event in events]
    whole = many(rule, calendar, CALENDARS, certain)
    short = many(rule, calendar, CUT, certain)
    known = whole.status == Status.OK
    assert (short.status[known] == Status.OK).all()
    assert (short.days[known] == whole.days[known]).all()
    beyond = (whole.status == Status.PROJECTED) | (whole.status == Status.UNKNOWN)
    assert (short.status[beyond] == Status.UNKNOWN).all()
    assert set(short.status[~known & ~beyond].tolist()) <= {Status.UNKNOWN, Status.NO_DAY}


@settings(max_examples=100, deadline=None)
@given(CASES)
def test_words_paths_and_days_of_a_trace_hang_together(case: Case) -> None:
    steps, calendar, _ = case
    rule = parse_rule(steps)
    assert rule.text
    month = ContractMonth(2014, 1 + len(steps))
    events = {"last_trade": dt.date(2014, 5, 5)}
    try:
        found = trace(rule, month, calendar=calendar, calendars=CALENDARS, events=events)
    except (CalendarRangeError, OutOfSpanError, NoSuchDayError, NoDayError):
        return
    at: dt.date | ContractMonth = month
    for row in found.steps:
        assert row.before == at
        at = row.after
        place: object = steps
        for key in row.path:
            place = place[key]  # type: ignore[index]
        assert isinstance(place, dict)
        assert list(place) == [row.step.kind]
        assert row.text
    assert at == found.day
    assert found.projected == any(row.projected for row in found.steps)
