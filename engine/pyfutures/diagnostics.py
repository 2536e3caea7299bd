"""Faults of a spec as values: what is wrong, where, and what to do about it.

Every stage of loading returns diagnostics and none prints or raises: one bad file never hides the
next. Renderers (``pyfutures.report``) draw them; a library caller gets them all in one
:class:`SpecError`, whose text is the same report.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "Diagnostic",
    "Edit",
    "Location",
    "Severity",
    "SpecError",
    "excerpt",
    "render",
    "source_lines",
]

#: How many diagnostics the text of a SpecError shows before it only counts.
SHOWN = 20
#: Widest source line an excerpt shows; a longer one is cut around the fault.
WIDTH = 100
TAB = 4

# What libyaml counts as the end of a line; str.splitlines() knows more and would disagree.
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Severity(StrEnum):
    """How bad a fault is: an error keeps a spec from being loaded, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A span of a file: lines and columns count from 1, the end is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        """Return ``path:line:column``, which terminals and editors make a link."""
        # The name of a file may have line ends, and what a terminal obeys.
        path = self.path if self.path.isprintable() else "".join(map(_printable, self.path))
        return f"{path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a text that mends a fault: what stands at a place, and what is to stand there."""

    location: Location
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault: a stable code, a sentence, a place, a way out and other places that matter.

    `fix` mends it where that is safe: the file then says what it was meant to say.
    """

    code: str
    severity: Severity
    message: str
    location: Location | None = None
    help: str | None = None
    related: tuple[tuple[Location, str], ...] = ()
    fix: Edit | None = None

    @property
    def is_error(self) -> bool:
        """Whether the fault keeps a spec from being loaded."""
        return self.severity is Severity.ERROR

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """Sort key: path, line, column, code, message."""
        at = self.location
        if at is None:
            return ("", 0, 0, self.code, self.message)
        return (at.path, at.line, at.column, self.code, self.message)

    def __str__(self) -> str:
        """Return the fault on one line, as ``--format concise`` prints it."""
        where = f"{self.location}: " if self.location else ""
        return f"{where}{self.severity}[{self.code}] {self.message}"


class SpecError(Exception):
    """Specs that cannot be loaded; ``diagnostics`` has every fault, the text is the report."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep the diagnostics in reading order."""
        self.diagnostics = tuple(sorted(diagnostics, key=lambda d: d.order))
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        """Return the text report of at most 20 diagnostics, then a count of the others."""
        sources: dict[str, list[str]] = {}
        parts = [render(item, sources) for item in self.diagnostics[:SHOWN]]
        if (hidden := len(self.diagnostics) - SHOWN) > 0:
            parts.append(f"... and {hidden} more")
        return "\n\n".join(parts) or "specs cannot be loaded"


def source_lines(path: str, sources: dict[str, list[str]]) -> list[str]:
    """Return the lines of a file, read once into `sources`; empty if it cannot be read."""
    if path not in sources:
        try:
            text = Path(path).read_bytes().decode("utf-8-sig", errors="replace")
        except OSError:
            text = ""
        sources[path] = _LINE_END.split(text)
    return sources[path]


def render(diagnostic: Diagnostic, sources: dict[str, list[str]]) -> str:
    """Return a diagnostic with an excerpt of its file, a caret line, its notes and its help.

    Parameters
    ----------
    diagnostic
        The fault.
    sources
        Lines of files by path; files not in it are read and added.
    """
    out = [str(diagnostic)]
    notes = list(diagnostic.related)
    gutter = 0
    if diagnostic.location:
        lines = [diagnostic.location.line, *(at.line for at, _ in notes)]
        gutter = len(str(max(lines)))
        out += excerpt(diagnostic.location, sources, gutter=gutter)
    pad = " " * gutter
    for at, words in notes:
        out.append(f"{pad} ::: {at}: {words}")
        out += excerpt(at, sources, gutter=gutter, mark="-")
    if diagnostic.help:
        first, *rest = diagnostic.help.splitlines()
        out.append(f"{pad} = help: {first}")
        out += [f"{pad}         {line}".rstrip() for line in rest]
    return "\n".join(out)


def excerpt(
    at: Location, sources: dict[str, list[str]], *, gutter: int, mark: str = "^"
) -> list[str]:
    """Return the source line of a location with marks under it; nothing if there is no such line.

    Wide characters and tabs keep the marks in place; control characters are shown as a dot.
    """
    lines = source_lines(at.path, sources)
    if not 1 <= at.line <= len(lines) or not lines[at.line - 1].strip():
        return []
    line = lines[at.line - 1]
    start = min(at.column - 1, len(line))
    end = len(line.rstrip()) if at.end_line > at.line else min(at.end_column - 1, len(line))
    end = max(end, start + 1)
    if end - start > WIDTH // 2:
        end = start + WIDTH // 2
    line, start, end = _cut(line, start, end)
    shown, marks = "", ""
    for i, char in enumerate(line):
        text = _visible(char, len(shown))
        shown += text
        marks += (mark if start <= i < end else " ") * _columns(text)
    marks = marks.rstrip() or " " * _columns(shown) + mark
    pad = " " * gutter
    return [
        f"{pad} |",
        f"{at.line:>{gutter}} | {shown.rstrip()}",
        f"{pad} | {marks}",
    ]


def _cut(line: str, start: int, end: int) -> tuple[str, int, int]:
    """Cut a long line to a window around [start, end)."""
    if len(line) <= WIDTH:
        return line, start, end
    first = max(0, start - WIDTH // 4)
    window = line[first : first + WIDTH]
    lead = "..." if first else ""
    tail = "..." if first + WIDTH < len(line) else ""
    return lead + window + tail, start - first + len(lead), end - first + len(lead)


def _visible(char: str, column: int) -> str:
    if char == "\t":
        return " " * (TAB - column % TAB)
    return "\N{MIDDLE DOT}" if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} else char


def _printable(char: str) -> str:
    return char if char.isprintable() else "\N{MIDDLE DOT}"


def _columns(text: str) -> int:
    """Return how many terminal columns a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def counts(diagnostics: Iterable[Diagnostic]) -> Mapping[Severity, int]:
    """Return how many diagnostics there are of each severity."""
    found = dict.fromkeys(Severity, 0)
    for item in diagnostics:
        found[item.severity] += 1
    return found
