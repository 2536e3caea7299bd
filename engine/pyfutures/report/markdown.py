"""Diagnostics as Markdown, for a comment or the summary of a workflow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyfutures.report.paths import relative
from pyfutures.report.text import summary

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyfutures.diagnostics import Diagnostic

__all__ = ["report"]

_SPECIAL: Final = re.compile(r"([\\*_{}\[\]<>#|~])")


def report(diagnostics: Collection[Diagnostic], paths: Collection[str]) -> str:
    """Return diagnostics as a table of Markdown below a line that counts them.

    Parameters
    ----------
    diagnostics
        What was found.
    paths
        The files that were looked at.

    """
    head = f"**{summary(diagnostics, len(paths))}**\n"
    if not diagnostics:
        return head
    rows = ["| place | code | what | help |", "|---|---|---|---|"]
    rows += [_row(item) for item in sorted(diagnostics, key=lambda item: item.order)]
    return "\n".join([head, *rows, ""])


def _row(item: Diagnostic) -> str:
    at = item.location
    place = _cell(f"`{relative(at.path)}:{at.line}:{at.column}`") if at else ""
    cells = (place, f"{item.severity.value} {item.code}", _cell(item.message), _cell(item.help))
    return f"| {' | '.join(cells)} |"


def _cell(text: str | None) -> str:
    """Return a text as one cell: what is in back-ticks stays as it is, line ends become breaks."""
    parts = (text or "").split("`")
    for number in range(0, len(parts), 2):
        parts[number] = _SPECIAL.sub(r"\\\1", parts[number])
    for number in range(1, len(parts), 2):
        parts[number] = parts[number].replace("|", "\\|")
    return "`".join(parts).replace("\r", "").replace("\n", "<br>")
