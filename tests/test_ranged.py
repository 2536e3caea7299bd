from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.months import ContractMonth
from pyfutures.ranged import Ranged, RangeError, Span


def m(text: str | None) -> ContractMonth | None:
    return None if text is None else ContractMonth.parse(text)


def spans(*rows: tuple[str | None, str | None, str]) -> tuple[Span[str], ...]:
    return tuple(Span(m(start), m(until), value) for start, until, value in rows)


# The trading class of FTSE MIB at IDEM, and a made-up gap before it.
CLASSES = Ranged(spans((None, "2020Z", "OLD"), ("2021H", "2024G", "FTMIB"), ("2024H", None, "FIB")))


@pytest.mark.parametrize(
    ("month", "value"),
    [
        ("1970F", "OLD"),
        ("2020Z", "OLD"),
        ("2021F", None),
        ("2021G", None),
        ("2021H", "FTMIB"),
        ("2024G", "FTMIB"),
        ("2024H", "FIB"),
        ("2199Z", "FIB"),
    ],
)
def test_both_bounds_belong_to_their_span(month: str, value: str | None) -> None:
    assert CLASSES.at(ContractMonth.parse(month)) == value


def test_a_constant_holds_for_all_months() -> None:
    constant = Ranged.constant(5)
    assert constant.at(ContractMonth(1900, 1)) == constant.at(ContractMonth(2199, 12)) == 5
    assert constant.values == (5,)
    assert constant == Ranged((Span(None, None, 5),))


def test_it_prints_its_spans() -> None:
    assert str(CLASSES) == "OLD until 2020Z, FTMIB from 2021H until 2024G, FIB from 2024H"


def test_map_keeps_the_spans() -> None:
    lower = CLASSES.map(str.lower)
    assert lower.values == ("old", "ftmib", "fib")
    assert [(s.start, s.until) for s in lower.spans] == [(s.start, s.until) for s in CLASSES.spans]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2020X", "2021J", [(slice(0, 2), "OLD"), (slice(4, 6), "FTMIB")]),
        ("2024G", "2024H", [(slice(0, 1), "FTMIB"), (slice(1, 2), "FIB")]),
        ("2021F", "2021G", []),
        ("2030F", "2030Z", [(slice(0, 12), "FIB")]),
        ("2030Z", "2030F", []),
    ],
)
def test_select(first: str, last: str, expected: list[tuple[slice, str]]) -> None:
    found = list(CLASSES.select(ContractMonth.parse(first), ContractMonth.parse(last)))
    assert found == expected


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "there is no span"),
        ([("2021H", "2021G", "X")], "the span of X from 2021H until 2021G ends before it starts"),
        ([(None, None, "X"), ("2021H", None, "Z")], "overlap or are out of order"),
        ([(None, "2021H", "X"), (None, None, "Z")], "overlap or are out of order"),
        ([(None, "2021H", "X"), ("2021H", None, "Z")], "X until 2021H and Z from 2021H overlap"),
        ([("2022F", None, "X"), (None, "2021Z", "Z")], "overlap or are out of order"),
    ],
)
def test_spans_that_leave_it_open_are_refused(
    rows: list[tuple[str | None, str | None, str]], said: str
) -> None:
    with pytest.raises(RangeError) as caught:
        Ranged(spans(*rows))
    assert said in str(caught.value)


@given(
    st.lists(st.integers(1990 * 12, 2010 * 12), min_size=2, max_size=8, unique=True).map(sorted),
    st.integers(1990 * 12, 2010 * 12),
    st.integers(0, 100),
)
def test_select_is_at(cuts: list[int], first: int, size: int) -> None:
    month = ContractMonth.from_index
    ranged = Ranged(tuple(Span(month(a), month(b - 1), a) for a, b in list(pairwise(cuts))[::2]))
    filled: list[int | None] = [None] * size
    if size:
        for places, value in ranged.select(month(first), month(first + size - 1)):
            filled[places] = [value] * (places.stop - places.start)
    assert filled == [ranged.at(month(first + n)) for n in range(size)]
