"""A live series after any number of stops, gaps, refusals and silences is that of a backtest.

    python -m tests.nautilus.actor_restarts COUNT [SEED]

Everything is drawn by a seed: how long the actor runs, whether it is stopped or just gone, for how
long it is off (up to eight months, several rolls overdue), which answers fail, when feeds fall
silent, and that the broker revises what it had told. Prices of CL go through zero.
"""

from __future__ import annotations

import random
import sys
import tempfile
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

from pyfutures.chain import Catalog
from pyfutures.nautilus.actor import RollActorError
from tests.nautilus.actor_rig import in_a_loop, rig
from tests.nautilus.kills import written
from tests.nautilus.tools import SECOND, market, native, run

HOUR = 3600 * SECOND
RULES = {
    "ES": {"start": "2024H"},
    "CL": {"hold": "FGHJKMNQUVXZ", "offset": -9, "carry": 1, "start": "2020J"},
}


@cache
def known(root):
    """A root and its market: sixteen months of ES; of CL half a year around 2020-04-20."""
    chain = Catalog.load(roots=[root])[root]
    if root == "ES":
        months = "2023Z 2024H 2024M 2024U 2024Z 2025H 2025M 2025U 2025Z"
        return chain, market(chain, "2024-02-26", "2025-07-04", months=months)
    months = "2020G 2020H 2020J 2020K 2020M 2020N 2020Q 2020U 2020V 2020X 2020Z 2021F"
    bars = market(chain, "2020-01-06", "2020-07-31", months=months)
    middle = sorted(bar.close for bar in bars)[len(bars) // 2] // 10**9 * 10**9
    return chain, [
        replace(
            b, open=b.open - middle, high=b.high - middle, low=b.low - middle,
            close=b.close - middle,
        )
        for b in bars
    ]  # fmt: skip


def prove(root, seed, folder):
    """Compare what is on disk after many lives with a backtest; the number of lives and bars."""
    chain, bars = known(root)
    calm, path = str(folder / "calm.sqlite"), str(folder / "live.sqlite")
    result = run(chain, native(chain, bars), store=calm, **RULES[root])
    assert result.error is None
    assert len(result.rolls) >= 5
    dice = random.Random(seed)  # noqa: S311 - dice, not secrets
    try:
        lives = in_a_loop(lambda: _lives(chain, bars, dice, path, **RULES[root]))
    except BaseException as error:
        error.add_note(f"{root} seed {seed}")
        raise
    for live, other in zip(written(path), written(calm), strict=True):
        strange = [row for row in live if row not in other]
        assert strange == [], f"{root} seed {seed}: {strange[0]}"
        assert len(live) == len(other), f"{root} seed {seed}"
    return lives, len(result.bars)


def _lives(chain, bars, dice, path, **rules):
    """Live through all bars, off now and then."""
    first, end = min(bar.ts for bar in bars), max(bar.ts for bar in bars) + 2 * HOUR
    now, lives = first - HOUR, 0
    while now < end:
        until = min(end, now + dice.choice([1, 2, 9, 30]) * dice.randint(1, 24) * HOUR)
        now = _life(chain, bars, dice, path, now, until, is_last=until == end, **rules)
        lives += 1
        off = dice.choice([0, 1, 3, 14, 60, 240] if lives > 2 else [0, 1, 3])
        now = min(now + off * dice.randint(1, 24) * HOUR, end - HOUR) if now < end else now
    return lives


def _life(chain, bars, dice, path, now, until, *, is_last, **rules):
    """One start, what befalls it, and its end; returns when that was."""
    seen = _last_stored(path)
    told = [_revised(bar, dice) if bar.ts <= seen else bar for bar in bars]
    made = rig(chain, told, now, store=path, history_days=3.0, **rules)
    made.start()
    try:
        while (at_ns := made.clock.timestamp_ns()) < until:
            mood = "" if is_last or not seen else dice.choice(["", "", "", "broken", "silent"])
            names = dice.sample(sorted(made.broker.contracts), 3) if mood else ()
            made.broker.mood = dict.fromkeys(names, mood)
            to = min(until, at_ns + dice.randint(1, 40) * HOUR)
            made.advance(to, feed=dice.random() < 0.7, step=dice.choice([600, 3600]))
        made.broker.mood = {}
        if is_last:
            made.advance(until + 12 * HOUR)
    except RollActorError as error:
        if is_last or "no history of" not in str(error):  # a start may fail for that
            raise
        assert made.actor._follows_since is None
        return made.clock.timestamp_ns()
    if is_last or dice.random() < 0.5:
        made.actor.stop()
    else:  # gone without a word
        made.actor._keeping.store.close()
    return made.clock.timestamp_ns()


def _last_stored(path):
    rows = written(path)[0] if Path(path).exists() else []
    return rows[-1][1] if rows else 0


def _revised(bar, dice):
    return replace(bar, volume=bar.volume + 1) if dice.random() < 0.5 else bar


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    warnings.filterwarnings("ignore", message="Timestamp.utcnow is deprecated")
    lives = bars = 0
    for number in range(count):
        with tempfile.TemporaryDirectory() as folder:
            more = prove(("ES", "CL")[number % 2], seed + number, Path(folder))
        lives, bars = lives + more[0], bars + more[1]
    sys.stdout.write(f"seed {seed}: {count} series in {lives} lives, {bars} bars: bit for bit\n")


if __name__ == "__main__":
    main()
