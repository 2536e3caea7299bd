"""Accounts: positions with their average cost, cash, margins, and who is told of changes.

Figures follow from fills alone. Profit on a future is cash at once; currencies are turned into the
base currency at the fixed rates of the configuration. The initial margin is a part of what a
contract is worth, the maintenance margin four fifths of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.clock import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.gateway.contracts import Instrument
    from pyfutures.gateway.core import Gateway
    from pyfutures.gateway.session import Session
    from pyfutures.gateway.spreads import Tradable

__all__ = ["SUMMARY_TAGS", "Account", "Accounts", "Holding", "Margins"]

_MAINTENANCE: Final = 0.8
_REFRESH: Final = 180 * SECOND
_POWER: Final = 4  # buying power over available funds

#: Tags of a summary that are no money, with what is true of every account here.
_PLAIN: Final = {
    "AccountType": "INDIVIDUAL",
    "DayTradesRemaining": "-1",
    "LookAheadNextChange": "0",
    "HighestSeverity": "0",
}
SUMMARY_TAGS: Final = (
    *_PLAIN, "Cushion", "Leverage", "AccruedCash", "AvailableFunds", "BuyingPower",
    "EquityWithLoanValue", "ExcessLiquidity", "FullAvailableFunds", "FullExcessLiquidity",
    "FullInitMarginReq", "FullMaintMarginReq", "GrossPositionValue", "InitMarginReq",
    "LookAheadAvailableFunds", "LookAheadExcessLiquidity", "LookAheadInitMarginReq",
    "LookAheadMaintMarginReq", "MaintMarginReq", "NetLiquidation",
    "PreviousDayEquityWithLoanValue", "SettledCash", "SMA", "TotalCashValue",
)  # fmt: skip


@dataclass(slots=True)
class Holding:
    """A position in one contract; its average price is exact, in ticks."""

    what: Instrument
    position: int = 0
    average: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)  # paid for one contract of what is open
    realized: float = 0.0  # in its currency

    def cost(self, *, with_fees: bool) -> float:
        """Return what one contract cost on average, in its currency: no quote and no price."""
        if not self.position:
            return 0.0
        sign = 1 if self.position > 0 else -1
        money = self.average * Fraction(self.what.tick_value)
        return float(money + sign * self.fees if with_fees else money)

    def unrealized(self, mark: float) -> float:
        """Return the profit at a price in ticks, in its currency."""
        gained = Fraction(mark) - self.average
        return float(gained * self.position * Fraction(self.what.tick_value))

    def fill(self, size: int, price: int, fee: Decimal) -> float | None:
        """Take a fill in, `size` negative for a sale.

        Returns
        -------
        float or None
            What it realized, in the currency of the contract, without fees; None if it closed
            nothing.

        """
        before = self.position
        closes = min(abs(size), abs(before)) if before * size < 0 else 0
        opens = abs(size) - closes
        gained = None
        if closes:
            side = 1 if before > 0 else -1
            gain = (price - self.average) * side * closes * Fraction(self.what.tick_value)
            gained = float(gain)
            self.realized += gained
        self.position = before + size
        if opens:
            kept = 0 if closes else abs(before)
            whole = kept + opens
            self.average = (self.average * kept + Fraction(price) * opens) / whole
            each = Fraction(fee) / abs(size)
            self.fees = (self.fees * kept + each * opens) / whole
        elif not self.position:
            self.average = self.fees = Fraction(0)
        return gained


@dataclass(frozen=True, slots=True)
class Margins:
    """Initial and maintenance margin and equity of an account, in the base currency."""

    initial: float
    maintenance: float
    equity: float


@dataclass(slots=True)
class Account:
    """One account."""

    name: str
    cash: float
    holdings: dict[int, Holding] = field(default_factory=dict)
    realized: float = 0.0  # in the base currency, after fees


class Accounts:
    """The accounts of the login.

    Parameters
    ----------
    gateway
        Whose they are.
    tell_change
        Tells a client that a position of an account changed.
    tell_values
        Tells a client the values it subscribed to; whether there are any.

    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        tell_change: Callable[[Session, str, Holding], None],
        tell_values: Callable[[Session], bool],
    ) -> None:
        self._gateway = gateway
        self._tell_change = tell_change
        self._tell_values = tell_values
        config = gateway.config
        self._accounts = {name: Account(name, float(config.cash)) for name in config.accounts}
        self._refreshing = False

    def names(self) -> tuple[str, ...]:
        """Return the accounts."""
        return tuple(self._accounts)

    def get(self, name: str) -> Account | None:
        """Return an account by name; the first one for no name."""
        return self._accounts.get(name or next(iter(self._accounts)))

    def holdings(self, name: str = "") -> list[tuple[str, Holding]]:
        """Return the open positions, of one account or of all."""
        return [
            (account.name, holding)
            for account in self._accounts.values()
            if name in {"", account.name}
            for holding in account.holdings.values()
            if holding.position
        ]

    def position(self, account: str, con_id: int) -> int:
        """Return how many contracts an account holds."""
        found = self._accounts[account].holdings.get(con_id)
        return 0 if found is None else found.position

    def fill(
        self, account: str, what: Instrument, size: int, price: int, fee: Decimal
    ) -> float | None:
        """Take a fill in; return what it realized after fees, None if it closed nothing."""
        owner = self._accounts[account]
        holding = owner.holdings.get(what.con_id)
        if holding is None:
            holding = owner.holdings[what.con_id] = Holding(what)
            self._gateway.timeline.at(what.last_ns, lambda: self._settle(owner, holding))
        opening_fees = holding.fees
        closes = min(abs(size), abs(holding.position)) if holding.position * size < 0 else 0
        gained = holding.fill(size, price, fee)
        rate = self._gateway.config.rate(what.currency)
        change = (gained or 0.0) - float(fee)
        owner.cash += change * rate
        owner.realized += change * rate
        if gained is None:
            return None
        return gained - float(fee) - float(opening_fees * closes)

    def _settle(self, owner: Account, holding: Holding) -> None:
        """Turn a position into cash when its contract ends."""
        if not holding.position:
            return
        quote = self._gateway.market.quote(holding.what, holding.what.last_ns)
        price = quote.bid if quote is not None and quote.last is None else None
        if quote is not None and quote.last is not None:
            price = quote.last
        if price is not None:
            self.fill(owner.name, holding.what, -holding.position, price, Decimal(0))
            self.changed(owner.name, holding)

    # Figures

    def mark(self, what: Instrument) -> float:
        """Return what a contract is valued at, in ticks."""
        quote = self._gateway.market.quote(what, self._gateway.timeline.now)
        return 0.0 if quote is None else quote.mark

    def margin_of(self, what: Tradable) -> float:
        """Return the initial margin of one contract, in the base currency."""
        quote = self._gateway.prices.quote(what, self._gateway.timeline.now)
        if quote is None:
            return 0.0
        worth = abs(what.money(quote.mark))
        config = self._gateway.config
        return worth * config.margin_rate * config.rate(what.currency)

    def margins(self, name: str) -> Margins:
        """Return margins and equity of an account."""
        account = self._accounts[name]
        rate = self._gateway.config.rate
        open_ones = [holding for holding in account.holdings.values() if holding.position]
        initial = sum(self.margin_of(h.what) * abs(h.position) for h in open_ones)
        gains = (h.unrealized(self.mark(h.what)) * rate(h.what.currency) for h in open_ones)
        return Margins(initial, initial * _MAINTENANCE, account.cash + sum(gains))

    def values(self, name: str) -> dict[str, str]:
        """Return the values of an account by tag, as texts."""
        account, margins = self._accounts[name], self.margins(name)
        equity, initial, least = margins.equity, margins.initial, margins.maintenance
        rate = self._gateway.config.rate
        gross = sum(
            abs(h.what.money(self.mark(h.what)) * h.position) * rate(h.what.currency)
            for h in account.holdings.values()
        )
        money = {
            "AccruedCash": 0.0,
            "AvailableFunds": equity - initial,
            "BuyingPower": (equity - initial) * _POWER,
            "EquityWithLoanValue": equity,
            "ExcessLiquidity": equity - least,
            "GrossPositionValue": gross,
            "InitMarginReq": initial,
            "MaintMarginReq": least,
            "NetLiquidation": equity,
            "PreviousDayEquityWithLoanValue": float(self._gateway.config.cash),
            "SettledCash": account.cash,
            "SMA": equity,
            "TotalCashValue": account.cash,
        }
        for tag in ("AvailableFunds", "ExcessLiquidity", "InitMarginReq", "MaintMarginReq"):
            money[f"Full{tag}"] = money[f"LookAhead{tag}"] = money[tag]
        texts = {tag: f"{value:.2f}" for tag, value in money.items()}
        texts |= _PLAIN
        texts["Cushion"] = f"{(equity - least) / equity if equity else 0.0:.6f}"
        texts["Leverage"] = f"{gross / equity if equity else 0.0:.2f}"
        return texts

    def currency(self, tag: str) -> str:
        """Return the currency that goes with a tag, empty where it is no money."""
        plain = tag in _PLAIN or tag in {"Cushion", "Leverage"}
        return "" if plain else self._gateway.config.currency

    # Who is told

    def changed(self, name: str, holding: Holding) -> None:
        """Tell whoever asked for it that a position changed."""
        for session in self._gateway.clients():
            self._tell_change(session, name, holding)

    def keep_fresh(self) -> None:
        """Tell subscribers of account values every three minutes from now on."""
        if not self._refreshing:
            self._refreshing = True
            self._gateway.timeline.after(_REFRESH, self._refresh)

    def _refresh(self) -> None:
        told = [self._tell_values(session) for session in self._gateway.clients()]
        self._refreshing = any(told)
        if self._refreshing:
            self._gateway.timeline.after(_REFRESH, self._refresh)
