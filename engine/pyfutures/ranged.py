"""Values that change with the contract month: a tick, a trading class, a rule, a cycle.

The spans are in order and never overlap, and both bounds belong to their span. A month between two
spans is in a gap: it has no value, and nothing is made up for it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyfutures.months import ContractMonth

__all__ = ["RangeError", "Ranged", "Span"]


class RangeError(ValueError):
    """Spans that are empty, out of order, or overlap."""


@dataclass(frozen=True, slots=True)
class Span[T]:
    """One value and the contract months it holds for; ``None`` is an open bound."""

    start: ContractMonth | None
    until: ContractMonth | None
    value: T

    def __contains__(self, month: ContractMonth) -> bool:
        """Whether the value holds for the month."""
        return (self.start is None or self.start <= month) and (
            self.until is None or month <= self.until
        )

    def __str__(self) -> str:
        """Print the value and its bounds, ``X until 2014X``."""
        start = "" if self.start is None else f" from {self.start}"
        until = "" if self.until is None else f" until {self.until}"
        return f"{self.value}{start}{until}"


@dataclass(frozen=True, slots=True)
class Ranged[T]:
    """A value for each contract month, or none in a gap.

    Raises
    ------
    RangeError
        For no span at all, a span that ends before it starts, or spans that overlap or are out of
        order.

    """

    spans: tuple[Span[T], ...]

    def __post_init__(self) -> None:
        """Refuse spans that leave it open which value holds."""
        if not self.spans:
            message = "there is no span: give at least one"
            raise RangeError(message)
        for span in self.spans:
            if span.start is not None and span.until is not None and span.until < span.start:
                message = f"the span of {span} ends before it starts"
                raise RangeError(message)
        for before, after in itertools.pairwise(self.spans):
            if before.until is None or after.start is None or after.start <= before.until:
                message = f"the spans of {before} and {after} overlap or are out of order"
                raise RangeError(message)

    def __str__(self) -> str:
        """Print the spans one after the other."""
        return ", ".join(map(str, self.spans))

    @classmethod
    def constant(cls, value: T) -> Self:
        """Return one value for all months."""
        return cls((Span(None, None, value),))

    @property
    def values(self) -> tuple[T, ...]:
        """The values in the order of their spans."""
        return tuple(span.value for span in self.spans)

    def at(self, month: ContractMonth) -> T | None:
        """Return the value for the month, ``None`` in a gap."""
        for span in self.spans:
            if month in span:
                return span.value
        return None

    def map[U](self, change: Callable[[T], U]) -> Ranged[U]:
        """Return the same spans with each value changed."""
        return Ranged(tuple(Span(s.start, s.until, change(s.value)) for s in self.spans))

    def select(self, first: ContractMonth, last: ContractMonth) -> Iterator[tuple[slice, T]]:
        """Yield each value with its place in an array over `first` to `last`, both inclusive.

        Element 0 of that array stands for `first`. Places in a gap are in none of the slices, and
        spans wholly outside are left out.
        """
        for span in self.spans:
            start = first if span.start is None else max(first, span.start)
            until = last if span.until is None else min(last, span.until)
            if start <= until:
                yield slice(start.index - first.index, until.index - first.index + 1), span.value
