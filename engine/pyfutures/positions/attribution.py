"""Whose position it is: what the broker holds against what the roots have written down.

The broker knows contracts; several roots can be one contract there. The ledger of each root says
what is its own. What the broker holds beyond the sum, or lacks, must be what an unfinished move of
exactly one root explains; anything else stops, naming both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyfutures.positions.move import Move, MoveOrder

__all__ = ["AttributionError", "Claim", "attribute", "claims_of"]


class AttributionError(RuntimeError):
    """The broker's position and the ledgers differ by what no open move explains."""


@dataclass(frozen=True, slots=True)
class Claim:
    """How far an open move of a root may have changed a contract while nobody looked.

    Parameters
    ----------
    root
        Whose move.
    contract
        Id of the contract.
    quantity
        Signed quantity that its orders could have traded beyond what the ledger has.
    """

    root: str
    contract: str
    quantity: int


def claims_of(move: Move, order: MoveOrder, booked: Mapping[str, int]) -> list[Claim]:
    """Return how far an order of which nothing is known may have changed contracts.

    Parameters
    ----------
    move
        Its move.
    order
        What was written down of it.
    booked
        What the ledger has of it: signed quantity by contract id.
    """
    claims = []
    for month, quantity in order.legs.items():
        contract = move.contracts[month]
        left = quantity - booked.get(contract, 0)
        if left:
            claims.append(Claim(move.id.root, contract, left))
    return claims


def attribute(
    broker: Mapping[str, int], ledgers: Mapping[str, Mapping[str, int]], claims: Sequence[Claim]
) -> dict[str, dict[str, int]]:
    """Return what to add to the ledgers: root to contract to signed quantity, without zeros.

    Parameters
    ----------
    broker
        Signed position by contract id.
    ledgers
        The same by root, as written down.
    claims
        What open moves may have changed.

    Raises
    ------
    AttributionError
        If a difference is explained by no claim, or by those of two roots.
    """
    found: dict[str, dict[str, int]] = {}
    contracts = sorted({*broker, *(name for ledger in ledgers.values() for name in ledger)})
    for contract in contracts:
        written = {
            root: ledger[contract] for root, ledger in ledgers.items() if ledger.get(contract)
        }
        difference = broker.get(contract, 0) - sum(written.values())
        if not difference:
            continue
        able = [claim for claim in claims if _explains(claim, contract, difference)]
        if len({claim.root for claim in able}) != 1:
            raise AttributionError(_why(contract, broker.get(contract, 0), written, able))
        found.setdefault(able[0].root, {})[contract] = difference
    return found


def _explains(claim: Claim, contract: str, difference: int) -> bool:
    same_side = claim.quantity * difference > 0
    return claim.contract == contract and same_side and abs(difference) <= abs(claim.quantity)


def _why(contract: str, held: int, written: Mapping[str, int], able: Sequence[Claim]) -> str:
    sides = ", ".join(f"{root} {quantity:+d}" for root, quantity in sorted(written.items()))
    moves = ", ".join(sorted({claim.root for claim in able}))
    reason = f"open moves of {moves} could each explain it" if able else "no open move explains it"
    return (
        f"{contract}: the broker holds {held:+d}, the ledger says {sides or 'nothing'}, and"
        f" {reason}; correct the position or the ledger by hand, then start again"
    )
