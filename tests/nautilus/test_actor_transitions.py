"""Our rolls in nautilus' own continuous futures: its engine makes the four views that we make."""

from __future__ import annotations

from dataclasses import replace

import pytest
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.actor import Actor
from nautilus_trader.config import ActorConfig, LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import (
    AccountType,
    ContinuousFutureAdjustmentType,
    OmsType,
)
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money

from pyfutures.continuous import ContinuousBar, Roll
from pyfutures.continuous.adjustment import Adjustment, View
from pyfutures.continuous.bars import PRICE_SCALE
from pyfutures.nautilus.instruments import futures_contract
from pyfutures.nautilus.transitions import TransitionError, to_transitions
from tests.nautilus.tools import UTCNOW, expected, market, month, native

pytestmark = [UTCNOW, pytest.mark.filterwarnings("ignore:'d' is deprecated")]  # its own
TARGET = BarType.from_str("ES.XCME-1-HOUR-LAST-INTERNAL@1-HOUR-EXTERNAL")


@pytest.fixture(scope="module")
def es(catalog):
    return catalog["ES"]


@pytest.fixture(scope="module")
def bars(es):
    """Two rolls; half a session before midnight UTC, as ES closes."""
    return market(es, "2024-02-26", "2024-06-28", months="2023Z 2024H 2024M 2024U 2024Z")


@pytest.fixture(scope="module")
def events(es, bars):
    return expected(es, bars, start="2024H")


def _rolls(events):
    return [event for event in events if isinstance(event, Roll)]


class Reader(Actor):
    """Subscribes to what nautilus' engine makes of the transitions."""

    def __init__(self, params):
        super().__init__(ActorConfig(component_id="READER"))
        self.params, self.closes = params, []

    def on_start(self):
        self.subscribe_bars(TARGET, params=self.params)

    def on_bar(self, bar):
        if bar.volume.raw:  # hours without a bar repeat the last price
            self.closes.append(float(bar.close))


def _theirs(chain, bars, rolls, mode):
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        Venue("XCME"), oms_type=OmsType.NETTING, account_type=AccountType.MARGIN,
        starting_balances=[Money(1_000_000, USD)],
    )  # fmt: skip
    for each in sorted({bar.month for bar in bars}):
        engine.add_instrument(futures_contract(chain, each))
    engine.add_data(native(chain, bars, spec="1-HOUR-LAST-EXTERNAL"))
    params = {
        "continuous_future_transitions": to_transitions(rolls, chain, until=bars[-1].ts),
        "continuous_future_adjustment_mode": mode,
    }
    reader = Reader(params)
    engine.add_actor(reader)
    engine.run()
    engine.dispose()
    return reader.closes


@pytest.mark.parametrize("mode", list(Adjustment))
def test_our_views_are_what_its_engine_makes(es, bars, events, mode):
    theirs = _theirs(es, bars, _rolls(events), ContinuousFutureAdjustmentType[mode.name])
    view = View.of(mode, _rolls(events), first=month("2024H"))
    ours = [
        view.price(bar.current.close, bar.C, bar.R) / PRICE_SCALE
        for bar in events
        if isinstance(bar, ContinuousBar)
    ]
    assert len(theirs) == len(ours) == 87
    tick = 0.01  # its prices have the two decimals of the contract
    for one, other in zip(theirs, ours, strict=True):
        assert one == pytest.approx(other, abs=tick if mode.is_ratio else 1e-9)


def test_transitions_are_its_rows(es, events):
    first, second = to_transitions(_rolls(events), es, until=2**62)
    # The last bar of 2024H closes at 16:00 in Chicago on 2024-03-11.
    assert first["transition_time_ns"] == 1_710_190_800 * 10**9 + 1
    assert (first["pre_instrument_id"], first["post_instrument_id"]) == ("ESH24.XCME", "ESM24.XCME")
    assert second["pre_instrument_id"] == "ESM24.XCME"
    roll = _rolls(events)[0]
    assert float(first["post_price"]) - float(first["pre_price"]) == roll.gap / PRICE_SCALE


def test_only_rolls_that_were_made_are_given(es, events):
    first, second = _rolls(events)
    assert to_transitions([first, second], es, until=first.last_old_ts) == []
    assert len(to_transitions([first, second], es, until=first.last_old_ts + 1)) == 1
    (other,) = to_transitions([first], es, until=2**62, venue="GLBX")
    assert other["pre_instrument_id"] == "ESH24.GLBX"


@pytest.mark.parametrize(
    "change", [{"old": month("2024U")}, {"last_old_ts": 1}], ids=["a gap", "out of order"]
)
def test_rolls_that_do_not_follow_are_refused(es, events, change):
    first, second = _rolls(events)
    with pytest.raises(TransitionError, match="does not follow"):
        to_transitions([first, replace(second, **change)], es, until=2**62)
