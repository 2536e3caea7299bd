"""Prices that IB quotes magnified: one example on paper for every such root.

`price` is the price of one unit in currency, `quote` what IB says (price times magnifier), `cost`
the average cost of one contract in currency (price times multiplier): quote and price never mix.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from pyfutures.ib import messages as m
from tests.gateway.tools import connected, contract, errors, of, order

D = Decimal
PAPER = [
    # root, price, magnifier, quote, multiplier, cost, tick of quotes, a quote off the grid
    ("ZC", D("4.50"), 100, 450.0, 5000, 22500.0, D("0.25"), 450.1),
    ("ZW", D("5.75"), 100, 575.0, 5000, 28750.0, D("0.25"), 575.3),
    ("KE", D("5.20"), 100, 520.0, 5000, 26000.0, D("0.25"), 520.2),
    ("ZO", D("3.40"), 100, 340.0, 5000, 17000.0, D("0.25"), 340.1),
    ("ZS", D("10.25"), 100, 1025.0, 5000, 51250.0, D("0.25"), 1025.1),
    ("XK", D("10.25"), 100, 1025.0, 1000, 10250.0, D("0.125"), 1025.1),
    ("XW", D("5.75"), 100, 575.0, 1000, 5750.0, D("0.125"), 575.1),
    ("ZL", D("0.4812"), 100, 48.12, 60000, 28872.0, D("0.01"), 48.125),
    ("LE", D("1.84225"), 100, 184.225, 40000, 73690.0, D("0.025"), 184.21),
    ("HE", D("0.90"), 100, 90.0, 40000, 36000.0, D("0.025"), 90.01),
    ("GF", D("2.5625"), 100, 256.25, 50000, 128125.0, D("0.025"), 256.26),
    ("KC", D("2.315"), 100, 231.5, 37500, 86812.5, D("0.05"), 231.52),
    ("SB", D("0.1954"), 100, 19.54, 112000, 21884.8, D("0.01"), 19.545),
    ("CT", D("0.7011"), 100, 70.11, 50000, 35055.0, D("0.01"), 70.115),
    ("OJ", D("3.995"), 100, 399.5, 15000, 59925.0, D("0.05"), 399.52),
    ("MIR", D("40.00"), 100, 4000.0, 1000000, 40000000.0, D("1"), 4000.5),
    ("Z", D("76.55"), 100, 7655.0, 1000, 76550.0, D("0.5"), 7655.3),
]  # fmt: skip
ROOTS = tuple(row[0] for row in PAPER)


def test_the_table_has_every_magnified_root(catalog):
    specs = (catalog[root].spec for root in catalog)
    known = {spec.root for spec in specs if spec.ib and spec.ib.price_magnifier != 1}
    assert known == set(ROOTS)


@pytest.mark.parametrize("row", PAPER, ids=ROOTS)
def test_the_arithmetic_of_the_table(row):
    _, price, magnifier, quote, multiplier, cost, _, _ = row
    assert float(price * magnifier) == quote
    assert float(price * multiplier) == cost


@pytest.mark.parametrize("row", PAPER, ids=ROOTS)
def test_quotes_are_magnified_and_money_is_not(row):
    root, price, magnifier, level, multiplier, cost, tick, off = row

    async def main():
        settings = {"roots": ROOTS, "cash": Decimal(10**12), "limits": None}
        async with connected(**settings) as (server, raw):
            named = contract(server, root)
            details = await raw.ask(m.RequestContractDetails(1, named), m.ContractDetails)
            await raw.sync()
            assert details.price_magnifier == magnifier
            assert Decimal(details.contract.multiplier) == multiplier
            assert details.min_tick * magnifier == tick
            # Market data and bars move by the tick of quotes.
            raw.send(m.RequestMarketDataType(2), m.RequestMarketData(2, named))
            said = await raw.sync()
            bid, ask = (next(t.price for t in of(m.TickPrice, said) if t.type == n) for n in (1, 2))
            assert Decimal(str(ask)) - Decimal(str(bid)) == tick
            bars = await raw.ask(
                m.RequestHistoricalBars(3, named, "", "1 day", "1 W"), m.HistoricalBars
            )
            assert all(Decimal(str(bar.close)) % tick == 0 for bar in bars.bars)
            assert bars.bars[-1].close == pytest.approx(bid, rel=0.05)
            # Orders are priced in quotes; what is paid is money.
            server.gateway.faults.act("hold_order")
            raw.send(m.PlaceOrder(1, named, order("BUY", 2, "LMT", level)))
            assert 110 not in errors(await raw.sync())
            server.gateway.faults.act("fill", {"price": level})
            said = await raw.sync()
            (fill,) = of(m.ExecutionDetails, said)
            assert fill.execution.price == level
            raw.send(m.RequestPositions())
            position, _ = await raw.sync()
            assert (position.position, position.average_cost) == (2, cost)
            assert position.average_cost / multiplier == pytest.approx(float(price))
            raw.send(m.PlaceOrder(2, named, order("BUY", 1, "LMT", off)))
            assert errors(await raw.sync()) == [110]
            # One quote tick up on two contracts is tick times multiplier times two.
            account = server.gateway.accounts.get("")
            (holding,) = account.holdings.values()
            item = holding.what
            gain = holding.unrealized(item.ticks(level) + 1)
            assert gain == pytest.approx(float(tick / magnifier * multiplier * 2))

    asyncio.run(main())
