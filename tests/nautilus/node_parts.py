"""What nodes in tests are made of: actors that fail, and a client that cannot reconcile."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from nautilus_trader.common.actor import Actor
from nautilus_trader.config import ActorConfig, LiveExecClientConfig
from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.live.factories import LiveExecClientFactory
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import AccountId, ClientId, Venue
from nautilus_trader.model.objects import Price, Quantity

MINUTES = BarType.from_str("ESU25.XCME-1-MINUTE-LAST-EXTERNAL")


class PartConfig(ActorConfig, frozen=True, kw_only=True):
    fault: str = ""
    note: str = ""  # a file that is written when it stops


class Part(Actor):
    """Fails where it is told to, and says when it stops."""

    def __init__(self, config):
        if config.fault == "init":
            raise ValueError("it cannot be made")
        super().__init__(config)
        self.worked = 0

    def on_start(self):
        if self.config.fault == "start":
            raise ValueError("it cannot start")
        if self.config.fault == "shutdown":
            self.clock.set_time_alert_ns("end", self.clock.timestamp_ns() + 10**8, self.end)

        if self.config.fault in {"bar", "timer"}:
            self.subscribe_bars(MINUTES)
            self.clock.set_timer("work", timedelta(milliseconds=50), callback=self.work)
        if self.config.note:
            with open(self.config.note, "a", encoding="utf-8") as file:  # noqa: PTH123
                file.write(f"on {type(asyncio.get_running_loop()).__module__}\n")

    def work(self, _):
        self.worked += 1
        if self.config.fault == "timer":
            raise ValueError("it cannot keep time")
        one = Price.from_str("1")
        now = self.clock.timestamp_ns()
        bar = Bar(MINUTES, one, one, one, one, Quantity.from_int(1), now, now)
        self.msgbus.send(endpoint="DataEngine.process", msg=bar)

    def on_bar(self, _):
        raise ValueError("it cannot read a bar")

    def end(self, _):
        self.shutdown_system("the world is over")

    def on_stop(self):
        if self.config.note:
            with open(self.config.note, "a", encoding="utf-8") as file:  # noqa: PTH123
                file.write(f"{self.id} stopped\n")


class StubbornConfig(LiveExecClientConfig, frozen=True, kw_only=True):
    connects: bool = True


class Stubborn(LiveExecutionClient):
    """Does not connect, or connects and cannot say what it has."""

    async def _connect(self):
        if not self.connects:
            raise ConnectionError("nobody there")
        self.generate_account_state([], [], reported=True, ts_event=self._clock.timestamp_ns())
        await self._await_account_registered()

    async def _disconnect(self):
        pass

    async def generate_order_status_reports(self, _):
        raise RuntimeError("no reports")

    async def generate_fill_reports(self, _):
        return []

    async def generate_position_status_reports(self, _):
        return []


class StubbornFactory(LiveExecClientFactory):
    __name__ = "StubbornFactory"  # nautilus asks an instance for it

    @staticmethod
    def create(loop, name, config, msgbus, cache, clock):
        from nautilus_trader.common.providers import InstrumentProvider

        client = Stubborn(
            loop=loop,
            client_id=ClientId(name),
            venue=Venue(name),
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            base_currency=None,
            instrument_provider=InstrumentProvider(),
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=config,
        )
        client.connects = config.connects
        client._set_account_id(AccountId(f"{name}-1"))
        return client
