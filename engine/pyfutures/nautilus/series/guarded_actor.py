"""An actor whose timers cannot fail in silence.

nautilus calls timers from a thread of its own, and merely logs what they raise. Here they are done
on the node's thread, and whatever fails stops the component and the system.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.component import TestClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.config import ActorConfig

__all__ = ["GuardedActor", "RollActorError"]

_NS: Final = 10**9


class RollActorError(RuntimeError):
    """Something that stopped a roll actor; names the root and the month it was in."""


class GuardedActor(Actor):  # type: ignore[misc] # nautilus has no types
    """Timers on the node's thread, and failures that are failures.

    Parameters
    ----------
    config
        Of the actor.

    Attributes
    ----------
    failure : Exception or None
        What stopped it.
    """

    def __init__(self, config: ActorConfig) -> None:
        super().__init__(config)
        self._clear_guard()

    def _clear_guard(self) -> None:
        self.failure: Exception | None = None
        self._timers: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    @property
    def is_live(self) -> bool:
        """Whether a real clock runs."""
        return not isinstance(self.clock, TestClock)

    def _stay_on_this_thread(self) -> None:
        """Have timers called here from now on."""
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()

    def _where(self, month: object) -> str:
        """Return what a failure is about."""
        raise NotImplementedError

    def _every(self, seconds: float, name: str, action: Callable[[], object]) -> None:
        """Do something again and again; a timer of that name which runs already goes on."""
        timer = self._timer(name)
        if timer in self._timers:
            return
        self._timers.add(timer)
        self.clock.set_timer_ns(timer, round(seconds * _NS), 0, 0, lambda _: self._called(action))

    def _once(self, seconds: float, name: str, action: Callable[[], object]) -> None:
        timer = self._timer(name)
        self._cancel(timer)
        self._alert_at(self.clock.timestamp_ns() + round(seconds * _NS), timer, action)

    def _called(self, action: Callable[[], object]) -> None:
        """Do what a timer is for: on the thread of the node, and with failures as failures."""
        if self._loop is not None and threading.get_ident() != self._thread:
            if not self._loop.is_closed():  # the node has ended while the timer was on its way
                self._loop.call_soon_threadsafe(self._guarded, action)
        else:
            self._guarded(action)

    def _guarded(self, action: Callable[[], object]) -> None:
        if self.failure is not None or (self.is_live and not self.is_running):
            return
        try:
            action()
        except Exception as error:  # whatever it was; nautilus would only log it
            raise self._fail(error) from error

    def _fail(self, error: Exception, month: object = None) -> RollActorError:
        """Stop the component and the system; the error to raise on."""
        failure = RollActorError(f"{self._where(month)}: {error}")
        failure.__cause__ = error
        self.failure = failure
        self.log.exception(str(failure), error)  # noqa: LOG004 - called by handlers only
        try:
            self.fault()
        finally:
            self.shutdown_system(str(failure))
        return failure

    def _cancel_alerts(self) -> None:
        for name in tuple(self._timers):
            self._cancel(name)

    def _alert_at(self, at_ns: int, name: str, action: Callable[[], object]) -> None:
        """Do something once, at an instant; one that is past is at once."""
        self._timers.add(name)
        self.clock.set_time_alert_ns(name, at_ns, lambda _: self._called(action))

    def _cancel(self, name: str) -> None:
        self._timers.discard(name)
        if name in self.clock.timer_names:
            self.clock.cancel_timer(name)

    def _timer(self, name: str) -> str:
        return f"{self.id}-{name}"
