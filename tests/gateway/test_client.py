"""Our own client on the simulated gateway over TCP, both as they are: all that a user does."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from decimal import Decimal

import pytest

from pyfutures.ib import Client, ClientConfig
from pyfutures.ib import messages as m
from pyfutures.ib.orders import OrderPhase
from pyfutures.ib.pacing import Limits
from pyfutures.ib.times import BarSize
from pyfutures.ib.versions import Versions
from tests.gateway.tools import START, contract, gateway, order, quote

#: The tick types of IB's table: open interest of futures, bid, ask.
OPEN_INTEREST, BID, ASK = 86, 1, 2


@pytest.mark.parametrize("version", [157, 176, 200])
def test_contracts_bars_ticks_orders_and_positions(version):
    async def main():
        async with gateway(version=version, limits=None) as server:
            named = contract(server)
            settings = ClientConfig(port=server.port, versions=Versions(157, version), trading=True)
            async with Client(settings) as client:
                assert client.version == version
                (details,) = await client.reference.details(named)
                assert details.contract.con_id == named.con_id
                until = START - dt.timedelta(minutes=1)  # behind it one is forming
                asked = {"size": BarSize.MINUTE_1, "duration": "3600 S", "end": until}
                bars = await client.history.bars(named, **asked)
                ends = int(until.timestamp())
                assert [int(bar.date) for bar in bars] == list(range(ends - 3600, ends, 60))
                shown = quote(server, named)
                async with client.market.line(named, generic_ticks="588") as line:
                    said = {}
                    async for tick in line:
                        if isinstance(tick, m.TickPrice | m.TickSize):
                            said.setdefault(tick.type, tick)
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
                # In currency: fifty dollars a point.
                assert position.average_cost == filled.average_price * 50
                rests = client.orders.place(
                    named, order("BUY", 1, "LMT", filled.average_price - 50)
                )
                assert (await rests.acknowledged(5)).phase is OrderPhase.WORKING
                rests.cancel()
                assert (await rests.done(5)).phase is OrderPhase.CANCELLED

    asyncio.run(asyncio.wait_for(main(), 60))


@pytest.mark.parametrize(("version", "told"), [(176, 0), (200, 1)])
def test_a_fill_of_before_midnight_is_told_to_who_comes_after_it(version, told):
    """Below version 200 IB tells only those since midnight; docs/gateway.md says so."""

    async def main():
        async with gateway(version=version, limits=None) as server:
            named = contract(server)
            settings = ClientConfig(port=server.port, versions=Versions(157, version), trading=True)
            async with Client(settings) as client:
                await client.orders.place(named, order("BUY", 1)).done(5)
            await server.advance(24 * 3600)
            async with Client(settings) as client:
                await client.orders.sync()
                fills = [fill for view in client.orders.book for fill in view.fills]
                assert len(fills) == told

    asyncio.run(asyncio.wait_for(main(), 60))


def _asked(client, named):
    """Requests of all sorts, as coroutines that have not begun."""
    end = START - dt.timedelta(hours=1)
    history, reference, orders = client.history, client.reference, client.orders
    return [
        lambda: reference.details(named),
        reference.server_time,
        reference.depth_exchanges,
        lambda: history.bars(named, size=BarSize.HOUR_1, duration="1 D", end=end),
        lambda: history.bars(named, size=BarSize.SECOND_30, duration="1800 S", end=end),
        lambda: history.quotes(named, start=end, count=100),
        lambda: history.head(named),
        lambda: history.schedule(named, duration="5 D"),
        lambda: client.market.snapshot(named),
        orders.open_orders,
        orders.completed_orders,
        orders.executions,
        client.account.positions,
        client.account.summary,
    ]


@pytest.mark.parametrize("seed", range(3))
def test_requests_that_are_given_up_at_any_moment_leave_nothing_behind(seed):
    async def main():
        chance = random.Random(seed)  # noqa: S311 - a test that can be repeated
        async with gateway(limits=None) as server:
            named = contract(server)
            settings = ClientConfig(
                port=server.port,
                limits=Limits(messages=10_000, contract=1000, total=1000, identical_span=0),
            )
            async with Client(settings) as client:
                makers = _asked(client, named)
                before = asyncio.all_tasks()
                for _ in range(6):
                    tasks = [asyncio.create_task(chance.choice(makers)()) for _ in range(15)]
                    for task in tasks:
                        for _ in range(chance.randrange(12)):
                            await asyncio.sleep(0)
                        if chance.random() < 0.7:
                            task.cancel()
                    await server.settle()
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
                # The gateway serves in turn: behind this answer is nothing of what was asked.
                await client.reference.server_time()
                (session,) = server.gateway.clients()
                assert len(server.gateway.feeds) == 0
                assert not session.subscriptions.summaries
                assert asyncio.all_tasks() == before
                assert (client.faults, client.strays) == (0, 0)
                assert await client.account.positions() == ()
                assert await client.orders.open_orders() == ()

    asyncio.run(main())
