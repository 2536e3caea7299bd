"""Days of the week, as rules and calendars spell them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["Weekday"]


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @property
    def number(self) -> int:
        """Monday is 0, as in `datetime`."""
        return _NUMBERS[self]

    @property
    def title_word(self) -> str:
        """The word with a capital, ``Friday``."""
        return self.value.capitalize()


_NUMBERS: Final = {weekday: number for number, weekday in enumerate(Weekday)}
