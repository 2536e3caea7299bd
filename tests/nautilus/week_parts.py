"""What the node of a simulated week is made of: clients at a fast clock, and strategies by dice.

The clock and how far the week goes stand in the environment variable WEEK, as JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

from nautilus_trader.common.actor import Actor
from nautilus_trader.config import ActorConfig, StrategyConfig
from nautilus_trader.live.factories import LiveDataClientFactory, LiveExecClientFactory
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.events import OrderDenied, OrderFilled
from nautilus_trader.trading.strategy import Strategy

from pyfutures.nautilus import link as link_module
from pyfutures.nautilus.execution.client import FuturesExecutionClient
from pyfutures.nautilus.market import client as data_module
from pyfutures.nautilus.market.client import FuturesDataClient
from pyfutures.nautilus.market.events import feed_topic
from tests.nautilus.week_clock import FastClock

SECOND = 10**9
INSTRUMENTS = ("ESU25.XCME", "ZCU25.XCBT")
BARS = [BarType.from_str(f"{name}-1-MINUTE-LAST-EXTERNAL") for name in INSTRUMENTS]
#: Real seconds: processes do not get faster because a clock does.
ANSWER, SILENT, DEAD = 8.0, 0.3, 0.8


@cache
def week():
    return json.loads(os.environ["WEEK"])


@cache
def fast_clock():
    start = dt.datetime.fromisoformat(week()["start"])
    return FastClock(Path(week()["clock"]), start, week()["speed"])


def _patient(config, usual=link_module.client_config):
    """Waits for other processes take real time; all other times are the week's."""
    speed = week()["speed"]
    return replace(
        usual(config),
        connect_deadline=ANSWER * speed,
        handshake_deadline=DEAD * speed,
        start_deadline=ANSWER * speed,
        request_deadline=ANSWER * speed,
        history_deadline=ANSWER * speed,
        order_deadline=DEAD * speed,
        commission_deadline=DEAD / 2 * speed,
        silence=SILENT * speed,
        heartbeat_deadline=DEAD * speed,
        verify_after=300.0,
        bar_grace=300.0,
    )


if "WEEK" in os.environ:  # in the node's process only
    link_module.client_config = _patient
    data_module._TICK = 0.1


class FastData(FuturesDataClient):
    """The node's clock runs at its own pace: the gateway's time is that of the fast clock."""

    @property
    def gateway_now(self):
        return fast_clock().now()


class _Factory:
    """Makes a client whose connection has the fast clock."""

    kind = None

    @classmethod
    def create(cls, loop, name, config, msgbus, cache, clock):
        link = link_module.link_for(loop, config, clock=clock, ib_clock=fast_clock())
        client = cls.kind(
            loop=loop, link=link, msgbus=msgbus, cache=cache, clock=clock, config=config, name=name
        )
        link.clients.append(client)
        return client


class FastDataFactory(_Factory, LiveDataClientFactory):
    __name__ = "FastDataFactory"
    kind = FastData


class FastExecFactory(_Factory, LiveExecClientFactory):
    __name__ = "FastExecFactory"
    kind = FuturesExecutionClient


class RecorderConfig(ActorConfig, frozen=True, kw_only=True):
    folder: str


class Recorder(Actor):
    """Hears every bar, and writes down in the end what the node believes."""

    def __init__(self, config):
        super().__init__(config)
        self.bars = {name: [] for name in INSTRUMENTS}
        self.told = Counter()

    def on_start(self):
        self.msgbus.subscribe(feed_topic("PYF"), self._feed)
        for bar_type in BARS:
            self.subscribe_bars(bar_type)
        self.clock.set_timer("over", dt.timedelta(seconds=0.2), callback=self._look)

    def _feed(self, event):
        self.told[str(event.kind)] += 1

    def on_bar(self, bar):
        figures = (bar.open, bar.high, bar.low, bar.close)
        self.bars[str(bar.bar_type.instrument_id)].append(
            [bar.ts_event // SECOND, *map(float, figures), int(bar.volume)]
        )

    def _look(self, _):
        """Say that the week is over: bars beyond its end of all, and nothing under way."""
        reached = all(bars and bars[-1][0] >= week()["end"] for bars in self.bars.values())
        if reached and not (self.cache.orders_open() or self.cache.orders_inflight()):
            (Path(self.config.folder) / "over").touch()

    def _order(self, order):
        fills = [event for event in order.events if isinstance(event, OrderFilled)]
        return {
            "ref": order.client_order_id.value,
            "strategy": order.strategy_id.value,
            "perm_id": order.venue_order_id.value if order.venue_order_id else "",
            "instrument": str(order.instrument_id),
            "side": order.side_string(),
            "quantity": int(order.quantity),
            "filled": int(order.filled_qty),
            "status": order.status_string(),
            "denied": any(isinstance(event, OrderDenied) for event in order.events),
            "fills": [
                {
                    "id": event.trade_id.value,
                    "side": "BUY" if event.order_side == OrderSide.BUY else "SELL",
                    "size": int(event.last_qty),
                    "price": float(event.last_px),
                    "commission": float(event.commission),
                }
                for event in fills
            ],
        }

    def on_stop(self):
        positions = {}
        for position in self.cache.positions_open():
            held = positions.setdefault(str(position.instrument_id), {})
            owner = position.strategy_id.value
            held[owner] = held.get(owner, 0) + int(position.signed_qty)
        found = {
            "bars": self.bars,
            "feeds": self.told,
            "orders": [self._order(order) for order in self.cache.orders()],
            "positions": positions,
        }
        (Path(self.config.folder) / "node.json").write_text(json.dumps(found), "utf-8")


class TraderConfig(StrategyConfig, frozen=True, kw_only=True):
    folder: str
    seed: int
    until: int  # the last second at which it sends orders


class Trader(Strategy):
    """Throws dice at every bar: what they say depends on the bar alone, not on when it came."""

    def __init__(self, config):
        super().__init__(config)
        self.mine = []
        self.heard = []
        self.ended = False

    def on_start(self):
        for bar_type in BARS:
            self.subscribe_bars(bar_type)

    def on_bar(self, bar):
        stamp = bar.ts_event // SECOND
        if stamp > self.config.until:
            self._end()
            return
        dice = random.Random(f"{self.config.seed} {self.id} {bar.bar_type} {stamp}")  # noqa: S311
        if dice.random() < 0.08:
            self._act(dice, bar)

    def _end(self):
        """Cancel what is open; again at each bar, since a cancel may be overtaken."""
        for order in self.cache.orders_open(strategy_id=self.id):
            if not order.is_pending_cancel:
                self.cancel_order(order)

    def _act(self, dice, bar):
        name = bar.bar_type.instrument_id
        positions = self.cache.positions_open(instrument_id=name, strategy_id=self.id)
        held = sum(position.signed_qty for position in positions)
        side = OrderSide.SELL if held > 3 or (held > -3 and dice.random() < 0.5) else OrderSide.BUY
        sign = 1 if side == OrderSide.BUY else -1
        instrument = self.cache.instrument(name)
        most = 3 if name.symbol.value.startswith("ES") else 40  # more than what is shown
        size = instrument.make_qty(dice.choice((1, 1, 2, most)))
        tick = float(instrument.price_increment)

        def price(ticks):
            return instrument.make_price(float(bar.close) + sign * ticks * tick)

        make = self.order_factory
        tif = dice.choice((TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC))
        resting = dice.choice((TimeInForce.DAY, TimeInForce.GTC))
        own = self.cache.orders_open(instrument_id=name, strategy_id=self.id)
        match dice.choice(
            ("market", "limit", "limit", "rest", "stop", "bracket", "change", "kill")
        ):
            case "market":
                self._send(make.market(name, side, size))
            case "limit":
                self._send(make.limit(name, side, size, price(8), time_in_force=tif))
            case "rest":
                self._send(
                    make.limit(name, side, size, price(-dice.randint(1, 40)), time_in_force=resting)
                )
            case "stop":
                self._send(
                    make.stop_market(
                        name, side, size, price(dice.randint(4, 40)), time_in_force=resting
                    )
                )
            case "bracket":
                orders = make.bracket(
                    name, side, size, tp_price=price(12), sl_trigger_price=price(-12)
                )
                self.mine += [order.client_order_id.value for order in orders.orders]
                self.submit_order_list(orders)
            case "change" if own:
                order = dice.choice(sorted(own, key=lambda one: one.client_order_id.value))
                if order.has_price:
                    self.modify_order(order, price=price(-dice.randint(0, 30)))
            case "kill" if own:
                self.cancel_order(
                    dice.choice(sorted(own, key=lambda one: one.client_order_id.value))
                )

    def _send(self, order):
        self.mine.append(order.client_order_id.value)
        self.submit_order(order)

    def on_order_event(self, event):
        self.heard.append([type(event).__name__, event.client_order_id.value])

    def on_stop(self):
        found = {"mine": self.mine, "heard": self.heard}
        path = Path(self.config.folder) / f"{self.id}.json"
        path.write_text(json.dumps(found), "utf-8")
