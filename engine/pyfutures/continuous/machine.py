"""The roll machine: bars in, continuous bars and rolls out. Everything about when to roll is here.

Rules of this file: no clock, no I/O, no log. A batch build, a backtest and a live actor feed the
same machine and get the same events, bit for bit. What it remembers is JSON (`state`); cutting the
input anywhere, storing, resuming and going on changes nothing.

Theory of operation
-------------------
One timestamp is *open* at a time and collects the bars of its legs, in any order. It closes when a
bar of a later one arrives, or when the driver says that the time is ``ts + grace`` or later (so
Friday's daily roll does not wait for Sunday). What arrives for a time before that is `Late`.

::

    fed                     ts      does
    ----------------------  ------  -----------------------------------------------------------
    Bar of an open ts       = open  add it if its month is a leg of the current row; a second,
                                    different bar of a leg is Revised and the first one stands
    Bar of a closed ts      < open  Late
    Bar of a later ts       > open  close the open ts; then, if ts >= deadline, RollMissedError;
                                    then open ts and add the bar
    Time(now)                       close the open ts if ts <= now - grace; then, if
                                    now - grace >= deadline, RollMissedError

    closing t               1.  emit the continuous bar, if the current month has a bar
                            2.  if t >= roll_date and the policy says so: emit the Roll, add its
                                gap to C and multiply R by its ratio; forward becomes current

The bar at the roll still belongs to the old month. The legs of t are those of the row that is
current when t opens, so a timestamp never sees two rolls, and rolls that were missed while the
program was off are made one by one, in order, as their bars are fed. There is no roll out of the
`end` month, and none is ever taken back.

The other policies (volume, open interest) will differ in `policies` only: all of them ask within
[roll_date, deadline) at the close of a timestamp. What they remember becomes a part of the state.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, Self, assert_never

from pyfutures.continuous.bars import (
    Bar,
    ContinuousBar,
    Event,
    Late,
    Revised,
    Roll,
    Time,
    instant,
    same_bar,
)
from pyfutures.continuous.errors import RollMissedError, RollWindowError, StateError
from pyfutures.continuous.policies import DECISIONS, Missing, Policy
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.chain.rolls import RollCalendar, RollRow

__all__ = [
    "STATE_VERSION",
    "Missing",
    "Policy",
    "RollMachine",
    "RollMissedError",
    "RollWindowError",
    "StateError",
]

STATE_VERSION = 1
_NEVER = -(2**63)  # before every timestamp
_FOREVER = 2**63  # after every timestamp


class RollMachine:
    """Continuous series of one root.

    Parameters
    ----------
    calendar
        The held months and their roll windows.
    start
        The month that is current at first.
    end
        The month that is not left any more; None for no end.
    policy, missing
        When to roll within the window, and what to do while a price is missing.
    grace
        Nanoseconds that legs may come after their timestamp before `Time` closes it.

    Raises
    ------
    RollCalendarError
        If `start` or `end` is not a held month.
    RollWindowError
        If the roll window of a month from `start` to before `end` is empty.
    ValueError
        If `end` comes before `start`, or `grace` is negative.

    """

    __slots__ = (
        "_C",
        "_R",
        "_calendar",
        "_closed",
        "_counts",
        "_deadline",
        "_decide",
        "_end",
        "_fingerprint",
        "_floor",
        "_grace",
        "_legs",
        "_missing",
        "_months",
        "_open",
        "_policy",
        "_roll_ns",
        "_rolled",
        "_row",
        "_seen_current",
        "_seen_forward",
    )

    def __init__(  # noqa: PLR0913 - all but two have defaults
        self,
        calendar: RollCalendar,
        *,
        start: ContractMonth,
        end: ContractMonth | None = None,
        policy: Policy = Policy.FIRST_COMMON,
        missing: Missing = Missing.WAIT,
        grace: int = 0,
    ) -> None:
        first = calendar.index(start)
        last = len(calendar) if end is None else calendar.index(end)
        if last < first:
            raise ValueError(f"{calendar.root}: end {end} comes before start {start}")
        if grace < 0:
            raise ValueError(f"{calendar.root}: grace {grace} is negative")
        for row in calendar.rows[first:last]:
            if row.roll_date >= row.deadline:
                raise RollWindowError(
                    f"{calendar.root}: {row.month} has no day to roll: its roll date "
                    f"{row.roll_date} is not before its deadline {row.deadline}; roll earlier"
                )
        self._calendar = calendar
        self._end = end
        self._policy = Policy(policy)
        self._missing = Missing(missing)
        self._decide = DECISIONS[self._policy]
        self._grace = grace
        self._fingerprint = _fingerprint(calendar, self._policy, self._missing)
        self._C = 0
        self._R = 1.0
        self._rolled = False
        self._closed = _NEVER
        self._open = _NEVER
        self._floor = _NEVER  # a bar at or before it is late
        self._legs: dict[ContractMonth | None, Bar] = {}
        self._seen_current: Bar | None = None
        self._seen_forward: Bar | None = None
        self._counts = dict.fromkeys(
            ("bars", "rolls", "duplicates", "revised", "late", "unwanted"), 0
        )
        self._enter(calendar.row(start))

    # What it knows

    @property
    def root(self) -> str:
        """Root of the series."""
        return self._calendar.root

    @property
    def calendar(self) -> RollCalendar:
        """The roll calendar it follows."""
        return self._calendar

    @property
    def row(self) -> RollRow:
        """Row of the current month."""
        return self._row

    @property
    def month(self) -> ContractMonth:
        """The current month."""
        return self._row.month

    @property
    def end(self) -> ContractMonth | None:
        """The month that is not left any more."""
        return self._end

    @property
    def policy(self) -> Policy:
        """When it rolls within the window."""
        return self._policy

    @property
    def missing(self) -> Missing:
        """What it does while a price is missing."""
        return self._missing

    @property
    def grace(self) -> int:
        """Nanoseconds after a timestamp at which `Time` closes it."""
        return self._grace

    @property
    def C(self) -> int:  # noqa: N802 - the name of the column
        """Sum of the gaps of all rolls so far, in 1e-9."""
        return self._C

    @property
    def R(self) -> float:  # noqa: N802 - the name of the column
        """Product of the ratios of all rolls so far; nan after a leg that was not positive."""
        return self._R

    @property
    def closed_ts(self) -> int | None:
        """The last closed timestamp."""
        return None if self._closed == _NEVER else self._closed

    @property
    def open_ts(self) -> int | None:
        """The timestamp that collects legs now; with `grace` it is when `Time` is due."""
        return None if self._open == _NEVER else self._open

    @property
    def counts(self) -> dict[str, int]:
        """How many bars and rolls were emitted, and duplicates, revised, late, unwanted fed."""
        return dict(self._counts)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the rows of the calendar and of the policy."""
        return self._fingerprint

    def wanted(self) -> tuple[ContractMonth, ...]:
        """Months to bring now: the legs of current and of forward, oldest first.

        The legs of forward are brought ahead of the roll, so that none of the first timestamps
        after it lacks one.
        """
        legs = set(self._row.legs)
        forward = self._row.forward
        if forward is not None and self._row.month != self._end and forward in self._calendar:
            legs.update(self._calendar.row(forward).legs)
        return tuple(sorted(legs))

    # What it does

    def feed(self, event: Bar | Time) -> tuple[Event, ...]:
        """Events that follow from one bar, or from the time.

        Feed history before the time: a `Time` past the deadline says that no bar comes any more.

        Raises
        ------
        RollMissedError
            If the series is not rolled and nothing before the deadline can come any more. What
            was closed by the same call is in its `events`; the machine can still be stored.

        """
        if isinstance(event, Time):
            return self._tick(event.ts)
        ts = event.ts
        if ts == self._open:
            return self._add(event) if event.month in self._months else self._unwanted()
        if ts <= self._floor:
            self._counts["late"] += 1
            return (Late(self._calendar.root, event, max(self._open, self._closed)),)
        events: tuple[Event, ...] = () if self._open == _NEVER else self._close()
        if ts >= self._deadline:
            raise self._missed(events)
        self._open = ts
        self._floor = ts - 1
        if event.month in self._months:
            self._legs[event.month] = event
        else:
            self._unwanted()
        return events

    def _tick(self, now: int) -> tuple[Event, ...]:
        until = now - self._grace
        events: tuple[Event, ...] = ()
        if _NEVER < self._open <= until:
            events = self._close()
        if until >= self._deadline:
            raise self._missed(events)
        return events

    def _add(self, bar: Bar) -> tuple[Event, ...]:
        kept = self._legs.setdefault(bar.month, bar)
        if kept is bar:
            return ()
        if same_bar(kept, bar):
            self._counts["duplicates"] += 1
            return ()
        self._counts["revised"] += 1
        return (Revised(self._calendar.root, kept, bar),)

    def _unwanted(self) -> tuple[Event, ...]:
        self._counts["unwanted"] += 1
        return ()

    def _close(self) -> tuple[Event, ...]:
        ts, row, legs = self._open, self._row, self._legs
        self._closed = self._floor = ts
        self._open = _NEVER
        if not legs:
            return ()
        self._legs = {}
        current = legs.get(row.month)
        forward = legs.get(row.forward)
        if forward is not None:
            self._seen_forward = forward
        if current is None:
            return ()
        self._seen_current = current
        bar = ContinuousBar(
            self._calendar.root,
            row.month,
            ts,
            current,
            forward,
            legs.get(row.carry),
            legs.get(row.previous),
            self._C,
            self._R,
            row.roll_date,
            row.deadline,
            self._rolled,
        )
        self._rolled = False
        self._counts["bars"] += 1
        # The deadline was looked at when ts was opened.
        if ts >= self._roll_ns and self._decide(current, forward):
            return (bar, self._roll(current, forward))
        return (bar,)

    def _roll(self, current: Bar, forward: Bar | None) -> Roll:
        row = self._row
        match self._missing:
            case Missing.WAIT:
                if forward is None or forward.close is None or current.close is None:
                    raise AssertionError(f"{self.root}: {self._policy} rolled without a price")
            case _ as never:
                assert_never(never)
        pre, post = current.close, forward.close
        ratio = post / pre if pre > 0 and post > 0 else math.nan
        self._C += post - pre
        self._R *= ratio
        self._rolled = True
        self._counts["rolls"] += 1
        self._seen_current, self._seen_forward = forward, None
        self._enter(self._calendar.row(forward.month))
        return Roll(
            root=self._calendar.root,
            old=row.month,
            new=forward.month,
            roll_date=row.roll_date,
            last_old_ts=current.ts,
            pre_price=pre,
            post_price=post,
            gap=post - pre,
            ratio=ratio,
            C=self._C,
            R=self._R,
            reason=self._policy.value,
            inferred=False,
        )

    def _enter(self, row: RollRow) -> None:
        self._row = row
        self._months = frozenset(row.legs)
        self._roll_ns, self._deadline = row.roll_ns, row.deadline_ns
        if row.month == self._end:
            self._roll_ns = self._deadline = _FOREVER
        elif row.forward is None or row.forward not in self._calendar:
            # Nowhere to go: that is told at the deadline, not before.
            self._roll_ns = _FOREVER

    def _missed(self, events: tuple[Event, ...]) -> RollMissedError:
        return RollMissedError(
            self._calendar.root,
            self._row,
            current=self._seen_current,
            forward=self._seen_forward,
            events=events,
        )

    # How it is kept

    def state(self) -> dict[str, Any]:
        """All it remembers, as JSON holds it; `resume` goes on from there."""
        return {
            "version": STATE_VERSION,
            "root": self._calendar.root,
            "fingerprint": self._fingerprint,
            "policy": self._policy.value,
            "missing": self._missing.value,
            "grace": self._grace,
            "end": None if self._end is None else str(self._end),
            "month": str(self._row.month),
            "row": str(self._row),
            "C": self._C,
            "R": None if math.isnan(self._R) else self._R,
            "rolled": self._rolled,
            "closed": self.closed_ts,
            "open": self.open_ts,
            "legs": [bar.data() for bar in self._legs.values()],
            "seen_current": None if self._seen_current is None else self._seen_current.data(),
            "seen_forward": None if self._seen_forward is None else self._seen_forward.data(),
            "counts": dict(self._counts),
        }

    @classmethod
    def resume(cls, calendar: RollCalendar, state: Mapping[str, Any]) -> Self:
        """Machine that `state` was taken of.

        The calendar may have changed since (a spec was corrected, months were added), as long as
        nothing that has passed already moves under the current month.

        Raises
        ------
        StateError
            If the state is of another version or root, its month is not held any more, or the
            window of that month was moved after it had been reached.

        """
        root = calendar.root
        if state.get("version") != STATE_VERSION:
            raise StateError(
                f"{root}: stored state has version {state.get('version')!r}, this program reads "
                f"{STATE_VERSION}"
            )
        if state["root"] != root:
            raise StateError(f"stored state is of {state['root']}, the roll calendar of {root}")
        month = ContractMonth.parse(state["month"])
        if month not in calendar:
            raise StateError(f"{root}: {month} of the stored state is not a held month any more")
        end = None if state["end"] is None else ContractMonth.parse(state["end"])
        machine = cls(
            calendar,
            start=month,
            end=end,
            policy=Policy(state["policy"]),
            missing=Missing(state["missing"]),
            grace=state["grace"],
        )
        machine._C = state["C"]
        machine._R = math.nan if state["R"] is None else state["R"]
        machine._rolled = state["rolled"]
        machine._counts.update(state["counts"])
        if state["closed"] is not None:
            machine._closed = machine._floor = state["closed"]
        if state["open"] is not None:
            machine._open = state["open"]
            machine._floor = machine._open - 1
        for data in state["legs"]:
            bar = Bar.from_data(data)
            machine._legs[bar.month] = bar
        if state["seen_current"] is not None:
            machine._seen_current = Bar.from_data(state["seen_current"])
        if state["seen_forward"] is not None:
            machine._seen_forward = Bar.from_data(state["seen_forward"])
        machine._refuse_a_moved_past(state["row"])
        return machine

    def _refuse_a_moved_past(self, stored: str) -> None:
        """Raise if the window of the current month differs from `stored` in what has passed."""
        row = self._row
        if str(row) == stored or self._closed == _NEVER:
            return
        closed = instant(self._closed)
        then = dict(zip(("roll date", "deadline"), stored.split()[-2:], strict=True))
        for name, now in (("roll date", row.roll_date), ("deadline", row.deadline)):
            # ISO dates compare as text: reached means at or before the last closed timestamp.
            if then[name] != str(now) and min(then[name], str(now)) <= closed:
                raise StateError(
                    f"{self.root}: the {name} of {row.month} was {then[name]} and is {now}, but "
                    f"the stored series has reached {closed}; rebuild it"
                )


def _fingerprint(calendar: RollCalendar, policy: Policy, missing: Missing) -> str:
    text = f"{calendar.fingerprint} {policy.value} {missing.value}"
    return hashlib.sha256(text.encode()).hexdigest()
