"""Runs every benchmark once, prints ratios and writes ``latest.json`` beside this file.

Nothing here asserts: a figure is a ratio against a peer or a limit in the same run, since machines
differ and load comes and goes.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks import processes, rules, series

_PACKAGES = ("numpy", "pandas", "exchange_calendars", "jsonschema", "pyyaml", "python-dateutil")


def main() -> None:
    """Measure, print, write."""
    figures = [*processes.measure(), *rules.measure(), *series.measure()]
    for figure in figures:
        print(
            f"{figure['name']:<52} {figure['value']:>12,.3f} {figure['unit']:<12} {figure['note']}"
        )
    document = {
        "command": "make bench",
        "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in _PACKAGES},
        "figures": figures,
    }
    path = Path(__file__).with_name("latest.json")
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
