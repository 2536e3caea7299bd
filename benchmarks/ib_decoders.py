"""Three decoders of the same bytes: ours, ib_async's, and the official one of ibapi.

Each takes bodies of frames and tells somebody what they say: ours hands a message over, the other
two call a method of a wrapper. Who is told counts, or keeps the values for a comparison.
"""

from __future__ import annotations

from datetime import UTC
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ib_async.decoder import Decoder as AsyncDecoder
from ibapi.comm import read_fields
from ibapi.decoder import Decoder as OfficialDecoder
from ibapi.wrapper import EWrapper

from benchmarks.ib_messages import VERSION
from pyfutures.ib import messages as m
from pyfutures.ib.codec import Codec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    type Row = tuple[object, ...]
    type Read = Callable[[Sequence[bytes]], None]

    class Heard:
        """Somebody who is told: a count, and the values if they are wanted."""

        count: int
        rows: list[Row]


def _fill(request_id: int, contract: Any, execution: Any) -> Row:  # noqa: ANN401 - of two libraries
    return (
        "fill", request_id, contract.conId, contract.localSymbol, execution.orderId,
        execution.execId, execution.shares, execution.price, execution.permId, execution.clientId,
        execution.cumQty, execution.avgPrice, execution.lastLiquidity,
    )  # fmt: skip


_CALLBACKS: dict[str, Callable[..., Row]] = {
    "tickByTickBidAsk": lambda i, time, bid, ask, b, a, *_: ("quote", i, time, bid, ask, b, a),
    "tickByTickAllLast": lambda i, kind, time, price, size, _, exchange, conditions: (
        "trade", i, kind, time, price, size, exchange, conditions,
    ),
    "historicalData": lambda i, bar: _bar("bar", i, bar),
    "historicalDataEnd": lambda *_: (),
    "historicalDataUpdate": lambda i, bar: _bar("update", i, bar),
    "priceSizeTick": lambda i, kind, price, _: ("price", i, kind, price),
    "tickPrice": lambda i, kind, price, _: ("price", i, kind, price),
    "tickSize": lambda i, kind, size: ("size", i, kind, size),
    "tickString": lambda i, kind, text: ("string", i, kind, text),
    "orderStatus": lambda *args: ("status", *args),
    "execDetails": _fill,
}  # fmt: skip
_MESSAGES: dict[type, Callable[[Any], list[Row]]] = {
    m.TickByTickQuote: lambda x: [
        ("quote", x.request_id, x.time, x.bid, x.ask, x.bid_size, x.ask_size)
    ],
    m.TickByTickTrade: lambda x: [
        ("trade", x.request_id, x.type, x.time, x.price, x.size, x.exchange, x.conditions)
    ],
    m.HistoricalBars: lambda x: [_our_bar("bar", x.request_id, bar) for bar in x.bars],
    m.HistoricalBarUpdate: lambda x: [_our_bar("update", x.request_id, x.bar)],
    m.TickPrice: lambda x: [("price", x.request_id, x.type, x.price)],
    m.TickSize: lambda x: [("size", x.request_id, x.type, x.size)],
    m.TickString: lambda x: [("string", x.request_id, x.type, x.value)],
    m.OrderStatus: lambda x: [
        (
            "status", x.order_id, x.status, x.filled, x.remaining, x.average_price, x.perm_id,
            x.parent_id, x.last_price, x.client_id, x.why_held, x.cap_price,
        )
    ],
    m.ExecutionDetails: lambda x: [
        (
            "fill", x.request_id, x.contract.con_id, x.contract.local_symbol, x.order_id,
            x.execution.exec_id, x.execution.shares, x.execution.price, x.execution.perm_id,
            x.execution.client_id, x.execution.cumulative, x.execution.average_price,
            x.execution.last_liquidity,
        )
    ],
}  # fmt: skip


def _bar(name: str, request_id: int, bar: Any) -> Row:  # noqa: ANN401 - of two libraries
    average = bar.average if hasattr(bar, "average") else bar.wap
    return (
        name, request_id, bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume, average,
        bar.barCount,
    )  # fmt: skip


def _our_bar(name: str, request_id: int, bar: m.Bar) -> Row:
    return (
        name, request_id, bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume,
        bar.average, bar.count,
    )  # fmt: skip


def _counting(name: str) -> Callable[..., None]:
    def callback(self: Heard, *_: object) -> None:
        self.count += 1

    callback.__name__ = name
    return callback


def _keeping(name: str) -> Callable[..., None]:
    row = _CALLBACKS[name]

    def callback(self: Heard, *args: object) -> None:
        self.rows.append(row(*args))

    callback.__name__ = name
    return callback


def _wrapper(base: type, make: Callable[[str], Callable[..., None]]) -> Any:  # noqa: ANN401
    """Return an object whose callbacks do nothing but count, or keep."""
    names = set(_CALLBACKS) - ({"priceSizeTick"} if base is EWrapper else {"tickPrice"})
    made = type("Wrapper", (base,), {name: make(name) for name in names})()
    made.count, made.rows = 0, []
    # ib_async turns the time of an execution into the zone of its user, which it asks for here.
    made.ib, made.defaultTimezone = SimpleNamespace(TimezoneTWS=""), UTC
    return made


class _Ours:
    """Who is told by our decoder."""

    def __init__(self) -> None:
        self.count = 0
        self.rows: list[Row] = []

    def hear(self, _: object) -> None:
        self.count += 1

    def keep(self, message: object) -> None:
        self.rows += _MESSAGES[type(message)](message)


def ours(*, keep: bool = False) -> tuple[Read, Heard]:
    """Return our decoder."""
    heard = _Ours()
    decode, hear = Codec(VERSION).decode, heard.keep if keep else heard.hear

    def read(bodies: Sequence[bytes]) -> None:
        for body in bodies:
            hear(decode(body))

    return read, heard  # type: ignore[return-value]


def ib_async(*, keep: bool = False) -> tuple[Read, Heard]:
    """Return ib_async's decoder, with the lines that its client has around it."""
    heard = _wrapper(object, _keeping if keep else _counting)
    interpret = AsyncDecoder(heard, VERSION).interpret

    def read(bodies: Sequence[bytes]) -> None:
        for body in bodies:
            fields = body.decode(errors="backslashreplace").split("\0")
            fields.pop()
            interpret(fields)

    return read, heard


def ibapi(*, keep: bool = False) -> tuple[Read, Heard]:
    """Return the official decoder, with the lines that its client has around it."""
    heard = _wrapper(EWrapper, _keeping if keep else _counting)
    interpret = OfficialDecoder(heard, VERSION).interpret

    def read(bodies: Sequence[bytes]) -> None:
        for body in bodies:
            at = body.index(b"\0")
            interpret(read_fields(body[at + 1 :]), int(body[:at]))

    return read, heard


DECODERS = {"pyfutures": ours, "ib_async": ib_async, "ibapi": ibapi}


def rows(name: str, bodies: Sequence[bytes]) -> list[Row]:
    """Return what a decoder reads, in a form that is the same for all three."""
    read, heard = DECODERS[name](keep=True)
    read(bodies)
    return [_plain(row) for row in heard.rows if row]


def disagreements(bodies: Sequence[bytes]) -> int:
    """Return in how many values the other decoders differ from ours."""
    expected = rows("pyfutures", bodies)
    found = 0
    for name in DECODERS:
        others = rows(name, bodies)
        if name == "ibapi":
            others = _without_echoes(others)
        found += abs(len(others) - len(expected))
        found += sum(a != b for a, b in zip(expected, others, strict=False))
    return found


def _without_echoes(rows: list[Row]) -> list[Row]:
    """Leave out the size behind a price: ibapi makes two ticks of one message."""
    before = [("",), *rows[:-1]]
    return [row for row, last in zip(rows, before, strict=True) if last[0] != "price"]


def _plain(row: Row) -> Row:
    return tuple(x if isinstance(x, str) else float(x) for x in row)  # type: ignore[arg-type]
