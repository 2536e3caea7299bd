"""What happens when: the dates of many roots as one list, and who is held from when to when.

A day that is not known is in no list; `Agenda.unknown` counts such months, so that nobody takes an
empty calendar for a quiet year.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from pyfutures.calendars import NAT, day_number
from pyfutures.chain.errors import ChainError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from pyfutures.chain.chain import Chain, ChainRow
    from pyfutures.months import ContractMonth

__all__ = ["Agenda", "Happening", "HoldSegment", "What", "agenda", "hold_segments"]


class What(StrEnum):
    """What happens on a day, in the order in which it happens to a contract."""

    ROLL = "roll"
    DEADLINE = "deadline"
    FIRST_NOTICE = "first_notice"
    LAST_TRADE = "last_trade"
    EXPIRY = "expiry"

    @property
    def words(self) -> str:
        """The name for people, ``first notice``."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happens to a contract month on a day.

    Of a roll `until` is the deadline: the window ends before it. `at` is the instant of a last
    trade where it is known.
    """

    day: dt.date
    root: str
    month: ContractMonth
    what: What
    is_held: bool
    is_projected: bool
    until: dt.date | None = None
    at: dt.datetime | None = None
    forward: ContractMonth | None = None

    @property
    def words(self) -> str:
        """One line, ``CL 2026Z last trade``; a roll says where to."""
        target = f" to {self.forward}" if self.what is What.ROLL and self.forward else ""
        return f"{self.root} {self.month} {self.what.words}{target}"


@dataclass(frozen=True, slots=True)
class Agenda:
    """The happenings of a span in order of days; listed months without a last trade by root."""

    first: dt.date
    last: dt.date
    happenings: tuple[Happening, ...]
    unknown: dict[str, int]


@dataclass(frozen=True, slots=True)
class HoldSegment:
    """When a month is held by rule: from the roll into it to the roll out of it.

    `start` is None for the first month whose dates are known. The roll window out of it ends before
    `deadline`.
    """

    month: ContractMonth
    start: dt.date | None
    roll_date: dt.date
    deadline: dt.date


def agenda(
    chains: Iterable[Chain], first: dt.date, last: dt.date, *, all_months: bool = False
) -> Agenda:
    """What happens to some roots between two days, both included.

    Parameters
    ----------
    chains
        The roots.
    first, last
        The span.
    all_months
        Of all listed months; by default only of those that are held.
    """
    found: list[Happening] = []
    unknown: dict[str, int] = {}
    for chain in chains:
        forwards = {segment.month: other for segment, other in _pairs(chain)}
        for row in _near(chain, first, last, all_months=all_months):
            if row.last_trade is None:
                if first <= row.month.first_day <= last:
                    unknown[chain.root] = unknown.get(chain.root, 0) + 1
                continue
            events = _of_row(chain, row, forwards.get(row.month))
            found += (item for item in events if first <= item.day <= last)
    order = list(What)
    found.sort(key=lambda item: (item.day, item.root, item.month, order.index(item.what)))
    return Agenda(first, last, tuple(found), unknown)


def hold_segments(chain: Chain) -> tuple[HoldSegment, ...]:
    """Who is held when, by rule; empty for a root without a roll or without known dates."""
    try:
        rows = chain.rolls.rows
    except ChainError:
        return ()
    return tuple(
        HoldSegment(row.month, before.roll_date if before else None, row.roll_date, row.deadline)
        for before, row in zip((None, *rows), rows, strict=False)
    )


def _near(chain: Chain, first: dt.date, last: dt.date, *, all_months: bool) -> Iterator[ChainRow]:
    """Yield the months with a date in the span, and those in it whose last trade is not known."""
    table = chain.table
    columns = [table.last_trade.days, table.expiry.days, chain.roll_days, chain.deadline_days]
    if table.first_notice is not None:
        columns.append(table.first_notice.days)
    low, high = day_number(first), day_number(last)
    days = np.stack(columns)
    near = ((days >= low) & (days <= high)).any(axis=0) | (table.last_trade.days == NAT)
    for place in np.flatnonzero(near & (table.hold | all_months)).tolist():
        yield chain.row(chain.months[place])


def _pairs(chain: Chain) -> Iterator[tuple[HoldSegment, ContractMonth | None]]:
    segments = hold_segments(chain)
    for segment, after in zip(segments, (*segments, None)[1:], strict=True):
        yield segment, after.month if after else None


def _of_row(chain: Chain, row: ChainRow, forward: ContractMonth | None) -> Iterator[Happening]:
    projected = row.status == "projected"

    def one(
        what: What,
        day: dt.date,
        *,
        until: dt.date | None = None,
        at: dt.datetime | None = None,
    ) -> Happening:
        to = forward if what is What.ROLL else None
        return Happening(
            day, row.root, row.month, what, row.hold, projected, until=until, at=at, forward=to
        )

    if row.roll_date and row.deadline:
        yield one(What.ROLL, row.roll_date, until=row.deadline)
        if row.deadline not in {row.last_trade, row.first_notice}:
            yield one(What.DEADLINE, row.deadline)
    if row.first_notice:
        yield one(What.FIRST_NOTICE, row.first_notice)
    if row.last_trade:
        yield one(What.LAST_TRADE, row.last_trade, at=row.last_trade_utc)
    if row.expiry and chain.spec.expiry is not None and row.expiry != row.last_trade:
        yield one(What.EXPIRY, row.expiry)
