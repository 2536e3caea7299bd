"""The port: opening, versions, ids in use, cuts, limits."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise

import pytest

from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.server import GatewayServer
from pyfutures.ib import messages as m
from pyfutures.ib.errors import ProtocolError
from pyfutures.ib.framing import frame
from pyfutures.ib.pacing import Limits
from pyfutures.ib.wire import Welcome
from tests.gateway.tools import (
    ROOTS,
    START,
    Raw,
    config,
    connected,
    contract,
    errors,
    gateway,
    of,
    order,
    universe,
)


@pytest.mark.parametrize(
    ("ceiling", "offer", "chosen"),
    [
        (176, "v157..178", 176),  # ib_async
        (176, "v100..223", 176),  # the official client
        (200, "v100..223", 200),
        (178, "v157..178", 178),
        (176, "v176..176", 176),
        (157, "v100..157", 157),
        (176, "v213..221", None),  # protobuf only
        (176, "v100..156", None),
        (176, "v177..200", None),
    ],
)
def test_versions(ceiling, offer, chosen):
    async def main():
        async with gateway(version=ceiling) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"API\0" + frame(offer.encode()))
            answer = await asyncio.wait_for(reader.read(100), 5)
            if chosen is None:
                assert answer == b""
            else:
                text = f"{chosen}\x0020250701 14:00:00 Greenwich Mean Time\0"
                assert answer == frame(text.encode())
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())


def test_nothing_is_said_between_the_welcome_and_the_start():
    async def main():
        async with gateway() as server:
            raw = await Raw.connect(server, start=False)
            await raw.until(Welcome)
            raw.send(m.RequestCurrentTime(), m.RequestPositions())
            await server.settle()
            raw.send(m.StartApi(1))
            said = await raw.until(m.NextValidId)
            assert said == [m.ManagedAccounts("DU1234567"), m.NextValidId(1)]
            assert errors(await raw.sync()) == [2104, 2104, 2106, 2158]
            await raw.close()

    asyncio.run(main())


def test_hello_and_start_may_come_in_one_piece_or_byte_by_byte():
    async def main():
        async with gateway() as server:
            raw = await Raw.connect(server, start=False)
            await raw.until(Welcome)
            for byte in raw.connection.send(m.StartApi(4)):
                raw.write(bytes([byte]))
                await asyncio.sleep(0)
            await raw.until(m.NextValidId)
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            other = Raw(reader, writer, raw.connection.versions)
            other.write(other.connection.hello() + other.connection.send(m.StartApi(5)))
            await other.until(m.NextValidId)
            assert set(server.gateway.sessions) == {4, 5}
            await raw.close()
            await other.close()

    asyncio.run(main())


def test_a_client_id_in_use_is_326_and_hung_up_on():
    async def main():
        async with gateway() as server:
            first = await Raw.connect(server, 7)
            second = await Raw.connect(server, 7)
            assert errors(second.heard[1:]) == [326]
            assert await second.eof() == []
            await first.close()
            await server.settle()
            while 7 in server.gateway.sessions:
                await asyncio.sleep(0.001)
            third = await Raw.connect(server, 7)
            assert of(m.NextValidId, third.heard)
            await third.close()

    asyncio.run(main())


def test_thirty_two_clients_and_no_more():
    async def main():
        async with gateway() as server:
            clients = [await Raw.connect(server, number) for number in range(33)]
            assert errors(clients[-1].heard[1:]) == [326]
            assert len(server.gateway.sessions) == 32
            for client in clients:
                await client.close()

    asyncio.run(main())


def test_a_burst_is_100_and_the_third_one_ends_the_connection():
    async def main():
        async with connected(limits=Limits(messages=50, reserved=0)) as (server, raw):
            await server.advance(1)
            for _ in range(2):
                for _ in range(60):
                    raw.send(m.RequestIds())
                said = await raw.until(m.ErrorMessage, count=10)
                assert errors(said) == [100] * 10
                assert len(of(m.NextValidId, said)) == 50
                await server.advance(1)
            for _ in range(51):
                raw.send(m.RequestIds())
            said = await raw.eof()
            assert errors(said)[-1] == 100
            assert raw.closed

    asyncio.run(main())


def test_without_limits_nobody_counts():
    async def main():
        async with connected(limits=None) as (_, raw):
            for _ in range(300):
                raw.send(m.RequestIds())
            assert len(of(m.NextValidId, await raw.sync())) == 300

    asyncio.run(main())


def test_orders_positions_and_executions_outlive_the_connection():
    async def main():
        async with gateway() as server:
            raw = await Raw.connect(server, 1)
            named = contract(server)
            raw.send(m.PlaceOrder(1, named, order("BUY", 2)))
            await raw.until(m.CommissionReport)
            raw.send(m.PlaceOrder(2, named, order("BUY", 1, "LMT", 1000.0)))
            await raw.sync()
            await raw.close()
            while server.connections:
                await asyncio.sleep(0.001)
            again = await Raw.connect(server, 1)
            assert of(m.NextValidId, again.heard) == [m.NextValidId(3)]
            assert await again.ask(m.RequestPositions(), m.Position)
            fill = await again.ask(m.RequestExecutions(9), m.ExecutionDetails)
            assert (fill.request_id, fill.execution.shares) == (9, 2)
            again.send(m.RequestOpenOrders())
            (resting,) = of(m.OpenOrder, await again.until(m.OpenOrderEnd))
            assert resting.order_id == 2
            await again.close()

    asyncio.run(main())


def test_a_frame_that_cannot_be_ends_that_connection_only():
    async def main():
        async with gateway() as server:
            good = await Raw.connect(server, 1)
            bad = await Raw.connect(server, 2)
            bad.write(b"\xff\xff\xff\xff")
            await bad.eof()
            assert bad.closed
            assert errors(await good.sync()) == []
            await good.close()

    asyncio.run(main())


def test_a_message_that_cannot_be_read_is_320_and_costs_nothing_else():
    async def main():
        async with connected() as (_, raw):
            raw.write(frame(b"9\x008\x00seven\x00"))
            raw.write(frame(b"no end"))
            raw.write(frame(b"999\x001\x00"))
            assert errors(await raw.sync()) == [320, 320, 320]
            assert errors(await raw.sync()) == []

    asyncio.run(main())


def test_time_runs_where_a_speed_is_given():
    async def main():
        settings = config()
        async with GatewayServer(settings, universe=universe(), speed=3600) as server:
            raw = await Raw.connect(server, 1)
            named = contract(server)
            raw.send(m.RequestRealTimeBars(1, named))
            bars = of(m.RealTimeBar, await raw.until(m.RealTimeBar, count=30))
            assert [later.time - bar.time for bar, later in pairwise(bars)] == [5] * 29
            assert server.now > START
            await raw.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"version": 201}, "server version 201: 157 to 200"),
        ({"start": START.replace(tzinfo=None)}, "has no zone"),
        ({"accounts": ()}, "at least one account"),
    ],
)
def test_settings_that_cannot_be(settings, said):
    with pytest.raises(ValueError, match=said):
        GatewayConfig(roots=ROOTS, **settings)


def test_a_port_that_is_taken_is_said_by_the_system():
    async def main():
        async with gateway() as server:
            other = GatewayServer(config(), port=server.port, universe=universe())
            with pytest.raises(OSError, match="address already in use"):
                await other.__aenter__()

    asyncio.run(main())


def test_the_sinks_of_a_client_that_is_gone_take_nothing():
    async def main():
        async with connected() as (server, raw):
            raw.send(m.RequestTickByTick(1, contract(server), "BidAsk"))
            await raw.sync()
            raw.writer.transport.abort()
            with contextlib.suppress(ProtocolError, TimeoutError):
                while server.connections:
                    await asyncio.sleep(0.001)
            assert len(server.gateway.feeds) == 0
            await server.advance(60)

    asyncio.run(main())


def test_a_client_that_does_not_read_does_not_keep_the_gateway_from_closing():
    async def main():
        async with asyncio.timeout(30):  # it hung for ever
            async with gateway(limits=None) as server:
                raw = await Raw.connect(server)
                raw.writer.transport.pause_reading()
                named = contract(server)
                raw.send(
                    *(m.RequestHistoricalBars(n, named, "", "1 min", "5 D") for n in range(60))
                )
                (session,) = server.gateway.clients()
                while not session.sink.writer.transport.get_write_buffer_size():
                    await asyncio.sleep(0.01)
            raw.writer.transport.abort()

    asyncio.run(main())
