"""A move: the one intent that takes a root's position from where it is to where it shall be.

It is written down before anything is sent, and each order of it carries its id, so that after any
stop the positions and the open orders say how far it came.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

__all__ = ["Ended", "Move", "MoveId", "MoveOrder", "OrderKind", "OrderRef", "State"]

#: Stands for a side of a move that has no month: opening and closing.
_FLAT: Final = "FLAT"
_STAMP: Final = "%Y%m%dT%H%M%S"
_ID: Final = re.compile(
    r"(?P<root>[A-Z0-9_]+)-(?P<source>[0-9A-Z]+)-(?P<target>[0-9A-Z]+)-(?P<stamp>\d{8}T\d{6})"
)
_REF: Final = re.compile(rf"(?P<move>{_ID.pattern})-(?P<kind>[SL])(?P<number>\d+)")


class OrderKind(StrEnum):
    """How an order of a move trades."""

    SPREAD = "spread"
    LEG = "leg"


class State(StrEnum):
    """What an order can still do."""

    IN_FLIGHT = "in_flight"  # sent, or asked to change or cancel: not answered yet
    WORKING = "working"
    DONE = "done"  # nothing more will fill


class Ended(StrEnum):
    """Why an order is done."""

    FILLED = "filled"
    EXHAUSTED = "exhausted"  # cancelled by us after its last step
    PAUSED = "paused"  # cancelled by us to go on later: end of the liquid hours, kill switch
    REFUSED = "refused"  # rejected, expired, or cancelled by somebody else


@dataclass(frozen=True, slots=True)
class MoveId:
    """Which move: ``ES-2026H-2026M-20260310T143000``, with FLAT for a side without a month.

    Parameters
    ----------
    root
        Root of the position.
    source, target
        Month left and month taken; None when opening or closing; the same month when resizing.
    created
        When it was decided, UTC, in whole seconds.
    """

    root: str
    source: ContractMonth | None
    target: ContractMonth | None
    created: dt.datetime

    def __str__(self) -> str:
        source, target = self.source or _FLAT, self.target or _FLAT
        return f"{self.root}-{source}-{target}-{self.created.strftime(_STAMP)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the id that a text names.

        Raises
        ------
        ValueError
            If it names none.
        """
        found = _ID.fullmatch(text)
        if found is None:
            raise ValueError(f"`{text}` is no id of a move, such as ES-2026H-2026M-20260310T143000")
        created = dt.datetime.strptime(found["stamp"], _STAMP).replace(tzinfo=dt.UTC)
        return cls(found["root"], _month(found["source"]), _month(found["target"]), created)


def _month(text: str) -> ContractMonth | None:
    return None if text == _FLAT else ContractMonth.parse(text)


@dataclass(frozen=True, slots=True)
class OrderRef:
    """What an order of a move is called at the broker: id of the move, kind, number.

    ``ES-2026H-2026M-20260310T143000-S1`` is the first spread order of the move,
    ``…-L2`` its second order, a leg.
    """

    move: MoveId
    kind: OrderKind
    number: int

    def __str__(self) -> str:
        return f"{self.move}-{self.kind.value[0].upper()}{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the reference in a text; None if it is of another's order."""
        found = _REF.fullmatch(text)
        if found is None:
            return None
        kind = OrderKind.SPREAD if found["kind"] == "S" else OrderKind.LEG
        return cls(MoveId.parse(found["move"]), kind, int(found["number"]))


@dataclass(frozen=True, slots=True)
class Move:
    """What the position shall be when the move is done.

    Parameters
    ----------
    id
        Which move.
    desired
        Signed quantity by month. Months that are not in it shall be flat.
    contracts
        Contract id of each month that it trades.
    deadline_ns
        When a position that is not moved is a fault; None if there is no such time.
    """

    id: MoveId
    desired: Mapping[ContractMonth, int]
    contracts: Mapping[ContractMonth, str] = field(default_factory=dict)
    deadline_ns: int | None = None

    def remaining(self, position: Mapping[ContractMonth, int]) -> dict[ContractMonth, int]:
        """Return what is to be traded yet: signed quantity by month, without zeros."""
        months = sorted({*self.desired, *position})
        left = {month: self.desired.get(month, 0) - position.get(month, 0) for month in months}
        return {month: quantity for month, quantity in left.items() if quantity}


@dataclass(frozen=True, slots=True)
class MoveOrder:
    """An order of a move, as far as is known.

    Parameters
    ----------
    ref
        What it is called.
    legs
        Signed quantity by month of the whole order.
    filled
        How much of it is filled, in units of the order (spreads or contracts).
    state
        What it can still do.
    sent_ns
        When it was sent or last re-priced.
    step
        Which step its price is, from 0.
    price
        Its limit, None for a market order.
    ended
        Why it is done; None while it is not.
    """

    ref: OrderRef
    legs: Mapping[ContractMonth, int]
    state: State
    sent_ns: int
    filled: int = 0
    step: int = 0
    price: Decimal | None = None
    ended: Ended | None = None
