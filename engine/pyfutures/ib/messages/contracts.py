"""Contracts: how one is named in a request, and what the gateway knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import (
    BOOL,
    DECIMAL,
    DECIMAL_OR_NONE,
    ESCAPED,
    FLOAT,
    FLOAT_OR_NONE,
    INT,
    INT_OR_NONE,
    INT_OR_SPELLED,
    TEXT,
)
from pyfutures.ib.layout import Const, Field, Layout, Many, Maybe, Run, When
from pyfutures.ib.messages.base import Request, Response

if TYPE_CHECKING:
    from pyfutures.ib.layout import Row

__all__ = [
    "ComboLeg",
    "Contract",
    "ContractDetails",
    "ContractDetailsEnd",
    "DeltaNeutral",
    "Ineligibility",
    "MarketRule",
    "PriceIncrement",
    "RequestContractDetails",
    "RequestMarketRule",
    "Tag",
]


@dataclass(frozen=True, slots=True)
class Tag:
    """A name and a value, as algorithms, routings and security ids have them."""

    tag: str
    value: str


@dataclass(frozen=True, slots=True)
class ComboLeg:
    """One leg of a BAG: a calendar spread has two."""

    con_id: int
    ratio: int
    action: str
    exchange: str
    open_close: int = 0
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1


@dataclass(frozen=True, slots=True)
class DeltaNeutral:
    """The hedge of an option order."""

    con_id: int
    delta: float
    price: float


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract, as far as it is named.

    `last_trade` is what the wire has there: empty, a month (`202403`), a date (`20240402`) or, in
    contract details, an instant in one of three forms that `pyfutures.ib.times` reads.
    `last_trade_date` comes with version 182 only.
    """

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    last_trade: str = ""
    last_trade_date: str = ""
    strike: float | None = None
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: str = ""
    legs_text: str = ""
    legs: tuple[ComboLeg, ...] = ()
    delta_neutral: DeltaNeutral | None = None


@dataclass(frozen=True, slots=True)
class RequestContractDetails(Request):
    """Ask for all contracts that match; a FUT without a month is the whole chain."""

    request_id: int
    contract: Contract


@dataclass(frozen=True, slots=True)
class RequestMarketRule(Request):
    """Ask for the price increments of a market rule."""

    rule_id: int


@dataclass(frozen=True, slots=True)
class Ineligibility:
    """Why a contract cannot be traded by this account."""

    id: str
    description: str


@dataclass(frozen=True, slots=True)
class ContractDetails(Response):
    """One contract that matched. `time_zone` and the hours are text: see `pyfutures.ib.times`."""

    request_id: int
    contract: Contract
    market_name: str = ""
    min_tick: Decimal = Decimal(0)
    order_types: str = ""
    valid_exchanges: str = ""
    price_magnifier: int = 1
    under_con_id: int = 0
    long_name: str = ""
    contract_month: str = ""
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    time_zone: str = ""
    trading_hours: str = ""
    liquid_hours: str = ""
    ev_rule: str = ""
    ev_multiplier: int | None = None
    sec_ids: tuple[Tag, ...] = ()
    agg_group: int | None = None
    under_symbol: str = ""
    under_sec_type: str = ""
    market_rule_ids: str = ""
    real_expiration_date: str = ""
    stock_type: str = ""
    min_size: Decimal | None = None
    size_increment: Decimal | None = None
    suggested_size_increment: Decimal | None = None
    fund: tuple[str, ...] = ()
    ineligibility: tuple[Ineligibility, ...] = ()


@dataclass(frozen=True, slots=True)
class ContractDetailsEnd(Response):
    """All contracts that matched have been sent."""

    request_id: int


@dataclass(frozen=True, slots=True)
class PriceIncrement:
    """From `low_edge` upwards prices move by `increment`."""

    low_edge: Decimal
    increment: Decimal


@dataclass(frozen=True, slots=True)
class MarketRule(Response):
    """The price increments of a market rule, by rising price."""

    rule_id: int
    increments: tuple[PriceIncrement, ...]


# All fields of a contract that appear on the wire, under the names used below.
_FIELDS: Final[dict[str, Row]] = {
    "con_id": Field("contract.con_id", INT),
    "symbol": Field("contract.symbol", TEXT),
    "sec_type": Field("contract.sec_type", TEXT),
    "last_trade": Field("contract.last_trade", TEXT),
    "strike": Field("contract.strike", FLOAT_OR_NONE),
    "right": Field("contract.right", TEXT),
    "multiplier": Field("contract.multiplier", TEXT),
    "exchange": Field("contract.exchange", TEXT),
    "primary_exchange": Field("contract.primary_exchange", TEXT),
    "currency": Field("contract.currency", TEXT),
    "local_symbol": Field("contract.local_symbol", TEXT),
    "trading_class": Field("contract.trading_class", TEXT),
}


def _rows(names: str) -> tuple[Row, ...]:
    return tuple(_FIELDS[name] for name in names.split())


#: The twelve fields that name a contract in nearly all requests.
C12: Final = _rows(
    "con_id symbol sec_type last_trade strike right multiplier exchange primary_exchange "
    "currency local_symbol trading_class"
)
#: The eleven fields of orders, executions and positions: no primary exchange.
C11: Final = _rows(
    "con_id symbol sec_type last_trade strike right multiplier exchange currency local_symbol "
    "trading_class"
)
#: The portfolio has the primary exchange in place of the exchange.
C11_PORTFOLIO: Final = _rows(
    "con_id symbol sec_type last_trade strike right multiplier primary_exchange currency "
    "local_symbol trading_class"
)
INCLUDE_EXPIRED: Final = Field("contract.include_expired", BOOL)


def is_bag(sec_type: object) -> bool:
    """Whether it is a combination."""
    return sec_type == "BAG"


def is_fund(sec_type: object) -> bool:
    """Whether it is a fund, which has rows of its own."""
    return sec_type == "FUND"


_LEG: Final = (
    Field("con_id", INT),
    Field("ratio", INT),
    Field("action", TEXT),
    Field("exchange", TEXT),
)
_LONG_LEG: Final = (
    *_LEG,
    Field("open_close", INT),
    Field("short_sale_slot", INT),
    Field("designated_location", TEXT),
    Field("exempt_code", INT),
)
#: The legs of a combination in requests for data, and in orders.
LEGS: Final = When("contract.sec_type", is_bag, (Many("contract.legs", ComboLeg, _LEG),))
LONG_LEGS: Final = Many("contract.legs", ComboLeg, _LONG_LEG)
DELTA_NEUTRAL: Final = Maybe(
    "contract.delta_neutral",
    DeltaNeutral,
    (Field("con_id", INT), Field("delta", FLOAT), Field("price", FLOAT)),
)
TAG: Final = (Field("tag", TEXT), Field("value", TEXT))
PARTS: Final = {"contract": Contract}

REQUESTS: Final = (
    Layout(
        RequestContractDetails,
        9,
        (
            Const("8"),
            Field("request_id", INT),
            *C12,
            INCLUDE_EXPIRED,
            Field("contract.sec_id_type", TEXT),
            Field("contract.sec_id", TEXT),
            Field("contract.issuer_id", TEXT, since=sv.ISSUER_ID),
        ),
        PARTS,
    ),
    Layout(RequestMarketRule, 91, (Field("rule_id", INT),)),
)

RESPONSES: Final = (
    Layout(
        ContractDetails,
        10,
        (
            Const("8", before=sv.SIZE_RULES),
            Field("request_id", INT),
            *_rows("symbol sec_type last_trade"),
            Field("contract.last_trade_date", TEXT, since=sv.LAST_TRADE_DATE),
            *_rows("strike right exchange currency local_symbol"),
            Field("market_name", TEXT),
            *_rows("trading_class con_id"),
            Field("min_tick", DECIMAL),
            Const("1", before=sv.SIZE_RULES),  # the size multiplier of market data
            *_rows("multiplier"),
            Field("order_types", TEXT),
            Field("valid_exchanges", TEXT),
            Field("price_magnifier", INT),
            Field("under_con_id", INT),
            Field("long_name", ESCAPED),
            *_rows("primary_exchange"),
            Field("contract_month", TEXT),
            Field("industry", TEXT),
            Field("category", TEXT),
            Field("subcategory", TEXT),
            Field("time_zone", TEXT),
            Field("trading_hours", TEXT),
            Field("liquid_hours", TEXT),
            Field("ev_rule", TEXT),
            Field("ev_multiplier", INT_OR_NONE),
            Many("sec_ids", Tag, TAG),
            Field("agg_group", INT_OR_SPELLED),
            Field("under_symbol", TEXT),
            Field("under_sec_type", TEXT),
            Field("market_rule_ids", TEXT),
            Field("real_expiration_date", TEXT),
            Field("stock_type", TEXT),
            Const("1", since=sv.FRACTIONAL_SIZE, before=sv.SIZE_RULES),  # the least size step
            Field("min_size", DECIMAL_OR_NONE, since=sv.SIZE_RULES),
            Field("size_increment", DECIMAL_OR_NONE, since=sv.SIZE_RULES),
            Field("suggested_size_increment", DECIMAL_OR_NONE, since=sv.SIZE_RULES),
            When("contract.sec_type", is_fund, (Run("fund", 17, TEXT),), since=sv.FUND_FIELDS),
            Many(
                "ineligibility",
                Ineligibility,
                (Field("id", TEXT), Field("description", TEXT)),
                since=sv.INELIGIBILITY,
            ),
        ),
        PARTS,
    ),
    Layout(ContractDetailsEnd, 52, (Const("1"), Field("request_id", INT))),
    Layout(
        MarketRule,
        93,
        (
            Field("rule_id", INT),
            Many(
                "increments",
                PriceIncrement,
                (Field("low_edge", DECIMAL), Field("increment", DECIMAL)),
            ),
        ),
    ),
)
