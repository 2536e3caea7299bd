"""What a root holds by its own ledger, held against the broker's positions and orders.

Rules of this file. What an order has filled is what the node's cache says of it, less what is
booked of it already: however often a fill is told, in whatever order, or while nobody listened, it
counts once. A spread fills as a whole and makes positions by its legs, which may be told some
seconds later; so positions and orders are two witnesses, and nothing goes on before they agree.
Only an order of which nothing is known any more is judged by the positions alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import ClientOrderId

from pyfutures.positions import Ended, State, attribute, claims_of
from pyfutures.positions.book import RootFill
from pyfutures.positions.move import OrderRef

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nautilus_trader.model.events import OrderFilled
    from nautilus_trader.model.orders import Order

    from pyfutures.months import ContractMonth
    from pyfutures.nautilus.moves.root_market import RootMarket
    from pyfutures.positions import Move, MoveOrder
    from pyfutures.positions.book import MoveBook

__all__ = ["LedgerError", "RootLedger"]

_IN_FLIGHT: Final = frozenset(
    {
        OrderStatus.INITIALIZED, OrderStatus.SUBMITTED, OrderStatus.PENDING_UPDATE,
        OrderStatus.PENDING_CANCEL, OrderStatus.EMULATED, OrderStatus.RELEASED,
    }
)  # fmt: skip


class LedgerError(RuntimeError):
    """A ledger that cannot be gone on from; names the contracts and the way out."""


class RootLedger:
    """The ledger of a root, and the orders of its moves as the node knows them.

    Parameters
    ----------
    book
        Where it is written.
    market
        The contracts, and what the node knows of them.
    """

    def __init__(self, book: MoveBook, market: RootMarket) -> None:
        self._book, self._market = book, market
        self._root = market.root

    @property
    def position(self) -> dict[ContractMonth, int]:
        """The signed quantity of the root by month, without zeros.

        Raises
        ------
        LedgerError
            If it has a contract that the spec does not list.
        """
        ledger = {name: n for name, n in self._book.position(self._root).items() if n}
        strange = [name for name in ledger if name not in self._market]
        if strange:
            raise LedgerError(
                f"{self._root}: the ledger has {strange[0]} {ledger[strange[0]]:+d}, which is no"
                " listed month of the spec: correct one of them"
            )
        return {self._market.month(name): quantity for name, quantity in ledger.items()}

    # Orders

    def orders(self, move: Move) -> list[MoveOrder]:
        """Return the orders of a move as they stand now."""
        return [self._refreshed(order) for order in self._book.orders(move.id)]

    def _refreshed(self, order: MoveOrder) -> MoveOrder:
        if order.state is State.DONE:
            return order
        live = self._live(order)
        if live is None:
            # Written down, never sent: the node died in between. Or over, and told to nobody.
            return replace(order, state=State.DONE, ended=order.ended or Ended.PAUSED)
        if live.status in _IN_FLIGHT:
            return replace(order, state=State.IN_FLIGHT)
        if not live.is_closed:
            return replace(order, state=State.WORKING)
        if live.status is OrderStatus.FILLED:
            return replace(order, state=State.DONE, ended=Ended.FILLED)
        ended = Ended.PAUSED if live.status is OrderStatus.EXPIRED else Ended.REFUSED
        return replace(order, state=State.DONE, ended=order.ended or ended)

    def _live(self, order: MoveOrder) -> Order | None:
        return self._market.cached(ClientOrderId(str(order.ref)))

    def take(self, move: Move, event: OrderFilled | None = None) -> None:
        """Book what the orders of a move have filled and is not booked yet.

        Raises
        ------
        LedgerError
            If a fill of that id is booked, and is not what is missing.
        """
        for order in self._book.orders(move.id):
            missing, live = self._unbooked(move, order), self._live(order)
            if not missing or live is None:
                continue
            filled = int(live.filled_qty)
            fill = _found(order, missing, filled, int(live.ts_last))
            if event is not None and event.client_order_id == live.client_order_id:
                price = str(event.last_px)
                fill = replace(fill, trade_id=event.trade_id.value, price=price, ts=event.ts_event)
            if not self._book.fill(fill):
                raise LedgerError(
                    f"{order.ref}: {filled} are filled, {missing} is missing in the ledger, and a"
                    f" fill {fill.trade_id} is booked already: see the audit"
                )
            self._book.write(replace(order, filled=filled), f"filled {filled}")

    def _unbooked(self, move: Move, order: MoveOrder) -> dict[str, int]:
        """Return what an order has filled and the ledger does not have, by contract."""
        live = self._live(order)
        if live is None:
            return {}
        filled, booked = int(live.filled_qty), self._book.booked(order.ref)
        missing = {}
        for month, quantity in order.legs.items():
            contract = move.contracts[month]
            done = filled if quantity > 0 else -filled
            if done != booked.get(contract, 0):
                missing[contract] = done - booked.get(contract, 0)
        return missing

    # The broker

    def _all_orders(self) -> Iterator[tuple[Move, MoveOrder]]:
        for move in self._book.open_moves():
            for order in self._book.orders(move.id):
                yield move, order

    def _unexplained(self) -> dict[str, dict[str, int]]:
        """Return what orders of which nothing is known have changed, by root and contract.

        Raises
        ------
        AttributionError
            If nothing explains it.
        """
        ledgers = {
            root: self._market.only_ours(dict(ledger))
            for root, ledger in self._book.ledgers().items()
        }
        claims = []
        for move, order in self._all_orders():
            if self._live(order) is None:
                if order.state is not State.DONE:
                    claims += claims_of(move, order, self._book.booked(order.ref))
                continue
            mine = ledgers.setdefault(move.id.root, {})
            for contract, quantity in self._unbooked(move, order).items():
                if contract in self._market:
                    mine[contract] = mine.get(contract, 0) + quantity
        return attribute(self._market.held(), ledgers, claims)

    def adopt(self) -> dict[str, int]:
        """Take what the broker holds and no ledger has, if this root has nothing; return it."""
        ledgers = self._book.ledgers()
        if any(ledgers.get(self._root, {}).values()) or self._is_moving:
            return {}
        taken = {}
        for name, quantity in self._market.held().items():
            free = quantity - sum(ledger.get(name, 0) for ledger in ledgers.values())
            if free:
                taken[name] = free
        if taken:
            self._book.adjust(self._root, taken, "taken over from the broker")
        return taken

    @property
    def _is_moving(self) -> bool:
        return any(move.id.root == self._root for move in self._book.open_moves())

    def settle(self) -> dict[str, int]:
        """Bring the ledger to what was filled while nobody looked; return what was unknown.

        Raises
        ------
        AttributionError
            If broker and ledgers differ by something else; it may be on its way if a move is open.
        LedgerError
            If an order works that may be of this root, and is not known by its reference.
        """
        self._look_for_strays()
        found = self._unexplained().get(self._root, {})
        for move in self._book.open_moves():
            if move.id.root == self._root:
                self.take(move)
        left = dict(found)
        for move, order in reversed(list(self._all_orders())):
            if move.id.root != self._root or self._live(order) is not None:
                continue
            mine = {
                claim.contract: left.pop(claim.contract)
                for claim in claims_of(move, order, self._book.booked(order.ref))
                if claim.contract in left and claim.quantity * left[claim.contract] > 0
            }
            if mine:
                self._book.fill(_found(order, mine, sum(map(abs, mine.values())), 0))
        return found

    def compare(self) -> None:
        """Do nothing if the broker holds what the ledgers say.

        Raises
        ------
        AttributionError
            If not.
        """
        self._unexplained()

    def _look_for_strays(self) -> None:
        """Refuse to go on beside an order that may be one of ours under another name."""
        known = {str(order.ref): order for _, order in self._all_orders()}
        is_lost = any(
            order.state is not State.DONE and self._live(order) is None
            for move, order in self._all_orders()
            if move.id.root == self._root
        )
        for live in self._market.open_orders():
            name = live.client_order_id.value
            ref = OrderRef.parse(name)
            if ref is not None and ref.move.root == self._root and name not in known:
                raise LedgerError(
                    f"{name}: an order of a move works that is not written down; cancel it by"
                    " hand, or use the store that it was sent from"
                )
            if is_lost and ref is None and live.strategy_id.value == "EXTERNAL":
                raise LedgerError(
                    f"{live.venue_order_id} for {live.instrument_id} works, and an order of"
                    f" {self._root} that was sent is not found by its reference: it may be the"
                    " same. Cancel it by hand, and keep the client id of the connection"
                )

    # What has ended

    def expired(self, now_ns: int) -> dict[str, int]:
        """Return the signed quantities of the ledger in contracts that trade no more."""
        return {
            name: quantity
            for name, quantity in self._book.position(self._root).items()
            if quantity and name in self._market and self._market.has_expired(name, now_ns)
        }

    def write_off(self, gone: dict[str, int]) -> None:
        """Take contracts that expired out of the ledger.

        Raises
        ------
        LedgerError
            If the broker still has them.
        """
        held = self._market.held()
        for name in gone:
            if held.get(name):
                raise LedgerError(
                    f"{self._root}: {name} has expired and the broker still holds {held[name]:+d};"
                    " start again when it is settled"
                )
        changes = {name: -quantity for name, quantity in gone.items()}
        self._book.adjust(self._root, changes, "the contract has expired")


def _found(order: MoveOrder, contracts: dict[str, int], filled: int, ts: int) -> RootFill:
    """Return a fill that was found, not told; its id says how far the order was filled then."""
    return RootFill(f"{order.ref}={filled}", order.ref, contracts, "", ts)
