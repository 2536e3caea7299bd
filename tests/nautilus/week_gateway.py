"""A gateway in a process of its own, at a fast clock, that tells in the end what happened.

    python -m tests.nautilus.week_gateway START SPEED SEED SCRIPT CLOCK

Its first line of output is the port. The line ``go`` lets time run, ``end`` asks for all there was:
bars, orders, executions and positions, as one JSON object.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path

from pyfutures.gateway.bars import Show
from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.fault_script import Script
from pyfutures.gateway.server import GatewayServer
from pyfutures.ib.times import BarSize
from pyfutures.months import ContractMonth
from tests.nautilus.week_clock import Start

ROOTS = ("ES", "ZC")
MONTHS = {"ESU25.XCME": ("ES", "2025U"), "ZCU25.XCBT": ("ZC", "2025U")}


class HeldServer(GatewayServer):
    """A server whose clock waits for a word."""

    def __init__(self, config, speed, running):
        super().__init__(config, speed=speed)
        self._pace._since, self._pace._clock = 0.0, running.elapsed


def bars(gateway, name, start):
    """The minutes of the market from a start until now, in currency."""
    root, month = MONTHS[name]
    what = gateway.universe.of(root, ContractMonth.parse(month))
    now = gateway.timeline.now
    today = dt.datetime.fromtimestamp(now // 10**9, dt.UTC).date()
    sessions = what.hours.between(start.date() - dt.timedelta(2), today + dt.timedelta(2))
    found = gateway.bars.of(what, sessions, BarSize.MINUTE_1, Show.TRADES, until=now)

    def price(ticks):
        return float(Decimal(repr(what.quote(ticks))) / what.magnifier)

    return {
        row.start // 10**9 + 60: [
            *map(price, (row.open, row.high, row.low, row.close)),
            max(row.volume, 0),
        ]
        for row in found
        if row.start >= start.timestamp() * 10**9
    }


def told(gateway, start):
    """All there was."""
    names = {gateway.universe.of(root, ContractMonth.parse(month)).con_id: name
             for name, (root, month) in MONTHS.items()}  # fmt: skip
    orders = [
        {
            "ref": order.order.order_ref,
            "perm_id": str(order.perm_id),
            "instrument": names[order.what.con_id],
            "side": "BUY" if order.terms.side > 0 else "SELL",
            "quantity": order.terms.quantity,
            "filled": order.filled,
            "status": str(order.status),
        }
        for order in (*gateway.book.open(), *gateway.book.done())
    ]
    fills = [
        {
            "id": fill.details.execution.exec_id,
            "ref": fill.details.execution.order_ref,
            "perm_id": str(fill.details.execution.perm_id),
            "instrument": names[fill.details.contract.con_id],
            "side": "BUY" if fill.details.execution.side == "BOT" else "SELL",
            "size": int(fill.details.execution.shares),
            "price": float(Decimal(repr(fill.details.execution.price)) / fill.order.what.magnifier),
            "commission": fill.report.commission,
            "at": fill.ns / 10**9,
        }
        for fill in gateway.book.fills.all
    ]
    positions = {
        names[holding.what.con_id]: holding.position
        for _, holding in gateway.accounts.holdings()
        if holding.position
    }
    return {
        "now": gateway.timeline.now / 10**9,
        "bars": {name: bars(gateway, name, start) for name in MONTHS},
        "orders": orders,
        "fills": fills,
        "positions": positions,
        "bugs": [repr(bug) for bug in gateway.bugs],
    }


async def main(start, speed, seed, script, clock):
    running = Start(Path(clock), make=True)
    start = dt.datetime.fromisoformat(start)
    config = GatewayConfig(roots=ROOTS, start=start, seed=int(seed))
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with HeldServer(config, float(speed), running) as server:
        Script(Path(script)).play(server.gateway)
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        while line := (await reader.readline()).strip():
            if line == b"go":
                running.begin()
            elif line == b"end":
                sys.stdout.write(json.dumps(told(server.gateway, start)) + "\n")
                sys.stdout.flush()
                return


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
