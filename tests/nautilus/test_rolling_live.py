"""The rolling strategy in a trading node against the gateway: spread first, one move, one ledger."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from nautilus_trader.config import RoutingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode

from pyfutures.nautilus.config import (
    FuturesDataClientConfig,
    FuturesExecClientConfig,
    FuturesInstrumentProviderConfig,
    MonthsSelection,
)
from pyfutures.nautilus.factories import (
    FuturesLiveDataClientFactory,
    FuturesLiveExecClientFactory,
)
from pyfutures.nautilus.rolling import RollingStrategy, RollingStrategyConfig
from pyfutures.nautilus.types import current_topic
from pyfutures.store import Store
from tests.gateway.tools import gateway
from tests.nautilus.exec_tools import ACCOUNT, NAME, START, Desk, node_config, until
from tests.nautilus.tools import UTCNOW, month

pytestmark = UTCNOW
U25, Z25, H26 = month("2025U"), month("2025Z"), month("2026H")


def config(port, roots):
    provider = FuturesInstrumentProviderConfig(
        roots=frozenset(roots), months=MonthsSelection(held=3, listed=3)
    )
    shared = {"port": port, "client_id": 5, "instrument_provider": provider}
    base = node_config(
        {
            NAME: FuturesExecClientConfig(
                account_id=ACCOUNT, commission_timeout=1.0,
                routing=RoutingConfig(default=True), **shared,
            )
        },
        data_clients={
            NAME: FuturesDataClientConfig(routing=RoutingConfig(default=True), **shared)
        },
    )  # fmt: skip
    assert isinstance(base, TradingNodeConfig)
    return base


@contextlib.asynccontextmanager
async def node_of(server, strategies, roots=("ES",)):
    node = TradingNode(config(server.port, roots), loop=asyncio.get_running_loop())
    node.add_data_client_factory(NAME, FuturesLiveDataClientFactory)
    node.add_exec_client_factory(NAME, FuturesLiveExecClientFactory)
    for strategy in strategies:
        node.trader.add_strategy(strategy)
    node.build()
    run = asyncio.create_task(node.run_async())
    try:
        await until(lambda: node.trader.is_running or run.done(), "running node")
        if run.done():
            run.result()
        yield Desk(server, node, strategies[0])
    finally:
        await node.stop_async()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await asyncio.sleep(0)


def rolling(store, *, root="ES", tag="001", **settings):
    return RollingStrategy(
        RollingStrategyConfig(
            strategy_id="ROLL", order_id_tag=tag, root=root, store=str(store), replay=True,
            poll_secs=0.05, check_secs=0.1, **settings,
        )
    )  # fmt: skip


def say(d, text, root="ES"):
    """Say which month is current, as the roll actor does."""
    d.node.kernel.msgbus.publish(current_topic(root), text)


async def moved(d, strategy, position):
    async def tick():
        while True:
            await d.advance(1)
            await asyncio.sleep(0.03)

    ticking = asyncio.create_task(tick())
    try:
        await until(
            lambda: (
                strategy.failure
                or (strategy.position == position and not strategy.book.open_moves())
            ),
            f"{strategy.position} to be {position}",
        )
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
    assert strategy.failure is None
    await d.agree()


def refs(server):
    """Order references at the gateway, without the time of the move."""
    found = []
    for order in server.gateway.book.orders():
        head, _, tail = order.order.order_ref.rpartition("-")
        found.append(f"{head.rpartition('-')[0]} {tail}")
    return sorted(found)


def with_gateway(scenario, roots=("ES",)):
    async def main():
        async with gateway(roots=roots, start=START) as server:
            await scenario(server)

    asyncio.run(main())


def test_opens_and_rolls_by_one_spread(tmp_path):
    async def scenario(server):
        strategy = rolling(tmp_path / "s.sqlite", target=2, open_when_flat=True, step_secs=2)
        async with node_of(server, [strategy]) as d:
            say(d, "2025U")
            await moved(d, strategy, {U25: 2})
            say(d, "2025Z")
            await moved(d, strategy, {Z25: 2})
            assert {str(name): size for name, size in d.theirs().items()} == {"ESZ25.XCME": 2}
        with Store.open(tmp_path / "s.sqlite") as store:
            assert store.positions(ACCOUNT) == {"ES": {"ESZ25.XCME": 2}}
            kinds = [
                line.order_ref.rpartition("-")[2]
                for line in store.audit(ACCOUNT)
                if line.kind == "fill"
            ]
        assert kinds[0] == "L1"
        assert set(kinds[1:]) == {"S1"}

    with_gateway(scenario)


def test_several_missed_rolls_are_one_move(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        first = rolling(store, target=-1, open_when_flat=True)
        async with node_of(server, [first]) as d:
            say(d, "2025U")
            await moved(d, first, {U25: -1})
        again = rolling(store)
        async with node_of(server, [again]) as d:
            assert again.target == -1
            say(d, "2026H")
            await moved(d, again, {H26: -1})
        with Store.open(store) as opened:
            begun = [line.intent for line in opened.audit(ACCOUNT) if line.kind == "intent"]
        assert [text.rpartition("-")[0] for text in begun] == ["ES-FLAT-2025U", "ES-2025U-2026H"]

    with_gateway(scenario)


def test_a_second_node_on_the_position_is_refused(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        first = rolling(store)
        async with node_of(server, [first]) as d:
            from pyfutures.store import LeaseHeldError, Owner

            with Store.open(store) as other, pytest.raises(LeaseHeldError, match="ES"):
                other.lease(ACCOUNT, "ES", Owner.here("OTHER-001"))
            assert first.failure is None
            assert d.theirs() == {}

    with_gateway(scenario)


def test_a_position_traded_by_hand_stops(tmp_path):
    async def scenario(server):
        strategy = rolling(tmp_path / "s.sqlite")
        async with node_of(server, [strategy]) as d:
            name = strategy._market.name(U25)
            d.by_hand(name)
            await d.advance(1)
            strategy._beat()
            await d.agree()
            await asyncio.sleep(0.15)
            strategy._guard(strategy._beat)
            await asyncio.sleep(0.15)
            strategy._guard(strategy._beat)
            assert "ESU25.XCME: the broker holds +1, the ledger says nothing" in str(
                strategy.failure
            )

    with_gateway(scenario)
