"""A recorded session served over TCP, as if the gateway of that day were there.

Theory of operation. `Script` is what one client sees, without a socket: a request goes in, the
recorded answers come out, under the ids that this client uses. A request matches a recorded one if
they are the same message with the same values, ids aside: peers spell one request differently
(`0.0` or nothing for no strike) and mean the same. The first one not used yet is taken, in recorded
order; when all are used, the last one again. What was never recorded is answered with what is true
of such a session: no positions, no orders, no executions; anything else with error 321, so that no
peer waits for nothing.

Timing was not recorded: all is sent
at once.
"""

from __future__ import annotations

import dataclasses
import logging
from decimal import Decimal
from typing import TYPE_CHECKING

from pyfutures.gateway.listener import Listener
from pyfutures.ib.errors import HandshakeError
from pyfutures.ib.exact import Exact
from pyfutures.ib.framing import frame
from pyfutures.ib.masking import masked
from pyfutures.ib.messages import account, executions, market, orders, session
from pyfutures.ib.messages.base import Malformed, Unknown
from pyfutures.ib.wire import GatewayConnection, Hello

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from pyfutures.gateway.recordings import Exchange, Recording
    from pyfutures.ib.messages.base import Message, Request, Response

__all__ = ["ReplayServer", "Script"]

_log = logging.getLogger(__name__)

_IDS = ("request_id", "order_id")
# What peers ask on their own when they connect, and what is true where none of it was recorded.
_NOTHING: dict[type[Message], Callable[[Message], tuple[Response, ...]]] = {
    account.RequestPositions: lambda _: (account.PositionEnd(),),
    account.RequestPositionsMulti: lambda m: (account.PositionMultiEnd(_id(m)),),
    account.RequestAccountUpdatesMulti: lambda m: (account.AccountUpdateMultiEnd(_id(m)),),
    account.RequestAccountSummary: lambda m: (account.AccountSummaryEnd(_id(m)),),
    orders.RequestOpenOrders: lambda _: (orders.OpenOrderEnd(),),
    orders.RequestAllOpenOrders: lambda _: (orders.OpenOrderEnd(),),
    orders.RequestCompletedOrders: lambda _: (orders.CompletedOrdersEnd(),),
    executions.RequestExecutions: lambda m: (executions.ExecutionDetailsEnd(_id(m)),),
    orders.RequestAutoOpenOrders: lambda _: (),
    market.RequestMarketDataType: lambda _: (),
    session.SetLogLevel: lambda _: (),
}


def _id(message: Message) -> int:
    return int(getattr(message, "request_id", getattr(message, "order_id", -1)))


def _neutral(value: object) -> object:
    # Zero, empty and unset are one thing in a request; a zero strike is no strike.
    if isinstance(value, tuple):
        return tuple(_neutral(item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value) if field.name not in _IDS)
        return type(value).__name__, tuple(_neutral(getattr(value, name)) for name in names)
    if isinstance(value, float | Decimal):
        value = float(value)
    return None if value in (0, "", "0") else value


def _renamed(exact: Exact, ids: dict[int, int]) -> Exact:
    """Return the message under the ids of this client."""
    message = exact.message
    changes = {
        name: ids[getattr(message, name)]
        for name in _IDS
        if hasattr(message, name) and getattr(message, name) in ids
    }
    if not changes or isinstance(message, Malformed | Unknown):
        return exact
    # The place of an id is spelled as we spell it; whatever else was odd about the message stays.
    renamed = dataclasses.replace(message, **changes)  # type: ignore[type-var]
    return Exact(renamed, exact.spelling, exact.length)


class Script:
    """A recorded session as one client sees it.

    Parameters
    ----------
    recording
        The session.
    strict
        Leave requests that were not recorded without an answer.

    """

    def __init__(self, recording: Recording, *, strict: bool = False) -> None:
        self.recording = recording
        self.strict = strict
        self.unmatched: list[Message] = []
        self._neutral = [_neutral(exchange.request.message) for exchange in recording.exchanges]
        self._used = [False] * len(self._neutral)
        self._next_id = 0

    def start(self) -> list[bytes]:
        """Return the bodies that follow `StartApi`."""
        return [exact.body(self.recording.responses) for exact in self.recording.greeting]

    def answer(self, request: Request) -> tuple[list[bytes], bool]:
        """Return the bodies that answer a request, and whether the gateway closes then."""
        exchange = self._match(request)
        if exchange is not None:
            return self._recorded(exchange, request), exchange.closes
        self.unmatched.append(request)
        if self.strict:
            return [], False
        codec = self.recording.responses.ours
        return [codec.encode(response) for response in self._made(request)], False

    def _match(self, request: Request) -> Exchange | None:
        wanted = _neutral(request)
        found = [i for i, recorded in enumerate(self._neutral) if recorded == wanted]
        if not found:
            return None
        fresh = next((i for i in found if not self._used[i]), found[-1])
        self._used[fresh] = True
        return self.recording.exchanges[fresh]

    def _recorded(self, exchange: Exchange, request: Request) -> list[bytes]:
        recorded = exchange.request.message
        ids = {_id(recorded): _id(request)} if _id(recorded) != -1 else {}
        reader = self.recording.responses
        return [_renamed(exact, ids).body(reader) for exact in exchange.responses]

    def _made(self, request: Request) -> tuple[Response, ...]:
        if isinstance(request, session.RequestIds):
            return (session.NextValidId(self._last_order_id()),)
        if isinstance(request, account.RequestAccountUpdates):
            return (account.AccountDownloadEnd(request.account),) if request.subscribe else ()
        if type(request) in _NOTHING:
            return _NOTHING[type(request)](request)
        if type(request).__name__.startswith("Cancel"):
            return ()
        cause = f"{type(request).__name__} was not recorded"
        text = f"Error validating request.-'replay' : cause - {cause}"
        return (session.ErrorMessage(_id(request), 321, text),)

    def _last_order_id(self) -> int:
        ids = [
            exact.message.order_id
            for _, exact in self.recording.messages()
            if isinstance(exact.message, session.NextValidId)
        ]
        return ids[-1] if ids else 1


class ReplayServer(Listener):
    """Serves a recorded session to any number of clients, each from its beginning.

    Use as ``async with ReplayServer(recording) as server: ... server.port``.

    Parameters
    ----------
    recording
        The session.
    host
        The address to listen on; only this machine unless told otherwise.
    port
        The port; 0 takes a free one.
    strict
        Leave requests that were not recorded without an answer.

    """

    def __init__(
        self,
        recording: Recording,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        strict: bool = False,
    ) -> None:
        super().__init__(host=host, port=port)
        self.recording = recording
        self.strict = strict
        self.scripts: list[Script] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = GatewayConnection(self.recording.welcome.version)
        script = Script(self.recording, strict=self.strict)
        self.scripts.append(script)
        while data := await reader.read(65536):
            events = connection.receive(data)
            if events and isinstance(events[0], Hello):
                _check(events[0], self.recording.welcome.version)
                writer.write(connection.welcome(self.recording.welcome.time))
                events = connection.receive(b"")
            for event in events:
                if isinstance(event, Hello):
                    continue
                closes = self._answer(script, event, writer)
                await writer.drain()
                if closes:
                    return
        connection.close()

    def _answer(self, script: Script, request: Request, writer: asyncio.StreamWriter) -> bool:
        if isinstance(request, Malformed):
            _log.warning("not understood: %s", masked(request.error))
        if isinstance(request, session.StartApi):
            bodies, closes = script.start(), self.recording.closes
        else:
            bodies, closes = script.answer(request)
        writer.write(b"".join(frame(body) for body in bodies))
        return closes


def _check(hello: Hello, version: int) -> None:
    if not hello.lowest <= version <= hello.highest:
        raise HandshakeError(
            f"the session was recorded at server version {version}; the client offers "
            f"{hello.lowest} to {hello.highest}"
        )
