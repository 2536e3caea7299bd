"""Subscriptions: nothing missed, nothing twice, nothing silent."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.events import ClientEventKind
from pyfutures.ib.failures import OverflowedError, RequestFailedError
from pyfutures.ib.market import DataKind, DepthReset, TickKind
from pyfutures.ib.subscriptions import FeedState
from pyfutures.ib.times import BarSize
from tests.ib.client.market import BarMarket, bar_at, check_bars
from tests.ib.client.server import both, settle
from tests.ib.client.virtual import run

ES = m.Contract(con_id=1, symbol="ES", sec_type="FUT", exchange="CME", currency="USD")
FARM = "Market data farm connection is broken:usfuture"


async def live_bars(gateway, client, **more):
    market = BarMarket(gateway)
    await settle(1)
    updates = []
    more = {"size": BarSize.MINUTE_1, "duration": "600 S", "callback": updates.append, **more}
    bars = client.history.live_bars(ES, **more)
    await bars.started()
    return market, updates, bars


def test_closed_bars_come_once_and_in_order():
    async def main():
        async with both() as (gateway, client):
            market, updates, bars = await live_bars(gateway, client)
            await settle(600)
            starts = check_bars(updates)
            assert starts[0] == market.forming() - 19 * 60
            assert starts[-1] == market.forming() - 60
            assert [update.is_history for update in updates] == [True] * 9 + [False] * 10
            bars.close()
            await settle()
            assert len(gateway.heard(m.CancelHistoricalBars)) == 1
            await market.stop()

    run(main)


def test_bars_without_history_and_with_the_one_that_forms():
    async def main():
        async with both() as (gateway, client):
            market, updates, _ = await live_bars(gateway, client, history=False, forming=True)
            begun = market.forming()
            await settle(180)
            closed = [update for update in updates if update.is_closed]
            assert [int(update.bar.date) for update in closed] == [begun, begun + 60, begun + 120]
            check_bars(updates)
            assert sum(not update.is_closed for update in updates) > 30
            await market.stop()

    run(main)


def test_a_bar_is_closed_by_the_gateways_clock_when_nothing_follows():
    async def main():
        async with both(bar_grace=15) as (gateway, client):
            market, updates, _ = await live_bars(gateway, client)
            await settle(290)
            market.mute = True  # nobody trades any more
            count = len(updates)
            last = market.forming()
            await settle(61 + 15)
            assert [int(update.bar.date) for update in updates[count:]] == [last]
            # A late message about it is not a second bar.
            request = gateway.heard(m.RequestHistoricalBars)[0]
            gateway.live.send(m.HistoricalBarUpdate(request.request_id, bar_at(last)))
            await settle()
            assert len(updates) == count + 1
            await market.stop()

    run(main)


@pytest.mark.parametrize("how", ["cut", "1101", "1102", "10182", "10225", "restart", "farm"])
def test_pain_01_bars_come_back_without_gap_or_repetition(how):
    async def main():
        async with both() as (gateway, client):
            market, updates, bars = await live_bars(gateway, client)
            port = gateway.port
            await settle(130)
            first = gateway.heard(m.RequestHistoricalBars)[0].request_id
            session = gateway.live
            if how == "cut":
                gateway.live.cut()
            elif how == "restart":
                await gateway.stop()
                await settle(170)
                await gateway.start(port)
            else:
                market.cancel(session, m.CancelHistoricalBars(first))  # the stream dies
                if how == "farm":
                    gateway.notice(2103, FARM)
                    await settle(400)
                    assert bars.state is FeedState.STALE
                    gateway.notice(2104, FARM.replace("broken", "OK"))
                elif how in {"1101", "1102"}:
                    gateway.notice(1100, "lost")
                    await settle(400)
                    assert bars.state is FeedState.STALE
                    gateway.notice(int(how), "restored")
                else:
                    await settle(20)
                    gateway.notice(int(how), "Failed to request live updates", request_id=first)
            await settle(600)
            starts = check_bars(updates)
            assert starts[-1] == market.forming() - 60
            requests = gateway.heard(m.RequestHistoricalBars)
            assert len(requests) == 2
            assert requests[1].request_id != first
            assert bars.state is FeedState.LIVE
            assert bars.restarts == 1
            await market.stop()

    run(main)


def test_pain_01_a_gap_wider_than_one_request_may_reach():
    async def main():
        async with both() as (gateway, client):
            market, updates, _ = await live_bars(gateway, client)
            await settle(130)
            port = gateway.port
            await gateway.stop()
            await settle(3 * 86400)
            await gateway.start(port)
            await settle(700)
            starts = check_bars(updates)
            assert starts[-1] == market.forming() - 60
            requests = gateway.heard(m.RequestHistoricalBars)
            assert {request.duration for request in requests[1:]} == {"1 D"}
            assert [request.keep_up_to_date for request in requests[1:]] == [
                True, False, False, False,
            ]  # fmt: skip
            await market.stop()

    run(main)


def test_pain_01_a_back_fill_that_fails_is_tried_again():
    async def main():
        async with both() as (gateway, client):
            market, updates, bars = await live_bars(gateway, client)
            await settle(130)
            port = gateway.port
            await gateway.stop()
            await settle(2 * 86400)
            refused = []

            def answer(session, request):
                if request.end and len(refused) < 3:
                    refused.append(request)
                    session.refuse(request, 162, "Historical Market Data Service error message:"
                                   "Historical data request pacing violation")  # fmt: skip
                    return
                market.answer(session, request)

            gateway.handlers[m.RequestHistoricalBars] = answer
            await gateway.start(port)
            await settle(1200)
            assert len(refused) == 3
            check_bars(updates)
            assert bars.gaps == []
            await market.stop()

    run(main)


def test_pain_01_a_stream_that_dies_without_a_word():
    async def main():
        async with both() as (gateway, client):
            market, updates, bars = await live_bars(gateway, client)
            await settle(130)
            first = gateway.heard(m.RequestHistoricalBars)[0].request_id
            market.cancel(gateway.live, m.CancelHistoricalBars(first))
            await settle(900)
            starts = check_bars(updates)
            assert starts[-1] == market.forming() - 60
            assert bars.restarts == 1
            await market.stop()

    run(main)


def test_pain_02_a_farm_that_blips_touches_only_what_it_silenced():
    async def main():
        async with both() as (gateway, client):
            lines = [client.market.line(ES) for _ in range(2)]
            await settle(5)
            quiet, busy = gateway.heard(m.RequestMarketData)

            def tick(request):
                gateway.live.send(m.TickPrice(request.request_id, 1, 4000.0, None, 0))

            tick(quiet), tick(busy)
            await settle(5)
            gateway.notice(2103, FARM)
            gateway.notice(2103, FARM.replace("usfuture", "eufarm"))
            await settle(5)
            assert [line.state for line in lines] == [FeedState.STALE] * 2
            tick(busy)
            await settle(5)
            assert [line.state for line in lines] == [FeedState.STALE, FeedState.LIVE]
            gateway.notice(2119, FARM.replace("broken", "connecting"))
            gateway.notice(2104, FARM.replace("broken", "OK"))
            await settle(5)
            again = gateway.heard(m.RequestMarketData)[2:]
            assert len(again) == 1
            assert gateway.heard(m.CancelMarketData) == [m.CancelMarketData(quiet.request_id)]
            tick(again[0])
            await settle()
            assert [line.state for line in lines] == [FeedState.LIVE] * 2
            assert len(gateway.sessions) == 1
            # Nothing was broken: the same notice is no reason to ask again.
            gateway.notice(2104, FARM.replace("broken", "OK"))
            gateway.notice(2108, "Market data farm connection is inactive but should be available "
                           "upon demand.usfuture")  # fmt: skip
            await settle(5)
            assert len(gateway.heard(m.RequestMarketData)) == 3

    run(main)


def test_1102_asks_again_only_for_lines_that_stay_silent():
    async def main():
        async with both(verify_after=30) as (gateway, client):
            lines = [client.market.line(ES) for _ in range(2)]
            await settle(5)
            one, other = gateway.heard(m.RequestMarketData)
            gateway.notice(1100, "lost")
            await settle(60)
            gateway.notice(1102, "restored")
            await settle(10)
            gateway.live.send(m.TickPrice(one.request_id, 1, 4000.0, None, 0))
            await settle(40)
            assert len(gateway.heard(m.RequestMarketData)) == 3
            assert gateway.heard(m.CancelMarketData) == [m.CancelMarketData(other.request_id)]
            assert len(lines[0].pending()) == 1

    run(main)


def trade(request, time, price, size=1):
    return m.TickByTickTrade(
        request.request_id, 1, time, price, Decimal(size), 0, "CME", "",
    )  # fmt: skip


def test_ticks_are_filled_in_from_history_each_once():
    async def main():
        async with both() as (gateway, client):
            ticks = client.market.ticks(ES, TickKind.LAST)
            await settle()
            request = gateway.heard(m.RequestTickByTick)[0]
            gateway.live.send(trade(request, 100, 1.0), trade(request, 101, 2.0),
                              trade(request, 101, 2.0))  # fmt: skip
            await settle()

            def past(time, price):
                return m.HistoricalTrade(time, 0, price, Decimal(1), "CME", "")

            @gateway.on(m.RequestTickByTick)
            def resubscribed(session, again):
                # These come before history answers; the first of them history knows as well.
                session.send(trade(again, 104, 7.0), trade(again, 105, 8.0))

            @gateway.on(m.RequestHistoricalTicks)
            def history(session, asked):
                assert asked.start == "19700101-00:01:41"
                # Of second 101 two were handed out, a third and fourth were missed.
                session.send(
                    m.HistoricalTrades(
                        asked.request_id,
                        (past(101, 2.0), past(101, 2.0), past(101, 2.0), past(101, 5.0),
                         past(103, 6.0), past(104, 7.0)),
                        done=True,
                    )
                )  # fmt: skip

            gateway.live.cut()
            await settle(60)
            found = [(tick.time, tick.price) for tick in ticks.pending()]
            assert found == [
                (100, 1.0), (101, 2.0), (101, 2.0), (101, 2.0), (101, 5.0), (103, 6.0),
                (104, 7.0), (105, 8.0),
            ]  # fmt: skip
            assert ticks.state is FeedState.LIVE
            assert ticks.gaps == []

    run(main)


def test_quotes_of_the_past_have_the_mask_of_live_ones():
    async def main():
        async with both() as (gateway, client):
            ticks = client.market.ticks(ES, TickKind.BID_ASK)
            await settle()
            request = gateway.heard(m.RequestTickByTick)[0]
            one = Decimal(1)
            gateway.live.send(m.TickByTickQuote(request.request_id, 100, 1, 2, one, one, 0))
            await settle()

            @gateway.on(m.RequestHistoricalTicks)
            def history(session, asked):
                quote = m.HistoricalQuote(101, 2, 1.5, 2.5, one, one)
                assert quote.bid_past_low
                session.send(m.HistoricalQuotes(asked.request_id, (quote,), done=True))

            gateway.live.cut()
            await settle(60)
            quote = ticks.pending()[-1]
            assert (quote.time, quote.bid_past_low, quote.ask_past_high) == (101, True, False)

    run(main)


def test_a_gap_of_ticks_that_history_cannot_fill_is_told():
    async def main():
        async with both() as (gateway, client):
            ticks = client.market.ticks(ES, TickKind.LAST)
            await settle()
            request = gateway.heard(m.RequestTickByTick)[0]
            gateway.live.send(trade(request, 100, 1.0))
            await settle()

            @gateway.on(m.RequestHistoricalTicks)
            def history(session, asked):
                session.refuse(asked, 10187, "Failed to request historical ticks:No permissions")

            @gateway.on(m.RequestTickByTick)
            def resubscribed(session, again):
                session.send(trade(again, 110, 3.0))

            gateway.live.cut()
            await settle(60)
            assert [tick.price for tick in ticks.pending()] == [1.0, 3.0]
            assert len(ticks.gaps) == 1
            assert "10187" in ticks.gaps[0]

    run(main)


def test_real_time_bars_are_filled_in_each_once():
    async def main():
        async with both() as (gateway, client):
            bars = client.market.real_time_bars(ES)
            await settle()

            def send(session, request_id, start):
                bar = bar_at(start, size=5)
                session.send(
                    m.RealTimeBar(request_id, start, bar.open, bar.high, bar.low, bar.close,
                                  bar.volume, bar.average, bar.count)
                )  # fmt: skip

            begun = int(client.clock.now().timestamp()) // 5 * 5
            request = gateway.heard(m.RequestRealTimeBars)[0]
            for n in range(4):
                send(gateway.live, request.request_id, begun + 5 * n)
            await settle(20)
            gateway.live.cut()
            tasks = []

            @gateway.on(m.RequestRealTimeBars)
            def resubscribed(session, again):
                async def feed():
                    while not session.is_cut:
                        now = client.clock.now().timestamp()
                        await asyncio.sleep(5 - now % 5)
                        send(session, again.request_id, int(now) // 5 * 5)

                tasks.append(asyncio.create_task(feed()))

            market = BarMarket(gateway, size=5)
            await settle(120)
            times = [bar.time for bar in bars.pending()]
            assert times == list(range(begun, times[-1] + 1, 5))
            assert times[-1] >= begun + 130
            for task in tasks:
                task.cancel()
            await market.stop()

    run(main)


def test_a_queue_that_overflows_is_loud(caplog):
    async def main():
        async with both() as (gateway, client):
            line = client.market.line(ES, queue_size=3)
            await settle()
            request = gateway.heard(m.RequestMarketData)[0]
            for price in range(8):
                gateway.live.send(m.TickPrice(request.request_id, 1, float(price), None, 0))
            await settle()
            with pytest.raises(OverflowedError, match="5 values were dropped") as caught:
                await anext(line)
            assert caught.value.dropped == 5
            assert [(await anext(line)).price for _ in range(3)] == [5.0, 6.0, 7.0]
            assert line.overflowed == 5
            assert "queue of 3 is full" in caplog.text

    run(main)


def test_a_callback_that_fails_costs_nobody_else_anything(caplog):
    async def main():
        async with both() as (gateway, client):

            def fail(tick):
                raise ValueError(tick)

            bad = client.market.line(ES, callback=fail)
            good = client.market.line(ES)
            await settle()
            for request in gateway.heard(m.RequestMarketData):
                gateway.live.send(m.TickPrice(request.request_id, 1, 1.0, None, 0))
            await settle()
            assert bad.callback_errors == 1
            assert len(good.pending()) == 1
            assert client.faults == 0
            assert client.sessions == 1

    run(main)


def test_iteration_and_context():
    async def main():
        async with both() as (gateway, client):
            async with client.market.line(ES) as line:
                await settle()
                request = gateway.heard(m.RequestMarketData)[0]
                gateway.live.send(m.TickSize(request.request_id, 0, Decimal(3)))
                async for tick in line:
                    assert tick.size == 3
                    break
            assert line.state is FeedState.CLOSED
            assert [tick async for tick in line] == []
            await settle()
            assert gateway.heard(m.CancelMarketData) == [m.CancelMarketData(request.request_id)]
            gateway.live.send(m.TickSize(request.request_id, 0, Decimal(3)))
            await settle()
            assert client.strays == 0  # late, and known to be

    run(main)


@pytest.mark.parametrize(
    ("code", "text", "state"),
    [
        (354, "Requested market data is not subscribed.", FeedState.FAILED),
        (10089, "requires additional subscription", FeedState.FAILED),
        (10168, "Delayed market data is not enabled.", FeedState.FAILED),
        (10167, "Displaying delayed market data.", FeedState.LIVE),
        (10197, "No market data during competing live session", FeedState.STALE),
        (101, "Max number of tickers has been reached.", FeedState.STALE),
        (420, "Invalid real-time query:", FeedState.STALE),
        (200, "No security definition has been found for the request", FeedState.FAILED),
    ],
)
def test_errors_of_a_line(code, text, state):
    async def main():
        async with both() as (gateway, client):
            line = client.market.line(ES)
            await settle()
            request = gateway.heard(m.RequestMarketData)[0]
            gateway.live.send(m.TickSize(request.request_id, 0, Decimal(3)))
            gateway.live.refuse(request, code, text)
            await settle()
            assert line.state is state
            await anext(line)
            if state is FeedState.FAILED:
                with pytest.raises(RequestFailedError, match=str(code)) as caught:
                    await anext(line)
                assert caught.value.code == code
                await settle(600)
                assert len(gateway.heard(m.RequestMarketData)) == 1
            elif state is FeedState.STALE:
                assert line.error.code == code
                await settle(16)
                assert len(gateway.heard(m.RequestMarketData)) == 2
            else:
                assert str(code) in line.notices[0]

    run(main)


def test_competing_sessions_in_bursts_are_retried_ever_more_slowly():
    async def main():
        async with both() as (gateway, client):
            line = client.market.line(ES)

            @gateway.on(m.RequestMarketData)
            def refuse(session, request):
                for _ in range(15):
                    session.refuse(request, 10197, "No market data during competing live session")

            await settle(3600)
            count = len(gateway.heard(m.RequestMarketData))
            assert 10 <= count <= 17  # 15, 30, 60 … 300 seconds
            gateway.handlers.pop(m.RequestMarketData)
            await settle(300)
            request = gateway.heard(m.RequestMarketData)[-1]
            gateway.live.send(m.TickSize(request.request_id, 0, Decimal(3)))
            await settle()
            assert line.state is FeedState.LIVE
            assert line.error is None

    run(main)


def test_no_data_in_a_reset_is_no_end_of_the_bars():
    async def main():
        async with both() as (gateway, client):
            bars = client.history.live_bars(ES, size=BarSize.MINUTE_1)
            await settle()
            request = gateway.heard(m.RequestHistoricalBars)[0]
            gateway.live.refuse(
                request, 162,
                "Historical Market Data Service error message:HMDS query returned no data: ESM4",
            )  # fmt: skip
            await settle(1)
            assert bars.state is FeedState.STALE
            market = BarMarket(gateway)
            await settle(20)
            assert bars.state is FeedState.LIVE
            await market.stop()

    run(main)


def test_the_book_is_emptied_before_it_is_built_anew():
    async def main():
        async with both() as (gateway, client):
            book = client.market.depth(ES)
            await settle()
            change = m.MarketDepth(gateway.heard(m.RequestMarketDepth)[0].request_id, 0, 0, 1, 5,
                                   Decimal(1))  # fmt: skip
            gateway.live.send(change)
            gateway.notice(317, "Market depth data has been RESET.", change.request_id)
            await settle()
            gateway.live.cut()
            await settle(5)
            assert len(gateway.heard(m.RequestMarketDepth)) == 2
            assert book.pending() == (change, DepthReset(), DepthReset())

    run(main)


def test_the_kind_of_data_is_said_again_to_each_session():
    async def main():
        async with both() as (gateway, client):
            client.market.use(DataKind.DELAYED)
            await settle()
            gateway.live.cut()
            await settle(5)
            assert gateway.heard(m.RequestMarketDataType) == [m.RequestMarketDataType(3)] * 2

    run(main)


def test_a_subscription_made_without_a_session_waits_for_one():
    async def main():
        async with both() as (gateway, client):
            gateway.live.cut()
            await settle()
            line = client.market.line(ES)
            assert line.state is FeedState.WAITING
            await settle(5)
            assert len(gateway.heard(m.RequestMarketData)) == 1
            gateway.notice(1100, "lost")
            await settle()
            client.market.line(ES)
            await settle(10)
            assert len(gateway.heard(m.RequestMarketData)) == 1
            gateway.notice(1102, "restored")
            await settle(1)
            assert len(gateway.heard(m.RequestMarketData)) == 2

    run(main)


def test_farm_events_are_told():
    async def main():
        async with both() as (gateway, client):
            events = client.events()
            gateway.notice(2103, FARM)
            gateway.notice(1100, "lost")
            gateway.notice(1101, "restored")
            gateway.notice(2100, "API client has been unsubscribed from account data.")
            await settle()
            kinds = [event.kind for event in events.pending()]
            assert kinds == [
                ClientEventKind.FARM, ClientEventKind.LINE_DOWN, ClientEventKind.LINE_UP,
                ClientEventKind.NOTICE,
            ]  # fmt: skip

    run(main)


def test_pain_13_dates_of_bars_over_the_change_of_the_clocks():
    # Chicago went to summer time on 2024-03-10: 01:59 CST is 07:59 UTC, 03:00 CDT is 08:00 UTC.
    from pyfutures.ib.times import bar_close, bar_time

    first = m.Bar("1710057540", 1, 1, 1, 1, Decimal(1), Decimal(1), 1)
    start = bar_time(first.date)
    assert start == dt.datetime(2024, 3, 10, 7, 59, tzinfo=dt.UTC)
    close = bar_close(start, BarSize.MINUTE_1)
    assert close == dt.datetime(2024, 3, 10, 8, 0, tzinfo=dt.UTC)
    assert bar_time("20240310") == dt.date(2024, 3, 10)
