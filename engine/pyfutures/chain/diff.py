"""What a change of specs or calendars moves: two catalogues compared by what they compile to.

Rules of this file. Compiled cells are compared, never texts: a comment, a source or another way to
write the same rule is no change. A cell is one month and one column. A month that only one side
lists is one change, of `listed`, and nothing is said of its other cells. An expiry that neither
spec has a rule for is the last trade and is not told twice. What happened before `today` is past:
somebody has traded by it, and a stored series was built on it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pyfutures.calendars import NAT, date_of
from pyfutures.chain.chain import Chain
from pyfutures.chain.errors import ChainError
from pyfutures.chain.instants import NAT_NS
from pyfutures.months import FIRST_MONTH, LAST_MONTH, ContractMonth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from pyfutures.calendars import Calendar

__all__ = [
    "CELLS",
    "DATES",
    "WINDOW",
    "CalendarChange",
    "CatalogDiff",
    "CellChange",
    "FactChange",
    "Kind",
    "RootChange",
    "calendar_names",
    "compare",
    "compare_chains",
]

DATES: Final = ("last_trade", "first_notice", "expiry")
"""Columns that an exchange decides."""
WINDOW: Final = ("roll_date", "deadline")
"""Columns that a roll policy decides."""
_NEIGHBOURS: Final = ("forward", "carry")
_FACTS: Final = ("trading_class", "ib_symbol", "ib_exchange", "multiplier", "tick")

CELLS: Final = (
    "listed", "priced", "hold", *DATES, "last_trade_utc", *WINDOW, *_NEIGHBOURS, *_FACTS, "status",
)  # fmt: skip
"""All columns, in the order in which changes of a month are told."""

type Value = dt.date | dt.datetime | bool | str | None


class Kind(StrEnum):
    """What became of a root or of a calendar."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class CellChange:
    """One column of one contract month; `is_past` if it is about a day before today."""

    month: ContractMonth
    column: str
    before: Value
    after: Value
    is_past: bool


@dataclass(frozen=True, slots=True)
class FactChange:
    """A fact of the whole root, ``roll.offset`` from ``-5`` to ``-6``."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RootChange:
    """What a change does to one root; an added or a removed one has its chain and no cells."""

    root: str
    kind: Kind
    chain: Chain
    cells: tuple[CellChange, ...] = ()
    facts: tuple[FactChange, ...] = ()

    def moved(self, columns: Iterable[str]) -> tuple[CellChange, ...]:
        """The changes of some columns."""
        wanted = set(columns)
        return tuple(cell for cell in self.cells if cell.column in wanted)


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """The days of a calendar that open and close, and the roots whose cells move with it."""

    name: str
    kind: Kind
    opened: tuple[dt.date, ...] = ()
    closed: tuple[dt.date, ...] = ()
    early_closes: tuple[dt.date, ...] = ()
    valid_until: tuple[dt.date, dt.date] | None = None
    roots: tuple[str, ...] = ()


@dataclass(frozen=True)
class CatalogDiff:
    """Everything that moves between two catalogues, in order of roots."""

    today: dt.date
    roots: tuple[RootChange, ...] = ()
    calendars: tuple[CalendarChange, ...] = field(default=())

    def of(self, kind: Kind) -> tuple[RootChange, ...]:
        """The roots that were added, removed or changed."""
        return tuple(root for root in self.roots if root.kind is kind)

    @cached_property
    def dates(self) -> tuple[CellChange, ...]:
        """Last trades, first notices and expiries that move."""
        return tuple(cell for root in self.roots for cell in root.moved(DATES))

    @cached_property
    def windows(self) -> tuple[tuple[str, ContractMonth, bool], ...]:
        """Roll windows that move: root, month, and whether that is past."""
        found: dict[tuple[str, ContractMonth], bool] = {}
        for root in self.roots:
            for cell in root.moved(WINDOW):
                key = (root.root, cell.month)
                found[key] = found.get(key, False) or cell.is_past
        return tuple((root, month, past) for (root, month), past in found.items())

    @property
    def moves_dates(self) -> bool:
        """Whether a date that somebody may rely on is another one now, or is gone."""
        cells = (cell for root in self.roots for cell in root.cells)
        return (
            bool(self.dates or self.windows or self.of(Kind.REMOVED))
            or any(cell.column == "listed" and cell.before is True for cell in cells)
            or any(root.moved(("hold", "last_trade_utc", "forward")) for root in self.roots)
        )

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.roots or self.calendars)


def compare(
    before: Mapping[str, Chain],
    after: Mapping[str, Chain],
    *,
    calendars: tuple[Mapping[str, Calendar], Mapping[str, Calendar]] = ({}, {}),
    today: dt.date,
) -> CatalogDiff:
    """Everything that moves from one catalogue to another.

    Parameters
    ----------
    before, after
        Chains by root.
    calendars
        The calendars of both sides by name that may differ.
    today
        What lies before it is past.
    """
    roots: list[RootChange] = []
    for root in sorted(before.keys() | after.keys()):
        if root not in after:
            roots.append(RootChange(root, Kind.REMOVED, before[root]))
        elif root not in before:
            roots.append(RootChange(root, Kind.ADDED, after[root]))
        else:
            change = compare_chains(before[root], after[root], today=today)
            if change.cells or change.facts:
                roots.append(change)
    changed = {change.root for change in roots if change.kind is Kind.CHANGED}
    users: dict[str, list[str]] = {}
    for root in sorted(changed):
        for name in calendar_names(before[root]) | calendar_names(after[root]):
            users.setdefault(name, []).append(root)
    return CatalogDiff(today, tuple(roots), tuple(_calendars(*calendars, users)))


def compare_chains(before: Chain, after: Chain, *, today: dt.date) -> RootChange:
    """The cells and facts of a root that differ between two compilations of it."""
    old, new = _Columns(before), _Columns(after)
    cells = [*_listed(old, new, today), *_cells(old, new, today), *_neighbours(old, new, today)]
    cells.sort(key=lambda cell: (cell.month, CELLS.index(cell.column)))
    return RootChange(after.root, Kind.CHANGED, after, tuple(cells), tuple(_facts(before, after)))


def calendar_names(chain: Chain) -> set[str]:
    """The calendars that the rules of a chain name."""
    events = (chain.spec.last_trade, chain.spec.first_notice, chain.spec.expiry)
    rules = [rule for event in events if event is not None for rule in event.spans.values]
    return {name for rule in rules for name in (rule.calendar, *rule.rule.calendars)}


class _Columns:
    """The compiled columns of a chain as arrays over all months of the compiled span."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        table = chain.table
        self.places = table.index - FIRST_MONTH.index
        size = LAST_MONTH.index - FIRST_MONTH.index + 1
        self.listed = np.zeros(size, np.bool_)
        self.listed[self.places] = True
        rolled = np.where(table.hold, chain.roll_days, NAT)
        dead = np.where(table.hold, chain.deadline_days, NAT)
        notice = np.full_like(table.index, NAT)
        self.days = {
            "last_trade": self._wide(table.last_trade.days, NAT),
            "first_notice": self._wide(
                notice if table.first_notice is None else table.first_notice.days, NAT
            ),
            "expiry": self._wide(table.expiry.days, NAT),
            "roll_date": self._wide(rolled, NAT),
            "deadline": self._wide(dead, NAT),
        }
        self.last_trade_ns = self._wide(chain.last_trade_ns, NAT_NS)
        self.flags = {
            "priced": self._wide(table.priced, at=False),
            "hold": self._wide(table.hold, at=False),
        }

    def _wide(self, column: NDArray[Any], at: int) -> NDArray[Any]:
        wide = np.full(self.listed.shape, at, column.dtype)
        wide[self.places] = column
        return wide

    @cached_property
    def status(self) -> NDArray[np.uint8]:
        return self._wide(self.chain.table.status, at=0)

    def ends(self, place: int) -> dt.date:
        """The last trade of a month; the end of the month where it is not known."""
        day = int(self.days["last_trade"][place])
        return _month(place).last_day if day == NAT else date_of(day)


def _listed(old: _Columns, new: _Columns, today: dt.date) -> Iterator[CellChange]:
    for place in np.flatnonzero(old.listed != new.listed).tolist():
        had = bool(old.listed[place])
        ends = (old if had else new).ends(place)
        yield CellChange(_month(place), "listed", had, not had, ends < today)


def _cells(old: _Columns, new: _Columns, today: dt.date) -> Iterator[CellChange]:
    both = old.listed & new.listed
    own_expiry = old.chain.spec.expiry is not None or new.chain.spec.expiry is not None
    for column in (*DATES, *WINDOW):
        if column == "expiry" and not own_expiry:
            continue
        was, now = old.days[column], new.days[column]
        for place in np.flatnonzero(both & (was != now)).tolist():
            before, after = _day(was[place]), _day(now[place])
            first = min(day for day in (before, after) if day is not None)
            yield CellChange(_month(place), column, before, after, first < today)
    # The same day, another time of it.
    moved = both & (old.last_trade_ns != new.last_trade_ns)
    moved &= old.days["last_trade"] == new.days["last_trade"]
    for place in np.flatnonzero(moved).tolist():
        instants = (_instant(old.last_trade_ns[place]), _instant(new.last_trade_ns[place]))
        yield CellChange(_month(place), "last_trade_utc", *instants, new.ends(place) < today)
    for column, flags in old.flags.items():
        for place in np.flatnonzero(both & (flags != new.flags[column])).tolist():
            had = bool(flags[place])
            yield CellChange(_month(place), column, had, not had, new.ends(place) < today)
    # A known day that becomes another known day may also be surer or less sure than before.
    for place in np.flatnonzero(both & (old.status != new.status)).tolist():
        words = (_STATUS[int(old.status[place])], _STATUS[int(new.status[place])])
        if words[0] != words[1]:
            yield CellChange(_month(place), "status", *words, new.ends(place) < today)
    yield from _month_facts(old, new, both, today)


def _month_facts(
    old: _Columns, new: _Columns, both: NDArray[np.bool_], today: dt.date
) -> Iterator[CellChange]:
    """Facts that may change with the month: only those that are not written alike are asked for."""
    for column, whole, of_month in _MONTH_FACTS:
        if whole(old.chain) == whole(new.chain):
            continue
        for place in np.flatnonzero(both).tolist():
            month = _month(place)
            before, after = of_month(old.chain, month), of_month(new.chain, month)
            if before != after:
                yield CellChange(month, column, before, after, new.ends(place) < today)


def _neighbours(old: _Columns, new: _Columns, today: dt.date) -> Iterator[CellChange]:
    """Another forward or carry month of a month that both sides hold."""
    was, now = old.chain.spec, new.chain.spec
    carries = was.roll and now.roll and was.roll.carry == now.roll.carry
    if carries and was.hold == now.hold and was.priced == now.priced:
        return
    held = old.flags["hold"] & new.flags["hold"]
    befores, afters = _rows(old.chain), _rows(new.chain)
    for place in np.flatnonzero(held).tolist():
        month = _month(place)
        if month not in befores or month not in afters:
            continue
        for column, before, after in zip(_NEIGHBOURS, befores[month], afters[month], strict=True):
            if before != after:
                words = (_text(before), _text(after))
                yield CellChange(month, column, *words, new.ends(place) < today)


def _rows(chain: Chain) -> dict[ContractMonth, tuple[ContractMonth | None, ContractMonth | None]]:
    try:
        return {row.month: (row.forward, row.carry) for row in chain.rolls}
    except ChainError:  # no roll, or none whose dates are known: nothing to compare
        return {}


def _facts(before: Chain, after: Chain) -> Iterator[FactChange]:
    for key, value in _WHOLE_FACTS:
        was, now = value(before), value(after)
        if was != now:
            yield FactChange(key, was, now)


def _calendars(
    before: Mapping[str, Calendar], after: Mapping[str, Calendar], users: Mapping[str, list[str]]
) -> Iterator[CalendarChange]:
    for name in sorted(before.keys() | after.keys()):
        roots = tuple(users.get(name, ()))
        if name not in after:
            yield CalendarChange(name, Kind.REMOVED, roots=roots)
        elif name not in before:
            yield CalendarChange(name, Kind.ADDED, roots=roots)
        elif change := _calendar(before[name], after[name], roots):
            yield change


def _calendar(old: Calendar, new: Calendar, roots: tuple[str, ...]) -> CalendarChange | None:
    first, last = max(old.first, new.first), min(old.last, new.last)
    days = (first + dt.timedelta(n) for n in range((last - first).days + 1))
    opened: list[dt.date] = []
    closed: list[dt.date] = []
    was, now = set(old.days.tolist()), set(new.days.tolist())
    differ = was ^ now
    for day in days if differ else ():
        number = (day - _EPOCH).days
        if number in differ:
            (opened if number in now else closed).append(day)
    early = sorted(
        day
        for day in old.early_closes.keys() | new.early_closes.keys()
        if old.early_closes.get(day) != new.early_closes.get(day)
    )
    ends = None if old.valid_until == new.valid_until else (old.valid_until, new.valid_until)
    if not (opened or closed or early or ends or old.first != new.first or old.last != new.last):
        return None
    return CalendarChange(
        new.name, Kind.CHANGED, tuple(opened), tuple(closed), tuple(early), ends, roots
    )


def _hours(chain: Chain) -> str | None:
    hours = chain.spec.hours
    if hours is None:
        return None
    breaks = "".join(f", break {start:%H:%M}-{end:%H:%M}" for start, end in hours.breaks)
    return f"{hours.open:%H:%M}-{hours.close:%H:%M} {hours.zone}{breaks}"


_EPOCH: Final = dt.date(1970, 1, 1)
_STATUS: Final = ("known", "projected", "unknown", "unknown")

_MONTH_FACTS: Final[
    tuple[tuple[str, Callable[[Chain], object], Callable[[Chain, ContractMonth], str | None]], ...]
] = (
    (
        "trading_class",
        lambda chain: chain.spec.ib and chain.spec.ib.trading_class,
        Chain.trading_class,
    ),
    (
        "ib_symbol",
        lambda chain: chain.spec.ib and chain.spec.ib.symbol,
        lambda chain, month: chain.spec.ib.symbol.at(month) if chain.spec.ib else None,
    ),
    (
        "ib_exchange",
        lambda chain: chain.spec.ib and chain.spec.ib.exchange,
        lambda chain, month: chain.spec.ib.exchange.at(month) if chain.spec.ib else None,
    ),
    (
        "multiplier",
        lambda chain: chain.spec.multiplier,
        lambda chain, month: _text(chain.spec.multiplier.at(month)),
    ),
    (
        "tick",
        lambda chain: chain.spec.tick,
        lambda chain, month: _text(chain.spec.tick.at(month)),
    ),
)

_WHOLE_FACTS: Final[tuple[tuple[str, Callable[[Chain], str | None]], ...]] = (
    ("exchange", lambda chain: chain.spec.exchange),
    ("currency", lambda chain: chain.spec.currency),
    ("settlement", lambda chain: _text(chain.spec.settlement)),
    (
        "ib.price_magnifier",
        lambda chain: _text(chain.spec.ib.price_magnifier) if chain.spec.ib else None,
    ),
    ("roll.anchor", lambda chain: _text(chain.spec.roll and chain.spec.roll.anchor)),
    ("roll.offset", lambda chain: _text(chain.spec.roll and chain.spec.roll.offset)),
    ("roll.unit", lambda chain: _text(chain.spec.roll and chain.spec.roll.unit)),
    ("roll.carry", lambda chain: _text(chain.spec.roll and chain.spec.roll.carry)),
    ("roll.close_out", lambda chain: _text(chain.spec.roll and chain.spec.roll.close_out)),
    ("hours", _hours),
    ("verified", lambda chain: "yes" if chain.spec.verified else "no"),
)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _month(place: int) -> ContractMonth:
    return ContractMonth.from_index(FIRST_MONTH.index + place)


def _day(number: int) -> dt.date | None:
    return None if number == NAT else date_of(int(number))


def _instant(ns: int) -> dt.datetime | None:
    if ns == NAT_NS:
        return None
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=int(ns) // 10**9)
