"""Frames that nobody should send: the gateway answers with errors, or hangs up, and lives on."""

from __future__ import annotations

import asyncio

import pytest

from pyfutures.ib.framing import frame
from tests.gateway.tools import Raw, gateway
from tests.ib import fuzz


@pytest.mark.parametrize("seed", range(9))
def test_mutated_requests(seed):
    """A thousand of them, with time going on, on the gateway without a socket."""
    told = fuzz.served(seed, fuzz.SHARES["gateway"] // 9)
    assert told["answers"] > 500
    assert told["errors"] > 100


def test_mutated_frames_over_tcp():
    """Broken lengths and bodies: that connection may end, the others and the gateway do not."""
    # Bytes: how many answers fit before a cut depends on the machine.
    assert fuzz.served_over_tcp(5, fuzz.SHARES["tcp"]) > 1000


@pytest.mark.parametrize(
    "opening",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"API\0" + b"\xff\xff\xff\xff",
        b"API\0" + frame(b"v1..99999"),
        b"API\0" + frame(b"hello"),
        b"API\0" + frame(b"v176..176 " + b"x" * 2000),
        b"\0" * 64,
        b"API",
    ],
)
def test_openings_that_are_none(opening):
    async def main():
        async with gateway() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(opening)
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
            await writer.wait_closed()
            raw = await Raw.connect(server)
            await raw.close()

    asyncio.run(main())
