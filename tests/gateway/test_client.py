"""Our own client on the simulated gateway over TCP, both as they are: all that a user does."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from pyfutures.ib import Client, ClientConfig
from pyfutures.ib import messages as m
from pyfutures.ib.orders import OrderPhase
from tests.gateway.tools import contract, gateway, order, quote

#: The tick types of IB's table: open interest of futures, bid, ask.
OPEN_INTEREST, BID, ASK = 86, 1, 2


@pytest.mark.parametrize("version", [157, 176, 200])
def test_contracts_bars_ticks_orders_and_positions(version):
    async def main():
        async with gateway(version=version, limits=None) as server:
            named = contract(server)
            settings = ClientConfig(port=server.port, lowest=157, highest=version)
            async with Client(settings) as client:
                assert client.version == version
                (details,) = await client.reference.details(named)
                assert details.contract.con_id == named.con_id
                bars = await client.history.bars(named, size="1 min", duration="3600 S")
                assert len(bars) == 60
                shown = quote(server, named)
                with client.market.line(named, generic_ticks="588") as line:
                    said = {}
                    async for tick in line:
                        said[tick.type] = tick
                        if OPEN_INTEREST in said:
                            break
                grid = server.gateway.universe.by_id(named.con_id)
                assert said[BID].price == grid.quote(shown.bid)
                assert said[ASK].price == grid.quote(shown.ask)
                assert said[OPEN_INTEREST].size > 0
                bought = client.orders.place(named, order("BUY", 1))
                filled = await bought.done(5)
                assert (filled.phase, filled.filled) == (OrderPhase.FILLED, 1)
                assert filled.average_price == grid.quote(shown.ask)
                (fill,) = await client.orders.executions()
                assert fill.execution.side == "BOT"
                (position,) = await client.account.positions()
                assert position.position == Decimal(1)
                # Currency: fifty dollars a point, and the commission of 2.25.
                assert position.average_cost == pytest.approx(filled.average_price * 50 + 2.25)
                rests = client.orders.place(
                    named, order("BUY", 1, "LMT", filled.average_price - 50)
                )
                assert (await rests.acknowledged(5)).phase is OrderPhase.WORKING
                rests.cancel()
                assert (await rests.done(5)).phase is OrderPhase.CANCELLED

    asyncio.run(asyncio.wait_for(main(), 60))


def test_a_chain_comes_whole():
    async def main():
        async with gateway(limits=None) as server:
            async with Client(ClientConfig(port=server.port)) as client:
                asked = m.Contract(symbol="ZC", sec_type="FUT", exchange="CBOT", trading_class="ZC")
                found = await client.reference.details(asked)
                expected = {
                    item.con_id
                    for item in server.gateway.universe.instruments()
                    if item.product.root == "ZC"
                    and not item.is_expired(server.gateway.timeline.now)
                    and item.trading_class == "ZC"
                }
                assert {one.contract.con_id for one in found} == expected

    asyncio.run(asyncio.wait_for(main(), 60))
