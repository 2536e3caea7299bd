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

from pyfutures.gateway.fault_checks import (
    actions_of,
    check_by_themselves,
    check_on_messages,
    compared,
    kinds_of,
)
from pyfutures.gateway.fault_fields import FaultError
from pyfutures.gateway.fault_values import duration
from pyfutures.resources import data_dir
from pyfutures.specs.words import suggestion
from pyfutures.specs.yaml import load

if TYPE_CHECKING:
    from pathlib import Path

    from jsonschema import ValidationError

    from pyfutures.diagnostics import Location
    from pyfutures.gateway.core import Gateway
    from pyfutures.specs.model import DataPath
    from pyfutures.specs.positions import Document

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
            raise ScriptError("\n".join(_said(document, error) for error in faults))
        self.rows: list[dict[str, Any]] = data["faults"]
        wrong = []
        for number, row in enumerate(self.rows):
            try:
                _check(row)
            except ValueError as error:
                place = error.place if isinstance(error, FaultError) else ()
                where = _location(document, number, place)
                wrong.append(f"{where}: fault {number + 1}: {error}")
        if wrong:
            raise ScriptError("\n".join(wrong))

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


def _check(row: dict[str, Any]) -> None:
    """Check a fault as far as that goes before it happens.

    Raises
    ------
    ValueError
        For what cannot be.

    """
    actions = actions_of(row["do"])
    if "when" not in row:
        check_by_themselves(actions)
        for key in ("at", "every"):
            try:
                _instant(row.get(key), 0) if key == "at" else duration(row.get(key, 0))
            except ValueError as error:
                raise FaultError(str(error), (key,)) from None
        return
    kinds = kinds_of(_kinds(row))
    check_on_messages(actions, kinds)
    compared(kinds, row["when"].get("where", {}))


def _location(document: Document, number: int, place: DataPath) -> Location:
    """Return where in a file a part of a fault stands; the fault itself where that is nowhere."""
    spans, fault = document.spans, ("faults", number)
    while place:
        # What a fault does may be one action or a list of them.
        listed = ((*fault, place[0], j, *place[1:]) for j in range(100))
        for path in ((*fault, *place), *listed):
            if path in spans:
                return spans.key(path)
        place = place[:-1]
    return spans.key(fault)


def _said(document: Document, error: ValidationError) -> str:
    """Return where and why a file does not follow the schema."""
    path = tuple(error.absolute_path)
    message = f"{error.json_path.removeprefix('$.')}: {error.message}"
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties":
        written = error.instance if isinstance(error.instance, dict) else {}
        unknown = [key for key in written if key not in known]
        path = (*path, unknown[0])
        message = f"unknown key `{unknown[0]}`: {suggestion(unknown[0], known, 'there are')}"
    return f"{document.spans.key(path)}: {message}"


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
