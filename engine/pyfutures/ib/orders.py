"""Where each order stands: a table, fed with what the gateway says in whatever order.

Theory of operation. What is true of an order comes from three sides, and no side is complete. Fills
come from executions only, each by its id, once; statuses and errors move the phase along the table
below; a status may come twice, late, or not at all. A phase never says how much is filled, so a
fill never moves an order back. A final phase stays, with three exceptions that gateways force on
us: what was cancelled or rejected is filled if its fills add up to the order; what was believed
rejected or lost lives if the gateway says so in a new status; what is filled stays filled.

    phase        nothing is heard yet: sent; then pending, working, held (`Inactive`, which need
                 not be the end), cancelling; in the end filled, cancelled, rejected, or lost (the
                 gateway knows nothing of it after a reconnect)

An order is known by its `perm_id`, once that is told. An order id is unique only for a client id
and until the gateway's counter starts over, so it finds an order only as long as nothing
contradicts: another `perm_id`, reference, contract or side is another order.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from decimal import Decimal

    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.messages.executions import CommissionReport, Execution
    from pyfutures.ib.messages.order import Order, OrderState

__all__ = [
    "FINAL_PHASES",
    "STATUSES",
    "TRANSITIONS",
    "Fill",
    "OrderEvent",
    "OrderEventKind",
    "OrderPhase",
    "OrderView",
    "Signal",
    "split_exec_id",
]


class OrderPhase(StrEnum):
    """Where an order stands."""

    SENT = "sent"
    PENDING = "pending"
    WORKING = "working"
    HELD = "held"
    CANCELLING = "cancelling"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        """Whether the order is over, as far as we know."""
        return self in FINAL_PHASES


class Signal(StrEnum):
    """What moves an order."""

    PENDING = "pending"
    WORKING = "working"
    HELD = "held"
    CANCELLING = "cancelling"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    MISSING = "missing"  # asked for open orders, the gateway does not name it
    ALIVE = "alive"  # asked for open orders, the gateway does


_P, _S = OrderPhase, Signal
FINAL_PHASES: Final = frozenset({_P.FILLED, _P.CANCELLED, _P.REJECTED, _P.LOST})

#: What the gateway's words mean.
STATUSES: Final = {
    "ApiPending": _S.PENDING,
    "PendingSubmit": _S.PENDING,
    "PreSubmitted": _S.WORKING,
    "Submitted": _S.WORKING,
    "PendingCancel": _S.CANCELLING,
    "Cancelled": _S.CANCELLED,
    "ApiCancelled": _S.CANCELLED,
    "Filled": _S.FILLED,
    "Inactive": _S.HELD,
}

_END: Final = {
    _S.FILLED: _P.FILLED,
    _S.CANCELLED: _P.CANCELLED,
    _S.REJECTED: _P.REJECTED,
    _S.MISSING: _P.LOST,
}
#: From a phase, by a signal, to a phase. What is not here changes nothing.
TRANSITIONS: Final = {
    _P.SENT: {
        **_END,
        _S.PENDING: _P.PENDING,
        _S.WORKING: _P.WORKING,
        _S.ALIVE: _P.WORKING,
        _S.HELD: _P.HELD,
        _S.CANCELLING: _P.CANCELLING,
    },
    _P.PENDING: {
        **_END,
        _S.WORKING: _P.WORKING,
        _S.HELD: _P.HELD,
        _S.CANCELLING: _P.CANCELLING,
    },
    _P.WORKING: {**_END, _S.HELD: _P.HELD, _S.CANCELLING: _P.CANCELLING},
    _P.HELD: {**_END, _S.WORKING: _P.WORKING, _S.CANCELLING: _P.CANCELLING},
    # An echo of "Submitted" does not take a cancellation back; an answer to "what is open" does.
    _P.CANCELLING: {**_END, _S.ALIVE: _P.WORKING},
    _P.FILLED: {},
    _P.CANCELLED: {_S.FILLED: _P.FILLED},
    _P.REJECTED: {
        _S.FILLED: _P.FILLED,
        _S.CANCELLED: _P.CANCELLED,
        _S.WORKING: _P.WORKING,
        _S.ALIVE: _P.WORKING,
    },
    _P.LOST: {
        _S.FILLED: _P.FILLED,
        _S.CANCELLED: _P.CANCELLED,
        _S.REJECTED: _P.REJECTED,
        _S.WORKING: _P.WORKING,
        _S.HELD: _P.HELD,
        _S.CANCELLING: _P.CANCELLING,
        _S.ALIVE: _P.WORKING,
    },
}  # fmt: skip


class OrderEventKind(StrEnum):
    """What happened to an order."""

    PHASE = "phase"  # it moved
    ACCEPTED = "accepted"  # the gateway's view of it (prices, quantity) is new
    FILL = "fill"
    CORRECTION = "correction"  # a fill was replaced
    COMMISSION = "commission"  # a fill's commission is known, or is another
    WARNING = "warning"
    REFUSED = "refused"  # a modification or a cancellation; the order lives on as it was


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution, with its commission once that is known."""

    order_id: int
    contract: Contract
    execution: Execution
    commission: CommissionReport | None = None

    @property
    def signed(self) -> Decimal:
        """The quantity, negative for a sale."""
        shares = self.execution.shares
        return shares if self.execution.side.upper().startswith("B") else -shares


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as it stands. `key` is ours, and the same for the life of the client.

    `filled` is what the executions that were heard add up to; `reported` is what the gateway says
    is filled, executions of earlier days included, which it tells no more.
    """

    key: int
    client_id: int
    order_id: int
    perm_id: int
    contract: Contract
    order: Order
    phase: OrderPhase
    status: str
    filled: Decimal
    remaining: Decimal
    average_price: float
    fills: tuple[Fill, ...]
    state: OrderState | None
    warnings: tuple[str, ...]
    error: str
    error_code: int
    why_held: str
    is_own: bool
    reported: Decimal

    @property
    def is_final(self) -> bool:
        """Whether the order is over, as far as we know."""
        return self.phase in FINAL_PHASES

    @property
    def lacks_commission(self) -> bool:
        """Whether a fill has no commission yet."""
        return any(fill.commission is None for fill in self.fills)


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something that happened to an order, and the order after it."""

    kind: OrderEventKind
    order: OrderView
    fill: Fill | None = None
    text: str = ""
    code: int = 0


def split_exec_id(exec_id: str) -> tuple[str, int]:
    """Return what corrections of a fill have in common, and the number of the correction.

    Ids have four dotted parts; a correction raises the last. Ids of another form are never
    corrected.
    """
    head, _, last = exec_id.rpartition(".")
    if head.count(".") >= 2 and last.isdecimal():
        return head, int(last)
    return exec_id, 0
