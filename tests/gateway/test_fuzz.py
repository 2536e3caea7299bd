"""Frames that nobody should send: the gateway answers with errors, or hangs up, and lives on."""

from __future__ import annotations

import asyncio
import contextlib
import random
from decimal import Decimal

import pytest

from pyfutures.gateway.core import Gateway
from pyfutures.gateway.market import SLOT_NS
from pyfutures.ib import messages as m
from pyfutures.ib.codec import Codec, Role
from pyfutures.ib.framing import frame
from pyfutures.ib.messages.base import Response
from tests.gateway.tools import Raw, config, contract, gateway, order, universe

WORDS = [
    "", "0", "1", "-1", "2", "7", "2147483647", "-2147483648", "99999999999999999999", "1e308",
    "1.7976931348623157E308", "nan", "inf", "-inf", "Infinity", "None", "\ud83d\ude00".encode(
        "utf-16", "surrogatepass").decode("utf-16"), "FUT", "BAG", "CONTFUT", "ES", "CME", "LMT",
    "TRAIL", "GTD", "20250701-12:00:00", "99991231-23:59:59", "00000000-00:00:00", "1 D", "9999 Y",
    "1 min", "1 secs", "TRADES", "BID_ASK", "SCHEDULE", "BUY", "x" * 5000, "\\u0000", "%s%n",
]  # fmt: skip


def _seeds(named):
    """One good request of every kind that the gateway serves."""
    legs = (m.ComboLeg(named.con_id, 1, "BUY", "CME"), m.ComboLeg(5, 1, "SELL", "CME"))
    bag = m.Contract(symbol="ES", sec_type="BAG", exchange="CME", currency="USD", legs=legs)
    return [
        m.RequestContractDetails(1, m.Contract(symbol="ES", sec_type="FUT", exchange="CME")),
        m.RequestHistoricalBars(2, named, "", "1 hour", "1 D"),
        m.RequestHistoricalBars(3, named, "", "5 secs", "60 S", keep_up_to_date=True),
        m.RequestHistoricalTicks(4, named, "20250701-13:00:00", "", 10),
        m.RequestHeadTimestamp(5, named),
        m.RequestMarketData(6, named, "233"),
        m.RequestMarketData(7, bag),
        m.RequestTickByTick(8, named, "BidAsk"),
        m.RequestRealTimeBars(9, named),
        m.PlaceOrder(10, named, order("BUY", 1, "LMT", 4000.0)),
        m.PlaceOrder(11, bag, order("BUY", 1)),
        m.PlaceOrder(12, named, order("SELL", 1, "TRAIL", aux=2.0)),
        m.CancelOrder(10),
        m.RequestExecutions(13),
        m.RequestAccountSummary(14, "All", "NetLiquidation"),
        m.RequestAccountUpdates(subscribe=True),
        m.RequestPositionsMulti(15, ""),
        m.RequestPnlSingle(16, "", "", named.con_id),
        m.RequestMarketRule(17),
        m.RequestMarketDataType(3),
        m.CancelHistoricalBars(3),
        m.RequestCompletedOrders(),
        m.RequestAllOpenOrders(),
        m.StartApi(1),
    ]


def mutated(rng, fields):
    """A list of fields with some of them changed, lost, doubled or swapped."""
    fields = list(fields)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(fields))
        kind = rng.randrange(6)
        if kind <= 2:
            fields[at] = rng.choice(WORDS)
        elif kind == 3 and len(fields) > 1:
            del fields[at]
        elif kind == 4:
            fields.insert(at, rng.choice(fields))
        else:
            text = fields[at]
            place = rng.randint(0, len(text))
            fields[at] = text[:place] + chr(rng.randint(1, 255)) + text[place:]
    return fields


class Deaf:
    """Takes what is said, and checks that it can be said."""

    def __init__(self, version):
        self.codec = Codec(version, Role.GATEWAY)
        self.count = 0

    def send(self, response):
        assert isinstance(response, Response)
        self.codec.encode(response)
        self.count += 1

    def cut(self, after=0):
        raise AssertionError(f"cut off after {after} bytes")


@pytest.mark.parametrize(("version", "seed"), [(157, 1), (176, 2), (176, 3), (200, 4)])
def test_mutated_requests(version, seed):
    """A thousand of them, with time going on, on the gateway without a socket."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    gw = Gateway(config(version=version, limits=None, cash=Decimal(10**9)), universe=universe())
    item = gw.universe.of("ES", next(i.month for i in gw.universe.match(
        m.Contract(symbol="ES", sec_type="FUT", exchange="CME"), gw.timeline.now)))  # fmt: skip
    client, server = Codec(version, Role.CLIENT), Codec(version, Role.GATEWAY)
    seeds = [client.write(request) for request in _seeds(item.spelled())]
    sink = Deaf(version)
    session = gw.connect(version, sink)
    session.receive(m.StartApi(1))
    for number in range(1000):
        fields = mutated(rng, rng.choice(seeds))
        body = ("\0".join(fields) + "\0").encode("utf-8", "replace")
        session.receive(server.try_decode(body))
        if number % 50 == 0:
            gw.timeline.run_until(gw.timeline.now + 3 * SLOT_NS)
    assert gw.bugs == []
    assert not session.closed
    assert sink.count > 1000
    assert len(gw.feeds) < 400


def test_mutated_frames_over_tcp():
    """Broken lengths and bodies: that connection may end, the others and the gateway do not."""
    rng = random.Random(5)  # noqa: S311 - not for secrets

    async def main():
        async with gateway(limits=None) as server:
            good = await Raw.connect(server, 99)
            seeds = [good.connection.codec.write(r) for r in _seeds(contract(server))]
            raw, answers = None, 0
            for number in range(1500):
                if raw is None:
                    raw = await Raw.connect(server, number % 30)
                body = ("\0".join(mutated(rng, rng.choice(seeds))) + "\0").encode()
                data = bytearray(frame(body))
                if number % 20 == 19:  # the length too: then all that follows is lost
                    data[rng.randrange(4)] = rng.randrange(256)
                raw.write(bytes(data))
                if number % 25 == 24:
                    raw.writer.write_eof()  # so that all of it is read
                    with contextlib.suppress(ConnectionError):
                        answers += len(await asyncio.wait_for(raw.reader.read(), 5))
                    await raw.close()
                    raw = None
                    await good.sync()
                    await server.advance(5)
            assert server.connections == 1
            assert (
                answers > 1_000
            )  # bytes: how many answers fit before a cut depends on the machine
            await good.sync()
            await good.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "opening",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"API\0" + b"\xff\xff\xff\xff",
        b"API\0" + frame(b"v1..99999"),
        b"API\0" + frame(b"hello"),
        b"API\0" + frame(b"v176..176 " + b"x" * 2000),
        b"\0" * 64,
        b"API",
    ],
)
def test_openings_that_are_none(opening):
    async def main():
        async with gateway() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(opening)
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
            await writer.wait_closed()
            raw = await Raw.connect(server)
            await raw.close()

    asyncio.run(main())
