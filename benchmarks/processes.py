"""Whole commands, as a user waits for them, against the limit that each must keep.

Every run is a new process with a user cache of its own that is empty. Bytecode is kept between
runs, as it is for whatever pip has installed, but in a folder of the benchmark's own: the same
figures come out where python is told not to write bytecode into a checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timing import Figure, seconds, tell

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
        yield Figure(
            name="process: python -c 'import numpy'",
            value=_process([_PYTHON, "-c", "import numpy"], environment),
            unit="s",
            note=f"for comparison; a new process, median of {_RUNS}",
        )
        for name, words, limit in _COMMANDS:
            tell(f"pyfutures {name}")
            yield Figure(
                name=f"process: pyfutures {name}",
                value=_process([_PYFUTURES, *words], environment),
                unit="s",
                note=f"a new process with an empty user cache, median of {_RUNS}",
                limit=limit,
            )


def _process(command: list[str], environment: dict[str, str]) -> float:
    def run() -> None:
        with tempfile.TemporaryDirectory() as cache:
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                env=environment | {"PYFUTURES_CACHE": cache},
            )

    return seconds(run, runs=_RUNS)
