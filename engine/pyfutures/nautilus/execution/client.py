"""The execution client: orders of a node through one gateway, for one account.

Commands are checked here (what IB can take, limits, read-only) and sent; what the gateway says
comes back through `order_events.py`; reports for reconciliation are in `reconciliation.py`.
Several accounts are several execution clients of one connection.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from nautilus_trader.model.enums import (
    ContingencyType,
    OrderSide,
    OrderStatus,
)

from pyfutures.ib.errors import EncodeError
from pyfutures.ib.failures import IbError
from pyfutures.ib.order_forms import OcaType
from pyfutures.nautilus.execution.core import ONE_POSITION, REFUSALS
from pyfutures.nautilus.execution.limits import Pending, check
from pyfutures.nautilus.execution.orders import ib_order, modified
from pyfutures.nautilus.execution.reconciliation import ReportingClient
from pyfutures.nautilus.spreads import BAG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nautilus_trader.execution.messages import (
        BatchCancelOrders,
        CancelAllOrders,
        CancelOrder,
        ModifyOrder,
        SubmitOrder,
        SubmitOrderList,
    )
    from nautilus_trader.model.orders import Order

    from pyfutures.ib.messages.order import Order as IbOrder
    from pyfutures.ib.orders import OrderView
    from pyfutures.nautilus.contracts.listings import Listing

__all__ = ["FuturesExecutionClient"]

_ZERO: Final = Decimal(0)
_OVERTAKEN: Final = 2.0  # seconds that an order may come behind its own cancellation


class _DeniedError(ValueError):
    """An order that is not sent, for a reason that is not its own."""


class FuturesExecutionClient(ReportingClient):
    """Orders, fills, positions and values of one account. Made by its factory.

    Parameters
    ----------
    loop
        The node's event loop.
    link
        The connection, shared with the data client.
    msgbus, cache, clock
        The node's.
    config
        How it is set up.
    name
        The client id; account ids begin with it.

    """

    # Orders.

    async def _submit_order(self, command: SubmitOrder) -> None:
        self._submit_wanted([command.order], command.params)

    async def _submit_order_list(self, command: SubmitOrderList) -> None:
        self._submit_wanted(command.order_list.orders, command.params)

    def _submit_wanted(self, orders: Sequence[Order], params: dict[str, Any] | None) -> None:
        """Submit orders, but for those that were cancelled before they came here."""
        gone = [order for order in orders if order.client_order_id in self._unwanted]
        if gone and (len(gone) == len(orders) or orders[0] is gone[0]):
            for order in orders:
                self._unwanted.discard(order.client_order_id)
                self._log.info(f"{order.client_order_id}: cancelled before it was sent")
                self.generate_order_canceled(
                    order.strategy_id, order.instrument_id, order.client_order_id, None, self.now
                )
            return
        self._submit(orders, params)
        for order in gone:
            self._unwanted.discard(order.client_order_id)
            self._cancel(order)

    def _submit(self, orders: Sequence[Order], params: dict[str, Any] | None) -> None:
        # Nothing here waits: two orders of one moment are checked one against the other.
        try:
            plans = [self._plan(order, params) for order in orders]
            parent = _parent(orders)
            self._check_limits(plans, parent)
        except (_DeniedError, *REFUSALS) as error:
            self._deny(orders, str(error))
            return
        if parent is not None:
            self._place_bracket(orders, plans)
            return
        for number, (order, (listing, wire)) in enumerate(zip(orders, plans, strict=True)):
            try:
                ticket = self._ib.orders.place(listing.contract, wire)
            except (IbError, EncodeError) as error:
                self._deny(orders[number:], f"not sent: {error}")
                return
            self.events.placed(ticket.key, order, listing)
            self._submitted(order)

    def _place_bracket(
        self, orders: Sequence[Order], plans: Sequence[tuple[Listing, IbOrder]]
    ) -> None:
        (listing, first), *children = plans
        try:
            tickets = self._ib.orders.place_bracket(
                listing.contract, first, *(wire for _, wire in children)
            )
        except (IbError, EncodeError) as error:
            self._deny(orders, f"not sent: {error}")
            return
        for order, ticket in zip(orders, tickets, strict=True):
            self.events.placed(ticket.key, order, listing)
            self._submitted(order)

    def _submitted(self, order: Order) -> None:
        self.generate_order_submitted(
            order.strategy_id, order.instrument_id, order.client_order_id, self.now
        )

    def _deny(self, orders: Sequence[Order], reason: str) -> None:
        for order in orders:
            self.generate_order_denied(
                order.strategy_id, order.instrument_id, order.client_order_id, reason, self.now
            )

    def _plan(self, order: Order, params: dict[str, Any] | None) -> tuple[Listing, IbOrder]:
        if self.config.read_only:
            raise _DeniedError("read_only: this client sends no orders")
        other = self.elsewhere(order.instrument_id, order.strategy_id)
        if other is not None:
            raise _DeniedError(f"account: {ONE_POSITION.format(other=other)}")
        listing = self._listing(order.instrument_id)
        wire = ib_order(order, listing, account=self._account, params=params)
        if order.is_reduce_only and order.parent_order_id is None:
            self._check_reduces(order, listing)
        linked = order.contingency_type in {ContingencyType.OCO, ContingencyType.OUO}
        if linked and not wire.oca_group:
            kind = (
                OcaType.CANCEL_WITH_BLOCK
                if order.contingency_type == ContingencyType.OCO
                else OcaType.REDUCE_WITH_BLOCK
            )
            group = str(order.order_list_id or min(map(str, order.linked_order_ids or [])))
            wire = replace(wire, oca_group=group, oca_type=int(kind))
        return listing, self._with_parent(order, wire)

    def _with_parent(self, order: Order, wire: IbOrder) -> IbOrder:
        """Return a child that is submitted behind its parent, tied to it."""
        if order.parent_order_id is None:
            return wire
        parent = self._cache.order(order.parent_order_id)
        view = None if parent is None else self.events.find(parent)
        if view is None or view.is_final:
            return wire
        return replace(wire, parent_id=view.order_id)

    def _check_reduces(self, order: Order, listing: Listing) -> None:
        held = self._exposure.held().get(listing.con_id, _ZERO)
        signed = order.quantity.as_decimal() * (1 if order.side == OrderSide.BUY else -1)
        if listing.legs or held * signed >= 0 or abs(signed) > abs(held):
            raise _DeniedError(
                f"reduce_only: {order.side.name} {order.quantity} would not only reduce the"
                f" position {held} in {listing.id} (checked here: IB has no such instruction)"
            )

    # Limits.

    def _check_limits(
        self,
        plans: Sequence[tuple[Listing, IbOrder]],
        parent: Order | None,
        *,
        besides: int | None = None,
        filled: Decimal = _ZERO,
    ) -> None:
        if not self.config.limits:
            return
        new = [
            Pending(
                ("new", number),
                _signed(wire, wire.quantity - filled),
                _legs(listing),
                wire.oca_group,
                ("new", 0) if parent is not None and number else self._parent_key(wire),
            )
            for number, (listing, wire) in enumerate(plans)
        ]
        for root in sorted({root for listing, _ in plans for root in listing.roots}):
            limit = self.config.limits.get(root)
            if limit is None:
                continue
            mine = [
                (pending, wire)
                for pending, (listing, wire) in zip(new, plans, strict=True)
                if root in listing.roots
            ]
            check(
                root,
                limit,
                [pending for pending, _ in mine],
                quantities=[wire.quantity for _, wire in mine],
                held=self._exposure.held(),
                orders=self._pending(besides),
                months=[listing.con_id for listing in self.link.listings.roots(root)],
            )

    def _parent_key(self, wire: IbOrder) -> int | None:
        parent = self._ib.orders.book.find(wire.parent_id) if wire.parent_id else None
        return None if parent is None or parent.is_final else parent.key

    def _pending(self, besides: int | None = None) -> list[Pending]:
        """Return what is open in the account, by the book: it knows at once what was sent."""
        found = []
        for view in self.events.open_orders():
            if view.key == besides:
                continue
            left = view.order.quantity - max(view.filled, view.reported)
            if view.contract.sec_type == BAG:
                legs = tuple(
                    (leg.con_id, 1 if leg.action.upper().startswith("B") else -1)
                    for leg in view.contract.legs
                )
            else:
                legs = ((view.contract.con_id, 1),)
            parent = self._parent_key(view.order)
            found.append(
                Pending(
                    view.key, _signed(view.order, max(left, _ZERO)), legs, view.order.oca_group,
                    parent,
                )
            )  # fmt: skip
        return found

    # Changes.

    async def _modify_order(self, command: ModifyOrder) -> None:
        order = self._cache.order(command.client_order_id)
        if order is None:
            self._log.error(f"{command.client_order_id}: not in the cache, cannot be modified")
            return
        try:
            self._modify(order, command)
        except (_DeniedError, IbError, EncodeError, *REFUSALS) as error:
            self.generate_order_modify_rejected(
                order.strategy_id, order.instrument_id, order.client_order_id,
                order.venue_order_id, str(error), self.now,
            )  # fmt: skip

    def _modify(self, order: Order, command: ModifyOrder) -> None:
        if self.config.read_only:
            raise _DeniedError("read_only: this client sends no orders")
        view = self.events.find(order)
        if view is None:
            raise _DeniedError(f"IB has no order {order.client_order_id}")
        listing = self._listing(order.instrument_id)
        track = self.events.track_of(view)
        wire = modified(
            self._as_placed(order, view, listing), order, listing.scale,
            quantity=command.quantity, price=command.price, trigger_price=command.trigger_price,
        )  # fmt: skip
        if wire.quantity > view.order.quantity:
            filled = max(view.filled, view.reported)
            self._check_limits([(listing, wire)], None, besides=view.key, filled=filled)
        self._ib.orders.modify(view.key, wire)
        if track is not None:
            track.is_changing = True

    def _as_placed(self, order: Order, view: OrderView, listing: Listing) -> IbOrder:
        """Return an order as it was sent: what the gateway echoes has slots that are its own."""
        if view.is_own:
            return view.order
        wire = ib_order(order, listing, account=self._account)
        echo = view.order
        return replace(
            wire, quantity=echo.quantity, limit_price=wire.limit_price and echo.limit_price,
            oca_group=echo.oca_group, oca_type=echo.oca_type, parent_id=echo.parent_id,
            outside_rth=echo.outside_rth, order_ref=echo.order_ref, tif=echo.tif,
        )  # fmt: skip

    async def _cancel_order(self, command: CancelOrder) -> None:
        order = self._cache.order(command.client_order_id)
        if order is None:
            self._log.error(f"{command.client_order_id}: not in the cache, cannot be cancelled")
            return
        if order.status == OrderStatus.INITIALIZED and self.events.find(order) is None:
            # nautilus weighs the risk of an order first: a cancellation of the same moment
            # overtakes it.
            self._unwanted.add(order.client_order_id)
            self._loop.call_later(_OVERTAKEN, self._never_came, order)
            return
        self._cancel(order)

    def _never_came(self, order: Order) -> None:
        if order.client_order_id in self._unwanted:
            self._unwanted.discard(order.client_order_id)
            if not order.is_closed:
                self._cancel(order)  # which is refused: there is nothing to cancel

    def _cancel(self, order: Order) -> None:
        try:
            self._take_back(order)
        except (_DeniedError, IbError, EncodeError) as error:
            self.generate_order_cancel_rejected(
                order.strategy_id,
                order.instrument_id,
                order.client_order_id,
                order.venue_order_id,
                str(error),
                self.now,
            )

    def _take_back(self, order: Order) -> None:
        if self.config.read_only:
            raise _DeniedError("read_only: this client sends no cancellations")
        view = self.events.find(order)
        if view is None:
            raise _DeniedError(f"IB has no order {order.client_order_id}")
        track = self.events.track_of(view)
        self._ib.orders.cancel(view.key)
        if track is not None:
            track.is_cancelling = True

    async def _cancel_all_orders(self, command: CancelAllOrders) -> None:
        wanted = {"instrument_id": command.instrument_id, "strategy_id": command.strategy_id}
        orders = [
            *self._cache.orders_open(**wanted, side=command.order_side),
            *self._cache.orders_inflight(**wanted, side=command.order_side),
        ]
        for order in {order.client_order_id: order for order in orders}.values():
            view = self.events.find(order)
            if view is not None and not view.is_final:
                self._cancel(order)

    async def _batch_cancel_orders(self, command: BatchCancelOrders) -> None:
        for cancel in command.cancels:
            await self._cancel_order(cancel)


def _parent(orders: Sequence[Order]) -> Order | None:
    """Return the parent of a bracket, None for orders that stand beside each other.

    Raises
    ------
    _DeniedError
        For a list that is neither.

    """
    names = {order.client_order_id for order in orders}
    children = [order for order in orders if order.parent_order_id in names]
    if not children:
        return None
    first, *rest = orders
    if children != rest or any(one.parent_order_id != first.client_order_id for one in rest):
        raise _DeniedError("list: IB has one parent, first in the list, and its children")
    if any(one.instrument_id != first.instrument_id for one in rest):
        raise _DeniedError("list: parent and children are of one instrument")
    return first


def _signed(wire: IbOrder, quantity: Decimal) -> Decimal:
    return quantity if wire.action == "BUY" else -quantity


def _legs(listing: Listing) -> tuple[tuple[int, int], ...]:
    if not listing.legs:
        return ((listing.con_id, 1),)
    first, second = listing.legs
    return (first.con_id, 1), (second.con_id, -1)
