"""Checks of cycles and of ranges of contract months."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pyfutures.cycles import Cycle, CycleError
from pyfutures.months import FIRST_MONTH, LAST_MONTH, ContractMonth
from pyfutures.specs.checks import Draft, Finding, contract_checks
from pyfutures.specs.parts import (
    CYCLES,
    EVENTS,
    Part,
    cycle,
    cycle_parts,
    cycles,
    parts,
    ranged,
    skips,
)
from pyfutures.specs.words import join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.specs.model import DataPath

__all__: list[str] = []

#: Values that can have ranges.
_RANGED: Final[tuple[tuple[str, ...], ...]] = (
    *(("months", name) for name in CYCLES),
    *((name,) for name in ("multiplier", "tick")),
    *(("ib", name) for name in ("symbol", "exchange", "trading_class")),
    *((name,) for name in EVENTS),
)
_SHOWN: Final = 3


@lru_cache(maxsize=1)
def _lists(draft: Draft) -> list[tuple[DataPath, list[Part]]]:
    """Return every value that is written as ranges and whose bounds are sound."""
    found: list[tuple[DataPath, list[Part]]] = []
    for path in _RANGED:
        value: Any = draft.data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if (
            value
            and isinstance(value, list)
            and path not in draft.faults
            and all(
                isinstance(item, dict)
                and all(draft.has(*path, number, key) for key in ("from", "until") if key in item)
                and not any((*path, number, key) in draft.faults for key in ("from", "until"))
                for number, item in enumerate(value)
            )
        ):
            found.append((path, parts(value, path, None)))
    return found


@contract_checks("PF203")
def ranges_overlap(draft: Draft) -> Iterator[Finding]:
    """See that ranges are in order, do not overlap, and none ends before it starts."""
    for path, found in _lists(draft):
        name = f"`{path[-1]}`"
        if _in_wrong_order(found):
            first = next(p for p, q in zip(found, _sorted(found), strict=True) if p is not q)
            hint = "the earliest range comes first"
            yield Finding(first.path, f"the ranges of {name} are in the wrong order", hint)
            continue
        for part in found:
            if part.start and part.until and part.until < part.start:
                message = f"a range of {name} ends in {part.until}, before its start {part.start}"
                yield Finding((*part.path, "until"), message, "swap `from` and `until`")
        for before, after in itertools.pairwise(found):
            if before.until and after.start and after.start <= before.until:
                message = (
                    f"the ranges of {name} overlap: one starts in {after.start}, "
                    f"the one before it ends in {before.until}"
                )
                related = (((*before.path, "until"), "it ends here"),)
                hint = "both bounds belong to their range"
                yield Finding((*after.path, "from"), message, hint, related=related)


@contract_checks("PF204")
def ranges_open(draft: Draft) -> Iterator[Finding]:
    """See that the first range is open at its start, the last at its end, and no other."""
    for path, found in _lists(draft):
        name = f"`{path[-1]}`"
        if _in_wrong_order(found):
            continue
        if found and found[0].start:
            message = f"the first range of {name} starts in {found[0].start}; it must be open"
            yield Finding((*found[0].path, "from"), message, "remove its `from`")
        if found and found[-1].until:
            message = f"the last range of {name} ends in {found[-1].until}; it must be open"
            yield Finding((*found[-1].path, "until"), message, "remove its `until`")
        for before, after in itertools.pairwise(found):
            if not before.until:
                message = f"a range of {name} has no end, but another one follows"
                yield Finding(before.path, message, "add `until`", key=True)
            if not after.start:
                message = f"a range of {name} has no start, but another one is before it"
                yield Finding(after.path, message, "add `from`", key=True)


@contract_checks("PF211")
def bounds_of_listing(draft: Draft) -> Iterator[Finding]:
    """See that the first and the last listed month are months of every cycle's end range."""
    first, last = (_month(draft, key) for key in ("first", "last"))
    if first and last and last < first:
        yield Finding(("months", "last"), f"`last` {last} is before `first` {first}", "swap them")
        return
    span = f"chains go from {FIRST_MONTH} to {LAST_MONTH}"
    if first and first > LAST_MONTH:
        yield Finding(("months", "first"), f"`first` is {first}, after every chain", span)
    if last and last < FIRST_MONTH:
        yield Finding(("months", "last"), f"`last` is {last}, before every chain", span)
    for name, found in cycles(draft):
        for key, month, part in (("first", first, found[0]), ("last", last, found[-1])):
            if month is None:
                continue
            if name == CYCLES[0] and month.code not in part.value:
                message = f"`{key}` is {month}, which is not a listed month: {part.value}"
                yield Finding(("months", key), message, "use a month that was listed")
            elif part.start and part.until and part.until < part.start:
                message = f"`{key}` is {month}, outside the {key} range of `{name}`"
                related = ((part.path, "this range"),)
                yield Finding(("months", key), message, "remove the range", related=related)


def _month(draft: Draft, key: str) -> ContractMonth | None:
    text = draft.get("months", key)
    return None if text is None else ContractMonth.parse(text)


def _sorted(found: list[Part]) -> list[Part]:
    return sorted(found, key=lambda p: (p.start is not None, p.start or FIRST_MONTH))


def _in_wrong_order(found: list[Part]) -> bool:
    """Whether the ranges would be sound if only they were sorted."""
    ordered = _sorted(found)
    return ordered != found and _sound(ordered)


def _sound(found: list[Part]) -> bool:
    open_ends = found[0].start is None and found[-1].until is None
    return open_ends and ranged(found) is not None


@contract_checks("PF205")
def bounds_in_cycle(draft: Draft) -> Iterator[Finding]:
    """See that a bound is a month of its own range: of its cycle, or a listed one."""
    lists = [(path, found) for path, found in _lists(draft) if _sound(found)]
    if not lists:
        return
    own = {("months", name): dict(enumerate(found)) for name, found in cycles(draft)}
    listed = cycle(draft, "listed", masked=False)
    for path, found in lists:
        for number, part in enumerate(found):
            for key, month in (("from", part.start), ("until", part.until)):
                if month is None:
                    continue
                if path[0] == "months":
                    codes = own[path][number].value if path in own else month.code
                    fits, words = month.code in codes, f"its own months, {codes}"
                else:
                    fits, words = listed is None or month in listed, "the listed months"
                if not fits:
                    message = (
                        f"`{key}` of a range of `{path[-1]}` is {month}, which is not in {words}"
                    )
                    hint = None
                    if path[0] == "months":
                        hint = f"use the {'first' if key == 'from' else 'last'} month of the range"
                    elif listed is not None:
                        hint = f"did you mean {join(_around(listed, month))}?"
                    yield Finding((*part.path, key), message, hint)


def _around(cycle_: Cycle, month: ContractMonth) -> list[ContractMonth]:
    found = []
    for step in (cycle_.previous, cycle_.next):
        try:
            found.append(step(month))
        except CycleError:
            continue
    return found or [month]


@contract_checks("PF207")
def values_without_gap(draft: Draft) -> Iterator[Finding]:
    """See that every listed month has a value; only cycles may have gaps."""
    for path, found in _lists(draft):
        listed = cycle(draft, "listed")
        if listed is None or path[0] == "months" or not _sound(found):
            continue
        for before, after in itertools.pairwise(found):
            if before.until and after.start:
                gap = [
                    month
                    for month in listed.between(before.until, after.start)
                    if before.until < month < after.start
                ]
                if gap:
                    message = f"`{path[-1]}` has no value for {_months(gap)}"
                    related = (((*before.path, "until"), "the range before it ends here"),)
                    yield Finding((*after.path, "from"), message, related=related)


@contract_checks("PF202")
def priced_within_listed(draft: Draft) -> Iterator[Finding]:
    """See that priced months are listed, in every range."""
    yield from _within(draft, "priced", "listed")


@contract_checks("PF201")
def hold_within_priced(draft: Draft) -> Iterator[Finding]:
    """See that held months are priced, in every range."""
    yield from _within(draft, "hold", "priced")


def _within(draft: Draft, inner: str, outer: str) -> Iterator[Finding]:
    inside, around = cycle_parts(draft, inner), cycle_parts(draft, outer)
    members = cycle(draft, outer, masked=False)
    if not inside or inside[0] != inner or not around or members is None:
        return
    if ranged(inside[1]) is None:
        return
    whole = around[1][0].value if len(around[1]) == 1 and around[1][0].start is None else ""
    for part in inside[1]:
        if whole and around[1][0].until is None and not set(part.value) - set(whole):
            continue
        start, until = part.start or FIRST_MONTH, part.until or LAST_MONTH
        try:
            held = Cycle.of(part.value).between(start, until)
        except CycleError:
            continue
        extra = [month for month in held if month not in members]
        if extra:
            adjective = around[0]
            codes = "".join(dict.fromkeys(month.code for month in sorted(extra, key=_code)))
            during = f" ({_months(extra)})" if len(inside[1]) > 1 or len(around[1]) > 1 else ""
            message = f"`{inner}` has months that are not {adjective}: {codes}{during}"
            related = ((("months", around[0]), f"`{around[0]}` is here"),)
            hint = f"remove them, or add them to `{around[0]}`"
            yield Finding(part.path, message, hint, related=related)


def _code(month: ContractMonth) -> int:
    return month.month


def _months(found: list[ContractMonth]) -> str:
    shown = ", ".join(map(str, found[:_SHOWN]))
    return shown if len(found) <= _SHOWN else f"{shown} and {len(found) - _SHOWN} more"


@contract_checks("PF206")
def skip_hits(draft: Draft) -> Iterator[Finding]:
    """See that a skipped month is a month of the cycle it is skipped from."""
    by_name = skips(draft)
    above: set[ContractMonth] = set()
    for name in CYCLES:
        members = cycle(draft, name, masked=False)
        for month, path in by_name[name].items():
            if members is not None and month not in members:
                message = f"{month} is skipped, but it is not in the cycle `{name}`"
                hint = f"the months around it are {join(_around(members, month))}"
                yield Finding(path, message, hint)
            elif month in above:
                message = f"{month} is skipped in `{name}`, but already in a cycle above it"
                yield Finding(path, message, "skip it once")
        above |= set(by_name[name])


@contract_checks("PF208")
def cycle_has_months(draft: Draft) -> Iterator[Finding]:
    """See that a cycle has at least one month, be it written down or that above it by default."""
    first = _month(draft, "first") or FIRST_MONTH
    last = _month(draft, "last") or LAST_MONTH
    if first > LAST_MONTH or last < FIRST_MONTH:
        return  # PF211
    span = f"from {max(first, FIRST_MONTH)} to {min(last, LAST_MONTH)}"
    above_is_empty = False
    for name in CYCLES:
        found = cycle_parts(draft, name)
        if found is None or ranged(found[1]) is None:
            return
        members = cycle(draft, name)
        empty = members is None or not members.reaches(FIRST_MONTH, LAST_MONTH)
        if empty and (found[0] == name or not above_is_empty):
            yield Finding(("months", name), f"`{name}` has no month {span}")
        above_is_empty = empty


@contract_checks("PF209")
def class_codes_once(draft: Draft) -> Iterator[Finding]:
    """See that a month code has one trading class."""
    for path, months in _classes(draft):
        seen: dict[str, str] = {}
        for codes in months:
            twice = [code for code in codes if code in seen]
            if twice:
                message = (
                    f"{join(twice)} is in two keys of `months`: `{seen[twice[0]]}` and `{codes}`"
                )
                related = (((*path, seen[twice[0]]), "it is first here"),)
                yield Finding((*path, codes), message, key=True, related=related)
            seen |= dict.fromkeys(codes, codes)


@contract_checks("PF210")
def class_codes_listed(draft: Draft) -> Iterator[Finding]:
    """See that a month code with a trading class of its own is listed."""
    listed = cycle_parts(draft, "listed")
    if listed is None:
        return
    codes = {code for part in listed[1] for code in part.value}
    for path, months in _classes(draft):
        for key in months:
            if stray := [code for code in key if code not in codes]:
                message = f"{join(stray)} has a trading class, but is never listed"
                yield Finding((*path, key), message, key=True)


def _classes(draft: Draft) -> Iterator[tuple[DataPath, dict[str, str]]]:
    path = ("ib", "trading_class")
    if draft.has(*path):
        for part in parts(draft.get(*path), path, "value"):
            if isinstance(part.value, dict) and "months" in part.value:
                yield (*part.path, "months"), part.value["months"]
