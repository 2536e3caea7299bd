from __future__ import annotations

import datetime as dt
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.months import FIRST_MONTH, LAST_MONTH, MONTH_CODES, ContractMonth, MonthError

MONTHS = st.builds(ContractMonth, st.integers(1900, 2199), st.integers(1, 12))


@pytest.mark.parametrize(
    ("text", "year", "month"),
    [
        ("2026H", 2026, 3),
        ("202603", 2026, 3),
        ("20260300", 2026, 3),
        ("2026-03", 2026, 3),
        ("1900F", 1900, 1),
        ("2199Z", 2199, 12),
        ("198512", 1985, 12),
    ],
)
def test_parse(text: str, year: int, month: int) -> None:
    assert ContractMonth.parse(text) == ContractMonth(year, month)


@pytest.mark.parametrize(
    ("text", "pivot", "expected"),
    [
        ("H26", 1970, "2026H"),
        ("Z69", 1970, "2069Z"),
        ("Z70", 1970, "1970Z"),
        ("H6", 2020, "2026H"),
        ("H6", 2024, "2026H"),
        ("H6", 2027, "2036H"),
        ("H6", 2026, "2026H"),
        ("H5", 2026, "2035H"),
    ],
)
def test_a_short_year_counts_from_the_pivot(text: str, pivot: int, expected: str) -> None:
    assert str(ContractMonth.parse(text, pivot=pivot)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026h", "`2026h` is no contract month: month codes are upper case, `2026H`"),
        ("2026A", "`2026A` is no contract month: `A` is not one of the codes FGHJKMNQUVXZ"),
        ("202613", "`202613` is no contract month: `13` is no month: months are 1 to 12"),
        ("202600", "`202600` is no contract month: `0` is no month: months are 1 to 12"),
        ("H26", "`H26` is no contract month: its year is short; write `2026H`"),
        ("H6", "its year is short"),
        ("h26", "write `2026H`, `202603` or `2026-03`"),
        ("20260315", "`20260315` is no contract month: write"),
        ("2026-3", "write `2026H`"),
        ("", "`` is no contract month"),
        ("2026H ", "write `2026H`"),
        ("2026H\n", "write `2026H`"),
        ("\u0662\u0660\u0662\u0666H", "write `2026H`"),
        ("1899Z", "year `1899` is out of range: years are 1900 to 2199"),
        ("2200F", "year `2200` is out of range"),
        ("00000000", "is no contract month"),
    ],
)
def test_other_texts_are_refused(text: str, said: str) -> None:
    with pytest.raises(MonthError) as caught:
        ContractMonth.parse(text)
    assert said in str(caught.value)


def test_a_lower_case_short_year_is_told_its_upper_case() -> None:
    with pytest.raises(MonthError, match="upper case, `H26`"):
        ContractMonth.parse("h26", pivot=2000)


@pytest.mark.parametrize(("year", "month"), [(2026, 0), (2026, 13), (1899, 12), (2200, 1)])
def test_impossible_months_are_refused(year: int, month: int) -> None:
    with pytest.raises(MonthError):
        ContractMonth(year, month)


def test_the_codes_are_those_of_the_exchanges() -> None:
    months = [ContractMonth(2026, month) for month in range(1, 13)]
    assert "".join(month.code for month in months) == MONTH_CODES == "FGHJKMNQUVXZ"
    names = "January February March April May June July August September October November December"
    assert [m.abbreviation for m in months] == [name[:3].upper() for name in names.split()]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024G", dt.date(2024, 2, 1), dt.date(2024, 2, 29)),
        ("2023G", dt.date(2023, 2, 1), dt.date(2023, 2, 28)),
        ("2100G", dt.date(2100, 2, 1), dt.date(2100, 2, 28)),
        ("2024Z", dt.date(2024, 12, 1), dt.date(2024, 12, 31)),
    ],
)
def test_bounds_of_a_month(text: str, first: dt.date, last: dt.date) -> None:
    month = ContractMonth.parse(text)
    assert (month.first_day, month.last_day) == (first, last)


@pytest.mark.parametrize(
    ("text", "months", "expected"),
    [
        ("2024Z", 1, "2025F"),
        ("2025F", -1, "2024Z"),
        ("2024H", 12, "2025H"),
        ("2024H", -27, "2021Z"),
        ("2024H", 0, "2024H"),
    ],
)
def test_shift(text: str, months: int, expected: str) -> None:
    assert str(ContractMonth.parse(text).shift(months)) == expected


def test_a_shift_out_of_the_years_is_refused() -> None:
    with pytest.raises(MonthError, match="year `1899` is out of range"):
        ContractMonth(1900, 1).shift(-1)


def test_the_compiled_span() -> None:
    assert (str(FIRST_MONTH), str(LAST_MONTH)) == ("1970F", "2050Z")


@given(MONTHS)
def test_what_a_month_prints_parses_to_it(month: ContractMonth) -> None:
    assert ContractMonth.parse(str(month)) == month
    assert ContractMonth.parse(f"{month.year}{month.month:02d}") == month
    assert ContractMonth.parse(f"{month.year}-{month.month:02d}") == month
    assert ContractMonth.from_index(month.index) == month
    assert pickle.loads(pickle.dumps(month)) == month  # noqa: S301


@given(MONTHS, st.integers(0, 99))
def test_a_short_year_lies_within_a_century_of_the_pivot(month: ContractMonth, back: int) -> None:
    short = f"{month.code}{month.year % 100:02d}"
    assert ContractMonth.parse(short, pivot=month.year - back) == month


@given(MONTHS, MONTHS)
def test_order_is_that_of_time(one: ContractMonth, other: ContractMonth) -> None:
    assert (one < other) == (one.first_day < other.first_day) == (one.index < other.index)
    assert one.shift(other.index - one.index) == other


@given(st.text(max_size=10))
def test_any_text_is_a_month_or_an_error(text: str) -> None:
    try:
        month = ContractMonth.parse(text, pivot=1970)
    except MonthError:
        return
    assert ContractMonth.parse(str(month)) == month
