"""Limits: what may be ordered and held of a root, checked before anything is sent.

The law: an order is refused if, with every open order filled in the worst sequence, the position in
one month or in all months of the root together would pass the limit, and the order makes that
worse. Of orders in one group only one fills; an order that waits for its parent is worth at most
what the parent leaves it to close. What is being closed is therefore never refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyfutures.nautilus.config import Limit

__all__ = ["LimitExceededError", "Pending", "check", "worst"]

_ZERO: Final = Decimal(0)


class LimitExceededError(ValueError):
    """An order that the limits of its root do not allow."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An order as far as limits care.

    Attributes
    ----------
    key
        What tells it from others.
    signed
        What of it is not filled, negative for a sale.
    legs
        The broker's numbers of what it trades, with the signs it trades them in.
    group
        Orders of one group replace each other; empty for none.
    parent
        The key of the order it waits for; None for none.

    """

    key: object
    signed: Decimal
    legs: tuple[tuple[int, int], ...]
    group: str = ""
    parent: object = None

    def effect(self, months: frozenset[int]) -> Decimal:
        """Return what its fill adds to the position in some months together."""
        return self.signed * sum(sign for con_id, sign in self.legs if con_id in months)


def worst(
    held: Mapping[int, Decimal], orders: Iterable[Pending], months: Iterable[int]
) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest position that open orders can lead to.

    Parameters
    ----------
    held
        Positions by the broker's number of the contract.
    orders
        The open orders.
    months
        The contracts whose positions are added up.

    """
    scope = frozenset(months)
    effects = {order.key: order.effect(scope) for order in orders}
    down: dict[object, Decimal] = {}
    up: dict[object, Decimal] = {}
    for order in orders:
        effect = effects[order.key]
        parent = effects.get(order.parent, _ZERO) if order.parent is not None else _ZERO
        if parent * effect < 0:  # it closes what its parent opens, and comes after it
            effect = min(effect + parent, _ZERO) if effect < 0 else max(effect + parent, _ZERO)
        group: object = ("group", order.group) if order.group else ("order", order.key)
        down[group] = min(down.get(group, _ZERO), effect)
        up[group] = max(up.get(group, _ZERO), effect)
    position = sum((held.get(con_id, _ZERO) for con_id in scope), _ZERO)
    return position + sum(down.values(), _ZERO), position + sum(up.values(), _ZERO)


def check(  # noqa: PLR0913 - one parameter a fact
    root: str,
    limit: Limit,
    new: Sequence[Pending],
    *,
    quantities: Iterable[Decimal],
    held: Mapping[int, Decimal],
    orders: Sequence[Pending],
    months: Iterable[int],
) -> None:
    """Refuse orders that the limits of a root do not allow.

    Parameters
    ----------
    root
        The root.
    limit
        What it allows.
    new
        The orders to be sent, or as they will be.
    quantities
        Their whole quantities.
    held, orders
        Positions and the other open orders.
    months
        The contracts of the root.

    Raises
    ------
    LimitExceededError
        For orders that are too large, or that can make the position too large.

    """
    most = limit.max_order_size
    for quantity in quantities:
        if most is not None and quantity > most:
            raise LimitExceededError(f"{root}: order of {quantity}, max_order_size is {most}")
    if limit.max_position is None:
        return
    known = frozenset(months)
    touched = frozenset(con_id for order in new for con_id, _ in order.legs)
    scopes = [frozenset({con_id}) for con_id in sorted(touched)]
    scopes.append(known | touched)
    for scope in scopes:
        before = worst(held, orders, scope)
        after = worst(held, [*orders, *new], scope)
        # Short and long apart: a position that is too long is no leave to be too short.
        for sign, was, would in zip((-1, 1), before, after, strict=True):
            if sign * would > max(sign * was, limit.max_position):
                what = "all months together" if len(scope) > 1 else "one month"
                raise LimitExceededError(
                    f"{root}: with open orders the position in {what} could become {would},"
                    f" max_position is {limit.max_position}"
                )
