"""The present: market data lines, tick-by-tick, real-time bars."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - for get_type_hints
from enum import IntEnum
from typing import Final

from pyfutures.ib.fields import BOOL, DECIMAL, DECIMAL_OR_NONE, ESCAPED, FLOAT, INT, TEXT
from pyfutures.ib.layout import Const, Field, Layout
from pyfutures.ib.messages.base import Request, Response
from pyfutures.ib.messages.contracts import C12, DELTA_NEUTRAL, LEGS, PARTS, Contract

__all__ = [
    "CancelMarketData",
    "CancelRealTimeBars",
    "CancelTickByTick",
    "MarketDataType",
    "RealTimeBar",
    "RequestMarketData",
    "RequestMarketDataType",
    "RequestRealTimeBars",
    "RequestTickByTick",
    "RerouteMarketData",
    "TickByTickMidpoint",
    "TickByTickQuote",
    "TickByTickTrade",
    "TickGeneric",
    "TickParameters",
    "TickPrice",
    "TickSize",
    "TickSnapshotEnd",
    "TickString",
    "TickType",
]


class TickType(IntEnum):
    """What a tick is of, as far as futures have it; messages carry the number."""

    BID_SIZE = 0
    BID = 1
    ASK = 2
    ASK_SIZE = 3
    LAST = 4
    LAST_SIZE = 5
    HIGH = 6
    LOW = 7
    VOLUME = 8
    CLOSE = 9
    OPEN = 14
    OPEN_INTEREST = 22
    BID_EXCHANGE = 32
    ASK_EXCHANGE = 33
    LAST_TIMESTAMP = 45
    RT_VOLUME = 48
    HALTED = 49
    DELAYED_BID = 66
    DELAYED_ASK = 67
    DELAYED_LAST = 68
    DELAYED_BID_SIZE = 69
    DELAYED_ASK_SIZE = 70
    DELAYED_LAST_SIZE = 71
    DELAYED_HIGH = 72
    DELAYED_LOW = 73
    DELAYED_VOLUME = 74
    DELAYED_CLOSE = 75
    DELAYED_OPEN = 76
    RT_TRADE_VOLUME = 77
    LAST_EXCHANGE = 84
    FUTURES_OPEN_INTEREST = 86
    DELAYED_LAST_TIMESTAMP = 88
    DELAYED_HALTED = 90


@dataclass(frozen=True, slots=True)
class RequestMarketData(Request):
    """Subscribe to a line of market data; generic tick 588 brings the open interest of futures."""

    request_id: int
    contract: Contract
    generic_ticks: str = ""
    snapshot: bool = False
    regulatory_snapshot: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True)
class CancelMarketData(Request):
    """End a line of market data."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestMarketDataType(Request):
    """Choose 1 live, 2 frozen, 3 delayed or 4 delayed-frozen for the lines that follow."""

    type: int


@dataclass(frozen=True, slots=True)
class RequestTickByTick(Request):
    """Subscribe to every tick; `type` is Last, AllLast, BidAsk or MidPoint."""

    request_id: int
    contract: Contract
    type: str
    count: int = 0
    ignore_size: bool = False


@dataclass(frozen=True, slots=True)
class CancelTickByTick(Request):
    """End a tick-by-tick subscription."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestRealTimeBars(Request):
    """Subscribe to bars of 5 seconds, the only size there is."""

    request_id: int
    contract: Contract
    bar_size: int = 5
    show: str = "TRADES"
    use_rth: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True)
class CancelRealTimeBars(Request):
    """End a subscription to real-time bars."""

    request_id: int


@dataclass(frozen=True, slots=True)
class TickPrice(Response):
    """A price, and for bid, ask and last the size that goes with it."""

    request_id: int
    type: int
    price: float
    size: Decimal | None
    mask: int

    @property
    def can_auto_execute(self) -> bool:
        """Whether the quote can be hit automatically."""
        return self.mask & 1 != 0

    @property
    def past_limit(self) -> bool:
        """Whether the bid is below the day's low or the ask above its high."""
        return self.mask & 2 != 0

    @property
    def pre_open(self) -> bool:
        """Whether the quote is from before the opening."""
        return self.mask & 4 != 0


@dataclass(frozen=True, slots=True)
class TickSize(Response):
    """A size: of bid, ask or last, volume, open interest."""

    request_id: int
    type: int
    size: Decimal


@dataclass(frozen=True, slots=True)
class TickGeneric(Response):
    """A number of another kind."""

    request_id: int
    type: int
    value: float


@dataclass(frozen=True, slots=True)
class TickString(Response):
    """A text, e.g. the time of the last trade or the exchanges of a quote."""

    request_id: int
    type: int
    value: str


@dataclass(frozen=True, slots=True)
class TickSnapshotEnd(Response):
    """A snapshot is complete."""

    request_id: int


@dataclass(frozen=True, slots=True)
class TickParameters(Response):
    """What goes with a line: the tick of its prices, the map of exchanges, what may be snapshot."""

    request_id: int
    min_tick: Decimal
    bbo_exchange: str
    snapshot_permissions: int


@dataclass(frozen=True, slots=True)
class MarketDataType(Response):
    """A line changed to 1 live, 2 frozen, 3 delayed or 4 delayed-frozen."""

    request_id: int
    type: int


@dataclass(frozen=True, slots=True)
class TickByTickTrade(Response):
    """A trade; `type` 1 is Last, 2 AllLast. `time` in seconds since 1970."""

    request_id: int
    type: int
    time: int
    price: float
    size: Decimal
    mask: int
    exchange: str
    conditions: str

    @property
    def past_limit(self) -> bool:
        """Whether the price was outside the exchange's limits."""
        return self.mask & 1 != 0

    @property
    def unreported(self) -> bool:
        """Whether the trade does not count for the day's figures."""
        return self.mask & 2 != 0


@dataclass(frozen=True, slots=True)
class TickByTickQuote(Response):
    """A bid and an ask. The historical mask in reverse: 1 is bid past low, 2 ask past high."""

    request_id: int
    time: int
    bid: float
    ask: float
    bid_size: Decimal
    ask_size: Decimal
    mask: int

    @property
    def bid_past_low(self) -> bool:
        """Whether the bid is below the day's low."""
        return self.mask & 1 != 0

    @property
    def ask_past_high(self) -> bool:
        """Whether the ask is above the day's high."""
        return self.mask & 2 != 0


@dataclass(frozen=True, slots=True)
class TickByTickMidpoint(Response):
    """A midpoint."""

    request_id: int
    time: int
    price: float


@dataclass(frozen=True, slots=True)
class RealTimeBar(Response):
    """A bar of 5 seconds; `time` is its start in seconds since 1970."""

    request_id: int
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: Decimal
    average: float
    count: int


@dataclass(frozen=True, slots=True)
class RerouteMarketData(Response):
    """The line has to be asked for under another contract."""

    request_id: int
    con_id: int
    exchange: str


_V1: Final = Const("1")
_ID: Final = Field("request_id", INT)
_TYPE: Final = Field("type", INT)
_TIME: Final = Field("time", INT)
_PRICE: Final = Field("price", FLOAT)
_SIZE: Final = Field("size", DECIMAL)
_MASK: Final = Field("mask", INT)
_OPTIONS: Final = Field("options", TEXT)
_REROUTE: Final = (_ID, Field("con_id", INT), Field("exchange", TEXT))

REQUESTS: Final = (
    Layout(
        RequestMarketData,
        1,
        (
            Const("11"), _ID, *C12, LEGS, DELTA_NEUTRAL, Field("generic_ticks", TEXT),
            Field("snapshot", BOOL), Field("regulatory_snapshot", BOOL), _OPTIONS,
        ),
        PARTS,
    ),
    Layout(CancelMarketData, 2, (Const("2"), _ID)),
    Layout(RequestMarketDataType, 59, (_V1, _TYPE)),
    Layout(
        RequestTickByTick,
        97,
        (_ID, *C12, Field("type", TEXT), Field("count", INT), Field("ignore_size", BOOL)),
        PARTS,
    ),
    Layout(CancelTickByTick, 98, (_ID,)),
    Layout(
        RequestRealTimeBars,
        50,
        (
            Const("3"), _ID, *C12, Field("bar_size", INT), Field("show", TEXT),
            Field("use_rth", BOOL), _OPTIONS,
        ),
        PARTS,
    ),
    Layout(CancelRealTimeBars, 51, (_V1, _ID)),
)  # fmt: skip

TRADE_TICK: Final = Layout(
    TickByTickTrade,
    99,
    (
        _ID, _TYPE, _TIME, _PRICE, _SIZE, _MASK, Field("exchange", TEXT),
        Field("conditions", TEXT),
    ),
)  # fmt: skip
QUOTE_TICK: Final = Layout(
    TickByTickQuote,
    99,
    (
        _ID, Const("3"), _TIME, Field("bid", FLOAT), Field("ask", FLOAT),
        Field("bid_size", DECIMAL), Field("ask_size", DECIMAL), _MASK,
    ),
)  # fmt: skip
MIDPOINT_TICK: Final = Layout(TickByTickMidpoint, 99, (_ID, Const("4"), _TIME, _PRICE))

RESPONSES: Final = (
    Layout(TickPrice, 1, (Const("6"), _ID, _TYPE, _PRICE, Field("size", DECIMAL_OR_NONE), _MASK)),
    Layout(TickSize, 2, (Const("6"), _ID, _TYPE, _SIZE)),
    Layout(TickGeneric, 45, (Const("6"), _ID, _TYPE, Field("value", FLOAT))),
    Layout(TickString, 46, (Const("6"), _ID, _TYPE, Field("value", ESCAPED))),
    Layout(TickSnapshotEnd, 57, (_V1, _ID)),
    Layout(
        TickParameters,
        81,
        (
            _ID, Field("min_tick", DECIMAL), Field("bbo_exchange", TEXT),
            Field("snapshot_permissions", INT),
        ),
    ),
    Layout(MarketDataType, 58, (_V1, _ID, _TYPE)),
    Layout(
        RealTimeBar,
        50,
        (
            Const("3"), _ID, _TIME, Field("open", FLOAT), Field("high", FLOAT),
            Field("low", FLOAT), Field("close", FLOAT), Field("volume", DECIMAL),
            Field("average", FLOAT), Field("count", INT),
        ),
    ),
    Layout(RerouteMarketData, 91, _REROUTE),
)  # fmt: skip
