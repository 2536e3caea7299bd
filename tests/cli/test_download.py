"""``pyfutures download``, end to end over TCP with a simulated gateway in a thread of its own."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import threading

import pytest

from pyfutures import cli
from pyfutures.chain import Catalog
from pyfutures.cli import download as command
from pyfutures.continuous.frame import read_bars
from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.server import GatewayServer

START = dt.datetime(2025, 3, 12, 15, 30, 20, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def port():
    """The port of a simulated gateway of crude oil and corn; its time stands still."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    ports = []

    async def main():
        config = GatewayConfig(roots=("CL", "ZC"), start=START, limits=None)
        async with GatewayServer(config) as server:
            ports.append(server.port)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert ready.wait(30)
    yield ports[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.fixture
def pyfutures(capsys, monkeypatch, tmp_path):
    """Run the command in an empty folder: exit code, stdout, stderr."""
    monkeypatch.setitem(cli._COMMANDS, "download", "")
    monkeypatch.setenv("PYFUTURES_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*words):
        code = cli.run(["download", *(str(word) for word in words)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_daily_bars_are_what_continuous_build_reads(pyfutures, port, tmp_path, capsys):
    words = ("CL", "2025J", "2025K", "--bar", "1d", "--from", "2025-01-02", "--port", port)
    code, out, err = pyfutures(*words, "--out", "cl.csv.gz")
    assert (code, err) == (0, "")
    # 49 weekdays from 2 January to 11 March 2025, less Martin Luther King's and Presidents' Day.
    frame = read_bars(tmp_path / "work" / "cl.csv.gz")
    assert len(frame) == 2 * 47
    assert [str(month) for month in frame.months] == ["2025J", "2025K"]
    lines = out.splitlines()
    assert lines[0].startswith("CL 2025J: ")
    assert lines[0].endswith(" UTC; 4 requests, 0 from the cache")
    assert lines[2] == f"cl.csv.gz: {len(frame)} bars of 2 contracts"
    # 17:00 in New York, in winter and in summer
    hours = {dt.datetime.fromtimestamp(ts // 10**9, dt.UTC).hour for ts in frame.ts.tolist()}
    assert hours == {22, 21}
    code = cli.run(
        ["continuous", "build", "CL", "--bars", "cl.csv.gz", "--out", "s.parquet",
         "--hold", "FGHJKMNQUVXZ"]
    )  # fmt: skip
    assert code == 0
    assert "2025J -> 2025K" in capsys.readouterr().out


def test_what_was_had_is_not_asked_for_again(pyfutures, port, tmp_path):
    words = ("ZC", "2025N", "--bar", "1h", "--what", "bid", "--from", "2025-02-03", "--to",
             "2025-02-08", "--port", port)  # fmt: skip
    _, out, _ = pyfutures(*words)
    assert ", 0 from the cache" in out
    first = (tmp_path / "work" / "ZC_1h_bid.csv.gz").read_bytes()
    _, out, _ = pyfutures(*words)
    assert "; 0 requests, " in out
    assert (tmp_path / "work" / "ZC_1h_bid.csv.gz").read_bytes() == first
    _, out, _ = pyfutures(*words, "--no-cache")
    assert ", 0 from the cache" in out
    _, out, _ = pyfutures(*words, "--cache", tmp_path / "other.sqlite")
    assert ", 0 from the cache" in out
    assert (tmp_path / "other.sqlite").exists()


def test_a_folder_has_a_file_a_month(pyfutures, port, tmp_path):
    code, out, _ = pyfutures(
        "ZC", "2025N", "2025U", "2025N", "--bar", "1d", "--from", "2025-02-03", "--out", "all",
        "--port", port,
    )  # fmt: skip
    assert code == 0
    names = sorted(path.name for path in (tmp_path / "work" / "all").iterdir())
    assert names == ["ZC_2025N_1d.csv.gz", "ZC_2025U_1d.csv.gz"]
    assert out.count(" of 1 contract\n") == 2


def test_ticks(pyfutures, port, tmp_path):
    code, out, _ = pyfutures(
        "CL", "2025J", "--ticks", "quotes", "--from", "2025-03-11T15:00Z", "--to",
        "2025-03-11T15:05Z", "--out", "t.csv", "--port", port,
    )  # fmt: skip
    assert code == 0
    lines = (tmp_path / "work" / "t.csv").read_text().splitlines()
    assert lines[0] == "contract,ts,bid,ask,bid_size,ask_size"
    assert f"t.csv: {len(lines) - 1} ticks of 1 contract" in out


def test_a_contract_that_is_not_there_is_named_and_the_others_come(pyfutures, port):
    code, out, err = pyfutures(
        "CL", "2015J", "2025J", "--bar", "1d", "--from", "2025-03-01", "--port", port
    )
    assert code == 1
    assert err.startswith("pyfutures: CL 2015J (CL CL NYMEX USD): IB has no such contract")
    assert "CL_1d.csv.gz: 7 bars of 1 contract" in out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["CL", "2025J"], "give --bar or --ticks"),
        (["CL", "2025J", "--bar", "1d", "--ticks", "trades"], "give --bar or --ticks"),
        (["CL", "2025J", "--ticks", "trades", "--what", "bid"], "--what bid is of bars"),
        (["CL", "2025J", "--bar", "1w"], "'1w' is not one of"),
        (["CL", "--bar", "1d"], "Missing argument"),
        (["NOPE", "2025J", "--bar", "1d"], "NOPE"),
        (["ES", "2025J", "--bar", "1d"], "2025J is not listed"),
        (["CL", "2025J", "--bar", "1d", "--from", "2025-03-01T10:00"], "has no zone"),
        (["CL", "2025J", "--bar", "1d", "--from", "2025-03-01", "--to", "2025-03-01"], "not after"),
        (["CL", "2025J", "--bar", "1d", "--out", "x.xlsx"], "a folder, or a file that ends in"),
        (["CL", "2025J", "--bar", "1d", "--delay", "-1"], "--delay"),
        (["CL", "2025J", "--bar", "1d", "--delay", "inf"], "--delay"),
        (["CL", "2025J", "--bar", "1d", "--patience", "nan"], "--patience"),
        (["CL", "2025J", "--bar", "1d", "--port", "0"], "--port"),
        (["CL", "2025J", "--bar", "1d", "--port", "65536"], "--port"),
        (["CL", "2025J", "--bar", "1d", "--client-id", "-1"], "--client-id"),
        (["CL", "2025J", "--bar", "1d", "--host", ""], "the address of the gateway is missing"),
    ],
)
def test_wrong_usage(pyfutures, words, text):
    code, out, err = pyfutures(*words)
    assert (code, out) == (2, "")
    assert text in err


def test_the_future_is_wrong_usage(pyfutures, port):
    code, _, err = pyfutures("CL", "2025J", "--bar", "1d", "--to", "2025-03-14", "--port", port)
    assert code == 2
    assert "is in the future: by the gateway it is 2025-03-12T15:30:20+00:00" in err


def test_no_gateway(pyfutures, monkeypatch):
    monkeypatch.setattr(command, "_CONNECT", 0.05)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    code, _, err = pyfutures("CL", "2025J", "--bar", "1d", "--port", number)
    assert code == 2
    assert f"pyfutures: no session with a gateway: cannot connect to 127.0.0.1:{number}" in err


def test_a_file_that_cannot_be_written(pyfutures, port, tmp_path):
    (tmp_path / "work" / "file").write_text("")
    code, _, err = pyfutures(
        "CL", "2025J", "--bar", "1d", "--from", "2025-03-01", "--out", "file/x.csv", "--port", port
    )
    assert code == 2
    assert "file" in err


def test_a_cache_that_cannot_be_used_is_one_line_and_costs_nothing_else(pyfutures, port, tmp_path):
    cache = tmp_path / "cache.sqlite"
    cache.write_bytes(b"no database" * 1000)
    code, out, err = pyfutures(
        "CL", "2025J", "--bar", "1d", "--from", "2025-03-01", "--port", port, "--cache", cache
    )
    assert code == 0
    assert "7 bars of 1 contract" in out
    assert err.startswith(f"pyfutures: the cache {cache} cannot be used, so everything is asked")
    assert err.count("\n") == 1


def test_a_bug_of_ours(pyfutures, port, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("pyfutures.download.download_bars", broken)
    code, _, err = pyfutures("CL", "2025J", "--bar", "1d", "--port", port)
    assert code == 3
    assert "a bug of ours: RuntimeError: broken" in err


def test_holes_are_told(pyfutures, port, monkeypatch):
    from pyfutures.download.windows import TradingTimes

    real = TradingTimes.between
    extra = Catalog.load(roots=["CL"])["CL"]

    def between(self, first, last):
        # A calendar that believes in a session on a Saturday.
        found = real(self, first, last)
        day = dt.date(2025, 3, 8)
        if not first <= day <= last:
            return found
        friday = real(TradingTimes(extra), day - dt.timedelta(1), day)[0]
        shifted = tuple((a + 1440, b + 1440) for a, b in friday.stretches)
        more = type(friday)(day, shifted)
        return tuple(sorted((*found, more), key=lambda session: session.day))

    monkeypatch.setattr(TradingTimes, "between", between)
    code, _, err = pyfutures("CL", "2025J", "--bar", "1d", "--from", "2025-03-01", "--port", port)
    assert code == 0
    assert err == "hole: CL 2025J 2025-03-08: no bar in the session\n"


def test_it_costs_nothing_to_start():
    import subprocess
    import sys

    code = (
        "import sys, pyfutures.cli.download;"
        "print([m for m in ('asyncio', 'sqlalchemy', 'pyarrow', 'pyfutures.ib', 'pandas')"
        " if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout in {"[]\n", "['asyncio']\n"}
