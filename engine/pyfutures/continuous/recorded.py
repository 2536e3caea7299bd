"""Rolls found in multiple prices: when a rule would have rolled, had it had the same prices.

The columns of the current, forward and carry contract are taken apart into one series a contract.
Where they differ at one time, the current one goes before the forward one, and that before carry.
The months that can be held are those of the hold cycle that have prices at all.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pyfutures.chain.rolls import midnight_ns
from pyfutures.continuous.bars import instant
from pyfutures.continuous.multiple import (
    LEGS,
    FileRoll,
    MultipleError,
    MultiplePrices,
    check_contracts,
    contract_month,
)
from pyfutures.continuous.nearest import nearest_ts
from pyfutures.continuous.policies import Policy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pyfutures.months import ContractMonth


def rolls_by_rule(
    prices: MultiplePrices,
    *,
    hold: str,
    roll_offset: int,
    expiry_offset: int,
    policy: Policy = Policy.NEAREST,
) -> tuple[FileRoll, ...]:
    """Rolls that a rule makes with the prices of a file.

    The first month is the current one of the first row, or the next that is held. A roll is left
    out that the file is too short for: its roll date is past the end, or no row comes after it.

    Parameters
    ----------
    prices
        The prices.
    hold
        Codes of the months to hold, ``HMUZ``.
    roll_offset, expiry_offset
        Calendar days: the roll date is the first of the month, and both on.
    policy
        `nearest`, or `first_common` without a deadline.

    Raises
    ------
    MultipleError
        If no month of the cycle has prices, two neighbours never had one at the same time after the
        roll before, a row has no current contract, a column has two prices of a contract and time,
        or the policy needs what a file of this kind has not.

    """
    if policy.is_crossing:
        raise MultipleError(
            f"{prices.name}: policy {policy.value} needs a column that multiple prices do not have;"
            " take nearest or first_common, or build from bars"
        )
    check_contracts(prices)
    closes = _closes(prices)
    months = {contract_month(code): code for code in closes}
    start = contract_month(int(prices.price_contract[0])) if len(prices) else None
    held = sorted(
        month for month in months if month.code in hold and (start is None or month >= start)
    )
    if not held:
        raise MultipleError(
            f"{prices.name}: no prices of a month in the hold cycle {hold}; there are "
            f"{', '.join(map(str, sorted(months))) or 'none'}"
        )
    found: list[FileRoll] = []
    after: int | None = None
    for old, new in pairwise(held):
        roll_ns = midnight_ns(roll_date(old, roll_offset + expiry_offset))
        if roll_ns > prices.ts[-1]:
            break
        (old_ts, old_price), (new_ts, new_price) = closes[months[old]], closes[months[new]]
        if policy is Policy.NEAREST:
            at = nearest_ts(old_ts, new_ts, roll_ns, after=after)
        else:
            common = np.intersect1d(old_ts, new_ts, assume_unique=True)
            common = common[
                common >= roll_ns if after is None else common >= max(roll_ns, after + 1)
            ]
            at = int(common[0]) if common.size else None
        if at is None:
            raise MultipleError(
                f"{prices.name}: {old} is to roll into {new} about"
                f" {roll_date(old, roll_offset + expiry_offset)}, but after the roll before the two"
                f" have no price at the same time: leave one of them out of the hold cycle {hold}"
            )
        following = int(np.searchsorted(prices.ts, at, side="right"))
        if following == len(prices):
            break
        found.append(
            FileRoll(
                old_contract=months[old],
                new_contract=months[new],
                last_old_ts=at,
                first_new_ts=int(prices.ts[following]),
                pre_price=float(old_price[np.searchsorted(old_ts, at)]),
                post_price=float(new_price[np.searchsorted(new_ts, at)]),
                reason=policy.value,
            )
        )
        after = max(roll_ns, at)
    return tuple(found)


def roll_date(month: ContractMonth, offset: int) -> dt.date:
    """Day so many days after the first of a month."""
    return month.first_day + dt.timedelta(days=offset)


def _closes(prices: MultiplePrices) -> dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Times and prices of each contract, each time once, in order."""
    codes, times, values, legs = [], [], [], []
    for number, leg in enumerate(LEGS):
        price = getattr(prices, leg)
        code = getattr(prices, f"{leg}_contract")
        there = np.isfinite(price) & (code != 0)
        codes.append(code[there])
        times.append(prices.ts[there])
        values.append(price[there])
        legs.append(np.full(values[-1].size, number, dtype=np.int8))
    code, ts, price, of = (np.concatenate(parts) for parts in (codes, times, values, legs))
    order = np.lexsort((ts, code))
    code, ts, price, of = code[order], ts[order], price[order], of[order]
    first = np.ones(code.size, dtype=np.bool_)
    first[1:] = (code[1:] != code[:-1]) | (ts[1:] != ts[:-1])
    odd = np.flatnonzero(~first[1:] & (of[1:] == of[:-1]) & (price[1:] != price[:-1]))
    if odd.size:
        row = int(odd[0])
        raise MultipleError(
            f"{prices.name}: two prices of {code[row]} at {instant(int(ts[row]))},"
            f" {price[row]:.10g} and {price[row + 1]:.10g}: keep one"
        )
    code, ts, price = code[first], ts[first], price[first]
    distinct, starts = np.unique(code, return_index=True)
    bounds = [*starts.tolist(), code.size]
    return {
        int(one): (ts[low:high], price[low:high])
        for one, (low, high) in zip(distinct, pairwise(bounds), strict=True)
    }
