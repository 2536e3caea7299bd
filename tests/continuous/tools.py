"""Short ways to write calendars, bars and what a machine makes of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from pyfutures.chain.rolls import RollCalendar, RollRow
from pyfutures.continuous import Bar, ContinuousBar, Late, Revised, Roll
from pyfutures.months import ContractMonth

month = ContractMonth.parse
HOUR = 3600 * 10**9


def ns(text):
    """``03-01`` and ``03-01 18:00`` are of 2021; a day alone closes at 18:00 UTC."""
    text = text if text[:2] == "20" and text[4] == "-" else f"2021-{text}"
    text = text if ":" in text else f"{text} 18:00"
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def units(price):
    return None if price is None else int(Decimal(str(price)) * 10**9)


def bar(contract, at, close=None, volume=1.0):
    price = units(close)
    return Bar(month(contract), ns(at), price, price, price, price, volume)


def rows(*lines):
    """Rows written as ``month previous forward carry roll_date deadline``, ``-`` for none."""
    out = []
    for line in lines:
        own, previous, forward, carry, roll_date, deadline = line.split()
        legs = [None if leg == "-" else month(leg) for leg in (previous, forward, carry)]
        out.append(
            RollRow.of(
                month(own),
                previous=legs[0],
                forward=legs[1],
                carry=legs[2],
                roll_date=date.fromisoformat(roll_date),
                deadline=date.fromisoformat(deadline),
            )
        )
    return out


def calendar(*lines, root="HG"):
    return RollCalendar(root, tuple(rows(*lines)))


def feed(machine, bars):
    return [event for one in bars for event in machine.feed(one)]


def text(event):
    """One line an event: what matters in most cases."""
    day = datetime.fromtimestamp(event_ts(event) / 1e9, UTC).strftime("%m-%d %H:%M")
    day = day.removesuffix(" 18:00")
    match event:
        case ContinuousBar():
            legs = " ".join(
                f"{name}={leg.month}"
                for name, leg in (
                    ("f", event.forward),
                    ("c", event.carry),
                    ("p", event.previous),
                )
                if leg is not None
            )
            close = event.current.close
            shown = "nan" if close is None else f"{Decimal(close) / 10**9:f}"
            flag = " rolled" if event.rolled else ""
            return (
                f"{day} {event.month} {shown} C={Decimal(event.C) / 10**9:f}{flag} {legs}".strip()
            )
        case Roll():
            return f"{day} {event.old}->{event.new} {Decimal(event.gap) / 10**9:f}"
        case Revised():
            return f"{day} revised {event.refused.month}"
        case Late():
            return f"{day} late {event.bar.month}"


def event_ts(event):
    match event:
        case ContinuousBar():
            return event.ts
        case Roll():
            return event.last_old_ts
        case Revised():
            return event.refused.ts
        case Late():
            return event.bar.ts
