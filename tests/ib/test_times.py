"""Times of recordings and reports, and what instant each is."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.ib.times import (
    ZONE_ALIASES,
    BarSize,
    Hours,
    LastTrade,
    TimeError,
    UnknownZoneError,
    bar_close,
    bar_time,
    format_utc,
    hours,
    instant,
    last_trade,
    zone,
)


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "time_zone", "date", "expected", "moment"),
    [
        # Recorded 2024-03: milk at 12:10 and wheat at 18:30, before and after the clocks change.
        ("20240402-17:10:00", "US/Central", "", "2024-04-02", "2024-04-02 17:10"),
        ("20260303-18:10:00", "US/Central", "", "2026-03-03", "2026-03-03 18:10"),
        ("20240510-16:30:00", "MET", "", "2024-05-10", "2024-05-10 16:30"),
        ("20241210-17:30:00", "MET", "", "2024-12-10", "2024-12-10 17:30"),
        # The same expiry in the exchange's own zone and in that of an operator in Shanghai.
        ("20240402 12:10:00 US/Central", "US/Central", "", "2024-04-02", "2024-04-02 17:10"),
        ("20240403 01:10:00 Asia/Shanghai", "US/Central", "", "2024-04-02", "2024-04-02 17:10"),
        ("20230624 04:00:00 Asia/Shanghai", "US/Eastern", "", "2023-06-23", "2023-06-23 20:00"),
        # A date alone tells no instant.
        ("20240402", "US/Central", "", "2024-04-02", None),
        ("20240402", "", "", "2024-04-02", None),
        # From server version 182 the date is told beside it.
        ("20230624 04:00:00 Asia/Shanghai", "", "20230623", "2023-06-23", "2023-06-23 20:00"),
        ("20230624", "US/Eastern", "20230623", "2023-06-23", None),
    ],
)
def test_last_trade_in_its_three_forms(text, time_zone, date, expected, moment):
    found = last_trade(text, time_zone, date=date)
    assert found == LastTrade(dt.date.fromisoformat(expected), utc(moment) if moment else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20250415-19:38:31", "2025-04-15 19:38:31"),
        ("20250415-19:38:31Z", "2025-04-15 19:38:31"),
        ("20250415-19:38", "2025-04-15 19:38:00"),
        ("20250415 19:38:31 US/Eastern", "2025-04-15 23:38:31"),
        ("20250115 19:38:31 US/Eastern", "2025-01-16 00:38:31"),
        ("20250415  19:38:31 America/New_York", "2025-04-15 23:38:31"),
        ("20250415 19:38:31 EST", "2025-04-15 23:38:31"),
        ("20250415 19:38:31 EST (Eastern Standard Time)", "2025-04-15 23:38:31"),
        ("20250415 19:38:31 JST", "2025-04-15 10:38:31"),
        ("20240324 21:18:59 Greenwich Mean Time", "2024-03-24 21:18:59"),
        ("1711033200", "2024-03-21 15:00:00"),
    ],
)
def test_instants(text, expected):
    assert instant(text) == utc(expected)


def test_the_zone_of_the_login_is_given_not_guessed():
    text = "20250415  19:38:31"
    with pytest.raises(UnknownZoneError, match="chosen at login"):
        instant(text)
    assert instant(text, login_zone="Europe/Berlin") == utc("2025-04-15 17:38:31")


@pytest.mark.parametrize("name", ["", " ", "XYZ", "Middle Earth Time", "../etc/passwd", "/etc/x"])
def test_an_unknown_zone_is_an_error(name):
    with pytest.raises(UnknownZoneError):
        zone(name)
    with pytest.raises(UnknownZoneError):
        last_trade("20240402-17:10:00", name)


@pytest.mark.parametrize("name", [*ZONE_ALIASES, "US/Central", "MET", "GB", "US/Eastern", "Japan"])
def test_zones_of_gateways_are_known(name):
    assert zone(name).utcoffset(dt.datetime(2025, 7, 1)) is not None  # noqa: DTZ001


def test_est_has_summer_time():
    assert zone("EST").utcoffset(dt.datetime(2025, 7, 1)) == dt.timedelta(hours=-4)  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    ["", "2024", "202404", "20241301", "20240230", "20240402-25:00:00", "20240402T17:10:00", "x"],
)
def test_texts_that_are_no_last_trade(text):
    with pytest.raises(TimeError):
        last_trade(text, "US/Central")


def test_a_date_is_no_instant():
    with pytest.raises(TimeError, match="no instant"):
        instant("20240402")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20240318", dt.date(2024, 3, 18)),
        ("1711033200", utc("2024-03-21 15:00")),
        ("20240318-15:00:00", utc("2024-03-18 15:00")),
        ("20240318 15:00:00 US/Central", utc("2024-03-18 20:00")),
    ],
)
def test_bar_times(text, expected):
    assert bar_time(text) == expected


@pytest.mark.parametrize(
    ("start", "size", "until", "close"),
    [
        ("2024-03-21 15:00", BarSize.HOUR_1, None, "2024-03-21 16:00"),
        ("2024-03-21 15:00", BarSize.SECOND_5, None, "2024-03-21 15:00:05"),
        # Chicago's clocks go forward at 2024-03-10 08:00 UTC; the bar is four hours all the same.
        ("2024-03-10 07:00", BarSize.HOUR_4, None, "2024-03-10 11:00"),
        # Cut by the close of the session, or by the next bar at the full hour.
        ("2024-03-28 18:00", BarSize.HOUR_1, "2024-03-28 18:55", "2024-03-28 18:55"),
        ("2024-03-28 13:30", BarSize.HOUR_1, "2024-03-28 14:00", "2024-03-28 14:00"),
        ("2024-03-28 13:30", BarSize.MINUTE_15, "2024-03-28 14:00", "2024-03-28 13:45"),
    ],
)
def test_bars_start_where_they_say_and_close_later(start, size, until, close):
    assert bar_close(utc(start), size, until=until and utc(until)) == utc(close)


@pytest.mark.parametrize("size", [BarSize.DAY_1, BarSize.WEEK_1, BarSize.MONTH_1])
def test_a_daily_bar_closes_when_its_session_does(size):
    with pytest.raises(TimeError, match="ask the calendar"):
        bar_close(utc("2024-03-18"), size)


def test_small_bars_are_those_of_thirty_seconds_and_below():
    assert [size.value for size in BarSize if size.is_small] == [
        "1 secs", "5 secs", "10 secs", "15 secs", "30 secs",
    ]  # fmt: skip


def test_hours_stay_in_the_zone_of_the_exchange():
    # Recorded: an early close on the Thursday before Easter, and the Friday closed.
    text = (
        "20240325:1700-20240326:1600;20240327:1700-20240328:1355;20240329:CLOSED;"
        "20240331:1700-20240401:1600"
    )
    assert hours(text, "US/Central") == (
        Hours(dt.date(2024, 3, 25), utc("2024-03-25 22:00"), utc("2024-03-26 21:00")),
        Hours(dt.date(2024, 3, 27), utc("2024-03-27 22:00"), utc("2024-03-28 18:55")),
        Hours(dt.date(2024, 3, 29), None, None),
        Hours(dt.date(2024, 3, 31), utc("2024-03-31 22:00"), utc("2024-04-01 21:00")),
    )


def test_hours_of_old_gateways_and_none():
    assert hours("20180323:0400-2000", "MET") == (
        Hours(dt.date(2018, 3, 23), utc("2018-03-23 03:00"), utc("2018-03-23 19:00")),
    )
    assert hours("20240325:0000-20240325:2400", "UTC")[0].close == utc("2024-03-26 00:00")
    assert hours("", "") == ()


@pytest.mark.parametrize("text", ["CLOSED", "20240325", "20240325:1700", "20240325:1-2", "x:y-z"])
def test_texts_that_are_no_hours(text):
    with pytest.raises(TimeError):
        hours(text, "MET")


@given(st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2200, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_what_we_send_reads_back(moment):
    assert instant(format_utc(moment)) == moment.astimezone(dt.UTC).replace(microsecond=0)


def test_a_time_without_a_zone_is_not_sent():
    with pytest.raises(TimeError, match="no time zone"):
        format_utc(dt.datetime(2024, 1, 1))  # noqa: DTZ001


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_typed_error(text):
    for read in (
        instant,
        bar_time,
        lambda x: last_trade(x, "MET"),
        lambda x: hours(x, "MET"),
        zone,
    ):
        with contextlib.suppress(TimeError):
            read(text)
