"""Dates that a gateway of Interactive Brokers gave for two roots, contract by contract."""

from __future__ import annotations

import datetime as dt

import pytest

from pyfutures.gateway.recordings import Recording
from pyfutures.ib.messages.contracts import ContractDetails
from pyfutures.months import ContractMonth
from tests.peers.shared import shared


def details(name):
    recording = Recording.load(shared("data", "gateway_sessions", name))
    for exchange in recording.exchanges:
        for response in exchange.responses:
            if isinstance(response.message, ContractDetails):
                yield response.message


@pytest.mark.parametrize(
    ("name", "root", "contracts"),
    [("contract_details.json", "DC", 24), ("limit_order.json", "EBM", 12)],
)
def test_last_trade_and_settlement(catalog, name, root, contracts):
    found = list(details(name))
    assert len(found) == contracts
    for one in found:
        row = catalog[root].row(ContractMonth.parse(one.contract_month))
        # 20240402-17:10:00, in UTC; and the day of settlement, 20240403
        last = dt.datetime.strptime(one.contract.last_trade + "Z", "%Y%m%d-%H:%M:%S%z")
        assert row.last_trade_utc == last, row.month
        assert f"{row.expiry:%Y%m%d}" == one.real_expiration_date, row.month
        assert row.trading_class == one.contract.trading_class
