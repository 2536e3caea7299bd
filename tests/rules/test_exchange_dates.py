"""Rules of well-known contracts against the dates that their exchanges published."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from pyfutures.calendars.days import date_of
from pyfutures.months import ContractMonth
from pyfutures.rules import Status, evaluate, parse_rule, trace
from tests.rules.paper import CALENDARS

THIRD_FRIDAY = {"weekday": {"nth": 3, "day": "friday"}}
LAST_THURSDAY = {"weekday": {"nth": -1, "day": "thursday"}}
RULES: dict[str, tuple[str, list[object]]] = {
    # CME rulebook chapter 358
    "ES": ("us", [THIRD_FRIDAY, {"if_closed": "previous"}]),
    # NYMEX rulebook chapter 200
    "CL": ("us", [{"month": -1}, {"day": 25}, {"if_closed": "previous"}, {"business_days": -3}]),
    # NYMEX rulebook chapter 220
    "NG": ("us", [{"month": -1}, {"business_day": -3}]),
    # COMEX rulebook chapter 111: the third last business day of the month
    "HG": ("us", [{"business_day": -3}]),
    # CME rulebook chapter 261: the second business day before the third Wednesday
    "6E": ("us", [{"weekday": {"nth": 3, "day": "wednesday"}}, {"business_days": -2}]),
    # CBOT rulebook chapter 10: the business day before the 15th
    "ZC": ("us", [{"day": 15}, {"business_days": -1}]),
    # CFE rulebook chapter 12: 30 days before the third Friday of the month after
    "VX": (
        "us",
        [
            {"month": 1},
            THIRD_FRIDAY,
            {"if_closed": "previous"},
            {"calendar_days": -30},
            {"if_closed": "previous"},
        ],
    ),
    # CME rulebook chapter 102
    "GF": (
        "us",
        [
            {
                "by_month": {
                    "X": [{"weekday": {"nth": 4, "day": "thursday"}}, {"calendar_days": -7}],
                    "else": [LAST_THURSDAY],
                }
            },
            {"weeks_back_while_closed": {"weekdays_before": 4}},
        ],
    ),
    # ICE Futures Europe, Brent crude: February stops a day earlier
    "BRN": (
        "ice",
        [
            {"month": -2},
            {"by_month": {"G": [{"business_day": -2}], "else": [{"business_day": -1}]}},
        ],
    ),
    # Euronext, milling wheat: the 10th, next business day
    "EBM": ("weekdays", [{"day": 10}, {"if_closed": "next"}]),
    # B3, Ibovespa: the Wednesday closest to the 15th
    "WIN": ("weekdays", [{"nearest": {"day": 15, "weekday": "wednesday"}}]),
}

DATES = """
ES 2024H 2024-03-15
ES 2024M 2024-06-21
ES 2024U 2024-09-20
ES 2024Z 2024-12-20
CL 2024G 2024-01-22
CL 2024J 2024-03-20
CL 2024K 2024-04-22
CL 2024Z 2024-11-20
CL 2025F 2024-12-19
CL 2025H 2025-02-20
NG 2024J 2024-03-26
HG 2021H 2021-03-29
HG 2024J 2024-04-26
HG 2024Z 2024-12-27
6E 2024H 2024-03-18
6E 2024M 2024-06-17
ZC 2024H 2024-03-14
ZC 2024U 2024-09-13
ZC 2024Z 2024-12-13
VX 2024H 2024-03-20
VX 2024J 2024-04-17
VX 2025H 2025-03-18
GF 2023X 2023-11-16
GF 2024F 2024-01-25
GF 2024H 2024-03-28
GF 2024K 2024-05-23
GF 2024X 2024-11-21
BRN 2024G 2023-12-28
BRN 2025G 2024-12-30
BRN 2025H 2025-01-31
EBM 2014X 2014-11-10
EBM 2015F 2015-01-12
EBM 2015K 2015-05-11
EBM 2024H 2024-03-11
EBM 2025K 2025-05-12
WIN 2024G 2024-02-14
WIN 2024J 2024-04-17
WIN 2024M 2024-06-12
WIN 2024Q 2024-08-14
WIN 2024V 2024-10-16
WIN 2024Z 2024-12-18
"""
ROWS = [tuple(line.split()) for line in DATES.strip().splitlines()]


@pytest.mark.parametrize(("root", "month", "day"), ROWS)
def test_one_month(root: str, month: str, day: str) -> None:
    name, steps = RULES[root]
    found = trace(parse_rule(steps), ContractMonth.parse(month), calendar=name, calendars=CALENDARS)
    assert found.day == dt.date.fromisoformat(day)
    assert not found.projected


@pytest.mark.parametrize("root", RULES)
def test_all_months_at_once(root: str) -> None:
    rows = [(ContractMonth.parse(month).index, day) for r, month, day in ROWS if r == root]
    name, steps = RULES[root]
    found = evaluate(
        parse_rule(steps),
        np.array([index for index, _ in rows]),
        calendar=name,
        calendars=CALENDARS,
    )
    assert [str(date_of(day)) for day in found.days] == [day for _, day in rows]
    assert (found.status == Status.OK).all()


def test_class_iii_milk_expires_the_day_after_it_last_traded() -> None:
    # CME: DCH4 last traded on 2 April 2024 and expired on the 3rd.
    rule = parse_rule([{"from": "last_trade"}, {"business_days": 1}])
    found = trace(
        rule,
        ContractMonth(2024, 3),
        calendar="us",
        calendars=CALENDARS,
        events={"last_trade": dt.date(2024, 4, 2)},
    )
    assert found.day == dt.date(2024, 4, 3)
