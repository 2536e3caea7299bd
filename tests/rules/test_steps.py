"""Each step on paper: what it does to one month or day, in both evaluations, and its words."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from pyfutures.calendars import CalendarRangeError, NoSuchDayError
from pyfutures.calendars.days import NAT, date_of, day_number
from pyfutures.months import ContractMonth
from pyfutures.rules import (
    Evaluated,
    NoDayError,
    OutOfSpanError,
    RuleFailure,
    Status,
    Trace,
    UnknownEventError,
    evaluate,
    parse_rule,
    trace,
)
from tests.rules.paper import CALENDARS

type Steps = list[object]


def both(
    steps: Steps, month: str, calendar: str = "us", events: dict[str, str] | None = None
) -> tuple[str, bool]:
    """The day and whether it is projected, or the name of the failure, by both evaluations."""
    rule, contract = parse_rule(steps), ContractMonth.parse(month)
    days = {name: dt.date.fromisoformat(day) for name, day in (events or {}).items()}
    arrays = {name: np.array([day_number(day)]) for name, day in days.items()}
    table = evaluate(
        rule, np.array([contract.index]), calendar=calendar, calendars=CALENDARS, events=arrays
    )
    status = Status(int(table.status[0]))
    try:
        found = trace(rule, contract, calendar=calendar, calendars=CALENDARS, events=days)
    except (NoDayError, NoSuchDayError) as error:
        assert (status, table.days[0]) == (Status.NO_DAY, NAT)
        return type(error).__name__, False
    except (RuleFailure, CalendarRangeError) as error:
        assert (status, table.days[0]) == (Status.UNKNOWN, NAT)
        return type(error).__name__, False
    assert status == (Status.PROJECTED if found.projected else Status.OK)
    assert date_of(table.days[0]) == found.day
    return str(found.day), found.projected


# Wall calendar: 2024-03-01 is a Friday, 2024-06-01 a Saturday, 2024-02 has 29 days.
@pytest.mark.parametrize(
    ("step", "month", "expected"),
    [
        ({"weekday": {"nth": 1, "day": "friday"}}, "2024H", "2024-03-01"),
        ({"weekday": {"nth": 5, "day": "friday"}}, "2024H", "2024-03-29"),
        ({"weekday": {"nth": 5, "day": "thursday"}}, "2024H", "NoDayError"),
        ({"weekday": {"nth": 5, "day": "friday"}}, "2024J", "NoDayError"),
        ({"weekday": {"nth": -1, "day": "friday"}}, "2024H", "2024-03-29"),
        ({"weekday": {"nth": -5, "day": "friday"}}, "2024H", "2024-03-01"),
        ({"weekday": {"nth": -5, "day": "thursday"}}, "2024H", "NoDayError"),
        ({"weekday": {"nth": 1, "day": "sunday"}}, "2024M", "2024-06-02"),
        ({"weekday": {"nth": 1, "day": "saturday"}}, "2024M", "2024-06-01"),
        ({"day": 1}, "2024M", "2024-06-01"),
        ({"day": 29}, "2024G", "2024-02-29"),
        ({"day": 29}, "2023G", "NoDayError"),
        ({"day": 31}, "2024J", "NoDayError"),
        ({"day": -1}, "2024G", "2024-02-29"),
        ({"day": -1}, "2023G", "2023-02-28"),
        ({"day": -30}, "2024J", "2024-04-01"),
        ({"day": -31}, "2024J", "NoDayError"),
        ({"business_day": 1}, "2024F", "2024-01-02"),
        ({"business_day": 3}, "2024N", "2024-07-03"),
        ({"business_day": 4}, "2024N", "2024-07-05"),
        ({"business_day": -1}, "2024H", "2024-03-28"),
        ({"business_day": -1}, "2024K", "2024-05-31"),
        ({"business_day": -5}, "2024K", "2024-05-24"),
        ({"business_day": 20}, "2024H", "2024-03-28"),
        ({"business_day": 21}, "2024H", "NoSuchDayError"),
        ({"business_day": -21}, "2024H", "NoSuchDayError"),
        ({"business_day": 1}, "2020Z", "CalendarRangeError"),
        ({"business_day": -1}, "2026F", "CalendarRangeError"),
        ({"nearest": {"day": 15, "weekday": "wednesday"}}, "2024M", "2024-06-12"),
        ({"nearest": {"day": 15, "weekday": "wednesday"}}, "2024U", "2024-09-18"),
        ({"nearest": {"day": 15, "weekday": "sunday"}}, "2024U", "2024-09-15"),
        ({"nearest": {"day": 1, "weekday": "friday"}}, "2024M", "2024-05-31"),
        ({"nearest": {"day": 31, "weekday": "friday"}}, "2024J", "NoDayError"),
    ],
)
def test_anchor(step: object, month: str, expected: str) -> None:
    assert both([step], month) == (expected, False)


@pytest.mark.parametrize(
    ("shifts", "month", "expected"),
    [
        ([-1], "2024H", "2024-02-05"),
        ([-1], "2024F", "2023-12-05"),
        ([1], "2023Z", "2024-01-05"),
        ([-1, -1], "2024H", "2024-01-05"),
        ([2, -3], "2024H", "2024-02-05"),
        ([-24], "2024H", "2022-03-05"),
    ],
)
def test_months_add_up(shifts: list[int], month: str, expected: str) -> None:
    assert both([*({"month": n} for n in shifts), {"day": 5}], month) == (expected, False)


# The day comes first, then what moves it. 2024: Good Friday 29 March, Memorial Day 27 May,
# Juneteenth Wednesday 19 June, Independence Day Thursday 4 July.
@pytest.mark.parametrize(
    ("month", "day", "step", "expected"),
    [
        ("2024H", 28, {"if_closed": "previous"}, "2024-03-28"),
        ("2024H", 29, {"if_closed": "previous"}, "2024-03-28"),
        ("2024H", 31, {"if_closed": "previous"}, "2024-03-28"),
        ("2024H", 29, {"if_closed": "next"}, "2024-04-01"),
        ("2024K", 25, {"if_closed": "next"}, "2024-05-28"),
        ("2024H", 29, {"if_closed": {"direction": "next", "calendar": "weekdays"}}, "2024-03-29"),
        # Strict: the start is never counted, open or closed.
        ("2024N", 5, {"business_days": -1}, "2024-07-03"),
        ("2024N", 4, {"business_days": -1}, "2024-07-03"),
        ("2024N", 4, {"business_days": 1}, "2024-07-05"),
        ("2024N", 3, {"business_days": 1}, "2024-07-05"),
        ("2024N", 6, {"business_days": 1}, "2024-07-08"),
        ("2024N", 6, {"business_days": -1}, "2024-07-05"),
        ("2024M", 19, {"business_days": -2}, "2024-06-17"),
        ("2024M", 19, {"business_days": {"n": -2, "calendar": "weekdays"}}, "2024-06-17"),
        ("2024M", 20, {"business_days": {"n": -2, "calendar": "us"}}, "2024-06-17"),
        ("2024M", 20, {"business_days": {"n": -2, "calendar": "weekdays"}}, "2024-06-18"),
        ("2024H", 1, {"calendar_days": -1}, "2024-02-29"),
        ("2024H", 1, {"calendar_days": 31}, "2024-04-01"),
        ("2024N", 3, {"on_or_before": "wednesday"}, "2024-07-03"),
        ("2024N", 4, {"on_or_before": "wednesday"}, "2024-07-03"),
        ("2024N", 2, {"on_or_before": "wednesday"}, "2024-06-26"),
        ("2024N", 3, {"on_or_after": "wednesday"}, "2024-07-03"),
        ("2024N", 4, {"on_or_after": "wednesday"}, "2024-07-10"),
        ("2024N", 2, {"on_or_after": "wednesday"}, "2024-07-03"),
        # Thursday 30 May: Monday the 27th is the third weekday before it.
        ("2024K", 30, {"weeks_back_while_closed": {"weekdays_before": 4}}, "2024-05-23"),
        ("2024K", 30, {"weeks_back_while_closed": {"weekdays_before": 3}}, "2024-05-23"),
        ("2024K", 30, {"weeks_back_while_closed": {"weekdays_before": 2}}, "2024-05-30"),
        # The window skips the weekend: from Tuesday 28 May, Monday and then Friday.
        ("2024K", 28, {"weeks_back_while_closed": {"weekdays_before": 1}}, "2024-05-21"),
        # Wednesday 3 April: Tuesday, Monday, and the third is Good Friday.
        ("2024J", 3, {"weeks_back_while_closed": {"weekdays_before": 2}}, "2024-04-03"),
        ("2024J", 3, {"weeks_back_while_closed": {"weekdays_before": 3}}, "2024-03-27"),
        # The date itself is looked at, with and without neighbours.
        ("2024N", 4, {"weeks_back_while_closed": {"weekdays_before": 0}}, "2024-06-27"),
        ("2024K", 27, {"weeks_back_while_closed": {"weekdays_after": 4}}, "2024-05-20"),
        # Monday 1 July: Thursday is the third after it; 24 to 28 June are open.
        ("2024N", 1, {"weeks_back_while_closed": {"weekdays_after": 4}}, "2024-06-24"),
        ("2024N", 1, {"weeks_back_while_closed": {"weekdays_after": 2}}, "2024-07-01"),
        # Thursday 23 May: Friday, and behind the weekend Memorial Day.
        ("2024K", 23, {"weeks_back_while_closed": {"weekdays_after": 2}}, "2024-05-16"),
        # A Saturday is closed in every week: the search gives up.
        ("2024N", 6, {"weeks_back_while_closed": {"weekdays_before": 4}}, "NoDayError"),
        # New Year 2021 is the first day on record: the week before it is not known.
        ("2021F", 4, {"weeks_back_while_closed": {"weekdays_before": 2}}, "CalendarRangeError"),
        ("2021F", 5, {"weeks_back_while_closed": {"weekdays_before": 1}}, "2021-01-05"),
        ("2021F", 4, {"business_days": -1}, "CalendarRangeError"),
        ("2025Z", 31, {"business_days": 1}, "CalendarRangeError"),
    ],
)
def test_adjuster(month: str, day: int, step: object, expected: str) -> None:
    assert both([{"day": day}, step], month) == (expected, False)


@pytest.mark.parametrize(
    "steps",
    [
        [{"business_day": 1}],
        [{"day": 1}, {"if_closed": "previous"}],
        [{"day": 1}, {"business_days": 1}],
    ],
)
def test_a_calendar_without_open_days_answers_nothing(steps: Steps) -> None:
    day, _ = both(steps, "2024H", "none")
    assert day in {"NoSuchDayError", "CalendarRangeError"}


def test_a_broken_calendar_does_not_loop_for_ever() -> None:
    steps: Steps = [{"day": 15}, {"weeks_back_while_closed": {"weekdays_before": 4}}]
    assert both(steps, "2024H", "none") == ("NoDayError", False)


@pytest.mark.parametrize(
    ("steps", "month", "expected", "projected"),
    [
        # The calendar "projected" is recorded until 30 June 2024, a Sunday.
        ([{"day": 28}, {"if_closed": "previous"}], "2024M", "2024-06-28", False),
        ([{"day": 30}, {"if_closed": "previous"}], "2024M", "2024-06-28", False),
        ([{"day": 30}, {"if_closed": "next"}], "2024M", "2024-07-01", True),
        ([{"day": 1}, {"if_closed": "previous"}], "2024N", "2024-07-01", True),
        ([{"day": 28}, {"business_days": 1}], "2024M", "2024-07-01", True),
        ([{"day": 28}, {"business_days": -1}], "2024M", "2024-06-27", False),
        ([{"business_day": -1}], "2024M", "2024-06-28", False),
        ([{"business_day": -1}], "2024N", "2024-07-31", True),
        ([{"business_day": 1}], "2024N", "2024-07-01", True),
        # A projected day on the way is enough, wherever the rule ends.
        ([{"day": 30}, {"if_closed": "next"}, {"calendar_days": -7}], "2024M", "2024-06-24", True),
        ([{"day": 1}, {"calendar_days": 5}], "2024N", "2024-07-06", False),
        # The weekdays after 25 June that are looked at end before and behind the record.
        ([{"day": 25}, {"weeks_back_while_closed": {"weekdays_after": 3}}], "2024M",
         "2024-06-25", False),
        ([{"day": 25}, {"weeks_back_while_closed": {"weekdays_after": 4}}], "2024M",
         "2024-06-25", True),
        # Juneteenth is on record: that the window reaches beyond it decides nothing.
        ([{"day": 19}, {"weeks_back_while_closed": {"weekdays_after": 9}}], "2024M",
         "2024-06-05", False),
        # Independence Day, the fifth weekday after 27 June, is projected to be closed.
        ([{"day": 27}, {"weeks_back_while_closed": {"weekdays_after": 5}}], "2024M",
         "2024-06-20", True),
        # From 24 December the window runs over Christmas, projected to be closed, and over the end
        # of the calendar: Christmas settles it, and that of 17 December again.
        ([{"day": 24}, {"weeks_back_while_closed": {"weekdays_after": 6}}], "2024Z",
         "2024-12-10", True),
        # From 26 December nothing closed is known, and New Year is not known at all.
        ([{"day": 26}, {"weeks_back_while_closed": {"weekdays_after": 6}}], "2024Z",
         "CalendarRangeError", False),
        ([{"business_day": -1}], "2025F", "CalendarRangeError", False),
    ],
)  # fmt: skip
def test_projection(steps: Steps, month: str, expected: str, projected: bool) -> None:  # noqa: FBT001
    assert both(steps, month, "projected") == (expected, projected)


FROM: Steps = [{"from": "last_trade"}, {"business_days": -2}]


def test_from_counts_from_the_event_of_the_same_month() -> None:
    assert both(FROM, "2024K", events={"last_trade": "2024-05-29"}) == ("2024-05-24", False)


def test_an_unknown_event_makes_the_answer_unknown() -> None:
    assert both(FROM, "2024K") == ("UnknownEventError", False)
    with pytest.raises(UnknownEventError, match="the day of last trade of 2024K is not known"):
        trace(parse_rule(FROM), ContractMonth(2024, 5), calendar="us", calendars=CALENDARS)
    found = evaluate(
        parse_rule(FROM),
        np.array([ContractMonth(2024, n).index for n in (4, 5, 6)]),
        calendar="us",
        calendars=CALENDARS,
        events={"last_trade": np.array([day_number(dt.date(2024, 4, 30)), NAT, NAT + 1])},
    )
    assert found.status.tolist() == [Status.OK, Status.UNKNOWN, Status.UNKNOWN]
    assert date_of(found.days[0]) == dt.date(2024, 4, 26)


def test_what_is_counted_from_a_projected_event_is_projected() -> None:
    day = dt.date(2024, 5, 29)
    one = trace(
        parse_rule(FROM),
        ContractMonth(2024, 5),
        calendar="us",
        calendars=CALENDARS,
        events={"last_trade": Trace((), day, projected=True)},
    )
    assert (one.day, one.projected) == (dt.date(2024, 5, 24), True)
    many = evaluate(
        parse_rule(FROM),
        np.array([ContractMonth(2024, 5).index] * 2),
        calendar="us",
        calendars=CALENDARS,
        events={"last_trade": Evaluated(np.array([day_number(day)] * 2), np.array([1, 0], "u1"))},
    )
    assert many.status.tolist() == [Status.PROJECTED, Status.OK]


@pytest.mark.parametrize(
    ("steps", "month"),
    [
        ([{"month": -1}, {"day": 1}], "1900F"),
        ([{"month": 1}, {"month": -1}, {"day": 1}], "2199Z"),
        ([{"day": 1}, {"calendar_days": -1}], "1900F"),
        ([{"day": -1}, {"calendar_days": 1}, {"calendar_days": -1}], "2199Z"),
        ([{"nearest": {"day": -1, "weekday": "wednesday"}}], "2199Z"),
    ],
)
def test_a_rule_that_leaves_the_years_is_unknown(steps: Steps, month: str) -> None:
    assert both(steps, month) == (OutOfSpanError.__name__, False)


@pytest.mark.parametrize(
    ("month", "expected"),
    [("2024G", "2024-02-05"), ("2024H", "2024-03-06"), ("2024J", "2024-03-07"),
     ("2024K", "2024-05-08")],
)  # fmt: skip
def test_by_month_first_and_nested(month: str, expected: str) -> None:
    inner = {"by_month": {"H": [{"day": 6}], "else": [{"month": -1}, {"day": 7}]}}
    steps: Steps = [{"by_month": {"G": [{"day": 5}], "HJ": [inner], "else": [{"day": 8}]}}]
    assert both(steps, month) == (expected, False)


@pytest.mark.parametrize(("month", "expected"), [("2024G", "2023-12-29"), ("2024H", "2024-02-29")])
def test_by_month_in_the_middle_ends_in_a_month(month: str, expected: str) -> None:
    steps: Steps = [{"month": -1}, {"by_month": {"G": [{"month": -1}], "else": []}},
                    {"business_day": -1}]  # fmt: skip
    assert both(steps, month) == (expected, False)


@pytest.mark.parametrize(("month", "expected"), [("2024G", "2024-02-14"), ("2024H", "2024-03-15")])
def test_by_month_last_and_doing_nothing(month: str, expected: str) -> None:
    steps: Steps = [{"day": 15}, {"by_month": {"G": [{"business_days": -1}], "else": []}}]
    assert both(steps, month) == (expected, False)


def test_rows_come_in_any_order_and_the_input_is_left_alone() -> None:
    rule = parse_rule([{"by_month": {"G": [{"day": 30}], "else": [{"day": -1}]}}])
    months = [ContractMonth(2024, n) for n in (12, 2, 6, 12)]
    indices = np.array([month.index for month in months])
    before = indices.copy()
    found = evaluate(rule, indices, calendar="us", calendars=CALENDARS)
    assert indices.tolist() == before.tolist()
    assert found.status.tolist() == [Status.OK, Status.NO_DAY, Status.OK, Status.OK]
    assert [str(date_of(day)) for day in found.days[[0, 2, 3]]] == [
        "2024-12-31",
        "2024-06-30",
        "2024-12-31",
    ]
    assert evaluate(rule, [], calendar="us", calendars=CALENDARS).days.shape == (0,)


def test_a_calendar_that_does_not_exist_is_no_answer() -> None:
    rule = parse_rule([{"business_day": {"n": 1, "calendar": "atlantis"}}])
    with pytest.raises(KeyError, match="atlantis"):
        trace(rule, ContractMonth(2024, 1), calendar="us", calendars=CALENDARS)
    with pytest.raises(KeyError, match="atlantis"):
        evaluate(rule, [2024 * 12], calendar="us", calendars=CALENDARS)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([{"weekday": {"nth": 3, "day": "friday"}}], "third Friday of the contract month"),
        ([{"weekday": {"nth": -1, "day": "thursday"}}], "last Thursday of the contract month"),
        ([{"business_day": -2}], "second last business day of the contract month"),
        ([{"business_day": 11}], "11th business day of the contract month"),
        (
            [{"business_day": {"n": 1, "calendar": "london"}}],
            "first business day (london) of the contract month",
        ),
        ([{"day": 22}], "22nd day of the contract month"),
        ([{"day": -1}], "last day of the contract month"),
        (
            [{"nearest": {"day": 15, "weekday": "wednesday"}}],
            "Wednesday nearest the 15th day of the contract month",
        ),
        (
            [{"month": -1}, {"day": 25}, {"if_closed": "previous"}, {"business_days": -3}],
            (
                "25th day of the month before the contract month; if closed, the previous business "
                "day; 3 business days before"
            ),
        ),
        (
            [{"month": 2}, {"month": -4}, {"business_day": -1}],
            "last business day of the second month before the contract month",
        ),
        (
            [{"month": 1}, {"day": 3}, {"calendar_days": 1}, {"on_or_after": "monday"}],
            (
                "3rd day of the month after the contract month; 1 calendar day after; "
                "the Monday on or after"
            ),
        ),
        (
            [{"from": "last_trade"}, {"business_days": {"n": 1, "calendar": "london"}}],
            "the day of last trade; 1 business day (london) after",
        ),
        (
            [
                {"day": 1},
                {"on_or_before": "wednesday"},
                {"if_closed": {"direction": "next", "calendar": "london"}},
            ],
            (
                "1st day of the contract month; the Wednesday on or before; "
                "if closed (london), the next business day"
            ),
        ),
        (
            [{"day": 1}, {"weeks_back_while_closed": {"weekdays_before": 4}}],
            (
                "1st day of the contract month; "
                "a week back while it or any of the 4 weekdays before it is closed"
            ),
        ),
        (
            [{"day": 1}, {"weeks_back_while_closed": {"weekdays_after": 1, "calendar": "us"}}],
            (
                "1st day of the contract month; "
                "a week back while it or the weekday after it is closed (us)"
            ),
        ),
        (
            [{"month": -2}, {"by_month": {"G": [{"business_day": -2}], "else": [{"day": 1}]}}],
            (
                "for G (second last business day of the second month before the contract month), "
                "otherwise (1st day of the second month before the contract month)"
            ),
        ),
        (
            [{"by_month": {"G": [{"month": -1}], "else": []}}, {"day": 1}],
            (
                "for G (the month before the contract month), otherwise (as it is); "
                "1st day of that month"
            ),
        ),
        (
            [{"day": 1}, {"by_month": {"GH": [{"business_days": 1}], "else": []}}],
            "1st day of the contract month; for GH (1 business day after), otherwise (as it is)",
        ),
    ],
)
def test_words(steps: Steps, text: str) -> None:
    rule = parse_rule(steps)
    assert rule.text == str(rule) == text


def test_the_words_of_a_step_stand_alone() -> None:
    steps = [{"month": -1}, {"weekday": {"nth": 3, "day": "friday"}}, {"business_days": -3}]
    assert [step.text for step in parse_rule(steps).steps] == [
        "the month before the contract month",
        "third Friday of the contract month",
        "3 business days before",
    ]


def test_calendars_and_events_that_a_rule_names() -> None:
    inner = {"business_days": {"n": -2, "calendar": "london"}}
    steps: Steps = [
        {"from": "last_trade"},
        {"by_month": {"G": [inner], "else": [{"if_closed": {"direction": "next",
                                                           "calendar": "paris"}}]}},
        inner,
    ]  # fmt: skip
    rule = parse_rule(steps)
    assert rule.calendars == ("london", "paris")
    assert rule.events == ("last_trade",)
    assert parse_rule([{"day": 1}]).calendars == parse_rule([{"day": 1}]).events == ()
