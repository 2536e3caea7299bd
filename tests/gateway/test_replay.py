"""A made-up session, served: the answers as recorded, under the ids of whoever asks."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import random
import re
import signal
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from pyfutures.cli.gateway import command
from pyfutures.gateway.recordings import Recording, RecordingError
from pyfutures.gateway.replay import ReplayServer, Script
from pyfutures.ib import messages as m
from pyfutures.ib.versions import Versions
from pyfutures.ib.wire import ClientConnection, Welcome

CLOCK = "20240530 09:30:00 Greenwich Mean Time"
ASKED = [
    "9",
    "8",
    "-10",
    "0",
    "GBL",
    "FUT",
    "",
    "0.0",
    "",
    "",
    "EUREX",
    "",
    "",
    "",
    "",
    "0",
    "",
    "",
    "",
    "",
]
BARS = [
    "20",
    "-11",
    "101",
    "GBL",
    "FUT",
    "20240606",
    "0.0",
    "",
    "1000",
    "EUREX",
    "",
    "EUR",
    "X",
    "FGBL",
    "0",
    "end",
    "1d",
    "2D",
    "0",
    "TRADES",
    "2",
    "0",
    "",
    "",
]
ANSWER = [
    "17",
    "-11",
    "a",
    "b",
    "1",
    "20240529",
    "131.5000",
    "132",
    "131",
    "131.2",
    "9",
    "131.4",
    "3",
]
SESSION = [
    {"request": ["handshake"], "responses": []},
    {
        "request": ["startapi"],
        "responses": [
            ["176", CLOCK],
            ["15", "1", "DU1234567"],
            ["9", "1", "44"],
            ["4", "2", "-1", "2104", "Market data farm connection is OK:usfarm", ""],
        ],
    },
    {"request": ASKED, "responses": [["52", "1", "-10"]]},
    {"request": BARS, "responses": [ANSWER, ["4", "2", "-11", "2106", "HMDS:x", ""]]},
    {"request": ASKED, "responses": [["4", "2", "-10", "200", "gone", ""], ["77", "odd", ""]]},
    {"request": ["49", "1", ""], "responses": [["49", "1", "1717061400"], ["eof"]]},
]
INVALID = "Error validating request.-'replay' : cause -"
GBL = m.Contract(symbol="GBL", sec_type="FUT", exchange="EUREX")


def recording(session=SESSION):
    return Recording.from_data(copy.deepcopy(session))


def bodies(recorded):
    return [recorded.body(sender, exact) for sender, exact in recorded.messages()]


def test_a_session_encodes_back_byte_for_byte():
    expected = []
    for element in SESSION[1:]:
        if element["request"] != ["startapi"]:
            expected.append("\0".join(element["request"]))
        expected += ["".join(f"{field}\0" for field in answer) for answer in element["responses"]]
    expected = [text.encode() for text in expected if not text.startswith(("176\0", "eof\0"))]
    assert bodies(recording()) == expected


def test_both_forms_of_a_file_are_one():
    pairs = [[element["request"], element["responses"]] for element in SESSION]
    tokens = [["handshake", []], ["startapi", pairs[1][1]], *pairs[2:]]
    assert bodies(recording(pairs)) == bodies(recording(tokens)) == bodies(recording())


def test_requests_without_the_text_behind_the_last_end():
    # Nothing but the layout can tell: the last field of the first, issuerId, is itself empty.
    bare = [
        *SESSION[:2],
        *({**element, "request": element["request"][:-1]} for element in SESSION[2:]),
    ]
    assert bodies(recording(bare)) == bodies(recording())


def test_what_is_recorded():
    recorded = recording()
    assert recorded.welcome == Welcome(176, CLOCK)
    messages = [exact.message for _, exact in recorded.messages()]
    assert [type(message).__name__ for message in messages] == [
        "ManagedAccounts", "NextValidId", "ErrorMessage", "RequestContractDetails",
        "ContractDetailsEnd", "RequestHistoricalBars", "HistoricalBars", "ErrorMessage",
        "RequestContractDetails", "ErrorMessage", "Unknown", "RequestCurrentTime", "CurrentTime",
    ]  # fmt: skip
    assert recorded.exchanges[-1].closes


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "is a list"),
        ([], "no version reply"),
        ([{"request": ["handshake"]}], "element 0: an element has `request` and `responses`"),
        ([{"request": ["startapi"], "responses": [["x", "y"]]}], "no version reply"),
        ([{"request": ["startapi"], "responses": [["223", "y"]]}], "157 to 200"),
        ([{"request": [], "responses": []}], "element 0: a message is a list"),
        ([{"request": [1], "responses": []}], "element 0: 1 is no field"),
        ([{"request": ["a\0b"], "responses": []}], "no field"),
        ([{"request": ["a"], "responses": [7]}], "element 0, response 0"),
        ([[["startapi"], [["176", "now"], ["\ud800"]]]], "message"),
        ([7], "element 0"),
        ([[1, 2, 3]], "element 0"),
    ],
)
def test_files_that_are_no_session(data, words, tmp_path):
    with pytest.raises(RecordingError, match=words):
        Recording.from_data(data)
    path = tmp_path / "x.json"
    path.write_text(json.dumps(data))
    with pytest.raises(RecordingError, match=r"x\.json"):
        Recording.load(path)


def answers(script, request):
    codec = script.recording.responses.theirs
    found, closes = script.answer(request)
    return [codec.decode(body) for body in found], closes


def test_answers_come_under_the_ids_of_the_client():
    script = Script(recording())
    assert answers(script, m.RequestContractDetails(7, GBL)) == ([m.ContractDetailsEnd(7)], False)
    # The second time the second recorded answer, then that one again.
    for request_id in (8, 9):
        found, _ = answers(script, m.RequestContractDetails(request_id, GBL))
        assert found == [m.ErrorMessage(request_id, 200, "gone"), m.Unknown(("77", "odd", ""))]


def test_the_spelling_of_an_answer_stays_when_its_id_changes():
    contract = m.Contract(
        101, "GBL", "FUT", "20240606", "", None, "", "1000", "EUREX", "", "EUR", "X", "FGBL"
    )
    script = Script(recording())
    (body, notice), _ = script.answer(m.RequestHistoricalBars(70000, contract, "end", "1d", "2D"))
    assert body == "".join(f"{text}\0" for text in ["17", "70000", *ANSWER[2:]]).encode()
    assert b"\x0070000\x00" in notice


def test_a_client_that_spells_nothing_otherwise_is_understood():
    script = Script(recording())
    request = m.RequestContractDetails(7, dataclasses.replace(GBL, strike=0.0))
    assert answers(script, request)[0] == [m.ContractDetailsEnd(7)]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (m.RequestPositions(), [m.PositionEnd()]),
        (m.RequestOpenOrders(), [m.OpenOrderEnd()]),
        (m.RequestCompletedOrders(), [m.CompletedOrdersEnd()]),
        (m.RequestExecutions(5), [m.ExecutionDetailsEnd(5)]),
        (m.RequestAccountUpdates(True, "DU1234567"), [m.AccountDownloadEnd("DU1234567")]),
        (m.RequestIds(), [m.NextValidId(44)]),
        (m.CancelHistoricalBars(5), []),
        (
            m.RequestHeadTimestamp(6, GBL),
            [m.ErrorMessage(6, 321, f"{INVALID} RequestHeadTimestamp was not recorded")],
        ),
    ],
)  # fmt: skip
def test_what_was_not_recorded_is_answered_truly(request_, expected):
    assert answers(Script(recording()), request_) == (expected, False)
    strict = Script(recording(), strict=True)
    assert answers(strict, request_) == ([], False)
    assert strict.unmatched == [request_]


async def talk(server, client, *requests):
    """What a client hears that opens, starts and asks in one go, until the gateway closes."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(client.hello() + client.send(m.StartApi(7)))
    heard = []
    while not heard:
        heard += client.receive(await reader.read(4096))
    writer.write(b"".join(client.send(request) for request in requests))
    writer.write_eof()
    while data := await reader.read(4096):
        heard += client.receive(data)
    client.close()
    writer.close()
    await writer.wait_closed()
    return heard


def test_over_tcp_to_two_clients_at_once():
    async def run():
        async with ReplayServer(recording()) as server:
            return await asyncio.gather(
                *(
                    talk(
                        server,
                        ClientConnection(),
                        m.RequestContractDetails(request_id, GBL),
                        m.RequestCurrentTime(),
                        m.RequestPositions(),
                    )
                    for request_id in (1, 2)
                )
            )

    for request_id, heard in zip((1, 2), asyncio.run(run()), strict=True):
        assert heard == [
            Welcome(176, CLOCK),
            m.ManagedAccounts("DU1234567"),
            m.NextValidId(44),
            m.ErrorMessage(-1, 2104, "Market data farm connection is OK:usfarm"),
            m.ContractDetailsEnd(request_id),
            m.CurrentTime(1717061400),
        ]  # the gateway closed then, as recorded


@pytest.mark.parametrize("opening", [b"GET / HTTP/1.1\r\n\r\n", b"API\0\0\0\0\x09v157..175", b""])
def test_a_client_of_another_kind_is_dropped(opening):
    async def run():
        async with ReplayServer(recording()) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(opening)
            writer.write_eof()
            heard = await reader.read()
            writer.close()
            await writer.wait_closed()
            return heard

    assert asyncio.run(run()) == b""


def test_the_server_closes_with_clients_on_it():
    async def run():
        async with ReplayServer(recording()) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(ClientConnection(Versions(176, 176)).hello())
            await reader.readexactly(4)
        assert await reader.read() != b"never"
        writer.close()
        await writer.wait_closed()

    asyncio.run(asyncio.wait_for(run(), 5))


def test_decode_prints_a_line_a_message(tmp_path):
    path = tmp_path / "session.json"
    path.write_text(json.dumps(SESSION))
    result = CliRunner().invoke(command, ["decode", str(path)])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert len(lines) == 14
    assert lines[0] == {"from": "gateway", "kind": "Welcome", "version": 176, "time": CLOCK}
    assert lines[7]["bars"] == [
        {
            "date": "20240529", "open": 131.5, "high": 132.0, "low": 131.0, "close": 131.2,
            "volume": "9", "average": 131.4, "count": 3,
        }
    ]  # fmt: skip
    assert lines[7]["spelling"]["6"] == "131.5000"
    assert lines[11] == {"from": "gateway", "kind": "Unknown", "fields": ["77", "odd", ""]}


def test_replay_serves_until_it_is_told_to_stop(tmp_path):
    path = tmp_path / "session.json"
    path.write_text(json.dumps(SESSION))
    code = (
        f"from pyfutures.cli.gateway import command; command(['replay', {str(path)!r}, '--port=0'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        found = re.fullmatch(r"serving at (127\.0\.0\.1):(\d+), server version 176\n", line)
        assert found, line
        with socket.create_connection((found[1], int(found[2])), 10) as client:
            client.sendall(ClientConnection(Versions(176, 176)).hello())
            assert client.recv(8)[4:] == b"176\0"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 1
        assert process.stderr.read() == "\nAborted!\n"


def test_decode_says_what_is_wrong_with_a_file(tmp_path):
    path = tmp_path / "session.json"
    path.write_text("{")
    result = CliRunner().invoke(command, ["decode", str(path)])
    assert result.exit_code == 1
    assert "no JSON" in result.output


def test_ports_and_depths_that_cannot_be_are_told(tmp_path):
    path = tmp_path / "session.json"
    path.write_text(json.dumps(SESSION))
    for words in (["replay", str(path)], ["run", "--roots", "ES"]):
        result = CliRunner().invoke(command, [*words, "--port", "65536"])
        assert result.exit_code == 2
        assert "0<=x<=65535" in result.output
    path.write_text("[" * 100_000 + "]" * 100_000)
    for word in ("decode", "replay"):
        result = CliRunner().invoke(command, [word, str(path)])
        assert result.exit_code == 1
        assert "too deep" in result.output


@pytest.mark.parametrize("seed", range(8))
def test_a_broken_file_is_decoded_or_told_in_a_line(seed, tmp_path):
    dice = random.Random(seed)  # noqa: S311 - chance, no secret
    whole = json.dumps(SESSION).encode()
    path = tmp_path / "session.json"
    told = 0
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(data))
            match dice.randrange(3):
                case 0:
                    data[at] = dice.randrange(256)
                case 1:
                    del data[at : at + dice.randint(1, 200)]
                case 2:
                    data[at:at] = dice.choice(
                        [b"[", b"]", b'"', b"1e999", b"{}", b"\\ud800", b"\0"]
                    )
        path.write_bytes(data)
        result = CliRunner().invoke(command, ["decode", str(path)])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        if result.exit_code:
            assert result.exit_code == 1
            assert result.output.startswith("Error: ")
            assert len(result.output.splitlines()) == 1
            told += 1
    assert 0 < told < 40
