"""The present over the wire: lines, ticks, bars of five seconds, and that they are one market."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.messages.market import TickType as T
from pyfutures.months import ContractMonth
from tests.gateway.tools import connected, contract, errors, instrument, of, quote

SATURDAY = dt.datetime(2025, 7, 5, 12, tzinfo=dt.UTC)


def _run(check, **settings):
    async def main():
        async with connected(**{"limits": None, **settings}) as (server, raw):
            await check(server, raw, contract(server))

    asyncio.run(main())


def _prices(said):
    return {tick.type: tick.price for tick in of(m.TickPrice, said)}


def _sizes(said):
    return {tick.type: tick.size for tick in of(m.TickSize, said)}


async def _advance(server, raw, steps, seconds=5):
    said = await raw.sync()  # what was sent has been served then
    for _ in range(steps):
        await server.advance(seconds)
        said += await raw.sync()
    return said


def test_a_line_says_all_there_is_and_then_what_changes():
    async def check(server, raw, named):
        raw.send(m.RequestMarketData(3, named))
        said = await raw.sync()
        assert said[:2] == [
            m.TickParameters(3, Decimal("0.25"), "CME", 3),
            m.MarketDataType(3, 1),
        ]
        q, item = quote(server, named), instrument(server, named)
        prices, sizes = _prices(said), _sizes(said)
        assert prices[T.BID] == item.quote(q.bid)
        assert prices[T.ASK] == prices[T.BID] + 0.25
        assert (sizes[T.BID_SIZE], sizes[T.ASK_SIZE]) == (q.bid_size, q.ask_size)
        assert prices[T.LAST] in {prices[T.BID], prices[T.ASK]}
        days = (
            await raw.ask(m.RequestHistoricalBars(9, named, "", "1 day", "2 D"), m.HistoricalBars)
        ).bars
        assert (prices[T.OPEN], prices[T.HIGH], prices[T.LOW]) == (
            days[1].open,
            days[1].high,
            days[1].low,
        )
        assert sizes[T.VOLUME] == days[1].volume
        assert prices[T.CLOSE] == days[0].close
        assert of(m.TickGeneric, said) == [m.TickGeneric(3, T.HALTED, 0.0)]
        later = await _advance(server, raw, 12)
        assert {T.OPEN, T.CLOSE} & set(_prices(later)) == set()
        now = quote(server, named)
        assert _prices(later)[T.BID] == item.quote(now.bid)
        assert _sizes(later)[T.VOLUME] > sizes[T.VOLUME]
        raw.send(m.CancelMarketData(3))
        assert await _advance(server, raw, 3) == []

    _run(check)


def test_tick_by_tick_is_what_history_says_later():
    async def check(server, raw, named):
        for about, kind in ((1, "Last"), (2, "AllLast"), (3, "BidAsk"), (4, "MidPoint")):
            raw.send(m.RequestTickByTick(about, named, kind))
        live = await _advance(server, raw, 24)
        start = "20250701-14:00:05"
        past = {}
        for show in ("TRADES", "BID_ASK", "MIDPOINT"):
            raw.send(m.RequestHistoricalTicks(9, named, start, "", 1000, show))
            (answer,) = await raw.sync()
            past[show] = answer.ticks
        for kind in (1, 2):
            trades = [t for t in of(m.TickByTickTrade, live) if t.type == kind]
            assert [(t.time, t.price, t.size, t.exchange) for t in trades] == [
                (t.time, t.price, t.size, t.exchange) for t in past["TRADES"]
            ]
        quotes = of(m.TickByTickQuote, live)[1:]  # the first one is that of the request
        assert [(t.time, t.bid, t.ask, t.bid_size, t.ask_size) for t in quotes] == [
            (t.time, t.bid, t.ask, t.bid_size, t.ask_size) for t in past["BID_ASK"]
        ]
        for now, then in zip(quotes, past["BID_ASK"], strict=True):
            assert (now.bid_past_low, now.ask_past_high) == (then.bid_past_low, then.ask_past_high)
        middles = [(t.time, t.price) for t in of(m.TickByTickMidpoint, live)]
        assert [(t.time, t.price) for t in past["MIDPOINT"]] == middles[1:]

    _run(check)


@pytest.mark.parametrize("show", ["TRADES", "BID", "ASK", "MIDPOINT"])
def test_real_time_bars_are_what_history_says_later(show):
    async def check(server, raw, named):
        raw.send(m.RequestRealTimeBars(1, named, 5, show))
        live = of(m.RealTimeBar, await _advance(server, raw, 24))
        assert [bar.time for bar in live] == [1751378400 + 5 * i for i in range(24)]
        asked = m.RequestHistoricalBars(2, named, "", "5 secs", "300 S", show=show)
        past = {int(bar.date): bar for bar in (await raw.ask(asked, m.HistoricalBars)).bars}
        for bar in live:
            then = past[bar.time]
            for name in ("open", "high", "low", "close", "volume", "average", "count"):
                assert getattr(bar, name) == getattr(then, name), name

    _run(check)


def test_nothing_moves_while_the_market_is_closed():
    async def check(server, raw, named):
        raw.send(
            m.RequestMarketData(1, named),
            m.RequestTickByTick(2, named, "Last"),
            m.RequestRealTimeBars(3, named),
        )
        said = await raw.sync()
        prices = _prices(said)
        assert (prices[T.BID], prices[T.ASK]) == (-1, -1)
        assert prices[T.LAST] > 0
        assert await _advance(server, raw, 3, 3600) == []
        # It opens on Sunday at 17:00 in Chicago, 22:00 UTC.
        await server.advance_to(dt.datetime(2025, 7, 6, 22, 0, 5, tzinfo=dt.UTC))
        said = await raw.sync()
        assert _prices(said)[T.BID] > 0
        assert [bar.time for bar in of(m.RealTimeBar, said)] == [1751839200]

    _run(check, start=SATURDAY)


def test_the_last_bar_of_a_session_comes_at_its_end():
    async def check(server, raw, named):
        raw.send(m.RequestRealTimeBars(3, named))
        times = [bar.time for bar in of(m.RealTimeBar, await _advance(server, raw, 1, 30))]
        assert times == [1751403590, 1751403595]  # 15:59:50 and 55 in Chicago

    _run(check, start=dt.datetime(2025, 7, 1, 20, 59, 50, tzinfo=dt.UTC))


def test_frozen_quotes_are_those_of_the_last_moment():
    async def check(server, raw, named):
        raw.send(m.RequestMarketDataType(2), m.RequestMarketData(1, named))
        said = await raw.sync()
        assert m.MarketDataType(1, 2) in said
        q, item = quote(server, named), instrument(server, named)
        assert _prices(said)[T.BID] == item.quote(q.bid)

    _run(check, start=SATURDAY)


def test_delayed_data_is_a_quarter_of_an_hour_old_and_called_otherwise():
    async def check(server, raw, named):
        before = quote(server, named)
        await server.advance(900)
        raw.send(m.RequestMarketDataType(3), m.RequestMarketData(1, named))
        said = await raw.sync()
        assert errors(said) == [10167]
        assert m.MarketDataType(1, 3) in said
        prices = _prices(said)
        item = instrument(server, named)
        assert (prices[T.DELAYED_BID], prices[T.DELAYED_ASK]) == (
            item.quote(before.bid),
            item.quote(before.ask),
        )
        assert T.BID not in prices
        assert _sizes(said)[T.DELAYED_VOLUME] > 0

    _run(check, market_data=frozenset({"EUREX"}))


@pytest.mark.parametrize(
    ("kind", "delayed", "code"), [(1, True, 10168), (1, False, 354), (3, False, 10186)]
)
def test_no_permission(kind, delayed, code):
    async def check(_, raw, named):
        raw.send(m.RequestMarketDataType(kind), m.RequestMarketData(1, named))
        assert errors(await raw.sync()) == [code]
        raw.send(m.RequestTickByTick(2, named, "Last"), m.RequestRealTimeBars(3, named))
        assert errors(await raw.sync()) == [10189, 420]

    _run(check, market_data=frozenset({"EUREX"}), delayed=delayed)


def test_permission_may_go_by_currency():
    async def check(server, raw, named):
        raw.send(m.RequestMarketData(1, contract(server, "FDAX")), m.RequestMarketData(2, named))
        said = await raw.sync()
        assert errors(said) == [10168]
        assert of(m.TickPrice, said)

    _run(check, market_data=frozenset({"EUR"}))


@pytest.mark.parametrize("permitted", [True, False])
def test_open_interest_is_generic_tick_588(permitted):
    async def check(server, raw, named):
        raw.send(m.RequestMarketData(1, named, "233,588"))
        said = await raw.sync()
        assert (T.FUTURES_OPEN_INTEREST in _sizes(said)) is permitted
        assert errors(said) == ([] if permitted else [10090])
        assert _prices(said)[T.BID] > 0  # the other ticks are active all the same
        (text,) = [t.value for t in of(m.TickString, said) if t.type == T.RT_VOLUME]
        assert text.split(";")[3] == str(_sizes(said)[T.VOLUME])

    _run(check, open_interest=permitted)


def test_a_snapshot_ends():
    async def check(server, raw, named):
        raw.send(m.RequestMarketData(1, named, snapshot=True))
        said = await raw.sync()
        assert said[-1] == m.TickSnapshotEnd(1)
        assert await _advance(server, raw, 3) == []
        raw.send(m.CancelMarketData(1))
        assert errors(await raw.sync()) == [300]

    _run(check)


def test_a_spread_is_quoted_by_its_legs():
    async def check(server, raw, _):
        near = contract(server, "CL", ContractMonth(2025, 9))
        far = contract(server, "CL", ContractMonth(2025, 12))
        legs = (
            m.ComboLeg(near.con_id, 1, "BUY", "NYMEX"),
            m.ComboLeg(far.con_id, 1, "SELL", "NYMEX"),
        )
        bag = m.Contract(symbol="CL", sec_type="BAG", exchange="NYMEX", currency="USD", legs=legs)
        raw.send(m.RequestMarketData(1, bag))
        prices = _prices(await raw.sync())
        one, other = quote(server, near), quote(server, far)
        assert prices[T.BID] == pytest.approx((one.bid - other.ask) / 100)
        assert prices[T.ASK] == pytest.approx((one.ask - other.bid) / 100)
        said = await _advance(server, raw, 12)
        assert {T.BID, T.ASK} & set(_prices(said))

    _run(check)


@pytest.mark.parametrize(
    "legs",
    [
        (("CL", (2025, 9), 1, "BUY"),),
        (("CL", (2025, 9), 1, "BUY"), ("CL", (2025, 12), 1, "BUY")),
        (("CL", (2025, 9), 2, "BUY"), ("CL", (2025, 12), 1, "SELL")),
        (("CL", (2025, 9), 1, "BUY"), ("CL", (2025, 9), 1, "SELL")),
        (("CL", (2025, 9), 1, "BUY"), ("ES", (2025, 12), 1, "SELL")),
    ],
)
def test_a_bag_that_is_no_calendar_spread_is_200(legs):
    async def check(server, raw, _):
        made = tuple(
            m.ComboLeg(contract(server, r, ContractMonth(*month)).con_id, n, side, "NYMEX")
            for r, month, n, side in legs
        )
        bag = m.Contract(symbol="CL", sec_type="BAG", exchange="NYMEX", currency="USD", legs=made)
        raw.send(m.RequestMarketData(1, bag))
        assert errors(await raw.sync()) == [200]

    _run(check)


def test_limits_on_lines_ids_and_ticks():
    async def check(server, raw, named):
        raw.send(*(m.RequestMarketData(i, named) for i in range(1, 5)))
        assert errors(await raw.sync()) == [101]
        raw.send(m.RequestMarketData(1, named), m.RequestTickByTick(1, named, "Last"))
        assert errors(await raw.sync()) == [102, 102]
        raw.send(m.RequestTickByTick(8, named, "Last"), m.RequestTickByTick(9, named, "BidAsk"))
        assert errors(await raw.sync()) == []
        raw.send(m.RequestTickByTick(10, named, "MidPoint"))
        assert errors(await raw.sync()) == [10190]
        raw.send(m.RequestTickByTick(11, named, "Guess"), m.RequestMarketDataType(9))
        assert errors(await raw.sync()) == [321, 321]
        raw.send(
            m.RequestRealTimeBars(12, named, 5, "GUESSES"), m.RequestMarketData(13, named, "7")
        )
        assert errors(await raw.sync()) == [321, 321]
        raw.send(m.CancelTickByTick(99), m.CancelRealTimeBars(99), m.CancelMarketData(99))
        assert errors(await raw.sync()) == [300, 300, 300]

    _run(check, lines=3, tick_by_tick=2)


def test_ticks_of_one_contract_once_in_fifteen_seconds():
    async def main():
        async with connected() as (server, raw):
            named = contract(server)
            raw.send(m.RequestTickByTick(1, named, "Last"), m.CancelTickByTick(1))
            raw.send(m.RequestTickByTick(2, named, "Last"), m.RequestTickByTick(3, named, "BidAsk"))
            assert errors(await raw.sync()) == [10189]  # the other kind is another matter
            await server.advance(15)
            raw.send(m.RequestTickByTick(2, named, "Last"))
            assert errors(await raw.sync()) == []

    asyncio.run(main())
