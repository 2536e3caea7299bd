"""Diagnostics for programs: one JSON document.

``format_version`` is "major.minor": a new minor only adds keys, a new major may change them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pyfutures.diagnostics import Severity, counts

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyfutures.diagnostics import Diagnostic, Location

__all__ = ["FORMAT_VERSION", "document", "report"]

FORMAT_VERSION: Final = "1.1"


def report(diagnostics: Collection[Diagnostic], files: int) -> str:
    """Return diagnostics as the text of a JSON document, one newline at its end.

    Parameters
    ----------
    diagnostics
        What was found.
    files
        How many files were looked at.

    """
    return json.dumps(document(diagnostics, files), indent=2, ensure_ascii=False) + "\n"


def document(diagnostics: Collection[Diagnostic], files: int) -> dict[str, Any]:
    """Return diagnostics as plain data, in reading order."""
    number = counts(diagnostics)
    return {
        "format_version": FORMAT_VERSION,
        "files": files,
        "errors": number[Severity.ERROR],
        "warnings": number[Severity.WARNING],
        "diagnostics": [_row(item) for item in sorted(diagnostics, key=lambda d: d.order)],
    }


def _row(item: Diagnostic) -> dict[str, Any]:
    return {
        "code": item.code,
        "severity": item.severity.value,
        "message": item.message,
        "location": _place(item.location) if item.location else None,
        "help": item.help,
        "related": [{"message": words, "location": _place(at)} for at, words in item.related],
        "fix": {"text": item.fix.text, "location": _place(item.fix.location)} if item.fix else None,
    }


def _place(at: Location) -> dict[str, str | int]:
    """Return a location: lines and columns from 1, the end exclusive."""
    return {
        "path": at.path,
        "line": at.line,
        "column": at.column,
        "end_line": at.end_line,
        "end_column": at.end_column,
    }
