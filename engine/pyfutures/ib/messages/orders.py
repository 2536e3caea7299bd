"""Orders: place, cancel, ask; open, where they stand, completed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - for get_type_hints
from typing import Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import BOOL, DECIMAL, FLOAT, INT, INT_OR_SPELLED, TEXT
from pyfutures.ib.layout import Const, Field, Layout
from pyfutures.ib.messages.base import Request, Response
from pyfutures.ib.messages.contracts import PARTS, Contract
from pyfutures.ib.messages.order import Order, OrderState
from pyfutures.ib.messages.order_layouts import (
    COMPLETED_ORDER,
    OPEN_ORDER,
    PLACE_ORDER,
    RFQ_INT,
    RFQ_TEXT,
)

__all__ = [
    "CancelOrder",
    "CompletedOrder",
    "CompletedOrdersEnd",
    "GlobalCancel",
    "OpenOrder",
    "OpenOrderEnd",
    "OrderBound",
    "OrderStatus",
    "PlaceOrder",
    "RequestAllOpenOrders",
    "RequestAutoOpenOrders",
    "RequestCompletedOrders",
    "RequestOpenOrders",
]


@dataclass(frozen=True, slots=True)
class PlaceOrder(Request):
    """Place an order, or modify the one with this id."""

    order_id: int
    contract: Contract
    order: Order


@dataclass(frozen=True, slots=True)
class CancelOrder(Request):
    """Cancel an order."""

    order_id: int
    manual_time: str = ""
    ext_operator: str = ""
    manual_order_indicator: int | None = None


@dataclass(frozen=True, slots=True)
class GlobalCancel(Request):
    """Cancel all orders of the login, whoever placed them."""

    ext_operator: str = ""
    manual_order_indicator: int | None = None


@dataclass(frozen=True, slots=True)
class RequestOpenOrders(Request):
    """Ask for the open orders of this client id."""


@dataclass(frozen=True, slots=True)
class RequestAllOpenOrders(Request):
    """Ask for the open orders of all client ids."""


@dataclass(frozen=True, slots=True)
class RequestAutoOpenOrders(Request):
    """Bind orders made by hand to this client; client id 0 only."""

    bind: bool = True


@dataclass(frozen=True, slots=True)
class RequestCompletedOrders(Request):
    """Ask for orders that are done."""

    api_only: bool = False


@dataclass(frozen=True, slots=True)
class OpenOrder(Response):
    """An order that is open, or with `order.what_if` what it would cost."""

    order_id: int
    contract: Contract
    order: Order
    state: OrderState


@dataclass(frozen=True, slots=True)
class OpenOrderEnd(Response):
    """All open orders asked for have been sent."""


@dataclass(frozen=True, slots=True)
class OrderStatus(Response):
    """Where an order stands. May come twice, or not at all for a fast market order."""

    order_id: int
    status: str
    filled: Decimal
    remaining: Decimal
    average_price: float
    perm_id: int
    parent_id: int
    last_price: float
    client_id: int
    why_held: str = ""
    cap_price: float = 0.0


@dataclass(frozen=True, slots=True)
class OrderBound(Response):
    """An order made elsewhere got an id for this client."""

    perm_id: int
    client_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class CompletedOrder(Response):
    """An order that is done."""

    contract: Contract
    order: Order
    state: OrderState


@dataclass(frozen=True, slots=True)
class CompletedOrdersEnd(Response):
    """All completed orders asked for have been sent."""


_ID: Final = Field("request_id", INT)
_ORDER_ID: Final = Field("order_id", INT)
_V1: Final = Const("1")
_ORDER_PARTS: Final = {**PARTS, "order": Order}
_STATE_PARTS: Final = {**_ORDER_PARTS, "state": OrderState}
_INDICATOR: Final = Field("manual_order_indicator", INT_OR_SPELLED, since=sv.CME_TAGGING)
_OPERATOR: Final = Field("ext_operator", TEXT, since=sv.CME_TAGGING)

REQUESTS: Final = (
    Layout(PlaceOrder, 3, PLACE_ORDER, _ORDER_PARTS),
    Layout(
        CancelOrder,
        4,
        (
            Const("1", before=sv.CME_TAGGING),
            _ORDER_ID,
            Field("manual_time", TEXT, since=sv.MANUAL_ORDER_TIME),
            RFQ_TEXT,
            RFQ_TEXT,
            RFQ_INT,
            _OPERATOR,
            _INDICATOR,
        ),
    ),
    Layout(GlobalCancel, 58, (Const("1", before=sv.CME_TAGGING), _OPERATOR, _INDICATOR)),
    Layout(RequestOpenOrders, 5, (_V1,)),
    Layout(RequestAllOpenOrders, 16, (_V1,)),
    Layout(RequestAutoOpenOrders, 15, (_V1, Field("bind", BOOL))),
    Layout(RequestCompletedOrders, 99, (Field("api_only", BOOL),)),
)

RESPONSES: Final = (
    Layout(OpenOrder, 5, OPEN_ORDER, _STATE_PARTS),
    Layout(OpenOrderEnd, 53, (_V1,)),
    Layout(
        OrderStatus,
        3,
        (
            _ORDER_ID,
            Field("status", TEXT),
            Field("filled", DECIMAL),
            Field("remaining", DECIMAL),
            Field("average_price", FLOAT),
            Field("perm_id", INT),
            Field("parent_id", INT),
            Field("last_price", FLOAT),
            Field("client_id", INT),
            Field("why_held", TEXT),
            Field("cap_price", FLOAT),
        ),
    ),
    Layout(OrderBound, 100, (Field("perm_id", INT), Field("client_id", INT), _ORDER_ID)),
    Layout(CompletedOrder, 101, COMPLETED_ORDER, _STATE_PARTS),
    Layout(CompletedOrdersEnd, 102, ()),
)
