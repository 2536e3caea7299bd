"""Orders for the close, for the opening, and those that turn into limit orders, over TCP.

ES opens at 17:00 and closes at 16:00 in Chicago: in July 22:00 and 21:00 UTC. On its last day,
2025-09-19, it stops at 08:30 there, 13:30 UTC (CME rulebook, chapter 358).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from pyfutures.ib import messages as m
from pyfutures.months import ContractMonth
from tests.gateway.test_orders import CALM, HIGH, fills, kinds, place, statuses
from tests.gateway.tools import connected, contract, errors, instrument, of, order, quote

OPENS = dt.datetime(2025, 7, 1, 22, tzinfo=dt.UTC)
CLOSES = dt.datetime(2025, 7, 1, 21, tzinfo=dt.UTC)
CLOSES_NEXT = dt.datetime(2025, 7, 2, 21, tzinfo=dt.UTC)
LAST = dt.datetime(2025, 9, 19, 13, 30, tzinfo=dt.UTC)
SATURDAY = dt.datetime(2025, 7, 5, 12, tzinfo=dt.UTC)
SUNDAY_OPENS = dt.datetime(2025, 7, 6, 22, tzinfo=dt.UTC)
MONDAY_CLOSES = dt.datetime(2025, 7, 7, 21, tzinfo=dt.UTC)
SECONDS = {n: dt.timedelta(seconds=n) for n in (1, 5, 6)}


def _run(check, root="ES", month=None, **settings):
    async def main():
        chosen = {"limits": None, "cash": Decimal(10**9), **settings}
        async with connected(**chosen) as (server, raw):
            await check(server, raw, contract(server, root, month))

    asyncio.run(main())


async def bars(raw, named, size, until):
    """The bars of the last session up to an instant, as history tells them."""
    raw.send(
        m.RequestHistoricalBars(
            77, named, f"{until:%Y%m%d-%H:%M:%S}", size, "1 D", use_rth=False, show="TRADES"
        )
    )
    (answer,) = of(m.HistoricalBars, await raw.sync())
    return answer.bars


def instants(said):
    return [f.execution.time for f in of(m.ExecutionDetails, said)]


@pytest.mark.parametrize("action", ["BUY", "SELL"])
@pytest.mark.parametrize("tif", ["DAY", "GTC", ""])
def test_a_market_order_for_the_close(action, tif):
    async def check(server, raw, named):
        more = quote(server, named).ask_size + quote(server, named).bid_size + 100
        said = await place(raw, 1, named, order(action, more, "MOC", tif=tif))
        assert (kinds(said), statuses(said)) == (["OpenOrder", "OrderStatus"], ["PreSubmitted"])
        await server.advance_to(CLOSES - SECONDS[6])
        assert await raw.sync() == []
        await server.advance_to(CLOSES - SECONDS[5])
        said = await raw.sync()
        assert statuses(said) == ["Submitted", "Filled"]
        await server.advance_to(CLOSES + SECONDS[1])
        (day, *_) = reversed(await bars(raw, named, "1 day", CLOSES))
        # Whole, at what the session closes at, whatever the quote shows.
        assert fills(said) == [(1, {"BUY": "BOT"}.get(action, "SLD"), more, day.close)]
        assert instants(said) == ["20250701-20:59:55"]

    _run(check)


@pytest.mark.parametrize(
    ("action", "away", "filled"),
    [("BUY", 0, True), ("BUY", 1, True), ("BUY", -1, False),
     ("SELL", 0, True), ("SELL", -1, True), ("SELL", 1, False)],
)  # fmt: skip
def test_a_limit_order_for_the_close(action, away, filled):
    async def check(server, raw, named):
        item = instrument(server, named)
        # What it closes at is known only later: a twin of this market, a day ahead, tells.
        closing = await _close_of(named)
        limit = item.quote(item.ticks(closing) + away)
        said = await place(raw, 1, named, order(action, 2, "LOC", limit))
        assert statuses(said) == ["PreSubmitted"]
        await server.advance_to(CLOSES - SECONDS[1])
        said = await raw.sync()
        if filled:
            assert fills(said) == [(1, {"BUY": "BOT"}.get(action, "SLD"), 2, closing)]
            return
        assert fills(said) == []
        await server.advance_to(CLOSES + SECONDS[1])
        said = await raw.sync()
        assert (statuses(said), errors(said)) == (["Cancelled"], [202])

    _run(check)


async def _close_of(named):
    async with connected(limits=None) as (server, raw):
        await server.advance_to(CLOSES + SECONDS[1])
        (*_, day) = await bars(raw, named, "1 day", CLOSES)
        return day.close


def test_one_that_is_good_till_cancelled_waits_for_the_next_close():
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 1, "LOC", CALM, tif="GTC"))
        await server.advance_to(CLOSES + SECONDS[1])
        assert fills(await raw.sync()) == []
        changed = await place(raw, 1, named, order("BUY", 1, "LOC", HIGH, tif="GTC"))
        assert statuses(changed) == ["PreSubmitted"]
        assert errors(changed) == [399]  # the market is closed for an hour
        await server.advance_to(CLOSES_NEXT - SECONDS[6])
        assert fills(await raw.sync()) == []
        await server.advance_to(CLOSES_NEXT)
        assert instants(await raw.sync()) == ["20250702-20:59:55"]

    _run(check)


def test_the_last_close_is_the_last_trade():
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 1, "MOC"))
        await server.advance_to(LAST - SECONDS[1])
        said = await raw.sync()
        assert (statuses(said), instants(said)) == (["Submitted", "Filled"], ["20250919-13:29:55"])

    _run(check, month=ContractMonth(2025, 9), start=LAST - dt.timedelta(hours=3))


def test_one_that_is_placed_on_a_closed_day_waits_for_the_close_of_the_next():
    async def check(server, raw, named):
        said = await place(raw, 1, named, order("BUY", 1, "MOC"))
        assert (statuses(said), errors(said)) == (["PreSubmitted"], [399])
        await server.advance_to(MONDAY_CLOSES)
        assert instants(await raw.sync()) == ["20250707-20:59:55"]

    _run(check, start=SATURDAY)


def test_a_session_that_ends_early_closes_early():
    async def check(server, raw, named):
        early = {"root": "ES", "day": "2025-07-01", "at": "12:00"}
        server.gateway.faults.act("early_close", early)
        await place(raw, 1, named, order("BUY", 1, "MOC"))
        await server.advance_to(CLOSES)
        assert instants(await raw.sync()) == ["20250701-16:59:55"]

    _run(check, fresh=True)


@pytest.mark.parametrize(("start", "opens"), [(None, OPENS), (SATURDAY, SUNDAY_OPENS)])
@pytest.mark.parametrize("wire", [order("BUY", 150, tif="OPG"),
                                  order("BUY", 150, "LMT", HIGH, tif="OPG")])  # fmt: skip
def test_an_order_for_the_opening(start, opens, wire):
    async def check(server, raw, named):
        said = await place(raw, 1, named, wire)
        assert statuses(said) == ["PreSubmitted"]
        assert of(m.OpenOrder, said)[0].order.tif == "OPG"
        await server.advance_to(opens - SECONDS[1])
        assert fills(await raw.sync()) == []
        await server.advance_to(opens)
        said = await raw.sync()
        assert statuses(said) == ["Submitted", "Filled"]
        assert instants(said) == [f"{opens:%Y%m%d-%H:%M:%S}"]
        await server.advance(120)
        (first, *_) = await bars(raw, named, "1 min", server.now)
        assert first.date == str(int(opens.timestamp()))
        assert fills(said) == [(1, "BOT", 150, first.open)]

    _run(check, **({} if start is None else {"start": start}))


def test_a_limit_that_the_opening_does_not_reach_is_cancelled_after_it():
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 1, "LMT", CALM, tif="OPG"))
        await server.advance_to(OPENS)
        assert statuses(await raw.sync()) == ["Submitted"]
        await server.advance(6)
        said = await raw.sync()
        assert (statuses(said), errors(said)) == (["Cancelled"], [202])

    _run(check)


def test_there_is_no_opening_after_the_last_trade():
    async def check(_, raw, named):
        said = await place(raw, 1, named, order("BUY", 1, tif="OPG"))
        assert errors(said) == [201]
        assert "does not open again" in said[0].text

    _run(check, month=ContractMonth(2025, 9), start=LAST - dt.timedelta(hours=1))


@pytest.mark.parametrize("kind", ["MOC", "LOC"])
def test_one_for_the_close_can_be_changed_and_cancelled(kind):
    async def check(server, raw, named):
        limit = HIGH if kind == "LOC" else None
        await place(raw, 1, named, order("BUY", 1, kind, limit))
        said = await place(raw, 1, named, order("BUY", 4, kind, limit))
        assert (statuses(said), of(m.OpenOrder, said)[0].order.quantity) == (["PreSubmitted"], 4)
        raw.send(m.CancelOrder(1))
        said = await raw.sync()
        assert (statuses(said), errors(said)) == (["Cancelled"], [202])
        await server.advance_to(CLOSES + SECONDS[1])
        assert await raw.sync() == []

    _run(check)


def test_a_child_for_the_close_closes_what_its_parent_opened():
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 2, transmit=False))
        said = await place(raw, 2, named, order("SELL", 2, "MOC", parent_id=1))
        assert statuses(said, 2)[-1] == "PreSubmitted"
        await server.advance_to(CLOSES)
        assert statuses(await raw.sync(), 2)[-1] == "Filled"
        raw.send(m.RequestPositions())
        assert of(m.Position, await raw.sync()) == []

    _run(check)


@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_a_market_to_limit_order_rests_at_the_price_that_it_got(action):
    async def check(server, raw, named):
        q, item = quote(server, named), instrument(server, named)
        shown = q.ask_size if action == "BUY" else q.bid_size
        price = item.quote(q.ask if action == "BUY" else q.bid)
        said = await place(raw, 1, named, order(action, shown + 7, "MTL"))
        assert fills(said) == [(1, {"BUY": "BOT"}.get(action, "SLD"), shown, price)]
        first, *_, last = of(m.OpenOrder, said)
        assert (first.order.type, first.order.limit_price) == ("MTL", 0.0)
        assert (last.order.type, last.order.limit_price) == ("LMT", price)
        assert of(m.OrderStatus, said)[-1].remaining == 7
        # A change that still says MTL leaves it where it rests.
        changed = await place(raw, 1, named, order(action, shown + 9, "MTL"))
        assert of(m.OpenOrder, changed)[-1].order.limit_price == price
        await server.advance(7200)
        more = fills(await raw.sync())
        assert more, "another seed is needed: the market never came back"
        assert {fill[3] for fill in more} == {price}
        assert sum(fill[2] for fill in more) <= 9

    _run(check)


def test_a_market_to_limit_order_that_the_market_fills_is_a_market_order():
    async def check(_, raw, named):
        said = await place(raw, 1, named, order("BUY", 1, "MTL"))
        assert statuses(said) == ["Submitted", "Filled"]
        assert {o.order.type for o in of(m.OpenOrder, said)} == {"MTL"}

    _run(check)


def test_what_one_for_the_close_would_cost():
    async def check(_, raw, named):
        (told,) = await place(raw, 1, named, order("BUY", 3, "MOC", what_if=True))
        assert told.state.commission == 6.75
        assert told.state.init_margin_change > 0

    _run(check)
