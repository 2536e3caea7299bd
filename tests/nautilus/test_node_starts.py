"""A node whose gateway is no gateway, is not there, or refuses it; one that is told to stop early.

Each says why in one sentence and within its time; nothing of it is left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from pathlib import Path

import pytest

from pyfutures.nautilus.link import links_of
from pyfutures.nautilus.node import NodeStartError, run_node
from pyfutures.nautilus.node_file import read_node
from tests.gateway.tools import Raw, gateway
from tests.nautilus.test_node import CLIENTS, PART, TIMES, process, written
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW
ES = ("ES",)
OPEN = Path("/proc/self/fd")


def left():
    """The tasks of this loop but for this one and nautilus' own."""
    return [
        task
        for task in asyncio.all_tasks() - {asyncio.current_task()}
        if task.get_coro().__qualname__ != "ActorExecutor._worker"
    ]


@contextlib.asynccontextmanager
async def listening(talk):
    """Something that is no gateway; the port."""

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def http(reader, writer):
    await reader.read(4)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def silent(reader, _):
    await reader.read()


async def hangs_up(reader, _):
    await reader.read(4)


@contextlib.asynccontextmanager
async def old():
    async with gateway(roots=ES, version=157) as server:
        yield server.port


@contextlib.asynccontextmanager
async def in_use():
    async with gateway(roots=ES) as server:
        raw = await Raw.connect(server, 1)
        yield server.port
        await raw.close()


@contextlib.asynccontextmanager
async def of_another():
    async with gateway(roots=ES, accounts=("DU7654321",)) as server:
        yield server.port


@contextlib.asynccontextmanager
async def mute_about(kind, skip=0):
    async with gateway(roots=ES) as server:
        server.gateway.faults.when(kind, "drop", skip=skip, times=None)
        yield server.port


STARTS = {
    "http": (lambda: listening(http), "no session with .*: what listens there is no gateway"),
    "silent": (lambda: listening(silent), "nothing at .* answers as a gateway does; is it the por"),
    "hangs up": (lambda: listening(hangs_up), "the gateway hung up in the handshake"),
    "old version": (old, r"hung up in the handshake; .* no server version of v176\.\.200"),
    "client id in use": (in_use, "client id 1 is in use at 127.0.0.1"),
    "another's account": (of_another, r"account_id DU\*\*\*67: the login has the accounts DU\*+21"),
    "silent for longer": (
        lambda: listening(silent),
        r"not every client connected within 1\.5 s: client PYF waits for a session with 127.0.0.1",
    ),
    "no contracts": (
        lambda: mute_about("ContractDetailsEnd"),
        r"not every client connected within 1\.5 s: client PYF waits for the contracts of the inst",
    ),
    "no orders": (
        lambda: mute_about("OpenOrderEnd", skip=1),
        "client PYF has no reports of orders and positions: open orders: no answer within 0.7 s",
    ),
}


@pytest.mark.parametrize("name", STARTS)
def test_why_a_node_does_not_start(tmp_path, name):
    there, words = STARTS[name]

    async def main():
        async with there() as port:
            patience = 9 if "longer" in name else 1
            path = written(tmp_path, TIMES, CLIENTS, port=port, patience=patience)
            text = path.read_text("utf-8").replace(
                "timeout_connection: 10", "timeout_connection: 1.5"
            )
            path.write_text(text.replace("client:", "").replace(
                "connection_timeout: 1.0", "connection_timeout: 1.0\n      request_timeout: 0.7"
            ), "utf-8")  # fmt: skip
            with pytest.raises(NodeStartError, match=words):
                await asyncio.wait_for(run_node(read_node(path)), 10)
        assert left() == []
        assert links_of(asyncio.get_running_loop()) == ()

    asyncio.run(main())


def test_a_process_says_it_in_words_and_its_log_has_what_the_client_saw(tmp_path):
    async def main():
        async with listening(http) as port:
            times = TIMES.replace(
                'log_level: "OFF"',
                f'log_level: "OFF", log_level_file: WARNING, log_directory: {tmp_path},'
                " log_file_name: node",
            )
            path = written(tmp_path, times, CLIENTS, port=port, patience=2)
            async with process(path) as child:
                _, errors = await asyncio.wait_for(child.communicate(), 60)
                return child.returncode, errors.decode()

    code, errors = asyncio.run(main())
    assert code == 1
    assert "pyfutures: the node did not start: client PYF did not connect: no session" in errors
    assert "Traceback" not in errors
    (log,) = tmp_path.glob("node*.log")
    assert "PYF-IB: no session: a frame of" in log.read_text("utf-8")


@pytest.mark.parametrize("kind", ["OpenOrderEnd", "PositionEnd", "ExecutionDetailsEnd"])
@pytest.mark.parametrize("skip", [0, 1], ids=["connecting", "reconciling"])
def test_a_node_that_is_stopped_while_it_starts_stops(tmp_path, kind, skip):
    async def main():
        async with gateway(roots=ES) as server:
            stop = asyncio.Event()
            server.gateway.faults.when(kind, "drop", skip=skip, times=None)
            path = written(tmp_path, TIMES, CLIENTS, port=server.port)
            made = []
            run = asyncio.create_task(run_node(read_node(path), stop=stop, made=made.append))
            while not made:
                await asyncio.sleep(0.01)
            engine = made[0].kernel.exec_engine
            while not server.connections or (skip and not engine.check_connected()):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)  # until it asks what is not answered
            assert not made[0].trader.is_running
            stop.set()
            await asyncio.wait_for(run, 5)
            assert left() == []
            while server.connections:
                await asyncio.sleep(0.01)

    asyncio.run(main())


def cycles(folder, count):
    """Run and dispose of a node `count` times; return what was there after each."""
    found = []

    async def once(nodes):
        async with gateway(roots=ES) as server:
            path = written(folder, TIMES, CLIENTS, PART, port=server.port, config='note: ""')
            stop = asyncio.Event()
            await run_node(
                read_node(path), stop=stop, started=lambda _: stop.set(), made=nodes.append
            )
            assert left() == []

    for _ in range(count):
        nodes = []
        with asyncio.Runner() as runner:
            runner.run(once(nodes))
        for node in nodes:
            node.dispose()
        gc.collect()
        found.append((threading.active_count(), len(list(OPEN.iterdir()))))
    return found


@pytest.mark.skipif(not OPEN.exists(), reason="open files are counted there")
def test_nothing_is_left_of_nodes_that_ran_one_after_the_other(tmp_path):
    first, *others = cycles(tmp_path, 4)
    assert others == [first] * 3
