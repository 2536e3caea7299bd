"""``pyfutures timeline``: what happens when, as a list, a page, a picture or a calendar file."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyfutures.chain.agenda import agenda
from pyfutures.cli.common import DAY, load
from pyfutures.report.timeline import csv_text, ics_text, text
from pyfutures.report.timeline_html import html_text
from pyfutures.report.timeline_svg import Window, svg_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfutures.chain import Chain
    from pyfutures.chain.agenda import Agenda

_SUFFIXES = (".html", ".svg", ".ics", ".csv")
_BEFORE = dt.timedelta(days=120)
_AFTER = dt.timedelta(days=500)


@click.command(name="timeline")
@click.argument("roots", metavar="[ROOT]...", nargs=-1)
@click.option("--html", "style", flag_value="html", help="A page: lanes, a calendar, every chain.")
@click.option("--svg", "style", flag_value="svg", help="The pictures of that page alone.")
@click.option("--ics", "style", flag_value="ics", help="A file for calendar programs.")
@click.option("--csv", "style", flag_value="csv", help="A table.")
@click.option("--from", "first", type=DAY, help="First day; default: four months ago.")
@click.option("--to", "last", type=DAY, help="Last day; default: in sixteen months.")
@click.option("--year", type=click.IntRange(1970, 2050), help="From 1 January to 31 December.")
@click.option("--all-months", is_flag=True, help="Also months that are listed and not held.")
@click.option("--today", type=DAY, help="What is today; default: the day that it is.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.pass_obj
def command(
    folders: tuple[str, ...],
    roots: tuple[str, ...],
    style: str | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    year: int | None,
    all_months: bool,  # noqa: FBT001 - click calls by keyword
    today: dt.datetime | None,
    out: Path | None,
) -> None:
    """Show what happens when to some roots, all by default: rolls, first notices, last trades.

    Without a format it is a list of what comes, one line each. The page and the picture follow the
    light or dark scheme of who looks at them, and need nothing from anywhere.

    \b
    Examples:
      pyfutures timeline ES CL
      pyfutures timeline ES CL GC ZC --html --out futures.html
      pyfutures timeline ES --ics --year 2027 --out es.ics
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    for root in roots:
        if root.endswith(_SUFFIXES):
            raise click.UsageError(f"`{root}` is no root; to write it, --out {root}")
    if year is not None and (first or last):
        raise click.UsageError("give --year, or --from and --to")
    if style in {"html", "svg"} and out is None and sys.stdout.isatty():
        raise click.UsageError(f"name a file for it: --out timeline.{style}")
    day = dt.date.today() if today is None else today.date()  # noqa: DTZ011 - the reader's own day
    # A list looks ahead, a picture also shows where one comes from.
    start = day if style is None else day - _BEFORE
    begin = first.date() if first else start
    end = last.date() if last else day + _AFTER
    if year is not None:
        begin, end = dt.date(year, 1, 1), dt.date(year, 12, 31)
    catalog = load(folders, roots or None)
    chains = [catalog[root] for root in dict.fromkeys(roots or catalog)]
    try:
        window = Window(begin, end, day)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    # The calendar of a page is of a whole year: the one asked for, else the one that has begun.
    span = (begin, end)
    if style == "html" and not (first or last):
        span = dt.date(year or day.year, 1, 1), dt.date(year or day.year, 12, 31)
    shown = _drawn(style, chains, window, agenda(chains, *span, all_months=all_months))
    if out is None:
        click.echo(shown.encode() if style == "ics" else shown, nl=False)
    else:
        # Ends of lines as they are: a calendar file has its own.
        out.write_bytes(shown.encode())
        click.echo(f"wrote {out}", err=True)


def _drawn(style: str | None, chains: Sequence[Chain], window: Window, found: Agenda) -> str:
    match style:
        case "html":
            return html_text(chains, window, found)
        case "svg":
            return svg_text(chains, window)
        case "ics":
            return ics_text(found, today=window.today)
        case "csv":
            return csv_text(found)
        case _:
            return text(found, today=window.today)
