"""Diagnostics of a text that is no YAML: of its bytes, and of its grammar in plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Diagnostic, Location
from pyfutures.specs.slips import odd_character

if TYPE_CHECKING:
    from collections.abc import Callable

    import yaml as pyyaml

__all__ = ["at_index", "not_utf8", "syntax", "too_large"]

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
#: Quotes that open a value: at the start, or after what may stand before one.
_OPENING: Final = re.compile(r"(^|[\s\[{,:-])([\"'])")
#: How much of a file is looked at to see whether it is text.
_HEAD: Final = 4096
#: libyaml reads on behind what a value cannot start with: `*`, `&`, `>` and `|`.
_READ_ON: Final = ("alphabetic or numeric", "expected comment or line break")
_NOT_HERE: Final = ("not allowed in this context", "did not find expected node content")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def at_index(path: str, text: str, index: int) -> Location:
    """Return the location of one character of a text."""
    before = _LINE_END.split(text[:index])
    line, column = len(before), len(before[-1]) + 1
    return Location(path, line, column, line, column + 1)


def too_large(path: str, size: int, most: int) -> Diagnostic:
    """Return the diagnostic of a file that is too large to be a spec."""
    hint = "keep data elsewhere, and facts of one root in one file"
    message = f"the file has {size:,} bytes; a spec has at most {most:,}"
    return diagnostic("PF005", message, Location(path, 1, 1, 1, 1), hint=hint)


def not_utf8(content: bytes, error: UnicodeDecodeError, path: str) -> Diagnostic:
    """Return the diagnostic of the first byte that is no UTF-8."""
    hint = "save the file as UTF-8"
    if content.startswith(_UTF16):
        message = "the file is UTF-16, not UTF-8"
        at = Location(path, 1, 1, 1, 1)
    else:
        message = f"the byte 0x{content[error.start]:02X} is not UTF-8"
        before = content[: error.start].decode("utf-8")
        at = at_index(path, before, len(before))
        if b"\0" in content[:_HEAD]:
            hint = "is this a text file? it has bytes of no text"
    return diagnostic("PF003", message, at, hint=hint)


def syntax(error: pyyaml.YAMLError, text: str, path: str) -> Diagnostic:
    """Return libyaml's complaint in a spec author's words, at the line that is to be changed."""
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return diagnostic("PF007", f"not valid YAML: {problem}", Location(path, 1, 1, 1, 1))
    start = getattr(error, "context_mark", None)
    fault = _Fault(
        path=path,
        lines=_LINE_END.split(text),
        problem=problem,
        context=getattr(error, "context", None) or "",
        at=(mark.line, mark.column),
        start=None if start is None else (start.line, start.column),
    )
    return next(found for check in _CHECKS if (found := check(fault)) is not None)


@dataclass(frozen=True, slots=True)
class _Fault:
    """A complaint of libyaml: what it says, where it noticed and where what it read began."""

    path: str
    lines: list[str]
    problem: str
    context: str
    at: tuple[int, int]
    start: tuple[int, int] | None

    def tell(
        self,
        message: str,
        hint: str | None,
        at: tuple[int, int] | None = None,
        *,
        code: str = "PF007",
    ) -> Diagnostic:
        line, column = at or self.seen
        place = Location(self.path, line + 1, column + 1, line + 1, column + 2)
        return diagnostic(code, message, place, hint=hint)

    @property
    def seen(self) -> tuple[int, int]:
        """Where it noticed, on a line that says something."""
        line, column = self.at
        if self.start is not None and not self.line(line).strip():
            line, column = self.start
        if line >= len(self.lines):
            # libyaml sees one line more than there is behind a text without an end of line.
            line, column = len(self.lines) - 1, max(0, len(self.lines[-1]) - 1)
        return line, column

    def line(self, number: int) -> str:
        return self.lines[number] if number < len(self.lines) else ""


def _tab(fault: _Fault) -> Diagnostic | None:
    line, column = fault.seen
    at = None
    if "violates indentation" in fault.problem:
        # What it was reading began lines above.
        line = next((n for n in range(line, fault.at[0] + 1) if "\t" in fault.line(n)), line)
        at = (line, max(0, fault.line(line).find("\t")))
    elif not fault.line(line)[: column + 1].strip(" -").startswith("\t"):
        return None
    return fault.tell("a tab cannot indent YAML", "indent with spaces", at, code="PF008")


def _conflict(fault: _Fault) -> Diagnostic | None:
    """A file in which two changes were never put together."""
    for number, line in enumerate(fault.lines[: fault.at[0] + 1]):
        if line.startswith(("<<<<<<< ", ">>>>>>> ")) or line == "=======":
            message = "this marks a conflict of two changes, which was not resolved"
            return fault.tell(message, "keep one of the two, and remove the marks", (number, 0))
    return None


def _quotes(fault: _Fault) -> Diagnostic | None:
    """Quotes that are not closed: libyaml may only notice lines later."""
    ends = "end of stream" in fault.problem or "document indicator" in fault.problem
    if "quoted scalar" in fault.context and fault.start is not None and ends:
        return fault.tell("the quotes are not closed", "close the quotes", fault.start)
    for number, line in enumerate(fault.lines[: fault.at[0] + 1]):
        column = _left_open(line)
        if column is not None:
            message = "the quotes are not closed on this line"
            return fault.tell(message, "close the quotes", (number, column))
    return None


def _left_open(line: str) -> int | None:
    """Return where quotes open on a line that does not close them, or closes one too many."""
    if line.count('"') % 2 == 0 and line.count("'") % 2 == 0:
        return None
    opened = [
        (match.start(2), match[2])
        for match in _OPENING.finditer(line)
        if line.count(match[2]) % 2 and "#" not in line[: match.start(2)]
    ]
    return opened[0][0] if opened else None


def _no_colon(fault: _Fault) -> Diagnostic | None:
    """A line that is no key: the colon is missing, or the space after it."""
    if "could not find expected ':'" not in fault.problem:
        return None
    at = fault.start or fault.seen
    line = fault.line(at[0])
    words = line.strip()
    hint = odd_character(words)
    if match := re.match(r"([A-Za-z_]+)[:=](?=\S)|([A-Za-z_]+) += *", words):
        key = match[1] or match[2]
        hint = f"write `{key}: {words[match.end() :]}`"
    elif hint is None:
        hint = "write `key: value`; the text of a line before goes on only if it is indented"
    return fault.tell("a key without a colon and a space after it", hint, at)


def _flow(fault: _Fault) -> Diagnostic | None:
    """Brackets: told where they open if the line that was seen begins something else."""
    if "flow" not in fault.context:
        return None
    start = fault.start
    if start is not None and start[0] < fault.at[0]:
        opening, seen = fault.line(start[0]), fault.line(fault.at[0])
        if _indent(seen) <= _indent(opening):
            bracket = opening[start[1] : start[1] + 1]
            close = {"{": "}", "[": "]"}.get(bracket, "")
            return fault.tell(
                f"the bracket `{bracket}` is not closed", f"close it with `{close}`", start
            )
    message = "not valid YAML: a bracket is not closed, or a comma is missing"
    hint = odd_character(fault.line(fault.seen[0])) or "entries in brackets have a comma between"
    if start is not None and start[0] < fault.seen[0]:
        hint = f"{hint}; the bracket opens on line {start[0] + 1}"
    return fault.tell(message, hint)


def _two_colons(fault: _Fault) -> Diagnostic | None:
    if "mapping values are not allowed" not in fault.problem:
        return None
    message = "a second `: ` in one line, or a line that is indented too far"
    hint = "quote a value that contains `: `; keys of one mapping start in one column"
    return fault.tell(message, hint)


def _first_character(fault: _Fault) -> Diagnostic | None:
    """A value that starts with a character that means something to YAML."""
    if "cannot start any token" in fault.problem:
        at = fault.seen
    elif any(words in fault.problem for words in _READ_ON) and fault.start is not None:
        at = fault.start
    elif any(words in fault.problem for words in _NOT_HERE):
        at = fault.seen
    else:
        return None
    line, column = at
    text = fault.line(line)[column:]
    if bullet := _bullet(text):
        return fault.tell("this is no entry of a list", bullet, at)
    char = "a back-tick" if text.startswith("`") else f"`{text[:1]}`"
    return fault.tell(f"a value cannot start with {char}", "put the value in quotes", at)


def _bullet(text: str) -> str | None:
    """Return how an entry of a list is written that starts with another mark."""
    match = re.match(r"[*+\u2022\u2023\u25aa\u25cf\u00b7][ \t]*(?=[a-z_]+:)", text)
    if match is None:
        return None
    return f"an entry starts with a hyphen: write `- {text[match.end() :].strip()}`"


def _block(fault: _Fault) -> Diagnostic | None:
    if "block mapping" not in fault.context and "block collection" not in fault.context:
        return None
    line, column = fault.seen
    text = fault.line(line)
    if re.match(r"\s*:(\s|$)", text):
        return fault.tell("there is no key before the colon", "write `key: value`")
    if (mark := text.find("\ufeff")) >= 0:
        message = "there is a byte order mark within the text"
        return fault.tell(message, "remove U+FEFF", (line, mark))
    if text[:column].strip():
        message = "there is text after the end of a value"
        return fault.tell(message, "put the whole value in quotes, and double a `'` within `'`")
    if re.match(r"-[^\s-]", text[column:]):
        words = text[column + 1 :].strip()
        return fault.tell("a space follows the dash of an entry", f"write `- {words}`")
    message = "this does not fit the lines above it: is it indented like its neighbours?"
    hint = _bullet(text[column:]) or odd_character(text)
    above = fault.line(line - 1).lstrip() if line else ""
    if hint is None and (hint := _bullet(above)) is not None:
        line, column = line - 1, fault.line(line - 1).find(above)
    entries = (line_.lstrip(" ").startswith("- ") for line_ in (text, above))
    if hint is None and any(entries) and _indent(text) == _indent(fault.line(line - 1)):
        hint = "either every line here starts with `- `, or none"
    if hint is None and (near := _column_above(fault.lines[:line], text)) is not None:
        hint = f"start it in column {near + 1}, as a line above does"
    return fault.tell(message, hint, (line, column))


def _column_above(lines: list[str], text: str) -> int | None:
    """Return where lines of the same kind start above one that starts elsewhere: the nearest."""
    is_entry = text.lstrip(" ").startswith("- ")
    columns = [
        _indent(line)
        for line in reversed(lines)
        if line.strip() and not line.lstrip().startswith("#")
        if line.lstrip(" ").startswith("- ") is is_entry
    ]
    # Of two that are equally near the one that was written last.
    return min(columns, key=lambda column: abs(column - _indent(text)), default=None)


def _other(fault: _Fault) -> Diagnostic:
    if "escape" in fault.problem:
        hint = "write `\\\\` for a backslash, or single quotes around the text"
        message = "a backslash in double quotes starts an escape, and this is none"
        return fault.tell(message, hint)
    if "<document start>" in fault.problem:
        hint = "write `key: value` lines"
        if any(line.strip() == "..." for line in fault.lines):
            hint = "remove the line `...`"
        return fault.tell("there is text after the end of the document", hint)
    words = f"{fault.problem} {fault.context}".strip().replace(
        "<block end>", "the end of the block"
    )
    return fault.tell(f"not valid YAML: {words}", odd_character(fault.line(fault.seen[0])))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


# The first that knows the fault tells of it; the last one always does.
_CHECKS: Final[tuple[Callable[[_Fault], Diagnostic | None], ...]] = (
    *(_tab, _conflict, _quotes, _no_colon, _flow, _two_colons, _first_character, _block, _other),
)
