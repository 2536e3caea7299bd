"""What happens when, as one page that needs nothing else: lanes, a year calendar, every chain.

There is no script: the pictures are SVG, the calendar is a grid, and the reader's scheme picks the
colours.
"""

from __future__ import annotations

import calendar
import datetime as dt
from html import escape
from typing import TYPE_CHECKING

from pyfutures.chain.agenda import What
from pyfutures.report.timeline import notes
from pyfutures.report.timeline_style import PAGE_STYLE, PICTURE_STYLE
from pyfutures.report.timeline_svg import LEGEND, chain_picture, lanes_picture, legend_mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyfutures.chain import Chain
    from pyfutures.chain.agenda import Agenda, Happening
    from pyfutures.report.timeline_svg import Window

__all__ = ["html_text"]

_SHOWN = 24  # happenings listed below one month before the others are only counted


def html_text(chains: Sequence[Chain], window: Window, agenda: Agenda) -> str:
    """Return the whole page.

    Parameters
    ----------
    chains
        The roots, in order.
    window
        The span of the pictures.
    agenda
        What the calendar shows: a month for each that its span touches.
    """
    roots = ", ".join(chain.root for chain in chains)
    title = f"{roots if len(chains) <= 6 else f'{len(chains)} roots'}: what happens when"
    body = [f"<h1>{escape(title)}</h1>", f"<p>{_facts(chains, window)}</p>", *_links(chains)]
    body.append(_legend())
    if len(chains) > 1:
        body.append("<h2>Held months</h2>")
        body.append(f'<div class="card">{lanes_picture(chains, window)}</div>')
    body.append(f"<h2>{_span(agenda)}</h2>")
    body.append(_key())
    body.append('<div class="months">')
    body += _calendar(agenda, window.today)
    body.append("</div>")
    body.append("<h2>Contracts</h2>")
    for chain in chains:
        picture = chain_picture(chain, window)
        body.append(f'<div class="card" id="{escape(chain.root)}">{picture}</div>')
    missing = "".join(f"<p>{escape(note)}</p>" for note in notes(agenda))
    text = "\n".join(body)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>\n{PICTURE_STYLE}{PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n{text}\n"
        f"<footer>{missing}<p>Dates by the rules of the specs; what is projected rests on"
        " holidays that are not published yet.</p></footer>\n</main>\n</body>\n</html>\n"
    )


def _facts(chains: Sequence[Chain], window: Window) -> str:
    count = "1 root" if len(chains) == 1 else f"{len(chains)} roots"
    return f"{count}, {_words(window.first)} to {_words(window.last)}; today is {window.today}"


def _words(day: dt.date) -> str:
    return f"{day.day} {day:%b %Y}"


def _links(chains: Sequence[Chain]) -> list[str]:
    if len(chains) == 1:
        return []
    links = "".join(f'<a href="#{escape(c.root)}">{escape(c.root)}</a>' for c in chains)
    return [f'<nav aria-label="Roots">{links}</nav>']


def _legend() -> str:
    items = "".join(f"<li>{legend_mark(kind)}{words}</li>" for kind, words in LEGEND)
    return f'<ul class="legend">{items}</ul>'


def _key() -> str:
    items = "".join(f'<li><i class="dot {what}"></i>{what.words}</li>' for what in What)
    return f'<ul class="legend key">{items}</ul>'


def _span(agenda: Agenda) -> str:
    first, last = agenda.first, agenda.last
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return f"Year {first.year}"
    return f"{first:%b %Y} to {last:%b %Y}"


def _calendar(agenda: Agenda, today: dt.date) -> Iterator[str]:
    by_day: dict[dt.date, list[Happening]] = {}
    for item in agenda.happenings:
        by_day.setdefault(item.day, []).append(item)
    day = agenda.first.replace(day=1)
    while day <= agenda.last:
        yield from _month(day, by_day, today)
        day = (day + dt.timedelta(days=32)).replace(day=1)


def _month(first: dt.date, by_day: dict[dt.date, list[Happening]], today: dt.date) -> Iterator[str]:
    weekday, size = calendar.monthrange(first.year, first.month)
    days = [first + dt.timedelta(days=n) for n in range(size)]
    yield f'<section class="card month"><h3>{first:%B %Y}</h3><div class="days">'
    yield "".join(f"<b>{name}</b>" for name in ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"))
    yield "<i></i>" * weekday
    for day in days:
        yield _day(day, by_day.get(day, []), today)
    yield "</div>"
    found = [item for day in days for item in by_day.get(day, [])]
    if found:
        lines = "".join(map(_line, found[:_SHOWN]))
        more = len(found) - _SHOWN
        rest = (
            f"<li><span></span><span></span><span>and {more} more</span></li>" if more > 0 else ""
        )
        yield f'<ul class="list">{lines}{rest}</ul>'
    else:
        yield '<p class="none">nothing</p>'
    yield "</section>"


def _day(day: dt.date, items: Sequence[Happening], today: dt.date) -> str:
    classes = [
        name
        for name, holds in (
            ("we", day.weekday() >= 5),
            ("has", bool(items)),
            ("now", day == today),
        )
        if holds
    ]
    if not items:
        kind = f' class="{" ".join(classes)}"' if classes else ""
        return f"<span{kind}>{day.day}</span>"
    words = escape("\n".join(item.words for item in items))
    kinds = dict.fromkeys(item.what.value for item in items)
    dots = "".join(f'<i class="dot {kind}"></i>' for kind in kinds)
    return (
        f'<span class="{" ".join(classes)}" title="{words}">{day.day}'
        f'<i class="dots">{dots}</i></span>'
    )


def _line(item: Happening) -> str:
    projected = " (projected)" if item.is_projected else ""
    return (
        f'<li><time datetime="{item.day}">{item.day:%a} {item.day.day}</time>'
        f'<i class="dot {item.what.value}"></i>'
        f"<span><strong>{escape(item.root)}</strong> {item.month} {_what(item)}{projected}</span>"
        "</li>"
    )


def _what(item: Happening) -> str:
    target = f" to {item.forward}" if item.forward else ""
    return f"{item.what.words}{target}"
