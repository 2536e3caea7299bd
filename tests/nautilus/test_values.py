"""Prices, bars, instruments and data objects: what crosses the border crosses it unchanged."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.data import BarType
from nautilus_trader.model.objects import Price

from pyfutures.chain import ChainError
from pyfutures.continuous import Bar, ContinuousBar, Roll
from pyfutures.months import ContractMonth
from pyfutures.nautilus.instruments import futures_contract, instrument_id
from pyfutures.nautilus.parsing import (
    bar_from_native,
    bar_to_native,
    price_from_native,
    price_to_native,
)
from pyfutures.nautilus.types import ContinuousBarData, RollEvent, bars_of, rolls_of

MARCH = ContractMonth(2026, 3)
ES_DAILY = BarType.from_str("ESH26.XCME-1-DAY-LAST-EXTERNAL")


# Prices: nautilus' own text is the witness.


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("5432.25", 5_432_250_000_000),
        ("4.5025", 4_502_500_000),
        ("-37.63", -37_630_000_000),
        ("0.000000001", 1),
        ("108.015625", 108_015_625_000),
        ("0", 0),
    ],
)
def test_prices_cross_exactly(text, units):
    price = Price.from_str(text)
    assert price_from_native(price) == units
    assert price_to_native(units, price.precision) == price


@given(st.integers(-(10**12), 10**12), st.integers(0, 9))
def test_a_price_comes_back(ticks, precision):
    units = ticks * 10 ** (9 - precision)
    price = price_to_native(units, precision)
    assert price.precision == precision
    assert price_from_native(price) == units


def test_more_decimals_than_nine_are_refused():
    with pytest.raises(ValueError, match="more than 9 decimals"):
        price_from_native(Price.from_str("1.0000000001"))
    with pytest.raises(ValueError, match="does not fit 2 decimals"):
        price_to_native(1_005_000_000, 2)


# 1000465 is a volume that nautilus' as_double() gives back as 1000465.0000000001.
@pytest.mark.parametrize("volume", [0, 1, 1_000_465, 10**9])
def test_a_bar_comes_back(volume):
    bar = Bar(MARCH, 7 * 10**18 // 5, 5 * 10**9, 7 * 10**9, 4 * 10**9, 6 * 10**9, float(volume))
    native = bar_to_native(bar, ES_DAILY, 2)
    assert (native.ts_event, native.ts_init) == (bar.ts, bar.ts)
    assert bar_from_native(native, MARCH) == bar


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"close": None}, "no missing price"),
        ({"volume": 0.5}, "not a whole number"),
        ({"volume": math.nan}, "not a whole number"),
    ],
)
def test_what_a_native_bar_cannot_say_is_refused(change, text):
    bar = Bar(MARCH, 10**18, 5 * 10**9, 7 * 10**9, 4 * 10**9, 6 * 10**9, 1.0)
    with pytest.raises(ValueError, match=text):
        bar_to_native(replace(bar, **change), ES_DAILY, 2)


# Instruments


@pytest.mark.parametrize(
    ("root", "month", "expected"),
    [
        ("ES", "2026H", "ESH26.XCME"),
        ("CL", "2009Z", "CLZ09.XNYM"),
        ("ZC", "2026U", "ZCU26.XCBT"),
    ],
)
def test_instrument_ids(catalog, root, month, expected):
    assert str(instrument_id(catalog[root], ContractMonth.parse(month))) == expected


def test_a_venue_of_ones_own(catalog):
    assert str(instrument_id(catalog["ES"], MARCH, venue="GLBX")) == "ESH26.GLBX"


# Ticks and multipliers of the exchanges' contract specifications; E-mini S&P 500 contracts stop
# trading at 9:30 a.m. New York on the third Friday, corn at 12:01 p.m. Chicago on the business day
# before the 15th.
@pytest.mark.parametrize(
    ("root", "month", "tick", "multiplier", "expires"),
    [
        ("ES", "2024H", "0.25", 50, "2024-03-15T13:30"),
        ("ES", "2024Z", "0.25", 50, "2024-12-20T14:30"),
        ("ZC", "2024H", "0.0025", 5000, "2024-03-14T17:01"),
    ],
)
def test_contracts(catalog, root, month, tick, multiplier, expires):
    contract = futures_contract(catalog[root], ContractMonth.parse(month))
    assert str(contract.price_increment) == tick
    assert contract.price_precision == len(tick) - 2
    assert contract.multiplier.as_double() == multiplier
    instant = dt.datetime.fromisoformat(f"{expires}+00:00")
    assert contract.expiration_ns == int(instant.timestamp()) * 10**9
    assert contract.underlying == root
    assert str(contract.quote_currency) == "USD"


def test_an_unlisted_month_is_no_contract(catalog):
    with pytest.raises(ChainError, match="2024F"):
        futures_contract(catalog["ES"], ContractMonth(2024, 1))


# Data

LEG = Bar(MARCH, 10**18, 5, None, 4, 6, 1.0, 12.0)
BAR = ContinuousBar(
    "ES", MARCH, 10**18, LEG, replace(LEG, month=MARCH.shift(3)), None, replace(LEG, close=None),
    -17, 0.1 + 0.2, dt.date(2026, 3, 16), dt.date(2026, 3, 20), rolled=True,
)  # fmt: skip
ROLL = Roll(
    "ES", MARCH, MARCH.shift(3), dt.date(2026, 3, 16), 10**18, 5, -3, -8, math.nan, -8, math.nan,
    "first_common", inferred=False,
)  # fmt: skip


def test_data_objects_come_back_from_json():
    bar = ContinuousBarData(BAR, 10**18 + 1)
    assert ContinuousBarData.from_dict(json.loads(json.dumps(bar.to_dict()))) == bar
    assert ContinuousBarData.from_dict(bar.to_dict()).bar == BAR
    roll = RollEvent(ROLL, 10**18 + 1)
    assert RollEvent.from_dict(json.loads(json.dumps(roll.to_dict()))) == roll
    assert repr(RollEvent.from_dict(roll.to_dict()).roll) == repr(ROLL)
    assert (bar.ts_event, bar.ts_init) == (roll.ts_event, roll.ts_init) == (10**18, 10**18 + 1)
    assert len({bar, ContinuousBarData(BAR, 10**18 + 1), roll}) == 2
    assert bar != ContinuousBarData(BAR, 10**18 + 2)
    assert roll not in (bar, RollEvent(replace(ROLL, gap=8), 10**18 + 1))
    assert repr(bar) == f"ContinuousBarData(ES {LEG}, ts_init={10**18 + 1})"
    assert repr(roll) == f"RollEvent({ROLL}, ts_init={10**18 + 1})"


@pytest.mark.parametrize("change", [{"type": "Bar"}, {"format": 2}])
def test_data_of_another_format_is_refused(change):
    with pytest.raises(ValueError, match="format"):
        ContinuousBarData.from_dict(ContinuousBarData(BAR, 0).to_dict() | change)
    with pytest.raises(ValueError, match="format"):
        RollEvent.from_dict(RollEvent(ROLL, 0).to_dict() | change)


def test_data_types_are_told_apart_by_root():
    assert bars_of("ES") == bars_of("ES")
    assert bars_of("ES") != bars_of("NQ")
    assert rolls_of("ES").topic != bars_of("ES").topic
