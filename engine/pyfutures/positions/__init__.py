"""Positions that move with the chain: what to order next, whose fill it was, what will roll.

Nothing here sends anything or knows a clock: facts in, decisions out. `pyfutures.nautilus` gathers
the facts and carries the decisions out.
"""

from __future__ import annotations

from pyfutures.positions.attribution import AttributionError, Claim, attribute, claims_of
from pyfutures.positions.decision import (
    Action,
    Cancel,
    Done,
    Facts,
    Halt,
    Place,
    Reprice,
    Wait,
    decide,
)
from pyfutures.positions.move import Ended, Move, MoveId, MoveOrder, OrderKind, OrderRef, State
from pyfutures.positions.steps import MoveRules, Quote, spread_quote, step_price

__all__ = [
    "Action",
    "AttributionError",
    "Cancel",
    "Claim",
    "Done",
    "Ended",
    "Facts",
    "Halt",
    "Move",
    "MoveId",
    "MoveOrder",
    "MoveRules",
    "OrderKind",
    "OrderRef",
    "Place",
    "Quote",
    "Reprice",
    "State",
    "Wait",
    "attribute",
    "claims_of",
    "decide",
    "spread_quote",
    "step_price",
]
