"""A scripted gateway over real TCP: it says what a test tells it to, and breaks where it should."""

from __future__ import annotations

import asyncio
import contextlib

from pyfutures.ib import messages as m
from pyfutures.ib.client import Client
from pyfutures.ib.config import ClientConfig
from pyfutures.ib.errors import ProtocolError
from pyfutures.ib.wire import GatewayConnection, Hello
from tests.ib.client.virtual import VirtualClock

WELCOME = "20240326 14:30:00 Greenwich Mean Time"


class Session:
    """One connection of a client."""

    def __init__(self, gateway, reader, writer):
        self.gateway = gateway
        self.reader = reader
        self.writer = writer
        self.wire = GatewayConnection(gateway.version)
        self.heard = []
        self.bytes_left = gateway.cuts.pop(0) if gateway.cuts else None
        self.is_cut = False
        self.started = False
        self.client_id = None

    def send(self, *messages):
        for message in messages:
            self.write(self.wire.send(message))

    def write(self, data):
        if self.is_cut:
            return
        if self.bytes_left is not None:
            data, cut = data[: self.bytes_left], len(data) >= self.bytes_left
            self.bytes_left -= len(data)
            self.writer.write(data)
            if cut:
                self.cut()
            return
        self.writer.write(data)

    def cut(self):
        """End the connection: what was written still arrives."""
        self.is_cut = True
        self.writer.close()

    def refuse(self, request, code, text):
        self.send(m.ErrorMessage(request.request_id, code, text))

    async def serve(self):
        while data := await self.reader.read(65536):
            try:
                events = self.wire.receive(data)
            except ProtocolError:
                break
            for event in events:
                if isinstance(event, Hello):
                    if not self.gateway.answers:
                        continue
                    self.write(self.wire.welcome(WELCOME))
                    self.take(self.wire.receive(b""))
                else:
                    self.take([event])
        self.is_cut = True

    def take(self, requests):
        for request in requests:
            self.heard.append(request)
            self.gateway.log.append(request)
            handler = self.gateway.handlers.get(type(request))
            if handler is not None:
                handler(self, request)


class Gateway:
    """Listens, and answers by a table of handlers."""

    def __init__(self, version=176):
        self.version = version
        self.handlers = {
            m.StartApi: self.begin,
            m.RequestCurrentTime: self.tell_time,
            m.RequestOpenOrders: lambda s, _: s.send(m.OpenOrderEnd()),
            m.RequestCompletedOrders: lambda s, _: s.send(m.CompletedOrdersEnd()),
            m.RequestExecutions: lambda s, r: s.send(m.ExecutionDetailsEnd(r.request_id)),
        }
        self.sessions = []
        self.log = []
        self.cuts = []
        self.answers = True
        self.next_id = 7
        self.accounts = "DU1234567,"
        self.notices = [
            m.ErrorMessage(-1, 2104, "Market data farm connection is OK:usfuture"),
            m.ErrorMessage(-1, 2106, "HMDS data farm connection is OK:ushmds"),
        ]
        self.clock = VirtualClock()
        self.refusals = 0  # how many sessions are told that the client id is in use
        self._server = None
        self._tasks = set()

    def on(self, kind):
        """Have the decorated function answer requests of a kind."""

        def take(handler):
            self.handlers[kind] = handler
            return handler

        return take

    def begin(self, session, request):
        session.client_id = request.client_id
        if self.refusals > 0:
            self.refusals -= 1
            session.send(
                m.ErrorMessage(
                    -1, 326, "Unable to connect as the client id is already in use. Retry with a "
                    "unique client id.",
                )
            )  # fmt: skip
            session.cut()
            return
        session.send(m.ManagedAccounts(self.accounts), m.NextValidId(self.next_id), *self.notices)
        session.started = True

    def tell_time(self, session, _):
        session.send(m.CurrentTime(int(self.clock.now().timestamp())))

    def notice(self, code, text="", request_id=-1):
        self.live.send(m.ErrorMessage(request_id, code, text))

    @property
    def live(self):
        """The present session."""
        return self.sessions[-1]

    def heard(self, kind):
        return [request for request in self.log if type(request) is kind]

    @property
    def port(self):
        return self._server.sockets[0].getsockname()[1]

    async def start(self, port=0):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)

    async def _accept(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        session = Session(self, reader, writer)
        self.sessions.append(session)
        try:
            await session.serve()
        except OSError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def stop(self):
        self._server.close()
        for session in self.sessions:
            session.writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()


@contextlib.asynccontextmanager
async def gateway_running(version=176):
    gateway = Gateway(version)
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


@contextlib.asynccontextmanager
async def both(version=176, *, setup=None, **settings):
    """Yield a gateway and a client with a ready session."""
    async with gateway_running(version) as gateway:
        if setup is not None:
            setup(gateway)
        client = Client(config(gateway, **settings), clock=VirtualClock())
        async with client:
            yield gateway, client


def config(gateway, **settings):
    return ClientConfig(port=gateway.port, **settings)


async def settle(seconds=0.0):
    """Let everything happen that happens by itself, and some time pass."""
    await asyncio.sleep(seconds + 1e-6)
    for _ in range(5):
        await asyncio.sleep(0.0001)
