"""Where the broker keeps contracts: under symbol, exchange and currency, across all classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.chain import ChainError
from pyfutures.months import ContractMonth, MonthError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyfutures.chain import Catalog, Chain
    from pyfutures.ib.messages.contracts import ContractDetails

__all__ = [
    "Shelf",
    "at_exchange",
    "lists",
    "mic_of",
    "month_of",
    "shelf_of",
    "shelves_of",
    "told_months",
]

#: Symbol, exchange and currency.
type Shelf = tuple[str, str, str]


def month_of(details: ContractDetails) -> ContractMonth | None:
    """Return the contract month of a broker's contract, None if it tells none."""
    try:
        return ContractMonth.parse(details.contract_month)
    except MonthError:
        return None  # it is named by its local symbol then


def lists(chain: Chain, month: ContractMonth) -> bool:
    """Return whether a root lists a month."""
    try:
        chain.row(month)
    except ChainError:
        return False
    return True


def shelf_of(chain: Chain, month: ContractMonth) -> Shelf | None:
    """Return where a month of a root is kept, None if the broker does not have it."""
    identity = chain.spec.ib
    if identity is None:
        return None
    symbol, exchange = identity.symbol.at(month), identity.exchange.at(month)
    if symbol is None or exchange is None:
        return None
    return (symbol, exchange, chain.spec.currency)


def shelves_of(chain: Chain, months: Iterable[ContractMonth], *, whole: bool) -> set[Shelf]:
    """Return where months of a root are kept; with `whole` also what is listed there now."""
    found = {shelf_of(chain, month) for month in months}
    if whole and chain.spec.ib is not None:
        found |= {
            (symbol, exchange, chain.spec.currency)
            for symbol in chain.spec.ib.symbol.values[-1:]
            for exchange in chain.spec.ib.exchange.values[-1:]
        }
    return {shelf for shelf in found if shelf is not None}


def told_months(
    chain: Chain, answers: Mapping[Shelf, tuple[ContractDetails, ...]]
) -> set[ContractMonth]:
    """Return the listed months of a root that the broker has."""
    found = {
        month
        for shelf, answer in answers.items()
        for details in answer
        if (month := month_of(details)) is not None and shelf_of(chain, month) == shelf
    }
    return {month for month in found if lists(chain, month)}


def at_exchange(answer: tuple[ContractDetails, ...], catalog: Catalog) -> ContractDetails | None:
    """Return the details at the exchange: smart routers list the same contract once more."""
    exchanges = {
        exchange
        for chain in catalog.values()
        if chain.spec.ib is not None
        for exchange in chain.spec.ib.exchange.values
    }
    known = [one for one in answer if one.contract.exchange in exchanges]
    return next(iter(known or answer), None)


def mic_of(exchange: str, catalog: Catalog) -> str:
    """Return the MIC of an exchange of the broker; its own name where that is not clear."""
    found = {
        chain.spec.exchange
        for chain in catalog.values()
        if chain.spec.ib is not None and exchange in chain.spec.ib.exchange.values
    }
    return found.pop() if len(found) == 1 else exchange
