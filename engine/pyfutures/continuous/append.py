"""More bars for a series that is there: what is new only, and the result is the one from scratch.

A series keeps the state of its machine from before its last timestamp was closed. That timestamp is
taken back, the machine goes on with the bars from there on. Whatever would make the result another
one than from scratch is refused, and says what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pyfutures.continuous.bars import NO_PRICE, Revised, instant, price_text
from pyfutures.continuous.build import finished, run
from pyfutures.continuous.columns import Columns
from pyfutures.continuous.machine import Missing, Policy, RollMachine
from pyfutures.continuous.memory import NEVER
from pyfutures.continuous.policies import UTC_DAYS, Sessions
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from pyfutures.chain.rolls import RollCalendar, RollRow
    from pyfutures.continuous.build import Progress
    from pyfutures.continuous.frame import Frame
    from pyfutures.continuous.series import Series

_ARRAYS = (
    *("ts", "month", "open", "high", "low", "close", "volume"),
    *("forward", "carry", "previous", "C", "R", "rolled"),
)
_LEGS = (("month", "close"), ("forward", "forward"), ("carry", "carry"), ("previous", "previous"))
_ANEW = "build it anew"


class AppendError(ValueError):
    """A stored series that cannot be gone on with; the text says what differs."""


def append(  # noqa: PLR0913 - as `build` has them
    series: Series,
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
    """Series with the bars of `frame` that are new: what `build` makes of the old and new ones.

    Parameters
    ----------
    series
        The stored series.
    frame
        Bars; those that the series has already may be among them, and are compared with it.
    calendar, start, end, policy, missing, lag, sessions, progress
        As those of `build`, and the same as those that made the series.

    Raises
    ------
    AppendError
        If the series was made in another way, a row of its calendar has changed, a bar of it is
        another one now, or a bar came that is too late for it.
    RollMissedError
        If a month could not be left in its roll window.

    """
    state = _state(series, calendar, policy, missing, lag)
    if start is not None and start != series.start:
        raise AppendError(f"{series.root}: the series starts with {series.start}, not {start}")
    _check_rows(series, calendar)
    opened = _reopened(state)
    state["end"] = str(_end(series, frame, calendar, state, end))
    machine = RollMachine.resume(calendar, state, sessions=sessions)
    old = int(np.searchsorted(series.ts, opened))
    columns = Columns(
        rolls=[roll for roll in series.rolls if roll.last_old_ts < opened],
        parts=[{name: getattr(series, name)[:old] for name in _ARRAYS}],
    )
    _check_overlap(series, frame, calendar, opened)
    first = int(np.searchsorted(frame.ts, opened))
    new = frame.since(first)
    _check_open(machine, new, opened)
    run(machine, new, columns, sessions=sessions, progress=progress)
    until = max(state["until"], int(frame.ts[-1]))
    return finished(machine, columns, series.start, until=until, asked=end)


def _state(
    series: Series, calendar: RollCalendar, policy: Policy, missing: Missing, lag: int
) -> dict[str, Any]:
    """State to go on from, if the series was made in the way that was asked for."""
    if series.state is None:
        raise AppendError(f"{series.root}: the file has no state to go on from; {_ANEW}")
    if policy is Policy.NEAREST:
        raise AppendError(
            f"{series.root}: policy nearest looks ahead, so that new bars may move a roll; {_ANEW}"
        )
    made = {
        "root": (series.root, calendar.root),
        "policy": (series.policy.value, Policy(policy).value),
        "missing": (series.missing.value, Missing(missing).value),
    }
    if Policy(policy).is_crossing:
        made["lag"] = (str(series.state["lag"]), str(lag))
    differ = [f"{name} was {was}, now {now}" for name, (was, now) in made.items() if was != now]
    if differ:
        raise AppendError(f"{series.root}: {'; '.join(differ)}; {_ANEW}")
    return dict(series.state)


def _reopened(state: dict[str, Any]) -> int:
    """The timestamp from which on bars are new: the open one, or what follows the closed ones."""
    if state["open"] is not None:
        return int(state["open"])
    return NEVER if state["closed"] is None else int(state["closed"]) + 1


def _check_rows(series: Series, calendar: RollCalendar) -> None:
    """Refuse a calendar in which a month of the series has another row."""
    names = ("month", "previous", "forward", "carry", "roll date", "deadline")
    for number, stored in enumerate(series.calendar):
        was = stored.split()
        month = ContractMonth.parse(was[0])
        if month not in calendar:
            raise AppendError(f"{series.root}: {month} is not a held month any more; {_ANEW}")
        now = str(calendar.row(month)).split()
        # What has not been reached of the current month's window may still move.
        count = 4 if number == len(series.calendar) - 1 else 6
        differ = [
            f"{name} was {one} and is {other}"
            for name, one, other in list(zip(names, was, now, strict=True))[:count]
            # The chain of a shorter calendar begins later.
            if one != other and not (name == "previous" and number == 0)
        ]
        if differ:
            raise AppendError(f"{series.root} {month}: {', '.join(differ)}; {_ANEW}")


def _end(
    series: Series,
    frame: Frame,
    calendar: RollCalendar,
    state: dict[str, Any],
    asked: ContractMonth | None,
) -> ContractMonth:
    """Last month of the longer series."""
    was = ContractMonth.parse(state["end"])
    held = [month for month in frame.months if month in calendar]
    end = max([was, *held]) if asked is None else asked
    if end == was:
        return end
    row: RollRow = calendar.row(ContractMonth.parse(state["month"]))
    opened = _reopened(state)
    reached = opened >= row.roll_ns and row.month == was
    before = state["asked"]
    bound = before is not None or Missing(state["missing"]) is Missing.FAIL
    if end < was or (reached and bound):
        raise AppendError(
            f"{series.root}: the series ended with {was}, now {end}, and {row.month} may have"
            f" rolled before {instant(opened)}; {_ANEW}"
        )
    return end


def _check_overlap(series: Series, frame: Frame, calendar: RollCalendar, opened: int) -> None:
    """Refuse bars from before the open timestamp that the series has not, or has otherwise."""
    codes = {month: code for code, month in enumerate(frame.months)}
    rolls = [roll for roll in series.rolls if roll.last_old_ts < opened]
    months = [series.start, *(roll.new for roll in rolls)]
    # The bar at the roll is the old month's; the open timestamp is looked at elsewhere.
    ends = [*(roll.last_old_ts for roll in rolls), opened - 1]
    begin = first = 0
    for current, end in zip(months, ends, strict=True):
        row = calendar.row(current)
        until = int(np.searchsorted(frame.ts, end, side="right"))
        stop = int(np.searchsorted(series.ts, end, side="right"))
        ts, month, close = (column[begin:until] for column in (frame.ts, frame.month, frame.close))
        times, rows = series.ts[first:stop], slice(first, stop)
        begin, first = until, stop
        for leg, column in _LEGS:
            wanted = getattr(row, leg)
            if wanted is None or wanted not in codes:
                continue
            own = month == codes[wanted]
            here, closes = ts[own], close[own]
            at = np.searchsorted(times, here)
            there = np.append(times, NEVER)[at] == here
            stored = np.append(getattr(series, column)[rows], NO_PRICE)[at]
            # The current month must have a bar; the others count only beside one.
            odd = (~there | (stored != closes)) if leg == "month" else there & (stored != closes)
            if odd.any():
                n = int(np.argmax(odd))
                was = price_text(_known(stored[n])) if there[n] else "no bar"
                raise AppendError(
                    f"{series.root}: the bar of {wanted} at {instant(int(here[n]))} closes at "
                    f"{price_text(_known(closes[n]))}, and the series has {was} there; {_ANEW}"
                )


def _known(units: int) -> int | None:
    return None if units == NO_PRICE else int(units)


def _check_open(machine: RollMachine, frame: Frame, opened: int) -> None:
    """Refuse another bar of a leg at the open timestamp than the one that is kept."""
    trial = RollMachine.resume(machine.calendar, machine.state(), sessions=machine.sessions)
    rows = np.arange(int(np.searchsorted(frame.ts, opened, side="right")))
    for bar in frame.bars(rows):
        for event in trial.feed(bar):
            if isinstance(event, Revised):
                raise AppendError(
                    f"{machine.root}: a bar was {event.kept}, and is {event.refused} now; {_ANEW}"
                )
