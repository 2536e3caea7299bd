"""Positions, cash, margins and profit: figures from arithmetic on paper."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from pyfutures.ib import messages as m
from pyfutures.months import ContractMonth
from tests.gateway.tools import Raw, connected, contract, errors, gateway, instrument, of, order

# Fills of ES (50 USD a point, 2.25 USD a contract): size, price; then position, average cost,
# what the fill realized after fees, and cash.
PAPER = [
    (2, 4300.0, 2, 215_000.0, None, 1_000_000 - 4.5),
    (1, 4303.0, 3, 215_050.0, None, 1_000_000 - 6.75),  # (2 x 4300 + 4303) / 3 = 4301
    (-1, 4311.0, 2, 215_050.0, 500 - 2.25 - 2.25, 1_000_500 - 9),  # 10 points, both fees
    (-5, 4291.0, -3, 214_550.0, -1000 - 11.25 - 4.5, 999_500 - 20.25),  # 2 x -10; turned
    (3, 4287.0, 0, 0.0, 600 - 6.75 - 6.75, 1_000_100 - 27),  # 3 x 4 points
]


async def _fill(server, raw, named, number, size, price):
    server.gateway.faults.act("hold_order")
    action = "BUY" if size > 0 else "SELL"
    raw.send(m.PlaceOrder(number, named, order(action, abs(size))))
    await raw.sync()
    server.gateway.faults.act("fill", {"price": price})
    return await raw.sync()


def test_positions_cash_and_realized_profit_follow_fills():
    async def main():
        async with connected() as (server, raw):
            named = contract(server)
            for number, (size, price, held, cost, realized, cash) in enumerate(PAPER, 1):
                said = await _fill(server, raw, named, number, size, price)
                (report,) = of(m.CommissionReport, said)
                assert report.commission == 2.25 * abs(size)
                assert report.realized_pnl == pytest.approx(realized) if realized else True
                assert (report.realized_pnl is None) is (realized is None)
                raw.send(m.RequestPositions())
                told = [(p.position, p.average_cost) for p in of(m.Position, await raw.sync())]
                assert told[-1:] == ([(held, pytest.approx(cost))] if held else [])
                raw.send(m.CancelPositions())
                raw.send(m.RequestAccountSummary(number, "All", "TotalCashValue"))
                (value, _) = await raw.sync()
                assert float(value.value) == pytest.approx(cash)
                raw.send(m.CancelAccountSummary(number))

    asyncio.run(main())


def test_values_of_a_position():
    """Two ES at 4300: margins are 8 % of what they are worth, and four fifths of that."""

    async def main():
        async with connected() as (server, raw):
            named = contract(server)
            await _fill(server, raw, named, 1, 2, 4300.0)
            item, gw = instrument(server, named), server.gateway
            mark = item.quote(gw.market.quote(item, gw.timeline.now).mark)
            raw.send(m.RequestAccountSummary(1, "All", "All"))
            said = await raw.sync()
            values = {v.tag: v.value for v in of(m.AccountSummary, said)}
            assert said[-1] == m.AccountSummaryEnd(1)
            gain = (mark - 4300) * 50 * 2
            worth = mark * 50 * 2
            expected = {
                "TotalCashValue": 999_995.5,
                "NetLiquidation": 999_995.5 + gain,
                "EquityWithLoanValue": 999_995.5 + gain,
                "GrossPositionValue": worth,
                "InitMarginReq": 0.08 * worth,
                "MaintMarginReq": 0.064 * worth,
                "AvailableFunds": 999_995.5 + gain - 0.08 * worth,
                "ExcessLiquidity": 999_995.5 + gain - 0.064 * worth,
                "BuyingPower": 4 * (999_995.5 + gain - 0.08 * worth),
            }
            for tag, value in expected.items():
                assert float(values[tag]) == pytest.approx(value, abs=0.011), tag
            for tag in ("AvailableFunds", "ExcessLiquidity", "InitMarginReq", "MaintMarginReq"):
                assert values[f"Full{tag}"] == values[f"LookAhead{tag}"] == values[tag]
            assert values["AccountType"] == "INDIVIDUAL"
            assert {v.currency for v in of(m.AccountSummary, said)} == {"USD", ""}

    asyncio.run(main())


def test_other_currencies_are_turned_into_the_base():
    """One FDAX at 25 EUR a point and 1.10 USD a euro: ten points are 275 USD, two fees 4.40."""

    async def main():
        async with connected() as (server, raw):
            named = contract(server, "FDAX")
            await _fill(server, raw, named, 1, 1, 20000.0)
            said = await _fill(server, raw, named, 2, -1, 20010.0)
            (report,) = of(m.CommissionReport, said)
            assert (report.commission, report.currency) == (2.0, "EUR")
            assert report.realized_pnl == pytest.approx(250 - 4)
            raw.send(m.RequestAccountSummary(1, "All", "TotalCashValue"))
            (value, _) = await raw.sync()
            assert float(value.value) == pytest.approx(1_000_000 + 275 - 4.4)

    asyncio.run(main())


@pytest.mark.parametrize(("size", "cost"), [(2, 215_002.25), (-2, 214_997.75)])
def test_the_fee_may_be_part_of_the_cost(size, cost):
    async def main():
        async with connected(commission_in_cost=True) as (server, raw):
            await _fill(server, raw, contract(server), 1, size, 4300.0)
            raw.send(m.RequestPositions())
            assert (await raw.sync())[0].average_cost == pytest.approx(cost)

    asyncio.run(main())


def test_subscribers_are_told_of_changes():
    async def main():
        async with connected() as (server, raw):
            named = contract(server)
            raw.send(
                m.RequestPositions(),
                m.RequestPositionsMulti(2, "DU1234567"),
                m.RequestAccountUpdates(subscribe=True),
                m.RequestAccountUpdatesMulti(4, "DU1234567"),
                m.RequestPnl(5, "DU1234567"),
                m.RequestPnlSingle(6, "DU1234567", "", named.con_id),
                m.RequestAccountSummary(7, "All", "$LEDGER:ALL,NetLiquidation"),
            )
            said = await raw.sync()
            ends = (
                m.PositionEnd, m.PositionMultiEnd, m.AccountDownloadEnd, m.AccountUpdateMultiEnd,
                m.AccountSummaryEnd,
            )  # fmt: skip
            assert [type(one) for one in said if isinstance(one, ends)] == list(ends)
            said = await _fill(server, raw, named, 1, 2, 4300.0)
            assert [p.position for p in of(m.Position, said)] == [2]
            assert [p.position for p in of(m.PositionMulti, said)] == [2]
            (row,) = {(p.position, p.average_cost, p.account) for p in of(m.PortfolioValue, said)}
            assert row == (2, 215_000.0, "DU1234567")
            assert of(m.AccountUpdateMulti, said)
            assert [p.position for p in of(m.PnlSingle, said)] == [2]
            assert of(m.Pnl, said)[0].realized == -4.5
            portfolio = of(m.PortfolioValue, said)[0]
            assert portfolio.contract.primary_exchange == "CME"
            assert portfolio.market_value == pytest.approx(portfolio.market_price * 50 * 2)
            gain = (portfolio.market_price - 4300) * 100
            assert portfolio.unrealized_pnl == pytest.approx(gain)
            await server.advance(180)
            assert of(m.AccountValue, await raw.sync())
            raw.send(
                m.CancelPositions(),
                m.CancelPositionsMulti(2),
                m.RequestAccountUpdates(subscribe=False),
                m.CancelAccountUpdatesMulti(4),
                m.CancelPnl(5),
                m.CancelPnlSingle(6),
                m.CancelAccountSummary(7),
            )
            assert errors(await raw.sync()) == [2100]
            await server.advance(400)
            assert await raw.sync() == []

    asyncio.run(main())


def test_what_is_wrong():
    async def main():
        async with connected(limits=None) as (_, raw):
            raw.send(
                m.RequestPositionsMulti(1, "U1"),
                m.RequestAccountUpdates(subscribe=True, account="U1"),
                m.RequestAccountUpdatesMulti(2, "U1"),
                m.RequestPnl(3, "U1"),
                m.RequestPnlSingle(4, "U1", "", 5),
                m.RequestAccountSummary(5, "All", ""),
            )
            assert errors(await raw.sync()) == [321] * 6
            raw.send(*(m.RequestAccountSummary(n, "All", "SMA") for n in (1, 2, 3)))
            assert errors(await raw.sync()) == [322]  # two at once
            raw.send(*(m.RequestPnl(n, "DU1234567") for n in range(51)))
            assert errors(await raw.sync()) == [322]
            raw.send(m.RequestPnlSingle(4, "DU1234567", "", 5))
            assert await raw.sync() == [m.PnlSingle(4, Decimal(0), None, None, None, None)]

    asyncio.run(main())


def test_several_accounts():
    async def main():
        async with connected(accounts=("DU1", "DU2")) as (server, raw):
            named = contract(server)
            raw.send(m.PlaceOrder(1, named, order("BUY", 1, account="DU2")))
            raw.send(m.PlaceOrder(2, named, order("SELL", 1)))
            await raw.sync()
            raw.send(m.RequestManagedAccounts(), m.RequestPositions())
            said = await raw.sync()
            assert said[0].accounts == ("DU1", "DU2")
            held = {p.account: int(p.position) for p in of(m.Position, said)}
            assert held == {"DU1": -1, "DU2": 1}

    asyncio.run(main())


def test_a_position_becomes_cash_when_its_contract_ends():
    start = dt.datetime(2025, 9, 19, 13, tzinfo=dt.UTC)  # it ends at 13:30

    async def main():
        async with gateway(start=start) as server:
            raw = await Raw.connect(server)
            named = contract(server, "ES", ContractMonth(2025, 9))
            item = instrument(server, named)
            await _fill(server, raw, named, 1, 1, 4300.0)
            raw.send(m.RequestPositions())
            await raw.sync()
            await server.advance(3600)
            (told,) = of(m.Position, await raw.sync())
            assert told.position == 0
            final = item.quote(server.gateway.market.quote(item, item.last_ns).last)
            cash = server.gateway.accounts.get("").cash
            assert cash == pytest.approx(1_000_000 - 2.25 + (final - 4300) * 50)
            await raw.close()

    asyncio.run(main())
