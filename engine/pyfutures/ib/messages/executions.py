"""Fills: executions asked for or as they happen, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - for get_type_hints
from typing import Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import (
    BOOL,
    DECIMAL,
    FLOAT,
    FLOAT_OR_NONE,
    INT,
    INT_OR_NONE,
    INT_OR_SPELLED,
    MARGIN,
    TEXT,
)
from pyfutures.ib.layout import Const, Field, Layout, Values
from pyfutures.ib.messages.base import Request, Response
from pyfutures.ib.messages.contracts import C11, PARTS, Contract

__all__ = [
    "CommissionReport",
    "Execution",
    "ExecutionDetails",
    "ExecutionDetailsEnd",
    "RequestExecutions",
]


@dataclass(frozen=True, slots=True)
class RequestExecutions(Request):
    """Ask for executions; below version 200 only those since midnight."""

    request_id: int
    client_id: int = 0
    account: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""
    last_days: int | None = None
    dates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill. A correction has the same id with a higher last dotted part."""

    exec_id: str
    time: str
    account: str
    exchange: str
    side: str
    shares: Decimal
    price: float
    perm_id: int
    client_id: int
    liquidation: int
    cumulative: Decimal
    average_price: float
    order_ref: str = ""
    ev_rule: str = ""
    ev_multiplier: float | None = None
    model_code: str = ""
    last_liquidity: int = 0
    pending_price_revision: bool = False
    submitter: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionDetails(Response):
    """A fill of an order; `request_id` is -1 where nobody asked."""

    request_id: int
    order_id: int
    contract: Contract
    execution: Execution


@dataclass(frozen=True, slots=True)
class ExecutionDetailsEnd(Response):
    """All executions asked for have been sent."""

    request_id: int


@dataclass(frozen=True, slots=True)
class CommissionReport(Response):
    """What a fill cost; may come late, or only when executions are asked for."""

    exec_id: str
    commission: float | None
    currency: str
    realized_pnl: float | None = None
    bond_yield: float | None = None
    yield_redemption_date: int | None = None


_V1: Final = Const("1")
_ID: Final = Field("request_id", INT)
_ORDER_ID: Final = Field("order_id", INT)

REQUESTS: Final = (
    Layout(
        RequestExecutions,
        7,
        (
            Const("3"),
            _ID,
            Field("client_id", INT),
            Field("account", TEXT),
            Field("time", TEXT),
            Field("symbol", TEXT),
            Field("sec_type", TEXT),
            Field("exchange", TEXT),
            Field("side", TEXT),
            Field("last_days", INT_OR_SPELLED, since=sv.EXECUTION_DAYS),
            Values("dates", TEXT, since=sv.EXECUTION_DAYS),
        ),
    ),
)

RESPONSES: Final = (
    Layout(
        ExecutionDetails,
        11,
        (
            _ID,
            _ORDER_ID,
            *C11,
            Field("execution.exec_id", TEXT),
            Field("execution.time", TEXT),
            Field("execution.account", TEXT),
            Field("execution.exchange", TEXT),
            Field("execution.side", TEXT),
            Field("execution.shares", DECIMAL),
            Field("execution.price", FLOAT),
            Field("execution.perm_id", INT),
            Field("execution.client_id", INT),
            Field("execution.liquidation", INT),
            Field("execution.cumulative", DECIMAL),
            Field("execution.average_price", FLOAT),
            Field("execution.order_ref", TEXT),
            Field("execution.ev_rule", TEXT),
            Field("execution.ev_multiplier", FLOAT_OR_NONE),
            Field("execution.model_code", TEXT),
            Field("execution.last_liquidity", INT),
            Field("execution.pending_price_revision", BOOL, since=sv.PENDING_PRICE_REVISION),
            Field("execution.submitter", TEXT, since=sv.SUBMITTER),
        ),
        {**PARTS, "execution": Execution},
    ),
    Layout(ExecutionDetailsEnd, 55, (_V1, _ID)),
    Layout(
        CommissionReport,
        59,
        (
            _V1,
            Field("exec_id", TEXT),
            Field("commission", MARGIN),
            Field("currency", TEXT),
            Field("realized_pnl", MARGIN),
            Field("bond_yield", MARGIN),
            Field("yield_redemption_date", INT_OR_NONE),
        ),
    ),
)
