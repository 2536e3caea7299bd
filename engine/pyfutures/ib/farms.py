"""The data farms of IB, each with its own state, as the gateway's notices tell it.

A farm that breaks costs the feeds that come from it and nothing else: the socket, the orders and
the feeds of other farms go on. The wire never tells which farm a subscription comes from, so a
recovery names the instant since which the farm was broken, and a feed that was silent since then is
taken to be one of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pyfutures.ib.codes import farm

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FarmChange", "FarmKind", "FarmState", "Farms"]


class FarmKind(StrEnum):
    """What a farm delivers."""

    MARKET = "market data"
    HISTORY = "history"
    DEFINITIONS = "definitions"


class FarmState(StrEnum):
    """How a farm is."""

    UNKNOWN = "unknown"
    OK = "ok"
    BROKEN = "broken"
    INACTIVE = "inactive"  # comes up when it is asked for something
    CONNECTING = "connecting"


_MEANING: Final = {
    2103: (FarmKind.MARKET, FarmState.BROKEN),
    2104: (FarmKind.MARKET, FarmState.OK),
    2105: (FarmKind.HISTORY, FarmState.BROKEN),
    2106: (FarmKind.HISTORY, FarmState.OK),
    2107: (FarmKind.HISTORY, FarmState.INACTIVE),
    2108: (FarmKind.MARKET, FarmState.INACTIVE),
    2119: (FarmKind.MARKET, FarmState.CONNECTING),
    2157: (FarmKind.DEFINITIONS, FarmState.BROKEN),
    2158: (FarmKind.DEFINITIONS, FarmState.OK),
}


@dataclass(frozen=True, slots=True)
class FarmChange:
    """What a notice said: `broken_since` is set when the farm is back, or is broken now."""

    farm: str
    kind: FarmKind
    before: FarmState
    after: FarmState
    broken_since: float | None = None

    @property
    def is_recovery(self) -> bool:
        """Whether the farm was broken and can be used again."""
        return self.broken_since is not None and self.after in {FarmState.OK, FarmState.INACTIVE}


class Farms:
    """The farms that have been heard of, by kind and name."""

    def __init__(self) -> None:
        self._states: dict[tuple[FarmKind, str], FarmState] = {}
        self._broken: dict[tuple[FarmKind, str], float] = {}

    @property
    def states(self) -> Mapping[tuple[FarmKind, str], FarmState]:
        """The state of each farm."""
        return dict(self._states)

    def is_broken(self, kind: FarmKind) -> bool:
        """Whether any farm of a kind is broken."""
        return any(of is kind for of, _ in self._broken)

    def hear(self, code: int, text: str, now: float) -> FarmChange | None:
        """Return what a notice changes, None for one that is about no farm.

        Parameters
        ----------
        code
            The code of the notice.
        text
            Its text, which names the farm behind the colon.
        now
            Any clock that goes on steadily.

        """
        meaning = _MEANING.get(code)
        if meaning is None:
            return None
        kind, after = meaning
        key = (kind, farm(text))
        before = self._states.get(key, FarmState.UNKNOWN)
        self._states[key] = after
        if after is FarmState.BROKEN:
            since: float | None = self._broken.setdefault(key, now)
        elif after is FarmState.CONNECTING:
            since = self._broken.get(key)
        else:
            since = self._broken.pop(key, None)
        return FarmChange(key[1], kind, before, after, since)

    def forget(self) -> None:
        """Forget everything: the connection that told it is gone."""
        self._states.clear()
        self._broken.clear()
