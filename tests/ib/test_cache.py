"""The cache: what is kept, for how long, whole or not at all, and what is never kept."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import warnings
import zlib
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfutures.ib import messages as m
from pyfutures.ib.cache import Cache, CacheWarning, Entry, default_path, key_of
from pyfutures.ib.cached import CachedClient, CachePolicy
from pyfutures.ib.failures import RequestError, RequestFailedError
from pyfutures.ib.schedule import Schedule, Window
from pyfutures.testing import made
from tests.ib.client.server import both
from tests.ib.client.virtual import START, run
from tests.ib.strategies import messages

NOW = START  # Tuesday 2024-03-26 14:30 UTC
DAY = dt.timedelta(days=1)
ES = m.Contract(symbol="ES", sec_type="FUT", exchange="CME", currency="USD")
DETAILS = m.RequestContractDetails(1, ES)
END = "20240320-21:00:00"  # settled for long
BARS = m.RequestHistoricalBars(1, replace(ES, con_id=5), END, "1 hour", "1 M")
TRADES = m.RequestHistoricalTicks(1, replace(ES, con_id=5), "20240318-14:00:00", "", 3)


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as found:
        yield found


# Keys


SAME = [
    (DETAILS, replace(DETAILS, request_id=99)),
    (DETAILS, replace(DETAILS, contract=replace(ES, strike=0.0))),
    (DETAILS, replace(DETAILS, contract=replace(ES, right="?"))),
    # An id says it all, however else the contract is spelled.
    (BARS, replace(BARS, contract=replace(BARS.contract, local_symbol="ESM4"))),
]
OTHER = [
    (DETAILS, replace(DETAILS, contract=replace(ES, include_expired=True))),
    (DETAILS, replace(DETAILS, contract=replace(ES, last_trade="202406"))),
    (DETAILS, replace(DETAILS, contract=replace(ES, sec_type="CONTFUT"))),
    (BARS, replace(BARS, contract=replace(BARS.contract, con_id=6))),
    (BARS, replace(BARS, show="BID")),
    (BARS, replace(BARS, use_rth=True)),
    (BARS, replace(BARS, end="20240320-21:00:01")),
    (BARS, replace(BARS, duration="1 D")),
    (TRADES, replace(TRADES, count=4)),
    (TRADES, replace(TRADES, start="", end=TRADES.start)),
]


class TestKeys:
    @pytest.mark.parametrize(("a", "b"), SAME)
    def test_one_request_has_one_key(self, a, b):
        assert key_of(a, "U1") == key_of(b, "U1")

    @pytest.mark.parametrize(("a", "b"), OTHER)
    def test_another_request_has_another(self, a, b):
        assert key_of(a, "U1") != key_of(b, "U1")

    def test_another_login_has_others(self):
        assert key_of(BARS, "U1") != key_of(BARS, "DU1")


# Entries


KEPT = [layout for layout in m.RESPONSES if layout.cls in {
    m.ContractDetails, m.HistoricalBars, m.HistoricalTrades, m.HistoricalQuotes,
    m.HistoricalMidpoints, m.HistoricalSchedule, m.HeadTimestamp,
}]  # fmt: skip


@pytest.mark.parametrize("layout", KEPT, ids=lambda layout: layout.cls.__name__)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_what_is_kept_comes_back_the_same(layout, data, tmp_path_factory):
    message = data.draw(messages(layout, 200))
    with Cache(tmp_path_factory.mktemp("cache") / "c.sqlite") as cache:
        cache.put("k", BARS, Entry((message, message)), now=NOW)
        assert cache.get("k", NOW) == Entry((message, message))


def test_an_entry_is_forgotten_when_it_expires(cache):
    entry = Entry((made(m.HeadTimestamp),), expires=NOW + DAY)
    cache.put("k", BARS, entry, now=NOW)
    assert cache.get("k", NOW + DAY - dt.timedelta(seconds=1)) == entry
    assert cache.get("k", NOW + DAY) is None
    assert (cache.prune(NOW), len(cache)) == (0, 1)
    assert (cache.prune(NOW + DAY), len(cache)) == (1, 0)


def test_the_last_entry_counts_and_all_can_be_cleared(cache):
    for code in (200, 321):
        cache.put("k", BARS, Entry(code=code, text="no"), now=NOW)
    cache.put("l", BARS, Entry(), now=NOW)
    assert cache.get("k", NOW).code == 321
    assert (cache.clear(), len(cache), cache.get("k", NOW)) == (2, 0, None)


def test_it_survives_being_closed(tmp_path):
    entry = Entry((made(m.HistoricalBars),))
    for expected in (None, entry):
        with Cache(tmp_path / "deep" / "c.sqlite") as cache:
            assert cache.get("k", NOW) == expected
            cache.put("k", BARS, entry, now=NOW)
    assert cache.get("k", NOW) is None  # closed


def test_people_can_read_which_request_it_was(cache):
    cache.put("k", BARS, Entry(), now=NOW)
    with contextlib.closing(sqlite3.connect(cache.path)) as file:
        (text,) = file.execute("select request from answers").fetchone()
    assert text.startswith("20|0|5||FUT|")
    assert "20240320-21:00:00|1 hour|1 M" in text


# A cache that cannot be used


def test_a_file_that_is_no_database_is_a_warning(tmp_path):
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.warns(CacheWarning, match=r"c.sqlite cannot be used"):
        cache = Cache(path)
    assert cache.get("k", NOW) is None
    cache.put("k", BARS, Entry(), now=NOW)
    assert len(cache) == 0
    cache.close()


def test_a_file_that_was_cut_is_a_warning_and_stops_nothing(tmp_path):
    whole = tmp_path / "whole.sqlite"
    entry = Entry((made(m.HistoricalBars),), text="x" * 300)
    with Cache(whole) as cache:
        for number in range(40):
            cache.put(f"k{number}", BARS, entry, now=NOW)
    data = whole.read_bytes()
    assert len(data) > 20_000  # it is all in the file: none of it waits in the log
    spoilt = 0
    for length in range(0, len(data), 1500):
        path = tmp_path / f"cut{length}.sqlite"
        path.write_bytes(data[:length])
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with Cache(path) as cache:
                for number in range(40):
                    assert cache.get(f"k{number}", NOW) in (None, entry)
                    cache.put(f"k{number}", BARS, entry, now=NOW)
                list(cache.kept(m.HistoricalBars))
                len(cache)
                cache.prune(NOW)
                cache.clear()
        assert {one.category for one in told} <= {CacheWarning}
        assert len(told) <= 1
        spoilt += any("remove the file, then it is made anew" in str(one.message) for one in told)
    assert spoilt > 5


def test_a_folder_that_cannot_be_made_is_a_warning(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(CacheWarning):
        Cache(tmp_path / "file" / "c.sqlite").close()


class Boom:
    def __reduce__(self):
        return (os.system, ("touch boom",))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"rubbish",
        pickle.dumps(Boom()),
        zlib.compress(b"[[1"),
        zlib.compress(b'{"a": 1}'),
        zlib.compress(b'[0, "", null, [["17"]]]'),
        zlib.compress(b'[0, "", null, [["9999", "1"]]]'),
        zlib.compress(b'[0, "", null, ["17"]]'),
        zlib.compress(b'[0, "", null, 17]'),
        zlib.compress(b'[0, "", "soon", []]'),
        zlib.compress(b'[0, "", 1e300, []]'),
        zlib.compress(b'["x", "", null, []]'),
        zlib.compress(b"[0, 0]"),
        zlib.compress(json.dumps([0, "", None, [["17", "0", "2", "1717000000"]]]).encode()),
        zlib.compress(pickle.dumps(Boom())),
    ],
)
def test_an_entry_that_is_not_ours_is_asked_for_anew(answer, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    entry = Entry((made(m.HistoricalBars),))
    cache.put("k", BARS, entry, now=NOW)
    with contextlib.closing(sqlite3.connect(cache.path)) as file, file:
        file.execute("update answers set answer = ?", (answer,))
    with pytest.warns(CacheWarning):
        assert cache.get("k", NOW) is None
    cache.put("k", BARS, entry, now=NOW)
    assert cache.get("k", NOW) == entry
    assert not (tmp_path / "boom").exists()


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("PYFUTURES_CACHE", str(tmp_path))
    assert default_path() == tmp_path / "gateway.sqlite"
    monkeypatch.delenv("PYFUTURES_CACHE")
    assert default_path().name == "gateway.sqlite"
    assert default_path().parent.name == "pyfutures"


# Processes


WRITER = """
import datetime as dt, itertools, sys
from pathlib import Path
from pyfutures.ib import messages as m
from pyfutures.ib.cache import Cache, Entry
from pyfutures.testing import made
name, count = sys.argv[2], int(sys.argv[3])
now = dt.datetime(2024, 3, 26, tzinfo=dt.UTC)
with Cache(Path(sys.argv[1])) as cache:
    print("ready", flush=True)
    for n in range(count) if count else itertools.count():
        bars = tuple(made(m.Bar, date=str(n * 1000 + i)) for i in range(500))
        key = f"{name} {n % 50}"
        cache.put(key, made(m.RequestHistoricalBars), Entry((m.HistoricalBars(n, bars),)), now=now)
"""


def writer(path, name, count):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", WRITER, str(path), name, str(count)],
        stdout=subprocess.PIPE,
    )


def entries(path, names):
    with Cache(path) as cache:
        found = [cache.get(f"{name} {n}", NOW) for name in names for n in range(50)]
    return [entry for entry in found if entry is not None]


def whole(entry):
    (message,) = entry.messages
    first = message.request_id * 1000
    return [int(bar.date) for bar in message.bars] == list(range(first, first + 500))


def test_a_process_that_is_killed_leaves_whole_entries(tmp_path):
    path = tmp_path / "c.sqlite"
    for _ in range(3):
        process = writer(path, "a", 0)
        process.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.04)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = entries(path, "a")  # warnings are errors: nothing in it is broken
        assert all(map(whole, found))
    assert found


def test_two_processes_share_it(tmp_path):
    path = tmp_path / "c.sqlite"
    both = [writer(path, name, 60) for name in "ab"]
    for process in both:
        process.stdout.read()
        process.stdout.close()
        assert process.wait() == 0
    found = entries(path, "ab")
    assert len(found) == 100
    assert all(map(whole, found))


def test_many_processes_make_it_at_once(tmp_path):
    opening = (
        "import sys; from pathlib import Path; import sqlalchemy; "
        "from pyfutures.ib.cache import Cache; print(flush=True); sys.stdin.read(); "
        "Cache(Path(sys.argv[1])).close()"
    )
    for turn in range(3):
        command = [sys.executable, "-W", "error", "-c", opening, str(tmp_path / f"{turn}.sqlite")]
        many = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(4)
        ]
        for process in many:
            process.stdout.readline()
        for process in many:
            process.stdin.close()
        for process in many:
            process.stdout.close()
        assert [process.wait() for process in many] == [0, 0, 0, 0]


# The client


def asking(cache, gateway, client, **policy):
    gateway.counts = {}
    return CachedClient(client, cache, policy=CachePolicy(**policy))


def details(*last_trades):
    """An answer to a request for details."""

    def answer(session, request):
        for n, text in enumerate(last_trades):
            contract = made(m.Contract, con_id=n + 1, last_trade=text)
            session.send(made(m.ContractDetails, request_id=request.request_id, contract=contract))
        session.send(m.ContractDetailsEnd(request.request_id))

    return answer


def bars(*dates):
    def answer(session, request):
        found = tuple(made(m.Bar, date=str(date)) for date in dates)
        session.send(m.HistoricalBars(request.request_id, found))

    return answer


def ticks(*times):
    def answer(session, request):
        found = tuple(m.HistoricalTrade(time, 0, 1.0, Decimal(1), "CME", "") for time in times)
        session.send(m.HistoricalTrades(request.request_id, found, done=True))

    return answer


def refuse(code, text=""):
    return lambda session, request: session.refuse(request, code, text)


def cut(session, request):
    # Half an answer, and the line is gone.
    session.bytes_left = 40
    bars(1, 2, 3)(session, request)


def silent(session, request):
    pass


def epoch(text):
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp())


async def ask(client, request):
    """Ask; errors are outcomes."""
    try:
        if isinstance(request, m.RequestContractDetails):
            return await client.details(request.contract)
        if isinstance(request, m.RequestHistoricalBars):
            return await client.bars(request)
        return await client.ticks(request)
    except RequestError as error:
        return type(error), error.code, error.text


NO_DATA = "Historical Market Data Service error message:HMDS query returned no data: ES@CME Trades"
PACING = "Historical Market Data Service error message:Historical data request pacing violation"
NO_PERMISSION = (
    "Historical Market Data Service error message:No market data permissions for CME FUT"
)
HOURS = [epoch("2024-03-20 19:00"), epoch("2024-03-20 20:00")]
LONG = dt.timedelta(days=365 * 5)
#: What is asked, how it is answered, and how long that is kept.
POLICY = [
    # Contracts: until the first one that still trades has expired.
    ("details", DETAILS, details("20240620-13:30:00", "20240920-13:30:00"),
     dt.datetime(2024, 6, 20, 13, 30, tzinfo=dt.UTC) - NOW),
    ("details with expired ones", DETAILS, details("20240315-13:30:00", "20240920-13:30:00"),
     dt.datetime(2024, 9, 20, 13, 30, tzinfo=dt.UTC) - NOW),
    ("details, expired all", DETAILS, details("20230315-13:30:00"), LONG),
    # A date: until it is over at the exchange, midnight in Chicago.
    ("details, a date", DETAILS, details("20240621"),
     dt.datetime(2024, 6, 22, 5, tzinfo=dt.UTC) - NOW),
    ("details in a zone nobody knows", DETAILS, details("20240621 08:30:00 Mars/North"), None),
    ("no contract", DETAILS, refuse(200, "No security definition"), 7 * DAY),
    ("contfut", replace(DETAILS, contract=replace(ES, sec_type="CONTFUT")),
     details("20240620-13:30:00"), None),
    # Bars: for good once settled, until then before.
    ("bars", BARS, bars(*HOURS), LONG),
    ("no bars", BARS, refuse(162, NO_DATA), 7 * DAY),
    ("bars up to now", replace(BARS, end=""), bars(*HOURS), None),
    ("bars up to the future", replace(BARS, end="20240326-15:00:00"), bars(*HOURS), None),
    ("bars up to this minute", replace(BARS, end="20240326-14:29:30"), bars(*HOURS), None),
    ("bars of this morning", replace(BARS, end="20240326-12:00:00"), bars(*HOURS),
     dt.timedelta(hours=21, minutes=30)),
    ("no bars this morning", replace(BARS, end="20240326-12:00:00"), bars(), 7 * DAY),
    ("bars of contfut", replace(BARS, contract=replace(ES, sec_type="CONTFUT")), bars(*HOURS),
     None),
    ("disorder", BARS, bars(*reversed(HOURS)), None),
    ("twice", BARS, bars(HOURS[0], *HOURS), None),
    # Errors: those that the table calls final, and no others.
    ("no permission", BARS, refuse(162, NO_PERMISSION), 7 * DAY),
    ("invalid", BARS, refuse(321, "Error validating request"), 7 * DAY),
    ("pacing", BARS, refuse(162, PACING), None),
    ("server error", BARS, refuse(323, "later"), None),
    ("id in use", BARS, refuse(322, "Duplicate ticker id"), None),
    ("a code nobody knows", BARS, refuse(4711, "what"), None),
    ("no answer", BARS, silent, None),
    # Ticks: a full answer at once, a short one when its session is over for sure.
    ("ticks", TRADES, ticks(*[epoch("2024-03-18 14:00:01")] * 3), LONG),
    ("more than asked for", TRADES, ticks(*[epoch("2024-03-18 14:00:01")] * 5), LONG),
    ("a full answer of this morning", replace(TRADES, start="20240326-12:00:00"),
     ticks(*[epoch("2024-03-26 12:30:00")] * 3), dt.timedelta(hours=22)),
    ("a short answer of this morning", replace(TRADES, start="20240326-12:00:00"),
     ticks(epoch("2024-03-26 12:30:00")), None),
    ("a short answer of a session that is over", TRADES, ticks(epoch("2024-03-18 14:00:01")), LONG),
    ("none since yesterday", replace(TRADES, start="20240325-12:00:00"), ticks(), None),
    ("none for two weeks", replace(TRADES, start="20240311-12:00:00"), ticks(), 7 * DAY),
    ("ticks backwards", replace(TRADES, start="", end=END), ticks(1, 2), LONG),
    ("ticks in disorder", TRADES, ticks(3, 2, 1), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "answer", "good"), [row[1:] for row in POLICY], ids=[row[0] for row in POLICY]
)
def test_policy(request_, answer, good, cache):
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[type(request_)] = answer
            first = await ask(CachedClient(client, cache), request_)
            key = key_of(request_, "DU1234567")
            if good is None:
                assert len(cache) == 0
                return
            now = client.clock.now()
            second = dt.timedelta(seconds=2)
            assert cache.get(key, now + good - second) is not None
            assert (cache.get(key, now + good + second) is None) or good == LONG
            asked = len(gateway.heard(type(request_)))
            again = await ask(CachedClient(client, cache), request_)
            assert again == first
            assert len(gateway.heard(type(request_))) == asked == 1

    run(main)


RESET = Schedule((Window("reset", "UTC", dt.time(14), dt.time(15)),))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (DETAILS, refuse(200, "No security definition")),
        (DETAILS, details()),
        (BARS, refuse(200, "No security definition")),
        (BARS, refuse(162, NO_DATA)),
        (BARS, refuse(162, NO_PERMISSION)),
        (BARS, bars()),
        (replace(TRADES, start="20240311-12:00:00"), ticks()),
    ],
)
class TestDoubt:
    """A gateway that is not itself denies what exists: nothing of that is kept."""

    def test_in_a_reset(self, request_, answer, cache):
        self.check(request_, answer, cache, schedule=RESET)

    def test_while_a_farm_is_broken(self, request_, answer, cache):
        async def breaks(gateway, client):
            gateway.notice(2105, "HMDS data farm connection is broken:ushmds")
            await client.reference.server_time()

        self.check(request_, answer, cache, before=breaks)

    def test_when_it_breaks_meanwhile(self, request_, answer, cache):
        def breaking(session, request):
            session.send(m.ErrorMessage(-1, 2157, "Sec-def data farm connection is broken:secdef"))
            answer(session, request)

        self.check(request_, breaking, cache)

    def check(self, request_, answer, cache, before=None, **settings):
        async def main():
            async with both(**settings) as (gateway, client):
                gateway.handlers[type(request_)] = answer
                if before is not None:
                    await before(gateway, client)
                await ask(CachedClient(client, cache), request_)
                assert len(cache) == 0

        run(main)


def test_what_is_there_is_kept_in_a_reset_too(cache):
    async def main():
        async with both(schedule=RESET) as (gateway, client):
            gateway.handlers[m.RequestHistoricalBars] = bars(*HOURS)
            await ask(CachedClient(client, cache), BARS)
            assert len(cache) == 1

    run(main)


def test_half_an_answer_is_never_kept(cache):
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestHistoricalBars] = cut
            asking = CachedClient(client, cache)
            kind, *_ = await ask(asking, BARS)
            assert issubclass(kind, RequestError)
            assert len(cache) == 0
            gateway.handlers[m.RequestHistoricalBars] = bars(*HOURS)
            await client.ready()
            assert len(await asking.bars(BARS)) == 2
            assert len(cache) == 1

    run(main)


def test_a_caller_that_gives_up_keeps_nothing(cache):
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestHistoricalBars] = silent
            task = asyncio.create_task(CachedClient(client, cache).bars(BARS))
            await asyncio.sleep(1)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert len(cache) == 0

    run(main)


def test_a_kept_error_is_raised_as_it_was(cache):
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestHistoricalBars] = refuse(321, "no")
            asking = CachedClient(client, cache)
            for _ in range(2):
                with pytest.raises(RequestFailedError, match="no") as found:
                    await asking.bars(BARS)
                assert (found.value.code, found.value.is_final) == (321, True)
            assert (asking.asked, asking.found) == (1, 1)

    run(main)


def test_another_login_asks_for_itself(cache):
    async def main():
        for account, asked in (("DU1,", 1), ("DU1,", 0), ("DU2,", 1)):
            async with both(setup=lambda g, a=account: setattr(g, "accounts", a)) as both_:
                gateway, client = both_
                gateway.handlers[m.RequestHistoricalBars] = bars(*HOURS)
                assert len(await CachedClient(client, cache).bars(BARS)) == 2
                assert len(gateway.heard(m.RequestHistoricalBars)) == asked

    run(main)


@pytest.mark.parametrize(("delay", "seconds"), [(0.0, 0), (5.0, 15)])
def test_uncached_requests_keep_their_distance(delay, seconds, cache):
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestHistoricalBars] = bars(*HOURS)
            asking = CachedClient(client, cache, policy=CachePolicy(delay=delay))
            start = client.clock.monotonic()
            requests = [replace(BARS, end=f"2024031{n}-21:00:00") for n in range(4)]
            await asyncio.gather(*map(asking.bars, requests))
            assert seconds <= client.clock.monotonic() - start < seconds + 1
            start = client.clock.monotonic()
            await asyncio.gather(*map(asking.bars, requests))
            assert client.clock.monotonic() - start < 1
            assert (asking.asked, asking.found) == (4, 4)

    run(main)


def test_of_two_that_ask_the_same_one_asks(cache):
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestHistoricalBars] = bars(*HOURS)
            asking = CachedClient(client, cache)
            found = await asyncio.gather(*(asking.bars(BARS) for _ in range(5)))
            assert len(gateway.heard(m.RequestHistoricalBars)) == 1
            assert all(one == found[0] for one in found)

    run(main)


def test_without_a_cache_everything_is_asked():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestHistoricalBars] = bars(*HOURS)
            asking = CachedClient(client, None)
            for _ in range(2):
                assert len(await asking.bars(BARS)) == 2
            assert len(gateway.heard(m.RequestHistoricalBars)) == 2

    run(main)


def test_head_and_schedule_are_kept(cache):
    schedule = made(m.HistoricalSchedule)

    def answer(session, request):
        session.send(replace(schedule, request_id=request.request_id))

    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestHeadTimestamp] = lambda session, request: session.send(
                m.HeadTimestamp(request.request_id, str(HOURS[0]))
            )
            gateway.handlers[m.RequestHistoricalBars] = answer
            asking = CachedClient(client, cache)
            for _ in range(2):
                head = await asking.head(made(m.RequestHeadTimestamp))
                assert head == dt.datetime(2024, 3, 20, 19, tzinfo=dt.UTC)
                assert await asking.schedule(BARS) == replace(schedule, request_id=0)
            assert (asking.asked, asking.found) == (2, 2)

    run(main)


def test_what_cannot_be_asked_is_said(cache):
    async def main():
        async with both() as (_, client):
            asking = CachedClient(client, cache)
            with pytest.raises(ValueError, match="zone"):
                await asking.bars(replace(BARS, end="20240320 21:00:00"))
            with pytest.raises(ValueError, match="ASK"):
                await asking.ticks(replace(TRADES, show="ASK"))

    run(main)
    with pytest.raises(ValueError, match="not negative"):
        CachePolicy(delay=-1)


def test_a_cache_that_breaks_meanwhile_stops_nothing(cache):
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestHistoricalBars] = bars(*HOURS)
            asking = CachedClient(client, cache)
            with contextlib.closing(sqlite3.connect(cache.path)) as file, file:
                file.execute("drop table answers")
            with pytest.warns(CacheWarning):
                assert len(await asking.bars(BARS)) == 2
            with warnings.catch_warnings():  # said once
                warnings.simplefilter("error")
                assert len(await asking.bars(BARS)) == 2

    run(main)
