"""A node with bars and quotes under way, and a gateway at which anything goes wrong.

``python -m tests.nautilus.data_cuts 20 [SEED]`` runs so many seeds and prints what each came to: no
bar lost, none twice, each with the figures of the market.
"""

from __future__ import annotations

import random
import sys

from pyfutures.gateway.feeds import Feed
from pyfutures.ib.times import BarSize
from tests.nautilus.data_tools import ESU, MINUTE, MINUTES, START, ns, until, with_room
from tests.nautilus.test_data_live import figures, rows

_FAULTS = (
    "cut",
    "cut later",
    "restart",
    "1101",
    "1102",
    "farm",
    "end kept",
    "lose feeds",
    "in use",
)


async def _disturb(room, dice, fault):
    act = room.gateway.faults.act
    if fault == "cut":
        act("cut")
    elif fault == "cut later":
        act("cut", {"after": dice.choice([1, 7, 60, 400, 3000])})
        room.keeper.request_bars(MINUTES, start=START)
    elif fault == "restart":
        act("restart", {"down": "20s", "mute": dice.random() < 0.3})
        await room.advance(25)
    elif fault in {"1101", "1102"}:
        act("connectivity", "lost")
        await room.advance(dice.randrange(1, 90))
        act("connectivity", "restored_lost" if fault == "1101" else "restored_kept")
    elif fault == "farm":
        act("farm", {"name": "ushmds", "state": "broken"})
        await room.advance(dice.randrange(1, 90))
        act("farm", {"name": "ushmds", "state": "ok"})
    elif fault == "end kept":
        act("end_kept_bars")
    elif fault == "in use":
        act("client_id_in_use", 1)
        act("cut")
    else:
        act("lose_feeds")


def run_seed(seed):
    """Return what a seed came to, in words; raise where anything is wrong."""
    dice = random.Random(seed)  # noqa: S311 - dice, no secret
    told = []

    async def work(room):
        keeper = room.keeper
        keeper.subscribe_bars(MINUTES)
        keeper.subscribe_quote_ticks(ESU)
        await until(lambda: room.sent(Feed.BARS) and room.sent(Feed.LINE), "feeds")
        for _ in range(3):
            await room.advance(dice.randrange(5, 150), step=5)
            fault = dice.choice(_FAULTS)
            told.append(fault)
            await _disturb(room, dice, fault)
            await room.advance(dice.randrange(1, 100))
            await until(
                lambda: room.ib.is_ready and room.sent(Feed.BARS) and room.sent(Feed.LINE),
                f"feeds after {told}",
                patience=60,
            )
        await room.advance(70, step=5)
        last = room.gateway.timeline.now // MINUTE * MINUTE
        await until(
            lambda: keeper.stamps() and keeper.stamps()[-1] >= last, f"last bar after {told}", 60
        )
        stamps = keeper.stamps()
        assert stamps == list(range(ns(START) + MINUTE, stamps[-1] + 1, MINUTE)), told
        market = rows(room, ESU, BarSize.MINUTE_1, START, room.server.now)
        for bar in keeper.bars:
            assert figures(bar) == market[bar.ts_event - MINUTE], (told, bar)
        count = len(keeper.quotes)
        await room.advance(60, step=5)
        await until(lambda: len(keeper.quotes) > count, f"quotes after {told}")
        told.append(f"{len(stamps)} bars")

    with_room(work, stale_after_secs=2.0)
    return ", ".join(told)


def main():
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for seed in range(first, first + count):
        sys.stdout.write(f"seed {seed}: {run_seed(seed)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
