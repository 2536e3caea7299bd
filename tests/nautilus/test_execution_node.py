"""Orders of a strategy through a real node to the gateway, and what comes back."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import pytest
from nautilus_trader.model.enums import (
    OrderType,
    TimeInForce,
    TrailingOffsetType,
)
from nautilus_trader.model.identifiers import AccountId, ClientId
from nautilus_trader.model.objects import Currency, Money, Quantity

from pyfutures.nautilus.config import Limit
from pyfutures.nautilus.margins import request_margin
from tests.nautilus.exec_tools import (
    BUY,
    ESU,
    ESZ,
    NAME,
    SELL,
    START,
    ZCU,
    desk,
    until,
)
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW
ACCEPTED = ["OrderInitialized", "OrderSubmitted", "OrderAccepted"]
ONE = Quantity.from_int(1)


def test_a_market_order_fills_once_with_its_commission():
    async def scenario():
        async with desk() as d:
            made = d.strategy.market(ESU, BUY, 2)
            await d.status(made, "FILLED")
            assert d.strategy.names(made) == [*ACCEPTED, "OrderFilled"]
            (fill,) = d.strategy.fills()
            _, ask = d.quote(ESU)
            assert fill.last_px.as_decimal() == ask
            assert str(fill.commission) == "4.50 USD"  # two contracts at 2.25
            assert fill.account_id == AccountId("PYF-DU1234567")
            assert fill.ts_event == int(START.timestamp()) * 10**9
            (theirs,) = d.gateway.book.fills.all
            assert fill.trade_id.value == theirs.details.execution.exec_id
            assert fill.venue_order_id.value == str(theirs.order.perm_id)
            assert theirs.order.order.order_ref == made.client_order_id.value
            await d.agree()
            position = d.cache.positions_open()[0]
            assert position.avg_px_open == float(ask)

    asyncio.run(scenario())


def test_prices_of_a_magnified_root_are_currency_inside_and_cents_outside():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ZCU)
            assert Decimal(2) < bid < Decimal(10)  # dollars a bushel
            made = d.strategy.limit(ZCU, BUY, bid - 1)
            await d.status(made, "ACCEPTED")
            (order,) = d.gateway.book.open()
            assert Decimal(repr(order.order.limit_price)) == 100 * made.price.as_decimal()
            sold = d.strategy.market(ZCU, SELL, 1)
            await d.status(sold, "FILLED")
            assert d.strategy.fills()[0].last_px.as_decimal() == bid
            await d.agree()

    asyncio.run(scenario())


def test_modify_and_cancel():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            made = d.strategy.limit(ESU, BUY, bid - 10, 2)
            await d.status(made, "ACCEPTED")
            d.strategy.modify_order(made, ONE, d.strategy.px(ESU, bid - 8))
            await until(lambda: "OrderUpdated" in d.strategy.names(made))
            assert (made.price.as_decimal(), made.quantity) == (bid - 8, ONE)
            (order,) = d.gateway.book.open()
            assert (order.order.quantity, order.order.limit_price) == (1, float(bid - 8))
            d.strategy.cancel_order(made)
            await d.status(made, "CANCELED")
            assert d.strategy.names(made) == [
                *ACCEPTED, "OrderPendingUpdate", "OrderUpdated", "OrderPendingCancel",
                "OrderCanceled",
            ]  # fmt: skip
            assert d.counts.broker_cancels == 0

    asyncio.run(scenario())


def test_a_refused_modification_leaves_the_order_as_it_was():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            made = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(made, "ACCEPTED")
            d.gateway.faults.when("PlaceOrder", {"error": {"code": 110}})
            d.strategy.modify_order(made, price=d.strategy.px(ESU, bid - 9))
            await until(lambda: "OrderModifyRejected" in d.strategy.names(made))
            assert made.status_string() == "ACCEPTED"
            assert made.price.as_decimal() == bid - 10
            assert d.gateway.book.open()[0].order.limit_price == float(bid - 10)

    asyncio.run(scenario())


def orders_of_every_type(d):
    """An order of each type that rests, by its name at IB."""
    make, px = d.strategy.order_factory, lambda price: d.strategy.px(ESU, price)
    bid, ask = d.quote(ESU)
    up, down = px(ask + 50), px(bid - 50)
    amount = {"trailing_offset": Decimal(20), "trailing_offset_type": TrailingOffsetType.PRICE}
    ticks = {"trailing_offset": Decimal(80), "trailing_offset_type": TrailingOffsetType.TICKS}
    part = {
        "trailing_offset": Decimal(200),
        "trailing_offset_type": TrailingOffsetType.BASIS_POINTS,
    }
    return {
        "LMT": make.limit(ESU, BUY, ONE, down),
        "STP": make.stop_market(ESU, BUY, ONE, up),
        "STP LMT": make.stop_limit(ESU, SELL, ONE, px(bid - 60), down),
        "MIT": make.market_if_touched(ESU, BUY, ONE, down),
        "LIT": make.limit_if_touched(ESU, SELL, ONE, px(ask + 60), up),
        "TRAIL": make.trailing_stop_market(ESU, SELL, ONE, **amount),
        "TRAIL ticks": make.trailing_stop_market(ESU, SELL, ONE, **ticks),
        "TRAIL percent": make.trailing_stop_market(ESU, SELL, ONE, **part),
        "TRAIL LIMIT": make.trailing_stop_limit(
            ESU, BUY, ONE, limit_offset=Decimal(1), trigger_price=up, **amount
        ),
    }


def test_every_type_that_rests_is_accepted_as_it_was_meant():
    async def scenario():
        async with desk() as d:
            orders = orders_of_every_type(d)
            for name, made in orders.items():
                d.strategy.send(made)
                await until(lambda made=made: made.is_open or made.is_closed, name)
                assert made.status_string() == "ACCEPTED", (name, made.last_event)
            theirs = {x.order.order_ref: x for x in d.gateway.book.open()}
            bid, ask = map(float, d.quote(ESU))
            wire = {n: theirs[x.client_order_id.value].order for n, x in orders.items()}
            assert {n: x.type for n, x in wire.items()} == {
                n: n.removesuffix(" ticks").removesuffix(" percent") for n in orders
            }
            assert all(x.tif == "GTC" and x.outside_rth for x in wire.values())
            assert wire["STP"].aux_price == ask + 50
            assert (wire["STP LMT"].limit_price, wire["STP LMT"].aux_price) == (bid - 60, bid - 50)
            assert wire["TRAIL"].aux_price == wire["TRAIL ticks"].aux_price == 20
            assert wire["TRAIL percent"].trailing_percent == 2
            assert wire["TRAIL LIMIT"].limit_price_offset == 1
            d.strategy.cancel_all_orders(ESU)
            await until(lambda: all(made.is_closed for made in orders.values()), "cancelled")
            assert {made.status_string() for made in orders.values()} == {"CANCELED"}

    asyncio.run(scenario())


REFUSALS = [
    # what IB says, how the node's reason begins
    (201, "Order rejected - reason:Exchange is closed", "error 201: Order rejected"),
    (201, "YOUR EQUITY WITH LOAN VALUE MUST EXCEED THE INITIAL MARGIN", "margin: error 201"),
    (203, "The security is not available or allowed for this account", "error 203"),
    (110, "The price does not conform to the minimum price variation", "error 110"),
    (321, "Error validating: account DU1234567", "error 321: Error validating: account DU***67"),
    (387, "Unsupported order type for this exchange and security type.", "error 387"),
]


def test_what_ib_refuses_is_rejected_with_its_reason_and_no_account():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            for code, text, reason in REFUSALS:
                d.gateway.faults.when("PlaceOrder", {"reject": {"code": code, "text": text}})
                made = d.strategy.limit(ESU, BUY, bid - 10)
                await d.status(made, "REJECTED")
                assert made.last_event.reason.startswith(reason)
                assert d.strategy.names(made) == [*ACCEPTED[:2], "OrderRejected"]
            assert d.counts.rejections == len(REFUSALS)

    asyncio.run(scenario())


def test_orders_whose_limit_comes_later_and_orders_at_the_close():
    async def scenario():
        near = dt.datetime(2025, 7, 1, 20, 59, 30, tzinfo=dt.UTC)  # the session ends at 21:00
        async with desk(gateway_settings={"start": near}) as d:
            make = d.strategy.order_factory
            to_limit = d.strategy.send(make.market_to_limit(ESU, BUY, ONE, TimeInForce.DAY))
            await d.status(to_limit, "FILLED")
            # nautilus ends itself over a fill of an order whose limit it does not know.
            bought_at = d.strategy.fills()[0].last_px
            assert to_limit.price == bought_at
            trails = d.strategy.send(
                make.trailing_stop_limit(
                    ESU, BUY, ONE, Decimal(1), Decimal(20),
                    trigger_price=d.strategy.px(ESU, bought_at + 20),
                    trailing_offset_type=TrailingOffsetType.PRICE,
                )
            )  # fmt: skip
            await d.status(trails, "ACCEPTED")
            (order,) = d.gateway.book.open()
            d.gateway.book.fill(order, 1, d.instrument(ESU).ticks(float(bought_at)))
            await d.status(trails, "FILLED")
            closing = d.strategy.send(make.market(ESU, BUY, ONE, TimeInForce.AT_THE_CLOSE))
            await d.status(closing, "ACCEPTED")
            await d.advance(31)
            await d.status(closing, "FILLED")
            await d.agree()

    asyncio.run(scenario())


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_fill_at_once_is_cancelled(tif):
    async def scenario():
        async with desk() as d:
            bid, ask = d.quote(ESU)
            none = d.strategy.limit(ESU, BUY, bid - 10, time_in_force=tif)
            await d.status(none, "CANCELED")
            # Its end may be all that is told of it: the node knows IB's number all the same.
            for kind, where in (("OpenOrder", None), ("OrderStatus", {"status": "Submitted"})):
                d.gateway.faults.when(kind, "drop", where=where, times=None)
            brief = d.strategy.limit(ESU, BUY, bid - 10, time_in_force=tif)
            await d.status(brief, "CANCELED")
            d.gateway.faults.clear()
            theirs = {x.order.order_ref: str(x.perm_id) for x in d.gateway.book.done()}
            for each in (none, brief):
                assert each.venue_order_id.value == theirs[each.client_order_id.value]
                assert d.strategy.names(each) == [*ACCEPTED, "OrderCanceled"]
            whole = d.strategy.limit(ESU, BUY, ask, time_in_force=tif)
            await d.status(whole, "FILLED")
            assert d.counts.broker_cancels == 0
            await d.agree()

    asyncio.run(scenario())


def test_good_till_date_is_utc_and_ends_as_expired():
    async def scenario():
        # The node's clock is the machine's: the order ends when the gateway's has passed it.
        async with desk(gateway_settings={"start": dt.datetime.now(dt.UTC)}) as d:
            listing = min(d.client.link.listings.roots("ES"), key=lambda x: x.month)
            end = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=2)
            price = d.strategy.px(listing.id, 1000)
            made = d.strategy.order_factory.limit(
                listing.id, BUY, ONE, price, TimeInForce.GTD, expire_time=end
            )
            d.strategy.send(made)
            await d.status(made, "ACCEPTED")
            (order,) = d.gateway.book.open()
            assert order.order.good_till == f"{end:%Y%m%d-%H:%M:%S}"
            await asyncio.sleep(2.1)
            await d.advance(3)
            await d.status(made, "EXPIRED")

    asyncio.run(scenario())


def test_partial_fills_add_up_and_their_rest_can_be_cancelled():
    async def scenario():
        async with desk() as d:
            _, ask = d.quote(ESU)
            what = d.instrument(ESU)
            shown = d.gateway.market.quote(what, d.gateway.timeline.now).ask_size
            made = d.strategy.limit(ESU, BUY, ask, shown + 5)
            await d.status(made, "PARTIALLY_FILLED")
            assert made.filled_qty == shown
            d.strategy.cancel_order(made)
            await d.status(made, "CANCELED")
            await d.agree()
            assert made.filled_qty == shown

    asyncio.run(scenario())


# Denied before anything is sent.


def denied(reason, make, **settings):
    async def scenario():
        async with desk(**settings) as d:
            made = make(d.strategy)
            await d.status(made, "DENIED")
            assert reason in made.last_event.reason
            assert d.strategy.names(made) == ["OrderInitialized", "OrderDenied"]
            assert not d.gateway.book.open()
            assert not d.gateway.book.done()

    asyncio.run(scenario())


def test_read_only_denies_every_order():
    denied("read_only", lambda s: s.market(ESU, BUY), read_only=True)


def test_post_only_is_denied_with_the_reason():
    denied("post_only: IB has no", lambda s: s.limit(ESU, BUY, 3000, post_only=True))


def test_reduce_only_is_denied_where_there_is_nothing_to_reduce():
    # nautilus' own risk engine stands before us where it knows the position.
    denied("reduce", lambda s: s.market(ESU, SELL, reduce_only=True))


def test_an_unknown_param_is_denied():
    denied("param 'speed'", lambda s: s.limit(ESU, BUY, 3000, params={"speed": 1}))


def test_order_size_is_limited_by_root():
    limits = {"ES": Limit(max_order_size=3)}
    denied("max_order_size is 3", lambda s: s.market(ESU, BUY, 4), limits=limits)


def test_an_order_that_is_filled_in_part_cannot_grow_past_its_size():
    async def scenario():
        async with desk(limits={"ES": Limit(max_order_size=3)}) as d:
            bid, _ = d.quote(ESU)
            made = d.strategy.limit(ESU, BUY, bid - 10, 3)
            await d.status(made, "ACCEPTED")
            (theirs,) = d.gateway.book.open()
            d.gateway.book.fill(theirs, 2, theirs.terms.limit)
            await d.status(made, "PARTIALLY_FILLED")
            d.strategy.modify_order(made, Quantity.from_int(4))
            await until(lambda: "OrderModifyRejected" in d.strategy.names(made))
            assert made.quantity == theirs.order.quantity == 3
            await d.agree()

    asyncio.run(scenario())


def test_limits_count_what_was_sent_in_the_same_moment():
    async def scenario():
        async with desk(limits={"ES": Limit(max_position=3)}) as d:
            bid, _ = d.quote(ESU)
            orders = [d.strategy.limit(ESU, BUY, bid - 10, 2) for _ in range(2)]
            await d.status(orders[0], "ACCEPTED")
            await d.status(orders[1], "DENIED")
            assert "max_position is 3" in orders[1].last_event.reason
            # Over all months together too; other roots are not limited.
            other = d.strategy.limit(ESZ, BUY, bid - 10, 2)
            await d.status(other, "DENIED")
            corn = d.strategy.market(ZCU, BUY, 9)
            await d.status(corn, "FILLED", "PARTIALLY_FILLED")
            d.strategy.modify_order(orders[0], Quantity.from_int(4))
            await until(lambda: "OrderModifyRejected" in d.strategy.names(orders[0]))
            sold = d.strategy.market(ESU, SELL, 3)
            await d.status(sold, "FILLED")
            # Short 3 and buying 2: two more may be sold never, five bought.
            more = d.strategy.market(ESU, SELL, 1)
            await d.status(more, "DENIED")
            back = d.strategy.market(ESU, BUY, 4)
            await d.status(back, "FILLED")
            await d.agree()

    asyncio.run(scenario())


# Rejected, cancelled, held: told apart.


def test_a_margin_rejection_says_so():
    async def scenario():
        async with desk(gateway_settings={"cash": Decimal(10_000)}) as d:
            made = d.strategy.market(ESU, BUY, 5)
            await d.status(made, "REJECTED")
            assert made.last_event.reason.startswith("margin: error 201: Order rejected")
            assert d.counts.margin_rejections == d.counts.rejections == 1

    asyncio.run(scenario())


def test_a_cancellation_of_the_broker_is_one():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            made = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(made, "ACCEPTED")
            (order,) = d.gateway.book.open()
            d.gateway.book.cancel(order)
            await d.status(made, "CANCELED")
            assert d.counts.broker_cancels == 1

    asyncio.run(scenario())


def test_an_order_that_ib_ends_before_it_has_a_number_gets_none():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            for _ in range(2):
                text = "Order Canceled - reason:"
                d.gateway.faults.when("PlaceOrder", {"reject": {"code": 202, "text": text}})
                made = d.strategy.limit(ESU, BUY, bid - 10)
                await d.status(made, "CANCELED")
                assert made.last_event.venue_order_id is None

    asyncio.run(scenario())


def test_a_cancellation_that_overtakes_its_order_keeps_it_from_being_sent():
    """nautilus weighs the risk of an order first, and of a cancellation not at all."""

    async def scenario():
        async with desk() as d:
            bid, ask = d.quote(ESU)
            single = d.strategy.market(ESU, BUY)
            d.strategy.cancel_order(single)
            px = d.strategy.px
            made = d.strategy.order_factory.bracket(
                ESU, BUY, ONE,
                entry_order_type=OrderType.LIMIT,
                entry_price=px(ESU, bid - 10),
                sl_trigger_price=px(ESU, bid - 30),
                tp_price=px(ESU, ask + 30),
                tp_post_only=False,
            )  # fmt: skip
            d.strategy.submit_order_list(made)
            d.strategy.cancel_order(made.orders[0])
            for order in (single, *made.orders):
                await d.status(order, "CANCELED")
                assert d.strategy.names(order) == ["OrderInitialized", "OrderCanceled"]
            assert not d.gateway.book.open()
            assert not d.gateway.book.done()
            # One that is never sent cannot be cancelled.
            idle = d.strategy.order_factory.limit(ESU, BUY, ONE, px(ESU, bid - 10))
            d.cache.add_order(idle)
            d.strategy.cancel_order(idle)
            await until(lambda: "OrderCancelRejected" in d.strategy.names(idle), "rejection")

    asyncio.run(scenario())


def test_an_order_that_is_held_lives():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            d.gateway.faults.hold_next("locate")
            made = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(made, "ACCEPTED")
            assert d.counts.inactive == 1
            d.strategy.cancel_order(made)
            await d.status(made, "CANCELED")

    asyncio.run(scenario())


def test_a_cancellation_that_comes_too_late_is_rejected_or_overtaken_by_the_fill():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            made = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(made, "ACCEPTED")
            (order,) = d.gateway.book.open()
            d.gateway.faults.slow_next_cancel(10**9)
            d.strategy.cancel_order(made)
            await d.status(made, "PENDING_CANCEL")
            d.gateway.book.fill(order, 1, order.terms.limit)
            await d.status(made, "FILLED")
            await d.agree()

    asyncio.run(scenario())


# Commissions.


def test_a_fill_without_commission_is_told_after_the_deadline_and_never_twice():
    async def scenario():
        async with desk(commission_timeout=0.2) as d:
            d.gateway.faults.when("CommissionReport", {"delay": 3})
            made = d.strategy.market(ESU, BUY)
            await d.status(made, "FILLED")
            assert str(d.strategy.fills()[0].commission) == "0.00 USD"
            assert d.counts.missing_commissions == 1
            await d.advance(5)
            await until(lambda: d.counts.late_commissions, "late commission")
            assert len(d.strategy.fills()) == 1
            await d.agree()

    asyncio.run(scenario())


def test_a_commission_that_comes_in_time_is_in_the_fill():
    async def scenario():
        async with desk(commission_timeout=5.0) as d:
            d.gateway.faults.when("CommissionReport", {"delay": 3})
            made = d.strategy.market(ESU, BUY)
            await until(lambda: d.client.events.has_held_fills, "held fill")
            assert made.status_string() == "SUBMITTED" or made.status_string() == "ACCEPTED"
            await d.advance(5)
            await d.status(made, "FILLED")
            assert str(d.strategy.fills()[0].commission) == "2.25 USD"

    asyncio.run(scenario())


def test_a_node_that_stops_waits_for_the_commission_of_its_last_fill():
    async def scenario():
        async with desk(commission_timeout=1.9) as d:
            d.gateway.faults.when("CommissionReport", {"delay": 3})
            made = d.strategy.market(ESU, BUY)
            await until(lambda: d.client.events.has_held_fills, "held fill")

            async def later():
                await until(lambda: d.strategy.is_stopped, "node that stops")
                await asyncio.sleep(0.4)  # longer than the platform waits
                await d.server.advance(5)

            advancing = asyncio.create_task(later())
        await advancing
        assert made.status_string() == "FILLED"
        assert [str(one) for one in made.commissions()] == ["2.25 USD"]
        assert d.counts.missing_commissions == 0

    asyncio.run(scenario())


def test_a_corrected_fill_is_not_another():
    async def scenario():
        async with desk() as d:
            made = d.strategy.market(ESU, BUY)
            await d.status(made, "FILLED")
            (theirs,) = d.gateway.book.fills.all
            d.gateway.book.fills.correct(theirs.details.execution.exec_id, 1)
            await until(lambda: d.counts.corrections == 1, "correction")
            assert len(d.strategy.fills()) == 1
            await d.agree()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"currency": "EUR", "commission": 1.9}, "1.90 EUR"),
        ({"currency": ""}, "2.25 USD"),
        ({"commission": -0.25}, "-0.25 USD"),
    ],
)
def test_a_commission_is_what_ib_says_in_the_currency_that_it_says(said, expected):
    async def scenario():
        async with desk() as d:
            d.gateway.faults.when("CommissionReport", {"set": said})
            made = d.strategy.market(ESU, BUY)
            await d.status(made, "FILLED")
            assert str(d.strategy.fills()[0].commission) == expected
            assert d.counts.missing_commissions == 0
            (position,) = d.cache.positions_open()
            assert [str(one) for one in position.commissions()] == [expected]

    asyncio.run(scenario())


def test_messages_of_an_order_may_come_thrice_and_in_any_order():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            when = d.gateway.faults.when
            statuses = ["OpenOrder", "OrderStatus"]
            for kind in (*statuses, "ExecutionDetails", "CommissionReport"):
                when(kind, {"duplicate": 3}, times=None)
            thrice = d.strategy.market(ESU, BUY, 2)
            await d.status(thrice, "FILLED")
            d.gateway.faults.clear()
            when(statuses, {"hold_until": "ExecutionDetails"}, times=2)
            late = d.strategy.market(ESU, BUY, 2)
            await d.status(late, "FILLED")
            d.gateway.faults.clear()
            when(statuses, "drop", times=None)
            never = d.strategy.market(ESU, SELL)
            await d.status(never, "FILLED")
            d.gateway.faults.clear()
            when("OpenOrder", {"hold_until": "OrderStatus"})
            rests = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(rests, "ACCEPTED")
            for made in (thrice, late, never):
                assert d.strategy.names(made) == [*ACCEPTED, "OrderFilled"]
            assert d.strategy.names(rests) == ACCEPTED
            await d.agree()
            assert d.ours() == {ESU: 3}

    asyncio.run(scenario())


def test_an_order_that_is_filled_in_part_can_be_changed_and_ended_by_its_size():
    async def scenario():
        async with desk() as d:
            bid, _ = d.quote(ESU)
            made = d.strategy.limit(ESU, BUY, bid - 10, 5)
            await d.status(made, "ACCEPTED")
            (order,) = d.gateway.book.open()
            d.gateway.book.fill(order, 2, order.terms.limit)
            await d.status(made, "PARTIALLY_FILLED")
            d.strategy.modify_order(made, price=d.strategy.px(ESU, bid - 11))
            await until(lambda: made.price.as_decimal() == bid - 11, "price")
            d.gateway.faults.when("PlaceOrder", {"reject": {"code": 201, "text": "no"}})
            d.strategy.modify_order(made, price=d.strategy.px(ESU, bid - 12))
            await until(lambda: "OrderModifyRejected" in d.strategy.names(made), "refusal")
            assert made.status_string() == "PARTIALLY_FILLED"
            assert made.price.as_decimal() == bid - 11
            d.strategy.modify_order(made, quantity=Quantity.from_int(2))
            await d.status(made, "CANCELED")
            assert (int(made.filled_qty), d.ours()) == (2, {ESU: 2})
            await d.agree()

    asyncio.run(scenario())


# Lists.


def test_a_bracket_is_one_parent_with_children_that_cancel_each_other():
    async def scenario():
        async with desk(limits={"ES": Limit(max_position=1)}) as d:
            bid, ask = d.quote(ESU)
            px = d.strategy.px
            made = d.strategy.order_factory.bracket(
                ESU, BUY, ONE,
                entry_order_type=OrderType.LIMIT,
                entry_price=px(ESU, bid - 10),
                sl_trigger_price=px(ESU, bid - 30),
                tp_price=px(ESU, ask + 30),
                tp_post_only=False,
            )  # fmt: skip
            d.strategy.submit_order_list(made)
            entry, stop, target = made.orders
            for one in made.orders:
                await d.status(one, "ACCEPTED")
            theirs = {x.order.order_ref: x for x in d.gateway.book.open()}
            parent = theirs[entry.client_order_id.value]
            children = [theirs[x.client_order_id.value] for x in (stop, target)]
            assert [x.order.parent_id for x in children] == [parent.order_id] * 2
            assert children[0].order.oca_group == children[1].order.oca_group != ""
            assert [parent.order.transmit, children[0].order.transmit] == [False, False]
            assert children[1].order.transmit
            d.gateway.book.fill(parent, 1, parent.terms.limit)
            await d.status(entry, "FILLED")
            child = theirs[target.client_order_id.value]
            d.gateway.book.fill(child, 1, child.terms.limit)
            await d.status(target, "FILLED")
            await d.status(stop, "CANCELED")
            await d.agree()
            assert d.ours() == {}

    asyncio.run(scenario())


def test_a_list_is_denied_whole():
    async def scenario():
        async with desk() as d:
            make, px = d.strategy.order_factory, d.strategy.px(ESU, 3000)
            orders = [make.limit(ESU, BUY, ONE, px), make.limit(ESU, BUY, ONE, px, post_only=True)]
            d.strategy.submit_order_list(make.create_list(orders))
            for one in orders:
                await d.status(one, "DENIED")
            assert not d.gateway.book.open()

    asyncio.run(scenario())


def test_cancel_all_by_side_and_batch_cancel():
    async def scenario():
        async with desk() as d:
            bid, ask = d.quote(ESU)
            buys = [d.strategy.limit(ESU, BUY, bid - n) for n in (10, 11)]
            sells = [d.strategy.limit(ESU, SELL, ask + n) for n in (10, 11)]
            other = d.strategy.limit(ESZ, BUY, bid - 20)
            for one in [*buys, *sells, other]:
                await d.status(one, "ACCEPTED")
            d.strategy.cancel_all_orders(ESU, SELL)
            for one in sells:
                await d.status(one, "CANCELED")
            assert {x.status_string() for x in [*buys, other]} == {"ACCEPTED"}
            d.strategy.cancel_orders(buys)
            for one in buys:
                await d.status(one, "CANCELED")
            assert other.status_string() == "ACCEPTED"

    asyncio.run(scenario())


# Others' orders.


def test_an_order_made_by_hand_is_reported_as_external():
    async def scenario():
        async with desk(gateway_settings={"master_client": 5}) as d:
            bid, _ = d.quote(ESU)
            theirs = d.by_hand(ESU, quantity=2, kind="LMT", limit=float(bid - 10))
            (made,) = await until(d.cache.orders_open, "external order")
            assert made.strategy_id.value == "EXTERNAL"
            assert made.venue_order_id.value == str(theirs.perm_id)
            assert (made.quantity, made.price.as_decimal()) == (2, bid - 10)
            d.gateway.book.fill(theirs, 2, theirs.terms.limit)
            await until(lambda: made.is_closed, "external fill")
            await d.agree()
            assert d.counts.external_orders == 1
            assert made.filled_qty == 2

    asyncio.run(scenario())


def test_a_trade_that_nobody_told_is_found_by_its_position():
    async def scenario():
        async with desk() as d:
            d.by_hand(ESU, quantity=3)  # of client 0, which tells us nothing
            await until(lambda: d.ours() == d.theirs() != {}, "position")
            (order,) = d.cache.orders()
            assert order.strategy_id.value == "EXTERNAL"
            assert order.filled_qty == 3
            assert d.client._exposure.unexplained == 0

    asyncio.run(scenario())


# The account.


def test_account_state_follows_the_gateway():
    async def scenario():
        async with desk() as d:
            usd = Currency.from_str("USD")
            assert d.account().balance_total(usd) == Money(1_000_000, usd)
            made = d.strategy.market(ESU, BUY, 2)
            await d.status(made, "FILLED")
            await until(lambda: d.account().balance_locked(usd).as_double() > 0, "margin")
            theirs = d.gateway.accounts.margins("DU1234567")
            balance = d.account().balance(usd)
            assert str(balance.locked) == f"{theirs.initial:.2f} USD"
            assert str(balance.total) == f"{theirs.equity:.2f} USD"
            d.strategy.query_account(AccountId("PYF-DU1234567"), ClientId(NAME))
            await asyncio.sleep(0.05)
            assert str(d.account().balance(usd).total) == f"{theirs.equity:.2f} USD"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("accounts", "settings", "works"),
    [
        (("U1234567",), {"account_id": None}, False),
        (("U1234567",), {"account_id": None, "allow_live": True}, True),
        (("DU1234567", "DF7654321"), {"account_id": None}, False),
        (("DU1234567", "DF7654321"), {"account_id": "DF7654321"}, True),
        (("DU1234567",), {"account_id": "DU7777777"}, False),
    ],
)
def test_which_accounts_are_traded(accounts, settings, works):
    async def scenario():
        options = {"gateway_settings": {"accounts": accounts}, "wait": False, **settings}
        async with desk(**options) as d:
            kernel = d.node.kernel
            if works:
                await until(lambda: d.node.trader.is_running, "running node")
                return
            await until(lambda: not d.client.link.client.is_ready, "refusal")
            await until(lambda: d.server.connections == 0, "closed connection")
            assert not kernel.exec_engine.check_connected()

    asyncio.run(scenario())


# What if.


def test_what_an_order_would_cost_is_answered_and_nothing_is_placed():
    async def scenario():
        async with desk() as d:
            answers = []
            make = d.strategy.order_factory
            request_margin(d.strategy, make.market(ESU, BUY, ONE), answers.append)
            (quote,) = await until(lambda: answers, "answer")
            what = d.instrument(ESU)
            assert float(quote.initial) == round(d.gateway.accounts.margin_of(what), 2)
            assert str(quote.commission) == "2.25 USD"
            assert (quote.error, quote.instrument_id) == ("", ESU)
            assert not d.gateway.book.open()
            assert not d.cache.orders()
            bad = make.limit(ESU, BUY, ONE, d.strategy.px(ESU, 3000), post_only=True)
            request_margin(d.strategy, bad, answers.append)
            await until(lambda: len(answers) == 2, "refusal")
            assert "post_only" in answers[1].error
            assert answers[1].initial is None

    asyncio.run(scenario())


def test_a_question_needs_a_client_of_that_name():
    async def scenario():
        async with desk() as d:
            assert f"{NAME}.margins" in d.node.kernel.msgbus.endpoints()

    asyncio.run(scenario())


def test_limits_of_a_root_that_is_not_there_refuse_the_connection():
    async def scenario():
        async with desk(limits={"ESS": Limit(max_position=1)}, wait=False) as d:
            await until(lambda: d.server.connections == 1, "connection")
            await until(lambda: d.server.connections == 0, "closed connection")
            assert not d.node.trader.is_running

    asyncio.run(scenario())


def test_every_coroutine_of_the_base_client_is_implemented():
    """`query_order` is the base's own; nothing is left to raise NotImplementedError."""
    import inspect

    from nautilus_trader.live.execution_client import LiveExecutionClient

    from pyfutures.nautilus.execution.client import FuturesExecutionClient

    wanted = {
        name
        for name, member in inspect.getmembers(LiveExecutionClient, inspect.iscoroutinefunction)
        if "NotImplementedError" in inspect.getsource(member)
    } | {"_query_account"}  # called, and not declared
    missing = {
        name
        for name in wanted
        if getattr(FuturesExecutionClient, name, None) is getattr(LiveExecutionClient, name, None)
    }
    assert missing == set()


def test_an_inactive_order_without_a_reason_is_asked_about():
    async def scenario():
        async with desk() as d:
            d.client.grace = 0.05
            bid, _ = d.quote(ESU)
            gw = d.gateway
            inactive = gw.next_order_id(5)
            gw.faults.when(
                "OpenOrder", {"set": {"state.status": "Inactive"}}, times=None,
                where={"order_id": inactive},
            )  # fmt: skip
            gw.faults.when(
                "OrderStatus", {"set": {"status": "Inactive"}}, times=None,
                where={"order_id": inactive},
            )  # fmt: skip
            open_one = d.strategy.limit(ESU, BUY, bid - 10)
            await d.status(open_one, "ACCEPTED")
            # Refused for want of margin, and the error is lost.
            gw.faults.when("ErrorMessage", "drop", where={"code": 201}, times=None)
            refused = d.strategy.market(ESU, BUY, 100)
            await until(lambda: d.counts.inactive == 2, "inactive order")
            gw.connectivity("lost")  # when it is asked about, IB is away
            await asyncio.sleep(0.2)
            assert refused.status_string() == "SUBMITTED"
            gw.connectivity("restored_kept")
            await d.status(refused, "REJECTED")
            assert refused.last_event.reason.startswith("inactive")

    asyncio.run(scenario())
