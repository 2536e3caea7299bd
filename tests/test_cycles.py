from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.cycles import Cycle, CycleError
from pyfutures.months import MONTH_CODES, ContractMonth
from pyfutures.ranged import Ranged, Span

m = ContractMonth.parse


def cycle(*spans: tuple[str | None, str | None, str], skip: str = "") -> Cycle:
    def bound(text: str | None) -> ContractMonth | None:
        return None if text is None else m(text)

    return Cycle(
        Ranged(tuple(Span(bound(a), bound(b), codes) for a, b, codes in spans)),
        frozenset(map(m, skip.split())),
    )


# Euronext milling wheat: listed X F H K to 2015K and U Z H K from 2015U; held X, then Z.
EBM = cycle((None, "2015K", "FHKX"), ("2015U", None, "HKUZ"))
EBM_HOLD = cycle((None, "2014X", "X"), ("2015Z", None, "Z"))
HMUX = cycle((None, None, "HMUX"), skip="2022M 2022U")
RX = cycle((None, None, "HMUZ"), skip="2010U 2010Z 2011H 2011M 2011U")
CL = Cycle.of(MONTH_CODES)
CL_HOLD = Cycle.of("Z")


@pytest.mark.parametrize(
    ("of", "month", "expected"),
    [
        (EBM_HOLD, "2013X", "2014X"),
        (EBM_HOLD, "2014X", "2015Z"),
        (EBM_HOLD, "2014Z", "2015Z"),
        (EBM_HOLD, "2015F", "2015Z"),
        (EBM_HOLD, "2015Z", "2016Z"),
        (EBM, "2014X", "2015F"),
        (EBM, "2015K", "2015U"),
        (EBM, "2015U", "2015Z"),
        (EBM, "2015Z", "2016H"),
        (HMUX, "2022H", "2022X"),
        (RX, "2010M", "2011Z"),
        (CL_HOLD, "2024Z", "2025Z"),
        (Cycle.of("HMUZ"), "2024Z", "2025H"),
        (Cycle.of("HMUZ"), "2024J", "2024M"),
    ],
)
def test_next(of: Cycle, month: str, expected: str) -> None:
    assert str(of.next(m(month))) == expected


@pytest.mark.parametrize(
    ("of", "month", "expected"),
    [
        (EBM_HOLD, "2014X", "2013X"),
        (EBM_HOLD, "2015Z", "2014X"),
        (EBM_HOLD, "2015X", "2014X"),
        (EBM_HOLD, "2016Z", "2015Z"),
        (EBM_HOLD, "2017F", "2016Z"),
        (EBM, "2015U", "2015K"),
        (EBM, "2015F", "2014X"),
        (HMUX, "2022X", "2022H"),
        (RX, "2011Z", "2010M"),
    ],
)
def test_previous(of: Cycle, month: str, expected: str) -> None:
    assert str(of.previous(m(month))) == expected


def test_crude_held_in_december_carries_on_november() -> None:
    assert str(CL.neighbour(m("2024Z"), -1)) == "2024X"
    assert str(CL_HOLD.neighbour(m("2024Z"), 1)) == "2025Z"


@pytest.mark.parametrize(
    ("steps", "expected"), [(1, "2024M"), (2, "2024U"), (-1, "2023Z"), (-4, "2023H"), (0, "2024H")]
)
def test_neighbour(steps: int, expected: str) -> None:
    assert str(Cycle.of("HMUZ").neighbour(m("2024H"), steps)) == expected


def test_the_zeroth_neighbour_is_a_member() -> None:
    with pytest.raises(CycleError, match="2024G is not in the cycle HMUZ"):
        Cycle.of("HMUZ").neighbour(m("2024G"), 0)


@pytest.mark.parametrize(
    ("codes", "skipped", "around"),
    [
        ("HKNUZ", "2004K", "2004H 2004N"),
        ("FHKNUX", "2023F", "2022X 2023H"),
        ("GJMQVZ", "2002J", "2002G 2002M"),
        ("FHKNUX", "2009F", "2008X 2009H"),
        (MONTH_CODES, "2008F 2008J", "2007Z 2008G 2008H 2008K"),
        (MONTH_CODES, "1990Q 1994N", "1990N 1990U 1994M 1994Q"),
        ("HMUZ", "2006H", "2005Z 2006M"),
        ("HMUZ", "2005M", "2005H 2005U"),
        ("HMUZ", "2010M", "2010H 2010U"),
    ],
)
def test_single_months_are_left_out(codes: str, skipped: str, around: str) -> None:
    of = Cycle.of(codes, map(m, skipped.split()))
    full = Cycle.of(codes)
    for month in map(m, skipped.split()):
        assert month not in of
        assert month in full
        assert of.next(of.previous(month)) == of.next(month)
    assert all(month in of for month in map(m, around.split()))


def test_months_in_a_gap_are_in_no_cycle() -> None:
    gap = EBM_HOLD.between(m("2014Z"), m("2015X"))
    assert gap == ()
    assert not EBM_HOLD.mask(m("2014Z"), m("2015X")).any()


def test_between_includes_both_ends() -> None:
    found = EBM.between(m("2014X"), m("2016K"))
    assert " ".join(map(str, found)) == "2014X 2015F 2015H 2015K 2015U 2015Z 2016H 2016K"
    assert EBM.between(m("2016K"), m("2014X")) == ()


def test_it_prints_codes_ranges_and_masks() -> None:
    assert str(HMUX) == "HMUX without 2022M 2022U"
    assert str(EBM_HOLD) == "X until 2014X, Z from 2015Z"


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ("", "the cycle  holds no month"),
        ("HMUA", "`A` in the cycle `HMUA` is not one of the month codes"),
        ("HMZU", "the cycle `HMZU` repeats a month or is out of order: write `HMUZ`"),
        ("HHMU", "the cycle `HHMU` repeats a month or is out of order: write `HMU`"),
        ("hmuz", "`h` in the cycle `hmuz`"),
    ],
)
def test_faulty_codes_are_refused(codes: str, said: str) -> None:
    with pytest.raises(CycleError) as caught:
        Cycle.of(codes)
    assert said in str(caught.value)


def test_a_cycle_whose_months_are_all_skipped_is_refused() -> None:
    with pytest.raises(CycleError, match="holds no month"):
        cycle(("2022F", "2022Z", "M"), skip="2022M")


def test_a_cycle_that_ends_says_so() -> None:
    ended = cycle(("2020F", "2022Z", "HMUZ"))
    assert str(ended.previous(m("2050F"))) == "2022Z"
    with pytest.raises(CycleError, match="runs from 2020H to 2022Z"):
        ended.next(m("2022Z"))
    with pytest.raises(CycleError, match="no such neighbour of 2020H"):
        ended.previous(m("2020H"))
    with pytest.raises(CycleError):
        ended.neighbour(m("2022Z"), -12)


def test_equal_cycles_are_equal() -> None:
    assert Cycle.of("HMUZ") == Cycle.of("HMUZ", ())
    assert hash(Cycle.of("HMUZ")) == hash(Cycle.of("HMUZ"))
    assert Cycle.of("HMUZ") != HMUX


INDICES = st.integers(2000 * 12, 2030 * 12)
CODES = st.sets(st.sampled_from(MONTH_CODES), min_size=1).map(
    lambda codes: "".join(sorted(codes, key=MONTH_CODES.index))
)


@st.composite
def cycles(draw: st.DrawFn) -> Cycle:
    cut, gap = draw(INDICES), draw(st.integers(1, 30))
    skip = frozenset(map(ContractMonth.from_index, draw(st.lists(INDICES, max_size=6))))
    if draw(st.booleans()):
        return Cycle(Ranged.constant(draw(CODES)), skip)
    until, start = ContractMonth.from_index(cut), ContractMonth.from_index(cut + gap)
    return Cycle(Ranged((Span(None, until, draw(CODES)), Span(start, None, draw(CODES)))), skip)


@given(cycles(), INDICES)
def test_next_and_previous_are_inverse_inside_a_cycle(of: Cycle, index: int) -> None:
    month = ContractMonth.from_index(index)
    after, before = of.next(month), of.previous(month)
    assert before < month < after
    assert after in of
    assert before in of
    if month in of:
        assert of.previous(after) == of.next(before) == month
    else:
        assert of.previous(after) == before
        assert of.next(before) == after


@given(cycles(), INDICES, st.integers(0, 60))
def test_membership_mask_and_between_agree(of: Cycle, index: int, size: int) -> None:
    first, last = ContractMonth.from_index(index), ContractMonth.from_index(index + size)
    months = [first.shift(n) for n in range(size + 1)]
    members = [month for month in months if month in of]
    assert of.mask(first, last).tolist() == [month in of for month in months]
    assert list(of.between(first, last)) == members
    for month in members:
        assert month not in of.skip
        assert month.code in (of.spans.at(month) or "")
    for month in set(months) - set(members):
        assert month in of.skip or month.code not in (of.spans.at(month) or "")


@given(cycles(), INDICES, st.integers(1, 20))
def test_neighbours_are_repeated_steps(of: Cycle, index: int, steps: int) -> None:
    ahead = behind = ContractMonth.from_index(index)
    start = ahead
    for _ in range(steps):
        ahead, behind = of.next(ahead), of.previous(behind)
    assert of.neighbour(start, steps) == ahead
    assert of.neighbour(start, -steps) == behind
