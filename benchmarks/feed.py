"""A gateway that knows nothing but bytes made beforehand, in a process of its own.

It answers the handshake, and sends a file once the client has asked often enough. It imports
neither pyfutures nor another client: what it costs is the same for all of them.

    python -m benchmarks.feed VERSION TICKS BARS ASKED [PIECE PAUSE]

TICKS is sent when a client has asked for tick-by-tick data twice, BARS when it has asked for
historical bars ASKED times. The port is printed first. With PIECE no write is longer than so many
bytes, frames are not cut, and PAUSE seconds lie between two writes.
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The first request id and order id that the streams count on.
FIRST_ID = 10_000
_HISTORICAL_BARS, _TICK_BY_TICK, _START, _POSITIONS = "20", "97", "71", "61"


def frame(*fields: object) -> bytes:
    """Return one message with its length."""
    body = "".join(f"{field}\0" for field in fields).encode()
    return len(body).to_bytes(4) + body


def bodies(stream: socket.socket) -> Iterator[bytes]:
    """Yield what the client says, without lengths."""
    data = b""
    while some := stream.recv(65536):
        data += some
        data = data.removeprefix(b"API\0")
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:4]):
            size = 4 + int.from_bytes(data[:4])
            yield data[4:size]
            data = data[size:]


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Yield whole frames, as many as fit into `size` bytes; at least one."""
    start = stop = 0
    while stop < len(data):
        after = stop + 4 + int.from_bytes(data[stop : stop + 4])
        if after - start > size and stop > start:
            yield data[start:stop]
            start = stop
        stop = after
    yield data[start:]


def serve(
    stream: socket.socket,
    version: int,
    files: dict[str, bytes],
    wanted: dict[str, int],
    pace: tuple[int, float] | None,
) -> None:
    """Serve one client until it hangs up."""
    heard = dict.fromkeys(files, 0)
    said_hello = False
    for body in bodies(stream):
        if not said_hello:
            said_hello = True
            stream.sendall(frame(version, "20240326 14:30:00 Greenwich Mean Time"))
            continue
        kind = body.partition(b"\0")[0].decode()
        if kind == _START:
            stream.sendall(frame(15, 1, "DU1234567") + frame(9, 1, FIRST_ID))
        elif kind == _POSITIONS:
            stream.sendall(frame(62, 1))
        elif kind in heard:
            heard[kind] += 1
            if heard[kind] == wanted[kind]:
                send(stream, files[kind], pace)


def send(stream: socket.socket, data: bytes, pace: tuple[int, float] | None) -> None:
    """Send a file, at once or in pieces."""
    if pace is None:
        stream.sendall(data)
        return
    for piece in pieces(data, pace[0]):
        stream.sendall(piece)
        time.sleep(pace[1])


def main() -> None:
    """Serve clients, one after the other, until killed."""
    version, ticks, bars, asked, *pace = sys.argv[1:]
    files = {_TICK_BY_TICK: Path(ticks).read_bytes(), _HISTORICAL_BARS: Path(bars).read_bytes()}
    wanted = {_TICK_BY_TICK: 2, _HISTORICAL_BARS: int(asked)}
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            stream, _ = server.accept()
            with stream:
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    serve(
                        stream, int(version), files, wanted,
                        (int(pace[0]), float(pace[1])) if pace else None,
                    )  # fmt: skip
                except ConnectionError:
                    continue


if __name__ == "__main__":
    main()
