"""Prices moved segment by segment: the arithmetic of every adjusted column.

A segment has one shift or one factor, so nothing as long as the prices is made beside the answer.
Work goes block by block, since what was just written is looked at again while it is still near.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures.continuous.bars import NO_PRICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_BLOCK = 1 << 16
# Below so many rows a segment, a call a segment costs more than a column of shifts.
_SHORT = 1 << 14

type Bounds = Sequence[int] | NDArray[np.int64]
type Terms = Sequence[int] | Sequence[float] | NDArray[np.int64] | NDArray[np.float64]


def _moved[T: np.generic](
    prices: NDArray[Any],
    bounds: Bounds,
    terms: Terms,
    ufunc: np.ufunc,
    dtype: type[T],
) -> NDArray[T]:
    """Prices with the term of their segment added or multiplied, in one new array."""
    out: NDArray[T]
    if prices.size < _SHORT * len(terms):
        out = np.repeat(np.asarray(terms, dtype=dtype), np.diff(bounds))
        ufunc(prices, out, out=out)
        return out
    out = np.empty(prices.size, dtype=dtype)
    for number, (first, last) in enumerate(pairwise(np.asarray(bounds).tolist())):
        ufunc(prices[first:last], terms[number], out=out[first:last])
    return out


def add_units(prices: NDArray[np.int64], bounds: Bounds, shifts: Terms) -> NDArray[np.int64]:
    """Prices plus the shift of their segment, exact; `NO_PRICE` stays.

    Parameters
    ----------
    prices
        Prices in 1e-9.
    bounds
        Where the segments begin, and the number of prices.
    shifts
        What to add in each.

    """
    if prices.size < _SHORT * len(shifts):
        out = _moved(prices, bounds, shifts, np.add, np.int64)
        if out.size and prices.min() == NO_PRICE:
            out[prices == NO_PRICE] = NO_PRICE
        return out
    out = np.empty_like(prices)
    for number, rows in _blocks(bounds):
        part, moved = prices[rows], out[rows]
        np.add(part, shifts[number], out=moved)
        # The smallest of all integers stands for a missing price.
        if part.min() == NO_PRICE:
            moved[part == NO_PRICE] = NO_PRICE
    return out


def multiply_units(prices: NDArray[np.int64], bounds: Bounds, factors: Terms) -> NDArray[np.int64]:
    """Prices times the factor of their segment, rounded half to even; `NO_PRICE` stays."""
    out = np.empty_like(prices)
    buffer = np.empty(min(_BLOCK, prices.size), dtype=np.float64)
    for number, rows in _blocks(bounds):
        part, moved = prices[rows], out[rows]
        product = buffer[: part.size]
        np.multiply(part, factors[number], out=product)
        np.rint(product, out=product)
        missing = part == NO_PRICE if part.min() == NO_PRICE else None
        if missing is not None:
            product[missing] = 0.0
        moved[:] = product
        if missing is not None:
            moved[missing] = NO_PRICE
    return out


def add_floats(prices: NDArray[np.float64], bounds: Bounds, shifts: Terms) -> NDArray[np.float64]:
    """Prices plus the shift of their segment; nan stays nan."""
    return _moved(prices, bounds, shifts, np.add, np.float64)


def multiply_floats(
    prices: NDArray[np.float64], bounds: Bounds, factors: Terms
) -> NDArray[np.float64]:
    """Prices times the factor of their segment; nan stays nan."""
    return _moved(prices, bounds, factors, np.multiply, np.float64)


def _blocks(bounds: Bounds) -> Iterator[tuple[int, slice]]:
    for number, (first, last) in enumerate(pairwise(np.asarray(bounds).tolist())):
        for start in range(first, last, _BLOCK):
            yield number, slice(start, min(start + _BLOCK, last))


def changes(codes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Rows at which a column differs from the row before."""
    rows: list[int] = []
    for start in range(0, codes.size - 1, _BLOCK):
        part = codes[start : start + _BLOCK + 1]
        # There are few, and the search for a byte is the quickest way to them.
        differs = (part[1:] != part[:-1]).tobytes()
        at = differs.find(1)
        while at >= 0:
            rows.append(start + at + 1)
            at = differs.find(1, at + 1)
    return np.array(rows, dtype=np.int64)
