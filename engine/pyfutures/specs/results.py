"""What one file came to, and what it leaves to the file that it extends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyfutures.diagnostics import Diagnostic
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.calendars.spec import CalendarSpec
    from pyfutures.specs.checks import Draft
    from pyfutures.specs.model import Spec
    from pyfutures.specs.positions import Document, Locations

__all__ = ["Result", "disown"]


@dataclass(slots=True, eq=False)
class Result:
    """What one file came to. Without a spec it has errors, or needs a file that has."""

    path: str
    name: str
    document: Document | None = None
    data: dict[str, Any] = field(default_factory=dict)
    locations: Locations | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    draft: Draft | None = None
    spec: Spec | None = None
    calendar: CalendarSpec | None = None
    # The file whose errors keep this one from being loaded, and the diagnostic that would say so.
    blocked: list[tuple[str, Diagnostic]] = field(default_factory=list)
    parent: Result | None = None
    # Facts are missing that a file which cannot be read would have.
    partial: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether a spec can be made of it."""
        return not self.blocked and not any(item.is_error for item in self.diagnostics)


def disown(result: Result) -> None:
    """Leave to the extended spec what is its own fault.

    What only shows once one spec is laid over the other is told at ``extends``.
    """
    if result.parent is None or result.locations is None:
        return
    known = {(d.code, d.location, d.message) for d in _inherited(result)}
    missing = {d.message for d in _inherited(result) if d.code == "PF102"}
    kept: list[Diagnostic] = []
    for item in result.diagnostics:
        own = item.location is None or item.location.path == result.path
        if (item.code, item.location, item.message) in known:
            continue
        if item.code == "PF102" and item.message in missing:
            continue
        if own or item.location is None:
            kept.append(item)
            continue
        at = locate(result.locations, ("extends",))
        related = ((item.location, "from here"), *item.related)
        kept.append(Diagnostic(item.code, item.severity, item.message, at, item.help, related))
    result.diagnostics = kept


def _inherited(result: Result) -> Iterator[Diagnostic]:
    parent = result.parent
    while parent is not None:
        yield from parent.diagnostics
        parent = parent.parent
