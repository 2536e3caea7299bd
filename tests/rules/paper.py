"""Calendars on paper: closed days copied by hand from exchange pages, nothing computed."""

from __future__ import annotations

import datetime as dt

from pyfutures.calendars import Calendar

_DAY = dt.timedelta(1)

# https://www.nyse.com/markets/hours-calendars and its press releases of earlier years.
NYSE = {
    "2021": "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24",
    "2022": "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26",
    "2023": "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25",
    "2024": "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    "2025": "01-01 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
}
NAMES = {
    dt.date(2024, 3, 29): "Good Friday",
    dt.date(2024, 5, 27): "Memorial Day",
    dt.date(2024, 6, 19): "Juneteenth",
    dt.date(2024, 7, 4): "Independence Day",
    dt.date(2024, 11, 28): "Thanksgiving",
    dt.date(2024, 12, 25): "Christmas",
}
# https://www.ice.com/publicdocs/Trading_Schedule.pdf: ICE Futures Europe, energy, whole days only.
ICE_EUROPE = {
    "2023": "01-02 04-07 12-25",
    "2024": "01-01 03-29 12-25",
    "2025": "01-01 04-18 12-25",
}


def closed_days(table: dict[str, str]) -> set[dt.date]:
    return {
        dt.date.fromisoformat(f"{year}-{day}")
        for year, days in table.items()
        for day in days.split()
    }


def weekdays(first: str, last: str, closed: set[dt.date] = frozenset()) -> list[dt.date]:  # type: ignore[assignment]
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    days = (start + n * _DAY for n in range((end - start).days + 1))
    return [day for day in days if day.weekday() < 5 and day not in closed]


def calendar(  # a whole span of years, weekends included at its ends
    name: str, first: str, last: str, closed: set[dt.date], valid_until: str | None = None
) -> Calendar:
    return Calendar.from_days(
        name,
        weekdays(first, last, closed),
        first=dt.date.fromisoformat(first),
        last=dt.date.fromisoformat(last),
        valid_until=None if valid_until is None else dt.date.fromisoformat(valid_until),
        reasons=NAMES,
    )


CALENDARS = {
    "us": calendar("us", "2021-01-01", "2025-12-31", closed_days(NYSE)),
    "ice": calendar("ice", "2023-01-01", "2025-12-31", closed_days(ICE_EUROPE)),
    "weekdays": calendar("weekdays", "2000-01-01", "2030-12-31", set()),
    # Nothing was recorded after June 2024; the rest of the year is projected.
    "projected": calendar("projected", "2024-01-01", "2024-12-31", closed_days(NYSE), "2024-06-30"),
    "none": Calendar.from_days("none", [], first=dt.date(2000, 1, 1), last=dt.date(2030, 12, 31)),
}
