"""The past: bars, bars kept up to date, ticks, the first instant with data, trading schedules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import BOOL, DECIMAL, FLOAT, INT, TEXT
from pyfutures.ib.layout import Const, Field, Layout, Many
from pyfutures.ib.messages.base import Request, Response
from pyfutures.ib.messages.contracts import C12, INCLUDE_EXPIRED, LEGS, PARTS, Contract

__all__ = [
    "Bar",
    "CancelHeadTimestamp",
    "CancelHistoricalBars",
    "HeadTimestamp",
    "HistoricalBarUpdate",
    "HistoricalBars",
    "HistoricalBarsEnd",
    "HistoricalMidpoint",
    "HistoricalMidpoints",
    "HistoricalQuote",
    "HistoricalQuotes",
    "HistoricalSchedule",
    "HistoricalTrade",
    "HistoricalTrades",
    "RequestHeadTimestamp",
    "RequestHistoricalBars",
    "RequestHistoricalTicks",
    "ScheduleSession",
]


@dataclass(frozen=True, slots=True)
class RequestHistoricalBars(Request):
    """Ask for bars that end at `end` (empty: now, and a must with `keep_up_to_date` and CONTFUT).

    `duration`, `bar_size` and `show` are IB's words (`5 D`, `1 hour`, `TRADES`). With `format_date`
    2 intraday bars carry seconds since 1970; 1 gives text in a zone nobody can know from here.
    """

    request_id: int
    contract: Contract
    end: str
    bar_size: str
    duration: str
    use_rth: bool = False
    show: str = "TRADES"
    format_date: int = 2
    keep_up_to_date: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True)
class CancelHistoricalBars(Request):
    """Stop a request for bars, or the updates of it."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestHeadTimestamp(Request):
    """Ask for the first instant with data."""

    request_id: int
    contract: Contract
    use_rth: bool = False
    show: str = "TRADES"
    format_date: int = 2


@dataclass(frozen=True, slots=True)
class CancelHeadTimestamp(Request):
    """Stop a request for the first instant."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestHistoricalTicks(Request):
    """Ask for up to 1000 ticks after `start` or before `end`; give one of them.

    `show` is TRADES, BID_ASK or MIDPOINT. A full second is completed, so more may come.
    """

    request_id: int
    contract: Contract
    start: str
    end: str
    count: int = 1000
    show: str = "TRADES"
    use_rth: bool = False
    ignore_size: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar. `date` is text: `yyyymmdd` for daily bars, else seconds since 1970 of its start.

    Prices and their average are floats, sizes exact. BID, ASK and MIDPOINT bars have -1 for volume,
    average and count.
    """

    date: str
    open: float
    high: float
    low: float
    close: float
    volume: Decimal
    average: float
    count: int


@dataclass(frozen=True, slots=True)
class HistoricalBars(Response):
    """The bars asked for, ascending; from version 196 the span comes in `HistoricalBarsEnd`."""

    request_id: int
    bars: tuple[Bar, ...]
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class HistoricalBarsEnd(Response):
    """All bars asked for have been sent (from version 196)."""

    request_id: int
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class HistoricalBarUpdate(Response):
    """The bar that is forming, or the first of the next one; the fields come in another order."""

    request_id: int
    bar: Bar


@dataclass(frozen=True, slots=True)
class HeadTimestamp(Response):
    """The first instant with data: seconds since 1970 with `format_date` 2."""

    request_id: int
    text: str


@dataclass(frozen=True, slots=True)
class HistoricalMidpoint:
    """A midpoint; `time` in seconds since 1970."""

    time: int
    price: float
    size: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class HistoricalQuote:
    """A bid and an ask. The live mask in reverse: 1 is ask past high, 2 bid past low."""

    time: int
    mask: int
    bid: float
    ask: float
    bid_size: Decimal
    ask_size: Decimal

    @property
    def ask_past_high(self) -> bool:
        """Whether the ask is above the day's high."""
        return self.mask & 1 != 0

    @property
    def bid_past_low(self) -> bool:
        """Whether the bid is below the day's low."""
        return self.mask & 2 != 0


@dataclass(frozen=True, slots=True)
class HistoricalTrade:
    """A trade."""

    time: int
    mask: int
    price: float
    size: Decimal
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
class HistoricalMidpoints(Response):
    """Midpoints asked for; `done` with the last message of an answer."""

    request_id: int
    ticks: tuple[HistoricalMidpoint, ...]
    done: bool


@dataclass(frozen=True, slots=True)
class HistoricalQuotes(Response):
    """Bids and asks asked for; `done` with the last message of an answer."""

    request_id: int
    ticks: tuple[HistoricalQuote, ...]
    done: bool


@dataclass(frozen=True, slots=True)
class HistoricalTrades(Response):
    """Trades asked for; `done` with the last message of an answer."""

    request_id: int
    ticks: tuple[HistoricalTrade, ...]
    done: bool


@dataclass(frozen=True, slots=True)
class ScheduleSession:
    """One trading date and its hours, in the zone of the schedule."""

    start: str
    end: str
    date: str


@dataclass(frozen=True, slots=True)
class HistoricalSchedule(Response):
    """The sessions asked for by bars of SCHEDULE and `1 day`; no bars follow."""

    request_id: int
    start: str
    end: str
    time_zone: str
    sessions: tuple[ScheduleSession, ...]


_ID: Final = Field("request_id", INT)
_RTH: Final = Field("use_rth", BOOL)
_SHOW: Final = Field("show", TEXT)

REQUESTS: Final = (
    Layout(
        RequestHistoricalBars,
        20,
        (
            _ID, *C12, INCLUDE_EXPIRED, Field("end", TEXT), Field("bar_size", TEXT),
            Field("duration", TEXT), _RTH, _SHOW, Field("format_date", INT), LEGS,
            Field("keep_up_to_date", BOOL), Field("options", TEXT),
        ),
        PARTS,
    ),
    Layout(CancelHistoricalBars, 25, (Const("1"), _ID)),
    Layout(
        RequestHeadTimestamp,
        87,
        (_ID, *C12, INCLUDE_EXPIRED, _RTH, _SHOW, Field("format_date", INT)),
        PARTS,
    ),
    Layout(CancelHeadTimestamp, 90, (_ID,)),
    Layout(
        RequestHistoricalTicks,
        96,
        (
            _ID, *C12, INCLUDE_EXPIRED, Field("start", TEXT), Field("end", TEXT),
            Field("count", INT), _SHOW, _RTH, Field("ignore_size", BOOL), Field("options", TEXT),
        ),
        PARTS,
    ),
)  # fmt: skip

_BAR: Final = (
    Field("date", TEXT),
    Field("open", FLOAT),
    Field("high", FLOAT),
    Field("low", FLOAT),
    Field("close", FLOAT),
    Field("volume", DECIMAL),
    Field("average", FLOAT),
    Field("count", INT),
)
_START: Final = Field("start", TEXT, before=sv.HISTORICAL_END)
_END: Final = Field("end", TEXT, before=sv.HISTORICAL_END)
_DONE: Final = Field("done", BOOL)
_TIME: Final = Field("time", INT)
_MASK: Final = Field("mask", INT)

RESPONSES: Final = (
    Layout(HistoricalBars, 17, (_ID, _START, _END, Many("bars", Bar, _BAR))),
    Layout(
        HistoricalBarsEnd,
        108,
        (_ID, Field("start", TEXT), Field("end", TEXT)),
        since=sv.HISTORICAL_END,
    ),
    Layout(
        HistoricalBarUpdate,
        90,
        (
            _ID, Field("bar.count", INT), Field("bar.date", TEXT), Field("bar.open", FLOAT),
            Field("bar.close", FLOAT), Field("bar.high", FLOAT), Field("bar.low", FLOAT),
            Field("bar.average", FLOAT), Field("bar.volume", DECIMAL),
        ),
        {"bar": Bar},
    ),
    Layout(HeadTimestamp, 88, (_ID, Field("text", TEXT))),
    Layout(
        HistoricalMidpoints,
        96,
        (
            _ID,
            Many(
                "ticks",
                HistoricalMidpoint,
                (_TIME, Const("0"), Field("price", FLOAT), Field("size", DECIMAL)),
            ),
            _DONE,
        ),
    ),
    Layout(
        HistoricalQuotes,
        97,
        (
            _ID,
            Many(
                "ticks",
                HistoricalQuote,
                (
                    _TIME, _MASK, Field("bid", FLOAT), Field("ask", FLOAT),
                    Field("bid_size", DECIMAL), Field("ask_size", DECIMAL),
                ),
            ),
            _DONE,
        ),
    ),
    Layout(
        HistoricalTrades,
        98,
        (
            _ID,
            Many(
                "ticks",
                HistoricalTrade,
                (
                    _TIME, _MASK, Field("price", FLOAT), Field("size", DECIMAL),
                    Field("exchange", TEXT), Field("conditions", TEXT),
                ),
            ),
            _DONE,
        ),
    ),
    Layout(
        HistoricalSchedule,
        106,
        (
            _ID, Field("start", TEXT), Field("end", TEXT), Field("time_zone", TEXT),
            Many(
                "sessions",
                ScheduleSession,
                (Field("start", TEXT), Field("end", TEXT), Field("date", TEXT)),
            ),
        ),
    ),
)  # fmt: skip
