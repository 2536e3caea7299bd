"""Folders and files to specs: the stages one after the other, faults as values.

bytes -> YAML with positions -> extends -> form (schema) -> checks -> model. A file with faults at
one stage still gets all those of that stage, and of later ones where what they look at is sound. A
spec with an error is never among the specs; the other files go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.specs.folders import Folder, home, real_path
from pyfutures.specs.loaded import Loaded
from pyfutures.specs.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

__all__ = ["Loaded", "load_folders", "load_paths"]


def load_folders(folders: Sequence[Path], roots: Collection[str] | None = None) -> Loaded:
    """Return the specs and calendars of folders; a later folder wins, root by root.

    Parameters
    ----------
    folders
        Folders of specs, ``contracts`` first.
    roots
        The roots that are wanted: only their files are read, those they extend and the
        calendars they need. All of them by default.

    """
    reader = Reader([Folder(folder) for folder in folders])
    if roots is None:
        return reader.everything()
    return reader.only(roots)


def load_paths(paths: Sequence[Path], context: Sequence[Path]) -> Loaded:
    """Return the specs and the diagnostics of files, and of the files in folders.

    Parameters
    ----------
    paths
        Files and folders to be looked at. Only they are told of.
    context
        Folders of specs in which the roots they extend and the calendars they name are found,
        beside those of the folders the paths lie in themselves.

    """
    folders = list(context)
    for path in paths:
        near = (home(path / "any") or path) if path.is_dir() else home(path)
        if near is not None and not any(real_path(near) == real_path(folder) for folder in folders):
            folders.append(near)
    return Reader([Folder(folder) for folder in folders]).given(paths)
