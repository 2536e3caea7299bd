"""Contracts as they were: a folder, what a wheel carries, or what git has at a revision.

Each is laid out as a folder on disk that the ordinary loader reads. Two of them are compared file
by file first, so that only roots are compiled that could differ: those whose file differs, those
that extend one of them, and those that name a calendar which differs or is joined from one that
does.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from pyfutures.chain.validate import validate_paths
from pyfutures.specs.folders import CALENDARS, Folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.calendars import Calendar
    from pyfutures.chain.chain import Chain
    from pyfutures.diagnostics import Diagnostic, Location

__all__ = ["Compiled", "Revision", "RevisionError", "differing", "opened"]

_IN_WHEEL: Final = "pyfutures/_data/contracts"
_NAMES: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class RevisionError(ValueError):
    """A text that names no contracts: no such revision, folder or wheel, or none in it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """Contracts in a folder; `label` stands for the folder where files are named to people."""

    name: str
    folder: Path
    label: str

    def shown(self, path: str) -> str:
        """The name of a file for people, ``main:contracts/xnym/CL.yaml``."""
        if self.label == str(self.folder):
            return path
        inside = Path(path)
        if not inside.is_relative_to(self.folder):
            return path
        return f"{self.label}/{inside.relative_to(self.folder).as_posix()}"

    def texts(self) -> dict[str, bytes]:
        """The files by their place in the folder."""
        folder = Folder(self.folder)
        files = [*folder.contract_files, *folder.calendar_files.values()]
        return {path.relative_to(self.folder).as_posix(): self._bytes(path) for path in files}

    def _bytes(self, path: Path) -> bytes:
        try:
            if path.exists() and not path.is_file():
                raise RevisionError(f"`{self.shown(str(path))}` is no file")
            return path.read_bytes()
        except OSError as error:
            words = (error.strerror or type(error).__name__).lower()
            raise RevisionError(f"`{self.shown(str(path))}` cannot be read: {words}") from None

    def compiled(self, files: frozenset[str], calendars: frozenset[str]) -> Compiled:
        """The chains of some of its files, some of its calendars, and every error in them."""
        paths = [self.folder / file for file in sorted(files) if (self.folder / file).is_file()]
        if not paths:
            return Compiled({}, {}, ())
        checked = validate_paths(paths, [self.folder])
        errors = tuple(self._told(item) for item in checked.errors)
        if errors:
            return Compiled({}, {}, errors)
        # Of calendars that the built-in catalogue has too, those in the folder count.
        own = Folder(self.folder).calendar_files
        known = {name: checked.calendars[name] for name in sorted(calendars & own.keys())}
        return Compiled(checked.chains, known, ())

    def sources(self, diagnostics: tuple[Diagnostic, ...]) -> dict[str, list[str]]:
        """The lines of the files that diagnostics are about, by the name they are shown with."""
        places = {at.path for item in diagnostics for at in _locations(item)}
        prefix = f"{self.label}/"
        return {
            place: (self.folder / place.removeprefix(prefix))
            .read_text("utf-8", errors="replace")
            .splitlines()
            for place in places
            if place.startswith(prefix) and (self.folder / place.removeprefix(prefix)).is_file()
        }

    def _told(self, item: Diagnostic) -> Diagnostic:
        def renamed(at: Location) -> Location:
            return replace(at, path=self.shown(at.path))

        return replace(
            item,
            message=item.message.replace(f"{self.folder}/", f"{self.label}/"),
            help=item.help and item.help.replace(f"{self.folder}/", f"{self.label}/"),
            location=item.location and renamed(item.location),
            related=tuple((renamed(at), words) for at, words in item.related),
        )


@dataclass(frozen=True, slots=True)
class Compiled:
    """One side of a comparison; with errors it has no chains."""

    chains: dict[str, Chain]
    calendars: dict[str, Calendar]
    errors: tuple[Diagnostic, ...]


@contextmanager
def opened(text: str, *, path: str = "contracts") -> Iterator[Revision]:
    """Lay out what a text names: a folder, a wheel, or a git revision, looked for in that order.

    Parameters
    ----------
    text
        ``../old/contracts``, ``dist/pyfutures-0.1.0-py3-none-any.whl``, ``origin/main``.
    path
        Where contracts lie: in a revision from the folder we are in, or in a folder that has no
        specs itself.

    Raises
    ------
    RevisionError
        If it is none of these, or has no contracts there.
    """
    if not text.strip():
        raise RevisionError("an empty text names neither a folder, a wheel nor a git revision")
    given = Path(text)
    if given.is_dir():
        yield _folder(text, path)
        return
    with tempfile.TemporaryDirectory(prefix="pyfutures-") as made:
        target = Path(made).resolve()
        if given.is_file():
            _unpack_wheel(given, target)
            label = f"{given.name}:{_IN_WHEEL}"
        else:
            label = _checkout(text, path, target)
        yield Revision(text, target, label)


def differing(
    before: Revision, after: Revision
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The files that could compile to something else, on each side, and the calendars among them.

    Files are told by their place in the folder. A root that moved to another file counts with all
    files that have its name, so that it is not taken for a removed and a new one.
    """
    old, new = before.texts(), after.texts()
    changed = {file for file in old.keys() | new.keys() if old.get(file) != new.get(file)}
    calendars = {_stem(file) for file in changed if _is_calendar(file)}
    roots = {_stem(file) for file in changed if not _is_calendar(file)}
    if not changed:
        return frozenset(), frozenset(), frozenset()
    files = [_File.of(file, text) for side in (old, new) for file, text in side.items()]
    own = {file.stem for file in files if not file.is_calendar}
    grown = True
    while grown:
        size = len(calendars) + len(roots)
        for file in files:
            if file.is_calendar:
                if file.has_escapes or file.names & calendars:
                    calendars.add(file.stem)
            elif file.has_escapes or file.names & calendars:
                roots.add(file.stem)
            elif file.extends and (file.names & roots or (calendars and not file.names & own)):
                # What it extends may be a root of the built-in catalogue with that calendar.
                roots.add(file.stem)
        grown = len(calendars) + len(roots) > size

    def wanted(side: dict[str, bytes]) -> frozenset[str]:
        return frozenset(
            file for file in side if _stem(file) in (calendars if _is_calendar(file) else roots)
        )

    return wanted(old), wanted(new), frozenset(calendars)


@dataclass(frozen=True, slots=True)
class _File:
    """What a file may name. Words are a superset of the names that YAML would read in it."""

    stem: str
    is_calendar: bool
    names: frozenset[str]
    extends: bool
    has_escapes: bool

    @classmethod
    def of(cls, file: str, data: bytes) -> _File:
        text = data.decode("utf-8", errors="replace")
        names = frozenset(_NAMES.findall(text)) - {_stem(file)}
        return cls(_stem(file), _is_calendar(file), names, "extends" in text, "\\" in text)


def _folder(text: str, path: str) -> Revision:
    folder = Path(text)
    for place in (folder, folder / path):
        listed = Folder(place)
        if place.is_dir() and (listed.contract_files or listed.calendar_files):
            # A checkout has the YAML of many things at its top, but contracts only below.
            below = folder / path
            is_checkout = text != path and below.is_dir() and not below.samefile(folder)
            if place == folder and is_checkout:
                continue
            return Revision(text, place, str(place))
    raise RevisionError(f"`{text}` has no contracts, neither in itself nor in `{path}`")


def _unpack_wheel(wheel: Path, target: Path) -> None:
    if not zipfile.is_zipfile(wheel):
        raise RevisionError(f"`{wheel}` is neither a folder nor a wheel")
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name.startswith(f"{_IN_WHEEL}/")]
        if not members:
            raise RevisionError(f"`{wheel}` carries no contracts: it has no `{_IN_WHEEL}`")
        for name in members:
            _write(target, name.removeprefix(f"{_IN_WHEEL}/"), archive.read(name))


def _checkout(revision: str, path: str, target: Path) -> str:
    """Write the contracts of a revision to a folder; the name of that folder for people."""
    if revision.startswith("-"):
        raise RevisionError(f"`{revision}` is no git revision")
    found = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode:
        why = found.stderr.decode(errors="replace").strip()
        reason = f" ({why})" if why else ""
        raise RevisionError(
            f"`{revision}` is no folder, no wheel and no git revision here{reason};"
            " a shallow clone has one revision: fetch the other one first"
        )
    commit = found.stdout.decode().strip()
    top, place = _in_repository(path)
    inside = _git("-C", top, "archive", "--format=tar", commit, "--", place)
    if inside.returncode:
        raise RevisionError(f"`{revision}` has no folder `{path}`; name it with --path")
    with tarfile.open(fileobj=io.BytesIO(inside.stdout)) as archive:
        for member in archive:
            data = _content(archive, member)
            if data is not None:
                name = PurePosixPath(member.name).relative_to(place).as_posix()
                _write(target, name, data.read())
    return f"{revision}:{path}"


def _in_repository(path: str) -> tuple[str, str]:
    """Return the top of the repository we are in, and where a folder lies in it."""
    top, _, prefix = _git("rev-parse", "--show-toplevel", "--show-prefix").stdout.partition(b"\n")
    root = os.fsdecode(top)
    given = os.path.join(root, os.fsdecode(prefix.rstrip(b"\n")), path)  # noqa: PTH118 - no Path drops `..`
    if os.path.isabs(path):  # noqa: PTH117
        # The repository is named without links; what leads to the folder may have some.
        folder = Path(path)
        given = str(folder.parent.resolve() / folder.name)
    place = Path(os.path.relpath(given, root))
    if place.parts[:1] == (os.pardir,):
        raise RevisionError(f"`{path}` lies outside the repository {root}")
    return root, place.as_posix()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    """What a file of an archive holds, or the file that a link in it leads to."""
    if not (member.isfile() or member.issym()):
        return None
    try:
        return archive.extractfile(member)
    except KeyError:
        raise RevisionError(
            f"`{member.name}` is a link to `{member.linkname}`, outside the folder: compare folders"
        ) from None


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *words], capture_output=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        raise RevisionError("git is not installed: compare two folders or wheels") from None


def _write(target: Path, name: str, data: bytes) -> None:
    place = (target / name).resolve()
    if not place.is_relative_to(target):
        raise RevisionError(f"`{name}` would be written outside its folder")
    if name.endswith((".yaml", ".yml")):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def _is_calendar(file: str) -> bool:
    return PurePosixPath(file).parent.name == CALENDARS


def _stem(file: str) -> str:
    return PurePosixPath(file).stem


def _locations(item: Diagnostic) -> Iterator[Location]:
    if item.location is not None:
        yield item.location
    for at, _ in item.related:
        yield at
