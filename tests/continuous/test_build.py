"""The batch: defaults, progress, errors, and the file it writes."""

import json

import numpy as np
import pytest

from pyfutures import __version__
from pyfutures.chain.rolls import RollCalendarError
from pyfutures.continuous import RollMissedError
from pyfutures.continuous.adjustment import Adjustment
from pyfutures.continuous.bars import NO_PRICE
from pyfutures.continuous.build import (
    BarsError,
    build,
    read_bars,
    read_parquet,
    write_parquet,
)
from pyfutures.continuous.series import SeriesError
from tests.continuous.tools import calendar, month, ns, units

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

HG = calendar(
    "2020Z - 2021H 2020X 2020-11-29 2020-12-29",
    "2021H 2020Z 2021N 2021J 2021-02-27 2021-03-29",
    "2021N 2021H 2021U 2021Q 2021-06-28 2021-07-28",
    "2021U 2021N 2021Z 2021V 2021-08-29 2021-09-28",
)
ROWS = """\
contract,ts,open,high,low,close,volume
2021H,2021-02-26 18:00:00,4,4,4,4,1
2021H,2021-03-01 18:00:00,4,4.5,3.5,4.25,2
2021N,2021-03-01 18:00:00,5,5,5,5,3
2021J,2021-03-01 18:00:00,4.5,4.5,4.5,4.5,3
2021H,2021-03-02 18:00:00,4,4,4,4,4
2021N,2021-03-02 18:00:00,5,5.5,4.5,nan,5
2021K,2021-03-02 18:00:00,7,7,7,7,5
2021U,2021-03-02 18:00:00,6,6,6,6,6
"""


@pytest.fixture
def frame(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text(ROWS)
    return read_bars(path)


def test_columns_on_paper(frame):
    series = build(frame, HG, end=month("2021N"))
    assert (series.root, series.start, len(series)) == ("HG", month("2021H"), 3)
    assert series.ts.tolist() == [ns("02-26"), ns("03-01"), ns("03-02")]
    assert series.month_texts().tolist() == ["2021H", "2021H", "2021N"]
    assert series.open.tolist() == [units(k) for k in (4, 4, 5)]
    assert series.high.tolist() == [units(k) for k in (4, "4.5", "5.5")]
    assert series.low.tolist() == [units(k) for k in (4, "3.5", "4.5")]
    assert series.close.tolist() == [units(4), units("4.25"), NO_PRICE]
    assert series.volume.tolist() == [1.0, 2.0, 5.0]
    assert series.forward.tolist() == [NO_PRICE, units(5), units(6)]
    assert series.carry.tolist() == [NO_PRICE, units("4.5"), NO_PRICE]
    assert series.previous.tolist() == [NO_PRICE, NO_PRICE, units(4)]
    assert series.C.tolist() == [0, 0, units("0.75")]
    assert series.R.tolist() == [1.0, 1.0, 5 / 4.25]
    assert series.rolled.tolist() == [False, False, True]
    (roll,) = series.rolls
    assert (roll.last_old_ts, roll.first_new_ts) == (ns("03-01"), ns("03-02"))
    assert (roll.pre_price, roll.post_price) == (units("4.25"), units(5))


def test_start_and_end_are_the_first_and_last_held_months_with_bars(frame):
    """2021U has a bar, so 2021N may roll; nothing was late, it just was not time yet."""
    series = build(frame, HG)
    assert series.start == month("2021H")
    assert len(series) == 3


# The spec's own roll of copper: 35 days before the last trade, and out before first notice.
OWN = calendar(
    "2020Z - 2021H - 2020-11-24 2020-11-30",
    "2021H 2020Z 2021N - 2021-02-22 2021-02-26",
    "2021N 2021H 2021U - 2021-06-23 2021-06-30",
    "2021U 2021N - - 2021-08-24 2021-08-31",
)


def one_a_day(tmp_path, *lines):
    """Bars of one price: ``2021H 03-05``."""
    path = tmp_path / "some.csv"
    pairs = [line.split() for line in lines]
    rows = "".join(f"{contract},2021-{day} 18:00:00,4,4,4,4,1\n" for contract, day in pairs)
    path.write_text(ROWS.splitlines(keepends=True)[0] + rows)
    return read_bars(path)


@pytest.mark.parametrize(
    ("lines", "start"),
    [
        # The window of 2021H had passed before its first bar: nothing could be made of them.
        (["2021H 03-05", "2021N 03-05", "2021N 03-08"], "2021N"),
        (["2021H 02-26", "2021N 02-26"], "2021N"),
        (["2021H 02-25", "2021N 02-25"], "2021H"),
        # 2020Z has bars after its window, 2021H none before its own.
        (["2020Z 03-05", "2021H 03-05", "2021N 03-05"], "2021N"),
        # The last month is never left, so it has no deadline.
        (["2021H 03-05", "2021H 03-08"], "2021H"),
    ],
)
def test_the_default_start_is_a_month_that_can_still_be_left(tmp_path, lines, start):
    frame = one_a_day(tmp_path, *lines)
    series = build(frame, OWN)
    assert series.start == month(start)
    assert len(series) == sum(start in line for line in lines)


def test_a_start_that_was_asked_for_stands(tmp_path):
    frame = one_a_day(tmp_path, "2021H 03-05", "2021N 03-05")
    with pytest.raises(RollMissedError, match="end with 2021H, or start with 2021N"):
        build(frame, OWN, start=month("2021H"))
    assert build(frame, OWN, end=month("2021H")).start == month("2021H")


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ({"start": "2021U"}, " from 2021U"),
        ({"end": "2020Z"}, " to 2020Z"),
        ({"start": "2020Z", "end": "2020Z"}, " from 2020Z to 2020Z"),
    ],
)
def test_a_span_without_bars_is_named(tmp_path, span, words):
    frame = one_a_day(tmp_path, "2021H 02-25", "2021N 02-25")
    with pytest.raises(
        BarsError, match=f"HG: no bars of a held month{words}; there are 2021H, 2021N"
    ):
        build(frame, OWN, **{name: month(text) for name, text in span.items()})


def test_gaps_that_no_column_holds_are_refused(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text(
        ROWS.splitlines(keepends=True)[0]
        + "2021H,2021-02-24 18:00:00,0,0,0,-9e9,1\n2021N,2021-02-24 18:00:00,0,0,0,9e9,1\n"
    )
    words = "from 2021H at -9000000000 to 2021N at 9000000000 on 2021-02-24T18:00:00Z sum to 18000"
    with pytest.raises(BarsError, match=words):
        build(read_bars(path), OWN)


def test_a_roll_at_the_end_has_no_first_bar_yet(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("".join(ROWS.splitlines(keepends=True)[:4]))
    (roll,) = build(read_bars(path), HG).rolls
    assert roll.first_new_ts is None


def test_progress_ends_with_all_rows(frame):
    told = []
    build(frame, HG, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (8, 8)
    assert told == sorted(told)


def test_errors_name_what_is_there(frame):
    with pytest.raises(RollMissedError, match="HG: 2020Z was not rolled into 2021H"):
        build(frame, HG, start=month("2020Z"))
    with pytest.raises(RollCalendarError, match="2021K is not a held month"):
        build(frame, HG, end=month("2021K"))
    other = calendar("2030H - - - 2030-02-27 2030-03-29")
    with pytest.raises(BarsError, match="no bars of a held month; there are 2021H, 2021J, 2021K"):
        build(frame, other)


def test_bars_after_the_deadline_of_months_that_are_no_leg_count_too(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text(ROWS + "2022F,2021-07-28 18:00:00,6,6,6,6,6\n")
    with pytest.raises(RollMissedError, match="2021N was not rolled into 2021U"):
        build(read_bars(path), HG, end=month("2021U"))


def test_the_file(frame, tmp_path):
    path = tmp_path / "HG.parquet"
    series = build(frame, HG)
    write_parquet(series, path)
    assert [one.name for one in tmp_path.iterdir() if one.suffix != ".csv"] == ["HG.parquet"]
    table = parquet.read_table(str(path))
    assert table.column_names == [
        *("ts", "month", "open", "high", "low", "close", "volume"),
        *("forward", "carry", "previous", "C", "R", "rolled"),
    ]
    assert table.schema.field("ts").type == pa.timestamp("ns", tz="UTC")
    assert table.schema.field("month").type == pa.string()
    assert table.schema.field("rolled").type == pa.bool_()
    assert repr(table["close"].to_pylist()) == "[4.0, 4.25, nan]"
    assert table["C"].to_pylist() == [0.0, 0.0, 0.75]
    metadata = table.schema.metadata
    assert metadata[b"pyfutures.version"].decode() == __version__
    assert metadata[b"pyfutures.format"] == b"1"
    assert metadata[b"pyfutures.root"] == b"HG"
    assert metadata[b"pyfutures.policy"] == b"first_common"
    assert metadata[b"pyfutures.fingerprint"].decode() == series.fingerprint
    (roll,) = json.loads(metadata[b"pyfutures.rolls"])
    assert (roll["old"], roll["new"], roll["gap"]) == ("2021H", "2021N", 750_000_000)


def test_the_file_read_again_is_the_series(frame, tmp_path):
    path = tmp_path / "HG.parquet"
    series = build(frame, HG)
    write_parquet(series, path)
    again = read_parquet(path)
    for name in series.__slots__:
        one, other = getattr(series, name), getattr(again, name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            assert one.tolist() == other.tolist()
        else:
            assert one == other
    assert again.adjusted(Adjustment.BACKWARD_SPREAD).tolist() == [
        units("4.75"),
        units(5),
        NO_PRICE,
    ]
    assert again.adjusted(Adjustment.FORWARD_SPREAD, "open")[2] == units("4.25")


def test_other_parquet_files_are_no_series(tmp_path):
    path = tmp_path / "other.parquet"
    parquet.write_table(pa.table({"ts": [1]}), str(path))
    with pytest.raises(SeriesError, match="format version none, expected 1; build it anew"):
        read_parquet(path)
