"""Folders of specs: which file has which root or calendar. Nothing is read here.

A folder has contracts at ``<anything>/<ROOT>.yaml`` (or at its top) and calendars at
``calendars/<name>.yaml``. The name of the folder between means nothing.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CALENDARS", "Folder", "is_calendar", "spec_files"]

#: The folder of the calendars within a folder of specs.
CALENDARS: Final = "calendars"
_SUFFIX: Final = ".yaml"
_OTHER_SUFFIX: Final = ".yml"
# A name that could lead out of the folder, or nowhere, is no root.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(slots=False)
class Folder:
    """One folder of specs. Its files are listed once, when they are first asked for."""

    path: Path
    _found: dict[str, list[Path]] = field(default_factory=dict, repr=False)

    @cached_property
    def places(self) -> list[Path]:
        """The folders that contracts may lie in: this one and those in it."""
        inside = (Path(e.path) for e in _entries(self.path) if e.is_dir() and e.name != CALENDARS)
        return [self.path, *inside]

    def contracts(self, root: str) -> list[Path]:
        """Return the files of a root, in order; more than one is a fault."""
        if root not in self._found:
            name = root + _SUFFIX
            places = self.places if _NAME.fullmatch(root) else []
            self._found[root] = [path / name for path in places if (path / name).is_file()]
        return self._found[root]

    @cached_property
    def contract_files(self) -> list[Path]:
        """All files of contracts, in order."""
        return [path for place in self.places for path in _files(place, _SUFFIX)]

    @cached_property
    def calendar_files(self) -> dict[str, Path]:
        """The files of calendars by name."""
        return {path.stem: path for path in _files(self.path / CALENDARS, _SUFFIX)}

    @cached_property
    def unread(self) -> list[Path]:
        """Files that look like specs, but end in a way that is not read."""
        places = [*self.places, self.path / CALENDARS]
        return [path for place in places for path in _files(place, _OTHER_SUFFIX)]


def spec_files(path: Path) -> list[Path]:
    """Return the files that a file or a folder on a command line means."""
    if not path.is_dir():
        return [path]
    folder = Folder(path)
    return [*folder.contract_files, *folder.calendar_files.values()]


def is_calendar(path: Path) -> bool:
    """Whether a file lies where calendars do."""
    return path.parent.name == CALENDARS


def home(path: Path) -> Path | None:
    """Return the folder of specs that a file lies in, by its calendars; None if there is none."""
    for parent in list(path.absolute().parents)[:2]:
        if (parent / CALENDARS).is_dir():
            return parent
    return None


def _files(place: Path, suffix: str) -> Iterator[Path]:
    for entry in _entries(place):
        if entry.name.endswith(suffix) and not entry.name.startswith(".") and not entry.is_dir():
            yield Path(entry.path)


def _entries(place: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
