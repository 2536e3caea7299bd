"""Checks that need dates: a spec that is well formed must also give a chain that can be traded.

One check a fault. Each looks at the whole compiled span and reports a root once, at the line to
change: the first month that shows the fault, and how many others do.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.calendars import NAT, NO_DAY, date_of, month_starts
from pyfutures.chain.table import event_spans
from pyfutures.months import FIRST_MONTH, LAST_MONTH
from pyfutures.rules import Status
from pyfutures.specs.checks import Finding, Registry
from pyfutures.specs.model import Settlement

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pyfutures.calendars import DayTable
    from pyfutures.chain.chain import Chain
    from pyfutures.chain.table import EventColumn
    from pyfutures.months import ContractMonth
    from pyfutures.specs.model import DataPath, Event

__all__ = ["chain_checks"]

chain_checks: Final[Registry[Chain]] = Registry()

#: Months between a contract month and its dates; beyond them a rule counts wrong.
_FAR: Final = 6


@chain_checks("PF410")
def every_rule_has_a_day(chain: Chain) -> Iterator[Finding]:
    """A month with fewer days than its rule counts has no date."""
    for name, event, column in _events(chain):
        bare = column.status == Status.NO_DAY
        for rows, rule in event_spans(event, chain.table.index) if bare.any() else ():
            none = np.flatnonzero(bare[rows]) + rows.start
            if none.size:
                yield Finding(
                    (*rule.path, "rule"),
                    f"`{name}` has no day in {_months(chain, none)}: {rule.rule.text}",
                    "count from the end (`nth: -1`), or give these months `dates` or a rule",
                )


@chain_checks("PF411")
def last_trades_increase(chain: Chain) -> Iterator[Finding]:
    """Contracts end in the order of their months."""
    days = chain.table.last_trade.days
    known = np.flatnonzero(days != NAT)
    late = known[1:][np.diff(days[known]) <= 0]
    if late.size:
        before = known[int(np.searchsorted(known, late[0])) - 1]
        months = (chain.months[late[0]], chain.months[before])
        listed = (month for month in months if month in chain.spec.last_trade.dates)
        named = next((_listed_at(chain, "last_trade", month) for month in listed), None)
        yield Finding(
            named or _event_path(chain, int(late[0])),
            f"last trade of {_months(chain, late)} is not after that of the month before:"
            f" {chain.months[late[0]]} {date_of(int(days[late[0]]))},"
            f" {chain.months[before]} {date_of(int(days[before]))}",
            "mend the rule or the `dates` of one of the two",
        )


@chain_checks("PF415")
def last_trades_are_open(chain: Chain) -> Iterator[Finding]:
    """A rule ends on a day that is open in its calendar, or in one that a step names."""
    column = chain.table.last_trade
    if not column.closed.any():
        return
    for rows, rule in event_spans(chain.spec.last_trade, chain.table.index):
        closed = np.flatnonzero(column.closed[rows]) + rows.start
        if closed.size:
            day = date_of(int(column.days[closed[0]]))
            why = chain.calendars[rule.calendar].why_closed(day)
            yield Finding(
                (*rule.path, "rule"),
                f"last trade of {_months(chain, closed)} is a closed day in `{rule.calendar}`:"
                f" {day:%a %Y-%m-%d}, {why}",
                "end the rule with `if_closed: previous` or `if_closed: next`",
            )


@chain_checks("PF412")
def listed_dates_are_open(chain: Chain) -> Iterator[Finding]:
    """A date that was listed stands, but one on a closed day deserves a look."""
    for month, day in chain.spec.last_trade.dates.items():
        rule = chain.spec.last_trade.spans.at(month)
        if rule is None:
            continue
        calendar = chain.calendars[rule.calendar]
        if calendar.first <= day <= calendar.last and not calendar.is_open(day):
            yield Finding(
                _listed_at(chain, "last_trade", month),
                f"{day:%a %Y-%m-%d} is closed in `{rule.calendar}`: {calendar.why_closed(day)}",
                "check the date against the exchange's notice",
            )


@chain_checks("PF413")
def expiry_is_not_before_last_trade(chain: Chain) -> Iterator[Finding]:
    """Nothing trades after it has expired."""
    last_trade, expiry = chain.table.last_trade.days, chain.table.expiry.days
    early = np.flatnonzero((last_trade != NAT) & (expiry != NAT) & (expiry < last_trade))
    if early.size:
        i = early[0]
        yield Finding(
            ("expiry",),
            f"expiry of {_months(chain, early)} is before its last trade:"
            f" {date_of(int(expiry[i]))}, {date_of(int(last_trade[i]))}",
            "count from the last trade: `- from: last_trade`",
        )


@chain_checks("PF420")
def roll_window_is_not_empty(chain: Chain) -> Iterator[Finding]:
    """There is a day on which to roll: the roll date is before the deadline."""
    held, rolls, deadlines = _held(chain)
    empty = held[rolls >= deadlines]
    if not empty.size or chain.spec.roll is None:
        return
    row = chain.row(chain.months[empty[0]])
    bound = f"last trade is {row.last_trade}"
    if chain.spec.settlement is Settlement.PHYSICAL and row.first_notice is not None:
        bound = f"first notice is {row.first_notice}, {bound}"
    yield Finding(
        ("roll", "offset"),
        f"the roll window of {_months(chain, empty)} is empty: roll date {row.roll_date} is not"
        f" before the deadline {row.deadline} ({bound})",
        f"roll earlier: an `offset` below {chain.spec.roll.offset}",
    )


@chain_checks("PF425")
def roll_window_has_a_session(chain: Chain) -> Iterator[Finding]:
    """There is a session in the window: without one no bar comes to roll on."""
    held, rolls, deadlines = _held(chain)
    bare = _without_session(chain, held, rolls, deadlines)
    # An empty window is told of by the check above, and has no session because it is empty.
    if bare.size and chain.spec.roll is not None and (rolls < deadlines).all():
        i = bare[0]
        yield Finding(
            ("roll", "offset"),
            f"the roll window of {_months(chain, held[bare])} has no session: all days from"
            f" {date_of(int(rolls[i]))} to before {date_of(int(deadlines[i]))} are closed",
            f"roll earlier: an `offset` below {chain.spec.roll.offset}",
        )


@chain_checks("PF421")
def roll_dates_increase(chain: Chain) -> Iterator[Finding]:
    """Along the hold cycle a month is never left before the one that precedes it."""
    held, rolls, _ = _held(chain)
    late = np.flatnonzero(np.diff(rolls) <= 0) + 1
    if late.size:
        i, before = held[late[0]], held[late[0] - 1]
        yield Finding(
            ("roll",),
            f"roll date of {_months(chain, held[late])} is not after that of the month held before:"
            f" {chain.months[i]} {date_of(int(rolls[late[0]]))},"
            f" {chain.months[before]} {date_of(int(rolls[late[0] - 1]))}",
            "mend `offset`, the hold cycle or the dates of one of the two",
        )


@chain_checks("PF417")
def dates_are_as_expected(chain: Chain) -> Iterator[Finding]:
    """Every date of `expect` is the one that the spec gives."""
    for month, dates in chain.spec.expect.items():
        row = chain.row(month) if month in chain.months else None
        for name, day in dates.items():
            given: dt.date | None = getattr(row, name, None)
            if given == day:
                continue
            path: DataPath = ("expect", str(month), name)
            if path not in chain.spec.locations:
                path = path[:2]  # the last trade can stand alone
            what = name.replace("_", " ")
            message = f"expected {what} of {month} is {day:%a %Y-%m-%d}, "
            message += f"the spec gives {given:%a %Y-%m-%d}" if given else _why_none(chain, name)
            related = ((_origin(chain, month, name), "it is found here"),) if given else ()
            yield Finding(
                path, message, f"see `pyfutures explain {chain.root} {month}`", related=related
            )


@chain_checks("PF418")
def rules_stay_near_their_month(chain: Chain) -> Iterator[Finding]:
    """A rule gives a day within half a year of its month; farther off it counts wrong."""
    index = chain.table.index
    low, high = (bound[index - FIRST_MONTH.index] for bound in _near())
    for name, event, column in _events(chain):
        far_off = (column.days < low) | (column.days >= high)
        far_off &= (column.days > NO_DAY) & ~column.explicit
        for rows, rule in event_spans(event, index) if far_off.any() else ():
            # An event that is counted from the last trade is as far off as that is.
            if rule.rule.events:
                continue
            far = np.flatnonzero(far_off[rows]) + rows.start
            if far.size:
                day, month = date_of(int(column.days[far[0]])), chain.months[far[0]]
                off = day.year * 12 + day.month - 1 - month.index
                side = "after" if off > 0 else "before"
                yield Finding(
                    (*rule.path, "rule"),
                    f"`{name}` of {_months(chain, far)} is {day}, {abs(off)} months {side} its"
                    " month",
                    "mend `month` or the count of days",
                )


@cache
def _near() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first day that is near to each month of the span, and the first one after that is not."""
    span = np.arange(FIRST_MONTH.index, LAST_MONTH.index + 1)
    return month_starts(span - _FAR), month_starts(span + _FAR + 1)


@chain_checks("PF422")
def forward_is_listed_at_the_roll(chain: Chain) -> Iterator[Finding]:
    """On its roll date a month can be left: the next held one is listed by then."""
    held, rolls, _ = _held(chain)
    ahead = chain.spec.ahead
    if ahead is None or held.size < 2:
        return
    now = rolls.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12
    late = np.flatnonzero(chain.table.index[held[1:]] - now[:-1] > ahead)
    if late.size:
        forward = held[late[0] + 1]
        away = int(chain.table.index[forward] - now[late[0]])
        yield Finding(
            ("roll",),
            f"{_months(chain, held[late])} cannot be rolled: on the roll date"
            f" {date_of(int(rolls[late[0]]))} the forward month {chain.months[forward]} is {away}"
            f" months ahead, and {ahead} are listed",
            "roll later, hold nearer months, or mend `ahead`",
            related=((("months", "ahead"), "listed so far ahead"),),
        )


def _why_none(chain: Chain, name: str) -> str:
    """Why a month has no such date."""
    block = "roll" if name in {"roll_date", "deadline"} else name
    if block == "expiry" or getattr(chain.spec, block) is not None:
        return "the spec gives none"
    return f"the spec has no `{block}`"


def _origin(chain: Chain, month: ContractMonth, name: str) -> DataPath:
    """Where a date comes from: a rule, or a date that is listed."""
    if name in {"roll_date", "deadline"}:
        return ("roll",)
    event: Event | None = getattr(chain.spec, name)
    if event is None:
        name, event = "last_trade", chain.spec.last_trade
    if month in event.dates:
        return _listed_at(chain, name, month)
    rule = event.spans.at(month)
    return (name,) if rule is None else (*rule.path, "rule")


def _listed_at(chain: Chain, name: str, month: ContractMonth) -> DataPath:
    """Where `dates` names a month: in the block, or in the range that it belongs to."""
    paths = (path for path in chain.spec.locations if path[:1] == (name,) and str(month) in path)
    return next(paths, (name,))


def _events(chain: Chain) -> Iterator[tuple[str, Event, EventColumn]]:
    table, spec = chain.table, chain.spec
    yield "last_trade", spec.last_trade, table.last_trade
    if spec.first_notice is not None and table.first_notice is not None:
        yield "first_notice", spec.first_notice, table.first_notice
    if spec.expiry is not None:
        yield "expiry", spec.expiry, table.expiry


@lru_cache(maxsize=1)
def _held(chain: Chain) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows, roll days and deadline days of the held months whose dates are known."""
    rolls, deadlines = chain.roll_days, chain.deadline_days
    held = np.flatnonzero(chain.table.hold & (rolls != NAT) & (deadlines != NAT))
    return held, rolls[held], deadlines[held]


def _without_session(
    chain: Chain,
    held: NDArray[np.int64],
    rolls: NDArray[np.int64],
    deadlines: NDArray[np.int64],
) -> NDArray[np.intp]:
    """Which roll windows have no open day of the last-trade calendar."""
    bare = np.zeros(held.shape, np.bool_)
    for rows, rule in event_spans(chain.spec.last_trade, chain.table.index):
        calendar = chain.calendars[rule.calendar].table
        part = slice(*held.searchsorted((rows.start, rows.stop)))
        starts, ends = rolls[part], deadlines[part]
        if starts.size and (ends - starts).min() > _longest_closure(calendar):
            continue
        # A window that begins before its calendar does is not judged by the days that are missing.
        opened = calendar.count_before(ends) > calendar.count_before(starts)
        bare[part] = ~np.where(starts < calendar.first, ends > starts, opened)
    return np.flatnonzero(bare)


@cache
def _longest_closure(calendar: DayTable) -> int:
    """How many days at most a calendar is closed in a row."""
    around = np.concatenate([[calendar.first - 1], calendar.days, [calendar.last + 1]])
    return int(np.diff(around).max()) - 1


def _event_path(chain: Chain, row: int) -> DataPath:
    rule = chain.spec.last_trade.spans.at(chain.months[row])
    return ("last_trade",) if rule is None else (*rule.path, "rule")


def _months(chain: Chain, rows: NDArray[np.intp]) -> str:
    """The first month, and how many others there are."""
    others = {1: "", 2: " and another month"}.get(rows.size, f" and {rows.size - 1} other months")
    return f"{chain.months[rows[0]]}{others}"
