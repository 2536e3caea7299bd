"""Diagnostics for people: with an excerpt each.

The drawing itself is in :func:`pyfutures.diagnostics.render`; here it gets colours and a summary.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Final, TextIO

from pyfutures.diagnostics import Severity, counts, render

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pyfutures.diagnostics import Diagnostic

__all__ = ["report", "summary", "wants_colour"]

_BOLD, _RED, _YELLOW, _BLUE, _CYAN, _RESET = (
    f"\x1b[{number}m" for number in ("1", "1;31", "1;33", "1;34", "1;36", "0")
)
_SEVERITY: Final = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW}
_MARKS: Final = re.compile(r"^( *)(\|)( +)([-^]+)$")
_SOURCE: Final = re.compile(r"^( *[0-9]* \|)(.*)$", re.DOTALL)
_NOTE: Final = re.compile(r"^( +)(= help:|:::)(.*)$", re.DOTALL)


def report(
    diagnostics: Iterable[Diagnostic],
    *,
    colour: bool = False,
    sources: dict[str, list[str]] | None = None,
) -> str:
    """Return diagnostics with excerpts, in reading order, an empty line between two.

    Parameters
    ----------
    diagnostics
        What was found.
    colour
        Whether to use the colours of a terminal.
    sources
        Lines of files by path, for texts that are in no file.

    """
    known = {} if sources is None else sources
    ordered = sorted(diagnostics, key=lambda item: item.order)
    return "".join(f"{_draw(item, known, colour=colour)}\n\n" for item in ordered)


def summary(diagnostics: Collection[Diagnostic], files: int) -> str:
    """Return one line: ``Found 3 errors in 2 of 87 files``."""
    of_files = _count(files, "file")
    if not diagnostics:
        return f"Found no errors in {of_files}"
    number = counts(diagnostics)
    parts = [_count(number[kind], kind.value) for kind in Severity if number[kind]]
    paths = {item.location.path for item in diagnostics if item.location}
    return f"Found {' and '.join(parts)} in {len(paths)} of {of_files}"


def wants_colour(stream: TextIO | None = None) -> bool:
    """Whether a stream is a terminal that wants colours; ``NO_COLOR`` says no."""
    stream = sys.stdout if stream is None else stream
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _draw(item: Diagnostic, sources: dict[str, list[str]], *, colour: bool) -> str:
    text = render(item, sources)
    if not colour:
        return text
    paint = _SEVERITY[item.severity]
    head, *lines = text.split("\n")
    label = f"{item.severity}[{item.code}]"
    head = head.replace(label, f"{paint}{label}{_RESET}{_BOLD}", 1) + _RESET
    return "\n".join([head, *(_paint(line, paint) for line in lines)])


def _paint(line: str, paint: str) -> str:
    if match := _MARKS.match(line):
        pad, bar, gap, marks = match.groups()
        marks = f"{paint if marks[0] == '^' else _BLUE}{marks}{_RESET}"
        return f"{pad}{_BLUE}{bar}{_RESET}{gap}{marks}"
    if match := _NOTE.match(line):
        return f"{match[1]}{_CYAN}{match[2]}{_RESET}{match[3]}"
    if match := _SOURCE.match(line):
        return f"{_BLUE}{match[1]}{_RESET}{match[2]}"
    return line
