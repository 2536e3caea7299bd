"""Where in the chain a node starts: by the broker, else by the store, else by the calendar.

The broker's word counts: what is held there is real. What it contradicts is not mended but named,
and the node does not start: somebody traded by hand, holds a spread, or another program did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pyfutures.chain.rolls import RollCalendar
    from pyfutures.months import ContractMonth

__all__ = ["Place", "PlaceError", "place"]


class PlaceError(RuntimeError):
    """The broker's position does not go with the chain or with the store; both are named."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a series starts.

    Parameters
    ----------
    month
        The month to start in, where the store has none.
    held
        The month that is held, None if the root is flat; of two, the one that is left.
    is_moving
        Whether the position is between two months.

    """

    month: ContractMonth
    held: ContractMonth | None
    is_moving: bool = False


def place(  # noqa: PLR0913 - all that is known
    calendar: RollCalendar,
    held: Mapping[ContractMonth, int],
    *,
    stored: ContractMonth | None,
    left: Collection[ContractMonth] = (),
    expired: Collection[ContractMonth] = (),
    has_intent: bool,
    now_ns: int,
    wanted: ContractMonth | None = None,
) -> Place:
    """Return where to start.

    Parameters
    ----------
    calendar
        The held months.
    held
        Signed quantity by month, as the ledger gives it to this root.
    stored
        The current month of the stored series, None if there is none.
    left
        Months that the stored series has rolled out of: their position may still have to follow.
    expired
        Months whose contract trades no more.
    has_intent
        Whether the store has an open intent to move the position.
    now_ns
        Now.
    wanted
        The month that the configuration wants to start with.

    Raises
    ------
    PlaceError
        If the position fits neither the hold cycle nor the store, is in two months that no open
        intent explains, or in a contract that has expired.
    RollCalendarError
        If the calendar has no month for now.
    """
    root = calendar.root
    months = sorted(month for month, quantity in held.items() if quantity)
    words = ", ".join(f"{month} {held[month]:+d}" for month in months)
    strange = [month for month in months if month not in calendar]
    if strange:
        cycle = "".join(sorted({row.month.code for row in calendar}, key="FGHJKMNQUVXZ".index))
        raise PlaceError(
            f"{root}: the broker holds {words}, but {strange[0]} is not in the hold cycle {cycle};"
            " close it, or give it to another root in the ledger"
        )
    if gone := [month for month in months if month in expired]:
        raise PlaceError(
            f"{root}: the position says {words}, but {gone[0]} has expired: correct the ledger by"
            " what became of it; nothing is opened anew by itself"
        )
    if len(months) > 2:
        raise PlaceError(f"{root}: the broker holds {words}: more than two months are no roll")
    if len(months) == 2:
        _check_move(calendar, months, held, words=words, has_intent=has_intent)
    start = months[0] if months else None
    if stored is not None and months:
        known = {stored, *left}
        if not known.intersection(months) or (len(months) == 1 and start not in known):
            raise PlaceError(
                f"{root}: the broker holds {words}, the stored series is in {stored}"
                f"{' and came from ' + str(max(left)) if left else ''}: they must agree; roll one"
                " of them by hand, or rebuild the series"
            )
    month = stored or wanted or start
    if month is None:
        month = calendar.position(now_ns).month
    return Place(month, start, is_moving=len(months) == 2)


def _check_move(
    calendar: RollCalendar,
    months: list[ContractMonth],
    held: Mapping[ContractMonth, int],
    *,
    words: str,
    has_intent: bool,
) -> None:
    near, far = months
    reasons = []
    # A position that missed rolls moves over several months at once.
    if held[near] * held[far] < 0:
        reasons.append("they are of opposite sign, as in a spread")
    if not has_intent:
        if calendar.index(far) - calendar.index(near) != 1:
            reasons.append("they are not neighbours in the hold cycle")
        reasons.append("the store has no open intent to move from one to the other")
    if reasons:
        raise PlaceError(
            f"{calendar.root}: the broker holds {words}: no roll that was interrupted, since"
            f" {' and '.join(reasons)}; make it one month by hand"
        )
