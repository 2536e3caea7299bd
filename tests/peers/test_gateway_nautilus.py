"""nautilus_trader's own IB adapter, unmodified, in a TradingNode at the simulated gateway.

Two nodes one after the other at each server version: the first does everything and leaves a
position and an order behind, the second finds them. Expected are facts of the exchanges, and that
what one stream says agrees with the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.server import GatewayServer

START = dt.datetime(2025, 4, 15, 14, tzinfo=dt.UTC)  # a Tuesday, 09:00 in Chicago
SPEED = 40
PATIENCE = 60
ACCOUNT = "DU1234567"
ES, LATER, CORN = "ESM5.CME", "ESU5.CME", "ZC ZC 20250714.CBOT"  # as nautilus names them
MINUTE = 60 * 10**9


async def run_node(task, server):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.peers.nautilus_node", task, str(server.port),
        START.isoformat(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    lines = output.decode().splitlines()
    found = [line for line in lines if line.startswith('{"')]
    assert process.returncode == 0, "\n".join(lines[-60:])
    assert found, "\n".join(lines[-60:])
    seen = json.loads(found[0])
    log = [line for line in lines if not line.startswith('{"')]
    assert seen["missing"] == [], "\n".join(log[-60:])
    return seen, log


async def two_nodes(version):
    config = GatewayConfig(roots=("ES", "ZC"), start=START, version=version)
    async with GatewayServer(config, speed=SPEED) as server:
        first, log = await run_node("trade", server)
        second, later = await run_node("look", server)
        assert server.gateway.bugs == []
        positions = {
            name: server.gateway.accounts.position(ACCOUNT, first["instruments"][name]["conId"])
            for name in (ES, LATER, CORN)
        }
        working = len(server.gateway.book.open())
    return first, second, positions, working, log + later


@pytest.mark.slow
@pytest.mark.parametrize("version", [176, 200])
def test_a_trading_node_does_its_work_unmodified(version):
    first, second, positions, working, log = asyncio.run(two_nodes(version))

    assert first["version"] == second["version"] == version
    assert not [line for line in log if "[ERROR]" in line or "Traceback" in line]

    check_instruments(first["instruments"])
    assert first["balances"] == ["1000000.00 USD"]
    assert (first["holdings"], first["open"]) == ({}, [])
    check_past(first["past"])
    check_live(first["bars"], first["trades"])
    check_quotes(first["quotes"])
    check_orders(first["orders"], first["quotes"])

    bought, sold = average_of(first, "market"), average_of(first, "magnified")
    assert first["after"] == {
        ES: ["2.0", pytest.approx(bought)],
        CORN: ["-2.0", pytest.approx(sold)],
    }
    assert positions == {ES: 2, LATER: 0, CORN: -2}
    assert working == 1

    # Average costs come in currency: 50 times the price, and 5000 times that of corn in dollars.
    # nautilus divides by the magnifier once too often, so corn is a hundredth of what it was.
    assert second["holdings"] == {
        ES: ["2.0", pytest.approx(bought, abs=0.01)],
        CORN: ["-2.0", pytest.approx(sold / 100, abs=5e-5)],
    }
    assert second["open"] == [[ES, "ACCEPTED", first["orders"]["left"]["price"], "1"]]
    assert second["instruments"] == first["instruments"]


def average_of(seen, name):
    fills = [(Decimal(size), Decimal(price)) for size, price, *_ in seen["orders"][name]["fills"]]
    return float(sum(size * price for size, price in fills) / sum(size for size, _ in fills))


def check_instruments(instruments):
    """Ticks, sizes and last trading days are those of CME and CBOT; a quarter cent in dollars."""
    plain = {
        name: [found["tick"], found["multiplier"], found["currency"], found["expiry"]]
        for name, found in instruments.items()
    }
    assert plain == {
        ES: ["0.25", "50", "USD", "2025-06-20"],
        LATER: ["0.25", "50", "USD", "2025-09-19"],
        CORN: ["0.0025", "5000", "USD", "2025-07-14"],
    }


def check_past(bars):
    """Two hours of minutes up to the gateway's present, each once."""
    end = int(START.timestamp()) * 10**9
    assert [bar[0] for bar in bars] == list(range(end - 120 * MINUTE, end, MINUTE))
    for bar in bars:
        first, high, low, last, volume = map(Decimal, bar[1:])
        assert low <= min(first, last) <= max(first, last) <= high
        assert volume > 0


def check_live(bars, trades):
    """Live bars follow one another, and say what the trades of their minute say."""
    assert [bar[0] for bar in bars] == [bars[0][0] + n * MINUTE for n in range(len(bars))]
    compared = 0
    for start, *figures in bars:
        if not trades[0][0] < start:
            continue  # the trades were subscribed in the middle of it
        within = [trade for trade in trades if start <= trade[0] < start + MINUTE]
        prices = [Decimal(price) for _, price, _ in within]
        volume = sum(Decimal(size) for *_, size in within)
        assert [Decimal(figure) for figure in figures] == [
            prices[0], max(prices), min(prices), prices[-1], volume,
        ]  # fmt: skip
        compared += 1
    assert compared


def check_quotes(quotes):
    for name, tick in (("ESM5", "0.25"), ("ESU5", "0.25"), ("ZC", "0.0025")):
        for _, bid, ask, *sizes in quotes[name]:
            assert Decimal(bid) % Decimal(tick) == Decimal(ask) % Decimal(tick) == 0
            assert all(Decimal(size) > 0 for size in sizes)
    # Tick by tick both sides come at once; a line sends one after the other, so they may meet.
    times = [quote[0] for quote in quotes["ESU5"]]
    assert times == sorted(times)
    assert all(Decimal(bid) < Decimal(ask) for _, bid, ask, *_ in quotes["ESU5"])
    assert all(1 < Decimal(bid) < 20 for _, bid, *_ in quotes["ZC"])  # dollars, not cents


def check_orders(orders, quotes):
    accepted = ["OrderInitialized", "OrderSubmitted", "OrderUpdated", "OrderAccepted"]
    asks = {Decimal(quote[2]) for quote in quotes["ESM5"]}
    bids = {Decimal(quote[1]) for quote in quotes["ESM5"]}
    corn = {Decimal(quote[1]) for quote in quotes["ZC"]}
    for name, sizes, fees, prices in (
        ("market", 3, "6.75", asks),  # 2.25 a contract
        ("magnified", 2, "4.50", corn),
        ("limit", 1, "2.25", bids),
    ):
        order = orders[name]
        assert order["status"] == "FILLED"
        events = order["events"]
        assert events[:4] == accepted
        assert set(events[4:]) == {"OrderFilled"}
        assert sum(Decimal(fill[0]) for fill in order["fills"]) == sizes
        paid = sum(Decimal(fill[2].removesuffix(" USD")) for fill in order["fills"])
        assert paid == Decimal(fees)
        assert {Decimal(fill[1]) for fill in order["fills"]} <= prices
    ids = [fill[3] for order in orders.values() for fill in order["fills"]]
    assert len(ids) == len(set(ids))
    assert orders["cancelled"]["events"] == [*accepted, "OrderPendingCancel", "OrderCanceled"]
    assert orders["left"]["events"] == accepted
