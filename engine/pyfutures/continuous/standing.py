"""Where a roll machine stands: what it was made with, and what can be asked of it.

What moves it is in `machine`. Rules of both files: no clock, no I/O, no log.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pyfutures.continuous.errors import RollWindowError
from pyfutures.continuous.memory import FOREVER, NEVER, Memory
from pyfutures.continuous.policies import (
    UTC_DAYS,
    Crossing,
    Missing,
    Policy,
    Sessions,
    end_of_window_ns,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.chain.rolls import RollCalendar, RollRow
    from pyfutures.months import ContractMonth


class Standing:
    """Where a roll machine stands: its calendar and policy, the current row, what it remembers.

    `RollMachine` says what the parameters are.
    """

    __slots__ = (
        "_calendar",
        "_crossing",
        "_deadline",
        "_end",
        "_fingerprint",
        "_forced_ns",
        "_grace",
        "_lag",
        "_memory",
        "_missing",
        "_months",
        "_plan",
        "_policy",
        "_roll_ns",
        "_row",
        "_sessions",
    )

    def __init__(  # noqa: PLR0913 - all but two have defaults
        self,
        calendar: RollCalendar,
        *,
        start: ContractMonth,
        end: ContractMonth | None = None,
        policy: Policy = Policy.FIRST_COMMON,
        missing: Missing = Missing.WAIT,
        lag: int = 1,
        sessions: Sessions = UTC_DAYS,
        plan: Mapping[ContractMonth, int] | None = None,
        grace: int = 0,
    ) -> None:
        root, first = calendar.root, calendar.index(start)
        last = len(calendar) if end is None else calendar.index(end)
        self._policy, self._missing = Policy(policy), Missing(missing)
        if last < first:
            raise ValueError(f"{root}: end {end} comes before start {start}")
        if grace < 0:
            raise ValueError(f"{root}: grace {grace} is negative")
        if lag < 0:
            raise ValueError(f"{root}: lag {lag} is negative: nobody knows the sessions to come")
        if (plan is None) is (self._policy is Policy.NEAREST):
            raise ValueError(
                f"{root}: policy nearest looks ahead, so that it needs the plan of a batch build, "
                "and no other policy takes one"
            )
        if self._policy is not Policy.NEAREST:
            for row in calendar.rows[first:last]:
                if row.roll_date >= row.deadline:
                    raise RollWindowError(
                        f"{root}: {row.month} has no day to roll: its roll date {row.roll_date} is "
                        f"not before its deadline {row.deadline}; roll earlier"
                    )
        self._calendar = calendar
        self._end = end
        self._lag, self._sessions = lag, sessions
        self._plan = None if plan is None else dict(plan)
        self._grace = grace
        self._crossing = Crossing(self._policy, lag, sessions) if self._policy.is_crossing else None
        self._fingerprint = _fingerprint(calendar, self._policy, self._missing, lag, sessions)
        self._memory = Memory()
        self._enter(calendar.row(start))

    def _enter(self, row: RollRow) -> None:
        self._row = row
        self._months = frozenset(row.legs)
        self._roll_ns, self._deadline = row.roll_ns, row.deadline_ns
        self._forced_ns = FOREVER if self._crossing is None else end_of_window_ns(row)
        if self._plan is not None:
            # It may lie before the roll date, and nothing is ever too late for it.
            self._roll_ns, self._deadline = self._plan.get(row.month, FOREVER), FOREVER
        if row.month == self._end:
            self._roll_ns = self._deadline = FOREVER
        elif row.forward is None or row.forward not in self._calendar:
            # Nowhere to go: that is told at the deadline, not before.
            self._roll_ns = FOREVER

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
    def lag(self) -> int:
        """Sessions until a volume or an open interest is known."""
        return self._lag

    @property
    def grace(self) -> int:
        """Nanoseconds after a timestamp at which `Time` closes it."""
        return self._grace

    @property
    def C(self) -> int:  # noqa: N802 - the name of the column
        """Sum of the gaps of all rolls so far, in 1e-9."""
        return self._memory.C

    @property
    def R(self) -> float:  # noqa: N802 - the name of the column
        """Product of the ratios of all rolls so far; nan after a leg that was not positive."""
        return self._memory.R

    @property
    def closed_ts(self) -> int | None:
        """The last closed timestamp."""
        return None if self._memory.closed == NEVER else self._memory.closed

    @property
    def open_ts(self) -> int | None:
        """The timestamp that collects legs now; with `grace` it is when `Time` is due."""
        return None if self._memory.open == NEVER else self._memory.open

    @property
    def roll_ns(self) -> int | None:
        """Before it no roll is made out of the current month; None if that is never left."""
        return None if self._roll_ns == FOREVER else self._roll_ns

    @property
    def quiet_ns(self) -> int:
        """Before it neither a roll is made nor one is missed."""
        return min(self._roll_ns, self._deadline)

    @property
    def rolled(self) -> bool:
        """Whether the next bar is the first one after a roll."""
        return self._memory.rolled

    @property
    def sessions(self) -> Sessions:
        """Which session a timestamp belongs to."""
        return self._sessions

    @property
    def counts(self) -> dict[str, int]:
        """How many bars and rolls were emitted, and duplicates, revised, late, unwanted fed."""
        return dict(self._memory.counts)

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


def _fingerprint(
    calendar: RollCalendar, policy: Policy, missing: Missing, lag: int, sessions: Sessions
) -> str:
    text = f"{calendar.fingerprint} {policy.value} {missing.value}"
    if policy.is_crossing:
        text += f" {lag} {sessions}"
    return hashlib.sha256(text.encode()).hexdigest()
