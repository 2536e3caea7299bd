"""``pyfutures validate`` against check-jsonschema: the same files, the same schemas, one run.

check-jsonschema sees the form of each file; ours sees that, what its keys and other files make of
it, and every date. Whole processes both, with an empty user cache and kept bytecode.
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
from pyfutures.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BIN = Path(sys.executable).parent
_OURS = str(_BIN / "pyfutures")
_THEIRS = str(_BIN / "check-jsonschema")
_RUNS = 5
#: How many times as fast ours is to be.
_AIM = 3.0


def measure() -> Iterator[Figure]:
    """Yield the seconds of both over the whole catalogue and over three files, and the ratios."""
    contracts, schemas = data_dir("contracts"), data_dir("schemas")
    calendars = sorted(contracts.glob("calendars/*.yaml"))
    specs = sorted(set(contracts.glob("*/*.yaml")) - set(calendars))
    three = [next(contracts.glob(f"*/{root}.yaml")) for root in ("ES", "CL", "GF")]
    two, calendar = three[1:], contracts / "calendars" / "nymex.yaml"
    # check-jsonschema takes one schema a run: contracts and calendars are two, as in pre-commit.
    runs = {
        "whole catalogue": ([], [("contract", specs), ("calendar", calendars)], 2.0),
        "three files": (three, [("contract", three)], 0.6),
        "two specs and a calendar": (
            [*two, calendar], [("contract", two), ("calendar", [calendar])], 0.6
        ),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder, "bytecode"))
        for name, (paths, kinds, limit) in runs.items():
            tell(f"validate: {name}")
            ours = _timed([[_OURS, "validate", *map(str, paths)]], environment)
            schema = str(schemas / "{}.schema.json")
            others = [
                [_THEIRS, "--schemafile", schema.format(kind), *map(str, files)]
                for kind, files in kinds
            ]
            theirs = _timed(others, environment)
            note = f"{sum(len(files) for _, files in kinds)} files; median of {_RUNS}"
            yield Figure(f"validate: {name}", ours, "s", note, limit=limit)
            yield Figure(f"validate: {name}, check-jsonschema", theirs, "s", note)
            yield Figure(
                f"validate: {name}, times as fast as check-jsonschema",
                theirs / ours,
                "times",
                "check-jsonschema sees the form of each file, and nothing else",
                aim=_AIM,
            )


def _timed(commands: Sequence[Sequence[str]], environment: dict[str, str]) -> float:
    """Median seconds of some commands, one after the other; they must find nothing."""

    def run() -> None:
        with tempfile.TemporaryDirectory() as cache:
            for command in commands:
                subprocess.run(
                    command,
                    check=True,
                    capture_output=True,
                    env=environment | {"PYFUTURES_CACHE": cache},
                )

    run()  # writes the bytecode
    return statistics.median(once(run) for _ in range(_RUNS))
