"""Builds from the command line: several roots and series, folders, catalogues, appending, kills."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pyfutures.cli import run
from pyfutures.continuous.build import build, read_bars, read_parquet
from pyfutures.continuous.files import write_whole
from pyfutures.continuous.jobs import Job, run_job, run_jobs
from tests.continuous.tools import calendar, month

pytest.importorskip("pyarrow")

HEAD = "contract,ts,open,high,low,close,volume\n"
# The window of ES 2026H opens on 2026-03-16; that of CL 2026J some weeks before its last trade.
ES = [
    ("2026H", "2026-03-13", 6710), ("2026M", "2026-03-13", 6765),
    ("2026H", "2026-03-16", 6730), ("2026M", "2026-03-16", 6785),
    ("2026H", "2026-03-17", 6745), ("2026M", "2026-03-17", 6800),
    ("2026M", "2026-03-18", 6795), ("2026U", "2026-03-18", 6850),
]  # fmt: skip


def text_of(rows):
    return HEAD + "".join(f"{m},{ts},{p},{p},{p},{p},10\n" for m, ts, p in rows)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for root in ("ES", "NQ"):
        (tmp_path / f"{root}.csv").write_text(text_of(ES))
    (tmp_path / "YM.csv").write_text(text_of([("2026K", "2026-03-13", 1)]))
    (tmp_path / "out").mkdir()
    return tmp_path


def pyfutures(*words):
    return run(["continuous", "build", *map(str, words)])


def test_one_root_that_fails_does_not_stop_the_others(folder, capsys):
    code = pyfutures("ES", "YM", "NQ", "--bars", "{root}.csv", "--out", "out", "--jobs", "2")
    said = capsys.readouterr()
    assert code == 1
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["ES.parquet", "NQ.parquet"]
    assert "YM: no bars of a held month; there are 2026K" in said.err
    assert said.err.endswith("1 of 3 series failed\n")
    assert "out/ES.parquet: 4 bars, 1 roll, 2026H to 2026M" in said.out


def test_files_that_are_not_there_are_the_matter_of_their_root(folder, capsys):
    assert pyfutures("ES", "RTY", "--bars", "{root}.csv", "--out", "out") == 1
    assert "RTY: [Errno 2]" in capsys.readouterr().err
    assert (folder / "out" / "ES.parquet").exists()


def test_the_second_month_and_another_cycle_beside_the_first(folder):
    words = [
        "ES",
        "--bars",
        "ES.csv",
        "--nth",
        "1",
        "--nth",
        "2",
        "--out",
        "out/{root}_{nth}.parquet",
    ]
    assert pyfutures(*words) == 0
    first, second = (read_parquet(folder / "out" / f"ES_{n}.parquet") for n in (1, 2))
    assert first.month_texts().tolist() == ["2026H", "2026H", "2026M", "2026M"]
    # It holds the next one, and rolls in the same window once both have a price: on 03-18.
    assert second.month_texts().tolist() == ["2026M"] * 4
    assert [str(roll.new) for roll in second.rolls] == ["2026U"]
    words = ["ES", "--bars", "ES.csv", "--hold", "HMUZ", "--hold", "HU", "--priced", "HMUZ"]
    assert pyfutures(*words, "--out", "out/{hold}.parquet", "--to", "2026H") == 0
    assert sorted(path.name for path in (folder / "out").glob("H*")) == [
        "HMUZ.parquet",
        "HU.parquet",
    ]


def test_two_series_for_one_file_are_refused(folder, capsys):
    assert pyfutures("ES", "NQ", "--bars", "{root}.csv", "--out", "one.parquet") == 2
    assert "two series would be written to one.parquet" in capsys.readouterr().err


def test_the_roll_given_on_the_command_line(folder):
    """Business days, an explicit deadline, the nearest policy: Monday 16 less two sessions."""
    words = ["ES", "--bars", "ES.csv", "--out", "x.parquet", "--anchor", "last_trade"]
    assert (
        pyfutures(*words, "--roll-offset", "-3", "--unit", "business", "--deadline", "last_trade")
        == 0
    )
    (roll,) = read_parquet(folder / "x.parquet").rolls
    assert str(roll.roll_date) == "2026-03-17"
    assert pyfutures(*words, "--roll-offset", "-6", "--policy", "nearest") == 0
    (roll,) = read_parquet(folder / "x.parquet").rolls
    assert (str(roll.roll_date), roll.reason) == ("2026-03-14", "nearest")
    # Saturday 14th: Friday evening is a day and a bit before, which counts down to whole days.
    assert str(roll.last_old_ts)[:4] == "1773"


def test_a_folder_of_downloads(folder, capsys):
    from pyfutures.download.files import write_bars

    del write_bars  # the names below are those that `pyfutures download` gives
    (folder / "dl").mkdir()
    for code in ("2026H", "2026M", "2026U"):
        rows = [row for row in ES if row[0] == code]
        (folder / "dl" / f"ES_{code}_1d.csv").write_text(text_of(rows))
    (folder / "dl" / "ES_2026H_1h.csv").write_text(text_of(ES[:1]))
    (folder / "dl" / "NQ_2026H_1d.csv").write_text(text_of(ES[:1]))
    assert pyfutures("ES", "--bars", "dl", "--out", "x.parquet") == 1
    assert "bars of ES are there as 1d, 1h: say which with `--size`" in capsys.readouterr().err
    assert pyfutures("ES", "--bars", "dl", "--size", "1d", "--out", "x.parquet") == 0
    assert pyfutures("ES", "--bars", "ES.csv", "--out", "y.parquet") == 0
    assert (folder / "x.parquet").read_bytes() == (folder / "y.parquet").read_bytes()


def test_a_nautilus_catalogue(folder):
    pytest.importorskip("nautilus_trader")
    from nautilus_trader.model.data import Bar, BarType
    from nautilus_trader.model.objects import Price, Quantity
    from nautilus_trader.persistence.catalog import ParquetDataCatalog

    frame = read_bars(
        folder / "ES.csv",
        close_of=lambda day: (day.toordinal() - 719163) * 86400 * 10**9 + 21 * 3600 * 10**9,
    )
    catalog = ParquetDataCatalog(str(folder / "cat"))
    names = {"2026H": "ESH26.XCME", "2026M": "ESM26.XCME", "2026U": "ESU26.XCME"}
    natives = {}
    for bar in frame.bars():
        kind = BarType.from_str(f"{names[str(bar.month)]}-1-DAY-LAST-EXTERNAL")
        price = Price(bar.close / 1e9, 2)
        natives.setdefault(kind, []).append(
            Bar(kind, price, price, price, price, Quantity.from_int(10), bar.ts, bar.ts)
        )
    for bars in natives.values():
        catalog.write_data(bars)
    other = BarType.from_str("NQH26.XCME-1-DAY-LAST-EXTERNAL")
    catalog.write_data([Bar(other, *[Price(1, 2)] * 4, Quantity.from_int(1), 10**18, 10**18)])
    assert pyfutures("ES", "--bars", "cat", "--out", "x.parquet") == 0
    found = read_parquet(folder / "x.parquet")
    assert found.close.tolist() == [6710 * 10**9, 6730 * 10**9, 6800 * 10**9, 6795 * 10**9]
    assert found.volume.tolist() == [10.0] * 4 or found.volume.tolist()[0] == 10.0


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 7])
@pytest.mark.parametrize("again", [True, False])
def test_appended_bytes_are_those_from_scratch(folder, cut, again, capsys):
    whole, some = folder / "whole.parquet", folder / "some.parquet"
    assert pyfutures("ES", "--bars", "ES.csv", "--out", whole) == 0
    (folder / "old.csv").write_text(text_of(ES[:cut]))
    (folder / "new.csv").write_text(text_of(ES if again else ES[cut:]))
    assert pyfutures("ES", "--bars", "old.csv", "--out", some, "--append") == 0
    capsys.readouterr()
    assert pyfutures("ES", "--bars", "new.csv", "--out", some, "--append") == 0
    assert "of them new" in capsys.readouterr().out
    assert some.read_bytes() == whole.read_bytes()


def test_appending_refuses_what_would_not_be_the_same(folder, capsys):
    out = folder / "x.parquet"
    assert pyfutures("ES", "--bars", "ES.csv", "--out", out) == 0
    before = out.read_bytes()
    revised = folder / "revised.csv"
    revised.write_text(text_of([*ES[:2], ("2026H", "2026-03-16", 6731), *ES[3:]]))
    inserted = folder / "inserted.csv"
    inserted.write_text(text_of([("2026H", "2026-03-12", 6700)]))
    for words, error in (
        (
            ["ES.csv", "--policy", "volume"],
            "ES: policy was first_common, now volume; build it anew",
        ),
        (["ES.csv", "--missing", "fail"], "missing was wait, now fail"),
        (
            ["ES.csv", "--policy", "nearest"],
            "nearest looks ahead, so that new bars may move a roll",
        ),
        (["ES.csv", "--roll-offset", "-9"], "ES 2026H: roll date was 2026-03-16 and is 2026-03-11"),
        (["ES.csv", "--from", "2026M"], "the series starts with 2026H, not 2026M"),
        (
            [revised],
            "the bar of 2026H at 2026-03-16T21:00:00Z closes at 6731, and the series has 6730",
        ),
        (
            [inserted],
            "the bar of 2026H at 2026-03-12T21:00:00Z closes at 6700, and the series has no",
        ),
    ):
        assert pyfutures("ES", "--bars", *words, "--out", out, "--append") == 1, words
        assert error in capsys.readouterr().err
    assert out.read_bytes() == before


def test_a_job_is_a_value_that_other_processes_do(tmp_path):
    cal = calendar("2026H - 2026M - 2026-03-16 2026-03-20", "2026M 2026H - - 2026-06-15 2026-06-19")
    path = tmp_path / "bars.csv"
    rows = [(m, f"{ts}T21:00:00Z", p) for m, ts, p in ES]
    path.write_text(text_of(rows))
    jobs = [Job("HG", cal, (str(path),), str(tmp_path / f"{n}.parquet")) for n in range(3)]
    assert [one.error for one in run_jobs(jobs, processes=2)] == [None] * 3
    assert run_job(jobs[0]).error is None
    frame = read_bars(path)
    series = build(frame, cal)
    for n in range(3):
        assert read_parquet(tmp_path / f"{n}.parquet").close.tolist() == series.close.tolist()
    assert series.start == month("2026H")


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.bin"
    write_whole(str(path), lambda sink: sink.write(b"old"))

    def half(sink):
        sink.write(b"ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_whole(str(path), half)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["x.bin"]


KILLED = """
import sys
from pyfutures.continuous.build import read_parquet, write_parquet
series = read_parquet(sys.argv[1])
print("ready", flush=True)
while True:
    write_parquet(series, sys.argv[2])
"""


def test_a_kill_leaves_a_whole_file(folder):
    assert pyfutures("ES", "--bars", "ES.csv", "--out", "x.parquet") == 0
    whole = (folder / "x.parquet").read_bytes()
    for turn in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, "x.parquet", "y.parquet"], stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            time.sleep(0.02 + 0.013 * turn)
            os.kill(process.pid, signal.SIGKILL)
        if (folder / "y.parquet").exists():
            assert (folder / "y.parquet").read_bytes() == whole


def test_rolls_as_json_and_as_a_file(folder, capsys):
    names = ["ts", "price", "forward", "carry"]
    names += [f"{leg}_contract" for leg in ("price", "forward", "carry")]
    rows = [
        ("2021-02-26 23:00:00", 4, 5, "", 20210300, 20210700, 20210500),
        ("2021-03-01 23:00:00", 4.5, 5.25, "", 20210300, 20210700, 20210500),
        ("2021-03-02 23:00:00", 5.5, "", "", 20210700, 20210900, 20210900),
    ]
    with (folder / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    words = ["continuous", "rolls", "m.csv", "--hold", "HNU", "--roll-offset", "0"]
    assert run([*words, "--format", "json"]) == 0
    (roll,) = json.loads(capsys.readouterr().out)
    assert roll == {
        "old_contract": 20210300,
        "new_contract": 20210700,
        "last_old_ts": "2021-03-01T23:00:00Z",
        "first_new_ts": "2021-03-02T23:00:00Z",
        "pre_price": 4.5,
        "post_price": 5.25,
        "reason": "nearest",
    }
    assert run([*words, "--out", "r.csv"]) == 0
    assert len((folder / "r.csv").read_text().splitlines()) == 2
    for mode, closes in (
        ("backward_spread", ["4.75", "5.25", "5.5"]),
        ("forward_spread", ["4", "4.5", "4.75"]),
    ):
        assert run(["continuous", "adjust", "m.csv", "--mode", mode, "--out", "a.csv"]) == 0
        lines = (folder / "a.csv").read_text().splitlines()
        assert [line.split(",")[1] for line in lines] == ["adjusted", *closes]
    (folder / "m.csv").write_text((folder / "m.csv").read_text().replace(",5.25,", ",,"))
    capsys.readouterr()
    words = ["continuous", "adjust", "m.csv", "--out", "a.csv"]
    assert run(words) == 1
    assert "the last row of 20210300 has no forward price" in capsys.readouterr().err
    assert run([*words, "--missing", "infer"]) == 0
    assert (folder / "a.csv").read_text().splitlines()[1].split(",")[1:] == ["5", "1"]
