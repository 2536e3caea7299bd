"""Messages with the spelling they came in, so that a recording encodes back byte for byte.

A value has many spellings: `16.0100` and `16.01`, an empty field and 2147483647. A message keeps
the value; `Exact` keeps beside it the fields that we would have spelled differently, and nothing
else. That they differ in spelling only, never in value, is what `tests/ib/test_exact.py` shows for
recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyfutures.ib.codec import fields_of, split_body
from pyfutures.ib.messages.base import Malformed, Message, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.ib.codec import Codec

__all__ = ["Exact", "Reader"]


@dataclass(frozen=True, slots=True)
class Exact:
    """A message and its spelling.

    `spelling` has the fields that differ from what we would write, by their place; `length` is the
    number of fields as they came, which may be more (or, for an older peer, fewer) than ours.
    """

    message: Message
    spelling: Mapping[int, str]
    length: int
    raw: bytes | None = None

    def body(self, reader: Reader) -> bytes:
        """Return the body as it came, or with a changed message as it would have come."""
        if self.raw is not None:
            return self.raw
        fields = reader.ours.write(self.message)[: self.length]
        fields += [""] * (self.length - len(fields))
        for place, text in self.spelling.items():
            fields[place] = text
        return fields_of(fields)


class Reader:
    """Reads and writes one direction of a connection with its spelling.

    Parameters
    ----------
    theirs
        The codec that decodes this direction.
    ours
        The codec of the other role, that encodes it.

    """

    def __init__(self, theirs: Codec, ours: Codec) -> None:
        self.theirs = theirs
        self.ours = ours

    def read(self, body: bytes) -> Exact:
        """Return the message of a body; one that cannot be read is `Malformed`, and kept."""
        message = self.theirs.try_decode(body)
        if isinstance(message, Malformed | Unknown):
            # A body of another form (no end, another code page) has no fields to speak of.
            return Exact(message, {}, len(message.fields), body)
        fields = split_body(body)
        ours = self.ours.write(message)
        spelling = {
            place: text
            for place, text in enumerate(fields)
            if place >= len(ours) or ours[place] != text
        }
        exact = Exact(message, spelling, len(fields))
        return exact if exact.body(self) == body else Exact(message, spelling, len(fields), body)
