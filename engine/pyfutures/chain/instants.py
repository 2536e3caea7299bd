"""UTC instants of local clock times, for whole arrays of days.

A zone is sampled once and kept as a table of its offset changes, so that a chain of decades costs a
bisection and not a call of ``zoneinfo`` per day.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from pyfutures.calendars import NAT
from pyfutures.months import FIRST_MONTH, LAST_MONTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64s = NDArray[np.int64]

NS_PER_SECOND = 1_000_000_000
NAT_NS: int = np.iinfo(np.int64).min
"""An instant that is not known; numpy reads it as NaT."""

# No zone changes its offset twice within a week: the shortest pair on record is a Ramadan apart.
_SAMPLE = dt.timedelta(days=7)


class _Offsets(NamedTuple):
    changes: Int64s  # local seconds since 1970 by the clock that runs until the change
    seconds: Int64s  # offset from UTC, one more than changes


@cache
def _offsets(zone: str) -> _Offsets:
    info = ZoneInfo(zone)
    steps = [at.astimezone(info).utcoffset() for at in _samples()]
    changes: list[int] = []
    seconds = [_seconds(steps[0])]
    for at, before, after in zip(_samples(), steps, steps[1:], strict=False):
        if before != after:
            low, high = int(at.timestamp()), int((at + _SAMPLE).timestamp())
            while high - low > 1:
                middle = (low + high) // 2
                same = dt.datetime.fromtimestamp(middle, info).utcoffset() == before
                low, high = (middle, high) if same else (low, middle)
            changes.append(high + seconds[-1])
            seconds.append(_seconds(after))
    return _Offsets(np.array(changes, np.int64), np.array(seconds, np.int64))


@cache
def _samples() -> tuple[dt.datetime, ...]:
    start = dt.datetime.combine(FIRST_MONTH.first_day, dt.time(), dt.UTC) - _SAMPLE
    # Rules that step into later months and sessions that close after midnight reach past the span.
    end = dt.datetime.combine(LAST_MONTH.last_day, dt.time(), dt.UTC) + 60 * _SAMPLE
    return tuple(start + n * _SAMPLE for n in range((end - start) // _SAMPLE + 1))


def _seconds(offset: dt.timedelta | None) -> int:
    return 0 if offset is None else offset // dt.timedelta(seconds=1)


def utc_instants(days: Int64s, clock: dt.time, zone: str) -> Int64s:
    """UTC nanoseconds at which the clock of a zone shows a time on each of the days.

    Parameters
    ----------
    days
        Days since 1970-01-01; ``NAT`` gives ``NAT_NS``.
    clock
        Local time of day, whole seconds. An hour that a clock shows twice means the first time.
    zone
        IANA name, ``America/New_York``.

    Raises
    ------
    zoneinfo.ZoneInfoNotFoundError
        If the zone is unknown.
    """
    table = _offsets(zone)
    known = days != NAT
    local = np.where(known, days, 0) * 86_400 + (clock.hour * 60 + clock.minute) * 60 + clock.second
    offset = table.seconds[np.searchsorted(table.changes, local, side="right")]
    return np.where(known, (local - offset) * NS_PER_SECOND, NAT_NS)


def utc_instant(day: int, clock: dt.time, zone: str) -> int:
    """UTC nanoseconds at which the clock of a zone shows a time on a day; see `utc_instants`."""
    return int(utc_instants(np.array([day], np.int64), clock, zone)[0])
