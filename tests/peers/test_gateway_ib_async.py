"""ib_async, unmodified, against the simulated gateway: what its users do all day."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from tests.gateway.tools import PATIENCE, gateway

ib_async = pytest.importorskip("ib_async", reason="ib_async is not installed")

VERSIONS = [176, 178]


@pytest.fixture(scope="module")
def runner():
    """One event loop for all tests: ib_async keeps the first one that it sees."""
    with asyncio.Runner() as one:
        yield one


async def _soon(condition):
    """Wait for what another task brings about."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.002)


async def _connected(server):
    ib = ib_async.IB()
    await ib.connectAsync("127.0.0.1", server.port, clientId=3, timeout=PATIENCE)
    return ib


async def _front(ib, symbol="ES", exchange="CME"):
    found = await ib.reqContractDetailsAsync(ib_async.Future(symbol, exchange=exchange))
    found.sort(key=lambda one: one.contract.lastTradeDateOrContractMonth)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_connects_and_reads_the_chain(version, runner):
    async def main():
        async with gateway(version=version) as server:
            ib = await _connected(server)
            assert ib.client.serverVersion() == version
            assert ib.managedAccounts() == ["DU1234567"]
            cash = [v.value for v in ib.accountValues() if v.tag == "TotalCashValue"]
            assert cash == ["1000000.00"]
            found = await _front(ib)
            assert [one.contractMonth for one in found[:3]] == ["202509", "202512", "202603"]
            assert found[0].contract.lastTradeDateOrContractMonth == "20250919"
            (front,) = await ib.qualifyContractsAsync(
                ib_async.ContFuture("ES", exchange="CME", currency="USD")
            )
            assert front.conId == found[0].contract.conId
            ib.disconnect()

    runner.run(main())


@pytest.mark.parametrize("version", VERSIONS)
def test_reads_the_past(version, runner):
    async def main():
        async with gateway(version=version) as server:
            ib = await _connected(server)
            contract = (await _front(ib))[0].contract
            days = await ib.reqHistoricalDataAsync(
                contract, "", "5 D", "1 day", "TRADES", useRTH=False, formatDate=2
            )
            assert [bar.date for bar in days] == [dt.date(2025, 6, d) for d in (25, 26, 27, 30)] + [
                dt.date(2025, 7, 1)
            ]
            hours = await ib.reqHistoricalDataAsync(
                contract, "", "1 D", "1 hour", "TRADES", useRTH=False, formatDate=2
            )
            assert hours[0].date == dt.datetime(2025, 6, 30, 22, tzinfo=dt.UTC)
            assert sum(bar.volume for bar in hours) == days[-1].volume
            assert max(bar.high for bar in hours) == days[-1].high
            head = await ib.reqHeadTimeStampAsync(contract, "TRADES", useRTH=False, formatDate=2)
            assert head == dt.datetime(2022, 9, 19, 22, tzinfo=dt.UTC)
            ticks = await ib.reqHistoricalTicksAsync(
                contract, "20250701 13:59:00 UTC", "", 10, "BID_ASK", useRth=False
            )
            assert len(ticks) == 10
            assert all(tick.priceAsk - tick.priceBid == 0.25 for tick in ticks)
            ib.disconnect()

    runner.run(main())


@pytest.mark.parametrize("version", VERSIONS)
def test_hears_the_present(version, runner):
    async def main():
        async with gateway(version=version) as server:
            ib = await _connected(server)
            contract = (await _front(ib))[0].contract
            line = ib.reqMktData(contract, "233,588")
            ticks = ib.reqTickByTickData(contract, "BidAsk")
            seconds = ib.reqRealTimeBars(contract, 5, "TRADES", useRTH=False)
            kept = await ib.reqHistoricalDataAsync(
                contract, "", "60 S", "5 secs", "TRADES", useRTH=False, formatDate=2,
                keepUpToDate=True,
            )  # fmt: skip
            before = len(kept)
            for _ in range(4):
                await server.advance(5)
            await _soon(lambda: len(seconds) == 4)
            assert line.ask - line.bid == 0.25
            assert line.futuresOpenInterest > 0
            assert ticks.tickByTicks
            await _soon(lambda: len(kept) == before + 4)
            assert [bar.close for bar in seconds[1:]] == [bar.close for bar in kept[-4:-1]]
            ib.disconnect()

    runner.run(main())


@pytest.mark.parametrize("version", VERSIONS)
def test_trades(version, runner):
    async def main():
        async with gateway(version=version) as server:
            ib = await _connected(server)
            contract = (await _front(ib))[0].contract
            trade = ib.placeOrder(contract, ib_async.MarketOrder("BUY", 2))
            await _soon(lambda: trade.fills and trade.fills[0].commissionReport.commission)
            assert trade.orderStatus.status == "Filled"
            assert trade.fills[0].commissionReport.commission == 4.5
            price = trade.orderStatus.avgFillPrice
            await _soon(ib.positions)
            assert [(p.position, p.avgCost) for p in ib.positions()] == [(2, price * 50)]

            resting = ib.placeOrder(contract, ib_async.LimitOrder("BUY", 1, 4000))
            await _soon(lambda: resting.orderStatus.status == "Submitted")
            ib.cancelOrder(resting.order)
            await _soon(lambda: resting.orderStatus.status == "Cancelled")

            cost = await ib.whatIfOrderAsync(contract, ib_async.MarketOrder("BUY", 1))
            assert (float(cost.initMarginChange) > 0, cost.commission) == (True, 2.25)

            for order in ib.bracketOrder("BUY", 1, 4000, 4400, 3900):
                ib.placeOrder(contract, order)
            await _soon(lambda: len(ib.openTrades()) == 3)
            await _soon(
                lambda: (
                    [t.orderStatus.status for t in ib.openTrades()]
                    == ["Submitted", "PreSubmitted", "PreSubmitted"]
                )
            )
            assert len(await ib.reqExecutionsAsync()) == 1
            assert len(await ib.reqCompletedOrdersAsync(apiOnly=False)) == 2
            ib.disconnect()

    runner.run(main())
