"""Multiple prices of all kinds of files, against arithmetic on paper and against pandas."""

from __future__ import annotations

import csv
import gzip
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.cli import run
from pyfutures.continuous.adjustment import Adjustment, RatioError
from pyfutures.continuous.multiple import (
    MultipleError,
    MultiplePrices,
    adjust,
    adjustment,
)
from pyfutures.continuous.multiple_files import read_multiple
from pyfutures.continuous.policies import Missing, Policy
from pyfutures.continuous.recorded import rolls_by_rule

pa = pytest.importorskip("pyarrow")

HEAD = "ts,price,forward,carry,price_contract,forward_contract,carry_contract\n"
# The roll is at the second row: its gap is 5.25 - 4.5 = 0.75.
ROWS = (
    "2021-02-26 23:00:00,4,5,,20210300,20210700,20210500\n"
    "2021-03-01 23:00:00,4.5,5.25,,20210300,20210700,20210500\n"
    "2021-03-02 23:00:00,5.5,,,20210700,20210900,20210900\n"
)
TEXT = HEAD + ROWS
BACKWARD = [4.75, 5.25, 5.5]
NAN = math.nan


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(content, name="m.csv"):
    data = content if isinstance(content, bytes) else content.encode()
    with open(name, "wb") as file:  # noqa: PTH123 - a name, as people give it
        file.write(data)
    return name


def lines(*rows):
    """File of rows ``day price forward current next``; ``-`` for nothing."""
    text = HEAD
    for row in rows:
        day, price, forward, own, following = row.split()
        stamp = day if ":" in day else f"{day}T23:00:00"
        cells = (stamp, price, forward, "", own, following, "")
        text += ",".join("" if cell == "-" else cell for cell in cells) + "\n"
    return written(text)


def found(path, hold, offset=0, policy=Policy.NEAREST):
    rolls = rolls_by_rule(
        read_multiple(path), hold=hold, roll_offset=offset, expiry_offset=0, policy=policy
    )
    return [
        (roll.old_contract, roll.new_contract, day(roll.last_old_ts), day(roll.first_new_ts))
        for roll in rolls
    ]


def day(ts):
    return str(np.datetime64(ts, "ns"))[5:10]


# What a file may look like


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.upper(),
        TEXT.replace("ts,", "DATETIME,", 1),
        TEXT.replace("ts,", "timestamp,", 1),
        TEXT.replace("ts,", ",", 1),
        TEXT.replace("\n2021-03-01", "\n\n2021-03-01"),
        TEXT.replace(":00,", ":00Z,"),
        TEXT.replace(":00,", ":00+00:00,"),
        TEXT.replace(":00,", ":00.000000001,"),
        TEXT.replace("23:00:00", "23:00"),
        TEXT.replace(" 23:00:00", ""),
        TEXT.replace("00,2021", "00.0,2021"),
        TEXT.replace("00,2021", ",2021").replace("00\n", "\n"),
        TEXT.replace("20210300", "2021H").replace("20210700", "2021N").replace("20210500", "2021K")
        .replace("20210900", "2021U"),
        TEXT.replace(",20210900,20210900", ",nan,"),
    ],
    ids=[
        *("plain", "crlf", "byte_order_mark", "capitals", "datetime", "timestamp", "unnamed"),
        *("blank_line", "zulu", "zone", "nanoseconds", "minutes", "dates"),
        *("codes_as_floats", "codes_as_yyyymm", "codes_as_months", "codes_missing"),
    ],
)  # fmt: skip
def test_files_that_say_the_same(here, content, capsys):
    assert adjust(read_multiple(written(content))).tolist() == BACKWARD
    words = ["continuous", "rolls", "m.csv", "--hold", "HNU", "--roll-offset", "0"]
    assert run(words) == 0
    (roll,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (roll["old_contract"], roll["new_contract"]) == ("20210300", "20210700")
    assert (roll["pre_price"], roll["post_price"]) == ("4.5", "5.25")


def test_a_zipped_file(here):
    name = written(gzip.compress(TEXT.encode()), "m.csv.gz")
    assert adjust(read_multiple(name)).tolist() == BACKWARD
    for content, words in ((gzip.compress(TEXT.encode())[:-12], "Truncated"), (b"x", "")):
        with pytest.raises(MultipleError, match=f"{words}.*the file is damaged|damaged"):
            read_multiple(written(content, "m.csv.gz"))


def test_timestamps_with_a_zone_are_moved_to_utc(here):
    prices = read_multiple(written(TEXT.replace(":00,", ":00-05:00,")))
    assert str(np.datetime64(int(prices.ts[0]), "ns"))[:19] == "2021-02-27T04:00:00"


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.int64(), pa.int32(), pa.float64(), pa.string()),
        pa.dictionary(pa.int8(), pa.string()),
    ],
)
def test_parquet_files_with_codes_of_every_type(here, kind):
    from pyarrow import parquet

    codes = [20210300, 20210300, 20210700], [20210700, 20210700, 20210900]
    texts = pa.types.is_string(kind) or pa.types.is_dictionary(kind)
    current, following = (
        pa.array([str(one) for one in column] if texts else column).cast(kind) for column in codes
    )
    table = pa.table(
        {
            "price": [4.0, 4.5, 5.5],
            "forward": [5.0, 5.25, None],
            "carry": pa.nulls(3, pa.float64()),
            "price_contract": current,
            "forward_contract": following,
            "carry_contract": pa.nulls(3, pa.string() if texts else pa.int64()),
            "index": pa.array([1614380400, 1614639600, 1614726000]).cast(
                pa.timestamp("s", tz="Europe/London")
            ),
        }
    )
    parquet.write_table(table, "m.parquet")
    assert adjust(read_multiple("m.parquet")).tolist() == BACKWARD


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "Empty CSV file"),
        (TEXT.replace("forward_contract", "next_contract"), "no column forward_contract; expected"),
        (TEXT.replace(",", ";"), "no column price, forward"),
        (TEXT.replace("26 23:00:00", "02 23:00:00", 1).replace("02-02", "03-02"), "row 2:"),
        (TEXT.replace("2021-02-26", "26/02/2021"), "row 1: ts '26/02/2021 23:00:00' is not a"),
        (TEXT.replace("2021-03-01 23:00:00", "2021-03-01"), "row 2: ts '2021-03-01', but the rows"),
        (TEXT.replace("2021-03-01 23:00:00", ""), "row 2: no ts"),
        (TEXT.replace("ts,price", "ts,price,PRICE").replace(":00,", ":00,9,"),
         "price is there twice, as price and PRICE: keep one"),
        (TEXT.replace("ts,price", "ts,price,price").replace(":00,", ":00,9,"),
         "price is there twice, as price and price: keep one"),
        (TEXT.replace("4.5", "4.5x"), "row 2: price '4.5x' is no number"),
        (TEXT.replace("4.5", '"4,5"'), "row 2: price '4,5' is no number"),
        (TEXT.replace("5.25", "inf"), "row 2: forward inf is no price"),
        (TEXT.replace("5.25", "-Infinity"), "row 2: forward -inf is no price"),
        (TEXT.replace("20210500\n", "20211300\n", 1), "row 1: carry_contract 20211300 is no month"),
        (TEXT.replace("20210500\n", "7\n", 1), "row 1: carry_contract 7 is no month"),
        (TEXT.replace("20210500\n", "2021A\n", 1), "row 1: carry_contract '2021A' is no month"),
        (TEXT.replace("20210500\n", "20210500.5\n", 1), "row 1: carry_contract 20210500.5 is no"),
        (TEXT + "2021-03-03 23:00:00,5\n", "Expected 7 columns, got 2"),
    ],
    ids=[
        *("empty", "renamed", "semicolons", "unsorted", "day_first", "mixed", "no_ts"),
        *("twice_by_capitals", "twice", "text", "comma", "infinite", "minus_infinite"),
        *("month_13", "code_7", "no_code", "half_a_code", "short_row"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["adjust", "rolls"])
def test_files_that_are_refused_name_the_row(here, content, words, command, capsys):
    written(content)
    more = ["--out", "o.csv"] if command == "adjust" else ["--hold", "HNU", "--roll-offset", "0"]
    assert run(["continuous", command, "m.csv", *more]) == 1
    said = capsys.readouterr().err
    assert said.startswith("pyfutures: m.csv")
    assert words in said
    assert not (here / "o.csv").exists()


@pytest.mark.parametrize("row", [1, 2])
def test_a_row_without_a_current_contract_is_refused_by_both(here, row, capsys):
    content = HEAD + "".join(
        line.replace(",20210300,", ",,") if number == row else line
        for number, line in enumerate(ROWS.splitlines(keepends=True), start=1)
    )
    written(content)
    for words in (["adjust", "m.csv", "--out", "o.csv"],
                  ["rolls", "m.csv", "--hold", "HNU", "--roll-offset", "0"]):  # fmt: skip
        assert run(["continuous", *words]) == 1
        assert f"m.csv row {row}: no price_contract" in capsys.readouterr().err


def test_a_file_of_a_head_alone_and_of_one_row(here, capsys):
    words = ["continuous", "adjust", "m.csv", "--out", "o.csv"]
    written(HEAD)
    assert run(words) == 0
    assert (here / "o.csv").read_text() == "ts,adjusted,adjustment\n"
    written(HEAD + ROWS.splitlines()[0] + "\n")
    assert run(words) == 0
    assert (here / "o.csv").read_text().splitlines()[1] == '"2021-02-26 23:00:00",4,0'
    capsys.readouterr()
    assert run(["continuous", "rolls", "m.csv", "--hold", "HNU", "--roll-offset", "0"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_row_that_is_there_twice_stays_twice(here):
    """The rows of the answer are those of the file; a roll is looked for once a time."""
    first = ROWS.splitlines(keepends=True)[0]
    name = written(HEAD + first + ROWS)
    assert adjust(read_multiple(name)).tolist() == [4.75, *BACKWARD]
    assert found(name, "HNU") == [(20210300, 20210700, "03-01", "03-02")]


def test_two_prices_of_one_contract_and_time_decide_no_roll(here, capsys):
    first = ROWS.splitlines(keepends=True)[0]
    name = written(HEAD + first + first.replace(",4,", ",4.25,") + ROWS.split("\n", 1)[1])
    assert run(["continuous", "rolls", name, "--hold", "HNU", "--roll-offset", "0"]) == 1
    assert (
        "m.csv: two prices of 20210300 at 2021-02-26T23:00:00Z, 4 and 4.25: keep one"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("command", ["adjust", "rolls"])
def test_the_file_that_is_read_is_not_replaced(here, command, capsys):
    written(TEXT)
    (here / "link.csv").symlink_to(here / "m.csv")
    more = [] if command == "adjust" else ["--hold", "HNU", "--roll-offset", "0"]
    for out in ("m.csv", str(here / "m.csv"), "link.csv"):
        assert run(["continuous", command, "m.csv", *more, "--out", out]) == 2
        assert "is the file that is read: give another name" in capsys.readouterr().err
    assert (here / "m.csv").read_text() == TEXT
    assert run(["continuous", command, "m.csv", *more, "--out", "nowhere/o.csv"]) == 2
    assert "the folder is not there" in capsys.readouterr().err


# Cases of real data, on paper


def test_nan_inside_a_segment_and_in_the_first_row_of_the_new_contract(here):
    prices = read_multiple(
        lines(
            "2021-02-26 4 5 202103 202107",
            "2021-02-27 - - 202103 202107",
            "2021-02-28 4.5 5.25 202103 202107",
            "2021-03-01 - - 202107 202109",
            "2021-03-02 5.5 - 202107 202109",
        )
    )
    expected = [4.75, NAN, 5.25, NAN, 5.5]
    assert np.array_equal(adjust(prices), expected, equal_nan=True)
    assert np.array_equal(adjustment(prices), [0.75, NAN, 0.75, NAN, 0], equal_nan=True)


def test_forward_absent_on_most_intraday_rows(here):
    name = lines(
        "2021-02-26T10:00:00 4 - 202103 202107",
        "2021-02-26T11:00:00 4.1 5 202103 202107",
        "2021-02-26T12:00:00 4.2 - 202103 202107",
        "2021-02-26T13:00:00 4.3 5.1 202103 202107",
        "2021-02-26T14:00:00 5.2 - 202107 202109",
    )
    # 5.1 - 4.3 = 0.8 moves all before
    assert adjust(read_multiple(name)) == pytest.approx([4.8, 4.9, 5.0, 5.1, 5.2], abs=1e-12)
    prices = read_multiple(name)
    rolls = rolls_by_rule(prices, hold="HN", roll_offset=0, expiry_offset=-3)
    # Both common rows are of the roll date itself; the first of equals is taken.
    assert [(roll.pre_price, roll.post_price) for roll in rolls] == [(4.1, 5.0)]


def test_rolls_on_consecutive_rows_and_contracts_held_for_one_row(here):
    name = lines(
        "2021-03-01 10 11 202103 202104",
        "2021-03-02 12 14 202104 202105",
        "2021-03-03 15 19 202105 202106",
        "2021-03-04 20 - 202106 202107",
    )
    # gaps 1, 2, 4: the oldest row moves by all of them
    assert adjust(read_multiple(name)).tolist() == [17, 18, 19, 20]
    forward = adjust(read_multiple(name), Adjustment.FORWARD_SPREAD)
    assert forward.tolist() == [10, 11, 12, 13]


def test_adjusted_prices_cross_zero_and_ratios_are_refused(here):
    name = lines(
        "2021-03-01 3 1 202103 202104",
        "2021-03-02 2 -5 202104 202105",
        "2021-03-03 -4 - 202105 202106",
    )
    # gaps -2 and -7
    assert adjust(read_multiple(name)).tolist() == [-6, -5, -4]
    for mode in (Adjustment.BACKWARD_RATIO, Adjustment.FORWARD_RATIO):
        with pytest.raises(
            RatioError, match=r"row 2: 2021-03-02.* 20210400 at 2 to 20210500 at -5"
        ):
            adjust(read_multiple(name), mode)
    run(["continuous", "adjust", name, "--mode", "backward_ratio", "--out", "o.csv"])
    assert not (here / "o.csv").exists()


def test_ratios_on_paper(here):
    name = lines(
        "2021-03-01 10 20 202103 202104",
        "2021-03-02 16 8 202104 202105",
        "2021-03-03 9 - 202105 202106",
    )
    # ratios 2 and 1/2
    assert adjust(read_multiple(name), Adjustment.BACKWARD_RATIO).tolist() == [10, 8, 9]
    assert adjust(read_multiple(name), Adjustment.FORWARD_RATIO).tolist() == [10, 8, 9]


def test_a_price_that_the_roll_needs_is_missing(here):
    name = lines(
        "2021-02-26 4 5 202103 202107",
        "2021-02-28 4.5 - 202103 202107",
        "2021-03-02 5.5 - 202107 202109",
    )
    prices = read_multiple(name)
    with pytest.raises(MultipleError, match=r"row 2: 2021-02-28.* 20210300 has no forward price"):
        adjust(prices)
    # The last common spread is 1, of the day before.
    assert adjust(prices, missing=Missing.INFER).tolist() == [5, 5.5, 5.5]


def test_a_forward_of_another_contract_gives_no_gap(here):
    name = lines("2021-02-26 4 5 202103 202105", "2021-03-02 5.5 - 202107 202109")
    with pytest.raises(MultipleError, match="forward contract of 20210300 is 20210500, but the"):
        adjust(read_multiple(name))


def test_the_roll_date_after_the_last_price_of_the_contract(here):
    """As KOSPI: the nearest is then the last common row; later in the file the next is found."""
    name = lines(
        "2021-01-04 1 2 202101 202102",
        "2021-01-05 1 2 202101 202102",
        "2021-01-08 2 3 202102 202103",
        "2021-02-16 2 3 202102 202103",
        "2021-02-19 3 - 202103 202104",
    )
    assert found(name, "FGH", offset=14) == [
        (20210100, 20210200, "01-05", "01-08"),
        (20210200, 20210300, "02-16", "02-19"),
    ]


def test_contracts_that_came_late_roll_on_consecutive_days(here):
    """As EDOLLAR: prices of the next ones begin after the roll dates."""
    name = lines(
        "2021-01-20 1 - 202101 202102",
        "2021-03-20 1 2 202101 202102",
        "2021-03-21 2 3 202102 202103",
        "2021-03-22 3 - 202103 202104",
    )
    assert found(name, "FGH") == [
        (20210100, 20210200, "03-20", "03-21"),
        (20210200, 20210300, "03-21", "03-22"),
    ]


def test_the_first_common_row_is_never_before_the_roll_date(here):
    name = lines(
        "2021-02-26 4 5 202103 202107",
        "2021-03-02 4 5 202103 202107",
        "2021-03-03 5 - 202107 202109",
    )
    # 1 March: the Friday before, at 23:00, is two days and an hour off, rounded down to three.
    assert found(name, "HN") == [(20210300, 20210700, "03-02", "03-03")]
    assert found(name, "HN", policy=Policy.FIRST_COMMON) == found(name, "HN")
    assert found(name, "HN", offset=-2, policy=Policy.FIRST_COMMON) == found(name, "HN")
    assert found(name, "HN", offset=-2) == [(20210300, 20210700, "02-26", "03-02")]


# Against a stitch by hand


def stitched(price, forward, contract):
    """Backward spread, row by row from the end: what a roll adds, all rows before it have too."""
    out, added = [0.0] * len(price), 0.0
    for row in reversed(range(len(price))):
        if row + 1 < len(price) and contract[row] != contract[row + 1]:
            added += forward[row] - price[row]
        out[row] = price[row] + added
    return out


@given(st.data())
def test_any_segments_equal_a_stitch_by_hand(data):
    lengths = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=6))
    size = sum(lengths)
    cents = st.integers(-500, 500)
    price = [data.draw(st.one_of(cents, st.just(NAN))) for _ in range(size)]
    forward = [data.draw(st.one_of(cents, st.just(NAN))) for _ in range(size)]
    own = np.repeat(np.arange(len(lengths)), lengths)
    for row in np.flatnonzero(np.diff(own)).tolist():
        price[row], forward[row] = data.draw(cents), data.draw(cents)
    codes = (np.array([202001 + n for n in range(len(lengths) + 1)]) * 100).astype(np.int32)
    nothing = np.full(size, NAN)
    prices = MultiplePrices(
        name="m",
        ts=np.arange(size, dtype=np.int64),
        price=np.array(price, dtype=np.float64),
        forward=np.array(forward, dtype=np.float64),
        carry=nothing,
        price_contract=codes[own],
        forward_contract=codes[own + 1],
        carry_contract=np.zeros(size, dtype=np.int32),
    )
    expected = np.array(stitched(price, forward, own.tolist()))
    adjusted = adjust(prices)
    assert np.array_equal(adjusted, expected, equal_nan=True)
    assert np.array_equal(adjustment(prices), adjusted - prices.price, equal_nan=True)
