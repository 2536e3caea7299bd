"""From the body of a frame to a message and back, at one server version.

A client decodes responses and encodes requests; a gateway the other way round. The role is that of
the end that uses the codec. A kind without a layout is `Unknown` and keeps its fields.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pyfutures.ib.errors import EncodeError, MessageError
from pyfutures.ib.messages import REQUESTS, RESPONSES
from pyfutures.ib.messages.base import Malformed, Message, Unknown
from pyfutures.ib.messages.hot import hot_decoders
from pyfutures.ib.messages.market import MIDPOINT_TICK, QUOTE_TICK, TRADE_TICK
from pyfutures.ib.versions import MAX_VERSION, MIN_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.layout import Bound, Layout

    type Decoder = Callable[[list[str]], Message]

__all__ = ["Codec", "Role", "fields_of", "malformed", "split_body"]


class Role(StrEnum):
    """Which end of the connection we are."""

    CLIENT = "client"
    GATEWAY = "gateway"


_TICKS: Final[dict[str, Layout[Any]]] = {
    "1": TRADE_TICK,
    "2": TRADE_TICK,
    "3": QUOTE_TICK,
    "4": MIDPOINT_TICK,
}
_BROKEN: Final = (ValueError, ArithmeticError, LookupError)


def split_body(body: bytes) -> list[str]:
    """Return the fields of a body.

    Raises
    ------
    MessageError
        For a body that does not end its last field.

    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        # Error texts of a gateway on Windows may come in its code page.
        text = body.decode("latin-1")
    fields = text.split("\0")
    if fields.pop() or not fields:
        raise MessageError(_endless(body))
    return fields


def malformed(body: bytes, error: MessageError) -> Malformed:
    """Return what stands for a body that cannot be read."""
    try:
        fields = split_body(body)
    except MessageError:
        fields = [body.decode("latin-1")]
    return Malformed(tuple(fields), str(error))


def _endless(body: bytes) -> str:
    return f"a body of {len(body)} bytes whose last field has no end"


def fields_of(fields: list[str]) -> bytes:
    """Return the body with these fields.

    Raises
    ------
    EncodeError
        For a text that is not Unicode (a lone surrogate).

    """
    try:
        return ("\0".join(fields) + "\0").encode()
    except UnicodeEncodeError as error:
        raise EncodeError(f"message {fields[0]}: {error}") from error


@cache
def _bounds(version: int, *, requests: bool) -> dict[type[Message], Bound[Any]]:
    table = REQUESTS if requests else RESPONSES
    bounds: dict[type[Message], Bound[Any]] = {
        layout.cls: layout.at(version) for layout in table if layout.since <= version
    }
    if not requests:
        bounds |= {layout.cls: layout.at(version) for layout in _TICKS.values()}
    return bounds


def _tick_by_tick(version: int) -> Decoder:
    bounds = {kind: layout.at(version) for kind, layout in _TICKS.items()}

    def read(fields: list[str]) -> Message:
        if len(fields) < 3:
            raise MessageError(f"the message ends after {len(fields)} fields")
        bound = bounds.get(fields[2])
        message: Message = Unknown(tuple(fields)) if bound is None else bound.read(fields)
        return message

    return read


@cache
def _decoders(version: int, *, requests: bool) -> dict[str, Decoder]:
    decoders: dict[str, Decoder] = {
        bound.id: bound.read for bound in _bounds(version, requests=requests).values()
    }
    if not requests:
        decoders["99"] = _tick_by_tick(version)
    return decoders


class Codec:
    """Decodes what the other end says and encodes what we say.

    Parameters
    ----------
    version
        The server version that both ends agreed on, 157 to 200.
    role
        Which end we are.

    Raises
    ------
    ValueError
        For a version outside 157 to 200.

    """

    def __init__(self, version: int, role: Role = Role.CLIENT) -> None:
        if not MIN_VERSION <= version <= MAX_VERSION:
            raise ValueError(
                f"server version {version}: the text protocol is spoken from {MIN_VERSION} "
                f"to {MAX_VERSION}"
            )
        self.version = version
        self.role = role
        requests = role is Role.GATEWAY
        self._tables = _decoders(version, requests=requests)
        self._hot: dict[str, Decoder] = {} if requests else dict(hot_decoders(version))
        self._bounds = _bounds(version, requests=not requests)

    def decode(self, body: bytes) -> Message:
        """Return the message of a frame's body; `Unknown` for a kind without a layout.

        Raises
        ------
        MessageError
            For a body that does not follow its layout.

        """
        try:
            fields = body.decode().split("\0")
            if fields.pop():
                raise MessageError(_endless(body))
            return self._hot[fields[0]](fields)
        except _BROKEN:
            # Not text as usual, no hot message, or not its usual spelling: the tables know all.
            return self.read(split_body(body))

    def read(self, fields: list[str]) -> Message:
        """Return the message of these fields, the id first, by the tables alone.

        Raises
        ------
        MessageError
            For fields that do not follow their layout.

        """
        table = self._tables.get(fields[0])
        if table is None:
            return Unknown(tuple(fields))
        try:
            return table(fields)
        except MessageError as error:
            raise MessageError(f"message {fields[0]} at {self.version}: {error}") from error

    def try_decode(self, body: bytes) -> Message:
        """Return the message, or what was wrong with it as `Malformed`."""
        try:
            return self.decode(body)
        except MessageError as error:
            return malformed(body, error)

    def encode(self, message: Message) -> bytes:
        """Return the body of a message.

        Raises
        ------
        EncodeError
            For a message that this role does not send at this version, or a value that cannot be
            said.

        """
        return fields_of(self.write(message))

    def write(self, message: Message) -> list[str]:
        """Return the fields of a message, the id first.

        Raises
        ------
        EncodeError
            For a message that this role does not send at this version, or a value that cannot be
            said.

        """
        bound = self._bounds.get(type(message))
        if bound is None:
            if isinstance(message, Unknown | Malformed):
                return list(message.fields)
            raise EncodeError(
                f"{type(message).__name__}: a {self.role} does not send it at {self.version}"
            )
        return bound.write(message)
