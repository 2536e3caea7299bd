"""Last trades that others recorded, every row of every root in the catalogue."""

from __future__ import annotations

import csv

from pyfutures.months import ContractMonth
from tests.peers.shared import shared

# Named as disputed by the collection itself: the record and the exchange do not agree, or a holiday
# was declared after the record was made.
DISPUTED = {
    ("A0F", "2024V"): "Singapore holiday declared later",
    ("ADB", "2024V"): "Singapore holiday declared later",
    ("DCB", "2024V"): "Singapore holiday declared later",
    ("GE", "2022U"): "one-off holiday in London declared later",
    ("CC", "2021Z"): "recorded once, against the rulebook",
    ("MCL", "2017N"): "recorded before the contract existed",
}


def recorded():
    with shared("data", "expiry", "last_trade_dates.csv").open(newline="") as file:
        yield from csv.DictReader(file)


def disputed(root, month):
    return (root, str(month)) in DISPUTED or (root == "6L" and month.code == "F")


def test_every_recorded_date(catalog):
    wrong, checked = [], 0
    for row in recorded():
        root, month = row["root"], ContractMonth.parse(row["contract_month"])
        if root not in catalog or disputed(root, month):
            continue
        checked += 1
        found = catalog[root].row(month).last_trade
        if str(found) != row["last_trade"]:
            wrong.append(f"{root} {month}: {found}, recorded {row['last_trade']} ({row['source']})")
    assert checked > 0
    assert not wrong, "\n".join(wrong)


# No source supports a rule: announcements only, and no facts.
LEFT_OUT = {"CSW", "FNG"}


def test_every_root_of_the_record_is_in_the_catalogue(catalog):
    assert {row["root"] for row in recorded()} - set(catalog) == LEFT_OUT
