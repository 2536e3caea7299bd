"""What a node believes after it started: one test a row of what reconciliation can meet.

Rows that need a cache from before reconcile a running node a second time: the cache is the same.
"""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal

import msgspec
import pytest
from nautilus_trader.config import RoutingConfig
from nautilus_trader.model.identifiers import ClientId, InstrumentId, StrategyId

from pyfutures.gateway.order_desk import make_order, place_by_hand
from pyfutures.ib import messages as m
from pyfutures.months import ContractMonth
from pyfutures.nautilus.config import FuturesInstrumentProviderConfig, MonthsSelection
from pyfutures.nautilus.factories import FuturesLiveExecClientFactory
from tests.gateway.tools import gateway, order
from tests.nautilus.exec_tools import (
    ACCOUNT,
    BUY,
    ESU,
    NAME,
    ROOTS,
    SELL,
    START,
    ZCU,
    Book,
    exec_config,
    node_config,
    running,
    until,
)
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW


def item(server, root, month):
    return server.gateway.universe.of(root, ContractMonth.parse(month))


def hold(server, root, month, size, price):
    """Let the account hold something, bought at a price in currency."""
    what = item(server, root, month)
    ticks = int(Decimal(str(price)) / what.tick)
    server.gateway.accounts.fill(ACCOUNT, what, size, ticks, Decimal(0))
    return what


@contextlib.asynccontextmanager
async def at_gateway(**settings):
    async with gateway(roots=ROOTS, start=START, **settings) as server:
        yield server


def test_a_position_at_ib_is_an_external_position_with_its_average_price():
    async def scenario():
        async with at_gateway() as server:
            hold(server, "ES", "2025U", 2, "4000.25")
            hold(server, "ZC", "2025U", -3, "4.50")  # 450 cents: average cost 22,500
            async with running(server) as d:
                assert d.ours() == {ESU: 2, ZCU: -3}
                prices = {p.instrument_id: p.avg_px_open for p in d.cache.positions_open()}
                assert prices == {ESU: 4000.25, ZCU: 4.5}
                assert {p.strategy_id for p in d.cache.positions_open()} == {StrategyId("EXTERNAL")}

    asyncio.run(scenario())


def test_a_claim_makes_positions_and_orders_those_of_the_strategy():
    async def scenario():
        async with at_gateway() as server:
            hold(server, "ES", "2025U", 1, 4000)
            place(server, "ES", "2025U", "BUY", 3000.0)
            async with running(server, strategies=[Book(claims=[ESU])]) as d:
                (position,) = d.cache.positions_open()
                (order,) = d.cache.orders_open()
                assert position.strategy_id == order.strategy_id == d.strategy.id
                d.strategy.cancel_order(order)
                await d.status(order, "CANCELED")

    asyncio.run(scenario())


def place(server, root, month, side, price, *, client_id=5, ref="", order_id=90):
    """Place an order as a session of a client id would."""
    gw = server.gateway
    wire = m.Order(
        action=side, quantity=Decimal(2), type="LMT", limit_price=price, tif="GTC",
        account=ACCOUNT, order_ref=ref,
    )  # fmt: skip
    made = make_order(gw, client_id, order_id, item(server, root, month), wire)
    gw.used_order_id(client_id, order_id)
    gw.book.place(made)
    return made


def test_an_open_order_keeps_our_id_and_can_be_changed_and_cancelled():
    async def scenario():
        async with at_gateway() as server:
            theirs = place(server, "ES", "2025U", "BUY", 3000.0, ref="O-20250701-000001")
            async with running(server) as d:
                (order,) = d.cache.orders_open()
                assert order.client_order_id.value == "O-20250701-000001"
                assert order.venue_order_id.value == str(theirs.perm_id)
                assert (str(order.price), order.quantity) == ("3000.00", 2)
                d.strategy.modify_order(order, price=d.strategy.px(ESU, 3100))
                await until(lambda: theirs.order.limit_price == 3100, "modification")
                await until(lambda: str(order.price) == "3100.00", "told")
                d.strategy.cancel_order(order)
                await d.status(order, "CANCELED")

    asyncio.run(scenario())


def test_an_order_without_our_reference_gets_a_name_of_its_own():
    async def scenario():
        async with at_gateway() as server:
            place(server, "ES", "2025U", "BUY", 3000.0)
            # Another client's reference is not ours, whatever it says.
            place(server, "ES", "2025U", "BUY", 3001.0, client_id=77, ref="O-1")
            # Twice the same reference: neither can be told by it.
            place(server, "ES", "2025U", "BUY", 3002.0, ref="O-2", order_id=91)
            place(server, "ES", "2025U", "BUY", 3003.0, ref="O-2", order_id=92)
            async with running(server) as d:
                names = {str(o.price): o.client_order_id.value for o in d.cache.orders_open()}
                assert len(names) == 4
                assert all(len(name) == 36 for name in names.values())  # UUIDs
                other = next(o for o in d.cache.orders_open() if str(o.price) == "3001.00")
                d.strategy.cancel_order(other)
                await until(
                    lambda: "OrderCancelRejected" in [type(e).__name__ for e in other.events]
                )
                assert "belongs to client id 77" in other.last_event.reason

    asyncio.run(scenario())


def test_filtering_drops_orders_and_not_positions():
    async def scenario():
        async with at_gateway() as server:
            hold(server, "ES", "2025U", 1, 4000)
            place(server, "ES", "2025U", "BUY", 3000.0)
            engine = {"filter_unclaimed_external_orders": True}
            config = node_config({NAME: exec_config(server.port)}, engine=engine)
            async with running(server, config=config) as d:
                assert d.ours() == {ESU: 1}
                assert not d.cache.orders_open()

    asyncio.run(scenario())


def test_a_position_in_an_instrument_that_nobody_loaded_is_loaded():
    async def scenario():
        async with gateway(roots=(*ROOTS, "CL"), start=START) as server:
            hold(server, "CL", "2025Z", -4, "61.25")
            async with running(server) as d:
                assert d.ours() == {InstrumentId.from_str("CLZ25.XNYM"): -4}
                assert d.cache.positions_open()[0].avg_px_open == 61.25

    asyncio.run(scenario())


@pytest.mark.parametrize("claims", [None, [ESU]])
def test_what_ib_holds_no_more_is_closed(claims):
    """Without a claim nautilus leaves the strategy long and makes an external short: net flat."""

    async def scenario():
        async with at_gateway() as server:
            what = item(server, "ES", "2025U")
            strategy = Book(claims=claims)
            async with running(server, strategies=[strategy]) as d:
                made = d.strategy.market(ESU, BUY)
                await d.status(made, "FILLED")
                await until(lambda: d.ours() == {ESU: 1}, "position")
                # What happens while a node is away: closed in TWS, the executions forgotten.
                server.gateway.book.fills.all.clear()
                server.gateway.accounts.fill(ACCOUNT, what, -1, 17000, Decimal(0))
                engine = d.node.kernel.exec_engine
                assert await engine.reconcile_execution_state()
                assert d.ours() == {}
                own = d.cache.positions_open(strategy_id=strategy.id)
                external = d.cache.positions_open(strategy_id=StrategyId("EXTERNAL"))
                sizes = [[p.signed_qty for p in found] for found in (own, external)]
                assert sizes == ([[], []] if claims else [[1.0], [-1.0]])

    asyncio.run(scenario())


def test_fills_of_today_are_not_told_twice():
    async def scenario():
        async with at_gateway() as server:
            async with running(server) as d:
                made = d.strategy.market(ESU, BUY, 2)
                await d.status(made, "FILLED")
                assert await d.node.kernel.exec_engine.reconcile_execution_state()
                assert d.ours() == {ESU: 2}
                assert len(d.strategy.fills()) == 1
            async with running(server) as d:  # an empty cache: orders, fills, positions of today
                assert d.ours() == {ESU: 2}
                (order,) = d.cache.orders()
                assert order.client_order_id == made.client_order_id
                assert order.avg_px == made.avg_px
                fill = order.last_event
                assert str(fill.commission) == "4.50 USD"
                assert fill.trade_id == made.last_event.trade_id

    asyncio.run(scenario())


def test_an_order_that_ib_forgot_is_closed():
    async def scenario():
        async with at_gateway() as server, running(server) as d:
            made = d.strategy.limit(ESU, BUY, 3000)
            await d.status(made, "ACCEPTED")
            (order,) = server.gateway.book.open()
            book = server.gateway.book
            book._live.clear()
            book._orders.clear()
            assert order not in book.done()
            await d.client.link.client.orders.sync()
            await d.status(made, "CANCELED")
            assert d.counts.lost == 1

    asyncio.run(scenario())


def test_without_reports_the_node_does_not_start():
    async def scenario():
        async with at_gateway() as server:
            server.gateway.faults.when("RequestPositions", "drop", times=None)
            config = node_config({NAME: exec_config(server.port, request_timeout=0.5)})
            async with running(server, config=config, wait=False) as d:
                await asyncio.sleep(1.5)
                assert not d.node.trader.is_running

    asyncio.run(scenario())


def forget(server, what):
    """Have IB deny a contract, as it does years after it expired."""
    server.gateway.faults.when(
        "RequestContractDetails",
        {"error": {"code": 200, "text": "No security definition has been found"}},
        where={"contract.con_id": what.con_id},
        times=None,
    )


def test_a_fill_in_a_contract_that_ib_forgot_keeps_no_other_report_from_coming():
    async def scenario():
        async with at_gateway() as server:
            hold(server, "ES", "2025U", 2, 4000)
            gone = item(server, "ES", "2026M")
            for action in ("BUY", "SELL"):
                wire = order(action, 1, "MKT", account=ACCOUNT)
                place_by_hand(server.gateway, gone, wire)
            await server.advance(1)
            forget(server, gone)
            async with running(server) as d:
                assert d.ours() == {ESU: 2}
                assert list(d.client.link.provider.unknown) == [gone.con_id]
                sold = d.strategy.market(ESU, SELL, 2)
                await d.status(sold, "FILLED")

    asyncio.run(scenario())


def test_a_position_in_a_contract_that_ib_denies_keeps_the_node_from_starting():
    async def scenario():
        async with at_gateway() as server:
            hold(server, "ES", "2025U", 2, 4000)
            gone = hold(server, "ES", "2026M", 1, 4000)
            forget(server, gone)
            async with running(server, wait=False) as d:
                await until(lambda: d.client.unreported, "reason")
                assert f"contract {gone.con_id} (" in d.client.unreported
                assert "IB does not know it" in d.client.unreported
                await asyncio.sleep(0.2)
                assert not d.node.trader.is_running

    asyncio.run(scenario())


def test_a_position_that_comes_while_ib_denies_its_contract_is_reported_when_it_is_told():
    async def scenario():
        async with at_gateway() as server, running(server, request_timeout=0.5) as d:
            what = item(server, "ES", "2026M")
            fault = server.gateway.faults
            fault.when("RequestContractDetails", "drop", times=2)  # no answer, twice
            place_by_hand(server.gateway, what, order("BUY", 1, "MKT", account=ACCOUNT))
            listings = d.client.link.listings
            await until(lambda: listings.by_con_id(what.con_id), "listing")
            await d.agree()
            assert d.ours() == {listings.by_con_id(what.con_id).id: 1}

    asyncio.run(scenario())


def test_an_account_of_another_client_is_left_alone():
    async def scenario():
        async with at_gateway(accounts=(ACCOUNT, "DU7654321")) as server:
            hold(server, "ES", "2025U", 1, 4000)
            server.gateway.accounts.fill(
                "DU7654321", item(server, "ZC", "2025U"), 5, 1800, Decimal(0)
            )
            async with running(server) as d:
                assert d.ours() == {ESU: 1}

    asyncio.run(scenario())


def test_two_accounts_are_two_clients_of_one_connection():
    async def scenario():
        other = "DU7654321"
        async with at_gateway(accounts=(ACCOUNT, other)) as server:
            hold(server, "ES", "2025U", 1, 4000)
            server.gateway.accounts.fill(other, item(server, "ZC", "2025U"), 5, 1800, Decimal(0))
            one = exec_config(server.port)
            two = exec_config(server.port, account_id=other)
            config = node_config({NAME: one, "SECOND": two})
            extra = ("SECOND", FuturesLiveExecClientFactory, "add_exec_client_factory")
            async with running(server, config=config, factories=[extra]) as d:
                assert server.connections == 1
                held = {
                    (p.account_id.value, p.instrument_id): p.signed_qty
                    for p in d.cache.positions_open()
                }
                assert held == {
                    ("PYF-DU1234567", ESU): 1,
                    ("SECOND-DU7654321", ZCU): 5,
                }
                bought = d.strategy.order_factory.market(
                    ZCU, BUY, d.cache.instrument(ZCU).make_qty(2)
                )
                d.strategy.submit_order(bought, client_id=ClientId("SECOND"))
                await d.status(bought, "FILLED")
                assert server.gateway.accounts.position(
                    other, item(server, "ZC", "2025U").con_id
                ) == 7  # fmt: skip

    asyncio.run(scenario())


def two_gateways(*holders):
    """Run `work(d, server, other)` with a node of two gateways; `holders` hold a contract."""
    second = "DU7654321"

    def decorator(work):
        async def scenario(**more):
            async with at_gateway() as server, at_gateway(fresh=True, accounts=(second,)) as other:
                for each, account in ((server, ACCOUNT), (other, second)):
                    if account in holders:
                        each.gateway.accounts.fill(
                            account, item(each, "ES", "2025U"), 2, 17000, Decimal(0)
                        )
                one = exec_config(server.port)
                provider = FuturesInstrumentProviderConfig(
                    roots=frozenset(ROOTS),
                    months=MonthsSelection(listed=3),
                    venue=more.pop("venue", "mic"),
                )
                two = msgspec.structs.replace(
                    exec_config(other.port, account_id=second),
                    instrument_provider=provider,
                    routing=RoutingConfig(),
                )
                config = node_config({NAME: one, "PYF2": two})
                extra = ("PYF2", FuturesLiveExecClientFactory, "add_exec_client_factory")
                strategies = [Book(), Book("002")]
                async with running(
                    server, config=config, factories=[extra], strategies=strategies, **more
                ) as d:
                    await work(d, server, other)

        return scenario

    return decorator


def test_two_gateways_share_instruments_and_each_account_has_its_strategy():
    @two_gateways()
    async def scenario(d, server, other):
        first, second = d.node.trader.strategies()

        def send(strategy, side, client):
            made = strategy.order_factory.market(ESU, side, d.cache.instrument(ESU).make_qty(1))
            strategy.submit_order(made, client_id=ClientId(client))
            return made

        bought, sold = send(first, BUY, "PYF"), send(second, SELL, "PYF2")
        mixed = send(first, SELL, "PYF2")  # of the same moment: nothing of it is in the cache yet
        await d.status(bought, "FILLED")
        await d.status(sold, "FILLED")
        await d.status(mixed, "DENIED")
        assert "one position of an instrument and a strategy" in mixed.last_event.reason
        assert "account PYF-DU1234567 has it" in mixed.last_event.reason
        await until(lambda: len(d.cache.positions_open()) == 2, "positions")
        held = {p.account_id.value: p.signed_qty for p in d.cache.positions_open()}
        assert held == {"PYF-DU1234567": 1, "PYF2-DU7654321": -1}
        again = send(second, BUY, "PYF")
        await d.status(again, "DENIED")

    asyncio.run(scenario())


def test_what_two_accounts_hold_and_nobody_claims_keeps_the_node_from_starting():
    @two_gateways(ACCOUNT, "DU7654321")
    async def scenario(d, server, other):
        clients = d.node.kernel.exec_engine._clients.values()
        (said,) = await until(lambda: [x.unreported for x in clients if x.unreported], "reason")
        assert f"{ESU} is held by PYF" in said
        assert "run a node for each" in said
        await asyncio.sleep(0.2)
        assert not d.node.trader.is_running

    asyncio.run(scenario(wait=False))


def test_names_of_the_venue_tell_two_accounts_apart():
    @two_gateways(ACCOUNT, "DU7654321")
    async def scenario(d, server, other):
        held = {
            (p.account_id.value, str(p.instrument_id)): p.signed_qty
            for p in d.cache.positions_open()
        }
        assert held == {
            ("PYF-DU1234567", "ESU25.XCME"): 2,
            ("PYF2-DU7654321", "ESU25.CME"): 2,
        }

    asyncio.run(scenario(venue="ib"))


def test_open_orders_are_there_though_fills_and_position_do_not_fit():
    """Executions that IB forgot: the position is right, and no order is dropped for it."""

    async def scenario():
        async with at_gateway() as server:
            async with running(server) as d:
                bid, _ = d.quote(ESU)
                rests = d.strategy.limit(ESU, BUY, bid - 50, 3)
                part = d.strategy.limit(ESU, BUY, bid - 60, 3)
                await d.status(part, "ACCEPTED")
                theirs = next(
                    x
                    for x in server.gateway.book.open()
                    if x.order.order_ref == part.client_order_id.value
                )
                for side, size in ((BUY, 2), (SELL, 5), (BUY, 7)):
                    sent = d.strategy.market(ESU, side, size)
                    await d.status(sent, "FILLED")
                server.gateway.book.fill(theirs, 1, theirs.terms.limit)
                await d.status(part, "PARTIALLY_FILLED")
                del server.gateway.book.fills.all[1]
            async with running(server) as d:
                assert d.ours() == d.theirs() == {ESU: 5}
                orders = {o.client_order_id: o for o in d.cache.orders_open()}
                assert set(orders) == {rests.client_order_id, part.client_order_id}
                again = orders[part.client_order_id]
                assert (again.status_string(), again.filled_qty) == ("PARTIALLY_FILLED", 1)
                server.gateway.book.fill(theirs, 2, theirs.terms.limit)
                await d.status(again, "FILLED")
                await d.agree()

    asyncio.run(scenario())
