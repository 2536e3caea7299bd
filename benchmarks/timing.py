"""Repeated timing: the median of several runs, since other work of a computer only ever adds."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number and how it was taken.

    Attributes
    ----------
    name : str
        What was measured, ``rules: vectorised``.
    value : float
        The number.
    unit : str
        What it counts, ``months/s``.
    note : str
        How it was taken, and of what.
    limit : float or None
        What it must not exceed, where there is such a limit.
    aim : float or None
        What it should reach, where there is such an aim.

    """

    name: str
    value: float
    unit: str
    note: str
    limit: float | None = None
    aim: float | None = None

    @property
    def verdict(self) -> str:
        """How the number stands to its limit or aim, empty where it has neither."""
        if self.limit == 0:
            return "" if self.value == 0 else "SHOULD BE 0"
        if self.limit is not None:
            share = f"{self.value / self.limit:.0%} of the limit {self.limit:g}"
            return share if self.value <= self.limit else f"OVER: {share}"
        if self.aim is not None:
            return f"aim {self.aim:g}" if self.value >= self.aim else f"BELOW the aim {self.aim:g}"
        return ""


def seconds(job: Callable[[], object], *, runs: int = 5, warmup: int = 1) -> float:
    """Median wall time of a job."""
    for _ in range(warmup):
        job()
    return statistics.median(once(job) for _ in range(runs))


def once(job: Callable[[], object]) -> float:
    """Wall time of a job that is run a single time."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def tell(text: str) -> None:
    """Say on stderr what is under way: the whole takes a minute or two."""
    print(f"... {text}", file=sys.stderr, flush=True)
