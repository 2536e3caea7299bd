"""Rolls, bars and stores that the tests of the store share."""

from __future__ import annotations

import datetime as dt

from pyfutures.chain.rolls import RollCalendar, RollRow
from pyfutures.continuous import Bar, RollMachine
from pyfutures.months import ContractMonth
from pyfutures.store import SeriesDefinition

DAY = 86_400 * 10**9
ACCOUNT = "DU1234567"
DAILY = "1-DAY-LAST-EXTERNAL"
month = ContractMonth.parse


def day_ns(text):
    return int(dt.datetime.fromisoformat(f"{text}T21:00+00:00").timestamp()) * 10**9


def calendar(rows=None, root="ES"):
    """Rows such as ``2024H 2024-03-11 2024-03-15``."""
    texts = rows or (
        "2024H 2024-03-11 2024-03-15",
        "2024M 2024-06-17 2024-06-21",
        "2024U 2024-09-16 2024-09-20",
        "2024Z 2024-12-16 2024-12-20",
        "2025H 2025-03-17 2025-03-21",
    )
    cells = [text.split() for text in texts]
    months = [month(name) for name, _, _ in cells]
    return RollCalendar(
        root,
        tuple(
            RollRow.of(
                months[i],
                roll_date=dt.date.fromisoformat(roll),
                deadline=dt.date.fromisoformat(deadline),
                previous=months[i - 1] if i else None,
                forward=months[i + 1] if i + 1 < len(months) else None,
                carry=months[i + 1] if i + 1 < len(months) else None,
            )
            for i, (_, roll, deadline) in enumerate(cells)
        ),
    )


def definition(rolls=None, *, name="ES", start="2024H", **changes):
    rolls = rolls or calendar()
    machine = RollMachine(rolls, start=month(start))
    values = {
        "name": name,
        "calendar": rolls,
        "start": month(start),
        "bar_spec": DAILY,
        "policy": "first_common",
        "missing": "wait",
        "fingerprint": machine.fingerprint,
    }
    return SeriesDefinition(**values | changes)


def market(first, last, months="2024H 2024M 2024U 2024Z"):
    """A bar a day and month, of prices that a float would not keep."""
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    found = []
    for n in range((end - start).days + 1):
        day = start + dt.timedelta(n)
        for i, name in enumerate(months.split()):
            price = 5_000_123_456_789 + n * 1_000_000_007 + i * 250_000_001
            ts = day_ns(str(day))
            found.append(
                Bar(month(name), ts, price, price + 9, price - 7, price + 1, 1000.0 + n, 5.0)
            )
    return found


def fed(log, bars, *, machine=None):
    """Feed bars to the machine of a series, and write each answer down; all events."""
    machine = machine or resumed(log)
    events = []
    for bar in bars:
        said = machine.feed(bar)
        log.append(said, machine.state(), now_ns=bar.ts)
        events.extend(said)
    return machine, events


def resumed(log):
    rolls = log.definition.calendar
    return (
        RollMachine(rolls, start=log.start)
        if log.state is None
        else RollMachine.resume(rolls, log.state)
    )
