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
    OpenInterest                    keep it for the first timestamp at or after it that closes
    Time(now)                       close the open ts if ts <= now - grace; then, if
                                    now - grace >= deadline, RollMissedError

    closing t               1.  emit the continuous bar, if the current month has a bar
                            2.  if t >= roll_date, the policy says so and its prices are there:
                                emit the Roll, add its gap to C and multiply R by its ratio;
                                forward becomes current

The bar at the roll still belongs to the old month. The legs of t are those of the row that is
current when t opens, so a timestamp never sees two rolls, and rolls that were missed while the
program was off are made one by one, in order, as their bars are fed. There is no roll out of the
`end` month, and none is ever taken back.

What each policy asks of a timestamp is in `policies`, what the machine remembers in `memory`. While
a price is missing, a roll that is due waits (`wait`), takes the missing price from the last spread
that both months had while the old one was current (`infer`; it waits while there is none), or is an
error (`fail`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self, assert_never

from pyfutures.continuous.bars import (
    Bar,
    ContinuousBar,
    Event,
    Late,
    OpenInterest,
    Revised,
    Roll,
    Time,
    instant,
    same_bar,
)
from pyfutures.continuous.errors import (
    RollMissedError,
    RollPriceError,
    RollWindowError,
    StateError,
)
from pyfutures.continuous.memory import NEVER, STATE_VERSION, Memory
from pyfutures.continuous.policies import END_OF_WINDOW, UTC_DAYS, Missing, Policy, Sessions
from pyfutures.continuous.standing import Standing
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.chain.rolls import RollCalendar

__all__ = [
    "STATE_VERSION",
    "Missing",
    "Policy",
    "RollMachine",
    "RollMissedError",
    "RollPriceError",
    "RollWindowError",
    "StateError",
]


class RollMachine(Standing):
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
    lag
        Sessions until a volume or an open interest is known; 0 looks at the session itself.
    sessions
        Which session a timestamp belongs to, for `lag`.
    plan
        For `Policy.NEAREST` alone: at which timestamp each month is left, made by a batch.
    grace
        Nanoseconds that legs may come after their timestamp before `Time` closes it.

    Raises
    ------
    RollCalendarError
        If `start` or `end` is not a held month.
    RollWindowError
        If the roll window of a month from `start` to before `end` is empty; `Policy.NEAREST` has
        no windows.
    ValueError
        If `end` comes before `start`, `grace` or `lag` is negative, or the policy has no plan that
        needs one.

    """

    __slots__ = ()

    # What it does

    def feed(self, event: Bar | OpenInterest | Time) -> tuple[Event, ...]:
        """Events that follow from one bar, one open interest, or from the time.

        Feed history before the time: a `Time` past the deadline says that no bar comes any more.

        Raises
        ------
        RollMissedError
            If the series is not rolled and nothing before the deadline can come any more. What
            was closed by the same call is in its `events`; the machine can still be stored.
        RollPriceError
            If a price of a roll that is due is missing, and that was to be an error. What was
            closed is in its `events`; the bar that closed it was not taken.

        """
        if not isinstance(event, Bar):
            return self._tick(event.ts) if isinstance(event, Time) else self._interest(event)
        memory, ts = self._memory, event.ts
        if ts == memory.open:
            return self._add(event) if event.month in self._months else self._unwanted()
        if ts <= memory.floor:
            memory.counts["late"] += 1
            return (Late(self._calendar.root, event, max(memory.open, memory.closed)),)
        events: tuple[Event, ...] = () if memory.open == NEVER else self._close()
        if ts >= self._deadline:
            raise self._missed(events)
        memory.open = ts
        memory.floor = ts - 1
        if event.month in self._months:
            memory.legs[event.month] = event
        else:
            self._unwanted()
        return events

    def _tick(self, now: int) -> tuple[Event, ...]:
        until = now - self._grace
        events: tuple[Event, ...] = ()
        if NEVER < self._memory.open <= until:
            events = self._close()
        if until >= self._deadline:
            raise self._missed(events)
        return events

    def _interest(self, event: OpenInterest) -> tuple[Event, ...]:
        crossing = self._crossing
        if crossing is None or self._policy is Policy.VOLUME or event.month not in self._months:
            return self._unwanted()
        crossing.note(event.ts, event.month, event.value)
        return ()

    def _add(self, bar: Bar) -> tuple[Event, ...]:
        kept = self._memory.legs.setdefault(bar.month, bar)
        if kept is bar:
            return ()
        if same_bar(kept, bar):
            self._memory.counts["duplicates"] += 1
            return ()
        self._memory.counts["revised"] += 1
        return (Revised(self._calendar.root, kept, bar),)

    def _unwanted(self) -> tuple[Event, ...]:
        self._memory.counts["unwanted"] += 1
        return ()

    def _close(self) -> tuple[Event, ...]:
        memory, row = self._memory, self._row
        ts, legs = memory.open, memory.legs
        memory.closed = memory.floor = ts
        memory.open = NEVER
        if not legs:
            return ()
        memory.legs = {}
        current = legs.get(row.month)
        forward = legs.get(row.forward)
        if forward is not None:
            memory.forward = forward
        if self._crossing is not None:
            self._crossing.close(ts, row, current, forward)
        events: tuple[Event, ...] = ()
        if current is not None:
            memory.current = current
            events = (
                ContinuousBar(
                    self._calendar.root,
                    row.month,
                    ts,
                    current,
                    forward,
                    legs.get(row.carry),
                    legs.get(row.previous),
                    memory.C,
                    memory.R,
                    row.roll_date,
                    row.deadline,
                    memory.rolled,
                ),
            )
            memory.rolled = False
            memory.counts["bars"] += 1
            if forward is not None and current.close is not None and forward.close is not None:
                memory.spread = forward.close - current.close
        # The deadline was looked at when ts was opened.
        if ts < self._roll_ns or (reason := self._due(ts)) is None:
            return events
        prices = self._prices(ts, current, forward, events)
        if prices is None:
            return events
        return (*events, self._roll(ts, *prices, reason))

    def _due(self, ts: int) -> str | None:
        """Why the series rolls at a timestamp of its window, if it does and prices are there."""
        if self._plan is not None:
            return self._policy.value if ts == self._plan.get(self._row.month) else None
        if self._crossing is None or self._crossing.crossed:
            return self._policy.value
        return END_OF_WINDOW if ts >= self._forced_ns else None

    def _prices(
        self, ts: int, current: Bar | None, forward: Bar | None, events: tuple[Event, ...]
    ) -> tuple[int, int, bool] | None:
        """Closes of both months and whether one was inferred; None to wait."""
        pre = None if current is None else current.close
        post = None if forward is None else forward.close
        if pre is not None and post is not None:
            return pre, post, False
        match self._missing:
            case Missing.WAIT:
                return None
            case Missing.INFER:
                spread = self._memory.spread
                if spread is not None and pre is not None:
                    return pre, pre + spread, True
                if spread is not None and post is not None:
                    return post - spread, post, True
                return None
            case Missing.FAIL:
                if current is None and forward is None:
                    return None  # a bar of the carry or the previous month alone
                raise RollPriceError(
                    self._calendar.root,
                    self._row,
                    ts=ts,
                    current=current,
                    forward=forward,
                    events=events,
                )
            case _ as never:
                assert_never(never)

    def _roll(self, ts: int, pre: int, post: int, inferred: bool, reason: str) -> Roll:  # noqa: FBT001 - what a roll is made of
        memory, row = self._memory, self._row
        if row.forward is None:
            raise AssertionError(f"{self.root}: {row.month} rolled into no month")
        ratio = post / pre if pre > 0 and post > 0 else math.nan
        memory.C += post - pre
        memory.R *= ratio
        memory.rolled = True
        memory.counts["rolls"] += 1
        last = memory.forward
        memory.current = last if last is not None and last.month == row.forward else None
        memory.forward = memory.spread = None
        if self._crossing is not None:
            self._crossing.reset()
        self._enter(self._calendar.row(row.forward))
        return Roll(
            root=self._calendar.root,
            old=row.month,
            new=row.forward,
            roll_date=row.roll_date,
            last_old_ts=ts,
            pre_price=pre,
            post_price=post,
            gap=post - pre,
            ratio=ratio,
            C=memory.C,
            R=memory.R,
            reason=reason,
            inferred=inferred,
        )

    def _missed(self, events: tuple[Event, ...]) -> RollMissedError:
        return RollMissedError(
            self._calendar.root,
            self._row,
            current=self._memory.current,
            forward=self._memory.forward,
            events=events,
        )

    def pass_over(
        self,
        *,
        closed: int,
        bars: int,
        current: Bar | None,
        forward: Bar | None,
        spread: int | None,
    ) -> None:
        """Take it that timestamps before the roll date were closed, as a batch has seen to.

        Parameters
        ----------
        closed
            The last of them, before `quiet_ns`. Legs of an open timestamp are among them.
        bars
            How many of them had a bar of the current month.
        current, forward
            The last bars of the two months among them.
        spread
            Forward less current where both last had a close.

        Raises
        ------
        ValueError
            If one of them might have been a roll, or is closed already.

        """
        memory = self._memory
        if not max(memory.closed + 1, memory.open) <= closed < self.quiet_ns:
            raise ValueError(f"{self.root}: {instant(closed)} cannot be passed over")
        memory.open = NEVER
        memory.legs = {}
        memory.closed = memory.floor = closed
        memory.counts["bars"] += bars
        if bars:
            memory.current, memory.rolled = current, False
        memory.forward = forward or memory.forward
        memory.spread = memory.spread if spread is None else spread

    # How it is kept

    def state(self) -> dict[str, Any]:
        """All it remembers, as JSON holds it; `resume` goes on from there."""
        plan = self._plan
        return {
            "version": STATE_VERSION,
            "root": self._calendar.root,
            "fingerprint": self._fingerprint,
            "policy": self._policy.value,
            "missing": self._missing.value,
            "lag": self._lag,
            "sessions": str(self._sessions),
            "plan": None if plan is None else {str(month): ts for month, ts in plan.items()},
            "grace": self._grace,
            "end": None if self._end is None else str(self._end),
            "month": str(self._row.month),
            "row": str(self._row),
            "crossing": None if self._crossing is None else self._crossing.data(),
        } | self._memory.data()

    @classmethod
    def resume(
        cls,
        calendar: RollCalendar,
        state: Mapping[str, Any],
        *,
        sessions: Sessions = UTC_DAYS,
    ) -> Self:
        """Machine that `state` was taken of.

        The calendar may have changed since (a spec was corrected, months were added), as long as
        nothing that has passed already moves under the current month.

        Raises
        ------
        StateError
            If the state is of another version, root or kind of sessions, its month is not held any
            more, or the window of that month was moved after it had been reached.

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
        policy = Policy(state["policy"])
        if policy.is_crossing and state["sessions"] != str(sessions):
            raise StateError(
                f"{root}: stored state has sessions to {state['sessions']}, not to {sessions}"
            )
        plan = state["plan"]
        machine = cls(
            calendar,
            start=month,
            end=None if state["end"] is None else ContractMonth.parse(state["end"]),
            policy=policy,
            missing=Missing(state["missing"]),
            lag=state["lag"],
            sessions=sessions,
            plan=plan and {ContractMonth.parse(text): ts for text, ts in plan.items()},
            grace=state["grace"],
        )
        machine._memory = Memory.from_data(state)
        if machine._crossing is not None:
            machine._crossing.restore(state["crossing"])
        machine._refuse_a_moved_past(state["row"])
        return machine

    def _refuse_a_moved_past(self, stored: str) -> None:
        """Raise if the window of the current month differs from `stored` in what has passed."""
        row, seen = self._row, self._memory.closed
        if str(row) == stored or seen == NEVER:
            return
        closed = instant(seen)
        then = dict(zip(("roll date", "deadline"), stored.split()[-2:], strict=True))
        for name, now in (("roll date", row.roll_date), ("deadline", row.deadline)):
            # ISO dates compare as text: reached means at or before the last closed timestamp.
            if then[name] != str(now) and min(then[name], str(now)) <= closed:
                raise StateError(
                    f"{self.root}: the {name} of {row.month} was {then[name]} and is {now}, but "
                    f"the stored series has reached {closed}; rebuild it"
                )
