"""Adjustments against arithmetic on paper."""

import math

import numpy as np
import pytest

from pyfutures.continuous import RollMachine, Time
from pyfutures.continuous.adjustment import Adjustment, RatioError, View
from pyfutures.continuous.bars import ContinuousBar, Roll
from tests.continuous.tools import bar, calendar, feed, month, ns, units

HG = calendar(
    "2021H - 2021N - 2021-02-27 2021-03-29",
    "2021N 2021H 2021U - 2021-06-28 2021-07-28",
    "2021U 2021N - - 2021-08-29 2021-09-28",
)


def series(*prices):
    """Bars of one price a day; each roll has its pair: (H, N) on 03-01 and (N, U) on 06-28."""
    h, pre1, post1, n, pre2, post2, u = prices
    run = RollMachine(HG, start=month("2021H"), end=month("2021U"))
    events = feed(
        run,
        [
            bar("2021H", "02-01", h),
            bar("2021H", "03-01", pre1),
            bar("2021N", "03-01", post1),
            bar("2021N", "05-03", n),
            bar("2021N", "06-28", pre2),
            bar("2021U", "06-28", post2),
            bar("2021U", "07-01", u),
            Time(ns("07-02")),
        ],
    )
    bars = [event for event in events if isinstance(event, ContinuousBar)]
    return bars, [event for event in events if isinstance(event, Roll)]


# Rolls 8 -> 10 and 20 -> 15: gaps +2 and -5, ratios 1.25 and 0.75.
PRICES = (4, 8, 10, 12, 20, 15, 16)


@pytest.mark.parametrize(
    ("mode", "anchor", "closes"),
    [
        ("forward_spread", "2021H", (4, 8, 10, 18, 19)),
        ("backward_spread", "2021U", (1, 5, 7, 15, 16)),
        ("forward_ratio", "2021H", (4, 8, "9.6", 16, "17.066666667")),
        ("backward_ratio", "2021U", ("3.75", "7.5", 9, 15, 16)),
    ],
)
def test_four_modes_on_paper(mode, anchor, closes):
    bars, rolls = series(*PRICES)
    view = View.of(Adjustment(mode), rolls, first=month("2021H"))
    assert view.anchor == month(anchor)
    assert str(view) == f"{mode} anchored at {anchor}"
    assert [view.bar(one).close for one in bars] == [units(close) for close in closes]
    first = view.bar(bars[0])
    assert first.open == first.high == first.low == first.close
    assert (first.month, first.ts, first.volume) == (month("2021H"), bars[0].ts, 1.0)


@pytest.mark.parametrize("mode", list(Adjustment))
def test_without_rolls_every_view_is_the_price(mode):
    view = View.of(mode, (), first=month("2021H"))
    assert view.price(units(4), 0, 1.0) == units(4)
    assert view.price(None, 0, 1.0) is None


def test_a_backward_view_of_an_earlier_day_keeps_its_anchor():
    bars, rolls = series(*PRICES)
    view = View.of(Adjustment.BACKWARD_SPREAD, rolls[:1], first=month("2021H"))
    assert view.anchor == month("2021N")
    assert [view.bar(one).close for one in bars] == [units(k) for k in (6, 10, 12, 20, 21)]


def test_adjusted_values_cross_zero():
    """Spreads go below zero where gaps sum to more than the price, and nothing minds."""
    bars, rolls = series(1, 2, 10, 12, 20, 15, 16)
    forward = View.of(Adjustment.FORWARD_SPREAD, rolls, first=month("2021H"))
    assert forward.bar(bars[2]).close == units(4)
    bars, rolls = series(10, 12, 2, 3, 20, 15, 16)
    backward = View.of(Adjustment.BACKWARD_SPREAD, rolls, first=month("2021H"))
    assert [backward.bar(one).close for one in bars] == [units(k) for k in (-5, -3, -2, 15, 16)]


# CL of May 2020 settled at -37.63 on the day before its last.
NEGATIVE = (20, "-37.63", "20.43", 21, 22, 23, 24)
WORDS = (
    "HG rolled from 2021H at -37.63 to 2021N at 20.43 on 2021-03-01T18:00:00Z, and both must be "
    "positive"
)


def test_ratio_views_refuse_a_leg_that_is_not_positive():
    bars, rolls = series(*NEGATIVE)
    with pytest.raises(RatioError, match="no backward_ratio view: " + WORDS):
        View.of(Adjustment.BACKWARD_RATIO, rolls, first=month("2021H"))
    view = View.of(Adjustment.FORWARD_RATIO, rolls, first=month("2021H"))
    assert view.bar(bars[1]).close == units("-37.63")
    with pytest.raises(RatioError, match=WORDS + "; take forward_spread"):
        view.bar(bars[2])
    stored = np.array([one.C for one in bars]), np.array([one.R for one in bars])
    closes = np.array([one.current.close for one in bars])
    with pytest.raises(RatioError, match=WORDS):
        view.units(closes, *stored)
    with pytest.raises(RatioError, match=WORDS):
        view.floats(closes / 1e9, *stored)
    spread = View.of(Adjustment.FORWARD_SPREAD, rolls, first=month("2021H"))
    assert spread.units(closes, *stored)[2] == units("21") - units("58.06")


def test_a_view_made_by_hand_refuses_too():
    view = View(Adjustment.BACKWARD_RATIO, month("2021U"), 0, math.nan)
    with pytest.raises(RatioError, match="a roll before has a leg that is not positive"):
        view.price(1, 0, 1.0)
