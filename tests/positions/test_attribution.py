"""The sum over roots equals the broker's position, or it stops."""

from __future__ import annotations

import pytest

from pyfutures.positions import AttributionError, Claim, attribute

NEAR, FAR = "COILZ26.IFEU", "COILZ27.IFEU"


@pytest.mark.parametrize(
    ("broker", "ledgers", "claims", "found"),
    [
        ({}, {}, [], {}),
        ({NEAR: 3}, {"COIL": {NEAR: 1}, "COIL_Z": {NEAR: 2}}, [], {}),
        ({NEAR: 0}, {"COIL": {NEAR: 1}, "COIL_Z": {NEAR: -1}}, [], {}),
        # A roll of 2 was on the way when the node died, and filled by one.
        (
            {NEAR: 1, FAR: 1},
            {"COIL": {NEAR: 2}},
            [Claim("COIL", NEAR, -2), Claim("COIL", FAR, 2)],
            {"COIL": {NEAR: -1, FAR: 1}},
        ),
        # Only COIL_Z has an open move, so the difference is its own.
        (
            {NEAR: 1},
            {"COIL": {NEAR: 1}, "COIL_Z": {NEAR: 2}},
            [Claim("COIL_Z", NEAR, -2)],
            {"COIL_Z": {NEAR: -2}},
        ),
    ],
)
def test_differences_that_one_move_explains(broker, ledgers, claims, found):
    assert attribute(broker, ledgers, claims) == found


@pytest.mark.parametrize(
    ("broker", "ledgers", "claims", "message"),
    [
        ({NEAR: 1}, {}, [], r"COILZ26.IFEU: the broker holds \+1, the ledger says nothing, and no"),
        ({}, {"COIL": {NEAR: 1}}, [], r"holds \+0, the ledger says COIL \+1"),
        ({NEAR: 3}, {"COIL": {NEAR: 1}}, [Claim("COIL", NEAR, 1)], "no open move explains it"),
        ({NEAR: 0}, {"COIL": {NEAR: 1}}, [Claim("COIL", NEAR, 1)], "no open move explains it"),
        (
            {NEAR: 1},
            {"COIL": {NEAR: 1}, "COIL_Z": {NEAR: 1}},
            [Claim("COIL", NEAR, -1), Claim("COIL_Z", NEAR, -1)],
            "open moves of COIL, COIL_Z could each explain it",
        ),
    ],
)
def test_a_difference_that_nothing_explains_stops(broker, ledgers, claims, message):
    with pytest.raises(AttributionError, match=message):
        attribute(broker, ledgers, claims)
