"""A market whose every bar is known: what a client must have, whatever happened to its line."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

from pyfutures.ib import messages as m
from tests.ib.client.virtual import START

EPOCH = int(START.timestamp())


def bar_at(start, *, until=None, size=60):
    """The bar that starts at `start`; before its end only a part of it has happened."""
    done = size if until is None else max(1, min(size, int(until - start)))
    base = 4000 + (start // size) % 97
    return m.Bar(
        str(start), base, base + 1 + done / size, base - done / size, base + done / 100,
        Decimal(done), Decimal(base), done,
    )  # fmt: skip


_UNITS = {"S": 1, "D": 86400, "W": 7 * 86400, "M": 28 * 86400, "Y": 365 * 86400}


def seconds_of(duration):
    count, unit = duration.split()
    return int(count) * _UNITS[unit]


class BarMarket:
    """Bars without end, at a gateway: blocks of the past, and updates every five seconds."""

    def __init__(self, gateway, *, size=60, chunk=10**9):
        self.gateway = gateway
        self.size = size
        self.chunk = chunk  # at most so many bars an answer
        self.live = {}  # (session, request id)
        self.tasks = set()
        self.mute = False
        gateway.handlers[m.RequestHistoricalBars] = self.answer
        gateway.handlers[m.CancelHistoricalBars] = self.cancel

    def now(self):
        return self.gateway.clock.now().timestamp()

    def forming(self):
        return int(self.now() // self.size) * self.size

    def answer(self, session, request):
        now = self.now()
        if request.end:
            end = dt.datetime.strptime(request.end, "%Y%m%d-%H:%M:%S").replace(tzinfo=dt.UTC)
            now = end.timestamp()
        first = int(-(-(now - seconds_of(request.duration)) // self.size)) * self.size
        last = int(-(-now // self.size) - 1) * self.size  # the bar that holds the instant before
        bars = [bar_at(start, until=now, size=self.size)
                for start in range(first, last + 1, self.size)][-self.chunk :]  # fmt: skip
        session.send(m.HistoricalBars(request.request_id, tuple(bars), "", ""))
        if session.wire.version >= 196:
            session.send(m.HistoricalBarsEnd(request.request_id, "", ""))
        if request.keep_up_to_date:
            task = asyncio.create_task(self.update(session, request.request_id))
            self.live[id(session), request.request_id] = task
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def cancel(self, session, request):
        task = self.live.pop((id(session), request.request_id), None)
        if task is not None:
            task.cancel()

    async def update(self, session, request_id):
        last = self.forming()
        while not session.is_cut:
            await asyncio.sleep(5 - self.now() % 5 or 5)
            if self.mute:
                last = self.forming()
                continue
            start = self.forming()
            if start != last:
                session.send(m.HistoricalBarUpdate(request_id, bar_at(last, size=self.size)))
                last = start
            bar = bar_at(start, until=self.now(), size=self.size)
            session.send(m.HistoricalBarUpdate(request_id, bar))

    async def stop(self):
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def check_bars(updates, size=60):
    """Every bar exactly once, in order, complete."""
    bars = [update.bar for update in updates if update.is_closed]
    starts = [int(bar.date) for bar in bars]
    assert starts == list(range(starts[0], starts[-1] + 1, size)), starts
    assert bars == [bar_at(start, size=size) for start in starts]
    return starts


class TickMarket:
    """A trade or several each second, some of them equal: live, and as the history tells them."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.tasks = set()
        gateway.handlers[m.RequestTickByTick] = self.subscribe
        gateway.handlers[m.RequestHistoricalTicks] = self.history

    @staticmethod
    def of(second):
        return [(second, 4000.0 + second % 3, Decimal(1 + n // 2)) for n in range(second % 4)]

    def subscribe(self, session, request):
        task = asyncio.create_task(self.trade(session, request.request_id))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def trade(self, session, request_id):
        second = 0
        while not session.is_cut:
            # The trades of a second happen in its middle, all at once.
            now = self.gateway.clock.now().timestamp()
            second = max(int(now - 0.5), second) + 1
            await asyncio.sleep(second + 0.5 - now)
            for time, price, size in self.of(second):
                session.send(m.TickByTickTrade(request_id, 1, time, price, size, 0, "CME", ""))

    def history(self, session, request):
        start = dt.datetime.strptime(request.start, "%Y%m%d-%H:%M:%S").replace(tzinfo=dt.UTC)
        first = int(start.timestamp())
        last = int(self.gateway.clock.now().timestamp() - 0.5)
        found = []
        for second in range(first, last + 1):
            found += [m.HistoricalTrade(time, 0, price, size, "CME", "")
                      for time, price, size in self.of(second)]  # fmt: skip
            if len(found) >= request.count:
                break
        half = len(found) // 2
        session.send(
            m.HistoricalTrades(request.request_id, tuple(found[:half]), done=False),
            m.HistoricalTrades(request.request_id, tuple(found[half:]), done=True),
        )

    async def stop(self):
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def check_ticks(ticks):
    """Every tick exactly as often as it happened, in order."""
    found = [(tick.time, tick.price, tick.size) for tick in ticks]
    seconds = range(found[0][0], found[-1][0] + 1)
    assert found == [tick for second in seconds for tick in TickMarket.of(second)]
