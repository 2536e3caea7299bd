"""Why a date is what it is: the steps behind a cell of a chain, each with its line of the spec."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pyfutures.calendars import CalendarError, CalendarRangeError, day_number
from pyfutures.chain.agenda import hold_segments
from pyfutures.chain.errors import ChainError
from pyfutures.chain.instants import utc_instant
from pyfutures.cycles import CycleError
from pyfutures.rules import RuleFailure
from pyfutures.specs.model import Anchor, OffsetUnit, Settlement
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.chain.chain import Chain, ChainRow
    from pyfutures.diagnostics import Location
    from pyfutures.months import ContractMonth
    from pyfutures.rules import Trace
    from pyfutures.specs.model import DataPath, Event, EventRule, Roll

__all__ = [
    "EventStory",
    "Explanation",
    "Line",
    "MonthStory",
    "Place",
    "RollStory",
    "early_close",
    "explain",
    "story",
]

EVENTS: Final = ("last_trade", "first_notice", "expiry")
_LONGEST_CLOSURE: Final = 12


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an event of a month falls on its day: an explicit date, a traced rule, or no rule."""

    event: str
    rule: EventRule | None
    explicit: dt.date | None
    steps: Trace | None


@dataclass(frozen=True, slots=True)
class Line:
    """One step: what it does, what it gives, why, and where the spec says so."""

    text: str
    result: dt.date | dt.datetime | ContractMonth | None = None
    place: Location | None = None
    calendar: str | None = None
    note: str | None = None
    projected: bool = False


@dataclass(frozen=True, slots=True)
class EventStory:
    """How the day of an event came about; `unknown` says why there is no day."""

    event: str
    day: dt.date | None
    lines: tuple[Line, ...] = ()
    unknown: str | None = None
    projected: bool = False


@dataclass(frozen=True, slots=True)
class RollStory:
    """How the roll date and the deadline came about; `none` says why there is no roll."""

    roll_date: dt.date | None = None
    deadline: dt.date | None = None
    lines: tuple[Line, ...] = ()
    none: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the chain: a held month and its neighbours, and from when to when it is held."""

    month: ContractMonth
    previous: ContractMonth | None
    forward: ContractMonth | None
    carry: ContractMonth | None
    start: dt.date | None
    roll_date: dt.date


@dataclass(frozen=True, slots=True)
class MonthStory:
    """Everything there is to say about a contract month.

    `own` is its place in the chain if it is held, `now` the place of the month that is current
    today; None where the chain does not know. `neighbours` are the held months around one that is
    not held itself.
    """

    chain: Chain
    row: ChainRow
    events: tuple[EventStory, ...]
    roll: RollStory
    cycles: tuple[Line, ...]
    own: Place | None = None
    now: Place | None = None
    neighbours: tuple[ContractMonth | None, ContractMonth | None] = (None, None)
    today: dt.date | None = field(default=None)

    @property
    def role(self) -> str | None:
        """What the month is today: current, forward, previous, carry; None if none of these."""
        if self.now is None:
            return None
        roles = {
            "current": self.now.month,
            "forward": self.now.forward,
            "previous": self.now.previous,
            "carry": self.now.carry,
        }
        found = [role for role, month in roles.items() if month == self.row.month]
        return " and ".join(found) or None


def explain(chain: Chain, month: ContractMonth, event: str = "last_trade") -> Explanation | None:
    """The steps that lead from a month to the day of an event, None without such an event.

    Parameters
    ----------
    chain
        The root.
    month
        A listed month.
    event
        ``last_trade``, ``first_notice`` or ``expiry``.

    Raises
    ------
    ChainError
        If the month is not listed.
    CalendarError, RuleFailure
        If the rule has no answer for the month.
    """
    chain.row(month)
    subject: Event | None = getattr(chain.spec, event)
    if subject is None:
        return None
    rule = subject.spans.at(month)
    explicit = subject.dates.get(month)
    if explicit is not None or rule is None:
        return Explanation(event, rule, explicit, None)
    events: dict[str, dt.date | Trace] = {}
    if event != "last_trade" and (last_trade := explain(chain, month)) is not None:
        day = last_trade.steps or last_trade.explicit
        events = {} if day is None else {"last_trade": day}
    from pyfutures.rules import trace  # noqa: PLC0415 - dateutil is for who asks for one date

    steps = trace(
        rule.rule, month, calendar=rule.calendar, calendars=chain.calendars, events=events
    )
    # A rule may end on a day without ever asking about it; the calendar must know it all the same.
    calendar = chain.calendars[rule.calendar]
    if not calendar.first <= steps.day <= calendar.last:
        raise CalendarRangeError(calendar, steps.day)
    if steps.day > calendar.valid_until:
        steps = replace(steps, projected=True)
    return Explanation(event, rule, None, steps)


def early_close(chain: Chain, month: ContractMonth) -> str | None:
    """The early close, ``13:00 America/New_York``, that cuts the last trade of a month short.

    Raises
    ------
    ChainError
        If the month is not listed.
    """
    day = chain.row(month).last_trade
    rule = chain.spec.last_trade.spans.at(month)
    if day is None or rule is None:
        return None
    calendar = chain.calendars[rule.calendar]
    close = calendar.early_closes.get(day)
    hours = chain.spec.hours
    at = (rule.at.time, rule.at.zone) if rule.at else (hours.close, hours.zone) if hours else None
    if close is None or calendar.zone is None or at is None:
        return None
    early = utc_instant(day_number(day), close, calendar.zone)
    return f"{close:%H:%M} {calendar.zone}" if early < utc_instant(day_number(day), *at) else None


def story(chain: Chain, month: ContractMonth, *, today: dt.date) -> MonthStory:
    """Everything about a contract month: its dates step by step, its roll, its place in the chain.

    Raises
    ------
    ChainError
        If the month is not listed.
    """
    row = chain.row(month)
    return MonthStory(
        chain,
        row,
        tuple(_event_story(chain, row, event) for event in EVENTS),
        _roll_story(chain, row),
        tuple(_cycle_lines(chain, row)),
        own=_own_place(chain, month),
        now=_place_at(chain, today),
        neighbours=(_neighbour(chain, month, -1), _neighbour(chain, month, 1)),
        today=today,
    )


# --- events


def _event_story(chain: Chain, row: ChainRow, event: str) -> EventStory:
    day: dt.date | None = getattr(row, event)
    try:
        found = explain(chain, row.month, event)
    except (CalendarError, RuleFailure) as error:
        return EventStory(event, None, unknown=str(error))
    if found is None:
        return EventStory(event, day)
    lines = [*_steps(chain, row.month, found)]
    if day is not None and found.rule is not None:
        asked = found.steps is not None and found.steps.steps[-1].calendar == found.rule.calendar
        lines += () if asked else _openness(chain, found.rule, day)
    if event == "last_trade":
        lines += _clock(chain, found, row)
    projected = found.steps is not None and found.steps.projected
    return EventStory(event, day, tuple(lines), projected=projected)


def _steps(chain: Chain, month: ContractMonth, found: Explanation) -> Iterator[Line]:
    if found.explicit is not None:
        place = _dates_place(chain, found.event, month)
        yield Line("named in `dates`", found.explicit, place)
    elif found.rule is None or found.steps is None:
        yield Line("no rule covers this month", None, _at(chain, (found.event,)))
    else:
        for step in found.steps.steps:
            place = _at(chain, (*found.rule.path, "rule", *step.path))
            yield Line(
                step.text, step.after, place, step.calendar, step.note, projected=step.projected
            )


def _openness(chain: Chain, rule: EventRule, day: dt.date) -> Iterator[Line]:
    """Whether the day is a business day after all, where the last step did not ask."""
    calendar = chain.calendars[rule.calendar]
    if not calendar.first <= day <= calendar.last:
        return
    place = _at(chain, (*rule.path, "calendar"))
    why = calendar.why_closed(day)
    if why is None:
        yield Line("a business day, kept", day, place, calendar.name)
    else:
        yield Line("closed, and no step moves it", day, place, calendar.name, f"{why}")


def _clock(chain: Chain, found: Explanation, row: ChainRow) -> Iterator[Line]:
    """The time of day: ``at``, else the session close; clipped to an early close of the day."""
    rule, hours = found.rule, chain.spec.hours
    if rule is None or row.last_trade is None:
        return
    if rule.at is not None:
        what, place = f"at {rule.at}", _at(chain, (*rule.path, "at"))
    elif hours is not None:
        what = f"at the session close, {hours.close:%H:%M} {hours.zone}"
        place = _at(chain, ("hours", "close"))
    else:
        what = "time of day unknown: neither `at` nor `hours`"
        yield Line(what, None, _at(chain, rule.path))
        return
    early = early_close(chain, row.month)
    note = None if early is None else f"clipped to the early close of {early}"
    yield Line(what, row.last_trade_utc, place, note=note)


# --- the roll


def _roll_story(chain: Chain, row: ChainRow) -> RollStory:
    roll = chain.spec.roll
    if roll is None:
        return RollStory(none="none in the spec")
    if not row.hold:
        return RollStory(none=f"none, {row.month} is not held (hold cycle {chain.spec.hold})")
    lines = [*_roll_lines(chain, row, roll), *_deadline_lines(chain, row, roll)]
    return RollStory(row.roll_date, row.deadline, tuple(lines))


def _roll_lines(chain: Chain, row: ChainRow, roll: Roll) -> Iterator[Line]:
    anchor = _anchor_day(row, roll.anchor)
    name = roll.anchor.value.replace("_", " ")
    yield Line(f"counted from {name}", anchor, _at(chain, ("roll", "anchor")))
    days = "business days" if roll.unit is OffsetUnit.BUSINESS else "calendar days"
    if abs(roll.offset) == 1:
        days = days.removesuffix("s")
    side = "after" if roll.offset > 0 else "before"
    words = f"{abs(roll.offset)} {days} {side} {name}" if roll.offset else f"on {name}"
    rule = chain.spec.last_trade.spans.at(row.month)
    calendar = rule.calendar if rule else None
    notes = [_skipped(chain, calendar, anchor, row.roll_date, roll)]
    notes.append(_first_session(chain, calendar, row.roll_date))
    yield Line(
        words,
        row.roll_date,
        _at(chain, ("roll", "offset")),
        calendar if roll.unit is OffsetUnit.BUSINESS else None,
        "; ".join(filter(None, notes)) or None,
    )


def _deadline_lines(chain: Chain, row: ChainRow, roll: Roll) -> Iterator[Line]:
    physical = chain.spec.settlement is Settlement.PHYSICAL
    notice = row.first_notice if physical else None
    event, day = "last_trade", row.last_trade
    if notice and row.last_trade and notice < row.last_trade:
        event, day = "first_notice", notice
    bound = event.replace("_", " ")
    close_out = f", less {roll.close_out} sessions" if roll.close_out else ""
    note = None
    if physical and chain.spec.first_notice is None:
        note = "delivered, but the spec has no first notice"
    elif physical and bound == "last trade":
        note = "first notice is not before it"
    rule = chain.spec.last_trade.spans.at(row.month)
    if roll.close_out:
        yield Line(f"deadline counted from {bound}", day, _at(chain, (event,)), note=note)
        note = None
    path: DataPath = ("roll", "close_out") if roll.close_out else (event,)
    calendar = rule.calendar if rule and roll.close_out else None
    yield Line(f"deadline: {bound}{close_out}", row.deadline, _at(chain, path), calendar, note)


def _anchor_day(row: ChainRow, anchor: Anchor) -> dt.date | None:
    match anchor:
        case Anchor.LAST_TRADE:
            return row.last_trade
        case Anchor.FIRST_NOTICE:
            return row.first_notice
        case Anchor.MONTH_START:
            return row.month.first_day


def _skipped(
    chain: Chain, calendar: str | None, anchor: dt.date | None, day: dt.date | None, roll: Roll
) -> str | None:
    """The holidays that were not counted between the anchor and a roll by business days."""
    if roll.unit is not OffsetUnit.BUSINESS or anchor is None or day is None or calendar is None:
        return None
    first, last = min(anchor, day), max(anchor, day)
    known = chain.calendars[calendar]
    days = (first + dt.timedelta(n) for n in range((last - first).days + 1))
    reasons = ((one, known.why_closed(one)) for one in days)
    notes = [
        f"{one:%a} {one} closed: {why}" for one, why in reasons if why not in {None, "weekend"}
    ]
    return "; ".join(notes) or None


def _first_session(chain: Chain, calendar: str | None, day: dt.date | None) -> str | None:
    """The first open day of a roll that begins on a closed one."""
    if calendar is None or day is None:
        return None
    known = chain.calendars[calendar]
    try:
        opens = known.on_or_after(day)
    except CalendarError:
        return None  # the calendar ends here; the date itself stands all the same
    if opens == day:
        return None
    return f"{day:%a} {day} closed: {known.why_closed(day)}; first session {opens:%a} {opens}"


# --- the place in the chain


def _cycle_lines(chain: Chain, row: ChainRow) -> Iterator[Line]:
    cycles = {"listed": True, "priced": row.priced, "hold": row.hold}
    for name, is_in in cycles.items():
        word = "held" if name == "hold" else name
        cycle = getattr(chain.spec, name)
        text = f"{'' if is_in else 'not '}{word}: {cycle}"
        yield Line(text, None, _at(chain, ("months", name)))


def _own_place(chain: Chain, month: ContractMonth) -> Place | None:
    return next((place for place in _places(chain) if place.month == month), None)


def _place_at(chain: Chain, today: dt.date) -> Place | None:
    """The place of the month that is held on a day by rule."""
    try:
        found = chain.position(dt.datetime.combine(today, dt.time(), dt.UTC))
    except ChainError:
        return None
    return _own_place(chain, found.current)


def _places(chain: Chain) -> Iterator[Place]:
    segments = hold_segments(chain)
    for segment, row in zip(segments, chain.rolls if segments else (), strict=True):
        yield Place(
            row.month, row.previous, row.forward, row.carry, segment.start, segment.roll_date
        )


def _neighbour(chain: Chain, month: ContractMonth, steps: int) -> ContractMonth | None:
    try:
        return chain.spec.hold.neighbour(month, steps)
    except CycleError:
        return None


def _dates_place(chain: Chain, event: str, month: ContractMonth) -> Location | None:
    """Where `dates` names the month: in the block, or in the range that it belongs to."""
    paths = [path for path in chain.spec.locations if path[0:1] == (event,) and str(month) in path]
    return _at(chain, paths[0] if paths else (event,))


def _at(chain: Chain, path: DataPath) -> Location | None:
    return locate(chain.spec.locations, path)
