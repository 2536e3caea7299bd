"""Fields and messages side by side, written by hand from the layouts of the protocol notes.


Each row is read by the end that receives it and written by the end that sends it.
"""

# ruff: noqa: E501, N817 - a row is a line

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.codec import Codec, Role

FGBL = m.Contract(
    con_id=101, symbol="GBL", sec_type="FUT", last_trade="20240606", strike=0.0, multiplier="1000",
    exchange="EUREX", currency="EUR", local_symbol="FGBL 20240606 M", trading_class="FGBL",
)  # fmt: skip
C12 = "101|GBL|FUT|20240606|0.0||1000|EUREX||EUR|FGBL 20240606 M|FGBL"
C11 = "101|GBL|FUT|20240606|0.0||1000|EUREX|EUR|FGBL 20240606 M|FGBL"
BAR = m.Bar("1717000000", 131.5, 131.75, 131.25, 131.5, D(900), 131.482, 310)

REQUESTS = [
    (176, "71|2|7|", m.StartApi(7)),
    (176, "8|1|1", m.RequestIds()),
    (176, "17|1", m.RequestManagedAccounts()),
    (176, "49|1", m.RequestCurrentTime()),
    (176, "14|1|5", m.SetLogLevel(5)),
    (175, f"9|8|4|{C12}|1||", m.RequestContractDetails(4, replace(FGBL, include_expired=True))),
    (176, f"9|8|4|{C12}|0|||", m.RequestContractDetails(4, FGBL)),
    (176, f"20|5|{C12}|0|20240530-16:00:00|1 hour|2 D|1|TRADES|2|0|", m.RequestHistoricalBars(5, FGBL, "20240530-16:00:00", "1 hour", "2 D", use_rth=True)),
    (176, f"20|5|{C12}|0||1 min|1 D|0|BID_ASK|2|1|", m.RequestHistoricalBars(5, FGBL, "", "1 min", "1 D", show="BID_ASK", keep_up_to_date=True)),
    (176, "25|1|5", m.CancelHistoricalBars(5)),
    (176, f"87|6|{C12}|0|1|TRADES|2", m.RequestHeadTimestamp(6, FGBL, use_rth=True)),
    (176, "90|6", m.CancelHeadTimestamp(6)),
    (176, f"96|7|{C12}|0|20240530-08:00:00||1000|BID_ASK|0|1|", m.RequestHistoricalTicks(7, FGBL, "20240530-08:00:00", "", show="BID_ASK", ignore_size=True)),
    (176, f"50|3|8|{C12}|5|TRADES|0|", m.RequestRealTimeBars(8, FGBL)),
    (176, "51|1|8", m.CancelRealTimeBars(8)),
    (176, f"97|9|{C12}|BidAsk|0|1", m.RequestTickByTick(9, FGBL, "BidAsk", ignore_size=True)),
    (176, "98|9", m.CancelTickByTick(9)),
    (176, f"1|11|10|{C12}|0|588|0|0|", m.RequestMarketData(10, FGBL, "588")),
    (176, "2|2|10", m.CancelMarketData(10)),
    (176, "59|1|3", m.RequestMarketDataType(3)),
    (168, "4|1|44", m.CancelOrder(44)),
    (176, "4|1|44|", m.CancelOrder(44)),
    (192, "4|44|||2147483647", m.CancelOrder(44)),
    (176, "58|1", m.GlobalCancel()),
    (192, "58||2147483647", m.GlobalCancel()),
    (176, "5|1", m.RequestOpenOrders()),
    (176, "16|1", m.RequestAllOpenOrders()),
    (176, "15|1|1", m.RequestAutoOpenOrders()),
    (176, "99|0", m.RequestCompletedOrders()),
    (199, "7|3|12|0|DU1234567||ES||CME|", m.RequestExecutions(12, 0, "DU1234567", symbol="ES", exchange="CME")),
    (200, "7|3|12|0|||||||3|2|20240529|20240530", m.RequestExecutions(12, last_days=3, dates=("20240529", "20240530"))),
    (176, "61|1", m.RequestPositions()),
    (176, "64|1", m.CancelPositions()),
    (176, "62|1|13|All|NetLiquidation,Cushion", m.RequestAccountSummary(13, "All", "NetLiquidation,Cushion")),
    (176, "6|2|1|DU1234567", m.RequestAccountUpdates(subscribe=True, account="DU1234567")),
    (176, "76|1|14|DU1234567||1", m.RequestAccountUpdatesMulti(14, "DU1234567", ledger_and_nlv=True)),
    (176, "91|26", m.RequestMarketRule(26)),
]  # fmt: skip

EXECUTION = m.Execution(
    "0000e0d5.6570c5a1.01.01", "20240530-09:30:01", "DU1234567", "EUREX", "BOT", D(2), 131.5, 998877, 7,
    0, D(2), 131.5,
)  # fmt: skip
FILL = f"11|-1|44|{C11}|0000e0d5.6570c5a1.01.01|20240530-09:30:01|DU1234567|EUREX|BOT|2|131.5|998877|7|0|2|131.5||||"

RESPONSES = [
    (176, "15|1|DU1234567,DU7654321,", m.ManagedAccounts("DU1234567,DU7654321,")),
    (176, "9|1|44", m.NextValidId(44)),
    (176, "49|1|1717000000", m.CurrentTime(1717000000)),
    (165, "4|2|-1|2104|Market data farm connection is OK:usfarm", m.ErrorMessage(-1, 2104, "Market data farm connection is OK:usfarm")),
    (176, "4|2|44|201|Order rejected - reason:z\\u00fc gro\\u00df|", m.ErrorMessage(44, 201, "Order rejected - reason:zü groß")),
    (194, "4|-1|1100|lost||1717000000123", m.ErrorMessage(-1, 1100, "lost", "", 1717000000123)),
    (176, "52|1|4", m.ContractDetailsEnd(4)),
    (176, "17|5|a|b|1|1717000000|131.5|131.75|131.25|131.5|900|131.482|310", m.HistoricalBars(5, (BAR,), "a", "b")),
    (196, "17|5|1|1717000000|131.5|131.75|131.25|131.5|900|131.482|310", m.HistoricalBars(5, (BAR,))),
    (196, "108|5|a|b", m.HistoricalBarsEnd(5, "a", "b")),
    (176, "90|5|310|1717000000|131.5|131.5|131.75|131.25|131.482|900", m.HistoricalBarUpdate(5, BAR)),
    (176, "88|6|1000000000", m.HeadTimestamp(6, "1000000000")),
    (176, "96|7|1|1717000000|0|131.5|0|1", m.HistoricalMidpoints(7, (m.HistoricalMidpoint(1717000000, 131.5),), done=True)),
    (176, "97|7|1|1717000000|1|131.5|131.51|12|15|0", m.HistoricalQuotes(7, (m.HistoricalQuote(1717000000, 1, 131.5, 131.51, D(12), D(15)),), done=False)),
    (176, "98|7|1|1717000000|2|131.5|3|EUREX|I|1", m.HistoricalTrades(7, (m.HistoricalTrade(1717000000, 2, 131.5, D(3), "EUREX", "I"),), done=True)),
    (176, "99|9|2|1717000000|131.5|3|0|EUREX|", m.TickByTickTrade(9, 2, 1717000000, 131.5, D(3), 0, "EUREX", "")),
    (176, "99|9|3|1717000000|131.5|131.51|12|15|2", m.TickByTickQuote(9, 1717000000, 131.5, 131.51, D(12), D(15), 2)),
    (176, "99|9|4|1717000000|131.505", m.TickByTickMidpoint(9, 1717000000, 131.505)),
    (176, "106|5|20240530-01:15:00|20240530-22:00:00|MET|1|20240530-01:15:00|20240530-22:00:00|20240530",
     m.HistoricalSchedule(5, "20240530-01:15:00", "20240530-22:00:00", "MET", (m.ScheduleSession("20240530-01:15:00", "20240530-22:00:00", "20240530"),))),
    (176, "50|3|8|1717000000|131.5|131.75|131.25|131.5|9|131.48|4", m.RealTimeBar(8, 1717000000, 131.5, 131.75, 131.25, 131.5, D(9), 131.48, 4)),
    (176, "58|1|10|3", m.MarketDataType(10, 3)),
    (176, "81|10|0.01|9c0001|3", m.TickParameters(10, D("0.01"), "9c0001", 3)),
    (176, "1|6|10|1|131.5|12|1", m.TickPrice(10, 1, 131.5, D(12), 1)),
    (176, "2|6|10|86|1250000", m.TickSize(10, 86, D(1250000))),
    (176, "45|6|10|49|0.0", m.TickGeneric(10, 49, 0.0)),
    (176, "46|6|10|45|1717000000", m.TickString(10, 45, "1717000000")),
    (176, "57|1|10", m.TickSnapshotEnd(10)),
    (176, "3|44|Submitted|0|2|0.0|998877|0|0.0|7||0.0", m.OrderStatus(44, "Submitted", D(0), D(2), 0.0, 998877, 0, 0.0, 7)),
    (176, f"{FILL}|2", m.ExecutionDetails(-1, 44, FGBL, replace(EXECUTION, last_liquidity=2))),
    (178, f"{FILL}|0|1", m.ExecutionDetails(-1, 44, FGBL, replace(EXECUTION, pending_price_revision=True))),
    (198, f"{FILL}|0|0|me", m.ExecutionDetails(-1, 44, FGBL, replace(EXECUTION, submitter="me"))),
    (176, "55|1|12", m.ExecutionDetailsEnd(12)),
    (176, "53|1", m.OpenOrderEnd()),
    (176, "102", m.CompletedOrdersEnd()),
    (176, "59|1|0000e0d5.6570c5a1.01.01|2.4|EUR|1.7976931348623157E308|1.7976931348623157E308|", m.CommissionReport("0000e0d5.6570c5a1.01.01", 2.4, "EUR")),
    (176, f"61|3|DU1234567|{C11}|2|131501.2", m.Position("DU1234567", FGBL, D(2), 131501.2)),
    (176, "62|1", m.PositionEnd()),
    (176, f"71|1|15|DU1234567|{C11}|2|131501.2|", m.PositionMulti(15, "DU1234567", FGBL, D(2), 131501.2)),
    (176, "63|1|13|DU1234567|NetLiquidation|100000.00|EUR", m.AccountSummary(13, "DU1234567", "NetLiquidation", "100000.00", "EUR")),
    (176, "6|2|CashBalance|100000.00|EUR|DU1234567", m.AccountValue("CashBalance", "100000.00", "EUR", "DU1234567")),
    (176, "8|1|09:31", m.AccountTime("09:31")),
    (176, "54|1|DU1234567", m.AccountDownloadEnd("DU1234567")),
    (176, "73|1|14|DU1234567||CashBalance|100000.00|EUR", m.AccountUpdateMulti(14, "DU1234567", "", "CashBalance", "100000.00", "EUR")),
    (176, "93|26|2|0|0.005|100|0.01", m.MarketRule(26, (m.PriceIncrement(D(0), D("0.005")), m.PriceIncrement(D(100), D("0.01"))))),
    (176, "91|10|102|EUREX", m.RerouteMarketData(10, 102, "EUREX")),
]  # fmt: skip


def fields(text):
    return "".join(f"{field}\0" for field in text.split("|")).encode()


@pytest.mark.parametrize(("version", "text", "message"), REQUESTS)
def test_requests(version, text, message):
    assert Codec(version, Role.GATEWAY).decode(fields(text)) == message
    assert Codec(version, Role.CLIENT).encode(message) == fields(text)


@pytest.mark.parametrize(("version", "text", "message"), RESPONSES)
def test_responses(version, text, message):
    assert Codec(version, Role.CLIENT).decode(fields(text)) == message
    assert Codec(version, Role.GATEWAY).encode(message) == fields(text)


def details(size, dates=("",), tail=()):
    head = ["10", "4", "GBL", "FUT", "20240606-10:30:00"]
    middle = [
        "0.0",
        "",
        "EUREX",
        "EUR",
        "FGBL 20240606 M",
        "FGBL",
        "FGBL",
        "101",
        "0.01",
        "1000",
        "LMT,MKT",
        "EUREX",
        "1",
        "999",
        "Euro Bund",
        "",
        "202406",
        "",
        "",
        "",
        "MET",
        "20240530:0115-20240530:2200",
        "20240530:0800-20240530:2200",
        "",
        "",
        "1",
        "ISIN",
        "DE000C7RRRR8",
        "2147483647",
        "GBL",
        "IND",
        "62",
        "20240606",
        "",
    ]
    return [*head, *dates, *middle, *size, *tail]


@pytest.mark.parametrize(
    ("version", "texts", "min_size", "last_trade_date"),
    [
        (176, details(("1", "1", "1"), ()), D(1), ""),
        (182, details(("1", "1", "1"), ("20240606",)), D(1), "20240606"),
        (186, details(("1", "1", "1"), ("20240606",), ("0",)), D(1), "20240606"),
    ],
)
def test_contract_details(version, texts, min_size, last_trade_date):
    message = Codec(version).decode(("\0".join(texts) + "\0").encode())
    assert message == m.ContractDetails(
        4,
        m.Contract(
            con_id=101, symbol="GBL", sec_type="FUT", last_trade="20240606-10:30:00",
            last_trade_date=last_trade_date, strike=0.0, multiplier="1000", exchange="EUREX",
            currency="EUR", local_symbol="FGBL 20240606 M", trading_class="FGBL",
        ),
        market_name="FGBL", min_tick=D("0.01"), order_types="LMT,MKT", valid_exchanges="EUREX",
        price_magnifier=1, under_con_id=999, long_name="Euro Bund", contract_month="202406",
        time_zone="MET", trading_hours="20240530:0115-20240530:2200",
        liquid_hours="20240530:0800-20240530:2200", sec_ids=(m.Tag("ISIN", "DE000C7RRRR8"),),
        under_symbol="GBL", under_sec_type="IND", market_rule_ids="62",
        real_expiration_date="20240606", min_size=min_size, size_increment=D(1),
        suggested_size_increment=D(1),
    )  # fmt: skip
    assert Codec(version, Role.GATEWAY).write(message) == texts


@pytest.mark.parametrize(("version", "count"), [(176, 115), (177, 114), (178, 114), (200, 119)])
def test_fields_of_an_order_placed(version, count):
    # Counts of the protocol notes, measured on two clients; the id is one of them.
    order = m.Order("BUY", D(1), "LMT", limit_price=131.5, tif="DAY")
    assert len(Codec(version).write(m.PlaceOrder(44, FGBL, order))) == count


def test_places_of_an_order_placed():
    # Indices of the protocol notes at 176.
    order = m.Order(
        "BUY", D(3), "STP LMT", limit_price=1.5, aux_price=2.5, tif="GTC", oca_group="oca", account="DU1234567",
        order_ref="ref", parent_id=4, good_till="20240601-00:00:00", oca_type=2, trail_stop_price=7.5,
        trailing_percent=8.5, algo_id="algo", what_if=True, ext_operator="op", cash_quantity=9.5,
        manual_order_time="now",
    )  # fmt: skip
    fields = Codec(176).write(m.PlaceOrder(44, FGBL, order))
    places = {
        1: "44", 2: "101", 13: "FGBL", 16: "BUY", 17: "3", 18: "STP LMT", 19: "1.5", 20: "2.5",
        21: "GTC", 22: "oca", 23: "DU1234567", 26: "ref", 27: "1", 28: "4", 38: "20240601-00:00:00",
        46: "-1", 47: "2", 69: "7.5", 70: "8.5", 84: "algo", 85: "1", 90: "0", 98: "op", 101: "9.5",
        114: "now",
    }  # fmt: skip
    assert {place: fields[place] for place in places} == places


def test_the_text_none_opens_the_block_of_the_hedge():
    order = m.Order("BUY", D(1), "MKT", delta_neutral_type="None")
    plain = m.Order("BUY", D(1), "MKT")
    lengths = [
        len(Codec(176, Role.GATEWAY).write(m.OpenOrder(44, FGBL, one, m.OrderState("Submitted"))))
        for one in (order, plain)
    ]
    assert lengths[0] - lengths[1] == 8
