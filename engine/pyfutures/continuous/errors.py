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


class RollPriceError(RollMissedError):
    """A roll was due, a price for it was missing, and a missing price was to be an error.

    Attributes
    ----------
    ts
        The timestamp at which the roll was due.

    """

    def __init__(  # noqa: PLR0913 - as of a missed roll, and the time
        self,
        root: str,
        row: RollRow,
        *,
        ts: int,
        current: Bar | None,
        forward: Bar | None,
        events: tuple[Event, ...] = (),
    ) -> None:
        super().__init__(root, row, current=current, forward=forward, events=events)
        self.ts = ts

    def __str__(self) -> str:
        row = self.row
        absent = [
            f"{month} has no {'bar' if bar is None else 'close'}"
            for month, bar in ((row.month, self.current), (row.forward, self.forward))
            if bar is None or bar.close is None
        ]
        return (
            f"{self.root}: {row.month} is to roll into {row.forward} at {instant(self.ts)}, but "
            f"{' and '.join(absent)} there; bring it, or let a missing price `wait` or `infer`"
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
