"""Diagnostics as workflow commands: GitHub shows them beside the lines of a pull request.

A workflow command is one line; ``%`` and line ends are escaped everywhere, ``:`` and ``,`` in its
properties too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.report.paths import relative

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyfutures.diagnostics import Diagnostic

__all__ = ["escaped", "report"]


def report(diagnostics: Iterable[Diagnostic]) -> str:
    """Return diagnostics in reading order, each as one workflow command."""
    ordered = sorted(diagnostics, key=lambda item: item.order)
    return "".join(f"{_command(item)}\n" for item in ordered)


def escaped(text: str, *, in_property: bool = False) -> str:
    """Return a text as it may stand in a workflow command."""
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A")]
    if in_property:
        pairs += [(":", "%3A"), (",", "%2C")]
    for char, code in pairs:
        text = text.replace(char, code)
    return text


def _command(item: Diagnostic) -> str:
    properties: dict[str, str | int] = {}
    if at := item.location:
        properties = {"file": relative(at.path), "line": at.line, "endLine": at.end_line}
        # Columns are only taken where both are in one line.
        if at.line == at.end_line:
            properties |= {"col": at.column, "endColumn": max(at.end_column, at.column)}
    properties["title"] = item.code
    shown = ",".join(f"{k}={escaped(str(v), in_property=True)}" for k, v in properties.items())
    notes = [f"{words}: {place}" for place, words in item.related]
    text = "\n".join([item.message, *notes, *([f"help: {item.help}"] if item.help else [])])
    return f"::{item.severity.value} {shown}::{escaped(text)}"
