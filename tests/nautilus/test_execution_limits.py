"""Limits: the worst that open orders can lead to, on paper and by trying every sequence."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.nautilus.config import Limit
from pyfutures.nautilus.execution.accounts import (
    AccountRefusedError,
    chosen_account,
    is_paper,
    masked,
)
from pyfutures.nautilus.execution.limits import LimitExceededError, Pending, check, worst

H, M, U = 1, 2, 3


def order(key, signed, *con_ids, group="", parent=None):
    signs = (1,) if len(con_ids) == 1 else (1, -1)
    legs = tuple(zip(con_ids, signs, strict=True))
    return Pending(key, Decimal(signed), legs, group, parent)


CASES = [
    # held, orders, months, lowest and highest
    ({}, [], [H], (0, 0)),
    ({H: 3}, [], [H], (3, 3)),
    ({H: 3}, [order(1, 2, H), order(2, -1, H)], [H], (2, 5)),
    ({H: 3}, [order(1, 2, M)], [H], (3, 3)),
    ({H: 3}, [order(1, 2, M)], [H, M], (3, 5)),
    # A spread moves both months and not their sum.
    ({H: 3}, [order(1, -3, H, M)], [H], (0, 3)),
    ({H: 3}, [order(1, -3, H, M)], [M], (0, 3)),
    ({H: 3}, [order(1, -3, H, M)], [H, M], (3, 3)),
    # Of a group one fills.
    ({H: 2}, [order(1, -2, H, group="a"), order(2, -2, H, group="a")], [H], (0, 2)),
    # A bracket: the children close what the parent opens.
    (
        {},
        [
            order(1, 1, H),
            order(2, -1, H, group="a", parent=1),
            order(3, -1, H, group="a", parent=1),
        ],
        [H],
        (0, 1),
    ),
]


@pytest.mark.parametrize(("held", "orders", "months", "expected"), CASES)
def test_the_worst_case_on_paper(held, orders, months, expected):
    assert worst({k: Decimal(v) for k, v in held.items()}, orders, months) == expected


@given(st.lists(st.integers(-4, 4).filter(bool), max_size=6), st.integers(-5, 5))
def test_no_sequence_of_fills_is_worse(sizes, start):
    orders = [order(n, size, H) for n, size in enumerate(sizes)]
    low, high = worst({H: Decimal(start)}, orders, [H])
    reached = [
        start + sum(chosen)
        for count in range(len(sizes) + 1)
        for chosen in itertools.combinations(sizes, count)
    ]
    assert (low, high) == (min(reached), max(reached))


def checked(limit, new, held=None, orders=()):
    check(
        "ES", limit, new, quantities=[abs(x.signed) for x in new],
        held={k: Decimal(v) for k, v in (held or {}).items()}, orders=list(orders),
        months=[H, M, U],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "new", "held", "orders"),
    [
        (Limit(max_order_size=2), order(0, 3, H), {}, []),
        (Limit(max_position=2), order(0, 3, H), {}, []),
        (Limit(max_position=2), order(0, -3, H), {}, []),
        (Limit(max_position=2), order(0, 1, H), {H: 1}, [order(1, 1, H)]),
        (Limit(max_position=2), order(0, 1, M), {H: 2}, []),  # all months together
        (Limit(max_position=2), order(0, 3, H, M), {}, []),  # a leg of a spread
        (Limit(max_position=0), order(0, 1, H), {}, []),
        # What is too much on one side is no leave to be too much on the other.
        (Limit(max_position=2), order(0, -9, H), {H: 5}, []),
        (Limit(max_position=2), order(0, 8, H), {H: -5}, []),
        (Limit(max_position=2), order(0, -4, H), {H: 5}, [order(1, -4, H)]),
    ],
)
def test_what_is_refused(limit, new, held, orders):
    with pytest.raises(LimitExceededError, match="ES"):
        checked(limit, [new], held, orders)


@pytest.mark.parametrize(
    ("limit", "new", "held", "orders"),
    [
        (Limit(), order(0, 1000, H), {}, []),
        (Limit(max_order_size=2), order(0, 2, H), {H: 50}, []),
        (Limit(max_position=2), order(0, -5, H), {H: 5}, []),  # closes what is too much
        (Limit(max_position=2), order(0, -7, H), {H: 5}, []),
        (Limit(max_position=2), order(0, -2, H, M), {H: 2}, []),  # a roll
        (Limit(max_position=2), order(0, 1, H), {H: 1}, [order(1, -1, H)]),
    ],
)
def test_what_is_allowed(limit, new, held, orders):
    checked(limit, [new], held, orders)


@given(
    st.lists(st.tuples(st.integers(-3, 3).filter(bool), st.sampled_from([H, M])), max_size=30),
    st.integers(0, 5),
    st.randoms(),
)
def test_what_passes_never_exceeds_the_limit_however_it_fills(tries, most, random):
    held, open_ones = {}, {}
    for number, (size, month) in enumerate(tries):
        new = order(number, size, month)
        try:
            checked(Limit(max_position=most), [new], held, open_ones.values())
        except LimitExceededError:
            continue
        open_ones[number] = new
        for key in [key for key in open_ones if random.random() < 0.5]:
            filled = open_ones.pop(key)
            con_id = filled.legs[0][0]
            held[con_id] = held.get(con_id, 0) + int(filled.signed)
        assert all(abs(total) <= most for total in held.values())
        assert abs(sum(held.values())) <= most


@pytest.mark.parametrize(
    ("account", "expected"),
    [("DU1234567", True), ("DF1234567", True), ("DI1234567", True), ("U1234567", False),
     ("F1234567", False), ("I1234567", False)],
)  # fmt: skip
def test_paper_accounts_begin_with_d(account, expected):
    assert is_paper(account) is expected


def test_accounts_are_masked_wherever_they_are_named():
    assert masked("DU1234567") == "DU***67"
    assert masked("DU12") == "****"
    for accounts, wanted in ((["DU1234567"], "DU7654321"), (["DU1234567", "DU7654321"], None)):
        with pytest.raises(AccountRefusedError) as refused:
            chosen_account(accounts, wanted)
        assert "1234567" not in str(refused.value)
        assert "7654321" not in str(refused.value)
