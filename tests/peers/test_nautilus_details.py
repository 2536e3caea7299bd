"""Contract details to instrument: ours against nautilus_trader's own IB adapter.

Increment, precision, multiplier and currency must be the same. The expiry is not, and theirs is
wrong: `expiry_timestring_to_datetime` in nautilus_trader/adapters/interactive_brokers/parsing/
instruments.py takes the date of the last trade (in whatever zone the gateway spells it) and puts
on it the time at which the last of the *listed sessions of the next days* closes; without trading
hours, or where the gateway tells date and time, it takes midnight or fails.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from nautilus_trader.adapters.interactive_brokers.common import IBContract, IBContractDetails
from nautilus_trader.adapters.interactive_brokers.parsing.instruments import (
    expiry_timestring_to_datetime,
    parse_futures_contract,
)
from nautilus_trader.model.identifiers import InstrumentId

from pyfutures.chain import Catalog
from pyfutures.months import ContractMonth
from pyfutures.nautilus.contracts.details import expiration_ns, future_of
from pyfutures.nautilus.instruments import futures_contract, instrument_id
from pyfutures.nautilus.prices import PriceScale
from pyfutures.testing import LastTradeForm, details_table, made_details

FIRST, LAST = ContractMonth(2026, 1), ContractMonth(2026, 6)
HOURS = "20260301:CLOSED;20260302:1700-20260303:1600"


@pytest.fixture(scope="module")
def cases():
    found = details_table(Catalog.load(), first=FIRST, last=LAST)
    return [case for case in found if case.form is LastTradeForm.DATE]


@pytest.fixture(scope="module")
def catalog():
    return Catalog.load()


def theirs(details, last_trade=None, hours=HOURS, zone="America/Chicago"):
    """What their adapter makes of the same contract; it wants what its own client would have."""
    known = details.contract
    contract = IBContract(
        secType="FUT",
        conId=known.con_id,
        symbol=known.symbol,
        exchange=known.exchange,
        currency=known.currency,
        localSymbol=known.local_symbol,
        tradingClass=known.trading_class,
        multiplier=known.multiplier,
        lastTradeDateOrContractMonth=last_trade or known.last_trade[:8],
    )
    return IBContractDetails(
        contract=contract,
        minTick=float(details.min_tick),
        priceMagnifier=details.price_magnifier,
        underSymbol=details.under_symbol,
        underSecType="IND",
        tradingHours=hours,
        timeZoneId=zone,
    )


def ours(details, chain, month):
    scale = PriceScale.of(details)
    return future_of(
        details,
        instrument_id(chain, month),
        scale=scale,
        expires_ns=expiration_ns(chain, month, details) or 0,
        exchange=chain.spec.exchange,
        ts_ns=0,
    )


def facts(instrument):
    return (
        instrument.price_increment.as_decimal(),
        instrument.multiplier.as_decimal(),
        instrument.quote_currency.code,
        instrument.lot_size.as_decimal(),
    )


def test_every_root_is_the_same_but_for_its_expiry(cases, catalog):
    assert len({case.root for case in cases}) > 200
    for case in cases:
        chain = catalog[case.root]
        mine = ours(case.details, chain, case.month)
        peer = parse_futures_contract(theirs(case.details), InstrumentId.from_str("A.B"))
        assert facts(mine) == facts(peer), case.root
        assert mine.price_precision == peer.price_precision, case.root
        assert mine.raw_symbol == peer.raw_symbol


def test_an_instrument_is_the_same_with_a_broker_and_without(cases, catalog):
    seen = 0
    for case in cases:
        chain = catalog[case.root]
        if chain.row(case.month).last_trade_utc is None:
            continue
        mine, offline = ours(case.details, chain, case.month), futures_contract(chain, case.month)
        assert facts(mine) == facts(offline)
        assert (mine.id, mine.price_precision) == (offline.id, offline.price_precision)
        assert mine.expiration_ns == offline.expiration_ns
        seen += 1
    assert seen > 200


EXPIRY = [
    # the broker's text, its hours, what they have; the truth is 2026-03-20 13:30 UTC (ES: 09:30 in
    # New York, settled to the opening quotation)
    ("20260320", HOURS, "2026-03-20T21:00"),  # the close of another day's session
    ("20260320", "", "2026-03-20T00:00"),  # midnight
    ("20260320", "20260320:CLOSED", "2026-03-20T00:00"),
]


@pytest.mark.parametrize(("text", "hours", "wrong"), EXPIRY)
def test_their_expiry_is_wrong_and_ours_is_not(text, hours, wrong, catalog):
    chain, month = catalog["ES"], ContractMonth(2026, 3)
    details = made_details(chain, month, LastTradeForm.DATE)
    details = replace(details, contract=replace(details.contract, last_trade=text))
    peer = expiry_timestring_to_datetime(theirs(details, text, hours))
    assert peer.isoformat()[:16] == wrong
    mine = dt.datetime.fromtimestamp(expiration_ns(chain, month, details) / 1e9, dt.UTC)
    assert mine.isoformat()[:16] == "2026-03-20T13:30"
