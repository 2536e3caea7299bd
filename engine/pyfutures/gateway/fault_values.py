"""Values of faults as scripts have them, read as what an action needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyfutures.gateway.clock import SECOND

__all__ = ["Given", "duration"]

_DURATION: Final = re.compile(r"\+?(\d+(?:\.\d+)?) ?(ms|s|m|h|d)?")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, None: 1}


def duration(value: object) -> int:
    """Return an amount of time in ns: `5s`, `200ms`, `2m`, `1h`, or a number of seconds.

    Raises
    ------
    ValueError
        For anything else.

    """
    found = _DURATION.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"`{value}` is no amount of time: write 5s, 200ms, 2m or 1h")
    return round(float(found[1]) * _UNITS[found[2]] * SECOND)


@dataclass(frozen=True, slots=True)
class Given:
    """The value of an action: nothing, a word or number that is meant, or a mapping of them.

    A part is read by its key. Where there is no mapping, the value itself is the part that is
    asked for; `part` says that it is not.
    """

    value: object = None

    def part(self, key: str) -> Given:
        """Return the mapping, or nothing where the value is a word that means another part."""
        return self if isinstance(self.value, Mapping) and key in self.value else Given()

    def has(self, key: str) -> bool:
        """Whether a mapping has a key."""
        return isinstance(self.value, Mapping) and key in self.value

    @property
    def is_off(self) -> bool:
        """Whether the value is false: the action is to end."""
        return self.value is False

    def _get(self, key: str, default: object) -> object:
        if isinstance(self.value, Mapping):
            value = self.value.get(key, default)
        else:
            value = default if self.value is None or self.value is True else self.value
        if value is None:
            raise ValueError(f"`{key}` is missing")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Return a part as text.

        Raises
        ------
        ValueError
            If it is missing.

        """
        return str(self._get(key, default))

    def integer(self, key: str, default: int | None = None) -> int:
        """Return a part as an integer.

        Raises
        ------
        ValueError
            If it is missing, or none.

        """
        return int(str(self._get(key, default)))

    def number(self, key: str, default: float | None = None) -> float:
        """Return a part as a number.

        Raises
        ------
        ValueError
            If it is missing, or none.

        """
        return float(str(self._get(key, default)))

    def amount(self, key: str, default: str | None = None) -> int:
        """Return a part as an amount of time in ns.

        Raises
        ------
        ValueError
            If it is missing, or none.

        """
        return duration(self._get(key, default))

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a part as a flag."""
        value = self.value.get(key, default) if isinstance(self.value, Mapping) else default
        return bool(value)
