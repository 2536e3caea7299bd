"""The broker's contracts against specs: who is chosen, and what is said of differences."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from pyfutures.chain import Catalog, ChainError
from pyfutures.ib.comparison import broker_last_trade, compare, resolve
from pyfutures.months import ContractMonth
from pyfutures.testing import LastTradeForm, details_table, made_details

ROOTS = ("ES", "ZC", "VX", "FDAX", "DC", "COIL", "COIL_Z")
month = ContractMonth.parse


@pytest.fixture(scope="module")
def chains():
    return Catalog.load(roots=ROOTS)


def told(chain, text, *, form=LastTradeForm.UTC, con_id=None, **changes):
    """The broker's contract of a month, with some of its facts changed."""
    details = made_details(chain, month(text), form)
    names = {"multiplier", "trading_class", "last_trade", "last_trade_date", "currency", "symbol"}
    own = {name: value for name, value in changes.items() if name in names}
    rest = {name: value for name, value in changes.items() if name not in names}
    number = details.contract.con_id if con_id is None else con_id
    contract = replace(details.contract, con_id=number, **own)
    return replace(details, contract=contract, **rest)


def line_of(diagnostic):
    with open(diagnostic.location.path, encoding="utf-8") as file:  # noqa: PTH123
        return file.read().splitlines()[diagnostic.location.line - 1].strip()


def test_a_broker_that_says_what_the_specs_say_is_never_contradicted(chains):
    cases = list(details_table(chains, first=month("2025F"), last=month("2026Z")))
    assert len(cases) > 100
    for case in cases:
        found = resolve(chains[case.root], case.month, [case.details])
        assert (found.details, found.diagnostics) == (case.details, ()), case.root


DIFFERENT = [
    # root, month, what IB says instead, code, words, the line of the spec
    ("ES", "2026H", {"last_trade": "20260319"}, "PF603", "2026-03-20 in the spec, 2026-03-19 at IB",
     "- weekday: {nth: 3, day: friday}"),
    ("ES", "2026H", {"last_trade": "20260321-13:30:00"}, "PF603",
     "2026-03-20 in the spec, 2026-03-21 at IB", "- weekday: {nth: 3, day: friday}"),
    ("ES", "2026H", {"multiplier": "5"}, "PF604", "multiplier 50 in the spec, 5 at IB",
     "multiplier: 50"),
    ("ES", "2026H", {"min_tick": Decimal("0.05")}, "PF605", "tick 0.25 in the spec, 0.05 at IB",
     "tick: 0.25"),
    ("ZC", "2026H", {"price_magnifier": 1}, "PF606", "magnifier 100 in the spec, 1 at IB",
     "ib: {symbol: ZC, exchange: CBOT, trading_class: ZC, price_magnifier: 100}"),
    ("ES", "2026H", {"price_magnifier": 100}, "PF606", "magnifier 1 in the spec, 100 at IB",
     "ib: {symbol: ES, exchange: CME}"),
    ("ZC", "2026H", {"trading_class": "XC"}, "PF607", "trading class ZC in the spec, XC at IB",
     "ib: {symbol: ZC, exchange: CBOT, trading_class: ZC, price_magnifier: 100}"),
    ("ES", "2026H", {"trading_class": "EW"}, "PF607", "trading class ES in the spec, EW at IB",
     "ib: {symbol: ES, exchange: CME}"),
    ("ES", "2026H", {"currency": "EUR"}, "PF608", "currency USD in the spec, EUR at IB",
     "currency: USD"),
    ("ES", "2026H", {"last_trade": "20260320 08:30:00 Nowhere/City"}, "PF609", "cannot be read",
     "- weekday: {nth: 3, day: friday}"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("root", "text", "says", "code", "words", "line"), DIFFERENT, ids=[r[3] for r in DIFFERENT]
)
def test_a_difference_is_said_at_its_line(chains, root, text, says, code, words, line):
    details = told(chains[root], text, **says)
    found = resolve(chains[root], month(text), [details])
    assert found.details is details  # a lone candidate is kept
    (one,) = found.diagnostics
    assert found.diagnostics == compare(chains[root], month(text), details)
    assert (one.code, one.is_error) == (code, True)
    assert words in one.message
    assert one.message.startswith(f"{root} {text} (")
    assert line_of(one).partition("  #")[0] == line


def test_all_differences_of_a_contract_are_said_at_once(chains):
    details = told(chains["ES"], "2026H", min_tick=Decimal(1), currency="EUR", price_magnifier=10)
    codes = [one.code for one in compare(chains["ES"], month("2026H"), details)]
    assert codes == ["PF605", "PF606", "PF608"]


def test_what_is_inherited_is_said_where_it_is_written(chains):
    found = compare(chains["COIL_Z"], month("2026Z"), told(chains["COIL"], "2026Z", multiplier="1"))
    assert [line_of(one) for one in found] == ["multiplier: 1000"]
    assert found[0].location.path.endswith("B.yaml")


def test_another_class_with_another_size_is_another_product(chains):
    small = told(chains["FDAX"], "2026H", trading_class="FDXM", multiplier="5")
    found = resolve(chains["FDAX"], month("2026H"), [small])
    assert found.details is None
    assert not found.is_found
    assert [one.code for one in found.diagnostics] == ["PF601"]
    assert "class FDXM, x 5" in found.diagnostics[0].message


def test_sizes_and_other_months_under_one_symbol_are_told_apart(chains):
    chain = chains["FDAX"]
    wanted = told(chain, "2026H")
    others = [
        told(chain, "2026H", con_id=1, trading_class="FDXM", multiplier="5"),
        told(chain, "2026H", con_id=2, trading_class="FDXS", multiplier="1"),
        told(chain, "2026M"),
    ]
    for candidates in ([wanted, *others], [*others, wanted], [*others, wanted, wanted]):
        assert resolve(chain, month("2026H"), candidates).details is wanted


def test_the_size_tells_apart_what_the_class_does_not(chains):
    chain = chains["ES"]  # its spec names no class, and none here is called like the root
    wanted = told(chain, "2026H", trading_class="FTX")
    small = told(chain, "2026H", con_id=1, trading_class="MFX", multiplier="1")
    found = resolve(chain, month("2026H"), [small, wanted])
    assert found.details is wanted
    assert [one.code for one in found.diagnostics] == ["PF607"]


NEAR = [
    # days from the computed last trade of the candidates, which is chosen
    ((0, 7), 0),
    ((-14, -7, 0, 7), 0),
    ((-7, 1), 1),
    ((-5, 7), -5),
    ((-6, 6), None),  # none is within five days
    ((-2, 2), None),  # two are as near
    ((0, 0), None),
]


@pytest.mark.parametrize(("days", "chosen"), NEAR)
def test_weeklies_of_one_class_are_told_apart_by_the_date(chains, days, chosen):
    chain, text = chains["VX"], "2026H"
    last = chain.row(month(text)).last_trade
    made = [
        told(chain, text, con_id=i + 1, last_trade=f"{last + dt.timedelta(day):%Y%m%d}")
        for i, day in enumerate(days)
    ]
    found = resolve(chain, month(text), made)
    if chosen is None:
        (one,) = found.diagnostics
        assert (found.details, one.code) == (None, "PF602")
        assert one.message.startswith(f"VX 2026H: {len(days)} contracts at IB: ")
        assert all(f"id {i + 1})" in one.message for i in range(len(days)))
    else:
        assert found.details is made[days.index(chosen)]
        assert [one.code for one in found.diagnostics] == (["PF603"] if chosen else [])


def test_nothing_at_the_broker_is_said(chains):
    nothing = resolve(chains["ES"], month("2015Z"), [])
    other = resolve(chains["ES"], month("2026H"), [told(chains["ES"], "2026M")])
    assert "IB has no such contract" in nothing.diagnostics[0].message
    assert "2015-12-18" in nothing.diagnostics[0].help
    assert "the symbol and not the month" in other.diagnostics[0].message
    assert {one.code for one in (*nothing.diagnostics, *other.diagnostics)} == {"PF601"}


def test_a_month_that_is_not_listed_is_a_mistake_of_the_caller(chains):
    with pytest.raises(ChainError, match="2026F is not listed"):
        resolve(chains["ES"], month("2026F"), [])


def test_the_date_is_that_of_the_trading_day(chains):
    # DCH4 has contract month 202403 and last traded on 2 April 2024 at 12:10 in Chicago.
    details = told(chains["DC"], "2024H", last_trade="20240402-17:10:00")
    assert broker_last_trade(chains["DC"], month("2024H"), details).date == dt.date(2024, 4, 2)
    assert compare(chains["DC"], month("2024H"), details) == ()
