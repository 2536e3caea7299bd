"""One order as IB's servers have it: its state, when it may fill and at what price.

    pending   -> presubmitted | submitted       it reached IB
    presubmitted -> submitted                   a stop triggered, a parent filled, the market opened
    any of these -> filled | cancelled          the end
    any of these -> inactive                    refused by IB, or held back by it

An order that is done changes no more, except that a correction may replace one of its fills.
Prices are in ticks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.auctions import Auction
from pyfutures.ib import messages as m

if TYPE_CHECKING:
    from pyfutures.gateway.market import Quote
    from pyfutures.gateway.spreads import Tradable

__all__ = ["ORDER_TYPES", "Status", "Terms", "Working"]


class Status(StrEnum):
    """Where an order stands, as IB says it."""

    PENDING_SUBMIT = "PendingSubmit"
    PENDING_CANCEL = "PendingCancel"
    PRE_SUBMITTED = "PreSubmitted"
    SUBMITTED = "Submitted"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    INACTIVE = "Inactive"

    @property
    def is_done(self) -> bool:
        """Whether nothing more can happen to it."""
        return self in {Status.FILLED, Status.CANCELLED}


#: The types that are served, by what they need and what becomes of them.
ORDER_TYPES: Final = {
    "MKT": "MKT", "LMT": "LMT", "STP": "STP", "STP LMT": "STP LMT", "STPLMT": "STP LMT",
    "TRAIL": "TRAIL", "TRAIL LIMIT": "TRAIL LIMIT", "TRAILLMT": "TRAIL LIMIT", "MIT": "MIT",
    "LIT": "LIT", "MTL": "MTL", "MOC": "MOC", "LOC": "LOC",
}  # fmt: skip
_LIMITED: Final = {"LMT", "STP LMT", "TRAIL LIMIT", "LIT", "LOC"}
_AT_CLOSE: Final = {"MOC", "LOC"}
_STOPS: Final = {"STP", "STP LMT", "TRAIL", "TRAIL LIMIT"}
_TOUCHED: Final = {"MIT", "LIT"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks for; prices in ticks, None where its type has none.

    `trail` is an amount in ticks, `percent` a part of the price in percent; `offset` is how far the
    limit of a trailing stop limit is behind its stop.
    """

    type: str
    side: int  # 1 buys, -1 sells
    quantity: int
    tif: str
    limit: int | None = None
    stop: int | None = None
    trail: int | None = None
    percent: float | None = None
    offset: int | None = None

    @property
    def has_limit(self) -> bool:
        """Whether it has a limit price."""
        return self.type in _LIMITED

    @property
    def is_stop(self) -> bool:
        """Whether it waits for the price to move against it."""
        return self.type in _STOPS

    @property
    def auction(self) -> Auction | None:
        """The end of a session at which alone it is worked; None for one that always is."""
        if self.type in _AT_CLOSE:
            return Auction.CLOSE
        return Auction.OPEN if self.tif == "OPG" else None

    @property
    def is_conditional(self) -> bool:
        """Whether it waits for a price at all."""
        return self.type in _STOPS or self.type in _TOUCHED


@dataclass(slots=True, eq=False)
class Working:
    """An order at IB."""

    client_id: int
    order_id: int
    perm_id: int
    account: str
    what: Tradable
    order: m.Order
    terms: Terms
    placed: int
    status: Status = Status.PENDING_SUBMIT
    filled: int = 0
    cost: int = 0  # the sum of price times size
    last_price: int | None = None
    triggered: bool = False
    rested: bool = False  # whether it has stood in the book
    converted: bool = False  # whether a market-to-limit order has become its limit order
    stop: int | None = None  # of a trailing order, as it moved
    parent: Working | None = None
    children: list[Working] = field(default_factory=list)
    transmitted: bool = True
    held: str = ""  # why it does not work
    expires: int | None = None
    active_from: int | None = None
    ended: int | None = None

    @property
    def remaining(self) -> int:
        """What is not filled."""
        return self.terms.quantity - self.filled

    @property
    def is_live(self) -> bool:
        """Whether it is at IB and not done."""
        return not self.status.is_done and self.status is not Status.INACTIVE

    @property
    def is_open(self) -> bool:
        """Whether it is listed among open orders."""
        return not self.status.is_done and not (self.status is Status.INACTIVE and not self.held)

    @property
    def average(self) -> float:
        """The average price of its fills, as a quote; 0 without one."""
        return self.what.quote(self.cost / self.filled) if self.filled else 0.0

    def waits(self, now: int) -> str:
        """Return why it cannot fill whatever the market is; empty where it can."""
        if self.held:
            return self.held
        if self.parent is not None and self.parent.status is not Status.FILLED:
            return "child"
        if not self.transmitted:
            return "transmit"
        if self.active_from is not None and now < self.active_from:
            return "time"
        return ""

    # Prices

    def follow(self, quote: Quote) -> bool:
        """Move a trailing stop and see whether the order triggers; whether anything changed."""
        terms, side = self.terms, self.terms.side
        if not terms.is_conditional or self.triggered or quote.last is None:
            return False
        moved = False
        if terms.type in {"TRAIL", "TRAIL LIMIT"}:
            behind = quote.last + side * self._distance(quote.last)
            if self.stop is None:
                self.stop = terms.stop if terms.stop is not None else behind
                moved = True
            better = min(self.stop, behind) if side > 0 else max(self.stop, behind)
            moved = moved or better != self.stop
            self.stop = better
        else:
            self.stop = terms.stop
        against = 1 if terms.is_stop else -1
        if self.stop is not None and (quote.last - self.stop) * side * against >= 0:
            self.triggered = moved = True
        return moved

    def _distance(self, price: int) -> int:
        if self.terms.percent is not None:
            return max(1, round(price * self.terms.percent / 100))
        return self.terms.trail or 0

    def limit(self) -> int | None:
        """Return the limit as it stands."""
        terms = self.terms
        if terms.type != "TRAIL LIMIT" or self.stop is None:
            return terms.limit
        if terms.offset is None:
            return terms.limit
        return self.stop + terms.side * terms.offset

    def price(self, quote: Quote) -> int | None:
        """Return the price at which it would fill now, None if it would not.

        One that comes to the market takes the quote; one that has stood there gets its own price;
        one for the close or the opening gets what the session closes or opens at.
        """
        terms = self.terms
        if terms.is_conditional and not self.triggered:
            return None
        there = quote.ask if terms.side > 0 else quote.bid
        if terms.auction is not None and quote.last is not None:
            there = quote.last
        if not terms.has_limit:
            return there
        limit = self.limit()
        if limit is None or (there - limit) * terms.side > 0:
            return None
        return limit if self.rested and terms.auction is None else there

    def turn_into_limit(self, price: int) -> None:
        """Let what is left of a market order rest as a limit order at the price that it got."""
        self.terms = replace(self.terms, type="LMT", limit=price)
        self.order = replace(self.order, type="LMT", limit_price=self.what.quote(price))
        self.rested = self.converted = True

    # As it is told

    def spelled(self) -> m.OrderStatus:
        """Return where it stands, as it is told."""
        waits = self.held or ("child" if self._is_child() else "")
        last = 0.0 if self.last_price is None else self.what.quote(self.last_price)
        why = waits if waits != "transmit" else ""
        return m.OrderStatus(
            self.order_id, self.status, Decimal(self.filled), Decimal(self.remaining),
            self.average, self.perm_id, self.order.parent_id, last, self.client_id, why,
        )  # fmt: skip

    def _is_child(self) -> bool:
        return self.parent is not None and self.parent.status is not Status.FILLED
