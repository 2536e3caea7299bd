"""Times as the gateway writes them, and what instant each means.

Rules of this file. ``yyyymmdd-hh:mm:ss`` is UTC, whatever zone stands elsewhere in the message.
With a space the text names its own zone behind the time, or none: then the zone is the one chosen
at login, which the wire does not tell, and the caller must give it. A date without a time is a
date, never a midnight. A zone that is not known is an error, never a default. (Recorded: milk, last
trade ``20240402-17:10:00`` with zone US/Central is 12:10 in Chicago.)
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

__all__ = [
    "ZONE_ALIASES",
    "BarSize",
    "Hours",
    "LastTrade",
    "TimeError",
    "UnknownZoneError",
    "bar_close",
    "bar_time",
    "format_utc",
    "hours",
    "instant",
    "last_trade",
    "zone",
]


class TimeError(ValueError):
    """A text that is no time in any form known."""


class UnknownZoneError(TimeError):
    """A zone that is not known, or not named where one is needed."""


#: Zone names of gateways that are no IANA key, or mean another zone there than their IANA
#: namesake: EST is a fixed offset in the IANA base, but TWS means New York, summer time included.
ZONE_ALIASES: Final = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "Eastern Standard Time": "America/New_York",
    "Eastern Daylight Time": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "Central Standard Time": "America/Chicago",
    "Central Daylight Time": "America/Chicago",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "BST": "Europe/London",
    "British Summer Time": "Europe/London",
    "Greenwich Mean Time": "Etc/GMT",
    "CEST": "Europe/Berlin",
    "MEZ": "Europe/Berlin",
    "Middle Europe Time": "Europe/Berlin",
    "Central European Standard Time": "Europe/Berlin",
    "Central European Time": "Europe/Berlin",
    "Central European Summer Time": "Europe/Berlin",
    "JST": "Asia/Tokyo",
    "Japan Standard Time": "Asia/Tokyo",
    "HKT": "Asia/Hong_Kong",
    "Hong Kong Time": "Asia/Hong_Kong",
    "SGT": "Asia/Singapore",
    "Singapore Standard Time": "Asia/Singapore",
    "KST": "Asia/Seoul",
    "Korea Standard Time": "Asia/Seoul",
    "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney",
    "Australian Eastern Standard Time": "Australia/Sydney",
    "India Standard Time": "Asia/Kolkata",
    "Israel Standard Time": "Asia/Jerusalem",
    "Coordinated Universal Time": "UTC",
}

_UTC: Final = dt.UTC
_DASHED: Final = re.compile(r"(\d{8})-(\d{2}):(\d{2})(?::(\d{2}))?Z?")
_SPACED: Final = re.compile(r"(\d{8}) +(\d{1,2}):(\d{2})(?::(\d{2}))?(?: +(.+))?")
_DATE: Final = re.compile(r"\d{8}")
_SECONDS: Final = re.compile(r"\d{9,11}")
_DISPLAY: Final = re.compile(r"([A-Za-z/_]+) \(.*\)")


@cache
def zone(name: str) -> ZoneInfo:
    """Return the time zone of a gateway's name for it: an IANA key or one of `ZONE_ALIASES`.

    Raises
    ------
    UnknownZoneError
        For any other name, and for none.

    """
    text = name.strip()
    if found := _DISPLAY.fullmatch(text):  # "EST (Eastern Standard Time)"
        text = found[1]
    key = ZONE_ALIASES.get(text, text)
    if not key:
        raise UnknownZoneError("no time zone is named; give the one of the login or the exchange")
    try:
        return ZoneInfo(key)
    except (KeyError, ValueError, OSError):
        raise UnknownZoneError(
            f"`{name}` is no time zone that is known; add it to pyfutures.ib.times.ZONE_ALIASES"
        ) from None


def _date(text: str) -> dt.date:
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        raise TimeError(f"`{text}` is no date") from None


def _clock(found: re.Match[str]) -> dt.datetime:
    try:
        clock = dt.time(int(found[2]), int(found[3]), int(found[4] or 0))
    except ValueError:
        raise TimeError(f"`{found[0]}` is no time of day") from None
    return dt.datetime.combine(_date(found[1]), clock)


def _utc(local: dt.datetime, where: dt.tzinfo) -> dt.datetime:
    try:
        return local.replace(tzinfo=where).astimezone(_UTC)
    except OverflowError:
        raise TimeError(f"`{local}` is outside the years that are known") from None


def instant(text: str, *, login_zone: str | None = None) -> dt.datetime:
    """Return the instant of a time, in UTC.

    Parameters
    ----------
    text
        ``20250415-19:38:31`` (UTC), ``20250415 19:38:31 US/Eastern``, ``20250415  19:38:31`` (in
        the zone of the login, with one space or two) or seconds since 1970.
    login_zone
        The zone chosen at login, for texts that name none.

    Raises
    ------
    TimeError
        For a text in no such form, e.g. a date alone.
    UnknownZoneError
        Where the zone is not known, or neither named nor given.

    """
    if found := _DASHED.fullmatch(text):
        return _utc(_clock(found), _UTC)
    if found := _SPACED.fullmatch(text):
        name = found[5] or login_zone
        if name is None:
            raise UnknownZoneError(f"`{text}` names no time zone; give the one chosen at login")
        return _utc(_clock(found), zone(name))
    if _SECONDS.fullmatch(text):
        return dt.datetime.fromtimestamp(int(text), _UTC)
    raise TimeError(
        f"`{text}` is no instant: yyyymmdd-hh:mm:ss (UTC), yyyymmdd hh:mm:ss with a zone, "
        "or seconds since 1970"
    )


def format_utc(moment: dt.datetime) -> str:
    """Return a time as requests should have it, ``yyyymmdd-hh:mm:ss`` in UTC.

    Raises
    ------
    TimeError
        For a time without a zone.

    """
    if moment.tzinfo is None:
        raise TimeError(f"`{moment}` has no time zone")
    utc = moment.astimezone(_UTC)
    return f"{utc.year:04d}{utc:%m%d-%H:%M:%S}"


@dataclass(frozen=True, slots=True)
class LastTrade:
    """The last trade of a contract: its date at the exchange, and the instant if it was told."""

    date: dt.date
    instant: dt.datetime | None


def last_trade(
    text: str, time_zone: str, *, date: str = "", login_zone: str | None = None
) -> LastTrade:
    """Return the last trade from contract details.

    Parameters
    ----------
    text
        What stands in `Contract.last_trade`, in one of its three forms: ``20240402``,
        ``20240402-17:10:00`` (UTC) or ``20240402 12:10:00 US/Central`` (its own zone).
    time_zone
        The exchange's zone, `ContractDetails.time_zone`: the date is the one there. A gateway in
        another zone names the next day (ib_insync 605).
    date
        `Contract.last_trade_date` (from server version 182); it wins over the date of `text`.
    login_zone
        The zone chosen at login, for a time that names none.

    Raises
    ------
    TimeError
        For a text in no such form.
    UnknownZoneError
        Where a zone is needed and not known.

    """
    told = _date(date) if _DATE.fullmatch(date) else None
    if date and told is None:
        raise TimeError(f"`{date}` is no date")
    if _DATE.fullmatch(text):
        return LastTrade(told or _date(text), None)
    moment = instant(text, login_zone=login_zone)
    return LastTrade(told or moment.astimezone(zone(time_zone)).date(), moment)


class BarSize(StrEnum):
    """The bar sizes there are, spelled as requests have them."""

    SECOND_1 = "1 secs"
    SECOND_5 = "5 secs"
    SECOND_10 = "10 secs"
    SECOND_15 = "15 secs"
    SECOND_30 = "30 secs"
    MINUTE_1 = "1 min"
    MINUTE_2 = "2 mins"
    MINUTE_3 = "3 mins"
    MINUTE_5 = "5 mins"
    MINUTE_10 = "10 mins"
    MINUTE_15 = "15 mins"
    MINUTE_20 = "20 mins"
    MINUTE_30 = "30 mins"
    HOUR_1 = "1 hour"
    HOUR_2 = "2 hours"
    HOUR_3 = "3 hours"
    HOUR_4 = "4 hours"
    HOUR_8 = "8 hours"
    DAY_1 = "1 day"
    WEEK_1 = "1 week"
    MONTH_1 = "1 month"

    @property
    def seconds(self) -> int | None:
        """The length of an intraday bar; None from a day on, whose bars are dates."""
        count, unit = self.value.split()
        length = {"sec": 1, "min": 60, "hou": 3600}.get(unit[:3])
        return None if length is None else int(count) * length

    @property
    def is_small(self) -> bool:
        """Whether requests for it are paced strictly: 30 seconds and below."""
        seconds = self.seconds
        return seconds is not None and seconds <= 30


def bar_time(text: str, *, login_zone: str | None = None) -> dt.date | dt.datetime:
    """Return when a bar is: a date for daily and longer bars, else the instant of its start.

    Raises
    ------
    TimeError
        For a text that is neither.
    UnknownZoneError
        For text in the zone of the login where that is not given; ask with `format_date` 2.

    """
    if _DATE.fullmatch(text):
        return _date(text)
    return instant(text, login_zone=login_zone)


def bar_close(
    start: dt.datetime, size: BarSize, *, until: dt.datetime | None = None
) -> dt.datetime:
    """Return the scheduled close of an intraday bar that starts at `start`.

    Parameters
    ----------
    start
        The start, as the gateway gives it.
    size
        Its size.
    until
        The close of its session, or the start of the bar behind it where that comes sooner:
        gateways cut bars at full hours and at the close.

    Raises
    ------
    TimeError
        For a daily or longer bar, whose close is a question for a calendar; for a start without
        zone.

    """
    if size.seconds is None:
        raise TimeError(f"a bar of {size} closes when its session does: ask the calendar")
    if start.tzinfo is None:
        raise TimeError(f"`{start}` has no time zone")
    close = start.astimezone(_UTC) + dt.timedelta(seconds=size.seconds)
    return close if until is None or until <= start else min(close, until.astimezone(_UTC))


@dataclass(frozen=True, slots=True)
class Hours:
    """One stretch of trading, by the date of its open; no open and no close on a closed day."""

    date: dt.date
    open: dt.datetime | None
    close: dt.datetime | None


def hours(text: str, time_zone: str) -> tuple[Hours, ...]:
    """Return the stretches of `ContractDetails.trading_hours` or `liquid_hours`, in UTC.

    Parameters
    ----------
    text
        ``20240325:1700-20240326:1600;20240329:CLOSED``, always in the exchange's zone.
    time_zone
        The exchange's zone.

    Raises
    ------
    TimeError
        For a part in no such form.
    UnknownZoneError
        For a zone that is not known.

    """
    if not text:
        return ()
    where = zone(time_zone)
    found: list[Hours] = []
    for part in text.split(";"):
        day, _, rest = part.partition(":")
        if not _DATE.fullmatch(day):
            raise TimeError(f"`{part}` is no stretch of trading hours")
        if rest == "CLOSED":
            found.append(Hours(_date(day), None, None))
            continue
        for stretch in part.split(","):
            start, dash, end = stretch.partition("-")
            if not dash:
                raise TimeError(f"`{part}` is no stretch of trading hours")
            # Old gateways leave the date of the close out: it is the same day then.
            end = end if ":" in end else f"{start[:8]}:{end}"
            found.append(Hours(_date(start), _hour(start, where), _hour(end, where)))
    return tuple(found)


def _hour(text: str, where: dt.tzinfo) -> dt.datetime:
    found = re.fullmatch(r"(\d{8}):(\d{2})(\d{2})()", text)
    if found is None:
        raise TimeError(f"`{text}` is no hour of trading")
    if found[2] == "24" and found[3] == "00":
        return _utc(dt.datetime.combine(_date(text) + dt.timedelta(days=1), dt.time()), where)
    return _utc(_clock(found), where)
