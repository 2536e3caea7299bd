"""HG of 2021 in recorded daily bars, against the 1,322 bars of an earlier implementation."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from pyfutures.chain.rolls import RollCalendar, RollRow
from pyfutures.continuous import ContinuousBar, RollMachine, Time
from pyfutures.continuous.bars import instant, price_text
from pyfutures.continuous.build import build, read_bars
from pyfutures.months import ContractMonth
from tests.peers.shared import shared

pytest.importorskip("pyarrow")

month = ContractMonth.parse
# Held HNUZ, priced FHJMNUVZ, carry +1; thirty days before the last trade.
LAST_TRADES = {
    "2020Z": (date(2020, 12, 29), "2021F"),
    "2021H": (date(2021, 3, 29), "2021J"),
    "2021N": (date(2021, 7, 28), "2021U"),
    "2021U": (date(2021, 9, 28), "2021V"),
}


def roll_calendar():
    months = [None, *map(month, LAST_TRADES), month("2021Z")]
    return RollCalendar(
        "HG",
        tuple(
            RollRow.of(
                month(name),
                previous=months[k],
                forward=months[k + 2],
                carry=month(carry),
                roll_date=last - timedelta(30),
                deadline=last,
            )
            for k, (name, (last, carry)) in enumerate(LAST_TRADES.items())
        ),
    )


@pytest.fixture(scope="module")
def frame():
    return read_bars(shared("data", "pyfutures_2024_bars", "HG.bars_daily.csv.gz"))


@pytest.fixture(scope="module")
def series(frame):
    return build(frame, roll_calendar(), start=month("2021H"), end=month("2021U"))


def test_rolls(series):
    rolls = [
        (str(roll.old), str(roll.new), str(roll.roll_date), instant(roll.last_old_ts))
        for roll in series.rolls
    ]
    assert rolls == [
        ("2021H", "2021N", "2021-02-27", "2021-03-01T18:00:30Z"),  # a Saturday, the Monday after
        ("2021N", "2021U", "2021-06-28", "2021-06-28T17:00:30Z"),
    ]
    # Closes as `zgrep 2021-03-01` and `zgrep 2021-06-28` show them.
    prices = [(price_text(roll.pre_price), price_text(roll.post_price)) for roll in series.rolls]
    assert prices == [("4.1195", "4.112"), ("4.278", "4.2785")]
    assert price_text(series.C[-1]) == "-0.007"


def test_bars(series):
    """1,259 bars of 2021H less the 20 after its roll, and so on; the last bar of 2021U ends it."""
    assert Counter(series.month_texts().tolist()) == {"2021H": 1239, "2021N": 83, "2021U": 64}
    assert instant(series.ts[0]) == "2016-03-31T17:00:30Z"
    assert instant(series.ts[-1]) == "2021-09-28T17:00:30Z"


def test_the_count_of_the_earlier_implementation(series):
    """It ended at the roll into the end month, and gave that one bar to the new month."""
    assert (series.ts <= series.rolls[-1].last_old_ts).sum() == 1322


def test_the_batch_is_the_machine(frame, series):
    machine = RollMachine(roll_calendar(), start=month("2021H"), end=month("2021U"))
    fed = [*frame.bars(), Time(int(frame.ts[-1]))]
    bars = [event for one in fed for event in machine.feed(one) if isinstance(event, ContinuousBar)]
    assert [bar.ts for bar in bars] == series.ts.tolist()
    assert [bar.current.close for bar in bars] == series.close.tolist()
    assert [bar.C for bar in bars] == series.C.tolist()
    assert machine.counts["duplicates"] == machine.counts["late"] == 0
