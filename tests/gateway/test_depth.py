"""Order books of the simulated gateway, as rows by place, to a raw client."""

from __future__ import annotations

import asyncio

from pyfutures.ib import messages as m
from tests.gateway.tools import connected, contract, errors, of, quote


def apply(rows, change):
    """What a client makes of a change."""
    side = rows.setdefault(change.side, [])
    if change.operation == 0:
        side.insert(change.position, (change.price, change.size))
    elif change.operation == 1:
        side[change.position] = (change.price, change.size)
    else:
        del side[change.position]


def test_rows_follow_the_quote_and_end_with_the_subscription():
    async def main():
        async with connected() as (server, raw):
            es = contract(server)
            raw.send(m.RequestMarketDepth(5, es, 4))
            rows, changes = {}, of(m.MarketDepth, await raw.sync())
            assert [change.operation for change in changes] == [0] * 8
            kinds = set()
            for _ in range(40):
                for change in changes:
                    kinds.add(change.operation)
                    apply(rows, change)
                found = quote(server, es)
                tick = 0.25
                best = {1: found.bid * tick, 0: found.ask * tick}
                for side, step in ((1, -tick), (0, tick)):
                    assert [price for price, _ in rows[side]] == [
                        best[side] + n * step for n in range(4)
                    ]
                    assert all(size > 0 for _, size in rows[side])
                assert rows[1][0][1] == found.bid_size
                assert rows[0][0][1] == found.ask_size
                await server.advance(5)
                changes = of(m.MarketDepth, await raw.sync())
            assert kinds == {0, 1, 2}
            raw.send(m.CancelMarketDepth(5))
            await raw.sync()
            await server.advance(60)
            assert of(m.MarketDepth, await raw.sync()) == []
            raw.send(m.CancelMarketDepth(5))
            assert errors(await raw.sync()) == [310]

    asyncio.run(main())


def test_books_are_few_and_need_permission():
    async def main():
        async with connected() as (server, raw):
            es = contract(server)
            for number in (5, 6, 7):
                raw.send(m.RequestMarketDepth(number, es, 2))
            assert errors(await raw.sync()) == []
            raw.send(m.RequestMarketDepth(8, es, 2), m.RequestMarketDepth(5, es, 2))
            assert sorted(errors(await raw.sync())) == [102, 309]
        async with connected(market_data=frozenset({"EUREX"})) as (server, raw):
            raw.send(m.RequestMarketDepth(5, contract(server), 2))
            assert errors(await raw.sync()) == [354]

    asyncio.run(main())
