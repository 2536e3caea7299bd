"""``pyfutures continuous``: series from contract bars, adjusted prices, rolls of other files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
import tempfile
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyfutures.chain import ChainError, RollCalendarError
from pyfutures.cli.common import MONTH, load
from pyfutures.cli.progress import progress_bar
from pyfutures.continuous.adjustment import Adjustment, RatioError
from pyfutures.continuous.bars import instant
from pyfutures.continuous.files import FilesError, copy_folder, is_folder, is_url
from pyfutures.continuous.frame import LONGEST_BAR, Stamp
from pyfutures.continuous.jobs import Job, Outcome, SessionClose, run_job, run_jobs
from pyfutures.continuous.policies import Missing, Policy
from pyfutures.continuous.windows import Deadline, nth, with_deadline
from pyfutures.cycles import Cycle, CycleError
from pyfutures.specs.model import Anchor, OffsetUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyfutures.chain import Chain, RollCalendar
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


class PlaceType(click.ParamType[str]):
    """A file or folder that is there, or a URL; ``{root}`` stands for each root."""

    name = "place"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The place, if it is there."""
        if not is_url(value) and "{root}" not in value and not Path(value).exists():
            self.fail(f"{value!r}: no such file or folder", param, ctx)
        return value


@click.group(name="continuous")
def command() -> None:
    """Build continuous series from contract bars, adjust prices, find rolls."""


@command.command(name="build")
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
    names, more = _roots_and_places(roots)
    bars = (*places, *more)
    series = list(product(names, hold or (None,), places_held or (1,)))
    targets = [_target(out, *one, several=len(series) > 1) for one in series]
    for number, target in enumerate(targets):
        if target in targets[:number]:
            raise click.UsageError(
                f"--out {out}: two series would be written to {target}: write {{root}}, {{hold}} or"
                " {nth} into it"
            )
        _check_out(target, bars)
    if first is not None and last is not None and last < first:
        raise click.UsageError(f"--to {last} is before --from {first}")
    made: list[Job] = []
    refused: list[Outcome] = []
    with ExitStack() as stack:
        fetched = [stack.enter_context(_fetched(url)) for url in specs]
        catalog = load([*folders, *fetched], sorted(set(names)))
        for (root, held, place), target in zip(series, targets, strict=True):
            try:
                calendar = _calendar(
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
                _check_span(calendar, first, last)
            except (ChainError, RollCalendarError) as error:
                if len(series) == 1:
                    raise click.UsageError(str(error)) from None
                text = str(error)
                refused.append(Outcome(root, error=text if root in text else f"{root}: {text}"))
                continue
            made.append(
                _job(
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
        _one(made[0])
        return
    _many(made, refused, jobs or os.cpu_count() or 1, scheduler)


def _check_span(
    calendar: RollCalendar, first: ContractMonth | None, last: ContractMonth | None
) -> None:
    for name, month in (("--from", first), ("--to", last)):
        if month is not None and month not in calendar:
            raise RollCalendarError(f"{name} {month} is not a held month of {calendar.root}")


def _roots_and_places(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Roots, and the files that a shell made of a pattern after --bars."""
    roots = [word for word in words if not re.search(r"[./\\{]", word)]
    places = [word for word in words if word not in roots]
    for place in places:
        if not is_url(place) and "{root}" not in place and not Path(place).exists():
            raise click.UsageError(f"{place}: neither a root nor a file that is there")
    if not roots:
        raise click.UsageError("Missing argument 'ROOT...'.")
    return list(dict.fromkeys(roots)), places


def _target(out: str, root: str, hold: str | None, place: int, *, several: bool) -> str:
    if "{" not in out and (several or not out.endswith(".parquet")) and is_folder(out):
        out = f"{out.rstrip('/')}/{{root}}.parquet"
    return out.replace("{root}", root).replace("{hold}", hold or "").replace("{nth}", str(place))


def _check_out(out: str, places: Sequence[str]) -> None:
    """Refuse a file that could not be written in the end, or that would replace what is read."""
    for place in places:
        same = out == place or (
            not is_url(out)
            and not is_url(place)
            and Path(out).exists()
            and Path(place).exists()
            and Path(out).samefile(place)
        )
        if same:
            raise click.UsageError(
                f"--out {out} is one of the files of bars: give another name"
                if out == place
                else f"--out {out} is one of the files of bars, {place}: give another name"
            )
    if not out.endswith(".parquet"):
        raise click.UsageError(f"--out {out} must end in .parquet, the kind of file it is")
    _check_folder(out)


def _check_folder(out: str) -> None:
    if is_url(out):
        return
    folder = Path(out).parent
    if not folder.is_dir():
        raise click.UsageError(f"--out {out}: the folder is not there: make {folder} first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise click.UsageError(f"--out {out}: the folder {folder} cannot be written")
    if Path(out).is_dir():
        raise click.UsageError(f"--out {out} is a folder")


@contextmanager
def _fetched(url: str) -> Iterator[str]:
    """A folder of specs from a URL, copied here for as long as it is needed."""
    if not is_url(url):
        raise click.UsageError(f"--specs {url} is no URL: give --contracts before the command")
    with tempfile.TemporaryDirectory() as folder:
        try:
            count = copy_folder(url, folder)
        except FilesError as error:
            raise click.UsageError(f"--specs {error}") from None
        if not count:
            raise click.UsageError(f"--specs {url}: nothing is there")
        yield folder


def _calendar(chain: Chain, place: int, deadline: str | None, **changes: Any) -> RollCalendar:  # noqa: ANN401 - those of roll_calendar
    calendar = chain.roll_calendar(**changes)
    if deadline is not None:
        calendar = with_deadline(calendar, chain, Deadline(deadline))
    return nth(calendar, place)


def _job(chain: Chain, calendar: RollCalendar, **how: Any) -> Job:  # noqa: ANN401 - fields of a job
    hours = chain.spec.hours
    notices = {}
    if chain.spec.first_notice is not None:
        rows = (chain.row(row.month) for row in calendar)
        notices = {row.month: row.first_notice for row in rows if row.first_notice is not None}
    classes = {chain.trading_class(row.month) or chain.root for row in calendar}
    return Job(
        root=chain.root,
        calendar=calendar,
        hours=None if hours is None else SessionClose(hours.close, hours.zone),
        classes=tuple(sorted({*classes, chain.root})),
        first_notices=notices,
        **how,
    )


def _one(job: Job) -> None:
    try:
        with progress_bar("rows") as progress:
            outcome = run_job(job, progress)
    except ModuleNotFoundError as error:
        raise click.UsageError(str(error)) from None
    if outcome.error is not None:
        click.echo(f"pyfutures: {outcome.error}", err=True)
        raise click.exceptions.Exit(1)
    _say(outcome)


def _say(outcome: Outcome) -> None:
    for line in outcome.lines:
        click.echo(line)
    for warning in outcome.warnings:
        click.echo(warning, err=True)


def _many(jobs: list[Job], refused: list[Outcome], processes: int, scheduler: str | None) -> None:
    """Build several series; the last line of each, and at the end what went wrong."""
    failed = list(refused)
    with progress_bar("series") as progress:
        for done, outcome in enumerate(_outcomes(jobs, processes, scheduler), start=1):
            if outcome.error is not None:
                failed.append(outcome)
            elif outcome.lines:
                click.echo(outcome.lines[-1])
            for warning in outcome.warnings:
                click.echo(warning, err=True)
            if progress is not None:
                progress(done, len(jobs))
    for outcome in sorted(failed, key=lambda one: one.root):
        # What a file is faulted for need not name the root.
        name = "" if re.match(rf"{outcome.root}\b", outcome.error or "") else f"{outcome.root}: "
        click.echo(f"pyfutures: {name}{outcome.error}", err=True)
    total = len(jobs) + len(refused)
    if failed:
        click.echo(f"{len(failed)} of {total} series failed", err=True)
        raise click.exceptions.Exit(1)


def _outcomes(jobs: list[Job], processes: int, scheduler: str | None) -> Iterator[Outcome]:
    if scheduler is None:
        yield from run_jobs(jobs, processes=min(processes, len(jobs)) or 1)
        return
    from pyfutures.continuous.cluster import (  # noqa: PLC0415 - only who has one needs it
        ClusterError,
        run_on_cluster,
    )

    try:
        yield from run_on_cluster(jobs, scheduler)
    except ClusterError as error:
        raise click.UsageError(str(error)) from None


@command.command(name="adjust")
@click.argument("file", type=PlaceType())
@click.option(
    "--mode",
    type=click.Choice([m.value for m in Adjustment]),
    default=Adjustment.BACKWARD_SPREAD.value,
    show_default=True,
    help="Which prices are moved, and how.",
)
@click.option(
    "--missing",
    type=click.Choice([Missing.FAIL.value, Missing.INFER.value]),
    default=Missing.FAIL.value,
    show_default=True,
    help="Where the last row of a contract lacks a price.",
)
@click.option("--out", required=True, help="The csv, csv.gz or parquet file or URL to write.")
def adjust_command(file: str, mode: str, missing: str, out: str) -> None:
    """Adjust the prices of a file: multiple prices, or a series that `build` wrote.

    Multiple prices are one row a time, as pysystemtrade writes them: ts, price, forward, carry,
    price_contract, forward_contract, carry_contract, with contracts as yyyymm00. A roll is where
    price_contract changes; its gap is forward less price in the last row before.

    Written: ts, adjusted, adjustment, which is adjusted less price. A row without a price stays one
    without.

    \b
    Example:
      pyfutures continuous adjust GOLD.csv --mode backward_spread --out adjusted.csv
    """  # noqa: D301
    from pyfutures.continuous.multiple import (  # noqa: PLC0415 - pulls in nothing that build needs
        MultipleError,
        read_multiple,
    )
    from pyfutures.continuous.output import adjusted_multiple, adjusted_series, write_table  # noqa: PLC0415
    from pyfutures.continuous.series import SeriesError, is_series, read_parquet  # noqa: PLC0415

    if not out.endswith((".csv", ".csv.gz", ".parquet")):
        raise click.UsageError(f"--out {out} must end in .csv, .csv.gz or .parquet")
    _check_folder(out)
    kind = Adjustment(mode)
    try:
        if is_series(file):
            table = adjusted_series(read_parquet(file), kind)
        else:
            table = adjusted_multiple(read_multiple(file), kind, Missing(missing))
        write_table(table, out)
    except ModuleNotFoundError as error:
        raise click.UsageError(str(error)) from None
    except (MultipleError, RatioError, SeriesError, FilesError) as error:
        click.echo(f"pyfutures: {error}", err=True)
        raise click.exceptions.Exit(1) from None
    click.echo(f"{out}: {table.num_rows} rows, {kind.value}")


@command.command(name="rolls")
@click.argument("file", type=PlaceType())
@click.option("--hold", required=True, type=CycleType(), help="Months to hold, HMUZ.")
@click.option(
    "--roll-offset", required=True, type=click.IntRange(-3660, 3660), help="Days from expiry."
)
@click.option(
    "--expiry-offset",
    type=click.IntRange(-3660, 3660),
    default=0,
    show_default=True,
    help="Days from the first of the month to expiry.",
)
@click.option(
    "--policy",
    type=click.Choice([Policy.NEAREST.value, Policy.FIRST_COMMON.value]),
    default=Policy.NEAREST.value,
    show_default=True,
    help="Which timestamp, of those at which both contracts have a price.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "json"]),
    default="csv",
    show_default=True,
    help="How to print.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: print.")
def rolls_command(
    file: str,
    hold: str,
    roll_offset: int,
    expiry_offset: int,
    policy: str,
    kind: str,
    out: Path | None,
) -> None:
    """Find the rolls that a rule makes in a file of multiple prices.

    The file is one as `adjust` takes it. The roll date is the first of the month, --expiry-offset
    and --roll-offset calendar days on. The bar at last_old_ts is the last of the old contract, that
    at first_new_ts the first of the new one; both prices are those at last_old_ts.

    \b
    Example:
      pyfutures continuous rolls GOLD.csv --hold GJMQVZ --roll-offset -30 --expiry-offset 26
    """  # noqa: D301
    from pyfutures.continuous.multiple import MultipleError, read_multiple  # noqa: PLC0415
    from pyfutures.continuous.recorded import rolls_by_rule  # noqa: PLC0415

    try:
        found = rolls_by_rule(
            read_multiple(file),
            hold=hold,
            roll_offset=roll_offset,
            expiry_offset=expiry_offset,
            policy=Policy(policy),
        )
    except ModuleNotFoundError as error:
        raise click.UsageError(str(error)) from None
    except (MultipleError, FilesError) as error:
        click.echo(f"pyfutures: {error}", err=True)
        raise click.exceptions.Exit(1) from None
    rows = [
        {
            "old_contract": roll.old_contract,
            "new_contract": roll.new_contract,
            "last_old_ts": instant(roll.last_old_ts),
            "first_new_ts": instant(roll.first_new_ts),
            "pre_price": roll.pre_price,
            "post_price": roll.post_price,
            "reason": roll.reason,
        }
        for roll in found
    ]
    text = _csv(rows) if kind == "csv" else json.dumps(rows, indent=2) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    names = (
        *("old_contract", "new_contract", "last_old_ts", "first_new_ts"),
        *("pre_price", "post_price", "reason"),
    )
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
