"""Recorded sessions of a real gateway: decoded without loss, encoded back, replayed to clients."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
from decimal import Decimal

import pytest

from pyfutures.gateway.recordings import Recording
from pyfutures.gateway.replay import ReplayServer
from pyfutures.ib import messages as m
from pyfutures.ib.fields import UNSET_DECIMALS
from pyfutures.ib.framing import frame
from pyfutures.ib.times import last_trade, zone
from pyfutures.ib.versions import Versions
from pyfutures.ib.wire import ClientConnection, GatewayConnection
from tests.peers.shared import shared

NAMES = ["connect", "contract_details", "historical_bars", "limit_order"]


def path(name):
    return shared("data", "gateway_sessions") / f"{name}.json"


def expected(name):
    """The bodies as the file has them: requests joined by NUL, responses closed by NUL."""
    for element in json.loads(path(name).read_text()):
        if element["request"][0] not in {"handshake", "startapi"}:
            yield "client", "\0".join(element["request"]).encode()
        for answer in element["responses"]:
            if len(answer) != 2:  # the version reply
                yield "gateway", ("\0".join(answer) + "\0").encode()


def same(ours, theirs):
    """Whether two spellings of a field say the same."""
    if {ours, theirs} <= UNSET_DECIMALS:
        return True
    return Decimal(ours or 0) == Decimal(theirs or 0)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost(name):
    recorded = Recording.load(path(name))
    assert [(who, recorded.body(who, x)) for who, x in recorded.messages()] == list(expected(name))
    for who, exact in recorded.messages():
        assert not isinstance(exact.message, m.Unknown | m.Malformed)
        assert exact.raw is None
        reader = recorded.requests if who == "client" else recorded.responses
        ours = reader.ours.write(exact.message)
        assert len(ours) == exact.length
        assert all(same(ours[place], text) for place, text in exact.spelling.items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("junk", [b"", b"\0\0\0\x20half a message"])
def test_three_ways(name, junk):
    recorded = Recording.load(path(name))
    messages = [x.message for who, x in recorded.messages() if who == "gateway"]
    stream = frame(f"176\0{recorded.welcome.time}\0".encode())
    stream += b"".join(frame(body) for who, body in expected(name) if who == "gateway") + junk
    for size in (len(stream), 1, 1000):
        client = ClientConnection(Versions(176, 176))
        client.hello()
        found = [
            event
            for at in range(0, len(stream), size)
            for event in client.receive(stream[at : at + size])
        ]
        assert found == [recorded.welcome, *messages]


@pytest.mark.parametrize("name", NAMES)
def test_the_requests_are_heard_as_sent(name):
    recorded = Recording.load(path(name))
    gateway = GatewayConnection(176)
    gateway.receive(b"API\0" + frame(b"v176..176"))
    gateway.welcome(recorded.welcome.time)
    stream = b"".join(frame(body) for who, body in expected(name) if who == "client")
    messages = [x.message for who, x in recorded.messages() if who == "client"]
    assert [
        event for i in range(len(stream)) for event in gateway.receive(stream[i : i + 1])
    ] == messages


def test_last_trades_of_the_chains_are_at_the_exchange():
    # Class III milk stops at 12:10 in Chicago, milling wheat at 18:30 in Paris, all year round.
    for name, clock in (("contract_details", dt.time(12, 10)), ("limit_order", dt.time(18, 30))):
        found = 0
        for _, exact in Recording.load(path(name)).messages():
            if isinstance(exact.message, m.ContractDetails):
                details = exact.message
                last = last_trade(details.contract.last_trade, details.time_zone)
                assert last.instant.astimezone(zone(details.time_zone)).time() == clock
                assert last.date.strftime("%Y%m%d") == details.contract.last_trade[:8]
                found += 1
        assert found in {24, 12}


@pytest.mark.parametrize("name", NAMES)
def test_replayed_to_our_client_end_to_end(name):
    recorded = Recording.load(path(name))

    async def run():
        async with ReplayServer(recorded) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            client = ClientConnection()
            writer.write(client.hello() + client.send(m.StartApi(7)))
            heard, answers = [], []
            while not heard:
                heard += client.receive(await reader.read(65536))
            for exchange in recorded.exchanges:
                writer.write(client.send(exchange.request.message))
            writer.write_eof()
            while data := await reader.read(65536):
                answers += client.receive(data)
            writer.close()
            await writer.wait_closed()
            return heard + answers

    messages = [x.message for who, x in recorded.messages() if who == "gateway"]
    assert asyncio.run(asyncio.wait_for(run(), 30)) == [recorded.welcome, *messages]


def official(port, ask, done):
    """Run the official client, unmodified, until the callback `done`; its callbacks."""
    pytest.importorskip("ibapi", reason="the official client is not installed")
    from ibapi.client import EClient
    from ibapi.wrapper import EWrapper

    class App(EWrapper, EClient):
        def __init__(self):
            EClient.__init__(self, self)
            self.heard = []
            self.ready, self.over = threading.Event(), threading.Event()

        def nextValidId(self, orderId):  # noqa: N802, N803 - their names
            self.heard.append(("nextValidId", orderId))
            self.ready.set()

    def heard(name):
        def callback(app, *args):
            app.heard.append((name, *args))
            if name == done:
                app.over.set()

        return callback

    for name in ("contractDetails", "contractDetailsEnd", "historicalData", "historicalDataEnd",
                 "accountSummary", "accountSummaryEnd", "error", "managedAccounts"):  # fmt: skip
        setattr(App, name, heard(name))
    app = App()
    app.connect("127.0.0.1", port, 3)
    thread = threading.Thread(target=app.run, daemon=True)
    thread.start()
    try:
        assert app.ready.wait(10), app.heard
        ask(app)
        assert app.over.wait(10), app.heard
    finally:
        app.disconnect()
        thread.join(10)
    return app.heard


def served(name, ask, done):
    async def run():
        async with ReplayServer(Recording.load(path(name))) as server:
            return await asyncio.to_thread(official, server.port, ask, done)

    return asyncio.run(run())


def test_the_official_client_gets_the_recorded_chain():
    def ask(app):
        from ibapi.contract import Contract

        contract = Contract()
        contract.symbol, contract.secType, contract.exchange = "DA", "FUT", "CME"
        contract.tradingClass = "DC"
        app.reqContractDetails(77, contract)

    heard = served("contract_details", ask, "contractDetailsEnd")
    chain = [call for call in heard if call[0] == "contractDetails"]
    assert len(chain) == 24
    assert {call[1] for call in chain} == {77}
    assert chain[0][2].contract.localSymbol == "DCH4"
    assert chain[0][2].contractMonth == "202403"
    assert ("contractDetailsEnd", 77) in heard


def test_the_official_client_gets_the_recorded_bars():
    def ask(app):
        from ibapi.contract import Contract

        contract = Contract()
        contract.conId, contract.symbol, contract.secType = 559753506, "DA", "CONTFUT"
        contract.lastTradeDateOrContractMonth = "20240430"
        contract.multiplier, contract.exchange, contract.currency = "2000", "CME", "USD"
        contract.localSymbol, contract.tradingClass = "DCJ4", "DC"
        app.reqHistoricalData(
            9, contract, "20240322-16:30:00", "5 D", "1 day", "TRADES", 0, 2, False, []
        )

    heard = served("historical_bars", ask, "historicalDataEnd")
    bars = [call[2] for call in heard if call[0] == "historicalData"]
    assert [(bar.date, bar.close) for bar in bars] == [
        ("20240318", 16.16), ("20240319", 16.29), ("20240320", 16.17), ("20240321", 15.74),
        ("20240322", 15.57),
    ]  # fmt: skip


def test_the_official_client_gets_the_recorded_account():
    tags = json.loads(path("connect").read_text())[2]["request"][4]
    heard = served(
        "connect", lambda app: app.reqAccountSummary(5, "All", tags), "accountSummaryEnd"
    )
    values = {call[3]: call[4] for call in heard if call[0] == "accountSummary"}
    assert len(values) == 24
    assert values["Cushion"] == "0.993166"
