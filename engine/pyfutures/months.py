"""Contract months: the one name a contract has everywhere, ``2026H``.

A contract month is the delivery year and month, never a date: the last-trade month differs from it
for many roots. Inside arrays a month is its index, ``year * 12 + month - 1``, so that neighbours
differ by one.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Final, Self

__all__ = [
    "FIRST_MONTH",
    "FIRST_YEAR",
    "LAST_MONTH",
    "LAST_YEAR",
    "MONTH_CODES",
    "ContractMonth",
    "MonthError",
]

MONTH_CODES: Final = "FGHJKMNQUVXZ"
"""The exchanges' letters, January to December."""

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199

_ABBREVIATIONS: Final = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
_CODE = re.compile(r"([0-9]{4})([A-Z])")
_NUMBER = re.compile(r"([0-9]{4})-?([0-9]{2})")
_PADDED = re.compile(r"([0-9]{4})([0-9]{2})00")
_SHORT = re.compile(r"([A-Z])([0-9]{1,2})")
_FORMS: Final = "write `2026H`, `202603` or `2026-03`"


class MonthError(ValueError):
    """A text or a number that is no contract month."""


@dataclass(frozen=True, slots=True, order=True)
class ContractMonth:
    """A delivery month. Orders chronologically and prints as ``2026H``.

    Parameters
    ----------
    year
        1900 to 2199.
    month
        1 to 12.

    Raises
    ------
    MonthError
        For a year or a month outside these.

    """

    year: int
    month: int

    def __post_init__(self) -> None:
        """Refuse what no exchange can list."""
        if not 1 <= self.month <= len(MONTH_CODES):
            message = f"`{self.month}` is no month: months are 1 to 12"
            raise MonthError(message)
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            message = f"year `{self.year}` is out of range: years are {FIRST_YEAR} to {LAST_YEAR}"
            raise MonthError(message)

    def __str__(self) -> str:
        """Year and month code, ``2026H``."""
        return f"{self.year}{self.code}"

    @property
    def code(self) -> str:
        """The month code, ``H`` for March."""
        return MONTH_CODES[self.month - 1]

    @property
    def abbreviation(self) -> str:
        """The month in three English letters, ``MAR`` for March, whatever the locale."""
        return _ABBREVIATIONS[3 * self.month - 3 : 3 * self.month]

    @property
    def index(self) -> int:
        """Months since the year 0: ``year * 12 + month - 1``."""
        return self.year * 12 + self.month - 1

    @property
    def first_day(self) -> dt.date:
        """The first calendar day of the month."""
        return dt.date(self.year, self.month, 1)

    @property
    def last_day(self) -> dt.date:
        """The last calendar day of the month."""
        return dt.date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    @classmethod
    def from_index(cls, index: int) -> Self:
        """Return the month whose `index` is the given number.

        Raises
        ------
        MonthError
            When its year is outside 1900 to 2199.

        """
        year, month0 = divmod(index, 12)
        return cls(year, month0 + 1)

    @classmethod
    def parse(cls, text: str, *, pivot: int | None = None) -> Self:
        """Return the month that a text names.

        Parameters
        ----------
        text
            ``2026H``, ``202603``, ``2026-03`` or ``20260300`` (the zero day of pysystemtrade's
            files). With a pivot also ``H26`` and ``H6``.
        pivot
            The earliest year that a short year can mean: ``H26`` lies in ``pivot..pivot+99``,
            ``H6`` in ``pivot..pivot+9``. Without it a short year is refused: it has no meaning of
            its own.

        Raises
        ------
        MonthError
            For any other text.

        Examples
        --------
        >>> str(ContractMonth.parse("202603"))
        '2026H'
        >>> str(ContractMonth.parse("H6", pivot=2020))
        '2026H'

        """
        if match := _CODE.fullmatch(text):
            return cls(int(match[1]), _month_of_code(match[2], text))
        if match := _NUMBER.fullmatch(text) or _PADDED.fullmatch(text):
            return cls._of_numbers(int(match[1]), int(match[2]), text)
        if match := _SHORT.fullmatch(text):
            month = _month_of_code(match[1], text)
            if pivot is None:
                message = f"`{text}` is no contract month: its year is short; {_FORMS}"
                raise MonthError(message)
            step = 10 ** len(match[2])
            return cls(pivot + (int(match[2]) - pivot) % step, month)
        if text != text.upper() and _is_month(text.upper(), pivot):
            message = f"`{text}` is no contract month: month codes are upper case, `{text.upper()}`"
            raise MonthError(message)
        message = f"`{text}` is no contract month: {_FORMS}"
        raise MonthError(message)

    @classmethod
    def _of_numbers(cls, year: int, month: int, text: str) -> Self:
        try:
            return cls(year, month)
        except MonthError as error:
            message = f"`{text}` is no contract month: {error}"
            raise MonthError(message) from None

    def shift(self, months: int) -> Self:
        """Return the month so many months later, or earlier for a negative number.

        Raises
        ------
        MonthError
            When its year is outside 1900 to 2199.

        """
        return self.from_index(self.index + months)


def _month_of_code(code: str, text: str) -> int:
    month = MONTH_CODES.find(code) + 1
    if not month:
        message = f"`{text}` is no contract month: `{code}` is not one of the codes {MONTH_CODES}"
        raise MonthError(message)
    return month


def _is_month(text: str, pivot: int | None) -> bool:
    try:
        ContractMonth.parse(text, pivot=pivot)
    except MonthError:
        return False
    return True


FIRST_MONTH: Final = ContractMonth(1970, 1)
"""The first month of everything compiled."""

LAST_MONTH: Final = ContractMonth(2050, 12)
"""The last month of everything compiled."""
