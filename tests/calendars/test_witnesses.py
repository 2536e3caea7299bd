"""The walk from day to day and the bisection of arrays give the same answers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.calendars import (
    NAT,
    NO_DAY,
    Calendar,
    CalendarLibrary,
    CalendarRangeError,
    NoSuchDayError,
    date_of,
    day_number,
    month_starts,
)
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = st.integers(-9, 9).filter(bool)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Short calendars, some always closed or open, whose bounds cut months."""
    first = draw(st.dates(dt.date(1999, 12, 20), dt.date(2001, 3, 10)))
    flags = bytes(draw(st.lists(st.integers(0, 1), min_size=1, max_size=90)))
    last = first + dt.timedelta(len(flags) - 1)
    valid_until = draw(st.dates(first, last))
    return Calendar("random", first, last, valid_until, flags)


def answer(ask: Callable[[], dt.date]) -> int:
    try:
        return day_number(ask())
    except CalendarRangeError:
        return NAT
    except NoSuchDayError:
        return NO_DAY


def compare(calendar: Calendar, days: list[dt.date], n: int) -> None:
    numbers = np.array([day_number(day) for day in days], np.int64)
    table = calendar.table
    questions = {
        "next": (calendar.next, table.next),
        "previous": (calendar.previous, table.previous),
        "on_or_after": (calendar.on_or_after, table.on_or_after),
        "on_or_before": (calendar.on_or_before, table.on_or_before),
        "offset": (lambda day: calendar.offset(day, n), lambda days: table.offset(days, n)),
    }
    for name, (scalar, array) in questions.items():
        one_by_one = [answer(lambda day=day, scalar=scalar: scalar(day)) for day in days]  # type: ignore[misc]
        assert array(numbers).tolist() == one_by_one, name
    known = [calendar.first <= day <= calendar.last for day in days]
    assert table.covers(numbers).tolist() == known
    is_open = [inside and calendar.is_open(day) for inside, day in zip(known, days, strict=True)]
    assert table.is_open(numbers).tolist() == is_open
    months = sorted({ContractMonth(day.year, day.month) for day in days})
    indices = np.array([month.index for month in months])
    for k in (n, 1, -1):
        one_by_one = [answer(lambda m=m, k=k: calendar.nth_of_month(m, k)) for m in months]  # type: ignore[misc]
        assert table.nth_of_month(indices, k).tolist() == one_by_one


@given(calendar=calendars(), n=STEPS)
def test_random_calendars(calendar: Calendar, n: int) -> None:
    around = range(-40, len(calendar.flags) + 40)
    compare(calendar, [calendar.first + dt.timedelta(k) for k in around], n)


@given(
    data=st.data(),
    days=st.lists(st.dates(dt.date(1969, 11, 1), dt.date(2051, 2, 1)), min_size=1, max_size=5),
    n=st.integers(-40, 40).filter(bool),
)
def test_shipped_calendars(
    library: CalendarLibrary, data: st.DataObject, days: list[dt.date], n: int
) -> None:
    calendar = library[data.draw(st.sampled_from(sorted(library)))]
    compare(calendar, days, n)


def test_every_day_of_every_shipped_calendar(library: CalendarLibrary) -> None:
    for calendar in library.values():
        days = np.arange(day_number(calendar.first), day_number(calendar.last) + 1)
        assert calendar.table.is_open(days).astype(np.uint8).tobytes() == calendar.flags


@given(calendar=calendars(), data=st.data())
def test_counting(calendar: Calendar, data: st.DataObject) -> None:
    days = st.dates(calendar.first, calendar.last)
    start, end = data.draw(days), data.draw(days)
    span = [start + dt.timedelta(k) for k in range((end - start).days + 1)]
    opened = [day for day in span if calendar.is_open(day)]
    low, high = day_number(start), day_number(end)
    assert [date_of(day) for day in calendar.table.between(low, high)] == opened


WEEK = Calendar.from_days(
    "week",
    [dt.date(2024, 1, day) for day in (2, 3, 4, 5, 8, 9)],
    first=dt.date(2024, 1, 1),
    last=dt.date(2024, 1, 10),
)


@pytest.mark.parametrize("sentinel", [NAT, NO_DAY])
def test_no_answer_passes_through(sentinel: int) -> None:
    table = WEEK.table
    for ask in (table.next, table.previous, table.on_or_after, table.on_or_before):
        assert ask([sentinel]).tolist() == [sentinel]
    assert table.offset([sentinel], 3).tolist() == [sentinel]
    assert table.nth_of_month([sentinel], -1).tolist() == [sentinel]
    assert table.is_open([sentinel]).tolist() == [False]
    assert table.covers([sentinel]).tolist() == [False]


@pytest.mark.parametrize(
    ("question", "day", "expected"),
    [
        ("next", "2024-01-05", "2024-01-08"),
        ("next", "2024-01-06", "2024-01-08"),
        ("previous", "2024-01-08", "2024-01-05"),
        ("on_or_after", "2024-01-05", "2024-01-05"),
        ("on_or_after", "2024-01-06", "2024-01-08"),
        ("on_or_before", "2024-01-07", "2024-01-05"),
        ("next", "2024-01-09", None),  # the 10th is closed and the 11th unknown
        ("previous", "2024-01-02", None),
        ("on_or_before", "2024-01-01", None),
        ("on_or_before", "2024-01-11", None),  # unknown, though the 9th would be the answer
        ("previous", "2024-01-11", None),
    ],
)
def test_a_week_on_paper(question: str, day: str, expected: str | None) -> None:
    asked = dt.date.fromisoformat(day)
    if expected is None:
        with pytest.raises(CalendarRangeError, match="knows 2024-01-01 to 2024-01-10"):
            getattr(WEEK, question)(asked)
    else:
        assert str(getattr(WEEK, question)(asked)) == expected


@pytest.mark.parametrize(
    ("n", "expected"), [(1, "2024-01-02"), (5, "2024-01-08"), (6, "2024-01-09")]
)
def test_nth_of_a_month_known_in_part(n: int, expected: str) -> None:
    assert str(WEEK.nth_of_month(ContractMonth(2024, 1), n)) == expected


@pytest.mark.parametrize("n", [7, -1])
def test_nth_of_a_month_whose_end_is_unknown(n: int) -> None:
    with pytest.raises(CalendarRangeError):
        WEEK.nth_of_month(ContractMonth(2024, 1), n)


def test_a_month_with_too_few_days() -> None:
    month = Calendar.from_days(
        "short",
        [dt.date(2024, 2, 5)],
        first=dt.date(2024, 1, 1),
        last=dt.date(2024, 3, 31),
    )
    with pytest.raises(NoSuchDayError, match="no open day number 2 in 2024-02"):
        month.nth_of_month(ContractMonth(2024, 2), 2)
    with pytest.raises(NoSuchDayError, match="number 2 from the end"):
        month.nth_of_month(ContractMonth(2024, 2), -2)
    assert month.table.nth_of_month([ContractMonth(2024, 2).index], 2).tolist() == [NO_DAY]


@pytest.mark.parametrize("ask", [WEEK.offset, WEEK.table.offset])
def test_a_step_of_no_days(ask: Callable[[object, int], object]) -> None:
    day = dt.date(2024, 1, 5)
    with pytest.raises(ValueError, match="never counted"):
        ask(day if ask == WEEK.offset else [day_number(day)], 0)
    with pytest.raises(ValueError, match="never counted"):
        WEEK.nth_of_month(ContractMonth(2024, 1), 0)
    with pytest.raises(ValueError, match="never counted"):
        WEEK.table.nth_of_month([0], 0)


@given(day=st.dates())
def test_numbers_and_dates(day: dt.date) -> None:
    assert date_of(day_number(day)) == day
    assert np.datetime64(day_number(day), "D").astype(object) == day


@pytest.mark.parametrize("sentinel", [NAT, NO_DAY])
def test_no_answer_is_no_date(sentinel: int) -> None:
    with pytest.raises(ValueError, match="is not a day"):
        date_of(sentinel)


@given(month=st.builds(ContractMonth, st.integers(1950, 2150), st.integers(1, 12)))
def test_month_starts(month: ContractMonth) -> None:
    assert date_of(int(month_starts(month.index))) == month.first_day
