"""Reports for reconciliation: what IB says of orders, fills and positions, in nautilus' words.

Rules of this file. A venue order id is IB's permanent id: order ids start over, permanent ids do
not. A trade id is the execution id of the first telling: a correction replaces a fill and is not
another. An average price is the average cost by the multiplier.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import (
    FillReport,
    OrderStatusReport,
    PositionStatusReport,
)
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TriggerType,
)
from nautilus_trader.model.identifiers import ClientOrderId, TradeId, VenueOrderId
from nautilus_trader.model.objects import Currency, Money, Quantity

from pyfutures.ib.masking import masked
from pyfutures.ib.orders import OrderPhase, split_exec_id
from pyfutures.ib.record import is_buy
from pyfutures.ib.times import TimeError, instant
from pyfutures.nautilus.execution.orders import reported_terms

if TYPE_CHECKING:
    from collections.abc import Collection

    from nautilus_trader.model.identifiers import AccountId
    from nautilus_trader.model.orders import Order

    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.messages.order import Order as IbOrder
    from pyfutures.ib.messages.orders import CompletedOrder
    from pyfutures.ib.orders import Fill, OrderView
    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.execution.orders import ReportedTerms

__all__ = [
    "Found",
    "commission_of",
    "detour",
    "fill_report",
    "flat_report",
    "found_in_book",
    "found_when_done",
    "gone_report",
    "instant_ns",
    "liquidity_of",
    "order_report",
    "position_report",
    "resized",
    "side_of",
    "trade_id",
    "venue_id",
]

_NS: Final = 10**9
_ZERO: Final = Decimal(0)
_LIQUIDITY: Final = {1: LiquiditySide.MAKER, 2: LiquiditySide.TAKER}
_PHASES: Final = {
    OrderPhase.FILLED: OrderStatus.FILLED,
    OrderPhase.CANCELLED: OrderStatus.CANCELED,
    OrderPhase.REJECTED: OrderStatus.REJECTED,
}
_DONE: Final = {
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELED,
    "ApiCancelled": OrderStatus.CANCELED,
    "Inactive": OrderStatus.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Found:
    """An order as IB tells it, whoever placed it.

    `client_id` is None where IB does not say: of completed orders it names none.
    """

    perm_id: int
    client_id: int | None
    contract: Contract
    order: IbOrder
    status: OrderStatus
    filled: Decimal
    average: Decimal | None
    ended: str = ""
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.status in {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}


def found_in_book(view: OrderView) -> Found | None:
    """Return an order of the client's book; None if the gateway knows nothing of it."""
    if not view.perm_id or not view.order.type or view.phase is OrderPhase.LOST:
        return None
    filled = max(view.filled, view.reported)
    status = _PHASES.get(view.phase)
    if status is None:
        status = OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED
    average = Decimal(repr(view.average_price)) if view.filled else None
    return Found(
        view.perm_id, view.client_id, view.contract, view.order, status, filled, average,
        reason=view.error or view.status,
    )  # fmt: skip


def found_when_done(completed: CompletedOrder) -> Found | None:
    """Return a completed order; None if what became of it is not told."""
    order, state = completed.order, completed.state
    status = _DONE.get(state.status or state.completed_status.partition(" ")[0])
    if status is None or not order.perm_id:
        return None
    filled = order.filled_quantity or _ZERO
    return Found(
        order.perm_id, None, completed.contract, order, status, filled, None,
        state.completed_time, state.completed_status,
    )  # fmt: skip


def instant_ns(text: str, *, login_zone: str | None, default: int) -> int:
    """Return an instant that the gateway spells, UTC nanoseconds; the default if it cannot be."""
    try:
        return int(instant(text, login_zone=login_zone).timestamp()) * _NS
    except TimeError:
        return default


def side_of(text: str) -> OrderSide:
    """Return the side of ``BUY``, ``BOT``, ``SELL``, ``SLD``."""
    return OrderSide.BUY if is_buy(text) else OrderSide.SELL


def trade_id(exec_id: str) -> TradeId:
    """Return the trade id of an execution: its id as it was before corrections."""
    base, number = split_exec_id(exec_id)
    return TradeId(exec_id if number == 0 and base == exec_id else f"{base}.01")


def venue_id(perm_id: int) -> VenueOrderId | None:
    """Return the venue order id of a permanent id, None while IB has told none."""
    return VenueOrderId(str(perm_id)) if perm_id else None


def liquidity_of(code: int) -> LiquiditySide:
    """Return whether liquidity was added or removed, as far as IB says."""
    return _LIQUIDITY.get(code, LiquiditySide.NO_LIQUIDITY_SIDE)


def commission_of(fill: Fill, listing: Listing) -> Money | None:
    """Return the commission of a fill, None while it is not known."""
    report = fill.commission
    if report is None or report.commission is None:
        return None
    currency = report.currency or listing.instrument.quote_currency.code
    return Money(Decimal(repr(report.commission)), Currency.from_str(currency))


def order_report(  # noqa: PLR0913 - what a report is of
    found: Found,
    listing: Listing,
    *,
    account_id: AccountId,
    client_order_id: ClientOrderId | None,
    now: int,
    login_zone: str | None = None,
) -> OrderStatusReport:
    """Return the report of an order.

    Raises
    ------
    UnsupportedOrderError
        For an order that nautilus has no word for.

    """
    terms, instrument = reported_terms(found.order, listing.scale), listing.instrument
    ended = instant_ns(found.ended, login_zone=login_zone, default=now) if found.ended else now
    quantity = max(found.order.quantity, found.filled)
    average = None if found.average is None else listing.scale.value(found.average)
    return OrderStatusReport(
        account_id=account_id,
        instrument_id=listing.id,
        venue_order_id=VenueOrderId(str(found.perm_id)),
        order_side=terms.side,
        order_type=_settled_type(terms),
        time_in_force=terms.tif,
        order_status=found.status,
        quantity=instrument.make_qty(quantity),
        filled_qty=instrument.make_qty(found.filled),
        report_id=UUID4(),
        ts_accepted=ended,
        ts_last=ended,
        ts_init=now,
        client_order_id=client_order_id,
        expire_time=terms.expire_time,
        price=terms.price,
        trigger_price=terms.trigger_price,
        trigger_type=terms.trigger_type or TriggerType.NO_TRIGGER,
        limit_offset=terms.limit_offset,
        trailing_offset=terms.trailing_offset,
        trailing_offset_type=terms.trailing_offset_type,
        avg_px=average,
        display_qty=instrument.make_qty(terms.display_qty) if terms.display_qty else None,
        cancel_reason=masked(found.reason) or None,
    )


def _settled_type(terms: ReportedTerms) -> OrderType:
    """Return the type of an order that stands; nautilus can fill no market-to-limit one anew."""
    if terms.type != OrderType.MARKET_TO_LIMIT:
        return terms.type
    return OrderType.MARKET if terms.price is None else OrderType.LIMIT


def gone_report(order: Order, *, account_id: AccountId, now: int) -> OrderStatusReport:
    """Return the report of an order that the node believes open and IB knows nothing of."""
    was_accepted = order.venue_order_id is not None
    return OrderStatusReport(
        account_id=account_id,
        instrument_id=order.instrument_id,
        venue_order_id=order.venue_order_id or VenueOrderId(f"GONE-{order.client_order_id}"),
        order_side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        order_status=OrderStatus.CANCELED if was_accepted else OrderStatus.REJECTED,
        quantity=order.quantity,
        filled_qty=order.filled_qty,
        report_id=UUID4(),
        ts_accepted=now,
        ts_last=now,
        ts_init=now,
        client_order_id=order.client_order_id,
        price=order.price if order.has_price else None,
        trigger_price=order.trigger_price if order.has_trigger_price else None,
        avg_px=None if order.avg_px is None else Decimal(str(order.avg_px)),
        cancel_reason="IB knows nothing of it",
    )


def fill_report(  # noqa: PLR0913 - what a report is of
    fill: Fill,
    listing: Listing,
    *,
    account_id: AccountId,
    client_order_id: ClientOrderId | None,
    now: int,
    login_zone: str | None = None,
) -> FillReport:
    """Return the report of a fill; a commission that is not known is zero."""
    execution, instrument = fill.execution, listing.instrument
    commission = commission_of(fill, listing)
    return FillReport(
        account_id=account_id,
        instrument_id=listing.id,
        venue_order_id=VenueOrderId(str(execution.perm_id)),
        trade_id=trade_id(execution.exec_id),
        order_side=side_of(execution.side),
        last_qty=instrument.make_qty(execution.shares),
        last_px=listing.scale.price(execution.price),
        commission=commission or Money(0, instrument.quote_currency),
        liquidity_side=liquidity_of(execution.last_liquidity),
        report_id=UUID4(),
        ts_event=instant_ns(execution.time, login_zone=login_zone, default=now),
        ts_init=now,
        client_order_id=client_order_id,
    )


def position_report(
    listing: Listing, position: Decimal, average_cost: float, *, account_id: AccountId, now: int
) -> PositionStatusReport:
    """Return the report of a position, its average price being the cost by the multiplier."""
    if not position:
        return flat_report(listing, account_id=account_id, now=now)
    return PositionStatusReport(
        account_id=account_id,
        instrument_id=listing.id,
        position_side=PositionSide.LONG if position > 0 else PositionSide.SHORT,
        quantity=listing.instrument.make_qty(abs(position)),
        report_id=UUID4(),
        ts_last=now,
        ts_init=now,
        avg_px_open=listing.scale.average(average_cost),
    )


def flat_report(listing: Listing, *, account_id: AccountId, now: int) -> PositionStatusReport:
    """Return the report that nothing is held."""
    return PositionStatusReport.create_flat(
        account_id, listing.id, listing.instrument.size_precision, now
    )


def resized(report: PositionStatusReport, position: Decimal) -> PositionStatusReport:
    """Return the report of another position at the same average price."""
    side = PositionSide.LONG if position > 0 else PositionSide.SHORT
    return PositionStatusReport(
        account_id=report.account_id,
        instrument_id=report.instrument_id,
        position_side=side if position else PositionSide.FLAT,
        quantity=Quantity(abs(position), report.quantity.precision),
        report_id=UUID4(),
        ts_last=report.ts_last,
        ts_init=report.ts_init,
        avg_px_open=report.avg_px_open,
    )


def detour(held: Decimal, wanted: Decimal, sizes: Collection[Decimal]) -> Decimal:
    """Return a position from which neither what is held nor what is wanted is `sizes` away.

    It lies beyond what is wanted, or held, on the same side of zero.
    """
    base = wanted or held
    step = Decimal(1 if base > 0 else -1)
    found = base + step
    while found == held or abs(found - held) in sizes or abs(wanted - found) in sizes:
        found += step
    return found
