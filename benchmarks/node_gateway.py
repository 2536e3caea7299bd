"""The simulated gateway in a process of its own, which sends quotes and bars as fast as asked.

    python -m benchmarks.node_gateway QUOTES PACED BARS PIECE PAUSE TIMES

Contracts and accounts are those of the simulated gateway, whose clock stands still. The first
subscription to quotes, tick by tick, is sent QUOTES of them at once; the second PACED, one in five
milliseconds; bars that are kept up to date are sent BARS. No write is longer than PIECE bytes, and
PAUSE seconds lie between two. When each began to be sent is written to the file TIMES, in
nanoseconds of the system's monotonic clock, which all processes share.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.feed import pieces
from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.server import GatewayServer
from pyfutures.gateway.session import HANDLERS
from pyfutures.ib import messages as m

if TYPE_CHECKING:
    from pyfutures.gateway.session import Session
    from pyfutures.ib.messages.base import Response

#: A Tuesday, 09:00 in Chicago.
START = dt.datetime(2025, 7, 1, 14, tzinfo=dt.UTC)
GAP = 0.005
_SETTLE = 0.5  # seconds from a subscription to the first value


class Source:
    """Sends what is asked for, and remembers when."""

    def __init__(self, quotes: int, paced: int, bars: int, piece: int, pause: float) -> None:
        self._counts = quotes, paced, bars
        self._pace = piece, pause
        self._asked = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.times: dict[str, list[int]] = {"quotes": [], "paced": [], "bars": []}

    def quotes(self, session: Session, request: m.RequestTickByTick) -> None:
        """Take a subscription to quotes."""
        self._asked += 1
        about, first = request.request_id, self._asked == 1
        made = [quote(about, n) for n in range(self._counts[0 if first else 1])]
        self._spawn(self._burst(session, made, "quotes") if first else self._paced(session, made))

    def bars(self, session: Session, request: m.RequestHistoricalBars) -> None:
        """Take a subscription to bars."""
        begin = int(START.timestamp())
        session.send(m.HistoricalBars(request.request_id, (bar(begin, 0),)))
        if session.version >= 196:
            session.send(m.HistoricalBarsEnd(request.request_id, "", ""))
        # The last one closes the one before it.
        made: list[Response] = [
            m.HistoricalBarUpdate(request.request_id, bar(begin + 60 * n, n))
            for n in range(1, self._counts[2] + 1)
        ]
        self._spawn(self._burst(session, made, "bars"))

    def _spawn(self, work: Any) -> None:  # noqa: ANN401
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _burst(self, session: Session, made: list[Response], name: str) -> None:
        sink: Any = session.sink
        data = b"".join(sink.connection.send(one) for one in made)
        await asyncio.sleep(_SETTLE)
        size, pause = self._pace
        self.times[name].append(time.monotonic_ns())
        for piece in pieces(data, size):
            sink.writer.write(piece)
            await sink.writer.drain()
            if pause:
                await asyncio.sleep(pause)

    async def _paced(self, session: Session, made: list[Response]) -> None:
        sink: Any = session.sink
        await asyncio.sleep(_SETTLE)
        for one in made:
            data = sink.connection.send(one)
            self.times["paced"].append(time.monotonic_ns())
            sink.writer.write(data)
            await asyncio.sleep(GAP)


def quote(about: int, number: int) -> Response:
    """Return a quote of ES; each is another."""
    bid = 4000.0 + 0.25 * (number % 400)
    size = Decimal(1 + number % 90)
    return m.TickByTickQuote(
        about, int(START.timestamp()) + number // 50, bid, bid + 0.25, size, size, 0
    )


def bar(start: int, number: int) -> m.Bar:
    """Return a bar of ES; each is another."""
    low = 4000.0 + 0.25 * (number % 400)
    return m.Bar(str(start), low, low + 2, low, low + 1, Decimal(100 + number % 90), low, 7)


async def serve(words: list[str]) -> dict[str, list[int]]:
    """Serve until a line comes on standard input; return when what was sent."""
    quotes, paced, bars, piece = map(int, words[:4])
    source = Source(quotes, paced, bars, piece, float(words[4]))
    real = HANDLERS[m.RequestHistoricalBars]

    def historical(session: Session, request: Any) -> None:  # noqa: ANN401
        if request.keep_up_to_date:
            source.bars(session, request)
        else:
            real(session, request)

    HANDLERS[m.RequestHistoricalBars] = historical
    HANDLERS[m.RequestTickByTick] = source.quotes  # type: ignore[assignment]
    async with GatewayServer(GatewayConfig(roots=("ES",), start=START)) as server:
        print(server.port, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    return source.times


def main() -> None:
    """Serve, then write the times."""
    times = asyncio.run(serve(sys.argv[1:6]))
    Path(sys.argv[6]).write_text(json.dumps(times), encoding="utf-8")


if __name__ == "__main__":
    main()
