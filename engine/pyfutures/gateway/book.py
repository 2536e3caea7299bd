"""All orders: what happens to them, when they fill, and what is told of it.

Orders live at IB, not in a connection: they outlive it, and go on while the line is down. What
happens then is told when it is up again. The market fills an order at the other side of the quote,
at most as much as is shown there, once a slot.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.auctions import is_auction, next_auction
from pyfutures.gateway.clock import SECOND
from pyfutures.gateway.fills import Fills
from pyfutures.gateway.market import SLOT_NS
from pyfutures.gateway.orders import Status, Working
from pyfutures.gateway.told import open_order
from pyfutures.ib import messages as m
from pyfutures.ib.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyfutures.gateway.core import Gateway
    from pyfutures.gateway.market import Quote
    from pyfutures.gateway.orders import Terms
    from pyfutures.gateway.spreads import Tradable
    from pyfutures.ib.messages.base import Response

__all__ = ["Book"]

_FIRST_PERM_ID: Final = 1_900_000_001
_DONE_KEPT: Final = 1000


class Book:
    """The orders of all clients.

    Parameters
    ----------
    gateway
        Whose they are.

    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._orders: dict[tuple[int, int], Working] = {}
        self._live: dict[int, Working] = {}
        self._done: list[Working] = []
        self._used: set[tuple[int, int]] = set()
        self._perm_id = _FIRST_PERM_ID
        self._taken: dict[tuple[Tradable, int], int] = {}
        self._taken_at = -1
        self._auto_id = -1
        self.fills = Fills(gateway, self.tell)
        self.double_on_modify = False  # a modification without a line makes a second order

    # Questions

    def find(self, client_id: int, order_id: int) -> Working | None:
        """Return the latest order of a client under an id."""
        return self._orders.get((client_id, order_id))

    def by_perm_id(self, perm_id: int) -> Working | None:
        """Return a live order by its permanent id."""
        return self._live.get(perm_id)

    def open(self, client_id: int | None = None) -> list[Working]:
        """Return the open orders, of one client or of all."""
        return [
            order
            for order in self._live.values()
            if client_id in {None, order.client_id} and order.is_open
        ]

    def done(self) -> list[Working]:
        """Return the orders that are done, in the order in which they ended."""
        return list(self._done)

    def is_used(self, client_id: int, order_id: int) -> bool:
        """Whether a client has used an order id."""
        return (client_id, order_id) in self._used

    def active(self, account: str, what: Tradable, side: int) -> int:
        """Return how many orders work on one side of a contract."""
        return sum(
            order.account == account and order.what.con_id == what.con_id
            and order.terms.side == side
            for order in self._live.values()
        )  # fmt: skip

    def next_perm_id(self) -> int:
        """Return a permanent id that is not used."""
        self._perm_id += 1
        return self._perm_id

    # What clients do

    def place(self, order: Working) -> None:
        """Take an order: acknowledge it, and fill it where the market is there already."""
        if order.order_id:  # those made by hand have none
            key = (order.client_id, order.order_id)
            self._orders[key] = order
            self._used.add(key)
        self._live[order.perm_id] = order
        if order.parent is not None:
            order.parent.children.append(order)
        self._submit(order)

    def _submit(self, order: Working) -> None:
        """Let an order through, and with it the parent and the siblings that waited for it."""
        parent = order.parent
        family = [] if parent is None or not order.transmitted else [parent, *parent.children]
        fresh = [other for other in family if not other.transmitted and other is not order]
        for other in fresh:
            other.transmitted = True
        for other in [*fresh, order]:
            if other.transmitted:
                other.status = self._standing(other)
            self.tell_order(other)
        for other in [*fresh, order]:
            if other.transmitted:
                self._work(other)
        self._gateway.feeds.arm()

    def _work(self, order: Working) -> None:
        """Fill an order where the market is there already, or say when it will be."""
        now = self._gateway.timeline.now
        if not self._gateway.prices.is_open(order.what, now) and not order.held:
            self._warn_closed(order)
        self.try_fill(order)
        if order.is_live and order.terms.tif in {"IOC", "FOK"} and not order.waits(now):
            self.end(order, Status.CANCELLED, reason="")

    def _standing(self, order: Working) -> Status:
        """Return the status of an order that works, or waits to."""
        if order.held:
            return Status.INACTIVE
        now = self._gateway.timeline.now
        is_waiting = order.waits(now) or (order.terms.is_conditional and not order.triggered)
        if (
            is_waiting
            or not self._is_worked(order, now)
            or not self._gateway.prices.is_open(order.what, now)
        ):
            return Status.PRE_SUBMITTED
        return Status.SUBMITTED

    @staticmethod
    def _is_worked(order: Working, now: int) -> bool:
        """Whether an order is for this part of a session."""
        auction = order.terms.auction
        return auction is None or is_auction(order.what, auction, now)

    def _warn_closed(self, order: Working) -> None:
        hours = order.what.hours
        opens = hours.next_open(self._gateway.timeline.now)
        if opens is None:
            return
        local = hours.local(opens // (60 * SECOND))
        text = (
            f"\n{order.order.action} {order.terms.quantity} {order.what.symbol} "
            f"{order.what.local_symbol}\nWarning: your order will not be placed at the exchange "
            f"until {local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
        )
        self.tell_error(order, 399, CODES[399].text.format(text))

    def modify(self, order: Working, wire: m.Order, terms: Terms) -> None:
        """Change an order, as IB's servers see it."""
        if not self._gateway.line.up and self.double_on_modify:
            twin = replace(
                order, perm_id=self.next_perm_id(), order=wire, terms=terms, children=[],
                status=Status.PENDING_SUBMIT, filled=0, cost=0,
            )  # fmt: skip
            self.place(twin)
            return
        before = order.terms.limit
        order.order, order.terms = wire, terms
        order.rested = False
        if order.converted and terms.type == "MTL" and before is not None:
            order.turn_into_limit(before)
        if terms.trail is None and terms.percent is None:
            order.stop = None
        order.triggered = order.triggered and terms.is_conditional
        if order.remaining <= 0:
            order.terms = replace(terms, quantity=order.filled)
            self.end(order, Status.FILLED)
            return
        order.transmitted = order.transmitted or wire.transmit
        self._submit(order)

    def cancel(self, order: Working, *, delay: int = 0, error_first: bool = False) -> None:
        """Cancel an order, at once or after a while in which it may still fill."""
        if delay:
            order.status = Status.PENDING_CANCEL
            self.tell(order, order.spelled())
            self._gateway.timeline.after(delay, lambda: self.cancel(order, error_first=error_first))
            return
        if order.is_live or order.held:
            order.held = ""
            self.end(order, Status.CANCELLED, reason="", error_first=error_first)

    # What the market does

    def next_due(self, now: int) -> int | None:
        """Return when an order could fill or end next, None if never."""
        instants: list[int | None] = []
        for order in self._live.values():
            if order.expires is not None and order.is_live:
                instants.append(max(order.expires, now + 1))
            if order.is_live and not order.held and order.transmitted:
                instants.append(self._next_worked(order, now))
        known = [at for at in instants if at is not None]
        return min(known) if known else None

    def _next_worked(self, order: Working, now: int) -> int | None:
        auction = order.terms.auction
        at = None if auction is None else next_auction(order.what, auction, now)
        if auction is not None and (at is None or at > now):
            return at
        return self._gateway.prices.next_slot(order.what, now)

    def match(self, now: int) -> None:
        """Fill what fills now, and end what ends now."""
        for order in tuple(self._live.values()):
            if order.is_live and order.expires is not None and now >= order.expires:
                self.end(order, Status.CANCELLED, reason="")
        for order in tuple(self._live.values()):
            if order.is_live:
                self.try_fill(order)

    def try_fill(self, order: Working) -> None:
        """Fill an order as far as the market allows now."""
        gateway, now = self._gateway, self._gateway.timeline.now
        if not order.is_live or order.waits(now):
            return
        if not gateway.prices.is_open(order.what, now) or not self._is_worked(order, now):
            return
        quote = gateway.prices.quote(order.what, now)
        if quote is None:
            return
        order.follow(quote)
        standing = self._standing(order)
        if order.status is Status.PRE_SUBMITTED and standing is Status.SUBMITTED:
            order.status = standing
            self.tell_order(order)
        price = order.price(quote)
        size = 0 if price is None else self._available(order, quote, now)
        order.rested = order.rested or price is None
        if price is not None and size > 0:
            self.fill(order, size, price)

    def _available(self, order: Working, quote: Quote, now: int) -> int:
        """Return how much of an order the market takes in this slot."""
        if order.terms.auction is not None:
            return order.remaining
        slot = now // SLOT_NS
        if slot != self._taken_at:
            self._taken, self._taken_at = {}, slot
        key = (order.what, order.terms.side)
        shown = (quote.ask_size if order.terms.side > 0 else quote.bid_size) - self._taken.get(
            key, 0
        )
        size = max(0, min(order.remaining, shown))
        whole = order.terms.tif == "FOK" or order.order.all_or_none
        least = order.remaining if whole else order.order.min_quantity or 0
        if size < min(least, order.remaining):
            return 0
        self._taken[key] = self._taken.get(key, 0) + size
        return size

    def fill(self, order: Working, size: int, price: int) -> None:
        """Fill an order: execution, position, order, commission, then whoever depends on it."""
        order.filled += size
        order.cost += size * price
        order.last_price = price
        done = order.remaining <= 0
        if done:
            order.status = Status.FILLED
        elif order.status is not Status.PENDING_CANCEL:
            order.status = Status.SUBMITTED
        reports = self.fills.record(order, size, price)
        if done:
            self._retire(order)
        elif order.terms.type == "MTL" and order.terms.tif not in {"IOC", "FOK"}:
            order.turn_into_limit(price)
        self.tell_order(order)
        for report in reports:
            self.tell(order, report)
        self._follow_up(order, size, done=done)

    def _follow_up(self, order: Working, size: int, *, done: bool) -> None:
        """Wake children, cancel or reduce what stands in one group with a fill."""
        for other in self._group(order):
            kind = order.order.oca_type if order.order.oca_group else 3
            if (done and (kind == 1 or other.remaining <= size)) or kind == 1:
                self.end(other, Status.CANCELLED, reason="")
            elif other.remaining > size:
                other.terms = replace(other.terms, quantity=other.terms.quantity - size)
                quantity = Decimal(other.terms.quantity)
                other.order = replace(other.order, quantity=quantity)
                self.tell_order(other)
            else:
                self.end(other, Status.CANCELLED, reason="")
        if done:
            for child in tuple(order.children):
                if child.is_live:
                    child.status = self._standing(child)
                    self.tell_order(child)
                    self.try_fill(child)

    def _group(self, order: Working) -> list[Working]:
        """Return the live orders of which only one may fill: the OCA group, or the siblings."""
        name = order.order.oca_group
        family: Iterable[Working] = () if order.parent is None else order.parent.children
        named = [
            other
            for other in self._live.values()
            if name and other.order.oca_group == name and other.account == order.account
        ]
        return [other for other in {*named, *family} if other is not order and other.is_live]

    # Ends

    def end(
        self,
        order: Working,
        status: Status,
        *,
        reason: str | None = None,
        error_first: bool = False,
    ) -> None:
        """End an order; with a reason, error 202 says it."""
        order.status = status
        self._retire(order)
        said: list[Callable[[], None]] = [lambda: self.tell_order(order)]
        if reason is not None:
            said.append(lambda: self.tell_error(order, 202, CODES[202].text.format(reason)))
        for say in reversed(said) if error_first else said:
            say()
        if status is Status.CANCELLED:
            for child in tuple(order.children):
                if child.is_live:
                    self.end(child, Status.CANCELLED, reason="")

    def _retire(self, order: Working) -> None:
        order.ended = self._gateway.timeline.now
        if self._live.pop(order.perm_id, None) is not None:
            self._done.append(order)
            del self._done[:-_DONE_KEPT]

    def refuse(self, order: Working, code: int, text: str) -> None:
        """Refuse an order that got an id: it is inactive, and an error says why."""
        self._orders[order.client_id, order.order_id] = order
        self._used.add((order.client_id, order.order_id))
        order.status = Status.INACTIVE
        order.ended = self._gateway.timeline.now
        self._done.append(order)
        self.tell_error(order, code, text)
        self.tell(order, order.spelled())

    def hold(self, order: Working, why: str) -> None:
        """Hold an order back: inactive, but not dead."""
        order.held = why
        order.status = Status.INACTIVE
        self.tell_order(order)

    def release(self, order: Working) -> None:
        """Let go of an order that was held."""
        order.held = ""
        order.status = self._standing(order)
        self.tell_order(order)
        self.try_fill(order)
        self._gateway.feeds.arm()

    # What is told

    def tell(self, order: Working, *responses: Response) -> None:
        """Tell the order's client something, now or when the line is up again."""

        def say() -> None:
            for session in self._gateway.watchers(order.client_id):
                for response in responses:
                    session.send(response)

        self._gateway.once_up(say)

    def tell_order(self, order: Working) -> None:
        """Tell how an order is and where it stands."""
        self.tell(order, open_order(order), order.spelled())

    def tell_error(self, order: Working, code: int, text: str) -> None:
        """Tell an error about an order."""

        def say() -> None:
            for session in self._gateway.watchers(order.client_id):
                session.error(order.order_id, code, text)

        self._gateway.once_up(say)

    # Orders made by hand

    def bind(self, client_id: int) -> list[m.OrderBound]:
        """Give orders made by hand, which have no id, a negative one for client 0."""
        answer = []
        for order in self.open(0):
            if order.order_id == 0:
                order.order_id, self._auto_id = self._auto_id, self._auto_id - 1
                self._orders[client_id, order.order_id] = order
                answer.append(m.OrderBound(order.perm_id, client_id, order.order_id))
        return answer
