"""The execution client: orders of a node through one gateway, for one account.

Commands are checked here (what IB can take, limits, read-only, the account) and sent; what the
gateway says comes back through `order_events.py`; reports for reconciliation are made of one
coherent look at orders, executions and positions. Several accounts are several execution clients.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import (
    AccountType,
    ContingencyType,
    OmsType,
    OrderSide,
    OrderStatus,
)
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientId,
    ClientOrderId,
    Venue,
    VenueOrderId,
)

from pyfutures.ib.errors import EncodeError
from pyfutures.ib.failures import IbError, RequestError
from pyfutures.ib.messages.account import AccountUpdateMulti, AccountUpdateMultiEnd
from pyfutures.ib.order_forms import OcaType
from pyfutures.nautilus.accounts import AccountValues, chosen_account, masked
from pyfutures.nautilus.exposure import Exposure
from pyfutures.nautilus.limits import LimitExceededError, Pending, check
from pyfutures.nautilus.listings import UnknownInstrumentError
from pyfutures.nautilus.margins import (
    MarginQuote,
    margin_endpoint,
    margin_quote,
    margin_topic,
)
from pyfutures.nautilus.order_events import OrderEvents
from pyfutures.nautilus.orders import UnsupportedOrderError, ib_order, modified
from pyfutures.nautilus.reports import (
    Found,
    fill_report,
    flat_report,
    found_in_book,
    found_when_done,
    gone_report,
    order_report,
    position_report,
)
from pyfutures.nautilus.spreads import BAG, SpreadError, leg_ids, spread_listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nautilus_trader.cache.cache import Cache
    from nautilus_trader.common.component import LiveClock, Logger, MessageBus
    from nautilus_trader.execution.messages import (
        BatchCancelOrders,
        CancelAllOrders,
        CancelOrder,
        GenerateFillReports,
        GenerateOrderStatusReport,
        GenerateOrderStatusReports,
        GeneratePositionStatusReports,
        ModifyOrder,
        QueryAccount,
        SubmitOrder,
        SubmitOrderList,
    )
    from nautilus_trader.execution.reports import (
        ExecutionMassStatus,
        FillReport,
        OrderStatusReport,
        PositionStatusReport,
    )
    from nautilus_trader.model.identifiers import InstrumentId
    from nautilus_trader.model.orders import Order

    from pyfutures.ib.messages.account import Position
    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.messages.order import Order as IbOrder
    from pyfutures.ib.messages.orders import CompletedOrder
    from pyfutures.ib.orders import Fill, OrderView
    from pyfutures.ib.subscriptions import Subscription
    from pyfutures.nautilus.config import FuturesExecClientConfig
    from pyfutures.nautilus.link import Link
    from pyfutures.nautilus.listings import Listing
    from pyfutures.nautilus.margins import MarginRequest

__all__ = ["FuturesExecutionClient"]

_ZERO: Final = Decimal(0)
_DEBOUNCE: Final = 0.05  # seconds in which values of an account that come together are one state
_GRACE: Final = 3.0
_REFUSALS: Final = (
    UnsupportedOrderError, LimitExceededError, UnknownInstrumentError, SpreadError,
)  # fmt: skip


class _DeniedError(ValueError):
    """An order that is not sent, for a reason that is not its own."""


class FuturesExecutionClient(LiveExecutionClient):  # type: ignore[misc] # nautilus has no types
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

    def __init__(  # noqa: PLR0913 - nautilus' signature
        self,
        loop: asyncio.AbstractEventLoop,
        link: Link,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
        config: FuturesExecClientConfig,
        name: str,
    ) -> None:
        super().__init__(
            loop=loop,
            client_id=ClientId(name),
            venue=Venue(name),
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            base_currency=None,
            instrument_provider=link.provider,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=config,
        )
        self.config = config
        self.link = link
        self.grace = _GRACE
        self.events = OrderEvents(self)
        self._ib = link.client
        self._account = ""
        self._values = AccountValues("")
        self._exposure = Exposure(self)
        self._subscriptions: list[Subscription[Any]] = []
        self._values_told: asyncio.Future[None] | None = None
        self._values_due = False
        self._disowned: set[ClientOrderId] = set()
        self._look: _Look | None = None
        self._open = False

    @property
    def log(self) -> Logger:
        """Where the client's parts log."""
        return self._log

    @property
    def now(self) -> int:
        """The node's time, UTC nanoseconds."""
        return int(self._clock.timestamp_ns())

    @property
    def ib_now(self) -> int:
        """The connection's time, UTC nanoseconds."""
        return int(self._ib.clock.now().timestamp() * 10**9)

    @property
    def account(self) -> str:
        """IB's account; empty before the client is connected."""
        return self._account

    # Connecting.

    async def _connect(self) -> None:
        await self.link.open()
        self._open = True
        try:
            await self._begin()
        except BaseException:  # refused or cancelled: the connection may not stay behind
            await self._shut()
            raise

    async def _begin(self) -> None:
        config = self.config
        self._account = chosen_account(
            self._ib.accounts, config.account_id, allow_live=config.allow_live
        )
        if self.account_id is None:
            self._set_account_id(AccountId(f"{self.id}-{self._account}"))
        self._values = AccountValues(self._account)
        await self.link.provider.initialize()
        for listing in self.link.listings:
            self._publish(listing)
        self._subscriptions.append(self._ib.orders.events(callback=self.events.hear))
        self.events.pause()
        await self._ib.orders.sync(patience=config.request_timeout)
        await self._exposure.begin()
        self._subscriptions.append(self._ib.account.position_updates(callback=self._exposure.hear))
        self._values_told = self._loop.create_future()
        self._subscriptions.append(
            self._ib.account.updates_of(self._account, callback=self._hear_values)
        )
        await asyncio.wait_for(self._values_told, config.request_timeout)
        self._tell_values()
        await self._await_account_registered(log_registered=False)
        self._log.info(f"Account {masked(self._account)} registered")
        self._msgbus.register(endpoint=margin_endpoint(self.id), handler=self._margin_asked)
        self._msgbus.subscribe(topic=f"reports.execution.{self.venue}", handler=self._reconciled)
        # What earlier sessions did is for reconciliation; what comes now is news.
        for fill in self._our_fills():
            self.events.reported(fill)
        self.events.resume()

    async def _disconnect(self) -> None:
        self.events.close()
        await self._shut()

    async def _shut(self) -> None:
        if not self._open:
            return
        self._open = False
        self._exposure.close()
        for subscription in self._subscriptions:
            subscription.close()
        self._subscriptions.clear()
        endpoint = margin_endpoint(self.id)
        if endpoint in self._msgbus.endpoints():
            self._msgbus.deregister(endpoint=endpoint, handler=self._margin_asked)
        await self.link.close()

    def _publish(self, listing: Listing) -> None:
        if self._cache.instrument(listing.id) is None:
            self._cache.add_instrument(listing.instrument)

    # The account.

    def _hear_values(self, row: AccountUpdateMulti | AccountUpdateMultiEnd) -> None:
        told = self._values_told
        if isinstance(row, AccountUpdateMultiEnd):
            if told is not None and not told.done():
                told.set_result(None)
            return
        self._values.hear([row])
        if told is None or not told.done() or self._values_due:
            return
        self._values_due = True
        self._loop.call_later(_DEBOUNCE, self._values_changed)

    def _values_changed(self) -> None:
        self._values_due = False
        if self._open and self._values.is_news():
            self._tell_values()

    def _tell_values(self) -> None:
        self._values.is_news()
        balances, margins = self._values.balances()
        self.generate_account_state(balances, margins, reported=True, ts_event=self.now)

    async def _query_account(self, command: QueryAccount) -> None:  # noqa: ARG002 - one account
        self._tell_values()

    # Whose orders; for `OrderEvents`.

    def is_ours(self, view: OrderView, fill: Fill | None = None) -> bool:
        """Whether an order, or a fill, is of this client's account."""
        account = view.order.account if fill is None else fill.execution.account
        return not account or account == self._account

    def is_own(self, view: OrderView) -> bool:
        """Whether an order was placed under our client id, now or earlier."""
        return view.is_own or view.client_id == self._ib.config.client_id

    def cached_order(self, view: OrderView) -> Order | None:
        """Return the node's order that an order of the book is; by its permanent id, else by ours.

        An order of another client id is never ours by its reference.
        """
        if view.perm_id:
            venue = VenueOrderId(str(view.perm_id))
            known = self._cache.client_order_id(venue)
            if known is not None:
                return self._cache.order(known)
        ref = view.order.order_ref
        if not ref or not self.is_own(view):
            return None
        order = self._cache.order(ClientOrderId(ref))
        if order is None or order.client_order_id in self._disowned:
            return None
        other = order.venue_order_id
        is_other = other is not None and view.perm_id and other.value != str(view.perm_id)
        return None if is_other else order

    def disown(self, client_order_id: ClientOrderId) -> None:
        """Take note that an order's end was told: what IB has under its reference is another."""
        self._disowned.add(client_order_id)

    def listing_of_order(self, order: Order) -> Listing | None:
        """Return the listing of an order of the node, None if it is not loaded."""
        try:
            return self._listing(order.instrument_id)
        except (UnknownInstrumentError, SpreadError):
            return None

    def filled(self, account: str) -> None:  # noqa: ARG002 - a hook
        """Take note that a fill was told."""
        self._exposure.settle()

    def ask_executions(self) -> None:
        """Ask for executions that were not told."""
        self.create_task(self._executions(), log_msg="question for executions")

    def ask_orders(self) -> None:
        """Ask which orders live."""
        self.create_task(self._sync(), log_msg="question for orders")

    async def _sync(self) -> None:
        try:
            await self._ib.orders.sync()
        except RequestError as error:
            self._log.warning(f"orders: {error}")

    async def _executions(self) -> None:
        try:
            await self._ib.orders.executions()
        except RequestError as error:
            self._log.warning(f"executions: {error}")

    @property
    def is_settling(self) -> bool:
        """Whether the node has not been told of everything that is known."""
        return self.events.is_waiting

    def report_position(self, report: PositionStatusReport) -> None:
        """Report a position that no order explains."""
        self._publish(self._listing(report.instrument_id))
        self._send_position_status_report(report)

    def check_positions(self) -> None:
        """Compare positions with IB's once fills have settled."""
        self._exposure.settle()

    async def report_external(self, view: OrderView) -> bool:
        """Report an order that was not placed here; whether the node knows it now."""
        found = found_in_book(view)
        if found is None:
            await self._ib.orders.open_orders(everyone=True)
            done = await self._ib.orders.completed_orders()
            view = self._ib.orders.book.view(view.key)
            match = next((one for one in done if one.order.perm_id == view.perm_id), None)
            found = found_in_book(view) or (None if match is None else found_when_done(match))
        if found is None:
            self._log.error(f"order {view.perm_id}: IB tells fills of it, but not what it is")
            self.check_positions()
            return False
        listing = await self._listing_of(found.contract)
        if listing is None:
            return False
        found = replace(found, status=OrderStatus.ACCEPTED, filled=_ZERO, average=None)
        report = self._order_report(found, listing, client_order_id=None)
        if report is None:
            return False
        self._log.warning(f"order {view.perm_id} for {listing.id} was not placed by this node")
        self._send_order_status_report(report)
        return True

    # Instruments.

    def _listing(self, instrument_id: InstrumentId) -> Listing:
        """Return the listing of an id; a calendar spread is made of the listings of its legs."""
        listings = self.link.listings
        legs = None if instrument_id in listings else leg_ids(instrument_id)
        if legs is None:
            return listings.by_id(instrument_id)
        first, second = (listings.by_id(leg) for leg in legs)
        return listings.add(spread_listing(first, second, instrument_id=instrument_id))

    async def _listing_of(self, contract: Contract) -> Listing | None:
        """Return the listing of IB's contract, loading it; None for what is no future."""
        listings = self.link.listings
        if contract.sec_type != BAG:
            await self._load([contract])
            return listings.by_con_id(contract.con_id)
        bought = [leg.con_id for leg in contract.legs if leg.action.upper().startswith("B")]
        sold = [leg.con_id for leg in contract.legs if leg.action.upper().startswith("S")]
        if len(bought) != 1 or len(sold) != 1:
            self._log.warning(f"a combination of {len(contract.legs)} legs is no calendar spread")
            return None
        await self._load([*bought, *sold])
        first, second = listings.by_con_id(bought[0]), listings.by_con_id(sold[0])
        if first is None or second is None:
            return None
        for known in listings:
            if [leg.con_id for leg in known.legs] == [first.con_id, second.con_id]:
                self._publish(known)
                return known
        found = listings.add(spread_listing(first, second))
        self._publish(found)
        return found

    async def _load(self, contracts: Iterable[int | Contract]) -> None:
        for listing in await self.link.provider.load_con_ids(contracts):
            self._publish(listing)

    # Orders.

    async def _submit_order(self, command: SubmitOrder) -> None:
        self._submit([command.order], command.params)

    async def _submit_order_list(self, command: SubmitOrderList) -> None:
        self._submit(command.order_list.orders, command.params)

    def _submit(self, orders: Sequence[Order], params: dict[str, Any] | None) -> None:
        # Nothing here waits: two orders of one moment are checked one against the other.
        try:
            plans = [self._plan(order, params) for order in orders]
            parent = _parent(orders)
            self._check_limits(orders, plans, parent)
        except (_DeniedError, *_REFUSALS) as error:
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
        orders: Sequence[Order],
        plans: Sequence[tuple[Listing, IbOrder]],
        parent: Order | None,
        *,
        besides: int | None = None,
    ) -> None:
        if not self.config.limits:
            return
        new = [
            Pending(
                ("new", number),
                _signed(wire, wire.quantity),
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
        for view in self._ib.orders.book:
            if view.is_final or view.key == besides or not self.is_ours(view):
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
        except (_DeniedError, IbError, EncodeError, *_REFUSALS) as error:
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
            left = replace(wire, quantity=wire.quantity - filled)
            self._check_limits([order], [(listing, left)], None, besides=view.key)
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
        self._cancel(order)

    def _cancel(self, order: Order) -> None:
        try:
            if self.config.read_only:
                raise _DeniedError("read_only: this client sends no cancellations")
            view = self.events.find(order)
            if view is None:
                raise _DeniedError(f"IB has no order {order.client_order_id}")
            track = self.events.track_of(view)
            self._ib.orders.cancel(view.key)
            if track is not None:
                track.is_cancelling = True
        except (_DeniedError, IbError, EncodeError) as error:
            self.generate_order_cancel_rejected(
                order.strategy_id, order.instrument_id, order.client_order_id,
                order.venue_order_id, str(error), self.now,
            )  # fmt: skip

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

    # Margins.

    def _margin_asked(self, request: MarginRequest) -> None:
        self.create_task(self._answer_margin(request), log_msg="question for a margin")

    async def _answer_margin(self, request: MarginRequest) -> None:
        order = request.order
        try:
            listing = self._listing(order.instrument_id)
            wire = ib_order(order, listing, account=self._account)
            state = await self._ib.orders.what_if(listing.contract, wire)
            quote = margin_quote(order, state, ts=self.now)
        except (IbError, EncodeError, *_REFUSALS) as error:
            quote = MarginQuote(
                order.client_order_id, order.instrument_id, error=str(error), ts=self.now
            )
        self._msgbus.publish(topic=margin_topic(self.id, order.instrument_id), msg=quote)
        request.callback(quote)

    # Reports.

    async def generate_mass_status(
        self, lookback_mins: int | None = None
    ) -> ExecutionMassStatus | None:
        """Return everything that IB says, of one moment; news wait until it is applied."""
        self.events.pause()
        try:
            self._look = await self._coherent_look()
            for fill in self._look.fills:
                self.events.reported(fill)
            status = await super().generate_mass_status(lookback_mins)
        except IbError as error:
            self._log.error(f"no reports: {error}")
            status = None
        finally:
            self._look = None
        if status is None:
            self.events.resume()
            return None
        return status

    def _reconciled(self, status: ExecutionMassStatus) -> None:
        if status.client_id == self.id:
            self.events.resume()

    def _our_fills(self) -> list[Fill]:
        return [
            fill
            for view in self._ib.orders.book
            for fill in view.fills
            if fill.execution.account == self._account
        ]

    async def _coherent_look(self) -> _Look:
        """Return orders, executions and positions between which nothing was filled."""
        orders = self._ib.orders
        for _ in range(5):
            await orders.sync()
            await orders.open_orders(everyone=True)
            done = await orders.completed_orders()
            before = len(self._our_fills())
            await self._await_commissions()
            positions = await self._ib.account.positions()
            await orders.executions()
            if len(self._our_fills()) == before:
                break
        fills = tuple(self._our_fills())
        views = tuple(view for view in orders.book if self.is_ours(view))
        mine = tuple(one for one in positions if one.account == self._account)
        look = _Look(views, fills, done, mine)
        await self._load(
            [one.contract for one in mine if one.position]
            + [fill.contract for fill in fills if fill.contract.sec_type != BAG]
        )
        return look

    async def _await_commissions(self) -> None:
        clock = self._ib.clock
        until = clock.monotonic() + self.config.commission_timeout
        while any(
            fill.commission is None for fill in self._our_fills() if fill.contract.sec_type != BAG
        ):
            if clock.monotonic() >= until:
                self._log.error("fills without commission are reported with none")
                return
            await clock.sleep(0.05)

    async def _await_told(self) -> None:
        """Wait until no fill waits for its commission: positions have them, the node has not."""
        clock = self._ib.clock
        until = clock.monotonic() + self.config.commission_timeout
        while self.events.has_held_fills and clock.monotonic() < until:
            await clock.sleep(0.05)

    async def _looked(self) -> _Look:
        if self._look is not None:
            return self._look
        await self._await_told()
        return await self._coherent_look()

    def _found(self, look: _Look) -> list[Found]:
        """Return all orders by their permanent ids."""
        found: dict[int, Found] = {}
        for one in look.done:
            if one.order.account in {"", self._account}:
                order = found_when_done(one)
                if order is not None:
                    found[order.perm_id] = order
        for view in look.views:
            order = found_in_book(view)
            if order is None:
                continue
            before = found.get(order.perm_id)
            if before is not None and not order.contract.legs:
                order = replace(order, contract=before.contract)
            found[order.perm_id] = order
        for view in look.views:  # known by its fills only, and over
            if view.perm_id in found and view.filled:
                order = found[view.perm_id]
                if order.average is None:
                    average = Decimal(repr(view.average_price))
                    filled = max(order.filled, view.filled)
                    found[view.perm_id] = replace(order, average=average, filled=filled)
        return list(found.values())

    def _client_order_id(self, found: Found, refs: dict[str, int]) -> ClientOrderId | None:
        """Return our id of an order; None if its reference could be somebody else's.

        References are free text: one counts if it is the only one of its kind among our client
        id's orders, and the node does not have that order under another permanent id.
        """
        known = self._cache.client_order_id(VenueOrderId(str(found.perm_id)))
        if known is not None:
            return known
        ref = found.order.order_ref
        if not ref or found.client_id != self._ib.config.client_id or refs.get(ref, 0) > 1:
            return None
        identity = ClientOrderId(ref)
        order = self._cache.order(identity)
        if identity in self._disowned:
            return None
        other = None if order is None else order.venue_order_id
        return identity if other is None or other.value == str(found.perm_id) else None

    def _identities(self, found: Sequence[Found]) -> dict[int, ClientOrderId | None]:
        refs: dict[str, int] = {}
        for one in found:
            if one.client_id == self._ib.config.client_id:
                refs[one.order.order_ref] = refs.get(one.order.order_ref, 0) + 1
        return {one.perm_id: self._client_order_id(one, refs) for one in found}

    def _order_report(
        self, found: Found, listing: Listing, *, client_order_id: ClientOrderId | None
    ) -> OrderStatusReport | None:
        try:
            return order_report(
                found, listing, account_id=self.account_id, client_order_id=client_order_id,
                now=self.now, login_zone=self._ib.config.login_zone,
            )  # fmt: skip
        except UnsupportedOrderError as error:
            self._log.error(f"order {found.perm_id} for {listing.id} is not reported: {error}")
            return None

    async def generate_order_status_report(
        self, command: GenerateOrderStatusReport
    ) -> OrderStatusReport | None:
        """Return where an order stands; None if IB knows nothing of it."""
        found = self._found(await self._looked())
        identities = self._identities(found)
        for one in found:
            identity = identities[one.perm_id]
            venue = command.venue_order_id
            if venue is not None and venue.value != str(one.perm_id):
                continue
            if venue is None and identity != command.client_order_id:
                continue
            listing = await self._listing_of(one.contract)
            if listing is not None:
                return self._order_report(one, listing, client_order_id=identity)
        return None

    async def generate_order_status_reports(
        self, command: GenerateOrderStatusReports
    ) -> list[OrderStatusReport]:
        """Return where orders stand; those that are gone without a word included."""
        found = self._found(await self._looked())
        identities = self._identities(found)
        reports = []
        for one in found:
            if command.open_only and not one.is_open:
                continue
            listing = await self._listing_of(one.contract)
            if listing is None or command.instrument_id not in {None, listing.id}:
                continue
            report = self._order_report(one, listing, client_order_id=identities[one.perm_id])
            if report is not None and (one.is_open or _within(report.ts_last, command)):
                reports.append(report)
        if not command.open_only:
            reports += self._gone(command.instrument_id, set(identities.values()), found)
        return reports

    def _gone(
        self,
        instrument_id: InstrumentId | None,
        named: set[ClientOrderId | None],
        found: Sequence[Found],
    ) -> list[OrderStatusReport]:
        """Return the end of orders that the node believes open and IB does not tell any more."""
        numbers = {str(one.perm_id) for one in found}
        believed = [
            *self._cache.orders_open(instrument_id=instrument_id),
            *self._cache.orders_inflight(instrument_id=instrument_id),
        ]
        reports = []
        for order in {order.client_order_id: order for order in believed}.values():
            venue = order.venue_order_id
            is_ours = self._cache.client_id(order.client_order_id) == self.id or (
                order.account_id == self.account_id
            )
            known = self.events.find(order)
            is_alive = known is not None and not known.is_final
            if not is_ours or is_alive or order.client_order_id in named:
                continue
            if venue is not None and venue.value in numbers:
                continue
            self._log.error(f"{order.client_order_id}: open here, and IB knows nothing of it")
            reports.append(gone_report(order, account_id=self.account_id, now=self.now))
        return reports

    async def generate_fill_reports(self, command: GenerateFillReports) -> list[FillReport]:
        """Return fills of orders; those of legs of a spread are positions, not fills of orders."""
        look = await self._looked()
        found = {one.perm_id: one for one in self._found(look)}
        identities = self._identities(list(found.values()))
        reports = []
        for fill in look.fills:
            perm_id = fill.execution.perm_id
            order = found.get(perm_id)
            contract = fill.contract if order is None else order.contract
            if contract.sec_type == BAG and (fill.contract.sec_type != BAG or order is None):
                continue
            listing = await self._listing_of(contract)
            if listing is None or command.instrument_id not in {None, listing.id}:
                continue
            venue = command.venue_order_id
            if venue is not None and venue.value != str(perm_id):
                continue
            report = fill_report(
                fill, listing, account_id=self.account_id,
                client_order_id=identities.get(perm_id), now=self.now,
                login_zone=self._ib.config.login_zone,
            )  # fmt: skip
            if _within(report.ts_event, command):
                reports.append(report)
        return reports

    async def generate_position_status_reports(
        self, command: GeneratePositionStatusReports
    ) -> list[PositionStatusReport]:
        """Return positions; flat ones for what is asked by id, or held here and not at IB."""
        if self._look is not None:
            rows = self._look.positions
        else:
            await self._await_told()
            every = await self._ib.account.positions()
            rows = tuple(one for one in every if one.account == self._account)
        await self._load([one.contract for one in rows if one.position])
        reports: dict[InstrumentId, PositionStatusReport] = {}
        for one in rows:
            listing = self.link.listings.by_con_id(one.contract.con_id)
            if listing is not None and command.instrument_id in {None, listing.id}:
                reports[listing.id] = position_report(
                    listing, one.position, one.average_cost, account_id=self.account_id,
                    now=self.now,
                )  # fmt: skip
        believed = {
            position.instrument_id
            for position in self._cache.positions_open(
                instrument_id=command.instrument_id, account_id=self.account_id
            )
        }
        if command.instrument_id is not None:
            believed.add(command.instrument_id)
        for instrument_id in believed - set(reports):
            listing = self._flat_listing(instrument_id)
            if listing is not None:
                reports[instrument_id] = flat_report(
                    listing, account_id=self.account_id, now=self.now
                )
        return list(reports.values())

    def _flat_listing(self, instrument_id: InstrumentId) -> Listing | None:
        try:
            return self._listing(instrument_id)
        except (UnknownInstrumentError, SpreadError) as error:
            self._log.error(f"no report of {instrument_id}: {error}")
            return None


@dataclass(frozen=True, slots=True)
class _Look:
    """Orders, executions, completed orders and positions of one moment."""

    views: tuple[OrderView, ...]
    fills: tuple[Fill, ...]
    done: tuple[CompletedOrder, ...]
    positions: tuple[Position, ...]


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


def _within(ts: int, command: GenerateOrderStatusReports | GenerateFillReports) -> bool:
    """Whether an instant lies in the span that a command asks for."""
    start, end = command.start, command.end
    return (start is None or ts >= start.value) and (end is None or ts <= end.value)
