"""Whole commands, as a user waits for them, against the limit that each must keep."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.timing import Figure, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

_PYFUTURES = str(Path(sys.executable).with_name("pyfutures"))
_ALL = ["chain", "--all", "--from", "1980F", "--to", "2045Z", "--format", "csv"]
_COMMANDS = [
    ("chain ES", ["chain", "ES"], 0.5),
    ("explain ES 2026H", ["explain", "ES", "2026H"], 0.5),
    ("validate (whole catalogue)", ["validate"], 2.0),
    ("chain --all, 1980 to 2045, csv", _ALL, 3.0),
]


def measure() -> Iterator[Figure]:
    """Seconds a command takes as a new process with an empty user cache."""
    for name, words, limit in _COMMANDS:
        with tempfile.TemporaryDirectory() as cache:
            environment = os.environ | {"PYFUTURES_CACHE": cache}
            taken = seconds(
                lambda words=words, environment=environment: subprocess.run(
                    [_PYFUTURES, *words], check=True, capture_output=True, env=environment
                )
            )
        yield Figure(
            name=f"process: {name}",
            value=taken,
            unit="s",
            note=f"limit {limit} s, {taken / limit:.2f} of it",
        )
