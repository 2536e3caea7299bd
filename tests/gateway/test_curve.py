"""Laws of the simulated market: the same answer always, on the grid, in parts as in the whole."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfutures.chain.sessions import Listing, Session, listings, sessions
from pyfutures.gateway.curve import Curve, CurveModel
from pyfutures.months import ContractMonth

NS_PER_MINUTE = 60 * 10**9
EPOCH = dt.date(1970, 1, 1)
FIRST, LAST = dt.date(2023, 1, 2), dt.date(2024, 12, 31)


def _minute(day, hour):
    return (day - EPOCH).days * 1440 + hour * 60


def _session(day):
    """23 hours with a break, opening the evening before."""
    open_, close = _minute(day, -2), _minute(day, 21)
    return Session(day, ((open_, open_ + 600), (open_ + 660, close)))


DAYS = [FIRST + dt.timedelta(i) for i in range((LAST - FIRST).days + 1)]
SESSIONS = [_session(day) for day in DAYS if day.weekday() < 5]


def _listings(tick):
    """Quarterly contracts to the 15th, left eight days before."""
    answer, leave = [], None
    for index in range(ContractMonth(2023, 3).index, ContractMonth(2026, 3).index, 3):
        month = ContractMonth.from_index(index)
        last = dt.date(month.year, month.month, 15)
        first, last_ns = last - dt.timedelta(700), _minute(last, 20) * NS_PER_MINUTE
        enter, leave = leave, last - dt.timedelta(8)
        answer.append(Listing(month, first, last, last_ns, tick, enter, leave))
    return answer


CONTRACTS = _listings(10**7)
CL = Curve("CL", 1)
WHOLE = CL.bars(CONTRACTS, SESSIONS)


def _same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("ts", "open", "high", "low", "close", "volume", "open_interest")
    )


# Deterministic


def test_another_run_is_the_same_and_another_seed_or_root_is_not():
    again = Curve("CL", 1).bars(CONTRACTS, SESSIONS)
    assert all(_same(again[month], WHOLE[month]) for month in WHOLE)
    month = CONTRACTS[4].month
    for other in (Curve("CL", 2), Curve("HG", 1)):
        assert not np.array_equal(other.bars(CONTRACTS, SESSIONS)[month].close, WHOLE[month].close)


@given(st.integers(0, len(SESSIONS) - 1), st.integers(1, 90))
@settings(max_examples=10, deadline=None)
def test_any_span_and_any_contract_alone_are_a_part_of_the_whole(at, size):
    some = SESSIONS[at : at + size]
    low, high = some[0].close_ns, some[-1].close_ns
    for contract in CONTRACTS[::3]:
        part = CL.bars([contract], some)[contract.month]
        whole = WHOLE[contract.month]
        rows = (whole.ts >= low) & (whole.ts <= high)
        assert np.array_equal(part.close, whole.close[rows])
        assert np.array_equal(part.high, whole.high[rows])
        assert np.array_equal(part.volume, whole.volume[rows])


@pytest.mark.parametrize("minutes", [1, 7, 60, 1440])
def test_bars_of_any_length_make_up_the_day(minutes):
    contract, some = CONTRACTS[2], SESSIONS[130:135]  # it leads then: each minute has volume
    day = CL.bars([contract], some)[contract.month]
    parts = CL.bars([contract], some, minutes=minutes)[contract.month]
    owner = np.searchsorted(day.ts, parts.ts)
    for i in range(len(day)):
        mine = owner == i
        assert parts.high[mine].max() == day.high[i]
        assert parts.low[mine].min() == day.low[i]
        assert (parts.open[mine][0], parts.close[mine][-1]) == (day.open[i], day.close[i])
        assert parts.volume[mine].sum() == day.volume[i]


def test_a_price_at_an_instant_is_the_bars():
    contract = CONTRACTS[2]
    columns = CL.bars([contract], SESSIONS[130:135])[contract.month]
    assert np.array_equal(CL.prices(contract, columns.ts), columns.close)
    assert np.array_equal(CL.prices(contract, columns.ts + 59 * 10**9), columns.close)
    assert len(CL.prices(contract, np.empty(0, np.int64))) == 0


# Well-formed


@pytest.mark.parametrize("tick", [250_000_000, 10**7, 2_500_000, 500_000])
@pytest.mark.parametrize("root", ["ES", "CL", "ZC", "HG", "NG", "GC", "any"])
def test_bars_are_on_the_grid_and_consistent(root, tick):
    for columns in Curve(root, 3).bars(_listings(tick)[3:5], SESSIONS[200:240]).values():
        prices = np.stack([columns.open, columns.high, columns.low, columns.close])
        assert prices.shape[1] == 40
        assert (prices % tick == 0).all()
        assert (prices > 0).all()
        assert (columns.high == prices.max(axis=0)).all()
        assert (columns.low == prices.min(axis=0)).all()
        assert (np.diff(columns.ts) > 0).all()
        assert (columns.volume > 0).all()


def test_bars_lie_within_the_life_of_a_contract():
    for contract in CONTRACTS:
        columns = WHOLE[contract.month]
        days = columns.ts.astype("datetime64[ns]").astype("datetime64[D]").astype(dt.date)
        assert days.min() >= max(contract.first, FIRST)
        assert days.max() <= min(contract.last, LAST)
        if contract.last < LAST:
            on_or_before = max(s.day for s in SESSIONS if s.day <= contract.last)
            assert days.max() == on_or_before


def test_nothing_moves_after_the_last_trade():
    contract = CONTRACTS[0]
    after = contract.last_ns + np.arange(5) * 3600 * 10**9
    assert len(set(CL.prices(contract, after).tolist())) == 1


def test_rows_as_bars():
    columns = WHOLE[CONTRACTS[3].month]
    bars = columns.bars()
    assert len(bars) == len(columns)
    assert bars[5].month == CONTRACTS[3].month
    assert (bars[5].ts, bars[5].close) == (int(columns.ts[5]), int(columns.close[5]))
    assert all(isinstance(bar.high, int) and isinstance(bar.volume, float) for bar in bars)


# Like a market


def _slopes(root):
    """Signs of second against first contract of each session, far from any last trade."""
    bars = Curve(root, 1).bars(CONTRACTS, SESSIONS)
    closes = {m: dict(zip(c.ts.tolist(), c.close.tolist(), strict=True)) for m, c in bars.items()}
    signs = []
    for session in SESSIONS:
        ts = session.close_ns
        near, far = [m for m in sorted(closes) if ts in closes[m]][1:3]
        signs.append(closes[far][ts] > closes[near][ts])
    return np.array(signs)


@pytest.mark.parametrize(
    ("root", "least", "most"), [("ES", 0.99, 1.0), ("GC", 0.99, 1.0), ("CL", 0.05, 0.95)]
)
def test_contango_and_backwardation(root, least, most):
    assert least <= _slopes(root).mean() <= most


def test_the_formula_at_its_ends():
    """At the last trade the future is the spot; without yield and its noise it is cost of carry."""
    model = CurveModel(100.0, 0.3)
    spot, convenience = np.log(np.array([80.0, 120.0])), np.array([0.1, -0.1])
    assert model.log_future(spot, convenience, np.zeros(2)) == pytest.approx(spot, abs=1e-12)
    plain = CurveModel(100.0, 0.3, rate=0.05, yield_mean=0.0, yield_volatility=0.0)
    future = plain.log_future(spot, np.zeros(2), np.full(2, 2.0))
    assert future == pytest.approx(spot + 0.1, abs=1e-12)


def test_trading_moves_to_the_next_contract_before_the_roll():
    near, far = CONTRACTS[3], CONTRACTS[4]
    volume = [
        dict(zip(WHOLE[c.month].ts.tolist(), WHOLE[c.month].volume.tolist(), strict=True))
        for c in (near, far)
    ]
    interest = [
        dict(zip(WHOLE[c.month].ts.tolist(), WHOLE[c.month].open_interest.tolist(), strict=True))
        for c in (near, far)
    ]
    leads = {}
    for session in SESSIONS:
        if near.enter <= session.day < near.leave:
            ts = session.close_ns
            leads[session.day] = volume[1][ts] > volume[0][ts], interest[1][ts] > interest[0][ts]
    days = sorted(leads)
    assert leads[days[-1]] == (True, True)
    month_before = [leads[day] for day in days if (near.leave - day).days > 12]
    assert month_before
    assert not any(any(pair) for pair in month_before)


# Sessions and listings of a chain


def test_sessions_of_a_chain(catalog):
    """ES: 17:00 to 16:00 Chicago; closed on Good Friday, 2024-03-29; clocks go on in March."""
    days = {s.day: s for s in sessions(catalog["ES"], dt.date(2024, 3, 4), dt.date(2024, 4, 1))}
    assert dt.date(2024, 3, 29) not in days
    assert dt.date(2024, 3, 30) not in days
    winter, summer = days[dt.date(2024, 3, 4)], days[dt.date(2024, 4, 1)]
    assert winter.stretches == ((_minute(dt.date(2024, 3, 3), 23), _minute(winter.day, 22)),)
    assert summer.stretches == ((_minute(dt.date(2024, 3, 31), 22), _minute(summer.day, 21)),)
    assert winter.close_ns == _minute(winter.day, 22) * NS_PER_MINUTE


def test_breaks_of_a_session_stay_on_its_day(catalog):
    """ZC: 19:00 to 13:20 Chicago with a break from 7:45 to 8:30."""
    (session,) = sessions(catalog["ZC"], dt.date(2024, 7, 2), dt.date(2024, 7, 2))
    day = session.day
    assert session.stretches == (
        (_minute(day, 0), _minute(day, 12) + 45),
        (_minute(day, 13) + 30, _minute(day, 18) + 20),
    )


def test_listings_of_a_chain(catalog):
    one, two = listings(catalog["ES"], ContractMonth(2024, 3), ContractMonth(2024, 6))
    assert (str(one.month), one.last, one.tick) == ("2024H", dt.date(2024, 3, 15), 250_000_000)
    assert two.enter == one.leave == dt.date(2024, 3, 11)
    instant = dt.datetime(2024, 3, 15, 13, 30, tzinfo=dt.UTC)
    assert one.last_ns == int(instant.timestamp()) * 10**9


# Mistakes


def test_what_cannot_be_answered_is_refused(catalog):
    with pytest.raises(ValueError, match="0 minutes"):
        CL.bars(CONTRACTS, SESSIONS, minutes=0)
    with pytest.raises(ValueError, match="CL: day -1 or"):
        CL.prices(CONTRACTS[0], np.array([-1]))
    with pytest.raises(ValueError, match=r"ES: sessions .* outside calendar"):
        sessions(catalog["ES"], dt.date(2024, 1, 1), dt.date(2124, 1, 1))


def test_no_sessions_no_bars():
    assert all(len(columns) == 0 for columns in CL.bars(CONTRACTS, []).values())
