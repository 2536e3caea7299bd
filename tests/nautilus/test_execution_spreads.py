"""Calendar spreads: one order, one fill of it, positions in both legs, everything counted once."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.identifiers import InstrumentId, new_generic_spread_id

from pyfutures.ib import messages as m
from pyfutures.ib.orders import Fill
from pyfutures.nautilus.config import Limit
from pyfutures.nautilus.spreads import (
    SpreadError,
    SpreadFills,
    leg_ids,
    spread_id,
    spread_instrument,
)
from pyfutures.testing import made
from tests.nautilus.exec_tools import BUY, ESU, ESZ, SELL, ZCU, desk, running, until
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW
SPREAD = InstrumentId.from_str("ESU25-ESZ25.XCME")


def test_ids_read_as_they_are_written():
    assert spread_id(ESU, ESZ) == SPREAD
    assert leg_ids(SPREAD) == (ESU, ESZ)
    assert leg_ids(ESU) is None
    # nautilus' own form, whose order of legs is the alphabet's.
    assert leg_ids(new_generic_spread_id([(ESU, -1), (ESZ, 1)])) == (ESZ, ESU)
    assert leg_ids(new_generic_spread_id([(ESU, 1), (ESZ, -2)])) is None


@pytest.mark.parametrize("pair", [(ESU, ESU), (ESU, ZCU)])
def test_two_months_of_one_venue_make_a_spread(pair):
    with pytest.raises(SpreadError):
        spread_id(*pair)


def add(d):
    """Make the spread known to the node, as a strategy does."""
    near, far = (d.cache.instrument(leg) for leg in (ESU, ESZ))
    d.cache.add_instrument(spread_instrument(near, far))
    return near, far


def test_legs_of_two_products_are_none():
    async def scenario():
        async with desk() as d:
            with pytest.raises(SpreadError, match="legs differ"):
                spread_instrument(
                    d.cache.instrument(ESU),
                    d.cache.instrument(ZCU),
                    instrument_id=InstrumentId.from_str("ESU25-ZCU25.XCME"),
                )

    asyncio.run(scenario())


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_spread_order_fills_once_and_its_legs_make_positions(side):
    async def scenario():
        async with desk(limits={"ES": Limit(max_order_size=2, max_position=2)}) as d:
            add(d)
            sent = d.strategy.market(SPREAD, side, 2)
            await d.status(sent, "FILLED")
            await until(lambda: len(d.strategy.fills()) == 3, "whole and legs")
            whole, *legs = d.strategy.fills()
            assert whole.client_order_id == sent.client_order_id
            assert whole.last_qty == 2
            assert str(whole.commission) == "0.00 USD"  # the legs carry it
            assert [x.instrument_id for x in legs] == [ESU, ESZ]
            assert {str(x.commission) for x in legs} == {"4.50 USD"}
            near, far = (x.last_px.as_decimal() for x in legs)
            assert whole.last_px.as_decimal() == near - far
            sign = 1 if side == BUY else -1
            await d.agree()
            assert d.ours() == {ESU: 2 * sign, ESZ: -2 * sign}
            assert {p.strategy_id for p in d.cache.positions_open()} == {d.strategy.id}
            assert len({x.trade_id for x in d.strategy.fills()}) == 3
            # A spread is limited by its legs; all months together it is nothing.
            more = d.strategy.market(SPREAD, side, 1)
            await d.status(more, "DENIED")
            back = d.strategy.market(SPREAD, SELL if side == BUY else BUY, 2)
            await d.status(back, "FILLED")
            await until(lambda: d.ours() == {}, "flat")
            await d.agree()

    asyncio.run(scenario())


def test_a_limit_may_be_negative_and_is_re_priced_until_it_fills():
    async def scenario():
        async with desk() as d:
            add(d)
            (near, _), (_, far) = d.quote(ESU), d.quote(ESZ)
            there = near - far  # what a seller of the spread gets
            assert there < 0
            sent = d.strategy.limit(SPREAD, SELL, there + 2)
            await d.status(sent, "ACCEPTED")
            (theirs,) = d.gateway.book.open()
            assert theirs.order.limit_price == float(there + 2)
            for step in (1, Decimal("0.5"), 0):
                d.strategy.modify_order(sent, price=d.strategy.px(SPREAD, there + step))
                await until(
                    lambda step=step: sent.is_closed or sent.price.as_decimal() == there + step,
                    "re-priced",
                )
            await d.status(sent, "FILLED")
            await d.agree()
            assert d.ours() == {ESU: -1, ESZ: 1}

    asyncio.run(scenario())


def test_an_open_spread_order_survives_a_restart():
    async def scenario():
        async with desk() as d:
            add(d)
            sent = d.strategy.limit(SPREAD, BUY, -500)
            await d.status(sent, "ACCEPTED")
            server = d.server
            filled = d.strategy.market(SPREAD, BUY)
            await d.status(filled, "FILLED")
            await d.agree()
            await d.node.stop_async()
            async with running(server) as later:
                (order,) = later.cache.orders_open()
                assert order.client_order_id == sent.client_order_id
                assert order.instrument_id == SPREAD
                assert later.ours() == {ESU: 1, ESZ: -1} == later.theirs()
                later.strategy.modify_order(order, price=later.strategy.px(SPREAD, -400))
                await until(lambda: str(order.price) == "-400.00", "modified")
                later.strategy.cancel_order(order)
                await later.status(order, "CANCELED")

    asyncio.run(scenario())


def test_margin_of_a_spread_and_reduce_only_of_one():
    async def scenario():
        async with desk() as d:
            add(d)
            sent = d.strategy.market(SPREAD, BUY, reduce_only=True)
            await d.status(sent, "DENIED")

    asyncio.run(scenario())


def test_a_gateway_that_tells_only_legs_fills_the_order_all_the_same():
    async def scenario():
        async with desk(commission_timeout=0.2) as d:
            add(d)
            d.gateway.faults.when(
                "ExecutionDetails", "drop", where={"contract.sec_type": "BAG"}, times=None
            )
            sent = d.strategy.market(SPREAD, BUY, 2)
            await d.status(sent, "FILLED")
            assert d.counts.legs_without_whole == 1
            await d.agree()
            (theirs,) = d.gateway.book.done()
            assert sent.avg_px == theirs.average

    asyncio.run(scenario())


# The law of wholes and legs, whatever comes first.


def fill(con_id, size, price):
    """An execution of a leg, or of the whole where the number is 0."""
    contract = made(m.Contract, con_id=con_id, sec_type="FUT" if con_id else "BAG")
    execution = made(m.Execution, shares=Decimal(size), price=price)
    return Fill(1, contract, execution)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.randoms())
def test_an_order_is_told_each_contract_once(sizes, random):
    told = SpreadFills(1, 2)
    executions = [
        fill(con_id, size, price)
        for size in sizes
        for con_id, price in ((0, 10.0), (1, 110.0), (2, 100.0))
    ]
    random.shuffle(executions)
    whole = Decimal(0)
    for number, one in enumerate(executions):
        size = told.take(one)
        if one.contract.sec_type == "BAG":
            whole += size
        missing = told.missing()
        if missing is not None and number % 2:
            size, price = missing
            assert price == 10
            told.make_up(size, price)
            whole += size
        assert whole <= sum(sizes)
    assert whole == sum(sizes)
    assert told.missing() is None
