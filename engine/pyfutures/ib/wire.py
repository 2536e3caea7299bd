r"""The connection without a socket: bytes in, messages out, both ends.

Theory of operation. The client opens with ``API\0`` (the only bytes without a length in front) and
a frame with the versions it speaks; the gateway answers with one frame of two fields, the version
it chose and its clock, and is silent until `StartApi`. From then on every frame is one message. A
frame is a 4-byte big-endian length and as many bytes.

    state      client                        gateway
    new        hello() -> bytes              waits for hello
    greeting   waits for the version         welcome() -> bytes
    open       send(), receive()             send(), receive()
    failed     every call raises what made it fail

Nothing here waits, reads a clock or knows a socket. A gateway that never answers is the caller's
timeout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pyfutures.ib.codec import Codec, Role, malformed, split_body
from pyfutures.ib.errors import (
    FrameError,
    HandshakeError,
    MessageError,
    RemoteProtocolError,
    StateError,
)
from pyfutures.ib.framing import MAX_FRAME, Framer, frame
from pyfutures.ib.messages.session import StartApi
from pyfutures.ib.versions import MAX_VERSION, MIN_VERSION, Versions

if TYPE_CHECKING:
    from pyfutures.ib.messages.base import Message, Request, Response

__all__ = [
    "ClientConnection",
    "GatewayConnection",
    "Hello",
    "State",
    "Welcome",
]

_PREFIX: Final = b"API\0"
_HELLO_LIMIT: Final = 1024
_HELLO: Final = re.compile(r"v([0-9]{1,4})(?:\.\.([0-9]{1,4}))?(?: (.*))?", re.DOTALL)


class State(StrEnum):
    """Where a connection stands."""

    NEW = "new"
    GREETING = "greeting"
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Hello:
    """What a client opens with: the versions it speaks, and options such as `+PACEAPI`.

    The versions are as they came, and may be none that we speak.
    """

    lowest: int
    highest: int
    options: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a gateway answers: the version, and its clock as text with a zone for people."""

    version: int
    time: str


class _Connection:
    """What both ends have in common."""

    _role: Role

    def __init__(self, *, max_size: int) -> None:
        self.state = State.NEW
        self._framer = Framer(max_size=max_size)
        self._failure: RemoteProtocolError | None = None
        self.codec: Codec | None = None

    @property
    def version(self) -> int | None:
        """The server version, None before both ends agreed."""
        return None if self.codec is None else self.codec.version

    def _frames(self, data: bytes) -> list[bytes]:
        if self._failure is not None:
            raise self._failure
        try:
            return self._framer.feed(data)
        except FrameError as error:
            raise self._fail(error) from None

    def _fail(self, error: RemoteProtocolError) -> RemoteProtocolError:
        self.state = State.FAILED
        self._failure = error
        return error

    def _encode(self, message: Message) -> bytes:
        if self._failure is not None:
            raise self._failure
        if self.codec is None:
            raise StateError(f"{type(message).__name__} before the handshake is done")
        return frame(self.codec.encode(message), max_size=self._framer.max_size)

    def close(self) -> None:
        """Take note that the other end closed.

        Raises
        ------
        FrameError
            Where it did so inside a frame.
        HandshakeError
            Where it did so before the handshake was done.

        """
        if self._failure is None and self.state is State.GREETING:
            raise self._fail(HandshakeError("the other end closed during the handshake"))
        if self._failure is None:
            try:
                self._framer.close()
            except FrameError as error:
                raise self._fail(error) from None


class ClientConnection(_Connection):
    """The client's end.

    Parameters
    ----------
    versions
        The server versions to offer.
    options
        What follows them, e.g. `+PACEAPI`; normally nothing.
    max_size
        The longest body to accept or send.

    """

    _role = Role.CLIENT

    def __init__(
        self,
        versions: Versions = Versions(),  # noqa: B008 - immutable
        *,
        options: str = "",
        max_size: int = MAX_FRAME,
    ) -> None:
        super().__init__(max_size=max_size)
        self.versions = versions
        self.options = options
        self.welcome: Welcome | None = None

    def hello(self) -> bytes:
        """Return the bytes that open the connection.

        Raises
        ------
        StateError
            When it was said already.

        """
        if self.state is not State.NEW:
            raise StateError(f"hello is said once; the connection is {self.state}")
        self.state = State.GREETING
        options = f" {self.options}" if self.options else ""
        return _PREFIX + frame(f"{self.versions}{options}".encode())

    def send(self, request: Request) -> bytes:
        """Return the bytes of a request. `StartApi` may go out with the hello, before its answer.

        Raises
        ------
        EncodeError
            For a value that cannot be said at this version.
        StateError
            For any other request before the handshake is done.

        """
        if self.codec is None and self.state is State.GREETING and isinstance(request, StartApi):
            # Its layout is the same at all versions, and gateways take it so (recorded).
            codec = Codec(self.versions.lowest, Role.CLIENT)
            return frame(codec.encode(request), max_size=self._framer.max_size)
        return self._encode(request)

    def receive(self, data: bytes) -> list[Welcome | Response]:
        """Return what `data` completes: the welcome first, then responses.

        A message that does not follow its layout comes as `Malformed`; the ones after it still
        come.

        Raises
        ------
        FrameError
            For a length that cannot be.
        HandshakeError
            For an answer that is none, or a version that was not offered.

        """
        events: list[Welcome | Response] = []
        bodies = self._frames(data)
        if self.codec is None and bodies:
            events.append(self._greet(bodies.pop(0)))
        for body in bodies:
            try:
                events.append(self.codec.decode(body))  # type: ignore[arg-type, union-attr]
            except MessageError as error:
                events.append(malformed(body, error))
        return events

    def _greet(self, body: bytes) -> Welcome:
        if self.state is State.NEW:
            raise self._fail(HandshakeError("the gateway spoke before it was greeted"))
        try:
            version, time, *_ = split_body(body)
            welcome = Welcome(int(version), time)
        except (MessageError, ValueError):
            raise self._fail(
                HandshakeError(f"no version in the gateway's answer {body[:40]!r}")
            ) from None
        if welcome.version not in self.versions:
            raise self._fail(
                HandshakeError(
                    f"the gateway chose server version {welcome.version}; "
                    f"offered was {self.versions}"
                )
            )
        self.codec = Codec(welcome.version, Role.CLIENT)
        self.welcome = welcome
        self.state = State.OPEN
        return welcome


class GatewayConnection(_Connection):
    """The gateway's end.

    Parameters
    ----------
    version
        The highest server version to agree on.
    max_size
        The longest body to accept or send.

    Raises
    ------
    ValueError
        For a version outside 157 to 200.

    """

    _role = Role.GATEWAY

    def __init__(self, version: int = 176, *, max_size: int = MAX_FRAME) -> None:
        super().__init__(max_size=max_size)
        if not MIN_VERSION <= version <= MAX_VERSION:
            raise ValueError(f"server version {version}: {MIN_VERSION} to {MAX_VERSION} are spoken")
        self.ceiling = version
        self.hello: Hello | None = None
        self._opening = bytearray()
        self._prefixed = False

    def welcome(self, time: str) -> bytes:
        """Return the answer to the hello, with the gateway's clock in it; messages can flow then.

        Raises
        ------
        HandshakeError
            When the client speaks no version in common: close the connection.
        StateError
            Before the hello came, or twice.

        """
        if self._failure is not None:
            raise self._failure
        if self.hello is None or self.codec is not None:
            raise StateError("a welcome answers one hello")
        version = min(self.hello.highest, self.ceiling)
        if version < max(self.hello.lowest, MIN_VERSION):
            raise self._fail(
                HandshakeError(
                    f"the client speaks server versions {self.hello.lowest} to "
                    f"{self.hello.highest}, this gateway {MIN_VERSION} to {self.ceiling}"
                )
            )
        self.codec = Codec(version, Role.GATEWAY)
        self.state = State.OPEN
        return frame(f"{version}\0{time}\0".encode())

    def send(self, response: Response) -> bytes:
        """Return the bytes of a response.

        Raises
        ------
        EncodeError
            For a value that cannot be said at this version.
        StateError
            Before the welcome.

        """
        return self._encode(response)

    def receive(self, data: bytes) -> list[Hello | Request]:
        """Return what `data` completes: the hello first, then requests.

        Requests that came with the hello wait until the welcome is said: call again with no bytes
        then.

        Raises
        ------
        FrameError
            For a length that cannot be.
        HandshakeError
            For an opening that is not a client's.

        """
        events: list[Hello | Request] = []
        if self.codec is None:
            if self._failure is not None:
                raise self._failure
            self._opening += data
            if self.hello is None:
                self.hello = self._read_hello()
                events += [] if self.hello is None else [self.hello]
            if len(self._opening) > self._framer.max_size + 4:
                raise self._fail(HandshakeError("too much before the welcome"))
            return events
        if self._opening:
            data = bytes(self._opening) + data
            self._opening.clear()
        events.extend(self.codec.try_decode(body) for body in self._frames(data))  # type: ignore[misc]
        return events

    def _read_hello(self) -> Hello | None:
        if not self._prefixed:
            head = bytes(self._opening[:4])
            if head != _PREFIX[: len(head)]:
                raise self._fail(HandshakeError(f"a client opens with {_PREFIX!r}, not {head!r}"))
            if len(head) < 4:
                return None
            del self._opening[:4]
            self._prefixed = True
        if len(self._opening) < 4:
            return None
        size = int.from_bytes(self._opening[:4])
        if size > _HELLO_LIMIT:
            raise self._fail(
                HandshakeError(f"a hello of {size} bytes; the limit is {_HELLO_LIMIT}")
            )
        if len(self._opening) < 4 + size:
            return None
        body = bytes(self._opening[4 : 4 + size])
        del self._opening[: 4 + size]
        found = _HELLO.fullmatch(body.decode("latin-1").rstrip("\0"))
        if found is None:
            raise self._fail(HandshakeError(f"no server versions in {body[:40]!r}"))
        lowest = int(found[1])
        self.state = State.GREETING
        return Hello(lowest, int(found[2] or lowest), found[3] or "")

    def close(self) -> None:
        """Take note that the client closed.

        Raises
        ------
        FrameError
            Where it did so inside a frame.
        HandshakeError
            Where it did so before the handshake was done.

        """
        if self._failure is None and self.codec is None and (self._opening or self._prefixed):
            raise self._fail(HandshakeError("the client closed during the handshake"))
        super().close()
