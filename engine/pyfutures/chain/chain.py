"""A root, compiled: what each contract month is, when it ends, and which one is held at an instant.

A chain is immutable. Its columns are made once (``table``); a question is a bisection in them.
Positions in the chain follow ``roll_date``, the date by rule; what a series or an account really
did is known only to them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pyfutures.calendars import NAT, date_of, day_number
from pyfutures.chain.errors import ChainError
from pyfutures.chain.instants import NAT_NS, utc_instant
from pyfutures.chain.rolling import changed_calendar, has_predecessor, own_calendar
from pyfutures.chain.table import (
    ChainTable,
    compile_deadline_days,
    compile_last_trade_ns,
    compile_roll_days,
    compile_table,
)
from pyfutures.months import FIRST_MONTH, LAST_MONTH, ContractMonth
from pyfutures.rules import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pyfutures.calendars import Calendar
    from pyfutures.chain.rolls import RollCalendar
    from pyfutures.specs.model import Anchor, OffsetUnit, Spec


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
    def last_trade_ns(self) -> NDArray[np.int64]:
        """Instants of the last trades, nanoseconds UTC, a row a listed month."""
        return compile_last_trade_ns(self.spec, self.table, self.calendars)

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
            "last_trade_utc": _instants64(self.last_trade_ns[rows]),
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
        ns = int(self.last_trade_ns[i])
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
            If the root has no ``roll``, or no held month whose dates are known.
        """
        return own_calendar(self)

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
        with it every position that is held by it, stays bound by first notice. Months that the spec
        skips stay skipped.

        Raises
        ------
        ChainError
            If neither the spec nor the caller gives an offset, the anchor is not defined, or a
            cycle is not within the listed months.
        """
        given = {"anchor": anchor, "offset": offset, "unit": unit, "carry": carry}
        changes = {name: value for name, value in given.items() if value is not None}
        return changed_calendar(self, hold=hold, priced=priced, changes=changes)

    def position(self, at: dt.datetime) -> Position:
        """Current, forward, previous and carry month at an instant, by ``roll_date``.

        Raises
        ------
        ChainError
            If the root has no roll, the instant has no zone, or the chain does not reach it.
        """
        if at.tzinfo is None:
            raise ChainError(f"{at.isoformat()} has no zone: write {at.isoformat()}+00:00")
        (place,) = self.positions(np.array([instant_ns(at)], np.int64))
        if place < 0:
            first, last = self.rolls.rows[0], self.rolls.rows[-1]
            names = sorted({rule.calendar for rule in self.spec.last_trade.spans.values})
            raise ChainError(
                f"{self.root} has no position at {at.isoformat()}: by the calendar"
                f" {', '.join(names)} its rolls are known from {first.month} on {first.roll_date}"
                f" to {last.month} on {last.roll_date}"
            )
        row = self.rolls.rows[place]
        return Position(
            root=self.root,
            current=row.month,
            forward=row.forward,
            previous=row.previous,
            carry=row.carry,
            roll_date=row.roll_date,
            deadline=row.deadline,
        )

    def positions(self, ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which row of ``rolls.rows`` is current at each instant, by ``roll_date``.

        Parameters
        ----------
        ns
            Instants in nanoseconds UTC.

        Returns
        -------
        array of int64
            Row numbers; -1 where the chain does not reach.

        Raises
        ------
        ChainError
            If the root has no roll.
        """
        rows = self.rolls.rows
        places = self.rolls.positions(ns)
        places[places == len(rows)] = -1
        # Before the first known roll another month may have been held, unless there was none.
        if has_predecessor(self, rows[0].month):
            places[ns < rows[0].roll_ns] = -1
        return places

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
        return utc_instant(day_number(day), hours.close, hours.zone)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the compiled rows and the roll policy: what a stored series depends on.

        A comment, a source or a name does not change it.
        """
        import hashlib  # noqa: PLC0415 - only where something is stored

        table = self.table
        digest = hashlib.sha256(b"pyfutures chain 1\n")
        columns = [table.index, table.priced, table.hold, table.last_trade.days]
        columns += [self.last_trade_ns, table.expiry.days, self.roll_days, self.deadline_days]
        if table.first_notice is not None:
            columns.append(table.first_notice.days)
        for column in columns:
            digest.update(np.ascontiguousarray(column).astype("<i8").tobytes())
        digest.update(repr(self.spec.roll).encode())
        return digest.hexdigest()


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


def _known(day: np.int64) -> dt.date | None:
    return None if day == NAT else date_of(int(day))
