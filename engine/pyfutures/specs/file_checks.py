"""Checks of a file as a file: its name, and the line that names its schema."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Edit, Location
from pyfutures.specs.checks import Finding, diagnose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.checks import Draft
    from pyfutures.specs.positions import Document
    from pyfutures.specs.schema import Kind

__all__ = [
    "bad_calendar",
    "file_name",
    "modeline",
    "no_folder",
    "not_a_spec",
    "schema_near",
    "unread",
]

_USUAL: Final = "../../schemas/{}.schema.json"
#: How many folders above a file are looked into for its schema.
_ABOVE: Final = 4
_MODELINE = re.compile(
    r"^#[ \t]*(?:yaml-language-server:[ \t]*\$schema=|\$schema:[ \t]*)(\S+)[ \t]*\r?$", re.MULTILINE
)
#: A line with its end, one at a time: all that follows the comments is of no interest.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


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
    if match is None:
        at = Location(document.path, 1, 1, 1, 1)
        message = "no line at the top names the schema"
        found = schema_near(path, kind)
        line = f"# yaml-language-server: $schema={found or _USUAL.format(kind)}"
        fix = Edit(at, f"{line}\n") if found else None
        yield diagnostic("PF002", message, at, hint=f"start the file with\n{line}", fix=fix)
        return
    target = match[1]
    other = _other_kind(target, kind)
    if other is None and target.startswith(("https://", "http://")):
        return
    if other is not None or not _leads_somewhere(os.path.dirname(path), target):  # noqa: PTH120
        number = comments.count("\n", 0, match.start()) + 1
        column = match.start(1) - match.start() + 1
        at = Location(document.path, number, column, number, column + len(target))
        message = f"the schema line leads nowhere: there is no `{target}`"
        if other is not None:
            message = f"the schema line names the schema of a {other}; this is a {kind}"
        found = schema_near(path, kind)
        lost = "name it relative to this file; `pyfutures schema --write schemas` copies it"
        hint = f"write `{found}`" if found else lost
        fix = Edit(at, found) if found else None
        yield diagnostic("PF002", message, at, hint=hint, fix=fix)


def _other_kind(target: str, kind: Kind) -> Kind | None:
    """Return the kind of file that a schema is for, if that is another one; None otherwise."""
    other: Kind = "calendar" if kind == "contract" else "contract"
    return other if target.endswith(f"{other}.schema.json") else None


def schema_near(path: Path, kind: Kind) -> str | None:
    """Return where a schema lies from a file: in `schemas/` of a folder above; None without one."""
    folder = path.absolute().parent
    for above in list(folder.parents)[:_ABOVE]:
        found = above / "schemas" / f"{kind}.schema.json"
        if found.exists():
            return os.path.relpath(found, folder).replace(os.sep, "/")
    return None


def _comments_end(text: str) -> int:
    """Return where the comments at the top of a text end; `---` may stand among them."""
    end = 0
    for match in _LINE.finditer(text):
        line = match[0].strip()
        if line and not line.startswith(("#", "%")) and line != "---":
            break
        end = match.end()
    return end


def _leads_somewhere(folder: str, target: str) -> bool:
    # Not by `folder/..`: where a folder is a link, editors go up by its name.
    return _exists(os.path.abspath(os.path.join(folder, target)))  # noqa: PTH100, PTH118


@cache  # by the whole path: the same words mean another file in another working folder
def _exists(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110


def bad_calendar(name: str, path: str, at: Location | None) -> Diagnostic:
    """Return the diagnostic of a place that names a calendar with errors."""
    message = f"the calendar `{name}` has errors"
    return diagnostic("PF306", message, at, hint=f"mend {path} first")


def no_folder(path: Path) -> Diagnostic:
    """Return the diagnostic of a folder that is not there."""
    return diagnostic("PF001", f"there is no folder `{path}`", Location(str(path), 1, 1, 1, 1))


def unread(path: Path) -> Diagnostic:
    """Return the warning about a file or folder that looks like specs and is not read."""
    message = f"the file is not read: it ends in `{path.suffix}`"
    hint = f"rename it to `{path.stem}.yaml`"
    if path.is_dir():
        message = "the files of this folder are not read: it lies too deep"
        hint = "contracts are at `<exchange>/<ROOT>.yaml`, calendars at `calendars/<name>.yaml`"
    return diagnostic("PF017", message, Location(str(path), 1, 1, 1, 1), hint=hint)


def not_a_spec(path: Path) -> Diagnostic:
    """Return the diagnostic of a file that was named and is no spec by its name."""
    end = f"ends in `{path.suffix}`" if path.suffix else "has no ending"
    message = f"the file {end}: nothing would read it"
    hint = f"rename it to `{path.stem}.yaml`"
    return diagnostic("PF018", message, Location(str(path), 1, 1, 1, 1), hint=hint)
