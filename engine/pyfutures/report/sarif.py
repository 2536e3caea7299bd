"""Diagnostics as SARIF 2.1.0, for code scanning: one run, its rules are the codes that were found.

Lines and columns count from 1 in characters, the end of a region is exclusive: as in a
:class:`~pyfutures.diagnostics.Location`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pyfutures import __version__
from pyfutures.codes import CODES
from pyfutures.report.paths import relative

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyfutures.codes import Code
    from pyfutures.diagnostics import Diagnostic, Location

__all__ = ["document", "report"]

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def report(diagnostics: Collection[Diagnostic]) -> str:
    """Return diagnostics as the text of a SARIF log, one newline at its end."""
    return json.dumps(document(diagnostics), indent=2, ensure_ascii=False) + "\n"


def document(diagnostics: Collection[Diagnostic]) -> dict[str, Any]:
    """Return a SARIF log as plain data, its results in reading order."""
    rules = sorted({item.code for item in diagnostics})
    ordered = sorted(diagnostics, key=lambda item: item.order)
    driver = {
        "name": "pyfutures",
        "semanticVersion": __version__,
        "rules": [_rule(CODES[code]) for code in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, rules) for item in ordered],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.code,
        "name": "".join(word.capitalize() for word in code.title.split() if word.isalnum()),
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": f"{code.what} {code.why}"},
        "help": {
            "text": f"{code.what} {code.why}\n\n{code.example}\n\nInstead:\n\n{code.instead}",
            "markdown": code.markdown,
        },
        "defaultConfiguration": {"level": code.severity.value},
    }


def _result(item: Diagnostic, rules: list[str]) -> dict[str, Any]:
    text = f"{item.message}\n{item.help}" if item.help else item.message
    found: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": rules.index(item.code),
        "level": item.severity.value,
        "message": {"text": text},
    }
    if item.location:
        found["locations"] = [_location(item.location)]
    if item.related:
        found["relatedLocations"] = [
            _location(at) | {"id": number, "message": {"text": words}}
            for number, (at, words) in enumerate(item.related)
        ]
    return found


def _location(at: Location) -> dict[str, Any]:
    region = {"startLine": at.line, "startColumn": at.column}
    # A place without extent has no end: a region may not end before it starts.
    if (at.end_line, at.end_column) > (at.line, at.column):
        region |= {"endLine": at.end_line, "endColumn": at.end_column}
    path = relative(at.path)
    uri = Path(path).as_uri() if Path(path).is_absolute() else quote(os.fsencode(path))
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
