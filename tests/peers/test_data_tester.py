"""nautilus_trader's own DataTester, unmodified, drives the adapter through every group of data.

It subscribes and requests as its specification of adapters has it, and tells nobody what it got: a
second actor on the same bus listens, and the asserts are on what that one heard.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from nautilus_trader.model.data import (
    Bar,
    InstrumentStatus,
    OrderBookDeltas,
    OrderBookDepth10,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import BookAction, BookType, MarketStatusAction
from nautilus_trader.model.identifiers import ClientId
from nautilus_trader.model.instruments import FuturesContract
from nautilus_trader.test_kit.strategies.tester_data import DataTester, DataTesterConfig

from pyfutures.gateway.feeds import Feed
from pyfutures.nautilus.market.events import FeedEventKind
from tests.nautilus.data_tools import (
    ESU,
    MINUTE,
    MINUTES,
    NAME,
    SECOND,
    START,
    ZCU,
    Keeper,
    ns,
    until,
    with_room,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Timestamp.utcnow is deprecated"),
]


def since_gateway():
    """How long ago twenty minutes before the time of the gateway were, by the clock of the node."""
    return pd.Timestamp.now(tz="UTC") - pd.Timestamp(START - dt.timedelta(minutes=20))


class Driver(DataTester):
    """The tester, with an ear on its own callbacks."""

    def __init__(self, config):
        super().__init__(config)
        self.heard, self.past = [], []

    def of(self, kind):
        return [one for one in self.heard if isinstance(one, kind)]


def _listens(name):
    def hear(self, data):
        self.heard.append(data)
        getattr(DataTester, name)(self, data)

    return hear


def _remembers(self, data):
    self.past.append(data)
    DataTester.on_historical_data(self, data)


for _name in ("on_quote_tick", "on_trade_tick", "on_bar", "on_instrument", "on_instrument_status",
              "on_order_book_deltas", "on_order_book_depth"):  # fmt: skip
    if hasattr(DataTester, _name):
        setattr(Driver, _name, _listens(_name))
Driver.on_historical_data = _remembers


def driven(work, *, instruments=(ESU,), bar_types=(), gateway=None, node=None, **groups):
    """Run the tester in a node at a gateway, then `work`; stop, and see that all is ended."""
    tester = Driver(
        DataTesterConfig(
            instrument_ids=list(instruments), bar_types=list(bar_types) or None,
            client_id=ClientId(NAME), log_data=False, **groups,
        )
    )  # fmt: skip

    async def main(room):
        # Once a node runs, an actor is added and started by its trader.
        await work(room, tester)
        tester.stop()
        await until(lambda: not room.client.feeds, "feeds that are ended")
        await until(lambda: not len(room.gateway.feeds), "the gateway to know")
        assert room.client.rejected == 0

    with_room(main, actors=(tester,), gateway_settings=gateway, **(node or {}))


def test_quotes_trades_and_bars():
    async def work(room, tester):
        await until(
            lambda: len(room.sent(Feed.LINE)) == 2 and len(room.sent(Feed.TICKS)) == 2
            and room.sent(Feed.BARS), "feeds",
        )  # fmt: skip
        await room.advance(130, step=5)
        await until(lambda: len(tester.of(Bar)) == 2, "bars")
        assert [bar.ts_event for bar in tester.of(Bar)] == [ns(START) + MINUTE * n for n in (1, 2)]
        for kind in (QuoteTick, TradeTick):
            assert {x.instrument_id for x in tester.of(kind)} == {ESU, ZCU}
        assert all(q.bid_price < q.ask_price for q in tester.of(QuoteTick))
        assert all(q.ts_event <= q.ts_init for q in tester.of(QuoteTick))
        assert all(t.ts_event % SECOND == 0 and t.size > 0 for t in tester.of(TradeTick))

    driven(work, instruments=(ESU, ZCU), bar_types=(MINUTES,), subscribe_quotes=True,
           subscribe_trades=True, subscribe_bars=True)  # fmt: skip


def test_instruments_and_status():
    async def work(room, tester):
        await until(lambda: tester.of(InstrumentStatus), "status")
        await until(lambda: tester.of(FuturesContract), "instrument")
        assert tester.of(FuturesContract)[0].id == ESU
        assert tester.of(InstrumentStatus)[0].action == MarketStatusAction.TRADING
        found = room.cache.instrument(ESU)
        # Facts of CME: a quarter point, 50 dollars a point, last trade 2025-09-19 08:30 in Chicago.
        assert (str(found.price_increment), int(found.multiplier)) == ("0.25", 50)
        assert found.expiration_ns == ns(dt.datetime(2025, 9, 19, 13, 30, tzinfo=dt.UTC))

    driven(work, subscribe_instrument=True, subscribe_instrument_status=True,
           request_instruments=True)  # fmt: skip


@pytest.mark.parametrize("what", ["deltas", "depth", "managed"])
def test_books(what):
    groups = {
        "deltas": {"subscribe_book_deltas": True},
        "depth": {"subscribe_book_depth": True},
        "managed": {"subscribe_book_deltas": True, "manage_book": True, "book_levels_to_print": 3},
    }[what]

    async def work(room, tester):
        kind = OrderBookDepth10 if what == "depth" else OrderBookDeltas
        await until(lambda: tester.of(kind), "book")
        await room.advance(60, step=5)
        if what == "depth":
            last = tester.of(kind)[-1]
            assert last.bids[0].price < last.asks[0].price
            assert all(order.size > 0 for order in (*last.bids, *last.asks))
            return
        assert tester.of(kind)[0].deltas[0].action == BookAction.CLEAR
        if what == "managed":
            ours = room.cache.order_book(ESU)
            theirs = tester._books[ESU]
            assert [(x.price, x.size()) for x in theirs.bids()] == [
                (x.price, x.size()) for x in ours.bids()
            ]
            assert theirs.spread() > 0

    driven(work, book_type=BookType.L2_MBP, **groups)


def test_requests():
    async def work(room, tester):
        def of(kind):
            return [one for one in tester.past if isinstance(one, kind)]

        await until(lambda: of(Bar) and of(QuoteTick) and of(TradeTick), "answers")
        start = ns(START) - 20 * MINUTE
        assert len(of(Bar)) >= 19
        for kind in (Bar, QuoteTick, TradeTick):
            stamps = [one.ts_event for one in of(kind)]
            assert stamps == sorted(stamps)
            assert start <= stamps[0]
            assert stamps[-1] <= ns(START)

    driven(work, bar_types=(MINUTES,), request_bars=True, request_quotes=True, request_trades=True,
           requests_start_delta=since_gateway())  # fmt: skip


def test_what_futures_at_ib_do_not_have_is_refused_and_answered():
    async def work(room, tester):
        keeper = room.keeper
        await until(lambda: len(room.client.subscribed_mark_prices()) == 0 and
                    not tester.pending_requests(), "answers")  # fmt: skip
        assert not [e for e in keeper.feeds if e.kind is not FeedEventKind.UNSUPPORTED]
        assert len(keeper.feeds) == 4
        assert tester.heard == []
        assert not room.client.feeds

    driven(work, subscribe_mark_prices=True, subscribe_index_prices=True,
           subscribe_funding_rates=True, subscribe_instrument_close=True,
           request_book_snapshot=True, request_funding_rates=True,
           requests_start_delta=since_gateway())  # fmt: skip


def test_a_gateway_that_restarts_under_the_tester():
    async def work(room, tester):
        await until(lambda: room.sent(Feed.BARS) and room.sent(Feed.LINE), "feeds")
        await room.advance(70, step=5)
        room.gateway.faults.act("restart", {"down": "30s"})
        await until(lambda: not room.ib.is_ready, "restart")
        await room.advance(200)
        await until(lambda: room.ib.is_ready and room.sent(Feed.BARS), "gateway that is back")
        await room.advance(60, step=5)
        last = room.gateway.timeline.now // MINUTE * MINUTE
        await until(lambda: tester.of(Bar) and tester.of(Bar)[-1].ts_event == last, "last bar")
        assert [bar.ts_event for bar in tester.of(Bar)] == list(
            range(ns(START) + MINUTE, last + 1, MINUTE)
        )
        count = len(tester.of(QuoteTick))
        await room.advance(60, step=5)
        await until(lambda: len(tester.of(QuoteTick)) > count, "quotes again")

    driven(work, bar_types=(MINUTES,), subscribe_bars=True, subscribe_quotes=True)


def test_a_tester_that_leaves_its_feeds_is_cleaned_up_behind():
    """The node stops with subscriptions under way; `with_room` looks for what is left."""

    tester = Driver(
        DataTesterConfig(
            instrument_ids=[ESU], bar_types=[MINUTES], client_id=ClientId(NAME), log_data=False,
            subscribe_bars=True, subscribe_quotes=True, subscribe_trades=True,
            subscribe_book_deltas=True, subscribe_instrument_status=True, can_unsubscribe=False,
        )
    )  # fmt: skip

    async def work(room):
        await until(lambda: len(room.client.feeds) == 4, "feeds")
        await room.advance(20, step=5)

    with_room(work, actors=(tester,), keeper=Keeper())
