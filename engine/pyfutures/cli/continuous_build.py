"""``pyfutures continuous build``: continuous series of one or more roots."""

from __future__ import annotations

import os
from contextlib import ExitStack
from itertools import product
from typing import TYPE_CHECKING

import click

from pyfutures.chain import ChainError, RollCalendarError
from pyfutures.cli.common import MONTH, load
from pyfutures.cli.continuous_jobs import (
    calendar_of,
    check_out,
    check_span,
    fetched_specs,
    job_of,
    roots_and_places,
    run_many,
    run_one,
    target_of,
)
from pyfutures.cli.places import CycleType, IntervalType, PlaceType
from pyfutures.continuous.frame import Stamp
from pyfutures.continuous.jobs import Job, Outcome
from pyfutures.continuous.policies import Missing, Policy
from pyfutures.continuous.windows import Deadline
from pyfutures.specs.model import Anchor, OffsetUnit

if TYPE_CHECKING:
    import datetime as dt

    from pyfutures.months import ContractMonth


@click.command(name="build")
@click.argument("roots", metavar="ROOT...", nargs=-1, required=True)
@click.option(
    "--bars",
    "places",
    metavar="PLACE...",
    multiple=True,
    required=True,
    type=PlaceType(),
    help="csv, csv.gz or parquet: contract, ts, open, high, low, close, volume[, open_interest]; or"
    " a folder of downloads, or a nautilus catalogue. {root} stands for each root.",
)
@click.option("--size", help="Which bars of a folder that has several: 1d, 1-DAY-LAST-EXTERNAL.")
@click.option(
    "--hold",
    type=CycleType(),
    multiple=True,
    help="Months to hold, HNUZ; default: the spec's. Repeatable: a series each.",
)
@click.option("--priced", type=CycleType(), help="Months with prices; default: the spec's.")
@click.option(
    "--nth",
    "places_held",
    type=click.IntRange(1, 24),
    multiple=True,
    help="Month of the hold cycle, 1 for the current one. Repeatable: a series each.",
)
@click.option("--anchor", type=click.Choice([a.value for a in Anchor]), help="Default: the spec's.")
@click.option(
    "--roll-offset",
    type=click.IntRange(-3660, 3660),
    help="Days from the anchor; default: the spec's.",
)
@click.option(
    "--unit",
    type=click.Choice([u.value for u in OffsetUnit]),
    help="Which days the offset counts; default: the spec's.",
)
@click.option(
    "--deadline",
    type=click.Choice([d.value for d in Deadline]),
    help="Roll before this day; default: the spec's, or last trade where the roll is given here.",
)
@click.option("--carry", type=click.Choice(["-1", "1"]), help="Default: the spec's.")
@click.option(
    "--policy",
    type=click.Choice([p.value for p in Policy]),
    default=Policy.FIRST_COMMON.value,
    show_default=True,
    help="When to roll within the window.",
)
@click.option(
    "--lag",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Sessions until a volume or an open interest is known; 0 looks ahead.",
)
@click.option(
    "--missing",
    type=click.Choice([m.value for m in Missing]),
    default=Missing.WAIT.value,
    show_default=True,
    help="While a price that the roll needs is missing.",
)
@click.option("--from", "first", type=MONTH, help="First held month; default: see below.")
@click.option("--to", "last", type=MONTH, help="Last held month; default: the last with bars.")
@click.option(
    "--stamp",
    type=click.Choice([s.value for s in Stamp]),
    default=Stamp.CLOSE.value,
    show_default=True,
    help="Which end of a bar its ts means. A bare date is a trading date either way.",
)
@click.option(
    "--interval",
    type=IntervalType(),
    help="Length of a bar, for --stamp open; default: as the timestamps tell.",
)
@click.option("--append", "appends", is_flag=True, help="Go on with the file that is there.")
@click.option(
    "--out",
    required=True,
    help="The parquet file or URL to write. {root}, {hold} and {nth} stand for each series'; of a"
    " folder it is {root}.parquet.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Roots at a time; default: one a processor."
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Let a Dask cluster build, a task a root; places are as its workers see them.",
)
@click.option("--specs", metavar="URL", multiple=True, help="Like --contracts, from a URL.")
@click.pass_obj
def build_command(
    folders: tuple[str, ...],
    roots: tuple[str, ...],
    places: tuple[str, ...],
    size: str | None,
    hold: tuple[str, ...],
    priced: str | None,
    places_held: tuple[int, ...],
    anchor: str | None,
    roll_offset: int | None,
    unit: str | None,
    deadline: str | None,
    carry: str | None,
    policy: str,
    lag: int,
    missing: str,
    first: ContractMonth | None,
    last: ContractMonth | None,
    stamp: str,
    interval: dt.timedelta | None,
    appends: bool,  # noqa: FBT001 - click calls by keyword
    out: str,
    jobs: int | None,
    scheduler: str | None,
    specs: tuple[str, ...],
) -> None:
    """Build the continuous series of one or more roots and write each with its rolls.

    By default a roll takes place at the first timestamp from roll_date on at which the current and
    the forward month both have a price, and before the deadline. Whoever gives --anchor,
    --roll-offset or --unit takes the roll in hand: the deadline is then the last trade alone, and
    months that roll on or after first notice are named.

    Without --from the series begins with the first held month that has a bar before its deadline:
    one whose window has passed when the bars begin could never be left.

    Written: ts, month, open, high, low, close, volume, forward, carry, previous, C, R, rolled.
    Prices are not adjusted: C and R are sum of gaps and product of ratios of the rolls before a
    bar, and every adjustment is a view on them.

    \b
    Example:
      pyfutures continuous build CL --bars cl.csv.gz --from 2020Z --to 2024Z --out cl.parquet
      pyfutures continuous build ES CL GC --bars {root}.csv.gz --out series --append
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    names, more = roots_and_places(roots)
    bars = (*places, *more)
    series = list(product(names, hold or (None,), places_held or (1,)))
    targets = [target_of(out, *one, several=len(series) > 1) for one in series]
    for number, target in enumerate(targets):
        if target in targets[:number]:
            raise click.UsageError(
                f"--out {out}: two series would be written to {target}: write {{root}}, {{hold}} or"
                " {nth} into it"
            )
        check_out(target, series[number][0], bars)
    if first is not None and last is not None and last < first:
        raise click.UsageError(f"--to {last} is before --from {first}")
    made: list[Job] = []
    refused: list[Outcome] = []
    with ExitStack() as stack:
        fetched = [stack.enter_context(fetched_specs(url)) for url in specs]
        catalog = load([*folders, *fetched], sorted(set(names)))
        for (root, held, place), target in zip(series, targets, strict=True):
            try:
                calendar = calendar_of(
                    catalog[root],
                    place,
                    deadline,
                    hold=held,
                    priced=priced,
                    anchor=None if anchor is None else Anchor(anchor),
                    offset=roll_offset,
                    unit=None if unit is None else OffsetUnit(unit),
                    carry=None if carry is None else int(carry),
                )
                check_span(calendar, first, last)
            except (ChainError, RollCalendarError) as error:
                if len(series) == 1:
                    raise click.UsageError(str(error)) from None
                text = str(error)
                refused.append(Outcome(root, error=text if root in text else f"{root}: {text}"))
                continue
            made.append(
                job_of(
                    catalog[root],
                    calendar,
                    bars=bars,
                    out=target,
                    start=first,
                    end=last,
                    policy=Policy(policy),
                    missing=Missing(missing),
                    lag=lag,
                    stamp=Stamp(stamp),
                    interval=interval,
                    size=size,
                    appends=appends,
                )
            )
    if len(series) == 1 and scheduler is None:
        run_one(made[0])
        return
    run_many(made, refused, jobs or os.cpu_count() or 1, scheduler)
