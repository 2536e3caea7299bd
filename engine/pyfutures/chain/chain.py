"""A root, compiled: what each contract month is, when it ends, and which one is held at an instant.

A chain is immutable. Its columns are made once (``table``); a question is a bisection in them.
Positions in the chain follow ``roll_date``, the date by rule; what a series or an account really
did is known only to them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pyfutures.calendars import NAT, date_of, day_number
from pyfutures.chain.instants import NAT_NS, utc_instants
from pyfutures.chain.rolls import RollCalendar, RollRow
from pyfutures.chain.table import (
    ChainTable,
    compile_deadline_days,
    compile_roll_days,
    compile_table,
    membership,
)
from pyfutures.cycles import Cycle, CycleError
from pyfutures.months import FIRST_MONTH, LAST_MONTH, ContractMonth
from pyfutures.rules import Status, trace
from pyfutures.specs.model import Anchor, OffsetUnit, Roll

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pyfutures.calendars import Calendar
    from pyfutures.rules import Trace
    from pyfutures.specs.model import Event, EventRule, Spec


class ChainError(ValueError):
    """A question that the chain of a root cannot answer; the text names root, month and reason."""


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One listed contract month, in the order of the columns of ``pyfutures chain``."""

    root: str
    month: ContractMonth
    listed: bool
    priced: bool
    hold: bool
    trading_class: str | None
    first_notice: dt.date | None
    last_trade: dt.date | None
    last_trade_utc: dt.datetime | None
    expiry: dt.date | None
    roll_date: dt.date | None
    deadline: dt.date | None
    status: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Position:
    """The place in the chain at an instant, by ``roll_date``."""

    root: str
    current: ContractMonth
    forward: ContractMonth | None
    previous: ContractMonth | None
    carry: ContractMonth | None
    roll_date: dt.date
    deadline: dt.date


class Chain:
    """The compiled contract months of one root.

    Parameters
    ----------
    spec
        The facts and rules of the root.
    calendars
        Every calendar that the rules name.
    """

    def __init__(self, spec: Spec, calendars: Mapping[str, Calendar]) -> None:
        self.spec = spec
        self.calendars = calendars

    def __repr__(self) -> str:
        return f"Chain({self.root})"

    @property
    def root(self) -> str:
        """The product code."""
        return self.spec.root

    @cached_property
    def table(self) -> ChainTable:
        """The compiled columns, a row a listed month."""
        return compile_table(self.spec, self.calendars)

    @cached_property
    def months(self) -> tuple[ContractMonth, ...]:
        """The listed months within the compiled span, in order."""
        return tuple(_MONTHS[place] for place in self._places)

    @cached_property
    def _places(self) -> list[int]:
        """Where the listed months stand in the compiled span."""
        places: list[int] = (self.table.index - FIRST_MONTH.index).tolist()
        return places

    # -- rows ---------------------------------------------------------------------------------

    def row(self, month: ContractMonth) -> ChainRow:
        """Everything about one listed month.

        Raises
        ------
        ChainError
            If the month is not listed, or outside the compiled span.
        """
        return self._row(self._position_of(month))

    def rows(
        self, first: ContractMonth = FIRST_MONTH, last: ContractMonth = LAST_MONTH
    ) -> list[ChainRow]:
        """The listed months from ``first`` to ``last``, both included."""
        low = int(np.searchsorted(self.table.index, first.index))
        high = int(np.searchsorted(self.table.index, last.index, side="right"))
        return [self._row(i) for i in range(low, high)]

    def columns(self, first: ContractMonth, last: ContractMonth) -> dict[str, Column]:
        """The listed months from ``first`` to ``last`` as columns, named like those of `ChainRow`.

        Returns
        -------
        dict
            ``root`` and ``verified`` are scalars; ``month``, ``trading_class`` and ``status``
            lists; flags bool arrays; dates datetime64[D] and ``last_trade_utc`` datetime64[s]
            arrays with NaT where there is no date.
        """
        table = self.table
        low = int(np.searchsorted(table.index, first.index))
        rows = slice(low, int(np.searchsorted(table.index, last.index, side="right")))
        size = len(self.months[rows])
        unheld = ~table.hold[rows]
        never = np.full(size, _NEVER)
        rolls, deadlines = _days64(self.roll_days[rows]), _days64(self.deadline_days[rows])
        rolls[unheld] = deadlines[unheld] = _NEVER
        notice = table.first_notice
        return {
            "root": self.root,
            "month": [_TEXTS[place] for place in self._places[rows]],
            "listed": np.ones(size, np.bool_),
            "priced": table.priced[rows],
            "hold": table.hold[rows],
            "trading_class": self._trading_classes[rows],
            "first_notice": never if notice is None else _days64(notice.days[rows]),
            "last_trade": _days64(table.last_trade.days[rows]),
            "last_trade_utc": _instants64(table.last_trade_ns[rows]),
            "expiry": _days64(table.expiry.days[rows]),
            "roll_date": rolls,
            "deadline": deadlines,
            "status": [_STATUS[Status(status)] for status in table.status[rows].tolist()],
            "verified": self.spec.verified,
        }

    def _position_of(self, month: ContractMonth) -> int:
        i = int(np.searchsorted(self.table.index, month.index))
        if i == self.table.index.size or self.table.index[i] != month.index:
            raise ChainError(
                f"{self.root} {month} is not listed: {self.root} lists {self.spec.listed}"
                f" from {FIRST_MONTH} to {LAST_MONTH}"
            )
        return i

    def _row(self, i: int) -> ChainRow:
        table = self.table
        month = self.months[i]
        ns = int(table.last_trade_ns[i])
        hold = bool(table.hold[i])
        return ChainRow(
            root=self.root,
            month=month,
            listed=True,
            priced=bool(table.priced[i]),
            hold=hold,
            trading_class=self._trading_classes[i],
            first_notice=_known(table.first_notice.days[i]) if table.first_notice else None,
            last_trade=_known(table.last_trade.days[i]),
            last_trade_utc=None if ns == NAT_NS else _utc(ns),
            expiry=_known(table.expiry.days[i]),
            roll_date=_known(self.roll_days[i]) if hold else None,
            deadline=_known(self.deadline_days[i]) if hold else None,
            status=_STATUS[Status(int(table.status[i]))],
            verified=self.spec.verified,
        )

    def trading_class(self, month: ContractMonth) -> str | None:
        """IB's class of the month, None where the spec does not know it."""
        if self.spec.ib is None:
            return None
        classes = self.spec.ib.trading_class.at(month)
        return None if classes is None else classes.for_month(month)

    @cached_property
    def _trading_classes(self) -> list[str | None]:
        return [self.trading_class(month) for month in self.months]

    @cached_property
    def roll_days(self) -> NDArray[np.int64]:
        """Roll dates by rule as day numbers, a row a listed month whether it is held or not."""
        if self.spec.roll is None:
            return np.full_like(self.table.index, NAT)
        return compile_roll_days(self.spec, self.table, self.spec.roll, self.calendars)

    @cached_property
    def deadline_days(self) -> NDArray[np.int64]:
        """Deadlines as day numbers, a row a listed month whether it is held or not."""
        if self.spec.roll is None:
            return np.full_like(self.table.index, NAT)
        return compile_deadline_days(
            self.spec,
            self.table,
            close_out=self.spec.roll.close_out,
            by_notice=True,
            calendars=self.calendars,
        )

    # -- places in the chain -------------------------------------------------------------------

    @cached_property
    def rolls(self) -> RollCalendar:
        """The roll calendar of the spec's own roll parameters.

        Raises
        ------
        ChainError
            If the root has no ``roll``.
        """
        if self.spec.roll is None:
            raise ChainError(
                f"{self.root} has no roll: add `roll: {{anchor: last_trade, offset: -5}}` to"
                f" {self.spec.path}"
            )
        return self._calendar(
            self.spec.hold, self.spec.priced, self.spec.roll, self.roll_days, self.deadline_days
        )

    def roll_calendar(  # noqa: PLR0913 - one parameter a key of the spec's `roll` and `months`
        self,
        *,
        hold: str | None = None,
        priced: str | None = None,
        anchor: Anchor | None = None,
        offset: int | None = None,
        unit: OffsetUnit | None = None,
        carry: int | None = None,
    ) -> RollCalendar:
        """The roll calendar with some parameters of the spec replaced.

        Whoever replaces anchor, offset or unit takes the roll in hand: the deadline is then the
        last trade alone, since a series may well be built past first notice. A spec's own roll, and
        with it every position that is held by it, stays bound by first notice.

        Raises
        ------
        ChainError
            If neither the spec nor the caller gives an offset, or a cycle is not within the listed
            months.
        """
        own = self.spec.roll
        if own is None and offset is None:
            raise ChainError(f"{self.root} has no roll in {self.spec.path}: give a roll offset")
        by_hand = own is None or not (anchor is None and offset is None and unit is None)
        roll = own or Roll(Anchor.LAST_TRADE, 0, OffsetUnit.CALENDAR, 1)
        changes = {"anchor": anchor, "offset": offset, "unit": unit, "carry": carry}
        roll = replace(roll, **{k: v for k, v in changes.items() if v is not None})  # type: ignore[arg-type]
        prices = self.spec.priced if priced is None else self._cycle("priced", priced)
        held = self.spec.hold if hold is None else self._cycle("hold", hold)
        self._check_held_is_priced(held, prices)
        deadlines = (
            compile_deadline_days(
                self.spec,
                self.table,
                close_out=roll.close_out,
                by_notice=False,
                calendars=self.calendars,
            )
            if by_hand
            else self.deadline_days
        )
        days = compile_roll_days(self.spec, self.table, roll, self.calendars)
        return self._calendar(held, prices, roll, days, deadlines)

    def _cycle(self, name: str, codes: str) -> Cycle:
        cycle = Cycle.of(codes)
        listed = {month.code for month in self.months}
        if unlisted := sorted(set(codes) - listed):
            raise ChainError(
                f"{self.root}: {name} cycle {codes} has {', '.join(unlisted)}, which"
                f" {self.root} never lists: {self.spec.listed}"
            )
        return cycle

    def _check_held_is_priced(self, hold: Cycle, priced: Cycle) -> None:
        index = self.table.index
        bare = index[membership(hold, index) & ~membership(priced, index)]
        if bare.size:
            month = ContractMonth.from_index(int(bare[0]))
            raise ChainError(
                f"{self.root}: held month {month} is not in the priced cycle {priced}:"
                " hold only months that have prices"
            )

    def _calendar(
        self,
        hold: Cycle,
        priced: Cycle,
        roll: Roll,
        rolls: NDArray[np.int64],
        deadlines: NDArray[np.int64],
    ) -> RollCalendar:
        """Rows of the held months whose dates are all known.

        A chain ends where its calendars do: the months after the first unknown one are left out,
        and whoever asks past them is told where the calendar ends.
        """
        held = np.flatnonzero(membership(hold, self.table.index))
        known = (rolls[held] != NAT) & (deadlines[held] != NAT)
        if known.any():
            start = int(np.argmax(known))
            unknown = np.flatnonzero(~known[start:])
            held = held[start : start + int(unknown[0]) if unknown.size else None]
        else:
            held = held[:0]
        months = [self.months[i] for i in held]
        return RollCalendar(
            root=self.root,
            rows=tuple(
                RollRow.of(
                    month,
                    previous=months[n - 1] if n else None,
                    forward=months[n + 1] if n + 1 < len(months) else None,
                    carry=_neighbour(priced, month, roll.carry),
                    roll_date=date_of(rolls[i]),
                    deadline=date_of(deadlines[i]),
                )
                for n, (i, month) in enumerate(zip(held, months, strict=True))
            ),
        )

    def position(self, at: dt.datetime) -> Position:
        """Current, forward, previous and carry month at an instant, by ``roll_date``.

        Raises
        ------
        ChainError
            If the root has no roll, the instant has no zone, or the chain does not reach it.
        """
        if at.tzinfo is None:
            raise ChainError(f"{at.isoformat()} has no zone: write {at.isoformat()}+00:00")
        row = self.rolls.position(instant_ns(at))
        return Position(
            root=self.root,
            current=row.month,
            forward=row.forward,
            previous=row.previous,
            carry=row.carry,
            roll_date=row.roll_date,
            deadline=row.deadline,
        )

    def session_close_ns(self, day: dt.date) -> int:
        """The close of a trading date, nanoseconds UTC: where daily bars of a bare date close.

        Raises
        ------
        ChainError
            If the spec has no trading hours.
        """
        hours = self.spec.hours
        if hours is None:
            raise ChainError(
                f"{self.root} has no session close: add `hours` to {self.spec.path}, or give bars"
                " whose timestamps are instants"
            )
        close = utc_instants(np.array([day_number(day)]), hours.close, hours.zone)
        return int(close[0])

    # -- why ----------------------------------------------------------------------------------

    def explain(self, month: ContractMonth, event: str = "last_trade") -> Explanation | None:
        """The steps that lead from a month to the day of an event, None without such an event.

        Raises
        ------
        ChainError
            If the month is not listed.
        CalendarError, RuleFailure
            If the rule has no answer for the month.
        """
        self._position_of(month)
        subject: Event | None = getattr(self.spec, event)
        if subject is None:
            return None
        rule = subject.spans.at(month)
        explicit = subject.dates.get(month)
        if explicit is not None or rule is None:
            return Explanation(event, rule, explicit, None)
        events: dict[str, dt.date | Trace] = {}
        if event != "last_trade" and (last_trade := self.explain(month)) is not None:
            day = last_trade.steps or last_trade.explicit
            events = {} if day is None else {"last_trade": day}
        steps = trace(
            rule.rule, month, calendar=rule.calendar, calendars=self.calendars, events=events
        )
        return Explanation(event, rule, None, steps)

    def early_close(self, month: ContractMonth) -> str | None:
        """The early close, ``13:00 America/New_York``, that cuts the last trade of a month short.

        Raises
        ------
        ChainError
            If the month is not listed.
        """
        i = self._position_of(month)
        rule, day = self.spec.last_trade.spans.at(month), _known(self.table.last_trade.days[i])
        if rule is None or day is None:
            return None
        calendar = self.calendars[rule.calendar]
        close = calendar.early_closes.get(day)
        if close is None:
            return None
        zone = calendar.zone or "UTC"
        early = utc_instants(self.table.last_trade.days[i : i + 1], close, zone)[0]
        return f"{close:%H:%M} {zone}" if early == self.table.last_trade_ns[i] else None

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the compiled rows and the roll policy: what a stored series depends on.

        A comment, a source or a name does not change it.
        """
        table = self.table
        digest = hashlib.sha256(b"pyfutures chain 1\n")
        columns = [table.index, table.priced, table.hold, table.last_trade.days]
        columns += [table.last_trade_ns, table.expiry.days, self.roll_days, self.deadline_days]
        if table.first_notice is not None:
            columns.append(table.first_notice.days)
        for column in columns:
            digest.update(np.ascontiguousarray(column).astype("<i8").tobytes())
        digest.update(repr(self.spec.roll).encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an event of a month falls on its day: an explicit date, a traced rule, or no rule."""

    event: str
    rule: EventRule | None
    explicit: dt.date | None
    steps: Trace | None


_MONTHS: Final = tuple(
    ContractMonth.from_index(index) for index in range(FIRST_MONTH.index, LAST_MONTH.index + 1)
)
_TEXTS: Final = tuple(map(str, _MONTHS))
_NEVER: Final = np.datetime64("NaT", "D")
_STATUS: Final = {
    Status.OK: "",
    Status.PROJECTED: "projected",
    Status.UNKNOWN: "unknown",
    Status.NO_DAY: "unknown",
}


type Column = str | bool | list[str] | list[str | None] | NDArray[Any]
"""One column of a chain: a scalar stands for every row."""


def _days64(days: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return days.astype("datetime64[D]")


def _instants64(ns: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return ns.view("datetime64[ns]").astype("datetime64[s]")


def instant_ns(at: dt.datetime) -> int:
    """Nanoseconds since 1970 of an aware instant, exact to its microsecond."""
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) * 1000


def _utc(ns: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=ns // 1000)


def _neighbour(cycle: Cycle, month: ContractMonth, steps: int) -> ContractMonth | None:
    try:
        return cycle.neighbour(month, steps)
    except CycleError:
        # The root was not listed yet, or is listed no more.
        return None


def _known(day: np.int64) -> dt.date | None:
    return None if day == NAT else date_of(int(day))
