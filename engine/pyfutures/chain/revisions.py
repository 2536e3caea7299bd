"""Contracts as they were: a folder, what a wheel carries, or what git has at a revision.

Each is laid out as a folder on disk that the ordinary loader reads. Two of them are compared file
by file first, so that only roots are compiled that could differ: those whose file differs, those
that extend one of them, and those that name a calendar which differs or is joined from one that
does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from pyfutures.chain.validate import validate_paths
from pyfutures.specs.folders import CALENDARS, Folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyfutures.calendars import Calendar
    from pyfutures.chain.chain import Chain
    from pyfutures.diagnostics import Diagnostic, Location

__all__ = ["Compiled", "Revision", "RevisionError", "differing", "opened"]

_IN_WHEEL: Final = "pyfutures/_data/contracts"
_LIKE_SPECS: Final = (".yaml", ".yml")
_LINK: Final = "120000"
#: What stands in a commit instead of a folder, by its mode.
_NO_FOLDER: Final = {
    _LINK: "a link: compare folders, or name the folder it leads to with --path",
    "160000": "a submodule: compare in it, with --path . and a revision of its own",
}
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
    ref = _ref(text)
    hint = f"; for the git revision write {ref}" if ref else ""
    raise RevisionError(f"`{text}` has no contracts, neither in itself nor in `{path}`{hint}")


def _ref(text: str) -> str | None:
    """Return the whole name of a branch or tag that is called as a folder is."""
    if text.startswith("-") or shutil.which("git") is None:
        return None
    found = _git("rev-parse", "--verify", "--quiet", "--symbolic-full-name", text)
    ref = found.stdout.decode(errors="replace").strip()
    return ref if ref.startswith("refs/") else None


def _unpack_wheel(wheel: Path, target: Path) -> None:
    if not zipfile.is_zipfile(wheel):
        raise RevisionError(f"`{wheel}` is neither a folder nor a wheel")
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name.startswith(f"{_IN_WHEEL}/")]
        if not members:
            raise RevisionError(f"`{wheel}` carries no contracts: it has no `{_IN_WHEEL}`")
        for name in members:
            try:
                data = archive.read(name)
            # Another way to compress, and a password: RuntimeError and what is one.
            except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
                raise RevisionError(f"`{name}` in `{wheel}` cannot be read: {error}") from None
            _write(target, name.removeprefix(f"{_IN_WHEEL}/"), data)


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
    entries = _entries(top, commit, place)
    if not entries:
        raise RevisionError(f"`{revision}` has no folder `{path}`; name it with --path")
    for kind, name in entries:
        if name == place:
            raise RevisionError(f"in `{revision}` `{path}` is {_NO_FOLDER.get(kind, 'a file')}")
    with tempfile.TemporaryDirectory(prefix="pyfutures-") as made:
        _lay_out(top, commit, [name for _, name in entries], Path(made).resolve())
        laid = Path(made).resolve() / place
        for kind, name in entries:
            inside = PurePosixPath(name).relative_to(place).as_posix()
            # As in a folder of specs, only what lies directly in it is looked at.
            direct = kind == _LINK and "/" not in inside
            if direct and _leads_to_specs(top, commit, name, laid / inside):
                raise RevisionError(f"`{inside}` is a link to a folder: compare folders")
            if name.endswith(_LIKE_SPECS) and (data := _content(laid, inside)) is not None:
                _write(target, inside, data)
    return f"{revision}:{path}"


def _entries(top: str, commit: str, place: str) -> list[tuple[str, str]]:
    """Return what a commit has at a place and below it: modes and names from the top."""
    below = () if place == "." else ("--", place)
    words = ("--literal-pathspecs", "-C", top, "ls-tree", "-r", "-z", "--full-tree")
    found = _git(*words, commit, *below)
    entries = (item.partition(b"\t") for item in found.stdout.split(b"\0") if item)
    return [(os.fsdecode(head[:6]), os.fsdecode(name)) for head, _, name in entries]


def _lay_out(top: str, commit: str, names: list[str], folder: Path) -> None:
    """Write files of a commit as a checkout has them: with its line ends and filters.

    `git archive` would leave out what is marked so for releases.
    """
    plain = ("-C", top, "-c", "core.splitIndex=false", "-c", "core.fsmonitor=false")
    with tempfile.TemporaryDirectory(prefix="pyfutures-") as made:
        # An index and a folder of its own: those that are there stay as they are.
        index = os.path.join(os.path.realpath(made), "index")  # noqa: PTH118
        more = {"GIT_INDEX_FILE": index, "GIT_WORK_TREE": str(folder)}
        listed = b"".join(os.fsencode(name) + b"\0" for name in names)
        read = _git(*plain, "read-tree", commit, more=more)
        laid = _git(*plain, "checkout-index", "--quiet", "-z", "--stdin", data=listed, more=more)
    for done in (read, laid):
        if done.returncode:
            why = done.stderr.decode(errors="replace").strip()
            raise RevisionError(f"git cannot lay out the files of `{commit}`: {why}")


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


def _leads_to_specs(top: str, commit: str, name: str, link: Path) -> bool:
    """Whether a link of a commit leads to what is a folder of specs there."""
    target = os.path.normpath(PurePosixPath(name).parent / link.readlink())
    found = _git("-C", top, "ls-tree", "-z", "--name-only", f"{commit}:{target}").stdout
    return any(file.endswith(_LIKE_SPECS) for file in os.fsdecode(found).split("\0"))


def _content(folder: Path, name: str) -> bytes | None:
    """What a file of a checkout holds, or the file that a link in it leads to."""
    path = folder / name
    real = Path(os.path.realpath(path))
    if path.is_symlink() and not (real.is_relative_to(folder) and real.exists()):
        raise RevisionError(
            f"`{name}` is a link to `{path.readlink()}`, outside the folder: compare folders"
        )
    return path.read_bytes() if path.is_file() else None


def _git(
    *words: str, data: bytes = b"", more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **more} if more else None
    try:
        return subprocess.run(  # noqa: S603
            ["git", *words],  # noqa: S607
            input=data, env=environment, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise RevisionError("git is not installed: compare two folders or wheels") from None


def _write(target: Path, name: str, data: bytes) -> None:
    place = (target / name).resolve()
    if not place.is_relative_to(target):
        raise RevisionError(f"`{name}` would be written outside its folder")
    if name.endswith(_LIKE_SPECS):
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
