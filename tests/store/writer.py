"""Writes a series, fills and intents until it is killed; says what is durable.

    python -m tests.store.writer TARGET

A line is printed after each call has returned: what was printed must be found later.
"""

from __future__ import annotations

import sys

from pyfutures.store import Owner, Store
from tests.store.tools import ACCOUNT, definition, market, resumed


def main():
    with (
        Store.open(sys.argv[1]) as store,
        store.lease(ACCOUNT, "ES", Owner.here("WRITER")) as lease,
    ):
        log, book = store.series(definition(), lease=lease), store.book(lease, strategy="S")
        machine = resumed(log)
        done = sum(store.positions(ACCOUNT).get("ES", {}).values())
        seen = max(machine.closed_ts or 0, (machine.open_ts or 1) - 1)
        for bar in market("2024-03-01", "2024-07-20"):
            if bar.ts <= seen:
                continue
            log.append(machine.feed(bar), machine.state(), now_ns=bar.ts)
            done += 1
            book.fill("ESH24.XCME", 1, execution=str(done), at_ns=bar.ts, intent="x")
            sys.stdout.write(f"{bar.ts} {len(machine.state()['legs'])} {done}\n")
            sys.stdout.flush()
    sys.stdout.write("end\n")


if __name__ == "__main__":
    main()
