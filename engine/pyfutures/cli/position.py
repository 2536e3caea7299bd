"""``pyfutures position``: which month is current at an instant, by roll_date."""

from __future__ import annotations

import datetime as dt
import json

import click

from pyfutures.cli.common import INSTANT, answers, load


@click.command(name="position")
@click.argument("root")
@click.option(
    "--at",
    type=INSTANT,
    metavar="INSTANT",
    help="2026-03-01T14:30Z, or a date (00:00 UTC); default: now.",
)
@click.option(
    "--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True
)
@click.pass_obj
def command(folders: tuple[str, ...], root: str, at: dt.datetime | None, style: str) -> None:
    """Say which month is current at an instant, and its neighbours in the chain.

    By roll_date, the date by rule: from 00:00 UTC of its roll_date a month is no longer current.
    What a stored series or an account did is known only to them.

    \b
    Examples:
      pyfutures position CL
      pyfutures position CL --at 2024-11-01
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    instant = (at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
    catalog = load(folders, [root])
    with answers():
        place = catalog[root].position(instant)
    shown = {
        "root": place.root,
        "at": f"{instant:%Y-%m-%dT%H:%M:%S}Z",
        "by": "roll_date",
        "current": str(place.current),
        "forward": place.forward and str(place.forward),
        "previous": place.previous and str(place.previous),
        "carry": place.carry and str(place.carry),
        "roll_date": place.roll_date.isoformat(),
        "deadline": place.deadline.isoformat(),
    }
    if style == "json":
        click.echo(json.dumps(shown, indent=2))
        return
    width = max(map(len, shown))
    for name, value in shown.items():
        click.echo(f"{name:<{width}}  {value or ''}".rstrip())
