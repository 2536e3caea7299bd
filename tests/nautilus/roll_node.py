"""A node with a roll actor, and what starts such nodes so fast that they can be killed often.

    python -m tests.nautilus.roll_node

Every line of stdin is a JSON object: the settings of a node to start. A node is a fork of this
process, which has loaded all modules already; its number is answered as ``{"pid": …}``. Then come
lines of what the node did: `ready` when it has caught up, `bar` and `roll` for each one that is
durable, `end` when it ended by itself. With `die_at`, a node kills itself at that statement it
sends to the database: in the middle of a transaction, as often as not.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys

import sqlalchemy as sa
from nautilus_trader.config import (
    ImportableActorConfig,
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    RoutingConfig,
    TradingNodeConfig,
)

from pyfutures.nautilus.actor import RollActor
from pyfutures.nautilus.config import (
    FuturesDataClientConfig,
    FuturesExecClientConfig,
    FuturesInstrumentProviderConfig,
    MonthsSelection,
)
from pyfutures.nautilus.factories import (
    FuturesLiveDataClientFactory,
    FuturesLiveExecClientFactory,
)
from pyfutures.nautilus.node import run_node

NAME = "PYF"


def say(**what):
    os.write(1, json.dumps(what).encode() + b"\n")


class Told(RollActor):
    """A roll actor that says what it has written down."""

    def _take(self, events):
        rolled = super()._take(events)
        for event in events:
            if type(event).__name__ == "ContinuousBar":
                say(bar=event.ts, live=not self.is_catching_up)
        if rolled:
            say(roll=str(self.machine.month))
        return rolled

    def _tell_month(self):
        super()._tell_month()
        if not self.is_catching_up:
            legs = list(map(str, self.machine.wanted()))
            say(ready=self.machine.closed_ts, month=str(self.machine.month), legs=legs)


def node_config(port, *, client_id=7, trader="ROLLS-001", **actor):
    roots = frozenset({actor["root"]})
    provider = FuturesInstrumentProviderConfig(
        roots=roots, months=MonthsSelection(listed=1), refresh_mins=0
    )
    both = {
        "port": port,
        "client_id": client_id,
        "instrument_provider": provider,
        "routing": RoutingConfig(default=True),
    }
    return TradingNodeConfig(
        trader_id=trader,
        logging=LoggingConfig(log_level=os.environ.get("NODE_LOG", "OFF"), print_config=False),
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        exec_engine=LiveExecEngineConfig(
            reconciliation_startup_delay_secs=0.05, graceful_shutdown_on_exception=True
        ),
        data_clients={NAME: FuturesDataClientConfig(stale_after_secs=None, **both)},
        exec_clients={NAME: FuturesExecClientConfig(**both)},
        actors=[
            ImportableActorConfig(
                actor_path="tests.nautilus.roll_node:Told",
                config_path="pyfutures.nautilus.actor:RollActorConfig",
                config=actor,
            )
        ],
        timeout_connection=15,
        timeout_reconciliation=10,
        timeout_portfolio=5,
        timeout_disconnection=2,
        timeout_post_stop=0.05,
    )


def _die_at(count):
    """Be killed at a statement of the database."""
    done = itertools.count(1)

    @sa.event.listens_for(sa.Engine, "after_cursor_execute")
    def _(*_):
        if next(done) >= count:
            os.kill(os.getpid(), signal.SIGKILL)


def run(settings):
    """Run a node to its end, and say why it ended."""
    if die_at := settings.pop("die_at", None):
        _die_at(die_at)
    try:
        asyncio.run(_run(settings))
        say(end="")
    except Exception as error:  # noqa: BLE001 - the other side asks why
        say(end=f"{type(error).__name__}: {error}")


async def _run(settings):
    def made(node):
        node.add_data_client_factory(NAME, FuturesLiveDataClientFactory)
        node.add_exec_client_factory(NAME, FuturesLiveExecClientFactory)

    await run_node(node_config(**settings), made=made)


def main():
    import pyfutures.nautilus.execution.client
    import pyfutures.nautilus.market.client
    import pyfutures.nautilus.series.keeping  # noqa: F401 - what a start would load

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
