"""Runs every benchmark once, prints the figures and writes ``latest.json`` beside this file.

Nothing here fails for being slow: a figure is a ratio against a peer or a limit of the same run,
since machines differ and load comes and goes.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from benchmarks import actor, ib, node, processes, rules, series, validate

_PACKAGES = (
    "pyfutures", "numpy", "pandas", "python-dateutil", "pyyaml", "click", "pyarrow", "ib_async",
    "nautilus-ibapi", "nautilus_trader", "check-jsonschema",
)  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    figures = []
    for part in (processes, validate, rules, series, actor, ib, node):
        for figure in part.measure():
            figures.append(figure)
            print(
                f"{figure.name:<74} {figure.value:>13,.{_digits(figure.value)}f}"
                f" {figure.unit:<9} {figure.verdict}",
                flush=True,
            )
    document = {
        "command": "python -m benchmarks",
        "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load_at_start": load,
        "packages": {name: version(name) for name in _PACKAGES},
        "figures": [
            {key: value for key, value in asdict(figure).items() if value is not None}
            | {"value": float(f"{figure.value:.4g}")}
            for figure in figures
        ],
    }
    path = Path(__file__).with_name("latest.json")
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path.parent.name}/{path.name}")


def _digits(value: float) -> int:
    """Digits after the point: seconds need some, bars per second none."""
    return 3 if value < 10 else 1 if value < 1000 else 0


if __name__ == "__main__":
    main()
