"""UTC instants of local clock times: the table of offsets against ``zoneinfo``, day by day."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.calendars import NAT
from pyfutures.chain.instants import NAT_NS, utc_instants

ZONES = [
    "America/New_York",
    "America/Chicago",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Seoul",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Moscow",
    "Europe/Paris",
    "UTC",
]


# 04:00 to 22:59: clocks are changed at night, and what the clock shows then has no one answer.
@given(
    zone=st.sampled_from(ZONES),
    days=st.lists(st.dates(dt.date(1970, 1, 1), dt.date(2051, 6, 1)), min_size=1, max_size=20),
    clock=st.times(dt.time(4), dt.time(22, 59)).map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_as_zoneinfo(zone, days, clock):
    numbers = np.array([(day - dt.date(1970, 1, 1)).days for day in days])
    expected = [
        int(dt.datetime.combine(day, clock, ZoneInfo(zone)).timestamp()) * 10**9 for day in days
    ]
    assert utc_instants(numbers, clock, zone).tolist() == expected


def test_first_of_two_hours():
    # 2024-11-03 in New York had 01:30 twice: at 05:30 and 06:30 UTC.
    day = np.array([(dt.date(2024, 11, 3) - dt.date(1970, 1, 1)).days])
    (instant,) = utc_instants(day, dt.time(1, 30), "America/New_York")
    assert np.datetime64(int(instant), "ns") == np.datetime64("2024-11-03T05:30")


def test_an_unknown_day_stays_unknown():
    assert utc_instants(np.array([NAT]), dt.time(9), "UTC").tolist() == [NAT_NS]


def test_an_unknown_zone_is_an_error():
    with pytest.raises(KeyError, match="Mars"):
        utc_instants(np.array([0]), dt.time(9), "Mars/Olympus")
