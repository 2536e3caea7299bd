"""Dates of the whole catalogue, 1980 to 2045: vectorised, one by one, and with pandas.

A contract month counts once, with all of its dates: last trade, first notice and expiry, as far as
the root has a rule of its own for them. Calendars are built before the clock starts, for all three.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.pandas_rules import PandasRules
from benchmarks.timing import Figure, once, seconds, tell
from pyfutures.calendars import NAT, CalendarError, date_of, day_number
from pyfutures.chain import Catalog
from pyfutures.chain.table import event_spans
from pyfutures.months import ContractMonth
from pyfutures.rules import Evaluated, RuleFailure, Status, Trace, evaluate, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from pyfutures.chain import Chain
    from pyfutures.specs.model import EventRule, Spec

    type Int64s = NDArray[np.int64]
    type Days = dict[str, dt.date | None]

FIRST, LAST = ContractMonth(1980, 1), ContractMonth(2045, 12)
EVENTS = ("last_trade", "first_notice", "expiry")
_EVERY = 10
_AIM = 100.0


def measure() -> Iterator[Figure]:
    """Yield contract months per second of each way, and how they compare."""
    catalog = Catalog.load()
    months = {root: listed(catalog[root]) for root in catalog}
    total = sum(index.size for index in months.values())
    for name in catalog.calendars:
        _ = catalog.calendars[name].table
    what = f"{len(catalog)} roots, {total:,} listed months"

    tell(f"rules, vectorised: {what}")

    def vectorised() -> dict[str, dict[str, Int64s]]:
        return {root: array_days(catalog[root], index) for root, index in months.items()}

    by_array = total / seconds(vectorised, runs=9)

    some = {root: index[n % _EVERY :: _EVERY] for n, (root, index) in enumerate(months.items())}
    sample = sum(index.size for index in some.values())
    tell(f"rules, one by one: {sample:,} months")

    def one_by_one() -> None:
        for root, index in some.items():
            for number in index.tolist():
                traced_days(catalog[root], ContractMonth.from_index(number))

    by_trace = sample / seconds(one_by_one, runs=3)

    tell(f"rules, pandas: {total:,} months")
    rules = PandasRules(catalog.calendars)
    for name in catalog.calendars:
        rules.calendar(name)
    found: dict[str, list[Days]] = {}

    def with_pandas() -> None:
        for root, index in months.items():
            found[root] = [
                pandas_days(rules, catalog[root].spec, ContractMonth.from_index(number))
                for number in index.tolist()
            ]

    by_pandas = total / once(with_pandas)
    differing = sum(
        len(disagreements(root, months[root], arrays, found[root]))
        for root, arrays in vectorised().items()
    )

    yield Figure(
        "rules: vectorised", by_array, "months/s", f"numpy, median of 9; {what}, {FIRST} to {LAST}"
    )
    yield Figure(
        "rules: one by one",
        by_trace,
        "months/s",
        f"trace with every reason, median of 3; each {_EVERY}th month of every root: {sample:,}",
    )
    yield Figure(
        "rules: pandas", by_pandas, "months/s", "CustomBusinessDay, kept; every month, once"
    )
    yield Figure("rules: vectorised / one by one", by_array / by_trace, "times", "")
    yield Figure("rules: vectorised / pandas", by_array / by_pandas, "times", "", aim=_AIM)
    yield Figure(
        "rules: dates on which pandas differs",
        differing,
        "dates",
        f"of all dates of {total:,} months",
        limit=0,
    )


def listed(chain: Chain, first: ContractMonth = FIRST, last: ContractMonth = LAST) -> Int64s:
    """Indices of the listed months of a root from `first` to `last`."""
    index: Int64s = first.index + np.flatnonzero(chain.spec.listed.mask(first, last))
    return index


def array_days(chain: Chain, index: Int64s) -> dict[str, Int64s]:
    """Days of each event of a root, all months at once, as `pyfutures.chain.table` finds them."""
    found: dict[str, Evaluated] = {}
    for name in EVENTS:
        event = getattr(chain.spec, name)
        if event is None:
            continue
        days = np.full_like(index, NAT)
        status = np.full(index.shape, Status.UNKNOWN, np.uint8)
        for rows, rule in event_spans(event, index):
            part = evaluate(
                rule.rule,
                index[rows],
                calendar=rule.calendar,
                calendars=chain.calendars,
                events={
                    other: Evaluated(column.days[rows], column.status[rows])
                    for other, column in found.items()
                },
            )
            days[rows], status[rows] = part.days, part.status
        for month, date in event.dates.items():
            days[index == month.index] = day_number(date)
        found[name] = Evaluated(days, status)
    return {name: column.days for name, column in found.items()}


def traced_days(chain: Chain, month: ContractMonth) -> dict[str, dt.date | Trace | None]:
    """Days of each event of one contract month, with the steps that lead to each."""

    def day(rule: EventRule, others: Mapping[str, dt.date | Trace | None]) -> Trace | None:
        events = {name: other for name, other in others.items() if other is not None}
        try:
            return trace(
                rule.rule,
                month,
                calendar=rule.calendar,
                calendars=chain.calendars,
                events=events,
            )
        except (CalendarError, RuleFailure):
            return None

    return _days_of(chain.spec, month, day)


def pandas_days(rules: PandasRules, spec: Spec, month: ContractMonth) -> Days:
    """Days of each event of one contract month by pandas; its timestamps are dates as well."""

    def day(rule: EventRule, others: Mapping[str, dt.date | None]) -> dt.date | None:
        stamp: dt.date | None = rules.day(rule.rule, month, rule.calendar, others.get("last_trade"))
        return stamp

    return _days_of(spec, month, day)


def _days_of[Day](
    spec: Spec,
    month: ContractMonth,
    day: Callable[[EventRule, Mapping[str, dt.date | Day | None]], Day | None],
) -> dict[str, dt.date | Day | None]:
    """Days by event; a date that the spec names wins over its rule."""
    found: dict[str, dt.date | Day | None] = {}
    for name in EVENTS:
        event = getattr(spec, name)
        if event is None:
            continue
        if month in event.dates:
            found[name] = event.dates[month]
        else:
            rule = event.spans.at(month)
            found[name] = None if rule is None else day(rule, found)
    return found


def disagreements(
    root: str, index: Int64s, arrays: Mapping[str, Int64s], others: list[Days]
) -> list[str]:
    """Each date on which arrays and dates found otherwise differ, ``ES 2026H last_trade …``."""
    found = []
    for name, days in arrays.items():
        for row, number in enumerate(days.tolist()):
            ours = None if number == NAT else date_of(number)
            other = others[row].get(name)
            theirs = other.date() if isinstance(other, dt.datetime) else other
            if ours != theirs:
                month = ContractMonth.from_index(int(index[row]))
                found.append(f"{root} {month} {name}: {ours}, and by pandas {theirs}")
    return found
