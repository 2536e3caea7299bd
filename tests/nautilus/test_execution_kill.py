"""A node that is killed with orders in every state, and one that starts after it.

The gateway lives in this process, the node in another, which gets no chance to say goodbye.

    python -m tests.nautilus.test_execution_kill COUNT [SEED]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import sys
from decimal import Decimal

import pytest

from pyfutures.months import ContractMonth
from tests.gateway.tools import gateway
from tests.nautilus.exec_tools import ACCOUNT, ROOTS, START

PATIENCE = 30.0
CLIENT = 5


class Process:
    """A node in a process."""

    def __init__(self, process):
        self.process = process
        self.log = []

    @classmethod
    async def start(cls, port, redis_port=None):
        node = await cls.begin(port, redis_port)
        assert await node.answer() == {"ready": True}
        return node

    @classmethod
    async def begin(cls, port, redis_port=None):
        arguments = [str(x) for x in (port, redis_port) if x]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.nautilus.node_process", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={**os.environ, "NODE_LOG": "ERROR"},
        )  # fmt: skip
        return cls(process)

    async def answer(self):
        while True:
            line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
            if not line:
                raise AssertionError("the node died:\n" + "\n".join(self.log))
            text = line.decode().strip()
            if text.startswith("{"):
                return json.loads(text)
            self.log.append(text)

    async def do(self, what, **more):
        self.process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
        return await self.answer()

    async def until(self, true, what):
        for _ in range(300):
            state = await self.do("dump")
            if true(state):
                return state
            await asyncio.sleep(0.02)
        raise AssertionError(f"{what}: {json.dumps(state, indent=1)}\n" + "\n".join(self.log))

    async def status(self, name, *wanted):
        def found(state):
            return state["orders"][name]["status"] in wanted

        return await self.until(found, f"{name} to be {wanted}")

    async def kill(self):
        self.process.kill()
        self.process.stdin.close()
        await self.process.stdout.read()
        await self.process.wait()

    async def stop(self):
        self.process.stdin.write(b'{"do": "stop"}\n')
        with contextlib.suppress(ConnectionError):
            await self.process.stdin.drain()
        rest = await asyncio.wait_for(self.process.stdout.read(), PATIENCE)
        self.log.append(rest.decode())
        await self.process.wait()
        text = "\n".join(self.log)
        assert "Duplicate" not in text, text
        assert "Traceback" not in text, text
        assert ACCOUNT not in text.replace(f"PYF-{ACCOUNT}", ""), text


@contextlib.asynccontextmanager
async def redis():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        "redis-server", "--port", str(port), "--save", "", "--appendonly", "no",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.02)
        yield port
    finally:
        process.terminate()
        await process.wait()


def positions(server):
    found = {}
    for name, holding in server.gateway.accounts.holdings():
        if name == ACCOUNT:
            found[f"{holding.what.trading_class}{holding.what.month.code}25.XCME"] = (
                holding.position
            )
    return found


def by_ref(server, name):
    every = [*server.gateway.book.open(), *server.gateway.book.done()]
    return next(order for order in every if order.order.order_ref == name)


async def agreed(node, server):
    return await node.until(
        lambda state: state["positions"] == positions(server), f"position {positions(server)}"
    )


async def prepare(node, server):
    """Bring an order into every state; return them by the state they are in."""
    gw = server.gateway
    what = gw.universe.of("ES", ContractMonth.parse("2025U"))
    quote = gw.market.quote(what, gw.timeline.now)
    bid, ask = what.quote(quote.bid), what.quote(quote.ask)
    orders = {}

    async def limit(state, price, quantity=2, side="BUY", *wanted):
        said = await node.do("limit", side=side, price=str(price), quantity=quantity)
        orders[state] = said["id"]
        if wanted:
            await node.status(said["id"], *wanted)

    for number, state in enumerate(
        ("accepted", "filled down", "cancelled down", "changed down", "partly down")
    ):
        await limit(state, bid - 10 - number, 2, "BUY", "ACCEPTED")
    await limit("filled", ask, 1, "BUY", "FILLED")
    await limit("partly", bid - 20, 3, "BUY", "ACCEPTED")
    gw.book.fill(by_ref(server, orders["partly"]), 1, what.ticks(bid - 20))
    await node.status(orders["partly"], "PARTIALLY_FILLED")
    for state in ("cancel pending", "cancel pending, filled"):
        await limit(state, bid - 30, 2, "BUY", "ACCEPTED")
        gw.faults.slow_next_cancel(3600 * 10**9)
        await node.do("cancel", id=orders[state])
        await node.status(orders[state], "PENDING_CANCEL")
    await limit("change pending", bid - 40, 2, "BUY", "ACCEPTED")
    mute = by_ref(server, orders["change pending"]).order_id
    gw.faults.when(["OpenOrder", "OrderStatus"], "drop", where={"order_id": mute}, times=None)
    await node.do("modify", id=orders["change pending"], price=str(bid - 41))
    await node.status(orders["change pending"], "PENDING_UPDATE")
    for state, price in (("submitted", bid - 50), ("submitted, filled", ask)):
        mute = gw.next_order_id(CLIENT)
        for kind in ("OpenOrder", "OrderStatus", "ExecutionDetails"):
            gw.faults.when(kind, "drop", where={"order_id": mute}, times=None)
        await limit(state, price, 1, "BUY", "SUBMITTED")
    while len(gw.book.open()) + len(gw.book.done()) < len(orders):
        await asyncio.sleep(0.01)
    return orders, what.ticks(bid - 20)


def meanwhile(server, orders, price):
    """What happens at IB while no node is there."""
    book = server.gateway.book
    server.gateway.faults.clear()

    def found(state):
        return by_ref(server, orders[state])

    book.fill(found("filled down"), 2, price)
    book.fill(found("partly down"), 1, price)
    book.cancel(found("cancelled down"))
    changed = found("changed down")
    book.modify(changed, changed.order, changed.terms.__class__(
        changed.terms.type, 1, 5, "GTC", limit=changed.terms.limit
    ))  # fmt: skip
    book.fill(found("cancel pending, filled"), 2, price)
    book.fill(found("partly"), 1, price)


EXPECTED = {
    "accepted": ("ACCEPTED", 0),
    "filled down": ("FILLED", 2),
    "cancelled down": ("CANCELED", 0),
    "changed down": ("ACCEPTED", 0),
    "partly down": ("PARTIALLY_FILLED", 1),
    "filled": ("FILLED", 1),
    "partly": ("PARTIALLY_FILLED", 2),
    "cancel pending": ("ACCEPTED", 0),
    "cancel pending, filled": ("FILLED", 2),
    "change pending": ("ACCEPTED", 0),
    "submitted": ("ACCEPTED", 0),
    "submitted, filled": ("FILLED", 1),
}


@pytest.mark.parametrize("database", [False, True], ids=["memory", "redis"])
def test_a_node_that_is_killed_finds_every_order_as_it_is(database):
    if database and shutil.which("redis-server") is None:
        pytest.fail("redis-server is not installed")

    async def scenario():
        async with contextlib.AsyncExitStack() as stack:
            server = await stack.enter_async_context(gateway(roots=ROOTS, start=START))
            port = await stack.enter_async_context(redis()) if database else None
            first = await Process.start(server.port, port)
            orders, price = await prepare(first, server)
            await asyncio.sleep(0.1 if database else 0)  # its writer has a thread of its own
            await first.kill()
            while server.connections:
                await asyncio.sleep(0.01)
            meanwhile(server, orders, price)

            second = await Process.start(server.port, port)
            state = await agreed(second, server)
            found = {
                name: (state["orders"][ref]["status"], state["orders"][ref]["filled"])
                for name, ref in orders.items()
                if ref in state["orders"]
            }
            # Of what was over before a node without a memory started, IB tells no client id: an
            # order that never filled gets a name of its own then.
            expected = dict(EXPECTED)
            if not database:
                expected.pop("cancelled down")
            assert found == expected
            for name, ref in orders.items():
                if name in expected:
                    assert state["orders"][ref]["venue"] == str(by_ref(server, ref).perm_id)
            await second.until(
                lambda state: state["orders"][orders["changed down"]]["quantity"] == 5, "change"
            )
            assert "uvloop" in state["loop"]
            assert {x["strategy"] for x in state["orders"].values()} == {"S-001"}
            trades = [trade for x in state["orders"].values() for trade in x["trades"]]
            assert len(trades) == len(set(trades))
            # It can go on with them.
            await second.do("cancel", id=orders["submitted"])
            await second.status(orders["submitted"], "CANCELED")
            await second.do("modify", id=orders["accepted"], price="4000")
            await second.until(
                lambda state: state["orders"][orders["accepted"]]["price"] == "4000.00", "change"
            )
            server.gateway.book.fill(by_ref(server, orders["partly"]), 1, price)
            await second.status(orders["partly"], "FILLED")
            await agreed(second, server)
            await second.stop()

    asyncio.run(scenario())


def test_a_node_that_is_killed_while_it_reconciles_is_no_worse_for_it():
    """The second of three nodes with one memory dies between the reports and what they change."""

    async def scenario():
        async with gateway(roots=ROOTS, start=START) as server, redis() as port:
            gw = server.gateway
            what = gw.universe.of("ES", ContractMonth.parse("2025U"))
            bid = what.quote(gw.market.quote(what, gw.timeline.now).bid)
            first = await Process.start(server.port, port)
            names = [
                (await first.do("limit", side="BUY", price=str(bid - 10 - n), quantity=3))["id"]
                for n in range(3)
            ]
            for name in names:
                await first.status(name, "ACCEPTED")
            await asyncio.sleep(0.1)  # the writer of its memory has a thread of its own
            await first.kill()
            gw.book.fill(by_ref(server, names[0]), 1, what.ticks(bid - 10))
            gw.book.cancel(by_ref(server, names[1]))

            gw.faults.when("PositionEnd", {"delay": 3600}, skip=1, times=None)
            second = await Process.begin(server.port, port)
            while not server.connections:
                await asyncio.sleep(0.01)
            await asyncio.sleep(1.0)
            await second.kill()
            while server.connections:
                await asyncio.sleep(0.01)
            gw.faults.clear()
            gw.book.fill(by_ref(server, names[0]), 2, what.ticks(bid - 10))

            third = await Process.start(server.port, port)
            state = await agreed(third, server)
            found = [(state["orders"][x]["status"], state["orders"][x]["filled"]) for x in names]
            assert found == [("FILLED", 3), ("CANCELED", 0), ("ACCEPTED", 0)]
            assert len(state["orders"]) == 3
            await third.stop()

    asyncio.run(scenario())


ACTS = ("market", "limit", "limit", "cancel", "modify", "fill", "time", "cut", "twice")


async def act(node, server, dice, names):
    """Do something by chance: the node, the market or the line."""
    gw = server.gateway
    what = gw.universe.of("ES", ContractMonth.parse("2025U"))
    quote = gw.market.quote(what, gw.timeline.now)
    match dice.choice(ACTS):
        case "market":
            await node.do("market", side=dice.choice(("BUY", "SELL")), quantity=1)
        case "limit":
            price = Decimal(str(what.quote(quote.bid))) + dice.choice((-20, -10, 0, 1))
            said = await node.do("limit", side="BUY", price=str(price), quantity=dice.randint(1, 4))
            names.append(said["id"])
        case "fill" if gw.book.open():
            order = dice.choice(gw.book.open())
            gw.book.fill(order, dice.randint(1, order.remaining), order.terms.limit or quote.bid)
        case "time":
            await server.advance(dice.choice((1, 10)))
        case "cut":
            for session in gw.clients():
                session.close()
        case "twice":
            kinds = ["OpenOrder", "OrderStatus", "ExecutionDetails", "CommissionReport"]
            gw.faults.when(kinds, dice.choice(("duplicate", {"delay": 1})), times=3)
        case "cancel" | "modify" as change if names:
            await node.do(change, id=dice.choice(names), price=str(what.quote(quote.bid - 60)))


async def life(server, port, dice):
    """One life of a node: random orders, random trouble, and death at a random moment."""
    node = await Process.start(server.port, port)
    await agreed(node, server)
    names = []
    for _ in range(dice.randint(3, 12)):
        await act(node, server, dice, names)
        if dice.random() < 0.5:
            await asyncio.sleep(dice.choice((0, 0.01, 0.05)))
    await node.kill()
    while server.connections:
        await asyncio.sleep(0.01)


def working(state):
    """The permanent ids of the orders that a node has open."""
    open_ones = {"ACCEPTED", "PARTIALLY_FILLED"}
    return {x["venue"] for x in state["orders"].values() if x["status"] in open_ones}


async def lives(count, seed):
    dice = random.Random(seed)  # noqa: S311 - dice, not secrets
    async with gateway(roots=ROOTS, start=START) as server, redis() as port:
        for number in range(count):
            await life(server, port if number % 3 else None, dice)
        server.gateway.faults.clear()
        await server.advance(5)
        node = await Process.start(server.port)
        await agreed(node, server)
        theirs = {str(order.perm_id) for order in server.gateway.book.open()}
        await node.until(lambda state: working(state) == theirs, f"open orders {theirs}")
        await node.stop()
    return len(theirs)


def main():
    count, seed, *_ = [*map(int, sys.argv[1:]), random.randrange(10**6)]  # noqa: S311
    left = asyncio.run(lives(count, seed))
    sys.stdout.write(f"{count} lives, seed {seed}: positions agree, {left} orders open\n")


def test_random_lives():
    assert asyncio.run(lives(2, 7)) >= 0


if __name__ == "__main__":
    main()
