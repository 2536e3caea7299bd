"""Magnified prices: one example on paper for every root that has them.

`inside` is the price of one unit in currency, `quote` what IB says, `cost` IB's average cost of one
contract in currency, `tick` the smallest step in currency, `step` that of quotes.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.objects import Price

from pyfutures.chain import Catalog
from pyfutures.months import ContractMonth
from pyfutures.nautilus.prices import PriceScale
from pyfutures.testing import LastTradeForm, made_details

PAPER = [
    # root, quote, inside, multiplier, cost, tick, step
    ("ZC", "450", "4.5000", 5000, "22500", "0.0025", "0.25"),
    ("ZW", "575.25", "5.7525", 5000, "28762.5", "0.0025", "0.25"),
    ("KE", "520.5", "5.2050", 5000, "26025", "0.0025", "0.25"),
    ("ZO", "340.75", "3.4075", 5000, "17037.5", "0.0025", "0.25"),
    ("ZS", "1025.25", "10.2525", 5000, "51262.5", "0.0025", "0.25"),
    ("XK", "1025.125", "10.25125", 1000, "10251.25", "0.00125", "0.125"),
    ("XW", "575.375", "5.75375", 1000, "5753.75", "0.00125", "0.125"),
    ("ZL", "48.12", "0.4812", 60000, "28872", "0.0001", "0.01"),
    ("LE", "184.225", "1.84225", 40000, "73690", "0.00025", "0.025"),
    ("HE", "90.025", "0.90025", 40000, "36010", "0.00025", "0.025"),
    ("GF", "256.25", "2.56250", 50000, "128125", "0.00025", "0.025"),
    ("KC", "231.55", "2.3155", 37500, "86831.25", "0.0005", "0.05"),
    ("SB", "19.54", "0.1954", 112000, "21884.8", "0.0001", "0.01"),
    ("CT", "70.11", "0.7011", 50000, "35055", "0.0001", "0.01"),
    ("OJ", "399.55", "3.9955", 15000, "59932.5", "0.0005", "0.05"),
    ("MIR", "4001", "40.01", 1000000, "40010000", "0.01", "1"),
    ("Z", "7655.5", "76.555", 1000, "76555", "0.005", "0.5"),
]
ROOTS = [row[0] for row in PAPER]
PLAIN = [
    ("ES", "5000.25", "5000.25", 50, "250012.5", "0.25", "0.25"),
    ("CL", "-37.63", "-37.63", 1000, "-37630", "0.01", "0.01"),
    ("FDAX", "24000", "24000", 25, "600000", "1", "1"),
]


@pytest.fixture(scope="module")
def chains():
    return Catalog.load(roots=[row[0] for row in PAPER + PLAIN])


def scale_of(chain):
    month = next(row.month for row in chain.rows(ContractMonth(2026, 1)) if row.priced)
    return PriceScale.of(made_details(chain, month, LastTradeForm.UTC))


def test_the_table_has_every_magnified_root(catalog):
    known = {c.root for c in catalog.values() if c.spec.ib and c.spec.ib.price_magnifier != 1}
    assert known == set(ROOTS)


@pytest.mark.parametrize("row", PAPER + PLAIN, ids=[row[0] for row in PAPER + PLAIN])
def test_every_way_a_price_goes(chains, row):
    root, quote, inside, multiplier, cost, tick, step = row
    scale = scale_of(chains[root])
    assert (scale.multiplier, scale.increment) == (multiplier, Decimal(tick))
    assert scale.increment * scale.magnifier == Decimal(step)
    price = scale.price(float(quote))  # bars, quotes, trades, fills come as floats or decimals
    assert (str(price), price) == (inside, scale.price(Decimal(quote)))
    assert price.precision == scale.precision == len(inside.partition(".")[2])
    assert scale.quoted(price) == Decimal(quote)  # orders
    assert scale.average(Decimal(cost)) == scale.average(float(cost)) == Decimal(inside)
    assert Decimal(inside) % Decimal(tick) == 0


def test_corn_at_450_cents():
    corn = PriceScale(100, 4, Decimal("0.0025"), Decimal(5000))
    assert corn.price(450.0) == Price.from_str("4.5000")
    assert corn.quoted(Price.from_str("4.5000")) == 450
    # nautilus' own adapter divides by the magnifier too, and has 0.045.
    assert corn.average(22_500.0) == Decimal("4.5")


@given(
    ticks=st.integers(-(10**7), 10**7),
    step=st.sampled_from([row[6] for row in PAPER]),
    magnifier=st.sampled_from([1, 100]),
)
def test_a_quote_goes_in_and_out_unchanged(ticks, step, magnifier):
    increment = (Decimal(step) / magnifier).normalize()
    precision = max(0, -increment.as_tuple().exponent)
    scale = PriceScale(magnifier, precision, increment, Decimal(1))
    quote = ticks * Decimal(step)
    assert scale.quoted(scale.price(float(quote))) == quote


def test_what_cannot_be_a_scale_is_refused(chains):
    from dataclasses import replace

    details = made_details(chains["ES"], ContractMonth(2026, 3), LastTradeForm.UTC)
    with pytest.raises(ValueError, match="tick 0 is not positive"):
        PriceScale.of(replace(details, min_tick=Decimal(0)))
    odd = replace(details, contract=replace(details.contract, multiplier="a lot"))
    with pytest.raises(ValueError, match="multiplier 'a lot' is no number"):
        PriceScale.of(odd)
