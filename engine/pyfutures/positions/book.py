"""What a move needs written down, whoever does it: the store live, plain memory in a backtest."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.positions.move import Move, MoveId, MoveOrder, OrderRef

__all__ = ["MemoryBook", "MoveBook", "RootFill", "Target"]


@dataclass(frozen=True, slots=True)
class RootFill:
    """A fill of an order of a move, by the contracts that it traded.

    Parameters
    ----------
    trade_id
        The broker's id of the execution; a second fill of a contract with it is none.
    ref
        The order.
    contracts
        Signed quantity by contract id: one contract, or both legs of a spread.
    price
        Of the order, as text.
    ts
        When it was.
    """

    trade_id: str
    ref: OrderRef
    contracts: Mapping[str, int]
    price: str
    ts: int


@dataclass(frozen=True, slots=True)
class Target:
    """A target that was set while the strategy ran; it counts until the config says another.

    Parameters
    ----------
    quantity
        Signed quantity to hold.
    configured
        What the config said when it was set.
    opens
        Whether it is to be opened: it was set while nothing was held, and no move was begun since.
    """

    quantity: int
    configured: int | None
    opens: bool


class MoveBook(Protocol):
    """Moves, their orders and fills, and the ledgers of all roots of one account.

    Every call returns when what it was told is durable.
    """

    def close(self) -> None:
        """Let go of what the book holds open."""

    def beat(self) -> None:
        """Say that its holder is alive."""

    def position(self, root: str) -> Mapping[str, int]:
        """Return the signed quantity of a root by contract id."""

    def ledgers(self) -> Mapping[str, Mapping[str, int]]:
        """Return the signed quantity by root and contract id."""

    def target(self) -> Target | None:
        """Return the target that was set while running; None if none was."""

    def set_target(self, target: Target | None) -> None:
        """Keep a target that was set while running; None for what the config says again."""

    def open_moves(self) -> tuple[Move, ...]:
        """Return the moves of all roots that have begun and not ended."""

    def orders(self, move: MoveId) -> tuple[MoveOrder, ...]:
        """Return the orders of a move by their numbers."""

    def booked(self, ref: OrderRef) -> Mapping[str, int]:
        """Return what of an order is in the ledger: signed quantity by contract id."""

    def begin(self, move: Move) -> None:
        """Write a move down; before anything of it is sent."""

    def end(self, move: MoveId, outcome: str) -> None:
        """Write down that a move is over, and how."""

    def write(self, order: MoveOrder, note: str) -> None:
        """Write an order down, or what is new about it; `note` is for the audit."""

    def fill(self, fill: RootFill) -> bool:
        """Take a fill into the ledger of its root; return False if it was there."""

    def adjust(self, root: str, changes: Mapping[str, int], reason: str) -> None:
        """Change the ledger of a root by something that was no fill seen here."""


@dataclass
class MemoryBook:
    """A book that lasts as long as its process: for backtests."""

    audit: list[str] = field(default_factory=list)
    _ledgers: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    _moves: dict[MoveId, Move] = field(default_factory=dict)
    _orders: dict[MoveId, dict[int, MoveOrder]] = field(default_factory=lambda: defaultdict(dict))
    _trades: set[tuple[str, str]] = field(default_factory=set)
    _booked: dict[OrderRef, dict[str, int]] = field(default_factory=dict)
    _target: Target | None = None

    def close(self) -> None:
        """Keep everything: there is nothing to let go of."""

    def beat(self) -> None:
        """Do nothing: nobody else can have it."""

    def position(self, root: str) -> Mapping[str, int]:
        """Return the signed quantity of a root by contract id."""
        return self._ledgers[root]

    def ledgers(self) -> Mapping[str, Mapping[str, int]]:
        """Return the signed quantity by root and contract id."""
        return self._ledgers

    def target(self) -> Target | None:
        """Return the target that was set while running; None if none was."""
        return self._target

    def set_target(self, target: Target | None) -> None:
        """Keep a target that was set while running; None for what the config says again."""
        self._target = target

    def open_moves(self) -> tuple[Move, ...]:
        """Return the moves of all roots that have begun and not ended."""
        return tuple(self._moves.values())

    def orders(self, move: MoveId) -> tuple[MoveOrder, ...]:
        """Return the orders of a move by their numbers."""
        return tuple(self._orders[move][number] for number in sorted(self._orders[move]))

    def booked(self, ref: OrderRef) -> Mapping[str, int]:
        """Return what of an order is in the ledger: signed quantity by contract id."""
        return self._booked.get(ref, {})

    def begin(self, move: Move) -> None:
        """Write a move down."""
        self._moves[move.id] = move
        if self._target is not None:
            self._target = replace(self._target, opens=False)
        self.audit.append(f"{move.id} begins")

    def end(self, move: MoveId, outcome: str) -> None:
        """Write down that a move is over, and how."""
        del self._moves[move]
        self.audit.append(f"{move} ends: {outcome}")

    def write(self, order: MoveOrder, note: str) -> None:
        """Write an order down, or what is new about it."""
        self._orders[order.ref.move][order.ref.number] = order
        self.audit.append(f"{order.ref} {note}")

    def fill(self, fill: RootFill) -> bool:
        """Take a fill into the ledger of its root; return False if it was there."""
        new = {
            contract: quantity
            for contract, quantity in fill.contracts.items()
            if (fill.trade_id, contract) not in self._trades
        }
        if not new:
            return False
        self._trades.update((fill.trade_id, contract) for contract in new)
        booked = self._booked.setdefault(fill.ref, {})
        for contract, quantity in new.items():
            booked[contract] = booked.get(contract, 0) + quantity
        self.adjust(fill.ref.move.root, new, f"{fill.ref} filled at {fill.price}")
        return True

    def adjust(self, root: str, changes: Mapping[str, int], reason: str) -> None:
        """Change the ledger of a root by something that was no fill seen here."""
        ledger = self._ledgers[root]
        for contract, quantity in changes.items():
            ledger[contract] = ledger.get(contract, 0) + quantity
        self.audit.append(f"{root} {dict(changes)}: {reason}")
