"""Days that come back every year; expected dates are from calendars on paper."""

from __future__ import annotations

import datetime as dt

import pytest

from pyfutures.calendars import Annual, Observed
from pyfutures.weekdays import Weekday

VETERANS = {"name": "Veterans Day", "month": 11, "day": 11}
# 11 November: Saturday in 2017 and 2023, Sunday in 2018, Monday in 2019


@pytest.mark.parametrize(
    ("rule", "year", "expected"),
    [
        ({"name": "Columbus Day", "month": 10, "nth": 2, "weekday": "monday"}, 2024, "2024-10-14"),
        ({"name": "Columbus Day", "month": 10, "nth": 2, "weekday": "monday"}, 2018, "2018-10-08"),
        (
            {"name": "Thanksgiving", "month": 11, "nth": 4, "weekday": "thursday"},
            2024,
            "2024-11-28",
        ),
        ({"name": "Memorial Day", "month": 5, "nth": -1, "weekday": "monday"}, 2024, "2024-05-27"),
        ({"name": "last but one", "month": 5, "nth": -2, "weekday": "friday"}, 2024, "2024-05-24"),
        ({"name": "fifth", "month": 5, "nth": 5, "weekday": "friday"}, 2024, "2024-05-31"),
        ({"name": "fifth", "month": 6, "nth": 5, "weekday": "friday"}, 2024, None),
        ({"name": "fifth last", "month": 6, "nth": -5, "weekday": "friday"}, 2024, None),
        ({"name": "first", "month": 9, "nth": 1, "weekday": "sunday"}, 2024, "2024-09-01"),
        ({"name": "Good Friday", "easter": -2}, 2024, "2024-03-29"),
        ({"name": "Good Friday", "easter": -2}, 2025, "2025-04-18"),
        ({"name": "Easter Monday", "easter": 1}, 2038, "2038-04-26"),
        ({"name": "Corpus Christi", "easter": 60}, 2024, "2024-05-30"),
        ({"name": "Carnival", "easter": -47}, 2024, "2024-02-13"),
        ({"name": "leap day", "month": 2, "day": 29}, 2024, "2024-02-29"),
        ({"name": "leap day", "month": 2, "day": 29}, 2023, None),
        (VETERANS, 2017, "2017-11-11"),
        ({**VETERANS, "observed": "none"}, 2018, "2018-11-11"),
        ({**VETERANS, "observed": "monday"}, 2017, "2017-11-13"),
        ({**VETERANS, "observed": "monday"}, 2018, "2018-11-12"),
        ({**VETERANS, "observed": "monday"}, 2019, "2019-11-11"),
        ({**VETERANS, "observed": "sunday_to_monday"}, 2017, "2017-11-11"),
        ({**VETERANS, "observed": "sunday_to_monday"}, 2018, "2018-11-12"),
        ({**VETERANS, "observed": "nearest"}, 2017, "2017-11-10"),
        ({**VETERANS, "observed": "nearest"}, 2018, "2018-11-12"),
        ({**VETERANS, "observed": "nearest"}, 2019, "2019-11-11"),
    ],
)
def test_the_day_in_a_year(rule: dict[str, object], year: int, expected: str | None) -> None:
    found = Annual.from_data(rule).on(year)
    assert (None if found is None else str(found)) == expected


def test_the_years_it_is_kept() -> None:
    rule = Annual.from_data({**VETERANS, "from": 2019, "until": 2021})
    kept = rule.dates(dt.date(2000, 1, 1), dt.date(2050, 12, 31))
    assert [str(day) for day in kept] == ["2019-11-11", "2020-11-11", "2021-11-11"]


def test_a_day_kept_in_the_year_before() -> None:
    # New Year 2022 was a Saturday: the US government rested on Friday 2021-12-31.
    rule = Annual(name="New Year", month=1, day=1, observed=Observed.NEAREST)
    kept = rule.dates(dt.date(2021, 12, 1), dt.date(2021, 12, 31))
    assert list(kept) == [dt.date(2021, 12, 31)]


def test_weekdays_count_as_python_does() -> None:
    assert [weekday.number for weekday in Weekday] == list(range(7))
    assert Weekday("friday").number == dt.date(2024, 3, 29).weekday()
