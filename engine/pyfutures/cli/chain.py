"""``pyfutures chain``: contract months with their dates."""

from __future__ import annotations

import datetime as dt

import click

from pyfutures.cli.common import MONTH, load
from pyfutures.months import ContractMonth
from pyfutures.report.chain import csv_text, json_text, table_text

_MONTHS_AHEAD = 24


@click.command(name="chain")
@click.argument("roots", metavar="ROOT...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All roots of the catalogue.")
@click.option("--from", "first", type=MONTH, help="First contract month; default: this month.")
@click.option("--to", "last", type=MONTH, help="Last contract month; default: two years later.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
)
@click.option("--strict", is_flag=True, help="Exit 1 if any row is projected or unknown.")
@click.pass_obj
def command(
    folders: tuple[str, ...],
    roots: tuple[str, ...],
    first: ContractMonth | None,
    last: ContractMonth | None,
    style: str,
    *,
    everything: bool,
    strict: bool,
) -> None:
    """Print contract months with their dates.

    roll_date and deadline are those of the months that are held. The column `status` is empty for
    a date that stands, `projected` where the calendar declares itself projected, and `unknown`
    (with an empty cell) where it does not reach.

    \b
    Examples:
      pyfutures chain ES
      pyfutures chain CL NG --from 2026F --to 2027Z --format csv
      pyfutures chain --all --from 1980F --to 2045Z --format csv > chains.csv
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    if everything == bool(roots):
        raise click.UsageError("name the roots, or say --all: pyfutures chain ES CL")
    first = first or _this_month()
    last = last or first.shift(_MONTHS_AHEAD)
    if last < first:
        raise click.UsageError(f"--to {last} is before --from {first}")
    catalog = load(folders, None if everything else roots)
    chains = [catalog[root] for root in (sorted(catalog) if everything else roots)]
    match style:
        case "csv":
            for chunk in csv_text(chains, first, last):
                click.echo(chunk, nl=False)
        case "json":
            click.echo(json_text(chains, first, last))
        case _:
            click.echo(table_text(chains, first, last))
    if strict and any(any(chain.columns(first, last)["status"]) for chain in chains):  # type: ignore[arg-type]
        raise click.exceptions.Exit(1)


def _this_month() -> ContractMonth:
    today = dt.datetime.now(dt.UTC).date()
    return ContractMonth(today.year, today.month)
