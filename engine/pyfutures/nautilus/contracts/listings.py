"""The contracts that a node knows: instrument, broker's contract, root and month in one value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nautilus_trader.model.identifiers import InstrumentId
    from nautilus_trader.model.instruments import Instrument

    from pyfutures.chain import Chain
    from pyfutures.ib.messages.contracts import Contract, ContractDetails
    from pyfutures.months import ContractMonth
    from pyfutures.nautilus.prices import PriceScale

__all__ = ["Listing", "Listings", "UnknownInstrumentError"]


class UnknownInstrumentError(KeyError):
    """An instrument that no contract of the broker stands behind."""

    def __str__(self) -> str:
        """Print one sentence: a KeyError would print its repr."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument of the node and what it is at the broker.

    Attributes
    ----------
    instrument
        A `FuturesContract`, or a `FuturesSpread`.
    contract
        How requests and orders name it.
    details
        What the broker says of it; None for a spread.
    chains
        The roots that it is a month of, in order of their names; none if no spec knows it.
    month
        Its contract month; None for a spread and where the broker does not tell.
    scale
        How its prices are read.
    legs
        The near and the far leg of a spread.

    """

    instrument: Instrument
    contract: Contract
    details: ContractDetails | None
    chains: tuple[Chain, ...]
    month: ContractMonth | None
    scale: PriceScale
    legs: tuple[Listing, ...] = ()

    @property
    def id(self) -> InstrumentId:
        """The id of the instrument."""
        return self.instrument.id

    @property
    def con_id(self) -> int:
        """The broker's number of the contract; 0 for a spread."""
        return self.contract.con_id

    @property
    def roots(self) -> tuple[str, ...]:
        """The names of its roots."""
        return tuple(chain.root for chain in self.chains)


class Listings:
    """All that is known, by instrument id and by the broker's number."""

    def __init__(self) -> None:
        self._by_id: dict[InstrumentId, Listing] = {}
        self._by_con_id: dict[int, Listing] = {}

    def __iter__(self) -> Iterator[Listing]:
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, instrument_id: object) -> bool:
        return instrument_id in self._by_id

    def by_id(self, instrument_id: InstrumentId) -> Listing:
        """Return the listing of an instrument.

        Raises
        ------
        UnknownInstrumentError
            If there is none.

        """
        found = self._by_id.get(instrument_id)
        if found is None:
            raise UnknownInstrumentError(
                f"{instrument_id} is not loaded: name its root and month in the instrument"
                " provider's config, or the id in `load_ids`"
            )
        return found

    def by_con_id(self, con_id: int) -> Listing | None:
        """Return the listing of the broker's number, None if it is not known."""
        return self._by_con_id.get(con_id)

    def roots(self, root: str) -> tuple[Listing, ...]:
        """Return the listings of a root by month, without spreads."""
        found = [x for x in self._by_id.values() if x.month is not None and root in x.roots]
        return tuple(sorted(found, key=lambda x: x.month))  # type: ignore[arg-type,return-value]

    def add(self, listing: Listing) -> Listing:
        """Add or renew a listing and return it; it keeps the roots that it had before.

        Raises
        ------
        ValueError
            If another contract of the broker has the same instrument id.

        """
        before = self._by_id.get(listing.id)
        if before is not None:
            if before.con_id != listing.con_id:
                raise ValueError(
                    f"{listing.id} is two contracts at IB: {_words(before)} and {_words(listing)}"
                )
            names = {chain.root: chain for chain in (*before.chains, *listing.chains)}
            chains = tuple(names[root] for root in sorted(names))
            listing = replace(listing, chains=chains, month=listing.month or before.month)
        self._by_id[listing.id] = listing
        if listing.con_id:
            self._by_con_id[listing.con_id] = listing
        return listing


def _words(listing: Listing) -> str:
    contract = listing.contract
    name = contract.local_symbol or contract.symbol
    return f"{name} of {contract.exchange} (id {contract.con_id})"
