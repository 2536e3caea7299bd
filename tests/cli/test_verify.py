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
import sqlite3
import threading
import xml.etree.ElementTree as ET
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pyfutures.chain import Catalog
from pyfutures.cli import run
from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.server import GatewayServer
from pyfutures.ib.cache import CacheWarning
from pyfutures.ib.verification import queries, verify
from pyfutures.months import ContractMonth
from pyfutures.testing import made_details

HERE = Path(__file__).resolve().parents[2]
ROOTS = ("ES", "CL", "ZC", "FDAX", "VX", "DC")
START = dt.datetime(2025, 3, 12, 15, 30, 20, tzinfo=dt.UTC)
MODELINE = "# yaml-language-server: $schema=../../schemas/contract.schema.json\n"


@contextmanager
def serving(prepare=lambda gateway: None):
    """The port of a simulated gateway whose time stands still."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    ports = []

    async def main():
        config = GatewayConfig(roots=ROOTS, start=START, limits=None)
        async with GatewayServer(config) as server:
            prepare(server.gateway)
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


@pytest.fixture(scope="module")
def port():
    with serving() as port:
        yield port


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
            ("ES", "currency: EUR\n", "PF608", 5, "currency EUR in the spec, USD at IB"),
            (
                "ES", ("ib:\n  symbol:\n    - {until: 2025U, value: ESX}\n"
                "    - {from: 2025Z, value: ES}\n"),
                "PF601", 6, "ES 2025H (ESX CME USD): IB has no such contract",
            ),
            (
                "ES", ("ib:\n  symbol:\n    - {until: 2025U, value: ES}\n"
                "    - {from: 2025Z, value: ESX}\n"),
                "PF601", 6, "ES 2025Z (ESX CME USD): IB has no such contract",
            ),
            (
                "ES", ("multiplier:\n  - {until: 2025U, value: 50}\n"
                "  - {from: 2025Z, value: 500}\n"),
                "PF604", 7, "ES 2025Z (ESZ5): multiplier 500 in the spec, 50 at IB",
            ),
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

    def test_a_class_that_is_called_like_the_root(self, call, port, tmp_path):
        """Its own file names the root; the `ib` above it is that of the one it extends."""
        folder = tmp_path / "one"
        path = place(folder, "ES", "")
        path.write_text(path.read_text().replace("root: ES", "root: MYE"))
        path = path.rename(path.with_name("MYE.yaml"))
        code, out, _ = call("MYE", "--port", port, "--format", "json", folder=folder)
        (item,) = json.loads(out)["diagnostics"]
        assert (code, item["code"]) == (1, "PF607")
        assert (item["location"]["path"], item["location"]["line"]) == (str(path), 3)

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

    def test_another_currency(self, call, port, tmp_path):
        kept = tmp_path / "kept.sqlite"
        place(tmp_path / "one", "ES", "currency: EUR\n")
        assert call("ES", "--port", port, "--cache", kept)[0] == 0
        code, out, _ = call("ES", "--offline", "--cache", kept, folder=tmp_path / "one")
        assert code == 1
        assert "currency EUR in the spec, USD at IB" in out

    @pytest.mark.parametrize("stored", ["'soon'", "1e300"])
    def test_an_entry_that_is_spoilt(self, call, port, tmp_path, stored):
        kept = tmp_path / "kept.sqlite"
        assert call("ES", "--port", port, "--cache", kept)[0] == 0
        with closing(sqlite3.connect(kept)) as file, file:
            file.execute(f"UPDATE answers SET stored = {stored}")  # noqa: S608 - ours
        with pytest.warns(CacheWarning, match="cannot be used"):
            code, out, err = call("ES", "--offline", "--cache", kept)
        assert (code, out) == (2, "")
        assert "nothing was compared" in err

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
            ("root,month,first_notice\n\nZC,2025K\n", "notices.csv:3: first_notice '' is no date"),
            ("root;month;first_notice\nZC;2025K;2025-04-30\n", "no column root, month, first_no"),
            ("root,month,first_notice\n\n", "a list without a row"),
            ("", "no column root"),
            ("root,month,first_notice\n" + "x" * 200_000, "no csv: field larger than"),
            (b"root,month,first_notice\nZC\xe9,2025K,2025-04-30\n", "no text in UTF-8"),
            ("root,month,first_notice\n".encode("utf-16"), "no text in UTF-8"),
        ],
    )
    def test_a_list_that_cannot_be_read(self, call, tmp_path, text, said):
        path = tmp_path / "notices.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        code, _, err = call("ZC", "--notices", path, "--port", 1)
        assert (code, said in err) == (2, True), err

    def test_as_spreadsheets_write_it(self, call, port, tmp_path):
        """A byte order mark, CRLF, spaces and columns of its own; other roots are named."""
        path = tmp_path / "notices.csv"
        path.write_bytes(
            b"\xef\xbb\xbfexchange, root , month, first_notice,x\r\n"
            b"CBOT, ZC , 2025K , 2025-04-29 ,\r\n\r\nNYMEX,zc,2025K,2025-04-30,,\r\n"
        )
        code, out, err = call("ZC", "--port", port, "--notices", path, "--format", "concise")
        assert (code, out.count("PF613")) == (1, 1)
        assert "rows of roots that are not looked at: zc\n" in err


class TestFailures:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--port", "99999"), "99999 is not in the range"),
            (("--port", "0"), "0 is not in the range"),
            (("--client-id", "-1"), "-1 is not in the range"),
            (("--host", ""), "the address of the gateway is missing"),
        ],
    )
    def test_wrong_usage(self, call, words, said):
        code, out, err = call("ES", *words)
        assert (code, out) == (2, "")
        assert said in err

    def test_no_gateway(self, call, monkeypatch):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        monkeypatch.setattr("pyfutures.cli.verify._CONNECT", 0.3)
        code, out, err = call("ES", "--port", port)
        assert (code, out) == (2, "")
        assert "no session with a gateway" in err
        assert "Found no errors" not in err

    def test_a_line_that_is_cut_once(self, call):
        """What was asked for then is asked again: no root goes without its answer."""

        def prepare(gateway):
            gateway.faults.when("ContractDetails", {"cut": {"after": 50}}, skip=3)

        with serving(prepare) as port:
            code, out, err = call("ES", "CL", "--port", port, "--no-cache")
        assert (code, out) == (0, "")
        assert "Found no errors in 2 files; compared" in err

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


@pytest.mark.parametrize(
    ("start", "codes"), [("2025Z", ["PF601"]), ("2031H", []), ("2025U", ["PF601"])]
)
def test_a_symbol_that_the_broker_does_not_have(tmp_path, start, codes):
    """Of far months only it may not be listed yet: IB has four years of the other one here."""
    first = ContractMonth.parse(start)
    until = {"2025Z": "2025U", "2031H": "2030Z", "2025U": "2025M"}[start]
    spans = f"    - {{until: {until}, value: ES}}\n    - {{from: {start}, value: ESX}}\n"
    place(tmp_path, "ES", f"ib:\n  symbol:\n{spans}")
    chain = Catalog.load(tmp_path, roots=["ES"])["ES"]
    today = dt.date(2025, 3, 24)
    ahead = [r for r in chain.rows() if r.last_trade and today < r.last_trade < dt.date(2029, 1, 1)]
    details = [detail_of(chain, row, n) for n, row in enumerate(ahead, 1) if row.month < first]
    found = verify(chain, details, today=today).diagnostics
    assert [item.code for item in found] == codes


def test_weeklies_outlive_the_month(catalog):
    """VX March 2025 ended on the 18th; VX13 of the 25th is no VX with another class and date."""
    chain = catalog["VX"]
    today = dt.date(2025, 3, 24)
    rows = [r for r in chain.rows() if r.last_trade and r.last_trade.year == 2025]
    ahead = [row for row in rows if row.last_trade > today]
    details = [detail_of(chain, row, number) for number, row in enumerate(ahead, 1)]
    (march,) = (row for row in rows if str(row.month) == "2025H")
    month = detail_of(chain, march, 99)
    late = replace(month.contract, last_trade="20250325", last_trade_date="")
    weekly = replace(month, contract=replace(late, trading_class="VX13"))
    assert verify(chain, [*details, weekly], today=today).diagnostics == ()
    # Its own class that trades on is a date that is wrong.
    found = verify(chain, [*details, replace(month, contract=late)], today=today).diagnostics
    assert [item.code for item in found] == ["PF603"]


def test_a_symbol_whose_last_month_has_just_expired(tmp_path):
    place(
        tmp_path, "ES",
        "ib:\n  symbol:\n    - {until: 2025H, value: OLD}\n    - {from: 2025M, value: ES}\n",
    )  # fmt: skip
    chain = Catalog.load(tmp_path, roots=["ES"])["ES"]
    today = dt.date(2025, 3, 24)  # three days after the last trade of March
    assert len(queries(chain, today)) == 2
    ahead = [r for r in chain.rows() if r.last_trade and today < r.last_trade < dt.date(2029, 1, 1)]
    details = [detail_of(chain, row, n) for n, row in enumerate(ahead, 1)]
    assert verify(chain, details, today=today).diagnostics == ()


def detail_of(chain, row, number):
    made = made_details(chain, row.month)
    return replace(made, contract=replace(made.contract, con_id=number))
