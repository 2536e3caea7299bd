"""Which roots and months a config means: by its roots, by an instrument id."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from pyfutures.chain import Catalog
from pyfutures.months import ContractMonth
from pyfutures.nautilus.config import VenueForm
from pyfutures.nautilus.contracts.listings import UnknownInstrumentError
from pyfutures.nautilus.contracts.shelves import lists, shelf_of

if TYPE_CHECKING:
    from nautilus_trader.model.identifiers import InstrumentId

    from pyfutures.chain import Chain
    from pyfutures.nautilus.config import FuturesInstrumentProviderConfig

__all__ = ["NamedChains"]

_SYMBOL: Final = re.compile(r"(.+)([FGHJKMNQUVXZ])(\d\d)")


class NamedChains:
    """The chains of a config; they are read once, when they are first asked for.

    Parameters
    ----------
    config
        That of the instrument provider.

    """

    def __init__(self, config: FuturesInstrumentProviderConfig) -> None:
        self._config = config
        self._catalog: Catalog | None = None
        self._whole: Catalog | None = None

    async def chosen(self) -> Catalog:
        """Return the roots that the config names; all without `roots`.

        Raises
        ------
        SpecError
            If a spec cannot be read.
        UnknownRootError
            If one of `roots` is in no folder.

        """
        roots = self._config.roots
        if roots is None:
            return await self.every()
        if self._catalog is None:
            load = asyncio.to_thread(Catalog.load, *self._config.catalog, roots=sorted(roots))
            self._catalog = await load
        return self._catalog

    async def every(self) -> Catalog:
        """Return the whole catalogue, with the chains that are in use already as they are.

        Raises
        ------
        SpecError
            If a spec cannot be read.

        """
        if self._whole is None:
            self._whole = await asyncio.to_thread(Catalog.load, *self._config.catalog)
        if self._catalog is not None:
            merged = {**self._whole, **self._catalog}
            self._whole = Catalog(merged, self._whole.calendars)
        return self._whole

    async def meant(self, instrument_id: InstrumentId) -> list[tuple[Chain, ContractMonth]]:
        """Return the roots and the month that an id names.

        Raises
        ------
        SpecError
            If a spec cannot be read.
        UnknownInstrumentError
            If it is no contract of the catalogue.

        """
        found = _SYMBOL.fullmatch(instrument_id.symbol.value)
        if found is not None:
            name, code, year = found.groups()
            month = ContractMonth.parse(f"20{year}{code}")
            owners = [
                (chain, month)
                for chain in (await self.every()).values()
                if (chain.trading_class(month) or chain.root) == name
                and lists(chain, month)
                and shelf_of(chain, month) is not None
                and instrument_id.venue.value == self._venue_of(chain, month)
            ]
            if owners:
                return owners
        raise UnknownInstrumentError(
            f"{instrument_id} is no contract of the catalogue: ids are the IB trading class, the"
            " month code, the two-digit year and the venue, as in ESH26.XCME"
        )

    def _venue_of(self, chain: Chain, month: ContractMonth) -> str | None:
        if self._config.venue == VenueForm.MIC:
            return chain.spec.exchange
        return None if chain.spec.ib is None else chain.spec.ib.exchange.at(month)
