"""A trading node with our execution client against a gateway in the same loop."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
from decimal import Decimal

from nautilus_trader.config import (
    CacheConfig,
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    RoutingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import AccountId, InstrumentId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.trading.strategy import Strategy

from pyfutures.nautilus.config import (
    FuturesExecClientConfig,
    FuturesInstrumentProviderConfig,
    MonthsSelection,
)
from pyfutures.nautilus.factories import FuturesLiveExecClientFactory
from tests.gateway.tools import gateway, order

ACCOUNT = "DU1234567"
NAME = "PYF"
#: A Tuesday, 09:00 in Chicago; ES, ZC and the like trade.
START = dt.datetime(2025, 7, 1, 14, tzinfo=dt.UTC)
ROOTS = ("ES", "ZC")
ESU, ESZ = (InstrumentId.from_str(f"ES{code}25.XCME") for code in "UZ")
ESH = InstrumentId.from_str("ESH26.XCME")
ZCU = InstrumentId.from_str("ZCU25.XCBT")
PATIENCE = 8.0  # seconds; a test that waits for it has failed
BUY, SELL = OrderSide.BUY, OrderSide.SELL


class Book(Strategy):
    """A strategy that keeps every event of its orders and positions."""

    def __init__(self, tag="001", claims=None):
        super().__init__(
            StrategyConfig(strategy_id="S", order_id_tag=tag, external_order_claims=claims)
        )
        self.heard = []

    def on_event(self, event):
        self.heard.append(event)

    def names(self, order=None):
        """The kinds of events, of one order or of all."""
        return [
            type(event).__name__
            for event in self.heard
            if order is None or getattr(event, "client_order_id", None) == order.client_order_id
        ]

    def fills(self):
        return [event for event in self.heard if isinstance(event, OrderFilled)]

    def send(self, made, **options):
        self.submit_order(made, **options)
        return made

    def market(self, instrument, side, quantity=1, **more):
        return self.send(
            self.order_factory.market(instrument, side, Quantity.from_int(quantity), **more)
        )

    def limit(self, instrument, side, price, quantity=1, *, params=None, **more):
        made = self.order_factory.limit(
            instrument, side, Quantity.from_int(quantity), self.px(instrument, price), **more
        )
        return self.send(made, params=params)

    def px(self, instrument, price):
        return self.cache.instrument(instrument).make_price(price)


def exec_config(port, **settings):
    settings = {"commission_timeout": 1.0, "account_id": ACCOUNT, **settings}
    return FuturesExecClientConfig(
        port=port,
        client_id=settings.pop("client_id", 5),
        instrument_provider=FuturesInstrumentProviderConfig(
            roots=frozenset(settings.pop("roots", ROOTS)), months=MonthsSelection(listed=3)
        ),
        routing=RoutingConfig(default=True),
        **settings,
    )


def node_config(exec_clients, *, cache=None, engine=None, **more):
    return TradingNodeConfig(
        trader_id="TESTER-001",
        logging=LoggingConfig(log_level=os.environ.get("NODE_LOG", "OFF")),
        cache=cache or CacheConfig(),
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        risk_engine=LiveRiskEngineConfig(graceful_shutdown_on_exception=True),
        exec_engine=LiveExecEngineConfig(
            reconciliation=True,
            reconciliation_startup_delay_secs=0.1,
            graceful_shutdown_on_exception=True,
            inflight_check_interval_ms=0,
            **(engine or {}),
        ),
        exec_clients=exec_clients,
        timeout_connection=8,
        timeout_reconciliation=8,
        timeout_portfolio=5,
        timeout_disconnection=2,
        timeout_post_stop=0.05,
        **more,
    )


async def until(found, what="what was waited for"):
    """Wait until something is true, and return it."""
    for _ in range(int(PATIENCE / 0.01)):
        answer = found()
        if answer:
            return answer
        await asyncio.sleep(0.01)
    raise AssertionError(f"{what}: not within {PATIENCE:g} s")


class Desk:
    """A running node, its strategy, its client and the gateway."""

    def __init__(self, server, node, strategy, name=NAME):
        self.server, self.node, self.strategy = server, node, strategy
        self.name = name

    @property
    def gateway(self):
        return self.server.gateway

    @property
    def cache(self):
        return self.node.cache

    @property
    def client(self):
        clients = self.node.kernel.exec_engine._clients
        return next(client for id_, client in clients.items() if id_.value == self.name)

    @property
    def counts(self):
        return self.client.events.counts

    def account(self):
        return self.cache.account(AccountId(f"{self.name}-{ACCOUNT}"))

    def quote(self, instrument):
        """Bid and ask of the gateway, in currency."""
        what = self.instrument(instrument)
        found = self.gateway.market.quote(what, self.gateway.timeline.now)
        return tuple(Decimal(repr(what.quote(x))) / what.magnifier for x in (found.bid, found.ask))

    def instrument(self, instrument):
        listing = self.client.link.listings.by_id(instrument)
        return self.gateway.universe.by_id(listing.con_id)

    def theirs(self):
        """Positions of the gateway by instrument id, flat ones left out."""
        found = {}
        for name, holding in self.gateway.accounts.holdings():
            if name == ACCOUNT:
                listing = self.client.link.listings.by_con_id(holding.what.con_id)
                found[listing.id if listing else holding.what.local_symbol] = holding.position
        return found

    def ours(self):
        """Positions of the node by instrument id, summed over strategies."""
        found = {}
        for position in self.cache.positions_open():
            total = found.get(position.instrument_id, 0) + int(position.signed_qty)
            found[position.instrument_id] = total
        return {instrument: total for instrument, total in found.items() if total}

    async def agree(self):
        await until(lambda: self.ours() == self.theirs(), f"{self.ours()} is {self.theirs()}")

    async def status(self, made, *names):
        await until(
            lambda: made.status_string() in names,
            f"{made.client_order_id} {made.status_string()} to be {names}",
        )

    async def advance(self, seconds):
        """Move the gateway's time, and let the node hear of it."""
        await self.server.advance(seconds)
        await asyncio.sleep(0.02)

    def by_hand(self, instrument, action="BUY", quantity=1, kind="MKT", **more):
        """Place an order in TWS."""
        from pyfutures.gateway.order_desk import place_by_hand

        what = self.instrument(instrument)
        wire = order(action, quantity, kind, account=ACCOUNT, **more)
        return place_by_hand(self.gateway, what, wire)


@contextlib.asynccontextmanager
async def running(server, *, strategies=None, config=None, factories=(), wait=True, **settings):
    """A node that runs."""
    chosen = config or node_config({NAME: exec_config(server.port, **settings)})
    node = TradingNode(chosen, loop=asyncio.get_running_loop())
    node.add_exec_client_factory(NAME, FuturesLiveExecClientFactory)
    for name, factory, add in factories:
        getattr(node, add)(name, factory)
    strategies = [Book()] if strategies is None else strategies
    for strategy in strategies:
        node.trader.add_strategy(strategy)
    node.build()
    run = asyncio.create_task(node.run_async())
    desk = Desk(server, node, strategies[0] if strategies else None)
    try:
        if wait:
            await until(lambda: node.trader.is_running or run.done(), "running node")
            if run.done():
                run.result()
        yield desk
    finally:
        await node.stop_async()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def desk(*, gateway_settings=None, **settings):
    """A gateway whose clock stands still, and a node."""
    async with (
        gateway(**{"roots": ROOTS, "start": START, **(gateway_settings or {})}) as server,
        running(server, **settings) as found,
    ):
        yield found
