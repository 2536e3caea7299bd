"""Builds of several roots: each a value that any process can do, here or on another machine.

What a root fails of is a value too, so that one root does not stop the others.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from pyfutures.calendars import day_number
from pyfutures.chain.instants import utc_instant
from pyfutures.chain.rolls import DAY_NS, RollCalendarError, midnight_ns
from pyfutures.continuous.append import AppendError, append
from pyfutures.continuous.bars import instant
from pyfutures.continuous.build import build
from pyfutures.continuous.errors import RollMissedError, RollWindowError, StateError
from pyfutures.continuous.files import FilesError, exists
from pyfutures.continuous.frame import BarsError, Stamp, read_bars
from pyfutures.continuous.policies import UTC_DAYS, Missing, Policy, TradingDays
from pyfutures.continuous.series import SeriesError, read_parquet, write_parquet
from pyfutures.continuous.sources import bar_files

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pyfutures.chain.rolls import RollCalendar
    from pyfutures.continuous.frame import Frame
    from pyfutures.continuous.series import Series
    from pyfutures.cycles import Cycle
    from pyfutures.months import ContractMonth

DATA_ERRORS = (
    AppendError,
    BarsError,
    FilesError,
    RollCalendarError,
    RollMissedError,
    RollWindowError,
    SeriesError,
    StateError,
)


@dataclass(frozen=True, slots=True)
class SessionClose:
    """When a trading date of a root closes.

    Parameters
    ----------
    close, zone
        Local time of the close and its zone.

    """

    close: dt.time
    zone: str

    def __call__(self, day: dt.date) -> int:
        """Close of a day, nanoseconds UTC."""
        return utc_instant(day_number(day), self.close, self.zone)


@dataclass(frozen=True, slots=True)
class Job:
    """One root to build: everything that it takes, without the catalogue.

    Parameters
    ----------
    root, calendar
        The root and its roll calendar.
    bars
        Files, folders or URLs; see `sources.bar_files`.
    out
        The parquet file or URL to write.
    hours
        Session close, None if the spec has none.
    classes
        Trading classes of the root.
    first_notices, last_trades
        First notice day and last trade of the months that have one.
    listed
        The listed months, to tell bars of others; None to tell nothing.
    start, end, policy, missing, lag
        See `build`.
    stamp, interval
        See `read_bars`.
    size
        See `sources.bar_files`.
    appends
        Whether to go on with the series that is there.

    """

    root: str
    calendar: RollCalendar
    bars: tuple[str, ...]
    out: str
    hours: SessionClose | None = None
    classes: tuple[str, ...] = ()
    first_notices: Mapping[ContractMonth, dt.date] = field(default_factory=dict)
    last_trades: Mapping[ContractMonth, dt.date] = field(default_factory=dict)
    listed: Cycle | None = None
    start: ContractMonth | None = None
    end: ContractMonth | None = None
    policy: Policy = Policy.FIRST_COMMON
    missing: Missing = Missing.WAIT
    lag: int = 1
    stamp: Stamp = Stamp.CLOSE
    interval: dt.timedelta | None = None
    size: str | None = None
    appends: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: lines to say, warnings, and the error if there is one."""

    root: str
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None


def run_job(job: Job, progress: Callable[[int, int], None] | None = None) -> Outcome:
    """Build, or append to, the series of one root and write it; a fault of its data is in there.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    ModuleNotFoundError
        If something that a file needs is not installed.

    """
    try:
        stored = read_parquet(job.out) if job.appends and exists(job.out) else None
        since = None if stored is None or stored.state is None else stored.state["open"]
        if job.stamp is Stamp.OPEN:
            since = None  # files are named by their stamps, and `since` is a close
        files = bar_files(job.bars, job.root, classes=job.classes, size=job.size, since=since)
        frame = read_bars(
            files,
            close_of=job.hours,
            stamp=job.stamp,
            interval=job.interval,
            classes=job.classes,
        )
        sessions = UTC_DAYS if job.hours is None else TradingDays(job.hours.close, job.hours.zone)
        series = (build if stored is None else _append(stored))(
            frame,
            job.calendar,
            start=job.start,
            end=job.end,
            policy=job.policy,
            missing=job.missing,
            lag=job.lag,
            sessions=sessions,
            progress=progress,
        )
        write_parquet(series, job.out)
    except DATA_ERRORS as error:
        return Outcome(job.root, error=str(error))
    return _told(job, series, 0 if stored is None else len(stored), _odd_bars(job, frame))


def _append(stored: Series) -> Callable[..., Series]:
    def go_on(*args: object, **kwargs: object) -> Series:
        return append(stored, *args, **kwargs)  # type: ignore[arg-type] # those of build

    return go_on


def _odd_bars(job: Job, frame: Frame) -> list[str]:
    """Warnings of bars that a series leaves out or should not have: of what is not traded."""
    warnings = []
    for code, month in enumerate(frame.months):
        if job.listed is not None and month not in job.listed:
            count = int((frame.month == code).sum())
            warnings.append(
                f"warning: {job.root} {month} is not a listed month: {_bars(count)} left out"
            )
        last_trade = job.last_trades.get(month)
        if last_trade is None:
            continue
        # Without hours no zone is known, and a date ends last a day later in UTC.
        end = midnight_ns(last_trade) + 2 * DAY_NS if job.hours is None else job.hours(last_trade)
        first = int(np.searchsorted(frame.ts, end, side="right"))
        count = int((frame.month[first:] == code).sum())
        if count:
            warnings.append(
                f"warning: {job.root} {month} has {_bars(count)} after its last trade {last_trade}:"
                " is the month right?"
            )
    return warnings


def _bars(count: int) -> str:
    return "1 bar" if count == 1 else f"{count} bars"


def _told(job: Job, series: Series, before: int, warnings: list[str]) -> Outcome:
    lines = []
    for roll in series.rolls:
        inferred = "  inferred" if roll.inferred else ""
        lines.append(
            f"{roll.old} -> {roll.new}  roll date {roll.roll_date}  last bar"
            f" {instant(roll.last_old_ts)}  gap {roll.gap / 1e9:.10g}{inferred}"
        )
        notice = job.first_notices.get(roll.old)
        if notice is not None and job.calendar.row(roll.old).roll_date >= notice:
            warnings.append(
                f"warning: {job.root} {roll.old} rolls from {roll.roll_date}, on or after its"
                f" first notice {notice}: fit for a series, not for a position"
            )
    count = "1 roll" if len(series.rolls) == 1 else f"{len(series.rolls)} rolls"
    months = (
        f"{series.month_texts()[0]} to {series.month_texts()[-1]}" if len(series) else "no bars"
    )
    new = f", {len(series) - before} of them new" if before else ""
    lines.append(f"{job.out}: {len(series)} bars{new}, {count}, {months}")
    return Outcome(job.root, tuple(lines), tuple(warnings))


def run_guarded(job: Job) -> Outcome:
    """`run_job`, with files that cannot be read or written as an error of the root alone."""
    try:
        return run_job(job)
    except (OSError, ModuleNotFoundError) as error:
        return Outcome(job.root, error=f"{job.root}: {error}")


def run_jobs(jobs: Sequence[Job], *, processes: int) -> Iterator[Outcome]:
    """Outcomes of jobs done by processes of this machine, as they come.

    A process that dies (out of memory, killed) takes the others of its pool with it, and nobody
    can say whose fault it was: what was not done is then done again, each in a process of its own.
    """
    undone: list[Job] = []
    with _pool(processes) as pool:
        futures = {pool.submit(run_guarded, job): job for job in jobs}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                undone.append(futures[future])
            except Exception as error:  # noqa: BLE001 - a bug in one root must not stop the others
                yield _fault(futures[future], error)
    for job in undone:
        with _pool(1) as pool:
            try:
                outcome = pool.submit(run_guarded, job).result()
            except BrokenProcessPool:
                outcome = Outcome(
                    job.root,
                    error=f"{job.root}: the process that built it died, twice: out of memory?",
                )
            except Exception as error:  # noqa: BLE001 - as above
                outcome = _fault(job, error)
        yield outcome


def _pool(processes: int) -> ProcessPoolExecutor:
    # Forked processes would inherit the threads of numpy and pyarrow in whatever state they are.
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))


def _fault(job: Job, error: Exception) -> Outcome:
    return Outcome(job.root, error=f"{job.root}: {type(error).__name__}: {error}")
