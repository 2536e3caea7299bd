# ruff: noqa: S311 - chance, not secrets
"""Mutated frames: only typed errors come out, and the quick decoders mean what the tables mean."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyfutures.ib.codec import Codec, Role, split_body
from pyfutures.ib.errors import MessageError, RemoteProtocolError
from pyfutures.ib.exact import Reader
from pyfutures.ib.framing import frame
from pyfutures.ib.messages.base import Malformed
from pyfutures.ib.messages.hot import hot_decoders
from pyfutures.ib.wire import ClientConnection, GatewayConnection
from tests.ib.strategies import ALL_REQUESTS, ALL_RESPONSES, messages
from tests.ib.test_golden import REQUESTS, RESPONSES, fields

ODD = [
    "", "0", "-1", "2147483647", "1.7976931348623157E308", "1.7976931348623157e+308", "NaN", "sNaN",
    "Infinity", "-inf", "1e999", "9" * 5000, "None", "\\u", "\\ud83d\\ude00", "\\ud83d", "ä",
    "1_000", " 7 ", "0x10", "1E+400", "170141183460469231731687303715884105727",
]  # fmt: skip


def mutate(random, body):
    """A body with one to three things wrong with it."""
    for _ in range(random.randint(1, 3)):
        parts = body.split(b"\0")
        at = random.randrange(len(parts))
        match random.randrange(6):
            case 0:
                parts[at] = random.choice(ODD).encode()
            case 1:
                del parts[at]
            case 2:
                parts.insert(at, random.choice(ODD).encode())
            case 3:
                parts = parts[:at]
            case 4:
                parts[at] = random.randbytes(random.randint(0, 6))
            case 5:
                parts = parts + parts[at:]
        body = b"\0".join(parts)
    return body


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("role", "rows"),
    [(Role.CLIENT, RESPONSES), (Role.GATEWAY, REQUESTS)],
    ids=["client", "gateway"],
)
def test_mutated_messages(role, rows, seed):
    chance = random.Random(f"{role} {seed}")
    for _ in range(250):
        version, text, _ = chance.choice(rows)
        version = chance.choice([version, 157, 176, 200])
        body = mutate(chance, fields(text))
        codec = Codec(version, role)
        try:
            message = codec.decode(body)
        except MessageError:
            assert isinstance(codec.try_decode(body), Malformed)
            continue
        other = Codec(version, Role.GATEWAY if role is Role.CLIENT else Role.CLIENT)
        exact = Reader(codec, other).read(body)
        assert exact.body(Reader(codec, other)) == body
        assert codec.decode(other.encode(message)) == message


@pytest.mark.parametrize("seed", range(20))
def test_mutated_streams(seed):
    chance = random.Random(seed)
    hello = b"API\0" + frame(b"v157..200")
    for _ in range(50):
        stream = b"".join(frame(fields(chance.choice(REQUESTS)[1])) for _ in range(4))
        stream = bytearray(hello + stream)
        for _ in range(chance.randint(1, 4)):
            stream[chance.randrange(len(stream))] = chance.randrange(256)
        gateway = GatewayConnection(200)
        try:
            gateway.receive(bytes(stream))
            if gateway.hello is not None:
                gateway.welcome("now")
                gateway.receive(b"")
            gateway.close()
        except RemoteProtocolError:
            pass
        client = ClientConnection()
        client.hello()
        answers = frame(b"176\0now\0") + b"".join(
            frame(mutate(chance, fields(chance.choice(RESPONSES)[1]))) for _ in range(4)
        )
        assert len(client.receive(answers)) == 5


HOT = [layout for layout in ALL_RESPONSES if str(layout.id) in hot_decoders(200)]


@pytest.mark.parametrize("layout", HOT, ids=lambda layout: layout.cls.__name__)
@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(version=st.sampled_from([157, 177, 178, 195, 196, 198, 200]), data=st.data())
def test_quick_decoders_mean_what_the_tables_mean(layout, version, data):
    body = Codec(version, Role.GATEWAY).encode(data.draw(messages(layout, version)))
    if data.draw(st.booleans()):
        body = mutate(data.draw(st.randoms(use_true_random=False)), body)
    codec = Codec(version)
    try:
        fields = split_body(body)
        expected = codec.read(fields)
    except MessageError as error:
        expected = str(error)
    try:
        found = codec.decode(body)
    except MessageError as error:
        found = str(error)
    assert repr(found) == repr(expected)


def test_nothing_is_allocated_for_items_that_are_only_announced():
    body = fields("17|5|a|b|1000000000|x")
    with pytest.raises(MessageError, match="1000000000 items announced, 1 fields left"):
        Codec(176).decode(body)


def test_all_kinds_are_fuzzed():
    assert {type(row[2]) for row in REQUESTS} <= {layout.cls for layout in ALL_REQUESTS}
