"""Continuous bars and rolls in nautilus' catalogue, message bus and cache, exactly."""

from __future__ import annotations

import asyncio
import contextlib
import math
import shutil
import socket
import subprocess
import time
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.config import (
    CacheConfig,
    DatabaseConfig,
    ImportableActorConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import BarType
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.serialization.serializer import MsgSpecSerializer

from pyfutures.continuous import ContinuousBar, Roll
from pyfutures.nautilus.series.archive import Archive
from pyfutures.nautilus.series.root_bars import (
    CONTINUOUS,
    FORWARD_SPREAD,
    UNADJUSTED,
    RootBars,
    root_bar_type,
)
from pyfutures.nautilus.types import ContinuousBarData, RollEvent, bar_topic
from tests.nautilus.tools import UTCNOW, expected, market, native, run

pytestmark = UTCNOW
DAILY = "1-DAY-LAST-EXTERNAL"
ES = root_bar_type("ES", CONTINUOUS, "XCME", DAILY)
SECOND = root_bar_type("ES_2", CONTINUOUS, "XCME", DAILY)


@pytest.fixture(scope="module")
def es(catalog):
    return catalog["ES"]


@pytest.fixture(scope="module")
def events(es):
    bars = market(es, "2024-02-26", "2024-06-28", months="2023Z 2024H 2024M 2024U 2024Z")
    return expected(es, bars, start="2024H")


@pytest.fixture(scope="module")
def bars(events):
    return [event for event in events if isinstance(event, ContinuousBar)]


@pytest.fixture(scope="module")
def rolls(events):
    return [event for event in events if isinstance(event, Roll)]


# The catalogue


def _data(bars, bar_type=ES):
    return [ContinuousBarData(bar, bar.ts, bar_type) for bar in bars]


def _read(catalog, cls=ContinuousBarData, bar_type=ES, **span):
    return [x.data for x in catalog.query(cls, identifiers=[str(bar_type)], **span)]


def test_the_catalogue_gives_back_what_it_was_given(tmp_path, bars, rolls):
    """With all that can be missing: a leg, a price, a volume, a ratio."""
    odd = [
        replace(bars[0], forward=None, carry=None, R=math.nan),
        replace(bars[1], current=replace(bars[1].current, close=None, volume=math.nan)),
        *bars[2:],
    ]
    catalog = ParquetDataCatalog(str(tmp_path))
    catalog.write_data(_data(odd))
    catalog.write_data([RollEvent(roll, roll.last_old_ts, ES) for roll in rolls])
    assert _read(catalog) == _data(odd)
    assert [x.roll for x in _read(catalog, RollEvent)] == rolls
    assert _read(catalog)[0].bar_type == ES


def test_it_is_appended_to_queried_and_joined(tmp_path, bars):
    catalog = ParquetDataCatalog(str(tmp_path))
    catalog.write_data(_data(bars[:10]))
    catalog.write_data(_data(bars[10:]), start=bars[9].ts + 1)
    assert _read(catalog, start=bars[5].ts, end=bars[15].ts) == _data(bars[5:16])
    missing = catalog.get_missing_intervals_for_request(
        bars[0].ts, bars[-1].ts + 100, ContinuousBarData, str(ES)
    )
    assert missing == [(bars[-1].ts + 1, bars[-1].ts + 100)]
    catalog.consolidate_data(ContinuousBarData, str(ES))
    assert len(catalog.get_intervals(ContinuousBarData, str(ES))) == 1
    assert _read(catalog) == _data(bars)


def test_each_series_has_a_folder_of_its_own(tmp_path, bars):
    catalog = ParquetDataCatalog(str(tmp_path))
    catalog.write_data(_data(bars[:3]))
    catalog.write_data(_data(bars[:5], SECOND))
    assert len(_read(catalog)) == 3
    assert len(_read(catalog, bar_type=SECOND)) == 5


def test_one_without_a_series_is_no_file(tmp_path, bars):
    with pytest.raises(ValueError, match="names no series"):
        ParquetDataCatalog(str(tmp_path)).write_data([ContinuousBarData(bars[0], 1)])


def test_an_archive_takes_only_what_is_new(tmp_path, bars, rolls):
    archive = Archive(tmp_path, ES)
    assert archive.last_ts is None
    assert archive.append(bars[:20], rolls[:1]) == 20
    assert archive.append(bars[10:30], rolls[:1]) == 10
    assert Archive(tmp_path, ES).append(bars, rolls) == len(bars) - 30
    assert archive.append(bars, rolls) == 0
    assert (archive.bars(), archive.rolls(), archive.last_ts) == (bars, rolls, bars[-1].ts)
    assert not list(tmp_path.glob(".pyfutures-*"))


# The message bus and Redis


def test_the_message_bus_can_say_them(bars, rolls):
    serializer = MsgSpecSerializer(encoding=msgspec.msgpack, timestamps_as_str=True)
    for one in (ContinuousBarData(bars[0], 7, ES), RollEvent(rolls[0], 7, ES)):
        assert serializer.deserialize(serializer.serialize(one)) == one


@pytest.fixture
def redis_port(tmp_path):
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("no redis-server is installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [server, "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _node(port, **actor):
    return TradingNodeConfig(
        trader_id="REDIS-001",
        logging=LoggingConfig(log_level="OFF", print_config=False),
        cache=CacheConfig(database=DatabaseConfig(type="redis", port=port), flush_on_start=False),
        actors=[
            ImportableActorConfig(
                actor_path="pyfutures.nautilus.actor:RollActor",
                config_path="pyfutures.nautilus.actor:RollActorConfig",
                config={"component_id": "ROLL-ES", "root": "ES", "replay": True} | actor,
            )
        ],
        load_state=True,
        save_state=True,
        timeout_connection=2,
        timeout_reconciliation=2,
        timeout_portfolio=2,
        timeout_disconnection=1,
        timeout_post_stop=0.05,
    )


def test_redis_gives_back_what_the_actor_remembered(redis_port, bars):
    """A node without a store: one that stops, and one that goes on where it was."""

    async def life(work):
        node = TradingNode(_node(redis_port, start="2024H"), loop=asyncio.get_running_loop())
        node.build()
        task = asyncio.create_task(node.run_async())
        for _ in range(500):
            if node.trader.is_running:
                break
            await asyncio.sleep(0.01)
        try:
            return work(node.trader.actors()[0], node.cache)
        finally:
            await node.stop_async()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def feed(actor, cache):
        for bar in bars[:30]:
            for leg in {bar.current, bar.forward, bar.carry, bar.previous} - {None}:
                actor._feed(leg, subscribe=False)
        return actor.machine.state(), cache.get(bar_topic("ES"))

    def look(actor, cache):
        return actor.machine.state(), cache.get(bar_topic("ES"))

    first = asyncio.run(life(feed))
    second = asyncio.run(life(look))
    assert first[0]["month"] == "2024M"  # it has rolled
    assert second == first


# Plain bars


class Listener(Actor):
    """Subscribes to plain bars as any strategy would."""

    def __init__(self):
        super().__init__(ActorConfig(component_id="PLAIN"))
        self.heard = {UNADJUSTED: [], FORWARD_SPREAD: []}

    def on_start(self):
        for kind in self.heard:
            self.subscribe_bars(root_bar_type("ES", kind, "XCME", DAILY))

    def on_bar(self, bar):
        kind = bar.bar_type.instrument_id.symbol.value.partition("_")[2]
        self.heard[kind].append(bar)


def test_any_component_can_subscribe_to_plain_bars(es):
    bars = market(es, "2024-02-26", "2024-06-28", months="2023Z 2024H 2024M 2024U 2024Z")
    listener = Listener()
    result = run(es, native(es, bars), listener=listener, start="2024H")
    plain, forward = listener.heard[UNADJUSTED], listener.heard[FORWARD_SPREAD]
    assert [bar.ts_event for bar in plain] == [bar.ts for bar in result.bars]
    units = 10**9
    assert [float(b.close) for b in plain] == [b.current.close / units for b in result.bars]
    shifted = [(b.current.close - b.C) / units for b in result.bars]
    assert [float(b.close) for b in forward] == shifted
    assert shifted[-1] != float(plain[-1].close)
    newest = result.engine.cache.bars(root_bar_type("ES", UNADJUSTED, "XCME", DAILY))
    assert newest == plain[::-1]


def test_a_plain_bar_cannot_say_that_a_price_is_missing(es, bars):
    made = RootBars(es, "ES", venue="XCME", bar_spec=DAILY)
    bare = replace(bars[0], current=replace(bars[0].current, open=None))
    assert made.made(bare, 1) == ()
    assert made.missing == 1
    first, _ = made.made(bars[0], 5)
    assert (first.ts_init, first.bar_type) == (5, BarType.from_str(f"ES_UNADJUSTED.XCME-{DAILY}"))


def test_a_price_finer_than_the_tick_keeps_its_decimals(es, bars):
    made = RootBars(es, "ES", venue="XCME", bar_spec=DAILY)
    current = bars[0].current
    fine = replace(bars[0], current=replace(current, high=current.high + 10_000))
    plain, _ = made.made(fine, 1)
    assert plain.high.precision == 5
    assert plain.high.as_decimal() - Decimal(current.high) / 10**9 == Decimal("0.00001")
