"""The line between the gateway and IB, and the farms behind it: what notices mean for the client.

    1100, 2110   the gateway lost IB: feeds are stale, requests and orders fail at once
    1101         it is back, data lost: all feeds start again, orders are reconciled
    1102         it is back: bars start again (they die silently), other feeds if they stay silent,
                 orders are reconciled
    farm notices feeds that were silent while a farm was broken start again when it is back

Nothing may follow 2110, so then data that flows says that the line is back. A line that stays away
too long costs the session: a new one is worth a try.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from pyfutures.ib.bar_feed import BarFeed
from pyfutures.ib.codes import Reaction, lookup
from pyfutures.ib.events import ClientEventKind
from pyfutures.ib.failures import ConnectionLostError
from pyfutures.ib.farms import FarmState
from pyfutures.ib.masking import masked

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.clock import Clock, Timer
    from pyfutures.ib.config import ClientConfig
    from pyfutures.ib.events import Events
    from pyfutures.ib.farms import FarmChange, Farms
    from pyfutures.ib.feeds import Feed, Feeds
    from pyfutures.ib.messages.session import ErrorMessage
    from pyfutures.ib.requests import Requests

__all__ = ["Line"]

_LOG: Final = logging.getLogger("pyfutures.ib")


class Line:
    """The line to IB.

    Parameters
    ----------
    config
        The deadline of a line that is down.
    clock
        The time.
    farms, requests, feeds, events
        What notices change.
    back
        Called when the line is back.
    drop
        Ends the session.

    """

    def __init__(  # noqa: PLR0913
        self,
        config: ClientConfig,
        clock: Clock,
        *,
        farms: Farms,
        requests: Requests,
        feeds: Feeds,
        events: Events,
        back: Callable[[], None],
        drop: Callable[[ConnectionLostError], None],
    ) -> None:
        self._config = config
        self._clock = clock
        self._farms = farms
        self._requests = requests
        self._feeds = feeds
        self._events = events
        self._back = back
        self._drop = drop
        self._timer: Timer | None = None
        self.is_up = True

    def opened(self) -> None:
        """Take note of a new session: the line is up until the gateway says otherwise."""
        self.is_up = self._feeds.is_line_up = True
        self._feeds.listens = False

    def lost(self) -> None:
        """Take note that the session is over."""
        self._stop_timer()
        self._farms.forget()

    def notice(self, message: ErrorMessage) -> None:
        """Take a notice that concerns no request."""
        code, text = message.code, message.text
        row = lookup(code)
        change = self._farms.hear(code, text, self._clock.monotonic())
        if change is not None:
            self._farm(change, code, text)
        elif row.reaction is Reaction.STALE:
            self._down(code, text)
        elif code == 1101:
            self._up(code, text)
            self._feeds.restart()
        elif code == 1102:
            self._up(code, text)
            self._feeds.verify(_dies_silently)
        else:
            self._requests.lane_notice(message)
            level = logging.WARNING if row.is_error else logging.INFO
            _LOG.log(level, "notice %d: %s", code, masked(text))
            self._events.tell(ClientEventKind.NOTICE, text=text, code=code)

    def flows(self) -> None:
        """Take note that data flows though the line is said to be down."""
        self._up(2110, "data flows again")
        self._feeds.verify(_dies_silently)

    def _farm(self, change: FarmChange, code: int, text: str) -> None:
        self._events.tell(ClientEventKind.FARM, text=text, code=code, farm=change)
        if change.broken_since is None:
            return
        if change.after is FarmState.BROKEN:
            _LOG.warning("farm %s (%s) is broken", change.farm, change.kind)
            self._feeds.degrade(change.kind, change.broken_since)
        elif change.is_recovery:
            _LOG.info("farm %s (%s) is back", change.farm, change.kind)
            self._feeds.recover(change.kind, change.broken_since)

    def _down(self, code: int, text: str) -> None:
        was_up, self.is_up = self.is_up, False
        self._feeds.is_line_up = False
        self._requests.line(up=False)
        self._feeds.stale()
        self._feeds.listens = code == 2110
        if was_up:
            _LOG.warning("the gateway lost IB: %s", text)
            self._timer = self._clock.call_later(self._config.line_deadline, self._stuck)
        self._events.tell(ClientEventKind.LINE_DOWN, text=text, code=code)

    def _up(self, code: int, text: str) -> None:
        self._stop_timer()
        self.opened()
        self._requests.line(up=True)
        self._events.tell(ClientEventKind.LINE_UP, text=text, code=code)
        self._back()

    def _stuck(self) -> None:
        self._timer = None
        error = ConnectionLostError(
            "the session",
            f"the gateway was without IB for {self._config.line_deadline:g} s",
            code=1100,
        )
        _LOG.error("%s; connecting anew", error)
        self._drop(error)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _dies_silently(feed: Feed[object]) -> bool:
    # Bars kept up to date do not come back with the line (nautilus_trader 3001).
    return isinstance(feed, BarFeed)
