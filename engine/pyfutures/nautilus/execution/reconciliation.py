"""Reports of an execution client: made of one coherent look at what IB says.

Rules of this file. Nothing is filled between the orders, the executions and the positions that one
reconciliation sees. An order keeps our id only where that id can be nobody else's. What the node
believes open and IB does not tell any more is closed, loudly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.enums import (
    OrderStatus,
)
from nautilus_trader.model.identifiers import (
    ClientOrderId,
    VenueOrderId,
)

from pyfutures.ib.failures import IbError
from pyfutures.nautilus.contracts.listings import UnknownInstrumentError
from pyfutures.nautilus.execution.core import ONE_POSITION, ExecutionCore
from pyfutures.nautilus.execution.orders import UnsupportedOrderError
from pyfutures.nautilus.execution.reports import (
    Found,
    detour,
    fill_report,
    flat_report,
    found_in_book,
    found_when_done,
    gone_report,
    order_report,
    position_report,
    resized,
    side_of,
)
from pyfutures.nautilus.spreads import BAG, SpreadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nautilus_trader.execution.messages import (
        GenerateFillReports,
        GenerateOrderStatusReport,
        GenerateOrderStatusReports,
        GeneratePositionStatusReports,
    )
    from nautilus_trader.execution.reports import (
        ExecutionMassStatus,
        FillReport,
        OrderStatusReport,
        PositionStatusReport,
    )
    from nautilus_trader.model.identifiers import InstrumentId

    from pyfutures.ib.messages.account import Position
    from pyfutures.ib.messages.orders import CompletedOrder
    from pyfutures.ib.orders import Fill, OrderView
    from pyfutures.nautilus.contracts.listings import Listing

__all__ = ["ReportingClient", "SharedPositionError"]

_ZERO: Final = Decimal(0)


class SharedPositionError(RuntimeError):
    """Two accounts of a node that hold the same instrument, and no strategy to tell them apart."""


class ReportingClient(ExecutionCore):
    """The part of an execution client that reports."""

    _look: _Look | None = None
    _applied: _Look | None = None
    _wanted: Mapping[InstrumentId, Decimal] = MappingProxyType({})

    # Orders of others.

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
        book = [found_in_book(one) for one in self._ib.orders.book if self.is_ours(one)]
        others = [one for one in book if one is not None and one.perm_id != found.perm_id]
        identity = self._identities([*others, found])[found.perm_id]
        report = self._order_report(found, listing, client_order_id=identity)
        if report is None:
            return False
        self._log.warning(f"order {view.perm_id} for {listing.id} was not placed by this node")
        self._send_order_status_report(report)
        return True

    # Reports.

    async def generate_mass_status(
        self, lookback_mins: int | None = None
    ) -> ExecutionMassStatus | None:
        """Return everything that IB says, of one moment; news wait until it is applied."""
        self.events.pause()
        try:
            # A node that cannot name what it holds does not start; once it runs, it goes on with
            # what it can name.
            self._look = await self._coherent_look(required=True)
            self._check_siblings(self._look)
            for fill in self._look.fills:
                self.events.reported(fill)
            status = await super().generate_mass_status(lookback_mins)
        except (IbError, UnknownInstrumentError, SharedPositionError) as error:
            self.unreported = f"client {self.id} has no reports of orders and positions: {error}"
            self._log.error(self.unreported)
            status = None
        finally:
            self._applied, self._look = self._look, None
        if status is None:
            self.events.resume()
            return None
        return status

    def _check_siblings(self, look: _Look) -> None:
        """Refuse what two accounts hold and no strategy explains: the node would have it once.

        Raises
        ------
        SharedPositionError
            If there is such an instrument.

        """
        self.unexplained = {
            listing.id
            for one in look.positions
            if one.position and (listing := self.link.listings.by_con_id(one.contract.con_id))
            and self._believed(listing.id) != one.position
        }  # fmt: skip
        for other in self.siblings():
            for instrument_id in sorted(self.unexplained & other.unexplained, key=str):
                raise SharedPositionError(
                    f"{instrument_id} is held by {self.account_id} too:"
                    f" {ONE_POSITION.format(other=other.account_id)}"
                )

    def mend(self) -> None:
        """Report positions, now that orders and fills are applied.

        They are no part of the mass status: where today's fills do not explain a position, nautilus
        would put made-up fills in the place of an instrument's orders, the open ones included.
        """
        look, self._applied = self._applied, None
        reports = [] if look is None else self._position_reports(look.positions, None)
        for report in reports:
            self._send_position_status_report(report)
            self._insist(report)
        self._wanted = {one.instrument_id: one.signed_decimal_qty for one in reports}
        for other in self.siblings():
            other.verify()

    def verify(self) -> None:
        """See that the positions are still there, when those of another account were reported."""
        for instrument_id, wanted in self._wanted.items():
            held = self._believed(instrument_id)
            if held != wanted:
                self._log.error(
                    f"{instrument_id}: the position was {wanted} and is {held} in the node since"
                    " another account reported one: nautilus_trader has one position of an"
                    " instrument and a strategy"
                )

    def _insist(self, report: PositionStatusReport) -> None:
        """See that a report had its effect; go a way round if it had none.

        nautilus takes the difference for a filled order of that size and price, if the cache has
        one, and changes nothing. By way of a quantity that no order has it is made to.
        """
        wanted = report.signed_decimal_qty
        held = self._believed(report.instrument_id)
        if held == wanted:
            return
        orders = self._cache.orders(instrument_id=report.instrument_id)
        sizes = {order.filled_qty.as_decimal() for order in orders}
        between = detour(held, wanted, sizes)
        for quantity in (between, wanted):
            self._send_position_status_report(resized(report, quantity))
        held = self._believed(report.instrument_id)
        text = f"{report.instrument_id}: the position is {wanted} at IB and {held} in the node"
        if held == wanted:
            self._log.warning(f"{text}, by way of {between}: the report alone had no effect")
        else:
            self._log.error(f"{text}: reports have no effect")

    def _believed(self, instrument_id: InstrumentId) -> Decimal:
        """Return the position that the node believes in, over all strategies."""
        positions = self._cache.positions_open(
            instrument_id=instrument_id, account_id=self.account_id
        )
        return sum((one.signed_decimal_qty() for one in positions), _ZERO)

    async def _coherent_look(self, *, required: bool) -> _Look:
        """Return orders, executions and positions between which nothing was filled.

        With `required` a position in a contract that IB does not know is an error.
        """
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
        await self._load([one.contract for one in mine if one.position], required=required)
        await self._load(
            [fill.contract for fill in fills if fill.contract.sec_type != BAG], required=False
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

    async def _looked(self) -> _Look:
        if self._look is not None:
            return self._look
        await self._await_told()
        return await self._coherent_look(required=False)

    def _found(self, look: _Look) -> list[Found]:
        """Return all orders by their permanent ids."""
        found: dict[int, Found] = {}
        for one in look.done:
            order = found_when_done(one)
            if order is not None and one.order.account in {"", self.account}:
                found[order.perm_id] = order
        for view in look.views:
            order = found_in_book(view)
            before = found.get(view.perm_id)
            if order is not None:
                # A gateway names the legs of a combination in some messages only.
                bare = before is not None and not order.contract.legs
                found[order.perm_id] = replace(order, contract=before.contract) if bare else order  # type: ignore[union-attr]
            elif before is not None and view.filled:
                found[view.perm_id] = replace(
                    before,
                    client_id=view.client_id,
                    average=Decimal(repr(view.average_price)),
                    filled=max(before.filled, view.filled),
                )
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
        if not ref or found.client_id not in {None, self._ib.config.client_id}:
            return None
        identity = ClientOrderId(ref)
        if refs.get(ref, 0) > 1 or identity in self._disowned:
            return None
        order = self._cache.order(identity)
        if order is None:
            return identity if found.client_id is not None else None
        other = order.venue_order_id
        is_it = other is None or other.value == str(found.perm_id)
        return identity if is_it and side_of(found.order.action) == order.side else None

    def _identities(self, found: Sequence[Found]) -> dict[int, ClientOrderId | None]:
        refs: dict[str, int] = {}
        for one in found:
            if one.client_id in {None, self._ib.config.client_id}:
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
            return []  # see `mend`
        await self._await_told()
        every = await self._ib.account.positions()
        rows = tuple(one for one in every if one.account == self._account)
        await self._load([one.contract for one in rows if one.position], required=False)
        return self._position_reports(rows, command.instrument_id)

    def _position_reports(
        self, rows: Iterable[Position], instrument_id: InstrumentId | None
    ) -> list[PositionStatusReport]:
        reports: dict[InstrumentId, PositionStatusReport] = {}
        for one in rows:
            listing = self.link.listings.by_con_id(one.contract.con_id)
            if listing is not None and instrument_id in {None, listing.id}:
                reports[listing.id] = position_report(
                    listing, one.position, one.average_cost, account_id=self.account_id,
                    now=self.now,
                )  # fmt: skip
        believed = {
            position.instrument_id
            for position in self._cache.positions_open(
                instrument_id=instrument_id, account_id=self.account_id
            )
        }
        if instrument_id is not None:
            believed.add(instrument_id)
        for flat_id in believed - set(reports):
            listing = self._flat_listing(flat_id)
            if listing is not None:
                reports[flat_id] = flat_report(listing, account_id=self.account_id, now=self.now)
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


def _within(ts: int, command: GenerateOrderStatusReports | GenerateFillReports) -> bool:
    """Whether an instant lies in the span that a command asks for."""
    start, end = command.start, command.end
    return (start is None or ts >= start.value) and (end is None or ts <= end.value)
