"""Requests: one typed outcome each, before a deadline, at the pace that the gateway allows."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.codes import Reaction
from pyfutures.ib.failures import (
    ConnectionLostError,
    RequestFailedError,
    RequestTimeoutError,
)
from pyfutures.ib.messages.orders import CancelOrder, GlobalCancel, PlaceOrder
from pyfutures.ib.order_forms import Action, market_order
from pyfutures.ib.pacing import Ledger, cost_of
from pyfutures.ib.schedule import Schedule, Window
from pyfutures.ib.times import BarSize
from tests.ib.client.market import BarMarket
from tests.ib.client.server import both, settle
from tests.ib.client.virtual import START, run

ES = m.Contract(con_id=1, symbol="ES", sec_type="FUT", exchange="CME", currency="USD")
HISTORY = "Historical Market Data Service error message:"


def now():
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("version", [176, 196, 200])
def test_bars(version):
    async def main():
        async with both(version) as (gateway, client):
            market = BarMarket(gateway)
            end = START - dt.timedelta(hours=1)
            bars = await client.history.bars(
                ES, size=BarSize.MINUTE_1, duration="300 S", end=end, show="BID", use_rth=True
            )
            assert [int(bar.date) for bar in bars] == [
                int(end.timestamp()) - 60 * n for n in (5, 4, 3, 2, 1)
            ]
            asked = gateway.heard(m.RequestHistoricalBars)[0]
            assert (asked.end, asked.bar_size, asked.duration, asked.show, asked.use_rth) == (
                "20240326-13:30:00", "1 min", "300 S", "BID", True,
            )  # fmt: skip
            assert asked.format_date == 2
            await market.stop()

    run(main)


def test_pain_05_a_request_that_is_never_answered():
    async def main():
        async with both(request_deadline=30) as (gateway, client):
            asking = asyncio.create_task(client.reference.details(ES))
            await settle()
            gateway.notice(1, "something without an id")
            gateway.notice(2174, "no time zone", gateway.log[-1].request_id)
            with pytest.raises(RequestTimeoutError, match="2174: no time zone") as caught:
                await asking
            assert now() == pytest.approx(30, abs=0.01)
            assert isinstance(caught.value, TimeoutError)
            assert (caught.value.code, caught.value.reaction) == (0, Reaction.RETRY)
            assert not caught.value.is_final

            # The answer that comes late meets nobody, and harms nobody.
            late = gateway.log[-1].request_id
            gateway.live.send(m.ContractDetails(late, ES), m.ContractDetailsEnd(late))

            @gateway.on(m.RequestContractDetails)
            def answer(session, request):
                session.send(m.ContractDetailsEnd(request.request_id))

            assert await client.reference.details(ES) == ()
            assert (client.strays, client.faults) == (0, 0)

    run(main)


def test_pain_05_a_historical_request_is_taken_back_when_its_time_is_over():
    async def main():
        async with both() as (gateway, client):
            with pytest.raises(RequestTimeoutError):
                await client.history.bars(ES, size=BarSize.DAY_1, duration="1 Y", deadline=20)
            await settle()
            request = gateway.heard(m.RequestHistoricalBars)[0]
            assert gateway.log[-1] == m.CancelHistoricalBars(request.request_id)
            # What the gateway says about it then is for nobody.
            gateway.live.refuse(request, 162, HISTORY + "API historical data query cancelled: 1")
            gateway.live.refuse(request, 366, "No historical data query found for ticker id:1")
            await settle()
            assert client.strays == 0

    run(main)


def test_a_caller_that_gives_up_is_told_to_the_gateway():
    async def main():
        async with both() as (gateway, client):
            asking = asyncio.create_task(
                client.history.bars(ES, size=BarSize.DAY_1, duration="1 Y")
            )
            await settle()
            asking.cancel()
            await settle()
            assert len(gateway.heard(m.CancelHistoricalBars)) == 1

    run(main)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("HMDS query returned no data: ESM4@CME Trades", ()),
        ("Historical data request pacing violation", Reaction.RETRY),
        ("API historical data query cancelled: 5", Reaction.CANCELLED),
        ("No market data permissions for CME FUT", Reaction.FAIL),
        ("Trading TWS session is connected from a different IP address", Reaction.RETRY),
    ],
)
def test_pain_06_the_outcomes_of_162(text, outcome):
    async def main():
        async with both() as (gateway, client):

            @gateway.on(m.RequestHistoricalBars)
            def refuse(session, request):
                session.refuse(request, 162, HISTORY + text)

            asking = client.history.bars(ES, size=BarSize.DAY_1, duration="1 Y")
            if outcome == ():
                assert await asking == ()
                return
            with pytest.raises(RequestFailedError) as caught:
                await asking
            assert (caught.value.code, caught.value.reaction) == (162, outcome)
            assert caught.value.text == HISTORY + text
            assert caught.value.is_final == (outcome is Reaction.FAIL)

    run(main)


def test_pain_06_the_pace_is_kept():
    async def main():
        async with both() as (gateway, client):
            ledger = Ledger()  # the gateway's, without any margin
            broken = []
            take = gateway.sessions[0].take

            def watch(requests):
                for request in requests:
                    at = round(now() * 1e9)
                    rule = ledger.broken(cost_of(request), at)
                    if rule is not None:
                        broken.append((rule, request))
                    ledger.sent(cost_of(request), at, request_id=getattr(request, "request_id", 0))
                    if isinstance(request, m.RequestHistoricalBars):
                        ledger.done(request.request_id)
                take(requests)

            gateway.sessions[0].take = watch
            market = BarMarket(gateway, size=5)
            end = START - dt.timedelta(hours=9)

            @gateway.on(m.RequestContractDetails)
            def details(session, request):
                session.send(m.ContractDetailsEnd(request.request_id))

            small = [
                client.history.bars(
                    ES, size=BarSize.SECOND_5, duration="60 S",
                    end=end + dt.timedelta(minutes=n // 2), show="BID_ASK" if n % 3 else "TRADES",
                )
                for n in range(80)
            ]  # fmt: skip
            others = [client.reference.details(ES) for _ in range(200)]
            done = await asyncio.gather(*small, *others)
            assert len(done) == 280
            assert broken == []
            # 80 requests that count 133: two full windows have to pass.
            assert 1200 < now() < 1900
            assert client.sessions == 1
            await market.stop()

    run(main)


def test_pain_06_orders_go_before_a_queue_of_requests():
    async def main():
        async with both() as (gateway, client):
            asking = [asyncio.create_task(client.reference.details(ES)) for _ in range(300)]
            await settle()
            client.orders.place(ES, market_order(Action.BUY, 1))
            client.orders.cancel(1)
            client.orders.cancel_all()
            await settle(0.01)
            for kind in (PlaceOrder, CancelOrder, GlobalCancel):
                assert len(gateway.heard(kind)) == 1
            assert len(gateway.heard(m.RequestContractDetails)) < 50
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    run(main)


def test_pain_06_error_100_holds_everything_for_a_second():
    async def main():
        async with both() as (gateway, client):
            gateway.notice(100, "Max rate of messages per second has been exceeded:max=50 rec=51")
            await settle()
            asking = asyncio.create_task(client.reference.server_time())
            await settle(0.5)
            assert gateway.heard(m.RequestCurrentTime) == []
            await asking
            assert now() == pytest.approx(1, abs=0.1)

    run(main)


def test_pain_06_a_pacing_violation_is_met_with_patience():
    async def main():
        async with both() as (gateway, client):
            market = BarMarket(gateway)
            answers = iter([True, True, False])

            def answer(session, request):
                if next(answers):
                    text = f"{HISTORY}Historical data request pacing violation"
                    session.refuse(request, 162, text)
                else:
                    market.answer(session, request)

            gateway.handlers[m.RequestHistoricalBars] = answer
            bars = await client.history.bars(
                ES, size=BarSize.MINUTE_1, duration="300 S", patience=120
            )
            assert bars
            assert now() == pytest.approx(15 + 30, abs=0.1)

    run(main)


def chain(session, request):
    for n, month in enumerate(("202306", "202403", "202406")):
        if n or request.contract.include_expired:
            contract = m.Contract(con_id=n + 1, symbol="ES", sec_type="FUT", last_trade=month)
            session.send(m.ContractDetails(request.request_id, contract))
    session.send(m.ContractDetailsEnd(request.request_id))


def test_pain_07_the_first_load_meets_faults_and_is_done_again(caplog):
    async def main():
        always = Schedule((Window("reset", "UTC", dt.time(0), dt.time(0)),))
        async with both(schedule=always) as (gateway, client):
            faults = iter(["cut", "silence", "reset"])

            @gateway.on(m.RequestContractDetails)
            def details(session, request):
                fault = next(faults, None)
                if fault == "cut":
                    session.send(m.ContractDetails(request.request_id, ES))
                    session.cut()
                elif fault == "reset":
                    session.refuse(request, 200, "No security definition has been found")
                elif fault is None:
                    chain(session, request)

            found = await client.reference.chain("ES", exchange="CME", patience=600)
            assert [one.contract.last_trade for one in found] == ["202403", "202406"]
            assert "ask again later; asked again in 15 s" in caplog.text

    run(main)


def test_pain_07_a_load_that_cannot_succeed_is_a_typed_error_at_once():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestContractDetails] = lambda session, request: session.refuse(
                request, 321, "Error validating request.-'bQ' : cause - exchange"
            )
            with pytest.raises(RequestFailedError, match="321") as caught:
                await client.reference.chain("ES", exchange="X", patience=600)
            assert caught.value.is_final
            assert now() < 1

    run(main)


def test_pain_15_chains_expired_and_continuous():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestContractDetails] = chain
            found = await client.reference.chain("ES", exchange="CME", include_expired=True)
            assert [one.contract.last_trade for one in found] == ["202306", "202403", "202406"]
            asked = gateway.heard(m.RequestContractDetails)[0].contract
            assert (asked.sec_type, asked.last_trade, asked.include_expired) == ("FUT", "", True)

            front = await client.reference.continuous("ES", exchange="CME")
            assert front.contract.con_id == 2
            assert gateway.heard(m.RequestContractDetails)[1].contract.sec_type == "CONTFUT"

    run(main)


def test_pain_15_none_is_none_but_not_while_servers_are_reset():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestContractDetails] = lambda session, request: session.refuse(
                request, 200, "No security definition has been found for the request"
            )
            assert await client.reference.details(ES) == ()
            assert await client.reference.continuous("ES", exchange="CME") is None
            # 00:15 to 01:45 in New York: servers of North America are being reset.
            await settle(14 * 3600 + 2 * 60)
            assert client.in_reset
            with pytest.raises(RequestFailedError) as caught:
                await client.reference.details(ES)
            assert not caught.value.is_final

    run(main)


def test_pain_15_resets_are_by_the_clock_of_the_gateway():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestContractDetails] = lambda session, request: session.refuse(
                request, 200, "No security definition has been found for the request"
            )
            told = iter([dt.datetime(2025, 7, 2, 4, 30, tzinfo=dt.UTC), client.clock.now()])

            @gateway.on(m.RequestCurrentTime)
            def time(session, request):
                session.send(m.CurrentTime(int(next(told).timestamp())))

            assert not client.in_reset
            await client.reference.server_time()  # half past midnight in New York
            assert client.in_reset
            with pytest.raises(RequestFailedError, match="being reset and may deny"):
                await client.reference.details(ES)
            await client.reference.server_time()
            assert await client.reference.details(ES) == ()

    run(main)


def test_pain_15_10339_is_typed():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers[m.RequestHistoricalBars] = lambda session, request: session.refuse(
                request, 10339,
                "Setting end date/time for continuous future security type is not allowed.",
            )  # fmt: skip
            with pytest.raises(RequestFailedError) as caught:
                await client.history.bars(ES, size=BarSize.DAY_1, duration="1 Y", end=START)
            assert caught.value.code == 10339
            assert caught.value.is_final

    run(main)


def test_ticks_schedule_and_head():
    async def main():
        async with both() as (gateway, client):

            @gateway.on(m.RequestHistoricalTicks)
            def ticks(session, request):
                if request.show == "TRADES":
                    one = m.HistoricalTrade(100, 0, 5.0, Decimal(1), "CME", "")
                    session.send(
                        m.HistoricalTrades(request.request_id, (one,), done=False),
                        m.HistoricalTrades(request.request_id, (one,), done=True),
                    )
                elif request.show == "BID_ASK":
                    session.send(m.HistoricalQuotes(request.request_id, (), done=True))
                else:
                    mid = m.HistoricalMidpoint(100, 5.0)
                    session.send(m.HistoricalMidpoints(request.request_id, (mid,), done=True))

            assert len(await client.history.trades(ES, start=START)) == 2
            assert await client.history.quotes(ES, end=START) == ()
            assert len(await client.history.midpoints(ES, end=START, count=5)) == 1
            with pytest.raises(ValueError, match="give one"):
                await client.history.trades(ES)

            @gateway.on(m.RequestHistoricalBars)
            def schedule(session, request):
                assert (request.show, request.bar_size) == ("SCHEDULE", "1 day")
                session.send(m.HistoricalSchedule(request.request_id, "a", "b", "US/Central", ()))

            assert (await client.history.schedule(ES)).time_zone == "US/Central"
            gateway.handlers[m.RequestHeadTimestamp] = lambda session, request: session.send(
                m.HeadTimestamp(request.request_id, "1700000000")
            )
            head = await client.history.head(ES)
            assert head == dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC)

    run(main)


def test_requests_without_an_id_go_one_by_one():
    async def main():
        async with both() as (gateway, client):

            @gateway.on(m.RequestMarketRule)
            def rule(session, request):
                session.send(
                    m.MarketRule(request.rule_id, (m.PriceIncrement(Decimal(0), Decimal(1)),))
                )

            rules = await asyncio.gather(*(client.reference.market_rule(n) for n in (1, 2, 1)))
            assert len(rules) == 3
            gateway.handlers[m.RequestDepthExchanges] = lambda session, _: session.send(
                m.DepthExchanges(())
            )
            assert await client.reference.depth_exchanges() == ()
            gateway.handlers.pop(m.RequestMarketRule)
            asking = asyncio.create_task(client.reference.market_rule(99999))
            await settle()
            gateway.notice(321, "Error validating request.-'bZ' : cause - rule 99999")
            with pytest.raises(RequestTimeoutError, match="rule 99999"):
                await asking

    run(main)


def _open_order(number):
    state = m.OrderState(status="Submitted")
    return m.OpenOrder(number, ES, m.Order(action="BUY", perm_id=100 + number), state)


def _gave_up(asking):
    asking.cancel()
    return asyncio.gather(asking, return_exceptions=True)


@pytest.mark.parametrize("end", ["answered", "silent"])
def test_a_list_is_whole_though_the_one_before_it_was_given_up_in_the_middle(end):
    async def main():
        async with both() as (gateway, client):
            gateway.handlers.pop(m.RequestOpenOrders)
            first = asyncio.create_task(client.orders.open_orders())
            await settle()
            gateway.live.send(_open_order(1))
            await settle()
            await _gave_up(first)
            second = asyncio.create_task(client.orders.open_orders())
            await settle()
            began = now()
            gateway.live.send(_open_order(2), _open_order(3), m.OpenOrderEnd())
            await settle()
            assert not second.done()
            if end == "answered":
                gateway.live.send(*map(_open_order, (1, 2, 3)), m.OpenOrderEnd())
                assert [order.order_id for order in await second] == [1, 2, 3]
                assert now() - began < 0.1
            else:  # what came is all there is to have
                assert [order.order_id for order in await second] == [2, 3]
                assert now() - began <= 5.001
            # Nothing is owed any more: the next answer is taken as it comes.
            gateway.on(m.RequestOpenOrders)(lambda s, _: s.send(_open_order(4), m.OpenOrderEnd()))
            began = now()
            if end == "answered":
                assert [order.order_id for order in await client.orders.open_orders()] == [4]
                assert now() - began < 0.1

    run(main)


@pytest.mark.parametrize("everyone", [True, False])
def test_the_answer_to_another_question_is_no_answer(everyone):
    async def main():
        async with both() as (gateway, client):
            gateway.handlers.pop(m.RequestOpenOrders)
            first = asyncio.create_task(client.orders.open_orders(everyone=not everyone))
            await settle()
            await _gave_up(first)
            second = asyncio.create_task(client.orders.open_orders(everyone=everyone))
            await settle()
            gateway.live.send(_open_order(1), m.OpenOrderEnd())
            await settle()
            assert not second.done()
            gateway.live.send(_open_order(1), _open_order(2), m.OpenOrderEnd())
            assert [order.order_id for order in await second] == [1, 2]

    run(main)


def test_an_answer_that_comes_whole_is_good_for_the_next_who_asks():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers.pop(m.RequestOpenOrders)
            first = asyncio.create_task(client.orders.open_orders())
            await settle()
            await _gave_up(first)
            second = asyncio.create_task(client.orders.open_orders())
            await settle()
            gateway.live.send(_open_order(1), _open_order(2), m.OpenOrderEnd())
            assert [order.order_id for order in await second] == [1, 2]
            # The answer to the second comes too, and a third asks in the midst of it.
            gateway.live.send(_open_order(1))
            await settle()
            third = asyncio.create_task(client.orders.open_orders())
            await settle()
            gateway.live.send(_open_order(2), m.OpenOrderEnd())
            gateway.live.send(_open_order(1), _open_order(2), m.OpenOrderEnd())
            assert [order.order_id for order in await third] == [1, 2]

    run(main)


def test_nothing_is_owed_by_a_connection_that_is_gone():
    async def main():
        async with both() as (gateway, client):
            gateway.handlers.pop(m.RequestOpenOrders)
            first = asyncio.create_task(client.orders.open_orders())
            await settle()
            gateway.live.send(_open_order(1))
            await settle()
            gateway.live.cut()
            with pytest.raises(ConnectionLostError):
                await first
            await client.ready()
            gateway.on(m.RequestOpenOrders)(lambda s, _: s.send(_open_order(2), m.OpenOrderEnd()))
            began = now()
            assert [order.order_id for order in await client.orders.open_orders()] == [2]
            assert now() - began < 0.1

    run(main)


def test_positions_are_one_a_contract_though_one_changes_while_they_are_told():
    async def main():
        async with both() as (gateway, client):

            @gateway.on(m.RequestPositions)
            def tell(session, _):
                for size in (1, 2):
                    session.send(m.Position("DU1234567", ES, Decimal(size), 50.0))
                session.send(m.PositionEnd())

            (held,) = await client.account.positions()
            assert held.position == 2

    run(main)


def test_snapshot_and_accounts():
    async def main():
        async with both() as (gateway, client):

            @gateway.on(m.RequestMarketData)
            def line(session, request):
                assert request.snapshot
                session.send(m.TickPrice(request.request_id, 1, 5.0, Decimal(2), 0),
                             m.TickSnapshotEnd(request.request_id))  # fmt: skip

            assert len(await client.market.snapshot(ES)) == 1

            @gateway.on(m.RequestPositions)
            def positions(session, request):
                session.send(m.Position("DU1", ES, Decimal(3), 22500.0), m.PositionEnd())

            assert [one.position for one in await client.account.positions()] == [3]
            await settle()
            assert len(gateway.heard(m.CancelPositions)) == 1

            @gateway.on(m.RequestAccountSummary)
            def summary(session, request):
                session.send(
                    m.AccountSummary(request.request_id, "DU1", "NetLiquidation", "1", "USD"),
                    m.AccountSummaryEnd(request.request_id),
                )

            assert len(await client.account.summary(["NetLiquidation"])) == 1
            await settle()
            assert len(gateway.heard(m.CancelAccountSummary)) == 1

            @gateway.on(m.RequestAccountUpdates)
            def updates(session, request):
                if request.subscribe:
                    session.send(
                        m.AccountValue("NetLiquidation", "1", "USD", "DU1"),
                        m.AccountTime("14:30"),
                        m.AccountDownloadEnd("DU1"),
                    )

            assert len(await client.account.values("DU1")) == 1
            await settle()
            assert [one.subscribe for one in gateway.heard(m.RequestAccountUpdates)] == [
                True, False,
            ]  # fmt: skip

    run(main)


def test_a_subscription_to_positions_outlives_a_question_that_was_under_way():
    async def main():
        async with both() as (gateway, client):
            asking = asyncio.create_task(client.account.positions())
            await settle()
            updates = client.account.position_updates()
            await settle()
            for _ in range(2):
                gateway.live.send(m.Position("DU1234567", ES, Decimal(1), 50.0), m.PositionEnd())
            (held,) = await asking
            assert held.position == 1
            await settle()
            # One word ends all of it at the gateway: it is not for the question to say.
            assert gateway.heard(m.CancelPositions) == []
            gateway.live.send(m.Position("DU1234567", ES, Decimal(2), 50.0))
            await settle()
            assert updates.pending()[-1].position == 2
            updates.close()
            await settle()
            assert len(gateway.heard(m.CancelPositions)) == 1

    run(main)


def test_a_subscription_to_an_account_outlives_a_question_about_it():
    async def main():
        async with both() as (gateway, client):

            @gateway.on(m.RequestAccountUpdates)
            def tell(session, request):
                if request.subscribe:
                    row = m.AccountValue("NetLiquidation", "1", "USD", "DU1234567")
                    session.send(row, m.AccountDownloadEnd("DU1234567"))

            async with client.account.updates() as updates:
                await settle()
                (value,) = await client.account.values("DU1234567")
                assert value.value == "1"
                await settle()
                # There is one subscription a client: the last word must not have ended it.
                assert [one.subscribe for one in gateway.heard(m.RequestAccountUpdates)] == [
                    True, True, True,
                ]  # fmt: skip
                assert gateway.heard(m.RequestAccountUpdates)[-1].account == ""
                assert len(updates.pending()) >= 4
            await settle()
            assert not gateway.heard(m.RequestAccountUpdates)[-1].subscribe

    run(main)


def test_positions_are_whole_though_a_subscription_is_just_being_answered():
    async def main():
        async with both() as (gateway, client):
            other = replace(ES, con_id=2)
            rows = [m.Position("DU1234567", one, Decimal(1), 50.0) for one in (ES, other)]
            async with client.account.position_updates() as updates:
                await settle()
                gateway.live.send(rows[0])
                await settle()
                asking = asyncio.create_task(client.account.positions())
                await settle()
                gateway.live.send(rows[1], m.PositionEnd(), *rows, m.PositionEnd())
                assert [one.contract.con_id for one in await asking] == [1, 2]
                assert len(updates.pending()) == 6

    run(main)


def test_positions_are_subscribed_again_after_a_cut():
    async def main():
        async with both() as (gateway, client):

            @gateway.on(m.RequestPositions)
            def positions(session, request):
                session.send(m.Position("DU1", ES, Decimal(3), 22500.0), m.PositionEnd())

            one = client.account.position_updates()
            other = client.account.position_updates()
            await settle()
            other.close()
            await settle()
            assert gateway.heard(m.CancelPositions) == []
            gateway.live.cut()
            await settle(5)
            assert len(gateway.heard(m.RequestPositions)) == 3
            assert len(one.pending()) == 6
            one.close()
            await settle()
            assert len(gateway.heard(m.CancelPositions)) == 1

    run(main)


@pytest.mark.parametrize(
    ("version", "last_trade", "last_trade_date"),
    [
        (176, "20240402-17:10:00", ""),
        (176, "20240402 12:10:00 US/Central", ""),
        (200, "20240403 01:10:00 Asia/Shanghai", "20240402"),
    ],
)
def test_pain_14_all_forms_of_a_last_trade_are_one_instant(version, last_trade, last_trade_date):
    from pyfutures.ib.times import LastTrade
    from pyfutures.ib.times import last_trade as read

    async def main():
        async with both(version) as (gateway, client):

            @gateway.on(m.RequestContractDetails)
            def details(session, request):
                milk = m.Contract(
                    con_id=1, sec_type="FUT", last_trade=last_trade, last_trade_date=last_trade_date
                )
                session.send(
                    m.ContractDetails(request.request_id, milk, time_zone="US/Central"),
                    m.ContractDetailsEnd(request.request_id),
                )

            (found,) = await client.reference.details(ES)
            contract = found.contract
            assert read(contract.last_trade, found.time_zone, date=contract.last_trade_date) == (
                LastTrade(dt.date(2024, 4, 2), dt.datetime(2024, 4, 2, 17, 10, tzinfo=dt.UTC))
            )

    run(main)
