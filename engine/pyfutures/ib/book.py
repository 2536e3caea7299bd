"""The book of all orders: from what the gateway says to events; the law is in `orders.py`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.ib.codes import CODES, Reaction
from pyfutures.ib.messages.contracts import Contract
from pyfutures.ib.messages.executions import CommissionReport, ExecutionDetails
from pyfutures.ib.messages.order import Order
from pyfutures.ib.messages.orders import CompletedOrder, OpenOrder, OrderBound, OrderStatus
from pyfutures.ib.orders import (
    STATUSES,
    TRANSITIONS,
    Fill,
    OrderEvent,
    OrderEventKind,
    OrderPhase,
    Signal,
    split_exec_id,
)
from pyfutures.ib.record import Record, is_buy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pyfutures.ib.messages.base import Response
    from pyfutures.ib.messages.session import ErrorMessage
    from pyfutures.ib.orders import OrderView

__all__ = ["OrderBook"]

_ZERO: Final = Decimal(0)
_UNANSWERED: Final = frozenset({Reaction.WARN, Reaction.IGNORE})
_OF_CANCELS: Final = frozenset({135, 136, 161, 10147, 10148})


class OrderBook:
    """All orders that were placed here or heard of.

    Parameters
    ----------
    client_id
        Our client id: order ids are ours with it only.

    """

    def __init__(self, client_id: int) -> None:
        self.client_id = client_id
        self._records: dict[int, Record] = {}
        self._by_perm: dict[int, Record] = {}
        self._by_order: dict[tuple[int, int], Record] = {}
        self._of_exec: dict[str, Record] = {}
        self._commissions: dict[str, tuple[int, CommissionReport]] = {}
        self.highest_order_id = 0

    def __iter__(self) -> Iterator[OrderView]:
        """Iterate over all orders."""
        return iter([record.view() for record in self._records.values()])

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._records)

    def view(self, key: int) -> OrderView:
        """Return an order by our key.

        Raises
        ------
        KeyError
            For a key that is none.

        """
        return self._records[key].view()

    def find(self, order_id: int) -> OrderView | None:
        """Return the latest of our orders with an order id."""
        record = self._by_order.get((self.client_id, order_id))
        return None if record is None else record.view()

    def positions(self) -> dict[tuple[str, int], Decimal]:
        """Return what the executions that were heard add up to, by account and contract id."""
        found: dict[tuple[str, int], Decimal] = {}
        for record in self._records.values():
            for _, fill in record.fills.values():
                if fill.contract.sec_type != "BAG":
                    key = (fill.execution.account, fill.contract.con_id)
                    found[key] = found.get(key, _ZERO) + fill.signed
        return {key: total for key, total in found.items() if total}

    # What we do.

    def place(self, order_id: int, contract: Contract, order: Order) -> OrderView:
        """Take note of an order that is being sent."""
        record = self._new(self.client_id, order_id, contract, order)
        record.is_own = True
        self._by_order[self.client_id, order_id] = record
        return record.view()

    def modify(self, key: int, order: Order) -> OrderView:
        """Take note of a modification that is being sent."""
        record = self._records[key]
        record.before = record.before or record.order
        record.order = order
        return record.view()

    def cancel(self, key: int) -> None:
        """Take note of a cancellation that is being sent."""
        self._records[key].cancel_asked = True

    def is_asking(self, key: int) -> bool:
        """Whether a modification or a cancellation is under way."""
        record = self._records[key]
        return record.before is not None or record.cancel_asked

    def asking(self) -> frozenset[int]:
        """Return the orders of which a modification or a cancellation is under way."""
        return frozenset(key for key in self._records if self.is_asking(key))

    def _new(self, client_id: int, order_id: int, contract: Contract, order: Order) -> Record:
        record = Record(len(self._records) + 1, client_id, order_id, contract, order)
        self._records[record.key] = record
        if client_id == self.client_id:
            self.highest_order_id = max(self.highest_order_id, order_id)
        return record

    # What the gateway says.

    def hear(self, message: Response) -> list[OrderEvent]:
        """Take a message; return what it changes."""
        if isinstance(message, OrderStatus):
            return self._status(message)
        if isinstance(message, ExecutionDetails):
            return self._execution(message)
        if isinstance(message, CommissionReport):
            return self._commission(message)
        if isinstance(message, OpenOrder):
            return self._open(message)
        if isinstance(message, CompletedOrder):
            return self._completed(message)
        if isinstance(message, OrderBound):
            record = self._by_perm.get(message.perm_id)
            if record is not None:
                record.order_id, record.client_id = message.order_id, message.client_id
                self._by_order[message.client_id, message.order_id] = record
        return []

    def _find(  # noqa: PLR0913
        self,
        perm_id: int,
        client_id: int,
        order_id: int,
        *,
        contract: Contract | None = None,
        side: str = "",
        ref: str = "",
    ) -> Record:
        record = self._by_perm.get(perm_id) if perm_id else None
        if record is not None:
            return record
        record = self._by_order.get((client_id, order_id)) if order_id else None
        if record is not None and (
            (perm_id and record.perm_id) or not record.fits(contract, side, ref)
        ):
            record = None  # the id is used twice: another order
        if record is None:
            order = Order(
                action="BUY" if is_buy(side) else "SELL" if side else "",
                order_ref=ref, client_id=client_id, perm_id=perm_id,
            )  # fmt: skip
            record = self._new(client_id, order_id, contract or Contract(), order)
            other = self._by_order.get((client_id, order_id))
            if order_id and (other is None or other.phase.is_final):
                self._by_order[client_id, order_id] = record
        if perm_id:
            record.perm_id = perm_id
            self._by_perm[perm_id] = record
        return record

    def _status(self, message: OrderStatus) -> list[OrderEvent]:
        record = self._find(message.perm_id, message.client_id, message.order_id)
        said = (
            message.status, message.filled, message.remaining, message.average_price,
            message.why_held,
        )  # fmt: skip
        is_new = said not in record.heard
        record.heard.add(said)
        record.why_held = message.why_held
        record.reported = max(record.reported, message.filled)
        return self._said(record, message.status, is_new=is_new)

    def _open(self, message: OpenOrder, *, is_answer: bool = False) -> list[OrderEvent]:
        order = message.order
        record = self._find(
            order.perm_id, order.client_id, message.order_id,
            contract=message.contract, side=order.action, ref=order.order_ref,
        )  # fmt: skip
        events: list[OrderEvent] = []
        record.state = message.state
        changed = _differ(record.order, order)
        if record.before is None or not changed:
            # A modification that is under way is not undone by an echo of what was before.
            record.contract = _named(record.contract, message.contract)
            is_confirmed = record.before is not None
            record.order = order
            record.before = None
            if changed or is_confirmed:
                events.append(OrderEvent(OrderEventKind.ACCEPTED, record.view()))
        if message.state.reject_reason:
            record.error = record.error or message.state.reject_reason
        if is_answer and record.phase in {
            OrderPhase.REJECTED, OrderPhase.LOST, OrderPhase.CANCELLING
        } and STATUSES.get(message.state.status) in {Signal.WORKING, Signal.PENDING}:  # fmt: skip
            events += self._move(record, Signal.ALIVE)
        events += self._said(record, message.state.status, is_new=False)
        return events + self._move_if_complete(record)

    def _said(self, record: Record, status: str, *, is_new: bool) -> list[OrderEvent]:
        signal = STATUSES.get(status)
        if signal is None:
            return []
        if record.phase is OrderPhase.REJECTED and signal is Signal.WORKING and not is_new:
            return []  # an echo from before the rejection
        if signal in TRANSITIONS[record.phase] or not record.phase.is_final:
            record.status = status
        return self._move(record, signal)

    def _move(self, record: Record, signal: Signal) -> list[OrderEvent]:
        phase = TRANSITIONS[record.phase].get(signal)
        if phase is None or phase is record.phase:
            return []
        record.phase = phase
        if phase.is_final:
            record.before = None
        return [OrderEvent(OrderEventKind.PHASE, record.view(), text=record.error)]

    def _execution(self, message: ExecutionDetails) -> list[OrderEvent]:
        execution = message.execution
        base, number = split_exec_id(execution.exec_id)
        record = self._of_exec.get(base)
        if record is None:
            record = self._find(
                execution.perm_id, execution.client_id, message.order_id,
                contract=None if message.contract.sec_type == "BAG" else message.contract,
                side="" if message.contract.sec_type == "BAG" else execution.side,
                ref=execution.order_ref,
            )  # fmt: skip
            self._of_exec[base] = record
        known = record.fills.get(base)
        if known is not None and known[0] >= number:
            return []
        report = self._commissions.get(base)
        fill = Fill(
            message.order_id,
            message.contract,
            execution,
            report[1] if report is not None and report[0] >= number else None,
        )
        record.fills[base] = (number, fill)
        if not record.contract.con_id and record.contract.sec_type != "BAG":
            record.contract = _named(record.contract, message.contract)
        kind = OrderEventKind.FILL if known is None else OrderEventKind.CORRECTION
        events = self._move_if_complete(record)
        return [OrderEvent(kind, record.view(), fill), *events]

    def _move_if_complete(self, record: Record) -> list[OrderEvent]:
        quantity = record.order.quantity
        if record.before is not None:
            quantity = max(quantity, record.before.quantity)
        if quantity > 0 and record.filled >= quantity:
            return self._move(record, Signal.FILLED)
        return []

    def _commission(self, message: CommissionReport) -> list[OrderEvent]:
        base, number = split_exec_id(message.exec_id)
        known = self._commissions.get(base)
        if known is not None and (known[0] > number or known[1] == message):
            return []
        self._commissions[base] = (number, message)
        record = self._of_exec.get(base)
        if record is None or record.fills[base][0] > number:
            return []
        fill = replace(record.fills[base][1], commission=message)
        record.fills[base] = (record.fills[base][0], fill)
        return [OrderEvent(OrderEventKind.COMMISSION, record.view(), fill)]

    def _completed(self, message: CompletedOrder) -> list[OrderEvent]:
        order = message.order
        record = self._by_perm.get(order.perm_id)
        if record is None and order.order_ref:
            record = next(
                (
                    found
                    for found in self._records.values()
                    if found.is_own and not found.perm_id and found.order.order_ref
                    and found.fits(message.contract, order.action, order.order_ref)
                ),
                None,
            )  # fmt: skip
            if record is not None and order.perm_id:
                record.perm_id = order.perm_id
                self._by_perm[order.perm_id] = record
        if record is None:
            return []
        status = message.state.status or message.state.completed_status.split(" ", 1)[0]
        return self._said(record, status, is_new=False)

    # What the gateway complains about.

    def refuse(self, error: ErrorMessage, reaction: Reaction) -> list[OrderEvent]:
        """Take an error, or a notice, about one of our orders; return what it changes."""
        record = self._by_order.get((self.client_id, error.request_id))
        if record is None:
            return []
        text, code = error.text, error.code
        if reaction in _UNANSWERED or code not in CODES:
            # A code that nobody has listed must not kill an order that may live.
            return self._note(record, OrderEventKind.WARNING, text, code)
        if reaction is Reaction.CANCELLED:
            record.error, record.error_code = text, code
            return self._move(record, Signal.CANCELLED)
        if code in _OF_CANCELS:
            record.cancel_asked = False
            return self._note(record, OrderEventKind.REFUSED, text, code)
        if record.before is not None:
            # The modification is refused; the order is what it was before.
            record.order, record.before = record.before, None
            return self._note(record, OrderEventKind.REFUSED, text, code)
        if code == 103 and record.phase is not OrderPhase.SENT:
            return self._note(record, OrderEventKind.WARNING, text, code)
        if reaction in {Reaction.REJECT, Reaction.FAIL}:
            if record.phase.is_final:
                return self._note(record, OrderEventKind.WARNING, text, code)
            record.error, record.error_code = text, code
            return self._move(record, Signal.REJECTED)
        return self._note(record, OrderEventKind.WARNING, text, code)

    def _note(self, record: Record, kind: OrderEventKind, text: str, code: int) -> list[OrderEvent]:
        record.warnings.append(f"{code}: {text}")
        return [OrderEvent(kind, record.view(), text=text, code=code)]

    def reconcile(
        self,
        answer: Collection[OpenOrder],
        *,
        placed_up_to: int,
        asked: Collection[int] = (),
    ) -> list[OrderEvent]:
        """Take the answer to "which of my orders are open"; return what it changes.

        Parameters
        ----------
        answer
            The open orders of our client id, completed orders and executions having been heard.
        placed_up_to
            Our key of the last order that was placed when the gateway was asked.
        asked
            The orders of which something was under way then, by `asking`: what the answer does
            not show got lost on its way.

        """
        events: list[OrderEvent] = []
        named: set[int] = set()
        for message in answer:
            events += self._open(message, is_answer=True)
            order = message.order
            named.add(self._find(order.perm_id, order.client_id, message.order_id).key)
        for record in tuple(self._records.values()):
            if (
                record.client_id == self.client_id
                and record.key <= placed_up_to
                and record.key not in named
                and not record.phase.is_final
                and record.phase is not OrderPhase.HELD  # rejected ones are not named either
                and record.status != "Filled"
            ):
                if not record.is_own and record.phase is OrderPhase.SENT:
                    continue  # heard of by its executions only
                events += self._move(record, Signal.MISSING)
        shown = {(each.order.client_id, each.order_id): each.order for each in answer}
        for key in named.intersection(asked):
            record = self._records[key]
            theirs = shown.get((record.client_id, record.order_id))
            if theirs is not None and not record.phase.is_final:
                events += self._unheard(record, theirs)
        return events

    def _unheard(self, record: Record, order: Order) -> list[OrderEvent]:
        """Take back what was asked of an order if the gateway shows nothing of it."""
        events: list[OrderEvent] = []
        if record.before is not None and not _differ(record.before, order):
            record.order, record.before = order, None
            text = "the gateway did not hear of the modification"
            events += self._note(record, OrderEventKind.REFUSED, text, 0)
        if record.cancel_asked and record.phase is not OrderPhase.CANCELLING:
            record.cancel_asked = False
            text = "the gateway did not hear of the cancellation"
            events += self._note(record, OrderEventKind.REFUSED, text, 0)
        return events


def _differ(ours: Order, theirs: Order) -> bool:
    """Whether two orders differ in what a trader means by one."""
    return (
        ours.action, ours.quantity, ours.type, _price(ours.limit_price), _price(ours.aux_price),
    ) != (
        theirs.action, theirs.quantity, theirs.type, _price(theirs.limit_price),
        _price(theirs.aux_price),
    )  # fmt: skip


def _price(price: float | None) -> float:
    # Gateways say 0.0 for a price that was not said.
    return price or 0.0


def _named(ours: Contract, theirs: Contract) -> Contract:
    """Return the better named of two contracts."""
    return ours if ours.con_id and not theirs.con_id else theirs
