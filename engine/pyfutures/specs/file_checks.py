"""Checks of a file as a file: its name, and the line that names its schema."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Location
from pyfutures.specs.checks import Finding, diagnose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.checks import Draft
    from pyfutures.specs.positions import Document
    from pyfutures.specs.schema import Kind

__all__ = ["file_name", "modeline"]

_MODELINE = re.compile(
    r"^#[ \t]*(?:yaml-language-server:[ \t]*\$schema=|\$schema:[ \t]*)(\S+)[ \t]*\r?$", re.MULTILINE
)


def file_name(code: str, key: str, draft: Draft, path: Path) -> Iterator[Diagnostic]:
    """Yield a diagnostic if a file is not named after what it has."""
    name = draft.data.get(key)
    if draft.has(key) and name != path.stem:
        finding = Finding(
            (key,),
            f"`{key}` is `{name}`, but the file is `{path.name}`",
            f"rename the file to `{name}.yaml`, or write `{key}: {path.stem}`",
        )
        yield diagnose(code, finding, draft.locations)


def modeline(document: Document, path: Path, kind: Kind) -> Iterator[Diagnostic]:
    """Yield a warning if no line at the top names the schema, or if it leads nowhere."""
    text = document.text
    comments = text[: _comments_end(text)]
    match = _MODELINE.search(comments)
    line = f"# yaml-language-server: $schema=../../schemas/{kind}.schema.json"
    if match is None:
        at = Location(document.path, 1, 1, 1, 1)
        message = "no line at the top names the schema"
        yield diagnostic("PF002", message, at, hint=f"start the file with\n{line}")
        return
    target = match[1]
    if target.startswith(("https://", "http://")):
        return
    folder = os.path.normpath(path.absolute().parent)
    if not _exists(os.path.normpath(os.path.join(folder, target))):  # noqa: PTH118
        number = comments.count("\n", 0, match.start()) + 1
        column = match.start(1) - match.start() + 1
        at = Location(document.path, number, column, number, column + len(target))
        message = f"the schema line leads nowhere: there is no `{target}`"
        hint = "name the schema relative to this file"
        yield diagnostic("PF002", message, at, hint=hint)


def _comments_end(text: str) -> int:
    """Return where the comments at the top of a text end; `---` may stand among them."""
    end = 0
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.startswith("#") and line.rstrip() != "---":
            break
        end += len(line)
    return end


@cache
def _exists(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110
