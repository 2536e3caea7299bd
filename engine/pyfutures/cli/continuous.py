"""``pyfutures continuous``: series from contract bars."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyfutures.cli.common import MONTH, answers, load
from pyfutures.cli.progress import progress_bar
from pyfutures.continuous import RollMissedError, RollWindowError
from pyfutures.continuous.bars import instant
from pyfutures.continuous.build import BarsError, Stamp, build, read_bars, write_parquet
from pyfutures.continuous.frame import LONGEST_BAR
from pyfutures.cycles import Cycle, CycleError
from pyfutures.specs.model import Anchor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfutures.chain import Chain, RollCalendar
    from pyfutures.continuous.build import Series
    from pyfutures.months import ContractMonth

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class CycleType(click.ParamType[str]):
    """Month codes on the command line."""

    name = "codes"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The codes, checked."""
        try:
            Cycle.of(value)
        except CycleError as error:
            self.fail(str(error), param, ctx)
        return value


class IntervalType(click.ParamType[dt.timedelta]):
    """The length of a bar: 1m, 1h, 1d."""

    name = "interval"

    def convert(
        self, value: str | dt.timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.timedelta:
        """The time that a text names."""
        if isinstance(value, dt.timedelta):
            return value
        match = re.fullmatch(r"([1-9][0-9]*)([smhd])", value)
        if match is None:
            self.fail(f"{value!r} is no length of a bar: write 1m, 1h or 1d", param, ctx)
        try:
            interval = dt.timedelta(**{_UNITS[match[2]]: int(match[1])})
        except OverflowError:
            interval = dt.timedelta.max
        if interval > LONGEST_BAR:
            self.fail(f"{value} is no length of a bar: at most {LONGEST_BAR.days}d", param, ctx)
        return interval


def _check_out(out: Path, files: Sequence[Path]) -> None:
    """Refuse a file that could not be written in the end, or that would replace what is read."""
    for file in files:
        if out.exists() and out.samefile(file):
            raise click.UsageError(
                f"--out {out} is one of the files of bars: give another name"
                if out == file
                else f"--out {out} is one of the files of bars, {file}: give another name"
            )
    if out.suffix != ".parquet":
        raise click.UsageError(f"--out {out} must end in .parquet, the kind of file it is")
    if not out.parent.is_dir():
        raise click.UsageError(f"--out {out}: the folder is not there: make {out.parent} first")
    if not os.access(out.parent, os.W_OK | os.X_OK):
        raise click.UsageError(f"--out {out}: the folder {out.parent} cannot be written")


@click.group(name="continuous")
def command() -> None:
    """Build continuous series from contract bars."""


@command.command(name="build")
@click.argument("root")
@click.option(
    "--bars",
    "files",
    metavar="FILE...",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="csv, csv.gz or parquet: contract, ts, open, high, low, close, volume[, open_interest].",
)
@click.argument(
    "more", metavar="", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--hold", type=CycleType(), help="Months to hold, HNUZ; default: the spec's.")
@click.option("--priced", type=CycleType(), help="Months with prices; default: the spec's.")
@click.option("--anchor", type=click.Choice([a.value for a in Anchor]), help="Default: the spec's.")
@click.option(
    "--roll-offset",
    type=click.IntRange(-3660, 3660),
    help="Days from the anchor; default: the spec's.",
)
@click.option("--carry", type=click.Choice(["-1", "1"]), help="Default: the spec's.")
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
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The parquet file to write.",
)
@click.pass_obj
def build_command(
    folders: tuple[str, ...],
    root: str,
    files: tuple[Path, ...],
    more: tuple[Path, ...],
    hold: str | None,
    priced: str | None,
    anchor: str | None,
    roll_offset: int | None,
    carry: str | None,
    first: ContractMonth | None,
    last: ContractMonth | None,
    stamp: str,
    interval: dt.timedelta | None,
    out: Path,
) -> None:
    """Build the continuous series of a root and write it with its rolls.

    A roll takes place at the first timestamp from roll_date on at which the current and the forward
    month both have a price, and before the deadline. Whoever gives --anchor or --roll-offset takes
    the roll in hand: the deadline is then the last trade alone, and months that roll on or after
    first notice are named.

    Without --from the series begins with the first held month that has a bar before its deadline:
    one whose window has passed when the bars begin could never be left.

    Written: ts, month, open, high, low, close, volume, forward, carry, previous, C, R, rolled.
    Prices are not adjusted: C and R are sum of gaps and product of ratios of the rolls before a
    bar, and every adjustment is a view on them.

    \b
    Example:
      pyfutures continuous build CL --bars cl.csv.gz --from 2020Z --to 2024Z --out cl.parquet
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    bars = [*files, *more]
    _check_out(out, bars)
    chain = load(folders, [root])[root]
    with answers():
        calendar = chain.roll_calendar(
            hold=hold,
            priced=priced,
            anchor=None if anchor is None else Anchor(anchor),
            offset=roll_offset,
            carry=None if carry is None else int(carry),
        )
        for name, month in (("--from", first), ("--to", last)):
            if month is not None and month not in calendar:
                raise click.UsageError(f"{name} {month} is not a held month of {root}")
        if first is not None and last is not None and last < first:
            raise click.UsageError(f"--to {last} is before --from {first}")
        try:
            frame = read_bars(
                bars,
                close_of=chain.session_close_ns,
                stamp=Stamp(stamp),
                interval=interval,
            )
            with progress_bar("rows") as progress:
                series = build(frame, calendar, start=first, end=last, progress=progress)
        except ModuleNotFoundError as error:
            raise click.UsageError(str(error)) from None
        except (BarsError, RollMissedError, RollWindowError) as error:
            click.echo(f"pyfutures: {error}", err=True)
            raise click.exceptions.Exit(1) from None
    write_parquet(series, out)
    _report(chain, calendar, series, out)


def _report(chain: Chain, calendar: RollCalendar, series: Series, out: Path) -> None:
    for roll in series.rolls:
        last_old = instant(roll.last_old_ts)
        click.echo(
            f"{roll.old} -> {roll.new}  roll date {roll.roll_date}  last bar {last_old}  gap"
            f" {roll.gap / 1e9:.10g}"
        )
        notice = chain.row(roll.old).first_notice
        if notice is not None and calendar.row(roll.old).roll_date >= notice:
            click.echo(
                f"warning: {chain.root} {roll.old} rolls from {roll.roll_date}, on or after its"
                f" first notice {notice}: fit for a series, not for a position",
                err=True,
            )
    rolls = "1 roll" if len(series.rolls) == 1 else f"{len(series.rolls)} rolls"
    months = (
        f"{series.month_texts()[0]} to {series.month_texts()[-1]}" if len(series) else "no bars"
    )
    click.echo(f"{out}: {len(series)} bars, {rolls}, {months}")
