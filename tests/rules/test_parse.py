"""Rules that mean nothing are refused with the place of the fault."""

from __future__ import annotations

import pytest

from pyfutures.rules import STEP_KINDS, Rule, RuleError, StepKind, parse_rule
from pyfutures.rules.steps import BusinessDays, Day, Month

FRIDAY = {"weekday": {"nth": 3, "day": "friday"}}


def test_a_rule_is_its_steps() -> None:
    rule = parse_rule([{"month": -1}, {"day": 25}, {"business_days": {"n": -3, "calendar": "x"}}])
    assert rule == Rule((Month(-1), Day(25), BusinessDays(-3, "x")))
    assert hash(rule) == hash(Rule((Month(-1), Day(25), BusinessDays(-3, "x"))))


def test_every_key_has_a_class() -> None:
    assert set(STEP_KINDS) == set(StepKind)
    assert [getattr(step, "kind", None) for step in STEP_KINDS.values()] == list(STEP_KINDS)


def test_short_and_long_forms_are_the_same() -> None:
    assert parse_rule([{"business_day": -1}]) == parse_rule([{"business_day": {"n": -1}}])
    assert parse_rule([FRIDAY, {"business_days": 2}, {"if_closed": "next"}]) == parse_rule(
        [FRIDAY, {"business_days": {"n": 2}}, {"if_closed": {"direction": "next"}}]
    )


@pytest.mark.parametrize(
    ("data", "path", "said"),
    [
        ([], (), "the rule never gets to a day"),
        ([{"month": -1}], (), "the rule never gets to a day"),
        ([{"by_month": {"else": []}}], (), "the rule never gets to a day"),
        ([FRIDAY, {"day": 3}], (1, "day"), "the rule already has a day"),
        ([FRIDAY, {"month": 1}], (1, "month"), "the rule already has a day"),
        ([FRIDAY, FRIDAY], (1, "weekday"), "the rule already has a day"),
        ([FRIDAY, {"from": "last_trade"}], (1, "from"), "make it the first step"),
        ([{"month": 1}, {"from": "last_trade"}], (1, "from"), "make it the first step"),
        (
            [{"by_month": {"G": [{"month": 1}], "else": []}}, {"from": "last_trade"}],
            (1, "from"),
            "make it the first step",
        ),
        ([{"if_closed": "next"}], (0, "if_closed"), "the rule has no day yet"),
        ([{"month": 1}, {"business_days": 1}], (1, "business_days"), "the rule has no day yet"),
        (
            [{"by_month": {"G": [{"day": 1}], "else": [{"month": 1}]}}],
            (0, "by_month"),
            "some branches end in a day and some in a month",
        ),
        (
            [{"by_month": {"G": [{"day": 1}], "else": []}}],
            (0, "by_month"),
            "some branches end in a day and some in a month",
        ),
        (
            [{"by_month": {"G": [{"day": 1}, {"day": 2}], "else": [{"day": 1}]}}],
            (0, "by_month", "G", 1, "day"),
            "the rule already has a day",
        ),
        (
            [{"by_month": {"G": [{"day": 1}], "else": [{"calendar_days": 1}]}}],
            (0, "by_month", "else", 0, "calendar_days"),
            "the rule has no day yet",
        ),
        ([{"by_month": {"G": [{"day": 1}]}}], (0, "by_month"), "FHJKMNQUVXZ have no branch"),
        (
            [{"by_month": {"GH": [{"day": 1}], "HJ": [{"day": 2}], "else": [{"day": 3}]}}],
            (0, "by_month"),
            "month code `H` has two branches",
        ),
        (
            [{"by_month": {"A": [{"day": 1}], "else": [{"day": 3}]}}],
            (0, "by_month"),
            "`A` is not one of the month codes FGHJKMNQUVXZ",
        ),
        ([{"by_month": [{"day": 1}]}], (0, "by_month"), "has no branches"),
        ([{"by_month": {"else": 5}}], (0, "by_month", "else"), "`5` is no list of steps"),
        ([{"by_month": {"else": "day"}}], (0, "by_month", "else"), "`day` is no list of steps"),
        ([{"fullmoon": 1}], (0, "fullmoon"), "unknown step `fullmoon`; one of `month`, `weekday`"),
        ([{"day": 1, "month": 1}], (0,), "a step is a mapping with one key"),
        (["day"], (0,), "`day` is no step"),
        ([{"day": 0}], (0, "day"), "`day` is `0`: it must be 1 to 31, or -1 to -31"),
        ([{"day": 32}], (0, "day"), "`day` is `32`"),
        ([{"day": "5"}], (0, "day"), "`5` is no whole number"),
        ([{"day": True}], (0, "day"), "`True` is no whole number"),
        ([{"weekday": {"nth": 6, "day": "friday"}}], (0, "weekday"), "`nth` is `6`"),
        ([{"weekday": {"nth": 1, "day": "fri"}}], (0, "weekday"), "one of monday, tuesday"),
        ([{"weekday": {"nth": 1}}], (0, "weekday"), "`day` is missing"),
        ([{"weekday": 3}], (0, "weekday"), "`3` is no mapping; it needs `nth`"),
        ([{"business_day": 0}], (0, "business_day"), "`business_day` is `0`"),
        ([FRIDAY, {"business_days": 0}], (1, "business_days"), "`business_days` is `0`"),
        ([FRIDAY, {"calendar_days": 0}], (1, "calendar_days"), "`calendar_days` is `0`"),
        ([FRIDAY, {"calendar_days": 10**9}], (1, "calendar_days"), "must be 1 to 3660"),
        ([{"month": 1000}, FRIDAY], (0, "month"), "must be 1 to 120"),
        ([FRIDAY, {"if_closed": "before"}], (1, "if_closed"), "one of previous, next"),
        ([{"from": "expiry"}], (0, "from"), "`expiry` is not expected here; one of last_trade"),
        (
            [FRIDAY, {"weeks_back_while_closed": {}}],
            (1, "weeks_back_while_closed"),
            "give one of `weekdays_before` and `weekdays_after`",
        ),
        (
            [FRIDAY, {"weeks_back_while_closed": {"weekdays_before": 1, "weekdays_after": 1}}],
            (1, "weeks_back_while_closed"),
            "give one of `weekdays_before` and `weekdays_after`",
        ),
        (
            [FRIDAY, {"weeks_back_while_closed": {"weekdays_after": -1}}],
            (1, "weeks_back_while_closed"),
            "`weekdays_after` is `-1`: it must be 0 to 30",
        ),
    ],
)
def test_a_faulty_rule_names_its_place(
    data: list[object], path: tuple[int | str, ...], said: str
) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(data)
    assert caught.value.path == path
    assert said in str(caught.value)


def test_an_error_prints_place_fault_and_way_out() -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule([FRIDAY, {"by_month": {"G": [{"day": 5}], "else": []}}])
    assert str(caught.value) == (
        "rule[1].by_month.G[0].day: `day` starts from a month, but the rule already has a day; "
        "put it first, or move the day with `business_days` or `calendar_days`"
    )


def test_a_rule_cannot_be_made_of_steps_in_disorder() -> None:
    with pytest.raises(RuleError):
        Rule((Day(1), Day(2)))
    with pytest.raises(ValueError, match="months FHJKMNQUVXZ have no branch"):
        parse_rule([{"by_month": {"G": [{"day": 1}]}}])
    with pytest.raises(ValueError, match="`day` is `99`"):
        Day(99)
