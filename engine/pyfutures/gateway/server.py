"""The gateway on a TCP port. Here and in `listener.py` is all asyncio of the simulated gateway.

Theory of operation. Each connection is read by one task; what it says goes through the sans-IO
`GatewayConnection` to its `Session`, and what the session says back is written at once, without
waiting: a client that does not read is cut off when too much waits for it. Time either runs (one
task lets happen what is due) or stands still until `advance` moves it.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from typing import TYPE_CHECKING, Final, Self

from pyfutures.gateway.clock import SECOND, Pace, seconds
from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.core import Gateway
from pyfutures.gateway.listener import Listener
from pyfutures.ib.errors import HandshakeError, ProtocolError
from pyfutures.ib.wire import GatewayConnection, Hello

if TYPE_CHECKING:
    from types import TracebackType

    from pyfutures.gateway.contracts import Universe
    from pyfutures.gateway.session import Session
    from pyfutures.ib.messages.base import Response

__all__ = ["GatewayServer"]

_log = logging.getLogger(__name__)

_WAITING: Final = 64 * 1024 * 1024  # bytes that may wait for a client to read them
_TICK: Final = 0.2  # real seconds between two looks at the clock, at most
_TURNS: Final = 5  # of the event loop, for what was written to be sent


class _Client:
    """One connection: bytes both ways, and where it is to be cut."""

    def __init__(self, server: GatewayServer, writer: asyncio.StreamWriter) -> None:
        self.gateway = server.gateway
        self.writer = writer
        self.connection = GatewayConnection(self.gateway.config.version)
        self.session: Session | None = None
        self._left: int | None = None  # bytes until the cut

    def send(self, response: Response) -> None:
        """Write a response."""
        self.write(self.connection.send(response))

    def write(self, data: bytes) -> None:
        """Write bytes, as far as the connection goes."""
        if self.writer.is_closing():
            return
        if self._left is not None:
            data, self._left = data[: self._left], max(0, self._left - len(data))
        self.writer.write(data)
        if self._left == 0:
            self.writer.close()
        elif self.writer.transport.get_write_buffer_size() > _WAITING:
            _log.warning("a client does not read: it is cut off")
            self.writer.transport.abort()

    def cut(self, after: int = 0) -> None:
        """Close once `after` more bytes have gone out."""
        if after > 0:
            self._left = after if self._left is None else min(self._left, after)
        else:
            self._left = 0
            self.writer.close()

    def receive(self, data: bytes) -> None:
        """Serve what came in.

        Raises
        ------
        ProtocolError
            Where the stream cannot be trusted any more.

        """
        events = self.connection.receive(data)
        if events and isinstance(events[0], Hello):
            now = self.gateway.present() // SECOND
            clock = dt.datetime.fromtimestamp(now, dt.UTC)
            self.write(self.connection.welcome(f"{clock:%Y%m%d %H:%M:%S} Greenwich Mean Time"))
            self.session = self.gateway.connect(self.connection.version or 0, self)
            events = self.connection.receive(b"")
        if self.session is None:
            return
        for event in events:
            if not isinstance(event, Hello):
                self.session.receive(event)

    def gone(self) -> None:
        """Take note that the client hung up."""
        if self.session is not None:
            self.gateway.left(self.session)


class GatewayServer(Listener):
    """A simulated gateway that listens.

    Use as ``async with GatewayServer(config) as server: ... server.port``. Orders, executions and
    positions live in `server.gateway` and outlive connections.

    Parameters
    ----------
    config
        What the gateway is like.
    host
        The address to listen on; only this machine unless told otherwise.
    port
        The port; 0 takes a free one.
    speed
        Simulated seconds in a real one. None: time stands still until `advance` moves it.
    universe
        The contracts; by default those of the configuration's roots. One that is given can serve
        several servers one after the other.

    """

    def __init__(
        self,
        config: GatewayConfig | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float | None = None,
        universe: Universe | None = None,
    ) -> None:
        config = config or GatewayConfig()
        super().__init__(host=host, port=port)
        self._pace = None if speed is None else Pace(config.start_ns(), speed)
        present = None if self._pace is None else self._pace.now
        self.gateway = Gateway(config, universe=universe, present=present)
        self._clock: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start to listen, and time to run.

        Raises
        ------
        OSError
            Where the port is taken.

        """
        await super().__aenter__()
        if self._pace is not None:
            self._clock = asyncio.create_task(self._run(self._pace), name="gateway clock")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the port and all connections."""
        if self._clock is not None:
            self._clock.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._clock
        await super().__aexit__(kind, error, trace)

    async def advance(self, amount: float) -> None:
        """Move time by so many simulated seconds, and let happen what is due."""
        timeline = self.gateway.timeline
        timeline.run_until(timeline.now + seconds(amount))
        await self.settle()

    async def advance_to(self, moment: dt.datetime) -> None:
        """Move time to an instant.

        Raises
        ------
        ValueError
            For an instant without a zone.

        """
        if moment.tzinfo is None:
            raise ValueError(f"{moment.isoformat()} has no zone: write it with +00:00")
        self.gateway.timeline.run_until(int(moment.timestamp() * 1000) * 1_000_000)
        await self.settle()

    async def settle(self) -> None:
        """Let the event loop send what was said."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    @property
    def now(self) -> dt.datetime:
        """The simulated present."""
        return dt.datetime.fromtimestamp(self.gateway.timeline.now / SECOND, dt.UTC)

    async def _run(self, pace: Pace) -> None:
        timeline = self.gateway.timeline
        while True:
            timeline.run_until(pace.now())
            due = timeline.next_due()
            await asyncio.sleep(_TICK if due is None else min(_TICK, max(0.001, pace.wait(due))))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.gateway.accepts:
            return
        client = _Client(self, writer)
        try:
            if self.gateway.faults.is_mute():
                while await reader.read(65536):
                    pass
            else:
                await self._talk(client, reader)
        except HandshakeError:
            if self.gateway.faults.wedges:
                self.gateway.faults.mute = True
            raise
        finally:
            client.gone()

    @staticmethod
    async def _talk(client: _Client, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            client.receive(data)
            if client.writer.is_closing():
                return
            await client.writer.drain()
        with contextlib.suppress(ProtocolError):
            client.connection.close()
