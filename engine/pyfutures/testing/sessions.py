"""Sessions for tests: what is asked and what is answered, served over TCP.

A session is a list of exchanges; a client may ask for them in any order. What is in none is
answered as `gateway/replay.py` says: no positions, no orders, else error 321.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.recordings import Recording
from pyfutures.gateway.replay import ReplayServer
from pyfutures.ib.codec import Codec, Role
from pyfutures.ib.messages import ErrorMessage, ManagedAccounts, NextValidId
from pyfutures.ib.messages.base import Message, Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

__all__ = ["Exchange", "recorded", "serve", "session_data"]

#: A message, or its fields as texts, the id first.
type Said[T: Message] = T | Sequence[str]
#: A request and what answers it.
type Exchange = tuple[Said[Request], Sequence[Said[Response]]]

_GREETING: Final = (
    ManagedAccounts("DU1234567,"),
    NextValidId(1),
    ErrorMessage(-1, 2104, "Market data farm connection is OK:usfuture"),
    ErrorMessage(-1, 2106, "HMDS data farm connection is OK:ushmds"),
    ErrorMessage(-1, 2158, "Sec-def data farm connection is OK:secdefil"),
)


def session_data(
    exchanges: Iterable[Exchange],
    *,
    version: int = 176,
    greeting: Sequence[Said[Response]] = _GREETING,
    time: str = "20250602 14:00:00 Greenwich Mean Time",
) -> list[list[list[str] | list[list[str]]]]:
    """Return a session in the form of recordings, fit for JSON and `pyfutures gateway replay`.

    Parameters
    ----------
    exchanges
        What is asked and answered. Messages that answer a request get its id, whatever they have.
    version
        The server version that is spoken.
    greeting
        What the gateway says when the session starts.
    time
        The gateway's clock as the handshake has it.

    Raises
    ------
    EncodeError
        For a message that is not said at that version.

    """
    client, gateway = Codec(version, Role.CLIENT), Codec(version, Role.GATEWAY)

    def told(said: Said[Response], asked: object = None) -> list[str]:
        if not isinstance(said, Message):
            return list(said)
        number = getattr(asked, "request_id", None)
        if number is not None and getattr(said, "request_id", -1) != -1:
            said = replace(said, request_id=number)  # type: ignore[type-var]
        return gateway.write(said)

    data: list[list[list[str] | list[list[str]]]] = [
        [["handshake"], [[str(version), time]]],
        [["startapi"], [told(one) for one in greeting]],
    ]
    for request, answers in exchanges:
        asked = client.write(request) if isinstance(request, Message) else list(request)
        # Recorders keep the empty text behind the last NUL; readers of recordings expect it.
        data.append([[*asked, ""], [told(one, request) for one in answers]])
    return data


def recorded(
    session: Recording | Path | str | Iterable[Exchange], *, version: int = 176
) -> Recording:
    """Return a session to serve: one made of exchanges, or one in a file.

    Raises
    ------
    RecordingError
        For a file that is no session.
    OSError
        For a file that cannot be read.

    """
    if isinstance(session, Recording):
        return session
    if isinstance(session, Path | str):
        return Recording.load(Path(session))
    return Recording.from_data(session_data(session, version=version))


@asynccontextmanager
async def serve(
    session: Recording | Path | str | Iterable[Exchange],
    *,
    version: int = 176,
    port: int = 0,
    strict: bool = False,
) -> AsyncIterator[ReplayServer]:
    """Serve a session to any number of clients, each from its beginning, and yield the server.

    Parameters
    ----------
    session
        Exchanges, a file, or a recording.
    version
        The server version of a session made of exchanges.
    port
        The port; 0 takes a free one, see `server.port`.
    strict
        Leave requests that are in no exchange without an answer.

    Raises
    ------
    OSError
        Where the port is taken.
    RecordingError
        For a file that is no session.

    Examples
    --------
    >>> import asyncio
    >>> from pyfutures.ib import Client, ClientConfig
    >>> from pyfutures.ib import messages as m
    >>> from pyfutures.testing import made, serve
    >>> async def main() -> int:
    ...     asked = made(m.RequestContractDetails)
    ...     answers = [made(m.ContractDetails), made(m.ContractDetailsEnd)]
    ...     async with serve([(asked, answers)]) as server:
    ...         async with Client(ClientConfig(port=server.port)) as client:
    ...             return len(await client.reference.details(asked.contract))
    >>> asyncio.run(main())
    1

    """
    async with ReplayServer(recorded(session, version=version), port=port, strict=strict) as server:
        yield server
