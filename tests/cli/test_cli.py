"""The command line, end to end: what it prints, what it writes, and how it exits."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyfutures.cli import run

CL = ["--from", "2026X", "--to", "2026Z"]


@pytest.fixture
def pyfutures(capsys):
    """Run the command line in this process: exit code, stdout, stderr."""

    def call(*words):
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


class TestChain:
    def test_csv(self, pyfutures):
        code, out, _ = pyfutures("chain", "CL", *CL, "--format", "csv")
        assert code == 0
        assert out == (
            "root,month,listed,priced,hold,trading_class,first_notice,last_trade,last_trade_utc,"
            "expiry,roll_date,deadline,status,verified\n"
            "CL,2026X,yes,yes,no,CL,2026-10-22,2026-10-20,2026-10-20T18:30:00Z,2026-10-20,,,,yes\n"
            "CL,2026Z,yes,yes,yes,CL,2026-11-24,2026-11-20,2026-11-20T19:30:00Z,2026-11-20,"
            "2026-10-11,2026-11-18,,yes\n"
        )

    def test_json_has_the_same_cells(self, pyfutures):
        _, text, _ = pyfutures("chain", "CL", *CL, "--format", "csv")
        _, out, _ = pyfutures("chain", "CL", *CL, "--format", "json")
        shown = {True: "yes", False: "no", None: ""}
        rows = [
            {k: v if isinstance(v, str) else shown[v] for k, v in row.items()}
            for row in json.loads(out)["rows"]
        ]
        assert rows == list(csv.DictReader(io.StringIO(text)))

    def test_table(self, pyfutures):
        code, out, _ = pyfutures("chain", "ES", "--from", "2026H", "--to", "2026H")
        assert code == 0
        assert "2026-03-20" in out
        assert out.splitlines()[0].split()[:3] == ["root", "month", "listed"]

    def test_default_span_starts_now(self, pyfutures):
        code, out, _ = pyfutures("chain", "ES", "--format", "csv")
        assert code == 0
        assert len(out.splitlines()) in {9, 10}

    def test_the_month_of_others_notations(self, pyfutures):
        assert pyfutures("chain", "CL", "--from", "202611", "--to", "2026-12")[0] == 0

    def test_strict_refuses_projected_rows(self, pyfutures):
        words = ["chain", "A0F", "--from", "2030F", "--to", "2030F", "--format", "csv"]
        code, out, _ = pyfutures(*words)
        assert (code, out.splitlines()[1].split(",")[-2]) == (0, "projected")
        assert pyfutures(*words, "--strict")[0] == 1

    def test_unknown_rows_have_empty_cells(self, pyfutures):
        code, out, _ = pyfutures(
            "chain", "HSI", "--from", "2050F", "--to", "2050Z", "--format", "csv"
        )
        assert code == 0
        for row in csv.DictReader(io.StringIO(out)):
            assert (row["last_trade"], row["last_trade_utc"], row["status"]) == ("", "", "unknown")

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (["chain"], "name the roots"),
            (["chain", "ES", "--all"], "name the roots"),
            (["chain", "ES", "--from", "2026A"], "`A` is not one of the codes FGHJKMNQUVXZ"),
            (["chain", "ES", "--from", "2027H", "--to", "2026H"], "--to 2026H is before"),
            (["chain", "ES", "--from", "1950H"], "outside 1970F to 2050Z"),
            (["chain", "EZ"], "did you mean"),
            (["chian", "ES"], "Did you mean 'chain'?"),
            (["--contracts", "/nowhere", "chain", "ES"], "does not exist"),
            (["position", "CL", "--at", "yesterday"], "is no instant"),
            (["position", "CL", "--at", "2026-01-01T10:00"], "has no zone"),
            (["explain", "ES", "2026G"], "ES 2026G is not listed"),
        ],
    )
    def test_wrong_usage_is_exit_2(self, pyfutures, words, text):
        code, out, err = pyfutures(*words)
        assert (code, out) == (2, "")
        assert text in err


class TestExplain:
    def test_every_step_with_its_line(self, pyfutures):
        code, out, _ = pyfutures("explain", "CL", "2026Z")
        assert code == 0
        lines = out.splitlines()
        assert "last trade: Fri 2026-11-20" in lines
        steps = [line for line in lines if "CL.yaml:" in line]
        assert "Wed 2026-11-25" in steps[1]  # the 25th of the month before
        assert "Fri 2026-11-20" in steps[3]  # three business days before, none of them Thanksgiving
        numbers = [int(line.rsplit(":", 1)[1]) for line in steps]
        assert numbers[:5] == sorted(numbers[:5])

    def test_why_a_day_was_skipped(self, pyfutures):
        # The last business days of November 2024: 29, 27, 26.
        _, out, _ = pyfutures("explain", "HG", "2024X")
        assert "last trade: Tue 2024-11-26" in out
        assert "Thu 2024-11-28 closed: Thanksgiving" in out

    def test_a_named_date(self, pyfutures, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "ES.yaml").write_text(
            "schema: 1\nroot: ES\nextends: ES\nlast_trade:\n  dates:\n    2026H: 2026-03-19\n"
        )
        _, out, _ = pyfutures("--contracts", tmp_path, "explain", "ES", "2026H")
        assert "named in `dates`" in out
        assert "ES.yaml:6" in out

    def test_an_early_close_clips_the_time(self, pyfutures, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "calendars").mkdir()
        (tmp_path / "calendars" / "short.yaml").write_text(
            "schema: 1\ncalendar: short\nname: Short\nbase: weekdays\nzone: America/New_York\n"
            'early_closes: {2026-03-20: "09:15"}\nsources: [a test]\n'
        )
        (tmp_path / "x" / "ES.yaml").write_text(
            "schema: 1\nroot: ES\nextends: ES\nlast_trade: {calendar: short}\n"
        )
        _, out, _ = pyfutures("--contracts", tmp_path, "explain", "ES", "2026H")
        assert "clipped to the early close of 09:15 America/New_York" in out
        assert "2026-03-20 13:15 UTC" in out


class TestPosition:
    def test_says_by_what(self, pyfutures):
        code, out, _ = pyfutures("position", "CL", "--at", "2024-09-01")
        assert code == 0
        found = dict(line.split(None, 1) for line in out.splitlines())
        assert found == {
            "root": "CL",
            "at": "2024-09-01T00:00:00Z",
            "by": "roll_date",
            "current": "2024Z",
            "forward": "2025Z",
            "previous": "2023Z",
            "carry": "2024X",
            "roll_date": "2024-10-11",
            "deadline": "2024-11-18",
        }

    def test_json(self, pyfutures):
        _, out, _ = pyfutures(
            "position", "CL", "--at", "2024-09-01T02:00+02:00", "--format", "json"
        )
        assert json.loads(out)["at"] == "2024-09-01T00:00:00Z"

    def test_a_root_without_roll(self, pyfutures):
        code, _, err = pyfutures("position", "10Y")
        assert code == 2
        assert "10Y has no roll" in err


FAULTY = """\
# yaml-language-server: $schema=../../schemas/contract.schema.json
schema: 1
root: BAD
name: Five faults
exchange: XCME
currency: usd
multiplier: 50
tick: 0.25
months: {listed: HMUZ, hold: HMX}
last_trade:
  calendar: us_expiri
  rule:
    - weekday: {nth: 3, day: fryday}
    - if_closed: previous
  at: "09:30 America/New_Yorc"
sources: [a test]
"""


class TestValidate:
    def test_the_catalogue_is_clean(self, pyfutures):
        code, out, err = pyfutures("validate", "--strict")
        assert (code, out) == (0, "")
        assert "Found no errors" in err

    def test_five_faults_five_errors_in_one_run(self, pyfutures, tmp_path):
        (tmp_path / "BAD.yaml").write_text(FAULTY)
        code, out, err = pyfutures("validate", tmp_path / "BAD.yaml", "--format", "json")
        found = [
            (d["location"]["line"], d["code"])
            for d in json.loads(out)["diagnostics"]
            if d["severity"] == "error"
        ]
        assert code == 1
        assert [line for line, _ in found] == [6, 9, 11, 13, 15]
        assert len({c for _, c in found}) >= 4
        assert "5 errors" in err

    def test_warnings_alone_are_clean_unless_strict(self, pyfutures, tmp_path):
        (tmp_path / "ES.yaml").write_text("schema: 1\nroot: ES\nextends: ES\n")
        assert pyfutures("validate", tmp_path)[0] == 0
        assert pyfutures("validate", tmp_path, "--strict")[0] == 1

    def test_a_missing_file_is_exit_2(self, pyfutures, tmp_path):
        assert pyfutures("validate", tmp_path / "none.yaml")[0] == 2

    def test_a_folder_without_specs_says_so(self, pyfutures, tmp_path):
        code, _, err = pyfutures("validate", tmp_path)
        assert code == 2
        assert "no specs" in err


class TestBug:
    def test_a_bug_is_one_line_a_report_and_exit_3(self, pyfutures, monkeypatch):
        def broken(*_args, **_kwargs):
            raise RuntimeError("boom")

        monkeypatch.setattr("pyfutures.chain.catalog.read_catalog", broken)
        code, out, err = pyfutures("chain", "ES")
        assert (code, out) == (3, "")
        assert err.startswith("pyfutures: a bug of ours: RuntimeError: boom; the report is in ")
        report = Path(err.strip().rsplit(" ", 1)[1])
        assert "Traceback" in report.read_text()
        report.unlink()


BARS = """\
contract,ts,open,high,low,close,volume
2024H,2024-03-07T21:00:00Z,10,10,10,10,5
2024M,2024-03-07T21:00:00Z,11,11,11,11,5
2024H,2024-03-11T20:00:00Z,10,10,10,10.5,5
2024M,2024-03-11T20:00:00Z,11,11,11,11.75,5
2024H,2024-03-12T20:00:00Z,10,10,10,10,5
2024M,2024-03-12T20:00:00Z,11,11,11,11.5,5
"""


class TestContinuous:
    def test_build(self, pyfutures, tmp_path):
        pq = pytest.importorskip("pyarrow.parquet")
        (tmp_path / "es.csv").write_text(BARS)
        out = tmp_path / "es.parquet"
        code, text, _ = pyfutures(
            "continuous", "build", "ES", "--bars", tmp_path / "es.csv", "--out", out
        )
        assert code == 0, text
        table = pq.read_table(out)
        assert " ".join(table.column_names) == (
            "ts month open high low close volume forward carry previous C R rolled"
        )
        # The Monday before the third Friday of March 2024 is the 11th: that bar is still H.
        assert table["month"].to_pylist() == ["2024H", "2024H", "2024M"]
        assert table["close"].to_pylist() == [10.0, 10.5, 11.5]
        assert table["C"].to_pylist() == [0.0, 0.0, 1.25]
        assert table["R"].to_pylist() == [1.0, 1.0, 11.75 / 10.5]
        assert table["rolled"].to_pylist() == [False, False, True]
        assert "2024H -> 2024M" in text

    def test_several_files_after_one_option(self, pyfutures, tmp_path):
        pytest.importorskip("pyarrow")
        head, *rows = BARS.splitlines(keepends=True)
        (tmp_path / "h.csv").write_text(head + "".join(r for r in rows if "2024H" in r))
        (tmp_path / "m.csv").write_text(head + "".join(r for r in rows if "2024M" in r))
        words = ["--bars", tmp_path / "h.csv", tmp_path / "m.csv", "--out", tmp_path / "o.parquet"]
        code, text, _ = pyfutures("continuous", "build", "ES", *words)
        assert code == 0
        assert "3 bars, 1 roll," in text

    def test_a_roll_that_cannot_be_made_names_everything(self, pyfutures, tmp_path):
        pytest.importorskip("pyarrow")
        rows = [row for row in BARS.splitlines() if "2024M" not in row]
        late = ["2024M,2024-04-01T20:00:00Z,1,1,1,1,1", "2024H,2024-04-01T20:00:00Z,1,1,1,1,1"]
        (tmp_path / "es.csv").write_text("\n".join(rows + late) + "\n")
        out = tmp_path / "o.parquet"
        code, _, err = pyfutures(
            "continuous", "build", "ES", "--bars", tmp_path / "es.csv", "--out", out
        )
        assert code == 1
        for word in ("ES", "2024H", "2024M", "2024-03-11", "2024-03-15"):
            assert word in err
        assert not out.exists()

    def test_a_root_without_roll_needs_an_offset(self, pyfutures, tmp_path):
        (tmp_path / "x.csv").write_text(BARS)
        code, _, err = pyfutures(
            "continuous",
            "build",
            "10Y",
            "--bars",
            tmp_path / "x.csv",
            "--out",
            tmp_path / "o.parquet",
        )
        assert code == 2
        assert "give a roll offset" in err

    @pytest.fixture
    def build(self, pyfutures, tmp_path):
        """Build ES of `text`, with more words: exit code, stderr."""
        pytest.importorskip("pyarrow")

        def call(text, *words):
            (tmp_path / "es.csv").write_text(text)
            out = [] if "--out" in words else ["--out", tmp_path / "o.parquet"]
            code, _, err = pyfutures(
                "continuous", "build", "ES", "--bars", tmp_path / "es.csv", *out, *words
            )
            return code, " ".join(err.split())

        return call

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("other.csv", "must end in .parquet"),
            ("series", "must end in .parquet"),
            ("none/o.parquet", "the folder is not there"),
            ("es.csv/o.parquet", "the folder is not there"),
        ],
    )
    def test_an_out_that_cannot_be_is_found_before_anything(self, build, tmp_path, name, text):
        code, err = build("no bars", "--out", tmp_path / name)
        assert (code, text in err) == (2, True), err
        assert (tmp_path / "es.csv").read_text() == "no bars"

    def test_a_folder_that_cannot_be_written_is_found_before_anything(
        self, build, monkeypatch, tmp_path
    ):
        monkeypatch.setattr("os.access", lambda path, _, **__: Path(path) != tmp_path)
        code, err = build("no bars")
        assert (code, "cannot be written" in err) == (2, True), err

    @pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
    def test_out_is_never_one_of_the_bars(self, pyfutures, tmp_path, link):
        bars = out = tmp_path / "bars.parquet"
        bars.write_text("precious")
        if link is not None:
            out = tmp_path / "out.parquet"
            getattr(out, link)(bars)
        code, _, err = pyfutures("continuous", "build", "ES", "--bars", bars, "--out", out)
        assert code == 2
        assert f"--out {out} is one of the files of bars" in " ".join(err.split())
        assert bars.read_text() == "precious"

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (["--roll-offset", "-999999999"], "-3660<=x<=3660"),
            (["--stamp", "open", "--interval", "99999999999d"], "at most 366d"),
            (["--stamp", "open", "--interval", "367d"], "at most 366d"),
            (["--from", "2025H", "--to", "2024H"], "--to 2024H is before --from 2025H"),
        ],
    )
    def test_wrong_usage_is_exit_2(self, build, words, text):
        code, err = build(BARS, *words)
        assert (code, text in err) == (2, True), err

    @pytest.mark.parametrize("offset", ["-3660", "3660", "-300", "0"])
    def test_every_offset_is_answered(self, build, offset):
        assert build(BARS, "--roll-offset", offset)[0] in {0, 1, 2}

    @pytest.mark.parametrize(
        ("text", "words", "answer"),
        [
            (BARS.replace("2024-03-07T21:00:00Z", "3000-01-01"), [], "row 1: ts 3000-01-01 is"),
            (BARS.replace("2024-03-07T21:00:00Z", "0000-01-01"), [], "row 1: ts 0000-01-01 is"),
            (BARS.replace("volume", "close"), [], "no column volume"),
            (
                BARS.replace("volume", "volume,close").replace(",5\n", ",5,5\n"),
                [],
                "column close is there 2 times",
            ),
            (BARS, ["--to", "2023Z"], "no bars of a held month to 2023Z"),
            (BARS, ["--from", "2025H"], "no bars of a held month from 2025H"),
        ],
    )
    def test_bars_that_cannot_be_taken_are_exit_1(self, build, text, words, answer):
        if "-01-01" in text:  # a column is of one kind
            text = text.replace("T20:00:00Z", "")
        code, err = build(text, *words)
        assert (code, answer in err) == (1, True), err

    def test_data_that_begins_after_a_roll_window(self, pyfutures, tmp_path):
        """Copper 2021H is left before its first notice of 2021-02-26; 2021N is the one to start."""
        pytest.importorskip("pyarrow")
        days = ("2021-03-05", "2021-03-08")
        rows = [f"{m},{day},4,4,4,4,1" for day in days for m in ("2021H", "2021N")]
        (tmp_path / "hg.csv").write_text("\n".join([BARS.splitlines()[0], *rows]) + "\n")
        words = ["--bars", tmp_path / "hg.csv", "--out", tmp_path / "hg.parquet"]
        code, text, err = pyfutures("continuous", "build", "HG", *words)
        assert (code, err) == (0, "")
        assert "2 bars, 0 rolls, 2021N to 2021N" in text
        code, _, err = pyfutures("continuous", "build", "HG", *words, "--from", "2021H")
        assert code == 1
        assert "start with 2021N" in err


def test_help_everywhere(pyfutures):
    for words in ([], ["validate"], ["chain"], ["explain"], ["position"], ["continuous", "build"]):
        code, out, _ = pyfutures(*words, "--help")
        assert code == 0
        assert out.startswith("Usage: pyfutures")


HEAVY = {"exchange_calendars", "pandas", "nautilus_trader", "pyarrow", "plotly"}


@pytest.mark.parametrize(
    "words", [["chain", "ES"], ["validate"], ["explain", "CL", "2026Z"], ["position", "CL"]]
)
def test_commands_import_nothing_heavy(words):
    code = (
        "import sys\nfrom pyfutures.cli import run\n"
        f"code = run({words!r})\nprint(code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    exit_code, *modules = done.stderr.splitlines()[-1].split()
    assert (exit_code, HEAVY & set(modules)) == ("0", set())


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2051-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    "words",
    [
        ["explain", "ES", "2026H", "--today"],
        ["timeline", "ES", "--today"],
        ["timeline", "ES", "--html", "--to"],
        ["diff", ".", ".", "--today"],
    ],
    ids=" ".join,
)
def test_a_day_out_of_all_calendars(capsys, words, day):
    assert run([*words, day]) == 2
    assert f"'{day}' is outside 1970 to 2050" in capsys.readouterr().err


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "pyfutures", "code", "PF000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: pyfutures code ")


def test_a_warning_is_one_line(tmp_path):
    (tmp_path / "gateway.sqlite").write_bytes(b"no database at all" * 300)
    command = [sys.executable, "-m", "pyfutures", "verify", "HG", "--offline"]
    environment = os.environ | {"PYFUTURES_CACHE": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    first, *_ = done.stderr.splitlines()
    assert first.startswith(f"pyfutures: warning: the cache {tmp_path / 'gateway.sqlite'} cannot ")
    assert "remove the file" in first
