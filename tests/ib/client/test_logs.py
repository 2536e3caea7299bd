"""What is logged: no account number, whatever brings one."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.framing import frame
from pyfutures.ib.masking import masked
from tests.ib.client.server import both, settle
from tests.ib.client.virtual import run

ACCOUNT = "DU1234567"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Invalid account code 'DU1234567'.", "Invalid account code 'DU***67'."),
        ("U1234567,U7654321", "U***67,U***21"),
        ("DUH123456: F1234567", "DUH***56: F***67"),
        ("2104 usfuture UB 20250919 ESU5", "2104 usfuture UB 20250919 ESU5"),
        ("order 1234567 of U20251234567890", "order 1234567 of U20251234567890"),
    ],
)
def test_masked(text, shown):
    assert masked(text) == shown


def test_no_account_is_logged(caplog):
    caplog.set_level(logging.DEBUG)

    async def main():
        async with both() as (gateway, client):

            def fail(value):
                raise ValueError(type(value).__name__)

            # A notice, a message that is misread, one of no known kind, one that a bug is hit by.
            gateway.notice(2137, f"The order of {ACCOUNT} will be at risk")
            gateway.live.write(frame(f"61\x003\0{ACCOUNT}\0{ACCOUNT}\0".encode()))
            gateway.live.write(frame(f"199\0{ACCOUNT}\0".encode()))
            client._handlers[m.ManagedAccounts] = fail
            gateway.live.send(m.ManagedAccounts(ACCOUNT))
            client.orders.events(callback=fail)
            placed = client.orders.place(
                m.Contract(con_id=1, sec_type="FUT", exchange="CME"),
                m.Order(action="BUY", quantity=Decimal(1), type="MKT", account=ACCOUNT),
            )
            await settle()
            gateway.notice(399, f"Order Message: of {ACCOUNT}", placed.view.order_id)
            await settle()
            assert client.faults == 2
            assert "at risk" in caplog.text
            assert "399" in caplog.text
            assert "ManagedAccounts" in caplog.text
            assert "callback failed" in caplog.text
            assert ACCOUNT not in caplog.text

    run(main)
