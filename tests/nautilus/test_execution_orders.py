"""Orders as IB takes them: a table, and that what IB would echo means the same again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.common.component import TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.model.enums import (
    OrderSide,
    OrderType,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.model.identifiers import InstrumentId, StrategyId, TraderId
from nautilus_trader.model.objects import Price, Quantity

from pyfutures.ib import messages as m
from pyfutures.nautilus.execution.orders import (
    UnsupportedOrderError,
    ib_order,
    modified,
    reported_terms,
)
from pyfutures.nautilus.prices import PriceScale

ES = SimpleNamespace(scale=PriceScale(1, 2, Decimal("0.25"), Decimal(50)))
ZC = SimpleNamespace(scale=PriceScale(100, 4, Decimal("0.0025"), Decimal(5000)))
ID = InstrumentId.from_str("ESU25.XCME")
BUY, SELL = OrderSide.BUY, OrderSide.SELL
TWO = Quantity.from_int(2)
END = dt.datetime(2025, 7, 4, 12, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
PRICE, TICKS = TrailingOffsetType.PRICE, TrailingOffsetType.TICKS


def factory():
    return OrderFactory(TraderId("T-1"), StrategyId("S-1"), TestClock())


def px(text):
    return Price.from_str(text)


def sent(made, listing=ES, **params):
    return ib_order(made, listing, account="DU1234567", params=params or None)


def trailing(kind, offset, offset_type, **more):
    return getattr(factory(), f"trailing_stop_{kind}")(
        ID, SELL, TWO, trailing_offset=Decimal(offset), trailing_offset_type=offset_type, **more
    )


make = factory()
TIF = TimeInForce
#: What is ordered, on which contract, and what IB is told.
TABLE = [
    (make.market(ID, BUY, TWO), ES, {"type": "MKT", "action": "BUY", "tif": "GTC"}),
    (make.market(ID, SELL, TWO, TIF.DAY), ES, {"type": "MKT", "action": "SELL", "tif": "DAY"}),
    (make.market(ID, BUY, TWO, TIF.AT_THE_CLOSE), ES, {"type": "MOC", "tif": "DAY"}),
    (make.market(ID, BUY, TWO, TIF.AT_THE_OPEN), ES, {"type": "MKT", "tif": "OPG"}),
    (make.limit(ID, BUY, TWO, px("4000.25")), ES, {"type": "LMT", "limit_price": 4000.25}),
    # 450 cents a bushel are 4.50 inside.
    (make.limit(ID, BUY, TWO, px("4.5000")), ZC, {"type": "LMT", "limit_price": 450.0}),
    (make.limit(ID, BUY, TWO, px("4.5025")), ZC, {"limit_price": 450.25}),
    (
        make.limit(ID, BUY, TWO, px("1.00"), TIF.GTD, expire_time=END),
        ES,
        {"tif": "GTD", "good_till": "20250704-10:30:00"},
    ),
    (make.limit(ID, BUY, TWO, px("1.00"), TIF.IOC), ES, {"tif": "IOC"}),
    (make.limit(ID, BUY, TWO, px("1.00"), TIF.FOK), ES, {"tif": "FOK"}),
    (make.limit(ID, BUY, TWO, px("1.00"), TIF.AT_THE_CLOSE), ES, {"type": "LOC", "tif": "DAY"}),
    (make.limit(ID, BUY, TWO, px("1.00"), TIF.AT_THE_OPEN), ES, {"type": "LMT", "tif": "OPG"}),
    (
        make.limit(ID, BUY, TWO, px("1.00"), display_qty=Quantity.from_int(1)),
        ES,
        {"display_size": 1},
    ),
    (make.stop_market(ID, BUY, TWO, px("4.60")), ZC, {"type": "STP", "aux_price": 460.0}),
    (
        make.stop_market(ID, BUY, TWO, px("4.60"), trigger_type=TriggerType.BID_ASK),
        ZC,
        {"trigger_method": 4},
    ),
    (
        make.stop_limit(ID, BUY, TWO, px("4.61"), px("4.60")),
        ZC,
        {"type": "STP LMT", "limit_price": 461.0, "aux_price": 460.0},
    ),
    (make.market_if_touched(ID, BUY, TWO, px("4.40")), ZC, {"type": "MIT", "aux_price": 440.0}),
    (
        make.limit_if_touched(ID, BUY, TWO, px("4.41"), px("4.40")),
        ZC,
        {"type": "LIT", "limit_price": 441.0, "aux_price": 440.0},
    ),
    (make.market_to_limit(ID, BUY, TWO), ES, {"type": "MTL", "limit_price": None}),
    (trailing("market", "0.10", PRICE), ZC, {"type": "TRAIL", "aux_price": 10.0}),
    # Forty ticks of a quarter cent.
    (trailing("market", 40, TICKS), ZC, {"type": "TRAIL", "aux_price": 10.0}),
    (
        trailing("market", 150, TrailingOffsetType.BASIS_POINTS),
        ZC,
        {"type": "TRAIL", "trailing_percent": 1.5, "aux_price": None},
    ),
    (
        trailing("limit", "0.10", PRICE, limit_offset=Decimal("0.02"), trigger_price=px("4.30")),
        ZC,
        {
            "type": "TRAIL LIMIT", "aux_price": 10.0, "limit_price_offset": 2.0,
            "trail_stop_price": 430.0, "limit_price": None,
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("made", "listing", "expected"), TABLE)
def test_what_ib_is_told(made, listing, expected):
    wire = sent(made, listing)
    assert {name: getattr(wire, name) for name in expected} == expected
    assert (wire.quantity, wire.account, wire.transmit) == (2, "DU1234567", True)
    assert wire.order_ref == made.client_order_id.value


@pytest.mark.parametrize(("made", "listing", "expected"), TABLE)
def test_what_ib_echoes_means_the_same(made, listing, expected):
    terms = reported_terms(sent(made, listing), listing.scale)
    assert (terms.type, terms.side) == (made.order_type, made.side)
    assert terms.tif == made.time_in_force
    if made.has_price and made.order_type != OrderType.TRAILING_STOP_LIMIT:
        assert terms.price == made.price
    if made.has_trigger_price:
        assert terms.trigger_price == made.trigger_price
    if terms.tif == TIF.GTD:
        assert terms.expire_time == END
    if terms.trailing_offset is not None and made.trailing_offset_type != TICKS:
        assert terms.trailing_offset == made.trailing_offset


@given(st.integers(-(10**7), 10**7), st.sampled_from([1, 10, 100]), st.integers(0, 6))
def test_no_price_changes_on_its_way(units, magnifier, precision):
    increment = Decimal(1).scaleb(-precision)
    listing = SimpleNamespace(scale=PriceScale(magnifier, precision, increment, Decimal(1)))
    price = Price.from_str(f"{units * increment:f}")
    wire = sent(factory().limit(ID, BUY, TWO, price), listing)
    assert reported_terms(wire, listing.scale).price == price


REFUSED = [
    (make.limit(ID, BUY, TWO, px("1.00"), post_only=True), {}, "post_only"),
    (make.market(ID, BUY, TWO, quote_quantity=True), {}, "quote_quantity"),
    (trailing("market", 1, PRICE, activation_price=px("1.00")), {}, "activation_price"),
    (trailing("market", 1, TrailingOffsetType.PRICE_TIER), {}, "PRICE_TIER"),
    (
        trailing("limit", 1, TrailingOffsetType.BASIS_POINTS, limit_offset=Decimal(1)),
        {},
        "BASIS_POINTS",
    ),
    (
        make.stop_market(ID, BUY, TWO, px("1.00"), trigger_type=TriggerType.MARK_PRICE),
        {},
        "MARK_PRICE",
    ),
    (make.market(ID, BUY, TWO), {"slow": True}, "known are"),
    (make.market(ID, BUY, TWO), {"min_quantity": "1"}, "must be int"),
    (make.market(ID, BUY, TWO), {"good_after": dt.datetime(2025, 1, 1)}, "good_after"),  # noqa: DTZ001
]


@pytest.mark.parametrize(("made", "params", "reason"), REFUSED)
def test_what_ib_cannot_do_is_refused_with_the_reason(made, params, reason):
    with pytest.raises(UnsupportedOrderError, match=reason):
        sent(made, **params)


def test_params_reach_ib():
    after = dt.datetime(2025, 7, 1, 14, tzinfo=dt.UTC)
    wire = sent(
        make.market(ID, BUY, TWO), outside_rth=False, all_or_none=True, min_quantity=1,
        good_after=after, oca_group="G", oca_type=3,
    )  # fmt: skip
    assert (wire.outside_rth, wire.all_or_none, wire.min_quantity) == (False, True, 1)
    assert (wire.good_after, wire.oca_group, wire.oca_type) == ("20250701-14:00:00", "G", 3)
    assert sent(make.market(ID, BUY, TWO)).outside_rth is True


def test_modifications_change_what_they_name():
    limit = make.limit(ID, BUY, TWO, px("4.5000"))
    wire = modified(
        sent(limit, ZC), limit, ZC.scale, quantity=Quantity.from_int(5), price=px("4.5100")
    )
    assert (wire.quantity, wire.limit_price) == (5, 451.0)
    stop = make.stop_market(ID, BUY, TWO, px("4.6000"))
    wire = modified(sent(stop, ZC), stop, ZC.scale, trigger_price=px("4.7000"))
    assert wire.aux_price == 470.0
    trail = trailing("market", 1, PRICE)
    wire = modified(sent(trail, ZC), trail, ZC.scale, trigger_price=px("4.2000"))
    assert (wire.trail_stop_price, wire.aux_price) == (420.0, 100.0)
    for made, change in ((stop, {"price": px("1.0000")}), (limit, {"trigger_price": px("1.0000")})):
        with pytest.raises(UnsupportedOrderError):
            modified(sent(made, ZC), made, ZC.scale, **change)


@pytest.mark.parametrize("wire", [m.Order(type="REL", tif="DAY"), m.Order(type="LMT", tif="GTX")])
def test_orders_that_nautilus_has_no_word_for(wire):
    with pytest.raises(UnsupportedOrderError):
        reported_terms(wire, ES.scale)
