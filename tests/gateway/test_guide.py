"""The guide of the gateway is true: its blocks run, its tables are complete; the command runs."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyfutures.cli.gateway import command
from pyfutures.gateway.fault_actions import ACTIONS
from pyfutures.gateway.fault_checks import FATES
from pyfutures.gateway.fault_script import Script
from pyfutures.ib import messages as m
from pyfutures.ib.versions import Versions
from tests.gateway.tools import Raw

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "gateway.md").read_text("utf-8")
RUN = "from pyfutures.cli import main; main()"


def _blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", _blocks("python"))
def test_code_runs(block):
    exec(compile(block, "gateway.md", "exec"), {})  # noqa: S102 - the guide's own words


@pytest.mark.parametrize("block", _blocks("yaml"))
def test_scripts_load(block, tmp_path):
    path = tmp_path / "faults.yaml"
    path.write_text(block, "utf-8")
    assert Script(path).rows


def test_the_tables_name_everything_that_a_fault_can_do():
    cells = [line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `")]
    named = {re.match(r"\w+", code)[0] for cell in cells for code in re.findall(r"`([^`]+)`", cell)}
    assert named == set(ACTIONS) | FATES


def test_the_command_serves_until_it_is_stopped(tmp_path):
    script = tmp_path / "faults.yaml"
    script.write_text("schema: 1\nfaults: [{do: {order_ids: 1}}]", "utf-8")
    options = [
        "gateway", "run", "--port", "0", "--roots", "ES,CL", "--server-version", "178", "--speed",
        "60", "--start", "2025-07-01T14:00:00+00:00", "--script", str(script),
    ]  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", RUN, *options], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            found = re.fullmatch(
                r"serving (\d+) contracts at 127.0.0.1:(\d+), server versions to 178, "
                r"2025-07-01 14:00:0\d UTC, speed 60\n",
                line,
            )
            assert found, line
            assert int(found[1]) > 40

            async def visit():
                streams = await asyncio.open_connection("127.0.0.1", int(found[2]))
                raw = Raw(*streams, Versions(157, 178))
                raw.write(raw.connection.hello() + raw.connection.send(m.StartApi(1)))
                await raw.until(m.NextValidId)
                assert raw.connection.version == 178
                await raw.close()

            asyncio.run(visit())
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--roots", "A0D"], 2, "A0D is not at IB"),
        (["--roots", "NOPE"], 2, "unknown root `NOPE`"),
        (["--server-version", "201"], 2, "server version 201"),
        (["--start", "2025-07-01"], 2, "has no zone"),
        (["--start", "soon"], 2, "soon"),
        (["--roots", "ES", "--speed", "0"], 2, "a speed of 0.0"),
        (["--roots", "ES", "--script", "{script}"], 1, "`explode`"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(options, code, words, tmp_path):
    script = tmp_path / "faults.yaml"
    script.write_text("schema: 1\nfaults: [{do: explode}]", "utf-8")
    options = [option.replace("{script}", str(script)) for option in options]
    answer = CliRunner().invoke(command, ["run", "--port", "0", *options])
    assert answer.exit_code == code
    assert words in answer.output
    assert answer.output.count("\n") == 1
