"""Bars per second: the batch build, the roll machine alone, and an adjusted view.

The bars are made here: twenty years of hourly closes of every quarterly ES contract in its last
fourteen months, a random walk with a carry, seeded. No market is meant; only their number matters.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.timing import Figure, seconds, tell
from pyfutures.chain import Catalog
from pyfutures.continuous import PRICE_SCALE, RollMachine, Time
from pyfutures.continuous.adjustment import Adjustment
from pyfutures.continuous.build import Frame, build
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pyfutures.chain import RollCalendar
    from pyfutures.continuous.build import Series

_ROOT = "ES"
_FIRST, _LAST = ContractMonth(2006, 3), ContractMonth(2026, 3)
_ALIVE = dt.timedelta(days=425)
_SESSION_HOURS = 23
_HOUR_NS = 3_600 * 10**9
_DAY_NS = 24 * _HOUR_NS
_TICK = PRICE_SCALE // 4


def measure() -> Iterator[Figure]:
    """Yield bars per second of each part."""
    calendar = Catalog.load(roots=[_ROOT])[_ROOT].rolls
    frame = bars(calendar)
    series = build(frame, calendar)
    what = f"{len(frame):,} hourly bars in, {len(series):,} out, {len(series.rolls)} rolls"

    tell(f"series: {what}")
    taken = seconds(lambda: build(frame, calendar), runs=3)
    yield Figure("series: batch build", len(frame) / taken, "bars/s", f"arrays to arrays; {what}")

    ready = list(frame.bars())
    start, end = series.start, frame.months[-1]

    def machine() -> None:
        feed = RollMachine(calendar, start=start, end=end).feed
        for bar in ready:
            feed(bar)
        feed(Time(int(frame.ts[-1])))

    taken = seconds(machine, runs=3)
    yield Figure(
        "series: roll machine alone",
        len(ready) / taken,
        "bars/s",
        "every bar of every contract fed, as an actor does; events dropped",
    )

    ours = seconds(lambda: series.adjusted(Adjustment.BACKWARD_SPREAD), runs=101)
    lengths, gaps = segments(series)
    plain = seconds(lambda: repeat_and_add(series, lengths, gaps), runs=101)
    rows = len(series)
    yield Figure(
        "series: backward spread view", rows / ours, "bars/s", "Series.adjusted, exact, NaN kept"
    )
    yield Figure(
        "series: numpy repeat and add", rows / plain, "bars/s", "segments and gaps known beforehand"
    )
    yield Figure("series: view / numpy", plain / ours, "times", "")


def bars(
    calendar: RollCalendar, first: ContractMonth = _FIRST, last: ContractMonth = _LAST
) -> Frame:
    """Hourly bars of the held months from `first` to `last`, by time and month."""
    random = np.random.default_rng(20_240_315)
    rows = [row for row in calendar if first <= row.month <= last]
    begin, end = rows[0].roll_date - _ALIVE, rows[-1].deadline
    hours = _hours(begin, end)
    walk = 20_000 + np.cumsum(random.integers(-4, 5, hours.size))
    parts = []
    for number, row in enumerate(rows):
        low, high = np.searchsorted(
            hours, [row.deadline_ns - int(_ALIVE.total_seconds()) * 10**9, row.deadline_ns]
        )
        # A contract a quarter further out costs 30 ticks more.
        parts.append((np.full(high - low, number), hours[low:high], walk[low:high] + 30 * number))
    month, ts, close = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((month, ts))
    month, ts, close = month[order], ts[order], close[order] * _TICK
    return Frame(
        months=tuple(row.month for row in rows),
        month=month,
        ts=ts,
        open=close - _TICK,
        high=close + 2 * _TICK,
        low=close - 2 * _TICK,
        close=close,
        volume=random.integers(1, 10_000, ts.size).astype(np.float64),
    )


def segments(series: Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bars of each held month, and what its prices are raised by to meet the newest month."""
    starts = np.flatnonzero(series.rolled)
    lengths = np.diff(np.concatenate([[0], starts, [len(series)]]))
    gaps = np.array([roll.gap for roll in series.rolls], np.int64)[: starts.size]
    return lengths, np.concatenate([np.cumsum(gaps[::-1])[::-1], [0]])


def repeat_and_add(
    series: Series, lengths: NDArray[np.int64], gaps: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Closes, adjusted, as one writes it without an engine."""
    adjusted: NDArray[np.int64] = series.close + np.repeat(gaps, lengths)
    return adjusted


def _hours(begin: dt.date, end: dt.date) -> NDArray[np.int64]:
    """Closes of all hours of Monday to Friday sessions, nanoseconds UTC."""
    dates = np.arange(np.datetime64(begin), np.datetime64(end))
    days = dates[np.is_busday(dates)].astype(np.int64) * _DAY_NS
    closes: NDArray[np.int64] = (
        days[:, np.newaxis] + np.arange(1, _SESSION_HOURS + 1) * _HOUR_NS
    ).ravel()
    return closes
