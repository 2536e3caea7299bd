"""nautilus' own strategy for testing adapters, with our adapter, and our asserts on the events.

`ExecTester` ships in the wheel. The quotes it works on are the gateway's, handed to the node.
"""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal

import pytest
from nautilus_trader.config import RoutingConfig
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderType, TimeInForce
from nautilus_trader.test_kit.strategies.tester_exec import ExecTester, ExecTesterConfig

from pyfutures.nautilus.config import FuturesDataClientConfig
from pyfutures.nautilus.factories import FuturesLiveDataClientFactory
from tests.gateway.tools import gateway
from tests.nautilus.exec_tools import (
    ESU,
    NAME,
    ROOTS,
    START,
    desk,
    exec_config,
    node_config,
    running,
    until,
)
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW
ACCEPTED = ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]
QUIET = {"enable_limit_buys": False, "enable_limit_sells": False}
BUYS = {"enable_limit_buys": True, "enable_limit_sells": False}


@contextlib.asynccontextmanager
async def watched(**settings):
    """A node in which the tester runs, and has seen a quote."""
    settings = {"log_data": False, "subscribe_trades": False, "order_qty": Decimal(2), **settings}
    tester = ExecTester(ExecTesterConfig(instrument_id=ESU, **settings))
    async with desk(strategies=[tester]) as d:
        quote(d)
        yield d


def quote(d, shift=0):
    """Tell the node the gateway's quote, moved by so much."""
    instrument = d.cache.instrument(ESU)
    bid, ask = (instrument.make_price(price + shift) for price in d.quote(ESU))
    size = instrument.make_qty(1)
    now = d.node.kernel.clock.timestamp_ns()
    d.node.kernel.data_engine.process(QuoteTick(ESU, bid, ask, size, size, now, now))


def events(order):
    return [type(event).__name__ for event in order.events]


async def orders(d, count, *statuses):
    """The tester's orders, as soon as there are so many and all stand so."""

    def found():
        every = sorted(d.cache.orders(), key=lambda o: o.ts_init)
        return every if len(every) >= count else None

    every = await until(found, f"{count} orders")
    for order in every:
        await d.status(order, *statuses)
    return every


@pytest.mark.parametrize(
    "tif", [TimeInForce.GTC, TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK]
)
@pytest.mark.parametrize("size", [2, -2])
def test_a_position_is_opened_and_closed(tif, size):
    async def scenario():
        settings = {"open_position_on_start_qty": Decimal(size), "open_position_time_in_force": tif}
        async with watched(**QUIET, **settings) as d:
            (opened,) = await orders(d, 1, "FILLED")
            assert events(opened) == [*ACCEPTED, "OrderFilled"]
            assert opened.time_in_force == tif
            assert d.ours() == {ESU: size}
            await d.agree()
            d.strategy.stop()  # closes with reduce_only
            await orders(d, 2, "FILLED")
            await until(lambda: d.ours() == d.theirs() == {}, "flat")

    asyncio.run(scenario())


STOPS = (
    {},
    {"use_individual_cancels_on_stop": True},
    {"use_batch_cancel_on_stop": True},
)


@pytest.mark.parametrize("how", STOPS, ids=["all", "one by one", "batch"])
def test_limit_orders_rest_and_are_cancelled_at_the_stop(how):
    async def scenario():
        async with watched(**how) as d:
            buy, sell = await orders(d, 2, "ACCEPTED")
            assert events(buy) == events(sell) == ACCEPTED
            bid, ask = d.quote(ESU)
            assert (buy.price.as_decimal(), sell.price.as_decimal()) == (bid - 125, ask + 125)
            d.strategy.stop()
            await orders(d, 2, "CANCELED")
            assert not d.gateway.book.open()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("tif", "status"),
    [
        (TimeInForce.DAY, "ACCEPTED"),
        (TimeInForce.GTC, "ACCEPTED"),
        (TimeInForce.IOC, "CANCELED"),
        (TimeInForce.FOK, "CANCELED"),
    ],
)
def test_limit_orders_of_every_time_in_force(tif, status):
    async def scenario():
        # One that is cancelled is followed by another with each quote: there is only one.
        async with watched(**BUYS, limit_time_in_force=tif) as d:
            (order,) = await orders(d, 1, status)
            theirs = [*d.gateway.book.open(), *d.gateway.book.done()]
            assert [one.order.tif for one in theirs] == [tif.name]
            assert order.time_in_force == tif

    asyncio.run(scenario())


def test_a_date_is_sent_as_utc():
    async def scenario():
        # The gateway's clock is behind the machine's, so that it does not end.
        async with watched(**BUYS, order_expire_time_delta_mins=5) as d:
            (order,) = await orders(d, 1, "ACCEPTED")
            (theirs,) = d.gateway.book.open()
            assert theirs.order.good_till == f"{order.expire_time:%Y%m%d-%H:%M:%S}"
            assert theirs.order.tif == "GTD"

    asyncio.run(scenario())


KINDS = [
    (OrderType.STOP_MARKET, {}, "STP"),
    (OrderType.STOP_LIMIT, {"stop_limit_offset_ticks": 10}, "STP LMT"),
    (OrderType.MARKET_IF_TOUCHED, {}, "MIT"),
    (OrderType.LIMIT_IF_TOUCHED, {"stop_limit_offset_ticks": 10}, "LIT"),
]


@pytest.mark.parametrize(("kind", "more", "name"), KINDS)
def test_conditional_orders_of_both_sides(kind, more, name):
    async def scenario():
        settings = {"enable_stop_buys": True, "enable_stop_sells": True, "stop_order_type": kind}
        async with watched(**QUIET, **settings, **more) as d:
            both = await orders(d, 2, "ACCEPTED")
            theirs = {x.order.order_ref: x for x in d.gateway.book.open()}
            for order in both:
                assert events(order) == ACCEPTED
                wire = theirs[order.client_order_id.value].order
                assert wire.type == name
                if order.has_trigger_price:
                    assert wire.aux_price == float(order.trigger_price)
                if order.has_price:
                    assert wire.limit_price == float(order.price)
            d.strategy.stop()
            await orders(d, 2, "CANCELED")

    asyncio.run(scenario())


def test_orders_are_modified_after_the_market():
    async def scenario():
        async with watched(**BUYS, modify_orders_to_maintain_tob_offset=True) as d:
            (order,) = await orders(d, 1, "ACCEPTED")
            before = order.price.as_decimal()
            quote(d, shift=10)
            await until(lambda: order.price.as_decimal() == before + 10, "modification")
            assert events(order) == [*ACCEPTED, "OrderPendingUpdate", "OrderUpdated"]
            (theirs,) = d.gateway.book.open()
            assert theirs.order.limit_price == float(before + 10)

    asyncio.run(scenario())


def test_stops_are_modified_after_the_market():
    async def scenario():
        settings = {"enable_stop_sells": True, "modify_stop_orders_to_maintain_offset": True}
        async with watched(**QUIET, **settings) as d:
            (order,) = await orders(d, 1, "ACCEPTED")
            before = order.trigger_price.as_decimal()
            quote(d, shift=10)
            await until(lambda: order.trigger_price.as_decimal() != before, "modification")
            (theirs,) = d.gateway.book.open()
            assert theirs.order.aux_price == float(order.trigger_price)

    asyncio.run(scenario())


def test_orders_are_cancelled_and_replaced():
    async def scenario():
        async with watched(**BUYS, cancel_replace_orders_to_maintain_tob_offset=True) as d:
            (first,) = await orders(d, 1, "ACCEPTED")
            quote(d, shift=10)
            await d.status(first, "CANCELED")
            _, second = await orders(d, 2, "ACCEPTED", "CANCELED")
            assert second.price.as_decimal() == first.price.as_decimal() + 10
            assert len(d.gateway.book.open()) == 1

    asyncio.run(scenario())


def test_brackets_of_both_sides():
    async def scenario():
        async with watched(enable_brackets=True) as d:
            every = await orders(d, 6, "ACCEPTED")
            theirs = {x.order.order_ref: x for x in d.gateway.book.open()}
            for entry in (one for one in every if one.parent_order_id is None):
                parent = theirs[entry.client_order_id.value]
                children = [
                    theirs[one.client_order_id.value].order
                    for one in every
                    if one.parent_order_id == entry.client_order_id
                ]
                assert [child.parent_id for child in children] == [parent.order_id] * 2
                assert len({child.oca_group for child in children}) == 1
            d.strategy.stop()
            await orders(d, 6, "CANCELED")

    asyncio.run(scenario())


DENIED = [
    ({"use_post_only": True, **BUYS}, "post_only"),
    ({"test_reject_post_only": True, **BUYS}, "post_only"),
    ({"use_quote_quantity": True, **BUYS}, "quote"),
    (
        {
            "test_reject_reduce_only": True, "open_position_on_start_qty": Decimal(1), **QUIET,
        },
        "educe",
    ),
    ({"order_params": {"nonsense": 1}, **BUYS}, "param 'nonsense'"),
    (
        {
            "enable_stop_sells": True, "stop_order_type": OrderType.TRAILING_STOP_MARKET,
            "trailing_offset": Decimal(25), **QUIET,
        },
        "activation_price",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "reason"), DENIED)
def test_what_ib_does_not_have_is_denied(settings, reason):
    async def scenario():
        async with watched(**settings) as d:
            (order,) = (await orders(d, 1, "DENIED"))[:1]
            assert reason in order.last_event.reason
            assert not [*d.gateway.book.open(), *d.gateway.book.done()]

    asyncio.run(scenario())


def test_an_iceberg_and_params_reach_the_gateway():
    async def scenario():
        settings = {"order_display_qty": Decimal(1), "order_params": {"outside_rth": False}}
        async with watched(**BUYS, **settings) as d:
            await orders(d, 1, "ACCEPTED")
            (theirs,) = d.gateway.book.open()
            assert (theirs.order.display_size, theirs.order.outside_rth) == (1, False)

    asyncio.run(scenario())


def test_a_dry_run_sends_nothing():
    async def scenario():
        async with watched(dry_run=True) as d:
            await asyncio.sleep(0.1)
            assert not d.cache.orders()

    asyncio.run(scenario())


def test_both_clients_of_one_connection_drive_it():
    """The quotes come over the same wire as the orders."""

    async def scenario():
        tester = ExecTester(
            ExecTesterConfig(
                instrument_id=ESU, order_qty=Decimal(1), log_data=False,
                modify_orders_to_maintain_tob_offset=True, enable_stop_buys=True,
                enable_stop_sells=True, open_position_on_start_qty=Decimal(3),
            )
        )  # fmt: skip
        async with gateway(roots=ROOTS, start=START) as server:
            orders_of = exec_config(server.port)
            data = FuturesDataClientConfig(
                port=server.port, client_id=5, instrument_provider=orders_of.instrument_provider,
                routing=RoutingConfig(default=True),
            )  # fmt: skip
            config = node_config({NAME: orders_of}, data_clients={NAME: data})
            factory = (NAME, FuturesLiveDataClientFactory, "add_data_client_factory")
            async with running(
                server, strategies=[tester], config=config, factories=[factory]
            ) as d:
                assert server.connections == 1
                every = await moving(d, lambda: len(d.cache.orders()) == 5 and d.cache.orders())
                for order in every:
                    kind = "FILLED" if order.order_type == OrderType.MARKET else "ACCEPTED"
                    await d.status(order, kind)
                assert d.ours() == d.theirs() == {ESU: 3}
                await moving(
                    d, lambda: any("OrderUpdated" in events(order) for order in d.cache.orders())
                )
                tester.stop()
                await until(lambda: not d.cache.orders_open() and not d.ours(), "stopped")
                assert d.theirs() == {}
                assert not d.gateway.book.open()

    asyncio.run(scenario())


async def moving(d, found):
    """Let the market move until something is true."""
    for _ in range(400):
        answer = found()
        if answer:
            return answer
        await d.advance(1)
    raise AssertionError([events(order) for order in d.cache.orders()])
