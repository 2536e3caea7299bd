"""``pyfutures explain``: every step from a contract month to its dates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from pyfutures.chain.explanation import story
from pyfutures.cli.common import DAY, MONTH, answers, load
from pyfutures.report.explain import json_text, text

if TYPE_CHECKING:
    from pyfutures.months import ContractMonth


@click.command(name="explain")
@click.argument("root")
@click.argument("month", type=MONTH)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
@click.option(
    "--today",
    type=DAY,
    help="The day on which the current month is asked for; default: today.",
)
@click.pass_obj
def command(
    folders: tuple[str, ...],
    root: str,
    month: ContractMonth,
    style: str,
    today: dt.datetime | None,
) -> None:
    """Say step by step why the dates of a contract month are what they are.

    Each step is shown with the line of the spec that it comes from and the calendar that it asked;
    then the roll, the place in the chain, and what IB calls the contract.

    \b
    Example:
      pyfutures explain CL 2026Z
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    chain = load(folders, [root])[root]
    day = dt.date.today() if today is None else today.date()  # noqa: DTZ011 - the reader's own day
    with answers():
        found = story(chain, month, today=day)
    click.echo(json_text(found) if style == "json" else text(found), nl=False)
