"""A node whose gateway misbehaves: cuts, restarts, lost lines, ids that start over, twins."""

from __future__ import annotations

import asyncio

import pytest

from pyfutures.nautilus.execution.accounts import AccountRefusedError, chosen_account, masked
from tests.nautilus.exec_tools import BUY, ESU, SELL, desk, until
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW


async def back(d, sessions):
    """Wait for the next session, and until it has asked what happened."""
    client = d.client.link.client
    await until(lambda: client.sessions > sessions and client.is_ready, "next session")
    await client.orders.sync()


def test_orders_in_flight_when_the_connection_breaks_are_found_again():
    async def scenario():
        async with desk() as d:
            bid, ask = d.quote(ESU)
            client, gw = d.client.link.client, d.gateway
            rests = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(rests, "ACCEPTED")
            # One that arrives and is not acknowledged, one that fills unheard, one that is lost.
            mute = gw.next_order_id(5)
            for order_id in (mute, mute + 1):
                for kind in ("OpenOrder", "OrderStatus", "ExecutionDetails"):
                    gw.faults.when(kind, "drop", where={"order_id": order_id}, times=None)
            gw.faults.when("PlaceOrder", "drop", where={"order_id": mute + 2})
            arrived = d.strategy.limit(ESU, BUY, bid - 11)
            fills = d.strategy.limit(ESU, BUY, ask)
            lost = d.strategy.limit(ESU, BUY, bid - 12)
            await until(lambda: len(gw.book.open()) + len(gw.book.done()) == 3, "at IB")
            await asyncio.sleep(0.05)
            gw.faults.clear()
            sessions = client.sessions
            for session in gw.clients():
                session.close()
            await back(d, sessions)
            await d.status(arrived, "ACCEPTED")
            await d.status(fills, "FILLED")
            await d.status(lost, "REJECTED")
            assert "IB knows nothing of it" in lost.last_event.reason
            assert rests.status_string() == "ACCEPTED"
            await d.agree()
            assert len(d.strategy.fills()) == 1

    asyncio.run(scenario())


def test_what_happens_while_the_gateway_restarts_is_told_afterwards():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            client, gw = d.client.link.client, d.gateway
            filled, gone, stays = (d.strategy.limit(ESU, BUY, bid - n, 2) for n in (10, 11, 12))
            for order in (filled, gone, stays):
                await d.status(order, "ACCEPTED")
            theirs = {x.order.order_ref: x for x in gw.book.open()}
            sessions = client.sessions
            gw.restart(1.0)
            await until(lambda: not client.is_ready, "cut")
            order = theirs[filled.client_order_id.value]
            gw.book.fill(order, 2, order.terms.limit)
            gw.book.cancel(theirs[gone.client_order_id.value])
            denied = d.strategy.market(ESU, BUY)
            await d.status(denied, "DENIED")
            assert "not sent" in denied.last_event.reason
            d.strategy.modify_order(stays, price=d.strategy.px(ESU, bid - 13))
            await until(lambda: "OrderModifyRejected" in d.strategy.names(stays))
            await d.advance(2)
            await back(d, sessions)
            await d.status(filled, "FILLED")
            await d.status(gone, "CANCELED")
            assert stays.status_string() == "ACCEPTED"
            d.strategy.cancel_order(stays)
            await d.status(stays, "CANCELED")
            await d.agree()

    asyncio.run(scenario())


@pytest.mark.parametrize("state", ["restored_kept", "restored_lost"])
def test_nothing_is_sent_while_ib_is_away(state):
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            gw = d.gateway
            rests = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(rests, "ACCEPTED")
            (theirs,) = gw.book.open()
            gw.connectivity("lost")
            await until(lambda: not d.client.link.client.is_ready, "1100")
            denied = d.strategy.market(ESU, BUY)
            await d.status(denied, "DENIED")
            gw.book.fill(theirs, 1, theirs.terms.limit)  # told when the line is up
            d.strategy.cancel_order(rests)  # the gateway keeps it
            gw.connectivity(state)
            await d.status(rests, "FILLED")
            await d.agree()
            assert len(d.strategy.fills()) == 1

    asyncio.run(scenario())


def test_order_ids_that_start_over_are_other_orders():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            client = d.client.link.client
            first = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(first, "ACCEPTED")
            d.gateway.restart_order_ids()
            sessions = client.sessions
            for session in d.gateway.clients():
                session.close()
            await back(d, sessions)
            second = d.strategy.market(ESU, BUY)
            await d.status(second, "FILLED")
            assert first.status_string() == "ACCEPTED"
            assert first.venue_order_id != second.venue_order_id
            await d.agree()

    asyncio.run(scenario())


def test_a_fill_before_the_acknowledgement_is_acknowledged_first():
    async def scenario():
        async with desk() as d:
            gw = d.gateway
            mute = gw.next_order_id(5)
            for kind in ("OpenOrder", "OrderStatus"):
                gw.faults.when(kind, "drop", where={"order_id": mute}, times=None)
            made = d.strategy.market(ESU, SELL)
            await d.status(made, "FILLED")
            assert d.strategy.names(made) == [
                "OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderFilled",
            ]  # fmt: skip
            await d.agree()

    asyncio.run(scenario())


def test_messages_said_twice_are_told_once():
    async def scenario():
        async with desk() as d:
            for kind in ("OpenOrder", "OrderStatus", "ExecutionDetails", "CommissionReport"):
                d.gateway.faults.when(kind, "duplicate", times=None)
            bid, _ = d.quote(ESU)
            made = d.strategy.market(ESU, BUY, 2)
            rests = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(made, "FILLED")
            await d.status(rests, "ACCEPTED")
            d.strategy.cancel_order(rests)
            await d.status(rests, "CANCELED")
            await asyncio.sleep(0.05)
            assert len(d.strategy.fills()) == 1
            assert d.strategy.names(rests) == [
                "OrderInitialized", "OrderSubmitted", "OrderAccepted", "OrderPendingCancel",
                "OrderCanceled",
            ]  # fmt: skip
            await d.agree()

    asyncio.run(scenario())


def test_an_error_before_the_status_of_a_cancellation_is_one_cancellation():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            d.gateway.faults.error_before_status()
            made = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(made, "ACCEPTED")
            d.strategy.cancel_order(made)
            await d.status(made, "CANCELED")
            await asyncio.sleep(0.05)
            assert d.strategy.names(made).count("OrderCanceled") == 1

    asyncio.run(scenario())


def test_a_node_stops_cleanly_with_a_fill_that_waits():
    async def scenario():
        async with desk(commission_timeout=60.0) as d:
            d.gateway.faults.when("CommissionReport", "drop", times=None)
            d.strategy.market(ESU, BUY)
            await until(lambda: d.client.events.has_held_fills, "held fill")
            await d.node.stop_async()
            assert d.counts.missing_commissions == 1
            await until(lambda: d.server.connections == 0, "closed connection")

    asyncio.run(scenario())


def test_no_error_of_ours_names_the_account():
    assert masked("DU1234567") == "DU***67"
    with pytest.raises(AccountRefusedError) as refused:
        chosen_account(["U1234567"], "U1234567")
    assert "U1234567" not in str(refused.value)


def test_a_modification_that_became_a_second_order_is_seen_as_one():
    """nautilus_trader 4564: while the line broke, the old order stayed and the new one came."""

    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            gw = d.gateway
            made = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(made, "ACCEPTED")
            gw.book.double_on_modify = True
            gw.line.up = False  # the gateway has lost IB and has not said so yet
            d.strategy.modify_order(made, price=d.strategy.px(ESU, bid - 9))
            await until(lambda: len(gw.book.open()) == 2, "twin")
            gw.connectivity("restored_kept")
            await until(lambda: len(d.cache.orders_open()) == 2, "both")
            twin = next(o for o in d.cache.orders_open() if o is not made)
            theirs = {str(x.perm_id): x for x in gw.book.open()}
            assert {o.venue_order_id.value for o in (made, twin)} == set(theirs)
            for order in (made, twin):
                one = theirs[order.venue_order_id.value]
                assert order.price.as_double() == one.order.limit_price
                gw.book.fill(one, 1, one.terms.limit)
                await d.status(order, "FILLED")
            await d.agree()
            assert d.ours() == {ESU: 2}

    asyncio.run(scenario())
