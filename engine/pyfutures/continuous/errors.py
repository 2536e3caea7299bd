"""What can go wrong with a series, beyond its bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.continuous.bars import instant

if TYPE_CHECKING:
    from pyfutures.chain.rolls import RollRow
    from pyfutures.continuous.bars import Bar, Event
    from pyfutures.months import ContractMonth


class RollMissedError(Exception):
    """A series was not rolled before its deadline.

    Attributes
    ----------
    root, row
        The series, and the row of the month that should have been left.
    current, forward
        The last bar seen of the month and of its forward; None if there was none.
    events
        What the same call of `feed` had closed before; it is nowhere else.

    """

    def __init__(
        self,
        root: str,
        row: RollRow,
        *,
        current: Bar | None,
        forward: Bar | None,
        events: tuple[Event, ...] = (),
    ) -> None:
        self.root = root
        self.row = row
        self.current = current
        self.forward = forward
        self.events = events
        super().__init__(root, row)

    def __str__(self) -> str:
        row = self.row
        return (
            f"{self.root}: {row.month} was not rolled into {row.forward or 'any month'} between "
            f"its roll date {row.roll_date} and its deadline {row.deadline}: no timestamp with a "
            f"close of both; last bar of {_seen(row.month, self.current)}, of "
            f"{_seen(row.forward, self.forward)}; bring bars of both, or let the series end with "
            f"{row.month}{f', or start with {row.forward}' if row.forward else ''}"
        )


def _seen(month: ContractMonth | None, bar: Bar | None) -> str:
    if month is None:
        return "a forward month there is none in the roll calendar"
    if bar is None:
        return f"{month} never"
    return f"{month} {instant(bar.ts)}{' without a close' if bar.close is None else ''}"


class RollWindowError(ValueError):
    """The roll window of a month is empty, so that no roll could ever be made in it."""


class StateError(ValueError):
    """A stored state does not belong to the roll calendar it is to be resumed with."""
