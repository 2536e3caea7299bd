"""Dates of the built-in catalogue against the exchanges' own calendars of expirations."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from pyfutures.chain import early_close
from pyfutures.months import ContractMonth

# root, month, last trade: CME Group, Cboe, Eurex, ICE, JPX, Euronext and Montreal Exchange
# expiration calendars of the years in question.
LAST_TRADES = """
ES    2026H 2026-03-20
ES    2024U 2024-09-20
NQ    2025Z 2025-12-19
CL    2024Z 2024-11-20
CL    2025F 2024-12-19
NG    2024Z 2024-11-26
HG    2021H 2021-03-29
HG    2021N 2021-07-28
HG    2021U 2021-09-28
GC    2024Z 2024-12-27
ZN    2024H 2024-03-19
ZC    2024Z 2024-12-13
6E    2024Z 2024-12-16
SR3   2024H 2024-06-18
VX    2024J 2024-04-17
GF    2024V 2024-10-31
DC    2024H 2024-04-02
EBM   2014X 2014-11-10
EBM   2015F 2015-01-12
EBM   2015K 2015-05-11
EBM   2024H 2024-03-11
EBM   2025K 2025-05-12
COIL  2024M 2024-04-30
COIL  2025G 2024-12-30
COIL_Z 2024Z 2024-10-31
FGBL  2024H 2024-03-07
FGBL  2024M 2024-06-06
FDAX  2024H 2024-03-15
FDXM  2024H 2024-03-15
FDXS  2024H 2024-03-15
225M  2024H 2024-03-07
CGB   2024U 2024-09-18
"""


def table(text):
    return [line.split() for line in text.strip().splitlines()]


@pytest.mark.parametrize(("root", "month", "day"), table(LAST_TRADES))
def test_last_trade(catalog, root, month, day):
    assert str(catalog[root].row(ContractMonth.parse(month)).last_trade) == day


# Local time of the rulebook, put into UTC by hand: summer and winter of both zones.
INSTANTS = """
ES  2026H 2026-03-20T13:30:00+00:00
ES  2025Z 2025-12-19T14:30:00+00:00
CL  2024Z 2024-11-20T19:30:00+00:00
CL  2024U 2024-08-20T18:30:00+00:00
6E  2024Z 2024-12-16T15:16:00+00:00
EBM 2024H 2024-03-11T17:30:00+00:00
EBM 2024U 2024-09-10T16:30:00+00:00
FDAX 2024H 2024-03-15T12:00:00+00:00
VX  2024J 2024-04-17T13:00:00+00:00
"""


@pytest.mark.parametrize(("root", "month", "instant"), table(INSTANTS))
def test_last_trade_utc(catalog, root, month, instant):
    row = catalog[root].row(ContractMonth.parse(month))
    assert row.last_trade_utc == dt.datetime.fromisoformat(instant)


def test_expiry_of_milk_is_the_day_after(catalog):
    row = catalog["DC"].row(ContractMonth(2024, 3))
    assert (row.last_trade, row.expiry) == (dt.date(2024, 4, 2), dt.date(2024, 4, 3))


# CME Group product calendars.
FIRST_NOTICES = """
HG 2021H 2021-02-26
ZN 2024H 2024-02-29
ZC 2024H 2024-02-29
GC 2024Z 2024-11-29
"""


@pytest.mark.parametrize(("root", "month", "day"), table(FIRST_NOTICES))
def test_first_notice(catalog, root, month, day):
    assert str(catalog[root].row(ContractMonth.parse(month)).first_notice) == day


def test_last_trade_utc_falls_on_the_last_trade_where_the_clock_hangs(catalog):
    checked = 0
    for root in catalog:
        spec = catalog[root].spec
        for row in catalog[root].rows():
            rule = spec.last_trade.spans.at(row.month)
            if row.last_trade_utc is None or rule is None:
                continue
            clock = rule.at or spec.hours
            local = row.last_trade_utc.astimezone(ZoneInfo(clock.zone))
            usual = rule.at.time if rule.at else spec.hours.close
            assert local.date() == row.last_trade, (root, row.month)
            if early_close(catalog[root], row.month):
                assert local.time() < usual, (root, row.month)
            else:
                assert local.time() == usual, (root, row.month)
            checked += 1
    assert checked > 1000
