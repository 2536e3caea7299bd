"""Texts with their faults mended: edits spliced in, every other byte as it was.

Nothing is written here; a text comes in and a text goes out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyfutures.diagnostics import Edit

__all__ = ["BOM", "mended", "offsets"]

BOM: Final = "\ufeff"
# What libyaml counts as the end of a line.
_LINE: Final = re.compile("[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029]|$)")


def mended(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits spliced in; of two that overlap only the first is.

    Parameters
    ----------
    text
        The text of a file. Places are counted behind a byte order mark, which goes with any edit
        that is one of it: an empty edit at the very start.
    edits
        Changes of this text.

    """
    mark = BOM if text.startswith(BOM) else ""
    body = text.removeprefix(BOM)
    starts = offsets(body)
    splices: dict[tuple[int, int], str] = {}
    for edit in edits:
        at = edit.location
        start = starts[at.line - 1] + at.column - 1
        end = starts[at.end_line - 1] + at.end_column - 1
        if start == end == 0 and not edit.text:
            mark = ""
        else:
            splices.setdefault((start, end), edit.text)
    out, place = [], 0
    for (start, end), new in sorted(splices.items()):
        if start < place:
            continue
        out += [body[place:start], _line_ends(new, body)]
        place = end
    return mark + "".join([*out, body[place:]])


def offsets(text: str) -> list[int]:
    """Return where each line of a text starts, as libyaml counts lines."""
    return [match.start() for match in _LINE.finditer(text)]


def _line_ends(new: str, body: str) -> str:
    """Return a new text with the line ends of the text it comes into."""
    return new.replace("\n", "\r\n") if "\r\n" in body else new
