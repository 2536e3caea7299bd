"""Diagnostics of a text that is no YAML: of its bytes, and of its grammar in plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Diagnostic, Location

if TYPE_CHECKING:
    import yaml as pyyaml

__all__ = ["at_index", "not_utf8", "syntax", "too_large"]

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def at_index(path: str, text: str, index: int) -> Location:
    """Return the location of one character of a text."""
    before = _LINE_END.split(text[:index])
    line, column = len(before), len(before[-1]) + 1
    return Location(path, line, column, line, column + 1)


def too_large(path: str, size: int, most: int) -> Diagnostic:
    """Return the diagnostic of a file that is too large to be a spec."""
    message = f"the file has {size:,} bytes; a spec has at most {most:,}"
    return diagnostic("PF005", message, Location(path, 1, 1, 1, 1))


def not_utf8(content: bytes, error: UnicodeDecodeError, path: str) -> Diagnostic:
    """Return the diagnostic of the first byte that is no UTF-8."""
    if content.startswith(_UTF16):
        message = "the file is UTF-16, not UTF-8"
        at = Location(path, 1, 1, 1, 1)
    else:
        message = f"the byte 0x{content[error.start]:02X} is not UTF-8"
        before = content[: error.start].decode("utf-8")
        at = at_index(path, before, len(before))
    return diagnostic("PF003", message, at, hint="save the file as UTF-8")


def syntax(error: pyyaml.YAMLError, text: str, path: str) -> Diagnostic:  # noqa: C901
    """Return libyaml's complaint in a spec author's words."""
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None) or ""
    mark = getattr(error, "problem_mark", None)
    start = getattr(error, "context_mark", None)
    lines = _LINE_END.split(text)
    if start is not None and "quoted scalar" in context:
        at = Location(path, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
        if "end of stream" in problem or "document indicator" in problem:
            return diagnostic("PF007", "the quotes are not closed", at, hint="close the quotes")
    if mark is None:
        return diagnostic("PF007", f"not valid YAML: {problem}", Location(path, 1, 1, 1, 1))
    line, column = mark.line, mark.column
    if start is not None and (mark.line >= len(lines) or not lines[mark.line].strip()):
        line, column = start.line, start.column
    if line >= len(lines):
        # libyaml sees one line more than there is behind a text without an end of line.
        line, column = len(lines) - 1, max(0, len(lines[-1]) - 1)
    at = Location(path, line + 1, column + 1, line + 1, column + 2)
    if lines[line][: column + 1].strip(" ").startswith("\t"):
        hint = "indent with spaces"
        return diagnostic("PF008", "a tab cannot indent YAML", at, hint=hint)
    if "mapping values are not allowed" in problem:
        message = "a second `: ` in one line, or a line that is indented too far"
        hint = "quote a value that contains `: `; keys of one mapping start in one column"
        return diagnostic("PF007", message, at, hint=hint)
    words = f"{problem} {context}".strip().replace("<block end>", "the end of the block")
    if "could not find expected ':'" in problem:
        words = "a key without a colon after it"
    elif "block mapping" in context or "block collection" in context:
        words = "this does not fit the lines above it; is it indented like its neighbours?"
    elif "flow" in context:
        words = "a bracket is not closed, or a comma is missing"
    return diagnostic("PF007", f"not valid YAML: {words}", at)
