"""Mends files, or shows how: the only code that changes a spec that is there."""

from __future__ import annotations

import difflib
import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyfutures.resources import data_dir
from pyfutures.specs.fixes import mended

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyfutures.diagnostics import Diagnostic, Edit


def mend(found: Iterable[Diagnostic], *, write: bool, coloured: bool = False) -> int:
    """How many faults were mended in their files, or would be; the changes are shown otherwise.

    Parameters
    ----------
    found
        Diagnostics, with and without fixes.
    write
        Whether to write the files; if not, the changes go to stdout.
    coloured
        Whether to show changes in the colours of a terminal.

    """
    edits: dict[str, list[Edit]] = {}
    for item in found:
        if item.fix is not None and not _is_packaged(item.fix.location.path):
            edits.setdefault(item.fix.location.path, []).append(item.fix)
    for path, changes in sorted(edits.items()):
        before = Path(path).read_bytes().decode("utf-8")
        after = mended(before, changes)
        if write:
            replace(Path(path), after)
        else:
            show_change(path, before, after, coloured=coloured)
    count = sum(map(len, edits.values()))
    if count:
        faults = f"{count} fault{'' if count == 1 else 's'}"
        files = f"{len(edits)} file{'' if len(edits) == 1 else 's'}"
        click.echo(f"{'Mended' if write else 'Would mend'} {faults} in {files}", err=True)
    return count


def show_change(path: str, before: str, after: str, *, coloured: bool = False) -> None:
    """Print a change as a unified diff."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path, path
    )
    for line in lines:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[0])
        text = click.style(line.rstrip("\r\n"), fg=colour) if coloured and colour else line
        click.echo(text.rstrip("\r\n"), color=coloured)


def replace(path: Path, text: str) -> None:
    """Write a file at once or not at all, with the rights it had; a link stays a link."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.stat().st_mode & 0o222:
        # Its folder would let it be replaced; whoever made it read-only does not want that.
        raise PermissionError(errno.EACCES, "the file is read-only; it was not changed", str(path))
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
        if target.exists():
            Path(name).chmod(target.stat().st_mode & 0o7777)
        else:
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _is_packaged(path: str) -> bool:
    """Whether a file belongs to an installed package: it is not the user's to change."""
    packaged = data_dir("contracts")
    return packaged.parent.name == "_data" and Path(path).absolute().is_relative_to(packaged)
