"""Messages by the thousand, made here and seeded: a random walk, sizes of one to some hundreds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.feed import FIRST_ID
from pyfutures.ib import messages as m
from pyfutures.ib.codec import Codec, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyfutures.ib.messages.base import Response

VERSION = 176
BARS_A_MESSAGE = 1000
_TICK = 0.25
_START = 1_711_461_600  # 2024-03-26 14:00 UTC


@dataclass(frozen=True, slots=True)
class Kind:
    """Messages of a kind.

    Attributes
    ----------
    name : str
        ``tick-by-tick quotes``.
    unit : str
        What is counted: messages, or the bars inside them.
    bodies : tuple[bytes, ...]
        The messages without their lengths.
    count : int
        How many of the unit there are.
    aim : float or None
        How many times as quick as ib_async we should be.

    """

    name: str
    unit: str
    bodies: tuple[bytes, ...]
    count: int
    aim: float | None = None


def kinds(count: int = 10_000, *, seed: int = 0, aim: float = 1.5) -> Iterator[Kind]:
    """Yield `count` values of every kind; another seed gives others of the same sort."""
    quick: list[tuple[str, Callable[..., Sequence[Response]], float | None]] = [
        ("tick-by-tick quotes", quotes, aim),
        ("tick-by-tick trades", trades, aim),
        ("market data ticks", market_data, None),
        ("bar updates", updates, aim),
        ("order status", statuses, aim),
        ("executions", executions, aim),
    ]
    for name, make, wanted in quick:
        yield Kind(name, "msgs/s", encoded(make(count, seed=seed)), count, wanted)
    blocks = 2 * count // BARS_A_MESSAGE
    for length, seconds in (("minute", 60), ("hour", 3600), ("daily", 86_400)):
        bodies = encoded(bars(blocks, seconds=seconds, seed=seed))
        yield Kind(f"{length} bars", "bars/s", bodies, blocks * BARS_A_MESSAGE, aim)


def encoded(messages: Sequence[Response]) -> tuple[bytes, ...]:
    """Return the bodies of messages as a gateway sends them."""
    encode = Codec(VERSION, Role.GATEWAY).encode
    return tuple(encode(message) for message in messages)


def framed(bodies: Sequence[bytes]) -> bytes:
    """Return the stream of these bodies."""
    return b"".join(len(body).to_bytes(4) + body for body in bodies)


def walk(count: int, *seed: int) -> list[float]:
    """Return prices on quarters that wander."""
    steps = np.random.default_rng(seed).integers(-1, 2, count)
    prices: list[float] = (21_000 + np.cumsum(steps)).astype(np.float64).tolist()
    return [price * _TICK for price in prices]


def sizes(count: int, *seed: int) -> list[Decimal]:
    """Return sizes, small ones more often."""
    drawn = np.random.default_rng(seed).geometric(0.03, count)
    return [Decimal(size) for size in drawn.tolist()]


def quotes(count: int, request_id: int = FIRST_ID, *, seed: int = 0) -> list[Response]:
    """Return bids and asks, twenty a second."""
    return [
        m.TickByTickQuote(request_id, _START + n // 20, bid, bid + _TICK, bid_size, ask_size, 0)
        for n, (bid, bid_size, ask_size) in enumerate(
            zip(walk(count, 1, seed), sizes(count, 2, seed), sizes(count, 3, seed), strict=True)
        )
    ]


def trades(count: int, request_id: int = FIRST_ID + 1, *, seed: int = 0) -> list[Response]:
    """Return trades, twenty a second."""
    return [
        m.TickByTickTrade(request_id, 2, _START + n // 20, price, size, 0, "CME", "")
        for n, (price, size) in enumerate(
            zip(walk(count, 4, seed), sizes(count, 5, seed), strict=True)
        )
    ]


def ticks(count: int) -> list[Response]:
    """Return two quotes, a trade, two quotes …: what the end-to-end test streams."""
    some, others = iter(quotes(count)), iter(trades(count))
    return [next(others if n % 3 == 2 else some) for n in range(count)]


def bars(blocks: int, *, seconds: int = 60, seed: int = 0) -> list[Response]:
    """Return answers of a thousand bars, one a request; the first two ids are those of ticks."""
    found = _bars(blocks * BARS_A_MESSAGE, seconds, seed)
    return [
        m.HistoricalBars(
            FIRST_ID + 2 + block,
            tuple(found[block * BARS_A_MESSAGE : (block + 1) * BARS_A_MESSAGE]),
            "20240226  14:00:00",
            "20240326  14:00:00",
        )
        for block in range(blocks)
    ]


def updates(count: int, request_id: int = FIRST_ID, *, seed: int = 0) -> list[Response]:
    """Return bars that are kept up to date."""
    return [m.HistoricalBarUpdate(request_id, bar) for bar in _bars(count, 60, seed)]


def _bars(count: int, seconds: int, seed: int) -> list[m.Bar]:
    """Return bars one after the other; half of all minutes have a volume below 500."""
    drawn = np.random.default_rng((6, seed)).lognormal(np.log(500 * seconds / 60), 1.0, count)
    volumes = drawn.astype(np.int64).tolist()
    return [
        m.Bar(
            _spelled(_START + seconds * n, seconds),
            price,
            price + 2 * _TICK,
            price - 3 * _TICK,
            price + _TICK,
            Decimal(volume),
            price + 0.125,
            volume // 3 + 1,
        )
        for n, (price, volume) in enumerate(zip(walk(count, 7, seed), volumes, strict=True))
    ]


def _spelled(start: int, seconds: int) -> str:
    if seconds < 86_400:
        return str(start)
    day = np.datetime64("1970-01-01") + np.timedelta64(start // 86_400, "D")
    return str(day).replace("-", "")


def market_data(count: int, request_id: int = FIRST_ID, *, seed: int = 0) -> list[Response]:
    """Return what a line says: bid, ask and last with their sizes, volume, the time of the last."""
    some = sizes(count, 9, seed)
    made: list[Response] = []
    for n, price in enumerate(walk(count // 7 + 1, 8, seed)):
        bid, ask, last = some[n], some[-n], some[n // 2]
        made += [
            m.TickPrice(request_id, 1, price, bid, 1),
            m.TickSize(request_id, 0, bid),
            m.TickPrice(request_id, 2, price + _TICK, ask, 1),
            m.TickSize(request_id, 3, ask),
            m.TickPrice(request_id, 4, price, last, 0),
            m.TickSize(request_id, 8, Decimal(100_000 + n)),
            m.TickString(request_id, 45, str(_START + n)),
        ]
    return made[:count]


def statuses(count: int, *, seed: int = 0) -> list[Response]:
    """Return fills of orders of ten, one by one."""
    return [
        m.OrderStatus(
            order_id=FIRST_ID + n // 10,
            status="Filled" if n % 10 == 9 else "Submitted",
            filled=Decimal(n % 10 + 1),
            remaining=Decimal(9 - n % 10),
            average_price=price,
            perm_id=1_900_000_000 + n // 10,
            parent_id=0,
            last_price=price,
            client_id=1,
        )
        for n, price in enumerate(walk(count, 10, seed))
    ]


def executions(count: int, *, seed: int = 0) -> list[Response]:
    """Return executions of one lot each, ten an order."""
    contract = m.Contract(
        con_id=495512563,
        symbol="ES",
        sec_type="FUT",
        last_trade="20240621",
        multiplier="50",
        exchange="CME",
        currency="USD",
        local_symbol="ESM4",
        trading_class="ES",
    )
    return [
        m.ExecutionDetails(
            -1,
            FIRST_ID + n // 10,
            contract,
            m.Execution(
                exec_id=f"0000e0d5.{n:08x}.01.01",
                time="20240326 14:00:00 US/Central",
                account="DU1234567",
                exchange="CME",
                side="BOT",
                shares=Decimal(1),
                price=price,
                perm_id=1_900_000_000 + n // 10,
                client_id=1,
                liquidation=0,
                cumulative=Decimal(n % 10 + 1),
                average_price=price,
                last_liquidity=1,
            ),
        )
        for n, price in enumerate(walk(count, 11, seed))
    ]
