"""Roll dates of QuantConnect's ES and GC, from our own rules."""

from __future__ import annotations

import csv
import datetime as dt

import pytest

from pyfutures.chain import Catalog
from pyfutures.months import ContractMonth
from pyfutures.specs.model import Anchor
from tests.peers.shared import shared

MODES = {"last_trading_day": Anchor.LAST_TRADE, "first_day_month": Anchor.MONTH_START}


def mapped(root, mode):
    """Contract, last trade date and the last day it is the front one."""
    with shared("data", "lean_continuous", f"{root.lower()}.roll_map.csv").open() as file:
        for row in csv.DictReader(file):
            if row["mode"] == mode:
                year, number = divmod(int(row["contract"]), 100)
                yield (
                    ContractMonth(year, number),
                    dt.date.fromisoformat(row["contract_last_trade_date"]),
                    dt.date.fromisoformat(row["last_day_mapped"]),
                )


@pytest.fixture(scope="module")
def catalog():
    return Catalog.load(roots=["ES", "GC"])


@pytest.mark.parametrize("root", ["ES", "GC"])
@pytest.mark.parametrize("mode", list(MODES))
def test_roll_dates(catalog, root, mode):
    """The day after the last one mapped is the roll date: the anchor itself."""
    chain = catalog[root]
    hold = {"ES": None, "GC": "FGHJKMNQUVXZ"}[root]
    calendar = chain.roll_calendar(hold=hold, priced=hold, anchor=MODES[mode], offset=0)
    rows = list(mapped(root, mode))
    assert len(rows) > 5
    for month, last_trade, last_day in rows:
        assert chain.row(month).last_trade == last_trade, month
        assert calendar.row(month).roll_date == last_day + dt.timedelta(days=1), month
