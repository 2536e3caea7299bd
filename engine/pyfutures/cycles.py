"""Cycles: which contract months are listed, priced or held, and what comes next.

A cycle is a string of month codes that may change over time (`Ranged`), less single months that
were skipped. The members are compiled once to a sorted tuple of month indices, so that every
question is a bisection; a question may be asked from any month, member or not.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from pyfutures.months import FIRST_YEAR, LAST_YEAR, MONTH_CODES, ContractMonth
from pyfutures.ranged import Ranged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Cycle", "CycleError"]

_FIRST: Final = ContractMonth(FIRST_YEAR, 1)
_LAST: Final = ContractMonth(LAST_YEAR, 12)


class CycleError(ValueError):
    """A cycle that holds no month, or a neighbour that does not exist."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """The months of a cycle.

    Parameters
    ----------
    spans
        Month codes in the order of the year, ``HMUZ``, for each range of contract months. Months in
        a gap are in no cycle.
    skip
        Single months that are left out.

    Raises
    ------
    CycleError
        For a letter that is no month code, codes given twice or out of order, or no month at all.

    """

    spans: Ranged[str]
    skip: frozenset[ContractMonth] = frozenset()
    _members: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the codes and compile the members."""
        members = _compile(self.spans, self.skip)
        if not members:
            message = f"the cycle {self} holds no month"
            raise CycleError(message)
        object.__setattr__(self, "_members", members)

    @classmethod
    def of(cls, codes: str, skip: Iterable[ContractMonth] = ()) -> Self:
        """Return the cycle that has the same codes in all years."""
        return cls(Ranged.constant(codes), frozenset(skip))

    def __contains__(self, month: ContractMonth) -> bool:
        """Whether the month is in the cycle."""
        place = bisect_left(self._members, month.index)
        return place < len(self._members) and self._members[place] == month.index

    def __str__(self) -> str:
        """Print the codes, their ranges and the skipped months, ``HMUZ without 2022M``."""
        without = " ".join(map(str, sorted(self.skip)))
        return f"{self.spans} without {without}" if without else str(self.spans)

    def next(self, month: ContractMonth) -> ContractMonth:
        """Return the first month of the cycle after the given one.

        Raises
        ------
        CycleError
            When the cycle ends before.

        """
        return self._member(bisect_right(self._members, month.index), month)

    def previous(self, month: ContractMonth) -> ContractMonth:
        """Return the last month of the cycle before the given one.

        Raises
        ------
        CycleError
            When the cycle starts after.

        """
        return self._member(bisect_left(self._members, month.index) - 1, month)

    def neighbour(self, month: ContractMonth, steps: int) -> ContractMonth:
        """Return the month so many steps along the cycle: 1 is `next`, -1 `previous`, 0 itself.

        Raises
        ------
        CycleError
            When the cycle ends or starts before, or for ``0`` when the month is not in the cycle.

        """
        if steps > 0:
            return self._member(bisect_right(self._members, month.index) + steps - 1, month)
        if steps < 0:
            return self._member(bisect_left(self._members, month.index) + steps, month)
        if month not in self:
            message = f"{month} is not in the cycle {self}"
            raise CycleError(message)
        return month

    def between(self, first: ContractMonth, last: ContractMonth) -> tuple[ContractMonth, ...]:
        """Return the months of the cycle from `first` to `last`, both inclusive."""
        start = bisect_left(self._members, first.index)
        stop = bisect_right(self._members, last.index)
        return tuple(map(ContractMonth.from_index, self._members[start:stop]))

    def reaches(self, first: ContractMonth, last: ContractMonth) -> bool:
        """Return whether any month from `first` to `last`, both inclusive, is in the cycle."""
        start = bisect_left(self._members, first.index)
        return start < len(self._members) and self._members[start] <= last.index

    @functools.lru_cache(maxsize=1024)  # noqa: B019 - a cycle is a small value, equal ones are one
    def mask(self, first: ContractMonth, last: ContractMonth) -> NDArray[np.bool_]:
        """Return whether each month from `first` to `last`, both inclusive, is in the cycle.

        The array is read-only.
        """
        mask = np.zeros(max(0, last.index - first.index + 1), dtype=np.bool_)
        start = bisect_left(self._members, first.index)
        stop = bisect_right(self._members, last.index)
        mask[np.asarray(self._members[start:stop], dtype=np.int64) - first.index] = True
        mask.flags.writeable = False
        return mask

    def _member(self, place: int, month: ContractMonth) -> ContractMonth:
        if 0 <= place < len(self._members):
            return ContractMonth.from_index(self._members[place])
        first, last = (ContractMonth.from_index(self._members[i]) for i in (0, -1))
        message = f"no such neighbour of {month}: the cycle {self} runs from {first} to {last}"
        raise CycleError(message)


def _check_codes(codes: str) -> None:
    for code in codes:
        if code not in MONTH_CODES:
            message = f"`{code}` in the cycle `{codes}` is not one of the month codes {MONTH_CODES}"
            raise CycleError(message)
    ordered = "".join(code for code in MONTH_CODES if code in codes)
    if codes != ordered:
        message = f"the cycle `{codes}` repeats a month or is out of order: write `{ordered}`"
        raise CycleError(message)


@functools.lru_cache(maxsize=1024)
def _compile(spans: Ranged[str], skip: frozenset[ContractMonth]) -> tuple[int, ...]:
    for codes in spans.values:
        _check_codes(codes)
    members: list[int] = []
    for places, codes in spans.select(_FIRST, _LAST):
        wanted = [i for i in range(12) if MONTH_CODES[i] in codes]
        first, stop = _FIRST.index + places.start, _FIRST.index + places.stop
        found = [year + i for year in range(first - first % 12, stop, 12) for i in wanted]
        members += found[bisect_left(found, first) : bisect_left(found, stop)]
    skipped = {month.index for month in skip}
    return tuple(index for index in members if index not in skipped) if skipped else tuple(members)
