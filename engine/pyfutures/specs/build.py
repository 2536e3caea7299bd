"""From a sound document to the model: plain lines, no judgement.

Everything that can be wrong was found before; an exception here is a fault of this program.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pyfutures.months import ContractMonth
from pyfutures.ranged import Ranged, Span
from pyfutures.rules.rule import parse_rule
from pyfutures.specs.model import (
    Anchor,
    Event,
    EventRule,
    IbIdentity,
    OffsetUnit,
    Roll,
    Settlement,
    Spec,
    TradingClass,
    TradingHours,
)
from pyfutures.specs.parts import clock_time, cycle, expected, parts, time

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.cycles import Cycle
    from pyfutures.specs.checks import Draft
    from pyfutures.specs.model import DataPath

__all__ = ["build"]


def build(draft: Draft, path: str) -> Spec:
    """Return the spec of a document without errors.

    Parameters
    ----------
    draft
        The document after ``extends``, checked.
    path
        The root's own file.

    """
    data = draft.data
    last_trade = _event(data["last_trade"], ("last_trade",), None)
    return Spec(
        root=data["root"],
        name=" ".join(data["name"].split()),
        exchange=data["exchange"],
        currency=data["currency"],
        multiplier=_ranged(data["multiplier"], Decimal),
        tick=_ranged(data["tick"], Decimal),
        settlement=Settlement(data["settlement"]) if "settlement" in data else None,
        ib=_ib(data["ib"]) if "ib" in data else None,
        listed=_cycle(draft, "listed"),
        priced=_cycle(draft, "priced"),
        hold=_cycle(draft, "hold"),
        last_trade=last_trade,
        first_notice=_optional(data, "first_notice", last_trade),
        expiry=_optional(data, "expiry", last_trade),
        roll=_roll(data["roll"]) if "roll" in data else None,
        hours=_hours(data["hours"]) if "hours" in data else None,
        verified=data.get("verified", True),
        sources=tuple(data["sources"]),
        path=path,
        locations=draft.locations,
        ahead=data["months"].get("ahead"),
        expect={
            ContractMonth.parse(month): {
                name: dt.date.fromisoformat(day) for name, day in expected(dates).items()
            }
            for month, dates in data.get("expect", {}).items()
        },
    )


def _ranged[T](value: object, make: Callable[[Any], T]) -> Ranged[T]:
    return Ranged(
        tuple(Span(part.start, part.until, make(part.value)) for part in parts(value, (), "value"))
    )


def _cycle(draft: Draft, name: str) -> Cycle:
    found = cycle(draft, name)
    if found is None:
        message = f"the cycle {name} was not checked"
        raise ValueError(message)
    return found


def _ib(data: dict[str, Any]) -> IbIdentity:
    return IbIdentity(
        symbol=_ranged(data["symbol"], str),
        exchange=_ranged(data["exchange"], str),
        trading_class=_ranged(data.get("trading_class"), _trading_class),
        price_magnifier=data.get("price_magnifier", 1),
    )


def _trading_class(value: str | dict[str, Any] | None) -> TradingClass:
    if not isinstance(value, dict):
        return TradingClass(value)
    months = value.get("months", {})
    by_code = {code: name for codes, name in months.items() for code in codes}
    return TradingClass(value.get("default"), by_code)


def _optional(data: dict[str, Any], name: str, last_trade: Event) -> Event | None:
    return _event(data[name], (name,), last_trade) if name in data else None


def _event(value: object, path: DataPath, last_trade: Event | None) -> Event:
    """Return an event; one that names no calendar uses that of the last trade."""
    spans: list[Span[EventRule]] = []
    dates: dict[ContractMonth, dt.date] = {}
    for part in parts(value, path, None):
        data: dict[str, Any] = part.value
        own = Span(part.start, part.until, data.get("calendar"))
        rule = parse_rule(data["rule"])
        at = clock_time(data["at"]) if "at" in data else None
        spans += [
            Span(s.start, s.until, EventRule(s.value, rule, at, part.path))
            for s in _calendars(own, last_trade)
        ]
        for month, day in data.get("dates", {}).items():
            dates[ContractMonth.parse(month)] = dt.date.fromisoformat(day)
    return Event(Ranged(tuple(spans)), dates)


def _calendars(own: Span[str | None], last_trade: Event | None) -> list[Span[str]]:
    """Return the calendar of a span, cut where that of the last trade changes."""
    if own.value is not None:
        return [Span(own.start, own.until, own.value)]
    if last_trade is None:
        message = "last_trade has no calendar"
        raise ValueError(message)
    theirs = last_trade.spans.spans
    if len({span.value.calendar for span in theirs}) == 1:
        return [Span(own.start, own.until, theirs[0].value.calendar)]
    cut = []
    for span in theirs:
        start = max((m for m in (own.start, span.start) if m), default=None)
        until = min((m for m in (own.until, span.until) if m), default=None)
        if start is None or until is None or start <= until:
            cut.append(Span(start, until, span.value.calendar))
    return cut


def _roll(data: dict[str, Any]) -> Roll:
    return Roll(
        anchor=Anchor(data.get("anchor", Anchor.LAST_TRADE)),
        offset=data["offset"],
        unit=OffsetUnit(data.get("unit", OffsetUnit.CALENDAR)),
        carry=data.get("carry", 1),
        close_out=data.get("close_out", 0),
    )


def _hours(data: dict[str, Any]) -> TradingHours:
    breaks = (text.split("-") for text in data.get("breaks", ()))
    return TradingHours(
        zone=data["zone"],
        open=time(data["open"]),
        close=time(data["close"]),
        breaks=tuple((time(start), time(end)) for start, end in breaks),
    )
