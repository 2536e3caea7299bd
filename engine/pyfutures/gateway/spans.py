"""Spans of history: end times and durations as requests have them, counted in trading time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.clock import SECOND
from pyfutures.gateway.hours import NS_PER_MINUTE
from pyfutures.ib.times import BarSize, TimeError, instant

if TYPE_CHECKING:
    from pyfutures.chain.sessions import Session
    from pyfutures.gateway.contracts import Instrument

__all__ = [
    "Duration",
    "end_of",
    "has_zone",
    "is_too_long",
    "moment_of",
    "sessions_of",
    "utc_text",
    "whole_periods",
]

_DURATION: Final = re.compile(r"(\d{1,6}) ?([SDWMY])", re.ASCII)
_FIRST: Final = dt.datetime(1971, 1, 1, tzinfo=dt.UTC)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAYS: Final = {"D": 1, "W": 7, "M": 30, "Y": 365}
# The longest that is given in bars of a size, in seconds; a frame has its limits too.
_LONGEST: Final = {
    BarSize.SECOND_1: 2000, BarSize.SECOND_5: 7200, BarSize.SECOND_10: 14400,
    BarSize.SECOND_15: 14400, BarSize.SECOND_30: 28800, BarSize.MINUTE_1: 31 * 86400,
    BarSize.MINUTE_2: 31 * 86400, BarSize.MINUTE_3: 31 * 86400,
}  # fmt: skip
# What IB's page of step sizes lists, the smallest bars for a duration up to so many seconds.
_STEPS: Final = (
    (1800, 1), (3600, 5), (14400, 10), (28800, 30), (86400, 60), (7 * 86400, 180),
    (31 * 86400, 1800), (10**12, 86400),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of time in IB's words: `3600 S`, `5 D`, `1 W`, `6 M`, `1 Y`."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Return a duration.

        Raises
        ------
        ValueError
            For a text that is none, and for nothing.

        """
        found = _DURATION.fullmatch(text.strip())
        if found is None or int(found[1]) == 0:
            raise ValueError(f"`{text[:40]}` is no duration: a number and one of S, D, W, M, Y")
        return cls(int(found[1]), found[2])

    @property
    def seconds(self) -> int:
        """About how long it is."""
        return self.count * (1 if self.unit == "S" else 86400 * _DAYS[self.unit])


def moment_of(text: str, login_zone: str) -> int:
    """Return an instant of a request in UTC ns.

    Raises
    ------
    TimeError
        For a text that is no instant, or one before 1971.

    """
    moment = instant(text, login_zone=login_zone)
    if moment < _FIRST:
        raise TimeError(f"`{text}` is before 1971")
    return int((moment - _EPOCH).total_seconds()) * SECOND


def end_of(text: str, now: int, login_zone: str) -> int:
    """Return the end of a request in UTC ns; now for no text, and for the future.

    Raises
    ------
    TimeError
        For a text that is no instant, or one before 1971.

    """
    return min(now, moment_of(text, login_zone)) if text else now


def has_zone(text: str) -> bool:
    """Whether a time says its zone; one without means that of the login."""
    return not text or "-" in text[:9] or len(text.split()) > 2


def utc_text(ns: int) -> str:
    """Return an instant as answers have it."""
    return f"{_EPOCH + dt.timedelta(seconds=ns // SECOND):%Y%m%d-%H:%M:%S}"


def is_too_long(duration: Duration, size: BarSize, *, strict: bool) -> bool:
    """Whether that much is more than is given in bars of a size."""
    if duration.seconds > _LONGEST.get(size, 10**9):
        return True
    if not strict:
        return False
    least = next(bar for most, bar in _STEPS if duration.seconds <= most)
    return (size.seconds or 86400) < least


def sessions_of(
    instrument: Instrument, end: int, duration: Duration, *, use_rth: bool = False
) -> tuple[tuple[Session, ...], int]:
    """Return the sessions that a duration before `end` touches, and where it starts in them.

    Days are trading days and seconds are trading seconds; weeks, months and years are those of the
    calendar.
    """
    hours, listing = instrument.hours, instrument.listing
    end = min(end, instrument.last_ns)
    last = (_EPOCH + dt.timedelta(seconds=end // SECOND)).date() + dt.timedelta(1)
    last = min(last, listing.last)
    if duration.unit in "WMY":
        first = last - dt.timedelta(duration.count * _DAYS[duration.unit])
    else:
        count = duration.count if duration.unit == "D" else duration.count // 3600 + 1
        first = last - dt.timedelta(min(count, 5000) * 2 + 30)
    first = max(first, listing.first)
    if first > last:
        return (), end
    found = [
        session
        for session in hours.between(first, last)
        if session.stretches[0][0] * NS_PER_MINUTE < end
    ]
    if duration.unit == "D":
        found = found[-duration.count :]
    if duration.unit in "WMY" and found:
        oldest = found[-1].day - dt.timedelta(duration.count * _DAYS[duration.unit])
        found = [session for session in found if session.day > oldest]
    if duration.unit == "S":
        return _last_seconds(instrument, found, end, duration.count, use_rth=use_rth)
    start = found[0].stretches[0][0] * NS_PER_MINUTE if found else end
    return tuple(found), start


def _last_seconds(
    instrument: Instrument, found: list[Session], end: int, count: int, *, use_rth: bool
) -> tuple[tuple[Session, ...], int]:
    left, start = count * SECOND, end
    kept: list[Session] = []
    for session in reversed(found):
        stretches = instrument.hours.liquid(session) if use_rth else session.stretches
        kept.append(session)
        for opened, closed in reversed(stretches):
            low, high = opened * NS_PER_MINUTE, min(closed * NS_PER_MINUTE, end)
            if high <= low:
                continue
            start = max(low, high - left)
            left -= high - start
            if left <= 0:
                return tuple(reversed(kept)), start
    return tuple(reversed(kept)), start


def whole_periods(
    instrument: Instrument, found: tuple[Session, ...], size: BarSize
) -> tuple[Session, ...]:
    """Return sessions with those before them that make their first week or month whole."""
    if not found or size not in {BarSize.WEEK_1, BarSize.MONTH_1}:
        return found
    day = found[0].day
    back = day.weekday() if size is BarSize.WEEK_1 else day.day - 1
    first = max(day - dt.timedelta(back), instrument.listing.first)
    return (*instrument.hours.between(first, day - dt.timedelta(1)), *found)
