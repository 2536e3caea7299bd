"""What a roll machine remembers, and its form in JSON.

Everything that a machine knows beyond its calendar and its settings is here, so that nothing can be
forgotten when it is stored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pyfutures.continuous.bars import Bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.months import ContractMonth

STATE_VERSION = 2
NEVER = -(2**63)  # before every timestamp
FOREVER = 2**63  # after every timestamp
COUNTED = ("bars", "rolls", "duplicates", "revised", "late", "unwanted")


@dataclass(slots=True)
class Memory:
    """The part of a machine that bars change.

    Attributes
    ----------
    C, R
        Sum of gaps and product of ratios of the rolls so far.
    rolled
        Whether the next bar is the first one after a roll.
    closed, open
        The last closed timestamp and the one that collects legs, `NEVER` for none.
    floor
        A bar at or before it is late.
    legs
        The bars of the open timestamp.
    current, forward
        The last bars seen of the two months of the next roll.
    spread
        Forward less current, where both last had a close while the month was current.
    counts
        How many of each of `COUNTED` there were.

    """

    C: int = 0
    R: float = 1.0
    rolled: bool = False
    closed: int = NEVER
    open: int = NEVER
    floor: int = NEVER
    legs: dict[ContractMonth | None, Bar] = field(default_factory=dict)
    current: Bar | None = None
    forward: Bar | None = None
    spread: int | None = None
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    def data(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {
            "C": self.C,
            "R": None if math.isnan(self.R) else self.R,
            "rolled": self.rolled,
            "closed": None if self.closed == NEVER else self.closed,
            "open": None if self.open == NEVER else self.open,
            "legs": [bar.data() for bar in self.legs.values()],
            "seen_current": None if self.current is None else self.current.data(),
            "seen_forward": None if self.forward is None else self.forward.data(),
            "spread": self.spread,
            "counts": dict(self.counts),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Memory that `data` was made of."""
        closed = NEVER if data["closed"] is None else data["closed"]
        opened = NEVER if data["open"] is None else data["open"]
        legs = [Bar.from_data(leg) for leg in data["legs"]]
        current, forward = data["seen_current"], data["seen_forward"]
        return cls(
            C=data["C"],
            R=math.nan if data["R"] is None else data["R"],
            rolled=data["rolled"],
            closed=closed,
            open=opened,
            floor=closed if opened == NEVER else opened - 1,
            legs={leg.month: leg for leg in legs},
            current=None if current is None else Bar.from_data(current),
            forward=None if forward is None else Bar.from_data(forward),
            spread=data["spread"],
            counts=dict.fromkeys(COUNTED, 0) | data["counts"],
        )
