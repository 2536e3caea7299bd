"""Which months of a chain are loaded at an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.months import LAST_MONTH, ContractMonth

if TYPE_CHECKING:
    import datetime as dt

    from pyfutures.chain import Chain, ChainRow
    from pyfutures.nautilus.config import MonthsSelection

__all__ = ["next_roll", "selected", "trades"]

_YEARS_BACK = 1


def selected(chain: Chain, months: MonthsSelection, at: dt.datetime) -> dict[ContractMonth, bool]:
    """Return the months, in order, and whether the broker must have each.

    It must have the places in the chain that still trade; what is far along a cycle may not be
    listed there yet, and what has expired may be forgotten. With `all` the broker's list decides,
    so nothing is added for it here.

    Raises
    ------
    ChainError
        If the chain has no position at the instant.
    """
    found: dict[ContractMonth, bool] = {}
    rolls = chain.spec.roll is not None
    if rolls and (months.current or months.forward or months.carry or months.previous):
        place = chain.position(at)
        for wanted, month in (
            (months.current, place.current),
            (months.forward, place.forward),
            (months.carry, place.carry),
            (months.previous, place.previous),
        ):
            if wanted and month is not None:
                found[month] = trades(chain.row(month), at)
    if rolls and months.held:
        current = chain.position(at).current
        for row in [row for row in chain.rows(current) if row.hold][: months.held]:
            found.setdefault(row.month, False)
    count = months.listed or (0 if rolls or months.all else 1)
    if count:
        first = ContractMonth(at.year - _YEARS_BACK, 1)
        alive = (row.month for row in chain.rows(first, LAST_MONTH) if trades(row, at))
        for month, _ in zip(alive, range(count), strict=False):
            found.setdefault(month, False)
    return dict(sorted(found.items()))


def trades(row: ChainRow, at: dt.datetime) -> bool:
    """Return whether a month still trades; one whose dates are not known yet does."""
    if row.last_trade_utc is not None:
        return row.last_trade_utc > at
    return row.last_trade is None or row.last_trade >= at.date()


def next_roll(chain: Chain, at: dt.datetime) -> dt.date | None:
    """Return the date of the next roll, None for a root without `roll`.

    Raises
    ------
    ChainError
        If the chain has no position at the instant.
    """
    return None if chain.spec.roll is None else chain.position(at).roll_date
