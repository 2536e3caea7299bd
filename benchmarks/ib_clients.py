"""Three clients at the end of a TCP connection, each in a process of its own, on the same bytes.

    python -m benchmarks.ib_clients NAME PORT TICKS BLOCKS RUNS

Each run is a new connection. It subscribes to quotes and trades and waits until its callback was
told TICKS times; then it asks BLOCKS times for a thousand bars and waits for all answers. One line
of JSON a run: seconds from the request that starts the stream to the last value.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.feed import FIRST_ID

if TYPE_CHECKING:
    from collections.abc import Callable

_BARS = 1000
_DEADLINE = 60.0


class Count:
    """Counts values up to an expected number, then says when that was."""

    def __init__(self, expected: int) -> None:
        self._left = expected
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[float] = self._loop.create_future()

    def one(self, _: object) -> None:
        """Take note of a value."""
        self._left -= 1
        if not self._left:
            self._done.set_result(time.perf_counter())

    def some(self, values: list[object]) -> None:
        """Take note of values."""
        self._left -= len(values)
        if self._left <= 0:
            self._done.set_result(time.perf_counter())

    async def at(self) -> float:
        """Wait for the last one."""
        return await asyncio.wait_for(self._done, _DEADLINE)


def _check(found: int, blocks: int) -> None:
    if found != blocks * _BARS:
        raise RuntimeError(f"{found} bars of {blocks * _BARS}")


async def ours(port: int, ticks: int, blocks: int) -> tuple[float, float]:
    """Measure our client."""
    from pyfutures.ib import Client, ClientConfig, TickKind  # noqa: PLC0415 - one in a process
    from pyfutures.ib.messages import Contract  # noqa: PLC0415
    from pyfutures.ib.times import BarSize  # noqa: PLC0415

    config = ClientConfig(port=port, first_request_id=FIRST_ID)
    contract, other = (
        Contract(con_id=n, symbol="ES", sec_type="FUT", exchange="CME", currency="USD")
        for n in (1, 2)  # a contract's ticks may be asked for once in 15 s, and our client waits
    )
    async with Client(config) as client:
        count = Count(ticks)
        client.market.ticks(contract, TickKind.BID_ASK, callback=count.one)
        begin = time.perf_counter()
        client.market.ticks(other, TickKind.ALL_LAST, callback=count.one)
        first = await count.at() - begin

        begin = time.perf_counter()
        found = await asyncio.gather(
            *(
                client.history.bars(contract, size=BarSize.MINUTE_1, duration=f"{n + 1} D")
                for n in range(blocks)
            )
        )
        second = time.perf_counter() - begin
        _check(sum(map(len, found)), blocks)
        return first, second


async def ib_async(port: int, ticks: int, blocks: int) -> tuple[float, float]:
    """Measure ib_async."""
    from ib_async import IB, Contract, StartupFetchNONE  # noqa: PLC0415

    ib = IB()
    await ib.connectAsync("127.0.0.1", port, readonly=True, fetchFields=StartupFetchNONE)
    contract, other = (
        Contract(conId=n, symbol="ES", secType="FUT", exchange="CME", currency="USD")
        for n in (1, 2)
    )
    count = Count(ticks)
    ticker = ib.reqTickByTickData(contract, "BidAsk")
    ticker.updateEvent += lambda ticker: count.some(ticker.tickByTicks)
    begin = time.perf_counter()
    ticker = ib.reqTickByTickData(other, "AllLast")
    ticker.updateEvent += lambda ticker: count.some(ticker.tickByTicks)
    first = await count.at() - begin

    begin = time.perf_counter()
    found = await asyncio.gather(
        *(
            ib.reqHistoricalDataAsync(contract, "", f"{n + 1} D", "1 min", "TRADES", False, 2)
            for n in range(blocks)
        )
    )
    second = time.perf_counter() - begin
    _check(sum(map(len, found)), blocks)
    ib.disconnect()
    return first, second


async def nautilus(port: int, ticks: int, blocks: int) -> tuple[float, float]:
    """Measure the client of nautilus_trader's adapter, which hands over to its data engine."""
    import pandas as pd  # noqa: PLC0415
    from nautilus_trader.adapters.interactive_brokers.client import (  # noqa: PLC0415
        InteractiveBrokersClient,
    )
    from nautilus_trader.adapters.interactive_brokers.common import IBContract  # noqa: PLC0415
    from nautilus_trader.cache.cache import Cache  # noqa: PLC0415
    from nautilus_trader.common.component import LiveClock, MessageBus  # noqa: PLC0415
    from nautilus_trader.model.data import BarType  # noqa: PLC0415
    from nautilus_trader.model.identifiers import TraderId  # noqa: PLC0415

    clock, cache = LiveClock(), Cache()
    instrument = _instrument()
    cache.add_instrument(instrument)
    bus = MessageBus(TraderId("BENCH-001"), clock)
    count = Count(ticks)
    bus.register(endpoint="DataEngine.process", handler=count.one)
    client = InteractiveBrokersClient(
        asyncio.get_running_loop(), bus, cache, clock, port=port, client_id=1
    )
    client.start()
    await client.wait_until_ready(20)
    contract = IBContract(conId=1, symbol="ES", secType="FUT", exchange="CME", currency="USD")
    await client.subscribe_ticks(instrument.id, contract, "BidAsk", ignore_size=False)
    begin = time.perf_counter()
    await client.subscribe_ticks(instrument.id, contract, "AllLast", ignore_size=False)
    first = await count.at() - begin

    kind = BarType.from_str(f"{instrument.id}-1-MINUTE-LAST-EXTERNAL")
    end = pd.Timestamp("2024-03-26 14:00", tz="UTC")
    begin = time.perf_counter()
    found = await asyncio.gather(
        *(
            client.get_historical_bars(kind, contract, False, end - pd.Timedelta(days=n), "30 D")
            for n in range(blocks)
        )
    )
    second = time.perf_counter() - begin
    _check(sum(map(len, found)), blocks)
    client.stop()
    await asyncio.sleep(0.2)  # it stops in a task
    return first, second


def _instrument() -> Any:  # noqa: ANN401 - nautilus_trader has no types
    """Return the contract that the bytes are of."""
    from nautilus_trader.model.currencies import USD  # noqa: PLC0415
    from nautilus_trader.model.enums import AssetClass  # noqa: PLC0415
    from nautilus_trader.model.identifiers import InstrumentId, Symbol  # noqa: PLC0415
    from nautilus_trader.model.instruments import FuturesContract  # noqa: PLC0415
    from nautilus_trader.model.objects import Price, Quantity  # noqa: PLC0415

    return FuturesContract(
        instrument_id=InstrumentId.from_str("ESM4.CME"),
        raw_symbol=Symbol("ESM4"),
        asset_class=AssetClass.INDEX,
        currency=USD,
        price_precision=2,
        price_increment=Price.from_str("0.25"),
        multiplier=Quantity.from_int(50),
        lot_size=Quantity.from_int(1),
        underlying="ES",
        activation_ns=0,
        expiration_ns=1_718_976_600_000_000_000,
        ts_event=0,
        ts_init=0,
    )


CLIENTS: dict[str, Callable[..., Any]] = {
    "pyfutures": ours, "ib_async": ib_async, "nautilus": nautilus,
}  # fmt: skip


async def runs(name: str, port: int, ticks: int, blocks: int, times: int) -> None:
    """Measure one client, over and over."""
    for _ in range(times):
        gc.collect()
        first, second = await CLIENTS[name](port, ticks, blocks)
        print(json.dumps({"ticks": first, "bars": second}), flush=True)


def main() -> None:
    """Measure one client."""
    name, *numbers = sys.argv[1:6]
    run: Any = asyncio.run
    if name == "nautilus" and "asyncio" not in sys.argv[6:]:
        import uvloop  # noqa: PLC0415 - as its node does

        run = uvloop.run
    run(runs(name, *map(int, numbers)))


if __name__ == "__main__":
    main()
