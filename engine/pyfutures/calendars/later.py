"""A mapping that is made the first time it is looked into.

Why a day is closed is asked of few days of few calendars; the days themselves of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Later[K, V](Mapping[K, V]):
    """What a function without arguments returns, called once and not before it has to be."""

    __slots__ = ("_found", "_make")

    def __init__(self, make: Callable[[], Mapping[K, V]]) -> None:
        """Keep the function."""
        self._make: Callable[[], Mapping[K, V]] | None = make
        self._found: Mapping[K, V] = {}

    def __getitem__(self, key: K) -> V:
        """Return the value of a key.

        Raises
        ------
        KeyError
            If there is none.

        """
        return self._made()[key]

    def __iter__(self) -> Iterator[K]:
        """Yield the keys."""
        return iter(self._made())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._made())

    def _made(self) -> Mapping[K, V]:
        if self._make is not None:
            self._found = self._make()
            self._make = None
        return self._found
