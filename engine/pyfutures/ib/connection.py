"""One TCP connection to a gateway, from dialling to its end; the only module that knows sockets.

It lives once: `dial`, `greet`, `listen` until it ends. Making another one is the business of
`supervisor.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from pyfutures.ib.failures import ConnectError
from pyfutures.ib.messages.session import StartApi
from pyfutures.ib.wire import ClientConnection, Welcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.clock import Clock
    from pyfutures.ib.config import ClientConfig
    from pyfutures.ib.messages.base import Request, Response

__all__ = ["Connection"]

_CHUNK: Final = 1 << 18


class Connection:
    """One TCP connection.

    Parameters
    ----------
    config
        The deadlines and versions.
    clock
        The time.

    """

    def __init__(self, config: ClientConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._protocol = ClientConnection(config.versions)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._early: list[Response] = []
        self.heard_at = clock.monotonic()

    @property
    def version(self) -> int | None:
        """The server version, None before both ends agreed."""
        return self._protocol.version

    async def dial(self, host: str, port: int) -> None:
        """Open the socket.

        Raises
        ------
        ConnectError
            When nobody listens there, or not in time.

        """
        try:
            async with self._clock.timeout(self._config.connect_deadline):
                self._reader, self._writer = await asyncio.open_connection(host, port, limit=_CHUNK)
        except TimeoutError:
            raise ConnectError(
                f"{host}:{port} took no connection within {self._config.connect_deadline:g} s"
            ) from None
        except OSError as error:
            raise ConnectError(
                f"cannot connect to {host}:{port}: {error.strerror or error}; is the gateway "
                "running, is this its port, and does it let API clients in?"
            ) from error

    async def greet(self, client_id: int) -> Welcome:
        """Agree on a version and open the session; the gateway's first messages follow.

        Raises
        ------
        ConnectError
            When the gateway does not answer in time or hangs up.
        HandshakeError
            When it speaks no version of ours.

        """
        start = StartApi(client_id, self._config.capabilities)
        hello = self._protocol.hello()
        if self._config.pipeline:
            hello += self._protocol.send(start)
        self.write(hello)
        try:
            async with self._clock.timeout(self._config.handshake_deadline):
                welcome = await self._welcome()
        except TimeoutError:
            raise ConnectError(
                "the gateway took the connection and said nothing for "
                f"{self._config.handshake_deadline:g} s; it may wait for somebody to log in"
            ) from None
        except OSError as error:
            raise ConnectError(f"the connection broke in the handshake: {error}") from error
        if not self._config.pipeline:
            self.write(self.encode(start))
        return welcome

    async def _welcome(self) -> Welcome:
        assert self._reader is not None  # noqa: S101 - dial() came before
        while True:
            data = await self._reader.read(_CHUNK)
            if not data:
                raise ConnectError(
                    "the gateway hung up in the handshake; it may be starting, or speak no server "
                    f"version of {self._config.versions}"
                )
            events = self._protocol.receive(data)
            if events:
                self.heard_at = self._clock.monotonic()
                first, *rest = events
                assert isinstance(first, Welcome)  # noqa: S101 - the protocol's law
                self._early = [event for event in rest if not isinstance(event, Welcome)]
                return first

    def encode(self, request: Request) -> bytes:
        """Return the bytes of a request.

        Raises
        ------
        EncodeError
            For a value that cannot be said at this version.

        """
        return self._protocol.send(request)

    def write(self, data: bytes) -> None:
        """Write bytes; a connection that is going down swallows them."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)

    async def listen(self, hear: Callable[[Response], None]) -> None:
        """Give every message to `hear` until the gateway hangs up.

        Raises
        ------
        RemoteProtocolError
            When what comes is no stream of messages, or ends inside one.
        OSError
            When the connection breaks.

        """
        assert self._reader is not None  # noqa: S101 - dial() came before
        for early in self._early:
            hear(early)
        self._early.clear()
        receive, read, monotonic = (
            self._protocol.receive, self._reader.read, self._clock.monotonic,
        )  # fmt: skip
        while data := await read(_CHUNK):
            self.heard_at = monotonic()
            for message in receive(data):
                hear(message)  # type: ignore[arg-type] # the one welcome is behind us
        self._protocol.close()

    async def close(self) -> None:
        """Close the socket at once; nothing that waits in it is worth waiting for."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        writer.transport.abort()
        with contextlib.suppress(OSError):  # it is closed, that is all we want to know
            await writer.wait_closed()
