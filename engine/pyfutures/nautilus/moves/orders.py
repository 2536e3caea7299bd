"""What a move decides on, done: orders sent, re-priced and cancelled, each written down before.

In a dry run nothing of it is done, only said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.identifiers import ClientId, ClientOrderId

from pyfutures.positions import Cancel, MoveOrder, OrderRef, Place, Reprice, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.trading.strategy import Strategy

    from pyfutures.nautilus.moves.root_market import RootMarket
    from pyfutures.positions.book import MoveBook

__all__ = ["MoveOrders"]


class MoveOrders:
    """The orders of the moves of one strategy.

    Parameters
    ----------
    strategy
        Sends them.
    book
        Where they are written.
    market
        Makes them.
    client_id
        The client that they go to; None for that of the venue.
    dry_run
        Send nothing.
    say
        Logs what is new.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        strategy: Strategy,
        book: MoveBook,
        market: RootMarket,
        *,
        client_id: str | None,
        dry_run: bool,
        say: Callable[[str], None],
    ) -> None:
        self._strategy, self._book, self._market = strategy, book, market
        self._client = None if client_id is None else ClientId(client_id)
        self._dry_run, self._say = dry_run, say

    def do(self, action: Place | Reprice | Cancel, *, now_ns: int) -> None:
        """Do what was decided."""
        match action:
            case Place():
                self._place(action, now_ns)
            case Reprice():
                self._reprice(action, now_ns)
            case Cancel():
                self._cancel(action, now_ns)

    def _place(self, action: Place, now_ns: int) -> None:
        ref, legs = action.ref, action.legs
        words = " ".join(f"{quantity:+d} {month}" for month, quantity in legs.items())
        text = f"{words} at {action.price if action.price is not None else 'market'}"
        if self._dry_run:
            self._say(f"{ref.move}: dry run, would send {ref.kind.value} {text}")
            return
        order = self._market.order(action, self._strategy.order_factory)
        self._book.write(
            MoveOrder(ref, legs, State.IN_FLIGHT, now_ns, price=action.price), f"sent: {text}"
        )
        self._strategy.log.info(f"{ref}: {text}")
        self._strategy.submit_order(order, client_id=self._client)

    def _reprice(self, action: Reprice, now_ns: int) -> None:
        if self._dry_run:
            self._say(f"{action.ref}: dry run, would re-price to {action.price}")
            return
        live: Any = self._market.cached(ClientOrderId(str(action.ref)))
        changed = replace(
            self._written(action.ref), step=action.step, price=action.price, sent_ns=now_ns
        )
        self._book.write(changed, f"re-priced to {action.price}")
        price = self._market.price(live.instrument_id, action.price)
        if live.price != price:
            self._strategy.modify_order(live, price=price, client_id=self._client)

    def _cancel(self, action: Cancel, now_ns: int) -> None:
        if self._dry_run:
            self._say(f"{action.ref}: dry run, would cancel it")
            return
        asked = replace(self._written(action.ref), ended=action.ended, sent_ns=now_ns)
        self._book.write(asked, f"cancelled: {action.ended.value}")
        live = self._market.cached(ClientOrderId(str(action.ref)))
        self._strategy.cancel_order(live, client_id=self._client)

    def _written(self, ref: OrderRef) -> MoveOrder:
        return next(order for order in self._book.orders(ref.move) if order.ref == ref)
