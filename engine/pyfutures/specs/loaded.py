"""What came of reading specs: values, and every diagnostic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyfutures.codes import diagnostic
from pyfutures.specs.positions import Locations, locate

if TYPE_CHECKING:
    from pyfutures.calendars.errors import CalendarSpecError
    from pyfutures.calendars.spec import CalendarSpec
    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.model import Spec
    from pyfutures.specs.positions import Document

__all__ = ["Loaded"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read: sound specs and calendars by name, and every diagnostic in reading order.

    `paths` are the files that the diagnostics are about; `calendar_places` tells where the values
    of the calendars stand; `documents` are all files that could be read, also those
    that are only needed by the ones in `paths`.
    """

    specs: dict[str, Spec]
    calendars: dict[str, CalendarSpec]
    diagnostics: tuple[Diagnostic, ...]
    paths: tuple[str, ...]
    calendar_places: dict[str, Locations]
    documents: tuple[Document, ...] = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that keep a spec from being loaded."""
        return tuple(item for item in self.diagnostics if item.is_error)

    def unbuilt(self, error: CalendarSpecError) -> Diagnostic:
        """Return the diagnostic of a calendar that is sound in form, but cannot be built."""
        places = self.calendar_places[error.name]
        path = error.path
        days = places.documents[0].data.get(str(path[0])) if len(path) == 2 else None
        if isinstance(days, list) and path[1] in days:
            path = (path[0], days.index(path[1]))
        at = locate(places, path, key=isinstance(days, dict))
        return diagnostic("PF308", error.message, at)
