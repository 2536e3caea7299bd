"""A trading node with our data client against a gateway in the same loop."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os

from nautilus_trader.common.actor import Actor
from nautilus_trader.config import (
    ActorConfig,
    LiveDataEngineConfig,
    LoggingConfig,
    RoutingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import BarType
from nautilus_trader.model.identifiers import ClientId, InstrumentId

from pyfutures.nautilus.config import (
    FuturesDataClientConfig,
    FuturesInstrumentProviderConfig,
    MonthsSelection,
)
from pyfutures.nautilus.factories import (
    FuturesLiveDataClientFactory,
    FuturesLiveExecClientFactory,
)
from pyfutures.nautilus.market.events import feed_topic
from tests.gateway.tools import gateway

NAME = "PYF"
#: A Tuesday, 09:00 in Chicago; ES, ZC and the like trade.
START = dt.datetime(2025, 7, 1, 14, tzinfo=dt.UTC)
ROOTS = ("ES", "ZC")
ESU = InstrumentId.from_str("ESU25.XCME")
ESZ = InstrumentId.from_str("ESZ25.XCME")
ZCU = InstrumentId.from_str("ZCU25.XCBT")
MINUTES = BarType.from_str(f"{ESU}-1-MINUTE-LAST-EXTERNAL")
PATIENCE = 10.0  # seconds; a test that waits for it has failed
SECOND = 10**9
MINUTE = 60 * SECOND


def ns(moment):
    return int(moment.timestamp()) * SECOND


class Keeper(Actor):
    """Keeps all it is told."""

    def __init__(self, config=None):
        super().__init__(config or ActorConfig(component_id="KEEPER"))
        self.quotes, self.trades, self.bars, self.past, self.answers = [], [], [], [], []
        self.instruments, self.statuses, self.deltas, self.depths, self.feeds = [], [], [], [], []

    def on_start(self):
        self.msgbus.subscribe(feed_topic(NAME), self.feeds.append)

    def on_quote_tick(self, tick):
        self.quotes.append(tick)

    def on_trade_tick(self, tick):
        self.trades.append(tick)

    def on_bar(self, bar):
        self.bars.append(bar)

    def on_instrument(self, instrument):
        self.instruments.append(instrument)

    def on_instrument_status(self, status):
        self.statuses.append(status)

    def on_order_book_deltas(self, deltas):
        self.deltas.append(deltas)

    def on_order_book_depth(self, depth):
        self.depths.append(depth)

    def on_historical_data(self, data):
        self.past.append(data)

    def stamps(self, instrument=None):
        return [b.ts_event for b in self.bars if instrument in (None, b.bar_type.instrument_id)]


def data_config(port, **settings):
    provider = settings.pop("provider", {})
    return FuturesDataClientConfig(
        port=port,
        client_id=settings.pop("client_id", 6),
        instrument_provider=FuturesInstrumentProviderConfig(
            roots=frozenset(settings.pop("roots", ROOTS)),
            months=MonthsSelection(listed=2),
            **provider,
        ),
        routing=RoutingConfig(default=True),
        **settings,
    )


async def until(found, what="what was waited for", patience=PATIENCE):
    """Wait until something is true, and return it."""
    for _ in range(int(patience / 0.01)):
        answer = found()
        if answer:
            return answer
        await asyncio.sleep(0.01)
    raise AssertionError(f"{what}: not within {patience:g} s")


class Room:
    """A running node, its actor, its client and the gateway."""

    def __init__(self, server, node, keeper):
        self.server, self.node, self.keeper = server, node, keeper

    @property
    def client(self):
        return self.node.kernel.data_engine._clients[ClientId(NAME)]

    @property
    def ib(self):
        return self.client.link.client

    @property
    def cache(self):
        return self.node.cache

    @property
    def gateway(self):
        return self.server.gateway

    def what(self, instrument):
        listing = self.client.link.listings.by_id(instrument)
        return self.gateway.universe.by_id(listing.con_id)

    async def advance(self, seconds, *, step=None):
        """Move the gateway's time, and let the node hear of it."""
        step = step or seconds
        while seconds > 0:
            await self.server.advance(min(step, seconds))
            await asyncio.sleep(0.02)
            seconds -= step

    async def ask(self, kind, *args, **more):
        """Make a request of the actor and return what it brought, once it is answered."""
        keeper = self.keeper
        keeper.past.clear()
        done = []
        getattr(keeper, f"request_{kind}")(*args, callback=done.append, **more)
        await until(lambda: done, f"answer to request_{kind}")
        return list(keeper.past)

    def sent(self, kind):
        """The feeds of the gateway of a kind."""
        return [stream for _, _, stream in self.gateway.feeds.of(kind)]


def node_config(port, *, catalogs=(), exec_clients=None, **settings):
    return TradingNodeConfig(
        trader_id="TESTER-002",
        logging=LoggingConfig(log_level=os.environ.get("NODE_LOG", "OFF")),
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        data_clients={NAME: data_config(port, **settings)},
        exec_clients=exec_clients or {},
        catalogs=list(catalogs),
        timeout_connection=8,
        timeout_reconciliation=2,
        timeout_portfolio=2,
        timeout_disconnection=2,
        timeout_post_stop=0.05,
    )


@contextlib.asynccontextmanager
async def running(server, *, keeper=None, actors=(), config=None, **settings):
    """A node that runs."""
    node = TradingNode(
        config or node_config(server.port, **settings), loop=asyncio.get_running_loop()
    )
    node.add_data_client_factory(NAME, FuturesLiveDataClientFactory)
    node.add_exec_client_factory(NAME, FuturesLiveExecClientFactory)
    keeper = keeper or Keeper()
    for actor in (keeper, *actors):
        node.trader.add_actor(actor)
    node.build()
    run = asyncio.create_task(node.run_async())
    room = Room(server, node, keeper)
    try:
        await until(lambda: node.trader.is_running or run.done(), "running node")
        if run.done():
            run.result()
        yield room
    finally:
        await node.stop_async()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def room(*, keeper=None, actors=(), gateway_settings=None, **settings):
    """A gateway whose clock stands still, and a node."""
    more = {"roots": ROOTS, "start": START, **(gateway_settings or {})}
    async with (
        gateway(**more) as server,
        running(server, keeper=keeper, actors=actors, **settings) as found,
    ):
        yield found


def with_room(work, **settings):
    """Run `work(room)` with a node, and see that nothing is left behind."""

    async def main():
        async with room(**settings) as found:
            await work(found)
            client = found.client
        assert client.failures == 0
        assert not client.feeds
        names = [
            task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()
        ]
        assert not [name for name in names if "pyfutures" in name or NAME in name], names

    asyncio.run(main())
