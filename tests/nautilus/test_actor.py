"""The roll actor in a backtest gives what the machine gives without one, and fails loudly."""

from __future__ import annotations

import datetime as dt
import json
import random
from itertools import groupby

import pytest
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, ActorFactory, ImportableActorConfig
from nautilus_trader.common.enums import ComponentState

from pyfutures.chain import ChainError
from pyfutures.continuous import Bar, RollMachine, RollMissedError
from pyfutures.nautilus.actor import RollActor, RollActorConfig, RollActorError
from pyfutures.nautilus.types import ContinuousBarData, bar_topic, bars_of, rolls_of
from tests.nautilus.tools import SECOND, UTCNOW, expected, market, month, native, run

pytestmark = UTCNOW

MONTHS = "2023Z 2024H 2024M 2024U 2024Z"


@pytest.fixture(scope="module")
def es(catalog):
    return catalog["ES"]


@pytest.fixture(scope="module")
def bars(es):
    """Two rolls: out of 2024H on 2024-03-11, out of 2024M on 2024-06-17."""
    return market(es, "2024-02-26", "2024-06-28", months=MONTHS)


@pytest.fixture(scope="module")
def answer(es, bars):
    return expected(es, bars, start="2024H")


def _shuffled(bars, order):
    pick = random.Random(5)  # noqa: S311 - an order, not a secret
    legs = [list(group) for _, group in groupby(bars, key=lambda bar: bar.ts)]
    for each in legs:
        match order:
            case "newest month first":
                each.reverse()
            case "any":
                pick.shuffle(each)
    return [bar for each in legs for bar in each]


# The same series


@pytest.mark.parametrize("order", ["oldest month first", "newest month first", "any"])
def test_the_actor_says_what_the_machine_says(es, bars, answer, order):
    result = run(es, native(es, _shuffled(bars, order)), start="2024H")
    assert result.error is None
    assert result.events == answer
    assert [str(roll.new) for roll in result.rolls] == ["2024M", "2024U"]


@pytest.mark.parametrize("grace", [0.0, 1.0, 90_000.0], ids=lambda secs: f"grace {secs:g} s")
def test_however_long_it_waits_for_legs(es, bars, answer, grace):
    """90,000 s is past the next session's close: there a bar of it closes the one before."""
    result = run(es, native(es, bars), start="2024H", grace_secs=grace)
    assert result.error is None
    assert result.events == answer


@pytest.mark.parametrize(
    ("root", "span", "months", "start", "overrides"),
    [
        (
            "HG",
            ("2023-11-01", "2024-09-06"),
            "2023U 2023V 2023Z 2024F 2024H 2024J 2024M 2024N 2024Q 2024U 2024V 2024Z 2025F 2025H",
            "2023Z",
            {},
        ),
        (
            "CL",
            ("2024-01-02", "2024-07-31"),
            "2024G 2024H 2024J 2024K 2024M 2024N 2024Q 2024U 2024V 2024X 2024Z",
            "2024J",
            {"hold": "FGHJKMNQUVXZ", "offset": -9, "carry": -1},
        ),
    ],
)
def test_other_roots_and_other_roll_parameters(catalog, root, span, months, start, overrides):
    chain = catalog[root]
    bars = market(chain, *span, months=months)
    result = run(chain, native(chain, bars), start=start, **overrides)
    assert result.error is None
    assert result.events == expected(chain, bars, start=start, **overrides)
    assert len(result.rolls) >= 3


def test_it_starts_where_the_calendar_is(es, bars, answer):
    result = run(es, native(es, bars))
    assert result.events == answer
    assert result.bars[0].month == month("2024H")


def test_the_last_timestamp_is_closed_on_stop(es, bars):
    result = run(es, native(es, bars), start="2024H")
    assert result.bars[-1].ts == bars[-1].ts
    assert result.actor.clock.timer_names == []


def test_a_run_after_a_reset_says_the_same(es, bars, answer):
    result = run(es, native(es, bars), start="2024H")
    result.engine.reset()
    result.events.clear()
    result.engine.run()
    assert result.events == answer
    assert list(result.actor.bars) == result.bars


# Legs in time and late


@pytest.mark.parametrize(
    ("seconds", "late"), [(30, 0), (59, 0), (90, 1)], ids=["in time", "just in time", "late"]
)
def test_a_leg_has_the_grace_to_come(es, bars, seconds, late):
    slow = next(bar for bar in bars if bar.month == month("2024M"))
    data = native(es, bars, delay=lambda bar: (bar is slow) * seconds * SECOND)
    result = run(es, sorted(data, key=lambda bar: bar.ts_init), start="2024H")
    assert result.error is None
    assert result.actor.machine.counts["late"] == late
    assert (result.bars[0].forward is None) == bool(late)


# Subscriptions


def test_months_are_subscribed_to_ahead_and_dropped_behind(es, bars):
    result = run(es, native(es, bars), start="2024H")
    calls = result.actor.calls
    started = {name for at, sign, name in calls if sign == "+" and at == calls[0][0]}
    # Legs of H (Z, H, M, carry M) and of the month after it (M, U).
    assert started == {f"ES{code}.XCME" for code in ("Z23", "H24", "M24", "U24")}
    for roll, ahead, behind in zip(
        result.rolls, ("ESZ24.XCME", "ESH25.XCME"), ("ESZ23.XCME", "ESH24.XCME"), strict=True
    ):
        at = roll.last_old_ts + 60 * SECOND
        assert {call for call in calls if call[0] == at} == {(at, "+", ahead), (at, "-", behind)}
    rolled = [bar for bar in result.bars if bar.rolled]
    assert len(rolled) == 2
    assert all(bar.forward and bar.previous for bar in rolled)


def test_venue_and_bars_are_the_configs(es, bars, answer):
    hourly = "1-HOUR-LAST-EXTERNAL"
    data = native(es, bars, spec=hourly, venue="GLBX")
    result = run(es, data, start="2024H", venue="GLBX", bar_spec=hourly)
    assert result.events == answer
    assert {name.partition(".")[2] for _, _, name in result.actor.calls} == {"GLBX"}


# What it hands out


class Listener(Actor):
    def __init__(self):
        super().__init__(ActorConfig(component_id="LISTENER"))
        self.heard = []

    def on_start(self):
        self.subscribe_data(bars_of("ES"))
        self.subscribe_data(rolls_of("ES"))

    def on_data(self, data):
        self.heard.append((type(data).__name__, data.ts_event, data.ts_init))


def test_other_components_hear_bars_and_rolls_as_data(es, bars):
    listener = Listener()
    result = run(es, native(es, bars), listener=listener, start="2024H", grace_secs=5.0)
    names = [name for name, _, _ in listener.heard]
    assert names.count("RollEvent") == 2
    assert names.count("ContinuousBarData") == len(result.bars)
    *alerted, stopped = listener.heard
    assert all(init == event + 5 * SECOND for _, event, init in alerted)
    assert stopped[1] == stopped[2]


def test_the_last_bar_is_in_the_cache_and_memory_is_bounded(es, bars):
    result = run(es, native(es, bars), start="2024H", capacity=5)
    assert list(result.actor.bars) == result.bars[-5:]
    stored = json.loads(result.engine.cache.get(bar_topic("ES")))
    assert ContinuousBarData.from_dict(stored).bar == result.bars[-1]


# Failing


def _assert_stopped(result, *words):
    assert isinstance(result.error, RollActorError)
    assert result.actor.failure is result.error
    assert result.actor.state == ComponentState.FAULTED
    assert len(result.shutdowns) == 1
    assert result.actor.clock.timer_names == []
    for word in words:
        assert word in str(result.error)


def test_a_missed_roll_in_a_timer_stops_everything(es, bars):
    """2024M falls silent, so 2024H is not left: the deadline's alert says so, no bar does."""
    silent = [bar for bar in bars if bar.month == month("2024Z") or bar.ts < _ns("2024-03-09")]
    result = run(es, native(es, silent), start="2024H")
    _assert_stopped(result, "ES 2024H", "2024-03-11", "2024-03-15", "2024M")
    assert isinstance(result.error.__cause__, RollMissedError)
    assert result.bars[-1].ts < _ns("2024-03-09")


def test_an_exception_in_a_timer_is_not_only_logged(es, bars, monkeypatch):
    """A live clock logs what a callback raises and goes on; the component must not."""
    feed = RollMachine.feed

    def failing(machine, event):
        if isinstance(event, Bar):
            return feed(machine, event)
        raise ArithmeticError("no more")

    monkeypatch.setattr(RollMachine, "feed", failing)
    result = run(es, native(es, bars), start="2024H")
    _assert_stopped(result, "ES 2024H: no more")
    assert isinstance(result.error.__cause__, ArithmeticError)
    assert result.events == []


def test_before_it_is_started_there_is_no_machine(es):
    actor = RollActor(RollActorConfig(root="ES"), es)
    with pytest.raises(RollActorError, match="has not been started"):
        _ = actor.machine


def test_an_exception_at_a_bar_stops_everything(es, bars, monkeypatch):
    feed = RollMachine.feed

    def failing(machine, event):
        if isinstance(event, Bar) and event.ts > _ns("2024-03-05"):
            raise ArithmeticError("no more")
        return feed(machine, event)

    monkeypatch.setattr(RollMachine, "feed", failing)
    result = run(es, native(es, bars), start="2024H")
    _assert_stopped(result, "ES 2024", "no more")
    assert _ns("2024-03-04") < result.bars[-1].ts < _ns("2024-03-05")


def test_what_was_closed_before_a_missed_roll_is_not_lost(es, bars):
    """The grace is over a day: the machine refuses the bar of the deadline, no alert is due yet."""
    few = [bar for bar in bars if bar.month != month("2024M")]
    result = run(es, native(es, few), start="2024H", grace_secs=90_000.0)
    _assert_stopped(result, "ES 2024H")
    # 2024-03-14 is the last session before the deadline.
    assert _ns("2024-03-14") < result.bars[-1].ts < _ns("2024-03-15")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"start": "2024F"}, Exception, "2024F"),
        ({"hold": "F"}, ChainError, "ES"),
        ({"anchor": "noon"}, ValueError, "noon"),
        ({"policy": "moon"}, ValueError, "moon"),
    ],
)
def test_a_wrong_parameter_ends_the_start(es, bars, options, error, text):
    result = run(es, native(es, bars[:5]), **options)
    assert isinstance(result.error, error)
    assert text in str(result.error)


# Configuration


def test_it_is_made_from_plain_configuration():
    actor = ActorFactory.create(
        ImportableActorConfig(
            actor_path="pyfutures.nautilus.actor:RollActor",
            config_path="pyfutures.nautilus.actor:RollActorConfig",
            config={"component_id": "ROLL-ES", "root": "ES", "contracts": ["specs"], "offset": -9},
        )
    )
    assert isinstance(actor, RollActor)
    assert actor.config.contracts == ("specs",)
    assert str(actor.id) == "ROLL-ES"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"root": "ES", "ofset": -5}, "ofset"),
        ({"root": "ES", "offset": "-5"}, "offset"),
        ({}, "root"),
    ],
)
def test_a_mistake_in_the_configuration_is_refused(config, text):
    with pytest.raises(Exception, match=text):
        RollActorConfig.parse(json.dumps(config))


def _ns(day):
    return int(dt.datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) * SECOND
