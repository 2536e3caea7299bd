"""Calendars by name, each compiled the first time it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pyfutures.calendars.bases import load_base
from pyfutures.calendars.calendar import Calendar
from pyfutures.calendars.draft import from_base
from pyfutures.calendars.errors import CircularJoinError, UnknownCalendarError
from pyfutures.calendars.joins import joined

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from pyfutures.calendars.bases import Base
    from pyfutures.calendars.spec import CalendarSpec


class CalendarLibrary(Mapping[str, Calendar]):
    """Calendars by name.

    Asking for a name raises `UnknownCalendarError` if there is none, and, the first time,
    `CalendarSpecError` if it cannot be compiled.
    """

    def __init__(
        self,
        calendars: Mapping[str, CalendarSpec],
        *,
        base: Callable[[str], Base] = load_base,
    ) -> None:
        """Keep the specs; nothing is read yet.

        Parameters
        ----------
        calendars
            Specs by name.
        base
            Where the open days of a base come from.

        """
        self._specs = dict(calendars)
        self._base = base
        self._compiled: dict[str, Calendar] = {}
        self._idle: dict[str, tuple[tuple[str, dt.date], ...]] = {}

    def __getitem__(self, name: str) -> Calendar:
        """Return the calendar of this name.

        Raises
        ------
        UnknownCalendarError
            If no spec, or no spec of a member, has the name.
        CalendarSpecError
            If the spec contradicts itself or what it builds on, or its base does not exist.

        """
        return self._calendar(name, ())

    def __iter__(self) -> Iterator[str]:
        """Yield the names, compiling nothing."""
        return iter(self._specs)

    def __len__(self) -> int:
        """Return the number of calendars."""
        return len(self._specs)

    def __contains__(self, name: object) -> bool:
        """Whether there is a spec of this name; compiles nothing."""
        return name in self._specs

    @property
    def specs(self) -> Mapping[str, CalendarSpec]:
        """Specs by name."""
        return dict(self._specs)

    def idle(self, name: str) -> tuple[tuple[str, dt.date], ...]:
        """Return the days that a calendar adds or removes in vain, each with its key.

        Raises
        ------
        UnknownCalendarError, CalendarSpecError
            As asking for the calendar itself does.

        """
        self[name]
        return self._idle[name]

    def _calendar(self, name: str, asked_by: tuple[str, ...]) -> Calendar:
        found = self._compiled.get(name)
        if found is not None:
            return found
        if name in asked_by:
            raise CircularJoinError((*asked_by[asked_by.index(name) :], name))
        if name not in self._specs:
            raise UnknownCalendarError(name, self._specs)
        spec = self._specs[name]
        path = (*asked_by, name)
        if spec.join is None:
            draft = from_base(spec, self._base)
        else:
            members = [self._calendar(member.calendar, path) for member in spec.join.members]
            draft = joined(spec, spec.join, members)
        compiled = draft.finish()
        self._idle[name] = tuple(draft.idle)
        return self._compiled.setdefault(name, compiled)
