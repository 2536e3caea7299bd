"""What codes mean, by the texts that gateways send with them."""

from __future__ import annotations

import pytest

from pyfutures.ib import codes
from pyfutures.ib.codes import CODES, Kind, Reaction, farm, lookup, meaning

R = Reaction
HMDS = "Historical Market Data Service error message:"


@pytest.mark.parametrize(
    ("code", "kind", "reaction"),
    [
        (1100, Kind.CONNECTION, R.STALE),
        (1101, Kind.CONNECTION, R.RESUBSCRIBE),
        (1102, Kind.CONNECTION, R.VERIFY),
        (1300, Kind.CONNECTION, R.RECONNECT),
        (2110, Kind.CONNECTION, R.STALE),
        (2103, Kind.FARM, R.DEGRADE),
        (2104, Kind.FARM, R.RECOVER),
        (2105, Kind.FARM, R.DEGRADE),
        (2106, Kind.FARM, R.RECOVER),
        (2107, Kind.FARM, R.IGNORE),
        (2108, Kind.FARM, R.IGNORE),
        (2119, Kind.FARM, R.IGNORE),
        (2157, Kind.FARM, R.DEGRADE),
        (2158, Kind.FARM, R.RECOVER),
        (326, Kind.SESSION, R.BACK_OFF),
        (100, Kind.SESSION, R.BACK_OFF),
        (366, Kind.REQUEST, R.IGNORE),
        (321, Kind.REQUEST, R.FAIL),
        (10339, Kind.REQUEST, R.FAIL),
        (420, Kind.DATA, R.RETRY),
        (10182, Kind.DATA, R.RESUBSCRIBE),
        (10197, Kind.DATA, R.RETRY),
        (10225, Kind.DATA, R.RESUBSCRIBE),
        (201, Kind.ORDER, R.REJECT),
        (202, Kind.ORDER, R.CANCELLED),
        (399, Kind.ORDER, R.WARN),
        (10147, Kind.ORDER, R.KEEP),
        (10349, Kind.ORDER, R.WARN),
        (2199, Kind.INFO, R.WARN),
        (99999, Kind.REQUEST, R.FAIL),
    ],
)
def test_codes(code, kind, reaction):
    assert (lookup(code).kind, lookup(code).reaction) == (kind, reaction)


@pytest.mark.parametrize(
    ("code", "text", "in_reset", "reaction"),
    [
        (162, f"{HMDS}HMDS query returned no data: DCJ4@CME Trades", False, R.EMPTY),
        (162, f"{HMDS}Historical data request pacing violation", False, R.RETRY),
        (162, f"{HMDS}API historical data query cancelled: 17", False, R.CANCELLED),
        (162, f"{HMDS}No market data permissions for CME FUT", False, R.FAIL),
        (162, f"{HMDS}something new", False, R.FAIL),
        (200, "No security definition has been found for the request", False, R.FAIL),
        (200, "No security definition has been found for the request", True, R.RETRY),
        (10349, "Order TIF was set to DAY based on order preset.", False, R.WARN),
    ],
)
def test_meanings(code, text, in_reset, reaction):
    assert meaning(code, text, in_reset=in_reset) is reaction


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Market data farm connection is OK:usfarm", "usfarm"),
        ("HMDS data farm connection is OK:euhmds", "euhmds"),
        (
            "HMDS data farm connection is inactive but should be available upon demand.ushmds",
            "ushmds",
        ),
        ("Sec-def data farm connection is broken:secdefil", "secdefil"),
        ("Market data farm is connecting:usfuture", "usfuture"),
        ("Market data farm connection is OK:", ""),
        ("nothing", ""),
    ],
)
def test_farms(text, name):
    assert farm(text) == name


def test_notices_fail_nothing():
    assert [code for code in (2104, 399, 10349, 366, 202, 110) if lookup(code).is_error] == [
        202,
        110,
    ]


def test_the_table_names_each_code_once():
    assert len(codes._TABLE) == len(CODES)
    assert all(row.text for row in CODES.values())
