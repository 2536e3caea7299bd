"""Frames and handshakes, each stream whole, split at every byte, and with junk behind it."""

from __future__ import annotations

import pytest

from pyfutures.ib import messages as m
from pyfutures.ib.errors import (
    EncodeError,
    FrameError,
    HandshakeError,
    RemoteProtocolError,
    StateError,
)
from pyfutures.ib.framing import Framer, frame
from pyfutures.ib.versions import Versions
from pyfutures.ib.wire import ClientConnection, GatewayConnection, Hello, State, Welcome

CLOCK = "20240530 09:30:00 Central European Standard Time"
# By hand: the opening of a client of 176 to 200 with client id 7, sent in one go.
OPENING = b"API\0\x00\x00\x00\x09v176..200\x00\x00\x00\x0871\x002\x007\0\0"
REQUESTS = b"\x00\x00\x00\x0461\x001"[:4] + b"61\x001" + b"\0"
ANSWER = b"\x00\x00\x00\x35176\0" + CLOCK.encode() + b"\0"
NEXT_ID = b"\x00\x00\x00\x079\x001\x0044\0"
ACCOUNTS = b"\x00\x00\x00\x0f15\x001\0DU1234567\0"


def client():
    connection = ClientConnection()
    connection.hello()
    return connection


def gateway_events(connection, pieces):
    """What a gateway hears that welcomes at once, as a server does."""
    events = []
    for piece in pieces:
        heard = connection.receive(piece)
        events += heard
        if heard and isinstance(heard[-1], Hello):
            connection.welcome(CLOCK)
            events += connection.receive(b"")
    return events


def client_events(connection, pieces):
    return [event for piece in pieces for event in connection.receive(piece)]


def splits(stream):
    yield [stream]
    yield [stream[i : i + 1] for i in range(len(stream))]
    for at in range(len(stream) + 1):
        yield [stream[:at], stream[at:]]


JUNK = [b"", b"\0", b"\x00\x00\x00\x10half"]


@pytest.mark.parametrize("junk", JUNK)
def test_a_client_three_ways(junk):
    stream = ANSWER + ACCOUNTS + NEXT_ID
    expected = [Welcome(176, CLOCK), m.ManagedAccounts("DU1234567"), m.NextValidId(44)]
    for pieces in splits(stream + junk):
        connection = client()
        assert client_events(connection, pieces) == expected
        assert (connection.state, connection.version) == (State.OPEN, 176)


@pytest.mark.parametrize("junk", JUNK)
def test_a_gateway_three_ways(junk):
    stream = OPENING + frame(b"61\x001\0")
    expected = [Hello(176, 200), m.StartApi(7), m.RequestPositions()]
    for pieces in splits(stream + junk):
        connection = GatewayConnection(176)
        assert gateway_events(connection, pieces) == expected
        assert connection.version == 176


def test_what_the_two_ends_say_by_hand():
    connection = ClientConnection()
    assert connection.hello() + connection.send(m.StartApi(7)) == OPENING
    gateway = GatewayConnection(176)
    gateway.receive(OPENING)
    assert gateway.welcome(CLOCK) == ANSWER
    assert gateway.receive(b"") == [m.StartApi(7)]
    assert gateway.send(m.NextValidId(44)) == NEXT_ID


@pytest.mark.parametrize(
    ("offer", "ceiling", "version"),
    [
        (Versions(), 176, 176),
        (Versions(), 200, 200),
        (Versions(157, 178), 200, 178),
        (Versions(157, 157), 176, 157),
        (Versions(100 + 57, 200), 178, 178),
    ],
)
def test_the_lower_of_the_two_highest_is_chosen(offer, ceiling, version):
    one, other = ClientConnection(offer), GatewayConnection(ceiling)
    other.receive(one.hello())
    one.receive(other.welcome(CLOCK))
    assert one.version == other.version == version


@pytest.mark.parametrize(
    ("body", "hello"),
    [
        (b"v100..223", Hello(100, 223)),
        (b"v157..178 +PACEAPI", Hello(157, 178, "+PACEAPI")),
        (b"v176", Hello(176, 176)),
        (b"v100..157\0", Hello(100, 157)),
    ],
)
def test_hellos_of_other_clients(body, hello):
    assert GatewayConnection().receive(b"API\0" + frame(body)) == [hello]


@pytest.mark.parametrize(
    ("body", "ceiling"), [(b"v213..221", 200), (b"v100..156", 200), (b"v177..178", 176)]
)
def test_no_version_in_common(body, ceiling):
    connection = GatewayConnection(ceiling)
    connection.receive(b"API\0" + frame(body))
    with pytest.raises(HandshakeError, match="speaks server versions"):
        connection.welcome(CLOCK)
    assert connection.state is State.FAILED
    with pytest.raises(HandshakeError):
        connection.receive(b"")


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"AP",
        b"API\0\xff\xff\xff\xff",
        b"API\0" + frame(b"hello"),
        b"API\0" + frame(b"v"),
        b"API\0" + frame(b"\0"),
    ],
)
def test_openings_that_are_none(stream):
    connection = GatewayConnection()
    with pytest.raises(RemoteProtocolError):  # noqa: PT012 - a short one fails at its end
        connection.receive(stream)
        connection.close()


@pytest.mark.parametrize(
    "answer", [b"", b"\0", b"hello\0", b"176", b"\xff\xfe\0x\0", b"201\0now\0", b"175\0now\0"]
)
def test_answers_that_are_none(answer):
    connection = client()
    with pytest.raises(HandshakeError):
        connection.receive(frame(answer))
    assert connection.state is State.FAILED


def test_a_gateway_that_closes_in_the_handshake():
    connection = client()
    connection.receive(ANSWER[:20])
    with pytest.raises(HandshakeError, match="closed during the handshake"):
        connection.close()


def test_a_stream_that_ends_in_a_frame():
    connection = client()
    connection.receive(ANSWER + NEXT_ID[:-1])
    with pytest.raises(FrameError, match="10 bytes into a frame"):
        connection.close()


def test_a_stream_that_ends_between_frames():
    connection = client()
    connection.receive(ANSWER + NEXT_ID)
    connection.close()


def test_a_length_above_the_limit_is_refused_before_it_is_waited_for():
    connection = client()
    connection.receive(ANSWER)
    with pytest.raises(FrameError, match="16777216 bytes"):
        connection.receive(b"\x01\x00\x00\x00")
    with pytest.raises(FrameError):
        connection.receive(NEXT_ID)
    with pytest.raises(FrameError):
        connection.send(m.RequestPositions())


def test_the_limit_holds_for_what_is_sent():
    connection = GatewayConnection(max_size=40)
    connection.receive(b"API\0" + frame(b"v176..176"))
    connection.welcome("now")
    with pytest.raises(EncodeError, match="limit is 40"):
        connection.send(m.ManagedAccounts("DU1234567," * 9))


def test_one_bad_message_costs_that_message_only():
    connection = client()
    connection.receive(ANSWER)
    bad, good = connection.receive(frame(b"9\x001\0abc\0") + NEXT_ID)
    assert bad == m.Malformed(
        ("9", "1", "abc"), "message 9 at 176: field 2 (order_id): `abc` is no int"
    )
    assert good == m.NextValidId(44)


def test_calls_out_of_order():
    with pytest.raises(StateError):
        ClientConnection().send(m.StartApi())
    with pytest.raises(StateError):
        client().send(m.RequestPositions())
    with pytest.raises(StateError):
        client().hello()
    with pytest.raises(StateError):
        GatewayConnection().welcome(CLOCK)
    with pytest.raises(StateError):
        GatewayConnection().send(m.NextValidId(1))
    with pytest.raises(HandshakeError):
        ClientConnection().receive(ANSWER)


def test_a_role_does_not_send_what_the_other_sends():
    connection = client()
    connection.receive(ANSWER)
    with pytest.raises(EncodeError, match="a client does not send it"):
        connection.send(m.NextValidId(1))


def test_a_message_of_a_later_version():
    connection = client()
    connection.receive(ANSWER)
    with pytest.raises(EncodeError, match="at 176"):
        connection.send(m.RequestCurrentTimeInMillis())


@pytest.mark.parametrize(("lowest", "highest"), [(156, 200), (176, 201), (178, 177)])
def test_versions_that_are_none(lowest, highest):
    with pytest.raises(ValueError, match="server versions"):
        Versions(lowest, highest)


def test_a_large_frame_in_small_pieces_is_not_copied_each_time():
    body = bytes(1 << 22)
    stream = frame(body)
    framer = Framer()
    found = [b for i in range(0, len(stream), 4096) for b in framer.feed(stream[i : i + 4096])]
    assert found == [body]
    assert framer.pending == 0
