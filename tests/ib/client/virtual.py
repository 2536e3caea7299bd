"""An event loop whose time costs nothing: real sockets, virtual clock.

When nothing is readable and the next timer is a minute away, the minute is over. A test that waits
for something that can never come fails at once in place of hanging.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import selectors

START = dt.datetime(2024, 3, 26, 14, 30, tzinfo=dt.UTC)  # a Tuesday, no reset anywhere


class _Selector(selectors.DefaultSelector):
    loop = None

    def select(self, timeout=None):
        events = super().select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        # What was sent over loopback is readable at once; a second look makes sure.
        events = super().select(0)
        if events:
            return events
        if timeout is None:
            if super().select(0.2):
                return super().select(0)
            raise RuntimeError("nothing will ever happen: all tasks wait for each other")
        self.loop.elapsed += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        selector = _Selector()
        self.elapsed = 0.0
        super().__init__(selector)
        selector.loop = self

    def time(self):
        return self.elapsed


class VirtualClock:
    def __init__(self, start=START):
        self.start = start

    def monotonic(self):
        return asyncio.get_running_loop().time()

    def now(self):
        return self.start + dt.timedelta(seconds=self.monotonic())

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)

    def call_later(self, seconds, callback):
        return asyncio.get_running_loop().call_later(seconds, callback)

    def timeout(self, seconds):
        return asyncio.timeout(seconds)


def run(main):
    """Run a test; at its end nothing may be left: no task, no timer, no socket."""

    async def checked():
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(100 * 86400):
            await main()
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert left == [], left
        timers = [handle for handle in loop._scheduled if not handle.cancelled()]
        assert timers == [], timers

    asyncio.run(checked(), loop_factory=VirtualLoop)
