"""Nodes with a rolling strategy, started so fast that they can be killed often.

    python -m tests.nautilus.move_node

As in `tests.nautilus.roll_node`: every line of stdin is a JSON object, the settings of a node to
start, which is a fork of this process. A node says `ready` when it runs, `moved` when no move is
open, and `end` when it ended by itself. With `die_at`, it kills itself at that statement which it
sends to the database: between an intent and its order, an order and its answer, or two legs. With
`told` it sets that target and says so, with `die_told` it kills itself at a statement of that.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig

from pyfutures.nautilus.node import run_node
from pyfutures.nautilus.types import current_topic
from tests.nautilus.roll_node import _die_at, say
from tests.nautilus.rolling_tools import config, factories, rolling


class Caller(Actor):
    """Says which month is current, as a roll actor does."""

    def __init__(self, root, month):
        super().__init__(ActorConfig(component_id="CALLER"))
        self._root, self._month = root, month

    def on_start(self):
        self.cache.add(current_topic(self._root), self._month.encode())


def run(settings):
    """Run a node to its end, and say why it ended."""
    die_at = settings.pop("die_at", None)
    if die_at:
        _die_at(die_at)
    try:
        asyncio.run(_run(**settings))
        say(end="")
    except Exception as error:  # noqa: BLE001 - the other side asks why
        say(end=f"{type(error).__name__}: {error}")


async def _run(*, port, month, store, told=None, die_told=None, **settings):
    strategy = rolling(store, **settings)

    def made(node):
        factories(node)
        node.trader.add_actor(Caller("ES", month))
        node.trader.add_strategy(strategy)

    async def watch():
        if told is not None:
            await asyncio.sleep(0.05)
            if die_told is not None:
                _die_at(die_told)
            strategy.set_target(told)
            say(told=told)
        while not (strategy._is_settled and strategy.current and not strategy.is_moving):
            await asyncio.sleep(0.01)
        say(moved={str(month): size for month, size in strategy.position.items()})

    watching = []

    def started(_):
        say(ready=True)
        watching.append(asyncio.get_running_loop().create_task(watch()))

    await run_node(config(port, ("ES",)), made=made, started=started)


def main():
    import pyfutures.nautilus.execution.client
    import pyfutures.nautilus.market.client
    import pyfutures.store.moves  # noqa: F401 - what a start would load

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
    say(started=True)
    for line in sys.stdin:
        settings = json.loads(line)
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run(settings)
            os._exit(0)
        say(pid=pid)


if __name__ == "__main__":
    main()
