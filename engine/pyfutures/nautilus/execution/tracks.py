"""What the node was told of an order, and how often what should not happen did."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.enums import OrderStatus, OrderType

from pyfutures.ib.orders import OrderPhase
from pyfutures.nautilus.spreads import SpreadFills

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.model.orders import Order

    from pyfutures.ib.clock import Timer
    from pyfutures.ib.orders import Fill
    from pyfutures.nautilus.contracts.listings import Listing

__all__ = ["Counts", "Track", "tracked"]

_ZERO: Final = Decimal(0)
_UNTOLD: Final = frozenset({OrderStatus.INITIALIZED, OrderStatus.SUBMITTED, OrderStatus.RELEASED})


@dataclass(slots=True)
class Counts:
    """How often what should not happen did."""

    fills: int = 0
    late_commissions: int = 0
    missing_commissions: int = 0
    corrections: int = 0
    external_orders: int = 0
    rejections: int = 0
    margin_rejections: int = 0
    broker_cancels: int = 0
    inactive: int = 0
    lost: int = 0
    revived: int = 0
    legs_without_whole: int = 0


@dataclass(slots=True, eq=False)
class Track:
    """What the node was told of one order."""

    key: int
    order: Order
    listing: Listing
    is_accepted: bool = False
    is_over: bool = False
    is_changing: bool = False
    is_cancelling: bool = False
    phase: OrderPhase = OrderPhase.SENT
    filled: Decimal = _ZERO
    told: tuple[object, ...] = ()
    held: dict[str, tuple[Fill, Timer]] = field(default_factory=dict)
    spread: SpreadFills | None = None
    ending: Callable[[], None] | None = None

    @property
    def name(self) -> tuple[object, object, object]:
        """Strategy, instrument and client order id, as events begin."""
        return self.order.strategy_id, self.order.instrument_id, self.order.client_order_id


def tracked(key: int, order: Order, listing: Listing) -> Track:
    """Return the track of an order that begins now."""
    spread = None
    if listing.legs:
        first, second = listing.legs
        spread = SpreadFills(first.con_id, second.con_id)
    return Track(
        key, order, listing,
        is_accepted=order.status not in _UNTOLD,
        is_over=order.is_closed,
        is_cancelling=order.status == OrderStatus.PENDING_CANCEL,
        is_changing=order.status == OrderStatus.PENDING_UPDATE,
        filled=order.filled_qty.as_decimal(),
        told=_terms_of(order), spread=spread,
    )  # fmt: skip


def _terms_of(order: Order) -> tuple[object, ...]:
    price = order.price if order.has_price and order.order_type != OrderType.MARKET else None
    trigger = order.trigger_price if order.has_trigger_price else None
    return (order.quantity, price, trigger)
