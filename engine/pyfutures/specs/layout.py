"""The layout of a file: spaces and line ends as all specs have them, every word as it was.

Comments, the order of keys and the choice between block and flow stay the author's. Whatever is
done, the file means the same afterwards; if not, it is left alone.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from pyfutures.diagnostics import Edit, Location
from pyfutures.specs.fixes import BOM, mended, offsets
from pyfutures.specs.yaml import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.positions import Document, Marks, Node

__all__ = ["formatted"]

type _Place = tuple[int, int]
# Where it starts, where it ends, what it may be, and what it is to be.
type _Gap = tuple[_Place, _Place, re.Pattern[str], str]

_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")
_COLON: Final = re.compile(r"[ \t]*:[ \t]*")
_SPACE: Final = re.compile(r"[ \t]*")
_LAST_COMMA: Final = re.compile(r"[ \t]*,?[ \t]*")


def formatted(text: str, path: str) -> tuple[str, list[Diagnostic]]:
    """Return a text in the common layout, and the errors that keep it as it is.

    Line ends are line feeds, there is no byte order mark, no space at the end of a line, at most
    one empty line in a row, none at the start, and one line end at the end; colons and commas have
    one space after them, brackets none inside.
    """
    plain = text.removeprefix(BOM).replace("\r\n", "\n").replace("\r", "\n")
    document, found = load(plain, path)
    if document is None:
        return text, found
    spaced = mended(plain, _spaces(document))
    again, _ = load(spaced, path)
    if again is None:
        return text, []
    done = _lines(spaced, again.root)
    last, _ = load(done, path)
    if last is None or last.data != document.data:
        return text, []
    return done, []


def _spaces(document: Document) -> Iterator[Edit]:
    """Yield the edits of spaces between keys, values and brackets."""
    text, starts = document.text, offsets(document.text)
    nodes = [document.root]
    while nodes:
        node = nodes.pop()
        nodes += node.children.values()
        gaps = [*_after_keys(node), *(_in_brackets(node) if _is_flow(node, text, starts) else ())]
        for start, end, form, new in gaps:
            low, high = (starts[line] + column for line, column in (start, end))
            one_line = start[0] == end[0]
            if one_line and form.fullmatch(text, low, high) and text[low:high] != new:
                place = Location(document.path, start[0] + 1, start[1] + 1, end[0] + 1, end[1] + 1)
                yield Edit(place, new)


def _after_keys(node: Node) -> Iterator[_Gap]:
    """Yield what stands between each key of a mapping and its value."""
    for key, marks in node.keys.items():
        child = node.children.get(key)
        if child is not None and child.raw != "":
            yield _end(marks), child.marks[:2], _COLON, ": "


def _in_brackets(node: Node) -> Iterator[_Gap]:
    """Yield what stands between a bracket and an entry, and between two entries."""
    # An entry without a value has no place of its own.
    if not node.children or any(child.raw == "" for child in node.children.values()):
        return
    items = [
        (node.keys.get(key, child.marks)[:2], _end(child.marks))
        for key, child in node.children.items()
    ]
    yield (node.marks[0], node.marks[1] + 1), items[0][0], _SPACE, ""
    for (_, end), (start, _) in itertools.pairwise(items):
        yield end, start, _COMMA, ", "
    yield items[-1][1], (node.marks[2], node.marks[3] - 1), _LAST_COMMA, ""


def _end(marks: Marks) -> _Place:
    return marks[2], marks[3]


def _is_flow(node: Node, text: str, starts: list[int]) -> bool:
    """Whether a list or a mapping is written in brackets."""
    if node.raw is not None:
        return False
    at = starts[node.marks[0]] + node.marks[1]
    return text[at : at + 1] in {"{", "["}


def _lines(text: str, root: Node) -> str:
    """Return a text without spaces at the ends of lines and without needless empty lines."""
    kept = _inside_texts(root)
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        if number in kept:
            lines.append(line)
            continue
        bare = line.rstrip(" \t")
        if bare or (lines and lines[-1]):
            lines.append(bare)
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines) + "\n"


def _inside_texts(root: Node) -> set[int]:
    """Return the numbers of the lines on which a text of several lines goes on."""
    found: set[int] = set()
    nodes = [root]
    while nodes:
        node = nodes.pop()
        nodes += node.children.values()
        if node.raw is not None and node.marks[2] > node.marks[0]:
            found |= set(range(node.marks[0], node.marks[2]))
    return found
