"""Maintenance windows, by the pages they come from; and the daily clock changes through them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.ib.schedule import RESETS, WEEKEND, Region, Schedule, Window, weekly_login
from pyfutures.ib.times import UnknownZoneError


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("region", "moment", "in_reset"),
    [
        # New York 00:15 to 01:45, Sunday to Friday; EDT is four hours behind UTC, EST five.
        (Region.NORTH_AMERICA, "2024-03-26 04:14", False),
        (Region.NORTH_AMERICA, "2024-03-26 04:15", True),
        (Region.NORTH_AMERICA, "2024-03-26 05:44", True),
        (Region.NORTH_AMERICA, "2024-03-26 05:45", False),
        (Region.NORTH_AMERICA, "2024-01-16 05:15", True),
        (Region.NORTH_AMERICA, "2024-01-16 05:14", False),
        (Region.NORTH_AMERICA, "2024-03-30 04:30", False),  # Saturday, behind the weekend's
        (Region.NORTH_AMERICA, "2024-03-31 04:30", True),  # Sunday
        # Berlin 06:25 to 07:45.
        (Region.EUROPE, "2024-01-16 05:25", True),
        (Region.EUROPE, "2024-07-16 04:25", True),
        (Region.EUROPE, "2024-07-16 05:45", False),
        # Hong Kong 04:45 to 06:05 and 20:15 to 21:15: eight hours before UTC, always.
        (Region.ASIA_PACIFIC, "2024-07-15 20:45", True),
        (Region.ASIA_PACIFIC, "2024-07-15 22:05", False),
        (Region.ASIA_PACIFIC, "2024-07-15 12:15", True),
        (Region.ASIA_PACIFIC, "2024-07-15 13:15", False),
    ],
)
def test_resets_by_region(region, moment, in_reset):
    schedule = Schedule.of(region, weekend=False)
    assert schedule.in_reset(at(moment)) is in_reset
    assert schedule.is_enabled(at(moment))
    assert schedule.disabled_at(at(moment)) is None


@pytest.mark.parametrize(
    ("moment", "enabled", "disabled"),
    [
        # Friday 23:00 to Saturday 03:00 in New York.
        ("2024-03-26 15:00", "2024-03-26 15:00", "2024-03-30 03:00"),
        ("2024-03-30 02:59", "2024-03-30 02:59", "2024-03-30 03:00"),
        ("2024-03-30 03:00", "2024-03-30 07:00", "2024-03-30 03:00"),
        ("2024-03-30 06:59", "2024-03-30 07:00", "2024-03-30 06:59"),
        ("2024-03-30 07:00", "2024-03-30 07:00", "2024-04-06 03:00"),
        # The clocks of New York go forward on 2024-03-10, a day after it.
        ("2024-03-08 15:00", "2024-03-08 15:00", "2024-03-09 04:00"),
        ("2024-03-09 08:00", "2024-03-09 08:00", "2024-03-16 03:00"),
    ],
)
def test_the_weekend(moment, enabled, disabled):
    schedule = Schedule.of(Region.NORTH_AMERICA)
    assert schedule.enabled_at(at(moment)) == at(enabled)
    assert schedule.disabled_at(at(moment)) == at(disabled)


def test_the_weekly_login_joins_what_else_disables():
    login = weekly_login(dt.time(9))
    assert login.over(at("2024-03-31 05:00"))  # Sunday 01:00 in New York
    daily = Window("restart", "America/New_York", dt.time(8, 55), dt.time(9, 5), disables=True)
    schedule = Schedule.of(Region.NORTH_AMERICA, login, daily)
    assert schedule.enabled_at(at("2024-03-31 06:00")) == at("2024-03-31 13:05")


def test_a_window_over_several_days():
    window = Window("move", "UTC", dt.time(22), dt.time(1), frozenset({4}), days=2)
    assert window.over(at("2024-03-29 22:00"))
    assert window.over(at("2024-04-01 00:59"))
    assert not window.over(at("2024-04-01 01:00"))


def test_what_no_window_can_be():
    with pytest.raises(UnknownZoneError):
        Window("x", "Mars/Base", dt.time(1), dt.time(2))
    with pytest.raises(ValueError, match="Monday is 0"):
        Window("x", "UTC", dt.time(1), dt.time(2), frozenset({7}))
    with pytest.raises(ValueError, match="days more"):
        Window("x", "UTC", dt.time(1), dt.time(2), days=-1)
    always = Window("x", "UTC", dt.time(0), dt.time(0), disables=True)
    with pytest.raises(ValueError, match="no time to be connected"):
        Schedule((always,)).enabled_at(at("2024-03-29 22:00"))


def test_the_default_believes_no_reset_of_any_region_and_keeps_nobody_away():
    schedule = Schedule()
    assert set(schedule.windows) == {window for windows in RESETS.values() for window in windows}
    assert WEEKEND not in schedule.windows
    assert schedule.is_enabled(at("2024-03-30 05:00"))


@given(st.integers(1577836800, 1893456000), st.sampled_from(Region))
def test_enabled_and_disabled_agree(seconds, region):
    schedule = Schedule.of(region, weekly_login(dt.time(12)))
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    enabled = schedule.enabled_at(moment)
    assert schedule.is_enabled(enabled)
    assert (enabled == moment) is schedule.is_enabled(moment)
    disabled = schedule.disabled_at(enabled)
    assert disabled > enabled
    assert not schedule.is_enabled(disabled)
    assert schedule.is_enabled(disabled - dt.timedelta(microseconds=1))
