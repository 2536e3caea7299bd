"""Why a date is what it is: the steps behind a cell of a chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyfutures.calendars import CalendarRangeError, day_number
from pyfutures.chain.instants import utc_instant
from pyfutures.rules import trace

if TYPE_CHECKING:
    import datetime as dt

    from pyfutures.chain.chain import Chain
    from pyfutures.months import ContractMonth
    from pyfutures.rules import Trace
    from pyfutures.specs.model import Event, EventRule


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an event of a month falls on its day: an explicit date, a traced rule, or no rule."""

    event: str
    rule: EventRule | None
    explicit: dt.date | None
    steps: Trace | None


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
