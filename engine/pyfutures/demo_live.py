"""A live node for the demo: a simulated gateway, the adapter and a strategy, in one event loop.

The gateway's time moves as fast as the node keeps up. The strategy buys the current month of each
root at the first bar and sells at the last; between, the connection is cut, and what was missed is
filled in.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import warnings
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from nautilus_trader.config import (
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    RoutingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.trading.strategy import Strategy

from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.server import GatewayServer
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
from pyfutures.nautilus.node import run_node

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nautilus_trader.live.node import TradingNode
    from nautilus_trader.model.data import Bar
    from nautilus_trader.model.events import OrderFilled
    from nautilus_trader.model.instruments import Instrument

__all__ = ["LiveError", "LiveReport", "live"]

ROOTS: Final = ("ES", "ZC")
#: A Tuesday, 09:00 in Chicago.
START: Final = dt.datetime(2025, 7, 1, 14, tzinfo=dt.UTC)
_ACCOUNT: Final = "DU1234567"
_MINUTES: Final = 8  # bars of the first root, from the purchase to the sale
_CUT_AT: Final = 3  # bars before the connection is cut
_STEP: Final = 5.0  # simulated seconds at a time
_PATIENCE: Final = 15.0  # seconds for any one thing


class LiveError(Exception):
    """The live node did not do what it is to show; the text says what."""


@dataclass(frozen=True, slots=True)
class LiveReport:
    """What happened in the live node.

    Attributes
    ----------
    bars
        Closing times and prices of one-minute bars, by instrument.
    lines
        Fills, the cut and the result, in words and in order.

    """

    bars: dict[str, list[tuple[dt.datetime, str]]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


class _Buyer(Strategy):  # type: ignore[misc] # nautilus has no types
    """Buys one of each root at its first bar; sells when it is told to."""

    def __init__(self, found: LiveReport) -> None:
        super().__init__(StrategyConfig(strategy_id="DEMO", order_id_tag="001"))
        self.found = found
        self.fills: list[OrderFilled] = []

    def on_start(self) -> None:
        for instrument in self.cache.instruments():
            self.found.bars[str(instrument.id)] = []
            self.subscribe_bars(BarType.from_str(f"{instrument.id}-1-MINUTE-LAST-EXTERNAL"))

    def on_bar(self, bar: Bar) -> None:
        name = bar.bar_type.instrument_id
        bars = self.found.bars[str(name)]
        when = dt.datetime.fromtimestamp(bar.ts_event / 1e9, dt.UTC)
        bars.append((when, str(bar.close)))
        if len(bars) == 1:
            self._trade(self.cache.instrument(name), OrderSide.BUY)

    def on_order_filled(self, event: OrderFilled) -> None:
        self.fills.append(event)
        side = "bought" if event.order_side == OrderSide.BUY else "sold"
        self.found.lines.append(
            f"{side} {event.last_qty} {event.instrument_id} at {event.last_px},"
            f" commission {event.commission}"
        )

    def sell(self) -> None:
        for position in self.cache.positions_open(strategy_id=self.id):
            self._trade(self.cache.instrument(position.instrument_id), OrderSide.SELL)

    def _trade(self, instrument: Instrument, side: OrderSide) -> None:
        self.submit_order(self.order_factory.market(instrument.id, side, instrument.make_qty(1)))


def live() -> LiveReport:
    """Run a live node against a simulated gateway and return what happened; nothing is left.

    Raises
    ------
    LiveError
        If bars, fills or the end are not what they are to be.
    NodeStartError
        If the node does not start.
    """
    quiet = logging.NullHandler()  # the cut is on purpose
    logger = logging.getLogger("pyfutures")
    logger.addHandler(quiet)
    nodes: list[TradingNode] = []
    try:
        with warnings.catch_warnings():
            # nautilus 1.231 calls what pandas 3 deprecates; nothing here can change it.
            warnings.filterwarnings("ignore", message="Timestamp.utcnow is deprecated")
            return asyncio.run(_live(nodes))
    finally:
        for node in nodes:
            node.dispose()
        logger.removeHandler(quiet)


async def _live(nodes: list[TradingNode]) -> LiveReport:
    found = LiveReport()
    buyer = _Buyer(found)
    started, stop = asyncio.Event(), asyncio.Event()

    def made(node: TradingNode) -> None:
        nodes.append(node)
        node.add_data_client_factory("PYF", FuturesLiveDataClientFactory)
        node.add_exec_client_factory("PYF", FuturesLiveExecClientFactory)
        node.trader.add_strategy(buyer)

    async with GatewayServer(GatewayConfig(roots=ROOTS, start=START)) as server:
        run = asyncio.create_task(
            run_node(_config(server.port), stop=stop, started=lambda _: started.set(), made=made),
            name="pyfutures: demo",
        )
        try:
            await _first(started.wait(), run)
            await _trade(server, buyer, run)
        finally:
            stop.set()
            await asyncio.gather(run, return_exceptions=True)
        held = [holding for _, holding in server.gateway.accounts.holdings() if holding.position]
        if held:
            raise LiveError(f"the gateway still holds {held}")
    run.result()
    left = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    if any("pyfutures" in name for name in left):
        raise LiveError(f"tasks are left: {left}")
    return found


def _config(port: int) -> TradingNodeConfig:
    provider = FuturesInstrumentProviderConfig(
        roots=frozenset(ROOTS), months=MonthsSelection(forward=False, carry=False)
    )
    shared: dict[str, Any] = {
        "port": port, "instrument_provider": provider, "routing": RoutingConfig(default=True),
    }  # fmt: skip
    return TradingNodeConfig(
        trader_id="DEMO-001",
        logging=LoggingConfig(log_level="OFF", print_config=False),
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        exec_engine=LiveExecEngineConfig(
            graceful_shutdown_on_exception=True, reconciliation_startup_delay_secs=0.1
        ),
        data_clients={"PYF": FuturesDataClientConfig(**shared)},
        exec_clients={"PYF": FuturesExecClientConfig(account_id=_ACCOUNT, **shared)},
        timeout_post_stop=0.1,
    )


async def _first(what: Awaitable[object], run: asyncio.Task[None]) -> None:
    """Wait for something, unless the node ends before."""
    waiting = asyncio.ensure_future(what)
    await asyncio.wait({waiting, run}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        if run.done():
            run.result()
        raise LiveError(f"the node did not start within {_PATIENCE:g} s")


async def _trade(server: GatewayServer, buyer: _Buyer, run: asyncio.Task[None]) -> None:
    found = buyer.found
    first = next(iter(found.bars))

    async def until(is_so: Callable[[], bool], what: str) -> None:
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while not is_so():
            if run.done():
                run.result()
            if asyncio.get_running_loop().time() > deadline:
                raise LiveError(f"{what}: not within {_PATIENCE:g} s")
            await server.advance(_STEP)
            await asyncio.sleep(0.01)

    await until(lambda: len(found.bars[first]) >= _CUT_AT, "the first bars")
    await until(lambda: all(found.bars.values()), "a bar of each")
    await until(lambda: len(buyer.fills) == len(found.bars), "the purchases")
    server.gateway.faults.act("cut")
    found.lines.append(f"the connection was cut at {server.now:%H:%M} UTC and made anew")
    at = len(found.bars[first])
    await server.advance(60)
    await until(lambda: len(found.bars[first]) >= max(_MINUTES, at + 2), "the bars behind the cut")
    buyer.sell()
    await until(lambda: len(buyer.fills) == 2 * len(found.bars), "the sales")
    _complete(found)
    gained = [str(position.realized_pnl) for position in buyer.cache.positions_closed()]
    found.lines.append(f"flat again; gained {', '.join(gained)}")


def _complete(found: LiveReport) -> None:
    """See that no minute is missing or twice.

    Raises
    ------
    LiveError
        If one is.
    """
    for name, bars in found.bars.items():
        steps = {after - when for (when, _), (after, _) in pairwise(bars)}
        if steps != {dt.timedelta(minutes=1)}:
            raise LiveError(f"{name}: bars at {[f'{when:%H:%M}' for when, _ in bars]}")
