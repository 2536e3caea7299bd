"""What happens when, as text, csv and a calendar file.

The calendar file follows RFC 5545: CRLF ends a line, a line has 75 octets at most, days are dates
without a zone, and a roll window is one event from the roll date to the day before the deadline.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING, Final

from pyfutures.chain.agenda import What

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.chain.agenda import Agenda, Happening

__all__ = ["COLUMNS", "csv_text", "ics_text", "notes", "text"]

COLUMNS: Final = (
    "date", "root", "month", "event", "held", "until", "at_utc", "forward", "status",
)  # fmt: skip
"""Never renamed and never reordered."""

_OCTETS: Final = 75
_DAY: Final = dt.timedelta(days=1)


def text(agenda: Agenda, *, today: dt.date) -> str:
    """Return one line a happening, with the days from today."""
    lines: list[str] = []
    for item in agenda.happenings:
        days = (item.day - today).days
        when = "today" if days == 0 else f"in {days} d" if days > 0 else f"{-days} d ago"
        more = f"  until {item.until:%a %Y-%m-%d}" if item.until else ""
        more += f"  {item.at:%H:%M} UTC" if item.at else ""
        more += "  (projected)" if item.is_projected else ""
        lines.append(f"{item.day:%a %Y-%m-%d}  {when:>9}  {item.words}{more}")
    lines += notes(agenda)
    return "".join(f"{line}\n" for line in lines)


def notes(agenda: Agenda) -> list[str]:
    """Return what is missing, in sentences."""
    return [
        f"{root}: {count} {'month' if count == 1 else 'months'} of this span without known dates"
        for root, count in sorted(agenda.unknown.items())
    ]


def csv_text(agenda: Agenda) -> str:
    """Return the happenings as csv with a header."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in agenda.happenings:
        writer.writerow(
            [
                item.day,
                item.root,
                item.month,
                item.what,
                "yes" if item.is_held else "no",
                item.until or "",
                f"{item.at:%Y-%m-%dT%H:%M:%SZ}" if item.at else "",
                item.forward or "",
                "projected" if item.is_projected else "",
            ]
        )
    return buffer.getvalue()


def ics_text(agenda: Agenda, *, today: dt.date) -> str:
    """Return the happenings as a calendar file; ids of events are the same in every run."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//pyfutures//timeline//EN",
        "CALSCALE:GREGORIAN",
        "X-WR-CALNAME:Futures",
    ]
    for item in agenda.happenings:
        lines += _event(item, today)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(item: Happening, today: dt.date) -> Iterator[str]:
    until = item.until if item.until and item.until > item.day else item.day + _DAY
    yield "BEGIN:VEVENT"
    yield f"UID:{item.root}-{item.month}-{item.what}@pyfutures"
    yield f"DTSTAMP:{today:%Y%m%d}T000000Z"
    yield f"DTSTART;VALUE=DATE:{item.day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{until:%Y%m%d}"
    yield f"SUMMARY:{_escaped(item.words)}"
    yield f"DESCRIPTION:{_escaped(_description(item))}"
    yield f"CATEGORIES:{_escaped(item.what.words)},{_escaped(item.root)}"
    yield "TRANSP:TRANSPARENT"
    yield f"STATUS:{'TENTATIVE' if item.is_projected else 'CONFIRMED'}"
    yield "END:VEVENT"


def _description(item: Happening) -> str:
    parts = []
    if item.what is What.ROLL:
        parts.append(f"Roll window of {item.root} {item.month}, before {item.until}.")
    if item.at is not None:
        parts.append(f"Trading ends {item.at:%Y-%m-%d %H:%M} UTC.")
    if item.is_projected:
        parts.append("Projected: the holidays of that year are not published yet.")
    return " ".join(parts) or f"{item.words}."


def _escaped(value: str) -> str:
    for char in ("\\", ";", ","):
        value = value.replace(char, f"\\{char}")
    return value.replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Yield a line in parts of 75 octets, those after the first behind a space."""
    part = ""
    for char in line:
        if len((part + char).encode()) > _OCTETS:
            yield part
            part = " "
        part += char
    yield part
