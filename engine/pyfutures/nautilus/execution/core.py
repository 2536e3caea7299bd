"""What an execution client is besides its orders: connection, account, instruments, identity."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final

from nautilus_trader.live.execution_client import LiveExecutionClient
from nautilus_trader.model.enums import (
    AccountType,
    OmsType,
)
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientId,
    ClientOrderId,
    StrategyId,
    Venue,
    VenueOrderId,
)

from pyfutures.ib.errors import EncodeError
from pyfutures.ib.failures import IbError, RequestError
from pyfutures.ib.messages.account import AccountUpdateMulti, AccountUpdateMultiEnd
from pyfutures.nautilus.contracts.listings import UnknownInstrumentError
from pyfutures.nautilus.execution.accounts import AccountValues, chosen_account, masked
from pyfutures.nautilus.execution.exposure import Exposure
from pyfutures.nautilus.execution.limits import LimitExceededError
from pyfutures.nautilus.execution.order_events import OrderEvents
from pyfutures.nautilus.execution.orders import UnsupportedOrderError, ib_order
from pyfutures.nautilus.link import links_of
from pyfutures.nautilus.margins import (
    MarginQuote,
    margin_endpoint,
    margin_quote,
    margin_topic,
)
from pyfutures.nautilus.spreads import BAG, SpreadError, leg_ids, spread_listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nautilus_trader.cache.cache import Cache
    from nautilus_trader.common.component import LiveClock, Logger, MessageBus
    from nautilus_trader.execution.messages import (
        QueryAccount,
    )
    from nautilus_trader.execution.reports import (
        ExecutionMassStatus,
        PositionStatusReport,
    )
    from nautilus_trader.model.identifiers import InstrumentId
    from nautilus_trader.model.orders import Order

    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.orders import Fill, OrderView
    from pyfutures.ib.subscriptions import Subscription
    from pyfutures.nautilus.config import FuturesExecClientConfig
    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.link import Link
    from pyfutures.nautilus.margins import MarginRequest

__all__ = ["EXTERNAL", "ONE_POSITION", "REFUSALS", "ExecutionCore"]

_DEBOUNCE: Final = 0.05  # seconds in which values of an account that come together are one state
_GRACE: Final = 3.0
_PARTING: Final = 1.5  # seconds that a client which is stopped waits for commissions
EXTERNAL: Final = StrategyId("EXTERNAL")
ONE_POSITION: Final = (
    "nautilus_trader has one position of an instrument and a strategy, and account {other} has it."
    " Trade each account with a strategy of its own, run a node for each, or set `venue: ib` in the"
    " instrument provider of one gateway"
)
REFUSALS: Final = (
    UnsupportedOrderError,
    LimitExceededError,
    UnknownInstrumentError,
    SpreadError,
)


class ExecutionCore(LiveExecutionClient):  # type: ignore[misc] # nautilus has no types
    """The part of an execution client that stands before its orders and reports.

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

    def __init__(  # noqa: PLR0913, PLR0917 - nautilus' signature
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
        self.unexplained: set[InstrumentId] = set()  # held, and by no strategy of the node
        self.unreported = ""  # why there were no reports when the node wanted them
        self.events = OrderEvents(self)
        self._ib = link.client
        self._account = ""
        self._values = AccountValues("")
        self._exposure = Exposure(self)
        self._unlisten: Callable[[], None] = lambda: None
        self._subscriptions: list[Subscription[Any]] = []
        self._values_told: asyncio.Future[None] | None = None
        self._values_due = False
        self._disowned: set[ClientOrderId] = set()
        self._unwanted: set[ClientOrderId] = set()  # cancelled, and not yet sent
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
        self._unlisten = self.link.provider.subscribe(self._publish)
        self._check_roots()
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
        self.events.resume(forget=True)

    async def _disconnect(self) -> None:
        if self._ib.is_ready:  # a commission that comes now would be lost for good
            await self._await_told(_PARTING)
        self.events.close()
        await self._shut()

    async def _await_told(self, most: float = math.inf) -> None:
        """Wait until no fill waits for its commission: positions have them, the node has not."""
        clock = self._ib.clock
        until = clock.monotonic() + min(self.config.commission_timeout, most)
        while self.events.has_held_fills and clock.monotonic() < until:
            await clock.sleep(0.05)

    async def _shut(self) -> None:
        if not self._open:
            return
        self._open = False
        self._unlisten()
        self._exposure.close()
        for subscription in self._subscriptions:
            subscription.close()
        self._subscriptions.clear()
        endpoint = margin_endpoint(self.id)
        if endpoint in self._msgbus.endpoints():
            self._msgbus.deregister(endpoint=endpoint, handler=self._margin_asked)
        await self.link.close()

    def _check_roots(self) -> None:
        """Refuse limits for a root that is not there: they would limit nothing.

        Raises
        ------
        UnknownInstrumentError
            If no contract of it is loaded.

        """
        loaded = {root for listing in self.link.listings for root in listing.roots}
        for root in sorted(set(self.config.limits) - loaded):
            raise UnknownInstrumentError(
                f"limits: no contract of {root!r} is loaded; loaded are {', '.join(sorted(loaded))}"
            )

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
        other = self.elsewhere(report.instrument_id, EXTERNAL)
        if other is not None:
            self._log.error(
                f"{report.instrument_id}: the position {report.signed_decimal_qty} cannot be shown:"
                f" {ONE_POSITION.format(other=other)}"
            )
            return
        self._publish(self._listing(report.instrument_id))
        self._send_position_status_report(report)

    def check_positions(self) -> None:
        """Compare positions with IB's once fills have settled."""
        self._exposure.settle()

    # Other accounts of the node. nautilus knows a position by its instrument and strategy alone: in
    # two accounts it would be one.

    def siblings(self) -> Iterator[ExecutionCore]:
        """Iterate over the other execution clients of the node, of any gateway."""
        for link in links_of(self._loop):
            for one in link.clients:
                if isinstance(one, ExecutionCore) and one is not self and one.cache is self._cache:
                    yield one

    @property
    def cache(self) -> Cache:
        """The node's cache."""
        return self._cache

    def elsewhere(self, instrument_id: InstrumentId, strategy_id: StrategyId) -> AccountId | None:
        """Return another account where a strategy has an order or a position in an instrument."""
        for other in self.siblings():
            which = {"instrument_id": instrument_id, "strategy_id": strategy_id}
            held = self._cache.positions_open(**which, account_id=other.account_id)
            if held or other.events.is_trading(instrument_id, strategy_id):
                return other.account_id
        return None

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
            await self._load([contract], required=False)
            return listings.by_con_id(contract.con_id)
        bought = [leg.con_id for leg in contract.legs if leg.action.upper().startswith("B")]
        sold = [leg.con_id for leg in contract.legs if leg.action.upper().startswith("S")]
        if len(bought) != 1 or len(sold) != 1:
            self._log.warning(f"a combination of {len(contract.legs)} legs is no calendar spread")
            return None
        await self._load([*bought, *sold], required=False)
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

    async def _load(self, contracts: Iterable[int | Contract], *, required: bool) -> None:
        for listing in await self.link.provider.load_con_ids(contracts, required=required):
            self._publish(listing)

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
        except (IbError, EncodeError, *REFUSALS) as error:
            quote = MarginQuote(
                order.client_order_id, order.instrument_id, error=str(error), ts=self.now
            )
        self._msgbus.publish(topic=margin_topic(self.id, order.instrument_id), msg=quote)
        request.callback(quote)

    def mend(self) -> None:
        """Report what is no part of a mass status; see `ReportingClient`."""

    def verify(self) -> None:
        """See that positions are as they were reported; see `ReportingClient`."""

    def _reconciled(self, status: ExecutionMassStatus) -> None:
        if status.client_id == self.id:
            self.mend()
            self.events.resume()
            # nautilus takes an order of its database that stands and is filled as reported for the
            # same, whatever its price and quantity.
            for view in self._ib.orders.book:
                if not view.is_final and self.is_ours(view):
                    self.events.refresh(view)

    def _our_fills(self) -> list[Fill]:
        return [
            fill
            for view in self._ib.orders.book
            for fill in view.fills
            if fill.execution.account == self._account
        ]
