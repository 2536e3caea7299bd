"""Time zones as people write them, and the place that was meant."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Final

from pyfutures.specs.words import suggestion

__all__ = ["FIXED", "hint", "is_zone"]

#: Abbreviations of winter or of summer alone. The database has some of them, without the other
#: half of the year: whoever writes one means the city.
_PLACES: Final = {
    "America/New_York": ("ET", "EST", "EDT"),
    "America/Chicago": ("CT", "CST", "CDT"),
    "America/Denver": ("MST", "MDT"),
    "America/Los_Angeles": ("PT", "PST", "PDT"),
    "America/Sao_Paulo": ("BRT",),
    "Europe/London": ("BST",),
    "Europe/Berlin": ("CEST", "MEZ", "MESZ"),
    "Europe/Moscow": ("MSK",),
    "Asia/Kolkata": ("IST",),
    "Asia/Singapore": ("SGT",),
    "Asia/Hong_Kong": ("HKT",),
    "Asia/Tokyo": ("JST",),
    "Asia/Seoul": ("KST",),
    "Australia/Sydney": ("AET", "AEST", "AEDT"),
}
_ABBREVIATIONS: Final = {short: zone for zone, names in _PLACES.items() for short in names}
#: Names that the database has, and that have no summer time where those who write them have it.
FIXED: Final = frozenset({"EST", "MST"})


@cache
def is_zone(name: str) -> bool:
    """Whether the database of time zones has a name."""
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # A folder of the database, a path out of it or an odd file name are no zones either.
        return False
    return True


def hint(name: str) -> str:
    """Return what to write instead of a name that is no time zone, or not the one that is meant."""
    if place := _ABBREVIATIONS.get(name.upper()):
        return f"write the place: `{place}`"
    if name[:1] in {"+", "-"} or name[:4].upper() in {"UTC+", "UTC-", "GMT+", "GMT-"}:
        return "name the place, such as `America/Chicago`: hours from UTC change in summer"
    known = zoneinfo.available_timezones()
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(known)}
    if place := cities.get(name.replace(" ", "_")):
        return f"did you mean `{place}`?"
    found = suggestion(name, known, "the zones are")
    return found if "did you mean" in found else "write an IANA name, such as `America/Chicago`"
