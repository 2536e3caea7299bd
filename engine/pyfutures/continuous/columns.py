"""Events of a roll machine as columns: bar by bar, or a whole stretch between two windows at once.

Before a roll date nothing is decided, so that what the machine would say of those bars is known:
the legs that are there, side by side. `Stretch` writes it down from the arrays; a law in the tests
holds both ways to the same columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures.continuous.bars import (
    NO_PRICE,
    Bar,
    ContinuousBar,
    Roll,
    instant,
    price_text,
)
from pyfutures.continuous.frame import PRICES, BarsError, Frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pyfutures.chain.rolls import RollRow
    from pyfutures.continuous.bars import Event
    from pyfutures.months import ContractMonth

    type Part = dict[str, NDArray[Any]]

_ENOUGH = 1 << 14  # bars as objects, before they become arrays


@dataclass(slots=True)
class Columns:
    """What was emitted; bars become arrays now and then, so that objects do not pile up."""

    rolls: list[Roll] = field(default_factory=list)
    bars: list[ContinuousBar] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def take(self, events: tuple[Event, ...]) -> bool:
        """Keep bars and rolls; whether there was a roll."""
        rolled = False
        for event in events:
            if isinstance(event, ContinuousBar):
                self.bars.append(event)
            elif isinstance(event, Roll):
                rolled = True
                if not -(2**63) <= event.C < 2**63:
                    raise BarsError(
                        f"{event.root}: the gaps up to the roll from {event.old} at"
                        f" {price_text(event.pre_price)} to {event.new} at"
                        f" {price_text(event.post_price)} on {instant(event.last_old_ts)} sum to"
                        f" {price_text(event.C)}, more than int64 counts in 1e-9: mend the prices"
                    )
                self.rolls.append(event)
        if len(self.bars) >= _ENOUGH:
            self.flush()
        return rolled

    def add(self, part: Part) -> None:
        """Keep a stretch of bars that are columns already."""
        self.flush()
        self.parts.append(part)

    def flush(self) -> None:
        """Make arrays of the bars that are objects."""
        bars = self.bars
        if not bars:
            return
        own = [bar.current for bar in bars]
        self.parts.append(
            {
                "ts": _int64([bar.ts for bar in own]),
                "month": _int64([bar.month.index for bar in bars]),
                "open": _units([bar.open for bar in own]),
                "high": _units([bar.high for bar in own]),
                "low": _units([bar.low for bar in own]),
                "close": _units([bar.close for bar in own]),
                "volume": np.array([bar.volume for bar in own], dtype=np.float64),
                "forward": _closes([bar.forward for bar in bars]),
                "carry": _closes([bar.carry for bar in bars]),
                "previous": _closes([bar.previous for bar in bars]),
                "C": _int64([bar.C for bar in bars]),
                "R": np.array([bar.R for bar in bars], dtype=np.float64),
                "rolled": np.array([bar.rolled for bar in bars], dtype=np.bool_),
            }
        )
        bars.clear()

    def joined(self) -> Part:
        """All columns."""
        self.flush()
        parts = self.parts or [_EMPTY]
        return {name: np.concatenate([part[name] for part in parts]) for name in _EMPTY}

    def told_rolls(self, columns: Mapping[str, NDArray[Any]]) -> tuple[Roll, ...]:
        """The rolls, each with the timestamp of the first bar after it."""
        # The i-th flagged bar follows the i-th roll: no roll is made without a bar in between.
        firsts: list[int | None] = columns["ts"][columns["rolled"]].tolist()
        firsts += [None] * (len(self.rolls) - len(firsts))
        return tuple(
            replace(roll, first_new_ts=ts) for roll, ts in zip(self.rolls, firsts, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bars of a frame while one month is current and nothing can be decided.

    Parameters
    ----------
    columns
        What the machine would emit.
    closed
        The last timestamp of a leg.
    current, forward
        The last bars of the two months.
    spread
        Forward less current where both last had a close.

    """

    columns: Part
    closed: int
    current: Bar | None
    forward: Bar | None
    spread: int | None

    @classmethod
    def of(  # noqa: PLR0913 - where it is and what is stored
        cls,
        frame: Frame,
        rows: slice,
        row: RollRow,
        *,
        C: int,  # noqa: N803 - the name of the column
        R: float,  # noqa: N803
        rolled: bool,
    ) -> Stretch | None:
        """Stretch of some rows of a frame, None if no bar there is of a leg."""
        codes = {month: code for code, month in enumerate(frame.months)}
        months, ts = frame.month[rows], frame.ts[rows]

        def of_month(month: ContractMonth | None) -> NDArray[np.int64]:
            code = -1 if month is None else codes.get(month, -1)
            at: NDArray[np.int64] = np.flatnonzero(months == code) + rows.start
            return at

        own = of_month(row.month)
        legs = {leg: of_month(leg) for leg in row.legs if leg != row.month}
        last = [int(at[-1]) for at in (own, *legs.values()) if at.size]
        if not last:
            return None
        times = frame.ts[own]
        columns: Part = {
            "ts": times,
            "month": np.full(own.size, row.month.index, dtype=np.int64),
            **{name: getattr(frame, name)[own] for name in (*PRICES, "volume")},
            "C": np.full(own.size, C, dtype=np.int64),
            "R": np.full(own.size, R, dtype=np.float64),
            "rolled": np.zeros(own.size, dtype=np.bool_),
        }
        columns["rolled"][:1] = rolled
        for name, leg in (
            ("forward", row.forward),
            ("carry", row.carry),
            ("previous", row.previous),
        ):
            at = own if leg == row.month else legs.get(leg, own[:0]) if leg is not None else own[:0]
            columns[name] = _beside(times, frame.ts[at], frame.close[at])
        forward = legs.get(row.forward, own[:0]) if row.forward is not None else own[:0]
        pair = np.flatnonzero((columns["close"] != NO_PRICE) & (columns["forward"] != NO_PRICE))
        spread = None
        if pair.size:
            spread = int(columns["forward"][pair[-1]]) - int(columns["close"][pair[-1]])
        return cls(
            columns=columns,
            closed=int(ts[max(last) - rows.start]),
            current=next(frame.bars(own[-1:]), None),
            forward=next(frame.bars(forward[-1:]), None),
            spread=spread,
        )


def _beside(
    times: NDArray[np.int64], ts: NDArray[np.int64], closes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Closes at some times, `NO_PRICE` where there is none."""
    out = np.full(times.size, NO_PRICE, dtype=np.int64)
    if ts.size and times.size:
        at = np.minimum(np.searchsorted(ts, times), ts.size - 1)
        same = ts[at] == times
        out[same] = closes[at[same]]
    return out


def _int64(values: list[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def _units(prices: list[int | None]) -> NDArray[np.int64]:
    return _int64([NO_PRICE if price is None else price for price in prices])


def _closes(legs: list[Bar | None]) -> NDArray[np.int64]:
    return _units([None if leg is None else leg.close for leg in legs])


_INTS = ("ts", "month", *PRICES)
_EMPTY: Part = (
    {name: np.empty(0, dtype=np.int64) for name in _INTS}
    | {"volume": np.empty(0, dtype=np.float64)}
    | {name: np.empty(0, dtype=np.int64) for name in ("forward", "carry", "previous", "C")}
    | {"R": np.empty(0, dtype=np.float64), "rolled": np.empty(0, dtype=np.bool_)}
)
