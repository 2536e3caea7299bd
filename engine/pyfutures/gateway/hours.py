"""When a product trades: sessions of a day, the one of an instant, hours as IB spells them."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pyfutures.chain.sessions import Session, sessions

if TYPE_CHECKING:
    from pyfutures.chain import Chain

__all__ = ["NS_PER_MINUTE", "Hours", "Stretches"]

NS_PER_MINUTE: Final = 60_000_000_000
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LIQUID_FROM: Final = dt.time(8, 30)  # of products that open the evening before
_LONG: Final = 400  # days to look for the next session: more than any closure

type Stretches = tuple[tuple[int, int], ...]


def _minute(local: dt.datetime) -> int:
    return int((local - _EPOCH).total_seconds() // 60)


class Hours:
    """The trading hours of one product.

    Parameters
    ----------
    chain
        Whose sessions they are.

    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        hours = chain.spec.hours
        self.zone = ZoneInfo("UTC" if hours is None else hours.zone)
        self._overnight = hours is not None and hours.open >= hours.close
        self._years: dict[int, tuple[Session, ...]] = {}
        self._days: dict[int, dict[dt.date, Session]] = {}
        self._stretches: dict[int, list[tuple[int, int, Session]]] = {}
        self._before: dict[dt.date, Session | None] = {}
        self._early: dict[dt.date, int] = {}  # minute of the close

    def close_early(self, day: dt.date, time: dt.time) -> None:
        """Let a session end at a local time, as on the eve of a holiday."""
        self._early[day] = _minute(dt.datetime.combine(day, time, self.zone))
        self._years.clear()
        self._days.clear()
        self._stretches.clear()
        self._before.clear()

    def year(self, year: int) -> tuple[Session, ...]:
        """Return the sessions of a year; none where the calendar does not reach."""
        if year not in self._years:
            self._years[year] = tuple(self._read(year))
        return self._years[year]

    def _read(self, year: int) -> list[Session]:
        try:
            found = sessions(self.chain, dt.date(year, 1, 1), dt.date(year, 12, 31))
        except ValueError:
            return []
        answer = []
        for session in found:
            end = self._early.get(session.day)
            if end is None:
                answer.append(session)
            elif cut := tuple((a, min(b, end)) for a, b in session.stretches if a < end):
                answer.append(replace(session, stretches=cut))
        return answer

    def on(self, day: dt.date) -> Session | None:
        """Return the session of a trading date, None if it is closed."""
        if day.year not in self._days:
            self._days[day.year] = {session.day: session for session in self.year(day.year)}
        return self._days[day.year].get(day)

    def between(self, first: dt.date, last: dt.date) -> tuple[Session, ...]:
        """Return the sessions of the trading dates from `first` to `last`."""
        found = (s for year in range(first.year, last.year + 1) for s in self.year(year))
        return tuple(session for session in found if first <= session.day <= last)

    def _near(self, year: int) -> list[tuple[int, int, Session]]:
        # Sessions of a new year open in the old one.
        if year not in self._stretches:
            self._stretches[year] = [
                (opened, closes, session)
                for near in (year - 1, year, year + 1)
                for session in self.year(near)
                for opened, closes in session.stretches
            ]
        return self._stretches[year]

    def at(self, ns: int) -> Session | None:
        """Return the session that is open at an instant, None if the market is closed."""
        minute = ns // NS_PER_MINUTE
        rows = self._near(_year(ns))
        i = bisect_right(rows, minute, key=lambda row: row[0]) - 1
        return rows[i][2] if i >= 0 and rows[i][0] <= minute < rows[i][1] else None

    def ahead(self, ns: int) -> Session | None:
        """Return the session that is open or opens next; None past the end of the calendar."""
        rows = self._near(_year(ns))
        i = bisect_right(rows, ns // NS_PER_MINUTE, key=lambda row: row[1])
        return rows[i][2] if i < len(rows) else None

    def before(self, session: Session) -> Session | None:
        """Return the session before another."""
        day = session.day
        if day not in self._before:
            found = self.between(day - dt.timedelta(_LONG), day - dt.timedelta(1))
            self._before[day] = found[-1] if found else None
        return self._before[day]

    def next_open(self, ns: int) -> int | None:
        """Return the instant from which trading goes on: now, if it does; None if never."""
        rows = self._near(_year(ns))
        minute = ns // NS_PER_MINUTE
        i = bisect_right(rows, minute, key=lambda row: row[1])
        if i == len(rows):
            return None
        return max(ns, rows[i][0] * NS_PER_MINUTE)

    def liquid(self, session: Session) -> Stretches:
        """Return the stretches of regular trading hours, a part of the session or all of it."""
        if not self._overnight:
            return session.stretches
        start = _minute(dt.datetime.combine(session.day, _LIQUID_FROM, self.zone))
        return tuple((max(a, start), b) for a, b in session.stretches if b > start)

    def local(self, minute: int) -> dt.datetime:
        """Return a minute since 1970 on the clock of the exchange."""
        return (_EPOCH + dt.timedelta(minutes=minute)).astimezone(self.zone)

    def text(self, ns: int, *, liquid: bool, days: int = 7) -> str:
        """Return the hours of the next days as contract details have them.

        A date without a session is `CLOSED`, unless the next session opens on it.
        """
        today = self.ahead(ns)
        if today is None:
            return ""
        parts = []
        for offset in range(days):
            day = today.day + dt.timedelta(offset)
            session = self.on(day)
            if session is not None:
                stretches = self.liquid(session) if liquid else session.stretches
                parts.append(self._spell(stretches) or f"{day:%Y%m%d}:CLOSED")
                continue
            after = self.on(day + dt.timedelta(1))
            if after is None or self.local(after.stretches[0][0]).date() != day:
                parts.append(f"{day:%Y%m%d}:CLOSED")
        return ";".join(parts)

    def _spell(self, stretches: Stretches) -> str:
        clock = "%Y%m%d:%H%M"
        return ",".join(f"{self.local(a):{clock}}-{self.local(b):{clock}}" for a, b in stretches)


def _year(ns: int) -> int:
    return (_EPOCH + dt.timedelta(seconds=ns // 1_000_000_000)).year
