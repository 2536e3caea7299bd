"""A fast clock that a gateway and a node share, in processes of their own.

Simulated time stands still until the gateway lets it run. A file holds the instant of the machine's
monotonic clock at which that was, 0 before; both sides map it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import mmap
import struct
import time

_FORM = struct.Struct("d")


class Start:
    """When time began to run."""

    def __init__(self, path, *, make=False):
        if make:
            path.write_bytes(_FORM.pack(0.0))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _FORM.size)

    def elapsed(self):
        """Real seconds since time runs, 0 before."""
        (since,) = _FORM.unpack(self._map[:])
        return time.monotonic() - since if since else 0.0

    def begin(self):
        self._map[:] = _FORM.pack(time.monotonic())


class FastClock:
    """The clock of a client: the gateway's time of day, and every wait so many times shorter."""

    def __init__(self, path, start, speed):
        self._running = Start(path)
        self._start = start
        self.speed = speed

    def monotonic(self):
        return time.monotonic() * self.speed

    def now(self):
        return self._start + dt.timedelta(seconds=self._running.elapsed() * self.speed)

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / self.speed)

    def call_later(self, seconds, callback):
        return asyncio.get_running_loop().call_later(seconds / self.speed, callback)

    def timeout(self, seconds):
        return asyncio.timeout(seconds / self.speed)
