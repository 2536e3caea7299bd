"""Interactive Brokers: the wire protocol, its codes, pace and times, and an asyncio client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyfutures.ib.bar_feed import BarUpdate
    from pyfutures.ib.client import Client
    from pyfutures.ib.clock import Clock, SystemClock
    from pyfutures.ib.config import Backoff, ClientConfig
    from pyfutures.ib.events import ClientEvent, ClientEventKind
    from pyfutures.ib.market import DataKind, DepthReset, TickKind
    from pyfutures.ib.schedule import Region, Schedule, Window
    from pyfutures.ib.subscriptions import FeedState, Subscription
    from pyfutures.ib.supervisor import Phase
    from pyfutures.ib.trading import Ticket

#: What is loaded when it is asked for: the wire needs neither sockets nor an event loop.
_FOUND_IN = {
    "Backoff": "config",
    "BarUpdate": "bar_feed",
    "Client": "client",
    "ClientConfig": "config",
    "ClientEvent": "events",
    "ClientEventKind": "events",
    "Clock": "clock",
    "DataKind": "market",
    "DepthReset": "market",
    "FeedState": "subscriptions",
    "Phase": "supervisor",
    "Region": "schedule",
    "Schedule": "schedule",
    "Subscription": "subscriptions",
    "SystemClock": "clock",
    "Ticket": "trading",
    "TickKind": "market",
    "Window": "schedule",
}

__all__ = [
    "Backoff",
    "BarUpdate",
    "Client",
    "ClientConfig",
    "ClientEvent",
    "ClientEventKind",
    "Clock",
    "DataKind",
    "DepthReset",
    "FeedState",
    "Phase",
    "Region",
    "Schedule",
    "Subscription",
    "SystemClock",
    "TickKind",
    "Ticket",
    "Window",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Return an export, loading its module."""
    if name not in _FOUND_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - with the modules it loads

    return getattr(import_module(f"pyfutures.ib.{_FOUND_IN[name]}"), name)
