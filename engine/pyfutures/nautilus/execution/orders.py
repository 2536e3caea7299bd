"""Orders of nautilus as IB takes them, and back.

Rules of this file. What IB cannot do is refused with the reason, never sent as something like it.
Prices are in currency inside and in IB's quotes outside; offsets are differences of prices and are
scaled alike. The client order id travels in `order_ref`, the account in every order.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from nautilus_trader.model.enums import (
    OrderSide,
    OrderType,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)

from pyfutures.ib.messages.order import Order as IbOrder
from pyfutures.ib.order_forms import OcaType
from pyfutures.ib.times import TimeError, format_utc, instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nautilus_trader.model.objects import Price, Quantity
    from nautilus_trader.model.orders import Order

    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.prices import PriceScale

__all__ = [
    "PARAMS",
    "ReportedTerms",
    "UnsupportedOrderError",
    "ib_order",
    "modified",
    "reported_terms",
]

_TYPES: Final = {
    OrderType.MARKET: "MKT",
    OrderType.LIMIT: "LMT",
    OrderType.STOP_MARKET: "STP",
    OrderType.STOP_LIMIT: "STP LMT",
    OrderType.MARKET_TO_LIMIT: "MTL",
    OrderType.MARKET_IF_TOUCHED: "MIT",
    OrderType.LIMIT_IF_TOUCHED: "LIT",
    OrderType.TRAILING_STOP_MARKET: "TRAIL",
    OrderType.TRAILING_STOP_LIMIT: "TRAIL LIMIT",
}
_AT_THE_CLOSE: Final = {OrderType.MARKET: "MOC", OrderType.LIMIT: "LOC"}
_AT_THE_OPEN: Final = frozenset({OrderType.MARKET, OrderType.LIMIT})
_TIFS: Final = {
    TimeInForce.DAY: "DAY",
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTD: "GTD",
    TimeInForce.AT_THE_OPEN: "OPG",
    TimeInForce.AT_THE_CLOSE: "DAY",
}
#: What makes a stop trigger (https://interactivebrokers.github.io/tws-api/trigger_method_limit.html).
_TRIGGERS: Final = {
    TriggerType.NO_TRIGGER: 0,
    TriggerType.DEFAULT: 0,
    TriggerType.DOUBLE_BID_ASK: 1,
    TriggerType.LAST_PRICE: 2,
    TriggerType.DOUBLE_LAST: 3,
    TriggerType.BID_ASK: 4,
    TriggerType.LAST_OR_BID_ASK: 7,
    TriggerType.MID_POINT: 8,
}
_LIMITED: Final = frozenset(
    {
        OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED,
        OrderType.TRAILING_STOP_LIMIT,
    }
)  # fmt: skip
_TRAILING: Final = frozenset({OrderType.TRAILING_STOP_MARKET, OrderType.TRAILING_STOP_LIMIT})
_TRIGGERED: Final = frozenset(
    {
        OrderType.STOP_MARKET, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED,
        OrderType.LIMIT_IF_TOUCHED,
    }
)  # fmt: skip
_ORDER_TYPES: Final = {
    **{name: kind for kind, name in _TYPES.items()},
    "STPLMT": OrderType.STOP_LIMIT,
    "TRAILLMT": OrderType.TRAILING_STOP_LIMIT,
    "MOC": OrderType.MARKET,
    "LOC": OrderType.LIMIT,
}
_TIMES_IN_FORCE: Final = {
    "DAY": TimeInForce.DAY,
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "GTD": TimeInForce.GTD,
    "OPG": TimeInForce.AT_THE_OPEN,
}
#: What `params` of a submitted order may say, and what type it is.
PARAMS: Final[Mapping[str, type]] = {
    "outside_rth": bool,
    "all_or_none": bool,
    "min_quantity": int,
    "good_after": dt.datetime,
    "oca_group": str,
    "oca_type": int,
}
_HUNDRED: Final = Decimal(100)


class UnsupportedOrderError(ValueError):
    """An order that IB cannot take as it is meant."""


def ib_order(
    order: Order, listing: Listing, *, account: str, params: Mapping[str, Any] | None = None
) -> IbOrder:
    """Return an order as IB takes it.

    Parameters
    ----------
    order
        The order.
    listing
        Its instrument.
    account
        The account it is for.
    params
        More that IB can do: see `PARAMS`. `outside_rth` is true unless said otherwise, so that
        stops trigger in all hours of the exchange.

    Raises
    ------
    UnsupportedOrderError
        For what IB does not have.

    """
    _check(order)
    said = _params(params)
    wire = IbOrder(
        action="BUY" if order.side == OrderSide.BUY else "SELL",
        quantity=order.quantity.as_decimal(),
        type=_type(order),
        tif=_TIFS[order.time_in_force],
        account=account,
        order_ref=order.client_order_id.value,
        outside_rth=said.get("outside_rth", True),
        all_or_none=said.get("all_or_none", False),
        min_quantity=said.get("min_quantity"),
        good_after=_utc("good_after", said["good_after"]) if "good_after" in said else "",
        oca_group=said.get("oca_group", ""),
        oca_type=said.get("oca_type", OcaType.CANCEL_WITH_BLOCK) if "oca_group" in said else 0,
    )
    wire = _priced(wire, order, listing.scale)
    if order.time_in_force == TimeInForce.GTD:
        wire = replace(wire, good_till=_utc("expire_time", order.expire_time))
    display = getattr(order, "display_qty", None)
    if display is not None:
        wire = replace(wire, display_size=int(display))
    return wire


def _check(order: Order) -> None:
    if order.is_quote_quantity:
        raise UnsupportedOrderError("quote_quantity: IB takes futures by number of contracts")
    if order.is_post_only:
        raise UnsupportedOrderError(
            "post_only: IB has no such instruction for futures; a limit behind the market rests"
        )


def _params(params: Mapping[str, Any] | None) -> Mapping[str, Any]:
    for name, value in (params or {}).items():
        kind = PARAMS.get(name)
        if kind is None:
            raise UnsupportedOrderError(f"param {name!r}: known are {', '.join(sorted(PARAMS))}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise UnsupportedOrderError(f"param {name} {value!r}: must be {kind.__name__}")
    return params or {}


def _type(order: Order) -> str:
    kind, tif = order.order_type, order.time_in_force
    if tif == TimeInForce.AT_THE_CLOSE:
        if kind not in _AT_THE_CLOSE:
            raise UnsupportedOrderError(
                f"{kind.name} at the close: IB has market (MOC) and limit (LOC) there"
            )
        return _AT_THE_CLOSE[kind]
    if tif == TimeInForce.AT_THE_OPEN and kind not in _AT_THE_OPEN:
        raise UnsupportedOrderError(f"{kind.name} at the open: IB has market and limit there")
    return _TYPES[kind]


def _utc(name: str, moment: dt.datetime) -> str:
    # The form with a dash is UTC whatever zone the gateway was logged in with.
    try:
        return format_utc(moment)
    except TimeError as error:
        raise UnsupportedOrderError(f"{name}: {error}") from None


def _quoted(scale: PriceScale, price: Price | None) -> float | None:
    return None if price is None else float(scale.quoted(price))


def _priced(wire: IbOrder, order: Order, scale: PriceScale) -> IbOrder:
    kind = order.order_type
    if kind in _TRAILING:
        return _trailing(wire, order, scale)
    if kind in _LIMITED:
        wire = replace(wire, limit_price=_quoted(scale, order.price))
    if kind in _TRIGGERED:
        wire = replace(
            wire,
            aux_price=_quoted(scale, order.trigger_price),
            trigger_method=_trigger(order.trigger_type),
        )
    return wire


def _trigger(trigger: TriggerType) -> int:
    if trigger not in _TRIGGERS:
        raise UnsupportedOrderError(f"trigger {trigger.name}: IB does not have it")
    return _TRIGGERS[trigger]


def _trailing(wire: IbOrder, order: Order, scale: PriceScale) -> IbOrder:
    kind = order.trailing_offset_type
    if getattr(order, "activation_price", None) is not None:
        raise UnsupportedOrderError(
            "activation_price: a trailing stop of IB follows at once; give trigger_price"
        )
    wire = replace(
        wire,
        trail_stop_price=_quoted(scale, order.trigger_price),
        trigger_method=_trigger(order.trigger_type),
    )
    if kind == TrailingOffsetType.BASIS_POINTS:
        wire = replace(wire, trailing_percent=float(order.trailing_offset / _HUNDRED))
    else:
        wire = replace(wire, aux_price=_offset(order.trailing_offset, kind, scale))
    if order.order_type != OrderType.TRAILING_STOP_LIMIT:
        return wire
    # IB takes the offset or the price of the limit, not both; the offset is what follows.
    return replace(wire, limit_price_offset=_offset(order.limit_offset, kind, scale))


def _offset(value: Decimal, kind: TrailingOffsetType, scale: PriceScale) -> float:
    if kind == TrailingOffsetType.PRICE:
        return float(value * scale.magnifier)
    if kind == TrailingOffsetType.TICKS:
        return float(value * scale.increment * scale.magnifier)
    raise UnsupportedOrderError(
        f"offset in {kind.name}: IB has PRICE and, for what trails, BASIS_POINTS"
    )


def modified(  # noqa: PLR0913 - what can change
    wire: IbOrder,
    order: Order,
    scale: PriceScale,
    *,
    quantity: Quantity | None = None,
    price: Price | None = None,
    trigger_price: Price | None = None,
) -> IbOrder:
    """Return an order to be sent anew with another quantity or other prices.

    Parameters
    ----------
    wire
        The order as IB has it.
    order
        The same order inside.
    scale
        How its prices are read.
    quantity, price, trigger_price
        What changes; None for what stays.

    Raises
    ------
    UnsupportedOrderError
        For a price that the order's type does not have.

    """
    kind = order.order_type
    if quantity is not None:
        wire = replace(wire, quantity=quantity.as_decimal())
    if price is not None:
        if kind not in _LIMITED or kind == OrderType.TRAILING_STOP_LIMIT:
            raise UnsupportedOrderError(f"price {price}: {kind.name} has no limit of its own")
        wire = replace(wire, limit_price=_quoted(scale, price))
    if trigger_price is not None:
        if kind in _TRIGGERED:
            wire = replace(wire, aux_price=_quoted(scale, trigger_price))
        elif kind in _TRAILING:
            wire = replace(wire, trail_stop_price=_quoted(scale, trigger_price))
        else:
            raise UnsupportedOrderError(f"trigger_price {trigger_price}: {kind.name} has none")
    return replace(wire, what_if=False, transmit=True)


class ReportedTerms:
    """What an order of IB means inside.

    Parameters
    ----------
    wire
        The order.
    scale
        How its prices are read.

    Raises
    ------
    UnsupportedOrderError
        For an order type or a time in force that nautilus does not have.

    """

    def __init__(self, wire: IbOrder, scale: PriceScale) -> None:
        kind = _ORDER_TYPES.get(wire.type)
        tif = _TIMES_IN_FORCE.get(wire.tif or "DAY")
        if kind is None or tif is None:
            raise UnsupportedOrderError(
                f"order type {wire.type!r}, time in force {wire.tif!r}: nautilus does not have it"
            )
        if wire.type in {"MOC", "LOC"}:
            tif = TimeInForce.AT_THE_CLOSE
        self.type: OrderType = kind
        self.tif: TimeInForce = tif
        self.side: OrderSide = OrderSide.BUY if wire.action == "BUY" else OrderSide.SELL
        self.price: Price | None = None
        self.trigger_price: Price | None = None
        self.trigger_type: TriggerType | None = None
        self.limit_offset: Decimal | None = None
        self.trailing_offset: Decimal | None = None
        self.trailing_offset_type: TrailingOffsetType | None = None
        self.expire_time: dt.datetime | None = None
        self.display_qty: int | None = wire.display_size or None
        if tif == TimeInForce.GTD and wire.good_till:
            self.expire_time = instant(wire.good_till)
        self._read_prices(wire, scale)

    def _read_prices(self, wire: IbOrder, scale: PriceScale) -> None:
        kind = self.type
        if kind in _TRIGGERED or kind in _TRAILING:
            numbers = {number: trigger for trigger, number in reversed(_TRIGGERS.items())}
            trigger = numbers.get(wire.trigger_method, TriggerType.DEFAULT)
            self.trigger_type = TriggerType.DEFAULT if not wire.trigger_method else trigger
        if kind in _LIMITED and wire.limit_price is not None and kind not in _TRAILING:
            self.price = scale.price(wire.limit_price)
        if kind in _TRIGGERED and wire.aux_price is not None:
            self.trigger_price = scale.price(wire.aux_price)
        if kind not in _TRAILING:
            return
        if wire.trail_stop_price is not None:
            self.trigger_price = scale.price(wire.trail_stop_price)
        if wire.trailing_percent is not None:
            self.trailing_offset = Decimal(repr(wire.trailing_percent)) * _HUNDRED
            self.trailing_offset_type = TrailingOffsetType.BASIS_POINTS
        else:
            self.trailing_offset = scale.value(wire.aux_price or 0.0)
            self.trailing_offset_type = TrailingOffsetType.PRICE
        if kind == OrderType.TRAILING_STOP_LIMIT:
            self.limit_offset = scale.value(wire.limit_price_offset or 0.0)


def reported_terms(wire: IbOrder, scale: PriceScale) -> ReportedTerms:
    """Return what an order of IB means inside.

    Raises
    ------
    UnsupportedOrderError
        For an order type or a time in force that nautilus does not have.

    """
    return ReportedTerms(wire, scale)
