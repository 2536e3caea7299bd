"""Bars whose close is told, and subscriptions that are started anew by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from pyfutures.ib import messages as m
from pyfutures.ib.subscriptions import FeedState
from pyfutures.ib.times import BarSize
from tests.ib.client.server import both, settle
from tests.ib.client.virtual import run

ES = m.Contract(con_id=1, symbol="ES", sec_type="FUT", exchange="CME", currency="USD")


def bar(day, close):
    return m.Bar(f"{day:%Y%m%d}", 1.0, 9.0, 1.0, close, Decimal(5), 1.0, 5)


def test_a_daily_bar_is_closed_by_the_calendar_when_nothing_follows():
    async def main():
        async with both(bar_grace=15) as (gateway, client):
            now = gateway.clock.now()
            day, close = now.date(), now + dt.timedelta(seconds=100)
            kept, value = [], [2.0]

            @gateway.on(m.RequestHistoricalBars)
            def answer(session, request):
                if request.keep_up_to_date:
                    kept.append(request.request_id)
                session.send(
                    m.HistoricalBars(
                        request.request_id, (bar(day - dt.timedelta(1), 1.0), bar(day, value[0]))
                    )
                )

            updates = []
            bars = client.history.live_bars(
                ES, size=BarSize.DAY_1, duration="2 D", history=False, callback=updates.append,
                closes=lambda date: close if date == f"{day:%Y%m%d}" else now,
            )  # fmt: skip
            await settle(60)
            assert updates == []  # it is not over
            gateway.live.send(m.HistoricalBarUpdate(kept[0], bar(day, 3.0)))
            value[0] = 4.0  # what history says in the end
            await settle(30)
            assert updates == []
            await settle(40)
            assert [(one.bar.date, one.bar.close) for one in updates] == [(f"{day:%Y%m%d}", 4.0)]
            # A late word about it is not a second bar.
            gateway.live.send(m.HistoricalBarUpdate(kept[0], bar(day, 5.0)))
            await settle(60)
            assert len(updates) == 1
            states = []
            bars.watch(states.append)
            heard = bars.heard_at
            bars.restart()
            await settle(1)
            assert len(kept) == 2
            assert states == [FeedState.STALE, FeedState.LIVE]
            assert bars.heard_at > heard
            assert len(updates) == 1
            bars.close()
            assert states[-1] is FeedState.CLOSED
            bars.restart()  # it is over: nothing happens
            await settle(1)
            assert len(kept) == 2

    run(main)
