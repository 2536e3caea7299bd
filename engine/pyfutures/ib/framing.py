"""Frames: a 4-byte big-endian length and as many bytes, cut out of a stream of any pieces."""

from __future__ import annotations

from typing import Final

from pyfutures.ib.errors import EncodeError, FrameError

__all__ = ["MAX_FRAME", "Framer", "frame"]

MAX_FRAME: Final = 0xFFFFFF
"""The longest body that official clients take; a longer one is their error 507."""


def frame(body: bytes, *, max_size: int = MAX_FRAME) -> bytes:
    """Return the frame of a body.

    Raises
    ------
    EncodeError
        For a body above the limit.

    """
    if len(body) > max_size:
        raise EncodeError(f"a body of {len(body)} bytes; the limit is {max_size}")
    return len(body).to_bytes(4) + body


class Framer:
    """Cuts a stream of bytes into bodies, whatever the pieces it comes in.

    Parameters
    ----------
    max_size
        The longest body to accept; a longer one is announced by nobody honest.

    """

    __slots__ = ("_buffer", "_need", "max_size")

    def __init__(self, *, max_size: int = MAX_FRAME) -> None:
        self.max_size = max_size
        self._buffer = bytearray()
        self._need = 4

    @property
    def pending(self) -> int:
        """The bytes that wait for the rest of their frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the bodies that `data` completes.

        Raises
        ------
        FrameError
            For a length above the limit. Bodies before it are lost with the connection: close it.

        """
        buffer = self._buffer
        if buffer:
            # One frame in many pieces must not be copied once a piece.
            buffer += data
            if len(buffer) < self._need:
                return []
            data = bytes(buffer)
            buffer.clear()
        bodies: list[bytes] = []
        start, end = 0, len(data)
        while end - start >= 4:
            size = int.from_bytes(data[start : start + 4])
            if size > self.max_size:
                raise FrameError(
                    f"a frame of {size} bytes is announced; the limit is {self.max_size}. "
                    "The stream is no IB stream, or lost its place"
                )
            stop = start + 4 + size
            if stop > end:
                self._need = 4 + size
                break
            bodies.append(data[start + 4 : stop])
            start = stop
        else:
            self._need = 4
        buffer += data[start:]
        return bodies

    def close(self) -> None:
        """Take note that the stream ended.

        Raises
        ------
        FrameError
            Where it ended inside a frame.

        """
        if self._buffer:
            raise FrameError(f"the stream ended {len(self._buffer)} bytes into a frame")
