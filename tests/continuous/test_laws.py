"""What holds for any bars: the same events make the same series, however they are fed."""

import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyfutures.chain.rolls import DAY_NS, RollCalendar, RollRow, midnight_ns
from pyfutures.continuous import Bar, ContinuousBar, Roll, RollMachine, RollMissedError, Time
from pyfutures.continuous.adjustment import Adjustment, View
from pyfutures.continuous.append import append
from pyfutures.continuous.bars import NO_PRICE
from pyfutures.continuous.build import build
from pyfutures.continuous.frame import PRICES, BarsError, Frame
from pyfutures.continuous.policies import Missing, Policy
from pyfutures.months import ContractMonth

FIRST = date(2021, 1, 4)
MONTHS = tuple(ContractMonth(2021, k) for k in range(1, 7))


# Bars of six weeks take a while to draw.
patient = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])


@st.composite
def calendars(draw):
    """Four or five months that roll within a few weeks; windows of one to nine days."""
    count = draw(st.integers(4, 5))
    step = st.integers(1, 9)
    rows, day = [], FIRST
    for k in range(count):
        day += timedelta(draw(step))
        rows.append(
            RollRow.of(
                MONTHS[k],
                previous=MONTHS[k - 1] if k else None,
                forward=MONTHS[k + 1] if k + 1 < count else None,
                carry=draw(st.sampled_from([None, MONTHS[k + 1]])),
                roll_date=day,
                deadline=day + timedelta(draw(step)),
            )
        )
    return RollCalendar("XX", tuple(rows))


prices = st.one_of(st.none(), st.integers(-(10**9), 10**13), st.integers(10**9, 5 * 10**9))


@st.composite
def timestamps(draw, price=prices, share=8):
    """Bars by timestamp: most legs are there most of the time, at up to two times a day."""
    out = []
    for half in range(0, 80, draw(st.sampled_from([1, 2]))):
        ts = midnight_ns(FIRST) + half * DAY_NS // 2
        legs, sizes = [], draw(st.integers(0, 4 ** len(MONTHS) - 1))
        for place, month in enumerate(MONTHS):
            if draw(st.integers(0, 9)) < share:
                values = [draw(price)] * 4
                size = float(sizes >> 2 * place & 3)
                legs.append(Bar(month, ts, *values, size, size))
        if legs:
            out.append(legs)
    return out


def run(machine, fed):
    """Events and the error of feeding, both comparable (nan as text)."""
    events = []
    try:
        for one in fed:
            events.extend(machine.feed(one))
    except RollMissedError as error:
        events.extend(error.events)
        return list(map(repr, events)), str(error)
    return list(map(repr, events)), None


def closing(bars):
    return Time(bars[-1][-1].ts if bars else midnight_ns(FIRST))


def machine_for(calendar, **how):
    return RollMachine(calendar, start=calendar.rows[0].month, end=calendar.rows[-1].month, **how)


hows = st.fixed_dictionaries(
    {
        "policy": st.sampled_from([Policy.FIRST_COMMON, Policy.VOLUME, Policy.OPEN_INTEREST]),
        "missing": st.sampled_from(Missing),
        "lag": st.integers(0, 3),
    }
)


def flat(bars):
    return [bar for legs in bars for bar in legs]


@patient
@given(calendars(), timestamps(), st.randoms(use_true_random=False), hows)
def test_the_order_of_legs_does_not_matter(calendar, bars, random, how):
    shuffled = [random.sample(legs, len(legs)) for legs in bars]
    fed = [*flat(bars), closing(bars)]
    other = [*flat(shuffled), closing(bars)]
    assert run(machine_for(calendar, **how), fed) == run(machine_for(calendar, **how), other)


@patient
@given(calendars(), timestamps(), st.data(), hows)
def test_cut_anywhere_stored_and_resumed(calendar, bars, data, how):
    fed = [*flat(bars), closing(bars)]
    cuts = data.draw(st.sets(st.integers(0, len(fed)), max_size=3))
    machine, events, error = machine_for(calendar, **how), [], None
    bounds = [0, *sorted(cuts), len(fed)]
    for start, stop in pairwise(bounds):
        machine = RollMachine.resume(calendar, json.loads(json.dumps(machine.state())))
        some, error = run(machine, fed[start:stop])
        events.extend(some)
        if error:
            break
    whole = machine_for(calendar, **how)
    assert (events, error) == run(whole, fed)
    assert machine.state() == whole.state()


@patient
@given(calendars(), timestamps())
def test_closing_by_the_time_changes_nothing(calendar, bars):
    timed = [one for legs in bars for one in (*legs, Time(legs[0].ts))]
    fed = [*flat(bars), closing(bars)]
    assert run(machine_for(calendar), timed) == run(machine_for(calendar), fed)


@patient
@given(calendars(), timestamps())
def test_duplicates_change_nothing(calendar, bars):
    fed = [*flat(bars), closing(bars)]
    twice = [*(bar for legs in bars for bar in legs + legs), closing(bars)]
    assert run(machine_for(calendar), twice) == run(machine_for(calendar), fed)


def frame_of(bars):
    rows = flat(bars)
    codes = {month: code for code, month in enumerate(MONTHS)}

    def column(name):
        values = (getattr(row, name) for row in rows)
        return np.array([NO_PRICE if v is None else v for v in values], dtype=np.int64)

    return Frame(
        MONTHS,
        np.array([codes[row.month] for row in rows], dtype=np.int64),
        column("ts"),
        *(column(name) for name in PRICES),
        np.array([row.volume for row in rows], dtype=np.float64),
        np.array([row.open_interest for row in rows], dtype=np.float64),
    )


def close_of(leg):
    return NO_PRICE if leg is None or leg.close is None else leg.close


@patient
@given(calendars(), timestamps().filter(bool), hows)
def test_batch_equals_one_by_one(calendar, bars, how):
    """The batch writes whole stretches down; that changes neither series nor error."""
    ends = {"start": calendar.rows[0].month, "end": calendar.rows[-1].month, **how}
    machine, events, error = RollMachine(calendar, **ends), [], None
    try:
        for one in [*flat(bars), closing(bars)]:
            events.extend(machine.feed(one))
    except RollMissedError as caught:
        error = str(caught)
    if error is not None:
        with pytest.raises(RollMissedError) as missed:
            build(frame_of(bars), calendar, **ends)
        assert str(missed.value) == error
        return
    series = build(frame_of(bars), calendar, **ends)
    emitted = [event for event in events if isinstance(event, ContinuousBar)]
    assert series.ts.tolist() == [bar.ts for bar in emitted]
    assert series.month_texts().tolist() == [str(bar.month) for bar in emitted]
    assert series.close.tolist() == [close_of(bar.current) for bar in emitted]
    for name in ("forward", "carry", "previous"):
        legs = [close_of(getattr(bar, name)) for bar in emitted]
        assert getattr(series, name).tolist() == legs
    assert series.C.tolist() == [bar.C for bar in emitted]
    assert list(map(repr, series.R.tolist())) == [repr(bar.R) for bar in emitted]
    assert series.rolled.tolist() == [bar.rolled for bar in emitted]
    rolls = [event for event in events if isinstance(event, Roll)]
    firsts = [bar.ts for bar in emitted if bar.rolled]
    assert [roll.first_new_ts for roll in series.rolls if roll.first_new_ts] == firsts
    for built, fed in zip(series.rolls, rolls, strict=True):
        assert repr(built).rpartition(",")[0] == repr(fed).rpartition(",")[0]


def left_at(calendar, bars):
    """When each month is left by `nearest`, looked for one timestamp at a time; None: cannot be."""
    out, after = [], None
    last = flat(bars)[-1].ts
    for row, following in pairwise(calendar.rows):
        if row.roll_ns > last:
            break
        best = None
        for legs in bars:
            ts = legs[0].ts
            there = {leg.month for leg in legs if leg.close is not None}
            if not {row.month, following.month} <= there or (after is not None and ts <= after):
                continue
            days = abs((ts - row.roll_ns) // DAY_NS)
            if best is None or days < best[0]:
                best = (days, ts)
        if best is None:
            return None
        out.append(best[1])
        after = max(row.roll_ns, best[1])
    return out


@patient
@given(calendars(), timestamps(share=6).filter(bool), st.data())
def test_nearest_rolls_at_the_nearest_common_timestamp(calendar, bars, data):
    """And the machine with that plan makes the same of it one by one, cut anywhere and resumed."""
    ends = {"start": calendar.rows[0].month, "end": calendar.rows[-1].month}
    expected = left_at(calendar, bars)
    if expected is None:
        with pytest.raises(RollMissedError):
            build(frame_of(bars), calendar, policy=Policy.NEAREST, **ends)
        return
    series = build(frame_of(bars), calendar, policy=Policy.NEAREST, **ends)
    assert [roll.last_old_ts for roll in series.rolls] == expected
    months = [row.month for row in calendar.rows]
    plan = dict(zip(months, expected, strict=False))
    machine = RollMachine(calendar, policy=Policy.NEAREST, plan=plan, **ends)
    events = []
    fed = [*flat(bars), closing(bars)]
    cut = data.draw(st.integers(0, len(fed)))
    for number, one in enumerate(fed):
        if number == cut:
            machine = RollMachine.resume(calendar, json.loads(json.dumps(machine.state())))
        events.extend(machine.feed(one))
    emitted = [event for event in events if isinstance(event, ContinuousBar)]
    assert series.ts.tolist() == [bar.ts for bar in emitted]
    assert series.C.tolist() == [bar.C for bar in emitted]
    assert series.close.tolist() == [close_of(bar.current) for bar in emitted]


positive = st.integers(10**9, 5 * 10**9)


def comparable(series):
    """Everything of a series as text, so that nan equals nan."""
    return {
        name: repr(value.tolist() if isinstance(value, np.ndarray) else value)
        for name in series.__slots__
        for value in [getattr(series, name)]
    }


def bars_of(random, share=0.85):
    """As `timestamps`, of a seed: quick to make, so that many can be tried."""
    out = []
    for half in range(0, 80, random.choice([1, 2])):
        ts = midnight_ns(FIRST) + half * DAY_NS // 2
        legs = []
        for month in MONTHS:
            if random.random() < share:
                price = random.choice([None, *range(10**9, 5 * 10**9, 10**8)])
                size = float(random.randrange(4))
                legs.append(Bar(month, ts, *[price] * 4, size, size))
        if legs:
            out.append(legs)
    return out


@given(calendars(), st.integers(0, 2**32), hows)
def test_appended_equals_from_scratch(calendar, seed, how):
    """Cut between any two bars, even of one timestamp; the second part may repeat the first."""
    random = Random(seed)  # noqa: S311 - prices, not secrets
    bars = bars_of(random)
    rows = flat(bars)
    cut = random.randrange(1, len(rows))
    repeated = random.randrange(cut + 1)
    ends = {"start": calendar.rows[0].month, "end": calendar.rows[-1].month, **how}
    frame, error = frame_of(bars), None
    first, later = part(frame, 0, cut), part(frame, repeated, len(rows))
    try:
        whole = build(frame, calendar, **ends)
    except RollMissedError as missed:
        error = str(missed)
    try:
        series = build(first, calendar, **ends)
    except (RollMissedError, BarsError):
        return  # there is nothing to append to
    if error is None:
        again = append(series, later, calendar, **ends)
        assert comparable(again) == comparable(whole)
    else:
        with pytest.raises(RollMissedError) as caught:
            append(series, later, calendar, **ends)
        assert str(caught.value) == error


def part(frame, start, stop):
    columns = ("month", "ts", *PRICES, "volume", "open_interest")
    return replace(frame, **{name: getattr(frame, name)[start:stop] for name in columns})


@patient
@given(calendars(), timestamps(positive, share=10))
def test_views(calendar, bars):
    """Every leg is there, so every roll is made."""
    series = build(frame_of(bars), calendar, end=calendar.rows[-1].month)
    newest = series.month == series.rolls[-1].new.index
    oldest = series.month == series.start.index
    assert len(series.rolls) == len(calendar) - 1
    shown = {mode: series.adjusted(mode) for mode in Adjustment}
    for mode, adjusted in shown.items():
        same = newest if mode.is_backward else oldest
        assert (adjusted[same] == series.close[same]).all()
        assert series.view(mode).anchor == (
            series.rolls[-1].new if mode.is_backward else series.start
        )
    backward, forward = shown[Adjustment.BACKWARD_SPREAD], shown[Adjustment.FORWARD_SPREAD]
    assert (np.diff(backward) == np.diff(forward)).all()
    # At a roll the old month's close, adjusted, is the new month's close, adjusted.
    for roll in series.rolls:
        for mode in (Adjustment.BACKWARD_SPREAD, Adjustment.FORWARD_SPREAD):
            view = series.view(mode)
            before = view.price(roll.pre_price, roll.C - roll.gap, 1.0)
            assert before == view.price(roll.post_price, roll.C, 1.0)


mode_of_any_kind = st.sampled_from(list(Adjustment))
ratios = st.floats(0.01, 100)


@given(
    mode_of_any_kind,
    st.integers(-(10**12), 10**12),
    ratios,
    st.lists(st.tuples(prices, st.integers(-(10**12), 10**12), ratios), min_size=1),
)
def test_arrays_equal_scalars(mode, c_now, r_now, stored):
    view = View(mode, MONTHS[0], c_now, r_now)
    scalars = [view.price(*one) for one in stored]
    units = np.array([NO_PRICE if p is None else p for p, _, _ in stored], dtype=np.int64)
    c_k = np.array([c for _, c, _ in stored], dtype=np.int64)
    r_k = np.array([r for _, _, r in stored])
    arrays = view.units(units, c_k, r_k).tolist()
    assert arrays == [NO_PRICE if price is None else price for price in scalars]
    points = np.array([np.nan if p is None else p / 1e9 for p, _, _ in stored])
    floats = view.floats(points, c_k / 1e9, r_k)
    for price, value in zip(scalars, floats.tolist(), strict=True):
        assert np.isnan(value) if price is None else abs(value - price / 1e9) < 1e-6
