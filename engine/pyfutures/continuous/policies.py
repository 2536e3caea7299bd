"""When to roll within the window, by name, and what to do while a price is missing.

A policy is asked at the close of a timestamp in ``[roll_date, deadline)``. It cannot roll early,
late or backwards: the machine does not ask. What it answers depends only on what was closed up to
then, so that live, backtest and batch agree; `nearest` alone looks ahead, and only a batch, which
has all bars, can make its plan.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from pyfutures.chain.rolls import DAY_NS, midnight_ns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.chain.rolls import RollRow
    from pyfutures.continuous.bars import Bar
    from pyfutures.months import ContractMonth


class Policy(StrEnum):
    """When to roll within the window."""

    FIRST_COMMON = "first_common"
    NEAREST = "nearest"
    VOLUME = "volume"
    OPEN_INTEREST = "open_interest"

    @property
    def is_crossing(self) -> bool:
        """Whether the forward month must have passed the current one in something."""
        return self in {Policy.VOLUME, Policy.OPEN_INTEREST}


class Missing(StrEnum):
    """What to do while a price that the roll needs is missing."""

    WAIT = "wait"
    INFER = "infer"
    FAIL = "fail"


END_OF_WINDOW = "end_of_window"
"""Reason of a roll that a crossing did not bring about before the window ended."""

# One holiday at the end of a window must not make a series miss it.
_SPARE_WEEKDAYS = 2
_SATURDAY = 5


def end_of_window_ns(row: RollRow) -> int:
    """From when a crossing is not waited for: 00:00 UTC of the last weekday but one before."""
    day, left = row.deadline, _SPARE_WEEKDAYS
    while left:
        day -= dt.timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    return max(row.roll_ns, midnight_ns(day))


class Sessions(Protocol):
    """Which session a timestamp belongs to; its text is part of what a state is checked by."""

    def number(self, ts: int) -> int:
        """Day number of the session of a bar that closes at `ts`."""


@dataclass(frozen=True, slots=True)
class UtcDays:
    """Sessions that end at midnight UTC."""

    def number(self, ts: int) -> int:
        """Day number of the session of a bar that closes at `ts`."""
        return (ts - 1) // DAY_NS

    def __str__(self) -> str:
        return "UTC"


@dataclass(frozen=True, slots=True)
class TradingDays:
    """Sessions that end at a local time of day: what closes later belongs to the next day.

    Parameters
    ----------
    close
        Local time of the session close.
    zone
        IANA name of its zone.

    """

    close: dt.time
    zone: str

    def number(self, ts: int) -> int:
        """Day number of the session of a bar that closes at `ts`."""
        # Whole microseconds, rounded up: a bar that closes just after the close is the next day's.
        local = _EPOCH + dt.timedelta(microseconds=-(-ts // 1000))
        local = local.astimezone(ZoneInfo(self.zone))
        return local.toordinal() - _EPOCH_DAY + (local.time() > self.close)

    def __str__(self) -> str:
        return f"{self.close} {self.zone}"


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY = _EPOCH.toordinal()
UTC_DAYS = UtcDays()


class Crossing:
    """Whether forward was above current in a session, as far as it is known at a timestamp.

    Volumes of a session add up; of open interest its last value counts. A session in which one of
    the two is unknown decides nothing. With a lag of one, what is known at a timestamp is the
    session before; with a lag of 0 it is the session itself up to this timestamp, which looks at
    the very bar whose close is the price of the roll.

    Parameters
    ----------
    policy
        `Policy.VOLUME` or `Policy.OPEN_INTEREST`.
    lag
        How many sessions later a session is known.
    sessions
        Which session a timestamp belongs to.

    """

    __slots__ = (
        "_adds",
        "_lag",
        "_pending",
        "_sessions",
        "crossed",
        "session",
        "values",
        "verdicts",
    )

    def __init__(self, policy: Policy, lag: int, sessions: Sessions) -> None:
        self._adds = policy is Policy.VOLUME
        self._lag = lag
        self._sessions = sessions
        self._pending: list[tuple[int, str, float]] = []
        self.reset()

    def reset(self) -> None:
        """Forget what belongs to the pair of months that was left."""
        self.session: int | None = None
        self.values: dict[str, float] = {}
        self.verdicts: list[bool] = []
        self.crossed = False

    def note(self, ts: int, month: ContractMonth, value: float) -> None:
        """Keep an open interest that came as an event until a timestamp at or after it closes."""
        self._pending.append((ts, str(month), value))

    def close(
        self,
        ts: int,
        row: RollRow,
        current: Bar | None,
        forward: Bar | None,
    ) -> None:
        """Take in one closed timestamp, and decide once the roll date is there."""
        session = self._sessions.number(ts)
        if self.session is not None and session != self.session:
            self.verdicts.append(self._forward_above(row))
            del self.verdicts[: -self._lag or None]
            self.values = {}
        self.session = session
        for bar in (current, forward):
            if bar is not None:
                self._take(str(bar.month), bar.volume if self._adds else bar.open_interest)
        for _, month, value in sorted(
            (one for one in self._pending if one[0] <= ts), key=lambda one: one[0]
        ):
            self._take(month, value)
        self._pending = [one for one in self._pending if one[0] > ts]
        if ts >= row.roll_ns and not self.crossed:
            if self._lag == 0:
                self.crossed = self._forward_above(row)
            else:
                self.crossed = len(self.verdicts) == self._lag and self.verdicts[0]

    def _take(self, month: str, value: float | None) -> None:
        if self._adds:
            self.values[month] = self.values.get(month, 0.0) + (
                math.nan if value is None else value
            )
        elif value is not None:
            self.values[month] = value

    def _forward_above(self, row: RollRow) -> bool:
        # A value that is unknown is nan, which is above nothing.
        unknown = math.nan
        return self.values.get(str(row.forward), unknown) > self.values.get(str(row.month), unknown)

    def data(self) -> dict[str, Any]:
        """All it remembers, as JSON holds it (a nan becomes None)."""
        return {
            "session": self.session,
            "values": {m: None if math.isnan(v) else v for m, v in self.values.items()},
            "verdicts": list(self.verdicts),
            "crossed": self.crossed,
            "pending": [list(one) for one in self._pending],
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Remember what `data` was made of."""
        self.session = data["session"]
        self.values = {m: math.nan if v is None else v for m, v in data["values"].items()}
        self.verdicts = list(data["verdicts"])
        self.crossed = data["crossed"]
        self._pending = [(ts, month, value) for ts, month, value in data["pending"]]
