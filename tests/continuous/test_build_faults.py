"""Builds that meet what real files, disks and machines do: each fault is named, none spreads."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pyfutures.chain import Catalog
from pyfutures.cli import run
from pyfutures.continuous.build import read_parquet
from pyfutures.continuous.frame import Stamp
from pyfutures.continuous.jobs import Job, SessionClose, run_job, run_jobs
from tests.continuous.tools import calendar

pa = pytest.importorskip("pyarrow")

HEAD = "contract,ts,open,high,low,close,volume\n"
# The window of ES 2026H opens on 2026-03-16.
ES = [
    ("2026H", "2026-03-13", 6710), ("2026M", "2026-03-13", 6765),
    ("2026H", "2026-03-16", 6730), ("2026M", "2026-03-16", 6785),
    ("2026H", "2026-03-17", 6745), ("2026M", "2026-03-17", 6800),
    ("2026M", "2026-03-18", 6795), ("2026U", "2026-03-18", 6850),
]  # fmt: skip
CLOSES = [6710, 6730, 6800, 6795]


def text_of(rows, volume=10):
    return HEAD + "".join(f"{m},{ts},{p},{p},{p},{p},{volume}\n" for m, ts, p in rows)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ES.csv").write_text(text_of(ES))
    return tmp_path


def built(*words, out="x.parquet"):
    return run(["continuous", "build", *map(str, words), "--out", str(out)])


def closes(path="x.parquet"):
    return [close / 1e9 for close in read_parquet(path).close.tolist()]


# What is in the files


def test_bars_of_an_unlisted_month_are_left_out_and_told(here, capsys):
    (here / "ES.csv").write_text(text_of([*ES, ("2026K", "2026-03-16", 1), ES[0]]))
    assert built("ES", "--bars", "ES.csv") == 0
    assert closes() == CLOSES
    said = capsys.readouterr().err
    assert said == "warning: ES 2026K is not a listed month: 1 bar left out\n"


def test_bars_after_the_last_trade_are_told(here, capsys):
    """ES 2026H traded last on Friday 2026-03-20; its bar of that day is none of them."""
    late = [("2026H", f"2026-{day}", 6900) for day in ("03-20", "03-23", "04-17")]
    rows = [*ES, *late]
    (here / "ES.csv").write_text(text_of(rows))
    assert built("ES", "--bars", "ES.csv") == 0
    assert closes() == CLOSES
    assert "ES 2026H has 2 bars after its last trade 2026-03-20" in capsys.readouterr().err


def test_prices_below_zero_are_prices(here):
    (here / "ES.csv").write_text(text_of([(m, ts, p - 6790) for m, ts, p in ES]))
    assert built("ES", "--bars", "ES.csv") == 0
    assert closes() == [close - 6790 for close in CLOSES]
    (roll,) = read_parquet("x.parquet").rolls
    assert roll.gap == 55 * 10**9
    code = run(["continuous", "adjust", "x.parquet", "--mode", "backward_ratio", "--out", "a.csv"])
    assert code == 1


def test_missing_volumes_stay_missing(here):
    (here / "ES.csv").write_text(text_of(ES, volume=""))
    assert built("ES", "--bars", "ES.csv") == 0
    assert closes() == CLOSES
    assert all(volume != volume for volume in read_parquet("x.parquet").volume.tolist())  # noqa: PLR0124 - nan


def test_gaps_of_days_and_a_forward_that_is_not_there_wait(here):
    (here / "ES.csv").write_text(text_of([ES[0], *ES[4:]]))
    assert built("ES", "--bars", "ES.csv") == 0
    (roll,) = read_parquet("x.parquet").rolls
    assert (roll.pre_price, roll.post_price) == (6745 * 10**9, 6800 * 10**9)


def test_closes_move_with_the_clocks_of_chicago(here):
    """16:00 there is 22:00 UTC until 2026-03-07, and 21:00 from the 8th on."""
    rows = [("2026H", f"2026-03-{day:02}", 6700) for day in (5, 6, 9, 10)]
    (here / "ES.csv").write_text(text_of(rows))
    assert built("ES", "--bars", "ES.csv") == 0
    hours = [
        dt.datetime.fromtimestamp(ts / 1e9, dt.UTC).hour for ts in read_parquet("x.parquet").ts
    ]
    assert hours == [22, 22, 21, 21]


# What would be overwritten, or is damaged


@pytest.mark.parametrize("place", ["{root}.parquet", "ES.parquet"])
def test_the_bars_are_not_replaced_by_the_series(here, place, capsys):
    from pyarrow import csv, parquet

    parquet.write_table(csv.read_csv("ES.csv"), "ES.parquet")
    before = (here / "ES.parquet").read_bytes()
    assert built("ES", "--bars", place, out="{root}.parquet") == 2
    assert "is one of the files of bars" in capsys.readouterr().err
    assert (here / "ES.parquet").read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"", b"garbage", None], ids=["empty", "garbage", "half"]
)  # fmt: skip
def test_a_damaged_series_is_not_gone_on_with(here, content, capsys):
    assert built("ES", "--bars", "ES.csv") == 0
    whole = (here / "x.parquet").read_bytes()
    content = whole[: len(whole) // 2] if content is None else content
    (here / "x.parquet").write_bytes(content)
    capsys.readouterr()
    assert built("ES", "--bars", "ES.csv", "--append") == 1
    said = capsys.readouterr().err
    assert said.startswith("pyfutures: x.parquet: ")
    assert "the file is damaged or of another kind: remove it and build it anew" in said
    assert (here / "x.parquet").read_bytes() == content


def test_a_changed_spec_is_named_and_the_file_stays(here, capsys):
    """The same series by a catalogue whose hold cycle or roll date of the past is another one."""
    assert built("ES", "--bars", "ES.csv") == 0
    before = (here / "x.parquet").read_bytes()
    spec = next(Path(__file__).parents[2].glob("contracts/*/ES.yaml")).read_text()
    folder = here / "specs" / "cme"
    folder.mkdir(parents=True)
    for change, words in (
        (("offset: -4,", "offset: -5,"), "ES 2026H: roll date was 2026-03-16 and is 2026-03-15"),
        (("carry: 1}", "carry: -1}"), "ES 2026H: carry was"),
        (("  listed: HMUZ", "  listed: HMUZ\n  hold: HU"), "ES 2026H: forward was 2026M and is"),
    ):
        assert change[0] in spec
        (folder / "ES.yaml").write_text(spec.replace(*change))
        capsys.readouterr()
        words_ = ["--contracts", str(here / "specs"), "continuous", "build", "ES", "--bars"]
        assert run([*words_, "ES.csv", "--out", "x.parquet", "--append"]) == 1, change
        said = capsys.readouterr().err
        assert words in said
        assert "build it anew" in said
    assert (here / "x.parquet").read_bytes() == before
    (folder / "ES.yaml").write_text(spec + "\n# A comment changes nothing.\n")
    words_ = ["--contracts", str(here / "specs"), "continuous", "build", "ES", "--bars"]
    assert run([*words_, "ES.csv", "--out", "x.parquet", "--append"]) == 0
    assert (here / "x.parquet").read_bytes() == before


# Disks and processes


FULL = """
import resource, signal, sys
from pyfutures.cli import run
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as a full disk would")
def test_a_disk_that_is_full_leaves_the_old_file(here):
    """A series is a file of more than 2,000 bytes, so that writing stops within it."""
    assert built("ES", "--bars", "ES.csv") == 0
    before = (here / "x.parquet").read_bytes()
    assert len(before) > 2000
    words = ["continuous", "build", "ES", "--bars", "ES.csv", "--out", "x.parquet"]
    done = subprocess.run(
        [sys.executable, "-c", FULL, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert (here / "x.parquet").read_bytes() == before
    assert [path.name for path in here.glob("*.partial")] == []


def test_builds_that_are_killed_leave_a_whole_file_or_none(here):
    """At any time of a build and of an append; the next one is as if nothing had been."""
    assert built("ES", "--bars", "ES.csv") == 0
    whole = (here / "x.parquet").read_bytes()
    words = ["continuous", "build", "ES", "--bars", "ES.csv", "--append", "--out", "y.parquet"]
    program = f"from pyfutures.cli import run\nwhile True:\n    run({words})\n"
    for turn in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            process.stdout.readline()
            time.sleep(0.011 * turn)
            os.kill(process.pid, signal.SIGKILL)
        if (here / "y.parquet").exists():
            assert (here / "y.parquet").read_bytes() == whole
    assert built("ES", "--bars", "ES.csv", "--append", out="y.parquet") == 0
    assert (here / "y.parquet").read_bytes() == whole


class Dies(SessionClose):
    """A close on which the process that asks for it dies, as the kernel kills one."""

    __slots__ = ()

    def __call__(self, day):  # noqa: ARG002 - the process is gone first
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_takes_no_other_root_with_it(tmp_path):
    rows = calendar(
        "2026H - 2026M - 2026-03-16 2026-03-20", "2026M 2026H - - 2026-06-15 2026-06-19"
    )
    path = tmp_path / "bars.csv"
    path.write_text(text_of(ES))
    close = dt.time(16), "America/Chicago"
    jobs = [
        Job(
            root="HG",
            calendar=rows,
            bars=(str(path),),
            out=str(tmp_path / f"{number}.parquet"),
            hours=(Dies if number == 1 else SessionClose)(*close),
        )
        for number in range(4)
    ]
    outcomes = list(run_jobs(jobs, processes=2))
    errors = [one.error for one in outcomes if one.error is not None]
    assert errors == ["HG: the process that built it died, twice: out of memory?"]
    assert len(outcomes) == 4
    assert sorted(p.name for p in tmp_path.glob("*.parquet")) == [
        "0.parquet",
        "2.parquet",
        "3.parquet",
    ]


# URLs


def test_bars_series_and_specs_by_url(here, capsys):
    """A root that the catalogue does not have, all of it by URL."""
    spec = next(Path(__file__).parents[2].glob("contracts/*/ES.yaml")).read_text()
    (here / "specs" / "cme").mkdir(parents=True)
    (here / "specs" / "cme" / "QQES.yaml").write_text(spec.replace("root: ES", "root: QQES"))
    url = here.as_uri()
    words = ["--specs", f"{url}/specs", "--bars", f"{url}/ES.csv"]
    assert built("QQES", *words, out=f"{url}/x.parquet") == 0
    assert closes() == CLOSES
    assert built("QQES", *words, "--append", out=f"{url}/x.parquet") == 0
    assert closes() == CLOSES
    assert run(["continuous", "adjust", f"{url}/x.parquet", "--out", f"{url}/a.csv"]) == 0
    assert (here / "a.csv").read_text().splitlines()[1].split(",")[1:] == ["6765", "55"]
    capsys.readouterr()
    for place, said in (
        (f"{url}/nothing", "nothing is there"),
        ("specs", "is no URL: give --contracts"),
        ("nix://x", "Protocol not known: nix"),
    ):
        assert built("QQES", "--bars", "ES.csv", "--specs", place) == 2
        assert said in capsys.readouterr().err


@pytest.fixture
def catalogue(here):
    """A catalogue with a file a day: forward comes in a file of its own, later."""
    pytest.importorskip("nautilus_trader")
    from nautilus_trader.model.data import Bar, BarType
    from nautilus_trader.model.objects import Price, Quantity
    from nautilus_trader.persistence.catalog import ParquetDataCatalog

    catalog = ParquetDataCatalog(str(here / "cat"))

    def write(month, day, close):
        at = dt.datetime.fromisoformat(f"{day}T21:00:00+00:00")
        ts = int(at.timestamp()) * 10**9
        kind = BarType.from_str(f"ES{month[4]}{month[2:4]}.XCME-1-DAY-LAST-EXTERNAL")
        price = Price(close, 2)
        catalog.write_data([Bar(kind, *[price] * 4, Quantity.from_int(10), ts, ts)])

    return write


def test_a_catalogue_by_url(here, catalogue):
    for row in ES:
        catalogue(*row)
    assert built("ES", "--bars", f"{here.as_uri()}/cat") == 0
    assert closes() == CLOSES


@pytest.mark.parametrize("stamp", list(Stamp))
def test_files_left_out_of_an_append_change_nothing(here, catalogue, stamp):
    """Each time only what is new is read, and every other leg comes after its time was told."""
    chain = Catalog.load(roots=["ES"])["ES"]

    def made(out, *, appends):
        job = Job(
            root="ES",
            calendar=chain.rolls,
            bars=("cat",),
            out=out,
            classes=("ES",),
            stamp=stamp,
            interval=dt.timedelta(days=1),
            appends=appends,
        )
        outcome = run_job(job)
        assert outcome.error is None
        return outcome

    for number, row in enumerate(ES):
        catalogue(*row)
        if number % 2 == 0:
            made("grown.parquet", appends=True)
    made("grown.parquet", appends=True)
    made("whole.parquet", appends=False)
    assert (here / "grown.parquet").read_bytes() == (here / "whole.parquet").read_bytes()


def test_only_new_files_of_a_catalogue_are_read(here, catalogue):
    """A damaged old file would stop whoever read it."""
    for row in ES[:6]:
        catalogue(*row)
    assert built("ES", "--bars", "cat") == 0
    for path in (here / "cat").rglob("*2026-03-13*.parquet"):
        path.write_bytes(b"damaged")
    for row in ES[6:]:
        catalogue(*row)
    assert built("ES", "--bars", "cat", "--append") == 0
    assert closes() == CLOSES
