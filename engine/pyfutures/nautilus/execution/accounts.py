"""Accounts: which one may be traded, how it is named in logs, and what it is worth.

IB gives paper accounts numbers that begin with D (DU, DF, DI); all others are somebody's money.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.objects import AccountBalance, Currency, MarginBalance, Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyfutures.ib.messages.account import AccountUpdateMulti

__all__ = ["AccountRefusedError", "AccountValues", "chosen_account", "is_paper", "masked"]

_SHOWN: Final = 2


class AccountRefusedError(ValueError):
    """An account that must not be traded, or is not there."""


def masked(account: str) -> str:
    """Return an account as logs may show it: ``DU***67``."""
    if len(account) <= 2 * _SHOWN:
        return "*" * len(account)
    return f"{account[:_SHOWN]}***{account[-_SHOWN:]}"


def is_paper(account: str) -> bool:
    """Whether an account is a paper account."""
    return account.upper().startswith("D")


def chosen_account(
    accounts: Sequence[str], account_id: str | None, *, allow_live: bool = False
) -> str:
    """Return the account to trade.

    Parameters
    ----------
    accounts
        Those of the login.
    account_id
        The one that is configured; None if the login has only one.
    allow_live
        Whether it need not be a paper account.

    Raises
    ------
    AccountRefusedError
        If it is not there, none is chosen among several, or it is not a paper account.

    """
    names = ", ".join(masked(account) for account in accounts) or "none"
    if account_id is None:
        if len(accounts) != 1:
            raise AccountRefusedError(f"the login has the accounts {names}: set `account_id`")
        account_id = accounts[0]
    if account_id not in accounts:
        raise AccountRefusedError(
            f"account_id {masked(account_id)}: the login has the accounts {names}"
        )
    if not allow_live and not is_paper(account_id):
        raise AccountRefusedError(
            f"{masked(account_id)} is not a paper account: it is refused unless the configuration"
            " says `allow_live: true`"
        )
    return account_id


class AccountValues:
    """What an account is worth, as it is told value by value.

    Parameters
    ----------
    account
        The account; values of others pass by.

    """

    def __init__(self, account: str) -> None:
        self._account = account
        self._money: dict[tuple[str, str], Decimal] = {}
        self._told: object = None

    def hear(self, rows: Iterable[AccountUpdateMulti]) -> None:
        """Take values in."""
        for row in rows:
            if row.account == self._account and row.currency:
                try:
                    self._money[row.key, row.currency] = Decimal(row.value)
                except ArithmeticError:
                    continue  # texts, such as the name of the currency

    @property
    def base(self) -> str | None:
        """The base currency, None until the net liquidation value is told."""
        return next((unit for tag, unit in self._money if tag == "NetLiquidation"), None)

    def balances(self) -> tuple[list[AccountBalance], list[MarginBalance]]:
        """Return balances by currency, and the margins in the base currency.

        The total of a currency is what the account is worth in it; together they are the net
        liquidation value. What is locked is the initial margin, in the base currency.

        Raises
        ------
        AccountRefusedError
            If the account's values were not told.

        """
        base = self.base
        if base is None:
            raise AccountRefusedError(f"IB told no NetLiquidation of {masked(self._account)}")
        worth = self._money["NetLiquidation", base]
        others = {
            unit: value
            for (tag, unit), value in self._money.items()
            if tag == "NetLiquidationByCurrency" and unit not in {"BASE", base} and value
        }
        total = self._money.get(("NetLiquidationByCurrency", base), worth) if others else worth
        available = self._money.get(("FullAvailableFunds", base), worth)
        locked = max(worth - available, Decimal(0))
        found = [_balance(base, total, locked)]
        found += [_balance(unit, value, Decimal(0)) for unit, value in sorted(others.items())]
        unit = Currency.from_str(base)
        margin = MarginBalance(
            initial=Money(self._money.get(("FullInitMarginReq", base), Decimal(0)), unit),
            maintenance=Money(self._money.get(("FullMaintMarginReq", base), Decimal(0)), unit),
        )
        return found, [margin]

    def is_news(self) -> bool:
        """Whether anything changed since this was last asked."""
        now = dict(self._money)
        changed, self._told = now != self._told, now
        return changed


def _balance(unit: str, total: Decimal, locked: Decimal) -> AccountBalance:
    currency = Currency.from_str(unit)
    all_of_it, held = Money(total, currency), Money(locked, currency)
    free = Money(all_of_it.as_decimal() - held.as_decimal(), currency)
    return AccountBalance(total=all_of_it, locked=held, free=free)
