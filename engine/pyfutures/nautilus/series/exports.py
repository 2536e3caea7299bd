"""A stored series as a parquet file, the one that `pyfutures continuous build` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyfutures.continuous.columns import Columns
from pyfutures.continuous.series import Series, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from pyfutures.continuous.machine import RollMachine
    from pyfutures.store import SeriesLog

__all__ = ["export_series", "series_of"]


def series_of(log: SeriesLog, machine: RollMachine) -> Series:
    """Return a stored series as arrays, with the machine that made it."""
    columns = Columns()
    for bar in log.bars():
        columns.take((bar,))
    arrays: dict[str, Any] = columns.joined()
    return Series(
        root=machine.root,
        start=log.start,
        policy=machine.policy,
        missing=machine.missing,
        fingerprint=machine.fingerprint,
        rolls=log.rolls(),
        calendar=tuple(
            str(row) for row in machine.calendar if log.start <= row.month <= machine.month
        ),
        **arrays,
    )


def export_series(log: SeriesLog, machine: RollMachine, path: Path | str) -> int:
    """Write a stored series to a parquet file; return how many bars it has.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    series = series_of(log, machine)
    write_parquet(series, path)
    return len(series)
