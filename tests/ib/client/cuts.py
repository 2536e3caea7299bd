"""A client with subscriptions running, and a gateway that is cut at any byte in any phase.

``python -m tests.ib.client.cuts 300`` runs seeds 0 to 299 and prints what each came to.
"""

from __future__ import annotations

import asyncio
import random
import sys

from pyfutures.ib import messages as m
from pyfutures.ib.client import Client
from pyfutures.ib.market import TickKind
from pyfutures.ib.times import BarSize
from tests.ib.client.market import BarMarket, TickMarket, check_bars, check_ticks
from tests.ib.client.server import config, gateway_running, settle
from tests.ib.client.virtual import VirtualClock, run

ES = m.Contract(con_id=1, symbol="ES", sec_type="FUT", exchange="CME", currency="USD")
_EARLY = [0, 1, 5, 20, 60, 120, 250, 600, 1500, 4000, 20000]


def _count(name):
    return sum(task.get_name() == name for task in asyncio.all_tasks())


def run_seed(seed):
    """Return what a seed came to, in words; raise where anything is wrong."""
    dice = random.Random(seed)  # noqa: S311 - dice, no secret
    told = []

    async def main():
        async with gateway_running(dice.choice([176, 178, 200])) as gateway:
            bars_of = BarMarket(gateway, chunk=dice.choice([3, 30, 1000]))
            ticks_of = TickMarket(gateway)
            # Sessions that die early: in the handshake, at the start, in the first block …
            gateway.cuts = [dice.choice(_EARLY) for _ in range(12)]
            bars, ticks = [], []
            client = Client(config(gateway), clock=VirtualClock())
            await client.start(deadline=None)
            client.history.live_bars(
                ES, size=BarSize.MINUTE_1, duration="600 S", callback=bars.append
            )
            client.market.ticks(ES, TickKind.LAST, callback=ticks.append)
            for _ in range(10):
                await asyncio.sleep(dice.uniform(1, 900))
                _cut(dice, gateway, client)
                assert _count("pyfutures-ib-session") == 1
                assert _count("pyfutures-ib-reader") <= 1
            await asyncio.sleep(600)
            await settle()
            starts = check_bars(bars)
            assert starts[-1] >= bars_of.forming() - 120
            check_ticks(ticks)
            assert ticks[-1].time >= client.clock.now().timestamp() - 30
            assert client.sessions > 3
            assert client.faults == 0
            told.append(
                f"{client.sessions} sessions, {len(starts)} bars, {len(ticks)} ticks, each once"
            )
            await client.close()
            await bars_of.stop()
            await ticks_of.stop()

    run(main)  # which looks for tasks and timers that are left, pytest for sockets
    return told[0]


def _cut(dice, gateway, client):
    how = dice.randrange(4)
    if how == 0:
        gateway.live.cut()
    elif how == 1:
        gateway.live.writer.transport.abort()
    elif how == 2:
        gateway.live.bytes_left = dice.randrange(2000)
    else:
        client.reconnect()


if __name__ == "__main__":
    for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 20):
        sys.stdout.write(f"seed {number}: {run_seed(number)}\n")
