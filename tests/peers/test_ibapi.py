"""Our messages against the official client and decoder, which nobody here wrote.

What we encode the official decoder must read, and what the official client sends we must read and
send in the same fields, at every server version that changes a layout.
"""

from __future__ import annotations

import dataclasses
import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyfutures.ib import messages as m
from pyfutures.ib.codec import Codec, Role
from pyfutures.ib.fields import UNSET_FLOAT, UNSET_INT
from pyfutures.ib.framing import Framer
from pyfutures.ib.messages.conditions import PriceCondition
from tests.ib.strategies import ALL_REQUESTS, ALL_RESPONSES, SMALL, messages

pytest.importorskip("ibapi", reason="the official client is not installed")

import ibapi.contract as ic
import ibapi.order as io
from ibapi import order_condition as oc
from ibapi.client import EClient
from ibapi.const import UNSET_DECIMAL
from ibapi.decoder import Decoder
from ibapi.execution import ExecutionFilter
from ibapi.order_cancel import OrderCancel
from ibapi.tag_value import TagValue
from ibapi.wrapper import EWrapper

VERSIONS = [
    157,
    158,
    160,
    163,
    164,
    166,
    169,
    170,
    176,
    177,
    178,
    182,
    186,
    187,
    190,
    192,
    193,
    194,
    196,
    200,
]
LAYOUTS = {layout.cls: layout for layout in ALL_REQUESTS + ALL_RESPONSES}
FEW = settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
MANY = settings(FEW, max_examples=80)
VERSION = st.sampled_from(VERSIONS)

CONTRACT = {
    "con_id": "conId", "symbol": "symbol", "sec_type": "secType",
    "last_trade": "lastTradeDateOrContractMonth", "strike": "strike", "right": "right",
    "multiplier": "multiplier", "exchange": "exchange", "primary_exchange": "primaryExchange",
    "currency": "currency", "local_symbol": "localSymbol", "trading_class": "tradingClass",
    "include_expired": "includeExpired", "sec_id_type": "secIdType", "sec_id": "secId",
    "issuer_id": "issuerId", "legs_text": "comboLegsDescrip", "last_trade_date": "lastTradeDate",
}  # fmt: skip
ODD = {
    "quantity": "totalQuantity", "type": "orderType", "limit_price": "lmtPrice",
    "good_after": "goodAfterTime", "good_till": "goodTillDate", "min_quantity": "minQty",
    "discretionary_amount": "discretionaryAmt", "rule_80a": "rule80A",
    "delta_neutral_type": "deltaNeutralOrderType", "scale_init_fill_quantity": "scaleInitFillQty",
    "active_start": "activeStartTime", "active_stop": "activeStopTime",
    "reference_con_id": "referenceContractId", "reference_exchange": "referenceExchangeId",
    "pegged_change_decrease": "isPeggedChangeAmountDecrease", "pegged_change": "peggedChangeAmount",
    "reference_change": "referenceChangeAmount", "limit_price_offset": "lmtPriceOffset",
    "cash_quantity": "cashQty", "no_auto_price_for_hedge": "dontUseAutoPriceForHedge",
    "oms_container": "isOmsContainer", "discretionary_up_to_limit": "discretionaryUpToLimitPrice",
    "price_management_algo": "usePriceMgmtAlgo", "min_trade_quantity": "minTradeQty",
    "mifid2_decision_maker": "mifid2DecisionMaker",
}  # fmt: skip
# Ours that the official order does not have, or has as an object.
APART = {
    "leg_prices", "combo_routing", "shares_allocation", "fa_profile", "algo_params", "conditions",
    "misc_options", "soft_dollar_name", "soft_dollar_value", "soft_dollar_display_name",
}  # fmt: skip


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


ORDER = {
    field.name: ODD.get(field.name, camel(field.name))
    for field in dataclasses.fields(m.Order)
    if field.name not in APART
}


def plain(value):
    """Unset in any of its forms, and 0.0 that the official decoder takes for it, are None."""
    if isinstance(value, Decimal | float | int) and not isinstance(value, bool):
        if value in {UNSET_INT, UNSET_FLOAT, UNSET_DECIMAL, 0}:
            return None
        return float(value)
    return None if value in ("", False, None) else value


def tags(pairs):
    return [(pair.tag, pair.value) for pair in pairs or ()]


class Recorder(EWrapper):
    """Writes down every callback; two of them have a third name in newer packages."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __getattribute__(self, name):
        if name in {"calls", "of"} or name.startswith("_") or name.endswith("ProtoBuf"):
            return super().__getattribute__(name)
        calls = super().__getattribute__("calls")
        return lambda *args: calls.append((name, args))

    def of(self, name):
        found = [args for called, args in self.calls if called == name]
        assert len(found) == 1, self.calls
        return found[0]


def theirs(message, version):
    """The callbacks of the official decoder for a message of ours."""
    recorder = Recorder()
    decoder = Decoder(recorder, version)
    number, *fields = Codec(version, Role.GATEWAY).encode(message).split(b"\0")[:-1]
    rest = list(fields)
    decoder.interpret(rest, int(number))
    return recorder


class Wire:
    def __init__(self):
        self.sent = b""

    def isConnected(self):  # noqa: N802 - their name
        return True

    def sendMsg(self, data):  # noqa: N802 - their name
        self.sent += data


def client(version):
    wrapper = Recorder()
    peer = EClient(wrapper)
    peer.conn = Wire()
    peer.serverVersion_ = version
    peer.setConnState(EClient.CONNECTED)
    return peer


def said(peer):
    assert not peer.wrapper.calls, peer.wrapper.calls
    (body,) = Framer().feed(peer.conn.sent)
    return body


def check_request(message, version, ask):
    """The official client sends for `ask` what we send for `message`, field for field."""
    peer = client(version)
    ask(peer)
    body = said(peer)
    assert Codec(version, Role.GATEWAY).decode(body) == message
    ours = Codec(version, Role.CLIENT).encode(message).split(b"\0")
    fields = body.split(b"\0")
    assert len(ours) == len(fields)
    odd = [(a, b) for a, b in zip(ours, fields, strict=True) if a != b]
    assert all(a and b and float(a) == float(b) for a, b in odd), odd


def their_contract(contract):
    made = ic.Contract()
    for name, other in CONTRACT.items():
        setattr(made, other, getattr(contract, name))
    if contract.strike is None:
        made.strike = UNSET_FLOAT
    made.comboLegs = []
    for leg in contract.legs:
        one = ic.ComboLeg()
        for name in (field.name for field in dataclasses.fields(leg)):
            setattr(one, camel(name), getattr(leg, name))
        made.comboLegs.append(one)
    if contract.delta_neutral is not None:
        made.deltaNeutralContract = ic.DeltaNeutralContract()
        made.deltaNeutralContract.conId = contract.delta_neutral.con_id
        made.deltaNeutralContract.delta = contract.delta_neutral.delta
        made.deltaNeutralContract.price = contract.delta_neutral.price
    return made


def their_condition(condition):
    of = lambda: (condition.con_id, condition.exchange, condition.is_more)  # noqa: E731
    match condition:
        case PriceCondition():
            made = oc.PriceCondition(condition.trigger, *of(), condition.price)
        case m.TimeCondition():
            made = oc.TimeCondition(condition.is_more, condition.time)
        case m.MarginCondition():
            made = oc.MarginCondition(condition.is_more, condition.percent)
        case m.ExecutionCondition():
            made = oc.ExecutionCondition(condition.sec_type, condition.exchange, condition.symbol)
        case m.VolumeCondition():
            made = oc.VolumeCondition(*of(), condition.volume)
        case m.PercentChangeCondition():
            made = oc.PercentChangeCondition(*of(), condition.percent)
    made.isConjunctionConnection = condition.conjunction == "a"
    return made


def their_order(order):
    made = io.Order()
    for name, other in ORDER.items():
        value = getattr(order, name)
        unset = getattr(io.Order(), other)
        setattr(made, other, unset if value is None else value)
    if order.display_size is None:
        made.displaySize = UNSET_INT
    made.softDollarTier.name = order.soft_dollar_name
    made.softDollarTier.val = order.soft_dollar_value
    made.algoParams = [TagValue(tag.tag, tag.value) for tag in order.algo_params]
    made.smartComboRoutingParams = [TagValue(tag.tag, tag.value) for tag in order.combo_routing]
    made.orderComboLegs = []
    for price in order.leg_prices:
        leg = io.OrderComboLeg()
        leg.price = UNSET_FLOAT if price is None else price
        made.orderComboLegs.append(leg)
    made.conditions = [their_condition(condition) for condition in order.conditions]
    return made


@MANY
@given(version=VERSION, data=st.data())
def test_orders_placed_are_the_same(version, data):
    placed = data.draw(messages(LAYOUTS[m.PlaceOrder], version, SMALL))
    # The official client has no say in these.
    bare = dataclasses.replace(placed.order, shares_allocation="", fa_profile="", misc_options="")
    placed = dataclasses.replace(placed, order=bare)
    contract, order = their_contract(placed.contract), their_order(placed.order)
    check_request(placed, version, lambda peer: peer.placeOrder(placed.order_id, contract, order))


def same_contract(ours, peer):
    for name, other in CONTRACT.items():
        if name not in {"primary_exchange", "last_trade", "last_trade_date"}:
            assert plain(getattr(ours, name)) == plain(getattr(peer, other)), name
    assert len(ours.legs) == len(peer.comboLegs or [])
    for leg, other in zip(ours.legs, peer.comboLegs or [], strict=True):
        for field in dataclasses.fields(leg):
            assert getattr(leg, field.name) == getattr(other, camel(field.name))


def same_order(ours, peer):
    for name, other in ORDER.items():
        if name not in {"override_percentage_constraints", "transmit"}:  # not in any answer
            assert plain(getattr(ours, name)) == plain(getattr(peer, other)), name
    assert tags(ours.algo_params) == tags(peer.algoParams)
    assert tags(ours.combo_routing) == tags(peer.smartComboRoutingParams)
    assert [plain(p) for p in ours.leg_prices] == [
        plain(x.price) for x in peer.orderComboLegs or ()
    ]
    assert len(ours.conditions) == len(peer.conditions)
    for condition, other in zip(ours.conditions, peer.conditions, strict=True):
        assert vars(their_condition(condition)) == vars(other)


STATE = {
    "commission": "commissionAndFees", "min_commission": "minCommissionAndFees",
    "max_commission": "maxCommissionAndFees", "commission_currency": "commissionAndFeesCurrency",
    "warning": "warningText",
}  # fmt: skip


MARGINS = ("init_margin", "maint_margin", "equity")


def same_state(ours, peer):
    for field in dataclasses.fields(ours):
        if field.name == "allocations":
            continue
        other = STATE.get(field.name, camel(field.name))
        other = other.replace("equity", "equityWithLoan").replace("Outside", "OutsideRTH")
        value = getattr(peer, other)
        if value and field.name.startswith(MARGINS) and isinstance(value, str):
            value = float(value)  # they leave some of the margins as text
        assert plain(getattr(ours, field.name)) == plain(value), field.name
    assert len(ours.allocations) == len(peer.orderAllocations or ())


@MANY
@given(version=VERSION, data=st.data())
def test_open_orders_are_read_the_same(version, data):
    message = data.draw(messages(LAYOUTS[m.OpenOrder], version, SMALL))
    order_id, contract, order, state = theirs(message, version).of("openOrder")
    assert order_id == message.order_id
    same_contract(message.contract, contract)
    same_order(message.order, order)
    same_state(message.state, state)


@MANY
@given(version=VERSION, data=st.data())
def test_completed_orders_are_read_the_same(version, data):
    message = data.draw(messages(LAYOUTS[m.CompletedOrder], version, SMALL))
    contract, order, state = theirs(message, version).of("completedOrder")
    same_contract(message.contract, contract)
    same_order(message.order, order)
    same_state(message.state, state)


@MANY
@given(version=VERSION, data=st.data())
def test_contract_details_are_read_the_same(version, data):
    message = data.draw(messages(LAYOUTS[m.ContractDetails], version, SMALL))
    fund = tuple("0" if 7 <= place <= 9 else text for place, text in enumerate(message.fund))
    contract = dataclasses.replace(message.contract, last_trade="20240402", last_trade_date="")
    message = dataclasses.replace(message, fund=fund, contract=contract)
    request_id, details = theirs(message, version).of("contractDetails")
    assert request_id == message.request_id
    same_contract(message.contract, details.contract)
    assert details.contract.lastTradeDateOrContractMonth == "20240402"
    odd = {"time_zone": "timeZoneId"}
    for field in dataclasses.fields(message):
        if field.name in {"request_id", "contract", "sec_ids", "fund", "ineligibility"}:
            continue
        other = getattr(details, odd.get(field.name, camel(field.name)))
        assert plain(getattr(message, field.name)) == plain(other), field.name
    assert tags(message.sec_ids) == tags(details.secIdList)
    reasons = [(why.id_, why.description) for why in details.ineligibilityReasonList or ()]
    assert [(why.id, why.description) for why in message.ineligibility] == reasons


# The callback and what it gets, for the messages that are flat.
FLAT = {
    m.TickPrice: ("tickPrice", lambda x: (x.request_id, x.type, x.price)),
    m.TickGeneric: ("tickGeneric", lambda x: (x.request_id, x.type, x.value)),
    m.TickString: ("tickString", lambda x: (x.request_id, x.type, x.value)),
    m.TickSnapshotEnd: ("tickSnapshotEnd", lambda x: (x.request_id,)),
    m.TickParameters: (
        "tickReqParams",
        lambda x: (x.request_id, x.min_tick, x.bbo_exchange, x.snapshot_permissions),
    ),
    m.MarketDataType: ("marketDataType", lambda x: (x.request_id, x.type)),
    m.RealTimeBar: ("realtimeBar", dataclasses.astuple),
    m.MarketDepth: ("updateMktDepth", dataclasses.astuple),
    m.MarketDepthL2: ("updateMktDepthL2", dataclasses.astuple),
    m.RerouteMarketData: ("rerouteMktDataReq", dataclasses.astuple),
    m.RerouteMarketDepth: ("rerouteMktDepthReq", dataclasses.astuple),
    m.OrderStatus: ("orderStatus", dataclasses.astuple),
    m.OrderBound: ("orderBound", dataclasses.astuple),
    m.OpenOrderEnd: ("openOrderEnd", dataclasses.astuple),
    m.CompletedOrdersEnd: ("completedOrdersEnd", dataclasses.astuple),
    m.ExecutionDetailsEnd: ("execDetailsEnd", dataclasses.astuple),
    m.NextValidId: ("nextValidId", dataclasses.astuple),
    m.ManagedAccounts: ("managedAccounts", dataclasses.astuple),
    m.CurrentTime: ("currentTime", dataclasses.astuple),
    m.CurrentTimeInMillis: ("currentTimeInMillis", dataclasses.astuple),
    m.ContractDetailsEnd: ("contractDetailsEnd", dataclasses.astuple),
    m.HeadTimestamp: ("headTimestamp", dataclasses.astuple),
    m.HistoricalBarsEnd: ("historicalDataEnd", dataclasses.astuple),
    m.PositionEnd: ("positionEnd", dataclasses.astuple),
    m.PositionMultiEnd: ("positionMultiEnd", dataclasses.astuple),
    m.AccountSummary: ("accountSummary", dataclasses.astuple),
    m.AccountSummaryEnd: ("accountSummaryEnd", dataclasses.astuple),
    m.AccountValue: ("updateAccountValue", dataclasses.astuple),
    m.AccountTime: ("updateAccountTime", dataclasses.astuple),
    m.AccountDownloadEnd: ("accountDownloadEnd", dataclasses.astuple),
    m.AccountUpdateMulti: ("accountUpdateMulti", dataclasses.astuple),
    m.AccountUpdateMultiEnd: ("accountUpdateMultiEnd", dataclasses.astuple),
    m.Pnl: ("pnl", dataclasses.astuple),
    m.PnlSingle: ("pnlSingle", dataclasses.astuple),
    m.ErrorMessage: (
        "error",
        lambda x: (x.request_id, x.time_ms, x.code, x.text, x.reject_json),
    ),
    m.TickByTickMidpoint: ("tickByTickMidPoint", dataclasses.astuple),
}


@pytest.mark.parametrize("cls", FLAT, ids=lambda cls: cls.__name__)
@FEW
@given(version=VERSION, data=st.data())
def test_flat_answers_are_read_the_same(version, cls, data):
    if LAYOUTS[cls].since > version:
        return
    message = data.draw(messages(LAYOUTS[cls], version, SMALL))
    name, expected = FLAT[cls]
    got = theirs(message, version).of(name)
    assert [plain(x) for x in got[: len(expected(message))]] == [
        plain(x) for x in expected(message)
    ]


def attributes(peer, names):
    return [getattr(peer, name) for name in names.split()]


def bar(peer):
    return attributes(peer, "date open high low close volume wap barCount")


def trade(peer):
    attribute = peer.tickAttribLast
    mask = attribute.pastLimit | attribute.unreported << 1
    return peer.time, mask, peer.price, peer.size, peer.exchange, peer.specialConditions


def quote(peer):
    attribute = peer.tickAttribBidAsk
    mask = attribute.askPastHigh | attribute.bidPastLow << 1
    return peer.time, mask, peer.priceBid, peer.priceAsk, peer.sizeBid, peer.sizeAsk


@MANY
@given(version=VERSION, data=st.data())
def test_history_is_read_the_same(version, data):
    def one(cls):
        return data.draw(messages(LAYOUTS[cls], version, SMALL))

    message = one(m.HistoricalBars)
    calls = theirs(message, version).calls
    bars = [args for name, args in calls if name == "historicalData"]
    assert [tuple(bar(args[1])) for args in bars] == [dataclasses.astuple(b) for b in message.bars]
    ends = [args for name, args in calls if name == "historicalDataEnd"]
    assert ends == ([(message.request_id, message.start, message.end)] if version < 196 else [])

    message = one(m.HistoricalBarUpdate)
    got = theirs(message, version).of("historicalDataUpdate")
    assert got[0] == message.request_id
    assert tuple(bar(got[1])) == dataclasses.astuple(message.bar)

    message = one(m.HistoricalSchedule)
    got = theirs(message, version).of("historicalSchedule")
    assert got[:4] == (message.request_id, message.start, message.end, message.time_zone)
    sessions = [tuple(attributes(x, "startDateTime endDateTime refDate")) for x in got[4]]
    assert sessions == [dataclasses.astuple(x) for x in message.sessions]

    message = one(m.HistoricalMidpoints)
    got = theirs(message, version).of("historicalTicks")
    ticks = [tuple(attributes(x, "time price size")) for x in got[1]]
    assert ticks == [dataclasses.astuple(x) for x in message.ticks]
    assert got[2] == message.done

    for cls, name, read in (
        (m.HistoricalQuotes, "historicalTicksBidAsk", quote),
        (m.HistoricalTrades, "historicalTicksLast", trade),
    ):
        message = one(cls)
        message = dataclasses.replace(
            message, ticks=tuple(dataclasses.replace(x, mask=x.mask & 3) for x in message.ticks)
        )
        got = theirs(message, version).of(name)
        assert [read(x) for x in got[1]] == [dataclasses.astuple(x) for x in message.ticks]
        assert got[2] == message.done


@MANY
@given(version=VERSION, data=st.data())
def test_ticks_fills_and_positions_are_read_the_same(version, data):
    def one(cls):
        return data.draw(messages(LAYOUTS[cls], version, SMALL))

    x = one(m.TickByTickTrade)
    got = theirs(x, version).of("tickByTickAllLast")
    assert got[:5] == (x.request_id, x.type, x.time, x.price, x.size)
    assert (got[5].pastLimit, got[5].unreported) == (x.past_limit, x.unreported)
    assert got[6:] == (x.exchange, x.conditions)

    x = one(m.TickByTickQuote)
    got = theirs(x, version).of("tickByTickBidAsk")
    assert got[:6] == (x.request_id, x.time, x.bid, x.ask, x.bid_size, x.ask_size)
    assert (got[6].bidPastLow, got[6].askPastHigh) == (x.bid_past_low, x.ask_past_high)

    x = one(m.TickSize)
    got = theirs(x, version).of("tickSize")
    assert got == (x.request_id, x.type, x.size)

    x = one(m.ExecutionDetails)
    request_id, contract, execution = theirs(x, version).of("execDetails")
    assert (request_id, execution.orderId) == (x.request_id, x.order_id)
    same_contract(x.contract, contract)
    odd = {"account": "acctNumber", "cumulative": "cumQty", "average_price": "avgPrice"}
    for field in dataclasses.fields(x.execution):
        other = getattr(execution, odd.get(field.name, camel(field.name)))
        assert plain(getattr(x.execution, field.name)) == plain(other), field.name

    x = one(m.CommissionReport)
    (report,) = theirs(x, version).of("commissionAndFeesReport")
    names = "execId commissionAndFees currency realizedPNL yield_ yieldRedemptionDate"
    assert [plain(v) for v in attributes(report, names)] == [
        plain(v) for v in dataclasses.astuple(x)
    ]

    x = one(m.Position)
    got = theirs(x, version).of("position")
    assert (got[0], got[2], got[3]) == (x.account, x.position, x.average_cost)
    same_contract(x.contract, got[1])

    x = one(m.PositionMulti)
    got = theirs(x, version).of("positionMulti")
    assert (got[0], got[1], got[2], got[4], got[5]) == (
        x.request_id, x.account, x.model_code, x.position, x.average_cost,
    )  # fmt: skip

    x = one(m.PortfolioValue)
    got = theirs(x, version).of("updatePortfolio")
    assert got[1:] == dataclasses.astuple(x)[1:]
    assert got[0].primaryExchange == x.contract.primary_exchange

    x = one(m.MarketRule)
    got = theirs(x, version).of("marketRule")
    assert [(plain(p.lowEdge), plain(p.increment)) for p in got[1]] == [
        (plain(p.low_edge), plain(p.increment)) for p in x.increments
    ]


def executions(peer, x):
    chosen = ExecutionFilter()
    chosen.clientId, chosen.acctCode, chosen.time = x.client_id, x.account, x.time
    chosen.symbol, chosen.secType = x.symbol, x.sec_type
    chosen.exchange, chosen.side = x.exchange, x.side
    chosen.lastNDays = UNSET_INT if x.last_days is None else x.last_days
    chosen.specificDates = list(x.dates) if x.dates else None
    peer.reqExecutions(x.request_id, chosen)


def cancel(x):
    made = OrderCancel()
    made.manualOrderCancelTime = getattr(x, "manual_time", "")
    made.extOperator = x.ext_operator
    made.manualOrderIndicator = x.manual_order_indicator
    if x.manual_order_indicator is None:
        made.manualOrderIndicator = UNSET_INT
    return made


REQUESTS = {
    m.StartApi: None,  # a call without arguments: below
    m.RequestIds: lambda c, x: c.reqIds(x.count),
    m.RequestManagedAccounts: lambda c, _: c.reqManagedAccts(),
    m.RequestCurrentTime: lambda c, _: c.reqCurrentTime(),
    m.RequestCurrentTimeInMillis: lambda c, _: c.reqCurrentTimeInMillis(),
    m.SetLogLevel: lambda c, x: c.setServerLogLevel(x.level),
    m.RequestContractDetails: lambda c, x: c.reqContractDetails(
        x.request_id, their_contract(x.contract)
    ),
    m.RequestMarketRule: lambda c, x: c.reqMarketRule(x.rule_id),
    m.RequestHistoricalBars: lambda c, x: c.reqHistoricalData(
        x.request_id, their_contract(x.contract), x.end, x.duration, x.bar_size, x.show,
        x.use_rth, x.format_date, x.keep_up_to_date, [],
    ),
    m.CancelHistoricalBars: lambda c, x: c.cancelHistoricalData(x.request_id),
    m.RequestHeadTimestamp: lambda c, x: c.reqHeadTimeStamp(
        x.request_id, their_contract(x.contract), x.show, x.use_rth, x.format_date
    ),
    m.CancelHeadTimestamp: lambda c, x: c.cancelHeadTimeStamp(x.request_id),
    m.RequestHistoricalTicks: lambda c, x: c.reqHistoricalTicks(
        x.request_id, their_contract(x.contract), x.start, x.end, x.count, x.show, x.use_rth,
        x.ignore_size, [],
    ),
    m.RequestMarketData: lambda c, x: c.reqMktData(
        x.request_id, their_contract(x.contract), x.generic_ticks, x.snapshot,
        x.regulatory_snapshot, [],
    ),
    m.CancelMarketData: lambda c, x: c.cancelMktData(x.request_id),
    m.RequestMarketDataType: lambda c, x: c.reqMarketDataType(x.type),
    m.RequestTickByTick: lambda c, x: c.reqTickByTickData(
        x.request_id, their_contract(x.contract), x.type, x.count, x.ignore_size
    ),
    m.CancelTickByTick: lambda c, x: c.cancelTickByTickData(x.request_id),
    m.RequestRealTimeBars: lambda c, x: c.reqRealTimeBars(
        x.request_id, their_contract(x.contract), x.bar_size, x.show, x.use_rth, []
    ),
    m.CancelRealTimeBars: lambda c, x: c.cancelRealTimeBars(x.request_id),
    m.RequestMarketDepth: lambda c, x: c.reqMktDepth(
        x.request_id, their_contract(x.contract), x.rows, x.smart, []
    ),
    m.CancelMarketDepth: lambda c, x: c.cancelMktDepth(x.request_id, x.smart),
    m.RequestDepthExchanges: lambda c, _: c.reqMktDepthExchanges(),
    m.CancelOrder: lambda c, x: c.cancelOrder(x.order_id, cancel(x)),
    m.GlobalCancel: lambda c, x: c.reqGlobalCancel(cancel(x)),
    m.RequestOpenOrders: lambda c, _: c.reqOpenOrders(),
    m.RequestAllOpenOrders: lambda c, _: c.reqAllOpenOrders(),
    m.RequestAutoOpenOrders: lambda c, x: c.reqAutoOpenOrders(x.bind),
    m.RequestCompletedOrders: lambda c, x: c.reqCompletedOrders(x.api_only),
    m.RequestExecutions: executions,
    m.RequestPositions: lambda c, _: c.reqPositions(),
    m.CancelPositions: lambda c, _: c.cancelPositions(),
    m.RequestPositionsMulti: lambda c, x: c.reqPositionsMulti(
        x.request_id, x.account, x.model_code
    ),
    m.CancelPositionsMulti: lambda c, x: c.cancelPositionsMulti(x.request_id),
    m.RequestAccountSummary: lambda c, x: c.reqAccountSummary(x.request_id, x.group, x.tags),
    m.CancelAccountSummary: lambda c, x: c.cancelAccountSummary(x.request_id),
    m.RequestAccountUpdates: lambda c, x: c.reqAccountUpdates(x.subscribe, x.account),
    m.RequestAccountUpdatesMulti: lambda c, x: c.reqAccountUpdatesMulti(
        x.request_id, x.account, x.model_code, x.ledger_and_nlv
    ),
    m.CancelAccountUpdatesMulti: lambda c, x: c.cancelAccountUpdatesMulti(x.request_id),
    m.RequestPnl: lambda c, x: c.reqPnL(x.request_id, x.account, x.model_code),
    m.CancelPnl: lambda c, x: c.cancelPnL(x.request_id),
    m.RequestPnlSingle: lambda c, x: c.reqPnLSingle(
        x.request_id, x.account, x.model_code, x.con_id
    ),
    m.CancelPnlSingle: lambda c, x: c.cancelPnLSingle(x.request_id),
}  # fmt: skip


@pytest.mark.parametrize("cls", REQUESTS, ids=lambda cls: cls.__name__)
@FEW
@given(version=VERSION, data=st.data())
def test_requests_are_the_same(version, cls, data):
    layout = LAYOUTS[cls]
    if layout.since > version:
        return
    message = data.draw(messages(layout, version, SMALL))
    if hasattr(message, "options"):  # the official client forbids them
        message = dataclasses.replace(message, options="")
    if cls is m.StartApi:

        def ask(peer):
            peer.clientId, peer.optCapab = message.client_id, message.capabilities
            peer.startApi()
    else:

        def ask(peer):
            REQUESTS[cls](peer, message)

    check_request(message, version, ask)


def test_no_request_is_left_out():
    assert {*REQUESTS, m.PlaceOrder} == {layout.cls for layout in ALL_REQUESTS}
