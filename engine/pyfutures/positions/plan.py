"""What will roll in the next days, and with which orders."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.chain import RollCalendar
    from pyfutures.months import ContractMonth
    from pyfutures.positions.steps import MoveRules

__all__ = ["PlannedMove", "plan"]


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """A position that will be moved.

    Parameters
    ----------
    root
        Root of the position.
    source, target
        The month held, and the one that will be current when it is left.
    quantity
        Signed quantity held.
    day
        When it may move: the roll date, or today if that is past.
    deadline
        The day by which it must have moved.
    """

    root: str
    source: ContractMonth
    target: ContractMonth
    quantity: int
    day: dt.date
    deadline: dt.date

    def orders(self, rules: MoveRules) -> tuple[str, ...]:
        """Return the orders in words, in the order in which they are tried."""
        size = abs(self.quantity)
        leave, take = ("sell", "buy") if self.quantity > 0 else ("buy", "sell")
        legs = f"{leave} {size} {self.root} {self.source}, {take} {size} {self.root} {self.target}"
        if not rules.spread:
            return (f"{legs}: two market orders",)
        steps = f"{rules.steps} step{'s' * (rules.steps > 1)} of {rules.step_secs:g} s"
        return (f"{legs}: one calendar spread, limit in {steps}", "what remains: market orders")


def plan(
    calendars: Mapping[str, RollCalendar],
    positions: Mapping[str, Mapping[ContractMonth, int]],
    *,
    today: dt.date,
    days: int,
) -> tuple[PlannedMove, ...]:
    """Return the moves of the next days by the calendar, the first one first.

    A position is moved once, to the month that is current on the day of its move, however many
    rolls it has missed. When prices let the series roll is not known here: it may be some days
    later.

    Parameters
    ----------
    calendars
        Roll calendar by root.
    positions
        Signed quantity by root and month.
    today
        The first day of the plan.
    days
        Its length; 0 is today alone.

    Raises
    ------
    RollCalendarError
        If a held month is not in the hold cycle of its root.
    """
    last = today + dt.timedelta(days=days)
    moves = []
    for root, held in positions.items():
        calendar = calendars[root]
        for month, quantity in sorted(held.items()):
            row = calendar.row(month)
            if not quantity or row.roll_date > last or row.forward is None:
                continue
            day = max(row.roll_date, today)
            target = row.forward
            while (ahead := calendar.row(target)).roll_date <= day and ahead.forward is not None:
                target = ahead.forward
            moves.append(PlannedMove(root, month, target, quantity, day, row.deadline))
    return tuple(sorted(moves, key=lambda move: (move.day, move.root, move.source)))
