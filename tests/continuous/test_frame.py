"""Bars of files: what is taken, what it becomes, and what is refused in which words."""

import gzip
import re
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.continuous.bars import NO_PRICE
from pyfutures.continuous.frame import BarsError, Stamp, _units, read_bars
from tests.continuous.tools import HOUR, month, ns, units

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

HEAD = "contract,ts,open,high,low,close,volume\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="bars.csv", head=HEAD):
        path = tmp_path / name
        content = (head + text).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


def one(write, ts="2021-03-01 18:00:00", contract="2021H", close="4.5", **kwargs):
    return read_bars(write(f"{contract},{ts},4,5,3,{close},10\n"), **kwargs)


@pytest.mark.parametrize("name", ["bars.csv", "bars.csv.gz"])
def test_a_csv(write, name):
    path = write(
        "2021N,2021-03-02 18:00:00,4.1,4.2,4.05,4.1435,\n"
        "2021H,2021-03-02 18:00:00,4,5,3,nan,7\n"
        "2021H,2021-03-01 18:00:00,4,5,3,,7.5\n",
        name,
    )
    frame = read_bars(path)
    assert len(frame) == 3
    assert frame.months == (month("2021H"), month("2021N"))
    assert frame.month.tolist() == [0, 0, 1]
    assert frame.ts.tolist() == [ns("03-01"), ns("03-02"), ns("03-02")]
    assert frame.close.tolist() == [NO_PRICE, NO_PRICE, 4_143_500_000]
    assert frame.open.tolist() == [units(4), units(4), 4_100_000_000]
    assert repr(frame.volume.tolist()) == "[7.5, 7.0, nan]"
    assert frame.open_interest is None


@pytest.mark.parametrize("contract", ["2021H", "202103", "20210300", "2021-03"])
def test_contracts_of_every_notation(write, contract):
    assert one(write, contract=contract).months == (month("2021H"),)


@pytest.mark.parametrize(
    "ts",
    [
        "2021-03-01 18:00:00",
        "2021-03-01T18:00:00",
        "2021-03-01T18:00:00Z",
        "2021-03-01T19:00:00+01:00",
        "2021-03-01 13:00:00-0500",
        "2021-03-01T18:00",
        "2021-03-01T18:00:00.000000000",
        "1614621600000000000",
    ],
)
def test_timestamps_of_every_notation(write, ts):
    """18:00 UTC on 1 March 2021 is 1614621600 s by `date -u -d @1614621600`."""
    assert one(write, ts).ts.tolist() == [1614621600 * 10**9]


def test_nanoseconds_are_kept(write):
    assert one(write, "2021-03-01T18:00:00.000000007").ts.tolist() == [ns("03-01") + 7]


def at_22(day):
    return int(datetime(day.year, day.month, day.day, 22, tzinfo=UTC).timestamp()) * 10**9


def test_bare_dates_close_with_the_session(write):
    kwargs = {"close_of": at_22, "stamp": Stamp.OPEN, "interval": timedelta(hours=23)}
    assert one(write, "2021-03-01", close_of=at_22).ts.tolist() == [ns("03-01 22:00")]
    assert one(write, "2021-03-01", **kwargs).ts.tolist() == [ns("03-01 22:00")]
    with pytest.raises(BarsError, match=r"row 1: ts 2021-03-01 is a date.*its spec needs `hours`"):
        one(write, "2021-03-01")


def test_stamps_of_the_open_are_moved_to_the_close(write):
    frame = one(write, stamp=Stamp.OPEN, interval=timedelta(hours=1))
    assert frame.ts.tolist() == [ns("03-01") + HOUR]
    with pytest.raises(BarsError, match="no contract has two timestamps"):
        one(write, stamp=Stamp.OPEN)


def bars_at(write, *times):
    return write("".join(f"2021H,2021-{time},4,5,3,4.5,10\n" for time in times))


def test_the_length_of_a_bar_is_its_shortest_step(write):
    # an hour, a day without trading, two hours without a trade
    path = bars_at(write, "03-01 18:00:00", "03-01 19:00:00", "03-02 19:00:00", "03-02 21:00:00")
    ends = ["03-01 19:00", "03-01 20:00", "03-02 20:00", "03-02 22:00"]
    assert read_bars(path, stamp=Stamp.OPEN).ts.tolist() == [ns(end) for end in ends]


def test_steps_that_do_not_tell_the_length_of_a_bar_are_an_error(write):
    # daily bars over a change of the clock: 24 hours, then 23
    path = bars_at(write, "03-12 23:00:00", "03-13 23:00:00", "03-14 22:00:00")
    with pytest.raises(BarsError, match=r"23:00:00 and 1 day.*--interval"):
        read_bars(path, stamp=Stamp.OPEN)
    assert read_bars(path, stamp=Stamp.OPEN, interval=timedelta(hours=23)).ts.size == 3


@pytest.mark.parametrize(
    ("column", "close_of"),
    [
        (lambda: pa.array([ns("03-01")], pa.int64()), None),
        (lambda: pa.array([ns("03-01")], pa.timestamp("ns")), None),
        (lambda: pa.array([ns("03-01") // 1000], pa.timestamp("us", tz="UTC")), None),
        (lambda: pa.array([ns("03-01") // 10**9], pa.timestamp("s", "America/New_York")), None),
        (lambda: pa.array([date(2021, 3, 1)], pa.date32()), lambda _: ns("03-01")),
        (lambda: pa.array(["2021-03-01T18:00:00Z"]), None),
    ],
)
def test_a_parquet_file(tmp_path, column, close_of):
    path = tmp_path / "bars.parquet"
    columns = {name: pa.array([4.5]) for name in ("open", "high", "low", "close")}
    columns |= {
        "contract": pa.array([20210300]),
        "ts": column(),
        "volume": pa.array([3]),
        "open_interest": pa.array([17]),
        "other": pa.array(["left alone"]),
    }
    parquet.write_table(pa.table(columns), str(path))
    frame = read_bars(path, close_of=close_of)
    assert frame.ts.tolist() == [ns("03-01")]
    assert frame.months == (month("2021H"),)
    assert frame.close.tolist() == [units("4.5")]
    assert (frame.volume.tolist(), frame.open_interest.tolist()) == ([3.0], [17.0])


def test_several_files_are_one_frame(write):
    one_file = write("2021N,2021-03-02 18:00:00,4,5,3,4,1\n", "n.csv")
    other = write(
        "2021H,2021-03-01 18:00:00,4,5,3,4,1,9\n", "h.csv", HEAD[:-1] + ",open_interest\n"
    )
    frame = read_bars([one_file, other])
    assert frame.months == (month("2021H"), month("2021N"))
    assert frame.open_interest is None  # not in all of them


SAME = "2021H,2021-03-01 18:00:00,4,5,3,nan,1\n"


def test_identical_duplicates_are_dropped_and_counted(write):
    frame = read_bars([write(SAME * 2, "a.csv"), write(SAME, "b.csv")])
    assert (len(frame), frame.duplicates) == (1, 2)


def test_different_duplicates_are_refused_naming_both_rows(write):
    first = write("2021N,2021-03-01 18:00:00,4,5,3,4,1\n" + SAME, "a.csv")
    second = write(SAME.replace("5,3", "5,2"), "b.csv")
    with pytest.raises(
        BarsError,
        match=r"a.csv row 2 and .*b.csv row 1 disagree on low of 2021H at 2021-03-01T18:00:00Z",
    ):
        read_bars([first, second])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2021H,2021-03-01,4,5,3,4\n", "Expected 7 columns, got 6"),
        ("2021H,2021-03-01 18:00,4,5,3,x,1\n", "Row #2: .* invalid value 'x'"),
        ("2021H,2021-03-01 18:00,4,5,3,1.0000000005,1\n", "row 1: close 1.0000000005 is not a "),
        ("2021H,2021-03-01 18:00,4,5,3,inf,1\n", "row 1: close inf is not within"),
        ("2021H,2021-03-01 18:00,4,5,3,1e10,1\n", "row 1: close 10000000000.0 is not within"),
        ("2021h,2021-03-01 18:00,4,5,3,4,1\n", "row 1: contract: "),
        (",2021-03-01 18:00,4,5,3,4,1\n", "row 1: no contract"),
        ("2021H,,4,5,3,4,1\n", "row 1: no ts"),
        ("2021H,1 March,4,5,3,4,1\n", "row 1: ts '1 March' is not a timestamp; write 2026-"),
        ("2021H,1614621600,4,5,3,4,1\n", "row 1: ts 1614621600 is too small to count nanoseconds"),
        ("2021H,2021-02-30 18:00,4,5,3,4,1\n", "row 1: ts '2021-02-30 18:00' is not among"),
        ("2021H,3000-01-01 18:00,4,5,3,4,1\n", "row 1: ts '3000-01-01 18:00' is not among .* 2199"),
        ("2021H,2250-01-01 18:00,4,5,3,4,1\n", "row 1: ts 2250-01-01T18:00:00.0* is outside 1900"),
        (SAME + "2021H,9223372036854775807,4,5,3,4,1\n", "row 2: ts '92233720"),
        ("2021H,9223372036854775807,4,5,3,4,1\n", "row 1: ts 9223372036854775807 is outside"),
        ("2021H,-9223372036854775808,4,5,3,4,1\n", "row 1: ts '-9223372036854775808' is not a"),
        (SAME + "2021H,2021-03-02,4,5,3,4,1\n", "row 2: ts '2021-03-02', but the rows before"),
        ("", "no bars in "),
    ],
)
def test_rows_that_cannot_be_taken(write, text, message):
    path = write(text)
    with pytest.raises(BarsError, match=message) as caught:
        read_bars(path)
    assert str(path) in str(caught.value)


# Beyond 1677 and 2262 an int64 of nanoseconds wraps into other centuries; contract months have
# years from 1900 to 2199.
@pytest.mark.parametrize(
    "day", ["0000-01-01", "1600-01-01", "1899-12-31", "2200-01-01", "9999-12-31"]
)
def test_bare_dates_of_other_centuries_are_refused(write, day):
    path = write(f"2021H,2021-03-01,4,5,3,4,1\n2021H,{day},4,5,3,4,1\n")
    with pytest.raises(
        BarsError, match=rf"bars.csv row 2: ts {day} is outside 1900 to 2199"
    ) as caught:
        read_bars(path, close_of=at_22)
    assert "leave the row out" in str(caught.value)


def test_bare_dates_at_the_ends_are_taken(write):
    path = write("2021H,1900-01-01,4,5,3,4,1\n2021H,2199-12-31,4,5,3,4,1\n")
    first, last = read_bars(path, close_of=at_22).ts.tolist()
    # `date -u -d '1900-01-01 22:00' +%s`
    assert (first, last) == (-2208909600 * 10**9, 7258111200 * 10**9)


def typed(tmp_path, **columns):
    """A parquet file of one bar, with some columns of other types or values."""
    one = {name: pa.array([4.5]) for name in ("open", "high", "low", "close", "volume")}
    one |= {"contract": pa.array(["2021H"]), "ts": pa.array([ns("03-01")])} | columns
    parquet.write_table(pa.table(one), str(tmp_path / "typed.parquet"))
    return tmp_path / "typed.parquet"


def text_of(content):
    """A column of text whose bytes nobody looked at."""
    return pa.Array.from_buffers(pa.string(), 1, pa.array([content], pa.binary()).buffers())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ts": pa.array([-(10**7)], pa.date32())}, "row 1: ts -25410-12-06 is outside 1900 to"),
        ({"ts": pa.array([2**62], pa.date64())}, r"row 1: ts \d+-\d\d-\d\d is outside"),
        ({"ts": pa.array([32503680000 * 10**6], pa.timestamp("us"))}, "row 1: ts 3000-01-01T00:00"),
        ({"ts": pa.array([2**62], pa.timestamp("ms"))}, r"row 1: ts 146140482-04-24T\S+ is out"),
        ({"ts": pa.array([2**63], pa.uint64())}, "row 1: ts 9223372036854775808 is outside 1900"),
        ({"ts": pa.array([-(2**63)])}, "row 1: ts -9223372036854775808 is outside 1900 to 2199"),
        ({"ts": pa.array([7], pa.int8())}, "row 1: ts 7 is too small to count nanoseconds"),
        ({"ts": text_of(b"\xff2021")}, "row 1: ts b.* is not text in UTF-8"),
        ({"contract": text_of(b"\xff2021H")}, "row 1: contract b.* is not text in UTF-8"),
        ({"contract": pa.array([b"\xff2021H"])}, "row 1: contract b.* is not text in UTF-8"),
        ({"contract": pa.array([["2021H"]])}, "contract has type list.*, which is no month"),
    ],
)
def test_columns_of_other_types_and_times(tmp_path, columns, message):
    path = typed(tmp_path, **columns)
    with pytest.raises(BarsError, match=message) as caught:
        read_bars(path, close_of=lambda _: ns("03-01"))
    assert str(path) in str(caught.value)


def test_date64_is_a_date(tmp_path):
    path = typed(tmp_path, ts=pa.array([date(2021, 3, 1)], pa.date64()))
    assert read_bars(path, close_of=lambda day: ns(f"{day} 22:00")).ts.tolist() == [
        ns("03-01 22:00")
    ]


def test_a_column_of_a_name_that_is_there_twice_is_refused(tmp_path, write):
    head = "contract,ts,open,high,low,close,volume,close,other,other\n"
    with pytest.raises(BarsError, match=r"bars.csv: column close is there 2 times; keep one"):
        read_bars(write("2021H,2021-03-01 18:00,4,5,3,4,1,4,8,9\n", head=head))
    table = parquet.read_table(str(typed(tmp_path)))
    path = tmp_path / "twice.parquet"
    parquet.write_table(table.append_column("close", pa.array([4.5])), str(path))
    with pytest.raises(BarsError, match=r"twice.parquet: column close is there 2 times; keep one"):
        read_bars(path)


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(HEAD.encode() * 9999, mtime=0)[:-40]]
)
def test_a_damaged_archive_is_named(tmp_path, content):
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(content)
    with pytest.raises(BarsError, match=re.escape(f"{path}: ")):
        read_bars(path)


def test_a_file_that_is_not_there_is_no_bad_bar(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read_bars(tmp_path / "none.csv")


@pytest.mark.parametrize("interval", [timedelta(0), timedelta(days=-1), timedelta(days=999999999)])
def test_a_bar_is_not_longer_than_a_year(write, interval):
    with pytest.raises(
        BarsError, match=r"is no length of a bar: more than nothing, at most 366 day"
    ):
        one(write, stamp=Stamp.OPEN, interval=interval)


def test_a_step_of_centuries_is_no_length_of_a_bar(write):
    path = write("2021H,1901-03-01 18:00,4,5,3,4,1\n2021H,2101-03-01 18:00,4,5,3,4,1\n")
    with pytest.raises(BarsError, match=r"is no length of a bar.*--interval 1h"):
        read_bars(path, stamp=Stamp.OPEN)


def test_absent_columns_are_named(write):
    path = write("2021H,1\n", head="contract,close\n")
    with pytest.raises(BarsError, match="no column ts, open, high, low, volume; expected contract"):
        read_bars(path)


def test_other_files_are_refused(tmp_path, write):
    with pytest.raises(BarsError, match=r"neither .csv, .csv.gz nor .parquet"):
        read_bars(write("", "bars.txt"))
    with pytest.raises(BarsError, match=re.escape("bars.parquet: ")):
        read_bars(write("", "bars.parquet"))
    with pytest.raises(BarsError, match="no bars in no files"):
        read_bars([])
    path = tmp_path / "typed.parquet"
    table = {name: pa.array([[1]]) for name in ("open", "high", "low", "close", "volume")}
    table |= {"contract": pa.array(["2021H"]), "ts": pa.array([True])}
    parquet.write_table(pa.table(table), str(path))
    with pytest.raises(BarsError, match="ts: type bool is neither text, timestamp, date nor"):
        read_bars(path)
    table["ts"] = pa.array([ns("03-01")])
    parquet.write_table(pa.table(table), str(path))
    with pytest.raises(BarsError, match=r"open has type list.* which is no number"):
        read_bars(path)


def test_without_pyarrow_the_error_says_what_to_install(write, monkeypatch):
    path = write(SAME)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs pyarrow: pip install 'pyfutures\[ser"):
        read_bars(path)


@given(st.integers(-(9 * 10**18), 9 * 10**18), st.integers(0, 9))
def test_floats_of_prices_are_read_exactly(count, places):
    """Any decimal that a float can tell from its neighbours (15 digits) is its count of 1e-9."""
    digits = min(15, len(str(abs(count))))
    price = Decimal(str(count)[: digits + (count < 0)]).scaleb(-places)
    if abs(price) >= 9 * 10**9:
        price = price.scaleb(-9)
        if price != round(price, 9):
            return
    values = np.array([float(price), np.nan])
    assert _units("file", "close", values).tolist() == [int(price * 10**9), NO_PRICE]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (0.1 + 0.2, 300_000_000),
        (65000.1, 65_000_100_000_000),
        (1e6 + 0.1 + 0.2, 1_000_000_300_000_000),
        (4123456.25, 4_123_456_250_000_000),
        (-37.63, -37_630_000_000),
        (0.000000001, 1),
    ],
)
def test_prices_that_were_computed(value, count):
    assert _units("file", "close", np.array([value])).tolist() == [count]
