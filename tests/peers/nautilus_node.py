"""A TradingNode with nautilus_trader's own IB adapter: what it sees and does, as JSON on stdout.

    python -m tests.peers.nautilus_node {trade|look} PORT START [LOG_LEVEL]

START is the gateway's clock when it starts, for the history to ask for. `trade` does everything
and leaves an order behind; `look` says what a node finds that comes later. In a process of its own
because a node installs signal handlers, a logger that is started once a process, and uvloop unless
pytest is imported.
"""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal

import pandas as pd
from nautilus_trader.adapters.interactive_brokers import factories
from nautilus_trader.adapters.interactive_brokers.common import IB, IBContract
from nautilus_trader.adapters.interactive_brokers.config import (
    InteractiveBrokersDataClientConfig,
    InteractiveBrokersExecClientConfig,
    InteractiveBrokersInstrumentProviderConfig,
)
from nautilus_trader.adapters.interactive_brokers.factories import (
    InteractiveBrokersLiveDataClientFactory,
    InteractiveBrokersLiveExecClientFactory,
)
from nautilus_trader.config import (
    LiveExecEngineConfig,
    LoggingConfig,
    RoutingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.trading.strategy import Strategy

ACCOUNT = "DU1234567"
PATIENCE = 15.0
CONTRACTS = (("ES", "CME", "202506"), ("ES", "CME", "202509"), ("ZC", "CBOT", "202507"))
NAMES = ("ESM5", "ESU5", "ZC")


class Watcher(Strategy):
    """Keeps everything it is told."""

    def __init__(self):
        super().__init__(StrategyConfig(strategy_id="WATCH", order_id_tag="001"))
        self.quotes, self.trades, self.bars, self.past, self.answers = [], [], [], [], []

    def on_start(self):
        pass

    def on_stop(self):
        pass

    def on_quote_tick(self, tick):
        self.quotes.append(tick)

    def on_trade_tick(self, tick):
        self.trades.append(tick)

    def on_bar(self, bar):
        self.bars.append(bar)

    def on_historical_data(self, data):
        self.past.append(data)

    def quotes_of(self, instrument):
        return [quote for quote in self.quotes if quote.instrument_id == instrument.id]

    def has_comparable_bars(self):
        """Whether there are two bars, the last of which began after the trades did."""
        if len(self.bars) < 2 or not self.trades:
            return False
        return self.trades[0].ts_event < self.bars[-1].ts_event

    def market(self, instrument, side, quantity):
        size = instrument.make_qty(Decimal(quantity))
        order = self.order_factory.market(instrument.id, side, size)
        self.submit_order(order)
        return order

    def limit(self, instrument, side, price):
        size = instrument.make_qty(Decimal(1))
        order = self.order_factory.limit(instrument.id, side, size, instrument.make_price(price))
        self.submit_order(order)
        return order


def config(port, log):
    future = {"secType": "FUT", "currency": "USD"}
    provider = InteractiveBrokersInstrumentProviderConfig(
        load_contracts=frozenset(
            IBContract(symbol=root, exchange=exchange, lastTradeDateOrContractMonth=month, **future)
            for root, exchange, month in CONTRACTS
        )
    )
    common = {
        "ibg_host": "127.0.0.1",
        "ibg_port": port,
        "ibg_client_id": 5,
        "instrument_provider": provider,
        "connection_timeout": 15,
        "request_timeout_secs": 15,
        "routing": RoutingConfig(default=True),
    }
    return TradingNodeConfig(
        trader_id="PEER-001",
        logging=LoggingConfig(log_level=log),
        exec_engine=LiveExecEngineConfig(reconciliation=True, reconciliation_startup_delay_secs=1),
        data_clients={
            IB: InteractiveBrokersDataClientConfig(use_regular_trading_hours=False, **common)
        },
        exec_clients={IB: InteractiveBrokersExecClientConfig(account_id=ACCOUNT, **common)},
        timeout_connection=20,
        timeout_reconciliation=10,
        timeout_portfolio=10,
        timeout_disconnection=3,
        timeout_post_stop=0.3,
    )


async def until(found, what, seen):
    """Wait until something is found; what is not found in time is written down."""
    for _ in range(int(PATIENCE / 0.02)):
        if found():
            return True
        await asyncio.sleep(0.02)
    seen["missing"].append(what)
    return False


def figures(bar):
    return [bar.ts_event, *map(str, (bar.open, bar.high, bar.low, bar.close, bar.volume))]


def order_of(order):
    filled = [event for event in order.events if isinstance(event, OrderFilled)]
    return {
        "events": [type(event).__name__ for event in order.events],
        "status": order.status_string(),
        "price": str(order.price) if order.has_price else "",
        "fills": [
            [str(x.last_qty), str(x.last_px), str(x.commission), str(x.trade_id)] for x in filled
        ],
    }


def holdings(node):
    return {
        str(p.instrument_id): [str(p.signed_qty), p.avg_px_open]
        for p in node.cache.positions_open()
    }


def instrument_of(instrument):
    return {
        "tick": str(instrument.price_increment),
        "multiplier": str(instrument.multiplier),
        "currency": str(instrument.quote_currency),
        "expiry": str(pd.Timestamp(instrument.expiration_ns, tz="UTC").date()),
        "conId": instrument.info["contract"]["conId"],
    }


async def look(node, watcher, seen):
    """Say what is there when a node starts."""
    cache = node.cache
    (client,) = factories.IB_CLIENTS.values()
    seen["version"] = client._eclient.serverVersion()
    seen["instruments"] = {str(found.id): instrument_of(found) for found in cache.instruments()}
    seen["balances"] = [str(x.total) for x in cache.accounts()[0].balances().values()]
    seen["holdings"] = holdings(node)
    seen["open"] = [
        [str(order.instrument_id), order.status_string(), str(order.price), str(order.quantity)]
        for order in cache.orders_open()
    ]


async def trade(node, watcher, start, seen):
    """Do what users do, one after the other."""
    cache = node.cache
    near, next_one, corn = (
        next(found for found in cache.instruments() if str(found.id).startswith(name))
        for name in NAMES
    )
    minutes = BarType.from_str(f"{near.id}-1-MINUTE-LAST-EXTERNAL")
    end = pd.Timestamp(start)
    watcher.request_bars(
        minutes,
        start=end - pd.Timedelta(hours=2),
        end=end,
        callback=watcher.answers.append,
    )
    await until(lambda: watcher.answers, "answer to the request for bars", seen)
    seen["past"] = [figures(bar) for bar in watcher.past]

    watcher.subscribe_bars(minutes)
    watcher.subscribe_quote_ticks(near.id)  # a line of market data
    watcher.subscribe_quote_ticks(corn.id)
    watcher.subscribe_quote_ticks(next_one.id, params={"batch_quotes": False})  # tick by tick
    watcher.subscribe_trade_ticks(near.id)
    for what in (near, next_one, corn):
        await until(lambda what=what: watcher.quotes_of(what), f"quotes of {what.id}", seen)
    await until(watcher.has_comparable_bars, "live bars with all their trades", seen)
    seen["trades"] = [[t.ts_event, str(t.price), str(t.size)] for t in watcher.trades]
    seen["bars"] = [figures(bar) for bar in watcher.bars]

    bought = watcher.market(near, OrderSide.BUY, 3)
    await until(lambda: bought.is_closed, "fill of a market order", seen)
    sold = watcher.market(corn, OrderSide.SELL, 2)
    await until(lambda: sold.is_closed, "fill in a magnified quote", seen)

    far = watcher.quotes_of(near)[-1].bid_price - Decimal(50)
    waits = watcher.limit(near, OrderSide.BUY, far)
    await until(lambda: waits.status == OrderStatus.ACCEPTED, "accepted limit order", seen)
    watcher.cancel_order(waits)
    await until(lambda: waits.is_closed, "cancelled limit order", seen)

    through = watcher.quotes_of(near)[-1].bid_price - Decimal(5)
    hit = watcher.limit(near, OrderSide.SELL, through)
    await until(lambda: hit.is_closed, "fill of a limit order", seen)
    await until(lambda: len(cache.positions_open()) == 2, "two positions", seen)

    left = watcher.limit(near, OrderSide.BUY, far)
    await until(lambda: left.status == OrderStatus.ACCEPTED, "order that is left behind", seen)
    seen["quotes"] = {
        name: [
            [q.ts_event, *map(str, (q.bid_price, q.ask_price, q.bid_size, q.ask_size))]
            for q in watcher.quotes_of(what)
        ]
        for name, what in zip(NAMES, (near, next_one, corn), strict=True)
    }
    seen["orders"] = {
        name: order_of(order)
        for name, order in {
            "market": bought, "magnified": sold, "cancelled": waits, "limit": hit, "left": left,
        }.items()
    }  # fmt: skip
    seen["after"] = holdings(node)


async def scenario(task, port, start, log):
    seen = {"missing": []}
    node = TradingNode(config(port, log), loop=asyncio.get_running_loop())
    node.add_data_client_factory(IB, InteractiveBrokersLiveDataClientFactory)
    node.add_exec_client_factory(IB, InteractiveBrokersLiveExecClientFactory)
    watcher = Watcher()
    node.trader.add_strategy(watcher)
    node.build()
    run = asyncio.create_task(node.run_async())
    try:
        if await until(lambda: watcher.is_running or run.done(), "running node", seen):
            await look(node, watcher, seen)
            if task == "trade":
                await trade(node, watcher, start, seen)
    finally:
        await node.stop_async()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    return seen


def main():
    task, port, start, *log = sys.argv[1:]
    seen = asyncio.run(scenario(task, int(port), start, log[0] if log else "WARNING"))
    sys.stdout.write(f"\n{json.dumps(seen)}\n")  # the log does not end its last line


if __name__ == "__main__":
    main()
