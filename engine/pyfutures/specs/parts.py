"""From plain data to the small values of a spec; the data is sound in form.

Both the checks and the building of the model read a document through these. One after the other
asks for the cycles of the same document: they are kept until the next one.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyfutures.cycles import Cycle, CycleError
from pyfutures.months import ContractMonth
from pyfutures.ranged import Ranged, RangeError, Span
from pyfutures.specs.model import ClockTime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.specs.checks import Draft
    from pyfutures.specs.model import DataPath
    from pyfutures.specs.positions import Data

__all__ = [
    "CYCLES",
    "EVENTS",
    "Part",
    "clock_time",
    "cycle",
    "cycles",
    "expected",
    "parts",
    "skips",
    "time",
]

#: The cycles, each within the one before it, which is its default.
CYCLES: Final = ("listed", "priced", "hold")
EVENTS: Final = ("last_trade", "first_notice", "expiry")


class Part(NamedTuple):
    """One range of a value: its bounds, where it stands and what it says."""

    start: ContractMonth | None
    until: ContractMonth | None
    path: DataPath
    value: Any

    def covers(self, month: ContractMonth) -> bool:
        """Whether the month is in the range."""
        return month in Span(self.start, self.until, None)


def parts(value: Data, path: DataPath, key: str | None) -> list[Part]:
    """Return the ranges of a value; one open range if it has none.

    Parameters
    ----------
    value
        The value of a key that can have ranges.
    path
        Where it stands.
    key
        Which key of a range has its value; None if the range itself is the value.

    """
    if not isinstance(value, list):
        return [Part(None, None, path, value)]
    found = []
    for number, item in enumerate(value):
        start, until = _bound(item, "from"), _bound(item, "until")
        where = (*path, number) if key is None else (*path, number, key)
        found.append(Part(start, until, where, item if key is None else item[key]))
    return found


def _bound(item: dict[str, Any], key: str) -> ContractMonth | None:
    return ContractMonth.parse(item[key]) if key in item else None


def ranged(found: list[Part]) -> Ranged[Part] | None:
    """Return ranges as a value over months, or None if they overlap or are out of order."""
    try:
        return Ranged(tuple(Span(part.start, part.until, part) for part in found))
    except RangeError:
        return None


@lru_cache(maxsize=1)
def skips(draft: Draft) -> dict[str, dict[ContractMonth, DataPath]]:
    """Return the months skipped in each cycle by name, with their places.

    A list stands for all cycles: it is read as skipped in `listed`, which hands it on.
    """
    found: dict[str, dict[ContractMonth, DataPath]] = {name: {} for name in CYCLES}
    value = draft.get("months", "skip")
    named = {"listed": value} if isinstance(value, list) else value or {}
    for name, months in named.items():
        above = ("months", "skip") if isinstance(value, list) else ("months", "skip", name)
        for number, month in enumerate(months):
            found[name][ContractMonth.parse(month)] = (*above, number)
    return found


@lru_cache(maxsize=len(CYCLES))
def cycle_parts(draft: Draft, name: str) -> tuple[str, list[Part]] | None:
    """Return the ranges of a cycle, and the cycle it really is: the one above by default.

    None if it is missing or not sound.
    """
    months = draft.data.get("months")
    if not isinstance(months, dict):
        return None
    if name != CYCLES[0] and name not in months:
        return cycle_parts(draft, CYCLES[CYCLES.index(name) - 1])
    if not draft.has("months", name):
        return None
    return name, _listed(draft, parts(draft.get("months", name), ("months", name), "months"))


def _listed(draft: Draft, found: list[Part]) -> list[Part]:
    """Return the ranges of a cycle, closed where the root was first and is last listed."""
    first, last = draft.get("months", "first"), draft.get("months", "last")
    if first is not None and found[0].start is None:
        found[0] = found[0]._replace(start=ContractMonth.parse(first))
    if last is not None and found[-1].until is None:
        found[-1] = found[-1]._replace(until=ContractMonth.parse(last))
    return found


@lru_cache(maxsize=2 * len(CYCLES))
def cycle(draft: Draft, name: str, *, masked: bool = True) -> Cycle | None:
    """Return a cycle less its skipped months, or None if it is not sound."""
    found = cycle_parts(draft, name)
    if not found:
        return None
    skip: set[ContractMonth] = set()
    if masked:
        by_name = skips(draft)
        for above in CYCLES[: CYCLES.index(name) + 1]:
            skip |= set(by_name[above])
    if not skip and (masked or found[0] != name):
        return cycle(draft, found[0], masked=False)
    first, last = found[1][0], found[1][-1]
    if first is last and first.start is None and first.until is None and not skip:
        return _constant(str(first.value))
    spans = ranged(found[1])
    if not spans:
        return None
    try:
        return Cycle(spans.map(lambda part: str(part.value)), frozenset(skip))
    except CycleError:
        return None


@lru_cache(maxsize=256)
def _constant(codes: str) -> Cycle | None:
    """Return the cycle of the same codes in all years, one for all roots that have it."""
    try:
        return Cycle.of(codes)
    except CycleError:
        return None


def cycles(draft: Draft) -> Iterator[tuple[str, list[Part]]]:
    """Yield the cycles that are written down and sound, with their ranges."""
    for name in CYCLES:
        found = cycle_parts(draft, name)
        if found and found[0] == name:
            yield found


def expected(value: str | dict[str, str]) -> dict[str, str]:
    """Return the expected dates of a month by name; a date alone is that of the last trade."""
    return {EVENTS[0]: value} if isinstance(value, str) else value


def clock_time(text: str) -> ClockTime:
    """Return the time and zone of a text such as ``14:30 America/New_York``."""
    clock, _, zone = text.partition(" ")
    return ClockTime(time(clock), zone)


def time(text: str) -> dt.time:
    """Return the time of a text such as ``14:30``."""
    return dt.time(int(text[:2]), int(text[3:5]))
