"""What can go wrong on the wire, split by whose fault it is.

`LocalProtocolError`: our own caller asked for something that cannot be said. `RemoteProtocolError`:
the other end sent what no peer should. A frame or a handshake that is wrong ends the connection,
since the stream cannot be trusted any more; a message that is wrong costs that message only.
"""

from __future__ import annotations

__all__ = [
    "EncodeError",
    "FrameError",
    "HandshakeError",
    "LocalProtocolError",
    "MessageError",
    "ProtocolError",
    "RemoteProtocolError",
    "StateError",
]


class ProtocolError(Exception):
    """Any fault of the protocol."""


class LocalProtocolError(ProtocolError):
    """Our side asked for something the protocol cannot do."""


class EncodeError(LocalProtocolError):
    """A message that cannot be put on the wire: the field and its value are named."""


class StateError(LocalProtocolError):
    """A call out of order, e.g. a request before the handshake."""


class RemoteProtocolError(ProtocolError):
    """The other end broke the protocol."""


class FrameError(RemoteProtocolError):
    """A length that cannot be, or a stream that ended inside a frame. The connection is lost."""


class HandshakeError(RemoteProtocolError):
    """An opening that is not ours, or no version that both ends speak. The connection is lost."""


class MessageError(RemoteProtocolError):
    """One message that does not follow its layout; the stream behind it is sound."""
