"""What the two evaluations of a rule are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pyfutures.calendars.calendar import Calendar

__all__ = ["Calendars"]


class Calendars(Protocol):
    """Calendars by name: a mapping or a library."""

    def __getitem__(self, name: str, /) -> Calendar:
        """Return the calendar of that name, or raise a `KeyError`."""
