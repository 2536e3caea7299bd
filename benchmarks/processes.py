"""Whole commands, as a user waits for them, against the limit that each must keep.

Every run is a new process with a user cache of its own that is empty. Bytecode is kept between
runs, as it is for whatever pip has installed, but in a folder of the benchmark's own: the same
figures come out where python is told not to write bytecode into a checkout.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timing import Figure, once, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

_PYTHON = sys.executable
_PYFUTURES = str(Path(_PYTHON).with_name("pyfutures"))
_ALL = ["chain", "--all", "--from", "1980F", "--to", "2045Z", "--format", "csv"]
_COMMANDS = [
    ("chain ES", ["chain", "ES"], 0.5),
    ("explain ES 2026H", ["explain", "ES", "2026H"], 0.5),
    ("validate", ["validate"], 2.0),
    (" ".join(_ALL), _ALL, 3.0),
]
_RUNS = 7


def measure() -> Iterator[Figure]:
    """Yield the seconds that each command takes, and what python and numpy alone take of them."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder, "bytecode"))
        tell("python -c 'import numpy'")
        yield _process(
            "python -c 'import numpy'", [_PYTHON, "-c", "import numpy"], environment, limit=None
        )
        for name, words, limit in _COMMANDS:
            tell(f"pyfutures {name}")
            yield _process(f"pyfutures {name}", [_PYFUTURES, *words], environment, limit=limit)


def _process(
    name: str, command: list[str], environment: dict[str, str], *, limit: float | None
) -> Figure:
    def run() -> None:
        with tempfile.TemporaryDirectory() as cache:
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                env=environment | {"PYFUTURES_CACHE": cache},
            )

    run()  # writes the bytecode
    before = _processor_seconds()
    times = [once(run) for _ in range(_RUNS)]
    busy = (_processor_seconds() - before) / _RUNS
    return Figure(
        name=f"process: {name}",
        value=statistics.median(times),
        unit="s",
        # Whatever else runs at the time makes the median longer, and hardly the processor time.
        note=f"median of {_RUNS}; fastest {min(times):.3f} s; processor time {busy:.3f} s",
        limit=limit,
    )


def _processor_seconds() -> float:
    """Processor time of all children so far."""
    spent = os.times()
    return spent.children_user + spent.children_system
