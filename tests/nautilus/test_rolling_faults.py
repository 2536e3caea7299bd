"""Moves that do not go as they should: each ends in one month, or stops and says why."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from pyfutures.nautilus.rolling import RollingStrategy
from pyfutures.positions import Move, MoveId
from pyfutures.positions.move import MoveOrder, OrderKind, OrderRef, State
from pyfutures.store import Store
from pyfutures.store.moves import StoredMoves
from tests.nautilus.exec_tools import ACCOUNT, START, until
from tests.nautilus.rolling_tools import (
    H26,
    U25,
    Z25,
    moved,
    node_of,
    orders,
    quiet,
    refs,
    rolling,
    say,
    with_gateway,
)
from tests.nautilus.tools import UTCNOW, month

pytestmark = UTCNOW
ES = ("ESU25.XCME", "ESZ25.XCME", "ESH26.XCME")


async def opened(d, strategy, size=2):
    say(d, "2025U")
    await moved(d, strategy, {U25: size})


def ledger(path):
    with Store.open(path) as store:
        return store.positions(ACCOUNT)


def write(path, **contracts):
    """Write a ledger as an earlier run has left it."""
    with_book(path, lambda book: book.adjust("ES", contracts, "an earlier run"))


def with_book(path, action):
    book = StoredMoves.open(str(path), account=ACCOUNT, root="ES", trader="EARLIER-001")
    try:
        action(book)
    finally:
        book.close()


def test_coil_and_its_december_roll_each_by_its_own_rule(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        months = [month(text) for text in ("2025X", "2025Z", "2026F", "2026Z")]
        nov, dec, jan, dec26 = months
        coil = rolling(store, root="COIL", tag="001", target=2, open_when_flat=True, step_secs=2)
        december = rolling(
            store, root="COIL_Z", tag="002", target=3, open_when_flat=True, step_secs=2
        )
        async with node_of(server, [coil, december], ("COIL", "COIL_Z")) as d:

            async def reach(coils, decembers):
                await moved(d, coil, coils)
                await moved(d, december, decembers)
                sums = {}
                for held in ledger(store).values():
                    for name, size in held.items():
                        sums[name] = sums.get(name, 0) + size
                assert sums == {str(name): size for name, size in d.theirs().items()}
                assert coil.failure is december.failure is None

            say(d, "2025X", "COIL")
            say(d, "2025Z", "COIL_Z")
            await reach({nov: 2}, {dec: 3})
            say(d, "2025Z", "COIL")  # both in one contract of the broker
            await reach({dec: 2}, {dec: 3})
            assert d.theirs() == {coil._market.name(dec): 5}
            coil._guard(coil._compare)
            say(d, "2026F", "COIL")
            await reach({jan: 2}, {dec: 3})
            say(d, "2026Z", "COIL_Z")
            await reach({jan: 2}, {dec26: 3})
        assert ledger(store) == {"COIL": {"COILF26.IFEU": 2}, "COIL_Z": {"COILZ26.IFEU": 3}}

    with_gateway(scenario, ("COIL", "COIL_Z"))


def test_a_spread_that_nobody_takes_is_followed_by_legs_after_its_end(tmp_path):
    async def scenario(server):
        strategy = rolling(
            tmp_path / "s.sqlite", target=3, open_when_flat=True, steps=2, step_secs=0.4
        )
        async with node_of(server, [strategy]) as d:
            await opened(d, strategy, 3)
            server.gateway.faults.slow_next_cancel(10 * 10**9)
            say(d, "2025Z")
            spread = await quiet(server, "-S1")
            server.gateway.book.fill(spread, 1, spread.terms.limit)
            await until(lambda: strategy.position == {U25: 2, Z25: 1}, "part of the spread")
            await until(lambda: spread.status.value == "PendingCancel", "asked to go")
            await asyncio.sleep(0.2)
            assert len(orders(server)) == 2  # the opening and the spread: no legs before its end
            await moved(d, strategy, {Z25: 3})
            assert refs(server) == [
                "ES FLAT 2025U L1 3/3",
                "ES 2025U 2025Z S1 1/3",
                "ES 2025U 2025Z L2 2/2",
                "ES 2025U 2025Z L3 2/2",
            ]

    with_gateway(scenario)


def test_a_refused_spread_is_followed_by_legs(tmp_path):
    async def scenario(server):
        strategy = rolling(tmp_path / "s.sqlite", target=-2, open_when_flat=True)
        async with node_of(server, [strategy]) as d:
            await opened(d, strategy, -2)
            server.gateway.faults.when("PlaceOrder", "reject", where={"contract.sec_type": "BAG"})
            say(d, "2025Z")
            await moved(d, strategy, {Z25: -2})
            assert [text for text in refs(server) if " L" in text] == [
                "ES FLAT 2025U L1 2/2",
                "ES 2025U 2025Z L2 2/2",
                "ES 2025U 2025Z L3 2/2",
            ]

    with_gateway(scenario)


def test_refused_legs_are_tried_again_and_then_a_fault(tmp_path):
    async def scenario(server):
        strategy = rolling(tmp_path / "s.sqlite", target=2, open_when_flat=True)
        async with node_of(server, [strategy]) as d:
            server.gateway.faults.when("PlaceOrder", "reject", times=None)
            say(d, "2025U")
            await until(lambda: strategy.failure, "a fault")
            assert "3 orders for 2025U were refused, +2 2025U is left" in str(strategy.failure)
            assert d.theirs() == {}

    with_gateway(scenario)


def test_the_end_of_the_hours_pulls_the_spread_and_the_next_ones_begin_anew(tmp_path):
    async def scenario(server):
        liquid = [True]

        class Timed(RollingStrategy):
            def is_liquid(self, months, now_ns):
                return super().is_liquid(months, now_ns) and liquid[0]

        settings = rolling(tmp_path / "s.sqlite", target=2, open_when_flat=True, step_secs=5)
        strategy = Timed(settings.config)
        async with node_of(server, [strategy]) as d:
            await opened(d, strategy)
            say(d, "2025Z")
            first = await quiet(server, "-S1")
            liquid[0] = False
            await until(lambda: first.status.value == "Cancelled", "pulled")
            await asyncio.sleep(0.2)
            assert len(orders(server)) == 2
            assert strategy.position == {U25: 2}
            liquid[0] = True
            await moved(d, strategy, {Z25: 2})
            assert refs(server)[1:] == ["ES 2025U 2025Z S1 0/2", "ES 2025U 2025Z S2 2/2"]

    with_gateway(scenario)


def test_the_kill_file_pulls_the_spread_until_it_is_gone(tmp_path):
    async def scenario(server):
        kill = tmp_path / "KILL"
        strategy = rolling(
            tmp_path / "s.sqlite", target=2, open_when_flat=True, step_secs=5, kill_file=str(kill)
        )
        async with node_of(server, [strategy]) as d:
            await opened(d, strategy)
            say(d, "2025Z")
            first = await quiet(server, "-S1")
            kill.touch()
            await until(lambda: first.status.value == "Cancelled", "pulled")
            await asyncio.sleep(0.2)
            assert (len(orders(server)), strategy.failure) == (2, None)
            kill.unlink()
            await moved(d, strategy, {Z25: 2})
            assert refs(server)[1:] == ["ES 2025U 2025Z S1 0/2", "ES 2025U 2025Z S2 2/2"]

    with_gateway(scenario)


def test_a_dry_run_sends_nothing_and_leaves_no_move_behind(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        first = rolling(store, target=2, open_when_flat=True)
        async with node_of(server, [first]) as d:
            await opened(d, first)
        again = rolling(store, dry_run=True)
        async with node_of(server, [again]) as d:
            say(d, "2025Z")
            await until(lambda: "dry run, would send spread -2 2025U +2 2025Z" in again._said)
            await asyncio.sleep(0.2)
            assert len(orders(server)) == 1
            assert again.failure is None
        with Store.open(store) as opened_store:
            assert opened_store.open_intents(ACCOUNT) == ()
        assert ledger(store) == {"ES": {"ESU25.XCME": 2}}

    with_gateway(scenario)


def test_another_target_in_the_middle_of_a_move_is_a_move_of_its_own(tmp_path):
    async def scenario(server):
        strategy = rolling(tmp_path / "s.sqlite", target=2, open_when_flat=True, step_secs=0.4)
        async with node_of(server, [strategy]) as d:
            await opened(d, strategy)
            say(d, "2025Z")
            spread = await quiet(server, "-S1")
            strategy.set_target(3)
            server.gateway.book.fill(spread, 1, spread.terms.limit)
            await moved(d, strategy, {Z25: 3})
        with Store.open(tmp_path / "s.sqlite") as store:
            ended = [x.payload["outcome"] for x in store.audit(ACCOUNT) if x.kind == "ended"]
        assert ended[0] == ended[-1] == "moved"
        assert "superseded" in ended

    with_gateway(scenario)


@pytest.mark.parametrize("working", [True, False], ids=["it works", "it filled while off"])
def test_a_spread_of_an_earlier_run_is_taken_up(tmp_path, working):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        first = rolling(store, target=2, open_when_flat=True, step_secs=5)
        async with node_of(server, [first]) as d:
            await opened(d, first)
            say(d, "2025Z")
            spread = await quiet(server, "-S1")
            server.gateway.book.fill(spread, 1, spread.terms.limit)
            await until(lambda: first.position == {U25: 1, Z25: 1}, "half")
        if not working:
            server.gateway.book.fill(spread, 1, spread.terms.limit)
        again = rolling(store, step_secs=0.3, steps=2)
        async with node_of(server, [again]) as d:
            await until(lambda: again._is_settled, "agreement")
            assert again.position == ({U25: 1, Z25: 1} if working else {Z25: 2})
            await moved(d, again, {Z25: 2})
        assert [text.split()[3] for text in refs(server)] == (
            ["L1", "S1", "L2", "L3"] if working else ["L1", "S1"]
        )

    with_gateway(scenario)


def test_positions_that_are_told_before_the_order_that_made_them_count_once(tmp_path):
    """An order of which IB tells nothing any more is judged by the positions."""

    async def scenario(server):
        store = tmp_path / "s.sqlite"
        first = rolling(store, target=2, open_when_flat=True)
        async with node_of(server, [first]) as d:
            await opened(d, first)
            d.by_hand(first._market.name(U25), "SELL", 1)
            d.by_hand(first._market.name(Z25), "BUY", 1)
            await d.advance(1)
        move = Move(MoveId("ES", U25, Z25, START), {Z25: 2}, {U25: "ESU25.XCME", Z25: "ESZ25.XCME"})
        sent = MoveOrder(
            OrderRef(move.id, OrderKind.SPREAD, 1), {U25: -2, Z25: 2}, State.IN_FLIGHT, 0
        )

        def interrupted(book):
            book.begin(move)
            book.write(sent, "sent")

        with_book(store, interrupted)
        again = rolling(store, step_secs=0.3)
        async with node_of(server, [again]) as d:
            assert again.position == {U25: 1, Z25: 1}
            await moved(d, again, {Z25: 2})

    with_gateway(scenario)


@pytest.mark.parametrize(
    ("held", "text"),
    [
        ({ES[0]: 1, ES[2]: 1}, r"holds 2025U \+1, 2026H \+1, and no move"),
        ({ES[0]: 1, ES[1]: -1}, r"holds 2025U \+1, 2025Z -1, and no move"),
        ({ES[0]: 1, ES[1]: 1}, r"holds 2025U \+1, 2025Z \+1, and no move"),
    ],
    ids=["not adjacent", "opposite sign", "no intent"],
)
def test_two_months_without_a_move_stop_naming_both(tmp_path, held, text):
    async def scenario(server):
        first = rolling(tmp_path / "s.sqlite")
        async with node_of(server, [first]) as d:
            for name, size in held.items():
                instrument = next(x for x in map(first._market.name, (U25, Z25, H26))
                                  if str(x) == name)  # fmt: skip
                d.by_hand(instrument, "BUY" if size > 0 else "SELL", 1)
            await d.advance(1)
            await d.agree()
        again = rolling(tmp_path / "s.sqlite", adopt=True)
        async with node_of(server, [again], wait=False):
            await until(lambda: again.failure, "a fault")
        with pytest.raises(type(again.failure), match=text):
            raise again.failure

    with_gateway(scenario)


def test_what_the_broker_holds_is_taken_over_if_asked(tmp_path):
    async def scenario(server):
        first = rolling(tmp_path / "s.sqlite")
        async with node_of(server, [first]) as d:
            d.by_hand(first._market.name(U25), "SELL", 2)
            await d.advance(1)
            await d.agree()
        again = rolling(tmp_path / "s.sqlite", adopt=True, step_secs=0.3)
        async with node_of(server, [again]) as d:
            assert (again.position, again.target) == ({U25: -2}, -2)
            say(d, "2025Z")
            await moved(d, again, {Z25: -2})

    with_gateway(scenario)


@pytest.mark.parametrize("after", ["fault", "flat", "reopen"])
def test_a_position_whose_contract_has_expired(tmp_path, after):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        write(store, **{"ESH24.XCME": 2})
        strategy = rolling(store, replay=False, on_expired=after, target=1, hours="00:00-00:00 UTC")
        async with node_of(server, [strategy], wait=after != "fault") as d:
            if after == "fault":
                await until(lambda: strategy.failure, "a fault")
                assert r"the ledger says ESH24.XCME +2, which has expired" in str(strategy.failure)
                return
            assert strategy.failure is None
            strategy.set_target(strategy.target)  # nothing is current: nothing is sent
            assert (strategy.position, orders(server)) == ({}, [])
            assert strategy.target == (1 if after == "reopen" else 0)
            assert d.theirs() == {}
        assert ledger(store) == {}

    with_gateway(scenario)


def test_a_position_never_rolls_backwards(tmp_path):
    async def scenario(server):
        strategy = rolling(tmp_path / "s.sqlite", target=1, open_when_flat=True)
        async with node_of(server, [strategy]) as d:
            say(d, "2025Z")
            await moved(d, strategy, {Z25: 1})
            say(d, "2025U")
            assert "2025Z is held and 2025U is said to be current" in str(strategy.failure)
            assert d.theirs() == {strategy._market.name(Z25): 1}

    with_gateway(scenario)


def test_two_strategies_on_one_root_are_refused(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        both = [rolling(store, tag="001"), rolling(store, tag="002")]
        async with node_of(server, both, wait=False):
            await until(lambda: both[1].failure, "a fault")
            assert "ES: another strategy of this node holds this root" in str(both[1].failure)

    with_gateway(scenario)


def test_an_order_of_a_store_that_is_lost_stops(tmp_path):
    async def scenario(server):
        first = rolling(tmp_path / "s.sqlite", target=2, open_when_flat=True, step_secs=60)
        async with node_of(server, [first]) as d:
            await opened(d, first)
            say(d, "2025Z")
            await quiet(server, "-S1")
        again = rolling(tmp_path / "other.sqlite", adopt=True)
        async with node_of(server, [again], wait=False):
            await until(lambda: again.failure, "a fault")
            assert "works that is not written down" in str(again.failure)

    with_gateway(scenario)


def test_an_order_under_another_client_id_is_not_sent_twice(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        first = rolling(store, target=2, open_when_flat=True, step_secs=60)
        async with node_of(server, [first]) as d:
            await opened(d, first)
            say(d, "2025Z")
            await quiet(server, "-S1")
        again = rolling(store)
        async with node_of(server, [again], wait=False, number=6):
            await until(lambda: again.failure, "a fault")
            assert "is not found by its reference" in str(again.failure)
        assert len(orders(server)) == 2

    with_gateway(scenario)


NODE = """
trader_id: SECOND-001
logging: {log_level: "OFF", print_config: false}
exec_engine: {reconciliation_startup_delay_secs: 0.1}
data_clients:
  PYF:
    path: pyfutures.nautilus.config:FuturesDataClientConfig
    factory: {path: pyfutures.nautilus.factories:FuturesLiveDataClientFactory}
    config: CLIENT
exec_clients:
  PYF:
    path: pyfutures.nautilus.config:FuturesExecClientConfig
    factory: {path: pyfutures.nautilus.factories:FuturesLiveExecClientFactory}
    config: CLIENT
strategies:
  - strategy_path: pyfutures.nautilus.rolling:RollingStrategy
    config_path: pyfutures.nautilus.rolling:RollingStrategyConfig
    config: {root: ES, order_id_tag: "001", store: STORE}
timeout_connection: 10
timeout_disconnection: 2
timeout_post_stop: 0.1
"""


def test_a_second_node_on_one_account_and_root_is_refused(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        file = tmp_path / "node.yaml"
        client = {
            "port": server.port, "client_id": 9, "instrument_provider": {"roots": ["ES"]},
            "routing": {"default": True},
        }  # fmt: skip
        text = NODE.replace("CLIENT", json.dumps(client)).replace("STORE", json.dumps(str(store)))
        file.write_text(text, "utf-8")
        first = rolling(store)
        async with node_of(server, [first]):
            process = await asyncio.create_subprocess_exec(
                Path(sys.executable).with_name("pyfutures"), "node", "run", file,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            _, said = await asyncio.wait_for(process.communicate(), 30)
            assert process.returncode == 1
            assert "ES is held by TESTER-001 (process" in said.decode()
            assert "two nodes must not trade one root of one account" in said.decode()
            assert "Traceback" not in said.decode()
            assert first.failure is None

    with_gateway(scenario)


def test_a_store_that_takes_no_more_stops_before_anything_is_sent(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        first = rolling(store, target=2, open_when_flat=True, step_secs=1)
        async with node_of(server, [first]) as d:
            await opened(d, first)
            with first.book._store._database.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA query_only=ON")
            before = len(refs(server))
            say(d, "2025Z")
            await until(lambda: not d.node.trader.is_running, "the node to stop")
            assert "readonly database" in str(first.failure)
            assert len(refs(server)) == before
        again = rolling(store, target=2)
        async with node_of(server, [again]) as d:
            say(d, "2025Z")
            await moved(d, again, {Z25: 2})

    with_gateway(scenario)
