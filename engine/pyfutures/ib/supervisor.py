"""The life of the session: one task that connects, watches, and connects again.

Theory of operation. There is one task from `start` to `stop`. It goes round in a circle, and at any
time there is at most one connection and one reader:

    disabled --> connecting --> starting --> ready --> backing off --> (from the left again)

    disabled      the schedule keeps us away; wait for its end
    connecting    TCP, then the versions, each with a deadline
    starting      StartApi is sent; accounts and the next order id must come
    ready         messages flow; ends when the gateway hangs up, when it is silent and does not
                  answer a heartbeat, when it moves its port, or when the schedule says so
    backing off   wait, longer each time; a client id in use waits by its own measure

Nothing here gives up: a gateway that waits for its weekly login comes back when a person is there.
"""

from __future__ import annotations

import asyncio
import logging
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from pyfutures.ib.connection import Connection
from pyfutures.ib.errors import HandshakeError, ProtocolError
from pyfutures.ib.failures import (
    ClientIdInUseError,
    ConnectError,
    ConnectionLostError,
    DisabledError,
    IbError,
)
from pyfutures.ib.messages.session import (
    ErrorMessage,
    ManagedAccounts,
    NextValidId,
    RequestCurrentTime,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.clock import Clock, Timer
    from pyfutures.ib.config import ClientConfig
    from pyfutures.ib.messages.base import Response
    from pyfutures.ib.outbox import Outbox

__all__ = ["Hooks", "Phase", "Supervisor"]

_LOG: Final = logging.getLogger("pyfutures.ib")
_PORT: Final = re.compile(r"\b(\d{2,5})\s*$")
_STEADY: Final = 60.0  # a session that lasted so long ends the count of failures
_AN_HOUR: Final = 3600.0


class Phase(StrEnum):
    """Where the session stands."""

    NEW = "new"
    DISABLED = "disabled"
    CONNECTING = "connecting"
    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing off"
    CLOSED = "closed"


class Hooks(Protocol):
    """What the supervisor tells its client. None of it may raise or wait."""

    def hear(self, message: Response) -> None:
        """Take a message."""

    def opened(self) -> None:
        """Take note that a session is ready."""

    def lost(self, error: IbError) -> None:
        """Take note that the session, ready before, is over."""

    def entered(self, phase: Phase, cause: Exception | None) -> None:
        """Take note of a phase, and of what led to it."""


class Supervisor:
    """Keeps one session alive.

    Parameters
    ----------
    config
        Where, and how patiently.
    clock
        The time.
    outbox
        What is opened to each session.
    hooks
        Who is told.

    """

    def __init__(self, config: ClientConfig, clock: Clock, *, outbox: Outbox, hooks: Hooks) -> None:
        self._config = config
        self._clock = clock
        self._outbox = outbox
        self._hooks = hooks
        self._task: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._over: asyncio.Future[None] | None = None
        self._started: asyncio.Future[None] | None = None
        self._timers: dict[str, Timer] = {}
        self._settled = asyncio.Event()
        self.phase = Phase.NEW
        self.port = config.port
        self._moved_to: int | None = None
        self.failure: Exception | None = None
        self.attempts = 0
        self.sessions = 0
        self.accounts: tuple[str, ...] = ()
        self.next_order_id: int | None = None
        self.version: int | None = None

    @property
    def heard_at(self) -> float | None:
        """When the last byte came, None without a connection."""
        return None if self._connection is None else self._connection.heard_at

    async def start(self, deadline: float | None) -> None:
        """Begin, and wait for the first session.

        Raises
        ------
        ConnectError
            When there is none within `deadline`; the last failure is its cause.
        HandshakeError
            When the gateway speaks no version of ours.

        """
        if self._task is not None:
            raise RuntimeError("the client was started already")
        self._task = asyncio.create_task(self._run(), name="pyfutures-ib-session")
        try:
            if deadline is None:
                await self._settled.wait()
            else:
                async with self._clock.timeout(deadline):
                    await self._settled.wait()
        except TimeoutError:
            failure = self.failure
            await self.stop()
            if isinstance(failure, ConnectError):
                raise failure from None
            why = "" if failure is None else f": {failure}"
            raise ConnectError(
                f"no session with {self._config.host}:{self.port} within {deadline:g} s{why}"
            ) from failure
        except BaseException:  # cancelled or failed: no socket and no task may be left behind
            await self.stop()
            raise
        if self.phase is not Phase.READY and isinstance(self.failure, HandshakeError):
            failure = self.failure
            await self.stop()
            raise failure

    async def stop(self) -> None:
        """End the session and the task; nothing is left behind."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self.phase is not Phase.CLOSED:
            self._enter(Phase.CLOSED)

    def drop(self, error: IbError) -> None:
        """End the present session; the next one follows."""
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)

    def _enter(self, phase: Phase, cause: Exception | None = None) -> None:
        self.phase = phase
        self._hooks.entered(phase, cause)

    async def _run(self) -> None:
        failures = 0
        while True:
            await self._wait_until_enabled()
            self.attempts += 1
            sessions, began = self.sessions, self._clock.monotonic()
            try:
                await self._session()
            except (IbError, ProtocolError, OSError) as error:
                self.failure = error
            except Exception as error:  # noqa: BLE001 - see below
                # A bug of ours, but a client that is dead without a word would be the worse one.
                _LOG.exception("the session ended by a fault of the client")
                self.failure = error
            if self.sessions > sessions and self._clock.monotonic() - began >= _STEADY:
                failures = 0
            if isinstance(self.failure, HandshakeError) and self.sessions == 0:
                self._settled.set()
            if isinstance(self.failure, DisabledError):
                continue
            if isinstance(self.failure, ConnectError) and self._moved_to is not None:
                # Nobody is there: the gateway has moved back, or not yet. The two take turns.
                was_moved = self.port == self._moved_to
                self.port = self._config.port if was_moved else self._moved_to
            in_use = isinstance(self.failure, ClientIdInUseError)
            backoff = self._config.id_in_use if in_use else self._config.reconnect
            delay = backoff.delay(failures)
            failures += 1
            _LOG.warning("no session: %s; again in %g s", self.failure, delay)
            self._enter(Phase.BACKING_OFF, self.failure)
            await self._clock.sleep(delay)

    async def _wait_until_enabled(self) -> None:
        schedule = self._config.schedule
        while not schedule.is_enabled(now := self._clock.now()):
            until = schedule.enabled_at(now)
            if self.phase is not Phase.DISABLED:
                self.failure = DisabledError(f"the schedule keeps the client away until {until}")
                self._enter(Phase.DISABLED, self.failure)
            # In steps, for the clock of the machine may be set meanwhile.
            await self._clock.sleep(min((until - now).total_seconds(), _AN_HOUR))

    async def _session(self) -> None:
        self._enter(Phase.CONNECTING)
        connection = self._connection = Connection(self._config, self._clock)
        loop = asyncio.get_running_loop()
        self._over, self._started = loop.create_future(), loop.create_future()
        self.accounts, self.next_order_id = (), None
        reader: asyncio.Task[None] | None = None
        ready = False
        error: IbError = ConnectionLostError("the session", "it was closed by this end")
        try:
            await connection.dial(self._config.host, self.port)
            await connection.greet(self._config.client_id)
            self.version = connection.version
            self._enter(Phase.STARTING)
            self._outbox.open(connection.encode, connection.write)
            reader = asyncio.create_task(connection.listen(self._hear), name="pyfutures-ib-reader")
            await self._wait_for_start(reader)
            ready = True
            self.sessions += 1
            self.failure = None
            self._watch(connection)
            self._enter(Phase.READY)
            self._hooks.opened()
            self._settled.set()
            await self._until_over(reader)
        except IbError as caught:
            error = caught
            raise
        finally:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()
            self._outbox.close()
            if reader is not None:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
            await connection.close()
            for future in (self._over, self._started):
                future.cancel()
                if not future.cancelled():
                    future.exception()  # it was raised, or nobody cares any more
            self._over = self._started = self._connection = None
            if ready:
                self._hooks.lost(error)

    async def _wait_for_start(self, reader: asyncio.Task[None]) -> None:
        assert self._started is not None  # noqa: S101 - set in _session
        try:
            async with self._clock.timeout(self._config.start_deadline):
                await asyncio.wait({reader, self._started}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise ConnectError(
                "the gateway named no accounts and no order id within "
                f"{self._config.start_deadline:g} s"
            ) from None
        if self._started.done():
            self._started.result()
        else:
            raise ConnectError(f"the gateway hung up at the start: {_end_of(reader)}")

    async def _until_over(self, reader: asyncio.Task[None]) -> None:
        assert self._over is not None  # noqa: S101 - set in _session
        await asyncio.wait({reader, self._over}, return_when=asyncio.FIRST_COMPLETED)
        if self._over.done():
            self._over.result()
        raise ConnectionLostError("the session", str(_end_of(reader)))

    def _hear(self, message: Response) -> None:
        kind = type(message)
        if kind is ErrorMessage:
            self._error(message)  # type: ignore[arg-type]
        elif kind is NextValidId:
            self.next_order_id = message.order_id  # type: ignore[attr-defined]
            self._check_start()
        elif kind is ManagedAccounts:
            self.accounts = message.accounts  # type: ignore[attr-defined]
            self._check_start()
        self._hooks.hear(message)

    def _check_start(self) -> None:
        started = self._started
        if started is None or started.done():
            return
        if self.accounts and self.next_order_id is not None:
            started.set_result(None)

    def _error(self, message: ErrorMessage) -> None:
        if message.code == 326:
            error: IbError = ClientIdInUseError(
                f"client id {self._config.client_id} is in use at "
                f"{self._config.host}:{self.port}: {message.text}"
            )
            if self._started is not None and not self._started.done():
                self._started.set_exception(error)
            else:
                self.drop(error)
        elif message.code == 1300:
            found = _PORT.search(message.text)
            if found is not None:
                self.port = self._moved_to = int(found[1])
            self.drop(ConnectionLostError("the session", message.text, code=1300))
        elif message.code == 100:
            self._outbox.hold(1.0)

    def _watch(self, connection: Connection) -> None:
        """Set the timers of a session: silence, and the schedule."""
        config, clock = self._config, self._clock
        schedule = config.schedule

        def later(name: str, seconds: float, callback: Callable[[], None]) -> None:
            self._timers[name] = clock.call_later(seconds, callback)

        def listen_for_silence() -> None:
            quiet = clock.monotonic() - connection.heard_at
            if quiet < config.silence:
                later("silence", max(config.silence - quiet, 0.01), listen_for_silence)
                return
            asked = connection.heard_at
            self._outbox.put(RequestCurrentTime())

            def judge() -> None:
                if connection.heard_at == asked:
                    text = (
                        f"not a byte for {clock.monotonic() - asked:.0f} s, "
                        "not even to a heartbeat: the connection is half open"
                    )
                    self.drop(ConnectionLostError("the session", text))
                else:
                    listen_for_silence()

            later("silence", config.heartbeat_deadline, judge)

        def mind_the_schedule() -> None:
            now = clock.now()
            if not schedule.is_enabled(now):
                self.drop(DisabledError("the schedule keeps the client away"))
                return
            at = schedule.disabled_at(now)
            if at is not None:
                seconds = min((at - now).total_seconds(), _AN_HOUR)
                later("schedule", seconds, mind_the_schedule)

        later("silence", config.silence, listen_for_silence)
        mind_the_schedule()


def _end_of(reader: asyncio.Task[None]) -> object:
    error = reader.exception()
    return "the gateway hung up" if error is None else error
