"""From the words of ``pyfutures continuous build`` to jobs, and from their outcomes to lines."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyfutures.chain import RollCalendarError
from pyfutures.cli.places import check_folder
from pyfutures.cli.progress import progress_bar
from pyfutures.continuous.files import FilesError, copy_folder, is_folder, is_url, same_place
from pyfutures.continuous.jobs import Job, Outcome, SessionClose, run_job, run_jobs
from pyfutures.continuous.windows import Deadline, nth, with_deadline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyfutures.chain import Chain, RollCalendar
    from pyfutures.months import ContractMonth


def check_span(
    calendar: RollCalendar, first: ContractMonth | None, last: ContractMonth | None
) -> None:
    """Refuse a first or last month that is not held."""
    for name, month in (("--from", first), ("--to", last)):
        if month is not None and month not in calendar:
            raise RollCalendarError(f"{name} {month} is not a held month of {calendar.root}")


def roots_and_places(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Roots, and the files that a shell made of a pattern after --bars."""
    roots = [word for word in words if not re.search(r"[./\\{]", word)]
    places = [word for word in words if word not in roots]
    for place in places:
        if not is_url(place) and "{root}" not in place and not Path(place).exists():
            raise click.UsageError(f"{place}: neither a root nor a file that is there")
    if not roots:
        raise click.UsageError("Missing argument 'ROOT...'.")
    return list(dict.fromkeys(roots)), places


def target_of(out: str, root: str, hold: str | None, place: int, *, several: bool) -> str:
    """The file of one series."""
    if "{" not in out and (several or not out.endswith(".parquet")) and is_folder(out):
        out = f"{out.rstrip('/')}/{{root}}.parquet"
    return out.replace("{root}", root).replace("{hold}", hold or "").replace("{nth}", str(place))


def check_out(out: str, root: str, places: Sequence[str]) -> None:
    """Refuse a file that could not be written in the end, or that would replace what is read."""
    for place in (one.replace("{root}", root) for one in places):
        if same_place(out, place):
            raise click.UsageError(
                f"--out {out} is one of the files of bars: give another name"
                if out == place
                else f"--out {out} is one of the files of bars, {place}: give another name"
            )
    if not out.endswith(".parquet"):
        raise click.UsageError(f"--out {out} must end in .parquet, the kind of file it is")
    check_folder(out)


@contextmanager
def fetched_specs(url: str) -> Iterator[str]:
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


def calendar_of(chain: Chain, place: int, deadline: str | None, **changes: Any) -> RollCalendar:  # noqa: ANN401 - those of roll_calendar
    """Roll calendar of a chain with what was changed on the command line."""
    calendar = chain.roll_calendar(**changes)
    if deadline is not None:
        calendar = with_deadline(calendar, chain, Deadline(deadline))
    return nth(calendar, place)


def job_of(chain: Chain, calendar: RollCalendar, **how: Any) -> Job:  # noqa: ANN401 - fields of a job
    """Everything that one root takes to build."""
    hours = chain.spec.hours
    rows = [chain.row(row.month) for row in calendar]
    classes = {chain.trading_class(row.month) or chain.root for row in calendar}
    return Job(
        root=chain.root,
        calendar=calendar,
        hours=None if hours is None else SessionClose(hours.close, hours.zone),
        classes=tuple(sorted({*classes, chain.root})),
        first_notices={r.month: r.first_notice for r in rows if r.first_notice is not None},
        last_trades={r.month: r.last_trade for r in rows if r.last_trade is not None},
        listed=chain.spec.listed,
        **how,
    )


def run_one(job: Job) -> None:
    """Build one series here, and say all of its rolls."""
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


def run_many(
    jobs: list[Job], refused: list[Outcome], processes: int, scheduler: str | None
) -> None:
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
