"""Folders of specs: which file has which root or calendar. Nothing is read here.

A folder has contracts at ``<anything>/<ROOT>.yaml`` (or at its top) and calendars at
``calendars/<name>.yaml``. The name of the folder between means nothing, but that of an exchange
tells what the folder of specs is where there are no calendars.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

__all__ = ["CALENDARS", "Folder", "home", "is_calendar", "is_read", "real_path", "spec_files"]

#: The folder of the calendars within a folder of specs.
CALENDARS: Final = "calendars"
_SUFFIX: Final = ".yaml"
_LIKE_SPECS: Final = (".yaml", ".yml")
# A name that could lead out of the folder, or nowhere, is no root.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
# The folder of an exchange has its MIC as name.
_EXCHANGE = re.compile(r"[a-z0-9]{4}")


@dataclass(slots=False)
class Folder:
    """One folder of specs. Its files are listed once, when they are first asked for."""

    path: Path

    @cached_property
    def places(self) -> list[Path]:
        """The folders that contracts may lie in: this one and those in it."""
        return [self.path, *(p for p in _folders(self.path) if p.name != CALENDARS)]

    def contracts(self, root: str) -> list[Path]:
        """Return the files of a root, in order; more than one is a fault."""
        files = self._by_root.get(root, []) if _NAME.fullmatch(root) else []
        return [path for path in files if path.is_file()]

    @cached_property
    def _by_root(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for path in self.contract_files:
            found.setdefault(path.stem, []).append(path)
        return found

    @cached_property
    def contract_files(self) -> list[Path]:
        """All files of contracts, in order."""
        return [path for place in self.places for path in self._listed(place) if is_read(path)]

    @cached_property
    def calendar_files(self) -> dict[str, Path]:
        """The files of calendars by name."""
        return {path.stem: path for path in self._listed(self.path / CALENDARS) if is_read(path)}

    def _listed(self, place: Path) -> list[Path]:
        if place not in self._files:
            self._files[place] = _files(place)
        return self._files[place]

    @cached_property
    def _files(self) -> dict[Path, list[Path]]:
        """The files of each place that look like specs, once it was asked for them."""
        return {}

    @cached_property
    def unread(self) -> list[Path]:
        """Files that look like specs but end in another way, and folders of specs too deep."""
        places = [*self.places, self.path / CALENDARS]
        found = [path for place in places for path in self._listed(place) if not is_read(path)]
        below = [path for place in places[1:] for path in _folders(place)]
        while below:
            place = below.pop()
            found += [place] if _files(place) else []
            # A link may lead back up.
            below += [path for path in _folders(place) if not path.is_symlink()]
        return found


def spec_files(path: Path) -> list[Path]:
    """Return the files that a file or a folder on a command line means; all are read."""
    if not path.is_dir():
        return [path]
    folder = Folder(path)
    return [*folder.contract_files, *folder.calendar_files.values()]


def is_read(path: Path) -> bool:
    """Whether a file ends as specs do: no other is found by its root or name."""
    return path.suffix == _SUFFIX


def is_calendar(path: Path) -> bool:
    """Whether a file lies where calendars do."""
    return path.parent.name == CALENDARS


def home(path: Path) -> Path | None:
    """Return the folder of specs that a file lies in; None if nothing tells which it is.

    It is told by its calendars, else by the name of the exchange between it and the file.
    """
    near, *above = list(path.absolute().parents)[:2]
    for parent in (near, *above):
        if (parent / CALENDARS).is_dir():
            return parent
    if above and _EXCHANGE.fullmatch(near.name) and not any(map(_files, _folders(near))):
        return above[0]
    return None


def real_path(path: Path) -> Path:
    """Return a path without links; unlike `resolve` it takes a link to itself."""
    return Path(os.path.realpath(path))


def _files(place: Path) -> list[Path]:
    """Return the files of a folder that look like specs."""
    return [
        Path(entry.path)
        for entry in _entries(place)
        if entry.name.lower().endswith(_LIKE_SPECS)
        # A folder that is called as a spec is read as one, which says that it is none.
        if not _is_dir(entry) or entry.name.endswith(_SUFFIX)
    ]


def _folders(place: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(place) if _is_dir(entry)]


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: reading it as a file says so
        return False


def _entries(place: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            shown = (entry for entry in entries if not entry.name.startswith("."))
            return sorted(shown, key=lambda entry: entry.name)
    except OSError:
        return []
