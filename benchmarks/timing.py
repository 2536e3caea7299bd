"""Repeated timing, the median of several runs."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable


class Figure(TypedDict):
    """One measured number, what it is compared with, and how it was taken."""

    name: str
    value: float
    unit: str
    note: str


def seconds(job: Callable[[], object], *, runs: int = 5, warmup: int = 1) -> float:
    """Median wall time of a job."""
    for _ in range(warmup):
        job()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
