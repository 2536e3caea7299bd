"""Time as the client sees it: injected, so that tests need not wait for it."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

__all__ = ["Clock", "SystemClock", "Timer"]


class Timer(Protocol):
    """Something that will happen, unless it is cancelled."""

    def cancel(self) -> None:
        """Let it not happen."""


class Clock(Protocol):
    """What the client asks of time."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    def now(self) -> dt.datetime:
        """Return the time of day, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` in `seconds`, from the event loop."""

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that ends with `TimeoutError` after `seconds`."""


class SystemClock:
    """The clock of the event loop and of the machine."""

    def monotonic(self) -> float:
        """Return the time of the running loop."""
        return asyncio.get_running_loop().time()

    def now(self) -> dt.datetime:
        """Return the time of day, in UTC."""
        return dt.datetime.now(dt.UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` in `seconds`, from the event loop."""
        return asyncio.get_running_loop().call_later(seconds, callback)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that ends with `TimeoutError` after `seconds`."""
        return asyncio.timeout(seconds)
