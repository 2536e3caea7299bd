"""`pyfutures node run`: files that are wrong, nodes that do not start, nodes that end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyfutures.cli.node import command
from pyfutures.nautilus.node import NodeEndedError, NodeStartError, run_node
from pyfutures.nautilus.node_file import NodeFileError, read_node
from tests.gateway.tools import gateway
from tests.nautilus.tools import UTCNOW

ROOT = Path(__file__).resolve().parents[2]
RUN = "from pyfutures.cli import main; main()"
ACCOUNT = "DU1234567"
TIMES = """
    timeout_connection: 10
    timeout_reconciliation: 5
    timeout_portfolio: 5
    timeout_disconnection: 3
    timeout_post_stop: 0.1
    logging: {log_level: "OFF", print_config: false}
    exec_engine: {reconciliation_startup_delay_secs: 0.1}
"""
CLIENTS = """
    data_clients:
      PYF:
        path: pyfutures.nautilus.config:FuturesDataClientConfig
        factory: {path: pyfutures.nautilus.factories:FuturesLiveDataClientFactory}
        config: &client
          port: PORT
          connection_timeout: PATIENCE
          instrument_provider: {roots: [ES]}
          routing: {default: true}
    exec_clients:
      PYF:
        path: pyfutures.nautilus.config:FuturesExecClientConfig
        factory: {path: pyfutures.nautilus.factories:FuturesLiveExecClientFactory}
        config:
          port: PORT
          connection_timeout: PATIENCE
          instrument_provider: {roots: [ES]}
          routing: {default: true}
          account_id: DU1234567
""".replace("&client", "")
PART = """
    actors:
      - actor_path: tests.nautilus.node_parts:Part
        config_path: tests.nautilus.node_parts:PartConfig
        config: {CONFIG}
"""


def written(folder, *parts, port=0, patience=5, config=""):
    text = "trader_id: TESTER-001\n" + "".join(textwrap.dedent(part) for part in parts)
    text = text.replace("PORT", str(port)).replace("PATIENCE", f"{patience}.0")
    path = folder / "node.yaml"
    path.write_text(text.replace("CONFIG", config), "utf-8")
    return path


# Files.

GOOD_CLIENT = (
    "path: pyfutures.nautilus.config:FuturesDataClientConfig, factory: {path:"
    " pyfutures.nautilus.factories:FuturesLiveDataClientFactory}"
)
PART_CLIENT = (
    "actors: [{actor_path: 'tests.nautilus.node_parts:NAME',"
    " config_path: 'tests.nautilus.node_parts:PartConfig', config: {FIELDS}}]"
)
NESTED = f"""data_clients:
  PYF:
    {GOOD_CLIENT.replace(", ", chr(10) + "    ")}
    config:
      instrument_provider:
        months: {{listed: some}}
"""
BAD = [
    # the file, where, what is said, the help
    ("trader_id: [1", "1:12", "PF007", None),
    ("- 1", "1:1", "a node is a mapping of keys to values, not a list", "`key: value`"),
    ("", "1:1", "PF013", "start with `trader_id:`"),
    ("trader: X-1", "1:1", "unknown field `trader`", "did you mean `trader_id`?"),
    ("trader_id: X-1\nexec_engine: {reconcile: true}", "2:15", "unknown field `reconcile`", None),
    ("timeout_connection: soon", "1:21", "expected `float`, got `str`", None),
    ("data_clients: {PYF: {port: 4002}}", "1:21", "needs `path`, `factory` and `config`", "as in"),
    ("data_clients: [PYF]", "1:15", "is a mapping of names", None),
    (f"data_clients: {{PYF: {{{GOOD_CLIENT}, config: {{prot: 1}}}}}}", None,
     "unknown field `prot`", "did you mean `port`?"),
    (NESTED, "7:26", "expected `int`, got `str`", None),
    (f"data_clients: {{PYF: {{{GOOD_CLIENT}}}, PYF-2: {{{GOOD_CLIENT}}}}}", None,
     "`PYF-2` and `PYF` are one client", "`PYF2`, without a hyphen"),
    ("data_clients: {X: {path: 'no.such:Thing', factory: {path: 'os:nothing'}}}", "1:26",
     "`no.such:Thing` is no config", None),
    ("actors: [{actor_path: a}]", "1:10", "needs `actor_path`, `config_path`", None),
    ("actors: {}", "1:9", "`actors` is a list", None),
    (PART_CLIENT.replace("NAME", "Prat").replace("FIELDS", ""), "1:23", "cannot be imported",
     "`package.module:Class`"),
    (PART_CLIENT.replace("NAME", "Part").replace("FIELDS", "faul: 1"), None, "field `faul`",
     "did you mean `fault`?"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "where", "words", "hint"), BAD, ids=[row[2] for row in BAD])
def test_a_fault_of_a_file_has_its_place(tmp_path, text, where, words, hint):
    path = tmp_path / "node.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(NodeFileError) as caught:
        read_node(path)
    first = caught.value.diagnostics[0]
    assert words in str(first)
    if where is not None:
        assert str(first.location) == f"{path}:{where}"
    assert first.location.path == str(path)
    if hint is not None:
        assert hint in first.help


def test_all_faults_are_said_at_once(tmp_path):
    path = tmp_path / "node.yaml"
    path.write_text("data_clients: {A: 1, B: {}}\nactors: [{}]", "utf-8")
    result = CliRunner().invoke(command, ["run", str(path)], obj=())
    assert result.exit_code == 1
    assert [result.stderr.count(text) for text in ("client `A`", "client `B`", "actor_path")] == [
        1, 1, 1,
    ]  # fmt: skip


def test_a_sound_file_is_what_nautilus_has(tmp_path):
    path = written(tmp_path, TIMES, CLIENTS, port=4002)
    config = read_node(path, catalog=("mine",))
    engines = (config.data_engine, config.risk_engine, config.exec_engine)
    assert all(engine.graceful_shutdown_on_exception for engine in engines)
    data = config.data_clients["PYF"].create()
    assert (data.port, data.instrument_provider.catalog) == (4002, ("mine",))
    assert data.instrument_provider == config.exec_clients["PYF"].create().instrument_provider
    other = tmp_path / "other.yaml"
    other.write_text("data_engine: {graceful_shutdown_on_exception: false}", "utf-8")
    assert not read_node(other).data_engine.graceful_shutdown_on_exception
    result = CliRunner().invoke(command, ["run", "--check", str(path)], obj=())
    assert (result.exit_code, result.stdout) == (0, f"{path}: a node with clients PYF\n")


# Nodes.


def run(path, *, until=None):
    """Run a node until its strategies do (and `until` of it comes true), then stop it."""

    async def main():
        stop = asyncio.Event()
        tasks = []

        async def look(node):
            for _ in range(1000):
                if until is None or until(node):
                    break
                await asyncio.sleep(0.01)
            stop.set()

        await run_node(
            read_node(path),
            stop=stop,
            started=lambda node: tasks.append(asyncio.create_task(look(node))),
        )
        await asyncio.gather(*tasks)
        left = [
            task
            for task in asyncio.all_tasks() - {asyncio.current_task()}
            if task.get_coro().__qualname__ != "ActorExecutor._worker"  # nautilus' own
        ]
        assert left == []

    asyncio.run(main())


@UTCNOW
def test_a_node_runs_and_stops(tmp_path):
    note = tmp_path / "note"
    run(written(tmp_path, TIMES, PART, config=f"note: {note}"))
    assert note.read_text("utf-8") == "on asyncio.unix_events\nPart stopped\n"


FAULTS = [
    ("init", NodeStartError, "cannot be built: ValueError: it cannot be made"),
    ("start", NodeStartError, "failed to start: ValueError: it cannot start"),
    ("shutdown", NodeEndedError, "Part: the world is over"),
    # nautilus alone would leave the process here, and stop nothing.
    ("bar", NodeEndedError, "Unexpected exception in Data .*it cannot read a bar"),
]


@UTCNOW
@pytest.mark.parametrize(("fault", "kind", "words"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_node_says_why_it_does_not_run(tmp_path, fault, kind, words):
    note = tmp_path / "note"
    other = PART.replace("CONFIG", f"component_id: OTHER, note: {note}")
    path = written(
        tmp_path, TIMES, other + PART.replace("\n    actors:\n", ""), config=f"fault: {fault}"
    )
    with pytest.raises(kind, match=words):
        run(path, until=lambda _: False)
    # Whatever was started was stopped too, in good order.
    assert note.exists() == (fault != "init")
    assert fault == "init" or note.read_text("utf-8").endswith("OTHER stopped\n")


@UTCNOW
def test_a_timer_that_fails_is_only_logged(tmp_path):
    # Why our actors catch what their timers do, and fail themselves.
    path = written(tmp_path, TIMES, PART, config="fault: timer")
    run(path, until=lambda node: node.trader.actors()[0].worked > 2)


STUBBORN = """
    exec_clients:
      ODD:
        path: tests.nautilus.node_parts:StubbornConfig
        factory: {path: tests.nautilus.node_parts:StubbornFactory}
        config: {CONFIG}
"""


@UTCNOW
@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("connects: true", "could not be reconciled"),
        ("connects: false", r"not every client connected within 0\.5 s"),
    ],
)
def test_a_client_of_others_that_fails(tmp_path, config, words):
    times = TIMES.replace("timeout_connection: 10", "timeout_connection: 0.5")
    with pytest.raises(NodeStartError, match=words):
        run(written(tmp_path, times, STUBBORN, config=config))


@UTCNOW
def test_nobody_listens(tmp_path):
    async def free_port():
        async with gateway(roots=("ES",)) as server:
            return server.port

    path = written(tmp_path, TIMES, CLIENTS, port=asyncio.run(free_port()), patience=1)
    with pytest.raises(NodeStartError, match=r"client PYF did not connect: .*cannot connect to"):
        run(path)


# Processes, as production has them: uvloop, signals, exit codes.


@contextlib.asynccontextmanager
async def process(path, *options, folders=()):
    arguments = [x for folder in folders for x in ("--contracts", str(folder))]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, *arguments, "node", "run", str(path), *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_exit_0(tmp_path, number):
    async def main():
        async with gateway(roots=("ES",)) as server:
            note = tmp_path / "note"
            path = written(tmp_path, TIMES, CLIENTS, PART, port=server.port, config=f"note: {note}")
            async with process(path) as child:
                line = await asyncio.wait_for(child.stderr.readline(), 30)
                assert line == b"TESTER-001 runs\n"
                child.send_signal(number)
                _, errors = await asyncio.wait_for(child.communicate(), 30)
                assert (child.returncode, errors) == (0, b"")
            assert note.read_text("utf-8") == "on uvloop\nPart stopped\n"

    asyncio.run(main())


def test_a_spec_that_the_broker_contradicts_keeps_it_from_starting(tmp_path):
    folder = tmp_path / "mine" / "xcme"
    folder.mkdir(parents=True)
    text = (ROOT / "contracts" / "xcme" / "ES.yaml").read_text("utf-8")
    (folder / "ES.yaml").write_text(text.replace("multiplier: 50\n", "multiplier: 5\n"), "utf-8")

    async def main():
        async with gateway(roots=("ES",)) as server:
            path = written(tmp_path, TIMES, CLIENTS, port=server.port)
            async with process(path, folders=[tmp_path / "mine"]) as child:
                began = time.monotonic()
                _, errors = await asyncio.wait_for(child.communicate(), 60)
                return child.returncode, errors.decode(), time.monotonic() - began

    code, errors, _ = asyncio.run(main())
    assert code == 1
    assert "the node did not start: client PYF did not connect: " in errors
    assert "ES.yaml:7:13: error[PF604] ES 2025U (ESU5): multiplier 5 in the spec, 50" in errors
    assert "7 | multiplier: 5" in errors


def test_a_signal_ends_a_start_that_hangs(tmp_path):
    async def main():
        came = asyncio.Event()

        async def silent(reader, writer):
            await reader.read(1)
            came.set()
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            path = written(tmp_path, TIMES, CLIENTS, port=port, patience=60)
            async with process(path) as child:
                await asyncio.wait_for(came.wait(), 30)
                child.send_signal(signal.SIGTERM)
                _, errors = await asyncio.wait_for(child.communicate(), 30)
                return child.returncode, errors.decode()

    assert asyncio.run(main()) == (0, "")
