"""Orders as people say them: the common kinds, brackets, one-cancels-all, good till a date."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from pyfutures.ib.messages.order import Order
from pyfutures.ib.times import format_utc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

__all__ = [
    "Action",
    "OcaType",
    "as_bracket",
    "as_oca",
    "good_till",
    "limit_order",
    "market_order",
    "stop_limit_order",
    "stop_order",
    "trailing_stop_order",
]


class Action(StrEnum):
    """Which way."""

    BUY = "BUY"
    SELL = "SELL"


class OcaType(IntEnum):
    """What happens to the others when one of a group is filled."""

    CANCEL_WITH_BLOCK = 1
    REDUCE_WITH_BLOCK = 2
    REDUCE_WITHOUT_BLOCK = 3


def market_order(action: Action, quantity: int | Decimal) -> Order:
    """Return an order at the market, for the day."""
    return Order(action=action, quantity=Decimal(quantity), type="MKT", tif="DAY")


def limit_order(action: Action, quantity: int | Decimal, price: float) -> Order:
    """Return an order with a limit, for the day. Prices are IB's quotes."""
    return Order(
        action=action, quantity=Decimal(quantity), type="LMT", limit_price=price, tif="DAY"
    )


def stop_order(action: Action, quantity: int | Decimal, stop: float) -> Order:
    """Return an order at the market once `stop` is reached, for the day."""
    return Order(action=action, quantity=Decimal(quantity), type="STP", aux_price=stop, tif="DAY")


def stop_limit_order(
    action: Action, quantity: int | Decimal, *, stop: float, price: float
) -> Order:
    """Return an order with a limit once `stop` is reached, for the day."""
    return Order(
        action=action, quantity=Decimal(quantity), type="STP LMT", limit_price=price,
        aux_price=stop, tif="DAY",
    )  # fmt: skip


def trailing_stop_order(
    action: Action,
    quantity: int | Decimal,
    *,
    distance: float | None = None,
    percent: float | None = None,
    stop: float | None = None,
) -> Order:
    """Return a stop that follows the market by a distance or a per cent, for the day.

    Raises
    ------
    ValueError
        Unless one of `distance` and `percent` is given.

    """
    if (distance is None) == (percent is None):
        raise ValueError("a trailing stop follows by a distance or by a per cent: give one")
    return Order(
        action=action, quantity=Decimal(quantity), type="TRAIL", aux_price=distance,
        trailing_percent=percent, trail_stop_price=stop, tif="DAY",
    )  # fmt: skip


def good_till(order: Order, moment: dt.datetime) -> Order:
    """Return the order, good till an instant.

    Raises
    ------
    TimeError
        For an instant without zone.

    """
    return replace(order, tif="GTD", good_till=format_utc(moment))


def as_oca(
    orders: Sequence[Order], group: str, type_: OcaType = OcaType.CANCEL_WITH_BLOCK
) -> tuple[Order, ...]:
    """Return orders of which one filled cancels or reduces the others.

    Raises
    ------
    ValueError
        For a group without a name.

    """
    if not group:
        raise ValueError("a group of orders needs a name that no other group of the day has")
    return tuple(replace(order, oca_group=group, oca_type=int(type_)) for order in orders)


def as_bracket(orders: Sequence[Order], ids: Sequence[int]) -> tuple[Order, ...]:
    """Return a parent and its children as they are sent: nothing is live before the last one is.

    Parameters
    ----------
    orders
        The parent first.
    ids
        Their order ids, rising.

    Raises
    ------
    ValueError
        For no children, or not as many ids.

    """
    if len(orders) < 2 or len(orders) != len(ids):
        raise ValueError(f"a bracket of {len(orders)} orders with {len(ids)} ids")
    parent, *children = orders
    last = len(children) - 1
    return (
        replace(parent, transmit=False),
        *(
            replace(child, parent_id=ids[0], transmit=number == last)
            for number, child in enumerate(children)
        ),
    )
