"""A TradingNode with one of two adapters, and an actor that notes when what arrives.

    python -m benchmarks.node_clients {pyfutures|nautilus} PORT QUOTES PACED BARS FILE

Into the file goes, as JSON, when the actor was told what, in nanoseconds of the system's monotonic
clock; standard output is the platform's log.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

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

_PATIENCE = 90.0
_PYF, _IB = "PYF", "INTERACTIVE_BROKERS"


class Listener(Actor):  # type: ignore[misc] # nautilus has no types
    """Notes when what arrives."""

    def __init__(self) -> None:
        super().__init__(ActorConfig(component_id="LISTENER"))
        self.quotes: dict[Any, list[int]] = {}
        self.bars: list[int] = []

    def on_start(self) -> None:
        """Do nothing."""

    def on_stop(self) -> None:
        """Do nothing."""

    def on_quote_tick(self, tick: Any) -> None:  # noqa: ANN401
        """Take a quote."""
        self.quotes[tick.instrument_id].append(time.monotonic_ns())

    def on_bar(self, _: object) -> None:
        """Take a bar."""
        self.bars.append(time.monotonic_ns())


def _node_config(name: str, data: Any) -> TradingNodeConfig:  # noqa: ANN401
    return TradingNodeConfig(
        trader_id="BENCH-001",
        logging=LoggingConfig(log_level="ERROR"),
        data_engine=LiveDataEngineConfig(qsize=1_000_000),
        data_clients={name: data},
        timeout_connection=30,
        timeout_reconciliation=2,
        timeout_portfolio=2,
        timeout_disconnection=3,
        timeout_post_stop=0.1,
    )


def ours(port: int) -> tuple[TradingNodeConfig, str, Any]:
    """Return a node's config with our adapter, the client's name and its factory."""
    from pyfutures.nautilus.config import (  # noqa: PLC0415 - one in a process
        FuturesDataClientConfig,
        FuturesInstrumentProviderConfig,
        MonthsSelection,
    )
    from pyfutures.nautilus.factories import FuturesLiveDataClientFactory  # noqa: PLC0415

    data = FuturesDataClientConfig(
        port=port,
        client_id=7,
        tick_by_tick_quotes=True,
        instrument_provider=FuturesInstrumentProviderConfig(
            roots=frozenset({"ES"}), months=MonthsSelection(listed=2)
        ),
        routing=RoutingConfig(default=True),
    )
    return _node_config(_PYF, data), _PYF, FuturesLiveDataClientFactory


def nautilus(port: int) -> tuple[TradingNodeConfig, str, Any]:
    """Return a node's config with nautilus_trader's adapter, its name and its factory."""
    from nautilus_trader.adapters.interactive_brokers.common import IBContract  # noqa: PLC0415
    from nautilus_trader.adapters.interactive_brokers.config import (  # noqa: PLC0415
        InteractiveBrokersDataClientConfig,
        InteractiveBrokersInstrumentProviderConfig,
    )
    from nautilus_trader.adapters.interactive_brokers.factories import (  # noqa: PLC0415
        InteractiveBrokersLiveDataClientFactory,
    )

    provider = InteractiveBrokersInstrumentProviderConfig(
        load_contracts=frozenset(
            IBContract(
                secType="FUT", symbol="ES", exchange="CME", currency="USD",
                lastTradeDateOrContractMonth=month,
            )
            for month in ("202509", "202512")
        )
    )  # fmt: skip
    data = InteractiveBrokersDataClientConfig(
        ibg_host="127.0.0.1",
        ibg_port=port,
        ibg_client_id=7,
        use_regular_trading_hours=False,
        instrument_provider=provider,
        connection_timeout=20,
        request_timeout_secs=20,
        routing=RoutingConfig(default=True),
    )
    return _node_config(_IB, data), _IB, InteractiveBrokersLiveDataClientFactory


CLIENTS = {"pyfutures": ours, "nautilus": nautilus}


async def until(found: Any, what: str) -> None:  # noqa: ANN401
    """Wait until something is true; a coarse look, so as to cost nothing."""
    end = time.monotonic() + _PATIENCE
    while not found():
        if time.monotonic() > end:
            raise TimeoutError(what)
        await asyncio.sleep(0.05)


async def run(name: str, port: int, quotes: int, paced: int, bars: int) -> dict[str, list[int]]:
    """Return when the actor was told what."""
    config, client, factory = CLIENTS[name](port)
    node = TradingNode(config, loop=asyncio.get_running_loop())
    node.add_data_client_factory(client, factory)
    listener = Listener()
    node.trader.add_actor(listener)
    node.build()
    task = asyncio.get_running_loop().create_task(node.run_async())
    try:
        await until(lambda: listener.is_running or task.done(), "running node")
        instruments = sorted(node.cache.instruments(), key=lambda x: x.expiration_ns)
        near, later = (instrument.id for instrument in instruments[:2])
        listener.quotes = {near: [], later: []}
        params = {"batch_quotes": False}  # nautilus_trader's word for tick by tick
        listener.subscribe_quote_ticks(near, params=dict(params))
        await until(lambda: len(listener.quotes[near]) >= quotes, f"{quotes} quotes")
        await asyncio.sleep(1.0)
        listener.subscribe_quote_ticks(later, params=dict(params))
        await until(lambda: len(listener.quotes[later]) >= paced, f"{paced} paced quotes")
        listener.subscribe_bars(BarType.from_str(f"{near}-1-MINUTE-LAST-EXTERNAL"))
        await until(lambda: len(listener.bars) >= bars, f"{bars} bars")
        return {
            "quotes": listener.quotes[near][:quotes],
            "paced": listener.quotes[later][:paced],
            "bars": listener.bars[:bars],
        }
    finally:
        await node.stop_async()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def main() -> None:
    """Measure one adapter."""
    import uvloop  # noqa: PLC0415 - as nodes run in production

    name, *numbers = sys.argv[1:6]
    file = Path(sys.argv[6])
    told = uvloop.run(run(name, *map(int, numbers)))
    file.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
