"""Nodes that are killed, lose their store or are off for long end with the series of a calm one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import pytest

from tests.nautilus import kills

pytestmark = pytest.mark.slow


def _run(work, folder):
    async def main():
        cradle = await kills.Cradle.open()
        try:
            return await work(cradle, folder)
        finally:
            with contextlib.suppress(ProcessLookupError, TypeError):
                os.kill(cradle.pid, signal.SIGKILL)
            await cradle.close()

    return asyncio.run(main())


def _compared(work):
    async def both(cradle, folder):
        expected = await kills.calm(cradle, folder / "calm")
        found = await work(cradle, folder / "other")
        assert found == expected, kills.difference(found, expected)
        return expected

    return both


def test_ten_kills_change_nothing():
    count, revised, bars, rolls = asyncio.run(kills.prove(10, 1))
    assert (count, rolls) == (10, 3)
    assert revised > 100
    assert bars == kills.SESSIONS - 2  # the first one is missed, the last one is not closed


def test_a_deleted_store_comes_back_from_catalogue_and_broker(tmp_path):
    _run(_compared(kills.lost_store), tmp_path)


def test_three_rolls_that_were_missed_are_made_one_by_one(tmp_path):
    _bars, rolls = _run(_compared(kills.long_off), tmp_path)
    assert len(rolls) == 3


def test_a_second_node_is_refused(tmp_path):
    said = _run(kills.two_nodes, tmp_path)
    assert "account DU1234567, root CL is held by ROLLS-001 (process " in said
    assert "two nodes must not trade one root of one account" in said
