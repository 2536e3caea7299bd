"""A writer is killed again and again: what it said was durable is there, and nothing is half."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pyfutures.store import Store
from tests.store.tools import ACCOUNT, definition, fed, market

# Each start of a writer costs most of a second.
KILLS = {"sqlite": 3, "postgresql": 1}


@pytest.mark.slow
def test_killed_writers_lose_nothing(target, tmp_path):
    pick = random.Random(4)  # noqa: S311 - when to kill, no secret
    wanted = KILLS["sqlite" if isinstance(target, Path) else "postgresql"]
    kills = 0
    for n in range(200):
        command = [sys.executable, "-m", "tests.store.writer", str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            if n < wanted:
                first = writer.stdout.readline()
                time.sleep(pick.random() / 3)
                writer.kill()
                kills += 1
                lines = [first, *writer.stdout]
            else:
                lines = list(writer.stdout)
        whole = [line for line in lines if line.endswith("\n")]
        if "end\n" in whole:
            break
        ts, legs, done = map(int, whole[-1].split())
        _check(target, ts, legs, done)
    assert kills == wanted
    with Store.open(tmp_path / "whole.sqlite") as store, Store.open(target) as killed:
        expected, found = store.series(definition()), killed.series(definition())
        fed(expected, market("2024-03-01", "2024-07-20"))
        assert list(found.bars()) == list(expected.bars())
        assert found.rolls() == expected.rolls()
        # Bars that are brought again are counted again.
        assert found.state | {"counts": None} == expected.state | {"counts": None}
        assert len(found.rolls()) == 2


def _check(target, ts, legs, done):
    with Store.open(target) as store:
        log = store.series(definition())
        state = log.state
        # The call after the last one that was told may have been committed as well.
        assert state["open"] >= ts
        if state["open"] == ts:
            assert len(state["legs"]) >= legs
        bars = list(log.bars())
        assert bars[-1].ts == state["closed"]
        assert state["counts"]["bars"] == len(bars)
        assert state["counts"]["rolls"] == len(log.rolls())
        held = store.positions(ACCOUNT)["ES"]["ESH24.XCME"]
        assert held in {done, done + 1}
        assert len(store.audit(ACCOUNT, last=100_000)) == held
