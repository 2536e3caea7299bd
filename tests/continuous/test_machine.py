"""The machine, case by case; the cases are those found in recorded series."""

import itertools
import json
import math

import pytest

from pyfutures.chain.rolls import RollCalendarError
from pyfutures.continuous import (
    Bar,
    ContinuousBar,
    Late,
    Revised,
    Roll,
    RollMachine,
    RollMissedError,
    RollWindowError,
    StateError,
    Time,
)
from tests.continuous.tools import HOUR, bar, calendar, feed, month, ns, text, units

HG = calendar(
    "2021H - 2021N 2021J 2021-02-27 2021-03-29",
    "2021N 2021H 2021U 2021U 2021-06-28 2021-07-28",
    "2021U 2021N 2021Z 2021V 2021-08-29 2021-09-28",
    "2021Z 2021U - - 2021-11-29 2021-12-29",
)


def machine(cal=HG, start="2021H", end=None, **kwargs):
    return RollMachine(cal, start=month(start), end=None if end is None else month(end), **kwargs)


def told(bars, last="12-31", **kwargs):
    """Lines of what a machine makes of `bars`, closed by the time `last`."""
    run = machine(**kwargs)
    return [text(event) for event in [*feed(run, bars), *run.feed(Time(ns(last)))]]


def test_the_roll_bar_belongs_to_the_old_month_and_the_next_to_the_new():
    """HG of 2021: the roll date is a Saturday, the first common bar the Monday after."""
    bars = [
        bar("2021H", "02-26", "4.00"),
        bar("2021N", "02-26", "4.10"),
        bar("2021H", "03-01", "4.05"),
        bar("2021N", "03-01", "4.20"),
        bar("2021J", "03-01", "4.07"),
        bar("2021H", "03-02", "4.06"),
        bar("2021N", "03-02", "4.22"),
        bar("2021U", "03-02", "4.30"),
        bar("2021N", "03-03", "4.23"),
    ]
    assert told(bars, "03-04") == [
        "02-26 2021H 4 C=0 f=2021N",
        "03-01 2021H 4.05 C=0 f=2021N c=2021J",
        "03-01 2021H->2021N 0.15",
        "03-02 2021N 4.22 C=0.15 rolled f=2021U c=2021U p=2021H",
        "03-03 2021N 4.23 C=0.15",
    ]


def test_a_roll_says_all_of_itself():
    bars = [bar("2021H", "03-01", 4), bar("2021N", "03-01", 5)]
    run = machine()
    _, roll = [*feed(run, bars), *run.feed(Time(ns("03-01")))]
    assert roll == Roll(
        root="HG",
        old=month("2021H"),
        new=month("2021N"),
        roll_date=HG.rows[0].roll_date,
        last_old_ts=ns("03-01"),
        pre_price=units(4),
        post_price=units(5),
        gap=units(1),
        ratio=1.25,
        C=units(1),
        R=1.25,
        reason="first_common",
        inferred=False,
    )
    assert (run.month, run.C, run.R) == (month("2021N"), units(1), 1.25)


def test_gaps_add_up_and_ratios_multiply():
    bars = [
        bar("2021H", "03-01", 4),
        bar("2021N", "03-01", 5),
        bar("2021N", "06-28", 8),
        bar("2021U", "06-28", 6),
        bar("2021U", "06-29", 7),
    ]
    run = machine()
    feed(run, bars)
    assert (units("-1"), 1.25 * 0.75) == (run.C, run.R)


def test_nan_price_inside_a_segment_stays():
    bars = [bar("2021H", "02-01", 4), bar("2021H", "02-02"), bar("2021H", "02-03", 5)]
    assert told(bars, "02-04") == [
        "02-01 2021H 4 C=0",
        "02-02 2021H nan C=0",
        "02-03 2021H 5 C=0",
    ]


@pytest.mark.parametrize("absent", ["2021H", "2021N"])
@pytest.mark.parametrize("how", ["no bar", "no close"])
def test_the_roll_waits_for_a_close_of_both(absent, how):
    first = [bar("2021H", "03-01", 4), bar("2021N", "03-01", 5)]
    if how == "no bar":
        first = [b for b in first if b.month != month(absent)]
    else:
        first = [bar(absent, "03-01") if b.month == month(absent) else b for b in first]
    then = [bar("2021H", "03-02", 4), bar("2021N", "03-02", 6)]
    lines = told([*first, *then], "03-03")
    assert [line for line in lines if ">" in line] == ["03-02 2021H->2021N 2"]


def test_forward_absent_on_most_intraday_rows_and_the_roll_on_an_intraday_row():
    times = ["02-27 14:00", "03-01 09:00", "03-01 10:00", "03-01 11:00"]
    bars = [bar("2021H", at, 4) for at in times]
    bars.insert(3, bar("2021N", "03-01 10:00", 5))
    assert told(bars, "03-01 12:00") == [
        "02-27 14:00 2021H 4 C=0",
        "03-01 09:00 2021H 4 C=0",
        "03-01 10:00 2021H 4 C=0 f=2021N",
        "03-01 10:00 2021H->2021N 1",
    ]


def test_first_row_of_the_new_contract_is_nan():
    bars = [
        bar("2021H", "03-01", 4),
        bar("2021N", "03-01", 5),
        bar("2021N", "03-02"),
        bar("2021N", "03-03", 6),
    ]
    assert told(bars, "03-04")[2:] == [
        "03-02 2021N nan C=1 rolled",
        "03-03 2021N 6 C=1",
    ]


def test_the_first_row_of_the_new_contract_may_come_days_later():
    bars = [
        bar("2021H", "03-01", 4),
        bar("2021N", "03-01", 5),
        bar("2021H", "03-02", 4),
        bar("2021N", "03-03", 6),
    ]
    assert told(bars, "03-04")[2:] == ["03-03 2021N 6 C=1 rolled"]


DAILY = calendar(
    "2021F - 2021G - 2021-01-04 2021-01-20",
    "2021G 2021F 2021H - 2021-01-05 2021-02-20",
    "2021H 2021G 2021J - 2021-01-06 2021-03-20",
    "2021J 2021H - - 2021-04-01 2021-04-20",
)


def test_rolls_on_consecutive_days_never_two_at_one_timestamp():
    months = ("2021F", "2021G", "2021H", "2021J")
    bars = [
        bar(name, day, 10 + k)
        for day in ("01-06", "01-07", "01-08", "01-11")
        for k, name in enumerate(months)
    ]
    lines = told(bars, "01-12", cal=DAILY, start="2021F", end="2021J")
    assert lines == [
        "01-06 2021F 10 C=0 f=2021G",
        "01-06 2021F->2021G 1",
        "01-07 2021G 11 C=1 rolled f=2021H p=2021F",
        "01-07 2021G->2021H 1",
        "01-08 2021H 12 C=2 rolled f=2021J p=2021G",
        "01-08 2021H->2021J 1",
        "01-11 2021J 13 C=3 rolled p=2021H",
    ]


def test_a_contract_held_for_one_bar():
    bars = [
        bar(name, day, price)
        for day in ("01-04", "01-05", "01-06")
        for name, price in (("2021F", 1), ("2021G", 2), ("2021H", 3))
    ]
    lines = told(bars, "01-06", cal=DAILY, start="2021F", end="2021H")
    assert [line.split()[1] for line in lines if ">" not in line] == ["2021F", "2021G", "2021H"]


def test_the_carry_contract_expired_before_the_roll():
    cal = calendar(
        "2021H - 2021N 2021G 2021-02-27 2021-03-29",
        "2021N 2021H - 2021K 2021-06-28 2021-07-28",
    )
    bars = [
        bar("2021H", "02-24", 4),
        bar("2021G", "02-24", 3),
        bar("2021H", "02-25", 4),
        bar("2021H", "03-01", 4),
        bar("2021N", "03-01", 5),
    ]
    assert told(bars, "03-01", cal=cal) == [
        "02-24 2021H 4 C=0 c=2021G",
        "02-25 2021H 4 C=0",
        "03-01 2021H 4 C=0 f=2021N",
        "03-01 2021H->2021N 1",
    ]


def test_one_month_a_year_with_forward_not_listed_yet():
    cal = calendar(
        "2020Z - 2021Z 2020X 2020-11-02 2020-12-15",
        "2021Z 2020Z - 2021X 2021-11-02 2021-12-15",
        root="CL",
    )
    bars = [
        bar("2020Z", "2020-01-02", 60),
        bar("2020Z", "2020-11-03", 40),
        bar("2020Z", "2020-11-09", 41),
        bar("2021Z", "2020-11-09", 45),
    ]
    run = machine(cal, "2020Z")
    assert [text(event) for event in [*feed(run, bars), *run.feed(Time(ns("2020-11-10")))]] == [
        "01-02 2020Z 60 C=0",
        "11-03 2020Z 40 C=0",
        "11-09 2020Z 41 C=0 f=2021Z",
        "11-09 2020Z->2021Z 4",
    ]


def test_roll_date_after_the_last_price_of_the_contract():
    """The next bar past the deadline is one too many: the error says what was there."""
    bars = [
        bar("2021H", "02-25", 4),
        bar("2021N", "02-25", 5),
        bar("2021N", "03-01", 5),
        bar("2021N", "03-26", 5),
        bar("2021N", "03-29", 5),
    ]
    run = machine()
    assert [text(event) for event in feed(run, bars[:-1])] == ["02-25 2021H 4 C=0 f=2021N"]
    with pytest.raises(RollMissedError) as caught:
        run.feed(bars[-1])
    assert str(caught.value) == (
        "HG: 2021H was not rolled into 2021N between its roll date 2021-02-27 and its deadline "
        "2021-03-29: no timestamp with a close of both; last bar of 2021H "
        "2021-02-25T18:00:00Z, of 2021N 2021-03-26T18:00:00Z; bring bars of both, or let the "
        "series end with 2021H, or start with 2021N"
    )


def test_the_deadline_is_not_in_the_window():
    """03-28 23:59 is the last chance; what the same call closed before is not lost."""
    pair = [bar("2021H", "03-28 23:59", 4), bar("2021N", "03-28 23:59", 5)]
    assert told(pair, "03-30")[-1] == "03-28 23:59 2021H->2021N 1"
    run = machine()
    run.feed(bar("2021H", "03-26", 4))
    with pytest.raises(RollMissedError, match="of 2021N never") as caught:
        run.feed(bar("2021N", "03-29 00:00", 5))
    assert [text(event) for event in caught.value.events] == ["03-26 2021H 4 C=0"]
    with pytest.raises(RollMissedError):  # and so it stays
        run.feed(bar("2021N", "03-30", 5))


def test_a_time_past_the_deadline_is_an_error_too():
    run = machine(grace=HOUR)
    run.feed(bar("2021H", "03-01"))
    assert len(run.feed(Time(ns("03-29 00:59")))) == 1
    with pytest.raises(RollMissedError, match="2021H 2021-03-01T18:00:00Z without a close"):
        run.feed(Time(ns("03-29 01:00")))


def test_a_calendar_that_ends_is_an_error_at_the_deadline_only():
    run = machine(start="2021Z")
    assert len(feed(run, [bar("2021Z", "12-01", 4), bar("2021Z", "12-28", 4)])) == 1
    with pytest.raises(RollMissedError, match="a forward month there is none in the roll calendar"):
        run.feed(bar("2021Z", "12-29", 4))


def test_the_end_month_is_not_left():
    bars = [
        bar("2021H", "03-01", 4),
        bar("2021N", "03-01", 5),
        bar("2021H", "03-30", 4),
    ]
    assert told(bars, "12-31", end="2021H") == [
        "03-01 2021H 4 C=0 f=2021N",
        "03-30 2021H 4 C=0",
    ]


@pytest.mark.parametrize(
    ("pre", "post", "ratio"),
    [(4, -1, False), (-4, 1, False), (0, 1, False), (4, 0, False), (-1, -2, False), (4, 3, True)],
)
def test_prices_crossing_zero(pre, post, ratio):
    """Spreads do not mind; from then on there is no ratio (CL of April 2020)."""
    bars = [
        bar("2021H", "03-01", pre),
        bar("2021N", "03-01", post),
        bar("2021N", "06-28", 8),
        bar("2021U", "06-28", 6),
    ]
    run = machine()
    rolls = [
        event
        for event in [*feed(run, bars), *run.feed(Time(ns("06-29")))]
        if isinstance(event, Roll)
    ]
    assert [roll.gap for roll in rolls] == [units(post - pre), units(-2)]
    assert math.isnan(rolls[0].ratio) is not ratio
    assert rolls[1].ratio == 0.75
    assert math.isnan(run.R) is not ratio


@pytest.mark.parametrize(
    ("at", "rolls"),
    [("02-26 23:59:59", False), ("02-27 00:00", True), ("02-27 00:00:01", True)],
)
def test_boundary_bar_at_the_roll_instant(at, rolls):
    lines = told([bar("2021H", at, 4), bar("2021N", at, 5)], "02-27 00:01")
    assert len(lines) == 1 + rolls


def test_volume_that_flips_back_does_not_matter():
    bars = [
        bar(name, day, 4, volume)
        for day, old, new in (("03-01", 9, 1), ("03-02", 1, 9), ("03-03", 9, 1))
        for name, volume in (("2021H", old), ("2021N", new))
    ]
    lines = told(bars, "03-04")
    assert [line for line in lines if ">" in line] == ["03-01 2021H->2021N 0"]
    assert [line.split()[1] for line in lines if ">" not in line] == ["2021H", "2021N", "2021N"]


def test_several_rolls_behind():
    """The program was off from February to October: rolls follow one by one as bars come."""
    days = ("02-26", "03-01", "05-03", "06-28", "06-29", "08-30", "10-01")
    names = ("2021H", "2021N", "2021U", "2021Z")
    bars = [bar(name, day, 10 * k) for day in days for k, name in enumerate(names, 1)]
    run = machine()
    before = feed(run, bars[:5])
    stored = json.loads(json.dumps(run.state()))
    after = RollMachine.resume(HG, stored)
    lines = [text(event) for event in [*before, *feed(after, bars[5:])]]
    assert [line for line in lines if ">" in line] == [
        "03-01 2021H->2021N 10",
        "06-28 2021N->2021U 10",
        "08-30 2021U->2021Z 10",
    ]


def test_legs_of_one_timestamp_in_every_order():
    legs = [
        bar("2021N", "06-28", 1),
        bar("2021U", "06-28", 2),
        bar("2021H", "06-28", 3),
        bar("2021Z", "06-28", 4),
    ]
    answers = {tuple(told(order, "06-29", start="2021N")) for order in itertools.permutations(legs)}
    assert answers == {
        ("06-28 2021N 1 C=0 f=2021U c=2021U p=2021H", "06-28 2021N->2021U 1"),
    }


def test_a_timestamp_without_the_current_month_gives_nothing():
    assert told([bar("2021N", "02-01", 1), bar("2021J", "02-01", 1)], "02-02") == []


# Time


def test_a_timestamp_closes_by_the_time_after_the_grace():
    run = machine(grace=5 * 10**9)
    at = ns("02-01")
    assert run.feed(bar("2021H", "02-01", 4)) == ()
    assert run.open_ts == at
    assert run.feed(Time(at + 5 * 10**9 - 1)) == ()
    (event,) = run.feed(Time(at + 5 * 10**9))
    assert isinstance(event, ContinuousBar)
    assert (run.open_ts, run.closed_ts) == (None, at)
    assert run.feed(Time(at + 6 * 10**9)) == ()


def test_time_alone_closes_nothing_that_has_not_begun():
    """A bar that comes minutes after its close is not late: no leg of its time was there."""
    run = machine()
    run.feed(Time(ns("02-01 18:05")))
    assert run.feed(bar("2021H", "02-01 18:00", 4)) == ()
    assert len(run.feed(Time(ns("02-01 18:05")))) == 1


def test_late_legs_are_told_and_counted():
    run = machine()
    run.feed(bar("2021H", "02-01", 4))
    late = bar("2021N", "01-29", 5)
    assert run.feed(late) == (Late("HG", late, ns("02-01")),)
    run.feed(Time(ns("02-01")))
    late = bar("2021N", "02-01", 5)
    assert run.feed(late) == (Late("HG", late, ns("02-01")),)
    assert run.counts["late"] == 2


def test_the_first_of_two_different_bars_wins():
    run = machine()
    first, second = bar("2021H", "02-01", 4), bar("2021H", "02-01", 5)
    assert run.feed(first) == ()
    assert run.feed(second) == (Revised("HG", first, second),)
    (event,) = run.feed(Time(ns("02-01")))
    assert event.current == first
    assert run.counts == {
        "bars": 1,
        "rolls": 0,
        "duplicates": 0,
        "revised": 1,
        "late": 0,
        "unwanted": 0,
    }


@pytest.mark.parametrize("volume", [1.0, math.nan])
def test_identical_duplicates_are_ignored(volume):
    run = machine()
    for _ in range(3):
        assert run.feed(bar("2021H", "02-01", 4, volume * 1)) == ()
    assert run.counts["duplicates"] == 2


def test_months_that_are_no_leg_are_counted():
    run = machine()
    feed(run, [bar("2021Z", "02-01", 4), bar("2021H", "02-01", 4), bar("2021V", "02-01", 4)])
    assert run.counts["unwanted"] == 2
    assert len(run.feed(Time(ns("02-01")))) == 1


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2021H", None, "2021H 2021J 2021N 2021U"),
        ("2021N", None, "2021H 2021N 2021U 2021V 2021Z"),
        ("2021U", None, "2021N 2021U 2021V 2021Z"),
        ("2021Z", None, "2021U 2021Z"),
        ("2021H", "2021H", "2021H 2021J 2021N"),
    ],
)
def test_wanted_months_are_the_legs_of_current_and_of_forward(start, end, months):
    assert machine(start=start, end=end).wanted() == tuple(map(month, months.split()))


# State


def test_state_is_json_and_says_what_is_needed_to_go_on():
    run = machine(grace=7, end="2021U")
    feed(run, [bar("2021H", "03-01", 4), bar("2021N", "03-01", -5), bar("2021N", "03-02", 5)])
    stored = json.dumps(run.state(), allow_nan=False)
    again = RollMachine.resume(HG, json.loads(stored))
    assert again.state() == run.state()
    assert (again.month, again.C, again.end, again.grace) == (
        month("2021N"),
        units(-9),
        month("2021U"),
        7,
    )
    assert math.isnan(again.R)
    assert again.open_ts == ns("03-02")


def _state(**changes):
    run = machine()
    feed(run, [bar("2021H", "03-01", 4), bar("2021H", "03-02", 4)])
    return run.state() | changes


MOVED = (
    "2021H - 2021N 2021J {} {}",
    "2021N 2021H - 2021U 2021-06-28 2021-07-28",
)


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        (("2021-02-27", "2021-03-30"), None),  # what has not passed may move
        (("2021-02-27", "2021-03-02"), None),
        (("2021-02-26", "2021-03-29"), "roll date of 2021H was 2021-02-27 and is 2021-02-26"),
        (("2021-03-05", "2021-03-29"), "roll date of 2021H was 2021-02-27 and is 2021-03-05"),
        (("2021-02-27", "2021-03-01"), "deadline of 2021H was 2021-03-29 and is 2021-03-01"),
    ],
)
def test_a_changed_calendar_blocks_only_if_it_moves_the_past(dates, message):
    cal = calendar(MOVED[0].format(*dates), MOVED[1])
    if message is None:
        assert RollMachine.resume(cal, _state()).month == month("2021H")
    else:
        with pytest.raises(StateError, match=message):
            RollMachine.resume(cal, _state())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 0}, "version 0, this program reads 2"),
        ({"root": "CL"}, "state is of CL, the roll calendar of HG"),
        ({"month": "2021K"}, "2021K of the stored state is not a held month"),
    ],
)
def test_states_that_do_not_belong(changes, message):
    with pytest.raises(StateError, match=message):
        RollMachine.resume(HG, _state(**changes))


def test_fingerprint_covers_the_rows_and_the_policy():
    other = calendar(*(str(row) for row in HG.rows[:2]), root="HG")
    assert machine().fingerprint != machine(other).fingerprint
    assert machine().fingerprint == machine(start="2021N", grace=5).fingerprint
    assert machine().fingerprint != HG.fingerprint


# Construction


def test_an_empty_window_is_refused():
    cal = calendar("2021H - 2021N - 2021-02-27 2021-02-27", "2021N 2021H - - 2021-06-28 2021-07-28")
    with pytest.raises(RollWindowError, match="2021H has no day to roll: its roll date 2021-02-27"):
        machine(cal)
    assert machine(cal, end="2021H").month == month("2021H")
    assert machine(cal, start="2021N").month == month("2021N")


def test_start_end_and_grace_are_checked():
    with pytest.raises(RollCalendarError, match="2021K is not a held month"):
        machine(start="2021K")
    with pytest.raises(ValueError, match="end 2021H comes before start 2021N"):
        machine(start="2021N", end="2021H")
    with pytest.raises(ValueError, match="grace -1 is negative"):
        machine(grace=-1)


@pytest.mark.parametrize(
    "one",
    [
        bar("2021H", "02-01", "4.1435"),
        bar("2021H", "02-01", None, math.nan),
        Bar(month("2021H"), 1, -5, None, 0, 7, 0.1, 12.0),
    ],
)
def test_bars_survive_json(one):
    again = Bar.from_data(json.loads(json.dumps(one.data(), allow_nan=False)))
    assert repr(again) == repr(one)


def test_a_bar_prints_as_people_write_it():
    one = Bar(month("2021H"), ns("02-01") + 5, -5 * 10**8, None, 0, 4_143_500_000, 12.0)
    assert str(one) == "2021H 2021-02-01T18:00:00.000000005Z -0.5 nan 0 4.1435 volume 12"
