"""What can go wrong with a calendar: one class a situation, each with the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from pyfutures.calendars.calendar import Calendar
    from pyfutures.months import ContractMonth


class CalendarError(Exception):
    """Anything a calendar cannot do."""


class CalendarRangeError(CalendarError, ValueError):
    """The calendar does not know the day asked for."""

    def __init__(self, calendar: Calendar, day: dt.date) -> None:
        """Name the day and the bounds of `calendar`."""
        self.calendar = calendar
        self.day = day
        super().__init__(
            f"calendar `{calendar.name}` knows {calendar.first} to {calendar.last}, not {day};"
            f" {_way_out(calendar, day)}",
        )

    def __reduce__(self) -> tuple[type[CalendarRangeError], tuple[Calendar, dt.date]]:
        """Rebuild from the parts, not from the message."""
        return (type(self), (self.calendar, self.day))


class NoSuchDayError(CalendarError, ValueError):
    """A month has fewer open days than asked for."""

    def __init__(self, calendar: Calendar, month: ContractMonth, n: int) -> None:
        """Name the month and the number asked for."""
        self.calendar = calendar
        self.month = month
        self.n = n
        where = f"number {n}" if n > 0 else f"number {-n} from the end"
        super().__init__(
            f"calendar `{calendar.name}` has no open day {where} in {month.year}-{month.month:02d}",
        )

    def __reduce__(self) -> tuple[type[NoSuchDayError], tuple[Calendar, ContractMonth, int]]:
        """Rebuild from the parts, not from the message."""
        return (type(self), (self.calendar, self.month, self.n))


class UnknownCalendarError(CalendarError, KeyError):
    """No calendar of this name is loaded."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        """Name the calendar and the nearest ones that exist."""
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(name, self.known)

    def __str__(self) -> str:
        """One sentence: KeyError would print a tuple."""
        from difflib import get_close_matches  # noqa: PLC0415 - only when it is printed

        near = get_close_matches(self.name, self.known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(self.known) or 'none'}"
        return f"no calendar `{self.name}`; {hint}"


class CalendarSpecError(CalendarError, ValueError):
    """The description of a calendar contradicts itself or what it builds on."""

    def __init__(self, name: str, message: str, path: tuple[str | int, ...] = ()) -> None:
        """Say which calendar, what is wrong, what to do, and where it is written in the file.

        A day of `add`, `remove` and `early_closes` is a step of the path, also in a list.
        """
        self.name = name
        self.message = message
        self.path = path
        super().__init__(name, message, path)

    def __str__(self) -> str:
        """Put the calendar before the fault."""
        return f"calendar `{self.name}`: {self.message}"


class CircularJoinError(CalendarSpecError):
    """A calendar is joined, by way of others, from itself."""

    def __init__(self, ring: tuple[str, ...]) -> None:
        """Show the ring, first name repeated at its end."""
        self.ring = ring
        CalendarError.__init__(self, ring)
        self.name = ring[0]
        self.path = ()
        self.message = f"joined from itself: {' -> '.join(ring)}"


class BaseError(CalendarError):
    """exchange_calendars has no such calendar or cannot build it."""


def _way_out(calendar: Calendar, day: dt.date) -> str:
    if day < calendar.first:
        return "nothing earlier is recorded"
    return "extend `valid_until` with its holidays or declare `projected: true`"
