"""The gateway's contract of a root and month, found and compared with the spec.

The contract month is the delivery month, which need not be the month of the last trade. Expired
contracts are asked for too; gateways know them for about two years.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pyfutures.download.errors import ContractNotFoundError
from pyfutures.ib.comparison import broker_last_trade, resolve
from pyfutures.ib.failures import RequestFailedError
from pyfutures.ib.messages.contracts import Contract

if TYPE_CHECKING:
    from pyfutures.chain import Chain
    from pyfutures.diagnostics import Diagnostic
    from pyfutures.ib.cached import CachedClient
    from pyfutures.ib.messages.contracts import ContractDetails
    from pyfutures.ib.messages.history import RequestHeadTimestamp
    from pyfutures.months import ContractMonth

__all__ = ["FoundContract", "contract_of", "find_contract", "find_head"]

#: What disagrees and is only noted, with how; everything else is another contract.
_NOTED: Final = {"PF603": "{}", "PF605": "{}", "PF606": "{}; IB's is taken"}


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


async def find_head(
    client: CachedClient, request: RequestHeadTimestamp, *, patience: float = 0.0
) -> dt.datetime | None:
    """Return the first instant with data, None where the gateway does not tell.

    Raises
    ------
    RequestError
        One of its kinds.

    """
    try:
        head = await client.head(request, patience=patience)
    except RequestFailedError:
        return None  # not for all expired contracts; what they have is had all the same
    if isinstance(head, dt.datetime):
        return head
    return dt.datetime.combine(head, dt.time(), dt.UTC) - dt.timedelta(days=1)


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
    found = await client.details(contract_of(chain, month), patience=patience)
    login_zone = client.client.config.login_zone
    resolution = resolve(chain, month, found, login_zone=login_zone)
    fatal = [one for one in resolution.diagnostics if one.code not in _NOTED]
    if resolution.details is None or fatal:
        raise ContractNotFoundError("; ".join(map(_words, fatal)))
    ends = broker_last_trade(chain, month, resolution.details, login_zone=login_zone).date
    notes = tuple(_NOTED[one.code].format(one.message) for one in resolution.diagnostics)
    return FoundContract(chain, month, resolution.details, ends, notes)


def _words(one: Diagnostic) -> str:
    return one.message if one.help is None else f"{one.message}; {one.help}"
