"""Policies and missing prices, case by case, on arithmetic that fits on paper."""

import datetime as dt
import json
import math

import pytest

from pyfutures.continuous import (
    Bar,
    OpenInterest,
    Roll,
    RollMachine,
    RollMissedError,
    RollPriceError,
    StateError,
    Time,
)
from pyfutures.continuous.policies import Missing, Policy, TradingDays, end_of_window_ns
from tests.continuous.tools import bar, calendar, feed, month, ns, units

# Wednesday 2021-03-10 to Friday 2021-03-26: 03-12 and 03-19 are Fridays.
HG = calendar(
    "2021H - 2021N - 2021-03-10 2021-03-26",
    "2021N 2021H 2021U - 2021-06-28 2021-07-28",
    "2021U 2021N - - 2021-08-29 2021-09-28",
)
DAYS = ("03-08", "03-09", "03-10", "03-11", "03-12", "03-15", "03-16", "03-17")


def machine(policy="volume", **kwargs):
    return RollMachine(HG, start=month("2021H"), policy=Policy(policy), **kwargs)


def rolls_of(run, bars, until="03-25"):
    events = [*feed(run, bars), *run.feed(Time(ns(until)))]
    return [event for event in events if isinstance(event, Roll)]


def day_of(roll):
    return f"{dt.datetime.fromtimestamp(roll.last_old_ts / 1e9, dt.UTC):%m-%d}"


def pair(day, old, new, *, interest=False):
    """Both legs of a day with their volumes or open interests; None leaves it unknown."""
    out = []
    for name, value, price in (("2021H", old, 4), ("2021N", new, 5)):
        one = bar(name, day, price, math.nan if value is None else value)
        if interest:
            one = Bar(one.month, one.ts, *[units(price)] * 4, 1.0, value)
        out.append(one)
    return out


def flat(days):
    return [one for legs in days for one in legs]


@pytest.mark.parametrize(
    ("lag", "above", "rolled"),
    [
        # Forward is above current on 03-11: known on 03-12, a session later.
        (1, {"03-11"}, "03-12"),
        (2, {"03-11"}, "03-15"),
        (0, {"03-11"}, "03-11"),
        # Before the window it does not matter, but the session before the window does.
        (1, {"03-08"}, None),
        (1, {"03-09"}, "03-10"),
        (0, {"03-09"}, None),
        (1, set(DAYS), "03-10"),
        # Flip-flop: once is enough, and never back.
        (1, {"03-10", "03-12", "03-16"}, "03-11"),
    ],
)
@pytest.mark.parametrize("policy", ["volume", "open_interest"])
def test_forward_above_current_known_with_a_lag(policy, lag, above, rolled):
    interest = policy == "open_interest"
    days = [pair(day, 5, 9 if day in above else 1, interest=interest) for day in DAYS]
    found = rolls_of(machine(policy, lag=lag), flat(days), "03-18")
    assert [day_of(roll) for roll in found] == ([rolled] if rolled else [])
    assert all(roll.reason == policy for roll in found)


def test_equal_is_not_above_and_unknown_decides_nothing():
    for old, new in ((5, 5), (None, 9), (5, None), (None, None)):
        days = [pair(day, old, new) for day in DAYS]
        assert rolls_of(machine(), flat(days), "03-18") == []


def test_volumes_of_a_session_add_up():
    """2 + 2 of forward is more than 3 of current, though no single bar is."""
    bars = []
    for hour, old, new in (("14:00", 3, 2), ("15:00", 0, 2)):
        bars += pair(f"03-10 {hour}", old, new)
    assert rolls_of(machine(), [*bars, *pair("03-11 14:00", 9, 0)], "03-11 15:00")
    bars[-1] = bar("2021N", "03-10 15:00", 5, 1)
    assert not rolls_of(machine(), [*bars, *pair("03-11 14:00", 9, 0)], "03-11 15:00")


def test_a_session_may_cross_midnight_utc():
    """Chicago's 17:00 to 16:00: what closes at 03:00 UTC belongs to the day that follows."""
    chicago = TradingDays(dt.time(16), "America/Chicago")
    # 2021-03-10: Chicago is six hours behind.
    assert chicago.number(ns("03-10 22:00")) + 1 == chicago.number(ns("03-10 22:00:01"))
    assert chicago.number(ns("03-10 22:00:01")) == chicago.number(ns("03-11 03:00"))
    assert chicago.number(ns("03-10 22:00") + 1) == chicago.number(ns("03-11 03:00"))
    bars = [*pair("03-10 21:00", 1, 9), *pair("03-10 23:00", 9, 1), *pair("03-11 03:00", 9, 1)]
    (roll,) = rolls_of(machine(sessions=chicago), bars, "03-11 04:00")
    assert roll.last_old_ts == ns("03-10 23:00")


def test_open_interest_comes_as_an_event_too():
    run = machine("open_interest")
    bars = flat(pair(day, None, None) for day in DAYS)
    interests = [
        OpenInterest(month("2021H"), ns("03-11 12:00"), 5.0),
        OpenInterest(month("2021N"), ns("03-11 12:00"), 9.0),
        OpenInterest(month("2022H"), ns("03-11 12:00"), 9.0),
    ]
    fed = sorted([*bars, *interests], key=lambda one: one.ts)
    assert [day_of(roll) for roll in rolls_of(run, fed, "03-18")] == ["03-12"]
    assert run.counts["unwanted"] == 1
    other = machine("volume")
    assert rolls_of(other, fed, "03-18") == []
    assert other.counts["unwanted"] == 3


def test_an_open_interest_of_later_is_not_known_yet():
    run = machine("open_interest", lag=0)
    early = [
        OpenInterest(month("2021H"), ns("03-12 12:00"), 5.0),
        OpenInterest(month("2021N"), ns("03-12 12:00"), 9.0),
    ]
    fed = [*early, *flat(pair(day, None, None) for day in DAYS)]
    run.feed(fed[0])
    run = RollMachine.resume(HG, json.loads(json.dumps(run.state())))
    assert [day_of(roll) for roll in rolls_of(run, fed[1:], "03-18")] == ["03-12"]


def test_the_end_of_the_window_at_the_latest():
    """The deadline is a Friday: from Wednesday on nothing is waited for, so Thursday is spare."""
    assert end_of_window_ns(HG.rows[0]) == ns("03-24 00:00")
    days = [pair(day, 9, 1) for day in ("03-10", "03-22", "03-23", "03-24", "03-25")]
    (roll,) = rolls_of(machine(), flat(days))
    assert (day_of(roll), roll.reason) == ("03-24", "end_of_window")
    with pytest.raises(RollMissedError):
        rolls_of(machine(), flat(days[:3]), "03-26 00:00")


def test_a_window_shorter_than_the_spare_days_begins_with_its_end():
    short = calendar(
        "2021H - 2021N - 2021-03-25 2021-03-26", "2021N 2021H - - 2021-06-28 2021-07-28"
    )
    assert end_of_window_ns(short.rows[0]) == ns("03-25 00:00")


def test_nothing_of_one_pair_decides_about_the_next():
    close = calendar(
        "2021H - 2021N - 2021-03-10 2021-03-26",
        "2021N 2021H 2021U - 2021-03-11 2021-04-28",
        "2021U 2021N - - 2021-08-29 2021-09-28",
    )
    bars = [
        bar(name, day, price, volume)
        for day in DAYS[1:]
        for name, price, volume in (("2021H", 4, 1), ("2021N", 5, 5), ("2021U", 6, 9))
    ]
    run = RollMachine(close, start=month("2021H"), policy=Policy.VOLUME)
    # 2021U is above 2021N all along, but that is known only after a session of the two.
    assert [day_of(roll) for roll in rolls_of(run, bars, "03-18")] == ["03-10", "03-12"]


def test_lag_and_sessions_are_part_of_what_a_state_belongs_to():
    assert machine(lag=1).fingerprint != machine(lag=2).fingerprint
    assert machine("first_common", lag=1).fingerprint == machine("first_common", lag=2).fingerprint
    chicago = TradingDays(dt.time(16), "America/Chicago")
    state = machine(sessions=chicago).state()
    assert RollMachine.resume(HG, state, sessions=chicago).state() == state
    with pytest.raises(StateError, match="sessions to 16:00:00 America/Chicago, not to UTC"):
        RollMachine.resume(HG, state)


def test_look_ahead_must_be_asked_for():
    assert machine().lag == 1
    with pytest.raises(ValueError, match="lag -1 is negative"):
        machine(lag=-1)
    with pytest.raises(
        ValueError, match="nearest looks ahead, so that it needs the plan of a batch"
    ):
        machine("nearest")
    with pytest.raises(ValueError, match="no other policy takes one"):
        machine("volume", plan={})


# A price that is missing


def legs(day, old, new):
    """Legs of a day by price: ``-`` is no bar, None a bar without a close."""
    pairs = (("2021H", old), ("2021N", new))
    return [bar(name, day, price) for name, price in pairs if price != "-"]


SPREAD = [legs("03-08", 4, "4.5")]


@pytest.mark.parametrize(
    ("fed", "told"),
    [
        # Both are there: nothing is inferred.
        ([*SPREAD, legs("03-10", 5, 6)], ("03-10", 5, 6, False)),
        # Forward, or current, has no bar or no close: the spread of 03-08 says 0.5.
        ([*SPREAD, legs("03-10", 5, "-")], ("03-10", 5, "5.5", True)),
        ([*SPREAD, legs("03-10", 5, None)], ("03-10", 5, "5.5", True)),
        ([*SPREAD, legs("03-10", "-", 6)], ("03-10", "5.5", 6, True)),
        ([*SPREAD, legs("03-10", None, 6)], ("03-10", "5.5", 6, True)),
        # The last common spread counts, not the first.
        ([*SPREAD, legs("03-09", 4, 6), legs("03-10", 5, "-")], ("03-10", 5, 7, True)),
        # Nothing to infer from: it waits.
        (
            [legs("03-08", 4, "-"), legs("03-10", 5, "-"), legs("03-11", 5, 6)],
            ("03-11", 5, 6, False),
        ),
        ([*SPREAD, legs("03-10", None, None), legs("03-11", 5, 6)], ("03-11", 5, 6, False)),
    ],
)
def test_infer_takes_the_last_common_spread(fed, told):
    day, pre, post, inferred = told
    (roll,) = rolls_of(machine("first_common", missing=Missing.INFER), flat(fed), "03-12")
    assert (day_of(roll), roll.pre_price, roll.post_price, roll.inferred) == (
        day,
        units(pre),
        units(post),
        inferred,
    )
    assert roll.gap == units(post) - units(pre)


def test_infer_where_the_old_contract_has_ended():
    """The roll date is after the last price of the contract: forward's price alone is enough."""
    fed = [*SPREAD, legs("03-15", "-", 6), legs("03-16", "-", 7)]
    run = machine("first_common", missing=Missing.INFER)
    events = [*feed(run, flat(fed)), *run.feed(Time(ns("03-17")))]
    assert [type(event).__name__ for event in events] == ["ContinuousBar", "Roll", "ContinuousBar"]
    assert events[1].last_old_ts == ns("03-15")
    assert events[2].rolled
    assert events[2].ts == ns("03-16")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (5, "-", "2021N has no bar there"),
        (5, None, "2021N has no close there"),
        ("-", 6, "2021H has no bar there"),
        (None, None, "2021H has no close and 2021N has no close there"),
    ],
)
def test_fail_says_what_is_missing(old, new, words):
    run = machine("first_common", missing=Missing.FAIL)
    feed(run, flat([*SPREAD, legs("03-10", old, new)]))
    with pytest.raises(RollPriceError, match=words) as caught:
        run.feed(Time(ns("03-10")))
    assert str(caught.value).startswith(
        "HG: 2021H is to roll into 2021N at 2021-03-10T18:00:00Z, but "
    )
    bars = 0 if old == "-" else 1
    assert len(caught.value.events) == bars
    # The machine can be stored, and goes on.
    again = RollMachine.resume(HG, json.loads(json.dumps(run.state())))
    assert rolls_of(again, legs("03-11", 5, 6), "03-11")


def test_fail_does_not_mind_other_legs():
    cal = calendar(
        "2021H - 2021N 2021K 2021-03-10 2021-03-26", "2021N 2021H - - 2021-06-28 2021-07-28"
    )
    run = RollMachine(cal, start=month("2021H"), missing=Missing.FAIL)
    fed = [bar("2021K", "03-10", 4), *legs("03-11", 5, 6)]
    assert len(rolls_of(run, fed, "03-11")) == 1
