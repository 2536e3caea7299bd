"""A trace says which line of the YAML did what, and why."""

from __future__ import annotations

import datetime as dt

import pytest

from pyfutures.months import ContractMonth
from pyfutures.rules import NoDayError, Trace, parse_rule, trace
from tests.rules.paper import CALENDARS


def traced(steps: list[object], month: str, calendar: str = "us") -> Trace:
    return trace(
        parse_rule(steps), ContractMonth.parse(month), calendar=calendar, calendars=CALENDARS
    )


def test_crude_oil_line_by_line() -> None:
    # January 2025: 25 December is Christmas, so three business days before the 24th.
    found = traced(
        [{"month": -1}, {"day": 25}, {"if_closed": "previous"}, {"business_days": -3}], "2025F"
    )
    rows = [(s.path, s.text, str(s.before), str(s.after), s.note, s.calendar) for s in found.steps]
    december = "the month before the contract month"
    assert rows == [
        ((0,), december, "2025F", "2024Z", None, None),
        ((1,), f"25th day of {december}", "2024Z", "2024-12-25", None, None),
        (
            (2,),
            "if closed, the previous business day",
            "2024-12-25",
            "2024-12-24",
            "Wed 2024-12-25 closed: Christmas",
            "us",
        ),
        ((3,), "3 business days before", "2024-12-24", "2024-12-19", None, "us"),
    ]
    assert found.day == dt.date(2024, 12, 19)
    assert [s.step for s in found.steps] == list(
        parse_rule(
            [{"month": -1}, {"day": 25}, {"if_closed": "previous"}, {"business_days": -3}]
        ).steps
    )


@pytest.mark.parametrize(
    ("steps", "month", "note"),
    [
        ([{"business_day": -1}], "2024H", "Fri 2024-03-29 closed: Good Friday"),
        ([{"day": 15}, {"if_closed": "previous"}], "2024M", "Sat 2024-06-15 closed: weekend"),
        (
            [{"day": 31}, {"if_closed": "previous"}],
            "2024H",
            "Sun 2024-03-31 closed: weekend; Fri 2024-03-29 closed: Good Friday",
        ),
        ([{"day": 28}, {"business_days": 1}], "2024H", "Fri 2024-03-29 closed: Good Friday"),
        # The start is never counted, so it is no reason either.
        ([{"day": 29}, {"business_days": 1}], "2024H", None),
        ([{"day": 21}, {"business_days": -3}], "2024M", "Wed 2024-06-19 closed: Juneteenth"),
        (
            [{"day": 30}, {"weeks_back_while_closed": {"weekdays_before": 4}}],
            "2024K",
            "Mon 2024-05-27 closed: Memorial Day",
        ),
        ([{"day": 23}, {"weeks_back_while_closed": {"weekdays_before": 4}}], "2024K", None),
        ([{"day": 17}, {"if_closed": "previous"}], "2022M", None),
        ([{"day": 20}, {"if_closed": "next"}], "2022M", "Mon 2022-06-20 closed: holiday"),
    ],
)
def test_closed_days_are_named(steps: list[object], month: str, note: str | None) -> None:
    assert traced(steps, month).steps[-1].note == note


def test_a_branch_is_a_line_of_its_own() -> None:
    steps: list[object] = [
        {"month": -2},
        {"by_month": {"G": [{"business_day": -2}], "else": [{"business_day": -1}]}},
    ]
    february = traced(steps, "2025G", "ice").steps
    assert [(s.path, s.text, s.note) for s in february] == [
        ((0,), "the second month before the contract month", None),
        ((1,), "for G", "2025G takes `G`"),
        (
            (1, "by_month", "G", 0),
            "second last business day of the second month before the contract month",
            None,
        ),
    ]
    assert february[1].before == february[1].after == ContractMonth(2024, 12)
    march = traced(steps, "2025H", "ice").steps
    assert [(s.path, s.text, s.note) for s in march[1:]] == [
        ((1,), "for all other months", "2025H takes `else`"),
        (
            (1, "by_month", "else", 0),
            "last business day of the second month before the contract month",
            None,
        ),
    ]


def test_each_line_says_whether_it_is_projected() -> None:
    steps: list[object] = [{"day": 28}, {"if_closed": "next"}, {"business_days": 1}]
    found = traced(steps, "2024M", "projected")
    assert [step.projected for step in found.steps] == [False, False, True]
    assert found.projected


def test_the_calendar_of_a_step_is_named() -> None:
    found = traced([{"day": 29}, {"if_closed": {"direction": "next", "calendar": "ice"}}], "2024H")
    assert (found.steps[-1].calendar, found.day) == ("ice", dt.date(2024, 4, 1))


@pytest.mark.parametrize(
    ("steps", "month", "said"),
    [
        ([{"day": 31}], "2024J", "there is no 31st day of 2024-04"),
        (
            [{"weekday": {"nth": 5, "day": "friday"}}],
            "2024J",
            "there is no fifth Friday of 2024-04",
        ),
        (
            [{"day": 6}, {"weeks_back_while_closed": {"weekdays_before": 4}}],
            "2024N",
            "calendar `us` is closed in each of 52 weeks to 2024-07-06",
        ),
    ],
)
def test_what_does_not_exist_is_said(steps: list[object], month: str, said: str) -> None:
    with pytest.raises(NoDayError) as caught:
        traced(steps, month)
    assert str(caught.value) == said
