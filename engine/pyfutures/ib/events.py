"""What a client tells of itself: phases, the line, farms, notices, faults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pyfutures.ib.subscriptions import FeedState, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.farms import FarmChange
    from pyfutures.ib.supervisor import Phase

__all__ = ["ClientEvent", "ClientEventKind", "Events"]


class ClientEventKind(StrEnum):
    """What happened to the connection."""

    PHASE = "phase"
    LINE_DOWN = "line down"  # the gateway lost IB's servers
    LINE_UP = "line up"
    FARM = "farm"
    NOTICE = "notice"  # a warning or an error that concerns no request
    FAULT = "fault"  # a message that could not be read or dealt with


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """Something that happened to the connection."""

    kind: ClientEventKind
    phase: Phase
    text: str = ""
    code: int = 0
    cause: Exception | None = None
    farm: FarmChange | None = None


class Events:
    """Those who want to know.

    Parameters
    ----------
    phase
        Tells the present phase.

    """

    def __init__(self, phase: Callable[[], Phase]) -> None:
        self._phase = phase
        self._listeners: list[Subscription[ClientEvent]] = []

    def subscribe(
        self, callback: Callable[[ClientEvent], object] | None, size: int
    ) -> Subscription[ClientEvent]:
        """Return a subscription to all events from now on."""
        found = Subscription("client events", callback=callback, size=size)
        found.become(FeedState.LIVE)
        self._listeners.append(found)
        found.on_close(lambda: self._listeners.remove(found))
        return found

    def tell(
        self,
        kind: ClientEventKind,
        *,
        text: str = "",
        code: int = 0,
        cause: Exception | None = None,
        farm: FarmChange | None = None,
    ) -> None:
        """Tell everybody."""
        if self._listeners:
            event = ClientEvent(kind, self._phase(), text, code, cause, farm)
            for listener in tuple(self._listeners):
                listener.emit(event)

    def close(self) -> None:
        """End all subscriptions."""
        for listener in tuple(self._listeners):
            listener.close()
