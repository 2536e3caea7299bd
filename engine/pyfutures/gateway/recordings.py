"""Recorded gateway sessions: what a client asked and what the gateway sent until the next request.

A file is a JSON list, plain or in gzip, an element a request, in one of two forms: ``{"request":
[...], "responses": [[...], ...]}`` or ``[[...], [[...], ...]]``. The first two requests are only
named, `handshake` and `startapi`; the version reply is the first of the responses behind them. A
last response ``["eof"]`` says that the gateway closed. Recorders of requests kept the empty text
behind the last NUL; where a request has one field too many for its layout and that is empty, it is
taken for it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfutures.ib.codec import Codec, Role, fields_of
from pyfutures.ib.errors import MessageError, ProtocolError
from pyfutures.ib.exact import Exact, Reader
from pyfutures.ib.messages.base import Unknown
from pyfutures.ib.wire import Welcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Exchange", "Recording", "RecordingError"]

HANDSHAKE: Final = "handshake"
START: Final = "startapi"
EOF: Final = "eof"


class RecordingError(ValueError):
    """A file that is no recorded session: the element and what is wrong with it are named."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came after it; `closes` where the gateway closed then."""

    request: Exact
    responses: tuple[Exact, ...]
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """A session: the welcome, what came before the first request, and the exchanges."""

    welcome: Welcome
    greeting: tuple[Exact, ...]
    exchanges: tuple[Exchange, ...]
    requests: Reader
    responses: Reader
    closes: bool = False

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Return the session in a file.

        Raises
        ------
        OSError
            For a file that cannot be read.
        RecordingError
            For one that is no recorded session.

        """
        try:
            data = json.loads(_plain(path.read_bytes()))
        except (EOFError, OSError, zlib.error) as error:
            if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
                raise
            raise RecordingError(f"{path}: compressed, and cut or broken: {error}") from None
        except ValueError as error:
            raise RecordingError(f"{path}: no JSON: {error}") from None
        except RecursionError:
            raise RecordingError(f"{path}: lists within lists, too deep for a session") from None
        try:
            return cls.from_data(data)
        except RecordingError as error:
            raise RecordingError(f"{path}: {error}") from None

    @classmethod
    def from_data(cls, data: object) -> Recording:
        """Return the session of parsed JSON.

        Raises
        ------
        RecordingError
            For data that are none.

        """
        if not isinstance(data, list):
            raise RecordingError("a recorded session is a list")
        elements = [_element(number, element) for number, element in enumerate(data)]
        opening: list[list[str]] = []
        while elements and elements[0][0] in ([HANDSHAKE], [START]):
            opening += elements.pop(0)[1]
        welcome = _welcome(opening)
        requests = Reader(Codec(welcome.version, Role.GATEWAY), Codec(welcome.version, Role.CLIENT))
        responses = Reader(requests.ours, requests.theirs)
        greeting, closes = _responses(opening[1:], responses)
        padded = bool(elements) and all(request[-1] == "" for request, _ in elements)
        exchanges = [
            Exchange(_request(request, requests, padded=padded), *_responses(answers, responses))
            for request, answers in elements
        ]
        return cls(welcome, greeting, tuple(exchanges), requests, responses, closes)

    def messages(self) -> Iterator[tuple[str, Exact]]:
        """Yield all messages with who sent them, `client` or `gateway`, as recorded."""
        for exact in self.greeting:
            yield "gateway", exact
        for exchange in self.exchanges:
            yield "client", exchange.request
            for exact in exchange.responses:
                yield "gateway", exact

    def body(self, sender: str, exact: Exact) -> bytes:
        """Return the body of a message of `messages`, byte for byte as recorded."""
        return exact.body(self.requests if sender == "client" else self.responses)


def _plain(data: bytes) -> bytes:
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _texts(value: object, where: str) -> list[str]:
    if not isinstance(value, list) or not value:
        raise RecordingError(f"{where}: a message is a list of at least one text")
    for text in value:
        if not isinstance(text, str) or "\0" in text:
            raise RecordingError(f"{where}: {text!r} is no field: a text without NUL")
    return value


def _element(number: int, element: object) -> tuple[list[str], list[list[str]]]:
    where = f"element {number}"
    if isinstance(element, dict):
        if not {"request", "responses"} <= element.keys():
            raise RecordingError(f"{where}: an element has `request` and `responses`")
        element = [element["request"], element["responses"]]
    if not isinstance(element, list) or len(element) != 2 or not isinstance(element[1], list):
        raise RecordingError(f"{where}: an element is a request and a list of responses")
    request = [element[0]] if isinstance(element[0], str) else element[0]
    if [EOF] in element[1][:-1]:
        raise RecordingError(f'{where}: responses behind ["{EOF}"], where the gateway had closed')
    return (
        _texts(request, where),
        [_texts(answer, f"{where}, response {i}") for i, answer in enumerate(element[1])],
    )


def _welcome(opening: list[list[str]]) -> Welcome:
    missing = f"no version reply behind `{HANDSHAKE}` and `{START}`"
    if not opening or len(opening[0]) < 2:
        raise RecordingError(f"{missing}: a response with the server version and a time")
    version, time, *_ = opening[0]
    try:
        Codec(int(version))
        return Welcome(int(version), time)
    except ValueError as error:
        raise RecordingError(f"{missing}: {error}") from None


def _responses(answers: list[list[str]], reader: Reader) -> tuple[tuple[Exact, ...], bool]:
    closes = bool(answers) and answers[-1] == [EOF]
    texts = answers[:-1] if closes else answers
    return tuple(reader.read(_body(fields)) for fields in texts), closes


def _request(fields: list[str], reader: Reader, *, padded: bool) -> Exact:
    if len(fields) < 2 or fields[-1]:
        return reader.read(_body(fields))
    # Only the layout can tell the empty text behind the last NUL from a last field that is empty.
    bare = fields[:-1]
    try:
        message = reader.theirs.read(bare)
    except MessageError:
        return reader.read(_body(fields))
    if isinstance(message, Unknown):
        return reader.read(_body(bare if padded else fields))
    return reader.read(_body(bare))


def _body(fields: list[str]) -> bytes:
    try:
        return fields_of(fields)
    except ProtocolError as error:
        raise RecordingError(str(error)) from None
