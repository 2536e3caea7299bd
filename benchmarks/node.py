"""Bars and quotes through a whole node, our adapter and nautilus_trader's own in turns.

A gateway in a process of its own sends the same values to both (`node_gateway.py`); a node on
uvloop hands them to an actor (`node_clients.py`). Rates are from the first byte that is sent to the
last value that the actor is told; latency is of quotes five milliseconds apart, from the write at
the gateway to the actor. A burst makes nautilus' client slower, so it is fed in small writes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.timing import Figure, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROUNDS = 2
_COUNTS = {"quotes": 20_000, "paced": 600, "bars": 5_000}
_BURST, _SMALL = ("1000000", "0"), ("4000", "0.005")
_PACES = {"pyfutures": _BURST, "nautilus": _SMALL}
_AIM_OVER_NAUTILUS = 10.0
_DEADLINE = 300.0


def measure() -> Iterator[Figure]:
    """Yield values per second, latencies, and how they compare."""
    best: dict[str, dict[str, float]] = {"quotes": {}, "bars": {}}
    waits: dict[str, list[float]] = {name: [] for name in _PACES}
    for turn in range(_ROUNDS):
        for name in _PACES:
            tell(f"node: {name}, round {turn + 1} of {_ROUNDS}")
            sent, told = run(name, _COUNTS)
            for what, rates in best.items():
                taken = (told[what][-1] - sent[what][0]) / 1e9
                rates[name] = max(rates.get(name, 0.0), _COUNTS[what] / taken)
            waits[name] += latencies(sent["paced"], told["paced"])
    for what, rates in best.items():
        name = f"node: {what} from gateway to actor"
        yield Figure(
            name, rates["pyfutures"], f"{what}/s",
            f"TCP, uvloop, best of {_ROUNDS}; nautilus {rates['nautilus']:,.0f} (fed in small"
            " writes, in its favour)",
        )  # fmt: skip
        ratio = rates["pyfutures"] / rates["nautilus"]
        yield Figure(f"{name} / nautilus", ratio, "times", "", aim=_AIM_OVER_NAUTILUS)
    ours, theirs = (sorted(waits[name]) for name in ("pyfutures", "nautilus"))
    for name, share in (("median", 0.5), ("99th percentile", 0.99)):
        yield Figure(
            f"node: latency of a quote, gateway to actor, {name}",
            quantile(ours, share) * 1e3, "ms",
            f"of {len(ours)} quotes 5 ms apart; nautilus {quantile(theirs, share) * 1e3:.2f}",
        )  # fmt: skip


def latencies(sent: list[int], told: list[int]) -> list[float]:
    """Return the seconds between what was sent and what was told, one for one."""
    return [(b - a) / 1e9 for a, b in zip(sent, told, strict=True)]


def quantile(values: list[float], share: float) -> float:
    """Return the value below which a share of sorted values lies."""
    if share == 0.5:
        return statistics.median(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def run(name: str, counts: dict[str, int]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Run one adapter at a gateway: when what was sent, and when what was told."""
    with tempfile.TemporaryDirectory() as folder:
        times = Path(folder, "times")
        numbers = [counts["quotes"], counts["paced"], counts["bars"]]
        words = [*map(str, numbers), *_PACES[name], str(times)]
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.node_gateway", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        ) as gateway:
            try:
                assert gateway.stdout is not None  # noqa: S101 - it is a pipe
                port = gateway.stdout.readline().strip()
                told = _told([name, port, *map(str, numbers)], Path(folder, "told"))
                gateway.communicate("\n", timeout=10)
            finally:
                gateway.terminate()
        sent = json.loads(times.read_text("utf-8"))
    return sent, told


def _told(words: list[str], file: Path) -> Any:  # noqa: ANN401
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.node_clients", *words, str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode or not file.exists():
        raise RuntimeError(f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(file.read_text("utf-8"))
