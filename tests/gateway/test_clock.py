"""Simulated time: in order, once, each at its own instant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.gateway.clock import SECOND, Pace, Timeline


@given(st.lists(st.integers(0, 50)), st.lists(st.integers(0, 60), max_size=6))
def test_all_that_is_due_happens_in_order_at_its_instant(delays, stops):
    timeline, happened = Timeline(1000), []
    for number, delay in enumerate(delays):
        timeline.after(
            delay, lambda n=number, d=delay: happened.append((timeline.now, 1000 + d, n))
        )
    for stop in [*sorted(stops), 60]:
        timeline.run_until(1000 + stop)
    assert [now for now, due, _ in happened] == [due for _, due, _ in happened]
    assert happened == sorted(happened)
    assert len(happened) == len(delays)
    assert timeline.now == 1060


def test_what_an_action_adds_happens_in_the_same_run_if_it_is_due():
    timeline, happened = Timeline(0), []

    def again():
        happened.append(timeline.now)
        if len(happened) < 3:
            timeline.after(10, again)

    timeline.after(10, again)
    timeline.run_until(25)
    assert happened == [10, 20]
    timeline.run_until(100)
    assert happened == [10, 20, 30]


def test_what_is_cancelled_does_not_happen_and_time_does_not_run_backwards():
    timeline, happened = Timeline(100), []
    timeline.after(5, lambda: happened.append("no")).cancel()
    assert timeline.next_due() is None
    timeline.at(50, lambda: happened.append(timeline.now))  # past: as soon as time moves
    timeline.run_until(60)
    assert (happened, timeline.now) == ([], 100)
    timeline.run_until(101)
    assert (happened, timeline.now) == ([100], 101)


@pytest.mark.parametrize(
    ("speed", "real", "simulated"), [(1, 2.5, 2.5), (3600, 2, 7200), (0.5, 4, 2)]
)
def test_a_pace_says_what_the_clock_stands_for(speed, real, simulated):
    clock = iter([100.0, 100.0 + real, 100.0])
    pace = Pace(7 * SECOND, speed, clock=lambda: next(clock))
    assert pace.now() == 7 * SECOND + simulated * SECOND
    assert pace.wait(7 * SECOND + int(simulated * SECOND)) == real


@pytest.mark.parametrize("speed", [0, -1, 1e9])
def test_a_speed_that_cannot_be(speed):
    with pytest.raises(ValueError, match="speed"):
        Pace(0, speed)
