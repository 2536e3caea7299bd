"""The gateway's contract of a root and month, found and compared with the spec.

The contract month is the delivery month, which need not be the month of the last trade. Expired
contracts are asked for too; gateways know them for about two years.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from pyfutures.download.errors import ContractNotFoundError
from pyfutures.ib.messages.contracts import Contract
from pyfutures.ib.times import TimeError, last_trade

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from pyfutures.chain import Chain, ChainRow
    from pyfutures.ib.cached import CachedClient
    from pyfutures.ib.messages.contracts import ContractDetails
    from pyfutures.months import ContractMonth

__all__ = ["FoundContract", "contract_of", "find_contract"]


@dataclass(frozen=True, slots=True)
class FoundContract:
    """A contract of the gateway. `notes` say where it is not what the spec says."""

    chain: Chain = field(repr=False)
    month: ContractMonth
    details: ContractDetails
    last_trade: dt.date
    notes: tuple[str, ...] = ()

    @property
    def contract(self) -> Contract:
        """What requests about its past name."""
        known = self.details.contract
        return Contract(
            con_id=known.con_id,
            symbol=known.symbol,
            sec_type="FUT",
            exchange=known.exchange,
            currency=known.currency,
            local_symbol=known.local_symbol,
            include_expired=True,
        )

    @property
    def magnifier(self) -> int:
        """By what the gateway multiplies prices in quotes and bars."""
        return self.details.price_magnifier or 1


def contract_of(chain: Chain, month: ContractMonth) -> Contract:
    """Return what a request for contract details names for a root and month.

    Raises
    ------
    ContractNotFoundError
        If IB does not have the root in that month.
    ChainError
        If the month is not listed.

    """
    chain.row(month)
    identity = chain.spec.ib
    if identity is None:
        raise ContractNotFoundError(f"{chain.root} is not at IB: {chain.spec.path} has no `ib`")
    symbol, exchange = identity.symbol.at(month), identity.exchange.at(month)
    if symbol is None or exchange is None:
        raise ContractNotFoundError(
            f"{chain.root} {month}: no IB symbol or exchange in {chain.spec.path}"
        )
    return Contract(
        symbol=symbol,
        sec_type="FUT",
        last_trade=f"{month.year:04d}{month.month:02d}",
        exchange=exchange,
        currency=chain.spec.currency,
        trading_class=chain.trading_class(month) or "",
        include_expired=True,
    )


async def find_contract(
    client: CachedClient, chain: Chain, month: ContractMonth, *, patience: float = 0.0
) -> FoundContract:
    """Return the gateway's contract of a root and month.

    Raises
    ------
    ContractNotFoundError
        If there is none, or more than one.
    ChainError
        If the month is not listed.
    RequestError
        One of its kinds.

    """
    wanted = contract_of(chain, month)
    found = await client.details(wanted, patience=patience)
    fits = [one for one in found if _is_month(one, month) and _is_size(one, chain, month)]
    expected = chain.row(month).last_trade
    if len(fits) > 1:
        # Weeklies and monthlies can share a class: the last trade tells them apart.
        fits = [one for one in fits if _last_trade(client, one, chain.row(month)) == expected]
    if len(fits) != 1:
        raise ContractNotFoundError(_explain(wanted, chain, month, found, fits))
    (one,) = fits
    ends = _last_trade(client, one, chain.row(month))
    notes = []
    if ends != expected:
        notes.append(f"{chain.root} {month}: last trade {ends} at IB, {expected} by the spec")
    magnifier = chain.spec.ib.price_magnifier if chain.spec.ib else 1
    if one.price_magnifier != magnifier:
        notes.append(
            f"{chain.root} {month}: price magnifier {one.price_magnifier} at IB, {magnifier} by"
            " the spec; IB's is taken"
        )
    return FoundContract(chain, month, one, ends, tuple(notes))


def _is_month(one: ContractDetails, month: ContractMonth) -> bool:
    return one.contract_month == f"{month.year:04d}{month.month:02d}"


def _is_size(one: ContractDetails, chain: Chain, month: ContractMonth) -> bool:
    multiplier = chain.spec.multiplier.at(month)
    if multiplier is None or not one.contract.multiplier:
        return True
    try:
        return Decimal(one.contract.multiplier) == multiplier
    except InvalidOperation:
        return False


def _last_trade(client: CachedClient, one: ContractDetails, row: ChainRow) -> dt.date:
    """Return the trading date of the last trade."""
    contract = one.contract
    try:
        found = last_trade(
            contract.last_trade,
            one.time_zone,
            date=contract.last_trade_date,
            login_zone=client.client.config.login_zone,
        )
    except TimeError as error:
        name = contract.local_symbol or contract.symbol
        raise ContractNotFoundError(f"{name}: its last trade cannot be read: {error}") from None
    if found.instant is not None and found.instant == row.last_trade_utc and row.last_trade:
        return row.last_trade  # in an evening session the date is the one before
    return found.date


def _explain(
    wanted: Contract,
    chain: Chain,
    month: ContractMonth,
    found: Sequence[ContractDetails],
    fits: Sequence[ContractDetails],
) -> str:
    words = (wanted.symbol, wanted.trading_class, wanted.last_trade, wanted.exchange)
    name = f"{chain.root} {month} ({' '.join(filter(None, words))})"
    if fits:
        names = ", ".join(one.contract.local_symbol for one in fits)
        return f"{name}: more than one contract at IB: {names}"
    if found:
        names = ", ".join(
            f"{one.contract.local_symbol} of {one.contract_month} x {one.contract.multiplier}"
            for one in found
        )
        multiplier = chain.spec.multiplier.at(month)
        return f"{name} x {multiplier}: IB has other contracts only: {names}"
    text = f"{name}: IB knows no such contract"
    last = chain.row(month).last_trade
    return text if last is None else f"{text}; it knows expired ones for about two years ({last})"
