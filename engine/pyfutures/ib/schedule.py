"""When the gateway is away or not to be believed: maintenance windows, as a function of time.

Rules of this file. A window is a wall-clock stretch in its own zone, by the weekday on which it
begins; a window whose end is not after its start ends on the next day. Inside a window that
`disables`, a client keeps away from the gateway. Inside any other the gateway may answer "no such
contract" about contracts that exist, so a negative answer is not final. Nothing here reads a clock:
a client asks for resets by the gateway's, once it has told the time, and for what disables it by
the machine's.

The windows are data of IB's status page (https://www.interactivebrokers.com/en/software/
systemStatus.php, as stored in 2025): North America 00:15-01:45 New York, Europe 06:25-07:45 CET,
Asia-Pacific 04:45-06:05 and 20:15-21:15 Hong Kong, Sunday to Friday; all regions are down from
Friday 23:00 to Saturday 03:00 New York. A page of December 2024 had other hours: give your own
windows where yours differ. A login lasts until Sunday 01:00 New York
(https://ibkrguides.com/traderworkstation/auto-restart-considerations.htm).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pyfutures.ib.times import zone

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RESETS", "WEEKEND", "Region", "Schedule", "Window", "weekly_login"]

_MONDAY_TO_FRIDAY: Final = frozenset({0, 1, 2, 3, 4})
_FRIDAY: Final = 4
_SUNDAY: Final = 6
_ALL_BUT_SATURDAY: Final = _MONDAY_TO_FRIDAY | {_SUNDAY}
_DAY: Final = dt.timedelta(days=1)


class Region(StrEnum):
    """Where an account's servers are."""

    NORTH_AMERICA = "north america"
    EUROPE = "europe"
    ASIA_PACIFIC = "asia pacific"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the day, on the weekdays (Monday is 0) on which it begins.

    Raises
    ------
    UnknownZoneError
        For a zone that is not known.
    ValueError
        For a weekday that is none, or for none at all.

    """

    name: str
    zone: str
    start: dt.time
    end: dt.time
    weekdays: frozenset[int] = frozenset(range(7))
    disables: bool = False
    days: int = 0

    def __post_init__(self) -> None:
        zone(self.zone)
        if not self.weekdays or not self.weekdays <= frozenset(range(7)):
            raise ValueError(f"{self.name}: weekdays {sorted(self.weekdays)}; Monday is 0")
        if self.days < 0:
            raise ValueError(f"{self.name}: {self.days} days more than its first")

    def around(self, moment: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Yield the stretches near a moment, from those over it to those of the next nine days."""
        where = zone(self.zone)
        today = moment.astimezone(where).date()
        for offset in range(-2 - self.days, 9):
            day = today + offset * _DAY
            if day.weekday() not in self.weekdays:
                continue
            last = day + (self.days + (self.end <= self.start)) * _DAY
            start = dt.datetime.combine(day, self.start, where).astimezone(dt.UTC)
            end = dt.datetime.combine(last, self.end, where).astimezone(dt.UTC)
            if start < end:
                yield start, end

    def over(self, moment: dt.datetime) -> bool:
        """Whether a moment lies in the window; its end does not."""
        return any(start <= moment < end for start, end in self.around(moment))


def _reset(name: str, where: str, start: str, end: str) -> Window:
    return Window(
        name, where, dt.time.fromisoformat(start), dt.time.fromisoformat(end), _ALL_BUT_SATURDAY
    )


#: The daily resets of IB's servers.
RESETS: Final = {
    Region.NORTH_AMERICA: (_reset("reset", "America/New_York", "00:15", "01:45"),),
    Region.EUROPE: (_reset("reset", "Europe/Berlin", "06:25", "07:45"),),
    Region.ASIA_PACIFIC: (
        _reset("morning reset", "Asia/Hong_Kong", "04:45", "06:05"),
        _reset("evening reset", "Asia/Hong_Kong", "20:15", "21:15"),
    ),
}
#: All services of all regions are down.
WEEKEND: Final = Window(
    "weekend maintenance",
    "America/New_York",
    dt.time(23),
    dt.time(3),
    frozenset({_FRIDAY}),
    disables=True,
)


def weekly_login(until: dt.time, where: str = "America/New_York") -> Window:
    """Return the window from the end of the weekly login, Sunday 01:00 New York, to `until`.

    Parameters
    ----------
    until
        When somebody will have logged in again, on Sunday.
    where
        The zone of both.

    """
    return Window("weekly login", where, dt.time(1), until, frozenset({_SUNDAY}), disables=True)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The windows to mind. By default the resets of all regions, and none that disables."""

    windows: tuple[Window, ...] = tuple(window for region in Region for window in RESETS[region])

    @classmethod
    def of(cls, region: Region, *more: Window, weekend: bool = True) -> Schedule:
        """Return the resets of a region, the weekend, and what else you have.

        Parameters
        ----------
        region
            Where the account's servers are.
        more
            Other windows, such as the daily restart of your gateway or `weekly_login`.
        weekend
            Whether to keep away during the weekend's maintenance.

        """
        return cls((*RESETS[region], *([WEEKEND] if weekend else []), *more))

    def in_reset(self, moment: dt.datetime) -> bool:
        """Whether negative answers are not to be believed."""
        return any(window.over(moment) for window in self.windows)

    def is_enabled(self, moment: dt.datetime) -> bool:
        """Whether a client may be connected."""
        return not any(window.disables and window.over(moment) for window in self.windows)

    def enabled_at(self, moment: dt.datetime) -> dt.datetime:
        """Return the first instant, `moment` or later, at which a client may be connected.

        Raises
        ------
        ValueError
            Where the windows leave no such instant within a month.

        """
        at = moment
        for _ in range(60 * max(1, len(self.windows))):
            ends = [end for start, end in self._disabling(at) if start <= at < end]
            if not ends:
                return at
            at = max(ends)
        raise ValueError("the windows of the schedule leave no time to be connected")

    def disabled_at(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the first instant, `moment` or later, from which a client keeps away, if any."""
        if not self.is_enabled(moment):
            return moment
        return min((start for start, _ in self._disabling(moment) if start > moment), default=None)

    def _disabling(self, moment: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        for window in self.windows:
            if window.disables:
                yield from window.around(moment)
