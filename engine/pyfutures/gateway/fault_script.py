"""Faults in YAML: `at: +5s`, `when: {request: …}`, `do: …`.

A script is checked against `schemas/fault_script.schema.json` first, so that a fault that cannot be
is found where it is written and not when it should have happened.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from pyfutures.gateway.fault_values import duration
from pyfutures.gateway.faults import FaultError, actions_of, kinds_of
from pyfutures.resources import data_dir
from pyfutures.specs.yaml import load

if TYPE_CHECKING:
    from pathlib import Path

    from pyfutures.gateway.core import Gateway

__all__ = ["Script", "ScriptError"]


class ScriptError(FaultError):
    """A script that cannot be played: where and why, a line each."""


class Script:
    """The faults of a file.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ScriptError
        For a file that is no YAML, does not follow the schema, or names what there is not.
    OSError
        For a file that cannot be read.

    """

    def __init__(self, path: Path) -> None:
        document, diagnostics = load(path.read_bytes(), str(path))
        if document is None or diagnostics:
            raise ScriptError("\n".join(f"{d.location}: {d.message}" for d in diagnostics))
        schema = json.loads((data_dir("schemas") / "fault_script.schema.json").read_text("utf-8"))
        data = _plain(document.data)
        faults = sorted(Draft202012Validator(schema).iter_errors(data), key=lambda e: list(e.path))
        if faults:
            lines = (f"{path}: {e.json_path.removeprefix('$.')}: {e.message}" for e in faults)
            raise ScriptError("\n".join(lines))
        self.rows: list[dict[str, Any]] = data["faults"]
        for number, row in enumerate(self.rows, 1):
            try:
                actions_of(row["do"])
                kinds_of(_kinds(row))
                _instant(row.get("at"), 0)
                for key in ("every", "at"):
                    if key in row and not str(row[key])[:4].isdigit():
                        duration(row[key])
            except ValueError as error:
                raise ScriptError(f"{path}: fault {number}: {error}") from None

    def play(self, gateway: Gateway) -> None:
        """Let the faults of the script happen to a gateway, from now on."""
        for row in self.rows:
            if "when" in row:
                when = row["when"]
                gateway.faults.when(
                    _kinds(row),
                    row["do"],
                    client=when.get("client"),
                    where=when.get("where"),
                    times=None if row.get("times") == "always" else row.get("times", 1),
                    skip=when.get("skip", 0),
                )
                continue
            start = gateway.timeline.now
            at = _instant(row.get("at", "+0s"), start)
            step = duration(row["every"]) if "every" in row else 0
            gateway.faults.at(at, row["do"], every=step, times=int(row.get("times", 1)))


def _kinds(row: dict[str, Any]) -> list[str]:
    when = row.get("when", {})
    named = [when[key] for key in ("request", "response") if key in when]
    return [name for names in named for name in ([names] if isinstance(names, str) else names)]


def _instant(at: object, start: int) -> int:
    """Return an instant: `+5s` after the start, or `2025-07-01T12:00:00Z`."""
    if at is None:
        return start
    text = str(at)
    if text.startswith("+") or not text[:4].isdigit() or "T" not in text:
        return start + duration(text)
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise FaultError(f"`{text}` has no zone: write {text}Z")
    return int(moment.timestamp()) * 1_000_000_000


def _plain(value: Any) -> Any:  # noqa: ANN401 - a tree of YAML
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
