"""Reads each file of some folders at most once, with all that it extends and names.

Files are asked for by path, by root, or as whole folders; what they need beside that is read too,
but only told of where it keeps a file that was asked for from being loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyfutures.calendars.spec import CalendarSpec
from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Diagnostic, Location
from pyfutures.specs import cycle_checks, price_checks  # noqa: F401 - they register checks
from pyfutures.specs.build import build
from pyfutures.specs.checks import Draft, calendar_checks, contract_checks
from pyfutures.specs.event_checks import calendar_names, member_names
from pyfutures.specs.extends import OWN, gives, merge
from pyfutures.specs.file_checks import (
    bad_calendar,
    file_name,
    modeline,
    no_folder,
    not_a_spec,
    unread,
)
from pyfutures.specs.folders import (
    CALENDARS,
    Folder,
    home,
    is_calendar,
    is_read,
    real_path,
    spec_files,
)
from pyfutures.specs.loaded import Loaded
from pyfutures.specs.positions import Document, Locations, locate
from pyfutures.specs.results import Result, disown
from pyfutures.specs.schema import validate
from pyfutures.specs.words import suggestion
from pyfutures.specs.yaml import read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pyfutures.specs.model import Spec

__all__ = ["Reader"]


class Reader:
    """The files of some folders, the later ones over the earlier ones."""

    def __init__(self, folders: list[Folder]) -> None:
        self._folders = folders
        self._contracts: dict[Path, Result] = {}
        self._calendars: dict[Path, Result] = {}
        self._texts: dict[Path, tuple[Document | None, list[Diagnostic]]] = {}
        self._given: dict[Path, Path] = {}
        self._open: list[Path] = []
        self._circles: set[frozenset[Path]] = set()
        self._calendar_paths: dict[str, Path] = {}
        self._trees: dict[Path, Path] = {}
        for folder in folders:
            self._calendar_paths |= folder.calendar_files

    # --- what is asked for

    def everything(self) -> Loaded:
        """Read all files of all folders."""
        extra: list[Diagnostic] = []
        wanted: dict[str, Path] = {}
        contracts: list[Path] = []
        for folder in self._folders:
            if not folder.path.is_dir():
                extra.append(no_folder(folder.path))
            extra += map(unread, folder.unread)
            extra += self._twice(folder.contract_files)
            contracts += folder.contract_files
            wanted |= {path.stem: path for path in reversed(folder.contract_files)}
        calendars = [path for folder in self._folders for path in folder.calendar_files.values()]
        return self._loaded(contracts, calendars, extra, wanted)

    def only(self, roots: Collection[str]) -> Loaded:
        """Read the files of some roots and what they need."""
        extra: list[Diagnostic] = []
        wanted: dict[str, Path] = {}
        for root in dict.fromkeys(roots):
            found = self._find(root)
            if found:
                wanted[root] = found[0]
                extra += self._twice(found)
            else:
                known = {path.stem for folder in self._folders for path in folder.contract_files}
                hint = suggestion(root, known, "the roots are")
                extra.append(diagnostic("PF507", f"unknown root `{root}`", hint=hint))
        extra += [no_folder(folder.path) for folder in self._folders if not folder.path.is_dir()]
        contracts: dict[Path, None] = {}
        for path in wanted.values():
            result: Result | None = self._contract(path)
            while result is not None and Path(result.path) not in contracts:
                contracts[Path(result.path)] = None
                result = result.parent
        calendars = self._needed(self._contracts[path] for path in contracts)
        return self._loaded(list(contracts), calendars, extra, wanted)

    def given(self, paths: Iterable[Path]) -> Loaded:
        """Read files and the files in folders; only they are told of."""
        contracts: dict[Path, None] = {}
        calendars: dict[Path, None] = {}
        extra: list[Diagnostic] = []
        for path in dict.fromkeys(paths):
            if path.is_dir():
                extra += map(unread, Folder(path).unread)
            elif path.is_file() and not is_read(path):
                extra.append(not_a_spec(path))
                continue
            for file in spec_files(path):
                kind = calendars if self._has_calendar(file) else contracts
                kind[self._given.setdefault(real_path(file), file)] = None
                if path.is_dir() and kind is calendars and not is_calendar(file):
                    extra.append(self._misplaced(file))
        extra += self._twice(list(contracts))
        self._calendar_paths |= {path.stem: path for path in calendars}
        wanted = {path.stem: path for path in reversed(contracts)}
        told = [self._contract(path) for path in contracts]
        needed = self._needed(told, calendars)
        return self._loaded(list(contracts), list(calendars), extra, wanted, context=needed)

    # --- one file

    def _contract(self, path: Path) -> Result:
        if path in self._contracts:
            return self._contracts[path]
        document, found = self._read(path)
        result = Result(str(path), path.stem, document, diagnostics=found)
        self._contracts[path] = result
        if document is None:
            return result
        self._open.append(path)
        documents = self._extend(result, document, path)
        self._open.pop()
        result.locations = Locations(tuple(documents), OWN)
        broken = {place for doc in documents for place in doc.broken}
        # A spec may leave out what it extends gives it; together they have to be whole.
        whole = {key: value for key, value in result.data.items() if key != "extends"}
        own = result.data if result.parent is None else whole
        faults = validate(own, "contract", result.locations, broken=broken, partial=result.partial)
        draft = Draft(result.data, result.locations, faults.places, self._calendar_paths)
        found += faults.diagnostics
        if () not in faults.places:
            found += contract_checks.run(draft, result.locations)
            found += file_name("PF501", "root", draft, path)
            found += modeline(document, path, "contract")
        result.draft = draft
        disown(result)
        if result.is_sound:
            result.spec = build(draft, str(path))
        return result

    def _extend(self, result: Result, document: Document, path: Path) -> list[Document]:
        """Lay a document over the one it extends, and return both."""
        result.data = document.data
        name = document.data.get("extends")
        if not isinstance(name, str) or ("extends",) in document.broken:
            result.partial = "extends" in document.data
            return [document]
        at = locate(document.spans, ("extends",))
        target = self._extended(name, path)
        if target is None:
            known = {file.stem for folder in self._folders for file in folder.contract_files}
            if name.upper() != name:
                # The schema tells of a root that is badly written.
                result.partial = True
                return [document]
            hint = suggestion(name, known - {path.stem}, "the roots are")
            message = f"`extends` names an unknown root, `{name}`"
            result.diagnostics.append(diagnostic("PF503", message, at, hint=hint))
            result.partial = True
            return [document]
        if target in self._open:
            circle = self._open[self._open.index(target) :]
            names = " -> ".join([*(file.stem for file in circle), target.stem])
            error = diagnostic("PF504", f"`extends` goes in a circle: {names}", at)
            result.diagnostics.append(error)
            result.partial = True
            return [document]
        parent = result.parent = self._contract(target)
        if not parent.is_sound:
            hint = f"mend {parent.path} first"
            error = diagnostic("PF505", f"`{name}`, which is extended, has errors", at, hint=hint)
            result.blocked.append((parent.path, error))
        if parent.locations is None:
            result.partial = True
            return [document]
        result.partial = parent.partial
        result.data = merge(document.data, parent.data)
        if parent.is_sound and not gives(document.data, parent.data):
            message = f"`extends` takes nothing from `{name}`: every key is given here"
            error = diagnostic("PF510", message, at, hint="remove `extends`")
            result.diagnostics.append(error)
        return [document, *parent.locations.documents]

    def _calendar(self, path: Path) -> Result:
        if path in self._calendars:
            return self._calendars[path]
        document, found = self._read(path)
        result = Result(str(path), path.stem, document, diagnostics=found)
        self._calendars[path] = result
        if document is None:
            return result
        result.data = document.data
        locations = result.locations = document.spans
        faults = validate(document.data, "calendar", locations, broken=document.broken)
        draft = Draft(document.data, locations, faults.places, self._calendar_paths)
        found += faults.diagnostics
        if () not in faults.places:
            found += calendar_checks.run(draft, locations)
            found += file_name("PF506", "calendar", draft, path)
            found += modeline(document, path, "calendar")
        self._members(result, path)
        if result.is_sound:
            result.calendar = CalendarSpec.from_data(document.data)
        return result

    def _members(self, result: Result, path: Path) -> None:
        """Read the calendars that a calendar is joined from; they may not lead back to it."""
        self._open.append(path)
        for place, name in member_names(result.data):
            target = self._calendar_paths.get(name) if isinstance(name, str) else None
            if target is None or result.locations is None:
                continue
            at = locate(result.locations, place)
            if target in self._open:
                circle = self._open[self._open.index(target) :]
                names = " -> ".join([*(p.stem for p in circle), target.stem])
                error = diagnostic("PF307", f"calendars are joined in a circle: {names}", at)
                if frozenset(circle) not in self._circles:
                    self._circles.add(frozenset(circle))
                    result.diagnostics.append(error)
                result.blocked.append((str(path), error))
            elif not self._calendar(target).is_sound:
                result.blocked.append((str(target), bad_calendar(str(name), str(target), at)))
        self._open.pop()

    # --- between files

    def _misplaced(self, path: Path) -> Diagnostic:
        """Tell of a calendar in a folder of contracts, where only its own file finds it."""
        locations = self._calendar(path).locations
        at = locate(locations, ("calendar",)) if locations is not None else None
        message = f"the calendar `{path.stem}` lies outside `{CALENDARS}/`: no spec finds it there"
        return diagnostic("PF508", message, at, hint=f"move it to `{CALENDARS}/{path.name}`")

    def _find(self, root: str) -> list[Path]:
        """Return the files of a root in the last folder that has it."""
        for folder in reversed(self._folders):
            if found := folder.contracts(root):
                return found
        return []

    def _extended(self, name: str, path: Path) -> Path | None:
        """Return the file that a spec means by the root it extends.

        It is one of its own folder or of an earlier one; a spec that extends its own root changes
        that of an earlier folder.
        """
        folders = self._folders
        tree = self._tree(path)
        if place := [n for n, folder in enumerate(folders) if folder.path == tree]:
            # A later folder does not change what the specs of an earlier one mean.
            folders = folders[: place[-1] + (name != path.stem)]
        found = [file for folder in folders for file in reversed(folder.contracts(name))]
        found = [file for file in map(self._as_given, found) if file != path]
        if found:
            return found[-1]
        near = path.parent / f"{name}.yaml"
        return near if near.is_file() else None

    def _as_given(self, path: Path) -> Path:
        """Return a file by the name it was given: it may be found again by another one."""
        return self._given.get(real_path(path), path) if self._given else path

    def _has_calendar(self, path: Path) -> bool:
        """Whether a file is a calendar: by its place, else by its content."""
        if is_calendar(path):
            return True
        document, _ = self._texts[path] = read(path)
        return document is not None and "calendar" in document.data and "root" not in document.data

    def _read(self, path: Path) -> tuple[Document | None, list[Diagnostic]]:
        """Read a file, unless it was read to see what it is."""
        return self._texts.pop(path, None) or read(path)

    def _needed(self, results: Iterable[Result], calendars: Iterable[Path] = ()) -> list[Path]:
        """Return the files of the calendars that contracts and calendars name, members included."""
        needed: dict[Path, None] = {}
        names = [name for result in results for _, name in calendar_names(result.data)]
        names += [name for path in calendars for _, name in member_names(self._calendar(path).data)]
        while names:
            name = names.pop()
            path = self._calendar_paths.get(name) if isinstance(name, str) else None
            if path is not None and path not in needed:
                needed[path] = None
                names += [member for _, member in member_names(self._calendar(path).data)]
        return sorted(needed)

    def _twice(self, files: Iterable[Path]) -> Iterator[Diagnostic]:
        """Tell of a root that has several files in one folder of specs."""
        seen: dict[tuple[Path, str], Path] = {}
        for path in files:
            key = (self._tree(path), path.stem)
            first = seen.setdefault(key, path)
            if first is not path:
                at, before = (self._root_location(p) for p in (path, first))
                message = f"the root `{path.stem}` has two files"
                related = ((before, "the other one"),)
                yield diagnostic("PF502", message, at, hint="keep one of the two", related=related)

    def _tree(self, path: Path) -> Path:
        """Return the folder of specs that a file lies in, the same for all of one folder."""
        folder = path.parent
        if folder not in self._trees:
            self._trees[folder] = self._tree_above(path)
        return self._trees[folder]

    def _tree_above(self, path: Path) -> Path:
        parents = [*path.parents, *path.absolute().parents]
        for folder in self._folders:
            if folder.path in parents or (self._given and real_path(folder.path) in parents):
                return folder.path
        return home(path) or path.parent

    def _root_location(self, path: Path) -> Location:
        locations = self._contract(path).locations
        at = locate(locations, ("root",)) if locations is not None else None
        return at or Location(str(path), 1, 1, 1, 1)

    # --- the end

    def _loaded(
        self,
        contracts: Collection[Path],
        calendars: Collection[Path],
        extra: list[Diagnostic],
        wanted: dict[str, Path],
        *,
        context: Iterable[Path] = (),
    ) -> Loaded:
        told = [self._contract(path) for path in contracts]
        told += [self._calendar(path) for path in calendars]
        paths = {result.path for result in told}
        looked_at = paths | {item.location.path for item in extra if item.location}
        usable: dict[str, CalendarSpec] = {}
        places: dict[str, Locations] = {}
        for path in [*context, *calendars]:
            read_ = self._calendar(path)
            if read_.calendar is not None and read_.locations is not None:
                usable[path.stem] = read_.calendar
                places[path.stem] = read_.locations
        specs: dict[str, Spec] = {}
        for name, path in wanted.items():
            result = self._contract(path)
            if result.spec is not None and self._calendars_usable(result):
                specs[name] = result.spec
        diagnostics = list(extra)
        for result in told:
            diagnostics += result.diagnostics
            diagnostics += (why for path, why in result.blocked if path not in paths)
        twice = {d.related[0][0].path for d in extra if d.code == "PF502"}
        twice |= {d.location.path for d in extra if d.code == "PF502" and d.location}
        specs = {root: specs[root] for root in sorted(specs) if specs[root].path not in twice}
        ordered = tuple(sorted(dict.fromkeys(diagnostics), key=lambda item: item.order))
        files = [*self._contracts.values(), *self._calendars.values()]
        documents = tuple(file.document for file in files if file.document is not None)
        return Loaded(specs, usable, ordered, tuple(sorted(looked_at)), places, documents)

    def _calendars_usable(self, result: Result) -> bool:
        """Whether all calendars of a contract are sound; if not, it is blocked by them."""
        sound = True
        for place, name in calendar_names(result.data):
            path = self._calendar_paths[str(name)]
            if self._calendar(path).calendar is None and result.locations is not None:
                at = locate(result.locations, place)
                if at is not None and at.path != result.path:
                    at = locate(result.locations, ("extends",))
                result.blocked.append((str(path), bad_calendar(str(name), str(path), at)))
                sound = False
        return sound
