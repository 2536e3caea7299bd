"""Multiple prices: one row a time with the price of the current, forward and carry contract.

This is how pysystemtrade keeps a continuous series before it is adjusted. A roll is where the
current contract changes; its gap is forward less current in the last row of the old contract. The
prices are floats because the files have floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures.continuous import shifts
from pyfutures.continuous.adjustment import Adjustment, RatioError
from pyfutures.continuous.bars import instant
from pyfutures.continuous.policies import Missing
from pyfutures.months import ContractMonth, MonthError

if TYPE_CHECKING:
    from numpy.typing import NDArray

type _Rolls = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], frozenset[int]]

LEGS = ("price", "forward", "carry")


class MultipleError(ValueError):
    """Multiple prices that cannot be taken as they are, or not be adjusted."""


@dataclass(frozen=True, eq=False)
class MultiplePrices:
    """Prices of the current, forward and carry contract, oldest first.

    Parameters
    ----------
    name
        What errors call them.
    ts
        Times, nanoseconds UTC.
    price, forward, carry
        Prices, nan where missing.
    price_contract, forward_contract, carry_contract
        Contracts as yyyymm00, 0 where there is none.
    times
        The times as the file has them, an Arrow column; None if they are not of a file.

    """

    name: str
    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    forward: NDArray[np.float64]
    carry: NDArray[np.float64]
    price_contract: NDArray[np.integer]
    forward_contract: NDArray[np.integer]
    carry_contract: NDArray[np.integer]
    times: Any = None

    def __len__(self) -> int:
        return int(self.ts.size)

    @cached_property
    def rolled(self) -> NDArray[np.int64]:
        """The first row of each new contract."""
        return shifts.changes(self.price_contract)

    @cached_property
    def whole_rolls(self) -> _Rolls:
        """First row, both prices and inferred ones of all rolls, if no price of them is missing."""
        return _rolls(self, Missing.FAIL)


@dataclass(frozen=True, slots=True)
class FileRoll:
    """One roll of multiple prices; contracts as yyyymm00.

    The row at `last_old_ts` is the last of the old contract, that at `first_new_ts` the first of
    the new one; both prices are those at `last_old_ts`.
    """

    old_contract: int
    new_contract: int
    last_old_ts: int
    first_new_ts: int
    pre_price: float
    post_price: float
    reason: str
    inferred: bool = False

    @property
    def gap(self) -> float:
        """New less old."""
        return self.post_price - self.pre_price


def contract_month(code: int) -> ContractMonth:
    """Month of a contract as yyyymm00.

    Raises
    ------
    MultipleError
        If it is not of that form.

    """
    year_month, day = divmod(int(code), 100)
    try:
        month = ContractMonth(*divmod(year_month, 100))
    except (MonthError, ValueError):
        month = None
    if month is None or day:
        raise MultipleError(f"contract {code} is no month: write yyyymm00, as 20260300")
    return month


# Rolls that are in the file


def check_contracts(prices: MultiplePrices) -> None:
    """Raise `MultipleError` if a row has no current contract."""
    codes = prices.price_contract
    # A hole begins where the column changes, or with it.
    if codes.size and not (codes[0] and codes[prices.rolled].all()):
        row = int(np.argmax(codes == 0)) + 1
        raise MultipleError(f"{prices.name} row {row}: no price_contract")


def rolls_made(prices: MultiplePrices, missing: Missing = Missing.FAIL) -> tuple[FileRoll, ...]:
    """Rolls that multiple prices have: one where the current contract changes.

    Parameters
    ----------
    prices
        The prices.
    missing
        What to do where the last row of the old contract lacks a price: `fail`, or `infer` it from
        the last spread of the two contracts. The roll is made already, so that nothing can wait.

    Raises
    ------
    MultipleError
        If a row has no current contract, the forward contract before a roll is not the current one
        after it, or a price that the roll needs is missing.

    """
    rows, pre, post, inferred = _rolls(prices, missing)
    last = rows - 1
    columns = (
        prices.price_contract[last],
        prices.price_contract[rows],
        prices.ts[last],
        prices.ts[rows],
        pre,
        post,
    )
    return tuple(
        FileRoll(old, new, last_old, first_new, before, after, "recorded", number in inferred)
        for number, (old, new, last_old, first_new, before, after) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        )
    )


def _rolls(prices: MultiplePrices, missing: Missing) -> _Rolls:
    """First row of each new contract, both prices before it, and which rolls were inferred."""
    if Missing(missing) is Missing.WAIT:
        raise MultipleError(f"{prices.name}: its rolls are made, none can wait: `fail` or `infer`")
    codes = prices.price_contract
    rows = prices.rolled
    check_contracts(prices)
    last = rows - 1
    odd = np.flatnonzero(prices.forward_contract[last] != codes[rows])
    if odd.size:
        row = int(rows[odd[0]])
        raise MultipleError(
            f"{_where(prices, row)}: the forward contract of {codes[row - 1]} is "
            f"{prices.forward_contract[row - 1] or 'none'}, but the next row is of {codes[row]}: "
            "which gap the roll has is not known"
        )
    pre, post = prices.price[last], prices.forward[last]
    holes = np.flatnonzero(~(np.isfinite(pre) & np.isfinite(post)))
    for hole in holes.tolist():
        begin = int(rows[hole - 1]) if hole else 0
        pre[hole], post[hole] = _inferred(prices, begin, int(rows[hole]), missing)
    return rows, pre, post, frozenset(holes.tolist())


def _inferred(
    prices: MultiplePrices, begin: int, row: int, missing: Missing
) -> tuple[float, float]:
    """Both prices of a roll that lacks one, the old contract's rows beginning at `begin`."""
    last = row - 1
    old, new = prices.price_contract[last], prices.price_contract[row]
    pre, post = float(prices.price[last]), float(prices.forward[last])
    if missing is Missing.FAIL:
        which = "forward" if math.isfinite(pre) else "current"
        raise MultipleError(
            f"{_where(prices, row)}: the last row of {old} has no {which} price, so that the gap to"
            f" {new} is not known: bring it, or let it be inferred"
        )
    pair = np.flatnonzero(
        np.isfinite(prices.price[begin:row])
        & np.isfinite(prices.forward[begin:row])
        & (prices.forward_contract[begin:row] == new)
    )
    if not pair.size:
        raise MultipleError(
            f"{_where(prices, row)}: {old} and {new} never had a price at the same time: no gap can"
            " be inferred"
        )
    at = begin + int(pair[-1])
    spread = float(prices.forward[at] - prices.price[at])
    if math.isfinite(pre):
        return pre, pre + spread
    if math.isfinite(post):
        return post - spread, post
    return float(prices.price[at]), float(prices.forward[at])


def _where(prices: MultiplePrices, row: int) -> str:
    return f"{prices.name} row {row}: {instant(int(prices.ts[row - 1]))}"


# Adjusted prices


def adjust(
    prices: MultiplePrices,
    mode: Adjustment = Adjustment.BACKWARD_SPREAD,
    *,
    missing: Missing = Missing.FAIL,
) -> NDArray[np.float64]:
    """Adjusted prices; nan where no price is.

    Raises
    ------
    MultipleError
        As `rolls_made` does.
    RatioError
        If a ratio is needed of a roll with a price that is not positive.

    """
    bounds, terms = segments(prices, mode, missing=missing)
    move = shifts.multiply_floats if mode.is_ratio else shifts.add_floats
    return move(prices.price, bounds, terms)


def adjustment(
    prices: MultiplePrices,
    mode: Adjustment = Adjustment.BACKWARD_SPREAD,
    *,
    missing: Missing = Missing.FAIL,
) -> NDArray[np.float64]:
    """What `adjust` adds to each price; nan where no price is.

    Raises
    ------
    MultipleError, RatioError
        As `adjust` does.

    """
    bounds, terms = segments(prices, mode, missing=missing)
    if mode.is_ratio:
        return shifts.multiply_floats(prices.price, bounds, terms) - prices.price
    added = np.repeat(terms, np.diff(bounds))
    added[np.isnan(prices.price)] = np.nan
    return added


def segments(
    prices: MultiplePrices, mode: Adjustment, *, missing: Missing = Missing.FAIL
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where the segments begin (and the number of rows), and the shift or factor of each.

    Raises
    ------
    MultipleError, RatioError
        As `adjust` does.

    """
    fails = missing is Missing.FAIL
    rows, pre, post, _ = prices.whole_rolls if fails else _rolls(prices, missing)
    bounds = np.concatenate(([0], rows, [len(prices)]))
    if mode.is_ratio:
        bad = np.flatnonzero((pre <= 0) | (post <= 0))
        if bad.size:
            row = int(rows[bad[0]])
            old, new = prices.price_contract[row - 1], prices.price_contract[row]
            raise RatioError(
                f"{_where(prices, row)}: no {mode.value} view: it rolled from {old} at "
                f"{pre[bad[0]]:g} to {new} at {post[bad[0]]:g}, and both must be positive; take "
                f"{'backward' if mode.is_backward else 'forward'}_spread"
            )
        ratios = post / pre
        if mode.is_backward:
            return bounds, np.append(np.cumprod(ratios[::-1])[::-1], 1.0)
        return bounds, np.append(1.0, 1 / np.cumprod(ratios))
    gaps = post - pre
    if mode.is_backward:
        return bounds, np.append(np.cumsum(gaps[::-1])[::-1], 0.0)
    return bounds, np.append(0.0, -np.cumsum(gaps))
