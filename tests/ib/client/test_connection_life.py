"""The life of the connection: what gateways do to it, and that the client comes back from it."""

from __future__ import annotations

import asyncio
import datetime as dt
from itertools import pairwise

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.client import Client
from pyfutures.ib.config import Backoff
from pyfutures.ib.errors import EncodeError, HandshakeError
from pyfutures.ib.events import ClientEventKind
from pyfutures.ib.failures import (
    ClientClosedError,
    ClientIdInUseError,
    ConnectError,
    ConnectionLostError,
    LineDownError,
    NotConnectedError,
)
from pyfutures.ib.schedule import Schedule, Window
from pyfutures.ib.supervisor import Phase
from pyfutures.ib.versions import Versions
from tests.ib.client.server import Gateway, both, config, gateway_running, settle
from tests.ib.client.virtual import START, VirtualClock, run

ES = m.Contract(con_id=1, symbol="ES", sec_type="FUT", exchange="CME", currency="USD")


def phases(events):
    return [event.phase for event in events if event.kind is ClientEventKind.PHASE]


def now():
    return asyncio.get_running_loop().time()


def test_a_client_goes_through_the_phases_and_leaves_nothing_behind():
    async def main():
        async with gateway_running() as gateway:
            events = []
            client = Client(config(gateway), clock=VirtualClock())
            client.events(callback=events.append)
            async with client:
                assert client.is_ready
                await settle()
                assert client.farms.states
            assert phases(events) == [
                Phase.CONNECTING, Phase.STARTING, Phase.READY, Phase.CLOSED,
            ]  # fmt: skip
            assert gateway.log == [m.StartApi(1, "")]

    run(main)


def test_nobody_listens():
    async def main():
        async with gateway_running() as gateway:
            port = gateway.port
        client = Client(config(gateway_at(port)), clock=VirtualClock())
        with pytest.raises(ConnectError, match=f"cannot connect to 127.0.0.1:{port}"):
            await client.start(deadline=30)
        assert client.phase is Phase.CLOSED

    run(main)


def gateway_at(port):
    class At:
        pass

    at = At()
    at.port = port
    return at


def test_a_gateway_that_starts_late_is_found():
    async def main():
        async with gateway_running() as gateway:
            port = gateway.port
        client = Client(config(gateway_at(port)), clock=VirtualClock())
        late = Gateway()

        async def later():
            await asyncio.sleep(3600)
            await late.start(port)

        starting = asyncio.create_task(later())
        await client.start(deadline=None)
        assert 3600 <= now() <= 3600 + 61
        await starting
        await client.close()
        await late.stop()

    run(main)


def test_a_handshake_that_is_never_answered():
    async def main():
        async with gateway_running() as gateway:
            gateway.answers = False
            client = Client(config(gateway), clock=VirtualClock())
            with pytest.raises(ConnectError, match="wait for somebody to log in"):
                await client.start(deadline=60)
            assert len(gateway.sessions) >= 3
            assert now() == pytest.approx(60)

    run(main)


def test_a_weekly_login_is_waited_for_by_hours():
    async def main():
        async with both() as (gateway, client):
            gateway.answers = False
            gateway.live.cut()
            await asyncio.sleep(9 * 3600)
            assert client.phase is not Phase.READY
            gateway.answers = True
            await asyncio.sleep(71)
            assert client.is_ready
            assert client.sessions == 2

    run(main)


def test_a_start_without_accounts_is_no_session():
    async def main():
        async with gateway_running() as gateway:
            gateway.accounts = ""
            client = Client(config(gateway), clock=VirtualClock())
            with pytest.raises(ConnectError, match="no accounts and no order id"):
                await client.start(deadline=50)

    run(main)


def test_a_version_that_is_not_offered_is_told_at_once():
    async def main():
        async with gateway_running(178) as gateway:
            offered = config(gateway, versions=Versions(176, 176))
            async with Client(offered, clock=VirtualClock()) as client:
                assert client.version == 176

        # A gateway that answers with a version of its own.
        async def serve(reader, writer):
            await reader.read(100)
            writer.write(b"\x00\x00\x00\x0a150\x00now!!\x00")
            await reader.read(100)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Client(config(gateway_at(port)), clock=VirtualClock())
        with pytest.raises(HandshakeError, match="150"):
            await client.start(deadline=500)
        assert now() < 1
        server.close()
        await server.wait_closed()
        await settle()

    run(main)


def test_pain_03_client_id_in_use_is_typed_and_retried_on_the_same_id():
    async def main():
        async with gateway_running() as gateway:
            gateway.refusals = 3
            events = []
            client = Client(config(gateway, client_id=5), clock=VirtualClock())
            client.events(callback=events.append)
            await client.start()
            causes = [event.cause for event in events if event.phase is Phase.BACKING_OFF]
            assert [type(cause) for cause in causes] == [ClientIdInUseError] * 3
            assert [request.client_id for request in gateway.heard(m.StartApi)] == [5] * 4
            assert now() == pytest.approx(5 + 7.5 + 11.25, abs=0.1)
            await client.close()

    run(main)


def test_pain_03_client_id_that_stays_in_use_is_a_typed_error():
    async def main():
        async with gateway_running() as gateway:
            gateway.refusals = 1000
            client = Client(config(gateway), clock=VirtualClock())
            with pytest.raises(ClientIdInUseError) as caught:
                await client.start(deadline=60)
            assert caught.value.code == 326

    run(main)


def test_pain_04_one_task_whatever_is_called():
    async def main():
        async with both() as (_gateway, client):
            for _ in range(5):
                client.reconnect()
                client.reconnect()
                await settle(70)
            names = [task.get_name() for task in asyncio.all_tasks()]
            assert names.count("pyfutures-ib-session") == 1
            assert names.count("pyfutures-ib-reader") == 1
            assert client.sessions == 6
            with pytest.raises(RuntimeError, match="started already"):
                await client._supervisor.start(1)

    run(main)


@pytest.mark.parametrize("phase", list(Phase))
def test_a_client_can_be_closed_in_any_phase(phase):
    async def main():
        async with gateway_running() as gateway:
            gateway.answers = phase is not Phase.CONNECTING
            if phase is Phase.STARTING:
                gateway.accounts = ""
            if phase is Phase.BACKING_OFF:
                gateway.refusals = 100
            schedule = Schedule()
            if phase is Phase.DISABLED:
                schedule = Schedule((window("14:00", "15:00"),))
            client = Client(config(gateway, schedule=schedule), clock=VirtualClock())
            if phase is Phase.NEW:
                await client.close()
                return
            starting = asyncio.create_task(client.start(deadline=None))
            await settle(0.5)
            if phase is Phase.CLOSED:
                await client.close()
            else:
                assert client.phase is phase
            await client.close()
            await client.close()
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)

    run(main)


def test_a_half_open_socket_is_noticed_by_silence():
    async def main():
        async with both(silence=30, heartbeat_deadline=10) as (gateway, client):
            await settle(29)
            assert gateway.heard(m.RequestCurrentTime) == []
            await settle(2)
            assert len(gateway.heard(m.RequestCurrentTime)) == 1
            await settle(3600)
            assert client.sessions == 1
            gateway.handlers[m.RequestCurrentTime] = lambda *_: None
            await settle(45)
            assert client.sessions == 2
            await settle(3)
            assert client.is_ready

    run(main)


def test_1300_moves_to_the_new_port():
    async def main():
        async with both() as (gateway, client):
            other = Gateway()
            await other.start()
            gateway.notice(
                1300,
                "TWS socket port has been reset and this connection is being dropped. Please "
                f"reconnect on the new port - {other.port}",
            )
            await settle(2)
            assert len(other.sessions) == 1
            assert client.is_ready
            await client.close()
            await other.stop()

    run(main)


def test_1300_to_a_port_where_nobody_is_comes_back_to_the_old_one():
    async def main():
        async with both() as (gateway, client):
            nobody = Gateway()
            await nobody.start()
            port = nobody.port
            await nobody.stop()
            gateway.notice(1300, f"Please reconnect on the new port - {port}")
            await settle(60)
            assert client.is_ready
            assert len(gateway.sessions) == 2

    run(main)


def test_1100_fails_fast_and_1102_goes_on():
    async def main():
        async with both() as (gateway, client):
            gateway.notice(1100, "Connectivity between IB and Trader Workstation has been lost.")
            await settle()
            with pytest.raises(LineDownError) as caught:
                await client.reference.details(ES)
            assert caught.value.code == 1100
            with pytest.raises(LineDownError):
                client.orders.place(ES, m.Order(action="BUY"))
            assert len(gateway.sessions) == 1
            answer(gateway)
            patient = asyncio.create_task(client.reference.details(ES, patience=600))
            await settle(100)
            gateway.notice(1102, "restored - data maintained.")
            assert len(await patient) == 1
            assert client.sessions == 1

    run(main)


def answer(gateway):
    @gateway.on(m.RequestContractDetails)
    def details(session, request):
        session.send(
            m.ContractDetails(request.request_id, ES), m.ContractDetailsEnd(request.request_id)
        )


def test_2110_ends_when_data_flows_again():
    async def main():
        async with both() as (gateway, client):
            line = client.market.line(ES)
            await settle()
            request = gateway.heard(m.RequestMarketData)[0]
            tick = m.TickPrice(request.request_id, 1, 4000.0, None, 0)
            gateway.live.send(tick)
            gateway.notice(2110, "Connectivity between Trader Workstation and server is broken.")
            await settle(10)
            assert not client.is_ready
            gateway.live.send(tick)
            await settle()
            assert client.is_ready
            assert len(line.pending()) == 2

    run(main)


def test_a_line_that_stays_down_is_connected_anew():
    async def main():
        async with both(line_deadline=1800) as (gateway, client):
            gateway.notice(1100, "lost")
            await settle(60)
            gateway.notice(1100, "lost")  # repeated every minute
            await settle(1700)
            assert client.sessions == 1
            await settle(60)
            assert client.sessions == 2
            assert client.is_ready

    run(main)


def window(start, end, **more):
    return Window(
        "test", "UTC", dt.time.fromisoformat(start), dt.time.fromisoformat(end),
        disables=True, **more,
    )  # fmt: skip


def test_the_client_disables_and_enables_itself_by_the_schedule():
    async def main():
        schedule = Schedule((window("15:00", "15:30"),))
        async with both(schedule=schedule) as (gateway, client):
            answer(gateway)
            await settle(29 * 60)  # it started at 14:30
            assert client.phase is Phase.READY
            await settle(2 * 60)
            assert client.phase is Phase.DISABLED
            with pytest.raises(NotConnectedError):
                await client.reference.details(ES)
            found = await client.reference.details(ES, patience=3600)
            assert len(found) == 1
            assert client.clock.now() - START == pytest.approx(
                dt.timedelta(hours=1), abs=dt.timedelta(seconds=2)
            )
            assert client.sessions == 2
            await settle(24 * 3600)
            assert client.sessions == 3

    run(main)


def test_daily_restart_of_the_gateway():
    async def main():
        async with both() as (gateway, client):
            port = gateway.port
            await gateway.stop()
            await settle(150)
            assert client.phase is not Phase.READY
            await gateway.start(port)
            await settle(130)
            assert client.is_ready

    run(main)


def test_a_request_under_way_when_the_line_is_cut():
    async def main():
        async with both() as (gateway, client):
            asking = asyncio.create_task(client.reference.details(ES))
            patient = asyncio.create_task(client.reference.details(ES, patience=60))
            await settle()
            gateway.live.cut()
            await settle()
            with pytest.raises(ConnectionLostError):
                await asking
            answer(gateway)
            assert len(await patient) == 1

    run(main)


def test_all_that_waits_is_told_when_the_client_is_closed():
    async def main():
        async with both() as (_gateway, client):
            asking = asyncio.create_task(client.reference.details(ES, patience=600))
            line = client.market.line(ES)
            reading = asyncio.create_task(anext(line))
            await settle()
            await client.close()
            with pytest.raises(ClientClosedError):
                await asking
            with pytest.raises(ClientClosedError):
                await reading
            with pytest.raises(ClientClosedError):
                await client.reference.details(ES)

    run(main)


def test_the_back_off_grows_and_starts_over():
    async def main():
        async with both(reconnect=Backoff(1, 2, 8)) as (gateway, client):
            times = []

            def remember(event):
                if event.phase is Phase.CONNECTING:
                    times.append(now())

            client.events(callback=remember)
            gateway.cuts = [0] * 6
            gateway.live.cut()
            await settle(120)
            assert client.is_ready
            waits = [round(b - a) for a, b in pairwise(times)]
            assert waits == [2, 4, 8, 8, 8, 8]
            gateway.live.cut()
            before = now()
            await settle(5)
            assert times[-1] - before == pytest.approx(1, abs=0.1)

    run(main)


def test_garbage_in_one_message_costs_that_message():
    async def main():
        async with both() as (gateway, client):
            events = []
            client.events(callback=events.append)
            body = b"3\x00x\x00Submitted\x00"
            gateway.live.write(len(body).to_bytes(4) + body)
            body = b"999\x00what\x00"
            gateway.live.write(len(body).to_bytes(4) + body)
            await settle()
            assert client.faults == 1
            assert [event.kind for event in events] == [ClientEventKind.FAULT]
            assert client.is_ready

    run(main)


def test_garbage_in_the_stream_costs_the_session():
    async def main():
        async with both() as (gateway, client):
            gateway.live.write(b"\xff\xff\xff\xff")
            await settle(2)
            assert client.sessions == 2
            assert client.is_ready

    run(main)


def test_pain_04_a_fault_of_the_client_itself_does_not_end_it(caplog):
    async def main():
        async with both() as (gateway, client):
            opened = client.market.opened

            def fail():
                client.market.opened = opened
                raise KeyError("a bug")

            client.market.opened = fail
            gateway.live.cut()
            await settle(10)
            assert client.is_ready
            assert client.sessions == 3
            assert "fault of the client" in caplog.text

    run(main)


def test_what_is_subscribed_too_late_or_cannot_be_said():
    async def main():
        async with both() as (_, client):
            with pytest.raises(EncodeError):
                client.market.line(m.Contract(symbol="E\0S"))
            assert len(client._feeds) == 0
            await client.close()
            with pytest.raises(ClientClosedError):
                await client.market.line(ES).started()

    run(main)
