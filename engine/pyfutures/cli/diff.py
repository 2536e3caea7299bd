"""``pyfutures diff``: which dates a change moves."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from pyfutures.chain.diff import CatalogDiff, compare
from pyfutures.chain.revisions import RevisionError, differing, opened
from pyfutures.cli.common import DAY
from pyfutures.report.diff import json_text, markdown, summary, text
from pyfutures.report.text import report, wants_colour
from pyfutures.report.text import summary as fault_summary

_MOVED = 4


@click.command(name="diff")
@click.argument("base")
@click.argument("head", required=False)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print what moves.",
)
@click.option(
    "--path",
    metavar="DIR",
    help="Where contracts lie in a revision or a checkout; default: contracts, or --contracts.",
)
@click.option("--today", type=DAY, help="What lies before this day is past; default: today.")
@click.option("--all", "every", is_flag=True, help="Show every month, however many move.")
@click.option("--exit-code", is_flag=True, help="Exit 4 if dates moved.")
@click.pass_obj
def command(
    folders: tuple[str, ...],
    base: str,
    head: str | None,
    style: str,
    path: str | None,
    today: dt.datetime | None,
    *,
    every: bool,
    exit_code: bool,
) -> None:
    """Say which dates a change of specs or calendars moves.

    BASE and HEAD are a git revision, a folder or a wheel; HEAD is the folder here by default. What
    they compile to is compared, not their text: a comment or a source moves nothing. Changes of the
    past are marked with an exclamation mark.

    Exit codes: 0, also if dates moved, 1 specs of one side have errors, 2 usage or I/O, 3 a bug of
    ours; with --exit-code 4 if a last trade, a first notice, an expiry, a roll or a held month
    moved, or a month or a root is gone.

    \b
    Examples:
      pyfutures diff origin/main
      pyfutures diff v1.2 v1.3 --format json
      pyfutures diff pyfutures-0.1.0-py3-none-any.whl contracts --exit-code
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    if path is None:
        if len(folders) > 1:
            raise click.UsageError("several --contracts: say with --path which one to compare")
        path = folders[0] if folders else "contracts"
    if head is None and not Path(path).is_dir():
        raise click.UsageError(f"there is no folder `{path}` here: name it with --path")
    day = dt.date.today() if today is None else today.date()  # noqa: DTZ011 - the reader's own day
    try:
        with opened(base, path=path) as old, opened(head or path, path=path) as new:
            found: list[str] = []
            olds, news, calendars = differing(old, new)
            sides = [old.compiled(olds, calendars), new.compiled(news, calendars)]
            for revision, side in zip((old, new), sides, strict=True):
                if side.errors:
                    sources = revision.sources(side.errors)
                    found.append(
                        report(side.errors, colour=wants_colour(sys.stderr), sources=sources)
                    )
                    files = len(olds if revision is old else news)
                    found.append(f"{revision.name}: {fault_summary(side.errors, files)}\n")
            if found:
                click.echo("".join(found), err=True, nl=False)
                raise click.exceptions.Exit(1)
            before, after = sides
            diff = compare(
                before.chains,
                after.chains,
                calendars=(before.calendars, after.calendars),
                today=day,
            )
    except RevisionError as error:
        raise click.UsageError(str(error)) from None
    _print(diff, style, base=base, head=head or path, every=every)
    raise click.exceptions.Exit(_MOVED if exit_code and diff.moves_dates else 0)


def _print(diff: CatalogDiff, style: str, *, base: str, head: str, every: bool) -> None:
    match style:
        case "json":
            click.echo(json_text(diff, base=base, head=head), nl=False)
        case "markdown":
            click.echo(markdown(diff, base=base, head=head, every=every), nl=False)
        case _:
            click.echo(text(diff, colour=wants_colour(), every=every), nl=False)
            click.echo(summary(diff))
