"""Everything that can be wrong with specs, found in one run: their form first, then their dates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyfutures.calendars import CalendarLibrary, CalendarSpecError
from pyfutures.chain.chain import Chain
from pyfutures.chain.checks import chain_checks
from pyfutures.chain.horizon import ended
from pyfutures.chain.identities import confused
from pyfutures.codes import CODES
from pyfutures.resources import data_dir
from pyfutures.specs.ignores import Ignores
from pyfutures.specs.load import load_folders, load_paths
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pyfutures.diagnostics import Diagnostic, Location
    from pyfutures.specs.load import Loaded
    from pyfutures.specs.model import Spec

__all__ = ["Checked", "check", "read_catalog", "validate_paths"]


@dataclass(frozen=True, slots=True)
class Checked:
    """Chains by root and calendars by name, every diagnostic, and the files that were read."""

    chains: dict[str, Chain]
    calendars: CalendarLibrary
    diagnostics: tuple[Diagnostic, ...]
    paths: tuple[str, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that keep a spec from being loaded."""
        return tuple(item for item in self.diagnostics if item.is_error)


def read_catalog(
    folders: Sequence[str | os.PathLike[str]],
    roots: Collection[str] | None = None,
    *,
    today: dt.date | None = None,
) -> Checked:
    """The built-in catalogue with the folders laid over it, and every diagnostic.

    Parameters
    ----------
    folders
        Folders like ``contracts/``, the later ones over the earlier ones.
    roots
        Read only these roots and what they need; all of them by default.
    today
        The day on which calendars have to reach as far as contracts are listed; not asked without.

    """
    loaded = load_folders([_built_in(), *map(Path, folders)], roots=roots)
    return check(loaded, today=today, complete=roots is None)


def validate_paths(
    paths: Sequence[str | os.PathLike[str]],
    folders: Sequence[str | os.PathLike[str]],
    *,
    today: dt.date | None = None,
) -> Checked:
    """The specs of files and folders, and every diagnostic about them.

    The built-in catalogue and ``folders`` are there for what they extend and for their calendars.
    """
    context = [_built_in(), *map(Path, folders)]
    return check(load_paths([Path(path) for path in paths], context), today=today)


def _built_in() -> Path:
    """The built-in catalogue, named as short as the working folder allows."""
    path = data_dir("contracts")
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def check(loaded: Loaded, *, today: dt.date | None = None, complete: bool = False) -> Checked:
    """What was read, with its dates looked at, less what its comments ignore.

    Parameters
    ----------
    loaded
        Specs and calendars, sound in form.
    today
        The day on which calendars have to reach as far as contracts are listed; not asked without.
    complete
        Whether all roots of the catalogue were read, and not only some of them.

    """
    calendars = CalendarLibrary(loaded.calendars)
    chains = {root: Chain(spec, calendars) for root, spec in loaded.specs.items()}
    unbuilt = dict(_unbuilt(loaded, calendars))
    sound = [chain for chain in chains.values() if not _names(chain) & unbuilt.keys()]
    ignores = Ignores(loaded.documents)
    found = [*loaded.diagnostics, *dict.fromkeys(unbuilt.values()), *confused(sound)]
    found += _idle(loaded, calendars, unbuilt.keys())
    if today is not None:
        found += ended(sound, today)
    found = [item for item in found if not ignores.hides(item)]
    found += _of_dates(sound, ignores)
    whole = {chain.spec.path for chain in sound}
    whole |= {places.documents[0].path for places in loaded.calendar_places.values()}
    unasked = {code for code in CODES if code.startswith("PF6")}
    unasked |= set() if complete else {"PF509"}
    unasked |= set() if today else {"PF416"}
    found += ignores.findings(loaded.paths, whole=whole, unasked=unasked)
    ordered = tuple(sorted(found, key=lambda item: item.order))
    return Checked(chains, calendars, ordered, loaded.paths)


def _names(chain: Chain) -> set[str]:
    """The calendars that the rules of a chain name."""
    events = (chain.spec.last_trade, chain.spec.first_notice, chain.spec.expiry)
    rules = [rule for event in events if event is not None for rule in event.spans.values]
    return {name for rule in rules for name in (rule.calendar, *rule.rule.calendars)}


def _of_dates(chains: Iterable[Chain], ignores: Ignores) -> Iterator[Diagnostic]:
    told: set[tuple[str, Location | None]] = set()
    inherited: list[tuple[Spec, Diagnostic]] = []
    for chain in chains:
        spec = chain.spec
        for item in chain_checks.run(chain, spec.locations):
            if item.location is None or item.location.path == spec.path:
                told.add((item.code, item.location))
                if not ignores.hides(item):
                    yield item
            else:
                inherited.append((spec, item))
    for spec, item in inherited:
        # The extended spec has the same fault: mend it there. Otherwise only the two together do.
        if item.location is None or (item.code, item.location) in told or ignores.hides(item):
            continue
        at = locate(spec.locations, ("extends",))
        moved = replace(item, location=at, related=((item.location, "from here"), *item.related))
        if not ignores.hides(moved):
            yield moved


def _unbuilt(loaded: Loaded, calendars: CalendarLibrary) -> Iterator[tuple[str, Diagnostic]]:
    """The calendars that cannot be built, each with the reason; joins share that of a member."""
    for name in loaded.calendars:
        try:
            calendars[name]
        except CalendarSpecError as error:
            yield name, loaded.unbuilt(error)


def _idle(
    loaded: Loaded, calendars: CalendarLibrary, unbuilt: Collection[str]
) -> Iterator[Diagnostic]:
    """The days that a calendar adds or removes in vain."""
    for name in loaded.calendars:
        # A calendar may be a member of joins that are not the reader's own.
        at = loaded.calendar_places[name].documents[0].path
        if name not in unbuilt and at in loaded.paths:
            for key, day in calendars.idle(name):
                yield loaded.idle(name, key, day)
