"""The roll actor with a store: durable before it is published, cut anywhere, several at once."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
from dataclasses import replace

import pytest
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.enums import ComponentState
from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import Bar as NativeBar
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import OmsType, OrderSide
from nautilus_trader.model.identifiers import ClientOrderId, PositionId, TradeId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.model.position import Position
from nautilus_trader.test_kit.stubs.events import TestEventStubs
from nautilus_trader.test_kit.stubs.execution import TestExecStubs

from pyfutures.continuous import ContinuousBar, Roll, RollMachine
from pyfutures.continuous.series import read_parquet
from pyfutures.nautilus.actor import RollActor, RollActorConfig, RollActorError
from pyfutures.nautilus.instruments import futures_contract
from pyfutures.nautilus.series.keeping import KeepingError
from pyfutures.nautilus.series.placing import PlaceError
from pyfutures.nautilus.types import bars_of, current_topic, rolls_of
from pyfutures.store import Owner, SeriesChangedError, Store
from tests.nautilus.kills import written
from tests.nautilus.tools import SECOND, UTCNOW, expected, market, month, native, run

pytestmark = UTCNOW
MONTHS = "2023Z 2024H 2024M 2024U 2024Z"


@pytest.fixture(scope="module")
def es(catalog):
    return catalog["ES"]


@pytest.fixture(scope="module")
def bars(es):
    return market(es, "2024-02-26", "2024-06-28", months=MONTHS)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "live.sqlite")


def _said(chain, bars, **rules):
    events = expected(chain, bars, start="2024H", **rules)
    kinds = ContinuousBar, Roll
    return tuple([x for x in events if isinstance(x, kind)] for kind in kinds)


# What is written


def test_the_store_has_what_the_machine_says(es, bars, path):
    result = run(es, native(es, bars), start="2024H", store=path)
    assert result.error is None
    both = result.bars, result.rolls
    assert both == _said(es, bars)
    table, rolls = written(path)
    assert [row[1] for row in table] == [bar.ts for bar in result.bars]
    assert [row[1] for row in rolls] == [roll.last_old_ts for roll in result.rolls]


class Witness(Actor):
    """Looks into the store whenever something is published."""

    def __init__(self, path):
        super().__init__(ActorConfig(component_id="WITNESS"))
        self.path, self.looks = path, []

    def on_start(self):
        self.subscribe_data(bars_of("ES"))
        self.subscribe_data(rolls_of("ES"))

    def on_data(self, data):
        bars, rolls = written(self.path)
        rows = bars if hasattr(data, "bar") else rolls
        self.looks.append(rows[-1][1] == data.ts_event)


def test_it_is_durable_before_it_is_published(es, bars, path):
    witness = Witness(path)
    few = [bar for bar in bars if bar.ts < 1_710_800_000 * SECOND]
    result = run(es, native(es, few), listener=witness, start="2024H", store=path)
    assert len(witness.looks) == len(result.events)
    assert all(witness.looks)


@pytest.mark.parametrize("cut", [1, 2, 3, 11, 12, 13, 40, 80])
def test_two_runs_on_one_store_are_one(es, bars, path, cut):
    """Each run closes the timestamp that it ends with; the first roll is on the eleventh day."""
    at = sorted({bar.ts for bar in bars})[cut]
    first = [bar for bar in bars if bar.ts < at]
    second = [bar for bar in bars if bar.ts >= at]
    events = []
    for part in (first, second):
        result = run(es, native(es, part), start="2024H", store=path)
        assert result.error is None
        events += result.events
    assert events == expected(es, bars, start="2024H")


def test_the_current_month_is_told(es, bars):
    result = run(es, native(es, bars), start="2024H")
    assert result.engine.cache.get(current_topic("ES")) == b"2024U"


# Rules that change


def test_a_changed_past_ends_the_start_and_rebuild_begins_anew(es, bars, path):
    run(es, native(es, bars), start="2024H", store=path)
    changed = run(es, native(es, bars), start="2024H", store=path, offset=-12)
    assert isinstance(changed.error, SeriesChangedError)
    assert "2024H into 2024M from 2024-03-11" in str(changed.error)
    rebuilt = run(es, native(es, bars), start="2024H", store=path, offset=-12, rebuild=True)
    assert rebuilt.error is None
    assert rebuilt.events == expected(es, bars, start="2024H", offset=-12)


@pytest.mark.parametrize(
    ("policy", "text"),
    [("open_interest", "have no open interest"), ("nearest", "looks at prices to come")],
)
def test_policies_for_files_are_refused_before_a_node_is_made(es, policy, text):
    with pytest.raises(RollActorError, match=f"ES: the policy {policy} is for files.*{text}"):
        RollActor(RollActorConfig(root="ES", policy=policy), es)


# Copies


def test_a_lost_store_comes_back_from_the_catalogue(es, bars, path, tmp_path):
    folder = str(tmp_path / "catalog")
    half = [bar for bar in bars if bar.ts < bars[len(bars) // 2].ts]
    rest = bars[len(half) :]
    run(es, native(es, half), start="2024H", store=path, catalog=folder)
    other = str(tmp_path / "new.sqlite")
    result = run(es, native(es, rest), start="2024H", store=other, catalog=folder)
    assert result.error is None
    whole = str(tmp_path / "whole.sqlite")
    run(es, native(es, bars), start="2024H", store=whole)
    assert written(other) == written(whole)


def test_an_older_copy_of_a_store_takes_back_what_the_catalogue_has(es, bars, path, tmp_path):
    """The broker has revised its history since; what was published stands."""
    folder = str(tmp_path / "catalog")
    at = sorted({bar.ts for bar in bars})
    parts = [
        [bar for bar in bars if first <= bar.ts < last]
        for first, last in ((0, at[8]), (at[8], at[20]), (at[20], at[-1] + 1))
    ]
    run(es, native(es, parts[0]), start="2024H", store=path, catalog=folder)
    copy = str(tmp_path / "copy.sqlite")
    shutil.copy(path, copy)
    run(es, native(es, parts[1]), start="2024H", store=path, catalog=folder)
    revised = [replace(bar, volume=bar.volume + 1) for bar in parts[1]]
    result = run(es, native(es, revised + parts[2]), start="2024H", store=copy, catalog=folder)
    assert result.error is None
    assert result.actor.counts["late"] == len(revised)
    run(es, native(es, parts[2]), start="2024H", store=path)
    assert written(copy) == written(path)


def test_a_catalogue_of_other_rules_is_refused(es, bars, path, tmp_path):
    folder = str(tmp_path / "catalog")
    run(es, native(es, bars), start="2024H", store=path, catalog=folder)
    other = str(tmp_path / "new.sqlite")
    result = run(es, native(es, bars), store=other, catalog=folder, offset=-12, start="2024H")
    assert isinstance(result.error, KeepingError)


def test_the_series_is_exported_on_stop(es, bars, path, tmp_path):
    file = tmp_path / "es.parquet"
    result = run(es, native(es, bars), start="2024H", store=path, export=str(file))
    series = read_parquet(file)
    assert series.ts.tolist() == [bar.ts for bar in result.bars]
    assert series.close.tolist() == [bar.current.close for bar in result.bars]
    assert [roll.gap for roll in series.rolls] == [roll.gap for roll in result.rolls]


def test_without_a_store_there_is_nothing_to_export(es, bars):
    result = run(es, native(es, bars[:8]), start="2024H")
    with pytest.raises(RollActorError, match="in no store"):
        result.actor.export("x.parquet")


# Several series of a root


def test_two_hold_cycles_of_one_root_are_kept_side_by_side(es, bars, path):
    config = RollActorConfig(
        component_id="SECOND", root="ES", series="ES_HZ", hold="HMZ", start="2024H", store=path
    )
    second = RollActor(config, es)
    result = run(es, native(es, bars), listener=second, start="2024H", store=path)
    assert result.error is None
    assert result.events == expected(es, bars, start="2024H")
    with Store.open(path) as store:
        assert store.series_names() == ("ES", "ES_HZ")
    assert [str(bar.month) for bar in second.bars][-1] == "2024Z"
    assert result.engine.cache.get(current_topic("ES")) == b"2024U"
    other = expected(es, bars, start="2024H", hold="HMZ")
    assert list(second.bars) == [x for x in other if isinstance(x, ContinuousBar)]


# On a real clock


def _live(work, **options):
    """Run `work(actor, node)` in a node without clients."""

    async def main():
        config = TradingNodeConfig(
            trader_id="ROLLS-001",
            logging=LoggingConfig(log_level="OFF", print_config=False),
            timeout_connection=2,
            timeout_reconciliation=2,
            timeout_portfolio=2,
            timeout_disconnection=1,
            timeout_post_stop=0.05,
        )
        node = TradingNode(config, loop=asyncio.get_running_loop())
        actor = RollActor(RollActorConfig(root="ES", overdue_secs=0, **options))
        node.trader.add_actor(actor)
        node.build()
        task = asyncio.create_task(node.run_async())
        try:
            for _ in range(500):
                if node.trader.is_running:
                    break
                await asyncio.sleep(0.01)
            await work(actor, node)
        finally:
            if node.kernel.is_running():
                await node.stop_async()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def _native_now(actor):
    """A bar of the current month that has just closed."""
    bar_type = next(x for x, held in actor._subscribed.items() if held == actor.machine.month)
    one, now = Price.from_str("5000.25"), int(dt.datetime.now(dt.UTC).timestamp()) * SECOND
    return NativeBar(bar_type, one, one, one, one, Quantity.from_int(1), now, now)


async def _until(found):
    for _ in range(500):
        if found():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 5 s")


def test_a_timestamp_is_closed_by_its_timer_live(path):
    """Nothing comes after the bar, as on a Friday."""

    async def work(actor, _):
        bar = _native_now(actor)
        actor.on_bar(bar)
        assert not actor.bars
        await _until(lambda: actor.bars)
        assert actor.bars[-1].ts == bar.ts_event
        assert written(path)[0][-1][1] == bar.ts_event

    _live(work, store=path, grace_secs=0.2)
    with Store.open(path) as store:
        assert store.series_names() == ("ES",)


def test_a_failure_in_a_timer_live_stops_the_node(monkeypatch, path):
    async def work(actor, node):
        shutdowns = []
        node.kernel.msgbus.subscribe("commands.system.shutdown", shutdowns.append)
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        feed = RollMachine.feed

        def failing(machine, event):
            if hasattr(event, "month"):
                return feed(machine, event)
            raise ArithmeticError("no more")

        monkeypatch.setattr(RollMachine, "feed", failing)
        actor.on_bar(_native_now(actor))
        await _until(lambda: actor.failure)
        assert actor.state == ComponentState.FAULTED
        assert "no more" in str(actor.failure)
        await _until(lambda: shutdowns)

    _live(work, store=path, grace_secs=0.2)
    with Store.open(path) as store:  # its lease is free
        assert store.series_names() == ("ES",)


def _position(chain, held, quantity):
    """An open position, as the execution engine makes them of reports."""
    instrument = futures_contract(chain, held)
    side = OrderSide.BUY if quantity > 0 else OrderSide.SELL
    fill = TestEventStubs.order_filled(
        TestExecStubs.make_accepted_order(
            instrument=instrument,
            order_side=side,
            quantity=Quantity.from_int(abs(quantity)),
            price=Price.from_str("5000.00"),
            client_order_id=ClientOrderId(f"O-{held}"),
        ),
        instrument=instrument,
        position_id=PositionId(f"{instrument.id}-EXTERNAL"),
        trade_id=TradeId(f"T-{held}"),
        last_px=Price.from_str("5000.00"),
    )
    return Position(instrument=instrument, fill=fill), instrument


def _started_with(chain, path, held, account=None, **ledger):
    """The actor of a node that found positions at the broker; and what it said on start."""
    found = []
    with Store.open(path) as store:
        for root, (contract, quantity) in ledger.items():
            with store.lease("none", root, Owner.here("ROLLS-001")) as lease:
                store.book(lease, strategy="S").adjust(contract, quantity, reason="as it is")

    async def main():
        config = TradingNodeConfig(
            trader_id="ROLLS-001", logging=LoggingConfig(log_level="OFF", print_config=False)
        )
        node = TradingNode(config, loop=asyncio.get_running_loop())
        config = RollActorConfig(root=chain.root, overdue_secs=0, store=path, account_id=account)
        actor = RollActor(config, chain)
        node.trader.add_actor(actor)
        for each, quantity in held.items():
            position, instrument = _position(chain, each, quantity)
            node.cache.add_instrument(instrument)
            node.cache.add_position(position, OmsType.NETTING)
        try:
            actor.start()
            found.append(actor.machine.month)
            actor.stop()
        except PlaceError as error:
            found.append(str(error))
        node.kernel.dispose()

    asyncio.run(main())
    return found[0]


def _ahead(chain):
    """The months held now and next, by the calendar."""
    row = chain.rolls.position(int(dt.datetime.now(dt.UTC).timestamp()) * SECOND)
    return row.month, row.forward


def test_it_starts_in_the_month_that_is_held(es, path):
    _, forward = _ahead(es)
    assert _started_with(es, path, {forward: 2}) == forward


def test_what_another_account_holds_is_not_its_own(es, path):
    current, forward = _ahead(es)
    assert _started_with(es, path, {forward: 2}, "000") == forward
    assert _started_with(es, f"{path}2", {forward: 2}, "DU1234567") == current


def test_a_spread_that_is_held_is_named(es, path):
    current, forward = _ahead(es)
    said = _started_with(es, path, {current: 1, forward: -1})
    assert f"{current} +1, {forward} -1" in said
    assert "as in a spread" in said


def test_what_another_root_holds_in_the_same_contract_is_not_its_own(catalog, path):
    """Both roots are one contract at the broker; the ledger says that all of it is the other's."""
    coil = catalog["COIL"]
    current, forward = _ahead(coil)
    contract = str(futures_contract(coil, forward).id)
    assert _started_with(coil, path, {forward: 3}, COIL_Z=(contract, 3)) == current


def test_bars_of_what_is_not_subscribed_are_no_bars(es, bars):
    result = run(es, native(es, bars[:8]), start="2024H")
    before = result.actor.machine.state()
    one = Price.from_str("1")
    other = BarType.from_str("NQH24.XCME-1-DAY-LAST-EXTERNAL")
    result.actor.on_bar(NativeBar(other, one, one, one, one, Quantity.from_int(1), 1, 1))
    assert result.actor.machine.state() == before
    assert month("2024H") == result.actor.machine.month
