"""What a simulated gateway is like, in one value."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pyfutures.ib.pacing import Limits
from pyfutures.ib.versions import MAX_VERSION, MIN_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GatewayConfig", "LastTradeForm"]


class LastTradeForm(StrEnum):
    """How contract details spell the last trade; a setting of a real gateway."""

    UTC = "utc"  # 20240402-17:10:00
    INSTRUMENT = "instrument"  # 20240402 12:10:00 US/Central
    OPERATOR = "operator"  # in the zone chosen at login, whose date may be another
    DATE = "date"  # 20240402


#: Units of the base currency for one of the other; fixed, so that figures can be checked on paper.
_RATES: Final = {
    "USD": 1.0, "EUR": 1.10, "GBP": 1.25, "CHF": 1.12, "CAD": 0.74, "AUD": 0.66, "NZD": 0.60,
    "JPY": 0.0066, "HKD": 0.128, "SGD": 0.74, "KRW": 0.00073, "INR": 0.012, "CNH": 0.14,
    "SEK": 0.095, "BRL": 0.18,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """The settings of a simulated gateway.

    Parameters
    ----------
    roots
        The roots whose contracts it knows; None for all that IB has.
    start
        The simulated instant at which it starts; None for the real now.
    version
        The highest server version to agree on, 157 to 200.
    seed
        Another seed is another market.
    accounts
        The accounts of the login.
    cash
        What each account starts with, in `currency`.
    last_trade_form, login_zone
        How instants of last trades and executions are spelled.
    read_only
        Refuse orders, as gateways do with the setting Read-Only API.
    limits
        The pacing rules; None for none. The pages of IB allow 50 messages a second.
    strict_steps
        Refuse durations that IB's page of step sizes does not list for a bar size; without, only
        those of bars of 30 seconds and below are refused, as gateways do.
    market_data
        Currencies or exchanges without live data are not in it; None for all.
    delayed
        Whether delayed data is there where live data is not.
    open_interest
        Permission for the open interest of futures, generic tick 588.
    lines, tick_by_tick
        The most market data lines and tick-by-tick subscriptions.
    contfut_end
        Accept an end date with a continuous future, as gateways of early 2024 did; else 10339.
    keep_up_dies
        Bars that are kept up to date end silently when connectivity is restored with 1102.
    master_client
        The client id that sees the orders of all.
    commission
        Per contract, by currency.
    commission_in_cost
        Add the commission to the average cost.
    variants
        Throw in weeklies and size variants that share symbols with the roots.
    next_order_id
        The first valid order id.
    margin_rate
        The initial margin, as a part of what a contract is worth.

    Raises
    ------
    ValueError
        For a version outside 157 to 200, or a start without a zone.

    """

    roots: tuple[str, ...] | None = None
    start: dt.datetime | None = None
    version: int = 176
    seed: int = 0
    accounts: tuple[str, ...] = ("DU1234567",)
    currency: str = "USD"
    cash: Decimal = Decimal(1_000_000)
    last_trade_form: LastTradeForm = LastTradeForm.UTC
    login_zone: str = "US/Eastern"
    read_only: bool = False
    limits: Limits | None = field(default_factory=lambda: Limits(reserved=0))
    strict_steps: bool = False
    market_data: frozenset[str] | None = None
    delayed: bool = True
    open_interest: bool = True
    lines: int = 100
    tick_by_tick: int = 10
    contfut_end: bool = False
    keep_up_dies: bool = True
    master_client: int | None = None
    commission: Mapping[str, Decimal] = field(
        default_factory=lambda: {"USD": Decimal("2.25"), "EUR": Decimal(2), "GBP": Decimal("1.70")}
    )
    commission_in_cost: bool = False
    variants: bool = True
    next_order_id: int = 1
    margin_rate: float = 0.08
    rates: Mapping[str, float] = field(default_factory=lambda: dict(_RATES))

    def __post_init__(self) -> None:
        if not MIN_VERSION <= self.version <= MAX_VERSION:
            raise ValueError(
                f"server version {self.version}: {MIN_VERSION} to {MAX_VERSION} are spoken"
            )
        if self.start is not None and self.start.tzinfo is None:
            raise ValueError(f"{self.start.isoformat()} has no zone: write it with +00:00")
        if not self.accounts:
            raise ValueError("a login has at least one account")

    def start_ns(self) -> int:
        """Return the instant of the start, UTC nanoseconds, on a full second."""
        start = self.start or dt.datetime.now(dt.UTC)
        return int(start.timestamp()) * 1_000_000_000

    def fee(self, currency: str) -> Decimal:
        """Return the commission of one contract, in its currency."""
        return self.commission.get(currency, Decimal("2.25"))

    def rate(self, currency: str) -> float:
        """Return what one unit of a currency is in the base currency."""
        return self.rates.get(currency, 1.0) / self.rates.get(self.currency, 1.0)
