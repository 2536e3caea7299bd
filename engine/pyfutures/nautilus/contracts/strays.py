"""Contracts that a node meets without having asked for them: whose they are, what they are called.

An account may hold what no config names. If a spec knows the contract it is a listing of that root
like any other. If not, it gets an id that depends on the catalogue and the broker alone, so that it
is the same in every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue

from pyfutures.ib.comparison import resolve
from pyfutures.nautilus.contracts.shelves import lists
from pyfutures.nautilus.instruments import contract_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyfutures.chain import Chain
    from pyfutures.diagnostics import Diagnostic
    from pyfutures.ib.messages.contracts import ContractDetails
    from pyfutures.months import ContractMonth

__all__ = ["fitting", "stray_id"]


def fitting(
    chains: Iterable[Chain],
    month: ContractMonth,
    others: Sequence[ContractDetails],
    con_id: int,
    login_zone: str | None = None,
) -> list[tuple[Chain, tuple[Diagnostic, ...]]]:
    """Return the roots whose month a contract is, with what disagrees.

    Parameters
    ----------
    chains
        The roots that are kept on the contract's shelf.
    month
        Its contract month.
    others
        Everything on that shelf, the contract included.
    con_id
        The broker's number of the contract.
    login_zone
        The zone chosen at the gateway's login.
    """
    fits: list[tuple[Chain, tuple[Diagnostic, ...]]] = []
    for chain in chains:
        if lists(chain, month):
            found = resolve(chain, month, others, login_zone=login_zone)
            if found.details is not None and found.details.contract.con_id == con_id:
                fits.append((chain, found.diagnostics))
    # Whoever names the class knows the contract better than who leaves it open.
    return [fit for fit in fits if all(one.code != "PF607" for one in fit[1])] or fits


def stray_id(
    details: ContractDetails,
    month: ContractMonth | None,
    chains: Iterable[Chain],
    others: Sequence[ContractDetails],
    *,
    venue: str,
) -> InstrumentId:
    """Return the id of a contract that is no month of any spec.

    It is class and month where nothing else is called so, neither another contract of the broker
    nor a month of a spec; else the local symbol.
    """
    contract = details.contract
    namesakes = [
        one
        for one in others
        if one.contract.trading_class == contract.trading_class
        and one.contract_month == details.contract_month
    ]
    if month is not None and contract.trading_class and len(namesakes) <= 1:
        names = {chain.trading_class(month) or chain.root for chain in chains}
        if contract.trading_class not in names:
            return contract_id(contract.trading_class, month, venue)
    local = "_".join(contract.local_symbol.split())
    return InstrumentId(Symbol(local or f"{contract.symbol}_{contract.con_id}"), Venue(venue))
