"""The order book: subscriptions, changes, and which exchanges have one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - for get_type_hints
from typing import Final

from pyfutures.ib.fields import BOOL, DECIMAL, FLOAT, INT, TEXT
from pyfutures.ib.layout import Const, Field, Layout, Many
from pyfutures.ib.messages.base import Request, Response
from pyfutures.ib.messages.contracts import C12, PARTS, Contract

__all__ = [
    "CancelMarketDepth",
    "DepthExchange",
    "DepthExchanges",
    "MarketDepth",
    "MarketDepthL2",
    "RequestDepthExchanges",
    "RequestMarketDepth",
    "RerouteMarketDepth",
]


@dataclass(frozen=True, slots=True)
class RequestMarketDepth(Request):
    """Subscribe to the order book."""

    request_id: int
    contract: Contract
    rows: int = 5
    smart: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True)
class CancelMarketDepth(Request):
    """End a subscription to the order book."""

    request_id: int
    smart: bool = False


@dataclass(frozen=True, slots=True)
class RequestDepthExchanges(Request):
    """Ask which exchanges offer an order book."""


@dataclass(frozen=True, slots=True)
class MarketDepth(Response):
    """A change of the order book: operation 0 insert, 1 update, 2 delete; side 0 ask, 1 bid."""

    request_id: int
    position: int
    operation: int
    side: int
    price: float
    size: Decimal


@dataclass(frozen=True, slots=True)
class MarketDepthL2(Response):
    """A change of the order book with the market maker or exchange it is of."""

    request_id: int
    position: int
    market_maker: str
    operation: int
    side: int
    price: float
    size: Decimal
    smart: bool = False


@dataclass(frozen=True, slots=True)
class DepthExchange:
    """An exchange that offers an order book for a kind of contract."""

    exchange: str
    sec_type: str
    listing_exchange: str
    service: str
    agg_group: int


@dataclass(frozen=True, slots=True)
class DepthExchanges(Response):
    """The exchanges that offer an order book."""

    exchanges: tuple[DepthExchange, ...]


@dataclass(frozen=True, slots=True)
class RerouteMarketDepth(Response):
    """The order book has to be asked for under another contract."""

    request_id: int
    con_id: int
    exchange: str


_V1: Final = Const("1")
_ID: Final = Field("request_id", INT)
_PRICE: Final = Field("price", FLOAT)
_SIZE: Final = Field("size", DECIMAL)
_OPTIONS: Final = Field("options", TEXT)

REQUESTS: Final = (
    Layout(
        RequestMarketDepth,
        10,
        (Const("5"), _ID, *C12, Field("rows", INT), Field("smart", BOOL), _OPTIONS),
        PARTS,
    ),
    Layout(CancelMarketDepth, 11, (_V1, _ID, Field("smart", BOOL))),
    Layout(RequestDepthExchanges, 82, ()),
)

RESPONSES: Final = (
    Layout(
        MarketDepth,
        12,
        (
            _V1,
            _ID,
            Field("position", INT),
            Field("operation", INT),
            Field("side", INT),
            _PRICE,
            _SIZE,
        ),
    ),
    Layout(
        MarketDepthL2,
        13,
        (
            _V1,
            _ID,
            Field("position", INT),
            Field("market_maker", TEXT),
            Field("operation", INT),
            Field("side", INT),
            _PRICE,
            _SIZE,
            Field("smart", BOOL),
        ),
    ),
    Layout(
        DepthExchanges,
        80,
        (
            Many(
                "exchanges",
                DepthExchange,
                (
                    Field("exchange", TEXT),
                    Field("sec_type", TEXT),
                    Field("listing_exchange", TEXT),
                    Field("service", TEXT),
                    Field("agg_group", INT),
                ),
            ),
        ),
    ),
    Layout(RerouteMarketDepth, 92, (_ID, Field("con_id", INT), Field("exchange", TEXT))),
)
