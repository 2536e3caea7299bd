"""`pyfutures verify`: specs against a simulated gateway over TCP, which runs on the built-in ones.

Disagreements are planted in specs of a folder that is laid over the catalogue: the gateway does not
know of them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import socket
import threading
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from pyfutures.cli import run
from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.server import GatewayServer
from pyfutures.ib.verification import queries, verify
from pyfutures.testing import made_details

HERE = Path(__file__).resolve().parents[2]
ROOTS = ("ES", "CL", "ZC", "FDAX", "VX", "DC")
START = dt.datetime(2025, 3, 12, 15, 30, 20, tzinfo=dt.UTC)
MODELINE = "# yaml-language-server: $schema=../../schemas/contract.schema.json\n"


@pytest.fixture(scope="module")
def port():
    """The port of a simulated gateway whose time stands still."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    ports = []

    async def main():
        config = GatewayConfig(roots=ROOTS, start=START, limits=None)
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
def call(capsys, monkeypatch, tmp_path):
    """Run the command on a folder laid over the catalogue: exit code, stdout, stderr."""
    monkeypatch.setenv("PYFUTURES_CACHE", str(tmp_path / "cache"))

    def run_it(*words, folder=None):
        over = [] if folder is None else ["--contracts", str(folder)]
        code = run([*over, "verify", *(str(word) for word in words)])
        out, err = capsys.readouterr()
        return code, out, err

    return run_it


@pytest.fixture
def planted(tmp_path):
    """Three disagreements: a wrong day, a wrong multiplier, a month that the spec leaves out."""
    folder = tmp_path / "mine"
    place(
        folder, "CL",
        "last_trade:\n  dates:\n    2025M: 2025-05-21\n",
    )  # fmt: skip
    place(folder, "ZC", "multiplier: 500\n")
    place(folder, "ES", "months: {listed: HMZ}\n")
    return folder


def place(folder, root, text):
    path = folder / "x" / f"{root}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{MODELINE}schema: 1\nroot: {root}\nextends: {root}\n{text}")
    return path


def diagnostics(out):
    return {
        item["code"]: (Path(item["location"]["path"]).name, item["location"]["line"])
        for item in json.loads(out)["diagnostics"]
    }


def test_the_catalogue_agrees(call, port):
    code, out, err = call(*ROOTS, "--port", port)
    assert (code, out) == (0, "")
    assert re.search(r"Found no errors in 6 files; compared \d{3} contracts", err)


class TestPlanted:
    def test_each_at_its_line(self, call, port, planted):
        code, out, err = call("ES", "CL", "ZC", "--port", port, "--format", "json", folder=planted)
        assert code == 1
        # After the four lines that each of the files begins with.
        assert diagnostics(out) == {
            "PF603": ("CL.yaml", 7),
            "PF604": ("ZC.yaml", 5),
            "PF612": ("ES.yaml", 5),
        }
        assert "Found 3 errors in 3 of 3 files" in err

    def test_text(self, call, port, planted):
        _, out, _ = call("ES", "CL", "ZC", "--port", port, folder=planted)
        # 20 May 2025 by the rule: three business days before Friday, 23 May, as the 25th is a
        # Sunday.
        assert "last trade 2025-05-21 in the spec, 2025-05-20 at IB" in out
        assert "7 |     2025M: 2025-05-21" in out
        assert "multiplier 500 in the spec, 5000 at IB; the same in " in out
        assert "5 | multiplier: 500" in out
        assert "ES: IB has 2025U" in out
        assert "not in the listed months HMZ" in out

    @pytest.mark.parametrize("style", ["concise", "github", "sarif", "junit", "markdown"])
    def test_formats(self, call, port, planted, style):
        code, out, _ = call("CL", "--port", port, "--format", style, folder=planted)
        assert code == 1
        assert "PF603" in out
        match style:
            case "github":
                assert re.search(r"::error file=.*CL\.yaml,line=7,", out)
            case "sarif":
                (result,) = json.loads(out)["runs"][0]["results"]
                region = result["locations"][0]["physicalLocation"]["region"]
                assert (result["ruleId"], region["startLine"]) == ("PF603", 7)
            case "junit":
                assert len(list(ET.fromstring(out).iter("failure"))) == 1  # noqa: S314 - ours

    def test_a_comment_with_a_reason(self, call, port, planted):
        path = planted / "x/ZC.yaml"
        text = path.read_text()
        mark = "  # pyfutures: ignore[PF604] counted in tenths by our own books\n"
        path.write_text(text.replace("multiplier: 500\n", f"multiplier: 500{mark}"))
        code, out, _ = call("ZC", "--port", port, folder=planted)
        assert (code, out) == (0, "")

    @pytest.mark.parametrize(
        ("root", "text", "code", "line", "said"),
        [
            ("ZC", "tick: 0.25\n", "PF605", 5, "tick 0.25 in the spec, 0.0025 at IB"),
            (
                "ZC", "ib: {symbol: ZC, exchange: CBOT, trading_class: ZC, price_magnifier: 1}\n",
                "PF606", 5, "price magnifier 1 in the spec, 100 at IB",
            ),
            ("CL", "ib: {trading_class: CX}\n", "PF607", 5, "trading class CX in the spec, CL"),
            ("ES", "ib: {symbol: ESX}\n", "PF601", 5, "IB has no such contract"),
            ("CL", "months: {listed: FGHJKMNQUVXZ, skip: [2025Z]}\n", "PF612", 5, "IB has 2025Z"),
        ],
    )  # fmt: skip
    def test_one_more(self, call, port, tmp_path, root, text, code, line, said):
        folder = tmp_path / "one"
        place(folder, root, text)
        exit_code, out, _ = call(root, "--port", port, "--format", "json", folder=folder)
        found = json.loads(out)["diagnostics"]
        assert exit_code == 1
        assert [(one["code"], one["location"]["line"]) for one in found] == [(code, line)]
        assert said in found[0]["message"]

    def test_a_month_that_the_broker_does_not_have(self, call, port, tmp_path):
        """The gateway has no April E-mini, but later months; a far month may yet be listed."""
        folder = tmp_path / "one"
        place(folder, "ES", "months: {listed: HJMUZ, hold: HMUZ, priced: HMUZ}\n")
        words = ("ES", "--port", port, "--format", "json")
        code, out, _ = call(*words, folder=folder)
        (item,) = json.loads(out)["diagnostics"]
        assert (code, item["code"], item["severity"]) == (0, "PF611", "warning")
        assert item["message"].startswith("ES: IB does not have 2025J 2026J")
        assert call(*words, "--strict", folder=folder)[0] == 1


class TestOffline:
    def test_from_what_was_kept(self, call, port, planted, tmp_path):
        kept = tmp_path / "kept.sqlite"
        online = call("ES", "CL", "ZC", "--port", port, "--cache", kept, folder=planted)
        offline = call("ES", "CL", "ZC", "--offline", "--cache", kept, folder=planted)
        assert offline == online
        # Years later the answer has expired; the comparison is of the day it was kept on.
        assert offline[0] == 1

    def test_details_that_a_download_kept(self, call, port, tmp_path, capsys, monkeypatch):
        """One month only: nothing can be said of those that are missing."""
        monkeypatch.chdir(tmp_path)
        kept = tmp_path / "kept.sqlite"
        words = ["download", "CL", "2025M", "--bar", "1d", "--from", "2025-03-03"]
        assert run([*words, "--port", str(port), "--cache", str(kept)]) == 0
        capsys.readouterr()
        code, out, err = call("CL", "ES", "--offline", "--cache", kept)
        assert (code, out) == (0, "")
        assert "compared 1 contract\n" in err
        assert f"ES: no details in {kept}" in err

    def test_what_compares_nothing_does_not_pass(self, call, port, tmp_path):
        kept = tmp_path / "kept.sqlite"
        assert call("CL", "--port", port, "--cache", kept)[0] == 0
        code, out, err = call("ES", "--offline", "--cache", kept)
        assert (code, out) == (2, "")
        assert f"nothing was compared: {kept} has no details of these roots" in err
        assert "Found no errors" not in err

    def test_needs_a_cache(self, call, tmp_path):
        (tmp_path / "none.sqlite").touch()
        code, _, err = call("ES", "--offline", "--cache", tmp_path / "none.sqlite")
        assert (code, "there is no cache" in err) == (2, True)
        code, _, err = call("ES", "--offline", "--no-cache")
        assert code == 2


class TestNotices:
    """Corn gives notice from the last business day of the month before: 30 April 2025 for May."""

    def test_against_the_list(self, call, port, tmp_path):
        path = tmp_path / "notices.csv"
        path.write_text(
            "root,month,first_notice\nZC,2025K,2025-04-30\nZC,202507,2025-06-27\n"
            "ES,2025M,2025-06-01\nGC,2025M,2025-05-30\n"
        )
        code, out, _ = call("ZC", "ES", "--port", port, "--notices", path, "--format", "json")
        found = {item["message"]: item["location"] for item in json.loads(out)["diagnostics"]}
        assert code == 1
        assert list(found) == [
            (
                "ZC 2025N: first notice Mon 2025-06-30 in the spec,"
                " Fri 2025-06-27 in the broker's list"
            ),
            "ES 2025M: first notice none in the spec, Sun 2025-06-01 in the broker's list",
        ]
        lines = (HERE / "contracts/xcbt/ZC.yaml").read_text().splitlines()
        line = found[next(iter(found))]["line"]
        assert "month: -1" in lines[line - 1] or "rule" in lines[line - 1]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("root,month\nZC,2025K\n", "no column first_notice"),
            ("root,month,first_notice\nZC,2025K,30/04/2025\n", "notices.csv:2"),
            ("root,month,first_notice\nZC,May,2025-04-30\n", "notices.csv:2"),
        ],
    )
    def test_a_list_that_cannot_be_read(self, call, tmp_path, text, said):
        path = tmp_path / "notices.csv"
        path.write_text(text)
        code, _, err = call("ZC", "--notices", path, "--port", 1)
        assert (code, said in err) == (2, True), err


class TestFailures:
    def test_no_gateway(self, call, monkeypatch):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        monkeypatch.setattr("pyfutures.cli.verify._CONNECT", 0.3)
        code, out, err = call("ES", "--port", port)
        assert (code, out) == (2, "")
        assert "no session with a gateway" in err
        assert "Found no errors" not in err

    def test_roots_that_are_not_at_ib(self, call, port):
        code, out, err = call("APS", "--port", port)
        assert (code, out) == (0, "")
        assert "not at IB by their specs: APS" in err


def test_a_month_with_two_contracts(catalog):
    """Which of them is meant cannot be told: it is one finding, and not a missing month."""
    chain = catalog["CL"]
    today = dt.date(2025, 3, 12)
    (query,) = queries(chain, today)
    assert str(query) == "CL NYMEX USD"
    rows = [row for row in chain.rows() if row.last_trade and row.last_trade.year == 2025]
    details = [detail_of(chain, row, number) for number, row in enumerate(rows, 1)]
    assert verify(chain, details, today=today).diagnostics == ()
    twin = replace(details[6], contract=replace(details[6].contract, con_id=99, local_symbol="CLX"))
    found = verify(chain, [*details, twin], today=today).diagnostics
    assert [item.code for item in found] == ["PF602"]


@pytest.mark.parametrize(
    ("has", "gone"),
    [
        # Five years of quarters and three Decembers more, as CME lists E-minis.
        (lambda m: m.year <= 2029 or m.code == "Z", []),
        # A quarter that is left out next to others, near and far.
        (lambda m: str(m) != "2025U", ["2025U"]),
        (lambda m: str(m) != "2028M", ["2028M"]),
        # One that is never there, and one that is not there any more within the year.
        (lambda m: m.code != "H", ["2026H", "2027H", "2028H", "2029H", "2030H", "2031H"]),
        (lambda m: m.code != "U" or m.year < 2025, ["2025U", "2026U", "2027U"]),
        (lambda m: m.code != "Z" or m.year < 2026, []),
    ],
    ids=["far", "near", "later", "never", "from now", "from next year"],
)
def test_months_that_the_broker_does_not_have(catalog, has, gone):
    chain = catalog["ES"]
    today = dt.date(2025, 3, 24)
    months = {row.month: row for row in chain.rows() if row.last_trade and row.month.year < 2033}
    ahead = [row for month, row in months.items() if row.last_trade > today and has(month)]
    details = [detail_of(chain, row, number) for number, row in enumerate(ahead, 1)]
    found = verify(chain, details, today=today).diagnostics
    assert [item.code for item in found] == ["PF611"] * bool(gone)
    assert all(month in item.message for item in found for month in gone)


def detail_of(chain, row, number):
    made = made_details(chain, row.month)
    return replace(made, contract=replace(made.contract, con_id=number))
