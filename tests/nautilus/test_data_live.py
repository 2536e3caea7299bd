"""Live data through a node: an actor hears what the simulated market did, once, in order."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import pytest
from nautilus_trader.config import RoutingConfig
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import BookAction, BookType, MarketStatusAction, RecordFlag
from nautilus_trader.model.identifiers import InstrumentId

from pyfutures.gateway.bars import Show
from pyfutures.gateway.feeds import Feed
from pyfutures.ib import messages as m
from pyfutures.ib.times import BarSize
from pyfutures.nautilus.config import (
    FuturesExecClientConfig,
    FuturesInstrumentProviderConfig,
    MonthsSelection,
)
from pyfutures.nautilus.market.events import FeedEventKind
from tests.gateway.tools import gateway
from tests.nautilus.data_tools import (
    ESU,
    ESZ,
    MINUTE,
    MINUTES,
    NAME,
    ROOTS,
    SECOND,
    START,
    ZCU,
    node_config,
    ns,
    running,
    until,
    with_room,
)

pytestmark = pytest.mark.filterwarnings("ignore:Timestamp.utcnow is deprecated")


def rows(room, instrument, size, first, last, show=Show.TRADES):
    """The bars of the simulated market that start from `first` to before `last`, in currency."""
    what = room.what(instrument)
    sessions = what.hours.between(first.date() - dt.timedelta(1), last.date() + dt.timedelta(1))
    found = room.gateway.bars.of(what, sessions, size, show, until=room.gateway.timeline.now)

    def price(ticks):
        return Decimal(repr(what.quote(ticks))) / what.magnifier

    return {
        row.start: (*map(price, (row.open, row.high, row.low, row.close)), max(row.volume, 0))
        for row in found
        if ns(first) <= row.start < ns(last)
    }


def figures(bar):
    prices = (bar.open, bar.high, bar.low, bar.close)
    return (*(price.as_decimal() for price in prices), int(bar.volume))


def bar_type(instrument, words):
    return BarType.from_str(f"{instrument}-{words}-EXTERNAL")


def test_bars_are_those_of_the_market_once_each_stamped_at_their_close():
    corn = bar_type(ZCU, "1-MINUTE-LAST")
    bids = bar_type(ESU, "1-MINUTE-BID")
    quick = bar_type(ESU, "5-SECOND-LAST")
    half = bar_type(ESU, "30-SECOND-MID")

    async def work(room):
        keeper = room.keeper
        for one in (MINUTES, corn, bids, quick, half):
            keeper.subscribe_bars(one)
        await until(lambda: len(room.sent(Feed.BARS)) == 4 and room.sent(Feed.REAL_TIME), "feeds")
        await room.advance(250, step=5)
        for one, show in ((MINUTES, Show.TRADES), (corn, Show.TRADES), (bids, Show.BID)):
            heard = [bar for bar in keeper.bars if bar.bar_type == one]
            instrument = one.instrument_id
            told = rows(
                room, instrument, BarSize.MINUTE_1, START, START + dt.timedelta(minutes=9), show
            )
            # A bar is closed by the next one, and corn hardly trades.
            last = heard[-1].ts_event
            assert {bar.ts_event - MINUTE: figures(bar) for bar in heard} == {
                start: row for start, row in told.items() if start < last
            }
            assert [bar.ts_event for bar in heard] == sorted({bar.ts_event for bar in heard})
            assert last >= ns(START) + (4 if instrument == ESU else 2) * MINUTE
        heard = [bar.ts_event for bar in keeper.bars if bar.bar_type == quick]
        assert len(heard) >= 36
        assert heard == list(range(heard[0], heard[0] + len(heard) * 5 * SECOND, 5 * SECOND))
        heard = [bar.ts_event for bar in keeper.bars if bar.bar_type == half]
        assert heard == [ns(START) + n * 30 * SECOND for n in range(1, 9)]
        # Corn at some 450 cents a bushel is some dollars.
        assert 1 < keeper.cache.bar(corn).close < 20
        assert room.client.rejected == 0

    with_room(work)


def test_open_stamps_are_an_option():
    async def work(room):
        room.keeper.subscribe_bars(MINUTES)
        await until(lambda: room.sent(Feed.BARS), "feed")
        await room.advance(130, step=5)
        assert room.keeper.stamps() == [ns(START), ns(START) + MINUTE]
        past = await room.ask("bars", MINUTES, start=START - dt.timedelta(minutes=3), end=START)
        # Known at its close, stamped at its open.
        assert [(b.ts_event, b.ts_init) for b in past] == [
            (ns(START) - n * MINUTE, ns(START) - (n - 1) * MINUTE) for n in (4, 3, 2, 1)
        ]

    with_room(work, bar_stamp="open")


def test_hours_end_where_trading_stops_and_the_day_with_its_session():
    # CME's E-mini S&P: trading stops at 16:00 in Chicago, 21:00 UTC, and starts at 17:00.
    start = dt.datetime(2025, 7, 1, 20, 58, tzinfo=dt.UTC)
    hours, days = bar_type(ESU, "4-HOUR-LAST"), bar_type(ESU, "1-DAY-LAST")

    async def work(room):
        room.keeper.subscribe_bars(hours)
        room.keeper.subscribe_bars(days)
        await until(lambda: len(room.sent(Feed.BARS)) == 2, "feeds")
        await room.advance(60, step=5)
        assert not room.keeper.bars  # unclosed bars are none
        await room.advance(62 * 60, step=600)
        await room.advance(30, step=5)
        close = ns(dt.datetime(2025, 7, 1, 21, tzinfo=dt.UTC))
        assert {str(b.bar_type): b.ts_event for b in room.keeper.bars} == {
            str(hours): close, str(days): close,
        }  # fmt: skip
        assert len(room.keeper.bars) == 2

    with_room(work, gateway_settings={"start": start})


def test_quotes_and_trades_of_the_market():
    async def work(room):
        keeper = room.keeper
        keeper.subscribe_quote_ticks(ESU)  # a line of market data
        keeper.subscribe_quote_ticks(ZCU)
        keeper.subscribe_quote_ticks(ESZ, params={"tick_by_tick": True})
        keeper.subscribe_trade_ticks(ESU)
        await until(lambda: len(room.sent(Feed.LINE)) == 2 and len(room.sent(Feed.TICKS)) == 2)
        await room.advance(60, step=5)
        now = room.gateway.timeline.now
        for instrument in (ESU, ZCU, ESZ):
            what = room.what(instrument)
            quote = room.gateway.market.quote(what, now)
            last = [q for q in keeper.quotes if q.instrument_id == instrument][-1]
            assert (
                last.bid_price.as_decimal() == Decimal(repr(what.quote(quote.bid))) / what.magnifier
            )
            assert (
                last.ask_price.as_decimal() == Decimal(repr(what.quote(quote.ask))) / what.magnifier
            )
            assert (int(last.bid_size), int(last.ask_size)) == (quote.bid_size, quote.ask_size)
        live = [q for q in keeper.quotes if q.instrument_id == ESZ]
        assert all(q.ts_event % SECOND == 0 for q in live)  # the exchange's second
        past = await room.ask("trade_ticks", ESU, start=START, end=START + dt.timedelta(seconds=60))
        heard = [t for t in keeper.trades if t.ts_event >= past[0].ts_event]
        assert [(t.ts_event, t.price, t.size) for t in heard][-20:] == [
            (t.ts_event, t.price, t.size) for t in past
        ][-20:]
        assert len({t.trade_id for t in keeper.trades}) == len(keeper.trades)
        keeper.unsubscribe_quote_ticks(ESU)
        keeper.unsubscribe_quote_ticks(ZCU)
        keeper.unsubscribe_quote_ticks(ESZ)
        keeper.unsubscribe_trade_ticks(ESU)
        await until(lambda: not room.client.feeds, "no feeds")
        await until(lambda: not len(room.gateway.feeds), "the gateway to know")

    with_room(work)


def test_a_line_without_a_side_gives_no_quote_and_quotes_of_one_price_can_be_left_out():
    async def work(room):
        room.keeper.subscribe_quote_ticks(ESU)
        (line,) = await until(lambda: room.sent(Feed.LINE), "line")
        await until(lambda: room.keeper.quotes, "quote")
        count, about = len(room.keeper.quotes), line.request_id

        def say(*messages):
            for message in messages:
                line.session.send(message)

        say(m.TickPrice(about, 1, -1.0, Decimal(0), 0))  # no bid any more
        say(m.TickPrice(about, 2, 5000.0, Decimal(3), 0))
        await asyncio.sleep(0.1)
        assert len(room.keeper.quotes) == count
        say(m.TickPrice(about, 1, -1.0, Decimal(5), 0))  # a price that is negative is a price
        await until(lambda: len(room.keeper.quotes) > count, "quote")
        assert str(room.keeper.quotes[-1].bid_price) == "-1.00"
        count = len(room.keeper.quotes)
        say(m.TickSize(about, 0, Decimal(9)), m.TickSize(about, 3, Decimal(9)))
        await asyncio.sleep(0.1)
        assert len(room.keeper.quotes) == count

    with_room(work, ignore_quote_size_changes=True)


def test_the_book_begins_with_a_snapshot_and_follows():
    async def work(room):
        keeper = room.keeper
        keeper.subscribe_order_book_deltas(ESU, book_type=BookType.L2_MBP)
        await until(lambda: keeper.deltas, "snapshot")
        snapshot = keeper.deltas[0].deltas
        assert snapshot[0].action == BookAction.CLEAR
        assert {d.action for d in snapshot[1:]} == {BookAction.ADD}
        assert all(d.flags & RecordFlag.F_SNAPSHOT for d in snapshot)
        assert [bool(d.flags & RecordFlag.F_LAST) for d in snapshot][-2:] == [False, True]
        await room.advance(60, step=5)
        (stream,) = room.sent(Feed.DEPTH)
        what, book = room.what(ESU), room.cache.order_book(ESU)
        for side, levels in ((1, book.bids()), (0, book.asks())):
            told = stream.book(side, room.gateway.timeline.now)
            assert [(float(x.price), x.size()) for x in levels] == [
                (what.quote(price), size) for price, size in told
            ]
        keeper.subscribe_order_book_depth(ESU, book_type=BookType.L2_MBP)
        await until(lambda: keeper.depths, "depth")
        best = keeper.depths[-1]
        assert float(best.bids[0].price) == what.quote(
            stream.book(1, room.gateway.timeline.now)[0][0]
        )
        # The gateway empties the book.
        count = len(keeper.deltas)
        room.gateway.clients()[0].error(room.sent(Feed.DEPTH)[0].request_id, 317)
        await room.advance(5)
        await until(lambda: len(keeper.deltas) > count, "clear")
        assert keeper.deltas[count].deltas[0].action == BookAction.CLEAR
        keeper.subscribe_order_book_deltas(ESZ, book_type=BookType.L3_MBO)
        await asyncio.sleep(0.1)
        assert len(room.client.feeds) == 1
        keeper.unsubscribe_order_book_deltas(ESU)
        keeper.unsubscribe_order_book_depth(ESU)
        await until(lambda: not room.client.feeds, "no feeds")

    with_room(work)


def test_status_follows_the_trading_hours_and_halts():
    # Trading stops at 16:00:00 in Chicago, 21:00 UTC, for an hour.
    start = dt.datetime(2025, 7, 1, 20, 59, 57, tzinfo=dt.UTC)

    async def work(room):
        keeper = room.keeper
        keeper.subscribe_instrument_status(ESU)
        (line,) = await until(lambda: room.sent(Feed.LINE), "line")
        await until(lambda: keeper.statuses, "status")
        for value in (1.0, 0.0):
            count = len(keeper.statuses)
            line.session.send(m.TickGeneric(line.request_id, 49, value))
            await until(lambda count=count: len(keeper.statuses) > count, "halt")
        for seconds in (3, 3600):
            count = len(keeper.statuses)
            await room.advance(seconds)
            room.client._start_review()
            await until(lambda count=count: len(keeper.statuses) > count, "change of hours")
        assert [s.action for s in keeper.statuses] == [
            MarketStatusAction.TRADING, MarketStatusAction.HALT, MarketStatusAction.TRADING,
            MarketStatusAction.CLOSE, MarketStatusAction.TRADING,
        ]  # fmt: skip
        assert [s.ts_event for s in keeper.statuses[3:]] == [
            ns(dt.datetime(2025, 7, 1, hour, tzinfo=dt.UTC)) for hour in (21, 22)
        ]
        assert room.cache.instrument_status(ESU).is_trading
        keeper.unsubscribe_instrument_status(ESU)
        await until(lambda: not room.client.feeds, "no feeds")

    with_room(work, gateway_settings={"start": start})


def test_status_changes_by_a_timer_of_the_clock():
    start = dt.datetime(2025, 7, 1, 20, 59, 58, tzinfo=dt.UTC)

    async def work(room):
        room.keeper.subscribe_instrument_status(ESU)
        await until(lambda: room.keeper.statuses, "status")
        await room.advance(3)  # and the node's timer rings after some two seconds
        await until(lambda: len(room.keeper.statuses) == 2, "close")
        assert room.keeper.statuses[1].action == MarketStatusAction.CLOSE

    with_room(work, gateway_settings={"start": start})


def test_what_cannot_be_subscribed_is_an_error_and_no_subscription():
    unknown = InstrumentId.from_str("ESH26.XCME")

    async def work(room):
        keeper, client = room.keeper, room.client
        keeper.subscribe_quote_ticks(unknown)
        keeper.subscribe_bars(bar_type(unknown, "1-MINUTE-LAST"))
        for words in (
            "6-MINUTE-LAST",
            "1-SECOND-LAST",
            "1-WEEK-LAST",
            "1-MINUTE-MARK",
            "5-TICK-LAST",
        ):
            keeper.subscribe_bars(bar_type(ESU, words))
        keeper.subscribe_mark_prices(ESU)
        keeper.subscribe_instrument_close(ESU)
        await until(lambda: len(keeper.feeds) == 9, "errors")
        kinds = [event.kind for event in keeper.feeds]
        assert kinds.count(FeedEventKind.FAILED) == 7
        assert kinds.count(FeedEventKind.UNSUPPORTED) == 2
        texts = [f"{event.feed}: {event.text}" for event in keeper.feeds]
        assert sum("ESH26.XCME is not loaded" in text for text in texts) == 2
        assert sum("IB has bars of" in text for text in texts) == 5
        assert any("IB sends no mark prices" in text for text in texts)
        assert any("take daily bars" in text for text in texts)
        assert not client.feeds
        assert client.subscribed_bars() == []
        assert client.subscribed_quote_ticks() == []
        assert client.subscribed_mark_prices() == []
        # Requested first, it is loaded, and can be subscribed to.
        await room.ask("instrument", unknown)
        keeper.subscribe_quote_ticks(unknown)
        await until(lambda: room.sent(Feed.LINE), "line")

    with_room(work)


def test_delayed_data_by_option():
    async def work(room):
        keeper = room.keeper
        keeper.subscribe_quote_ticks(ESU)
        keeper.subscribe_trade_ticks(ESU)
        (line,) = await until(lambda: room.sent(Feed.LINE), "line")
        await until(lambda: keeper.quotes, "quotes")
        assert line.delayed
        what = room.what(ESU)
        quote = room.gateway.market.quote(what, room.gateway.timeline.now - 15 * MINUTE)
        assert float(keeper.quotes[-1].bid_price) == what.quote(quote.bid)
        assert room.client.subscribed_trade_ticks() == []

    with_room(work, market_data_type="delayed", gateway_settings={"market_data": frozenset()})


def test_bars_survive_cuts_and_a_restart_of_the_gateway():
    async def work(room):
        keeper, faults = room.keeper, room.gateway.faults
        keeper.subscribe_bars(MINUTES)
        await until(lambda: room.sent(Feed.BARS), "feed")
        for _ in range(2):
            await room.advance(100, step=20)
            sessions = room.ib.sessions
            faults.act("cut")
            await until(lambda: not room.ib.is_ready, "cut")
            await room.advance(130)  # nobody listens
            await until(
                lambda n=sessions: room.ib.sessions > n and room.sent(Feed.BARS), "new session"
            )
        faults.act("restart", {"down": "30s"})
        await until(lambda: not room.ib.is_ready, "restart")
        await room.advance(40)
        await until(lambda: room.ib.is_ready and room.sent(Feed.BARS), "gateway that is back")
        await room.advance(70, step=10)
        last = room.gateway.timeline.now // MINUTE * MINUTE
        await until(lambda: keeper.stamps() and keeper.stamps()[-1] == last, "last bar")
        assert keeper.stamps() == list(range(ns(START) + MINUTE, last + 1, MINUTE))
        told = rows(room, ESU, BarSize.MINUTE_1, START, room.server.now)
        for bar in keeper.bars:
            assert figures(bar) == told[bar.ts_event - MINUTE]
        kinds = [event.kind for event in keeper.feeds]
        assert kinds.count(FeedEventKind.CONNECTION_LOST) == 3
        assert kinds.count(FeedEventKind.CONNECTION_BACK) == 3

    with_room(work)


def test_a_feed_that_dies_without_a_word_is_found_and_loses_nothing():
    async def work(room):
        keeper = room.keeper
        keeper.subscribe_bars(MINUTES)
        keeper.subscribe_quote_ticks(ESU)
        await until(lambda: room.sent(Feed.BARS) and room.sent(Feed.LINE), "feeds")
        await room.advance(65, step=5)
        room.gateway.faults.act("lose_feeds")
        assert not room.sent(Feed.BARS)
        await room.advance(120)
        await until(lambda: room.sent(Feed.BARS) and room.sent(Feed.LINE), "feeds again")
        await room.advance(60, step=5)
        await until(lambda: len(keeper.bars) >= 4, "bars")
        assert keeper.stamps() == [ns(START) + n * MINUTE for n in range(1, len(keeper.bars) + 1)]
        stale = [event for event in keeper.feeds if event.kind is FeedEventKind.STALE]
        assert {event.feed for event in stale} >= {
            f"1 min TRADES bars of {ESU}", f"market data of {ESU}",
        }  # fmt: skip
        assert all(event.client_id == "PYF" and event.count >= 1 for event in stale)
        await until(
            lambda: any(event.kind is FeedEventKind.LIVE for event in keeper.feeds), "voice"
        )

    with_room(work, stale_after_secs=1.0)


def test_silence_out_of_trading_hours_is_no_fault():
    start = dt.datetime(2025, 7, 1, 21, 20, tzinfo=dt.UTC)  # the daily break

    async def work(room):
        room.keeper.subscribe_bars(MINUTES)
        room.keeper.subscribe_quote_ticks(ESU)
        await until(lambda: room.sent(Feed.BARS) and room.sent(Feed.LINE), "feeds")
        await asyncio.sleep(1.0)
        assert room.keeper.feeds == []
        assert not any(feed.stale_count for feed in room.client.feeds.values())

    with_room(work, stale_after_secs=0.2, gateway_settings={"start": start})


def test_a_feed_that_the_broker_refuses_is_told():
    async def work(room):
        room.keeper.subscribe_trade_ticks(ESU)
        await until(
            lambda: [e for e in room.keeper.feeds if e.kind is FeedEventKind.FAILED], "refusal"
        )
        assert "10189" in room.keeper.feeds[-1].text or "permission" in room.keeper.feeds[-1].text

    with_room(work, gateway_settings={"market_data": frozenset({"EUREX"})})


REFUSALS = [
    (354, "Requested market data is not subscribed. Delayed market data is not enabled."),
    (10168, "Requested market data is not subscribed. Delayed market data is not enabled."),
]


@pytest.mark.parametrize(("code", "text"), REFUSALS, ids=[str(row[0]) for row in REFUSALS])
def test_a_refused_feed_is_no_subscription_and_can_be_had_later(code, text):
    async def work(room):
        keeper, faults = room.keeper, room.gateway.faults
        for kind in ("RequestMarketData", "RequestHistoricalBars", "RequestTickByTick"):
            faults.when(kind, {"error": {"code": code, "text": text}})

        def subscribe():
            keeper.subscribe_bars(MINUTES)
            keeper.subscribe_quote_ticks(ESU)
            keeper.subscribe_trade_ticks(ESU)

        subscribe()
        failed = await until(
            lambda: len(keeper.feeds) == 3 and {str(e.kind) for e in keeper.feeds}, "refusals"
        )
        assert failed == {"failed"}
        assert all(f"error {code}" in event.text for event in keeper.feeds)
        client = room.client
        assert client.subscribed_bars() == []
        assert client.subscribed_quote_ticks() == client.subscribed_trade_ticks() == []
        subscribe()  # the subscription was bought
        await until(lambda: room.sent(Feed.BARS) and keeper.quotes, "feeds")
        assert client.subscribed_trade_ticks() == [ESU]  # IB wants 15 seconds between two of these

    with_room(work)


def test_what_the_broker_says_of_feeds_and_farms_is_told():
    async def work(room):
        keeper, act = room.keeper, room.gateway.faults.act

        async def told(kind, words):
            def found():
                return [e for e in keeper.feeds if e.kind is kind and words in e.text]

            (event,) = await until(found, f"{kind}: {words}")
            return event

        text = "Part of requested market data is not subscribed."
        room.gateway.faults.when("RequestMarketData", {"error": {"code": 10090, "text": text}})
        keeper.subscribe_quote_ticks(ESU)
        keeper.subscribe_bars(MINUTES)
        notice = await told(FeedEventKind.NOTICE, f"10090: {text}")
        assert notice.feed == f"market data of {ESU}"
        keeper.subscribe_quote_ticks(ESZ)
        await until(lambda: len(room.sent(Feed.LINE)) == 1 and room.sent(Feed.BARS), "feeds")

        act("compete", {"for": "30s", "burst": 10})
        competing = await told(FeedEventKind.INTERRUPTED, "10197")
        assert (competing.feed, competing.count) == (f"market data of {ESZ}", 1)
        await room.advance(31)
        room.client.feeds["line", str(ESZ)].subscription.restart()  # sooner than in 15 seconds
        await told(FeedEventKind.LIVE, "it is back")

        for _ in range(2):  # said twice, told once
            act("farm", {"name": "ushmds", "state": "broken"})
        await told(FeedEventKind.FARM_BROKEN, "ushmds")
        act("farm", {"name": "ushmds", "state": "ok"})
        await told(FeedEventKind.FARM_BACK, "ushmds")
        assert not [e for e in keeper.feeds if e.kind is FeedEventKind.CONNECTION_LOST]

    with_room(work, stale_after_secs=2.0)


@pytest.mark.parametrize("state", ["restored_lost", "restored_kept"])
def test_bars_of_an_hour_without_ib_come_once_each(state):
    async def work(room):
        keeper, act = room.keeper, room.gateway.faults.act
        keeper.subscribe_bars(MINUTES)
        await until(lambda: room.sent(Feed.BARS), "feed")
        await room.advance(65, step=5)
        act("connectivity", "lost")
        await until(lambda: not room.ib.is_ready, "1100")
        await room.advance(3600)
        act("connectivity", state)
        await room.advance(120, step=20)
        last = room.gateway.timeline.now // MINUTE * MINUTE
        await until(lambda: keeper.stamps() and keeper.stamps()[-1] == last, "last bar")
        assert keeper.stamps() == list(range(ns(START) + MINUTE, last + 1, MINUTE))
        kinds = [event.kind for event in keeper.feeds]
        assert kinds == [FeedEventKind.CONNECTION_LOST, FeedEventKind.CONNECTION_BACK]

    with_room(work)


def test_a_review_that_fails_is_counted_and_the_next_one_comes():
    async def work(room):
        client = room.client

        def fails(*_):
            raise RuntimeError("a bug")

        room.keeper.subscribe_instrument_status(ESU)
        await until(lambda: room.keeper.statuses, "status")
        real, client.statuses.review = client.statuses.review, fails
        await until(lambda: client.failures >= 2, "two failures")  # the timer goes on
        assert client.is_degraded
        client.statuses.review = real
        count = client.failures
        room.keeper.subscribe_bars(MINUTES)
        await until(lambda: room.sent(Feed.BARS), "feed")
        await asyncio.sleep(0.3)
        assert client.failures == count
        client.failures = 0

    with_room(work, stale_after_secs=0.4)


def test_a_data_and_an_execution_client_share_one_connection():
    provider = FuturesInstrumentProviderConfig(
        roots=frozenset(ROOTS), months=MonthsSelection(listed=2)
    )

    async def main():
        async with gateway(roots=ROOTS, start=START) as server:
            config = node_config(
                server.port,
                exec_clients={
                    NAME: FuturesExecClientConfig(
                        port=server.port, client_id=6, account_id="DU1234567",
                        instrument_provider=provider, routing=RoutingConfig(default=True),
                    )
                },
            )  # fmt: skip
            async with running(server, config=config) as room:
                room.keeper.subscribe_bars(MINUTES)
                await until(lambda: room.sent(Feed.BARS), "feed")
                assert server.connections == 1
                assert room.client.link.users == 2
            await until(lambda: server.connections == 0, "connection that is closed")

    asyncio.run(main())
