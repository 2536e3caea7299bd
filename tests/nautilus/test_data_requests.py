"""Requests through a node: always answered, in order, each value once, and catalogues that fill."""

from __future__ import annotations

import asyncio
import datetime as dt
from itertools import pairwise

import pytest
from nautilus_trader.model.data import Bar, BarType, DataType, QuoteTick
from nautilus_trader.model.identifiers import ClientId, InstrumentId, Venue
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.persistence.config import DataCatalogConfig

from pyfutures.ib import messages as m
from pyfutures.nautilus.market.events import feed_topic
from pyfutures.nautilus.types import bars_of
from tests.nautilus.data_tools import (
    ESU,
    MINUTE,
    MINUTES,
    NAME,
    SECOND,
    START,
    ZCU,
    ns,
    until,
    with_room,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Timestamp.utcnow is deprecated", "ignore:.*:DeprecationWarning"
)

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
DAYS = BarType.from_str(f"{ESU}-1-DAY-LAST-EXTERNAL")


def asked(room, kind):
    """Count the requests of a kind that come to the gateway from now on."""
    return room.gateway.faults.when(kind, {"set": {}}, times=None)


def test_bars_of_any_span_in_order_once_and_by_limit():
    async def work(room):
        # Two sessions and the break between them, in several requests.
        fault = asked(room, m.RequestHistoricalBars)
        bars = await room.ask("bars", MINUTES, start=START - 3 * DAY, end=START)
        stamps = [bar.ts_event for bar in bars]
        assert all(a < b for a, b in pairwise(stamps))
        assert (stamps[0], stamps[-1]) == (
            ns(dt.datetime(2025, 6, 29, 22, 1, tzinfo=dt.UTC)),  # Sunday 17:00 in Chicago
            ns(START),
        )
        # 23 hours of Sunday to Monday, and from Monday 17:00 to Tuesday 09:00 in Chicago.
        assert len(bars) == 23 * 60 + 16 * 60
        assert fault.hits > 1
        assert all(bar.ts_init == bar.ts_event for bar in bars)

        some = await room.ask("bars", MINUTES, start=START - 30 * DAY, end=START, limit=1500)
        assert [bar.ts_event for bar in some] == stamps[-1500:]
        both_ends = await room.ask(
            "bars", MINUTES, start=START - HOUR, end=START - HOUR + dt.timedelta(minutes=2)
        )
        assert [bar.ts_event for bar in both_ends] == [
            ns(START - HOUR) + n * MINUTE for n in (0, 1, 2)
        ]

        # The session of Tuesday is not over; Friday's closed at 16:00 in Chicago.
        days = await room.ask("bars", DAYS, start=START - 4 * DAY)
        assert [bar.ts_event for bar in days] == [
            ns(dt.datetime(2025, 6, day, 21, tzinfo=dt.UTC)) for day in (27, 30)
        ]
        assert await room.ask("bars", MINUTES, start=START + DAY) == []
        bids = await room.ask(
            "bars", BarType.from_str(f"{ZCU}-1-HOUR-BID-EXTERNAL"), start=START - DAY, end=START
        )
        assert bids
        assert all(1 < bar.close < 20 and bar.volume == 0 for bar in bids)

    with_room(work)


def test_ticks_of_any_span_in_order_and_by_limit():
    async def work(room):
        for kind in ("trade_ticks", "quote_ticks"):
            # Over the break of Monday, 16:00 to 17:00 in Chicago.
            start = dt.datetime(2025, 6, 30, 20, 55, tzinfo=dt.UTC)
            end = dt.datetime(2025, 6, 30, 22, 20, tzinfo=dt.UTC)
            fault = asked(room, m.RequestHistoricalTicks)
            ticks = await room.ask(kind, ESU, start=start, end=end)
            assert fault.hits > 1
            stamps = [tick.ts_event for tick in ticks]
            assert stamps == sorted(stamps)
            assert ns(start) <= stamps[0] < ns(start) + 60 * SECOND
            assert ns(end) - 60 * SECOND < stamps[-1] <= ns(end)
            assert any(a <= ns(start) + 5 * MINUTE and b >= ns(start) + 65 * MINUTE
                       for a, b in pairwise(stamps))  # fmt: skip
            some = await room.ask(kind, ESU, start=start, end=end, limit=40)
            assert [str(tick)[:60] for tick in some] == [str(tick)[:60] for tick in ticks[-40:]]
            if kind == "trade_ticks":
                assert len({tick.trade_id for tick in ticks}) == len(ticks)

    with_room(work)


def test_what_fails_or_does_not_exist_is_answered_with_nothing():
    unknown = InstrumentId.from_str("NOPE26.XCME")

    async def work(room):
        start = START - HOUR
        assert await room.ask("bars", BarType.from_str(f"{unknown}-1-MINUTE-LAST-EXTERNAL"),
                              start=start) == []  # fmt: skip
        assert await room.ask("bars", BarType.from_str(f"{ESU}-6-MINUTE-LAST-EXTERNAL"),
                              start=start) == []  # fmt: skip
        assert await room.ask("quote_ticks", unknown, start=start) == []
        assert await room.ask("trade_ticks", unknown, start=start) == []
        assert await room.ask("instrument", unknown) == []
        assert await room.ask("order_book_snapshot", ESU, limit=5) == []
        assert await room.ask("order_book_depth", ESU, start=start) == []
        assert await room.ask("funding_rates", ESU, start=start) == []
        room.gateway.faults.when(
            m.RequestHistoricalBars, {"error": {"code": 321, "text": "no"}}, times=None
        )
        assert await room.ask("bars", MINUTES, start=start, end=START) == []
        done = []
        room.keeper.request_data(bars_of("ES"), ClientId(NAME), start=start, callback=done.append)
        await until(lambda: done, "answer")
        room.keeper.subscribe_data(bars_of("ES"), ClientId(NAME))
        room.keeper.subscribe_data(DataType(QuoteTick), ClientId(NAME))
        await asyncio.sleep(0.05)

    with_room(work, history_timeout=0.5)


def test_instruments_are_published_requested_and_loaded_when_unknown():
    later = InstrumentId.from_str("ESH26.XCME")

    async def work(room):
        keeper = room.keeper
        keeper.subscribe_instrument(ESU)
        await until(lambda: [i.id for i in keeper.instruments] == [ESU], "instrument")
        assert room.cache.instrument(later) is None
        keeper.subscribe_instrument(later)  # unknown: an error, and no subscription
        await until(lambda: keeper.feeds, "refusal")
        await room.ask("instrument", later)
        assert room.cache.instrument(later).id == later
        done = []
        keeper.request_instruments(venue=Venue("XCME"), callback=done.append)
        await until(lambda: done, "instruments")
        assert {str(i.id) for i in room.cache.instruments(venue=Venue("XCME"))} == {
            "ESU25.XCME", "ESZ25.XCME", "ESH26.XCME",
        }  # fmt: skip
        count = len(keeper.instruments)
        keeper.subscribe_instruments(Venue("XCBT"))
        await until(lambda: len(keeper.instruments) > count, "instruments")

    with_room(work)


def catalogue(tmp_path):
    return ParquetDataCatalog(str(tmp_path)), [DataCatalogConfig(path=str(tmp_path))]


def test_a_catalogue_is_asked_first_and_only_what_is_missing_comes_from_the_broker(tmp_path):
    catalog, configs = catalogue(tmp_path)
    update = {"update_catalog": True}

    async def work(room):
        fault = asked(room, m.RequestHistoricalBars)
        first = await room.ask(
            "bars", MINUTES, start=START - 2 * HOUR, end=START - HOUR, params=update
        )
        assert len(first) == 61
        assert fault.hits == 1
        again = await room.ask(
            "bars", MINUTES, start=START - 2 * HOUR, end=START - HOUR, params=update
        )
        assert again == first
        assert fault.hits == 1  # nothing was asked of the broker
        more = await room.ask("bars", MINUTES, start=START - 2 * HOUR, end=START, params=update)
        # The last minute is not settled: it is not kept, hence not handed out either.
        assert [b.ts_event for b in more] == [ns(START - 2 * HOUR) + n * MINUTE for n in range(120)]
        assert fault.hits == 2
        ticks = await room.ask(
            "trade_ticks", ESU, start=START - HOUR, end=START - HOUR / 2, params=update
        )
        fault = asked(room, m.RequestHistoricalTicks)
        again = await room.ask(
            "trade_ticks", ESU, start=START - HOUR, end=START - HOUR / 2, params=update
        )
        assert [type(t).to_dict(t) for t in again] == [type(t).to_dict(t) for t in ticks]
        assert fault.hits == 0

    with_room(work, catalogs=configs)
    kept = catalog.query(Bar, identifiers=[str(MINUTES)])
    assert [bar.ts_event for bar in kept] == [ns(START - 2 * HOUR) + n * MINUTE for n in range(120)]


def test_what_failed_or_was_cut_off_is_not_written_as_known(tmp_path):
    catalog, configs = catalogue(tmp_path)
    span = {"start": START - 2 * HOUR, "end": START - HOUR, "params": {"update_catalog": True}}

    async def work(room):
        assert len(await room.ask("bars", MINUTES, start=START - 3 * HOUR, end=START - 2 * HOUR,
                                  params=span["params"])) == 61  # fmt: skip
        fault = room.gateway.faults.when(
            m.RequestHistoricalBars, {"error": {"code": 321, "text": "no"}}, times=None
        )
        assert len(await room.ask("bars", MINUTES, **span)) == 1  # what the catalogue has
        room.gateway.faults.remove(fault)
        some = await room.ask("bars", MINUTES, **span, limit=10)
        assert some[-1].ts_event == ns(START - HOUR)
        assert len(await room.ask("bars", MINUTES, **span)) == 61

    with_room(work, catalogs=configs, history_timeout=1.0)
    kept = catalog.query(Bar, identifiers=[str(MINUTES)])
    assert [bar.ts_event for bar in kept] == [ns(START - 3 * HOUR) + n * MINUTE for n in range(121)]


def test_a_request_that_failed_is_told_apart_from_one_with_nothing_in_it():
    async def work(room):
        heard = []
        room.keeper.msgbus.subscribe(feed_topic("*"), heard.append)
        span = {"start": START - HOUR, "end": START}
        assert await room.ask("bars", MINUTES, **span)
        assert heard == []
        room.gateway.faults.when(
            m.RequestHistoricalBars, {"error": {"code": 321, "text": "no"}}, times=None
        )
        assert await room.ask("bars", MINUTES, **span) == []
        (event,) = [event for event in heard if event.kind == "unanswered"]
        assert event.feed == f"bars {MINUTES}"
        assert "321" in event.text

    with_room(work, history_timeout=0.5)


def test_an_expired_contract_has_a_past():
    expired = InstrumentId.from_str("ESM25.XCME")  # last trade 2025-06-20 13:30 UTC

    async def work(room):
        end = dt.datetime(2025, 6, 20, 13, 30, tzinfo=dt.UTC)
        bars = await room.ask(
            "bars",
            BarType.from_str(f"{expired}-1-MINUTE-LAST-EXTERNAL"),
            start=end - HOUR,
            end=START,
        )
        assert bars[0].ts_event == ns(end - HOUR)
        assert bars[-1].ts_event <= ns(end)

    with_room(work)
