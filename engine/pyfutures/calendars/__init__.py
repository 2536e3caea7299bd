"""Business-day calendars: which days count, on which exchange, and until when that is known.

Importing this package loads neither exchange_calendars nor pandas; only a base that is not
shipped does, the first time it is built.
"""

from __future__ import annotations

from pyfutures.calendars.annual import Annual, Observed
from pyfutures.calendars.bases import (
    FIRST_DAY,
    LAST_DAY,
    Base,
    CacheWarning,
    load_base,
    shipped_codes,
)
from pyfutures.calendars.calendar import Calendar
from pyfutures.calendars.days import (
    NAT,
    NO_DAY,
    DayTable,
    date_of,
    day_number,
    month_starts,
)
from pyfutures.calendars.errors import (
    BaseError,
    CalendarError,
    CalendarRangeError,
    CalendarSpecError,
    CircularJoinError,
    NoSuchDayError,
    UnknownCalendarError,
)
from pyfutures.calendars.library import CalendarLibrary
from pyfutures.calendars.spec import (
    WEEKDAYS,
    CalendarSpec,
    Join,
    JoinKind,
    Member,
    bad_dates,
)

__all__ = [
    "FIRST_DAY",
    "LAST_DAY",
    "NAT",
    "NO_DAY",
    "WEEKDAYS",
    "Annual",
    "Base",
    "BaseError",
    "CacheWarning",
    "Calendar",
    "CalendarError",
    "CalendarLibrary",
    "CalendarRangeError",
    "CalendarSpec",
    "CalendarSpecError",
    "CircularJoinError",
    "DayTable",
    "Join",
    "JoinKind",
    "Member",
    "NoSuchDayError",
    "Observed",
    "UnknownCalendarError",
    "bad_dates",
    "date_of",
    "day_number",
    "load_base",
    "month_starts",
    "shipped_codes",
]
