"""The thread of a node. Live timers call from another one, beside whatever it is doing."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NodeThread"]


class NodeThread:
    """Where actors and strategies run. Made in it; a backtest has no other."""

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:  # a backtest has no loop
            self._loop = None
        self._thread = threading.get_ident()

    def call(self, action: Callable[[], None]) -> None:
        """Do something in the thread: now if this is it, else as soon as it is free."""
        if self._loop is None or threading.get_ident() == self._thread:
            action()
        else:
            self._loop.call_soon_threadsafe(action)
