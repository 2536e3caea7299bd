"""The book of orders: any interleaving of what a gateway says leads to the same position."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.ib import messages as m
from pyfutures.ib.book import OrderBook
from pyfutures.ib.codes import CODES, Kind, Reaction, meaning
from pyfutures.ib.order_forms import Action, limit_order, market_order
from pyfutures.ib.orders import (
    STATUSES,
    TRANSITIONS,
    OrderEventKind,
    OrderPhase,
    Signal,
    split_exec_id,
)

ES = m.Contract(con_id=11, symbol="ES", sec_type="FUT", exchange="CME", currency="USD")
P = OrderPhase
PERM = 900001


def status(text, filled=0, *, quantity=5, perm=PERM, order_id=1, client=1, why=""):
    return m.OrderStatus(
        order_id, text, Decimal(filled), Decimal(quantity - filled), 10.0 if filled else 0.0,
        perm, 0, 0.0, client, why,
    )  # fmt: skip


def open_order(text="Submitted", *, perm=PERM, order_id=1, order=None, client=1):
    order = order or limit_order(Action.BUY, 5, 10.0)
    return m.OpenOrder(
        order_id, ES, replace(order, perm_id=perm, client_id=client), m.OrderState(status=text)
    )


def fill(exec_id, shares, *, perm=PERM, order_id=1, client=1, side="BOT", price=10.0, con_id=11,
         ref="", sec_type="FUT"):  # fmt: skip
    return m.ExecutionDetails(
        -1, order_id, replace(ES, con_id=con_id, sec_type=sec_type),
        m.Execution(
            exec_id, "20240326-14:30:00", "DU1", "CME", side, Decimal(shares), price, perm, client,
            0, Decimal(shares), price, ref,
        ),
    )  # fmt: skip


def commission(exec_id, amount=2.05):
    return m.CommissionReport(exec_id, amount, "USD")


def error(code, text="", order_id=1):
    return m.ErrorMessage(order_id, code, text)


def new_book(order=None):
    book = OrderBook(client_id=1)
    book.place(1, ES, order or limit_order(Action.BUY, 5, 10.0))
    return book


def tell(book, *messages):
    events = []
    for message in messages:
        if isinstance(message, m.ErrorMessage):
            events += book.refuse(message, meaning(message.code, message.text))
        else:
            events += book.hear(message)
    return events


def kinds(events):
    return [event.kind for event in events]


FILLED = [
    status("PendingSubmit", perm=0), status("PreSubmitted"), status("Submitted"),
    status("Submitted"), open_order("PreSubmitted"), open_order("Submitted"),
    fill("0001.a.01.01", 2), status("Submitted", 2), open_order("Submitted"),
    commission("0001.a.01.01"), fill("0001.b.01.01", 1), fill("0001.b.01.02", 2, price=11.0),
    commission("0001.b.01.02"), commission("0001.b.01.01"), fill("0001.b.01.02", 2, price=11.0),
    fill("0001.c.01.01", 1), commission("0001.c.01.01"), status("Filled", 5), status("Filled", 5),
    open_order("Filled"),
]  # fmt: skip
CANCELLED = [
    status("PendingSubmit", perm=0), status("Submitted"), open_order(), fill("0001.a.01.01", 2),
    commission("0001.a.01.01"), status("Submitted", 2), status("PendingCancel", 2),
    status("Cancelled", 2), error(202, "Order Canceled - reason:"), status("Cancelled", 2),
    open_order("Cancelled"), error(10148, "cannot be cancelled, state: Cancelled"),
]  # fmt: skip
FILLED_WHILE_CANCELLED = [
    status("Submitted"), open_order(), status("PendingCancel"), fill("0001.a.01.01", 5),
    commission("0001.a.01.01"), error(161, "Cancel attempted"), error(202, "Order Canceled"),
    status("Filled", 5), status("Cancelled", 0), open_order("PendingCancel"),
]  # fmt: skip
REJECTED = [
    status("PendingSubmit", perm=0), error(201, "Order rejected - reason:margin"),
    status("Inactive"), open_order("Inactive"), status("Inactive"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "phase", "position"),
    [
        (FILLED, P.FILLED, 5),
        (CANCELLED, P.CANCELLED, 2),
        (FILLED_WHILE_CANCELLED, P.FILLED, 5),
        (REJECTED, P.REJECTED, 0),
    ],
    ids=["filled", "cancelled", "filled while cancelled", "rejected"],
)
@given(data=st.data())
def test_pain_09_any_interleaving_leads_to_the_same_position(said, phase, position, data):
    order = data.draw(st.permutations(range(len(said))))
    repeated = data.draw(st.lists(st.sampled_from(range(len(said))), max_size=6))
    book = new_book()
    before = book.view(1).phase
    filled = Decimal(0)
    counted = 0
    for index in (*order, *repeated):
        for event in tell(book, said[index]):
            after = event.order.phase
            if event.kind is OrderEventKind.PHASE:
                assert after in TRANSITIONS[before].values(), f"{before} -> {after}"
                before = after
            if event.kind is OrderEventKind.FILL:
                counted += 1
                assert event.order.filled > filled
                filled = event.order.filled
        view = book.view(1)
        assert view.filled == sum((one.execution.shares for one in view.fills), Decimal(0))
        assert 0 <= view.filled <= 5
        assert not (view.phase is P.FILLED and view.filled == 0 and view.status != "Filled")
    view = book.view(1)
    assert book.positions() == ({("DU1", 11): Decimal(position)} if position else {})
    assert view.phase is phase
    assert counted == len({split_exec_id(one.execution.exec_id)[0]
                           for one in said if isinstance(one, m.ExecutionDetails)})  # fmt: skip
    assert not view.lacks_commission
    assert len(book) == 1


@given(st.data())
def test_every_signal_in_every_phase_is_legal(data):
    book = new_book()
    texts = [*STATUSES, "Surprise"]
    for _ in range(data.draw(st.integers(0, 12))):
        before = book.view(1).phase
        tell(book, status(data.draw(st.sampled_from(texts)), perm=data.draw(
            st.sampled_from([0, PERM]))))  # fmt: skip
        after = book.view(1).phase
        assert after is before or after in TRANSITIONS[before].values()


def test_the_table_is_complete_and_ends():
    assert set(TRANSITIONS) == set(P)
    for phase, row in TRANSITIONS.items():
        assert set(row) <= set(Signal)
        assert phase not in row.values()
    assert TRANSITIONS[P.FILLED] == {}


def test_fills_before_the_acknowledgement():
    book = new_book()
    events = tell(book, fill("0001.a.01.01", 5), status("Submitted"), status("Filled", 5))
    assert kinds(events) == [OrderEventKind.FILL, OrderEventKind.PHASE]
    view = book.view(1)
    assert (view.phase, view.perm_id, view.filled) == (P.FILLED, PERM, 5)


def test_a_fast_market_order_without_any_status():
    book = new_book(market_order(Action.BUY, 5))
    tell(book, open_order(order=market_order(Action.BUY, 5)), fill("0001.a.01.01", 5))
    assert book.view(1).phase is P.FILLED


def test_a_partly_filled_order_does_not_go_back():
    book = new_book()
    events = tell(book, status("Submitted"), fill("0001.a.01.01", 2), open_order("Submitted"),
                  open_order("PreSubmitted"), status("PendingSubmit"))  # fmt: skip
    assert [event.order.phase for event in events] == [P.WORKING, P.WORKING]
    assert book.view(1).filled == 2


def test_a_correction_replaces_its_fill():
    book = new_book()
    events = tell(book, fill("0001.a.01.01", 3), commission("0001.a.01.01"),
                  fill("0001.a.01.02", 2, price=9.0), fill("0001.a.01.01", 3))  # fmt: skip
    assert kinds(events) == [
        OrderEventKind.FILL, OrderEventKind.COMMISSION, OrderEventKind.CORRECTION,
    ]  # fmt: skip
    view = book.view(1)
    assert (view.filled, view.average_price, view.lacks_commission) == (2, 9.0, True)


@pytest.mark.parametrize(
    ("exec_id", "parts"),
    [
        ("0000e0d5.6548d4a1.01.01", ("0000e0d5.6548d4a1.01", 1)),
        ("0000e0d5.6548d4a1.01.02", ("0000e0d5.6548d4a1.01", 2)),
        ("0000e0d5.6548d4a1.02.01", ("0000e0d5.6548d4a1.02", 1)),
        ("sim.1", ("sim.1", 0)),
        ("plain", ("plain", 0)),
    ],
)
def test_ids_of_fills(exec_id, parts):
    assert split_exec_id(exec_id) == parts


def test_commission_before_its_fill():
    book = new_book()
    events = tell(book, commission("0001.a.01.01"), fill("0001.a.01.01", 5))
    assert events[0].fill.commission.commission == 2.05
    assert not book.view(1).lacks_commission


def test_pain_08_two_sessions_with_the_same_order_id():
    book = OrderBook(client_id=1)
    # Of this morning's session, as executions asked for tell it.
    tell(book, fill("0001.a.01.01", 5, perm=111, order_id=7, side="SLD"),
         commission("0001.a.01.01"))  # fmt: skip
    # The gateway counts from 7 again, and the order of now is filled before it has a number.
    book.place(7, ES, limit_order(Action.BUY, 2, 10.0))
    tell(book, fill("0002.b.01.01", 2, perm=222, order_id=7), status("Filled", 2, perm=222,
         order_id=7, quantity=2),
         fill("0001.a.01.01", 5, perm=111, order_id=7, side="SLD"))  # fmt: skip
    views = {view.perm_id: view for view in book}
    assert (views[111].filled, views[111].is_own) == (5, False)
    assert (views[222].filled, views[222].phase, views[222].is_own) == (2, P.FILLED, True)
    assert book.positions() == {("DU1", 11): Decimal(-3)}


@pytest.mark.parametrize("contradiction", [{"side": "SLD"}, {"con_id": 12}, {"ref": "other"}])
def test_pain_08_what_contradicts_an_order_is_of_another(contradiction):
    book = new_book(replace(limit_order(Action.BUY, 5, 10.0), order_ref="mine"))
    tell(book, fill("0001.a.01.01", 5, perm=333, **contradiction))
    assert book.view(1).fills == ()
    assert book.view(1).phase is P.SENT
    assert len(book) == 2


def test_pain_08_orders_of_others_with_order_id_0():
    book = OrderBook(client_id=1)
    tell(book, open_order(perm=1, order_id=0, client=0), open_order(perm=2, order_id=0, client=0),
         status("Submitted", perm=2, order_id=0, client=0),
         fill("0001.a.01.01", 1, perm=1, order_id=0, client=0))  # fmt: skip
    assert [(view.perm_id, view.filled) for view in book] == [(1, 1), (2, 0)]
    tell(book, m.OrderBound(2, 1, -5))
    assert [view.order_id for view in book] == [0, -5]
    assert book.find(-5).perm_id == 2


@pytest.mark.parametrize(
    "row", [row for row in CODES.values() if row.kind is Kind.ORDER], ids=lambda row: str(row.code)
)
def test_pain_10_each_order_code_does_what_the_table_says(row):
    after = {
        Reaction.REJECT: P.REJECTED,
        Reaction.CANCELLED: P.CANCELLED,
        Reaction.KEEP: P.WORKING,
        Reaction.WARN: P.WORKING,
    }[row.reaction]
    book = new_book()
    tell(book, open_order(), status("Submitted"))
    events = tell(book, error(row.code, row.text))
    expected = P.WORKING if row.code == 103 else after
    assert book.view(1).phase is expected
    assert len(events) == 1
    if expected is P.WORKING:
        assert str(row.code) in book.view(1).warnings[0]
    # The gateway has the last word: a new status that it works says that it lives.
    if expected is P.REJECTED:
        tell(book, status("Submitted"))
        assert book.view(1).phase is P.REJECTED
        tell(book, status("PreSubmitted"))
        assert book.view(1).phase is P.WORKING


def test_pain_10_10349_looks_like_an_error_and_the_order_fills():
    book = new_book()
    tell(book, error(10349, "Order TIF was set to DAY based on order preset."),
         fill("0001.a.01.01", 5))  # fmt: skip
    assert book.view(1).phase is P.FILLED


def test_pain_10_a_code_that_nobody_listed_kills_nothing():
    book = new_book()
    events = tell(book, error(10999, "something new"))
    assert kinds(events) == [OrderEventKind.WARNING]
    assert book.view(1).phase is P.SENT


def test_pain_10_inactive_may_be_held_and_come_back():
    book = new_book()
    tell(book, status("Inactive", why="locate"))
    assert (book.view(1).phase, book.view(1).why_held) == (P.HELD, "locate")
    tell(book, status("Submitted"))
    assert book.view(1).phase is P.WORKING


@pytest.mark.parametrize("code", [104, 105, 110, 201, 321])
def test_pain_10_a_modification_that_is_refused_leaves_the_order_live(code):
    book = new_book()
    tell(book, open_order(), status("Submitted"))
    book.modify(1, limit_order(Action.BUY, 5, 10.003))
    events = tell(book, open_order(), error(code, "no"))
    assert kinds(events) == [OrderEventKind.REFUSED]
    view = book.view(1)
    assert (view.phase, view.order.limit_price) == (P.WORKING, 10.0)


def test_a_modification_that_is_taken():
    book = new_book()
    tell(book, open_order(), status("Submitted"))
    changed = limit_order(Action.BUY, 5, 11.0)
    book.modify(1, changed)
    assert book.is_asking(1)
    tell(book, open_order(order=changed))
    assert not book.is_asking(1)
    # Too late to refuse it now: this is about the order, and not the end of it.
    tell(book, error(10148, "cannot be cancelled"))
    assert book.view(1).order.limit_price == 11.0


def test_pain_10_a_modification_during_a_loss_makes_two_orders():
    book = new_book()
    tell(book, open_order(), status("Submitted"))
    tell(book, status("Submitted", perm=PERM + 1), fill("0001.a.01.01", 5, perm=PERM + 1),
         fill("0001.b.01.01", 5))  # fmt: skip
    assert sorted(view.perm_id for view in book) == [PERM, PERM + 1]
    assert [view.filled for view in book] == [5, 5]


def test_what_is_lost_and_what_is_found_again():
    book = new_book()
    book.place(2, ES, limit_order(Action.SELL, 1, 20.0))
    tell(book, open_order(), status("Submitted"))
    events = book.reconcile([open_order()], placed_up_to=2)
    assert [view.phase for view in book] == [P.WORKING, P.LOST]
    assert kinds(events) == [OrderEventKind.PHASE]
    # It was on its way after all.
    tell(book, status("Submitted", perm=5, order_id=2, quantity=1))
    assert book.view(2).phase is P.WORKING
    # An order placed after the question was asked is not missing in the answer.
    book.place(3, ES, limit_order(Action.SELL, 1, 20.0))
    book.reconcile([open_order(), open_order(perm=5, order_id=2)], placed_up_to=2)
    assert book.view(3).phase is P.SENT


@pytest.mark.parametrize("phase", [P.REJECTED, P.CANCELLING, P.LOST])
def test_the_answer_to_what_is_open_revives(phase):
    book = new_book()
    tell(book, open_order(), status("Submitted"))
    if phase is P.REJECTED:
        tell(book, error(201, "no"))
    elif phase is P.CANCELLING:
        tell(book, status("PendingCancel"))
    else:
        book.reconcile([], placed_up_to=1)
    assert book.view(1).phase is phase
    tell(book, open_order())  # an echo does not, unless nothing was known
    assert book.view(1).phase is (P.WORKING if phase is P.LOST else phase)
    book.reconcile([open_order()], placed_up_to=1)
    assert book.view(1).phase is P.WORKING


@pytest.mark.parametrize(("state", "phase"), [("Filled", P.FILLED), ("Cancelled", P.CANCELLED)])
def test_completed_orders_tell_how_it_ended(state, phase):
    book = new_book(replace(limit_order(Action.BUY, 5, 10.0), order_ref="mine"))
    order = replace(limit_order(Action.BUY, 5, 10.0), order_ref="mine", perm_id=PERM)
    tell(book, m.CompletedOrder(ES, order, m.OrderState(status=state)))
    book.reconcile([], placed_up_to=1)
    assert (book.view(1).phase, book.view(1).perm_id) == (phase, PERM)


def test_a_spread_counts_itself_once_and_its_legs_in_positions():
    spread = m.Contract(symbol="ES", sec_type="BAG", exchange="CME")
    book = OrderBook(client_id=1)
    book.place(1, spread, limit_order(Action.BUY, 2, 1.5))
    tell(book, fill("0001.a.01.01", 2, con_id=99, sec_type="BAG"),
         fill("0001.a.02.01", 2, con_id=11),
         fill("0001.a.03.01", 2, con_id=12, side="SLD"))  # fmt: skip
    view = book.view(1)
    assert (view.filled, view.phase, len(view.fills)) == (2, P.FILLED, 3)
    assert book.positions() == {("DU1", 11): Decimal(2), ("DU1", 12): Decimal(-2)}
