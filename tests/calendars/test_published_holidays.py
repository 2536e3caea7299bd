"""Days that exchanges and governments have published as holidays, and days just beside them.

None of these dates was computed: they are from the pages named in the tables and in the
`sources` of the calendars.
"""

from __future__ import annotations

import datetime as dt

import pytest

from pyfutures.calendars import CalendarLibrary

CLOSED = {
    # CME Group holiday calendar
    "us_expiry": """
        2024-01-01 2024-01-15 2024-02-19 2024-03-29 2024-05-27 2024-06-19 2024-07-04 2024-09-02
        2024-11-28 2024-12-25 2022-06-20 2023-01-02 2021-07-05 2021-12-24
    """,
    # CME Clearing advisory 13-442; Federal Reserve holidays
    "cme_fx": "2013-10-14 2024-10-14 2023-10-09 2024-11-11 2018-11-12 2024-11-28 2024-07-04",
    "cfe": "2024-01-15 2024-03-29 2024-06-19 2024-11-28",
    "chicago": "2001-09-11 2001-09-12 2024-11-28 2024-07-04",
    # gov.uk: the bank holidays that came once, and the ordinary ones of 2024
    "london": """
        2002-06-03 2002-06-04 2011-04-29 2012-06-04 2012-06-05 2020-05-08 2022-06-02 2022-06-03
        2022-09-19 2023-05-08 2024-01-01 2024-03-29 2024-04-01 2024-05-06 2024-05-27 2024-08-26
        2024-12-25 2024-12-26
    """,
    # Ministry of Manpower, lists of 2024 and 2026; from 2027 the fixed ones alone
    "singapore": """
        2024-01-01 2024-02-12 2024-03-29 2024-04-10 2024-05-01 2024-05-22 2024-06-17 2024-08-09
        2024-10-31 2024-12-25 2026-02-17 2026-02-18 2026-05-27 2026-06-01 2026-08-10 2026-11-09
        2027-01-01 2027-03-26 2027-08-09 2028-12-25 2033-05-02
    """,
    # a London bank holiday, a Singapore holiday
    "london_and_singapore": "2024-08-26 2024-10-31 2024-12-26 2024-08-09",
    "us_and_london": "2024-11-28 2024-08-26 2024-07-04 2022-09-19",
    # Eurex trading calendar
    "eurex": "2024-01-01 2024-03-29 2024-04-01 2024-05-01 2024-12-24 2024-12-25 2024-12-31",
    # Euronext, trading hours and holidays 2024
    "euronext_paris": "2024-01-01 2024-03-29 2024-04-01 2024-05-01 2024-12-25 2024-12-26",
    "euronext_amsterdam": "2024-01-01 2024-03-29 2024-04-01 2024-05-01 2024-12-25 2024-12-26",
    "milan": "2024-01-01 2024-03-29 2024-04-01 2024-05-01 2024-12-25 2024-12-26",
    "madrid": "2024-01-01 2024-03-29 2024-04-01 2024-05-01 2024-12-25 2024-12-26",
    # HKEX, calendar of 2025
    "hong_kong": """
        2025-01-01 2025-01-29 2025-01-30 2025-01-31 2025-04-04 2025-04-18 2025-04-21 2025-05-01
        2025-05-05 2025-07-01 2025-10-01 2025-10-07 2025-10-29 2025-12-25 2025-12-26
    """,
    # JPX: the enthronement holidays of 2019, and the first day of holiday trading at Osaka
    "tokyo": """
        2019-04-29 2019-04-30 2019-05-01 2019-05-02 2019-05-03 2019-05-06 2019-10-22 2022-09-23
    """,
    "osaka": "2022-09-23 2022-10-10 2022-11-03 2022-11-23 2023-01-02 2023-01-03",
    # KRX: elections; Constitution Day and Labor Day made up for
    "korea": """
        2024-04-10 2025-06-03 2025-12-31 2026-06-03 2026-07-17 2026-05-01 2027-07-19 2027-05-03
    """,
    # NSE, trading holidays of 2025; from 2027 the fixed ones alone
    "india": """
        2025-02-26 2025-03-14 2025-03-31 2025-04-10 2025-04-14 2025-04-18 2025-05-01 2025-08-15
        2025-08-27 2025-10-02 2025-10-21 2025-10-22 2025-11-05 2025-12-25 2027-01-26 2029-08-15
    """,
    "sydney": "2024-01-01 2024-01-26 2024-03-29 2024-04-01 2024-04-25 2024-06-10 2024-12-25",
    "toronto": "2024-02-19 2024-05-20 2024-07-01 2024-08-05 2024-10-14 2024-12-26",
    # Montreal Exchange notices of 2015-11-10 and of 2017; the bond market's new day from 2021
    "montreal_rates": "2015-11-11 2017-11-13 2021-09-30 2022-09-30 2023-10-02 2024-09-30",
    "brazil": "2017-12-29 2018-01-25 2024-02-12 2024-02-13 2024-12-24 2024-12-31 2024-11-20",
    # Febraban, days without banks in 2024; CME SER-7270
    "brazil_bank": """
        2014-12-31 2024-02-12 2024-02-13 2024-03-29 2024-05-01 2024-05-30 2024-11-15 2024-11-20
        2024-12-25
    """,
    "us_and_brazil_bank": "2014-12-31 2024-02-13 2024-11-28",
    "moscow": "2024-01-01 2024-02-23 2024-03-08 2024-05-01 2024-05-09 2024-06-12 2024-11-04",
    "us_and_moscow": "2024-05-09 2024-07-04",
    # the same days as of the cities, whatever the hours of the session
    "nymex_hours": "2024-11-30 2024-12-01",
    "nymex": "2024-01-01 2024-03-29 2024-06-19 2024-11-28 2024-12-25",
    "nymex_and_london": "2024-11-28 2024-08-26 2024-07-04",
    "nymex_in_london": "2024-01-01 2024-03-29 2024-08-26 2024-12-26",
    "nymex_in_singapore": "2024-02-12 2024-04-10 2024-10-31 2024-12-25",
    "nymex_in_london_and_singapore": "2024-08-26 2024-10-31 2024-12-26 2024-08-09",
    "cbot_yields": "2024-01-01 2024-03-29 2024-11-28",
    "cbot_grain_swaps": "2024-01-01 2024-03-29 2024-11-28",
    "cme_dairy": "2018-07-04 2018-11-22 2018-12-25",
    "cme_in_hong_kong": "2025-01-29 2025-10-07 2025-12-26",
}

OPEN = {
    # stocks were closed on the first four, futures were not; bank holidays; before Juneteenth
    "us_expiry": """
        2012-10-29 2012-10-30 2018-12-05 2025-01-09 2024-10-14 2024-11-11 2021-06-18 2024-11-29
        2024-12-24 2024-12-31 2021-12-31
    """,
    # a Saturday's Veterans Day is not made up for
    "cme_fx": "2017-11-13 2017-11-10 2024-10-11 2018-12-05 2025-01-09",
    "cfe": "2024-10-14 2024-11-11 2024-11-29",
    "chicago": "2001-09-13 2001-09-14 2018-12-05 2024-10-14",
    # the ordinary day had moved in 2020 and 2022
    "london": "2020-05-04 2022-05-30 2024-12-24 2024-12-31 2024-10-14",
    "singapore": "2024-10-30 2024-12-26 2027-05-03 2024-12-24",
    "london_and_singapore": "2024-10-30 2024-11-28",
    "us_and_london": "2024-10-14 2024-12-24",
    # Eurex circulars: only German, only British products rested
    "eurex": "2018-10-03 2022-09-19 2024-05-20 2024-12-30 2024-12-27",
    "euronext_paris": "2024-12-24 2024-12-31 2024-05-08 2024-05-09 2024-07-15",
    "euronext_amsterdam": "2024-12-24 2024-04-26",
    "milan": "2024-04-25 2024-05-08",
    "madrid": "2024-10-11 2024-12-06",
    "hong_kong": "2025-12-24 2025-12-31 2025-04-22",
    "tokyo": "2019-04-26 2019-05-07 2022-09-22",
    "osaka": "2022-09-22 2022-09-26",
    # no holiday in 2025 yet
    "korea": "2025-07-17 2026-07-16 2027-07-16 2026-06-02 2025-12-30",
    "india": "2025-01-01 2025-12-31 2026-12-31",
    # bank holidays of New South Wales
    "sydney": "2024-08-05 2024-10-07",
    "toronto": "2015-11-11 2017-11-13 2021-09-30 2024-09-30",
    "montreal_rates": "2020-09-30 2023-09-29 2024-10-01",
    # holidays of Sao Paulo that the exchange gave up in 2022
    "brazil": "2022-01-25 2023-11-20 2022-07-08",
    # holidays of Sao Paulo or of the exchange alone
    "brazil_bank": "2014-12-30 2017-12-29 2022-12-30 2018-01-25 2018-12-24 2023-11-20 2024-02-14",
    "us_and_brazil_bank": "2017-12-29 2014-12-30",
    "moscow": "2024-01-03 2024-05-02",
    "us_and_moscow": "2024-05-02",
    "nymex_hours": "2024-11-28 2024-11-29 2024-12-25",
    "nymex": "2024-11-29 2024-12-24 2018-12-05 2025-01-09",
    "nymex_and_london": "2024-11-29 2024-12-24",
    "nymex_in_london": "2024-11-28 2024-11-29 2024-07-04",
    "nymex_in_singapore": "2024-11-28 2024-11-29 2021-05-31",
    "nymex_in_london_and_singapore": "2024-11-28 2024-11-29",
    "cbot_yields": "2024-11-29 2025-11-28",
    "cbot_grain_swaps": "2024-11-29 2025-11-28",
    "cme_dairy": "2018-07-03",
    "cme_in_hong_kong": "2024-11-28 2025-11-27",
}


def rows(table: dict[str, str]) -> list[tuple[str, dt.date]]:
    return [
        (name, dt.date.fromisoformat(day)) for name, days in table.items() for day in days.split()
    ]


@pytest.mark.parametrize(("name", "day"), rows(CLOSED))
def test_closed(library: CalendarLibrary, name: str, day: dt.date) -> None:
    assert not library[name].is_open(day)
    assert library[name].why_closed(day)


@pytest.mark.parametrize(("name", "day"), rows(OPEN))
def test_open(library: CalendarLibrary, name: str, day: dt.date) -> None:
    assert library[name].is_open(day), library[name].why_closed(day)
    assert library[name].why_closed(day) is None


def test_every_calendar_has_samples(library: CalendarLibrary) -> None:
    assert set(CLOSED) == set(OPEN) == set(library)


@pytest.mark.parametrize(
    ("name", "day", "why"),
    [
        ("us_expiry", "2024-03-29", "Good Friday"),
        ("us_expiry", "2024-03-30", "weekend"),
        ("us_expiry", "2022-01-01", "weekend"),
        ("cme_fx", "2024-10-14", "Columbus Day"),
        ("cme_fx", "2024-03-29", "Good Friday"),
        ("korea", "2026-06-03", "local election"),
        ("us_and_london", "2024-03-29", "Good Friday"),
        ("us_and_london", "2024-08-26", "Summer Bank Holiday (london)"),
        ("us_and_london", "2024-11-28", "Thanksgiving (us_expiry)"),
        ("us_and_london", "2024-03-30", "weekend"),
        ("brazil_bank", "2014-12-31", "PTAX of the day before"),
        ("singapore", "2024-10-31", "holiday"),
    ],
)
def test_why_closed(library: CalendarLibrary, name: str, day: str, why: str) -> None:
    assert library[name].why_closed(dt.date.fromisoformat(day)) == why


@pytest.mark.parametrize(
    ("name", "first", "valid_until", "last"),
    [
        ("us_expiry", "1970-01-01", "2050-12-31", "2050-12-31"),
        ("singapore", "1986-01-01", "2026-12-31", "2050-12-31"),
        ("india", "1997-01-01", "2026-12-31", "2050-12-31"),
        ("london_and_singapore", "1986-01-01", "2026-12-31", "2050-12-31"),
        ("tokyo", "1997-01-01", "2050-12-31", "2050-12-31"),
        ("hong_kong", "1970-01-01", "2049-12-31", "2049-12-31"),
        ("brazil_bank", "1970-01-01", "2050-12-31", "2050-12-31"),
    ],
)
def test_bounds(
    library: CalendarLibrary, name: str, first: str, valid_until: str, last: str
) -> None:
    calendar = library[name]
    bounds = (calendar.first, calendar.valid_until, calendar.last)
    assert tuple(map(str, bounds)) == (first, valid_until, last)
    assert calendar.projected == (valid_until < last)


def test_only_vix_futures_end_early_with_stocks(library: CalendarLibrary) -> None:
    # Cboe: 12:15 Chicago on the day after Thanksgiving; CME's closes differ by product.
    day = dt.date(2024, 11, 29)
    assert library["cfe"].early_closes.get(day) == dt.time(12, 15)
    assert library["cfe"].zone == "America/Chicago"
    assert library["us_expiry"].early_closes.get(day) is None


@pytest.mark.parametrize(
    ("name", "day", "close"),
    [
        # MarketWatch 2016-11-18; broker schedules of 2023, 2024 and 2025, in server time
        ("nymex", "2016-11-25", "13:45"),
        ("nymex", "2023-11-24", "13:45"),
        ("nymex", "2024-11-29", "14:45"),
        ("nymex", "2025-11-28", "14:45"),
        # Zero Hedge 2013-12-24, after RanSquawk
        ("nymex", "2013-12-24", "13:45"),
        ("nymex_and_london", "2016-11-25", "13:45"),
        ("nymex_in_london", "2025-11-28", "14:45"),
        ("nymex_in_singapore", "2025-11-28", "14:45"),
        ("nymex_in_london_and_singapore", "2025-11-28", "14:45"),
        ("cbot_yields", "2019-11-29", "12:15"),
        ("cbot_grain_swaps", "2024-11-29", "12:05"),
        ("cme_dairy", "2018-07-03", "12:00"),
        # Forexlive 2024-11-28
        ("cme_in_hong_kong", "2024-11-28", "12:00"),
    ],
)
def test_early_closes_by_group(library: CalendarLibrary, name: str, day: str, close: str) -> None:
    early = library[name].early_closes.get(dt.date.fromisoformat(day))
    assert early == dt.time.fromisoformat(close)


def test_every_change_of_an_author_changes_something(library: CalendarLibrary) -> None:
    """A base that has learnt of a day makes its `add` or `remove` idle: take it out then."""
    for name, spec in library.specs.items():
        bare = CalendarLibrary(
            {**library.specs, name: type(spec)(calendar=name, base=spec.base, join=spec.join)}
        )[name]
        assert all(not bare.is_open(day) for day in spec.add), name
        assert all(bare.is_open(day) for day in spec.remove), name
