"""Orders through a gateway: sent, changed, taken back, and never believed dead without a word."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pyfutures.ib.answers import Many
from pyfutures.ib.desk import OrderDesk
from pyfutures.ib.failures import OrderRefusedError
from pyfutures.ib.messages.orders import (
    CancelOrder,
    GlobalCancel,
    OpenOrder,
    PlaceOrder,
    RequestAutoOpenOrders,
)
from pyfutures.ib.order_forms import as_bracket
from pyfutures.ib.orders import OrderPhase, OrderView

if TYPE_CHECKING:
    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.messages.order import Order, OrderState

__all__ = ["Orders", "Ticket"]

_LOG: Final = logging.getLogger("pyfutures.ib")
_ASK_AGAIN: Final = frozenset({135, 201, 10147, 10148})


class Ticket:
    """An order that was placed here: what to hold on to.

    Parameters
    ----------
    orders
        Where it was placed.
    key
        The order's key in the book.

    """

    def __init__(self, orders: Orders, key: int) -> None:
        self._orders = orders
        self.key = key

    def __repr__(self) -> str:
        view = self.view
        return f"<order {view.order_id}: {view.phase}, {view.filled} filled>"

    @property
    def view(self) -> OrderView:
        """The order as it stands."""
        return self._orders.book.view(self.key)

    async def acknowledged(self, deadline: float | None = None) -> OrderView:
        """Return the order once the gateway has said anything about it.

        Raises
        ------
        OrderRefusedError
            When it was rejected.
        TimeoutError
            When nothing is heard in time; the order may live.

        """
        view = await self._orders.wait(
            self.key, lambda view: view.phase is not OrderPhase.SENT or bool(view.fills), deadline
        )
        if view.phase is OrderPhase.REJECTED:
            raise OrderRefusedError(
                f"order {view.order_id}", view.error or view.status, code=view.error_code
            )
        return view

    async def done(self, deadline: float | None = None) -> OrderView:
        """Return the order once it is over: filled, cancelled, rejected or lost.

        Raises
        ------
        TimeoutError
            When it is not over in time.

        """
        return await self._orders.wait(self.key, lambda view: view.is_final, deadline)

    def modify(self, order: Order) -> None:
        """Send it anew; see `Orders.modify`."""
        self._orders.modify(self.key, order)

    def cancel(self) -> None:
        """Take it back; see `Orders.cancel`."""
        self._orders.cancel(self.key)


class Orders(OrderDesk):
    """Orders, executions and what they add up to. Part of `Client`.

    `book` has all orders that were placed here or heard of, also those of earlier sessions of this
    client id, which can be modified and cancelled by their `key`.
    """

    def new_id(self) -> int:
        """Return an order id that no order has, as far as the gateway and the book know."""
        found = max(self._next_id, self.book.highest_order_id + 1)
        self._next_id = found + 1
        return found

    def place(self, contract: Contract, order: Order) -> Ticket:
        """Send an order and return its ticket at once; what becomes of it is an event.

        Raises
        ------
        EncodeError
            For a value that cannot be said.
        NotConnectedError
            When there is no session, or the gateway has lost IB: nothing was sent.

        """
        return self._place(self._ready(contract), contract, order)

    def place_bracket(
        self, contract: Contract, parent: Order, *children: Order
    ) -> tuple[Ticket, ...]:
        """Send a parent and its children, which go live together; return their tickets.

        Raises
        ------
        NotConnectedError
            When there is no session, or the gateway has lost IB: nothing was sent.
        ValueError
            For no children.

        """
        first = self._ready(contract)
        ids = [first, *(self.new_id() for _ in children)]
        orders = as_bracket((parent, *children), ids)
        return tuple(
            self._place(order_id, contract, order)
            for order_id, order in zip(ids, orders, strict=True)
        )

    def _ready(self, contract: Contract) -> int:
        self._requests.check(f"order for {contract.local_symbol or contract.symbol}")
        self.is_active = True
        return self.new_id()

    def _place(self, order_id: int, contract: Contract, order: Order) -> Ticket:
        if order.quantity <= 0 or not order.action:
            raise OrderRefusedError(
                "order", f"{order.action or 'no action'} {order.quantity}: say which way, how many"
            )
        self._outbox.put(PlaceOrder(order_id, contract, order))
        view = self.book.place(order_id, contract, order)
        self.later(view.key, self._config.order_deadline, lambda: self.check(view.key))
        return Ticket(self, view.key)

    def modify(self, key: int, order: Order) -> None:
        """Send an order anew, with other prices, quantity or conditions.

        A refusal is an event; the order lives on as it was.

        Parameters
        ----------
        key
            The order, by its key in the book.
        order
            What it is to be.

        Raises
        ------
        NotConnectedError
            When there is no session, or the gateway has lost IB: a change now could become a second
            order.
        OrderRefusedError
            When the order is over, or belongs to another client.

        """
        view = self.book.view(key)
        what = f"modification of order {view.order_id}"
        self._requests.check(what)
        self._mine(what, view)
        changed = replace(order, parent_id=order.parent_id or view.order.parent_id)
        self._outbox.put(PlaceOrder(view.order_id, view.contract, changed))
        self.book.modify(key, changed)
        self.later(key, self._config.order_deadline, lambda: self.check(key))

    def cancel(self, key: int) -> None:
        """Take an order back; whether that comes in time is an event.

        It is sent while the gateway has lost IB, too: it will hold it.

        Raises
        ------
        NotConnectedError
            When there is no session.
        OrderRefusedError
            When the order is over, or belongs to another client.

        """
        view = self.book.view(key)
        what = f"cancellation of order {view.order_id}"
        if not self._outbox.is_open:
            self._requests.check(what)
        self._mine(what, view)
        self._outbox.put(CancelOrder(view.order_id))
        self.book.cancel(key)
        self.later(key, self._config.order_deadline, lambda: self.check(key))

    def cancel_all(self) -> None:
        """Cancel all orders of the login, whoever placed them.

        Raises
        ------
        NotConnectedError
            When there is no session.

        """
        self._requests.check("cancellation of all orders")
        self._outbox.put(GlobalCancel())

    def _mine(self, what: str, view: OrderView) -> None:
        if view.is_final:
            raise OrderRefusedError(what, f"it is {view.phase}")
        if view.client_id != self._config.client_id or view.order_id == 0:
            raise OrderRefusedError(
                what,
                f"it belongs to client id {view.client_id}, this is {self._config.client_id}; "
                "orders made by hand can be bound to client id 0",
            )

    async def what_if(
        self,
        contract: Contract,
        order: Order,
        *,
        deadline: float | None = None,
    ) -> OrderState:
        """Return what an order would cost in margin and commission; nothing is placed.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        order_id = self._ready(contract)
        answer = await self._requests.ask(
            f"what if: {order.action} {order.quantity} {contract.local_symbol or contract.symbol}",
            lambda request_id: PlaceOrder(request_id, contract, replace(order, what_if=True)),
            lambda: Many(OpenOrder, OpenOrder),
            request_id=order_id,
            deadline=deadline,
        )
        return answer[0].state

    def bind_manual_orders(self, *, bind: bool = True) -> None:
        """Have orders made by hand in the gateway bound to us; client id 0 only.

        Raises
        ------
        NotConnectedError
            When there is no session.
        OrderRefusedError
            For any other client id.

        """
        if self._config.client_id != 0:
            raise OrderRefusedError("binding of manual orders", "only client id 0 can have them")
        self._requests.check("binding of manual orders")
        self._outbox.put(RequestAutoOpenOrders(bind=bind))
