"""A target that is set while a strategy runs: it is the target after any stop."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from pyfutures.nautilus.rolling import RollingStrategy, RollingStrategyConfig
from pyfutures.positions.book import MemoryBook, Target
from pyfutures.store import Owner, Store
from pyfutures.store.moves import StoredMoves, stored_target
from tests.gateway.tools import gateway
from tests.nautilus.exec_tools import ACCOUNT, START
from tests.nautilus.roll_kills import FAST, MoveCradle
from tests.nautilus.rolling_tools import (
    U25,
    Z25,
    moved,
    node_of,
    rolling,
    say,
    with_gateway,
)
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW


def _kept(path):
    with Store.open(path) as store:
        return stored_target(store, ACCOUNT, "ES")


def test_it_counts_until_the_config_says_another(tmp_path):
    path = tmp_path / "s.sqlite"

    async def scenario(server):
        first = rolling(path, target=2, open_when_flat=True)
        async with node_of(server, [first]) as d:
            say(d, "2025U")
            await moved(d, first, {U25: 2})
            assert _kept(path) is None
            first.set_target(3)
            await moved(d, first, {U25: 3})
        assert _kept(path) == Target(3, 2, opens=False)
        second = rolling(path, target=2)
        async with node_of(server, [second]) as d:
            say(d, "2025Z")
            await moved(d, second, {Z25: 3})
        third = rolling(path, target=1)
        async with node_of(server, [third]) as d:
            assert third.target == 1
            assert _kept(path) is None
            say(d, "2025Z")
            await moved(d, third, {Z25: 1})
        fourth = rolling(path, target=2)  # what was set when it said so before is forgotten
        async with node_of(server, [fourth]):
            assert fourth.target == 2

    with_gateway(scenario)


def test_what_was_to_be_opened_is_opened_and_what_was_closed_by_hand_is_not(tmp_path):
    path = tmp_path / "s.sqlite"

    async def scenario(server):
        first = rolling(path)
        first.set_target(2)  # before the start, and nobody says which month is current
        async with node_of(server, [first]):
            assert first.position == {}
        assert _kept(path) == Target(2, None, opens=True)
        second = rolling(path)
        async with node_of(server, [second]) as d:
            say(d, "2025U")
            await moved(d, second, {U25: 2})
            second.set_target(2)
            assert _kept(path) == Target(2, None, opens=False)

    with_gateway(scenario)

    async def closed(server):
        """Another gateway, where nothing is held: sold by phone, and the ledger corrected."""
        with Store.open(path) as store, store.lease(ACCOUNT, "ES", Owner.here("hand")) as lease:
            store.book(lease, strategy="ROLLING").adjust("ESU25.XCME", -2, reason="by phone")
        third = rolling(path)
        async with node_of(server, [third]) as d:
            say(d, "2025Z")
            await d.advance(5)
            assert (third.target, third.position, third.is_moving) == (2, {}, False)
            third.set_target(1)
            await moved(d, third, {Z25: 1})

    with_gateway(closed)


def test_a_dry_run_keeps_no_target(tmp_path):
    path = tmp_path / "s.sqlite"

    async def scenario(server):
        first = rolling(path, dry_run=True)
        first.set_target(2)
        async with node_of(server, [first]) as d:
            say(d, "2025U")
            await d.advance(2)
            first.set_target(3)
        assert _kept(path) is None

    with_gateway(scenario)


@pytest.mark.parametrize("make", [MemoryBook, None], ids=["memory", "store"])
def test_a_book_remembers_until_it_is_told_otherwise(tmp_path, make):
    path = str(tmp_path / "s.sqlite")
    stored = {"account": ACCOUNT, "root": "ES", "trader": "T-001"}
    book = StoredMoves.open(path, **stored) if make is None else make()
    try:
        assert book.target() is None
        book.set_target(Target(-3, None, opens=True))
        assert book.target() == Target(-3, None, opens=True)
        if make is None:
            with Store.open(path) as store:
                assert stored_target(store, ACCOUNT, "ES") == book.target()
        book.set_target(None)
        assert book.target() is None
    finally:
        book.close()


def test_a_target_before_the_start_is_no_write():
    strategy = RollingStrategy(RollingStrategyConfig(root="ES"))
    strategy.set_target(4)
    assert strategy.target == 4


@pytest.mark.slow
def test_killed_at_any_moment_of_the_setting(tmp_path):
    """Once `set_target` has returned the target holds; before, it may be either."""
    moments = [None, 1, 3, 5, 6, 8]

    async def main():
        cradle = await MoveCradle.open()
        told = 0
        try:
            for number, moment in enumerate(moments):
                told += await _set_and_killed(cradle, tmp_path / f"{number}.sqlite", moment)
        finally:
            if cradle.pid and cradle.is_alive:
                os.kill(cradle.pid, signal.SIGKILL)
            await cradle.close()
        assert 1 <= told < len(moments)

    asyncio.run(main())


async def _set_and_killed(cradle, path, moment):
    """Whether a node that is killed at that statement of the setting had set its target."""
    async with gateway(roots=("ES",), start=START) as server:
        common = {"port": server.port, "store": str(path), "month": "2025U", "target": 2, **FAST}
        ticking = asyncio.create_task(_tick(server))
        try:
            await cradle.start(open_when_flat=True, **common)
            assert await cradle.until(lambda said: "moved" in said, "moved")
            await cradle.kill()
            mark = len(cradle.said)
            more = {} if moment is None else {"die_told": moment}
            await cradle.start(told=5, **common, **more)
            await cradle.until(lambda said: "told" in said, "told")
            await cradle.kill()
            is_told = any("told" in said for said in cradle.said[mark:])
            await cradle.start(**common)
            assert await cradle.until(lambda said: "moved" in said, "moved")
            await cradle.kill()
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
    with Store.open(path) as store:
        assert store.open_intents(ACCOUNT) == ()
        held = store.positions(ACCOUNT)["ES"]["ESU25.XCME"]
    assert held == 5 if is_told else held in {2, 5}
    return is_told


async def _tick(server):
    while True:
        await server.advance(0.5)
        await asyncio.sleep(0.02)
