"""The test kit that users import: it must say of every message and every root what is so."""

from __future__ import annotations

import asyncio
import datetime as dt
import doctest
import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from pyfutures import testing
from pyfutures.ib import Client, ClientConfig, Schedule
from pyfutures.ib import messages as m
from pyfutures.ib.framing import frame
from pyfutures.ib.messages.market import MIDPOINT_TICK, QUOTE_TICK, TRADE_TICK
from pyfutures.ib.wire import ClientConnection
from pyfutures.months import ContractMonth
from pyfutures.testing import (
    SAMPLES,
    LastTradeForm,
    body_of,
    check_details,
    details_table,
    frames,
    made,
    made_details,
    parsed,
    read_details,
    serve,
    session_data,
)

LAYOUTS = (*m.REQUESTS, *m.RESPONSES, TRADE_TICK, QUOTE_TICK, MIDPOINT_TICK)
SINCE = {layout.cls: layout.since for layout in LAYOUTS}
M5 = ContractMonth(2025, 6)


# Messages


def test_there_is_a_sample_of_every_kind_that_is_parsed():
    assert set(SAMPLES) == {layout.cls for layout in LAYOUTS}


@pytest.mark.parametrize(
    ("kind", "version"),
    [(kind, version) for kind in SAMPLES for version in (164, 176, 178, 200)
     if SINCE[kind] <= version],
)  # fmt: skip
def test_a_sample_says_on_the_wire_what_it_says(kind, version):
    sample = SAMPLES[kind]
    body = body_of(sample, version)
    assert parsed(body, version, request=isinstance(sample, m.Request)) == sample


def test_made_changes_what_it_is_told_and_parts_by_name():
    bar = made(m.HistoricalBarUpdate, request_id=9, bar={"close": 5700.0})
    assert (bar.request_id, bar.bar.close, bar.bar.open) == (9, 5700.0, 5650.25)
    assert made(m.Contract, symbol="CL").symbol == "CL"
    assert made(m.Position, contract=made(m.Contract, con_id=1)).contract.con_id == 1
    with pytest.raises(TypeError, match="colour"):
        made(m.Position, colour="red")
    with pytest.raises(KeyError, match="Unknown"):
        made(m.Unknown)


def test_frames_are_what_a_client_reads():
    client = ClientConnection()
    client.hello()
    client.receive(frame(b"176\x0020250602 14:00:00 GMT\0"))
    said = [made(m.NextValidId), made(m.OrderStatus), made(m.ExecutionDetails)]
    assert client.receive(frames(said, 176)) == said


# Sessions


def test_a_session_is_served_to_a_client():
    asked = made(m.RequestHistoricalBars, request_id=1)
    unknown = made(m.RequestContractDetails, contract=made(m.Contract, symbol="NO"))
    session = [
        (asked, [made(m.HistoricalBars, bars=(made(m.Bar), made(m.Bar, date="1748876400")))]),
        (unknown, [made(m.ErrorMessage, request_id=7, code=200, text="No security definition")]),
    ]

    async def main():
        believing = Schedule(())  # whatever the hour: a "no" is final outside resets only
        async with (
            serve(session) as server,
            Client(ClientConfig(port=server.port, schedule=believing)) as client,
        ):
            bars = await client.history.ask_bars(replace(asked, request_id=5))
            none = await client.reference.details(unknown.contract)
            return client.accounts, [bar.date for bar in bars], none, server.scripts[0].unmatched

    assert asyncio.run(main()) == (("DU1234567",), ["1748872800", "1748876400"], (), [])


@pytest.mark.parametrize("version", [157, 176, 200])
def test_a_session_is_a_recording(version, tmp_path):
    exchanges = [
        (made(m.RequestPositions), [made(m.Position), made(m.PositionEnd)]),
        (["49", "1"], [["49", "1", "1748872800"]]),
    ]
    path = tmp_path / "session.json"
    path.write_text(json.dumps(session_data(exchanges, version=version)))
    found = testing.recorded(path)
    assert found.welcome.version == version
    told = [exact.message for one in found.exchanges for exact in one.responses]
    assert told == [made(m.Position), made(m.PositionEnd), m.CurrentTime(1748872800)]
    assert testing.recorded(found) is found
    assert [x.message for x in testing.recorded(exchanges).exchanges[1].responses] == told[2:]


# Details of every root


@pytest.mark.parametrize("version", [176, 200])
def test_the_parsers_read_the_details_of_every_root(catalog, version):
    span = (ContractMonth(2025, 1), ContractMonth(2026, 6))
    cases = list(details_table(catalog, first=span[0], last=span[1]))
    assert check_details(cases, version=version) == len(cases)
    assert {case.root for case in cases} == {r for r in catalog if catalog[r].spec.ib is not None}
    assert {case.form for case in cases} == set(LastTradeForm)


@pytest.mark.parametrize(
    ("root", "month", "form", "text", "zone"),
    [
        # CME: E-mini S&P 500 trade until 8:30 Chicago on the third Friday; summer time is UTC-5.
        ("ES", M5, LastTradeForm.DATE, "20250620", "US/Central"),
        ("ES", M5, LastTradeForm.UTC, "20250620-13:30:00", "US/Central"),
        ("ES", M5, LastTradeForm.ZONE, "20250620 08:30:00 US/Central", "US/Central"),
        # Eurex: Bund futures until 12:30 Frankfurt; winter time is UTC+1.
        ("FGBL", ContractMonth(2025, 3), LastTradeForm.UTC, "20250306-11:30:00", "MET"),
        ("FGBL", ContractMonth(2025, 3), LastTradeForm.ZONE, "20250306 12:30:00 MET", "MET"),
    ],
)
def test_a_last_trade_is_spelled_as_gateways_do(catalog, root, month, form, text, zone):
    details = made_details(catalog[root], month, form)
    assert (details.contract.last_trade, details.time_zone) == (text, zone)


def test_multiplier_and_tick_are_in_currency(catalog):
    # CBOT corn: 5,000 bushels, a quarter of a cent; IB quotes cents.
    facts = read_details(made_details(catalog["ZC"], ContractMonth(2025, 7)))
    assert (facts.multiplier, facts.tick, facts.magnifier) == (
        Decimal(5000),
        Decimal("0.0025"),
        100,
    )


def test_a_wrong_parser_is_told_what_is_wrong(catalog):
    cases = list(details_table(catalog, roots=["ES"], first=M5, last=M5))

    def naive(details):  # takes UTC for the time of the exchange, as several adapters do
        text = details.contract.last_trade
        facts = read_details(details)
        if "-" not in text:
            return facts
        local = dt.datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(
            tzinfo=dt.timezone(dt.timedelta(hours=-5))
        )
        return replace(facts, last_trade_utc=local)

    with pytest.raises(
        AssertionError, match=r"1 faults in 3 cases.*\nES-2025M-utc: last_trade_utc"
    ):
        check_details(cases, naive)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        check_details(cases, lambda _: 1 / 0)


def test_a_month_or_root_without_details_is_an_error(catalog):
    absent = next(root for root in catalog if catalog[root].spec.ib is None)
    with pytest.raises(ValueError, match="IB does not have it"):
        made_details(catalog[absent], catalog[absent].months[-1])


def test_the_kit_needs_no_test_framework():
    code = (
        "import sys, pyfutures.testing;"
        "print([m for m in ('pytest', 'hypothesis', 'nautilus_trader', 'ibapi', 'pandas')"
        " if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


@pytest.mark.parametrize("module", ["messages", "sessions"])
def test_the_examples_run(module):
    found = doctest.testmod(sys.modules[f"pyfutures.testing.{module}"])
    assert found.attempted > 0
    assert found.failed == 0
