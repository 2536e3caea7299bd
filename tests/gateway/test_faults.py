"""Everything that goes wrong with real gateways, on demand: what a client sees of each fault."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import itertools

import pytest

from pyfutures.gateway.faults import FaultError
from pyfutures.ib import messages as m
from pyfutures.ib.codes import farm
from pyfutures.ib.errors import FrameError
from pyfutures.ib.wire import Welcome
from pyfutures.months import ContractMonth
from tests.gateway.tools import Raw, connected, contract, errors, gateway, of, order

CALM = 4000.0


def _run(check, **settings):
    async def main():
        async with connected(**{"limits": None, **settings}) as (server, raw):
            await check(server, raw, contract(server))

    asyncio.run(main())


def kinds(said):
    return [type(one).__name__ for one in said]


def statuses(said):
    return [one.status for one in of(m.OrderStatus, said)]


async def place(raw, number, named, wire):
    raw.send(m.PlaceOrder(number, named, wire))
    return await raw.sync()


async def subscribe(server, raw, named):
    """A line, ticks, real-time bars and bars kept up to date."""
    raw.send(
        m.RequestMarketData(1, named),
        m.RequestTickByTick(2, named, "Last"),
        m.RequestRealTimeBars(3, named),
        m.RequestHistoricalBars(4, named, "", "5 secs", "60 S", keep_up_to_date=True),
    )
    await raw.sync()


async def heard(server, raw, seconds=10):
    """Which of the subscriptions say something in the next seconds."""
    await raw.sync()
    await server.advance(seconds)
    said = await raw.sync()
    live = (m.TickPrice, m.TickSize, m.TickByTickTrade, m.RealTimeBar, m.HistoricalBarUpdate)
    return {one.request_id for one in said if isinstance(one, live)}


# The line: 1100, 1101, 1102, 2110


@pytest.mark.parametrize(("state", "code"), [("lost", 1100), ("broken", 2110)])
@pytest.mark.parametrize(
    ("then", "restored", "left"),
    [
        ("restored_lost", [1101], set()),
        ("restored_kept", [1102], {1, 2, 3}),  # bars kept up to date have died silently
        ("restored_silently", [], {1, 2, 3}),
    ],
)
def test_the_line_is_lost_and_restored(state, code, then, restored, left):
    async def check(server, raw, named):
        await subscribe(server, raw, named)
        assert await heard(server, raw) == {1, 2, 3, 4}
        server.gateway.faults.act("connectivity", state)
        assert errors(await raw.sync()) == [code]
        assert await heard(server, raw) == set()
        raw.send(
            m.RequestContractDetails(9, named),
            m.RequestHistoricalBars(10, named, "", "1 day", "1 D"),
        )
        assert await raw.sync() == []  # no error and no reply
        server.gateway.faults.act("connectivity", then)
        assert errors(await raw.sync()) == restored
        assert await heard(server, raw) == left

    _run(check)


def test_bars_kept_up_to_date_may_outlive_1102():
    async def check(server, raw, named):
        await subscribe(server, raw, named)
        server.gateway.faults.act("connectivity", "lost")
        server.gateway.faults.act("connectivity", "restored_kept")
        assert await heard(server, raw) == {1, 2, 3, 4}

    _run(check, keep_up_dies=False)


def test_orders_go_on_without_a_line_and_are_told_afterwards():
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 1, "LMT", CALM))
        server.gateway.faults.act("connectivity", "lost")
        await raw.sync()
        server.gateway.faults.act("fill", {"client": 1, "order": 1, "price": CALM})
        assert await raw.sync() == []
        said = await place(raw, 2, named, order("BUY", 1))
        assert statuses(said) == ["PendingSubmit"]
        server.gateway.faults.act("connectivity", "restored_kept")
        said = await raw.sync()
        assert [f.order_id for f in of(m.ExecutionDetails, said)] == [1, 2]
        assert len(of(m.CommissionReport, said)) == 2

    _run(check)


def test_a_change_without_a_line_may_leave_two_live_orders():
    async def check(server, raw, named):
        said = await place(raw, 1, named, order("BUY", 1, "LMT", CALM))
        first = of(m.OrderStatus, said)[0].perm_id
        server.gateway.faults.act("double_on_modify")
        server.gateway.faults.act("connectivity", "lost")
        await place(raw, 1, named, order("BUY", 1, "LMT", CALM + 1))
        server.gateway.faults.act("connectivity", "restored_kept")
        await raw.sync()
        raw.send(m.RequestOpenOrders())
        told = of(m.OpenOrder, await raw.sync())
        assert [one.order_id for one in told] == [1, 1]
        assert first in {one.order.perm_id for one in told}
        assert len({one.order.perm_id for one in told}) == 2

    _run(check)


def test_flapping():
    async def check(server, raw, _):
        faults = server.gateway.faults
        for minute in range(3):
            faults.after(60 * minute + 1, {"connectivity": {"state": "lost", "for": "30s"}})
        await server.advance(200)
        assert errors(await raw.sync()) == [1100, 1102] * 3

    _run(check)


# Farms


@pytest.mark.parametrize(
    ("name", "broken", "fine", "dead"),
    [
        ("usfuture", 2103, 2104, {1, 2, 3}),
        ("ushmds", 2105, 2106, {4}),
        ("secdefil", 2157, 2158, set()),
        ("eufarm", 2103, 2104, set()),  # not that of our contract
    ],
)
def test_a_farm_breaks_and_comes_back(name, broken, fine, dead):
    async def check(server, raw, named):
        await subscribe(server, raw, named)
        server.gateway.faults.act("farm", {"name": name, "for": "60s"})
        said = of(m.ErrorMessage, await raw.sync())
        assert (said[0].code, farm(said[0].text)) == (broken, name)
        assert [e.code for e in said[1:]] == ([10182] if name == "ushmds" else [])
        assert await heard(server, raw) == {1, 2, 3, 4} - dead
        raw.send(
            m.RequestContractDetails(9, named),
            m.RequestHistoricalBars(10, named, "", "1 day", "1 D"),
        )
        answers = kinds(await raw.sync())
        assert ("ContractDetails" in answers) is (name != "secdefil")
        assert ("HistoricalBars" in answers) is (name != "ushmds")
        await server.advance(60)
        said = of(m.ErrorMessage, await raw.sync())
        assert [(e.code, farm(e.text)) for e in said] == [(fine, name)]
        assert await heard(server, raw) == {1, 2, 3, 4} - dead  # silently dead

    _run(check)


def test_lines_of_a_farm_may_also_come_back_by_themselves():
    async def check(server, raw, named):
        await subscribe(server, raw, named)
        server.gateway.faults.act("farm", {"name": "usfuture", "kills": False, "for": "60s"})
        assert await heard(server, raw) == {4}
        await server.advance(60)
        assert await heard(server, raw) == {1, 2, 3, 4}

    _run(check)


@pytest.mark.parametrize(
    ("name", "state", "code"),
    [
        ("usfuture", "inactive", 2108),
        ("ushmds", "inactive", 2107),
        ("usfuture", "connecting", 2119),
    ],
)
def test_notices_that_mean_nothing(name, state, code):
    async def check(server, raw, named):
        await subscribe(server, raw, named)
        server.gateway.faults.act("farm", {"name": name, "state": state})
        assert errors(await raw.sync()) == [code]
        assert await heard(server, raw) == {1, 2, 3, 4}

    _run(check)


# Connections


def test_a_cut_comes_after_any_byte():
    """The bytes of the welcome, the start and a request, cut everywhere."""

    async def main():
        async with gateway() as server:
            whole = await Raw.connect(server, 1)
            whole.send(m.RequestContractDetails(1, contract(server, "FDAX")))
            await whole.until(m.ContractDetailsEnd)
            total = whole.bytes
            await whole.close()
            for number, after in enumerate(range(1, total, 397), 2):
                raw = await Raw.connect(server, number, start=False)
                await raw.until(Welcome)
                raw.send(m.StartApi(number))
                await raw.until(m.NextValidId)
                await raw.sync()
                start = raw.bytes
                server.gateway.faults.act("cut", {"after": after, "client": number})
                raw.send(m.RequestContractDetails(1, contract(server, "FDAX")))
                raw.send(m.RequestContractDetails(2, contract(server, "FDAX")))
                raw.send(m.RequestContractDetails(3, contract(server, "FDAX")))
                await raw.eof()
                assert raw.bytes - start == after
            while server.connections:
                await asyncio.sleep(0.001)
            assert server.gateway.sessions == {}

    asyncio.run(main())


def test_a_cut_inside_a_frame_is_seen_as_one():
    async def check(server, raw, named):
        server.gateway.faults.when("HistoricalBars", {"cut": {"after": 50}})
        raw.send(m.RequestHistoricalBars(1, named, "", "1 hour", "1 D"))
        await raw.eof()
        with pytest.raises(FrameError, match=r"50 bytes into a frame"):
            raw.connection.close()

    _run(check)


def test_a_cut_on_a_request():
    async def check(server, raw, named):
        server.gateway.faults.when("RequestContractDetails", "cut")
        raw.send(m.RequestContractDetails(1, named))
        assert await raw.eof() == []

    _run(check)


def test_silence_is_a_connection_that_says_nothing():
    async def check(server, raw, named):
        raw.send(m.RequestRealTimeBars(3, named))
        await raw.sync()
        server.gateway.faults.act("silence", {"for": "30s", "lose": True})
        await server.advance(29)
        await server.advance(2)
        # What was not said is lost; the first bar after it ends with the silence.
        assert [bar.time for bar in of(m.RealTimeBar, await raw.sync())] == [1751378425]
        assert await heard(server, raw) == {3}

    _run(check)


def test_what_is_not_said_may_also_come_late():
    async def check(server, raw, named):
        raw.send(m.RequestRealTimeBars(3, named))
        await raw.sync()
        server.gateway.faults.act("silence", {"for": "30s", "lose": False})
        await server.advance(29)
        await server.advance(2)
        bars = of(m.RealTimeBar, await raw.sync())
        assert [later.time - bar.time for bar, later in itertools.pairwise(bars)] == [5] * 5

    _run(check)


def test_a_handshake_may_never_be_answered():
    async def main():
        async with gateway() as server:
            server.gateway.faults.act("mute_handshake", 1)
            raw = await Raw.connect(server, start=False)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(raw.until(Welcome), 0.03)
            other = await Raw.connect(server)
            await raw.close()
            await other.close()

    asyncio.run(main())


def test_a_client_that_cannot_be_served_may_wedge_the_gateway():
    async def main():
        async with gateway() as server:
            server.gateway.faults.act("wedge")
            bad = await Raw.connect(server, version=200, lowest=190, start=False)
            await bad.eof()
            raw = await Raw.connect(server, start=False)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(raw.until(Welcome), 0.03)
            await raw.close()

    asyncio.run(main())


@pytest.mark.parametrize("mute", [False, True])
def test_a_restart(mute):
    async def main():
        async with gateway() as server:
            raw = await Raw.connect(server)
            named = contract(server)
            await place(raw, 1, named, order("BUY", 1, "LMT", CALM, tif="GTC"))
            server.gateway.faults.act("restart", {"down": "150s", "mute": mute})
            await raw.eof()
            again = await Raw.connect(server, start=False)
            if mute:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(again.until(Welcome), 0.03)
                await again.close()
            else:
                assert await again.eof() == []
            await server.advance(150)
            raw = await Raw.connect(server)
            raw.send(m.RequestOpenOrders())
            assert [one.order_id for one in of(m.OpenOrder, await raw.sync())] == [1]
            assert statuses(await place(raw, 1, named, order("BUY", 2, "LMT", CALM))) == [
                "Submitted"
            ]
            raw.send(m.CancelOrder(1))
            assert statuses(await raw.sync()) == ["Cancelled"]
            await raw.close()

    asyncio.run(main())


def test_a_client_id_may_be_stuck():
    async def main():
        async with gateway() as server:
            server.gateway.faults.act("client_id_in_use", 2)
            for _ in range(2):
                raw = await Raw.connect(server, 5)
                assert errors(raw.heard[1:]) == [326]
                await raw.eof()
            raw = await Raw.connect(server, 5)
            assert of(m.NextValidId, raw.heard)
            await raw.close()

    asyncio.run(main())


def test_order_ids_may_start_again():
    async def check(server, raw, named):
        await place(raw, 7, named, order("BUY", 1))
        server.gateway.faults.act("order_ids", 1)
        raw.send(m.RequestIds())
        assert await raw.sync() == [m.NextValidId(1)]

    _run(check)


def test_a_port_reset():
    async def check(server, raw, _):
        server.gateway.faults.act("port_reset", {"port": 4444})
        (error,) = await raw.eof()
        assert (error.code, error.text[-4:]) == (1300, "4444")

    _run(check)


# Data


def test_a_reset_of_the_servers_answers_200_for_what_exists():
    async def check(server, raw, named):
        server.gateway.faults.act("reset", {"for": "1h"})
        assert (await raw.ask(m.RequestContractDetails(1, named), m.ContractDetails)).code == 200
        await server.advance(3600)
        assert isinstance(
            await raw.ask(m.RequestContractDetails(2, named), m.ContractDetails), m.ContractDetails
        )

    _run(check)


def test_a_rival_takes_the_market_data():
    async def check(server, raw, named):
        await subscribe(server, raw, named)
        server.gateway.faults.act("compete", {"for": "60s", "burst": 10})
        codes = errors(await raw.sync())
        assert codes == [10197] * 20  # ten for the line, ten for the bars of five seconds
        assert await heard(server, raw) == {4}
        raw.send(m.RequestMarketData(9, named))
        assert errors(await raw.sync()) == [10197]
        await server.advance(60)
        assert await heard(server, raw) == {1, 2, 3, 4}

    _run(check)


@pytest.mark.parametrize(
    ("action", "code", "dead"), [("bust", 10225, 3), ("end_kept_bars", 10182, 4)]
)
def test_subscriptions_that_are_ended(action, code, dead):
    async def check(server, raw, named):
        await subscribe(server, raw, named)
        server.gateway.faults.act(action)
        (error,) = await raw.sync()
        assert (error.request_id, error.code) == (dead, code)
        assert await heard(server, raw) == {1, 2, 3, 4} - {dead}

    _run(check)


def test_feeds_may_die_without_a_word():
    async def check(server, raw, named):
        await subscribe(server, raw, named)
        server.gateway.faults.act("lose_feeds")
        assert await heard(server, raw, 60) == set()

    _run(check)


@pytest.mark.parametrize(
    ("kind", "asking", "fault"),
    [
        (m.HistoricalBars, lambda c: m.RequestHistoricalBars(1, c, "", "1 day", "1 D"),
         {"code": 162, "text": "…:Historical data request pacing violation"}),
        (m.ContractDetails, lambda c: m.RequestContractDetails(1, c), {"code": 200}),
        (m.TickPrice, lambda c: m.RequestMarketData(1, c), {"code": 10197}),
        (m.RealTimeBar, lambda c: m.RequestRealTimeBars(1, c), {"code": 420}),
        (m.TickByTickQuote, lambda c: m.RequestTickByTick(1, c, "BidAsk"), {"code": 10190}),
    ],
)  # fmt: skip
def test_any_request_may_fail_with_any_error(kind, asking, fault):
    async def check(server, raw, named):
        asked = asking(named)
        found = server.gateway.faults.when(type(asked), {"error": fault}, skip=1, times=2)
        codes = []
        for number in range(4):
            raw.send(dataclasses.replace(asked, request_id=number))
            codes.append(errors(await raw.sync()))
        assert codes == [[], [fault["code"]], [fault["code"]], []]
        assert found.hits == 2

    _run(check)


def test_any_request_may_stay_without_an_answer_or_be_answered_late():
    async def check(server, raw, named):
        server.gateway.faults.when(m.RequestContractDetails, "drop")
        raw.send(m.RequestContractDetails(1, named), m.RequestContractDetails(2, named))
        assert {one.request_id for one in await raw.sync()} == {2}
        server.gateway.faults.when(m.RequestContractDetails, {"delay": "70s"})
        raw.send(m.RequestContractDetails(3, named))
        assert await raw.sync() == []
        await server.advance(70)
        assert {one.request_id for one in await raw.sync()} == {3}
        server.gateway.faults.when(m.RequestContractDetails, "duplicate")
        raw.send(m.RequestContractDetails(4, named))
        assert kinds(await raw.sync()) == ["ContractDetails", "ContractDetailsEnd"] * 2

    _run(check)


def test_history_is_revised():
    """Late trades add a tenth to yesterday's volume, and the settlement replaces its close."""

    async def check(server, raw, named):
        async def yesterday(number):
            asked = m.RequestHistoricalBars(number, named, "", "1 day", "2 D")
            return (await raw.ask(asked, m.HistoricalBars)).bars[0]

        before = await yesterday(1)
        settled = before.close + 1.5
        at = {"root": "ES", "month": "2025U", "day": "2025-06-30"}
        server.gateway.faults.act("revise", {**at, "settlement": settled, "volume": 1.1})
        after = await yesterday(2)
        assert (after.open, after.close) == (before.open, settled)
        assert after.high == max(before.high, settled)
        assert after.volume == round(before.volume * 11 / 10)
        assert after.date == before.date == "20250630"
        raw.send(m.RequestMarketData(3, named))
        closes = [t.price for t in of(m.TickPrice, await raw.sync()) if t.type == 9]
        assert closes == [settled]
        with pytest.raises(ValueError, match=r"moves by 0\.25"):
            server.gateway.faults.act("revise", {**at, "settlement": 4000.1})

    _run(check)


def test_an_early_close():
    async def main():
        async with connected(fresh=True) as (server, raw):
            named = contract(server)
            raw.send(m.RequestRealTimeBars(3, named))
            await raw.sync()
            at = {"root": "ES", "day": "2025-07-01", "at": "12:00"}  # in Chicago, 17:00 UTC
            server.gateway.faults.act("early_close", at)
            details = await raw.ask(m.RequestContractDetails(1, named), m.ContractDetails)
            assert details.trading_hours.startswith("20250630:1700-20250701:1200;")
            await server.advance_to(dt.datetime(2025, 7, 1, 20, tzinfo=dt.UTC))
            bars = of(m.RealTimeBar, await raw.sync())
            last = dt.datetime.fromtimestamp(bars[-1].time, dt.UTC)
            assert last == dt.datetime(2025, 7, 1, 16, 59, 55, tzinfo=dt.UTC)

    asyncio.run(main())


# Orders: the thirteen corners


def test_1_statuses_come_twice():
    async def check(server, raw, named):
        server.gateway.faults.when("OrderStatus", {"duplicate": 2}, times=None)
        said = await place(raw, 1, named, order("BUY", 1))
        assert statuses(said) == ["Submitted", "Submitted", "Filled", "Filled"]

    _run(check)


def test_2_no_status_at_all():
    async def check(server, raw, named):
        server.gateway.faults.when(["OrderStatus", "OpenOrder"], "drop", times=None)
        said = await place(raw, 1, named, order("BUY", 1))
        assert kinds(said) == ["ExecutionDetails", "CommissionReport"]

    _run(check)


def test_3_a_fill_before_the_acknowledgement():
    async def check(server, raw, named):
        faults = server.gateway.faults
        faults.when(["OpenOrder", "OrderStatus"], {"hold_until": "ExecutionDetails"}, times=2)
        said = await place(raw, 1, named, order("BUY", 1))
        assert kinds(said)[0] == "ExecutionDetails"
        assert statuses(said) == ["Submitted", "Filled"]

    _run(check)


@pytest.mark.parametrize("late", [True, False])
def test_4_commissions_late_or_only_when_asked_for(late):
    async def check(server, raw, named):
        faults = server.gateway.faults
        faults.when("CommissionReport", {"delay": "5s"} if late else "drop")
        said = await place(raw, 1, named, order("BUY", 1))
        assert of(m.CommissionReport, said) == []
        await server.advance(5)
        assert len(of(m.CommissionReport, await raw.sync())) == late
        faults.when("ExecutionDetails", {"hold_until": "CommissionReport"})
        raw.send(m.RequestExecutions(9))
        assert kinds(await raw.sync())[:2] == ["CommissionReport", "ExecutionDetails"]

    _run(check)


def test_5_the_permanent_id_comes_later():
    async def check(server, raw, named):
        first = {"set": {"perm_id": 0, "status": "ApiPending"}}
        server.gateway.faults.when("OrderStatus", first)
        said = await place(raw, 1, named, order("BUY", 1))
        told = [(s.status, s.perm_id > 0) for s in of(m.OrderStatus, said)]
        assert told == [("ApiPending", False), ("Filled", True)]
        server.gateway.faults.when("OpenOrder", {"set": {"order.perm_id": 0}})
        said = await place(raw, 2, named, order("BUY", 1, "LMT", CALM))
        assert of(m.OpenOrder, said)[0].order.perm_id == 0

    _run(check)


def test_6_one_order_id_twice_is_two_permanent_ids():
    async def main():
        async with gateway() as server:
            one, two = await Raw.connect(server, 1), await Raw.connect(server, 2)
            said = [await place(raw, 1, contract(server), order("BUY", 1)) for raw in (one, two)]
            ids = [{s.perm_id for s in of(m.OrderStatus, part)} for part in said]
            assert ids[0] & ids[1] == set()
            one.send(m.RequestExecutions(1))
            fills = of(m.ExecutionDetails, await one.sync())
            assert [(f.order_id, f.execution.client_id) for f in fills] == [(1, 1), (1, 2)]
            await one.close()
            await two.close()

    asyncio.run(main())


def test_7_an_execution_is_corrected():
    async def check(server, raw, named):
        (fill,) = of(m.ExecutionDetails, await place(raw, 1, named, order("BUY", 1)))
        server.gateway.faults.act("correct", {"price": fill.execution.price - 1})
        (new,) = of(m.ExecutionDetails, await raw.sync())
        head, _, last = fill.execution.exec_id.rpartition(".")
        assert new.execution.exec_id == f"{head}.{int(last) + 1:02d}"
        assert new.execution.price == fill.execution.price - 1

    _run(check)


def test_8_an_order_may_be_held_and_its_cancel_never_answered():
    async def check(server, raw, named):
        faults = server.gateway.faults
        faults.act("hold_order", "locate")
        said = await place(raw, 1, named, order("BUY", 1))
        (status,) = of(m.OrderStatus, said)
        assert (status.status, status.why_held) == ("Inactive", "locate")
        faults.when("CancelOrder", "drop")
        raw.send(m.CancelOrder(1))
        assert await raw.sync() == []
        faults.act("release")
        assert statuses(await raw.sync())[-1] == "Filled"

    _run(check)


def test_9_a_fill_while_a_cancel_is_pending():
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 2, "LMT", CALM))
        faults = server.gateway.faults
        faults.act("slow_cancel", "5s")
        raw.send(m.CancelOrder(1))
        assert statuses(await raw.sync()) == ["PendingCancel"]
        faults.act("fill", {"client": 1, "order": 1, "size": 1, "price": CALM})
        assert statuses(await raw.sync()) == ["PendingCancel"]
        await server.advance(5)
        said = await raw.sync()
        (status,) = of(m.OrderStatus, said)
        assert (status.status, status.filled, status.remaining) == ("Cancelled", 1, 1)

    _run(check)


@pytest.mark.parametrize("first", [False, True])
def test_9_a_cancel_is_answered_in_either_order(first):
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 1, "LMT", CALM))
        if first:
            server.gateway.faults.act("cancel_error_first")
        raw.send(m.CancelOrder(1))
        said = [k for k in kinds(await raw.sync()) if k != "OpenOrder"]
        expected = ["OrderStatus", "ErrorMessage"]
        assert said == (expected[::-1] if first else expected)

    _run(check)


def test_11_an_open_order_does_not_tell_what_is_filled():
    async def check(_, raw, named):
        said = await place(raw, 1, named, order("BUY", 1))
        assert {one.order.filled_quantity for one in of(m.OpenOrder, said)} == {None}

    _run(check)


def test_12_executions_of_yesterday_are_not_told():
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 1))
        await server.advance(86400)
        raw.send(m.RequestExecutions(1))
        assert kinds(await raw.sync()) == ["ExecutionDetailsEnd"]

    _run(check)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("utc", "20250701-14:00:00"),
        ("operator", "20250701 10:00:00 US/Eastern"),
        ("instrument", "20250701 09:00:00 US/Central"),
        ("date", "20250701  10:00:00"),
    ],
)
def test_13_times_of_executions_have_many_forms(form, text):
    from pyfutures.gateway.config import LastTradeForm

    async def check(_, raw, named):
        (fill,) = of(m.ExecutionDetails, await place(raw, 1, named, order("BUY", 1)))
        assert fill.execution.time == text

    _run(check, last_trade_form=LastTradeForm(form))


@pytest.mark.parametrize(
    ("code", "warns"), [(201, False), (10289, False), (10349, True), (399, True)]
)
def test_orders_are_refused_or_only_warned_of(code, warns):
    async def check(server, raw, named):
        if warns:
            server.gateway.faults.when("OpenOrder", {"error": {"code": code, "about": 1}}, times=1)
        else:
            server.gateway.faults.when("PlaceOrder", {"reject": {"code": code}})
        said = await place(raw, 1, named, order("BUY", 1))
        assert errors(said) == [code]
        assert bool(of(m.ExecutionDetails, said)) is warns

    _run(check)


def test_the_exchange_may_cancel():
    async def check(server, raw, named):
        await place(raw, 1, named, order("BUY", 1, "LMT", CALM))
        server.gateway.faults.act("kill", {"client": 1, "order": 1})
        said = await raw.sync()
        assert (statuses(said), errors(said)) == (["Cancelled"], [202])

    _run(check)


# Faults themselves


def test_a_fault_may_be_for_one_client_and_some_values_only():
    async def main():
        async with gateway() as server:
            one, two = await Raw.connect(server, 1), await Raw.connect(server, 2)
            found = server.gateway.faults.when(
                "RequestContractDetails",
                "drop",
                client=2,
                where={"contract.symbol": "ES"},
                times=None,
            )
            for raw in (one, two):
                raw.send(m.RequestContractDetails(1, contract(server)))
                raw.send(
                    m.RequestContractDetails(2, contract(server, "CL", ContractMonth(2025, 9)))
                )
            assert {e.request_id for e in await one.sync()} == {1, 2}
            assert {e.request_id for e in await two.sync()} == {2}
            server.gateway.faults.remove(found)
            two.send(m.RequestContractDetails(3, contract(server)))
            assert {e.request_id for e in await two.sync()} == {3}
            await one.close()
            await two.close()

    asyncio.run(main())


def test_clearing_ends_all_faults_and_says_what_was_held():
    async def check(server, raw, named):
        faults = server.gateway.faults
        faults.when("OrderStatus", {"hold_until": "CompletedOrder"}, times=None)
        assert statuses(await place(raw, 1, named, order("BUY", 1))) == []
        faults.clear()
        assert statuses(await raw.sync()) == ["Submitted", "Filled"]
        assert statuses(await place(raw, 2, named, order("BUY", 1))) == ["Submitted", "Filled"]

    _run(check)


@pytest.mark.parametrize(
    ("kinds", "do", "words"),
    [
        ("OrderStatus", "explode", "`explode` is nothing that a fault can do"),
        ("Nonsense", "drop", "`Nonsense` is no message"),
        (int, "drop", "is no message"),
        ("OrderStatus", [{"delay": "5s"}, "explode"], "`explode`"),
    ],
)
def test_faults_that_cannot_be(kinds, do, words):
    async def main():
        async with gateway() as server:
            with pytest.raises(FaultError, match=words):
                server.gateway.faults.when(kinds, do)
            with pytest.raises(FaultError, match="messages only"):
                server.gateway.faults.act("drop")

    asyncio.run(main())
