"""Downloads: whole, in order, each bar once, closed, with its holes; from the simulated gateway,
and from a scripted one where gateways are to misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import datetime as dt
import gzip
import os
import signal
import sqlite3
import sys
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from pyfutures.chain import Catalog
from pyfutures.continuous.frame import read_bars
from pyfutures.download import (
    BarsWanted,
    ContractNotFoundError,
    DisorderError,
    DownloadError,
    FutureError,
    TickKind,
    TicksWanted,
    download_bars,
    download_ticks,
    find_contract,
    write_bars,
    write_ticks,
)
from pyfutures.download.windows import TradingTimes, windows
from pyfutures.gateway.config import GatewayConfig, LastTradeForm
from pyfutures.gateway.contracts import Universe
from pyfutures.gateway.server import GatewayServer
from pyfutures.ib import Client, ClientConfig
from pyfutures.ib import messages as m
from pyfutures.ib.cache import Cache
from pyfutures.ib.cached import CachedClient
from pyfutures.ib.failures import RequestError
from pyfutures.ib.times import BarSize
from pyfutures.months import ContractMonth
from pyfutures.testing import LastTradeForm as Form
from pyfutures.testing import made, made_details
from tests.ib.client.server import both
from tests.ib.client.virtual import VirtualClock, run

ROOTS = ("CNH", "ES", "VX", "ZC")
START = dt.datetime(2025, 3, 12, 15, 30, 20, tzinfo=dt.UTC)  # a Wednesday, 10:30 in Chicago
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
H5 = ContractMonth(2025, 3)


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def chains():
    return Catalog.load(roots=ROOTS)


@pytest.fixture(scope="module")
def universe():
    return Universe.load(GatewayConfig(roots=ROOTS))


@pytest.fixture
def simulated(universe, tmp_path):
    """A simulated gateway whose time stands still, and a client of it."""

    @contextlib.asynccontextmanager
    async def open_(*, cached=True, **settings):
        config = GatewayConfig(roots=ROOTS, start=START, limits=None, **settings)
        async with GatewayServer(config, universe=universe) as server:
            client = Client(ClientConfig(port=server.port), clock=VirtualClock(START))
            with Cache(tmp_path / "cache.sqlite") as cache:
                async with client:
                    yield server, CachedClient(client, cache if cached else None)

    return open_


def starts(found):
    return [row.start for row in found.rows]


# Spans


# By the hours of CME: Sunday to Friday, 17:00 to 16:00 Chicago; clocks went forward on 9 March.
SPANS = [
    ("ES", BarSize.DAY_1, "2025-03-03", "2025-03-08", 5, "2025-03-03 22:00", "2025-03-07 22:00"),
    ("ES", BarSize.DAY_1, "2025-03-03", "2025-03-12", 7, "2025-03-03 22:00", "2025-03-11 21:00"),
    ("ES", BarSize.HOUR_1, "2025-03-02 23:00", "2025-03-07 22:00", 5 * 23,
     "2025-03-03 00:00", "2025-03-07 22:00"),
    ("ES", BarSize.MINUTE_1, "2025-03-02 23:00", "2025-03-07 22:00", 5 * 23 * 60,
     "2025-03-02 23:01", "2025-03-07 22:00"),
    # The session of Monday 10 March opens an hour earlier in UTC.
    ("ES", BarSize.MINUTE_30, "2025-03-07 21:00", "2025-03-10 21:00", 2 + 46,
     "2025-03-07 21:30", "2025-03-10 21:00"),
    # From the middle of one bar to the middle of another: bars that close after and not after.
    ("ES", BarSize.HOUR_1, "2025-03-05 10:20", "2025-03-05 14:40", 4,
     "2025-03-05 11:00", "2025-03-05 14:00"),
    ("ES", BarSize.SECOND_30, "2025-03-05 14:00", "2025-03-05 16:00", 240,
     "2025-03-05 14:00:30", "2025-03-05 16:00"),
    # Corn: 19:00 to 07:45 and 08:30 to 13:20; the bar of 7:00 is cut at 7:45, that of 8:00 begins
    # at 8:30, the last one of 13:00 is cut at 13:20.
    ("ZC", BarSize.HOUR_1, "2025-03-05 01:00", "2025-03-05 19:20", 13 + 6,
     "2025-03-05 02:00", "2025-03-05 19:20"),
]  # fmt: skip


@pytest.mark.parametrize(("root", "size", "start", "end", "count", "first", "last"), SPANS)
@pytest.mark.parametrize("version", [176, 200])
def test_any_span(simulated, chains, root, size, start, end, count, first, last, version):
    async def main():
        async with simulated(version=version) as (_, client):
            wanted = BarsWanted(size=size, show="MIDPOINT", start=utc(start), end=utc(end))
            found = await download_bars(client, chains[root], H5, wanted)
            assert len(found.rows) == count
            assert (found.rows[0].ts, found.rows[-1].ts) == (utc(first), utc(last))
            assert found.holes == ()
            assert found.notes == ()
            assert all(a.ts < b.ts for a, b in pairwise(found.rows))

    run(main)


def test_a_span_in_pieces_is_the_span(simulated, chains):
    edges = [utc(t) for t in ("2025-02-03", "2025-02-11 13:17", "2025-02-28", "2025-03-04 22:00")]

    async def main():
        async with simulated() as (_, client):

            async def get(start, end):
                wanted = BarsWanted(size=BarSize.HOUR_1, start=start, end=end)
                return (await download_bars(client, chains["ES"], H5, wanted)).rows

            pieces = [await get(a, b) for a, b in pairwise(edges)]
            assert sum(pieces, ()) == await get(edges[0], edges[-1])

    run(main)


@pytest.mark.parametrize("show", ["TRADES", "MIDPOINT", "BID", "ASK"])
def test_what_comes_is_what_the_gateway_says(simulated, chains, show):
    """Corn is quoted in cents: 450.25 at the gateway is 4.5025 dollars a bushel."""

    async def main():
        async with simulated() as (_, client):
            wanted = BarsWanted(
                size=BarSize.DAY_1, show=show, start=utc("2025-02-03"), end=utc("2025-02-08")
            )
            found = await download_bars(client, chains["ZC"], H5, wanted)
            request = m.RequestHistoricalBars(
                0, found.contract.contract, "20250208-00:00:00", "1 day", "5 D", show=show
            )
            said = await client.bars(request)
            assert len(said) == 5
            for row, bar in zip(found.rows, said, strict=True):
                assert (row.open * 100, row.close * 100) == (Decimal(str(bar.open)), bar.close)
                assert row.high - row.low == (Decimal(str(bar.high)) - Decimal(str(bar.low))) / 100
                assert row.volume == (bar.volume if show == "TRADES" else None)
                # 13:20 in Chicago, in winter
                assert row.ts == utc(f"{bar.date[:4]}-{bar.date[4:6]}-{bar.date[6:]} 19:20")

    run(main)


def test_all_there_is_of_an_expired_contract(simulated, chains):
    async def main():
        async with simulated() as (_, client):
            wanted = BarsWanted(size=BarSize.DAY_1)
            month = ContractMonth(2024, 12)
            found = await download_bars(client, chains["ES"], month, wanted)
            # Last trade on the third Friday, 2024-12-20; listed three years before.
            assert found.rows[-1].ts == utc("2024-12-20 22:00")
            assert found.rows[0].ts.date() >= dt.date(2021, 12, 20)
            days = TradingTimes(chains["ES"]).between(dt.date(2021, 12, 21), dt.date(2024, 12, 20))
            assert len(found.rows) == len(days)
            assert found.holes == ()

    run(main)


@pytest.mark.parametrize("form", list(LastTradeForm))
@pytest.mark.parametrize("month", [H5, ContractMonth(2024, 12)])
def test_the_last_trade_may_be_spelled_in_any_form(simulated, chains, form, month):
    """Of CNH the last trade lies on the evening before its trading date, in Chicago."""

    async def main():
        async with simulated(last_trade_form=form, login_zone="Asia/Tokyo") as (server, client):
            client.client.config  # noqa: B018 - the login zone is the gateway's: it is spelled
            found = await find_contract(client, chains["CNH"], month)
            assert found.last_trade == chains["CNH"].row(month).last_trade
            assert found.notes == ()
            assert server.gateway.bugs == []

    run(main)


# The last bar, the future


@pytest.mark.parametrize(
    ("size", "end", "last"),
    [
        (BarSize.MINUTE_1, None, "2025-03-12 15:30"),
        (BarSize.HOUR_1, None, "2025-03-12 15:00"),
        (BarSize.DAY_1, None, "2025-03-11 21:00"),
        (BarSize.HOUR_1, "2025-03-12 16:00", "2025-03-12 15:00"),  # the end of the bar that forms
        (BarSize.HOUR_1, "2025-03-12 15:00", "2025-03-12 15:00"),
        (BarSize.HOUR_1, "2025-03-12 14:59", "2025-03-12 14:00"),
    ],
)
def test_a_bar_that_is_not_closed_is_not_kept(simulated, chains, size, end, last):
    async def main():
        async with simulated() as (_, client):
            wanted = BarsWanted(
                size=size,
                show="BID",
                start=utc("2025-03-10"),
                end=None if end is None else utc(end),
            )
            found = await download_bars(client, chains["ES"], H5, wanted)
            assert found.rows[-1].ts == utc(last)
            assert found.unfinished == (end is None or utc(end) > START)

    run(main)


def test_an_end_in_the_future_is_refused(simulated, chains):
    async def main():
        async with simulated() as (_, client):
            for size, end in ((BarSize.HOUR_1, START + HOUR), (BarSize.MINUTE_1, START + MINUTE)):
                good = BarsWanted(size=size, start=START - HOUR, end=end)
                await download_bars(client, chains["ES"], H5, good)
                late = replace(good, end=end + dt.timedelta(seconds=61))
                with pytest.raises(FutureError, match="in the future"):
                    await download_bars(client, chains["ES"], H5, late)

    run(main)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": dt.datetime(2025, 3, 1)}, "no time zone"),  # noqa: DTZ001
        ({"end": dt.datetime(2025, 3, 1)}, "no time zone"),  # noqa: DTZ001
        ({"start": START, "end": START}, "is not after start"),
        ({"size": BarSize.WEEK_1}, "a day at most"),
        ({"show": "SCHEDULE"}, "there are TRADES"),
    ],
)
def test_a_span_that_is_none_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        BarsWanted(**{"size": BarSize.HOUR_1} | changes)


# The cache


def test_a_download_that_was_stopped_goes_on(simulated, chains):
    wanted = BarsWanted(
        size=BarSize.MINUTE_1, show="ASK", start=utc("2025-02-24"), end=utc("2025-03-08")
    )

    async def main():
        async with simulated() as (_, client):

            def stop_after(n, _):
                if n == 5:
                    work.cancel()

            work = asyncio.create_task(
                download_bars(client, chains["ES"], H5, wanted, progress=stop_after)
            )
            with contextlib.suppress(asyncio.CancelledError):
                await work
        async with simulated() as (_, client):
            whole = await download_bars(client, chains["ES"], H5, wanted)
            # Eleven windows, up to the next session: five had been had, and what the contract is.
            assert (client.asked, client.found) == (6, 7)
            # From an hour after the open of Monday's session.
            assert len(whole.rows) == 10 * 23 * 60 - 60
        async with simulated(cached=False) as (_, client):
            assert await download_bars(client, chains["ES"], H5, wanted) == whole

    run(main)


COMMAND = [
    sys.executable, "-c", "from pyfutures.cli import main; main()",
    "download", "ES", "2025H", "--bar", "1m", "--what", "ask",
    "--from", "2025-02-24", "--to", "2025-03-08",
]  # fmt: skip


def test_a_download_that_was_killed_goes_on(simulated, chains, tmp_path):
    async def main():
        # The sixth window is never answered, so what is killed has five for sure.
        async with simulated(cached=False) as (server, client):
            server.gateway.faults.when("RequestHistoricalBars", {"drop": True}, skip=5, times=None)
            words = [*COMMAND, "--port", str(server.port), "--client-id", "7", "--out", "es.csv"]
            process = await asyncio.create_subprocess_exec(
                *words,
                cwd=tmp_path,
                env=os.environ | {"PYFUTURES_CACHE": str(tmp_path)},
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                async with asyncio.timeout(60):
                    while _kept(tmp_path) < 5 + 2:
                        assert process.returncode is None
                        await asyncio.sleep(0.02)
            finally:
                process.kill()
            assert await process.wait() == -signal.SIGKILL
            assert not (tmp_path / "es.csv").exists()
            wanted = BarsWanted(
                size=BarSize.MINUTE_1, show="ASK", start=utc("2025-02-24"), end=utc("2025-03-08")
            )
            server.gateway.faults.clear()
            with Cache(tmp_path / "gateway.sqlite") as cache:
                again = CachedClient(client.client, cache)
                whole = await download_bars(again, chains["ES"], H5, wanted)
                assert (again.asked, again.found) == (6, 7)
            assert whole == await download_bars(client, chains["ES"], H5, wanted)

    asyncio.run(main())


def _kept(folder):
    """How many answers a cache has, from outside."""
    try:
        with contextlib.closing(sqlite3.connect(folder / "gateway.sqlite")) as database:
            return database.execute("select count(*) from answers").fetchone()[0]
    except sqlite3.Error:
        return 0  # not made yet


def test_a_longer_span_finds_the_answers_of_a_shorter_one(simulated, chains):
    async def main():
        async with simulated() as (_, client):
            for start, asked in (("2025-02-24", 5 + 2), ("2025-02-17", 4), ("2025-02-18 12:00", 0)):
                before = client.asked
                wanted = BarsWanted(
                    size=BarSize.MINUTE_1, show="BID", start=utc(start), end=utc("2025-03-01")
                )
                await download_bars(client, chains["ES"], H5, wanted)
                # Monday 17 February is Presidents' Day: no settlement, hence no session.
                assert client.asked - before in {asked, asked + 1}

    run(main)


# Gateways that misbehave


def step(duration):
    count, unit = duration.split()
    days = {"D": 1, "W": 7, "M": 28, "Y": 365}
    return dt.timedelta(seconds=int(count)) if unit == "S" else days[unit] * DAY


class Scripted:
    """Hourly bars of ES around the clock, as the sub-class spoils them."""

    chunk = 10**6

    def __init__(self, gateway, chain):
        gateway.handlers |= {
            m.RequestContractDetails: self.details,
            m.RequestHeadTimestamp: self.head,
            m.RequestHistoricalBars: self.bars,
        }
        self.chain = chain

    def details(self, session, request):
        found = made_details(self.chain, ContractMonth(2024, 6), Form.UTC)
        session.send(replace(found, request_id=request.request_id))
        session.send(m.ContractDetailsEnd(request.request_id))

    def head(self, session, request):
        session.refuse(request, 162, "Historical Market Data Service error message:No head")

    def bar(self, start):
        price = 5000 + (int(start.timestamp()) // 3600) % 1000
        return made(m.Bar, date=str(int(start.timestamp())), close=price, open=price)

    def bars(self, session, request):
        end = dt.datetime.strptime(request.end, "%Y%m%d-%H:%M:%S").replace(tzinfo=dt.UTC)
        start = end - step(request.duration)
        start += (-(start - utc("2024-01-01"))) % HOUR
        found = []
        while start < end:
            if self.is_open(start):
                found.append(self.bar(start))
            start += HOUR
        self.answer(session, request, found[-self.chunk :])

    def is_open(self, start):
        local = start.astimezone(TradingTimes(self.chain).zone)
        first = utc("2024-03-04") <= start
        return (
            first
            and local.hour != 16
            and not (
                local.weekday() == 5
                or (local.weekday() == 4 and local.hour > 16)
                or (local.weekday() == 6 and local.hour < 17)
            )
        )

    def answer(self, session, request, bars):
        if not bars:
            text = "Historical Market Data Service error message:HMDS query returned no data: ES"
            session.refuse(request, 162, text)
            return
        session.send(m.HistoricalBars(request.request_id, tuple(bars)))


class Short(Scripted):
    """Gives fewer bars than were asked for."""

    chunk = 7


class Twice(Scripted):
    """Says every bar twice."""

    def answer(self, session, request, bars):
        super().answer(session, request, [bar for bar in bars for _ in range(2)])


class Far(Scripted):
    """Reaches back further than it was asked to, and on to the bar behind the end."""

    def answer(self, session, request, bars):
        end = dt.datetime.strptime(request.end, "%Y%m%d-%H:%M:%S").replace(tzinfo=dt.UTC)
        more = [self.bar(end)] if end < utc("2024-03-26 14:00") else []
        early = []
        if bars:
            first = dt.datetime.fromtimestamp(int(bars[0].date), dt.UTC)
            spare = (first - n * HOUR for n in range(300, 0, -1))
            early = [self.bar(start) for start in spare if self.is_open(start)]
        super().answer(session, request, early + bars + more)


class Backwards(Scripted):
    """Says bars in the wrong order."""

    def answer(self, session, request, bars):
        super().answer(session, request, bars[::-1])


class Contradicts(Scripted):
    """Says two things of one bar."""

    def answer(self, session, request, bars):
        spoilt = [replace(bar, close=1.0) for bar in bars[:1]]
        super().answer(session, request, bars[:1] + spoilt + bars[1:])


class Fails(Scripted):
    """Fails for reasons that pass: pacing, a cut, silence."""

    def __init__(self, gateway, chain):
        super().__init__(gateway, chain)
        self.faults = ["pacing", "cut", "silence", "server"]

    def answer(self, session, request, bars):
        fault = self.faults.pop(0) if self.faults else None
        if fault == "pacing":
            text = "Historical Market Data Service error message:Historical data request pacing"
            session.refuse(request, 162, f"{text} violation")
        elif fault == "cut":
            session.bytes_left = 30
            super().answer(session, request, bars)
        elif fault == "server":
            session.refuse(request, 323, "Server error")
        elif fault is None:
            super().answer(session, request, bars)


WANTED = BarsWanted(size=BarSize.HOUR_1, start=utc("2024-02-01"), end=utc("2024-03-23"))
M4 = ContractMonth(2024, 6)


def download(kind, chains, wanted=WANTED, cache=None):
    """What came of it, and what was asked."""
    out = []

    async def main():
        async with both() as (gateway, client):
            kind(gateway, chains["ES"])
            asking = CachedClient(client, cache)
            out.append(await download_bars(asking, chains["ES"], M4, wanted))
            out.append(gateway.heard(m.RequestHistoricalBars))

    run(main)
    return out


@pytest.mark.parametrize("kind", [Scripted, Short, Twice, Far, Fails])
def test_each_bar_comes_once_whatever_the_gateway_does(kind, chains):
    found, _ = download(kind, chains)
    # Three weeks; the first hour of Monday 4 March, UTC, is the second of its session.
    hours = [start for start in
             (utc("2024-03-04") + n * HOUR for n in range(19 * 24))
             if start < utc("2024-03-22 22:00") and Scripted.is_open(
                 type("", (), {"chain": chains["ES"]})(), start)]  # fmt: skip
    assert starts(found) == hours
    assert [row.ts - row.start for row in found.rows] == [HOUR] * len(hours)
    assert (found.repeated > 0) == (kind is Twice)


@pytest.mark.parametrize("kind", [Backwards, Contradicts])
def test_disorder_is_an_error_and_is_not_kept(kind, chains, tmp_path):
    with Cache(tmp_path / "c.sqlite") as cache:
        with pytest.raises(DisorderError, match="ES 2024M"):
            download(kind, chains, cache=cache)
        found, asked = download(Scripted, chains, cache=cache)
        assert found.rows
        assert asked


def test_patience_ends(chains):
    class Never(Scripted):
        def bars(self, session, request):
            session.refuse(request, 323, "Server error")

    with pytest.raises(RequestError, match="323"):
        download(Never, chains, replace(WANTED, patience=60))


def test_nothing_is_asked_beyond_what_one_answer_may_have(chains):
    _, asked = download(Scripted, chains)
    assert {request.duration for request in asked} == {"1 M"}
    assert all(request.end and not request.keep_up_to_date for request in asked)
    assert all(request.contract.include_expired for request in asked)


# Holes


class Holey(Scripted):
    """Has no bars of Thursday 14 March, and none of three hours of the 19th."""

    def is_open(self, start):
        gone = utc("2024-03-13 22:00") <= start < utc("2024-03-14 21:00")
        gap = utc("2024-03-19 03:00") <= start < utc("2024-03-19 06:00")
        return super().is_open(start) and not gone and not gap


def test_holes_are_reported(chains):
    found, _ = download(Holey, chains, replace(WANTED, start=utc("2024-03-10 22:00")))
    assert [(hole.session, hole.bars, hole.start, hole.end) for hole in found.holes] == [
        (dt.date(2024, 3, 14), 23, utc("2024-03-13 22:00"), utc("2024-03-14 21:00")),
        (None, 3, utc("2024-03-19 03:00"), utc("2024-03-19 06:00")),
    ]
    assert str(found.holes[0]) == "2024-03-14: no bar in the session"
    assert str(found.holes[1]) == "2024-03-19 03:00:00 to 06:00:00 UTC: 3 bars missing"


def test_nothing_is_missing_on_holidays(simulated, chains):
    """2025: New Year, the day of mourning for President Carter (equities closed early), MLK."""

    async def main():
        async with simulated() as (_, client):
            wanted = BarsWanted(
                size=BarSize.DAY_1, start=utc("2024-12-16"), end=utc("2025-02-01"), use_rth=True
            )
            found = await download_bars(client, chains["ES"], H5, wanted)
            assert dt.date(2025, 1, 1) not in {row.ts.date() for row in found.rows}
            assert found.holes == ()

    run(main)


# Contracts


def test_a_contract_that_is_not_there(simulated, chains):
    async def main():
        async with simulated() as (_, client):
            with pytest.raises(ContractNotFoundError, match=r"two years.*2015-12-18"):
                await find_contract(client, chains["ES"], ContractMonth(2015, 12))

    run(main)


def test_weeklies_and_variants_are_told_apart(simulated, chains):
    async def main():
        async with simulated(variants=True) as (_, client):
            found = await find_contract(client, chains["VX"], ContractMonth(2025, 4))
            # Cboe: 30 days before the third Friday of May, Wednesday 16 April.
            assert found.last_trade == dt.date(2025, 4, 16)
            assert found.details.contract.trading_class == "VX"

    run(main)


def other(changes):
    class Other(Scripted):
        def details(self, session, request):
            for n, change in enumerate(changes):
                found = made_details(self.chain, M4, Form.UTC)
                contract = {k: v for k, v in change.items() if hasattr(found.contract, k)}
                rest = {k: v for k, v in change.items() if k not in contract}
                contract = replace(found.contract, con_id=n + 1, **contract)
                session.send(
                    replace(found, request_id=request.request_id, contract=contract, **rest)
                )
            session.send(m.ContractDetailsEnd(request.request_id))

    return Other


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([{"multiplier": "5"}], r"ES 2024M \(ESM4\): multiplier 50 in the spec, 5 at IB"),
        ([{"contract_month": "202407"}], "IB has the symbol and not the month, among 1 contract"),
        ([{}, {"local_symbol": "ES2"}], "2 contracts at IB: ESM4 .*, ES2 "),
        ([{"last_trade": "20240621 08:30 Mars/North"}], "last trade cannot be read"),
    ],
)
def test_a_contract_that_is_another_one(changes, words, chains):
    with pytest.raises(ContractNotFoundError, match=words):
        download(other(changes), chains)


def test_what_the_spec_says_otherwise_is_noted(chains):
    kind = other([{"last_trade": "20240620-13:30:00", "price_magnifier": 10}])
    found, _ = download(kind, chains)
    assert found.notes == (
        "ES 2024M (ESM4): last trade 2024-06-21 in the spec, 2024-06-20 at IB",
        "ES 2024M (ESM4): price magnifier 1 in the spec, 10 at IB; IB's is taken",
    )
    plain, _ = download(Scripted, chains)
    assert found.rows[0].close * 10 == plain.rows[0].close


def test_daily_bars_need_hours(catalog):
    root = next(r for r in catalog if catalog[r].spec.hours is None and catalog[r].spec.ib)

    async def main():
        async with both() as (_, client):
            with pytest.raises(DownloadError, match="add `hours`"):
                await download_bars(
                    CachedClient(client, None), catalog[root], H5, BarsWanted(size=BarSize.DAY_1)
                )

    run(main)


# Windows


@pytest.mark.parametrize("size", [s for s in BarSize if s not in {BarSize.WEEK_1, BarSize.MONTH_1}])
@pytest.mark.parametrize("root", ["ES", "ZC"])
def test_windows_leave_nothing_between_them_and_do_not_depend_on_the_span(chains, root, size):
    times = TradingTimes(chains[root])
    days = 2 if size.is_small else 60
    first, last = utc("2025-02-20 12:00"), utc("2025-02-20 12:00") + days * DAY
    found = windows(times, size, first, last)
    assert found[0].start <= first
    assert found[-1].end >= last or times.stretch(last) is None
    assert all(a.end == b.start for a, b in pairwise(found))
    assert all(w.start <= w.opens < w.end for w in found)
    part = windows(times, size, first + days * DAY / 3, last - days * DAY / 3)
    assert part == [w for w in found if w in set(part)]
    assert part


def test_without_hours_windows_are_days(catalog):
    root = next(r for r in catalog if catalog[r].spec.hours is None)
    found = windows(
        TradingTimes(catalog[root]), BarSize.MINUTE_1, utc("2025-03-05 12:00"), utc("2025-03-07")
    )
    assert [(w.start, w.end) for w in found] == [
        (utc("2025-03-05"), utc("2025-03-06")), (utc("2025-03-06"), utc("2025-03-07")),
    ]  # fmt: skip


# Ticks


@pytest.mark.parametrize("kind", list(TickKind))
@pytest.mark.parametrize("count", [50, 1000])
def test_ticks_of_any_span(simulated, chains, kind, count):
    """Over the close of Monday and the open of Tuesday; in small answers as in large ones."""

    async def main():
        async with simulated() as (_, client):
            wanted = TicksWanted(
                kind=kind, start=utc("2025-03-10 20:55"), end=utc("2025-03-10 22:05"), count=1000
            )
            whole = await download_ticks(client, chains["ES"], H5, wanted)
            times = [tick.time for tick in whole.ticks]
            assert times == sorted(times)
            assert min(times) >= wanted.start.timestamp()
            assert max(times) < wanted.end.timestamp()
            sides = {time < utc("2025-03-10 21:00").timestamp() for time in times}
            assert sides == {True, False}
            asked = client.asked
            again = await download_ticks(client, chains["ES"], H5, replace(wanted, count=count))
            assert again.ticks == whole.ticks
            assert (client.asked > asked) == (count != 1000)

    run(main)


def test_ticks_that_come_back_in_disorder(chains):
    async def main():
        async with both() as (gateway, client):
            Scripted(gateway, chains["ES"])
            ticks = tuple(
                m.HistoricalMidpoint(int(utc(f"2024-03-05 10:{n}").timestamp()), 1.0)
                for n in (20, 10)
            )
            gateway.handlers[m.RequestHistoricalTicks] = lambda session, request: session.send(
                m.HistoricalMidpoints(request.request_id, ticks, done=True)
            )
            wanted = TicksWanted(kind=TickKind.MIDPOINTS, start=utc("2024-03-05 09:00"))
            with pytest.raises(DisorderError):
                await download_ticks(CachedClient(client, None), chains["ES"], M4, wanted)

    run(main)
    with pytest.raises(ValueError, match="1 to 1000"):
        TicksWanted(kind=TickKind.TRADES, count=1001)


# Files


def test_a_file_is_what_continuous_build_reads(chains, tmp_path):
    found, _ = download(Scripted, chains)
    frames = []
    for name in ("a.csv", "a.csv.gz", "a.parquet"):
        assert write_bars(found.rows, tmp_path / "deep" / name) == len(found.rows)
        frames.append(read_bars(tmp_path / "deep" / name))
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == [
        "a.csv", "a.csv.gz", "a.parquet"
    ]  # fmt: skip
    for frame in frames:
        assert frame.months == (M4,)
        assert frame.ts.tolist() == [int(row.ts.timestamp()) * 10**9 for row in found.rows]
        assert frame.close.tolist() == [int(row.close * 10**9) for row in found.rows]
        assert frame.volume.tolist() == [float(row.volume) for row in found.rows]
    first = (tmp_path / "deep" / "a.csv").read_text().splitlines()[:2]
    assert first[0] == "contract,ts,open,high,low,close,volume"
    assert first[1].startswith("2024M,2024-03-04T01:00:00Z,")


def test_bars_that_are_not_of_trades_have_no_volume(chains, tmp_path):
    found, _ = download(Scripted, chains)
    rows = [replace(row, volume=None) for row in found.rows]
    write_bars(rows, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[1].endswith(",")
    assert read_bars(tmp_path / "a.csv").volume.tolist() != [0.0]


def test_the_same_bars_are_the_same_bytes(chains, tmp_path):
    found, _ = download(Scripted, chains)
    for name in ("a.csv.gz", "b.csv.gz"):
        write_bars(found.rows, tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="ends in"):
        write_bars([], tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match="one kind"):
        write_ticks([], tmp_path / "a.csv")


def test_ticks_in_files(simulated, chains, tmp_path):
    heads = {
        TickKind.TRADES: ["contract", "ts", "price", "size", "exchange", "conditions"],
        TickKind.QUOTES: ["contract", "ts", "bid", "ask", "bid_size", "ask_size"],
        TickKind.MIDPOINTS: ["contract", "ts", "price"],
    }

    async def main():
        async with simulated() as (_, client):
            for kind, head in heads.items():
                wanted = TicksWanted(
                    kind=kind, start=utc("2025-03-10 15:00"), end=utc("2025-03-10 15:10")
                )
                found = await download_ticks(client, chains["ZC"], H5, wanted)
                count = write_ticks([found], tmp_path / "t.csv.gz")
                with gzip.open(tmp_path / "t.csv.gz", "rt") as file:
                    rows = list(csv.reader(file))
                assert rows[0] == head
                assert len(rows) - 1 == count == len(found.ticks)
                tick = found.ticks[0]
                quote = tick.bid if kind is TickKind.QUOTES else tick.price
                assert Decimal(rows[1][2]) * 100 == Decimal(str(quote))
                assert rows[1][0] == "2025H"
                assert write_ticks([found], tmp_path / "t.parquet") == count

    run(main)
