"""Continuous series of bars that are all there: the roll machine, fed from arrays into arrays.

Nothing here decides about a roll. The machine is fed in time order; what it emits becomes columns.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pyfutures.continuous.bars import (
    NO_PRICE,
    Bar,
    ContinuousBar,
    Roll,
    Time,
    instant,
    price_text,
)
from pyfutures.continuous.frame import BarsError, Frame, Stamp, read_bars
from pyfutures.continuous.machine import Missing, Policy, RollMachine
from pyfutures.continuous.series import Series, read_parquet, write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pyfutures.chain.rolls import RollCalendar
    from pyfutures.continuous.bars import Event
    from pyfutures.months import ContractMonth

    type Progress = Callable[[int, int], None]

__all__ = [
    "BarsError",
    "Frame",
    "Series",
    "Stamp",
    "build",
    "read_bars",
    "read_parquet",
    "write_parquet",
]

_CHUNK = 1 << 16


def build(  # noqa: PLR0913 - all but two have defaults
    frame: Frame,
    calendar: RollCalendar,
    *,
    start: ContractMonth | None = None,
    end: ContractMonth | None = None,
    policy: Policy = Policy.FIRST_COMMON,
    missing: Missing = Missing.WAIT,
    progress: Progress | None = None,
) -> Series:
    """Continuous series of the bars in `frame`.

    Parameters
    ----------
    frame
        Bars, by time.
    calendar
        The held months and their roll windows.
    start, end
        First and last held month. By default the first one that has a bar before its deadline (a
        month whose window has passed when the bars begin could never be left), and the last one
        that has bars.
    policy, missing
        See `RollMachine`.
    progress
        Called with the number of rows done and to do, now and then.

    Raises
    ------
    BarsError
        If no held month from `start` to `end` has bars, or the gaps of the rolls sum to more than
        a column of them holds.
    RollMissedError
        If a month could not be left in its roll window.
    RollCalendarError, RollWindowError, ValueError
        As `RollMachine` does.

    """
    start, end = _span(frame, calendar, start, end)
    machine = RollMachine(calendar, start=start, end=end, policy=policy, missing=missing)
    rows = np.flatnonzero(_may_be_legs(frame, calendar, start, end))
    total = int(rows.size)
    columns = _Columns()
    feed, take = machine.feed, columns.take
    for done in range(0, total, _CHUNK):
        for bar in frame.bars(rows[done : done + _CHUNK]):
            if events := feed(bar):
                take(events)
        columns.flush()
        if progress is not None:
            progress(min(done + _CHUNK, total), total)
    # The time of the last bar of all, also of those that could not be legs, closes what is open.
    take(feed(Time(int(frame.ts[-1]))))
    columns.flush()
    return columns.series(machine, start)


def _span(
    frame: Frame, calendar: RollCalendar, start: ContractMonth | None, end: ContractMonth | None
) -> tuple[ContractMonth, ContractMonth]:
    """First and last month of the series: those asked for, or those that the bars allow."""
    _, at = np.unique(frame.month, return_index=True)
    first_ts = {
        month: int(ts)
        for month, ts in zip(frame.months, frame.ts[at], strict=True)
        if month in calendar and (start is None or start <= month) and (end is None or month <= end)
    }
    if not first_ts:
        asked = "".join(
            f" {word} {month}" for word, month in (("from", start), ("to", end)) if month
        )
        raise BarsError(
            f"{calendar.root}: no bars of a held month{asked}; there are "
            f"{', '.join(map(str, frame.months)) or 'no bars at all'}"
        )
    end = max(first_ts) if end is None else end
    if start is None:
        in_time = (month for month, ts in first_ts.items() if ts < calendar.row(month).deadline_ns)
        # The end is never left, so that it has no deadline.
        start = next(in_time, end)
    return start, end


def _may_be_legs(
    frame: Frame, calendar: RollCalendar, start: ContractMonth, end: ContractMonth
) -> NDArray[np.bool_]:
    """Which bars the machine may want: those of the legs of a month while it can be current.

    A month is current from the roll date of the one before at the earliest to its own deadline at
    the latest. Leaving the others out changes no event and saves most of the work.
    """
    mask = np.zeros(len(frame), dtype=np.bool_)
    codes = {month: code for code, month in enumerate(frame.months)}
    from_ = 0
    for row in calendar.rows[calendar.index(start) : calendar.index(end) + 1]:
        until = len(frame)
        if row.month != end:
            until = int(np.searchsorted(frame.ts, row.deadline_ns))
        months = frame.month[from_:until]
        for leg in row.legs:
            if leg in codes:
                mask[from_:until] |= months == codes[leg]
        from_ = int(np.searchsorted(frame.ts, row.roll_ns))
    return mask


@dataclass(slots=True)
class _Columns:
    """What was emitted; bars become arrays chunk by chunk, so that the objects do not pile up."""

    bars: list[ContinuousBar] = field(default_factory=list)
    rolls: list[Roll] = field(default_factory=list)
    _done: deque[dict[str, NDArray[np.int64] | NDArray[np.float64] | NDArray[np.bool_]]] = field(
        default_factory=deque
    )

    def take(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, ContinuousBar):
                self.bars.append(event)
            elif isinstance(event, Roll):
                if not -(2**63) <= event.C < 2**63:
                    raise BarsError(
                        f"{event.root}: the gaps up to the roll from {event.old} at"
                        f" {price_text(event.pre_price)} to {event.new} at"
                        f" {price_text(event.post_price)} on {instant(event.last_old_ts)} sum to"
                        f" {price_text(event.C)}, more than int64 counts in 1e-9: mend the prices"
                    )
                self.rolls.append(event)

    def flush(self) -> None:
        bars = self.bars
        own = [bar.current for bar in bars]
        self._done.append(
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

    def series(self, machine: RollMachine, start: ContractMonth) -> Series:
        joined = {
            name: np.concatenate([part[name] for part in self._done]) for name in self._done[0]
        }
        # The i-th flagged bar follows the i-th roll: no roll is made without a bar in between.
        firsts = joined["ts"][joined["rolled"]].tolist()
        firsts += [None] * (len(self.rolls) - len(firsts))
        return Series(
            root=machine.root,
            start=start,
            policy=machine.policy,
            missing=machine.missing,
            fingerprint=machine.fingerprint,
            rolls=tuple(
                replace(roll, first_new_ts=ts) for roll, ts in zip(self.rolls, firsts, strict=True)
            ),
            **joined,
        )


def _int64(values: list[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def _units(prices: list[int | None]) -> NDArray[np.int64]:
    return _int64([NO_PRICE if price is None else price for price in prices])


def _closes(legs: list[Bar | None]) -> NDArray[np.int64]:
    return _units([None if leg is None else leg.close for leg in legs])
