"""When a root trades and which contracts it has, in the plain terms a simulated market needs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.calendars.days import date_of, day_number
from pyfutures.chain.instants import utc_instants
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from pyfutures.calendars import Calendar
    from pyfutures.chain import Chain

__all__ = ["Listing", "Session", "listings", "sessions"]

_NS_PER_MINUTE: Final = 60_000_000_000
_PRICE_SCALE: Final = 10**9
_LIFE: Final = dt.timedelta(days=3 * 365)


@dataclass(frozen=True, slots=True)
class Session:
    """One trading date: stretches of trading between breaks, in whole minutes since 1970 UTC."""

    day: dt.date
    stretches: tuple[tuple[int, int], ...]

    @property
    def close_ns(self) -> int:
        """The scheduled close in UTC nanoseconds: the timestamp of the daily bar."""
        return self.stretches[-1][1] * _NS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class Listing:
    """A contract as the market knows it.

    `first` and `last` are its first and last trading days, `last_ns` the instant of the last trade,
    `tick` in units of 1e-9. Trading comes to it as the month before is left (`enter`), and leaves
    it for the next month at `leave`; both None if nobody holds the month.
    """

    month: ContractMonth
    first: dt.date
    last: dt.date
    last_ns: int
    tick: int
    enter: dt.date | None = None
    leave: dt.date | None = None


def sessions(chain: Chain, first: dt.date, last: dt.date) -> tuple[Session, ...]:
    """Return the open sessions of a root from `first` to `last`, both included.

    Open days are those of the calendar of the last trade. Where the spec has no trading hours a
    session is 08:00 to 17:00 UTC.

    Raises
    ------
    ValueError
        If the root has no rule for the last trade at `first`, or its calendar does not reach the
        dates.
    """
    event = chain.spec.last_trade.spans.at(ContractMonth(first.year, first.month))
    if event is None:
        msg = f"{chain.root}: no last-trade rule in {first:%Y-%m}, so no calendar of its sessions"
        raise ValueError(msg)
    calendar = chain.calendars[event.calendar]
    if first < calendar.first or last > calendar.last:
        msg = (
            f"{chain.root}: sessions {first} to {last} are outside calendar {calendar.name},"
            f" {calendar.first} to {calendar.last}"
        )
        raise ValueError(msg)
    low, high = np.searchsorted(calendar.days, [day_number(first), day_number(last) + 1])
    days = calendar.days[low:high]
    hours = chain.spec.hours
    if hours is None:
        bounds, zone, overnight = [(dt.time(8), dt.time(17))], "UTC", None
    else:
        edges = [hours.open, *(time for pause in hours.breaks for time in pause), hours.close]
        bounds = list(zip(edges[::2], edges[1::2], strict=True))
        zone, overnight = hours.zone, hours.open if hours.open >= hours.close else None
    columns = [
        [_minutes(days, time, zone, overnight, closes=closes) for closes, time in enumerate(pair)]
        for pair in bounds
    ]
    answer = []
    for row, number in enumerate(days.tolist()):
        stretches = [(opened[row], close[row]) for opened, close in columns]
        day = date_of(number)
        if kept := _clip(stretches, day, calendar):
            answer.append(Session(day, kept))
    return tuple(answer)


def _minutes(
    days: np.ndarray[tuple[int], np.dtype[np.int64]],
    time: dt.time,
    zone: str,
    overnight: dt.time | None,
    *,
    closes: int,
) -> list[int]:
    """Return when a clock shows `time` in each session; from `overnight` on it is the eve's."""
    eve = overnight is not None and time >= overnight and not (closes and time == overnight)
    minutes: list[int] = (utc_instants(days - eve, time, zone) // _NS_PER_MINUTE).tolist()
    return minutes


def _clip(
    stretches: list[tuple[int, int]], day: dt.date, calendar: Calendar
) -> tuple[tuple[int, int], ...]:
    """Return the stretches before an early close."""
    early = calendar.early_closes.get(day)
    if early is None:
        return tuple(stretches)
    at = np.array([day_number(day)], np.int64)
    end = int(utc_instants(at, early, calendar.zone or "UTC")[0]) // _NS_PER_MINUTE
    return tuple((a, min(b, end)) for a, b in stretches if a < end)


def listings(
    chain: Chain, first: ContractMonth, last: ContractMonth, *, life: dt.timedelta = _LIFE
) -> tuple[Listing, ...]:
    """Return the priced contracts from `first` to `last` whose last trade is known.

    A contract starts `life` before its last trade: a spec says which months exist, not since when.
    Where the spec gives no time of the last trade, it is the end of that day, UTC.

    Raises
    ------
    ValueError
        If a month has no tick.
    """
    held = chain.rolls.rows if chain.spec.roll else ()
    leave = {row.month: row.roll_date for row in held}
    enter = {row.month: leave.get(row.previous) for row in held if row.previous}
    answer = []
    for row in chain.rows(first, last):
        if not row.priced or row.last_trade is None:
            continue
        tick = chain.spec.tick.at(row.month)
        if tick is None:
            msg = f"{chain.root} {row.month}: no tick in {chain.spec.path}"
            raise ValueError(msg)
        end = row.last_trade_utc or dt.datetime.combine(row.last_trade, dt.time(23, 59), dt.UTC)
        answer.append(
            Listing(
                row.month,
                row.last_trade - life,
                row.last_trade,
                int(end.timestamp()) * _PRICE_SCALE,
                int(tick * _PRICE_SCALE),
                enter.get(row.month),
                leave.get(row.month),
            )
        )
    return tuple(answer)
