"""Contracts over the wire: chains, forms of last trades, what is ambiguous, expired, wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from pyfutures.gateway.config import GatewayConfig, LastTradeForm
from pyfutures.gateway.contracts import Universe
from pyfutures.gateway.names import con_id, local_symbol
from pyfutures.ib import messages as m
from pyfutures.ib.times import last_trade
from pyfutures.months import ContractMonth
from tests.gateway.tools import connected, errors, of

MARCH_2024 = dt.datetime(2024, 3, 26, 9, 36, 20, tzinfo=dt.UTC)


async def _details(raw, **named):
    raw.send(m.RequestContractDetails(1, m.Contract(**{"sec_type": "FUT", **named})))
    said = await raw.until(m.ContractDetailsEnd, m.ErrorMessage)
    found = of(m.ContractDetails, said)
    return sorted(found, key=lambda one: (one.contract_month, one.contract.last_trade)), said


def _run(check, **settings):
    async def main():
        async with connected(**settings) as (server, raw):
            await check(server, raw)

    asyncio.run(main())


def test_a_chain():
    async def check(_, raw):
        found, said = await _details(raw, symbol="ES", exchange="CME")
        assert said[-1] == m.ContractDetailsEnd(1)
        months = [one.contract_month for one in found]
        assert months[:4] == ["202509", "202512", "202603", "202606"]
        assert len(months) == len(set(months)) == 12  # three years of quarters
        # In no order that anybody should rely on.
        assert [one.contract_month for one in of(m.ContractDetails, said)] != months

    _run(check)


# The last trade of E-mini S&P is 09:30 in New York, which is 13:30 UTC in summer; that of crude oil
# 14:30 in New York, 18:30 UTC and the next day in Shanghai.
@pytest.mark.parametrize(
    ("version", "form", "symbol", "exchange", "text", "date"),
    [
        (157, LastTradeForm.UTC, "ES", "CME", "20250919", ""),
        (176, LastTradeForm.UTC, "ES", "CME", "20250919-13:30:00", ""),
        (176, LastTradeForm.DATE, "ES", "CME", "20250919", ""),
        (176, LastTradeForm.INSTRUMENT, "ES", "CME", "20250919 08:30:00 US/Central", ""),
        (176, LastTradeForm.OPERATOR, "CL", "NYMEX", "20250723 02:30:00 Asia/Shanghai", ""),
        (182, LastTradeForm.UTC, "ES", "CME", "20250919-13:30:00", "20250919"),
        (200, LastTradeForm.OPERATOR, "CL", "NYMEX", "20250723 02:30:00 Asia/Shanghai", "20250722"),
        (200, LastTradeForm.INSTRUMENT, "CL", "NYMEX", "20250722 14:30:00 US/Eastern", "20250722"),
    ],
)
def test_forms_of_the_last_trade(version, form, symbol, exchange, text, date):
    async def check(_, raw):
        found, _ = await _details(raw, symbol=symbol, exchange=exchange)
        first = found[0]
        assert (first.contract.last_trade, first.contract.last_trade_date) == (text, date)
        read = last_trade(text, first.time_zone, date=date)
        assert read.date == dt.date(2025, 9, 19) if symbol == "ES" else dt.date(2025, 7, 22)

    _run(check, version=version, last_trade_form=form, login_zone="Asia/Shanghai")


def test_recorded_details_of_milk():
    """What a gateway said of DCH4 on 26 March 2024; ids and order types apart."""

    async def check(_, raw):
        found, _ = await _details(raw, symbol="DA", exchange="CME", trading_class="DC")
        first = found[0]
        assert first.contract_month == "202403"
        assert first.contract.last_trade == "20240402-17:10:00"
        assert first.real_expiration_date == "20240403"
        assert first.contract.local_symbol == "DCH4"
        assert (first.min_tick, first.contract.multiplier) == (Decimal("0.01"), "2000")
        assert (first.market_name, first.time_zone) == ("DC", "US/Central")
        assert (first.under_symbol, first.under_sec_type) == ("DA", "IND")
        sizes = (first.min_size, first.size_increment, first.suggested_size_increment)
        assert (first.price_magnifier, sizes) == (1, (1, 1, 1))

    _run(check, roots=("DC",), start=MARCH_2024)


def test_recorded_hours_of_wheat():
    """What a gateway said of EBM on 27 March 2024, the first of its twelve contracts, its hours."""

    async def check(_, raw):
        found, _ = await _details(raw, symbol="EBM", exchange="MATIF")
        first = found[0]
        assert first.contract.last_trade == "20240510-16:30:00"
        assert first.contract.local_symbol == "EBMK4"
        assert first.time_zone == "MET"
        hours = "20240327:1045-20240327:1830;20240328:1045-20240328:1830"
        assert first.trading_hours.startswith(hours)
        assert first.trading_hours.split(";")[2] == "20240329:CLOSED"  # Good Friday

    _run(check, roots=("EBM",), start=dt.datetime(2024, 3, 27, 12, 19, 19, tzinfo=dt.UTC))


# Independence Day 2025 was a Friday.
@pytest.mark.parametrize(
    ("symbol", "exchange", "hours", "liquid"),
    [
        (
            "ES",
            "CME",
            (
                "20250630:1700-20250701:1600;20250701:1700-20250702:1600;20250702:1700-20250703:1600;"
                "20250704:CLOSED;20250705:CLOSED;20250706:1700-20250707:1600"
            ),
            "20250701:0830-20250701:1600",
        ),
        (
            "ZC",
            "CBOT",
            (
                "20250630:1900-20250701:0745,20250701:0830-20250701:1320;"
                "20250701:1900-20250702:0745,20250702:0830-20250702:1320;"
                "20250702:1900-20250703:0745,20250703:0830-20250703:1320;"
                "20250704:CLOSED;20250705:CLOSED;20250706:1900-20250707:0745,20250707:0830-20250707:1320"
            ),
            "20250701:0830-20250701:1320",
        ),
    ],
)
def test_hours(symbol, exchange, hours, liquid):
    async def check(_, raw):
        found, _ = await _details(raw, symbol=symbol, exchange=exchange)
        assert found[0].trading_hours == hours
        assert found[0].liquid_hours.split(";")[0] == liquid

    _run(check)


def test_one_symbol_is_several_classes_and_needs_one_of_them_for_data():
    async def check(server, raw):
        found, _ = await _details(raw, symbol="DAX", exchange="EUREX", last_trade="202509")
        classes = {(one.contract.trading_class, one.contract.multiplier) for one in found}
        assert classes == {("FDAX", "25"), ("FDXM", "5"), ("FDXS", "1")}
        named = m.Contract(symbol="DAX", sec_type="FUT", exchange="EUREX", last_trade="202509")
        error = await raw.ask(m.RequestHeadTimestamp(2, named), m.HeadTimestamp)
        text = "The contract description specified for DAX is ambiguous."
        assert (error.code, error.text) == (200, text)
        for more in ({"multiplier": "5"}, {"trading_class": "FDXM"}, {"multiplier": "5.0"}):
            found, _ = await _details(
                raw, symbol="DAX", exchange="EUREX", last_trade="202509", **more
            )
            assert [one.contract.trading_class for one in found] == ["FDXM"]

    _run(check)


def test_weeklies_share_the_symbol_and_the_contract_month():
    async def check(_, raw):
        found, _ = await _details(raw, symbol="VIX", exchange="CFE", last_trade="202508")
        dates = {one.contract.last_trade[:8]: one.contract.trading_class for one in found}
        assert dates["20250820"] == "VX"  # the monthly one
        assert len(dates) == 4  # Wednesdays 6, 13 and 27 are weeklies
        assert sorted(dates) == ["20250806", "20250813", "20250820", "20250827"]

    _run(check)


def test_expired_contracts_are_to_be_had_for_two_years_when_asked_for():
    async def check(_, raw):
        found, _ = await _details(raw, symbol="ES", exchange="CME", last_trade="202506")
        assert found == []
        found, _ = await _details(raw, symbol="ES", exchange="CME", include_expired=True)
        months = [one.contract_month for one in found]
        assert months[:2] == ["202309", "202312"]  # the last trade of June 2023 is too long ago
        assert months.count("202506") == 1

    _run(check)


def test_a_continuous_future_is_the_leading_contract_under_its_real_id():
    async def check(_, raw):
        found, _ = await _details(raw, symbol="DA", exchange="CME", sec_type="CONTFUT")
        months = {one.contract.local_symbol: one.contract.sec_type for one in found}
        assert months == {"DCN5": "CONTFUT"}  # DCM5 trades until 1 July
        same, _ = await _details(raw, con_id=found[0].contract.con_id)
        assert same[0].contract.local_symbol == "DCN5"
        assert same[0].contract.sec_type == "FUT"

    _run(check)


@pytest.mark.parametrize(
    ("named", "code", "words"),
    [
        ({"symbol": "NOPE", "exchange": "CME"}, 200, "No security definition"),
        ({"symbol": "ES", "exchange": "EUREX"}, 200, "No security definition"),
        ({"symbol": "ES", "exchange": "CME", "last_trade": "202510"}, 200, "No security"),
        ({"symbol": "ES", "exchange": "CME", "multiplier": "five"}, 200, "No security"),
        ({"con_id": 12345}, 200, "No security definition"),
        ({"symbol": "ES", "sec_type": "FRUIT"}, 321, "Please enter a valid security type"),
        ({"symbol": "ES", "sec_type": ""}, 321, "Please enter a valid security type"),
        ({"exchange": "CME"}, 321, "must be entered"),
    ],
)
def test_what_is_wrong(named, code, words):
    async def check(_, raw):
        _, said = await _details(raw, **named)
        assert errors(said) == [code]
        assert words in said[0].text

    _run(check)


def test_data_without_an_exchange_is_321():
    async def check(server, raw):
        found, _ = await _details(raw, symbol="ES", exchange="CME")
        bare = m.Contract(con_id=found[0].contract.con_id, sec_type="FUT")
        error = await raw.ask(m.RequestMarketData(2, bare), m.TickPrice)
        assert (error.code, "Please enter exchange" in error.text) == (321, True)

    _run(check)


def test_a_market_rule():
    async def check(_, raw):
        found, _ = await _details(raw, symbol="ZC", exchange="CBOT")
        rule = await raw.ask(m.RequestMarketRule(int(found[0].market_rule_ids)), m.MarketRule)
        assert rule.increments == (m.PriceIncrement(Decimal(0), Decimal("0.0025")),)
        assert (await raw.ask(m.RequestMarketRule(1), m.MarketRule)).code == 321

    _run(check)


def test_ids_depend_on_class_and_month_alone_and_never_collide():
    now = GatewayConfig(start=MARCH_2024).start_ns()
    everything = Universe.load(GatewayConfig())
    everything.refresh(now)
    by_id = {item.con_id: item for item in everything.instruments()}
    named = {
        (i.symbol, i.exchange, i.trading_class, i.multiplier, i.local_symbol, i.month)
        for i in everything.instruments()
    }
    assert len(by_id) == len(named)
    alone = Universe.load(GatewayConfig(roots=("ZC",)))
    alone.refresh(now)
    for item in alone.instruments():
        assert by_id[item.con_id].local_symbol == item.local_symbol
    assert max(by_id) < 2**31
    assert con_id("ZC|CBOT|USD|ZC|5000|", ContractMonth(2025, 12)) in by_id


def test_roots_that_share_a_class_are_one_contract():
    both = Universe.load(GatewayConfig(roots=("COIL", "COIL_Z")))
    both.refresh(GatewayConfig(start=MARCH_2024).start_ns())
    month = ContractMonth(2024, 12)
    assert both.of("COIL", month) is both.of("COIL_Z", month)


@pytest.mark.parametrize(
    ("exchange", "name", "month", "day", "text"),
    [
        ("CME", "ES", (2026, 3), dt.date(2026, 3, 20), "ESH6"),
        ("CBOT", "ZC", (2025, 7), dt.date(2025, 7, 14), "ZC   JUL 25"),
        ("EUREX", "FGBL", (2024, 6), dt.date(2024, 6, 6), "FGBL 20240606 M"),
        ("MEFFRV", "FMIX", (2024, 6), dt.date(2024, 6, 21), "M3FMIXM4"),
        ("IPE", "COIL", (2025, 12), dt.date(2025, 10, 31), "COILZ25"),
    ],
)
def test_local_symbols_have_many_forms(exchange, name, month, day, text):
    assert local_symbol(exchange, name, ContractMonth(*month), day) == text


@pytest.mark.parametrize(("exchange", "form"), [("OSE.JPN", r"\d{9}"), ("KSE", r"\d{4}[A-Z]")])
def test_local_symbols_of_numbers(exchange, form):
    text = local_symbol(exchange, "JGB", ContractMonth(2024, 3), dt.date(2024, 3, 13))
    assert __import__("re").fullmatch(form, text)


def test_a_root_that_ib_does_not_have():
    with pytest.raises(ValueError, match="A0D is not at IB"):
        Universe.load(GatewayConfig(roots=("A0D",)))
