"""What was missed and what is live: each once, in order. And the pure parts beside it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pyfutures.ib.answers import Ids
from pyfutures.ib.config import Backoff, ClientConfig
from pyfutures.ib.farms import FarmKind, Farms, FarmState
from pyfutures.ib.merge import BarSeries, TickSeries, duration_over, longest_duration
from pyfutures.ib.messages.history import Bar
from pyfutures.ib.times import BarSize


def bar(date, count=1):
    return Bar(str(date), 1, 1, 1, 1, Decimal(count), Decimal(1), count)


@given(st.lists(st.integers(0, 30), max_size=60), st.sets(st.integers(0, 59)))
def test_bars_once_and_in_order_whatever_comes(dates, cuts):
    series = BarSeries()
    found = []
    for number, date in enumerate(dates):
        if number in cuts:
            series.cut()
        closed = series.feed(bar(date, number))
        if closed is not None:
            found.append(int(closed.date))
    last = series.close()
    found += [] if last is None else [int(last.date)]
    assert found == sorted(set(found))
    assert series.feed(bar(found[-1])) is None if found else True


def test_the_bar_that_forms_is_the_latest_of_its_date():
    series = BarSeries()
    assert series.feed(bar(60, 1)) is None
    assert series.feed(bar(60, 5)) is None
    assert series.feed(bar(120, 1)) == bar(60, 5)
    series.cut()
    assert series.feed(bar(60, 9)) is None
    assert series.repeated == 1
    assert series.feed(bar(120, 7)) is None
    assert series.feed(bar(180, 1)) == bar(120, 7)
    with pytest.raises(ValueError, match="invalid literal"):
        series.feed(bar("20240326 14:30:00"))


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=40).map(sorted),
    st.data(),
)
def test_ticks_once_and_in_order_wherever_it_is_cut(seconds, data):
    # The tape: seconds with ticks of which some are equal.
    tape = [(second, data.draw(st.integers(0, 1))) for second in seconds]
    cut = data.draw(st.integers(1, len(tape)))  # handed out before the cut
    back = data.draw(st.integers(cut, len(tape)))  # live again from here
    known = data.draw(st.integers(back, len(tape)))  # history knows up to here
    series = TickSeries(lambda tick: tick[0], lambda tick: tick[1])
    for tick in tape[:cut]:
        series.live(tick, tick[0])
    asked_from = tape[cut - 1][0]
    history = [tick for tick in tape[:known] if tick[0] >= asked_from]
    held = tape[back:]
    # Where equal ticks follow each other, more may look the same than is: nobody could tell.
    longest = max(
        n for n in range(min(known - cut, len(held)) + 1) if tape[known - n : known] == held[:n]
    )
    assume(longest == known - back)
    assert tape[:cut] + series.missed(history, held) == tape


def test_ticks_that_history_has_in_another_order_are_counted():
    series = TickSeries(lambda tick: tick[0], lambda tick: tick[1])
    for tick in [(7, "a"), (7, "b")]:
        series.live(tick, 7)
    history = [(7, "b"), (7, "a"), (7, "a"), (8, "x"), (8, "y"), (9, "z")]
    assert series.missed(history, [(8, "y"), (8, "x"), (9, "z"), (9, "w")]) == [
        (7, "a"), (8, "x"), (8, "y"), (9, "z"), (9, "w"),
    ]  # fmt: skip
    assert series.last == 9


@pytest.mark.parametrize(
    ("seconds", "size", "duration"),
    [
        (0, BarSize.MINUTE_1, "120 S"),
        (600, BarSize.MINUTE_1, "720 S"),
        (86400, BarSize.MINUTE_1, "1 D"),
        (10**9, BarSize.MINUTE_1, "1 D"),
        (0, BarSize.SECOND_5, "60 S"),
        (5000, BarSize.SECOND_5, "3600 S"),
        (2 * 86400, BarSize.MINUTE_5, "4 D"),
        (6.5 * 86400, BarSize.MINUTE_5, "1 W"),
        (3 * 86400, BarSize.DAY_1, "6 D"),
        (400 * 86400, BarSize.DAY_1, "1 Y"),
    ],
)
def test_durations(seconds, size, duration):
    assert duration_over(seconds, size) == duration


def test_every_size_has_a_longest_duration():
    assert all(longest_duration(size) for size in BarSize)


def test_farms_have_each_their_own_state():
    farms = Farms()
    ok = "Market data farm connection is OK:"
    assert not farms.hear(2104, f"{ok}usfuture", 1).is_recovery
    assert farms.hear(2103, "broken:usfuture", 2).broken_since == 2
    assert farms.hear(2103, "broken:usfuture", 5).broken_since == 2
    assert farms.is_broken(FarmKind.MARKET)
    assert not farms.is_broken(FarmKind.HISTORY)
    assert not farms.hear(2104, f"{ok}eufarm", 6).is_recovery
    assert not farms.hear(2119, "Market data farm is connecting:usfuture", 7).is_recovery
    back = farms.hear(2104, f"{ok}usfuture", 8)
    assert (back.is_recovery, back.broken_since, back.before) == (True, 2, FarmState.CONNECTING)
    assert not farms.hear(2104, f"{ok}usfuture", 9).is_recovery
    farms.hear(2105, "HMDS data farm connection is broken:ushmds", 10)
    inactive = farms.hear(
        2107, "HMDS data farm connection is inactive but should be available upon demand.ushmds", 11
    )
    assert inactive.is_recovery
    assert farms.states[FarmKind.HISTORY, "ushmds"] is FarmState.INACTIVE
    assert farms.hear(2100, "unsubscribed", 12) is None
    farms.forget()
    assert not farms.states


@pytest.mark.parametrize(("first", "ids"), [(10, [10, 11, 12]), (-10, [-10, -11, -12])])
def test_ids_are_never_used_twice(first, ids):
    source = Ids(first)
    assert [source.new() for _ in ids] == ids
    assert all(map(source.used, ids))
    assert not any(map(source.used, (-1, 0, 9, 13, -9, -13)))


def test_settings_that_cannot_be_meant():
    with pytest.raises(ValueError, match="-1 means no request"):
        ClientConfig(first_request_id=-1)
    for wrong in ({"port": 0}, {"port": 65536}, {"client_id": -1}, {"host": ""}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ClientConfig(**wrong)
    with pytest.raises(ValueError, match="silence 0"):
        ClientConfig(silence=0)
    with pytest.raises(ValueError, match="must be positive"):
        Backoff(0, 2, 10)
    assert [Backoff(1, 2, 60).delay(n) for n in (0, 1, 5, 6, 10**6)] == [1, 2, 32, 60, 60]
