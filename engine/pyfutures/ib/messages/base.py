"""What every message is: a request (client to gateway) or a response (gateway to client).

Ids of requests and responses overlap, so the two are never looked up in one table.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Malformed", "Message", "Request", "Response", "Unknown"]


class Message:
    """Any message."""

    __slots__ = ()


class Request(Message):
    """A message to the gateway."""

    __slots__ = ()


class Response(Message):
    """A message from the gateway."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Unknown(Request, Response):
    """A message of a kind without a layout here; its fields are kept as they came, the id first."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Malformed(Request, Response):
    """A message that does not follow its layout; its fields are kept, and what was wrong."""

    fields: tuple[str, ...]
    error: str
