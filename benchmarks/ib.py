"""Interactive Brokers' messages: decoded, and from one end of a TCP connection to the other.

Decoders read the same bytes in turns, ours, ib_async's and the official one, every turn with other
numbers so that nothing is remembered from the last one. Processor time counts, and the best turn:
other work of a computer only ever takes away. Then another process feeds every client the same
bytes over loopback (`feed.py`, `ib_clients.py`), which hands them to a callback, or returns them,
in the form that its user gets.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import ib_decoders as decoders
from benchmarks import ib_messages as messages
from benchmarks.timing import Figure, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

_TURNS = 9
_ROUNDS = 2
_TICKS = 20_000
_BLOCKS = 20
_AIM_OVER_NAUTILUS = 40.0
_DEADLINE = 60.0
#: Runs a process, and how the feed writes to it: bytes in a write, seconds between two. A burst
#: makes nautilus' client several times slower, for it logs all that waits with every message.
_CLIENTS = {"pyfutures": (3, ()), "ib_async": (3, ()), "nautilus": (1, ("4000", "0.005"))}

type Rates = dict[str, float]


def measure() -> Iterator[Figure]:
    """Yield values per second of our decoder and our client, and how others compare."""
    yield from _decoding()
    yield from _end_to_end()


def _decoding() -> Iterator[Figure]:
    rates: dict[str, Rates] = {}
    differing = 0
    for turn in range(_TURNS):
        tell(f"ib: decoders, turn {turn + 1} of {_TURNS}")
        for kind in messages.kinds(seed=turn):
            if turn == 0:
                differing += decoders.disagreements(kind.bodies)
            best = rates.setdefault(kind.name, {})
            for name in decoders.DECODERS:
                best[name] = max(best.get(name, 0.0), _rate(name, kind))
    for kind in messages.kinds(1000):
        best = rates[kind.name]
        name = f"ib: decode {kind.name}"
        others = f"ib_async {best['ib_async']:,.0f}, ibapi {best['ibapi']:,.0f}"
        yield Figure(
            name, best["pyfutures"], kind.unit, f"processor time, best of {_TURNS} turns; {others}"
        )
        for other, aim in (("ib_async", kind.aim), ("ibapi", None)):
            ratio = best["pyfutures"] / best[other]
            yield Figure(f"{name} / {other}", ratio, "times", "", aim=aim)
    yield Figure("ib: values on which decoders differ", differing, "values", "of one turn", limit=0)


def _rate(name: str, kind: messages.Kind) -> float:
    """Return how many values of a kind a decoder reads in a second."""
    read, heard = decoders.DECODERS[name]()
    gc.collect()
    start = time.thread_time()
    read(kind.bodies)
    taken = time.thread_time() - start
    if not heard.count:
        raise RuntimeError(f"{name} was told no {kind.name}")
    return kind.count / taken


def _end_to_end() -> Iterator[Figure]:
    rates: dict[str, Rates] = {"ticks": {}, "bars": {}}
    counts = {"ticks": _TICKS, "bars": _BLOCKS * messages.BARS_A_MESSAGE}
    with tempfile.TemporaryDirectory() as folder:
        ticks, bars = Path(folder, "ticks"), Path(folder, "bars")
        ticks.write_bytes(messages.framed(messages.encoded(messages.ticks(_TICKS))))
        bars.write_bytes(messages.framed(messages.encoded(messages.bars(_BLOCKS))))
        for turn in range(_ROUNDS):
            for client, (runs, pace) in _CLIENTS.items():
                tell(f"ib: {client} end to end, round {turn + 1} of {_ROUNDS}")
                with feed(ticks, bars, _BLOCKS, pace) as port:
                    for seconds in run_client(client, port, _TICKS, _BLOCKS, runs):
                        for what, best in rates.items():
                            rate = counts[what] / seconds[what]
                            best[client] = max(best.get(client, 0.0), rate)
    for what, unit in (("ticks", "msgs/s"), ("bars", "bars/s")):
        best = rates[what]
        name = f"ib: end to end {what}"
        how = f"TCP, bytes to callback; ib_async {best['ib_async']:,.0f}, "
        how += f"nautilus {best['nautilus']:,.0f} (fed in small writes, in its favour)"
        yield Figure(name, best["pyfutures"], unit, how)
        for other, aim in (("ib_async", None), ("nautilus", _AIM_OVER_NAUTILUS)):
            ratio = best["pyfutures"] / best[other]
            yield Figure(f"{name} / {other}", ratio, "times", "", aim=aim)


@contextmanager
def feed(ticks: Path, bars: Path, blocks: int, pace: tuple[str, ...] = ()) -> Iterator[int]:
    """Run the process that sends; the value is its port."""
    words = [str(messages.VERSION), str(ticks), str(bars), str(blocks), *pace]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.feed", *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def run_client(
    name: str, port: int, ticks: int, blocks: int, runs: int = 1
) -> list[dict[str, float]]:
    """Run one client in a process of its own, and return the seconds of its runs."""
    words = [name, str(port), str(ticks), str(blocks), str(runs)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ib_clients", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
        cwd=Path(__file__).parents[1],
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(lines) != runs:
        raise RuntimeError(f"{name}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return [json.loads(line) for line in lines]
