"""A gateway whose clock stands still, and a raw client over real TCP."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from decimal import Decimal
from functools import cache

from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.contracts import Universe
from pyfutures.gateway.server import GatewayServer
from pyfutures.ib import messages as m
from pyfutures.ib.versions import Versions
from pyfutures.ib.wire import ClientConnection, Welcome

ROOTS = ("ES", "CL", "ZC", "FDAX", "VX", "DC")
#: A Tuesday, 09:00 in Chicago: everything above trades.
START = dt.datetime(2025, 7, 1, 14, tzinfo=dt.UTC)
PATIENCE = 5  # seconds; a test that waits for it has failed


@cache
def universe(roots=ROOTS, seed=0, *, variants=True):
    return Universe.load(GatewayConfig(roots=roots, seed=seed, variants=variants))


def config(**settings):
    return GatewayConfig(**{"roots": ROOTS, "start": START, **settings})


@contextlib.asynccontextmanager
async def gateway(*, fresh=False, **settings):
    chosen = config(**settings)
    shared = None if fresh else universe(chosen.roots, chosen.seed, variants=chosen.variants)
    async with GatewayServer(chosen, universe=shared) as server:
        yield server
        assert not server.gateway.bugs


class Raw:
    """A client that says what it is told to and keeps all that it hears."""

    def __init__(self, reader, writer, versions):
        self.reader = reader
        self.writer = writer
        self.connection = ClientConnection(versions)
        self.heard = []
        self.bytes = 0
        self.closed = False
        self._fresh = 0

    @classmethod
    async def connect(cls, server, client_id=1, *, version=176, lowest=None, start=True):
        streams = await asyncio.open_connection("127.0.0.1", server.port)
        raw = cls(*streams, Versions(lowest or version, version))
        raw.write(raw.connection.hello())
        if start:
            await raw.until(Welcome)
            raw.send(m.StartApi(client_id))
            said = await raw.until(m.NextValidId, m.ErrorMessage)
            if isinstance(said[-1], m.NextValidId):
                await raw.sync()  # the notices of the farms
        return raw

    def write(self, data):
        self.writer.write(data)

    def send(self, *requests):
        for request in requests:
            self.write(self.connection.send(request))

    async def read(self):
        """Take in what comes next; whether the connection is still open."""
        data = await asyncio.wait_for(self.reader.read(65536), PATIENCE)
        self.bytes += len(data)
        if not data:
            self.closed = True
            return False
        self.heard += self.connection.receive(data)
        return True

    async def until(self, *kinds, count=1):
        """Return the messages since the last call, up to the one that was waited for."""
        while True:
            found = 0
            for at in range(self._fresh, len(self.heard)):
                found += isinstance(self.heard[at], kinds)
                if found == count:
                    start, self._fresh = self._fresh, at + 1
                    return self.heard[start : at + 1]
            if not await self.read():
                raise EOFError(f"the gateway hung up; heard {self.heard[self._fresh :]}")

    async def ask(self, request, *kinds):
        """Send a request and return the first answer of these kinds, an error if it is that."""
        self.send(request)
        return (await self.until(*kinds, m.ErrorMessage))[-1]

    async def sync(self):
        """Return all that was said until now; what was sent has been served then."""
        self.send(m.RequestCurrentTime())
        return (await self.until(m.CurrentTime))[:-1]

    async def eof(self):
        """Read to the end and return what came."""
        with contextlib.suppress(ConnectionError):
            while await self.read():
                pass
        await self.close()
        start, self._fresh = self._fresh, len(self.heard)
        return self.heard[start:]

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def connected(client_id=1, *, version=176, fresh=False, **settings):
    """A gateway and a client of it, started."""
    async with gateway(fresh=fresh, version=version, **settings) as server:
        raw = await Raw.connect(server, client_id, version=version)
        yield server, raw
        await raw.close()


def of(kind, messages):
    return [message for message in messages if isinstance(message, kind)]


def errors(messages):
    return [message.code for message in messages if isinstance(message, m.ErrorMessage)]


def contract(server, root="ES", month=None, **more):
    """The contract of a root and month as a request names it; by default the first one."""
    gw = server.gateway
    if month is None:
        items = [i for i in gw.universe.instruments() if i.product.root == root]
        items = [i for i in items if not i.is_expired(gw.timeline.now)]
        item = min(items, key=lambda i: i.last_ns)
    else:
        item = gw.universe.of(root, month)
    return m.Contract(
        con_id=item.con_id, symbol=item.symbol, sec_type="FUT", exchange=item.exchange,
        currency=item.currency, local_symbol=item.local_symbol, **more,
    )  # fmt: skip


def instrument(server, named):
    return server.gateway.universe.by_id(named.con_id)


def quote(server, named):
    return server.gateway.market.quote(instrument(server, named), server.gateway.timeline.now)


def order(action="BUY", quantity=1, kind="MKT", limit=None, aux=None, **more):
    return m.Order(
        action=action, quantity=Decimal(quantity), type=kind, limit_price=limit, aux_price=aux,
        **more,
    )  # fmt: skip
