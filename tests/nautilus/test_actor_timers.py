"""What a roll actor does by the clock: overdue feeds, refresh, heartbeat, history that fails."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from nautilus_trader.common.enums import ComponentState

from pyfutures.continuous import ContinuousBar
from pyfutures.nautilus.actor import RollActorError
from pyfutures.nautilus.market.events import feed_topic
from pyfutures.nautilus.series import catching_up
from pyfutures.store import Store
from pyfutures.store.tables import leases
from tests.nautilus.actor_rig import at, bar_type_of, in_a_loop, rig
from tests.nautilus.kills import written
from tests.nautilus.tools import SECOND, UTCNOW, expected, market, month

pytestmark = UTCNOW
MONTHS = "2023Z 2024H 2024M 2024U 2024Z"
START = at("2024-03-01T12:00")
HOUR = 3600 * SECOND


@pytest.fixture(scope="module")
def es(catalog):
    return catalog["ES"]


@pytest.fixture(scope="module")
def bars(es):
    """One roll in the first weeks, out of 2024H on 2024-03-11."""
    return market(es, "2024-02-26", "2024-06-28", months=MONTHS)


@pytest.fixture(scope="module")
def answer(es, bars):
    return expected(es, bars, start="2024H")


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "live.sqlite")


def _until(answer, last):
    """The events of a calm run whose bars have closed by then."""
    done = next(
        (i for i, x in enumerate(answer) if isinstance(x, ContinuousBar) and x.ts > last),
        len(answer),
    )
    return answer[:done]


def _started(es, bars, now=START, *, is_beating=False, **options):
    made = rig(es, bars, now, start="2024H", **{"history_days": 10, **options})
    made.start(is_beating=is_beating)
    made.broker.answer()
    return made


def _calm(made):
    """Nothing went wrong; the actor is stopped."""
    assert made.actor.failure is None
    assert made.actor.state == ComponentState.RUNNING
    assert made.shutdowns == []
    made.actor.stop()
    assert made.clock.timer_names == []


# Feeds that fall silent


def test_a_feed_that_falls_silent_is_subscribed_again_and_what_it_missed_comes(es, bars, answer):
    """Twice, over a roll: the second time all timers of the first run already."""

    def work():
        made = _started(es, bars)
        made.advance(at("2024-03-07T12:00"))
        before = made.broker.counts["subscriptions"]
        made.advance(at("2024-03-13T12:00"), feed=False)
        assert made.actor.counts["overdue"] == 4
        assert made.broker.counts["subscriptions"] > before
        made.advance(at("2024-03-14T12:00"))
        made.advance(at("2024-03-19T12:00"), feed=False)
        assert made.events == _until(answer, at("2024-03-19T12:00"))
        assert len(made.rolls) == 1
        assert made.broker.subscribed == set(made.actor._subscribed)
        _calm(made)

    in_a_loop(work)


def test_a_feed_that_speaks_is_left_alone(es, bars, answer):
    def work():
        made = _started(es, bars)
        made.advance(at("2024-03-19T12:00"))
        assert made.actor.counts["overdue"] == 0
        assert made.events == _until(answer, at("2024-03-19T12:00"))
        _calm(made)

    in_a_loop(work)


def test_what_was_due_before_the_start_is_not_overdue(es, bars):
    """A series that is new has no bar; its first one is due at the next close."""

    def work():
        made = _started(es, bars, history_days=0.0)
        made.advance(at("2024-03-01T20:30"))
        assert made.actor.counts["overdue"] == 0
        made.advance(at("2024-03-01T23:30"), feed=False)
        assert made.actor.counts["overdue"] > 0
        _calm(made)

    in_a_loop(work)


@pytest.mark.parametrize(
    ("root", "spec", "now", "due"),
    [
        # FDAX opens at 01:10 in Frankfurt; its first hour bar has fifty minutes.
        ("FDAX", "1-HOUR", "2024-03-05T01:15", "2024-03-05T01:00"),
        ("FDAX", "1-HOUR", "2024-03-05T00:50", None),
        ("FDAX", "30-MINUTE", "2024-03-05T01:15", "2024-03-05T01:00"),
        ("ES", "1-HOUR", "2024-03-05T15:20", "2024-03-05T15:00"),
        ("ES", "5-MINUTE", "2024-03-05T15:23", "2024-03-05T15:20"),
        # In the hour between two sessions, and on a Saturday.
        ("ES", "1-HOUR", "2024-03-05T22:30", None),
        ("ES", "1-HOUR", "2024-03-09T15:20", None),
        ("ES", "1-DAY", "2024-03-09T15:20", "2024-03-08T22:00"),
        # Thanksgiving is a part of Friday's session.
        ("ES", "1-DAY", "2024-11-29T20:00", "2024-11-27T22:00"),
    ],
)
def test_a_bar_is_due_where_bars_are_cut(catalog, root, spec, now, due):
    def work():
        made = rig(catalog[root], [], at(now), bar_spec=f"{spec}-LAST-EXTERNAL")
        made.actor.start()
        return made.actor._due_ns()

    assert in_a_loop(work) == (None if due is None else at(due))


# Timers that run as long as the node


def test_instruments_are_asked_for_every_hour(es, bars):
    def work():
        made = _started(es, bars, refresh_mins=60)
        before = made.broker.counts["instruments"]
        for hours in (1, 2, 3):
            made.advance(START + hours * HOUR)
            asked = made.broker.counts["instruments"] - before
            assert asked == hours * len(made.actor._subscribed)
        _calm(made)

    in_a_loop(work)


def test_a_contract_that_the_broker_lists_later_is_subscribed_to(es, bars):
    late = bar_type_of(es, month("2024M"))

    def work():
        made = rig(es, bars, START, start="2024H")
        made.broker.unknown.add(str(late.instrument_id))
        made.actor.start()
        made.broker.answer()
        made.advance(START + 2 * HOUR)
        assert late not in made.broker.subscribed
        made.broker.unknown.clear()
        made.advance(START + 3 * HOUR)
        assert late in made.broker.subscribed
        _calm(made)

    in_a_loop(work)


def _beat_ns(path):
    with Store.open(path) as store, store._database.reading() as connection:
        return connection.execute(sa.select(leases.c.beat_ns)).scalar()


def test_the_lease_has_a_heartbeat(es, bars, path):
    def work():
        made = _started(es, bars, store=path, is_beating=True)
        first = _beat_ns(path)
        made.advance(START + 14 * SECOND, step=1)
        assert _beat_ns(path) == first
        made.advance(START + 16 * SECOND, step=1)
        second = _beat_ns(path)
        made.advance(START + 31 * SECOND, step=1)
        assert first < second < _beat_ns(path)
        _calm(made)
        assert _beat_ns(path) is None

    in_a_loop(work)


def test_a_lease_that_is_lost_stops_everything(es, bars, path):
    def work():
        made = _started(es, bars, store=path, is_beating=True)
        with Store.open(path) as store, store._database.writing() as connection:
            connection.execute(leases.update().values({"token": "another"}))
        with pytest.raises(RollActorError, match="is lost"):
            made.advance(START + 16 * SECOND)
        assert made.actor.state == ComponentState.FAULTED
        assert len(made.shutdowns) == 1
        assert made.clock.timer_names == []

    in_a_loop(work)


# History that fails


def test_it_hears_what_data_clients_say():
    """The rooms of a node do not import each other; they agree on a topic."""
    assert feed_topic("*") == catching_up._ALL_FEEDS


@pytest.mark.parametrize("which", ["2023Z", "2024H", "2024M", "2024U"])
@pytest.mark.parametrize("mood", ["broken", "silent"])
def test_history_that_fails_is_asked_for_again(es, bars, answer, which, mood):
    """A pacing refusal of any leg; two minutes later the broker answers."""
    name = str(bar_type_of(es, month(which)).instrument_id)

    def work():
        made = rig(es, bars, START, start="2024H", history_days=10)
        made.broker.mood[name] = mood
        made.actor.start()
        made.advance(START + 130 * SECOND, step=10)
        assert made.events == []
        made.broker.mood.clear()
        made.advance(at("2024-03-15T12:00"))
        assert made.events == _until(answer, at("2024-03-15T12:00"))
        assert made.actor.counts["asked_again"] == 3
        _calm(made)

    in_a_loop(work)


def test_history_that_always_fails_ends_the_start(es, bars):
    forward = bar_type_of(es, month("2024M"))

    def work():
        made = rig(es, bars, START, start="2024H", history_days=10)
        made.broker.mood[str(forward.instrument_id)] = "broken"
        made.actor.start()
        with pytest.raises(RollActorError) as failed:
            made.advance(START + HOUR, step=10)
        assert START + 300 * SECOND <= made.clock.timestamp_ns() <= START + 320 * SECOND
        assert f"no history of {forward}" in str(failed.value)
        assert "asked for 5 times; 162: pacing violation" in str(failed.value)
        assert made.events == []
        assert len(made.shutdowns) == 1

    in_a_loop(work)


def test_a_leg_that_did_not_trade_is_absent(es, bars):
    """The broker answers, and has nothing: no failure, and counted."""
    last = at("2024-03-15T12:00")
    few = [bar for bar in bars if bar.month != month("2024U") and bar.ts < last]

    def work():
        made = _started(es, few)
        made.advance(last)
        assert made.events == expected(es, few, start="2024H")
        assert made.actor.counts["empty"] == 2  # 2024U, and 2024Z after the roll
        assert made.actor.counts["asked_again"] == 0
        _calm(made)

    in_a_loop(work)


@pytest.mark.parametrize("which", ["2024H", "2024M"])
def test_an_empty_answer_that_stored_bars_contradict_is_none(es, bars, answer, path, which):
    name = str(bar_type_of(es, month(which)).instrument_id)

    def work():
        made = _started(es, bars, store=path)
        made.advance(at("2024-03-05T12:00"))
        _calm(made)
        again = at("2024-03-08T12:00")
        made = rig(es, bars, again, start="2024H", store=path)
        made.broker.mood[name] = "empty"
        made.start()
        made.advance(again + 90 * SECOND, step=10)
        assert made.events == []
        made.broker.mood.clear()
        made.advance(at("2024-03-15T12:00"))
        assert made.actor.counts["asked_again"] == 2
        _calm(made)

    in_a_loop(work)
    table, rolls = written(path)
    calm = _until(answer, at("2024-03-15T12:00"))
    assert [row[1] for row in table] == [x.ts for x in calm if isinstance(x, ContinuousBar)]
    assert len(rolls) == 1


def test_history_of_a_leg_that_has_expired_may_be_gone(es, bars):
    """2023Z traded until 2023-12-15; the series is started in March, and 2023Z is its previous."""
    gone = str(bar_type_of(es, month("2023Z")).instrument_id)

    def work():
        made = rig(es, bars, START, start="2024H", history_days=10)
        made.broker.mood[gone] = "broken"
        made.broker.unknown.add(gone)
        made.actor.start()
        made.advance(at("2024-03-05T12:00"))
        assert len(made.bars) == 6
        _calm(made)

    in_a_loop(work)


def test_an_expired_month_that_a_roll_needs_is_never_given_up(es, bars, path):
    """Off from before one roll to after the next: 2024M has expired, and both rolls need it."""
    needed = str(bar_type_of(es, month("2024M")).instrument_id)

    def work():
        made = _started(es, bars, store=path)
        made.advance(at("2024-03-01T12:30"))
        _calm(made)
        made = rig(es, bars, at("2024-06-26T12:00"), start="2024H", store=path)
        made.broker.mood[needed] = "broken"
        made.start()
        with pytest.raises(RollActorError, match=f"no history of {needed}.*pacing violation"):
            made.advance(at("2024-06-26T13:00"), step=30)
        made = rig(es, bars, at("2024-06-26T14:00"), start="2024H", store=path)
        made.start()
        made.advance(at("2024-06-26T14:30"))
        assert [str(roll.new) for roll in made.rolls] == ["2024M", "2024U"]
        _calm(made)

    in_a_loop(work)


def test_a_broker_that_is_away_for_hours_does_not_end_a_series(es, bars, answer):
    """Its bars are overdue, and history fails more often than a start would bear."""

    def work():
        made = _started(es, bars)
        made.advance(at("2024-03-06T12:00"))
        for bar_type in made.actor._subscribed:
            made.broker.mood[str(bar_type.instrument_id)] = "broken"
        made.advance(at("2024-03-07T20:00"), feed=False)
        asked = made.broker.counts["bars"]
        assert made.actor.counts["asked_again"] > 15
        made.advance(at("2024-03-07T21:00"), feed=False)
        assert made.broker.counts["bars"] <= asked + 4  # once an hour, not once a minute
        made.broker.mood.clear()
        made.advance(at("2024-03-15T12:00"))
        assert made.events == _until(answer, at("2024-03-15T12:00"))
        _calm(made)

    in_a_loop(work)


def test_a_long_answer_is_given_its_time(es, bars):
    """Eight months of minutes are many requests, and they are paced: no second one meanwhile."""

    def work():
        made = rig(
            es, bars, START, start="2024H", history_days=240, bar_spec="1-MINUTE-LAST-EXTERNAL"
        )
        made.broker.mood |= dict.fromkeys(made.broker.contracts, "silent")
        made.actor.start()
        made.advance(START + HOUR)
        assert made.broker.counts["bars"] == 4
        made.actor.stop()

    in_a_loop(work)


# Stores that fail


@pytest.mark.parametrize(
    ("pragma", "text"),
    [("max_page_count=1", "disk is full"), ("query_only=ON", "readonly database")],
)
def test_a_store_that_takes_no_more_stops_everything(es, bars, answer, path, pragma, text):
    """Neither what is published nor the lease can be written; the next start goes on."""

    def work():
        made = _started(es, bars, store=path)
        made.advance(at("2024-03-05T12:00"))
        with made.actor._keeping.store._database.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        with pytest.raises(RollActorError, match=text):
            made.advance(at("2024-05-30T12:00"))
        assert made.actor.state == ComponentState.FAULTED
        assert len(made.shutdowns) == 1
        assert made.clock.timer_names == []
        assert made.bars[-1].ts == written(path)[0][-1][1]
        again = rig(es, bars, at("2024-06-03T12:00"), start="2024H", store=path)
        again.start()
        again.advance(at("2024-06-03T12:30"))
        assert made.events + again.events == _until(answer, at("2024-06-03T12:00"))
        _calm(again)

    in_a_loop(work)


# Clocks


def test_a_clock_behind_the_series_is_named(es, bars, path):
    def work():
        made = _started(es, bars, store=path)
        made.advance(at("2024-03-08T12:00"))
        _calm(made)
        made = rig(es, bars, at("2024-03-06T12:00"), start="2024H", store=path)
        with pytest.raises(RollActorError) as refused:
            made.actor.start()
        assert "2024-03-07T22:00:00Z" in str(refused.value)
        assert "the clock says 2024-03-06T12:00:00Z" in str(refused.value)

    in_a_loop(work)
