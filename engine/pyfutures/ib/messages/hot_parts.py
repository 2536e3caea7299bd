"""What the decoders by hand are made of: blanks to fill, and numbers that are read quickly.

A number that is none, or not finite, is a ValueError or an ArithmeticError.
"""

from __future__ import annotations

from decimal import (
    MAX_EMAX,
    MAX_PREC,
    MIN_EMIN,
    Clamped,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
)
from itertools import repeat, starmap
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from pyfutures.ib.fields import UNSET_FLOAT

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "HIGHEST", "INT", "INTS", "LOWEST", "SIZE", "SIZES", "blank", "blanks", "maybe", "price_of",
    "prices_of", "sizes_of",
]  # fmt: skip

# Exact as Decimal(text), or an error; it spares that constructor's sorting out of arguments.
_decimal: Final = Context(
    prec=MAX_PREC,
    Emin=MIN_EMIN,
    Emax=MAX_EMAX,
    traps=[InvalidOperation, Inexact, Rounded, Clamped, Overflow],
).create_decimal
_is_finite: Final = Decimal.is_finite


def blank(cls: type) -> Callable[[], Any]:
    """Return the maker of objects with the slots of `cls`, empty and open to be filled."""
    plain = {name: getattr(object, name) for name in ("__init__", "__setattr__", "__delattr__")}
    return type(f"Blank{cls.__name__}", (cls,), {"__slots__": (), **plain})


def blanks(make: Callable[[], Any], count: int) -> list[Any]:
    """Return so many blanks, as [make() for _ in range(count)] does, without the loop."""
    return list(starmap(make, repeat((), count)))


class _Sizes(dict[str, Decimal]):
    """Sizes by their texts: a few hundred are nearly all, and Decimal is the dearest parser."""

    def __missing__(self, text: str) -> Decimal:
        size = _decimal(text)
        if not size.is_finite():
            raise ValueError(text)
        if len(text) <= _SHORT and len(self) < _MOST_KEPT:
            self[text] = SIZES[text] = size
        return size


class _Ints(dict[str, int]):
    """Request ids, masks and kinds by their texts: they repeat for as long as a line lives."""

    def __missing__(self, text: str) -> int:
        value = int(text)
        if len(text) <= _SHORT and len(self) < _MOST_KEPT:
            self[text] = INTS[text] = value
        return value


# The same in plain dictionaries, whose look-up is faster than that of their subclasses.
SIZES: Final[dict[str, Decimal]] = {}
INTS: Final[dict[str, int]] = {}
_SHORT: Final = 6
# Sizes of a message that are shorter than this on average repeat often enough to be looked up.
_REPEATING: Final = 3.5
_MOST_KEPT: Final = 16_384
SIZE: Final = _Sizes()
INT: Final = _Ints()
# What is between them is finite; quicker than to ask isfinite.
LOWEST: Final = float("-inf")
HIGHEST: Final = float("inf")


def price_of(text: str) -> float:
    """Return a price.

    Raises
    ------
    ValueError
        For no number, and one that is not finite.

    """
    price = float(text)
    if not isfinite(price):
        raise ValueError(text)
    return price


def prices_of(texts: list[str]) -> list[float]:
    """Return a column of prices.

    Raises
    ------
    ValueError
        If one is no number, or is not finite.

    """
    prices = list(map(float, texts))
    if not isfinite(sum(prices)):
        raise ValueError("a price that is no number")
    return prices


def sizes_of(texts: list[str]) -> list[Decimal]:
    """Return a column of sizes, exact as they are written.

    Raises
    ------
    ArithmeticError, ValueError
        If one is no number, or is not finite.

    """
    if sum(map(len, texts[:100])) < len(texts[:100]) * _REPEATING:
        return list(map(SIZE.__getitem__, texts))
    sizes = list(map(_decimal, texts))
    if "".join(texts).isdigit():
        return sizes
    if not all(map(_is_finite, sizes)):
        raise ValueError("a size that is no number")
    return sizes


def maybe(text: str) -> float | None:
    """Return a number, None where it is unset.

    Raises
    ------
    ValueError
        For no number, and one that is not finite.

    """
    if not text:
        return None
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return None if value == UNSET_FLOAT else value
