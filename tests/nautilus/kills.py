"""A node that is killed again and again, with rolls in between: its series is that of a calm run.

    python -m tests.nautilus.kills COUNT [SEED]

The gateway lives in this process and plays the past, one session after the other. The node is in a
process of its own and gets no chance to say goodbye: it is killed at a random moment of its start,
of its life, of a roll, or at a random statement of a write to the store. While it is off the
gateway revises every bar that the series has already (a settlement, late volume), and time goes on
now and then. What is on disk in the end must be what a run without a kill has written, bit for bit.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from pyfutures.continuous.bars import Bar
from pyfutures.gateway.bars import Revision
from pyfutures.gateway.feeds import Feed
from pyfutures.gateway.hours import NS_PER_MINUTE
from pyfutures.gateway.market import SLOT_NS
from pyfutures.gateway.streams import KeptBars
from pyfutures.months import ContractMonth
from pyfutures.nautilus.series.archive import Archive
from pyfutures.nautilus.series.root_bars import CONTINUOUS, root_bar_type
from pyfutures.store import Store
from pyfutures.store.tables import bars as bar_table
from pyfutures.store.tables import rolls as roll_table
from tests.gateway.tools import gateway

ROOT = "CL"
#: Rolls out of 2025K, 2025M and 2025N lie in between; no leg expires: that the last bar of a
#: contract has closed a client knows by its clock, which does not run as fast as this gateway.
START = dt.datetime(2025, 2, 24, 23, tzinfo=dt.UTC)
SESSIONS = 75
RULES = {"hold": "FGHJKMNQUVXZ", "offset": -40, "carry": 1, "start": "2025K"}
PATIENCE = 15.0
DAY = dt.timedelta(days=1)


@contextlib.contextmanager
def _once_a_session():
    """Let bars that are kept up to date be said at the last moment of each session only.

    A gateway says them every five seconds, which no test has the time for.
    """
    before = KeptBars.next_due

    def next_due(kept, now):
        due = before(kept, now)
        session = None if due is None else kept._instrument.hours.at(due)
        if session is None:
            return due
        return max(due, session.stretches[-1][1] * NS_PER_MINUTE - SLOT_NS)

    KeptBars.next_due = next_due
    try:
        yield
    finally:
        KeptBars.next_due = before


class Cradle:
    """The process that nodes are forked from."""

    def __init__(self, process):
        self.process = process
        self.pid = None
        self.last_bar = None
        self.said = []
        self.log = []

    @classmethod
    async def open(cls):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.nautilus.roll_node", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2], limit=1 << 24,
        )  # fmt: skip
        cradle = cls(process)
        await cradle.hear()
        return cradle

    async def close(self):
        self.process.stdin.close()
        await self.process.wait()

    async def hear(self, patience=PATIENCE):
        """The next thing said; None when a node is gone."""
        while True:
            line = await asyncio.wait_for(self.process.stdout.readline(), patience)
            if not line:
                raise AssertionError("the cradle died:\n" + "\n".join(self.log))
            text = line.decode().strip()
            if not text.startswith("{"):
                self.log.append(text)
                continue
            said = json.loads(text)
            self.said.append(said)
            if "bar" in said:
                self.last_bar = said["bar"]
            return said

    async def start(self, **settings):
        self.process.stdin.write(json.dumps(settings).encode() + b"\n")
        while "pid" not in (said := await self.hear()):
            pass
        self.pid = said["pid"]

    @property
    def is_alive(self):
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    async def until(self, found, what):
        """Hear on until something is said; False if the node is gone before."""
        for _ in range(int(PATIENCE / 0.02)):
            try:
                said = await self.hear(0.02)
            except TimeoutError:
                if not self.is_alive:
                    return False
                continue
            if found(said):
                return True
            if "end" in said:
                raise AssertionError(f"{what}: the node ended: {said['end']}")
        raise AssertionError(f"{what}: not said\n{self.said[-5:]}\n" + "\n".join(self.log[-20:]))

    async def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        while self.is_alive:
            await asyncio.sleep(0.005)
        with contextlib.suppress(TimeoutError):
            while True:
                await self.hear(0.02)


class Life:
    """One series kept by nodes that come and go, on a gateway of its own."""

    def __init__(self, server, cradle, folder, **settings):
        self.server, self.cradle, self.folder = server, cradle, folder
        self.settings = {
            "port": server.port, "root": ROOT, "replay": True, "history_days": 0.0,
            "store": str(folder / "live.sqlite"), "history_secs": 5.0,
            "catalog": str(folder / "catalog"), **RULES, **settings,
        }  # fmt: skip
        what = next(iter(server.gateway.universe.products))
        self.closes = _closes(what, START)
        self.revised = 0
        cradle.last_bar = None  # what a node of another life has said counts for nothing here

    @property
    def store(self):
        return Path(self.settings["store"])

    async def start(self, **more):
        await self.cradle.start(**self.settings, **more)

    async def ready(self):
        """Wait until the node has caught up and its feeds are there; False if it is gone."""
        if not await self.cradle.until(lambda said: "ready" in said, "ready"):
            return False
        gateway = self.server.gateway
        months = [ContractMonth.parse(text) for text in self.cradle.said[-1]["legs"]]
        legs = {
            what
            for what in (gateway.universe.of(ROOT, month) for month in months)
            if not what.is_expired(gateway.timeline.now)
        }
        for _ in range(int(PATIENCE / 0.01)):
            if legs <= {stream.what for _, _, stream in gateway.feeds.of(Feed.BARS)}:
                return True
            if not self.cradle.is_alive:
                return False
            await asyncio.sleep(0.01)
        raise AssertionError("not all feeds\n" + "\n".join(self.cradle.log[-20:]))

    async def next_session(self):
        """Go to the end of the next session; False if the node was gone before it had the bar."""
        now = self.server.gateway.timeline.now
        at = next(close for close in self.closes if close > now)
        await self.server.advance_to(dt.datetime.fromtimestamp(at // 10**9, dt.UTC))

    @property
    def last_due(self):
        """Close of the last session whose bar the node can have said: the one before the last."""
        now = self.server.gateway.timeline.now
        passed = [close for close in self.closes if close <= now]
        return passed[-3] if len(passed) > 2 else None

    async def heard(self):
        """Wait until the node has written what can be; False if it is gone before."""
        due, cradle = self.last_due, self.cradle
        if due is None or (cradle.last_bar or 0) >= due:
            return True
        return await cradle.until(lambda said: said.get("bar", 0) >= due, f"bar of {due}")

    async def live(self, sessions):
        """Go through sessions with the node on; False if it is gone."""
        for _ in range(sessions):
            await self.next_session()
            if not await self.heard():
                return False
        return True

    @property
    def filed_ts(self):
        """The last bar in the catalogue."""
        bar_type = root_bar_type(ROOT, CONTINUOUS, "XNYM", "1-DAY-LAST-EXTERNAL")
        return Archive(self.settings["catalog"], bar_type).last_ts or 0

    def revise(self, until=None):
        """Revise every bar that the store has, or those of them until a timestamp."""
        if not self.store.exists():
            return
        gateway = self.server.gateway
        with Store.open(self.store) as store:
            if not store.series_names():
                return
            legs, state = _legs(store)
        legs += [Bar.from_data(data) for data in (state or {}).get("legs", ())]
        for leg in legs:
            if until is not None and leg.ts > until:
                continue
            what = gateway.universe.of(ROOT, leg.month)
            session = what.hours.at(leg.ts - 60 * 10**9)
            key = what.con_id, session.day
            if key not in gateway.bars.revisions:
                close = gateway.bars.settled(what, session)
                gateway.bars.revisions[key] = Revision(close + 3, 1.5)
                self.revised += 1

    def written(self):
        """What is on disk of the bars that the node must have said; it may have said one more."""
        bars, rolls = written(self.store)
        due = self.last_due
        of_bars, of_rolls = bar_table.c.keys().index("ts"), roll_table.c.keys().index("last_old_ts")
        return [
            [row for row in bars if row[of_bars] <= due],
            [row for row in rolls if row[of_rolls] < due],
        ]


def _closes(product, start):
    first = start.date()
    found = []
    for n in range(400):
        session = product.hours.on(first + n * DAY)
        if session is not None:
            found.append(session.stretches[-1][1] * NS_PER_MINUTE)
    return [close for close in found if close > start.timestamp() * 10**9]


def _legs(store):
    from sqlalchemy import select

    from pyfutures.store.tables import series

    with store._database.reading() as connection:
        state = connection.execute(select(series.c.state)).scalars().first()
        rows = connection.execute(select(bar_table)).all()
    legs = []
    for row in rows:
        data = [row.month, row.ts, row.open, row.high, row.low, row.close, row.volume, None]
        legs.append(Bar.from_data(data))
        legs += [Bar.from_data(leg) for leg in json.loads(row.legs) if leg is not None]
    return legs, json.loads(state) if state else None


def written(path):
    """All that is on disk of the series: every column of every bar, and every roll."""
    from sqlalchemy import select

    with Store.open(path) as store, store._database.reading() as connection:
        return [
            [tuple(row) for row in connection.execute(select(table).order_by(key))]
            for table, key in ((bar_table, bar_table.c.ts), (roll_table, roll_table.c.last_old_ts))
        ]


@contextlib.asynccontextmanager
async def life(cradle, folder, **settings):
    with _once_a_session():
        async with gateway(roots=(ROOT,), start=START, limits=None, fresh=False) as server:
            yield Life(server, cradle, folder, **settings)


async def calm(cradle, folder, sessions=SESSIONS):
    """The series of a node that nobody kills."""
    async with life(cradle, folder) as one:
        await one.start()
        assert await one.ready()
        assert await one.live(sessions)
        await cradle.kill()
        return one.written()


async def killed(cradle, folder, seed, kills, sessions=SESSIONS):
    """The series of a node that is killed so many times."""
    pick = random.Random(seed)  # noqa: S311 - when to kill, no secret
    # Without history a series begins when its first node does, so that one is left to begin it.
    cuts = [4, *sorted(pick.choices(range(5, sessions), k=kills - 1))]
    async with life(cradle, folder) as one:
        done = 0
        for cut in [*cuts, sessions]:
            way = pick.choice(("live", "start", "write", "off")) if done else "live"
            way = way if cut < sessions else "end"
            die_at = pick.randint(1, 150) if way == "write" else None
            await one.start(**({"die_at": die_at} if die_at else {}))
            if way == "start":
                await asyncio.sleep(pick.random() * 1.5)
            elif await one.ready():
                while done < cut:
                    await one.next_session()
                    done += 1
                    if way == "live" and done == cut:
                        await asyncio.sleep(pick.random() / 20)
                    elif not await one.heard():
                        break
            await cradle.kill()
            while way == "off" and done < min(cut + 3, sessions):
                await one.next_session()
                done += 1
            one.revise()
        return one.written(), one.revised


async def lost_store(cradle, folder, sessions=SESSIONS):
    """The series after its store was deleted in the middle, and all that it had was revised."""
    async with life(cradle, folder) as one:
        await one.start()
        assert await one.ready()
        assert await one.live(40)
        await cradle.kill()
        await one.start()  # brings the catalogue up to date
        assert await one.ready()
        await cradle.kill()
        assert one.filed_ts >= one.last_due
        one.revise(until=one.filed_ts)
        for file in folder.glob("live.sqlite*"):
            file.unlink()
        await one.start()
        assert await one.ready()
        assert await one.live(sessions - 40)
        await cradle.kill()
        return one.written()


async def long_off(cradle, folder, sessions=SESSIONS):
    """The series of a node that was off while everything rolled."""
    async with life(cradle, folder) as one:
        await one.start()
        assert await one.ready()
        assert await one.live(5)
        await cradle.kill()
        for _ in range(sessions - 8):
            await one.next_session()
        await one.start()
        assert await one.ready()
        assert await one.live(3)
        await cradle.kill()
        return one.written()


async def two_nodes(cradle, folder):
    """What a second node on one account and root is told."""
    async with life(cradle, folder) as one:
        await one.start()
        assert await one.ready()
        first = cradle.pid
        try:
            await cradle.start(**one.settings, client_id=8, trader="ROLLS-002")
            while "end" not in (said := await cradle.hear()):
                pass
        finally:
            os.kill(first, signal.SIGKILL)
        return said["end"]


async def prove(count, seed, *, at_once=10, sessions=SESSIONS):
    """Kill so often, in lives of `at_once` kills; the number of kills and of revised bars."""
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    cradle = await Cradle.open()
    kills = revised = 0
    try:
        bars, rolls = expected = await calm(cradle, folder / "calm", sessions)
        assert len(rolls) >= 2
        assert len(bars) >= sessions - 3
        while kills < count:
            now = min(at_once, count - kills)
            found, more = await killed(cradle, folder / f"{kills}", seed + kills, now, sessions)
            assert found == expected, difference(found, expected)
            kills, revised = kills + now, revised + more
    finally:
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(cradle.pid, signal.SIGKILL)
        await cradle.close()
        shutil.rmtree(folder, ignore_errors=True)
    return kills, revised, len(bars), len(rolls)


def difference(found, expected):
    lines = []
    for what, one, other in zip(("bars", "rolls"), found, expected, strict=True):
        lines.append(f"{what}: {len(one)} and {len(other)}")
        pairs = [(a, b) for a, b in zip(one, other, strict=False) if a != b][:2]
        lines += [f"  found    {a}\n  expected {b}" for a, b in pairs]
    return "\n".join(lines)


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    kills, revised, bars, rolls = asyncio.run(prove(count, seed))
    sys.stdout.write(
        f"seed {seed}: {kills} kills, {revised} bars revised; each life ended with the same {bars}"
        f" bars and {rolls} rolls\n"
    )


if __name__ == "__main__":
    main()
