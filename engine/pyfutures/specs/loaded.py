"""What came of reading specs: values, and every diagnostic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfutures.codes import diagnostic
from pyfutures.specs.positions import Locations, locate

if TYPE_CHECKING:
    import datetime as dt

    from pyfutures.calendars.errors import CalendarSpecError
    from pyfutures.calendars.spec import CalendarSpec
    from pyfutures.diagnostics import Diagnostic, Location
    from pyfutures.specs.model import Spec
    from pyfutures.specs.positions import Document

__all__ = ["Loaded"]

_MEANT: Final = {"add": "open", "remove": "closed"}


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
        return diagnostic("PF308", error.message, self._place(error.name, error.path))

    def idle(self, calendar: str, key: str, day: dt.date) -> Diagnostic:
        """Return the diagnostic of a day that a calendar adds or removes in vain."""
        state = "open" if key == "add" else "closed"
        message = f"`{key}` {day:%Y-%m-%d}, a {day:%A}, changes nothing: the day is {state} already"
        hint = f"take it out, or write the day that was meant to be {_MEANT[key]}"
        return diagnostic("PF310", message, self._place(calendar, (key, str(day))), hint=hint)

    def _place(self, calendar: str, path: tuple[str | int, ...]) -> Location | None:
        """Return where a calendar says it; days stand as a list, or with their reasons."""
        places = self.calendar_places[calendar]
        days = places.documents[0].data.get(str(path[0])) if len(path) == 2 else None
        if isinstance(days, list) and path[1] in days:
            path = (path[0], days.index(path[1]))
        return locate(places, path, key=isinstance(days, dict))
