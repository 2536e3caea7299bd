"""Comments that ignore a fault: ``# pyfutures: ignore[PF418] named after its swap``.

A comment at the end of a line is about that line, one on a line of its own about the next line
that is none. Only what leaves a whole spec can be ignored: warnings, and faults of dates. A comment
without a reason, or that nothing needs, is a finding itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pyfutures.codes import CODES, diagnostic
from pyfutures.diagnostics import Diagnostic, Location
from pyfutures.specs.words import suggestion, ticks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pyfutures.specs.positions import Document, Node

__all__ = ["Ignores", "reasons"]

_MARK: Final = "pyfutures:"
_COMMENT: Final = re.compile(
    r"(?:(?<=\s)|(?<![^\n]))#[ \t]*pyfutures:[ \t]*ignore\b[ \t]*(?:\[([^\]]*)\])?[ \t]*(.*)"
)
_LINE_END: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_FORM: Final = "write `# pyfutures: ignore[PF418] and why`"


class _Ignore(NamedTuple):
    """One comment: the lines it is about, its codes and its reason."""

    at: Location
    lines: tuple[int, ...]
    codes: tuple[str, ...]
    reason: str


class Ignores:
    """The comments of some documents, and which of their codes were needed.

    Parameters
    ----------
    documents
        The files that were read.

    """

    def __init__(self, documents: Iterable[Document]) -> None:
        """Find the comments; few files have any."""
        self._ignores: dict[str, list[_Ignore]] = {
            document.path: list(_comments(document))
            for document in documents
            if _MARK in document.text
        }
        self._used: set[tuple[Location, str]] = set()
        # The first line of each code in a file, for a comment that stands elsewhere.
        self._lines: dict[tuple[str, str], int] = {}

    def hides(self, item: Diagnostic) -> bool:
        """Whether a comment ignores a diagnostic, which is then needed."""
        if item.location is None or item.location.path not in self._ignores:
            return False
        self._lines.setdefault((item.location.path, item.code), item.location.line)
        hidden = False
        for ignore in self._ignores[item.location.path]:
            if item.code in ignore.codes and item.location.line in ignore.lines:
                self._used.add((ignore.at, item.code))
                hidden = hidden or CODES[item.code].can_be_ignored
        return hidden

    def findings(
        self, paths: Collection[str], *, whole: Collection[str], unasked: Collection[str] = ()
    ) -> Iterator[Diagnostic]:
        """Yield what is wrong with the comments themselves, once all has been looked at.

        Parameters
        ----------
        paths
            The files that are told of.
        whole
            Those of them all of whose faults are known: only there a comment can be unused.
        unasked
            Codes that were not looked for.

        """
        for path in paths:
            for ignore in self._ignores.get(path, ()):
                if not ignore.codes:
                    message = "the comment ignores nothing: it names no code"
                    yield diagnostic("PF902", message, ignore.at, hint=_FORM)
                needed = []
                for code in ignore.codes:
                    known = code not in unasked and path in whole
                    faults = list(self._of_code(ignore, code, known=known))
                    yield from faults
                    if not faults and CODES[code].can_be_ignored:
                        needed.append(code)
                if needed and not ignore.reason:
                    message = f"the comment does not say why it ignores {ticks(needed)}"
                    form = f"write `# pyfutures: ignore[{', '.join(needed)}] and why`"
                    yield diagnostic("PF902", message, ignore.at, hint=form)

    def _of_code(self, ignore: _Ignore, code: str, *, known: bool) -> Iterator[Diagnostic]:
        used = (ignore.at, code) in self._used
        if code not in CODES:
            hint = suggestion(code, CODES, "the codes are")
            yield diagnostic("PF901", f"there is no code `{code}`", ignore.at, hint=hint)
        elif not CODES[code].can_be_ignored and (used or known):
            message = f"{code} cannot be ignored: {CODES[code].title}"
            yield diagnostic("PF903", message, ignore.at, hint="mend it, and remove the comment")
        elif not used and known:
            message = f"{code} is ignored here, but there is no such fault"
            hint = f"remove `{code}` from the comment"
            if line := self._lines.get((ignore.at.path, code)):
                hint = f"there is one on line {line}: a comment is about its own line or the next"
            yield diagnostic("PF901", message, ignore.at, hint=hint)


def reasons(documents: Iterable[Document]) -> dict[str, str]:
    """Return the codes that comments of some documents ignore, and why."""
    ignores = (ignore for doc in documents if _MARK in doc.text for ignore in _comments(doc))
    return {code: ignore.reason for ignore in ignores for code in ignore.codes if ignore.reason}


def _comments(document: Document) -> Iterator[_Ignore]:
    lines = _LINE_END.split(document.text)
    for number, line in enumerate(lines):
        match = _COMMENT.search(line) if _MARK in line else None
        if match is None or _in_value(document.root, number, match.start()):
            continue
        at = Location(
            document.path, number + 1, match.start() + 1, number + 1, len(line.rstrip()) + 1
        )
        about = [number + 1]
        if not line[: match.start()].strip():
            below = (n for n in range(number + 1, len(lines)) if _says_something(lines[n]))
            about += [n + 1 for n in below][:1]
        codes = (code.strip() for code in (match[1] or "").split(","))
        yield _Ignore(at, tuple(about), tuple(filter(None, codes)), match[2].strip())


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _in_value(root: Node, line: int, column: int) -> bool:
    """Whether a place is inside a text, where `#` starts no comment."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        start, end = node.marks[:2], node.marks[2:]
        if start <= (line, column) < end and node.raw is not None:
            return True
        nodes += node.children.values()
    return False
