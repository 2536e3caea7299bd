"""Contracts that a node meets in positions, orders and fills, whatever its config names.

The law: what is held is never dropped. If a spec knows the contract it is a listing of that root;
if not, it is listed as a stray; if the broker itself does not know it, that is an error where
something is held, and elsewhere a line of the log and a count, so that one forgotten contract does
not keep the node from all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.ib.messages.contracts import Contract
from pyfutures.nautilus.config import Disagreement, VenueForm
from pyfutures.nautilus.contracts.details import expiration_ns, stray_expiration_ns
from pyfutures.nautilus.contracts.disagreements import judged
from pyfutures.nautilus.contracts.listings import UnknownInstrumentError
from pyfutures.nautilus.contracts.shelves import at_exchange, mic_of, month_of, shelf_of
from pyfutures.nautilus.contracts.strays import fitting, stray_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyfutures.chain import Catalog, Chain
    from pyfutures.ib.messages.contracts import ContractDetails
    from pyfutures.months import ContractMonth
    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.contracts.named import NamedChains
    from pyfutures.nautilus.contracts.providers import FuturesInstrumentProvider
    from pyfutures.nautilus.contracts.shelves import Shelf

__all__ = ["HeldContracts"]


class HeldContracts:
    """Loads contracts by the broker's numbers. Part of the instrument provider.

    Parameters
    ----------
    provider
        What it is a part of.
    chains
        Where specs are found.

    """

    def __init__(self, provider: FuturesInstrumentProvider, chains: NamedChains) -> None:
        self._provider = provider
        self._chains = chains
        self.unknown: dict[int, int] = {}

    async def load(
        self, contracts: Iterable[int | Contract], *, required: bool
    ) -> tuple[Listing, ...]:
        """Load contracts; see `FuturesInstrumentProvider.load_con_ids`."""
        listings, log = self._provider.listings, self._provider.log
        named_by = {x if isinstance(x, int) else x.con_id: x for x in contracts}
        missing = [x for number, x in named_by.items() if listings.by_con_id(number) is None]
        refused: list[str] = []
        if missing:
            catalog = await self._chains.every()
            shelves: dict[Shelf, tuple[ContractDetails, ...]] = {}
            for one in missing:
                if not (isinstance(one, int) or one.sec_type in {"", "FUT"}):
                    log.warning(
                        f"{one.local_symbol or one.symbol} ({one.sec_type}, id {one.con_id}) is no"
                        " future: nothing of it is reported"
                    )
                elif not await self._load_one(one, catalog, shelves):
                    refused.append(_words(one))
                    self._count(one, required=required)
        if refused and required:
            raise UnknownInstrumentError(
                f"{', '.join(refused)}: there is a position, an order or a fill in it, and IB does"
                " not know it. IB forgets contracts about two years after they expired, and denies"
                " all of them while its servers are reset: try again later, or close it in TWS"
            )
        found = (listings.by_con_id(number) for number in sorted(named_by))
        return tuple(one for one in found if one is not None)

    def _count(self, one: int | Contract, *, required: bool) -> None:
        number = one if isinstance(one, int) else one.con_id
        self.unknown[number] = self.unknown.get(number, 0) + 1
        if not required and self.unknown[number] == 1:
            self._provider.log.error(
                f"{_words(one)}: IB has an order, a fill or a position of it and does not know it;"
                " it is left out of the reports"
            )

    async def _load_one(
        self,
        one: int | Contract,
        catalog: Catalog,
        shelves: dict[Shelf, tuple[ContractDetails, ...]],
    ) -> bool:
        """Load a contract; whether the broker knows it."""
        provider = self._provider
        number = one if isinstance(one, int) else one.con_id
        request = Contract(con_id=number, include_expired=True)
        answer = await provider.client.reference.details(request, patience=provider.patience)
        details = at_exchange(answer, catalog)
        if details is None:
            return False
        if details.contract.sec_type not in {"FUT", ""}:
            provider.log.warning(
                f"{details.contract.local_symbol} ({details.contract.sec_type}, id {number}) is no"
                " future: nothing of it is reported"
            )
            return True
        month = month_of(details)
        shelf = (details.contract.symbol, details.contract.exchange, details.contract.currency)
        if shelf not in shelves:
            shelves[shelf] = await provider.shelf(shelf, expired=True)
        others, zone = shelves[shelf], provider.login_zone
        owners = (
            [] if month is None else [x for x in catalog.values() if shelf_of(x, month) == shelf]
        )
        fits = [] if month is None else fitting(owners, month, others, number, zone)
        for chain, diagnostics in fits:
            assert month is not None  # noqa: S101 - or nothing fits
            expires = expiration_ns(chain, month, details, login_zone=zone)
            if expires is None:
                expires = stray_expiration_ns(details, login_zone=zone)
            for warning in judged(diagnostics, Disagreement.WARN):
                provider.log.warning(str(warning))
            provider.list_month(details, chain, month, expires)
        if not fits:
            self._stray(details, month, others, owners, catalog)
        return True

    def _stray(
        self,
        details: ContractDetails,
        month: ContractMonth | None,
        others: tuple[ContractDetails, ...],
        owners: list[Chain],
        catalog: Catalog,
    ) -> None:
        """List a contract that is no month of any spec; its id is the same in every run."""
        provider, contract = self._provider, details.contract
        venue = contract.exchange
        if provider.venue_form == VenueForm.MIC:
            venue = mic_of(contract.exchange, catalog)
        identity = stray_id(details, month, owners, others, venue=venue)
        provider.log.warning(
            f"{identity}: {contract.local_symbol} of {contract.exchange} (id {contract.con_id}) is"
            " in the account and in no spec; it is reported and can be closed, and nothing rolls it"
        )
        expires = stray_expiration_ns(details, login_zone=provider.login_zone)
        exchange = mic_of(contract.exchange, catalog)
        provider.list_contract(details, identity, (), month, expires, exchange)


def _words(one: int | Contract) -> str:
    if isinstance(one, int):
        return f"contract {one}"
    return f"contract {one.con_id} ({one.local_symbol or one.symbol})"
