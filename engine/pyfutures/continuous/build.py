"""Continuous series of bars that are all there: the roll machine, fed from arrays into arrays.

Nothing here decides about a roll. The machine is fed in time order from each roll date on; what it
emits becomes columns. The stretches in between, where it decides nothing, are written down whole
(`columns`). A series keeps the state before its last timestamp was closed, so that more bars can
be appended and the result is the one from scratch.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pyfutures.chain.rolls import DAY_NS
from pyfutures.continuous.bars import NO_PRICE, Time
from pyfutures.continuous.columns import Columns, Stretch
from pyfutures.continuous.errors import RollMissedError
from pyfutures.continuous.frame import BarsError, Frame, Stamp, read_bars
from pyfutures.continuous.machine import Missing, Policy, RollMachine
from pyfutures.continuous.nearest import nearest_ts
from pyfutures.continuous.policies import UTC_DAYS, Sessions
from pyfutures.continuous.series import Series, read_parquet, write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pyfutures.chain.rolls import RollCalendar
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

_FIRST_CHUNK, _CHUNK = 1 << 7, 1 << 14


def build(  # noqa: PLR0913 - all but two have defaults
    frame: Frame,
    calendar: RollCalendar,
    *,
    start: ContractMonth | None = None,
    end: ContractMonth | None = None,
    policy: Policy = Policy.FIRST_COMMON,
    missing: Missing = Missing.WAIT,
    lag: int = 1,
    sessions: Sessions = UTC_DAYS,
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
    policy, missing, lag, sessions
        See `RollMachine`.
    progress
        Called with the number of rows done and to do, now and then.

    Raises
    ------
    BarsError
        If no held month from `start` to `end` has bars, the gaps of the rolls sum to more than
        a column of them holds, or a policy needs a column that is not there.
    RollMissedError
        If a month could not be left in its roll window.
    RollCalendarError, RollWindowError, ValueError
        As `RollMachine` does.

    """
    asked = end
    policy = Policy(policy)
    if policy is Policy.OPEN_INTEREST and frame.open_interest is None:
        raise BarsError(
            f"{calendar.root}: policy open_interest needs a column open_interest in all files"
        )
    start, end = span(frame, calendar, start, end)
    plan = nearest_plan(frame, calendar, start, end) if policy is Policy.NEAREST else None
    machine = RollMachine(
        calendar,
        start=start,
        end=end,
        policy=policy,
        missing=missing,
        lag=lag,
        sessions=sessions,
        plan=plan,
    )
    columns = Columns()
    run(machine, frame, columns, sessions=sessions, progress=progress)
    return finished(machine, columns, start, until=int(frame.ts[-1]), asked=asked)


def finished(
    machine: RollMachine,
    columns: Columns,
    start: ContractMonth,
    *,
    until: int,
    asked: ContractMonth | None,
) -> Series:
    """Series of what was emitted, its last timestamp closed; the state is that before."""
    state = machine.state()
    # How much was fed twice or in vain depends on how it was brought, and is no part of a series.
    state["counts"] = {}
    state["until"] = until
    state["asked"] = None if asked is None else str(asked)
    columns.take(machine.feed(Time(until)))
    joined = columns.joined()
    rows = machine.calendar.rows
    past = rows[machine.calendar.index(start) : machine.calendar.index(machine.month) + 1]
    return Series(
        root=machine.root,
        start=start,
        policy=machine.policy,
        missing=machine.missing,
        fingerprint=machine.fingerprint,
        rolls=columns.told_rolls(joined),
        calendar=tuple(map(str, past)),
        state=state,
        **joined,
    )


def run(
    machine: RollMachine,
    frame: Frame,
    columns: Columns,
    *,
    sessions: Sessions,
    progress: Progress | None = None,
) -> None:
    """Feed a machine all bars of a frame; the last timestamp stays open."""
    ts, total, done = frame.ts, len(frame), 0
    resumed = machine.open_ts  # its legs may be elsewhere than in the frame
    while done < total:
        row = machine.row
        if resumed is None:
            opened = machine.open_ts
            begin = done if opened is None else int(np.searchsorted(ts, opened))
            until = int(np.searchsorted(ts, _quiet_ns(machine, frame, begin, sessions)))
            if until > begin:
                rolled = machine.rolled
                stretch = Stretch.of(
                    frame, slice(begin, until), row, C=machine.C, R=machine.R, rolled=rolled
                )
                if stretch is not None:
                    columns.add(stretch.columns)
                    machine.pass_over(
                        closed=stretch.closed,
                        bars=int(stretch.columns["ts"].size),
                        current=stretch.current,
                        forward=stretch.forward,
                        spread=stretch.spread,
                    )
                done = max(done, until)
        done, resumed = _feed(machine, frame, columns, done, resumed, progress)
        if progress is not None:
            progress(done, total)


def _feed(  # noqa: PLR0913, PLR0917 - a loop of `run`, cut out
    machine: RollMachine,
    frame: Frame,
    columns: Columns,
    done: int,
    resumed: int | None,
    progress: Progress | None,
) -> tuple[int, int | None]:
    """Feed bars one by one until a roll; how many rows are done, and the resumed timestamp."""
    codes = {month: code for code, month in enumerate(frame.months)}
    legs = [codes[leg] for leg in machine.row.legs if leg in codes]
    feed, take, chunk, total = machine.feed, columns.take, _FIRST_CHUNK, len(frame)
    while done < total:
        part = frame.month[done : done + chunk]
        rows = np.flatnonzero(np.isin(part, legs)) + done
        for row, bar in zip(rows.tolist(), frame.bars(rows), strict=True):
            events = feed(bar)
            if resumed is not None and machine.open_ts != resumed:
                take(events)
                return row + 1, None
            if events and take(events):
                return row + 1, resumed
        done = min(done + chunk, total)
        chunk = min(chunk * 2, _CHUNK)
        if progress is not None:
            progress(done, total)
    return done, resumed


def _quiet_ns(machine: RollMachine, frame: Frame, begin: int, sessions: Sessions) -> int:
    """Before which instant nothing can be decided; the last timestamp is always fed."""
    last = int(frame.ts[-1])
    quiet = min(machine.quiet_ns, last)
    if not machine.policy.is_crossing:
        return quiet
    # What is known at the roll date comes from so many sessions before; one more may be cut.
    codes = {month: code for code, month in enumerate(frame.months)}
    legs = [codes[leg] for leg in machine.row.legs if leg in codes]
    days = 4 * (machine.lag + 2)
    while True:
        cut = quiet - days * DAY_NS
        rows = slice(max(begin, int(np.searchsorted(frame.ts, cut))), None)
        stop = int(np.searchsorted(frame.ts, quiet))
        if rows.start <= begin:
            return int(frame.ts[begin]) if begin < len(frame) else quiet
        rows = slice(rows.start, stop)
        seen = np.unique(frame.ts[rows][np.isin(frame.month[rows], legs)])
        if len({sessions.number(ts) for ts in seen.tolist()}) > machine.lag + 1:
            return cut
        days *= 2


def span(
    frame: Frame, calendar: RollCalendar, start: ContractMonth | None, end: ContractMonth | None
) -> tuple[ContractMonth, ContractMonth]:
    """First and last month of the series: those asked for, or those that the bars allow.

    Raises
    ------
    BarsError
        If no held month in between has bars.

    """
    codes, at = np.unique(frame.month, return_index=True)
    there = [frame.months[code] for code in codes.tolist()]
    first_ts = {
        month: int(ts)
        for month, ts in zip(there, frame.ts[at], strict=True)
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


def nearest_plan(
    frame: Frame, calendar: RollCalendar, start: ContractMonth, end: ContractMonth
) -> dict[ContractMonth, int]:
    """When each month from `start` to before `end` is left by the policy `nearest`.

    A month whose roll date lies past the last bar is not left yet.

    Raises
    ------
    RollMissedError
        If a month and its forward have no close at the same time, later than the roll before.

    """
    closes = _closes(frame)
    nothing = np.empty(0, dtype=np.int64)
    plan: dict[ContractMonth, int] = {}
    after: int | None = None
    rows = calendar.rows[calendar.index(start) : calendar.index(end) + 1]
    for row, following in pairwise(rows):
        if row.roll_ns > frame.ts[-1]:
            break
        old, new = closes.get(row.month, nothing), closes.get(following.month, nothing)
        at = nearest_ts(old, new, row.roll_ns, after=after)
        if at is None:
            raise RollMissedError(calendar.root, row, current=None, forward=None)
        plan[row.month] = at
        after = max(row.roll_ns, at)
    return plan


def _closes(frame: Frame) -> dict[ContractMonth, NDArray[np.int64]]:
    """When each month has a close, in order."""
    order = np.argsort(frame.month, kind="stable")
    order = order[frame.close[order] != NO_PRICE]
    bounds = np.searchsorted(frame.month[order], np.arange(len(frame.months) + 1))
    return {
        month: frame.ts[order[bounds[code] : bounds[code + 1]]]
        for code, month in enumerate(frame.months)
    }
