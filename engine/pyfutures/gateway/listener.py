"""A TCP server whose clients end with it: what the simulated and the replaying gateway share."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Self

from pyfutures.ib.errors import ProtocolError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Listener"]

_LOG: Final = logging.getLogger(__name__)
_LAST_WORDS: Final = 1.0  # seconds for what was written to arrive


class Listener(ABC):
    """Listens from the entry of the context to its exit.

    Parameters
    ----------
    host
        Where to listen.
    port
        The port; 0 takes a free one, which `port` says once it listens.

    """

    def __init__(self, *, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Start to listen.

        Raises
        ------
        OSError
            Where the port is taken.

        """
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the port and all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def serve_forever(self) -> None:
        """Serve until cancelled."""
        await asyncio.Event().wait()

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._clients)

    @abstractmethod
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until either end has enough."""

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._clients.add(task)
        try:
            await self._serve(reader, writer)
        except ProtocolError as error:
            _LOG.warning("client dropped: %s", error)
        except ConnectionError as error:
            _LOG.info("client gone: %s", error)
        except asyncio.CancelledError:
            pass  # the server closes
        finally:
            await _hang_up(writer)
            self._clients.discard(task)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection; a client that does not read what is left for it is not waited for."""
    writer.close()
    try:
        async with asyncio.timeout(_LAST_WORDS):
            await writer.wait_closed()
    except ConnectionError:
        pass
    except (TimeoutError, asyncio.CancelledError):
        writer.transport.abort()
