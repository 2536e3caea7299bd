"""Several calendars made into one.

A join knows what its members know: it starts with the last of them to start, ends with the
first to end, and is valid as long as all of them are. In a sequence a member counts only for
its own span.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pyfutures.calendars.draft import Draft, check_bounds, in_zone
from pyfutures.calendars.errors import CalendarSpecError
from pyfutures.calendars.later import Later
from pyfutures.calendars.spec import JoinKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pyfutures.calendars.calendar import Calendar
    from pyfutures.calendars.spec import CalendarSpec, Join

_DAY: Final = dt.timedelta(1)


class _Span(NamedTuple):
    """Days on which the same members count; both bounds inclusive."""

    begin: dt.date
    end: dt.date
    members: Sequence[Calendar]


def joined(spec: CalendarSpec, join: Join, members: Sequence[Calendar]) -> Draft:
    """Return the draft of a calendar made of `members`, which are in the order of `join`.

    Raises
    ------
    CalendarSpecError
        If there are no members, they have no day in common, or a sequence has a hole.

    """
    if not members:
        raise CalendarSpecError(spec.calendar, "a join needs at least one calendar")
    if join.kind is JoinKind.SEQUENCE:
        spans = _sequence(spec, join, members)
    else:
        spans = [_Span(dt.date.min, dt.date.max, members)]
    first, last, valid_until = _known(spec, spans)
    if spec.valid_until is not None:
        check_bounds(spec, first, spec.valid_from or first, spec.valid_until, last)
        valid_until = min(valid_until, spec.valid_until)
        last = last if spec.projected else spec.valid_until
    start = spec.valid_from or first
    check_bounds(spec, first, start, valid_until, last)
    cut = [_Span(max(s.begin, start), min(s.end, last), s.members) for s in spans]
    cut = [span for span in cut if span.begin <= span.end]
    draft = Draft(
        spec,
        start,
        valid_until,
        np.zeros((last - start).days + 1, np.uint8),
        zone=spec.zone or _zone(spec, join, members),
        reasons=Later(lambda: _reasons(join.kind, cut)),
        early_closes={},
    )
    for span in cut:
        _fill(draft, join.kind, span)
    return draft


def _zone(spec: CalendarSpec, join: Join, members: Sequence[Calendar]) -> str | None:
    """The zone of the members that end early, else the one that all members have."""
    early = {m.zone for m in members if m.early_closes and join.kind is not JoinKind.ANY}
    if len(early) > 1:
        names = " and ".join(sorted(map(str, early)))
        message = f"its members end early in the times of {names}; name the `zone` to use"
        raise CalendarSpecError(spec.calendar, message, (join.kind,))
    zones = early or {member.zone for member in members}
    return zones.pop() if len(zones) == 1 else None


def _sequence(spec: CalendarSpec, join: Join, members: Sequence[Calendar]) -> list[_Span]:
    """Cut time into the spans of a sequence, each with its one member."""
    spans: list[_Span] = []
    begin = dt.date.min
    for number, (row, member) in enumerate(zip(join.members, members, strict=True)):
        if (row.until is None) != (number == len(members) - 1):
            raise CalendarSpecError(
                spec.calendar,
                "in a `sequence` all calendars but the last need `until`, and the last has none",
                (join.kind, number, "until" if row.until else "calendar"),
            )
        end = row.until or dt.date.max
        if end < begin:
            raise CalendarSpecError(
                spec.calendar,
                f"`until` {end} of `{row.calendar}` is not after the one before it",
                (join.kind, number, "until"),
            )
        spans.append(_Span(begin, end, [member]))
        begin = dt.date.max if end == dt.date.max else end + _DAY
    return spans


def _known(spec: CalendarSpec, spans: Sequence[_Span]) -> tuple[dt.date, dt.date, dt.date]:
    """First and last known day of a join, and until when it is valid."""
    first = max(member.first for member in spans[0].members)
    last = valid_until = dt.date.min
    for number, (begin, end, members) in enumerate(spans):
        starts = max(member.first for member in members)
        if begin > dt.date.min and starts > begin:
            raise CalendarSpecError(
                spec.calendar,
                f"nothing is known from {begin} until `{members[0].name}` starts on {starts}",
                (JoinKind.SEQUENCE, number),
            )
        if valid_until == last:  # valid up to here, so perhaps further
            valid_until = max(last, min(end, *(member.valid_until for member in members)))
        last = max(last, min(end, *(member.last for member in members)))
        if last < end:
            break
    return first, last, valid_until


def _fill(draft: Draft, kind: JoinKind, span: _Span) -> None:
    begin, end, members = span
    combine = np.bitwise_or if kind is JoinKind.ANY else np.bitwise_and
    part = slice((begin - draft.first).days, (end - draft.first).days + 1)
    draft.flags[part] = combine.reduce([_flags(member, begin, end) for member in members])
    if kind is JoinKind.ANY:
        return  # another member may still be open
    for member in members:
        early = in_zone(draft.spec, member.early_closes, member.zone, draft.zone)
        for day, time in early.items():
            if begin <= day <= end:
                draft.early_closes[day] = min(time, draft.early_closes.get(day, time))


def _reasons(kind: JoinKind, spans: Sequence[_Span]) -> dict[dt.date, str]:
    """Why each day is closed on which a member is that has a reason."""
    closed = all if kind is JoinKind.ANY else any
    return {
        day: _reason(members, day)
        for begin, end, members in spans
        for day in {day for member in members for day in member.reasons}
        if begin <= day <= end and closed(not member.is_open(day) for member in members)
    }


def _flags(calendar: Calendar, begin: dt.date, end: dt.date) -> NDArray[np.uint8]:
    offset = (begin - calendar.first).days
    return np.frombuffer(calendar.flags, np.uint8)[offset : offset + (end - begin).days + 1]


def _reason(members: Sequence[Calendar], day: dt.date) -> str:
    """Why the members are closed: one word if they agree, else each with its name."""
    whys = [(member.why_closed(day), member.name) for member in members]
    closed = [(why, name) for why, name in whys if why is not None]
    if len(closed) == len(members) and len({why for why, _ in closed}) == 1:
        return closed[0][0]
    return "; ".join(f"{why} ({name})" for why, name in closed)
