"""The official EClient, unmodified, against the simulated gateway at six server versions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from decimal import Decimal
from queue import Queue

import pytest

from tests.gateway.tools import PATIENCE, gateway

pytest.importorskip("ibapi", reason="the official client is not installed")

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.order_cancel import OrderCancel
from ibapi.wrapper import EWrapper

VERSIONS = [157, 163, 176, 178, 193, 200]
_SAID = {
    "nextValidId", "managedAccounts", "contractDetails", "contractDetailsEnd", "historicalData",
    "historicalDataEnd", "historicalDataUpdate", "headTimestamp", "historicalTicksBidAsk",
    "historicalTicksLast", "historicalSchedule", "tickByTickBidAsk", "tickByTickAllLast",
    "tickPrice", "tickSize", "tickString", "tickGeneric", "realtimeBar", "orderStatus",
    "openOrder", "openOrderEnd", "execDetails", "execDetailsEnd", "commissionAndFeesReport",
    "position", "positionEnd", "accountSummary", "accountSummaryEnd", "updateAccountValue",
    "accountDownloadEnd", "currentTime", "completedOrder", "completedOrdersEnd", "error",
    "marketRule", "tickSnapshotEnd",
}  # fmt: skip


class Peer(EWrapper, EClient):
    """Every callback with its arguments, in order."""

    def __init__(self):
        EClient.__init__(self, self)
        self.said = Queue()
        self.heard = []

    def __getattribute__(self, name):
        if name in _SAID:
            return lambda *args, **more: self.said.put((name, args))
        return super().__getattribute__(name)

    async def until(self, name, count=1):
        """Return the arguments of the callbacks of a name, once there are so many."""
        async with asyncio.timeout(PATIENCE):
            while True:
                while not self.said.empty():
                    self.heard.append(self.said.get())
                found = [args for said, args in self.heard if said == name]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def _peer(version):
    async with gateway(version=version) as server:
        peer = Peer()
        await asyncio.to_thread(peer.connect, "127.0.0.1", server.port, 7)
        reader = threading.Thread(target=peer.run)
        reader.start()
        try:
            await peer.until("nextValidId")
            assert peer.serverVersion() == version
            yield server, peer
        finally:
            peer.disconnect()
            await asyncio.to_thread(reader.join, PATIENCE)
        assert not reader.is_alive()


def _named(**fields):
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange = "ES", "FUT", "CME"
    for name, value in fields.items():
        setattr(contract, name, value)
    return contract


def _order(**fields):
    order = Order()
    for name, value in fields.items():
        setattr(order, name, value)
    return order


async def _front(peer):
    peer.reqContractDetails(1, _named())
    await peer.until("contractDetailsEnd")
    found = [args[1] for args in await peer.until("contractDetails")]
    return min(found, key=lambda one: one.contractMonth)


@pytest.mark.parametrize("version", VERSIONS)
def test_contracts_and_the_past(version):
    async def main():
        async with _peer(version) as (_, peer):
            front = await _front(peer)
            contract = front.contract
            assert (front.contractMonth, contract.localSymbol) == ("202509", "ESU5")
            assert contract.lastTradeDateOrContractMonth == "20250919"
            assert contract.lastTradeDate == ("20250919" if version >= 182 else "")
            assert front.minTick == 0.25
            peer.reqHistoricalData(2, contract, "", "5 D", "1 day", "TRADES", 0, 2, False, [])
            assert len(await peer.until("historicalDataEnd")) == 1
            bars = [args[1] for args in await peer.until("historicalData", 5)]
            assert [bar.date for bar in bars] == [
                "20250625", "20250626", "20250627", "20250630", "20250701",
            ]  # fmt: skip
            peer.reqHeadTimeStamp(3, contract, "TRADES", 0, 2)
            assert (await peer.until("headTimestamp"))[0] == (3, "1663624800")
            peer.reqHistoricalTicks(
                4, contract, "20250701-13:59:00", "", 10, "BID_ASK", 0, False, []
            )
            ((_, ticks, done),) = await peer.until("historicalTicksBidAsk")
            assert (len(ticks), done) == (10, True)
            if version >= 166:  # below, the official client has no schedules
                peer.reqHistoricalData(5, contract, "", "3 D", "1 day", "SCHEDULE", 0, 2, False, [])
                ((_, start, end, zone, sessions),) = await peer.until("historicalSchedule")
                assert (start, end, zone) == (
                    "20250626-17:00:00",
                    "20250701-16:00:00",
                    "US/Central",
                )
                assert [one.refDate for one in sessions] == ["20250627", "20250630", "20250701"]
            peer.reqMarketRule(int(front.marketRuleIds))
            ((_, steps),) = await peer.until("marketRule")
            assert [step.increment for step in steps] == [0.25]

    asyncio.run(main())


@pytest.mark.parametrize("version", VERSIONS)
def test_the_present(version):
    async def main():
        async with _peer(version) as (server, peer):
            contract = (await _front(peer)).contract
            peer.reqMktData(2, contract, "233", False, False, [])
            peer.reqTickByTickData(3, contract, "BidAsk", 0, False)
            peer.reqTickByTickData(4, contract, "AllLast", 0, False)
            peer.reqRealTimeBars(5, contract, 5, "TRADES", False, [])
            peer.reqHistoricalData(6, contract, "", "60 S", "5 secs", "TRADES", 0, 2, True, [])
            await peer.until("historicalDataEnd")
            for _ in range(3):
                await server.advance(5)
            assert len(await peer.until("realtimeBar", 3)) == 3
            assert len(await peer.until("tickByTickBidAsk", 4)) == 4  # with the one at the start
            assert len(await peer.until("tickByTickAllLast", 6)) == 6
            assert len(await peer.until("historicalDataUpdate", 3)) == 3
            assert {args[1] for args in await peer.until("tickPrice", 6)} >= {1, 2, 4}
            peer.reqCurrentTime()
            assert await peer.until("currentTime") == [(1751378415,)]

    asyncio.run(main())


@pytest.mark.parametrize("version", VERSIONS)
def test_orders(version):
    async def main():
        async with _peer(version) as (_, peer):
            contract = (await _front(peer)).contract
            market = _order(action="BUY", totalQuantity=Decimal(2), orderType="MKT")
            peer.placeOrder(1, contract, market)
            ((_, of, execution),) = await peer.until("execDetails")
            assert (of.conId, execution.shares, execution.side) == (contract.conId, 2, "BOT")
            ((report,),) = await peer.until("commissionAndFeesReport")
            assert (report.execId, report.commissionAndFees) == (execution.execId, 4.5)
            limit = _order(action="BUY", totalQuantity=Decimal(1), orderType="LMT", lmtPrice=4000)
            peer.placeOrder(2, contract, limit)
            peer.reqOpenOrders()
            await peer.until("openOrderEnd")
            ours = [args for args in await peer.until("openOrder") if args[0] == 2]
            assert (ours[-1][2].lmtPrice, ours[-1][3].status) == (4000.0, "Submitted")
            peer.cancelOrder(2, OrderCancel())
            status = await peer.until("orderStatus", 5)
            assert [args[1] for args in status if args[0] == 2][-1] == "Cancelled"
            peer.reqPositions()
            await peer.until("positionEnd")
            ((account, _, size, cost),) = await peer.until("position")
            assert (account, size, cost) == ("DU1234567", 2, execution.price * 50)
            peer.reqAccountSummary(3, "All", "NetLiquidation,TotalCashValue,FullAvailableFunds")
            await peer.until("accountSummaryEnd")
            tags = [args[2] for args in await peer.until("accountSummary", 3)]
            assert tags == ["NetLiquidation", "TotalCashValue", "FullAvailableFunds"]
            peer.reqExecutions(4, ExecutionFilter())
            await peer.until("execDetailsEnd")
            assert len(await peer.until("execDetails", 2)) == 2
            peer.reqCompletedOrders(False)
            await peer.until("completedOrdersEnd")
            done = [args[2].status for args in await peer.until("completedOrder", 2)]
            assert done == ["Filled", "Cancelled"]
            trial = _order(action="BUY", totalQuantity=Decimal(1), orderType="MKT", whatIf=True)
            peer.placeOrder(5, contract, trial)
            told = [args for args in await peer.until("openOrder") if args[0] == 5]
            while not told:
                await asyncio.sleep(0.002)
                told = [args for args in await peer.until("openOrder") if args[0] == 5]
            assert float(told[0][3].initMarginChange) > 0

    asyncio.run(main())
