"""What to do next about a move, from what is known now.

Theory of operation. There is no state between two questions but the facts: the positions of the
root, the orders of the move, the quotes. So a restart needs nothing that is not durable, and asking
twice does no harm.

An order is sent only when no other order of the move can fill any more, and only for what the
position still lacks: the position never goes past what is desired, whatever fails and whenever.
A spread comes first; legs are for what remains once a spread has ended without our hours ending it.
Once an order is asked to go it is never worked again: a refused cancel is repeated, at our pace.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyfutures.positions.move import Ended, Move, MoveOrder, OrderKind, OrderRef, State
from pyfutures.positions.steps import MoveRules, Quote, spread_quote, step_price

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from pyfutures.months import ContractMonth

__all__ = ["Action", "Cancel", "Done", "Facts", "Halt", "Place", "Reprice", "Wait", "decide"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when the question is asked.

    Parameters
    ----------
    now_ns
        The time.
    position
        Signed quantity of the root by month.
    orders
        Every order of the move, in the order of their numbers.
    quotes
        Markets of the months.
    tick
        Price step of the months.
    liquid
        Whether all months that are to be traded are in their liquid hours.
    killed
        Whether the kill switch is on.
    """

    now_ns: int
    position: Mapping[ContractMonth, int]
    orders: Sequence[MoveOrder]
    quotes: Mapping[ContractMonth, Quote]
    tick: Decimal
    liquid: bool
    killed: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Send an order: signed quantity by month, a limit or None for a market order."""

    ref: OrderRef
    legs: Mapping[ContractMonth, int]
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Reprice:
    """Change the limit of a working order; `step` is the new one."""

    ref: OrderRef
    price: Decimal
    step: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel a working order; `ended` is why, to be written down before it is sent."""

    ref: OrderRef
    ended: Ended


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before an event, or before `until_ns` if that is given."""

    reason: str
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop, and tell somebody: nothing more is sent for this move."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """The position is what it shall be, and no order can change it."""


type Action = Place | Reprice | Cancel | Wait | Halt | Done


def decide(move: Move, facts: Facts, rules: MoveRules) -> tuple[Action, ...]:
    """Return what to do now, at least one action.

    Parameters
    ----------
    move
        What shall be.
    facts
        What is.
    rules
        How to get there.
    """
    live = [order for order in facts.orders if order.state is not State.DONE]
    if live:
        return tuple(_tend(move, order, facts, rules) for order in live)
    left = move.remaining(facts.position)
    if not left:
        return (Done(),)
    if facts.killed:
        return (Wait(f"{move.id}: the kill switch is on with {_text(left)} to trade"),)
    if move.deadline_ns is not None and facts.now_ns >= move.deadline_ns:
        return (Halt(f"{move.id}: past the deadline with {_text(left)} to trade"),)
    if not facts.liquid:
        return (Wait(f"{move.id}: waits for the liquid hours of {', '.join(map(str, left))}"),)
    if _spread_comes_first(left, facts, rules):
        placed = _spread(move, left, facts, rules)
        if placed is not None:
            return (placed,)
        if not _hurries(move, facts, rules):
            months = ", ".join(map(str, left))
            return (Wait(f"{move.id}: no quotes of {months} to price a spread by"),)
    return _legs(move, left, facts, rules)


def _tend(move: Move, order: MoveOrder, facts: Facts, rules: MoveRules) -> Action:
    """Return what to do about an order that may fill yet."""
    if order.state is State.IN_FLIGHT:
        return Wait(f"{order.ref}: not answered yet")
    if order.ended is not None:
        due = order.sent_ns + rules.retry_ns
        if facts.now_ns < due:
            return Wait(f"{order.ref}: its cancel was refused", due)
        return Cancel(order.ref, order.ended)
    if facts.killed:
        return Cancel(order.ref, Ended.PAUSED)
    if order.ref.kind is OrderKind.LEG:
        return _tend_leg(order, facts, rules)
    if not facts.liquid:
        return Cancel(order.ref, Ended.PAUSED)
    due = order.sent_ns + rules.step_ns
    if facts.now_ns < due:
        return Wait(f"{order.ref}: step {order.step + 1} of {rules.steps}", due)
    return _next_step(move, order, facts, rules)


def _tend_leg(order: MoveOrder, facts: Facts, rules: MoveRules) -> Action:
    due = order.sent_ns + rules.leg_ns
    if facts.now_ns < due or not facts.liquid:
        return Wait(f"{order.ref}: a leg is working", due if facts.liquid else None)
    return Halt(f"{order.ref}: a market order has not filled in {rules.leg_secs:g} s")


def _next_step(move: Move, order: MoveOrder, facts: Facts, rules: MoveRules) -> Action:
    if order.step + 1 >= rules.steps:
        return Cancel(order.ref, Ended.EXHAUSTED)
    price = _limit(order.legs, order.step + 1, facts, rules)
    if price is not None:
        return Reprice(order.ref, price, order.step + 1)
    if _hurries(move, facts, rules):
        return Cancel(order.ref, Ended.EXHAUSTED)
    return Wait(f"{order.ref}: no quotes to take the next step by")


def _spread_comes_first(left: Mapping[ContractMonth, int], facts: Facts, rules: MoveRules) -> bool:
    if not rules.spread or len(left) != 2 or math.prod(left.values()) > 0:
        return False
    spreads = [order for order in facts.orders if order.ref.kind is OrderKind.SPREAD]
    legs = len(facts.orders) > len(spreads)
    return not legs and all(order.ended in {Ended.PAUSED, Ended.FILLED} for order in spreads)


def _hurries(move: Move, facts: Facts, rules: MoveRules) -> bool:
    return move.deadline_ns is not None and facts.now_ns >= move.deadline_ns - rules.hurry_ns


def _spread(
    move: Move, left: Mapping[ContractMonth, int], facts: Facts, rules: MoveRules
) -> Place | None:
    """Return the spread for what both months have in common; None if it cannot be priced."""
    size = min(map(abs, left.values()))
    legs = {month: size if quantity > 0 else -size for month, quantity in left.items()}
    price = _limit(legs, 0, facts, rules)
    if price is None:
        return None
    return Place(OrderRef(move.id, OrderKind.SPREAD, len(facts.orders) + 1), legs, price)


def _limit(
    legs: Mapping[ContractMonth, int], step: int, facts: Facts, rules: MoveRules
) -> Decimal | None:
    """Return the limit of near minus far; None while a quote is missing or stale."""
    near, far = sorted(legs)
    quotes = (facts.quotes.get(near), facts.quotes.get(far))
    if quotes[0] is None or quotes[1] is None:
        return None
    quote = spread_quote(quotes[0], quotes[1])
    if facts.now_ns - quote.ts > rules.stale_ns:
        return None
    return step_price(quote, buy=legs[near] > 0, step=step, tick=facts.tick, rules=rules)


def _legs(
    move: Move, left: Mapping[ContractMonth, int], facts: Facts, rules: MoveRules
) -> tuple[Action, ...]:
    """Return a market order for each month, later for one that was just refused.

    A limit that has no room for both months at once refuses the second until the first is filled.
    """
    due = {}
    for month in left:
        refused = [
            order
            for order in facts.orders
            if order.ended is Ended.REFUSED
            and order.ref.kind is OrderKind.LEG
            and month in order.legs
        ]
        if len(refused) >= rules.attempts:
            text = f"{move.id}: {len(refused)} orders for {month} were refused, {_text(left)} is"
            return (Halt(f"{text} left"),)
        last = max((order.sent_ns for order in refused), default=None)
        if last is not None and facts.now_ns < last + rules.retry_ns:
            due[month] = last + rules.retry_ns
    now = [(month, quantity) for month, quantity in left.items() if month not in due]
    if not now:
        months = ", ".join(map(str, due))
        return (Wait(f"{move.id}: an order for {months} was refused", min(due.values())),)
    return tuple(
        Place(OrderRef(move.id, OrderKind.LEG, number), {month: quantity}, None)
        for number, (month, quantity) in enumerate(now, len(facts.orders) + 1)
    )


def _text(left: Mapping[ContractMonth, int]) -> str:
    return ", ".join(f"{quantity:+d} {month}" for month, quantity in left.items())
