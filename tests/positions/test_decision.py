"""What is ordered next, told case by case; the numbers are arithmetic on paper."""

# ruff: noqa: E501 - a case a line
from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from pyfutures.months import ContractMonth
from pyfutures.positions import (
    Cancel,
    Done,
    Ended,
    Facts,
    Halt,
    Move,
    MoveId,
    MoveOrder,
    MoveRules,
    OrderKind,
    OrderRef,
    Place,
    Quote,
    Reprice,
    State,
    Wait,
    decide,
    spread_quote,
    step_price,
)

H, M = ContractMonth(2026, 3), ContractMonth(2026, 6)
SECOND = 10**9
NOW = 1_000_000 * SECOND
CREATED = dt.datetime(2026, 3, 10, 14, 30, tzinfo=dt.UTC)
ROLL = MoveId("ES", H, M, CREATED)
TICK = Decimal("0.25")
RULES = MoveRules(steps=3, step_secs=10, stale_secs=60)
# The spread H - M is then -50.75 bid, -49.75 asked: 100.00 - 150.75 and 100.50 - 150.25.
QUOTES = {
    H: Quote(Decimal("100.00"), Decimal("100.50"), NOW),
    M: Quote(Decimal("150.25"), Decimal("150.75"), NOW),
}
MOVE = Move(ROLL, {M: 2})


def ref(text: str) -> OrderRef:
    kind = OrderKind.SPREAD if text[0] == "S" else OrderKind.LEG
    return OrderRef(ROLL, kind, int(text[1:]))


def order(text: str, state: State = State.WORKING, **known: object) -> MoveOrder:
    legs = {H: -2, M: 2} if text[0] == "S" else {H: -2}
    return MoveOrder(ref(text), legs, state, known.pop("sent", NOW), **known)  # type: ignore[arg-type]


def facts(*orders: MoveOrder, position: dict[ContractMonth, int], **known: object) -> Facts:
    known = {"now_ns": NOW, "quotes": QUOTES, "tick": TICK, "liquid": True} | known
    return Facts(position=position, orders=orders, **known)  # type: ignore[arg-type]


LATE = NOW - 10 * SECOND
IN_H, IN_M = {H: 2}, {M: 2}
# Middle of -50.75 and -49.75 is -50.25; the move sells it, so the last of 3 steps is -50.75.
CASES = [
    ("nothing sent: the spread at its middle", facts(position=IN_H), [Place(ref("S1"), {H: -2, M: 2}, Decimal("-50.25"))]),
    ("there already", facts(position=IN_M), [Done()]),
    ("sent and not answered", facts(order("S1", State.IN_FLIGHT, sent=LATE), position=IN_H), [Wait]),
    ("its step is not over", facts(order("S1"), position=IN_H), [Wait]),
    ("next step: half way to the bid", facts(order("S1", sent=LATE), position=IN_H), [Reprice(ref("S1"), Decimal("-50.50"), 1)]),
    ("last step: the bid", facts(order("S1", sent=LATE, step=1), position=IN_H), [Reprice(ref("S1"), Decimal("-50.75"), 2)]),
    ("after the last step", facts(order("S1", sent=LATE, step=2), position=IN_H), [Cancel(ref("S1"), Ended.EXHAUSTED)]),
    ("no quotes for the next step", facts(order("S1", sent=LATE), position=IN_H, quotes={}), [Wait]),
    ("stale quotes for the next step", facts(order("S1", sent=LATE), position=IN_H, now_ns=NOW + 61 * SECOND), [Wait]),
    ("hours end: pulled", facts(order("S1"), position=IN_H, liquid=False), [Cancel(ref("S1"), Ended.PAUSED)]),
    ("hours are over: nothing is sent", facts(position=IN_H, liquid=False), [Wait]),
    ("pulled at the end of the hours: again from the first step", facts(order("S1", State.DONE, ended=Ended.PAUSED, step=1), position=IN_H), [Place(ref("S2"), {H: -2, M: 2}, Decimal("-50.25"))]),
    ("its cancel is on the way: no legs yet", facts(order("S1", State.IN_FLIGHT, step=2), position=IN_H), [Wait]),
    ("exhausted: legs for all", facts(order("S1", State.DONE, ended=Ended.EXHAUSTED), position=IN_H), [Place(ref("L2"), {H: -2}, None), Place(ref("L3"), {M: 2}, None)]),
    ("exhausted half done: legs for what remains", facts(order("S1", State.DONE, ended=Ended.EXHAUSTED, filled=1), position={H: 1, M: 1}), [Place(ref("L2"), {H: -1}, None), Place(ref("L3"), {M: 1}, None)]),
    ("one leg of the spread came alone", facts(order("S1", State.DONE, ended=Ended.REFUSED), position={H: 1}), [Place(ref("L2"), {H: -1}, None), Place(ref("L3"), {M: 2}, None)]),
    ("no more spread after legs", facts(order("L1", State.DONE, ended=Ended.REFUSED, sent=LATE), position=IN_H), [Place(ref("L2"), {H: -2}, None), Place(ref("L3"), {M: 2}, None)]),
    ("a leg works", facts(order("L1"), position=IN_H), [Wait]),
    ("a leg works for too long", facts(order("L1", sent=NOW - 60 * SECOND), position=IN_H), [Halt]),
    ("third refusal", facts(*(order(f"L{n}", State.DONE, ended=Ended.REFUSED) for n in (1, 2, 3)), position=IN_H), [Halt]),
    ("killed: a working order goes", facts(order("S1"), position=IN_H, killed=True), [Cancel(ref("S1"), Ended.PAUSED)]),
    ("a leg refused just now: the other one first", facts(order("L1", State.DONE, ended=Ended.REFUSED), position=IN_H), [Place(ref("L2"), {M: 2}, None)]),
    ("a leg refused just now and the other one there: waits", facts(order("L1", State.DONE, ended=Ended.REFUSED), position={H: 2, M: 2}), [Wait]),
    ("its cancel was refused just now", facts(order("S1", step=2, ended=Ended.EXHAUSTED), position=IN_H), [Wait]),
    ("its cancel was refused: again, and for the same reason", facts(order("S1", sent=LATE, step=2, ended=Ended.EXHAUSTED), position=IN_H), [Cancel(ref("S1"), Ended.EXHAUSTED)]),
    ("asked to go by the kill switch that is off again: it still goes", facts(order("S1", sent=LATE, ended=Ended.PAUSED), position=IN_H), [Cancel(ref("S1"), Ended.PAUSED)]),
    ("killed: nothing is sent", facts(position=IN_H, killed=True), [Wait]),
    ("killed when done", facts(position=IN_M, killed=True), [Done()]),
    ("no quotes: waits", facts(position=IN_H, quotes={}), [Wait]),
]  # fmt: skip


@pytest.mark.parametrize(("_name", "known", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_is_next(_name, known, expected):
    found = decide(MOVE, known, RULES)
    assert len(found) == len(expected)
    for action, wanted in zip(found, expected, strict=True):
        assert isinstance(action, wanted) if isinstance(wanted, type) else action == wanted


def test_a_short_position_buys_the_near_month():
    (placed,) = decide(Move(ROLL, {M: -2}), facts(position={H: -2}), RULES)
    assert placed == Place(ref("S1"), {H: 2, M: -2}, Decimal("-50.25"))


def test_a_roll_that_resizes_is_a_spread_for_what_both_months_share():
    (placed,) = decide(Move(ROLL, {M: 5}), facts(position={H: 2}), RULES)
    assert placed.legs == {H: -2, M: 2}
    (leg,) = decide(
        Move(ROLL, {M: 5}),
        facts(order("S1", State.DONE, ended=Ended.FILLED), position={M: 2}),
        RULES,
    )
    assert leg == Place(ref("L2"), {M: 3}, None)


def test_an_opening_is_one_leg():
    opening = MoveId("ES", None, M, CREATED)
    (leg,) = decide(Move(opening, {M: 2}), facts(position={}), RULES)
    assert leg == Place(OrderRef(opening, OrderKind.LEG, 1), {M: 2}, None)


def test_legs_alone_if_spreads_are_off():
    found = decide(MOVE, facts(position=IN_H), MoveRules(spread=False))
    assert [action.legs for action in found] == [{H: -2}, {M: 2}]


def test_near_the_deadline_legs_go_without_quotes():
    move = Move(ROLL, {M: 2}, deadline_ns=NOW + 3600 * SECOND)
    assert [action.price for action in decide(move, facts(position=IN_H, quotes={}), RULES)] == [
        None,
        None,
    ]


def test_near_the_deadline_a_spread_is_not_left_without_quotes():
    move = Move(ROLL, {M: 2}, deadline_ns=NOW + 3600 * SECOND)
    known = facts(order("S1", sent=LATE), position=IN_H, quotes={})
    assert decide(move, known, RULES) == (Cancel(ref("S1"), Ended.EXHAUSTED),)


@pytest.mark.parametrize("liquid", [True, False])
def test_past_the_deadline_it_halts_and_says_what_is_left(liquid):
    known = facts(position=IN_H, liquid=liquid)
    (halt,) = decide(Move(ROLL, {M: 2}, deadline_ns=NOW), known, RULES)
    assert isinstance(halt, Halt)
    assert "past the deadline with -2 2026H, +2 2026M to trade" in halt.reason


@pytest.mark.parametrize(
    ("buy", "step", "price"),
    [
        # -50.75 to -49.75 in 5 steps of an eighth: a buyer rounds down, a seller up.
        (True, 0, "-50.25"), (True, 1, "-50.25"), (True, 2, "-50.00"), (True, 3, "-50.00"), (True, 4, "-49.75"),
        (False, 0, "-50.25"), (False, 1, "-50.25"), (False, 2, "-50.50"), (False, 3, "-50.50"), (False, 4, "-50.75"),
        (True, 9, "-49.75"),
    ],
)  # fmt: skip
def test_steps_walk_from_the_middle_to_the_other_side(buy, step, price):
    quote = spread_quote(QUOTES[H], QUOTES[M])
    assert (quote.bid, quote.ask) == (Decimal("-50.75"), Decimal("-49.75"))
    assert step_price(quote, buy=buy, step=step, tick=TICK, rules=MoveRules()) == Decimal(price)


def test_beyond_the_other_side_by_ticks():
    quote = spread_quote(QUOTES[H], QUOTES[M])
    rules = MoveRules(steps=1, beyond=2)
    assert step_price(quote, buy=True, step=0, tick=TICK, rules=rules) == Decimal("-49.25")
    assert step_price(quote, buy=False, step=0, tick=TICK, rules=rules) == Decimal("-51.25")


@pytest.mark.parametrize(
    "text", ["ES-2026H-2026M-20260310T143000-S1", "COIL_Z-FLAT-2026Z-20260310T143000-L12"]
)
def test_a_reference_is_read_back(text):
    found = OrderRef.parse(text)
    assert str(found) == text
    assert MoveId.parse(str(found.move)) == found.move


@pytest.mark.parametrize(
    "text", ["", "O-20260310-143000-001-000-1", "ES-2026H-2026M-20260310T143000"]
)
def test_an_order_of_somebody_else_is_none_of_ours(text):
    assert OrderRef.parse(text) is None


@pytest.mark.parametrize("text", ["ES", "ES-2026H-2026M", "ES-2026H-2026M-2026"])
def test_no_id(text):
    with pytest.raises(ValueError, match="is no id of a move"):
        MoveId.parse(text)


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"attempts": 0}, {"step_secs": 0}, {"retry_secs": 0}, {"beyond": -1}]
)
def test_rules_that_would_never_send(wrong):
    with pytest.raises(ValueError, match=r"at least 1|above 0|not below 0"):
        MoveRules(**wrong)
