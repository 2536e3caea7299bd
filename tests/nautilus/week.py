"""A simulated week: a node and a gateway, in processes of their own, at a clock that is fast.

    python -m tests.nautilus.week [SEED] [--days 7] [--speed 5000] [--keep FOLDER]

The node runs through ``pyfutures node run`` (uvloop, a YAML file). Two strategies trade by dice
that the seed throws, while a script of the seed lets happen what real gateways do: restarts every
day, 326 behind them, maintenance windows, 1100 with 1101 or 1102, farms that flap, cuts at any
byte, silence, executions told twice, commissions that come late. In the end the node and the
gateway are compared (`week_check.py`): every bar once and as the market had it, every order whose
it is, fills, positions.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.nautilus.week_check import STRATEGIES, differences

ROOT = Path(__file__).resolve().parents[2]
#: A Tuesday, 09:00 in Chicago; that Friday is a holiday.
START = dt.datetime(2025, 7, 1, 14, tzinfo=dt.UTC)
HOUR, DAY = 3600, 86400
#: Real seconds within which a node starts, catches up at the end, and stops.
PATIENCE = 60.0
NODE = """
trader_id: WEEK-001
logging: {{log_level: "OFF", log_level_file: WARNING, log_directory: {folder}, log_file_name: node,
  print_config: false}}
timeout_connection: 30
timeout_reconciliation: 20
timeout_portfolio: 20
timeout_disconnection: 5
timeout_post_stop: 0.2
# Its clock is real: to the week its patience with orders would be hours.
exec_engine: {{reconciliation_startup_delay_secs: 0.1, inflight_check_interval_ms: 0}}
data_clients:
  PYF:
    path: pyfutures.nautilus.config:FuturesDataClientConfig
    factory: {{path: tests.nautilus.week_parts:FastDataFactory}}
    config:
      port: {port}
      connection_timeout: {waits}
      request_timeout: {waits}
      history_timeout: {waits}
      stale_after_secs: 1200
      instrument_provider: &provider {{roots: [ES, ZC], months: {{listed: 2}}}}
      routing: {{default: true}}
exec_clients:
  PYF:
    path: pyfutures.nautilus.config:FuturesExecClientConfig
    factory: {{path: tests.nautilus.week_parts:FastExecFactory}}
    config:
      port: {port}
      account_id: DU1234567
      connection_timeout: {waits}
      request_timeout: {waits}
      history_timeout: {waits}
      commission_timeout: {commission}
      instrument_provider: {{roots: [ES, ZC], months: {{listed: 2}}}}
      routing: {{default: true}}
actors:
  - actor_path: tests.nautilus.week_parts:Recorder
    config_path: tests.nautilus.week_parts:RecorderConfig
    config: {{folder: {folder}}}
strategies:
""".replace("&provider ", "")
STRATEGY = """
  - strategy_path: tests.nautilus.week_parts:Trader
    config_path: tests.nautilus.week_parts:TraderConfig
    config: {{folder: {folder}, seed: {seed}, until: {until}, order_id_tag: "{tag}"}}
"""


# What goes wrong.


def faults(dice, days, speed):
    """The faults of so many days, as rows of a script."""
    rows = []

    def at(seconds, **do):
        rows.append({"at": f"+{seconds:.0f}s", "do": do})

    for day in range(days):
        # START is 10:00 in New York: a restart at 20:30, the reset behind midnight.
        late = day * DAY + 10.5 * HOUR
        if dice.random() < 0.5:
            at(late - 1, client_id_in_use=dice.randint(1, 3))
        at(late, restart={"down": "150s", "mute": dice.random() < 0.3})
        at(late + 13500, reset={"for": "90m"})
        then = dice.choice(("restored_lost", "restored_kept"))
        at(late + 14100, connectivity={"state": "lost", "for": "12m", "then": then})
        # IB tells executions since midnight only, so nothing may keep the node away over midnight.
        # A silence that loses what is said lasts until the connection is found dead: on one that
        # lives TCP would say it again. No other may end it.
        silent = day * DAY + dice.uniform(14.2 * HOUR, 36 * HOUR - 2 * speed)
        at(silent, silence={"lose": True})
        for _ in range(20):
            when, what = day * DAY + dice.uniform(14.2, 36) * HOUR, _trouble(dice)
            if "silence" not in what or not silent <= when <= silent + 2 * speed:
                at(when, **what)
    if days >= 4:  # Friday 23:00 to Saturday 03:00 in New York
        at(3 * DAY + 13 * HOUR, restart={"down": "4h"})
    rows.extend(_messages(dice, speed))
    return rows


def _trouble(dice):
    lasts = f"{dice.choice((5, 40, 90, 400, 2000))}s"
    then = dice.choice(("restored_lost", "restored_kept"))
    farm = dice.choice(("usfuture", "ushmds"))
    return dice.choice(
        (
            {"connectivity": {"state": "lost", "for": lasts, "then": then}},
            {"connectivity": {"state": "broken", "for": lasts, "then": then}},
            {"farm": {"name": farm, "for": lasts, "kills": dice.random() < 0.7}},
            {"cut": {"after": dice.choice((0, 1, 17, 120, 700, 5000))}},
            {"silence": {"for": lasts, "lose": False}},
            {"restart": {"down": lasts}},
            {"compete": {"for": lasts}},
            {"end_kept_bars": True},
            {"lose_feeds": True},
        )
    )


def _messages(dice, speed):
    """What happens to messages about orders, all the week."""
    late = f"{dice.randint(1, 60)}s"
    never = f"{2 * speed:.0f}s"  # behind the node's patience: the fill is told without
    for kind, do, times in (
        ("ExecutionDetails", {"duplicate": 2}, 40),
        ("ExecutionDetails", {"duplicate": 3}, 10),
        ("OrderStatus", {"duplicate": 2}, 60),
        ("OpenOrder", {"hold_until": "OrderStatus"}, 20),
        ("CommissionReport", {"delay": late}, 30),
        ("CommissionReport", {"delay": never}, 3),
        ("CommissionReport", "drop", 2),
        ("OpenOrder", {"hold_until": "ExecutionDetails"}, 5),
    ):
        yield {
            "when": {"response": kind, "client": 1, "skip": dice.randint(0, 60)},
            "do": do,
            "times": times,
        }


# Both processes.


class Child:
    """A process that is ended whatever happens."""

    def __init__(self, process):
        self.process = process

    async def line(self):
        return await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)

    def say(self, word):
        self.process.stdin.write(word + b"\n")


@contextlib.asynccontextmanager
async def child(*arguments, errors, **more):
    env = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
        env=env, limit=1 << 28,
    )  # fmt: skip
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
        process.stdin.close()
        await process.stdout.read()
        await process.wait()


def _end(days):
    return int(START.timestamp()) + days * DAY


def _node_file(folder, port, seed, *, days, speed):
    shared = {
        "folder": folder, "port": port, "waits": 8.0 * speed, "commission": speed,
        "seed": seed, "until": _end(days) - 1800,
    }  # fmt: skip
    text = NODE.format(**shared)
    text += "".join(STRATEGY.format(**shared, tag=tag) for tag in ("001", "002"))
    path = folder / "node.yaml"
    path.write_text(text, "utf-8")
    return path


async def live(folder, seed, *, days, speed):
    """Let a week happen; return what the gateway and what the node say of it."""
    dice = random.Random(f"week {seed}")  # noqa: S311 - dice, no secret
    script = folder / "faults.yaml"
    script.write_text(json.dumps({"schema": 1, "faults": faults(dice, days, speed)}), "utf-8")
    clock = folder / "clock"
    start = START.isoformat()
    async with contextlib.AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(
            child(
                "-m", "tests.nautilus.week_gateway", start, str(speed), str(seed),
                str(script), str(clock), errors=None,
            )
        )  # fmt: skip
        port = int(await gateway.line())
        path = _node_file(folder, port, seed, days=days, speed=speed)
        week = {"start": start, "end": _end(days), "speed": speed, "clock": str(clock)}
        errors = stack.enter_context((folder / "node.err").open("wb"))
        node = await stack.enter_async_context(
            child(
                "-c", "from pyfutures.cli import main; main()", "node", "run", str(path),
                errors=errors, WEEK=json.dumps(week),
            )
        )  # fmt: skip
        await _until(lambda: b" runs\n" in _read(folder / "node.err"), node, PATIENCE)
        gateway.say(b"go")
        over = await _until((folder / "over").exists, node, days * DAY / speed + PATIENCE)
        if node.process.returncode is None:
            node.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(node.process.wait(), PATIENCE)
        gateway.say(b"end")
        theirs = json.loads(await gateway.line())
    ours = {}
    if (folder / "node.json").exists():
        ours = json.loads(_read(folder / "node.json"))
        ours["traders"] = {name: json.loads(_read(folder / f"{name}.json")) for name in STRATEGIES}
    ours |= {
        "code": node.process.returncode,
        "said": _read(folder / "node.err").decode(),
        "over": over,
    }
    return theirs, ours


def _read(path):
    return path.read_bytes()


async def _until(found, node, seconds):
    began = time.monotonic()
    while time.monotonic() - began < seconds and node.process.returncode is None:
        if found():
            return True
        await asyncio.sleep(0.02)
    return False


# What came of it.


def summary(theirs, ours):
    """What a week came to, in words."""
    bars = {name: len(bars) for name, bars in ours.get("bars", {}).items()}
    states = Counter(order["status"] for order in theirs["orders"])
    return (
        f"bars {bars}, {sum(states.values())} orders {dict(states)}, {len(theirs['fills'])}"
        f" executions, positions {theirs['positions']}, feeds {ours.get('feeds')}"
    )


def run(seed, *, days, speed, folder=None):
    """Let a week happen and return what differs, and a summary."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        theirs, ours = asyncio.run(live(folder, seed, days=days, speed=speed))
        (folder / "gateway.json").write_text(json.dumps(theirs), "utf-8")
    return list(differences(theirs, ours)), summary(theirs, ours)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.nautilus.week")
    parser.add_argument("seed", nargs="?", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--speed", type=float, default=5000)
    parser.add_argument("--keep", type=Path, help="keep the files of the run here")
    given = parser.parse_args()
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    found, words = run(given.seed, days=given.days, speed=given.speed, folder=given.keep)
    sys.stdout.write("".join(f"  {line}\n" for line in found[:50]))
    took = time.monotonic() - began
    verdict = f"{len(found)} differences" if found else "node and gateway agree"
    sys.stdout.write(
        f"seed {given.seed}, {given.days} days at speed {given.speed:g} in {took:.0f} s:"
        f" {words}: {verdict}\n"
    )
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
