"""Orders over the wire: placed, changed, taken back, filled, and found again after a cut."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.client import Client
from pyfutures.ib.failures import NotConnectedError, OrderRefusedError, RequestFailedError
from pyfutures.ib.order_forms import (
    Action,
    OcaType,
    as_oca,
    good_till,
    limit_order,
    market_order,
    stop_limit_order,
    stop_order,
    trailing_stop_order,
)
from pyfutures.ib.orders import OrderEventKind, OrderPhase
from pyfutures.ib.times import TimeError
from tests.ib.client.server import both, config, settle
from tests.ib.client.virtual import VirtualClock, run

ES = m.Contract(con_id=11, symbol="ES", sec_type="FUT", exchange="CME", currency="USD",
                local_symbol="ESM4")  # fmt: skip
BUY = limit_order(Action.BUY, 5, 5200.0)


class Desk:
    """The orders of a gateway, filled when a test says so."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.orders = {}  # by perm id: [order id, client id, contract, order, status]
        self.fills = []
        self.perm = 500
        self.tells_commission = True
        gateway.handlers.update({
            m.PlaceOrder: self.place,
            m.CancelOrder: self.cancel,
            m.RequestOpenOrders: self.open,
            m.RequestExecutions: self.executions,
        })  # fmt: skip

    def of(self, order_id):
        return next(perm for perm, row in reversed(self.orders.items()) if row[0] == order_id)

    def say(self, session, perm, status, *, filled=0):
        order_id, client_id, contract, order, _ = self.orders[perm]
        self.orders[perm][4] = status
        session.send(
            m.OpenOrder(order_id, contract, replace(order, perm_id=perm, client_id=client_id),
                        m.OrderState(status=status)),
            m.OrderStatus(order_id, status, Decimal(filled), order.quantity - filled, 0.0, perm,
                          order.parent_id, 0.0, client_id),
        )  # fmt: skip

    def place(self, session, request):
        known = [perm for perm, row in self.orders.items() if row[0] == request.order_id]
        if known:
            self.orders[known[-1]][3] = request.order
            self.say(session, known[-1], "Submitted")
            return
        self.perm += 1
        self.orders[self.perm] = [
            request.order_id, session.client_id, request.contract, request.order, "Submitted",
        ]  # fmt: skip
        self.say(session, self.perm, "Submitted")

    def cancel(self, session, request):
        self.say(session, self.of(request.order_id), "Cancelled")
        session.send(m.ErrorMessage(request.order_id, 202, "Order Canceled - reason:"))

    def open(self, session, _):
        for perm, row in self.orders.items():
            if row[4] == "Submitted" and row[1] == session.client_id:
                self.say(session, perm, row[4])
        session.send(m.OpenOrderEnd())

    def fill(self, session, order_id, shares, exec_id):
        perm = self.of(order_id)
        _, client_id, contract, order, _ = self.orders[perm]
        execution = m.Execution(
            exec_id, "20240326-14:30:00", "DU1", "CME", "BOT" if order.action == "BUY" else "SLD",
            Decimal(shares), 5200.0, perm, client_id, 0, Decimal(shares), 5200.0, order.order_ref,
        )  # fmt: skip
        details = m.ExecutionDetails(-1, order_id, contract, execution)
        self.fills.append(details)
        session.send(details)
        if self.tells_commission:
            session.send(m.CommissionReport(exec_id, 2.05, "USD"))

    def executions(self, session, request):
        for details in self.fills:
            session.send(replace(details, request_id=request.request_id))
        session.send(m.ExecutionDetailsEnd(request.request_id))
        for details in self.fills:
            session.send(m.CommissionReport(details.execution.exec_id, 2.05, "USD"))


def test_an_order_from_its_placing_to_its_end():
    async def main():
        async with both() as (gateway, client):
            desk = Desk(gateway)
            events = client.orders.events()
            ticket = client.orders.place(ES, BUY)
            assert ticket.view.phase is OrderPhase.SENT
            view = await ticket.acknowledged()
            assert (view.phase, view.order_id, view.perm_id) == (OrderPhase.WORKING, 7, 501)
            desk.fill(gateway.live, 7, 2, "0001.a.01.01")
            desk.fill(gateway.live, 7, 3, "0001.b.01.01")
            view = await ticket.done(10)
            assert (view.phase, view.filled, view.average_price) == (OrderPhase.FILLED, 5, 5200.0)
            await settle()
            assert not ticket.view.lacks_commission
            assert client.orders.positions() == {("DU1", 11): Decimal(5)}
            assert [event.kind for event in events.pending()] == [
                OrderEventKind.PHASE, OrderEventKind.FILL, OrderEventKind.COMMISSION,
                OrderEventKind.FILL, OrderEventKind.PHASE, OrderEventKind.COMMISSION,
            ]  # fmt: skip
            with pytest.raises(OrderRefusedError, match="filled"):
                ticket.cancel()
            assert [fill.execution.exec_id for fill in await client.orders.executions()] == [
                "0001.a.01.01", "0001.b.01.01",
            ]  # fmt: skip

    run(main)


def test_modify_and_cancel():
    async def main():
        async with both() as (gateway, client):
            Desk(gateway)
            ticket = client.orders.place(ES, BUY)
            await ticket.acknowledged()
            ticket.modify(limit_order(Action.BUY, 4, 5199.0))
            await settle()
            placed = gateway.heard(m.PlaceOrder)
            assert [one.order_id for one in placed] == [7, 7]
            assert ticket.view.order.limit_price == 5199.0
            ticket.cancel()
            await ticket.done(10)
            await settle()
            view = ticket.view
            assert (view.phase, view.error_code) == (OrderPhase.CANCELLED, 202)
            with pytest.raises(OrderRefusedError, match="cancelled"):
                ticket.modify(BUY)

    run(main)


def test_a_rejected_order_is_a_typed_error():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.PlaceOrder] = lambda session, request: session.send(
                m.ErrorMessage(request.order_id, 201, "Order rejected - reason:no margin")
            )
            ticket = client.orders.place(ES, BUY)
            with pytest.raises(OrderRefusedError, match="no margin") as caught:
                await ticket.acknowledged()
            assert caught.value.code == 201
            assert (await ticket.done()).phase is OrderPhase.REJECTED

    run(main)


def test_a_read_only_gateway():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.PlaceOrder] = lambda session, request: session.send(
                m.ErrorMessage(request.order_id, 321, "Error validating request.-'bS' : cause - "
                               "The API interface is currently in Read-Only mode.")
            )  # fmt: skip
            with pytest.raises(OrderRefusedError, match="Read-Only"):
                await client.orders.place(ES, BUY).acknowledged()
            with pytest.raises(RequestFailedError, match="Read-Only"):
                await client.orders.what_if(ES, BUY)

    run(main)


def test_what_if_is_an_answer_and_no_order():
    async def main():
        async with both() as (gateway, client):

            @gateway.on(m.PlaceOrder)
            def preview(session, request):
                assert request.order.what_if
                session.send(
                    m.OpenOrder(
                        request.order_id, ES, request.order,
                        m.OrderState(status="PreSubmitted", init_margin_change=12000.0,
                                     commission=2.05),
                    )
                )  # fmt: skip

            state = await client.orders.what_if(ES, BUY)
            assert (state.init_margin_change, state.commission) == (12000.0, 2.05)
            assert len(client.orders.book) == 0
            assert client.orders.new_id() > gateway.heard(m.PlaceOrder)[0].order_id

    run(main)


def test_a_bracket_goes_live_with_its_last_order():
    async def main():
        async with both() as (gateway, client):
            tickets = client.orders.place_bracket(
                ES, BUY, limit_order(Action.SELL, 5, 5300.0), stop_order(Action.SELL, 5, 5100.0)
            )
            await settle()
            sent = gateway.heard(m.PlaceOrder)
            assert [(one.order_id, one.order.parent_id, one.order.transmit) for one in sent] == [
                (7, 0, False), (8, 7, False), (9, 7, True),
            ]  # fmt: skip
            assert [ticket.view.order_id for ticket in tickets] == [7, 8, 9]
            with pytest.raises(ValueError, match="bracket"):
                client.orders.place_bracket(ES, BUY)

    run(main)


def test_forms_of_orders():
    until = dt.datetime(2024, 6, 21, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=-4)))
    assert good_till(BUY, until) == replace(BUY, tif="GTD", good_till="20240621-13:30:00")
    with pytest.raises(TimeError):
        good_till(BUY, until.replace(tzinfo=None))
    one, other = as_oca([BUY, market_order(Action.SELL, 1)], "g1", OcaType.REDUCE_WITH_BLOCK)
    assert (one.oca_group, one.oca_type, other.oca_group) == ("g1", 2, "g1")
    with pytest.raises(ValueError, match="name"):
        as_oca([BUY], "")
    stop = stop_limit_order(Action.SELL, 1, stop=10.0, price=9.5)
    assert (stop.type, stop.aux_price, stop.limit_price) == ("STP LMT", 10.0, 9.5)
    trail = trailing_stop_order(Action.SELL, 1, percent=1.5)
    assert (trail.type, trail.trailing_percent, trail.aux_price) == ("TRAIL", 1.5, None)
    with pytest.raises(ValueError, match="give one"):
        trailing_stop_order(Action.SELL, 1)


def test_pain_11_working_orders_of_an_earlier_process_can_be_managed():
    async def main():
        async with both(trading=True) as (gateway, client):
            Desk(gateway)
            client.orders.place(ES, BUY)
            client.orders.place(ES, limit_order(Action.SELL, 1, 5300.0))
            await settle()
            await client.close()
            async with Client(config(gateway, trading=True), clock=VirtualClock()) as new:
                await settle()
                one, other = new.orders.book
                assert (one.order_id, one.phase) == (7, OrderPhase.WORKING)
                new.orders.modify(one.key, limit_order(Action.BUY, 5, 5201.0))
                new.orders.cancel(other.key)
                await settle()
                one, other = new.orders.book
                assert one.order.limit_price == 5201.0
                assert other.phase is OrderPhase.CANCELLED
                # The gateway still announces 7: the book knows better.
                assert new.orders.place(ES, BUY).view.order_id == 9

    run(main)


def test_orders_of_other_clients_are_seen_and_left_alone():
    async def main():
        async with both(client_id=2) as (gateway, client):
            foreign = m.OpenOrder(
                0, ES, replace(BUY, perm_id=77, client_id=9), m.OrderState(status="Submitted")
            )
            gateway.handlers[m.RequestAllOpenOrders] = lambda session, _: session.send(
                foreign, foreign, m.OpenOrderEnd()
            )
            assert len(await client.orders.open_orders(everyone=True)) == 1
            view = next(iter(client.orders.book))
            with pytest.raises(OrderRefusedError, match="client id 9"):
                client.orders.cancel(view.key)
            with pytest.raises(OrderRefusedError, match="client id 0"):
                client.orders.bind_manual_orders()

    run(main)


def test_what_happened_during_a_cut_is_found_out():
    async def main():
        async with both() as (gateway, client):
            desk = Desk(gateway)
            tickets = [client.orders.place(ES, BUY) for _ in range(3)]
            await tickets[-1].acknowledged()
            gateway.live.cut()
            await settle()
            with pytest.raises(NotConnectedError):
                client.orders.place(ES, BUY)
            # While nobody listens: one is filled, one is cancelled and gone, one still works.
            desk.fill(gateway.live, 7, 5, "0001.a.01.01")
            desk.orders[desk.of(7)][4] = "Filled"
            desk.orders[desk.of(8)][4] = "Cancelled"
            await settle(5)
            assert [ticket.view.phase for ticket in tickets] == [
                OrderPhase.FILLED, OrderPhase.LOST, OrderPhase.WORKING,
            ]  # fmt: skip
            assert client.orders.positions() == {("DU1", 11): Decimal(5)}

    run(main)


@pytest.mark.parametrize("code", [1101, 1102])
def test_executions_are_reconciled_when_the_line_is_back(code):
    async def main():
        async with both() as (gateway, client):
            desk = Desk(gateway)
            ticket = client.orders.place(ES, BUY)
            await ticket.acknowledged()
            gateway.notice(1100, "lost")
            await settle(60)
            desk.fills.append(
                m.ExecutionDetails(-1, 7, ES, m.Execution(
                    "0001.a.01.01", "20240326-14:30:30", "DU1", "CME", "BOT", Decimal(5), 5200.0,
                    501, 1, 0, Decimal(5), 5200.0,
                ))
            )  # fmt: skip
            desk.orders[501][4] = "Filled"
            assert ticket.view.phase is OrderPhase.WORKING
            gateway.notice(code, "restored")
            assert (await ticket.done(5)).phase is OrderPhase.FILLED

    run(main)


def test_pain_12_a_commission_that_does_not_come_is_asked_for():
    async def main():
        async with both() as (gateway, client):
            desk = Desk(gateway)
            desk.tells_commission = False
            events = client.orders.events()
            ticket = client.orders.place(ES, BUY)
            await ticket.acknowledged()
            desk.fill(gateway.live, 7, 2, "0001.a.01.01")
            desk.fill(gateway.live, 7, 3, "0001.b.01.01")
            # The fills are told at once and once; nothing waits for the commission.
            assert (await ticket.done(1)).filled == 5
            assert ticket.view.lacks_commission
            await settle(6)
            assert not ticket.view.lacks_commission
            assert len(gateway.heard(m.RequestExecutions)) == 1
            kinds = [event.kind for event in events.pending()]
            assert kinds.count(OrderEventKind.FILL) == 2
            assert kinds.count(OrderEventKind.COMMISSION) == 2

    run(main)


def test_an_order_without_an_answer_is_looked_for():
    async def main():
        async with both(order_deadline=15) as (gateway, client):
            gateway.handlers[m.PlaceOrder] = lambda *_: None
            ticket = client.orders.place(ES, BUY)
            with pytest.raises(TimeoutError):
                await ticket.acknowledged(5)
            await settle(12)
            assert ticket.view.phase is OrderPhase.LOST

    run(main)


def test_a_cancellation_that_is_never_answered_is_looked_into():
    async def main():
        async with both(order_deadline=15) as (gateway, client):
            desk = Desk(gateway)
            ticket = client.orders.place(ES, BUY)
            await ticket.acknowledged()
            gateway.handlers[m.CancelOrder] = lambda *_: None
            ticket.cancel()
            await settle(16)
            assert len(gateway.heard(m.RequestOpenOrders)) == 1
            assert ticket.view.phase is OrderPhase.WORKING
            desk.orders[501][4] = "Cancelled"
            ticket.cancel()
            await settle(16)
            assert ticket.view.phase is OrderPhase.LOST

    run(main)


def test_what_cannot_be_meant_is_not_sent():
    async def main():
        async with both() as (gateway, client):
            with pytest.raises(OrderRefusedError, match="how many"):
                client.orders.place(ES, replace(BUY, quantity=Decimal(0)))
            await settle()
            assert gateway.heard(m.PlaceOrder) == []

    run(main)


def test_fills_in_a_session_that_is_cut_at_any_byte_are_counted_once():
    async def main():
        async with both() as (gateway, client):
            desk = Desk(gateway)
            ticket = client.orders.place(ES, limit_order(Action.BUY, 50, 5200.0))
            await ticket.acknowledged()
            for n in range(50):
                session = gateway.live
                session.bytes_left = 1 + n * 13
                desk.fill(session, 7, 1, f"0001.{n:02}.01.01")
                if n == 49:
                    desk.orders[501][4] = "Filled"
                session.cut()
                await settle(61)
            view = await ticket.done(10)
            assert (view.phase, view.filled) == (OrderPhase.FILLED, 50)
            assert client.orders.positions() == {("DU1", 11): Decimal(50)}
            await asyncio.sleep(10)
            assert not ticket.view.lacks_commission

    run(main)
