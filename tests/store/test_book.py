"""Intents before orders, fills counted once, and an audit that only grows."""

from __future__ import annotations

import pytest

from pyfutures.store import IntentError, Owner, Store
from tests.store.tools import ACCOUNT

MOVE = "ES-2026H-2026M-20260310T143000"
ME = Owner.here("TRADER-001")


@pytest.fixture
def lease(store):
    with store.lease(ACCOUNT, "ES", ME) as held:
        yield held


@pytest.fixture
def book(store, lease):
    return store.book(lease, strategy="ROLL-ES")


def _kinds(store, **options):
    return [entry.kind for entry in store.audit(ACCOUNT, **options)]


def test_an_intent_is_open_until_it_is_ended(store, book):
    begun = book.begin(MOVE, {"desired": {"2026M": 3}})
    assert (begun.id, begun.is_open, begun.payload) == (MOVE, True, {"desired": {"2026M": 3}})
    assert book.open_intents() == store.open_intents(ACCOUNT, "ES") == (begun,)
    with pytest.raises(IntentError, match="written before"):
        book.begin(MOVE, {})
    book.finish(MOVE, "moved", {"spreads": 3})
    assert book.open_intents() == ()
    with pytest.raises(IntentError, match="not open in the book of ROLL-ES on account DU1234567"):
        book.finish(MOVE, "again")
    with pytest.raises(IntentError):
        book.begin(MOVE, {})
    assert _kinds(store, intent=MOVE) == ["intent", "ended"]


def test_a_strategy_ends_only_its_own(store, lease, book):
    book.begin(MOVE, {})
    with pytest.raises(IntentError):
        store.book(lease, strategy="OTHER").finish(MOVE, "mine")
    assert len(store.open_intents(ACCOUNT)) == 1
    assert store.open_intents(ACCOUNT, "NQ") == store.open_intents("DU7654321") == ()


def test_a_fill_counts_once(store, book):
    fill = {"execution": "0000e0d5.1", "at_ns": 7, "intent": MOVE, "order_ref": f"{MOVE}-S1"}
    assert book.fill("ESH26.XCME", -2, **fill, payload={"price": "5432.25"})
    assert not book.fill("ESH26.XCME", -2, **fill)
    # The other leg of a spread may have the same id of execution.
    assert book.fill("ESM26.XCME", 2, **fill)
    assert book.position() == {"ESH26.XCME": -2, "ESM26.XCME": 2}
    first, second = store.audit(ACCOUNT, "ES")
    assert first.payload == {
        "contract": "ESH26.XCME", "execution": "0000e0d5.1", "quantity": -2, "at_ns": 7,
        "price": "5432.25",
    }  # fmt: skip
    assert (first.intent, first.order_ref, first.number < second.number) == (
        MOVE, f"{MOVE}-S1", True,
    )  # fmt: skip


def test_two_strategies_report_one_fill(store, lease, book):
    other = store.book(lease, strategy="OTHER")
    assert book.fill("ESH26.XCME", 1, execution="1", at_ns=1)
    assert not other.fill("ESH26.XCME", 1, execution="1", at_ns=1)
    assert store.positions(ACCOUNT) == {"ES": {"ESH26.XCME": 1}}


def test_positions_add_up_over_strategies_and_roots(store, lease, book):
    """COIL and COIL_Z are one contract at the broker."""
    for root, strategy, quantity in (("COIL", "A", 3), ("COIL", "B", -1), ("COIL_Z", "A", 2)):
        with store.lease(ACCOUNT, root, ME) as held:
            name = f"{root} {strategy}"
            store.book(held, strategy=strategy).fill(
                "COILZ26.IFEU", quantity, execution=name, at_ns=1
            )
    book.fill("ESH26.XCME", 1, execution="1", at_ns=1)
    book.fill("ESH26.XCME", -1, execution="2", at_ns=2)
    assert store.positions(ACCOUNT) == {
        "COIL": {"COILZ26.IFEU": 2},
        "COIL_Z": {"COILZ26.IFEU": 2},
    }
    assert book.position() == {}


def test_what_was_no_fill_is_written_with_its_reason(store, book):
    book.adjust("ESH26.XCME", 5, reason="bought by hand", intent=MOVE)
    book.adjust("ESH26.XCME", -2, reason="expired")
    assert book.position() == {"ESH26.XCME": 3}
    assert [x.payload["reason"] for x in store.audit(ACCOUNT)] == ["bought by hand", "expired"]


def test_notes_are_kept_in_order(store, book):
    for n in range(5):
        book.note("order", {"n": n}, order_ref=f"{MOVE}-L{n}")
    assert [entry.payload["n"] for entry in store.audit(ACCOUNT, last=3)] == [2, 3, 4]
    assert _kinds(store, root="NQ") == []


def test_a_note_that_json_cannot_say_is_refused_whole(store, book):
    with pytest.raises(ValueError, match="Out of range float"):
        book.fill("ESH26.XCME", 1, execution="1", at_ns=1, payload={"price": float("nan")})
    assert book.position() == {}
    assert book.fill("ESH26.XCME", 1, execution="1", at_ns=1)


def test_it_is_all_there_when_the_store_is_opened_again(target):
    with Store.open(target) as store, store.lease(ACCOUNT, "ES", ME) as lease:
        book = store.book(lease, strategy="ROLL-ES")
        book.begin(MOVE, {"a": 1})
        book.fill("ESH26.XCME", 4, execution="1", at_ns=1)
    with Store.open(target) as store:
        assert store.positions(ACCOUNT) == {"ES": {"ESH26.XCME": 4}}
        assert [intent.id for intent in store.open_intents(ACCOUNT)] == [MOVE]
        assert _kinds(store) == ["intent", "fill"]
