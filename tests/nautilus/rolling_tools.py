"""A trading node with rolling strategies against a gateway in the same loop."""

from __future__ import annotations

import asyncio
import contextlib

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
from tests.gateway.tools import gateway
from tests.nautilus.exec_tools import ACCOUNT, NAME, START, Desk, node_config, until
from tests.nautilus.tools import month

U25, Z25, H26 = month("2025U"), month("2025Z"), month("2026H")


def config(port, roots, number=5):
    provider = FuturesInstrumentProviderConfig(
        roots=frozenset(roots), months=MonthsSelection(held=3, listed=3)
    )
    shared = {"port": port, "client_id": number, "instrument_provider": provider}
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


def factories(node):
    node.add_data_client_factory(NAME, FuturesLiveDataClientFactory)
    node.add_exec_client_factory(NAME, FuturesLiveExecClientFactory)


@contextlib.asynccontextmanager
async def node_of(server, strategies, roots=("ES",), *, wait=True, number=5):
    node = TradingNode(config(server.port, roots, number), loop=asyncio.get_running_loop())
    factories(node)
    for strategy in strategies:
        node.trader.add_strategy(strategy)
    node.build()
    run = asyncio.create_task(node.run_async())
    try:
        if wait:
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
    fast = {"replay": True, "poll_secs": 0.05, "check_secs": 0.1, "retry_secs": 0.1}
    config = {**fast, "settle_secs": 3.0, **settings}
    return RollingStrategy(
        RollingStrategyConfig(
            strategy_id="ROLL", order_id_tag=tag, root=root, store=str(store), **config
        )
    )


def say(d, text, root="ES"):
    """Say which month is current, as the roll actor does."""
    d.node.kernel.msgbus.publish(current_topic(root), text)


@contextlib.asynccontextmanager
async def ticking(d):
    """The gateway's time goes on."""

    async def tick():
        while True:
            await d.advance(1)
            await asyncio.sleep(0.03)

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def moved(d, strategy, position):
    async with ticking(d):
        await until(
            lambda: (
                strategy.failure
                or (strategy.position == position and not strategy.book.open_moves())
            ),
            f"{strategy.position} to be {position}",
        )
    assert strategy.failure is None
    await d.agree()


def orders(server):
    """Every order at the gateway, in the order of their permanent ids."""
    book = server.gateway.book
    return sorted([*book.open(), *book.done()], key=lambda order: order.perm_id)


def refs(server):
    """What the orders of moves were: root, source, target, kind and number, filled of quantity."""
    found = []
    for order in orders(server):
        root, source, target, _, tail = order.order.order_ref.rsplit("-", 4)
        found.append(f"{root} {source} {target} {tail} {order.filled}/{order.order.quantity}")
    return found


async def quiet(server, tail):
    """Wait for an order whose reference ends so, and let nobody trade with it."""

    def found():
        return next((x for x in orders(server) if x.order.order_ref.endswith(tail)), None)

    order = await until(found, tail)
    order.held = "nobody trades"
    return order


def with_gateway(scenario, roots=("ES",)):
    async def main():
        async with gateway(roots=roots, start=START) as server:
            await scenario(server)

    asyncio.run(main())
