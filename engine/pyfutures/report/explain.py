"""The story of a contract month, as text and json."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyfutures.ib.local_symbols import local_symbols
from pyfutures.specs.model import Settlement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyfutures.chain.explanation import EventStory, Line, MonthStory, Place
    from pyfutures.diagnostics import Location
    from pyfutures.months import ContractMonth

__all__ = ["FORMAT_VERSION", "json_text", "text"]

FORMAT_VERSION: Final = "1.0"
"""A new minor only adds keys; a new major may change them."""

type Result = dt.date | dt.datetime | ContractMonth | None


@dataclass(frozen=True, slots=True)
class _Names:
    """What IB calls a month; None where the spec does not say."""

    symbol: str | None
    exchange: str | None
    trading_class: str | None
    currency: str
    multiplier: str | None
    tick: str | None
    price_magnifier: int
    local_symbols: tuple[str, ...]


def text(story: MonthStory) -> str:
    """Return the story for a terminal, paragraph by paragraph."""
    row, spec = story.row, story.chain.spec
    cash = spec.settlement is Settlement.CASH
    parts = [f"{row.root} {row.month}  {spec.name}"]
    parts += [part for event in story.events if (part := _event_text(event, cash=cash))]
    parts.append(_roll_text(story))
    parts.append(_place_text(story))
    parts.append(_names_text(story))
    return "\n\n".join(parts) + "\n"


def json_text(story: MonthStory) -> str:
    """Return the story as the text of a JSON document, one newline at its end."""
    row, spec = story.row, story.chain.spec
    names = _names(story)
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "root": row.root,
        "month": str(row.month),
        "name": spec.name,
        "path": spec.path,
        "status": row.status,
        "verified": row.verified,
        "events": {event.event: _event_data(event) for event in story.events},
        "roll": {
            "roll_date": _plain(story.roll.roll_date),
            "deadline": _plain(story.roll.deadline),
            "none": story.roll.none,
            "steps": [_line_data(line) for line in story.roll.lines],
        },
        "cycles": {"listed": row.listed, "priced": row.priced, "hold": row.hold},
        "place": story.own and _place_data(story.own),
        "today": _plain(story.today),
        "role": story.role,
        "current": story.now and _place_data(story.now),
        "ib": None if names is None else _names_data(names),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


# --- text


def _no_notice(cash: bool) -> str:  # noqa: FBT001 - its only argument
    return "none, settled in cash" if cash else "none in the spec"


def _event_text(event: EventStory, *, cash: bool) -> str | None:
    title = event.event.replace("_", " ")
    if event.unknown is not None:
        return f"{title}: unknown: {event.unknown}"
    if not event.lines:
        if event.event == "expiry":
            return f"expiry: {_shown(event.day)}: the last trade, since the spec has no rule for it"
        return f"{title}: {_no_notice(cash)}" if event.event == "first_notice" else None
    projected = " (projected)" if event.projected else ""
    return f"{title}: {_shown(event.day)}{projected}\n{_table(event.lines)}"


def _roll_text(story: MonthStory) -> str:
    roll = story.roll
    if roll.none is not None:
        return f"roll: {roll.none}"
    head = f"roll date: {_shown(roll.roll_date)}, deadline: {_shown(roll.deadline)}"
    return f"{head}\n{_table(roll.lines)}"


def _place_text(story: MonthStory) -> str:
    row = story.row
    held = " held," if row.hold else ""
    priced = " priced," if row.priced else ""
    class_ = f", IB class {row.trading_class}" if row.trading_class else ""
    verified = "yes" if row.verified else "no"
    out = [f"{row.month} is listed,{priced}{held} verified: {verified}{class_}"]
    out.append(_table(story.cycles))
    if story.own is not None:
        out.append(f"  {_neighbours(story.own)}")
        start = f"from {_shown(story.own.start)} " if story.own.start else ""
        out.append(f"  held by rule {start}to {_shown(story.own.roll_date)}")
    elif story.chain.spec.roll is not None and not row.hold:
        before, after = (month or "none" for month in story.neighbours)
        out.append(f"  not held: the held months around it are {before} and {after}")
    if story.now is not None and story.today is not None:
        role = f", this is {story.role}" if story.role else ""
        out.append(f"  on {story.today} current is {story.now.month}{role}")
    return "\n".join(out)


def _names_text(story: MonthStory) -> str:
    names = _names(story)
    if names is None:
        return "at IB: the spec has no `ib`"
    rows = [
        f"symbol {names.symbol or 'unknown'}",
        f"exchange {names.exchange or 'unknown'}",
        f"class {names.trading_class}" if names.trading_class else "class not in the spec",
        f"contract month {story.row.month.year:04d}{story.row.month.month:02d}",
        names.currency,
    ]
    out = [f"at IB: {', '.join(rows)}"]
    quoted = (
        f"; prices are quoted times {names.price_magnifier}" if names.price_magnifier != 1 else ""
    )
    size = names.multiplier or "unknown"
    out.append(f"  multiplier {size}, tick {names.tick or 'unknown'} in currency{quoted}")
    if names.local_symbols:
        out.append(f"  local symbol {' or '.join(f'`{one}`' for one in names.local_symbols)}")
    else:
        out.append("  local symbol: does not follow from the spec, ask for contract details")
    return "\n".join(out)


def _neighbours(place: Place) -> str:
    return f"previous {place.previous}, forward {place.forward}, carry {place.carry}"


def _table(lines: Iterable[Line]) -> str:
    from tabulate import tabulate  # noqa: PLC0415 - slow to import, and json needs none

    rows = [row for line in lines for row in _rows(line)]
    table: str = tabulate(rows, tablefmt="plain", disable_numparse=True, preserve_whitespace=True)
    return "\n".join(row.rstrip() for row in table.splitlines())


def _rows(line: Line) -> Iterator[tuple[str, str, str]]:
    calendar = f" [{line.calendar}]" if line.calendar else ""
    projected = " (projected)" if line.projected else ""
    place = "" if line.place is None else f"{line.place.path}:{line.place.line}"
    result = "" if line.result is None else _shown(line.result)
    yield (f"  {line.text}{calendar}", f"{result}{projected}", place)
    if line.note:
        yield (f"    {line.note}", "", "")


def _shown(value: Result) -> str:
    match value:
        case None:
            return "unknown"
        case dt.datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case dt.date():
            return f"{value:%a %Y-%m-%d}"
        case _:
            return str(value)


# --- what IB calls it


def _names(story: MonthStory) -> _Names | None:
    spec, month = story.chain.spec, story.row.month
    if spec.ib is None:
        return None
    exchange = spec.ib.exchange.at(month)
    class_ = story.row.trading_class
    forms: tuple[str, ...] = ()
    if exchange is not None and class_ is not None:
        forms = local_symbols(exchange, class_, month, story.row.last_trade)
    multiplier, tick = spec.multiplier.at(month), spec.tick.at(month)
    return _Names(
        spec.ib.symbol.at(month),
        exchange,
        class_,
        spec.currency,
        None if multiplier is None else str(multiplier),
        None if tick is None else str(tick),
        spec.ib.price_magnifier,
        forms,
    )


# --- json


def _event_data(event: EventStory) -> dict[str, Any]:
    return {
        "date": _plain(event.day),
        "unknown": event.unknown,
        "projected": event.projected,
        "steps": [_line_data(line) for line in event.lines],
    }


def _line_data(line: Line) -> dict[str, Any]:
    return {
        "text": line.text,
        "result": _plain(line.result),
        "calendar": line.calendar,
        "note": line.note,
        "projected": line.projected,
        "location": _place(line.place),
    }


def _place(at: Location | None) -> dict[str, str | int] | None:
    return None if at is None else {"path": at.path, "line": at.line, "column": at.column}


def _place_data(place: Place) -> dict[str, str | None]:
    return {
        "month": str(place.month),
        "previous": _plain(place.previous),
        "forward": _plain(place.forward),
        "carry": _plain(place.carry),
        "held_from": _plain(place.start),
        "roll_date": _plain(place.roll_date),
    }


def _names_data(names: _Names) -> dict[str, Any]:
    return {
        "symbol": names.symbol,
        "exchange": names.exchange,
        "trading_class": names.trading_class,
        "currency": names.currency,
        "multiplier": names.multiplier,
        "tick": names.tick,
        "price_magnifier": names.price_magnifier,
        "local_symbols": list(names.local_symbols),
    }


def _plain(value: Result) -> str | None:
    match value:
        case None:
            return None
        case dt.datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case dt.date():
            return value.isoformat()
        case _:
            return str(value)
