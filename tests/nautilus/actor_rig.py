"""A roll actor that takes itself for live, on a clock that is moved by hand, and its broker.

The actor, the data engine, the message bus and the cache are nautilus' own; nothing happens but
what a test asks for, so hours pass in no time. The broker answers when it is told to, as one behind
a socket does: never within the call that asked.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache

import pandas as pd
from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import MessageBus, TestClock
from nautilus_trader.data.client import MarketDataClient
from nautilus_trader.data.engine import DataEngine
from nautilus_trader.model.data import BarType, DataType
from nautilus_trader.model.identifiers import ClientId, TraderId, Venue
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.portfolio.portfolio import Portfolio

from pyfutures.continuous.bars import ContinuousBar, Roll
from pyfutures.nautilus.actor import RollActor, RollActorConfig
from pyfutures.nautilus.instruments import futures_contract
from pyfutures.nautilus.market.events import FeedEvent, feed_topic
from pyfutures.nautilus.types import bar_topic, roll_topic
from tests.nautilus.tools import DAILY, SECOND, native

NAME = "IB"


def at(text):
    """UTC nanoseconds of a text."""
    return int(dt.datetime.fromisoformat(f"{text}+00:00").timestamp()) * SECOND


@cache
def _contracts(chain):
    """The contracts of a root by id, as far as tests reach."""
    near = [month for month in chain.months if 2020 <= month.year <= 2026]
    return {str(one.id): one for one in (futures_contract(chain, month) for month in near)}


class Broker(MarketDataClient):
    """Has the bars of a market up to now, and answers by its mood."""

    def __init__(self, msgbus, cache, clock, chain, bars):
        super().__init__(ClientId(NAME), msgbus, cache, clock, Venue(chain.spec.exchange))
        self.chain, self.clock = chain, clock
        self.all = native(chain, bars)
        self.times = [bar.ts_event for bar in self.all]
        self.contracts = _contracts(chain)
        self.subscribed = set()
        self.asked = []  # requests that wait for their answer
        self.counts = {"instruments": 0, "subscriptions": 0, "bars": 0}
        self.unknown = set()  # ids of contracts that it does not have
        self.is_silent = False
        self.mood = {}  # by the id of a contract: "empty", "broken", "silent"

    # What nautilus calls

    def subscribe_bars(self, command):
        self.counts["subscriptions"] += 1
        self._add_subscription_bars(command.bar_type)
        self.subscribed.add(command.bar_type)

    def unsubscribe_bars(self, command):
        self._remove_subscription_bars(command.bar_type)
        self.subscribed.discard(command.bar_type)

    def request_bars(self, request):
        self.counts["bars"] += 1
        self.asked.append(request)

    def request_instrument(self, request):
        self.counts["instruments"] += 1
        self.asked.append(request)

    # What a test calls

    def answer(self):
        """Answer all that was asked, and what is asked because of it."""
        while self.asked:
            request = self.asked.pop(0)
            if hasattr(request, "bar_type"):
                self._answer_bars(request)
            else:
                self._answer_instrument(request)

    def _answer_instrument(self, request):
        name = str(request.instrument_id)
        found = [] if name in self.unknown else [self.contracts[name]]
        data_type = DataType(Instrument, metadata={"instrument_id": request.instrument_id})
        self._handle_data_response_py(
            data_type, found, request.id, request.start, request.end, request.params
        )

    def _answer_bars(self, request):
        bar_type, mood = request.bar_type, self.mood.get(str(request.bar_type.instrument_id))
        if mood == "silent":
            return
        first, last = (
            int(pd.Timestamp(x).value) for x in (request.start, request.end or self._now())
        )
        found = [x for x in self.all if x.bar_type == bar_type and first <= x.ts_event <= last]
        if mood == "broken":
            self._say_broken(bar_type)
        self._handle_bars_py(
            bar_type, [] if mood else found, request.id, request.start, request.end, request.params
        )

    def _now(self):
        return pd.Timestamp(self.clock.timestamp_ns(), tz="UTC")

    def _say_broken(self, bar_type):
        now, text = self.clock.timestamp_ns(), "162: pacing violation"
        event = FeedEvent(NAME, "unanswered", f"bars {bar_type}", text, 1, now)
        self._msgbus.publish(feed_topic(NAME), event)

    def tell(self, since):
        """Send the bars after an instant up to now to those who have subscribed."""
        when = self.times
        for bar in self.all[bisect_right(when, since) : bisect_right(when, self._now().value)]:
            if bar.bar_type in self.subscribed:
                self._handle_data_py(bar)


class LiveActor(RollActor):
    """A roll actor for which the clock of a test is a real one."""

    @property
    def is_live(self):
        return True


@dataclass
class Rig:
    """An actor, its broker and the clock."""

    actor: LiveActor
    broker: Broker
    clock: TestClock
    msgbus: MessageBus
    cache: Cache
    events: list = field(default_factory=list)
    shutdowns: list = field(default_factory=list)

    @property
    def bars(self):
        return [event for event in self.events if isinstance(event, ContinuousBar)]

    @property
    def rolls(self):
        return [event for event in self.events if isinstance(event, Roll)]

    def start(self, *, is_beating=False):
        """Start the actor; by default without heartbeats, of which a week has 40,320."""
        self.actor.start()
        if not is_beating and (beat := f"{self.actor.id}-beat") in self.clock.timer_names:
            self.clock.cancel_timer(beat)

    def advance(self, until, *, feed=True, answer=True, step=900):
        """Let time pass, with bars and answers as they come."""
        while (now := self.clock.timestamp_ns()) < until:
            to = min(until, now + step * SECOND)
            for handler in self.clock.advance_time(to):
                handler.handle()
            if feed:
                self.broker.tell(now)
            if answer:
                self.broker.answer()


def rig(chain, bars, now, **options):
    """A rig whose clock stands at `now`; the actor is not started."""
    clock = TestClock()
    clock.set_time(now)
    msgbus = MessageBus(trader_id=TraderId("RIG-001"), clock=clock)
    store = Cache()
    portfolio = Portfolio(msgbus=msgbus, cache=store, clock=clock)
    engine = DataEngine(msgbus=msgbus, cache=store, clock=clock)
    broker = Broker(msgbus, store, clock, chain, bars)
    engine.register_client(broker)
    config = RollActorConfig(root=chain.root, **options)
    actor = LiveActor(config, chain)
    actor.register_base(portfolio, msgbus, store, clock)
    made = Rig(actor, broker, clock, msgbus, store)
    msgbus.subscribe(bar_topic(chain.root), lambda data: made.events.append(data.bar))
    msgbus.subscribe(roll_topic(chain.root), lambda data: made.events.append(data.roll))
    msgbus.subscribe("commands.system.shutdown", made.shutdowns.append)
    broker.start()
    engine.start()
    return made


def in_a_loop(work):
    """Run a plain function where a loop runs, as in a node."""

    async def main():
        return work()

    return asyncio.run(main())


def bar_type_of(chain, month):
    """The type of the daily bars of a month."""
    return BarType.from_str(f"{futures_contract(chain, month).id}-{DAILY}")
