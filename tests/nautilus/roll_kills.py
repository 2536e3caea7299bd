"""A node that is killed again and again while it moves a position: it arrives as in a calm run.

    python -m tests.nautilus.roll_kills COUNT [SEED]

The gateway lives in this process, with a market that now fills an order, now a part of it, now none
of it, and that takes its time with cancels. The node is in a process of its own and gets no chance
to say goodbye: it is killed after a random time, at a random statement to the store, or as soon as
the gateway has an order, has filled a part of it, or was asked to cancel it. In the end the broker
and the ledger have what a run without a kill has, the move was begun once, and no execution at the
gateway ever took a contract past where it was going.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from pyfutures.store import Store
from tests.gateway.tools import gateway
from tests.nautilus.exec_tools import ACCOUNT, START
from tests.nautilus.kills import Cradle
from tests.nautilus.rolling_tools import orders

#: Even, so that what a spread and what a leg has traded can be the same: nautilus then takes the
#: correction of a position for that order, and the reports must go a way round.
SIZE = 4
WAYS = ("time", "start", "write", "write", "sent", "part", "cancel")
PATIENCE = 20.0
FAST = {"steps": 2, "step_secs": 0.25}


class MoveCradle(Cradle):
    """The process that nodes are forked from."""

    @classmethod
    async def open(cls):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.nautilus.move_node", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2], limit=1 << 24,
        )  # fmt: skip
        cradle = cls(process)
        await cradle.hear()
        return cradle


class Market:
    """What becomes of the orders at the gateway, by dice."""

    def __init__(self, server, dice):
        self.server, self.dice = server, dice
        self.seen, self.is_calm = set(), True

    async def go_on(self):
        while True:
            await self.server.advance(0.5)
            if not self.is_calm:
                self.look()
            await asyncio.sleep(0.02)

    def look(self):
        book = self.server.gateway.book
        for order in book.open():
            if order.perm_id in self.seen:
                continue
            self.seen.add(order.perm_id)
            what = self.dice.choice(("fill", "quiet", "part", "part"))
            if what == "part" and order.terms.limit is not None:
                size = self.dice.randint(1, max(1, order.remaining - 1))
                book.fill(order, size, order.terms.limit)
            if what != "fill" and order.terms.limit is not None:
                order.held = "nobody trades"
            if self.dice.random() < 0.5:
                self.server.gateway.faults.slow_next_cancel(self.dice.randint(1, 6) * 10**9)


class Life:
    """One move of one position, by nodes that come and go."""

    def __init__(self, server, cradle, folder, dice):
        self.server, self.cradle, self.dice = server, cradle, dice
        self.store = folder / "s.sqlite"
        self.market = Market(server, dice)

    async def start(self, month, **more):
        await self.cradle.start(
            port=self.server.port, month=month, store=str(self.store), target=SIZE,
            open_when_flat=True, **FAST, **more,
        )  # fmt: skip

    async def moved(self):
        return await self.cradle.until(lambda said: "moved" in said, "moved")

    async def kill(self):
        await self.cradle.kill()
        while self.server.connections:
            await asyncio.sleep(0.005)

    async def when(self, found):
        """Wait for something at the gateway; or for the end of the move, or of the node."""
        for _ in range(300):
            if found() or not self.cradle.is_alive:
                return
            if any("moved" in said for said in self.cradle.said[self.mark :]):
                return
            with contextlib.suppress(TimeoutError):
                await self.cradle.hear(0.01)

    async def die(self):
        """Run a node that moves the position, and kill it."""
        way, before = self.dice.choice(WAYS), len(orders(self.server))
        self.mark = len(self.cradle.said)
        die_at = self.dice.randint(3, 60) if way == "write" else None
        await self.start("2025Z", **({"die_at": die_at} if die_at else {}))
        live = self.server.gateway.book.open
        match way:
            case "start":
                await asyncio.sleep(self.dice.random() * 0.8)
            case "time":
                await self.when(lambda: any("ready" in x for x in self.cradle.said[self.mark :]))
                await asyncio.sleep(self.dice.random() * 0.8)
            case "write":
                await self.when(lambda: False)
            case "sent":
                await self.when(lambda: len(orders(self.server)) > before)
            case "part":
                await self.when(lambda: any(order.filled for order in live()))
            case "cancel":
                await self.when(lambda: any(x.status.value == "PendingCancel" for x in live()))
        if self.dice.random() < 0.5:
            await asyncio.sleep(self.dice.random() / 20)
        await self.kill()
        for said in self.cradle.said[self.mark :]:
            assert not said.get("end"), f"{way}: {said['end']}"
        if self.dice.random() < 0.3:  # what works goes on without it
            await self.server.advance(self.dice.choice((1, 10)))

    async def run(self, kills):
        ticking = asyncio.create_task(self.market.go_on())
        try:
            await self.start("2025U")
            assert await self.moved()
            await self.kill()
            self.market.is_calm = not kills
            for _ in range(kills):
                await self.die()
            self.mark = len(self.cradle.said)
            await self.start("2025Z")
            assert await self.moved(), self.cradle.said[-3:]
            await self.kill()
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
        return self.outcome()

    def outcome(self):
        """Positions at the broker and in the ledger, and the moves that were begun."""
        self.check_executions()
        broker = {
            f"ES{holding.what.month.code}{holding.what.month.year % 100}.XCME": holding.position
            for name, holding in self.server.gateway.accounts.holdings()
            if name == ACCOUNT and holding.position
        }
        with Store.open(self.store) as store:
            begun = [line.intent for line in store.audit(ACCOUNT) if line.kind == "intent"]
            assert store.open_intents(ACCOUNT) == ()
            return broker, store.positions(ACCOUNT), [text.rsplit("-", 1)[0] for text in begun]

    def check_executions(self):
        """No contract ever went past where it was going, at any execution."""
        held = {}
        for fill in self.server.gateway.book.fills.all:
            contract, execution = fill.details.contract, fill.details.execution
            if contract.sec_type == "BAG":
                continue
            size = int(execution.shares) * (1 if execution.side == "BOT" else -1)
            now = held[contract.con_id] = held.get(contract.con_id, 0) + size
            assert 0 <= now <= SIZE, [str(x.details.execution) for x in
                                      self.server.gateway.book.fills.all]  # fmt: skip


async def life(cradle, seed, kills):
    """The outcome of a move that is killed so many times, and how many orders it took."""
    folder = Path(tempfile.mkdtemp(prefix="roll-kills-"))
    dice = random.Random(seed)  # noqa: S311 - dice, not secrets
    try:
        async with gateway(roots=("ES",), start=START) as server:
            found = await Life(server, cradle, folder, dice).run(kills)
            return found, len(orders(server)) - 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def prove(count, seed, *, at_once=4):
    """Kill so often, a few times a move; the number of moves and of their orders."""
    cradle = await MoveCradle.open()
    moves = sent = kills = 0
    try:
        expected, _ = await life(cradle, seed, 0)
        assert expected == (
            {"ESZ25.XCME": SIZE}, {"ES": {"ESZ25.XCME": SIZE}}, ["ES-FLAT-2025U", "ES-2025U-2025Z"]
        )  # fmt: skip
        while kills < count:
            now = min(at_once, count - kills)
            found, more = await life(cradle, seed + kills, now)
            assert found == expected, f"seed {seed + kills}: {found}, not {expected}"
            kills, moves, sent = kills + now, moves + 1, sent + more
    finally:
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(cradle.pid, signal.SIGKILL)
        await cradle.close()
    return moves, sent


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    moves, sent = asyncio.run(prove(count, seed))
    sys.stdout.write(
        f"seed {seed}: {count} kills in {moves} moves, {sent} orders; each position arrived once,"
        " and none went past its aim\n"
    )


if __name__ == "__main__":
    main()
