"""What to ask for: a span cut into windows, each no longer than one answer may be.

Rules of this file. Windows end where sessions of the root end, and begin where the one before ends,
so nothing lies between two of them. They are laid on a fixed grid of the calendar: they do not
depend on the span that is asked for, hence a longer download finds the answers of a shorter one.
Pure: no clock, no connection.

Durations are those of IB's table of step sizes (ib/merge.py). Days are counted as trading days by
gateways and seconds as trading seconds, so an answer may reach back further than its window.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pyfutures.chain.sessions import Session, sessions
from pyfutures.ib.merge import longest_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.chain import Chain
    from pyfutures.ib.times import BarSize

__all__ = ["TradingTimes", "Window", "windows"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MINUTE: Final = dt.timedelta(minutes=1)
_DAY: Final = dt.timedelta(days=1)
# Whole weeks, and never more than the words may mean.
_DAYS: Final = {"1 D": 1, "1 W": 7, "1 M": 28, "1 Y": 364}


def at_minute(minutes: int) -> dt.datetime:
    """Return the instant of a count of minutes since 1970."""
    return _EPOCH + minutes * _MINUTE


class TradingTimes:
    """When a root trades, by the hours and the calendar of its spec.

    `are_known` is unset where the spec has no hours: nothing is expected at any time then.

    Parameters
    ----------
    chain
        The root.

    """

    def __init__(self, chain: Chain) -> None:
        hours = chain.spec.hours
        self.chain = chain
        self.are_known = hours is not None
        self.zone: dt.tzinfo = dt.UTC if hours is None else ZoneInfo(hours.zone)
        self._years: dict[int, tuple[Session, ...]] = {}
        self._days: dict[int, dict[dt.date, Session]] = {}
        self._stretches: dict[int, list[tuple[int, int]]] = {}

    def _year(self, year: int) -> tuple[Session, ...]:
        if year not in self._years:
            try:
                found = sessions(self.chain, dt.date(year, 1, 1), dt.date(year, 12, 31))
            except ValueError:
                found = ()  # the calendar does not reach there
            self._years[year] = found if self.are_known else ()
        return self._years[year]

    def between(self, first: dt.date, last: dt.date) -> tuple[Session, ...]:
        """Return the sessions of the trading dates from `first` to `last`."""
        found = (s for year in range(first.year, last.year + 1) for s in self._year(year))
        return tuple(session for session in found if first <= session.day <= last)

    def on(self, day: dt.date) -> Session | None:
        """Return the session of a trading date, None where none is known."""
        if day.year not in self._days:
            self._days[day.year] = {session.day: session for session in self._year(day.year)}
        return self._days[day.year].get(day)

    def begin(self, day: dt.date) -> dt.datetime:
        """Return when a trading date begins: the open of its session, else its midnight."""
        session = self.on(day)
        if session is not None:
            return at_minute(session.stretches[0][0])
        return dt.datetime.combine(day, dt.time(), self.zone).astimezone(dt.UTC)

    def stretch(self, moment: dt.datetime) -> tuple[dt.datetime, dt.datetime] | None:
        """Return the stretch of trading that a moment lies in, None where it lies in none."""
        minute = (moment - _EPOCH) // _MINUTE
        if moment.year not in self._stretches:
            near = (moment.year - 1, moment.year, moment.year + 1)
            self._stretches[moment.year] = [
                pair for year in near for session in self._year(year) for pair in session.stretches
            ]
        rows = self._stretches[moment.year]
        i = bisect_right(rows, minute, key=lambda pair: pair[0]) - 1
        if i < 0 or not rows[i][0] <= minute < rows[i][1]:
            return None
        return at_minute(rows[i][0]), at_minute(rows[i][1])

    def bar_end(self, start: dt.datetime, seconds: int) -> dt.datetime:
        """Return the scheduled close of an intraday bar.

        Bars are cut at multiples of their size on the clock of the exchange, and where trading
        stops.
        """
        offset = start.astimezone(self.zone).utcoffset() or dt.timedelta(0)
        size = dt.timedelta(seconds=seconds)
        local = start - _EPOCH + offset
        end = _EPOCH + (local // size + 1) * size - offset
        stretch = self.stretch(start)
        return end if stretch is None else min(end, stretch[1])

    def bar_starts(self, session: Session, seconds: int) -> Iterator[dt.datetime]:
        """Yield where the bars of a session start."""
        for opened, closed in session.stretches:
            start, end = at_minute(opened), at_minute(closed)
            while start < end:
                yield start
                start = self.bar_end(start, seconds)


@dataclass(frozen=True, slots=True)
class Window:
    """What one request is for: the bars that start from `start` to before `end`.

    `opens` is where the first of them is expected.
    """

    start: dt.datetime
    opens: dt.datetime
    end: dt.datetime


def windows(
    times: TradingTimes, size: BarSize, first: dt.datetime, last: dt.datetime
) -> list[Window]:
    """Return the windows that hold all bars which start from `first` to before `last`.

    Parameters
    ----------
    times
        When the root trades.
    size
        The size of the bars.
    first, last
        The span, with time zones.

    """
    words = longest_duration(size)
    days = _DAYS.get(words, 1)
    # Whole groups, whatever the span, and one more in front that says where the first one begins.
    low = _group(first.astimezone(dt.UTC).date() - _DAY, days) - 1
    high = _group(last.astimezone(dt.UTC).date() + 2 * _DAY, days)
    if times.are_known:
        grouped: dict[int, list[Session]] = {}
        for session in times.between(_first_day(low, days), _first_day(high + 1, days) - _DAY):
            grouped.setdefault(_group(session.day, days), []).append(session)
        found = list(_by_sessions(list(grouped.values()), None if words in _DAYS else words))
    else:
        found = list(_by_days(low, high, days, None if words in _DAYS else words))
    return [window for window in found if window.start < last and window.end > first]


def _group(day: dt.date, days: int) -> int:
    return (day.toordinal() - 1) // days  # day 1 was a Monday


def _first_day(group: int, days: int) -> dt.date:
    return dt.date.fromordinal(group * days + 1)


def _by_sessions(groups: list[list[Session]], seconds: str | None) -> Iterator[Window]:
    before: dt.datetime | None = None
    for group in groups:
        pairs = [(group[0].stretches[0][0], group[-1].stretches[-1][1])]
        if seconds is not None:
            pairs = [pair for session in group for pair in session.stretches]
        for opened, closed in pairs:
            for opens, end in _pieces(at_minute(opened), at_minute(closed), seconds):
                yield Window(opens if before is None else before, opens, end)
                before = end


def _by_days(low: int, high: int, days: int, seconds: str | None) -> Iterator[Window]:
    for group in range(low, high + 1):
        start = dt.datetime.combine(_first_day(group, days), dt.time(), dt.UTC)
        for opens, end in _pieces(start, start + days * _DAY, seconds):
            yield Window(opens, opens, end)


def _pieces(
    start: dt.datetime, end: dt.datetime, seconds: str | None
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    if seconds is None:
        yield start, end
        return
    step = dt.timedelta(seconds=int(seconds.split()[0]))
    while start < end:
        cut = min(end, _EPOCH + ((start - _EPOCH) // step + 1) * step)
        yield start, cut
        start = cut
