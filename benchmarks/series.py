"""Bars per second: the batch build, the roll machine alone, and an adjusted view.

The bars are made here: twenty years of hourly closes of every quarterly ES contract in its last
fourteen months, a random walk with a carry, seeded. No market is meant; only their number matters.
"""

from __future__ import annotations

import datetime as dt
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.timing import Figure, once, seconds, tell
from pyfutures.chain import Catalog
from pyfutures.continuous import PRICE_SCALE, Bar, RollMachine, Time
from pyfutures.continuous.build import Frame, build
from pyfutures.continuous.multiple import MultiplePrices, adjust
from pyfutures.continuous.shifts import add_units
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pyfutures.chain import RollCalendar
    from pyfutures.continuous.build import Series

_ROOT = "ES"
_SIZES = (100_000, 1_000_000, 10_000_000)
_LOOPED = 20_000
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

    yield from adjusting()
    yield from rolling(calendar)


def adjusting() -> Iterator[Figure]:
    """Yield rows per second of `adjust` and its peers, from 1e5 to 1e7 rows of 100 contracts."""
    for rows in _SIZES:
        yield from adjusting_rows(rows)


def adjusting_rows(rows: int) -> Iterator[Figure]:
    """Yield the figures of one size."""
    tell(f"series: adjust, {rows:,} rows")
    prices, lengths, gaps = multiple(rows)
    units = np.rint(prices.price * PRICE_SCALE).astype(np.int64)
    shifts = np.rint(gaps * PRICE_SCALE).astype(np.int64)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    runs = max(5, 20_000_000 // rows)
    plain = seconds(lambda: prices.price + np.repeat(gaps, lengths), runs=runs)
    exact = seconds(lambda: units + np.repeat(shifts, lengths), runs=runs)
    ours = seconds(lambda: adjust(prices), runs=runs)
    fixed = seconds(lambda: add_units(units, bounds, shifts), runs=runs)
    table = pd.DataFrame({"price": prices.price, "contract": prices.price_contract})
    by_contract = pd.Series(gaps, index=prices.price_contract[bounds[:-1]])
    frame = seconds(lambda: table["price"] + table["contract"].map(by_contract), runs=3)
    few = table.head(_LOOPED)
    loop = once(lambda: row_loop(few, by_contract)) / len(few) * rows
    name = f"series: adjust, {rows:.0e} rows".replace("e+0", "e")
    yield Figure(name, rows / ours, "rows/s", "floats, rolls found once")
    yield Figure(f"{name}, fixed point", rows / fixed, "rows/s", "exact, missing kept")
    yield Figure(f"{name}, numpy", rows / plain, "rows/s", "repeat and add, rolls known")
    yield Figure(f"{name}, pandas", rows / frame, "rows/s", "map and add")
    yield Figure(f"{name}, row loop", rows / loop, "rows/s", f"of {len(few):,} rows")
    yield Figure(f"{name} / numpy", plain / ours, "times", "", aim=0.6)
    yield Figure(f"{name}, fixed point / numpy", exact / fixed, "times", "", aim=0.6)
    tracemalloc.start()
    adjust(prices)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    share = (peak + prices.price.nbytes) / prices.price.nbytes
    yield Figure(f"{name}: memory / input", share, "times", "input and answer", limit=3)


def rolling(calendar: RollCalendar) -> Iterator[Figure]:
    """Yield what a roll costs a machine that has seen few bars, and one that has seen many."""
    row, after = next(
        (r, calendar.row(r.forward)) for r in calendar if r.month == _LAST and r.forward
    )
    taken = {}
    for seen in (1_000, 1_000_000):
        tell(f"series: a roll after {seen:,} bars")
        first = row.roll_ns - seen * 10**9
        machine = RollMachine(calendar, start=row.month)
        for number in range(seen):
            machine.feed(Bar(row.month, first + number * 10**9, 1, 1, 1, 1, 1.0))
        state = machine.state()

        def roll(state: dict[str, object] = state) -> None:
            again = RollMachine.resume(calendar, state)
            again.feed(Bar(row.month, row.roll_ns, 1, 1, 1, 1, 1.0))
            again.feed(Bar(after.month, row.roll_ns, 2, 2, 2, 2, 1.0))
            again.feed(Time(row.roll_ns))

        taken[seen] = seconds(roll, runs=201)
    few, many = taken.values()
    yield Figure(
        "series: roll after 1e6 bars / after 1e3", many / few, "times", "stored, resumed and rolled"
    )


def multiple(rows: int) -> tuple[MultiplePrices, NDArray[np.int64], NDArray[np.float64]]:
    """Multiple prices of 100 contracts, rows of each, and what backward adjustment adds to them."""
    random = np.random.default_rng(7)
    lengths = np.diff(np.linspace(0, rows, 101).astype(np.int64))
    codes = np.array(
        [(1950 + n // 4) * 10_000 + (n % 4 * 3 + 3) * 100 for n in range(101)], np.int32
    )
    spreads = random.integers(-20, 20, 100) / 4
    price = random.integers(4_000, 8_000, rows) / 4
    prices = MultiplePrices(
        name="benchmark",
        ts=np.arange(rows, dtype=np.int64) * _HOUR_NS,
        price=price,
        forward=price + np.repeat(spreads, lengths),
        carry=price,
        price_contract=np.repeat(codes[:-1], lengths),
        forward_contract=np.repeat(codes[1:], lengths),
        carry_contract=np.repeat(codes[1:], lengths),
    )
    return prices, lengths, np.append(np.cumsum(spreads[-2::-1])[::-1], 0.0)


def row_loop(table: pd.DataFrame, gaps: pd.Series) -> list[float]:
    """Adjusted prices row by row, as one writes it first."""
    return [row["price"] + gaps[int(row["contract"])] for _, row in table.iterrows()]


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
