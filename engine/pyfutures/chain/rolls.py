"""Roll calendars: when each held month is to be left, by rule.

A row says of one month of the hold cycle from which day (`roll_date`) and before which day
(`deadline`) the series moves to `forward`. Both are calendar days, as instants 00:00 UTC. By the
calendar a month is current until its roll date; when a series really rolled is not known here but
in `pyfutures.continuous`. Rows are plain values: a chain compiles them, a test writes them down.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pyfutures.months import ContractMonth

DAY_NS = 86_400 * 10**9
_EPOCH = date(1970, 1, 1).toordinal()
# Part of every fingerprint: a new way of writing the rows must not look like an old one.
_FORMAT = "pyfutures roll calendar 1"


class RollCalendarError(ValueError):
    """The rows of a roll calendar contradict each other, or do not answer a question."""


def midnight_ns(day: date) -> int:
    """Nanoseconds since 1970 of 00:00 UTC of `day`."""
    return (day.toordinal() - _EPOCH) * DAY_NS


@dataclass(frozen=True, slots=True)
class RollRow:
    """One month of the hold cycle: its neighbours and its roll window ``[roll_date, deadline)``.

    Parameters
    ----------
    month
        The held month.
    previous, forward
        Its neighbours in the hold cycle, None at the ends of what is compiled.
    carry
        Its neighbour in the priced cycle at the carry offset.
    roll_date, deadline
        First calendar day of the window, and the first day after it.
    roll_ns, deadline_ns
        00:00 UTC of the two, in nanoseconds.

    Raises
    ------
    RollCalendarError
        If a time is not midnight of its date.

    """

    month: ContractMonth
    previous: ContractMonth | None
    forward: ContractMonth | None
    carry: ContractMonth | None
    roll_date: date
    deadline: date
    roll_ns: int
    deadline_ns: int

    def __post_init__(self) -> None:
        for name, day, ns in (
            ("roll_ns", self.roll_date, self.roll_ns),
            ("deadline_ns", self.deadline, self.deadline_ns),
        ):
            if ns != midnight_ns(day):
                raise RollCalendarError(f"{self.month}: {name} {ns} is not 00:00 UTC of {day}")

    @classmethod
    def of(  # noqa: PLR0913 - a row has six columns
        cls,
        month: ContractMonth,
        *,
        roll_date: date,
        deadline: date,
        previous: ContractMonth | None = None,
        forward: ContractMonth | None = None,
        carry: ContractMonth | None = None,
    ) -> RollRow:
        """Row with the two instants derived from the two dates."""
        return cls(
            month,
            previous,
            forward,
            carry,
            roll_date,
            deadline,
            midnight_ns(roll_date),
            midnight_ns(deadline),
        )

    @property
    def legs(self) -> tuple[ContractMonth, ...]:
        """The months seen while `month` is current: itself, forward, carry, previous; each once."""
        legs = (self.month, self.forward, self.carry, self.previous)
        return tuple(dict.fromkeys(leg for leg in legs if leg is not None))

    def __str__(self) -> str:
        neighbours = (self.previous, self.forward, self.carry)
        text = " ".join("-" if leg is None else str(leg) for leg in neighbours)
        return f"{self.month} {text} {self.roll_date} {self.deadline}"


@dataclass(frozen=True)
class RollCalendar:
    """All held months of a root in order, each with its roll window.

    Parameters
    ----------
    root
        The root the rows belong to.
    rows
        One row a held month, oldest first.

    Raises
    ------
    RollCalendarError
        If there is no row, months or roll dates do not strictly increase, or `forward` of a row
        is not the month of the next (or `previous` of a row not the month of the one before).

    """

    root: str
    rows: tuple[RollRow, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))
        if not self.rows:
            raise RollCalendarError(f"{self.root}: a roll calendar needs at least one row")
        for row, after in pairwise(self.rows):
            if after.month <= row.month:
                raise RollCalendarError(f"{self.root}: {after.month} comes after {row.month}")
            if after.roll_date <= row.roll_date:
                raise RollCalendarError(
                    f"{self.root}: roll dates must strictly increase: {row.month} rolls on "
                    f"{row.roll_date}, {after.month} on {after.roll_date}"
                )
            if row.forward != after.month:
                raise RollCalendarError(
                    f"{self.root}: forward of {row.month} is {row.forward}, but the next row is "
                    f"{after.month}"
                )
            if after.previous is not None and after.previous != row.month:
                raise RollCalendarError(
                    f"{self.root}: previous of {after.month} is {after.previous}, but the row "
                    f"before is {row.month}"
                )

    @cached_property
    def _roll_ns(self) -> tuple[int, ...]:
        return tuple(row.roll_ns for row in self.rows)

    @cached_property
    def _indices(self) -> dict[ContractMonth, int]:
        return {row.month: i for i, row in enumerate(self.rows)}

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RollRow]:
        return iter(self.rows)

    def __contains__(self, month: object) -> bool:
        return month in self._indices

    def index(self, month: ContractMonth) -> int:
        """Where the row of `month` stands among the rows.

        Raises
        ------
        RollCalendarError
            If no row is of that month; the message names the held months next to it.

        """
        try:
            return self._indices[month]
        except KeyError:
            before = [row.month for row in self.rows if row.month < month][-1:]
            after = [row.month for row in self.rows if row.month > month][:1]
            near = " and ".join(str(held) for held in before + after)
            raise RollCalendarError(
                f"{self.root}: {month} is not a held month; the nearest ones are {near}"
            ) from None

    def row(self, month: ContractMonth) -> RollRow:
        """Row of a held month.

        Raises
        ------
        RollCalendarError
            If `month` is not held.

        """
        return self.rows[self.index(month)]

    def position(self, ns: int) -> RollRow:
        """Row of the month that is current at an instant by rule: the first that rolls after it.

        Raises
        ------
        RollCalendarError
            If `ns` is not before the last roll date.

        """
        index = bisect_right(self._roll_ns, ns)
        if index == len(self.rows):
            last = self.rows[-1]
            raise RollCalendarError(
                f"{self.root}: {np.datetime64(ns, 'ns')}Z is past the roll calendar, whose last "
                f"month {last.month} rolls on {last.roll_date}"
            )
        return self.rows[index]

    def positions(self, ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of the current row at each instant; ``len(self)`` past the last roll date."""
        roll_ns = np.array(self._roll_ns, dtype=np.int64)
        return np.searchsorted(roll_ns, ns, side="right").astype(np.int64, copy=False)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the rows in a fixed notation; the root and the spec's text are not in it."""
        import hashlib  # noqa: PLC0415 - only where something is stored

        text = "\n".join((_FORMAT, *map(str, self.rows)))
        return hashlib.sha256(text.encode()).hexdigest()
