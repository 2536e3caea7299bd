"""The past over the wire: bars of all sizes made of one set of ticks, dates, what is wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from decimal import Decimal

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.pacing import Limits
from pyfutures.ib.times import BarSize, bar_time
from pyfutures.months import ContractMonth
from tests.gateway.tools import START, connected, contract, errors, instrument, of

NOW = int(START.timestamp())


def _run(check, **settings):
    async def main():
        async with connected(**{"limits": None, **settings}) as (server, raw):
            await check(server, raw, contract(server))

    asyncio.run(main())


def request(named, size="1 hour", duration="1 D", *, about=1, **more):
    return m.RequestHistoricalBars(about, named, more.pop("end", ""), size, duration, **more)


async def bars(raw, named, size="1 hour", duration="1 D", **more):
    answer = await raw.ask(request(named, size, duration, **more), m.HistoricalBars)
    assert isinstance(answer, m.HistoricalBars), answer
    return answer.bars


async def ticks(raw, named, show, start):
    """All ticks of a kind from an instant to now."""
    found = []
    while True:
        asked = m.RequestHistoricalTicks(5, named, start, "", 1000, show)
        answer = await raw.ask(asked, m.HistoricalTrades, m.HistoricalQuotes, m.HistoricalMidpoints)
        assert answer.done
        if not answer.ticks:
            return found
        found += answer.ticks
        after = dt.datetime.fromtimestamp(answer.ticks[-1].time + 1, dt.UTC)
        start = f"{after:%Y%m%d-%H:%M:%S}"


def fold(prints, seconds):
    """Bars made of trades by hand: start -> open, high, low, close, volume, value, count."""
    groups = defaultdict(list)
    for tick in prints:
        groups[tick.time // seconds * seconds].append(tick)
    return {
        str(start): (
            group[0].price,
            max(t.price for t in group),
            min(t.price for t in group),
            group[-1].price,
            sum(t.size for t in group),
            float(sum(Decimal(str(t.price)) * t.size for t in group) / sum(t.size for t in group)),
            len(group),
        )
        for start, group in groups.items()
    }


@pytest.mark.parametrize("size", ["1 secs", "5 secs", "30 secs", "1 min", "2 mins", "15 mins"])
@pytest.mark.parametrize("root", ["ES", "ZC", "VX"])
def test_bars_of_trades_are_the_trades(root, size):
    async def check(server, raw, _):
        named = contract(server, root)
        prints = await ticks(raw, named, "TRADES", "20250701-13:30:00")
        assert prints
        expected = fold(prints, BarSize(size).seconds)
        found = await bars(raw, named, size, "1800 S" if size != "15 mins" else "7200 S")
        found = [bar for bar in found if int(bar.date) >= NOW - 1800]
        assert [bar.date for bar in found] == list(expected)
        for bar in found:
            o, h, low, c, volume, average, count = expected[bar.date]
            assert (bar.open, bar.high, bar.low, bar.close) == (o, h, low, c)
            assert (bar.volume, bar.count) == (volume, count)
            assert bar.average == pytest.approx(average, abs=1e-6)

    _run(check)


def test_bars_of_quotes_are_the_quotes():
    async def check(_, raw, named):
        quotes = await ticks(raw, named, "BID_ASK", "20250701-13:58:00")
        minute = [q for q in quotes if q.time < NOW - 60]  # 13:58
        assert len(minute) == 12
        rows = {}
        for show in ("BID", "ASK", "MIDPOINT", "BID_ASK"):
            (rows[show],) = await bars(
                raw, named, "1 min", "60 S", show=show, end="20250701-13:59:00"
            )
        bids, asks = [q.bid for q in minute], [q.ask for q in minute]
        mids = [(bid + ask) / 2 for bid, ask in zip(bids, asks, strict=True)]
        for show, prices in (("BID", bids), ("ASK", asks), ("MIDPOINT", mids)):
            bar = rows[show]
            assert (bar.open, bar.close) == (prices[0], prices[-1])
            assert (bar.high, bar.low) == (max(prices), min(prices))
            assert (bar.volume, bar.average, bar.count) == (-1, -1, -1)
        both = rows["BID_ASK"]  # averages of the sides, and their extremes
        assert both.open == pytest.approx(sum(bids) / 12)
        assert both.close == pytest.approx(sum(asks) / 12)
        assert (both.high, both.low) == (max(asks), min(bids))

    _run(check)


@pytest.mark.parametrize(
    ("size", "duration"),
    [
        ("1 min", "1 D"),
        ("20 mins", "2 D"),
        ("1 hour", "3 D"),
        ("4 hours", "1 W"),
        ("8 hours", "5 D"),
    ],
)
@pytest.mark.parametrize("root", ["ES", "ZC"])
def test_shorter_bars_make_up_the_days(root, size, duration):
    async def check(server, raw, _):
        named = contract(server, root, ContractMonth(2025, 9))
        hours = instrument(server, named).hours
        days = {bar.date: bar for bar in await bars(raw, named, "1 day", duration)}
        groups = defaultdict(list)
        for bar in await bars(raw, named, size, duration):
            session = hours.at(int(bar.date) * 10**9)
            groups[f"{session.day:%Y%m%d}"].append(bar)
        assert set(groups) == set(days)
        for date, parts in groups.items():
            day = days[date]
            assert (parts[0].open, parts[-1].close) == (day.open, day.close)
            assert (max(b.high for b in parts), min(b.low for b in parts)) == (day.high, day.low)
            assert sum(b.volume for b in parts) == day.volume
            assert sum(b.count for b in parts) == day.count

    _run(check)


def test_weeks_and_months_are_made_of_days():
    async def check(_, raw, named):
        days = await bars(raw, named, "1 day", "8 M")
        for size, key in (
            ("1 week", lambda d: d.isocalendar()[:2]),
            ("1 month", lambda d: (d.year, d.month)),
        ):
            groups = defaultdict(list)
            for bar in days:
                groups[key(bar_time(bar.date))].append(bar)
            found = await bars(raw, named, size, "6 M")
            whole = list(groups.values())[-len(found) :]
            for row, parts in zip(found, whole, strict=True):
                assert row.date == parts[-1].date
                assert (row.open, row.close) == (parts[0].open, parts[-1].close)
                assert row.volume == sum(bar.volume for bar in parts)

    _run(check)


@pytest.mark.parametrize("size", list(BarSize))
def test_all_sizes_ascend_and_lie_on_the_grid(size):
    async def check(_, raw, named):
        seconds = size.seconds or 86400 * 31
        duration = f"{min(1800, seconds * 20)} S" if seconds < 1800 else "3 M"
        found = await bars(raw, named, size.value, duration)
        dates = [bar_time(bar.date) for bar in found]
        assert len(dates) >= 3
        assert dates == sorted(set(dates))
        for bar in found:
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert all(p % 0.25 == 0 for p in (bar.open, bar.high, bar.low, bar.close))
            if size.seconds and size.seconds < 3600:
                assert int(bar.date) % size.seconds == 0

    _run(check)


def test_the_same_bars_come_whatever_is_asked_before_and_in_any_span():
    async def check(_, raw, named):
        month = await bars(raw, named, "1 day", "1 M")
        assert await bars(raw, named, "1 day", "5 D") == month[-5:]
        hours = await bars(raw, named, "1 hour", "2 D", end="20250627-12:00:00")
        again = await bars(raw, named, "1 hour", "1 W")
        assert set(hours) <= set(again)

    _run(check)


def test_forms_of_dates():
    async def check(_, raw, named):
        texts = {
            (size, form): (await bars(raw, named, size, "2 D", format_date=form))[-1].date
            for size in ("1 day", "1 hour")
            for form in (1, 2)
        }
        assert texts == {
            ("1 day", 1): "20250701",
            ("1 day", 2): "20250701",
            ("1 hour", 1): "20250701 09:00:00 US/Central",
            ("1 hour", 2): str(NOW),
        }

    _run(check)


def test_regular_hours_are_a_part_of_all_hours():
    async def check(server, raw, named):
        every = await bars(raw, named, "30 mins", "2 D")
        regular = await bars(raw, named, "30 mins", "2 D", use_rth=True)
        assert set(regular) < set(every)
        zone = instrument(server, named).hours.zone
        starts = [bar_time(bar.date).astimezone(zone).time() for bar in regular]
        assert min(starts) == dt.time(8, 30)

    _run(check)


def test_hours_are_cut_at_the_full_hour_and_at_breaks():
    async def check(server, raw, _):
        named = contract(server, "ZC", ContractMonth(2025, 9))
        found = await bars(raw, named, "1 hour", "1 D", end="20250630-23:00:00")
        zone = instrument(server, named).hours.zone
        starts = [f"{bar_time(bar.date).astimezone(zone):%H:%M}" for bar in found]
        assert starts[0] == "19:00"
        assert starts[-7:] == ["07:00", "08:30", "09:00", "10:00", "11:00", "12:00", "13:00"]

    _run(check)


@pytest.mark.parametrize("version", [176, 200])
def test_the_span_is_told_with_the_bars_or_behind_them(version):
    async def check(_, raw, named):
        raw.send(request(named, "1 day", "5 D", end="20250627-16:30:00"))
        said = await raw.sync()
        span = ("20250622-16:30:00", "20250627-16:30:00")  # as in the recording of 2024
        if version == 176:
            assert [(one.start, one.end) for one in said] == [span]
        else:
            assert [(one.start, one.end) for one in said] == [("", ""), span]
            assert isinstance(said[1], m.HistoricalBarsEnd)
        dates = [bar.date for bar in said[0].bars]
        assert dates == ["20250623", "20250624", "20250625", "20250626", "20250627"]

    _run(check, version=version)


def test_expired_contracts_have_a_past_when_it_is_asked_for():
    async def check(server, raw, _):
        named = contract(server, "ES", ContractMonth(2025, 6))
        assert (await raw.ask(request(named), m.HistoricalBars)).code == 200
        asked = contract(server, "ES", ContractMonth(2025, 6), include_expired=True)
        found = await bars(raw, asked, "1 day", "1 W")
        assert (
            found[-1].date == "20250620"
        )  # its last trading day, at half past eight in the morning
        asked = contract(server, "ES", ContractMonth(2025, 6), include_expired=True)
        last = (await bars(raw, asked, "1 min", "600 S"))[-1]
        assert bar_time(last.date) == dt.datetime(2025, 6, 20, 13, 29, tzinfo=dt.UTC)

    _run(check)


@pytest.mark.parametrize("show", ["TRADES", "BID"])
def test_the_head_timestamp_is_the_first_bar(show):
    async def check(_, raw, named):
        head = await raw.ask(m.RequestHeadTimestamp(2, named, show=show), m.HeadTimestamp)
        first = dt.datetime.fromtimestamp(int(head.text), dt.UTC)
        later = first + dt.timedelta(days=4)
        found = await bars(raw, named, "1 min", "1 W", show=show, end=f"{later:%Y%m%d-%H:%M:%S}")
        assert found[0].date == head.text
        text = await raw.ask(
            m.RequestHeadTimestamp(3, named, show=show, format_date=1), m.HeadTimestamp
        )
        assert text.text == f"{first:%Y%m%d-%H:%M:%S}"
        before = f"{first:%Y%m%d-%H:%M:%S}"
        error = await raw.ask(
            request(named, "1 hour", "1 W", show=show, end=before), m.HistoricalBars
        )
        assert error.code == 162
        assert "query returned no data" in error.text

    _run(check)


def test_a_schedule():
    async def check(_, raw, named):
        asked = request(named, "1 day", "3 D", show="SCHEDULE")
        told = await raw.ask(asked, m.HistoricalSchedule)
        assert told.time_zone == "US/Central"
        assert (told.start, told.end) == ("20250626-17:00:00", "20250701-16:00:00")
        assert told.sessions[0] == m.ScheduleSession(
            "20250626-17:00:00", "20250627-16:00:00", "20250627"
        )
        assert (
            await raw.ask(request(named, "1 hour", "3 D", show="SCHEDULE"), m.HistoricalBars)
        ).code == 321

    _run(check)


def test_ticks_complete_their_second_and_stay_in_one_session():
    async def check(_, raw, named):
        asked = m.RequestHistoricalTicks(2, named, "20250701-13:00:00", "", 5, "TRADES")
        found = (await raw.ask(asked, m.HistoricalTrades)).ticks
        assert len(found) == 6  # two prints a second, and no second is left half
        asked = m.RequestHistoricalTicks(3, named, "20250630-20:59:50", "", 1000, "BID_ASK")
        found = (await raw.ask(asked, m.HistoricalQuotes)).ticks
        assert len(found) == 2  # the session ends at 21:00 UTC
        asked = m.RequestHistoricalTicks(4, named, "20250630-21:30:00", "", 1, "BID_ASK")
        found = (await raw.ask(asked, m.HistoricalQuotes)).ticks
        assert found[0].time == int(dt.datetime(2025, 6, 30, 22, tzinfo=dt.UTC).timestamp())
        asked = m.RequestHistoricalTicks(5, named, "", "20250630-22:00:00", 1, "MIDPOINT")
        found = (await raw.ask(asked, m.HistoricalMidpoints)).ticks
        assert found[-1].time < int(dt.datetime(2025, 6, 30, 21, tzinfo=dt.UTC).timestamp())

    _run(check)


@pytest.mark.parametrize("seconds", [5, 60])
def test_bars_that_are_kept_up_to_date_go_on_where_the_block_ended(seconds):
    async def check(server, raw, named):
        size = {5: "5 secs", 60: "1 min"}[seconds]
        await server.advance(32)
        block = await bars(raw, named, size, "300 S", keep_up_to_date=True)
        for _ in range(30):
            await server.advance(5)
        updates = [one.bar for one in of(m.HistoricalBarUpdate, await raw.sync())]
        assert len(updates) == 30
        last = {bar.date: bar for bar in (*block, *updates)}
        now = await bars(raw, named, size, "1800 S", about=2)
        assert tuple(last.values()) == now[-len(last) :]
        raw.send(m.CancelHistoricalBars(1))
        said = await raw.sync()
        assert errors(said) == [162]
        assert "API historical data query cancelled: 1" in said[0].text
        await server.advance(10)
        assert await raw.sync() == []

    _run(check)


CONTFUT = {"symbol": "ES", "sec_type": "CONTFUT", "exchange": "CME"}


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"size": "7 mins"}, 321, "bar size setting is invalid"),
        ({"duration": "5 X"}, 321, "duration is invalid"),
        ({"duration": ""}, 321, "duration is invalid"),
        ({"duration": "0 D"}, 321, "duration is invalid"),
        ({"duration": "400 D"}, 321, "must be made in years"),
        ({"show": "GUESSES"}, 321, "Invalid what to show"),
        ({"end": "yesterday"}, 10314, "invalid"),
        ({"end": "20250630"}, 10314, "invalid"),
        ({"end": "20250630-12:00:00", "keep_up_to_date": True}, 321, "kept up to date"),
        ({"size": "1 secs", "duration": "1 D"}, 162, "Time length exceed max"),
        ({"end": "19990101-00:00:00"}, 162, "query returned no data"),
        ({"named": CONTFUT, "end": "20250630-12:00:00"}, 10339, "not allowed"),
        ({"named": {**CONTFUT, "symbol": "NOPE"}}, 200, "No security"),
    ],
)
def test_what_is_wrong(more, code, words):
    async def check(_, raw, named):
        settings = dict(more)
        asked = m.Contract(**settings.pop("named")) if "named" in settings else named
        error = await raw.ask(request(asked, **settings), m.HistoricalBars)
        assert (error.request_id, error.code) == (1, code)
        assert words in error.text

    _run(check)


@pytest.mark.parametrize(
    ("start", "end", "count", "show", "code"),
    [
        ("", "", 10, "TRADES", 10187),
        ("20250701-13:00:00", "20250701-13:30:00", 10, "TRADES", 10187),
        ("20250701-13:00:00", "", 1001, "TRADES", 10187),
        ("20250701-13:00:00", "", 0, "TRADES", 10187),
        ("20250701", "", 10, "TRADES", 10314),
        ("20250701-13:00:00", "", 10, "LAST", 321),
    ],
)
def test_ticks_that_cannot_be_had(start, end, count, show, code):
    async def check(_, raw, named):
        asked = m.RequestHistoricalTicks(1, named, start, end, count, show)
        assert (await raw.ask(asked, m.HistoricalTrades)).code == code

    _run(check)


def test_a_time_without_a_zone_is_that_of_the_login_with_a_warning():
    async def check(_, raw, named):
        raw.send(request(named, "1 hour", "3600 S", end="20250701 08:00:00"))
        warning, answer = await raw.sync()
        assert warning.code == 2174
        assert bar_time(answer.bars[-1].date) == dt.datetime(2025, 7, 1, 11, tzinfo=dt.UTC)

    _run(check, login_zone="US/Eastern")


def test_gateways_of_2024_take_an_end_with_a_continuous_future():
    async def check(_, raw, _named):
        asked = request(m.Contract(**CONTFUT), "1 day", "5 D", end="20250627-12:00:00")
        assert len((await raw.ask(asked, m.HistoricalBars)).bars) == 5

    _run(check, contfut_end=True)


def test_steps_of_the_page_where_they_are_wanted():
    async def check(_, raw, named):
        assert (await raw.ask(request(named, "1 min", "1 W"), m.HistoricalBars)).code == 162
        assert len(await bars(raw, named, "1 min", "1 D", about=2)) > 900

    _run(check, strict_steps=True)


def test_small_bars_are_paced():
    """No identical request in 15 s; not more than five for one contract in 2 s; 60 in 10 min."""

    async def check(server, raw, named):
        async def code(size, duration, about, show="TRADES"):
            answer = await raw.ask(
                request(named, size, duration, about=about, show=show), m.HistoricalBars
            )
            return getattr(answer, "code", None) and answer.text

        violation = (
            "Historical Market Data Service error message:Historical data request pacing violation"
        )
        assert [await code("5 secs", "60 S", 1) for _ in range(2)] == [None, violation]
        assert [await code("1 min", "1 D", i) for i in range(10, 20)] == [None] * 10  # lifted
        answers = [await code("5 secs", f"{61 + i} S", 30 + i) for i in range(6)]
        assert answers == [None] * 4 + [violation] * 2
        await server.advance(15)
        assert await code("5 secs", "60 S", 2) is None
        done = 6
        for i in range(60):
            await server.advance(3)
            done += await code("5 secs", f"{200 + i} S", 100 + i) is None
        assert done == 60
        await server.advance(600)
        assert await code("5 secs", "60 S", 3) is None

    _run(check, limits=Limits(messages=1000, reserved=0))


def test_quotes_and_trades_of_a_bar_count_twice():
    async def check(server, raw, named):
        done = 0
        for i in range(40):
            await server.advance(3)
            asked = request(named, "5 secs", f"{60 + i} S", about=i, show="BID_ASK")
            done += isinstance(await raw.ask(asked, m.HistoricalBars), m.HistoricalBars)
        assert done == 30

    _run(check, limits=Limits(messages=1000, reserved=0))


def test_fifty_may_be_open():
    async def check(server, raw, named):
        for i in range(50):
            await bars(raw, named, "1 min", f"{60 + i} S", about=i, keep_up_to_date=True)
        error = await raw.ask(request(named, about=60), m.HistoricalBars)
        assert (error.code, "pacing violation" in error.text) == (162, True)
        raw.send(m.CancelHistoricalBars(7))
        await raw.until(m.ErrorMessage)
        await bars(raw, named, about=61)

    _run(check, limits=Limits(messages=1000, reserved=0))


def test_an_id_in_use_is_322_and_a_late_cancel_366():
    async def check(_, raw, named):
        await bars(raw, named, "1 min", "60 S", keep_up_to_date=True)
        assert (await raw.ask(request(named), m.HistoricalBars)).code == 322
        raw.send(m.CancelHistoricalBars(9))
        assert errors(await raw.sync()) == [366]

    _run(check)


def test_no_permission_no_past():
    async def check(_, raw, named):
        error = await raw.ask(request(named), m.HistoricalBars)
        assert (error.code, "No market data permissions for CME FUT" in error.text) == (162, True)

    _run(check, market_data=frozenset({"EUREX"}))
