import hashlib
from datetime import date

import numpy as np
import pytest

from pyfutures.chain.rolls import RollCalendar, RollCalendarError, RollRow
from tests.continuous.tools import calendar, month, ns, rows

LINES = (
    "2021H - 2021N 2021J 2021-02-27 2021-03-29",
    "2021N 2021H 2021U 2021U 2021-06-28 2021-07-28",
    "2021U 2021N - 2021V 2021-08-29 2021-09-28",
)
HG = calendar(*LINES)


@pytest.mark.parametrize(
    ("at", "current"),
    [
        ("2016-01-01 00:00", "2021H"),
        ("02-26 23:59:59", "2021H"),
        ("02-27 00:00", "2021N"),  # from the roll instant on the next one is current
        ("06-27 23:59:59", "2021N"),
        ("06-28 00:00", "2021U"),
        ("08-28 23:59:59", "2021U"),
    ],
)
def test_position(at, current):
    assert HG.position(ns(at)).month == month(current)
    assert HG.rows[HG.positions(np.array([ns(at)]))[0]].month == month(current)


def test_past_the_last_roll_there_is_no_position():
    at = ns("08-29 00:00")
    with pytest.raises(
        RollCalendarError, match=r"2021-08-29.*last month 2021U rolls on 2021-08-29"
    ):
        HG.position(at)
    assert HG.positions(np.array([at]))[0] == len(HG) == 3


def test_row_of_a_month():
    assert HG.row(month("2021N")) is HG.rows[1]
    assert month("2021N") in HG
    assert month("2021K") not in HG
    with pytest.raises(RollCalendarError, match=r"2021K is not a held month.* 2021H and 2021N"):
        HG.row(month("2021K"))


def test_legs_are_named_once():
    assert HG.row(month("2021N")).legs == (month("2021N"), month("2021U"), month("2021H"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "at least one row"),
        ((LINES[1], LINES[0]), "2021H comes after 2021N"),
        ((LINES[0], LINES[2]), "forward of 2021H is 2021N, but the next row is 2021U"),
        ((LINES[0], LINES[1].replace("2021H", "2021G")), "previous of 2021N is 2021G"),
        ((LINES[0], LINES[1].replace("06-28", "02-27")), "must strictly increase: 2021H rolls on"),
    ],
)
def test_rows_that_contradict_each_other(lines, message):
    with pytest.raises(RollCalendarError, match=message):
        calendar(*lines)


def test_instants_are_midnights_of_the_dates():
    day = date(2021, 2, 27)
    assert RollRow.of(month("2021H"), roll_date=day, deadline=day).roll_ns == ns("02-27 00:00")
    with pytest.raises(RollCalendarError, match="deadline_ns 7 is not 00:00 UTC of 2021-02-27"):
        RollRow(month("2021H"), None, None, None, day, day, ns("02-27 00:00"), 7)


def test_fingerprint_is_of_the_rows_alone():
    text = "pyfutures roll calendar 1\n" + "\n".join(LINES)
    assert HG.fingerprint == hashlib.sha256(text.encode()).hexdigest()
    assert RollCalendar("XX", tuple(rows(*LINES))).fingerprint == HG.fingerprint
    moved = (*LINES[:2], LINES[2].replace("08-29", "08-30"))
    assert calendar(*moved).fingerprint != HG.fingerprint


def test_asking_writes_nothing_into_the_value():
    one, other = calendar(*LINES), calendar(*LINES)
    assert (one.fingerprint, one.position(0).month) == (HG.fingerprint, month("2021H"))
    assert (one, hash(one), repr(one)) == (other, hash(other), repr(other))
    with pytest.raises(AttributeError):
        one.root = "XX"
