"""Orders over the wire: what fills when, at what price, what is told, what is refused."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from pyfutures.gateway.order_desk import place_by_hand
from pyfutures.ib import messages as m
from pyfutures.months import ContractMonth
from tests.gateway.tools import (
    Raw,
    connected,
    contract,
    errors,
    gateway,
    instrument,
    of,
    order,
    quote,
)

SATURDAY = dt.datetime(2025, 7, 5, 12, tzinfo=dt.UTC)
HALF_PAST = dt.datetime(2025, 7, 2, 15, 30, tzinfo=dt.UTC)
CALM = 4000.0  # far below the market
HIGH = 5000.0  # far above it


def _run(check, **settings):
    async def main():
        async with connected(**{"limits": None, **settings}) as (server, raw):
            await check(server, raw, contract(server))

    asyncio.run(main())


async def place(raw, number, named, wire):
    raw.send(m.PlaceOrder(number, named, wire))
    return await raw.sync()


def statuses(said, number=None):
    return [s.status for s in of(m.OrderStatus, said) if number in {None, s.order_id}]


def kinds(said):
    return [type(one).__name__ for one in said]


def fills(said):
    found = of(m.ExecutionDetails, said)
    return [
        (f.order_id, f.execution.side, int(f.execution.shares), f.execution.price) for f in found
    ]


async def quotes_ahead(server, raw, named, seconds):
    """The quotes of the next seconds, as history tells them once they are past."""
    start = server.now
    await server.advance(seconds)
    asked = m.RequestHistoricalTicks(99, named, f"{start:%Y%m%d-%H:%M:%S}", "", 1000, "BID_ASK")
    raw.send(asked)
    said = await raw.sync()
    (answer,) = of(m.HistoricalQuotes, said)
    return answer.ticks, said


# What fills, and how it is told


def test_a_market_order():
    async def check(server, raw, named):
        q, item = quote(server, named), instrument(server, named)
        said = await place(raw, 1, named, order("BUY", 2, order_ref="mine"))
        assert kinds(said) == [
            "OpenOrder", "OrderStatus", "ExecutionDetails", "OpenOrder", "OrderStatus",
            "CommissionReport",
        ]  # fmt: skip
        assert statuses(said) == ["Submitted", "Filled"]
        opened, _, fill, _, status, report = said
        price = item.quote(q.ask)
        assert fill.execution.price == status.average_price == status.last_price == price
        assert (fill.request_id, fill.order_id, fill.execution.side) == (-1, 1, "BOT")
        assert (fill.execution.shares, fill.execution.cumulative) == (2, 2)
        assert fill.execution.order_ref == "mine"
        assert fill.execution.time == "20250701-14:00:00"
        assert (status.filled, status.remaining) == (2, 0)
        assert opened.order.perm_id == status.perm_id == fill.execution.perm_id > 0
        assert opened.order.account == "DU1234567"
        assert opened.order.delta_neutral_type == "None"
        assert opened.order.shares_allocation == f"{status.perm_id}.0/DU1234567/2"
        assert (report.exec_id, report.commission) == (fill.execution.exec_id, 4.5)
        assert (report.currency, report.realized_pnl) == ("USD", None)

    _run(check)


@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_an_order_fills_on_its_side_of_the_quote(action):
    async def check(server, raw, named):
        q, item = quote(server, named), instrument(server, named)
        said = await place(raw, 1, named, order(action, 1))
        price = item.quote(q.ask if action == "BUY" else q.bid)
        assert fills(said) == [(1, "BOT" if action == "BUY" else "SLD", 1, price)]
        limit = HIGH if action == "BUY" else CALM  # comes to the market: gets the quote
        said = await place(raw, 2, named, order(action, 1, "LMT", limit))
        assert fills(said)[0][3] == price

    _run(check)


@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_a_limit_that_rests_fills_at_its_price_when_the_market_comes(action):
    async def check(server, raw, named):
        q, item = quote(server, named), instrument(server, named)
        limit = item.quote(q.bid - 2 if action == "BUY" else q.ask + 2)
        assert statuses(await place(raw, 1, named, order(action, 1, "LMT", limit))) == ["Submitted"]
        ticks, said = await quotes_ahead(server, raw, named, 1800)
        if action == "BUY":
            hits = [t.time for t in ticks if t.ask <= limit]
        else:
            hits = [t.time for t in ticks if t.bid >= limit]
        assert hits, "another seed is needed: the market never came"
        assert fills(said) == [(1, "BOT" if action == "BUY" else "SLD", 1, limit)]
        (fill,) = of(m.ExecutionDetails, said)
        at = dt.datetime.strptime(fill.execution.time, "%Y%m%d-%H:%M:%S").replace(tzinfo=dt.UTC)
        assert int(at.timestamp()) == hits[0]

    _run(check)


@pytest.mark.parametrize(
    ("action", "kind"),
    [("BUY", "STP"), ("SELL", "STP"), ("BUY", "MIT"), ("SELL", "MIT"), ("BUY", "STP LMT"),
     ("SELL", "LIT")],
)  # fmt: skip
def test_a_stop_waits_for_the_last_price(action, kind):
    async def check(server, raw, named):
        q, item = quote(server, named), instrument(server, named)
        up = (action == "BUY") is kind.startswith("STP")
        trigger = item.quote(q.last + 3 if up else q.last - 3)
        limit = {"STP LMT": HIGH, "LIT": CALM}.get(kind)
        said = await place(raw, 1, named, order(action, 1, kind, limit, trigger))
        assert statuses(said) == ["PreSubmitted"]
        start = server.now
        await server.advance(1800)
        said = await raw.sync()
        raw.send(m.RequestHistoricalTicks(9, named, f"{start:%Y%m%d-%H:%M:%S}", "", 1000, "TRADES"))
        (answer,) = await raw.sync()
        hits = [t.time for t in answer.ticks if (t.price >= trigger if up else t.price <= trigger)]
        assert hits, "another seed is needed: the market never came"
        assert statuses(said) == ["Submitted", "Filled"]
        (fill,) = of(m.ExecutionDetails, said)
        at = dt.datetime.strptime(fill.execution.time, "%Y%m%d-%H:%M:%S").replace(tzinfo=dt.UTC)
        assert int(at.timestamp()) == hits[0]

    _run(check)


@pytest.mark.parametrize(
    ("action", "more"),
    [("SELL", {"aux": 2.0}), ("BUY", {"aux": 2.0}), ("SELL", {"trailing_percent": 0.05})],
)
def test_a_trailing_stop_follows_the_market(action, more):
    async def check(server, raw, named):
        q, item = quote(server, named), instrument(server, named)
        side = 1 if action == "BUY" else -1

        def behind(price):
            if "aux" in more:
                return price + side * 8  # two points are eight ticks
            return price + side * round(price * 0.05 / 100)

        stop = behind(q.last)
        said = await place(raw, 1, named, order(action, 1, "TRAIL", **more))
        assert statuses(said) == ["PreSubmitted"]
        start = server.now
        await server.advance(3600)
        said = await raw.sync()
        raw.send(m.RequestHistoricalTicks(9, named, f"{start:%Y%m%d-%H:%M:%S}", "", 1000, "TRADES"))
        (answer,) = await raw.sync()
        hit = None
        for tick in answer.ticks:
            price = item.ticks(tick.price)
            stop = min(stop, behind(price)) if side > 0 else max(stop, behind(price))
            if (price - stop) * side >= 0:
                hit = tick.time
                break
        assert hit, "another seed is needed: the market never turned"
        (fill,) = of(m.ExecutionDetails, said)
        at = dt.datetime.strptime(fill.execution.time, "%Y%m%d-%H:%M:%S").replace(tzinfo=dt.UTC)
        assert int(at.timestamp()) == hit

    _run(check)


def test_a_trailing_stop_limit_keeps_its_offset():
    async def check(server, raw, named):
        wire = order("SELL", 1, "TRAIL LIMIT", aux=2.0, limit_price_offset=1.0)
        await place(raw, 1, named, wire)
        q, item = quote(server, named), instrument(server, named)
        found = server.gateway.book.find(1, 1)
        assert found.stop == q.last - 8
        assert found.limit() == q.last - 8 - 4
        raw.send(m.RequestOpenOrders())
        (told, *_) = await raw.sync()
        assert told.order.trail_stop_price == item.quote(q.last - 8)

    _run(check)


def test_more_than_the_market_shows_fills_in_parts():
    async def check(server, raw, named):
        q = quote(server, named)
        size = q.ask_size + 10
        said = await place(raw, 1, named, order("BUY", size))
        assert statuses(said) == ["Submitted", "Submitted"]
        assert fills(said)[0][2] == q.ask_size
        assert of(m.OrderStatus, said)[-1].remaining == 10
        await server.advance(10)
        more = await raw.sync()
        assert statuses(more)[-1] == "Filled"
        parts = of(m.ExecutionDetails, said) + of(m.ExecutionDetails, more)
        assert sum(p.execution.shares for p in parts) == size
        assert [p.execution.cumulative for p in parts][-1] == size
        money = sum(p.execution.shares * Decimal(str(p.execution.price)) for p in parts)
        assert of(m.OrderStatus, more)[-1].average_price == pytest.approx(float(money / size))
        assert len({p.execution.exec_id for p in parts}) == len(parts) >= 2

    _run(check, cash=Decimal(10**9))


@pytest.mark.parametrize(("tif", "filled"), [("IOC", True), ("FOK", False)])
def test_what_is_not_filled_at_once_is_cancelled(tif, filled):
    async def check(server, raw, named):
        q = quote(server, named)
        said = await place(raw, 1, named, order("BUY", q.ask_size + 5, tif=tif))
        assert bool(fills(said)) is filled
        assert statuses(said)[-1] == "Cancelled"
        assert errors(said) == [202]
        said = await place(raw, 2, named, order("BUY", 1, "LMT", CALM, tif=tif))
        assert statuses(said)[-1] == "Cancelled"

    _run(check, cash=Decimal(10**9))


# When an order ends by itself


@pytest.mark.parametrize(
    ("wire", "ends"),
    [
        ({"tif": "DAY"}, dt.datetime(2025, 7, 1, 21, tzinfo=dt.UTC)),
        ({"tif": ""}, dt.datetime(2025, 7, 1, 21, tzinfo=dt.UTC)),
        ({"tif": "GTD", "good_till": "20250702-15:30:00"}, HALF_PAST),
        ({"tif": "GTD", "good_till": "20250702 10:30:00 US/Central"}, HALF_PAST),
        ({"tif": "GTC"}, dt.datetime(2025, 9, 19, 13, 30, tzinfo=dt.UTC)),
    ],
)  # fmt: skip
def test_times_in_force(wire, ends):
    async def check(server, raw, _):
        named = contract(server, "ES", ContractMonth(2025, 9))
        await place(raw, 1, named, order("BUY", 1, "LMT", 100.0, **wire))
        await server.advance_to(ends - dt.timedelta(seconds=1))
        assert statuses(await raw.sync()) == []
        await server.advance_to(ends + dt.timedelta(seconds=1))
        said = await raw.sync()
        assert statuses(said) == ["Cancelled"]
        assert errors(said) == [202]

    # The last one ends with its contract: no need to live through the summer.
    late = {"start": ends - dt.timedelta(hours=23)} if wire["tif"] == "GTC" else {}
    _run(check, **late)


def test_good_after_a_time():
    async def check(server, raw, named):
        wire = order("BUY", 1, good_after="20250701-14:10:00")
        assert statuses(await place(raw, 1, named, wire)) == ["PreSubmitted"]
        await server.advance(599)
        assert fills(await raw.sync()) == []
        await server.advance(2)
        assert statuses(await raw.sync()) == ["Submitted", "Filled"]

    _run(check)


def test_an_order_of_a_closed_market_waits_for_the_open():
    async def check(server, raw, named):
        said = await place(raw, 1, named, order("BUY", 1))
        assert statuses(said) == ["PreSubmitted"]
        assert errors(said) == [399]
        assert "until 2025-07-06 17:00:00" in of(m.ErrorMessage, said)[0].text
        await server.advance_to(dt.datetime(2025, 7, 6, 22, 0, 1, tzinfo=dt.UTC))
        assert statuses(await raw.sync()) == ["Submitted", "Filled"]

    _run(check, start=SATURDAY)


# Groups


def test_a_bracket():
    async def check(server, raw, named):
        q, item = quote(server, named), instrument(server, named)
        entry = order("BUY", 2, transmit=False)
        take = order("SELL", 2, "LMT", item.quote(q.ask + 4), parent_id=1, transmit=False)
        stop = order("SELL", 2, "STP", None, item.quote(q.ask - 4), parent_id=1)
        assert statuses(await place(raw, 1, named, entry)) == ["PendingSubmit"]
        assert statuses(await place(raw, 2, named, take)) == ["PendingSubmit"]
        said = await place(raw, 3, named, stop)
        assert statuses(said, 1) == ["Submitted", "Filled"]
        assert statuses(said, 2)[0] == statuses(said, 3)[0] == "PreSubmitted"
        waiting = [s.why_held for s in of(m.OrderStatus, said) if s.order_id == 2]
        assert (waiting[0], waiting[-1]) == ("child", "")
        assert statuses(said, 2)[-1] == "Submitted"
        await server.advance(3600)
        said = await raw.sync()
        ended = {number: statuses(said, number)[-1] for number in (2, 3)}
        assert sorted(ended.values()) == ["Cancelled", "Filled"]
        raw.send(m.RequestPositions())
        assert of(m.Position, await raw.sync()) == []

    _run(check)


def test_children_go_with_their_parent():
    async def check(_, raw, named):
        await place(raw, 1, named, order("BUY", 1, "LMT", CALM, transmit=False))
        await place(raw, 2, named, order("SELL", 1, "LMT", HIGH, parent_id=1))
        raw.send(m.CancelOrder(1))
        said = await raw.sync()
        assert (statuses(said, 1), statuses(said, 2)) == (["Cancelled"], ["Cancelled"])

    _run(check)


@pytest.mark.parametrize(("kind", "left"), [(1, None), (2, 3), (3, 3)])
def test_one_cancels_or_reduces_the_others(kind, left):
    async def check(server, raw, named):
        for number in (1, 2):
            wire = order("BUY", 5, "LMT", CALM, oca_group="pair", oca_type=kind)
            await place(raw, number, named, wire)
        server.gateway.faults.act("fill", {"client": 1, "order": 1, "size": 2, "price": CALM})
        said = await raw.sync()
        if left is None:
            assert statuses(said, 2) == ["Cancelled"]
        else:
            assert of(m.OrderStatus, said)[-1].remaining == left
            server.gateway.faults.act("fill", {"client": 1, "order": 1, "price": CALM})
            said = await raw.sync()
            assert statuses(said, 2) == ["Cancelled"]

    _run(check)


def test_a_calendar_spread_fills_its_legs():
    async def check(server, raw, _):
        near = contract(server, "CL", ContractMonth(2025, 9))
        far = contract(server, "CL", ContractMonth(2025, 12))
        legs = (
            m.ComboLeg(near.con_id, 1, "BUY", "NYMEX"),
            m.ComboLeg(far.con_id, 1, "SELL", "NYMEX"),
        )
        bag = m.Contract(symbol="CL", sec_type="BAG", exchange="NYMEX", currency="USD", legs=legs)
        said = await place(raw, 1, bag, order("BUY", 3))
        assert statuses(said)[-1] == "Filled"
        whole, first, second = of(m.ExecutionDetails, said)
        assert [f.contract.sec_type for f in (whole, first, second)] == ["BAG", "FUT", "FUT"]
        assert [f.execution.side for f in (whole, first, second)] == ["BOT", "BOT", "SLD"]
        prices = [f.execution.price for f in (whole, first, second)]
        assert prices[0] == pytest.approx(prices[1] - prices[2])
        assert len(of(m.CommissionReport, said)) == 2
        raw.send(m.RequestPositions())
        held = {p.contract.con_id: int(p.position) for p in of(m.Position, await raw.sync())}
        assert held == {near.con_id: 3, far.con_id: -3}

    _run(check)


# Change and cancel


def test_a_change_keeps_the_order_and_fills_it_where_it_now_can():
    async def check(_, raw, named):
        said = await place(raw, 1, named, order("BUY", 1, "LMT", CALM))
        first = of(m.OrderStatus, said)[0]
        said = await place(raw, 1, named, order("BUY", 3, "LMT", CALM + 1))
        (told,) = of(m.OpenOrder, said)
        assert (told.order.limit_price, told.order.quantity) == (CALM + 1, 3)
        said = await place(raw, 1, named, order("BUY", 3, "LMT", HIGH))
        assert statuses(said)[-1] == "Filled"
        assert {s.perm_id for s in of(m.OrderStatus, said)} == {first.perm_id}

    _run(check)


def test_a_change_that_is_refused_leaves_the_order_as_it_was():
    async def check(_, raw, named):
        await place(raw, 1, named, order("BUY", 2, "LMT", CALM))
        assert errors(await place(raw, 1, named, order("BUY", 2, "LMT", CALM + 0.1))) == [110]
        assert errors(await place(raw, 1, named, order("SELL", 2, "LMT", CALM))) == [105]
        raw.send(m.RequestOpenOrders())
        told, status, _ = await raw.sync()
        assert (told.order.limit_price, told.order.action) == (CALM, "BUY")
        assert status.status == "Submitted"

    _run(check)


def test_cancels():
    async def check(_, raw, named):
        await place(raw, 1, named, order("BUY", 1, "LMT", CALM))
        raw.send(m.CancelOrder(1))
        said = await raw.sync()
        assert kinds(said) == ["OpenOrder", "OrderStatus", "ErrorMessage"]
        assert (statuses(said), errors(said)) == (["Cancelled"], [202])
        raw.send(m.CancelOrder(1), m.CancelOrder(77))
        said = await raw.sync()
        assert [e.code for e in said] == [10148, 10147]
        assert said[0].text.endswith("cannot be cancelled, state: Cancelled")
        await place(raw, 2, named, order("BUY", 1))
        raw.send(m.CancelOrder(2))
        assert errors(await raw.sync()) == [10148]

    _run(check)


def test_ids_are_used_once():
    async def check(_, raw, named):
        await place(raw, 5, named, order("BUY", 1))
        raw.send(m.RequestIds())
        assert await raw.sync() == [m.NextValidId(6)]
        assert errors(await place(raw, 5, named, order("BUY", 1))) == [104]  # it is filled
        await place(raw, 6, named, order("BUY", 1, "LMT", CALM))
        raw.send(m.CancelOrder(6))
        await raw.sync()
        assert errors(await place(raw, 6, named, order("BUY", 1))) == [103]

    _run(check)


@pytest.mark.parametrize("number", [0, -5])
def test_an_id_below_one_is_no_order_of_a_client(number):
    async def check(server, raw, named):
        said = await place(raw, number, named, order("BUY", 1, "LMT", CALM))
        assert errors(said) == [321]  # else nobody could ever cancel it
        assert not server.gateway.book.open()

    _run(check)


def test_a_global_cancel_is_for_all_clients():
    async def main():
        async with gateway() as server:
            clients = [await Raw.connect(server, number) for number in (1, 2)]
            for raw in clients:
                await place(raw, 1, contract(server), order("BUY", 1, "LMT", CALM))
            clients[0].send(m.GlobalCancel())
            assert [statuses(await raw.sync()) for raw in clients] == [["Cancelled"]] * 2
            for raw in clients:
                await raw.close()

    asyncio.run(main())


# What is refused


@pytest.mark.parametrize(
    ("wire", "code", "words"),
    [
        (order("BUY", 0), 434, "size cannot be zero"),
        (order("BUY", "0.5"), 10318, "fractional"),
        (order("HOLD", 1), 321, "HOLD"),
        (order("BUY", 1, "BOX TOP"), 387, "Unsupported order type"),
        (order("BUY", 1, "LOC"), 201, "Limit price"),
        (order("BUY", 1, "MOC", tif="IOC"), 201, "IOC is invalid for an order of type MOC"),
        (order("BUY", 1, "MOC", tif="OPG"), 201, "OPG is invalid for an order of type MOC"),
        (order("BUY", 1, "STP", None, 4000.0, tif="OPG"), 201, "OPG is invalid for an order of"),
        (order("BUY", 1, "LMT", 4000.1), 110, "minimum price variation"),
        (order("BUY", 1, "LMT"), 201, "Limit price"),
        (order("BUY", 1, "STP", None, 4000.13), 110, "minimum price variation"),
        (order("BUY", 1, "STP"), 201, "Stop price"),
        (order("BUY", 1, "TRAIL"), 201, "trailing stop needs"),
        (order("BUY", 1, "TRAIL", trailing_percent=120.0), 201, "percentage"),
        (order("BUY", 1, "TRAIL LIMIT", aux=1.0), 201, "limit price or offset"),
        (order("BUY", 1, tif="GTX"), 201, "Time in force GTX"),
        (order("BUY", 1, tif="GTD"), 201, "without a date"),
        (order("BUY", 1, tif="GTD", good_till="20200101-00:00:00"), 201, "past"),
        (order("BUY", 1, tif="GTD", good_till="soon"), 201, "Invalid time"),
        (order("BUY", 1, parent_id=9), 201, "parent"),
        (order("BUY", 1, account="U999"), 321, "Invalid account code"),
        (order("BUY", 1, "LMT", float("inf")), 110, "minimum price variation"),
        (order("BUY", 500), 201, "EQUITY WITH LOAN VALUE"),
    ],
)
def test_what_is_refused(wire, code, words):
    async def check(_, raw, named):
        said = await place(raw, 1, named, wire)
        assert errors(said) == [code]
        assert words in of(m.ErrorMessage, said)[0].text
        assert statuses(said) == (["Inactive"] if "EQUITY" in words else [])
        raw.send(m.RequestOpenOrders())
        assert kinds(await raw.sync()) == ["OpenOrderEnd"]

    _run(check)


def test_a_contract_that_is_gone_cannot_be_traded():
    async def check(server, raw, _):
        named = contract(server, "ES", ContractMonth(2025, 6), include_expired=True)
        assert errors(await place(raw, 1, named, order("BUY", 1))) == [200]

    _run(check)


def test_a_read_only_gateway_takes_no_orders():
    async def check(_, raw, named):
        said = await place(raw, 1, named, order("BUY", 1))
        assert errors(said) == [321]
        assert "Read-Only mode" in said[0].text

    _run(check, read_only=True)


def test_twenty_orders_on_a_side():
    async def check(_, raw, named):
        for number in range(1, 21):
            await place(raw, number, named, order("BUY", 1, "LMT", CALM))
        said = await place(raw, 21, named, order("BUY", 1, "LMT", CALM))
        assert errors(said) == [201]
        assert statuses(await place(raw, 22, named, order("SELL", 1, "LMT", HIGH))) == ["Submitted"]

    _run(check)


# What it would cost


@pytest.mark.parametrize("version", [176, 200])
def test_what_if(version):
    async def check(server, raw, named):
        price = quote(server, named).mark / 4  # a tick is a quarter of a point
        said = await place(raw, 1, named, order("BUY", 3, what_if=True))
        (told,) = said
        margin = round(price * 50 * 0.08 * 3, 2)
        state = told.state
        assert (state.init_margin_before, state.init_margin_change) == (0, margin)
        assert (state.init_margin_after, state.maint_margin_after) == (
            margin,
            round(0.8 * margin, 2),
        )
        assert (state.equity_before, state.equity_after) == (1_000_000, 1_000_000 - 6.75)
        assert (state.commission, state.commission_currency) == (6.75, "USD")
        raw.send(m.RequestOpenOrders(), m.RequestIds())
        assert await raw.sync() == [m.OpenOrderEnd(), m.NextValidId(1)]
        await place(raw, 1, named, order("BUY", 3))
        (told,) = await place(raw, 2, named, order("SELL", 2, what_if=True))
        assert told.state.init_margin_change < 0

    _run(check, version=version)


# Who sees what


def test_clients_see_their_own_orders_and_the_master_all():
    async def main():
        async with gateway(master_client=9) as server:
            one, two, master = [await Raw.connect(server, n) for n in (1, 2, 9)]
            named = contract(server)
            said = await place(one, 1, named, order("BUY", 1, "LMT", CALM))
            assert kinds(said) == kinds(await master.sync()) == ["OpenOrder", "OrderStatus"]
            assert await two.sync() == []
            two.send(m.RequestOpenOrders())
            assert kinds(await two.sync()) == ["OpenOrderEnd"]
            two.send(m.RequestAllOpenOrders())
            told, status, _ = await two.sync()
            assert (told.order.client_id, status.client_id, status.order_id) == (1, 1, 1)
            two.send(m.CancelOrder(1))
            assert errors(await two.sync()) == [10147]
            for raw in (one, two, master):
                await raw.close()

    asyncio.run(main())


def test_orders_made_by_hand_have_no_id_until_client_0_binds_them():
    async def main():
        async with gateway() as server:
            other, zero = await Raw.connect(server, 1), await Raw.connect(server, 0)
            gw = server.gateway
            item = instrument(server, contract(server))
            place_by_hand(gw, item, order("BUY", 1, "LMT", CALM))
            await zero.sync()
            other.send(m.RequestAllOpenOrders())
            told, _, _ = await other.sync()
            assert (told.order_id, told.order.client_id) == (0, 0)
            assert told.order.perm_id > 0
            other.send(m.RequestAutoOpenOrders())
            assert errors(await other.sync()) == [321]
            zero.send(m.RequestAutoOpenOrders())
            assert await zero.sync() == [m.OrderBound(told.order.perm_id, 0, -1)]
            zero.send(m.CancelOrder(-1))
            assert statuses(await zero.sync()) == ["Cancelled"]
            for raw in (other, zero):
                await raw.close()

    asyncio.run(main())


# Executions and completed orders


def test_executions_are_kept_for_the_day_or_as_asked():
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 1))
        await server.advance(86400)
        await place(raw, 2, named, order("SELL", 1))
        raw.send(m.RequestExecutions(7))
        today = of(m.ExecutionDetails, await raw.sync())
        assert [f.order_id for f in today] == [2]
        raw.send(m.RequestExecutions(8, last_days=7))
        said = await raw.sync()
        assert [f.order_id for f in of(m.ExecutionDetails, said)] == [1, 2]
        assert len(of(m.CommissionReport, said)) == 2
        assert said[-1] == m.ExecutionDetailsEnd(8)
        raw.send(m.RequestExecutions(9, last_days=7, side="SELL"))
        assert [f.order_id for f in of(m.ExecutionDetails, await raw.sync())] == [2]
        raw.send(m.RequestExecutions(10, dates=("20250701",)))
        assert [f.order_id for f in of(m.ExecutionDetails, await raw.sync())] == [1]
        for more in ({"symbol": "CL"}, {"client_id": 5}, {"time": "20250702 23:00:00"}):
            raw.send(m.RequestExecutions(11, **more))
            assert kinds(await raw.sync()) == ["ExecutionDetailsEnd"]

    _run(check, version=200)


def test_completed_orders():
    async def check(_, raw, named):
        await place(raw, 1, named, order("BUY", 2))
        await place(raw, 2, named, order("BUY", 1, "LMT", CALM))
        raw.send(m.CancelOrder(2))
        await raw.sync()
        raw.send(m.RequestCompletedOrders())
        filled, cancelled, _ = await raw.sync()
        assert (filled.state.status, filled.state.completed_status) == ("Filled", "Filled Size: 2")
        assert filled.order.filled_quantity == 2
        assert filled.state.completed_time == "20250701 10:00:00 US/Eastern"
        assert cancelled.state.status == "Cancelled"

    _run(check)
