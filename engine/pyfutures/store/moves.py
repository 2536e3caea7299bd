"""The moves of a root in a store: `pyfutures.positions.MoveBook` over the book of a strategy.

A move is an intent, its orders are lines of the audit: the last line of an order says how it
stands. The legs of a spread are booked one after the other, so what is booked of an order is read
from its fills, by contract, and never from what the order says. Nobody else can write for the
account and root while the lease is held, so what was read at the start and written since is known
without asking again.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from pyfutures.months import ContractMonth
from pyfutures.positions.move import Ended, Move, MoveId, MoveOrder, OrderRef, State
from pyfutures.store.errors import IntentError
from pyfutures.store.leases import Owner
from pyfutures.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.positions.book import RootFill, Target
    from pyfutures.store.book import Intent
    from pyfutures.store.leases import Lease

__all__ = ["StoredMoves", "stored_target"]

_ORDER: Final = "order"
_FILL: Final = "fill"
#: One book for a root, whatever its strategy is called today.
_BOOK: Final = "ROLLING"
#: Lines of the audit read for one move: far beyond what its orders can write.
_LINES: Final = 100_000


class StoredMoves:
    """Moves, orders and fills of one root, and the ledgers of its account.

    Parameters
    ----------
    store
        Where.
    lease
        The account and root.
    """

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store, self._lease = store, lease
        self._book = store.book(lease, strategy=_BOOK)
        self._position: dict[str, int] = self._book.position()
        self._target = self._book.target()
        self._orders: dict[MoveId, dict[int, MoveOrder]] = {}
        self._booked: dict[OrderRef, dict[str, int]] = {}

    @classmethod
    def open(cls, target: str, *, account: str, root: str, trader: str) -> Self:
        """Return the moves in a file or URL; `close` lets go of both.

        Parameters
        ----------
        target
            A file for SQLite, or a URL.
        account, root
            Whose position.
        trader
            Id of the node, whose parts share the lease.

        Raises
        ------
        LeaseHeldError
            If another node moves that position.
        StoreError
            If the store cannot be opened.
        """
        store = Store.open(target)
        try:
            lease = store.lease(account, root, Owner.here(trader))
            return cls(store, lease)
        except BaseException:  # whatever it was, no connection is left open
            store.close()
            raise

    def close(self) -> None:
        """Let go of the lease, and close the store."""
        try:
            self._lease.release()
        finally:
            self._store.close()

    def beat(self) -> None:
        """Say that the node is alive; a few times within the lease's time to live."""
        self._lease.beat()

    def position(self, root: str) -> Mapping[str, int]:
        """Return the signed quantity of a root by contract id."""
        if root == self._lease.root:
            return self._position
        return self._store.positions(self._lease.account).get(root, {})

    def ledgers(self) -> Mapping[str, Mapping[str, int]]:
        """Return the signed quantity by root and contract id."""
        return self._store.positions(self._lease.account)

    def open_moves(self) -> tuple[Move, ...]:
        """Return the moves of all roots of the account that have begun and not ended."""
        return tuple(_move(intent) for intent in self._store.open_intents(self._lease.account))

    def orders(self, move: MoveId) -> tuple[MoveOrder, ...]:
        """Return the orders of a move by their numbers."""
        known = self._known(move)
        return tuple(known[number] for number in sorted(known))

    def booked(self, ref: OrderRef) -> Mapping[str, int]:
        """Return what of an order is in the ledger: signed quantity by contract id."""
        self._known(ref.move)
        return self._booked.get(ref, {})

    def _known(self, move: MoveId) -> dict[int, MoveOrder]:
        """Return the orders of a move by number, read with what is booked of them."""
        if move in self._orders:
            return self._orders[move]
        known: dict[int, MoveOrder] = {}
        booked: dict[OrderRef, dict[str, int]] = {}
        lines = self._store.audit(self._lease.account, move.root, intent=str(move), last=_LINES)
        for line in lines:
            ref = None if line.order_ref is None else OrderRef.parse(line.order_ref)
            if ref is not None and line.kind == _ORDER:
                known[ref.number] = _order(ref, line.payload)
            elif ref is not None and line.kind == _FILL:
                contracts, contract = booked.setdefault(ref, {}), line.payload["contract"]
                contracts[contract] = contracts.get(contract, 0) + line.payload["quantity"]
        self._booked |= booked
        if move.root == self._lease.root:  # of other roots somebody else writes on
            self._orders[move] = known
        return known

    def begin(self, move: Move) -> None:
        """Write a move down; before anything of it is sent."""
        payload = {
            "desired": {str(month): quantity for month, quantity in move.desired.items()},
            "contracts": {str(month): name for month, name in move.contracts.items()},
            "deadline_ns": move.deadline_ns,
        }
        self._book.begin(str(move.id), payload)
        if self._target is not None:
            self._target = replace(self._target, opens=False)
        self._orders[move.id] = {}

    def end(self, move: MoveId, outcome: str) -> None:
        """Write down that a move is over, and how."""
        self._book.finish(str(move), outcome)
        self._orders.pop(move, None)

    def write(self, order: MoveOrder, note: str) -> None:
        """Write an order down, or what is new about it."""
        known = self._known(order.ref.move)
        payload = {
            "note": note,
            "legs": {str(month): quantity for month, quantity in order.legs.items()},
            "state": order.state.value,
            "sent_ns": order.sent_ns,
            "filled": order.filled,
            "step": order.step,
            "price": None if order.price is None else str(order.price),
            "ended": None if order.ended is None else order.ended.value,
        }
        move = order.ref.move
        self._book.note(_ORDER, payload, intent=str(move), order_ref=str(order.ref))
        known[order.ref.number] = order

    def fill(self, fill: RootFill) -> bool:
        """Take a fill into the ledger of the root; return False if it was there."""
        self._known(fill.ref.move)
        new = False
        for contract, quantity in fill.contracts.items():
            added = self._book.fill(
                contract,
                quantity,
                execution=fill.trade_id,
                at_ns=fill.ts,
                intent=str(fill.ref.move),
                order_ref=str(fill.ref),
                payload={"price": fill.price},
            )
            if added:
                self._add(contract, quantity)
                booked = self._booked.setdefault(fill.ref, {})
                booked[contract] = booked.get(contract, 0) + quantity
                new = True
        return new

    def adjust(self, root: str, changes: Mapping[str, int], reason: str) -> None:
        """Change the ledger of the root by something that was no fill seen here.

        Raises
        ------
        IntentError
            For another root than that of the lease.
        """
        if root != self._lease.root:
            raise IntentError(f"{self._lease} cannot change the ledger of {root}")
        for contract, quantity in changes.items():
            self._book.adjust(contract, quantity, reason=reason)
            self._add(contract, quantity)

    def target(self) -> Target | None:
        """Return the target that was set while running; None if none was."""
        return self._target

    def set_target(self, target: Target | None) -> None:
        """Keep a target that was set while running; None for what the config says again."""
        self._book.set_target(target)
        self._target = target

    def _add(self, contract: str, quantity: int) -> None:
        self._position[contract] = self._position.get(contract, 0) + quantity


def stored_target(store: Store, account: str, root: str) -> Target | None:
    """Return the target of a root that was set while its strategy ran; None if none was."""
    return store.target(account, root, strategy=_BOOK)


def _move(intent: Intent) -> Move:
    desired, contracts = intent.payload["desired"], intent.payload["contracts"]
    return Move(
        MoveId.parse(intent.id),
        {ContractMonth.parse(month): quantity for month, quantity in desired.items()},
        {ContractMonth.parse(month): name for month, name in contracts.items()},
        intent.payload["deadline_ns"],
    )


def _order(ref: OrderRef, payload: Mapping[str, Any]) -> MoveOrder:
    price, ended = payload["price"], payload["ended"]
    return MoveOrder(
        ref,
        {ContractMonth.parse(month): quantity for month, quantity in payload["legs"].items()},
        State(payload["state"]),
        payload["sent_ns"],
        filled=payload["filled"],
        step=payload["step"],
        price=None if price is None else Decimal(price),
        ended=None if ended is None else Ended(ended),
    )
