"""Checks of rules, calendars, times and dates that need no calendar to be built."""

from __future__ import annotations

import calendar
import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pyfutures.calendars.spec import bad_dates
from pyfutures.months import ContractMonth
from pyfutures.rules.errors import RuleError
from pyfutures.rules.rule import Rule, parse_rule
from pyfutures.specs import zones
from pyfutures.specs.checks import Draft, Finding, calendar_checks, contract_checks
from pyfutures.specs.parts import EVENTS, Part, clock_time, cycle, expected, time
from pyfutures.specs.words import shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyfutures.specs.model import DataPath
    from pyfutures.specs.positions import Data

__all__ = ["calendar_names"]

#: A listed date lies near its contract month; further away it is a slip.
_FAR: Final = 24
_DAY: Final = 24 * 60
_LEAP_YEAR: Final = 2000


@lru_cache(maxsize=1)
def _spans(draft: Draft) -> list[tuple[str, Part]]:
    """Return each range of each event, whether or not all of it is sound."""
    found: list[tuple[str, Part]] = []
    for event in EVENTS:
        value = draft.data.get(event)
        if isinstance(value, dict):
            found.append((event, Part(None, None, (event,), value)))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, dict):
                    bounds = {
                        key: ContractMonth.parse(item[key])
                        for key in ("from", "until")
                        if key in item and draft.has(event, number, key)
                    }
                    path = (event, number)
                    part = Part(bounds.get("from"), bounds.get("until"), path, item)
                    found.append((event, part))
    return found


def _rules(draft: Draft) -> Iterator[tuple[str, DataPath, list[Any]]]:
    for event, part in _spans(draft):
        path = (*part.path, "rule")
        if draft.has(*path):
            yield event, path, part.value["rule"]


@contract_checks("PF301")
def rule_means_nothing(draft: Draft) -> Iterator[Finding]:
    """See that the steps of a rule fit together and end in a day."""
    for _, path, steps in _rules(draft):
        try:
            parse_rule(steps)
        except RuleError as error:
            yield Finding((*path, *error.path), error.message, error.help, key=bool(error.path))


@contract_checks("PF302")
def last_trade_from_itself(draft: Draft) -> Iterator[Finding]:
    """See that the last trade is not counted from the last trade."""
    for event, path, steps in _rules(draft):
        if event == "last_trade" and (rule := _parsed(steps)) and rule.events:
            at = next(_find(steps, path, "from"), path)
            message = "the rule of `last_trade` starts from `last_trade`"
            yield Finding(at, message, "start with `weekday`, `day` or `business_day`")


def _parsed(steps: list[Any]) -> Rule | None:
    try:
        return parse_rule(steps)
    except RuleError:
        return None


def _find(value: Data, path: DataPath, key: str) -> Iterator[DataPath]:
    """Yield the path of every use of a key, at any depth."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for name, item in items:
        if name == key:
            yield (*path, name)
        if isinstance(item, dict | list):
            yield from _find(item, (*path, name), key)


def calendar_names(data: dict[str, Any]) -> Iterator[tuple[DataPath, object]]:
    """Yield every calendar that a contract names, with its place."""
    for event in EVENTS:
        if event in data:
            for path in _find(data[event], (event,), "calendar"):
                value: Any = data
                for key in path:
                    value = value[key]
                yield path, value


@contract_checks("PF303")
def unknown_calendar(draft: Draft) -> Iterator[Finding]:
    """See that every calendar that is named has a file."""
    yield from _unknown(draft, calendar_names(draft.data))


@calendar_checks("PF303")
def unknown_member(draft: Draft) -> Iterator[Finding]:
    """See that every calendar that is joined has a file."""
    yield from _unknown(draft, member_names(draft.data))


def _unknown(draft: Draft, names: Iterable[tuple[DataPath, object]]) -> Iterator[Finding]:
    for path, name in names:
        if draft.has(*path) and isinstance(name, str) and name not in draft.calendars:
            yield Finding(
                path,
                f"unknown calendar `{name}`",
                suggestion(name, draft.calendars, "the calendars are"),
            )


def member_names(data: dict[str, Any]) -> Iterator[tuple[DataPath, object]]:
    """Yield every calendar that a calendar is joined from, with its place."""
    for kind in ("all", "any", "sequence"):
        members = data.get(kind)
        for number, member in enumerate(members if isinstance(members, list) else ()):
            if isinstance(member, dict) and "calendar" in member:
                yield (kind, number, "calendar"), member["calendar"]
            elif isinstance(member, str):
                yield (kind, number), member


@contract_checks("PF304")
def unknown_zone(draft: Draft) -> Iterator[Finding]:
    """See that every time zone is in the IANA database."""
    for _, part in _spans(draft):
        path = (*part.path, "at")
        if draft.has(*path):
            yield from _zone(clock_time(part.value["at"]).zone, path)
    if draft.has("hours", "zone"):
        yield from _zone(draft.get("hours", "zone"), ("hours", "zone"))


@calendar_checks("PF304")
def unknown_calendar_zone(draft: Draft) -> Iterator[Finding]:
    """See that the time zone of a calendar is in the IANA database."""
    if draft.has("zone"):
        yield from _zone(draft.get("zone"), ("zone",))


def _zone(name: str, path: DataPath) -> Iterator[Finding]:
    if name in zones.FIXED:
        yield Finding(path, f"the time zone `{name}` has no summer time", zones.hint(name))
    elif not zones.is_zone(name):
        yield Finding(path, f"unknown time zone `{shown(name, 40)}`", zones.hint(name))


@contract_checks("PF309")
def hours_apart(draft: Draft) -> Iterator[Finding]:
    """See that trading opens and closes at different times."""
    if draft.has("hours", "open") and draft.get("hours", "open") == draft.get("hours", "close"):
        opens = draft.get("hours", "open")
        yield Finding(("hours", "close"), f"the hours open and close at `{opens}`")


@contract_checks("PF305")
def breaks_in_order(draft: Draft) -> Iterator[Finding]:
    """See that breaks lie within the hours, one after the other."""
    if not all(draft.has("hours", key) for key in ("open", "close", "breaks")):
        return
    opens, closes = _minutes(draft.get("hours", "open")), _minutes(draft.get("hours", "close"))
    length = (closes - opens) % _DAY
    before = 0
    for number, text in enumerate(draft.get("hours", "breaks")):
        path = ("hours", "breaks", number)
        start, end = ((_minutes(part) - opens) % _DAY for part in text.split("-"))
        if not 0 < start < length or not 0 < end < length:
            yield Finding(path, f"the break `{text}` is not within the hours")
            continue
        if start >= end:
            yield Finding(path, f"the break `{text}` ends before it starts", "swap its times")
            continue
        if start <= before:
            yield Finding(path, f"the break `{text}` is not after the one before it")
        before = max(before, end)


def _minutes(text: str) -> int:
    clock = time(text)
    return clock.hour * 60 + clock.minute


def _keys(value: Data) -> list[str]:
    """Return the keys of what should be a mapping, and may be anything else."""
    return list(value) if isinstance(value, dict) else []


def _dates(draft: Draft) -> Iterator[tuple[Part, DataPath, ContractMonth, str]]:
    for _, part in _spans(draft):
        for key in _keys(part.value.get("dates")):
            path = (*part.path, "dates", key)
            if draft.has(*path):
                yield part, path, ContractMonth.parse(key), part.value["dates"][key]


def _expected(draft: Draft) -> Iterator[tuple[DataPath, ContractMonth, str]]:
    for month in _keys(draft.data.get("expect")):
        path: DataPath = ("expect", month)
        if draft.has(*path):
            value = draft.get(*path)
            for name, text in expected(value).items():
                place = path if isinstance(value, str) else (*path, name)
                yield place, ContractMonth.parse(month), text


def _days(draft: Draft) -> Iterator[tuple[DataPath, ContractMonth, str]]:
    yield from ((path, month, text) for _, path, month, text in _dates(draft))
    yield from _expected(draft)


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


@contract_checks("PF401")
def no_such_date(draft: Draft) -> Iterator[Finding]:
    """See that a listed date is a day that exists."""
    for path, _, text in _days(draft):
        if _date(text) is None:
            yield Finding(path, f"there is no day `{text}`")


@contract_checks("PF402")
def date_of_unlisted_month(draft: Draft) -> Iterator[Finding]:
    """See that a listed date is that of a listed month."""
    listed = cycle(draft, "listed")
    months = {path: month for _, path, month, _ in _dates(draft)}
    months |= {path[:2]: month for path, month, _ in _expected(draft)}
    for path, month in months.items():
        if listed is not None and month not in listed:
            message = f"{month} has a date, but it is not listed"
            yield Finding(path, message, f"`listed` is {listed}", key=True)


@contract_checks("PF405")
def date_outside_range(draft: Draft) -> Iterator[Finding]:
    """See that a date in a range is that of a month of the range."""
    for part, path, month, _ in _dates(draft):
        if not part.covers(month):
            message = f"{month} has a date in a range that it is not in"
            yield Finding(path, message, f"move it to the range of {month}", key=True)


@contract_checks("PF406")
def date_far_away(draft: Draft) -> Iterator[Finding]:
    """See that a listed date is within two years of its month."""
    for path, month, text in _days(draft):
        day = _date(text)
        if day is not None and abs(day.year * 12 + day.month - 1 - month.index) > _FAR:
            message = f"the date {text} is years away from its month {month}"
            yield Finding(path, message)


@contract_checks("PF403")
def notice_without_delivery(draft: Draft) -> Iterator[Finding]:
    """See that a contract settled in cash has no first notice."""
    if draft.get("settlement") == "cash" and "first_notice" in draft.data:
        message = "`first_notice` is there, but `settlement` is cash"
        related = ((("settlement",), "settled in cash"),)
        hint = "remove `first_notice`, or write `settlement: physical`"
        yield Finding(("first_notice",), message, hint, key=True, related=related)


@contract_checks("PF407")
def notice_without_settlement(draft: Draft) -> Iterator[Finding]:
    """See that a first notice counts: it bounds a position only where settlement is physical."""
    settles = "settlement" in draft.data or ("settlement",) in draft.faults
    if "first_notice" in draft.data and not settles:
        message = "`first_notice` is there, but not `settlement`: no deadline follows from it"
        yield Finding(("first_notice",), message, "add `settlement: physical`", key=True)


@contract_checks("PF404")
def anchor_without_notice(draft: Draft) -> Iterator[Finding]:
    """See that a roll counted from first notice needs one."""
    notices = "first_notice" in draft.data or ("first_notice",) in draft.faults
    if draft.get("roll", "anchor") == "first_notice" and not notices:
        message = "the roll is counted from `first_notice`, which the spec does not have"
        yield Finding(("roll", "anchor"), message, "add `first_notice`, or `anchor: last_trade`")


@calendar_checks("PF401")
def no_such_calendar_date(draft: Draft) -> Iterator[Finding]:
    """See that a date of a calendar is a day that exists."""
    for path, text in bad_dates(draft.data):
        if draft.has(*path):
            is_key = len(path) > 1 and path[-1] == text
            yield Finding(path, f"there is no day `{text}`", key=is_key)


@calendar_checks("PF401")
def no_such_annual_day(draft: Draft) -> Iterator[Finding]:
    """See that a fixed day of every year is one of some year."""
    for path in _annual(draft):
        month, day = (draft.get(*path, key) for key in ("month", "day"))
        if month and day and day > calendar.monthrange(_LEAP_YEAR, month)[1]:
            name = calendar.month_name[month]
            yield Finding((*path, "day"), f"there is no day {day} of {name} in any year")


@calendar_checks("PF203")
def annual_ends_after_start(draft: Draft) -> Iterator[Finding]:
    """See that a day of every year is not given up before it is kept."""
    for path in _annual(draft):
        start, until = (draft.get(*path, key) for key in ("from", "until"))
        if start and until and until < start:
            message = f"`until` {until} is before `from` {start}: the day is never kept"
            yield Finding((*path, "until"), message, "swap `from` and `until`")


def _annual(draft: Draft) -> Iterator[DataPath]:
    rows: Any = draft.data.get("annual")
    yield from (("annual", number) for number in range(len(rows) if isinstance(rows, list) else 0))
