"""One order, as it is known so far: what the book keeps and what it shows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.ib.orders import Fill, OrderPhase, OrderView

if TYPE_CHECKING:
    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.messages.order import Order, OrderState

__all__ = ["Record", "is_buy"]

_ZERO: Final = Decimal(0)


def is_buy(side: str) -> bool:
    """Whether a side, `BUY` or `BOT`, is that of a buyer."""
    return side[:1] in {"B", "b"}


class Record:
    """One order, as it is known so far."""

    def __init__(
        self, key: int, client_id: int, order_id: int, contract: Contract, order: Order
    ) -> None:
        self.key = key
        self.client_id = client_id
        self.order_id = order_id
        self.perm_id = 0
        self.contract = contract
        self.order = order
        self.before: Order | None = None  # what a modification that is under way replaces
        self.phase = OrderPhase.SENT
        self.status = ""
        self.reported = _ZERO
        self.fills: dict[str, tuple[int, Fill]] = {}
        self.state: OrderState | None = None
        self.warnings: list[str] = []
        self.error = ""
        self.error_code = 0
        self.why_held = ""
        self.is_own = False
        self.cancel_asked = False
        self.heard: set[tuple[object, ...]] = set()

    @property
    def filled(self) -> Decimal:
        """How much of it is filled."""
        # A combination reports itself and its legs: itself counts here, the legs in positions.
        bag = self.contract.sec_type == "BAG"
        return sum(
            (
                fill.execution.shares
                for _, fill in self.fills.values()
                if (fill.contract.sec_type == "BAG") is bag
            ),
            _ZERO,
        )

    def view(self) -> OrderView:
        """Return it as it stands."""
        filled = self.filled
        fills = tuple(fill for _, fill in self.fills.values())
        value = sum(
            (fill.execution.shares * Decimal(repr(fill.execution.price)) for fill in fills
             if (fill.contract.sec_type == "BAG") is (self.contract.sec_type == "BAG")),
            _ZERO,
        )  # fmt: skip
        return OrderView(
            key=self.key, client_id=self.client_id, order_id=self.order_id, perm_id=self.perm_id,
            contract=self.contract, order=self.order, phase=self.phase, status=self.status,
            filled=filled, remaining=max(self.order.quantity - filled, _ZERO),
            average_price=float(value / filled) if filled else 0.0,
            fills=fills, state=self.state, warnings=tuple(self.warnings), error=self.error,
            error_code=self.error_code, why_held=self.why_held, is_own=self.is_own,
            reported=max(self.reported, filled),
        )  # fmt: skip

    def fits(self, contract: Contract | None, side: str, ref: str) -> bool:
        """Whether nothing contradicts that a message is about this order."""
        if ref and self.order.order_ref and ref != self.order.order_ref:
            return False
        if side and self.order.action and is_buy(side) != is_buy(self.order.action):
            return False
        if contract is None or self.contract.sec_type == "BAG":
            return True
        ours, theirs = self.contract.con_id, contract.con_id
        return not (ours and theirs and ours != theirs)
