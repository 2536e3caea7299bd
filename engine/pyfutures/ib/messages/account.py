"""Accounts: positions, portfolio, values, summaries, profit and loss."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - for get_type_hints
from typing import Final

from pyfutures.ib.fields import BOOL, DECIMAL, ESCAPED, FLOAT, INT, MARGIN, TEXT
from pyfutures.ib.layout import Const, Field, Layout
from pyfutures.ib.messages.base import Request, Response
from pyfutures.ib.messages.contracts import C11, C11_PORTFOLIO, PARTS, Contract

__all__ = [
    "AccountDownloadEnd",
    "AccountSummary",
    "AccountSummaryEnd",
    "AccountTime",
    "AccountUpdateMulti",
    "AccountUpdateMultiEnd",
    "AccountValue",
    "CancelAccountSummary",
    "CancelAccountUpdatesMulti",
    "CancelPnl",
    "CancelPnlSingle",
    "CancelPositions",
    "CancelPositionsMulti",
    "Pnl",
    "PnlSingle",
    "PortfolioValue",
    "Position",
    "PositionEnd",
    "PositionMulti",
    "PositionMultiEnd",
    "RequestAccountSummary",
    "RequestAccountUpdates",
    "RequestAccountUpdatesMulti",
    "RequestPnl",
    "RequestPnlSingle",
    "RequestPositions",
    "RequestPositionsMulti",
]


@dataclass(frozen=True, slots=True)
class RequestPositions(Request):
    """Subscribe to the positions of all accounts."""


@dataclass(frozen=True, slots=True)
class CancelPositions(Request):
    """End the subscription to positions."""


@dataclass(frozen=True, slots=True)
class RequestPositionsMulti(Request):
    """Subscribe to the positions of one account or model."""

    request_id: int
    account: str = ""
    model_code: str = ""


@dataclass(frozen=True, slots=True)
class CancelPositionsMulti(Request):
    """End a subscription to positions of one account."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestAccountSummary(Request):
    """Subscribe to values of all accounts of a group; `tags` are joined by commas."""

    request_id: int
    group: str
    tags: str


@dataclass(frozen=True, slots=True)
class CancelAccountSummary(Request):
    """End a subscription to a summary."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestAccountUpdates(Request):
    """Subscribe to values and portfolio of an account, or end it."""

    subscribe: bool
    account: str = ""


@dataclass(frozen=True, slots=True)
class RequestAccountUpdatesMulti(Request):
    """Subscribe to the values of an account or model."""

    request_id: int
    account: str = ""
    model_code: str = ""
    ledger_and_nlv: bool = False


@dataclass(frozen=True, slots=True)
class CancelAccountUpdatesMulti(Request):
    """End a subscription to the values of an account or model."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestPnl(Request):
    """Subscribe to the profit and loss of an account."""

    request_id: int
    account: str
    model_code: str = ""


@dataclass(frozen=True, slots=True)
class CancelPnl(Request):
    """End a subscription to profit and loss."""

    request_id: int


@dataclass(frozen=True, slots=True)
class RequestPnlSingle(Request):
    """Subscribe to the profit and loss of one position."""

    request_id: int
    account: str
    model_code: str
    con_id: int


@dataclass(frozen=True, slots=True)
class CancelPnlSingle(Request):
    """End a subscription to the profit and loss of one position."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Position(Response):
    """A position. For futures `average_cost` is money for one contract, not a price."""

    account: str
    contract: Contract
    position: Decimal
    average_cost: float


@dataclass(frozen=True, slots=True)
class PositionEnd(Response):
    """All positions have been sent; changes follow."""


@dataclass(frozen=True, slots=True)
class PositionMulti(Response):
    """A position of one account or model."""

    request_id: int
    account: str
    contract: Contract
    position: Decimal
    average_cost: float
    model_code: str = ""


@dataclass(frozen=True, slots=True)
class PositionMultiEnd(Response):
    """All positions of the account have been sent; changes follow."""

    request_id: int


@dataclass(frozen=True, slots=True)
class AccountSummary(Response):
    """One value of one account."""

    request_id: int
    account: str
    tag: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True)
class AccountSummaryEnd(Response):
    """All values of a summary have been sent; changes follow every three minutes."""

    request_id: int


@dataclass(frozen=True, slots=True)
class AccountValue(Response):
    """One value of the subscribed account."""

    key: str
    value: str
    currency: str
    account: str


@dataclass(frozen=True, slots=True)
class PortfolioValue(Response):
    """One position of the subscribed account, with what it is worth."""

    contract: Contract
    position: Decimal
    market_price: float
    market_value: float
    average_cost: float
    unrealized_pnl: float
    realized_pnl: float
    account: str


@dataclass(frozen=True, slots=True)
class AccountTime(Response):
    """When the values of the account were made, `HH:MM`."""

    time: str


@dataclass(frozen=True, slots=True)
class AccountDownloadEnd(Response):
    """All values of the account have been sent; changes follow."""

    account: str


@dataclass(frozen=True, slots=True)
class AccountUpdateMulti(Response):
    """One value of an account or model."""

    request_id: int
    account: str
    model_code: str
    key: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True)
class AccountUpdateMultiEnd(Response):
    """All values of the account or model have been sent; changes follow."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Pnl(Response):
    """The profit and loss of an account."""

    request_id: int
    daily: float | None
    unrealized: float | None
    realized: float | None


@dataclass(frozen=True, slots=True)
class PnlSingle(Response):
    """The profit and loss of one position."""

    request_id: int
    position: Decimal
    daily: float | None
    unrealized: float | None
    realized: float | None
    value: float | None


_V1: Final = Const("1")
_ID: Final = Field("request_id", INT)
_ACCOUNT: Final = Field("account", TEXT)
_MODEL: Final = Field("model_code", TEXT)
_POSITION: Final = Field("position", DECIMAL)
_COST: Final = Field("average_cost", FLOAT)


def _escaped(*names: str) -> tuple[Field[str], ...]:
    return tuple(Field(name, ESCAPED) for name in names)


REQUESTS: Final = (
    Layout(RequestPositions, 61, (_V1,)),
    Layout(CancelPositions, 64, (_V1,)),
    Layout(RequestPositionsMulti, 74, (_V1, _ID, _ACCOUNT, _MODEL)),
    Layout(CancelPositionsMulti, 75, (_V1, _ID)),
    Layout(RequestAccountSummary, 62, (_V1, _ID, Field("group", TEXT), Field("tags", TEXT))),
    Layout(CancelAccountSummary, 63, (_V1, _ID)),
    Layout(RequestAccountUpdates, 6, (Const("2"), Field("subscribe", BOOL), _ACCOUNT)),
    Layout(
        RequestAccountUpdatesMulti,
        76,
        (_V1, _ID, _ACCOUNT, _MODEL, Field("ledger_and_nlv", BOOL)),
    ),
    Layout(CancelAccountUpdatesMulti, 77, (_V1, _ID)),
    Layout(RequestPnl, 92, (_ID, _ACCOUNT, _MODEL)),
    Layout(CancelPnl, 93, (_ID,)),
    Layout(RequestPnlSingle, 94, (_ID, _ACCOUNT, _MODEL, Field("con_id", INT))),
    Layout(CancelPnlSingle, 95, (_ID,)),
)

RESPONSES: Final = (
    Layout(Position, 61, (Const("3"), _ACCOUNT, *C11, _POSITION, _COST), PARTS),
    Layout(PositionEnd, 62, (_V1,)),
    Layout(PositionMulti, 71, (_V1, _ID, _ACCOUNT, *C11, _POSITION, _COST, _MODEL), PARTS),
    Layout(PositionMultiEnd, 72, (_V1, _ID)),
    Layout(AccountSummary, 63, (_V1, _ID, *_escaped("account", "tag", "value", "currency"))),
    Layout(AccountSummaryEnd, 64, (_V1, _ID)),
    Layout(AccountValue, 6, (Const("2"), *_escaped("key", "value", "currency", "account"))),
    Layout(
        PortfolioValue,
        7,
        (
            Const("8"),
            *C11_PORTFOLIO,
            _POSITION,
            Field("market_price", FLOAT),
            Field("market_value", FLOAT),
            _COST,
            Field("unrealized_pnl", FLOAT),
            Field("realized_pnl", FLOAT),
            _ACCOUNT,
        ),
        PARTS,
    ),
    Layout(AccountTime, 8, (_V1, *_escaped("time"))),
    Layout(AccountDownloadEnd, 54, (_V1, *_escaped("account"))),
    Layout(
        AccountUpdateMulti,
        73,
        (_V1, _ID, *_escaped("account", "model_code", "key", "value", "currency")),
    ),
    Layout(AccountUpdateMultiEnd, 74, (_V1, _ID)),
    Layout(
        Pnl,
        94,
        (_ID, Field("daily", MARGIN), Field("unrealized", MARGIN), Field("realized", MARGIN)),
    ),
    Layout(
        PnlSingle,
        95,
        (
            _ID,
            _POSITION,
            Field("daily", MARGIN),
            Field("unrealized", MARGIN),
            Field("realized", MARGIN),
            Field("value", MARGIN),
        ),
    ),
)
