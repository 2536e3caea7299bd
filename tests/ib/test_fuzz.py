# ruff: noqa: S311 - chance, not secrets
"""Mutated frames: only typed errors come out, and the quick decoders mean what the tables mean."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyfutures.ib.codec import Codec, Role, split_body
from pyfutures.ib.errors import MessageError, RemoteProtocolError
from pyfutures.ib.framing import frame
from pyfutures.ib.messages.hot import hot_decoders
from pyfutures.ib.wire import ClientConnection, GatewayConnection
from tests.ib import fuzz
from tests.ib.strategies import ALL_REQUESTS, ALL_RESPONSES, messages
from tests.ib.test_golden import REQUESTS, RESPONSES, fields


def test_twenty_thousand_frames_in_all():
    assert sum(fuzz.SHARES.values()) == 20_000


@pytest.mark.parametrize("seed", range(14))
def test_mutated_responses(seed):
    told = fuzz.responses(seed, fuzz.SHARES["responses"] // 14)
    assert told["read"] > 20
    assert told["errors"] > 20


@pytest.mark.parametrize("seed", range(5))
def test_mutated_requests(seed):
    told = fuzz.requests(seed, fuzz.SHARES["requests"] // 5)
    assert told["read"] > 20
    assert told["errors"] > 20


def test_a_mixed_run_is_the_same_for_the_same_seed_and_does_not_grow():
    first, second = fuzz.run(2000, 7), fuzz.run(2000, 7)
    assert first["frames"] == 2000
    assert {**first, "grown by MB": 0} == {**second, "grown by MB": 0}


def test_what_breaks_a_run_is_named(monkeypatch, capsys):
    monkeypatch.setattr(fuzz, "RESPONSES", [(176, "49|1|x", None)])
    monkeypatch.setattr(Codec, "try_decode", lambda *_: None)
    with pytest.raises(AssertionError):
        fuzz.run(500, 3)
    assert capsys.readouterr().out == "seed 3: broken by responses('3 0', 500)\n"


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
            frame(fuzz.mutate(chance, fields(chance.choice(RESPONSES)[1]))) for _ in range(4)
        )
        assert len(client.receive(answers)) == 5


HOT = [layout for layout in ALL_RESPONSES if str(layout.id) in hot_decoders(200)]


@pytest.mark.parametrize("layout", HOT, ids=lambda layout: layout.cls.__name__)
@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(version=st.sampled_from([157, 177, 178, 195, 196, 198, 200]), data=st.data())
def test_quick_decoders_mean_what_the_tables_mean(layout, version, data):
    body = Codec(version, Role.GATEWAY).encode(data.draw(messages(layout, version)))
    if data.draw(st.booleans()):
        body = fuzz.mutate(data.draw(st.randoms(use_true_random=False)), body)
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
