"""Compiles a spec into columns: one row a listed month, one array an answer.

Everything is evaluated at once over the span ``FIRST_MONTH``..``LAST_MONTH``; later questions are a
bisection in these arrays. A date that its calendar cannot answer stays ``NAT`` with the status
``unknown``; nothing is filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pyfutures.calendars import NAT, day_number, month_starts
from pyfutures.chain.instants import NAT_NS, utc_instant, utc_instants
from pyfutures.months import FIRST_MONTH, LAST_MONTH
from pyfutures.rules import Evaluated, Status, evaluate
from pyfutures.specs.model import Anchor, OffsetUnit, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from pyfutures.calendars import Calendar
    from pyfutures.cycles import Cycle
    from pyfutures.rules import Rule
    from pyfutures.specs.model import Event, EventRule, Roll, Spec

    Int64s = NDArray[np.int64]
    Statuses = NDArray[np.uint8]
    Flags = NDArray[np.bool_]
    Named = tuple[str, Calendar]


class EventColumn(NamedTuple):
    """The days of one event, a row a listed month."""

    days: Int64s
    status: Statuses
    explicit: Flags
    """Rows whose day is named in the spec's ``dates``, not found by a rule."""
    closed: Flags
    """Rows whose day was found by a rule and is open in no calendar that the rule names."""


@dataclass(frozen=True, slots=True, eq=False)
class ChainTable:
    """The columns of a compiled root, a row a listed month in order of months."""

    index: Int64s
    priced: NDArray[np.bool_]
    hold: NDArray[np.bool_]
    last_trade: EventColumn
    first_notice: EventColumn | None
    expiry: EventColumn
    status: Statuses


def compile_table(spec: Spec, calendars: Mapping[str, Calendar]) -> ChainTable:
    """All columns of a root that depend on neither roll parameters nor an instant.

    Raises
    ------
    UnknownCalendarError
        If a rule names a calendar that is not in ``calendars``.
    """
    index = FIRST_MONTH.index + np.flatnonzero(spec.listed.mask(FIRST_MONTH, LAST_MONTH))
    last_trade = _event(spec.last_trade, index, calendars, {})
    events = {"last_trade": Evaluated(last_trade.days, last_trade.status)}
    notice = spec.first_notice and _event(spec.first_notice, index, calendars, events)
    expiry = _event(spec.expiry, index, calendars, events) if spec.expiry else last_trade
    columns = [last_trade.status, expiry.status] + ([notice.status] if notice else [])
    return ChainTable(
        index=index,
        priced=membership(spec.priced, index),
        hold=membership(spec.hold, index),
        last_trade=last_trade,
        first_notice=notice or None,
        expiry=expiry,
        status=np.maximum.reduce(columns),
    )


def compile_last_trade_ns(
    spec: Spec, table: ChainTable, calendars: Mapping[str, Calendar]
) -> Int64s:
    """Instants of the last trades, nanoseconds UTC; ``NAT_NS`` where day or time is unknown."""
    instants = np.full_like(table.index, NAT_NS)
    for rows, event in event_spans(spec.last_trade, table.index):
        days = table.last_trade.days[rows]
        if event.at is not None:
            at = utc_instants(days, event.at.time, event.at.zone)
        elif spec.hours is not None:
            at = utc_instants(days, spec.hours.close, spec.hours.zone)
        else:
            continue
        instants[rows] = _clip(at, days, calendars[event.calendar])
    return instants


def membership(cycle: Cycle, index: Int64s) -> NDArray[np.bool_]:
    """Which of the months (as indices within the compiled span) a cycle holds."""
    mask: NDArray[np.bool_] = cycle.mask(FIRST_MONTH, LAST_MONTH)[index - FIRST_MONTH.index]
    return mask


def anchor_days(table: ChainTable, anchor: Anchor) -> Int64s:
    """The days that roll offsets count from; ``NAT`` where the event is unknown or not defined."""
    match anchor:
        case Anchor.LAST_TRADE:
            return table.last_trade.days
        case Anchor.FIRST_NOTICE:
            if table.first_notice is None:
                return np.full_like(table.index, NAT)
            return table.first_notice.days
        case Anchor.MONTH_START:
            return month_starts(table.index)


def compile_roll_days(
    spec: Spec, table: ChainTable, roll: Roll, calendars: Mapping[str, Calendar]
) -> Int64s:
    """Roll dates by rule, a row a listed month whether it is held or not: anchor + offset."""
    days = anchor_days(table, roll.anchor)
    if roll.unit is OffsetUnit.BUSINESS:
        return _offset_sessions(spec, table, days, roll.offset, calendars)
    return np.where(days == NAT, NAT, days + roll.offset)


def compile_deadline_days(
    spec: Spec,
    table: ChainTable,
    *,
    close_out: int,
    by_notice: bool,
    calendars: Mapping[str, Calendar],
) -> Int64s:
    """First days on which the contract must no longer be held, a row a listed month.

    The earlier of last trade and, where settlement is physical, the rule is known and ``by_notice``
    asks for it, first notice; less ``close_out`` sessions. ``NAT`` if either is unknown.
    """
    days = table.last_trade.days
    if by_notice and spec.settlement is Settlement.PHYSICAL and table.first_notice is not None:
        # NAT is the smallest integer: an unknown first notice makes an unknown deadline.
        days = np.minimum(days, table.first_notice.days)
    return _offset_sessions(spec, table, days, -close_out, calendars)


def _offset_sessions(
    spec: Spec, table: ChainTable, days: Int64s, sessions: int, calendars: Mapping[str, Calendar]
) -> Int64s:
    if sessions == 0:
        return days
    shifted = np.full_like(days, NAT)
    for rows, event in event_spans(spec.last_trade, table.index):
        shifted[rows] = calendars[event.calendar].table.offset(days[rows], sessions)
    return shifted


def event_spans(event: Event, index: Int64s) -> Iterator[tuple[slice, EventRule]]:
    """The rules of an event, each with the rows that it covers."""
    for span in event.spans.spans:
        low = 0 if span.start is None else int(index.searchsorted(span.start.index))
        high = index.size
        if span.until is not None:
            high = int(index.searchsorted(span.until.index, side="right"))
        if low < high:
            yield slice(low, high), span.value


def _event(
    event: Event,
    index: Int64s,
    calendars: Mapping[str, Calendar],
    anchors: Mapping[str, Evaluated],
) -> EventColumn:
    days = np.full_like(index, NAT)
    status = np.full(index.shape, Status.UNKNOWN, np.uint8)
    closed = np.zeros(index.shape, np.bool_)
    for rows, rule in event_spans(event, index):
        own = (rule.calendar, calendars[rule.calendar])
        others = tuple((name, calendars[name]) for name in rule.rule.calendars)
        if rule.rule.events:
            events = {
                name: Evaluated(anchor.days[rows], anchor.status[rows])
                for name, anchor in anchors.items()
            }
            found = _found(rule.rule, index[rows], own, others, events)
        else:
            whole = _over_span(rule.rule, own, others)
            found = whole.at(index[rows] - FIRST_MONTH.index)
        days[rows], status[rows], closed[rows] = found.days, found.status, found.closed
    explicit = np.zeros(index.shape, np.bool_)
    for month, date in event.dates.items():
        row = index == month.index
        days[row], status[row], explicit[row], closed[row] = (
            day_number(date),
            Status.OK,
            True,
            False,
        )
    return EventColumn(days, status, explicit, closed)


class _Found(NamedTuple):
    """The days of a rule, known to its calendar; and whether they are open in none."""

    days: Int64s
    status: Statuses
    closed: Flags

    def at(self, places: Int64s) -> _Found:
        return _Found(self.days[places], self.status[places], self.closed[places])


@lru_cache(maxsize=256)
def _over_span(rule: Rule, own: Named, others: tuple[Named, ...]) -> _Found:
    """The days of a rule for every month of the span: many roots have the same rule."""
    return _found(rule, np.arange(FIRST_MONTH.index, LAST_MONTH.index + 1), own, others, {})


def _found(
    rule: Rule,
    index: Int64s,
    own: Named,
    others: tuple[Named, ...],
    events: Mapping[str, Evaluated],
) -> _Found:
    calendar = own[1]
    named = dict((own, *others))
    given = evaluate(rule, index, calendar=own[0], calendars=named, events=events)
    days, status = given.days.copy(), given.status.copy()
    # Days that the calendar of the rule knows, whether a step asked about them or not.
    beyond = (days != NAT) & ~calendar.table.covers(days)
    days[beyond], status[beyond] = NAT, Status.UNKNOWN
    projected = days > day_number(calendar.valid_until)
    status[projected] = np.maximum(status[projected], Status.PROJECTED)
    closed = days != NAT
    for asked in named.values():
        closed &= ~asked.table.is_open(days)
    return _Found(days, status, closed)


def _clip(instants: Int64s, days: Int64s, calendar: Calendar) -> Int64s:
    """Instants no later than the early close of their day, where the calendar has one."""
    if calendar.zone is None or not calendar.early_closes:
        return instants
    early = {day_number(date): close for date, close in calendar.early_closes.items()}
    for day in early.keys() & set(days.tolist()):
        rows = days == day
        close = utc_instant(day, early[day], calendar.zone)
        instants[rows] = np.minimum(instants[rows], close)
    return instants
