"""A position is put right by way of a quantity that no order of the cache has."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.nautilus.execution.reports import detour


@pytest.mark.parametrize(
    ("held", "wanted", "sizes", "found"),
    [
        (0, 4, {4}, 5),
        (0, 4, {4, 1}, 6),
        (4, 0, {4}, 5),
        (-2, -4, {2}, -5),
        (-4, 0, {4, 1}, -6),
        (5, 4, {1}, 7),
    ],
)
def test_the_way_round(held, wanted, sizes, found):
    assert detour(Decimal(held), Decimal(wanted), set(map(Decimal, sizes))) == found


QUANTITIES = st.integers(-9, 9).map(Decimal)


@given(QUANTITIES, QUANTITIES, st.sets(st.integers(1, 12).map(Decimal)))
def test_no_step_of_it_is_as_large_as_an_order(held, wanted, sizes):
    if held == wanted:
        return
    found = detour(held, wanted, sizes)
    assert {abs(found - held), abs(wanted - found)}.isdisjoint({*sizes, Decimal(0)})
    assert found * (wanted or held) > 0
