"""When orders for the close and for the opening are worked: the last slot of a session, the first.

They get the price that the session closes or opens at, whole, as an auction gives it. The close of
a contract's last session is its last trade.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from pyfutures.gateway.hours import NS_PER_MINUTE
from pyfutures.gateway.market import SLOT_NS

if TYPE_CHECKING:
    from pyfutures.chain.sessions import Session
    from pyfutures.gateway.spreads import Tradable

__all__ = ["Auction", "is_auction", "next_auction"]


class Auction(StrEnum):
    """Which end of a session."""

    OPEN = "open"
    CLOSE = "close"


def _slot(what: Tradable, auction: Auction, session: Session) -> int:
    """Return when the slot of a session's auction begins."""
    if auction is Auction.OPEN:
        return session.stretches[0][0] * NS_PER_MINUTE
    ends = min(session.close_ns, what.last_ns)
    return (ends - 1) // SLOT_NS * SLOT_NS


def is_auction(what: Tradable, auction: Auction, now: int) -> bool:
    """Whether an instant lies in the slot of an auction."""
    session = what.hours.at(now)
    return session is not None and 0 <= now - _slot(what, auction, session) < SLOT_NS


def next_auction(what: Tradable, auction: Auction, now: int) -> int | None:
    """Return when the slot of the auction that goes on or comes next begins; None if none comes."""
    session = what.hours.ahead(now)
    while session is not None:
        starts = _slot(what, auction, session)
        if starts >= what.last_ns:
            return None
        if starts + SLOT_NS > now:
            return starts
        session = what.hours.ahead(session.close_ns)
    return None
