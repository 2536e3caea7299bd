"""The instruments of a node, found at the broker by the chains of a catalogue.

Theory of operation. Each root is asked for once: everything that IB has under its symbol and
exchange. `pyfutures.ib.comparison` chooses among that month by month and says what disagrees. The
time is the gateway's. An instrument id belongs to the broker's contract, its class and month, so
roots that are one contract there share a listing. A contract that is no month of any spec (a
weekly, an unknown root) is loaded all the same where a position or an order is in it, under its
class and month if nothing else has these, else under its local symbol: the same in every run.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.model.identifiers import InstrumentId

from pyfutures.chain import ChainError
from pyfutures.codes import diagnostic
from pyfutures.ib.comparison import resolve
from pyfutures.ib.failures import RequestTimeoutError
from pyfutures.nautilus.config import Disagreement, VenueForm
from pyfutures.nautilus.contracts.details import expiration_ns, future_of, named
from pyfutures.nautilus.contracts.disagreements import judged
from pyfutures.nautilus.contracts.held import HeldContracts
from pyfutures.nautilus.contracts.listings import Listing
from pyfutures.nautilus.contracts.named import NamedChains
from pyfutures.nautilus.contracts.selection import next_roll, selected, trades
from pyfutures.nautilus.contracts.shelves import shelf_of, shelves_of, told_months
from pyfutures.nautilus.contracts.strays import fitting
from pyfutures.nautilus.instruments import contract_id
from pyfutures.nautilus.prices import PriceScale
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    from nautilus_trader.common.component import Clock, Logger

    from pyfutures.chain import Chain
    from pyfutures.diagnostics import Diagnostic
    from pyfutures.ib.client import Client
    from pyfutures.ib.messages.contracts import Contract, ContractDetails
    from pyfutures.months import ContractMonth
    from pyfutures.nautilus.config import FuturesInstrumentProviderConfig
    from pyfutures.nautilus.contracts.listings import Listings
    from pyfutures.nautilus.contracts.shelves import Shelf


__all__ = ["FuturesInstrumentProvider"]

#: How many roots are asked for at a time: a gateway that is slow gets no heap of requests at once.
_AT_ONCE: Final = 8


class FuturesInstrumentProvider(InstrumentProvider):  # type: ignore[misc] # nautilus has no types
    """The instruments of a node.

    Parameters
    ----------
    client
        Whom to ask; it must be started before anything is loaded.
    config
        What to load.
    listings
        Where everything that was found is kept, with what it is at the broker.
    clock
        When instruments became known.
    login_zone
        The zone chosen at the gateway's login.
    patience
        Seconds during which denials are met with another try: IB denies what exists while its
        servers are reset.

    """

    def __init__(  # noqa: PLR0913 - one parameter a thing it needs
        self,
        client: Client,
        config: FuturesInstrumentProviderConfig,
        *,
        listings: Listings,
        clock: Clock,
        login_zone: str | None = None,
        patience: float = 30.0,
    ) -> None:
        super().__init__(config)
        self.client = client
        self.listings = listings
        self._loaded = False
        self.warnings: tuple[Diagnostic, ...] = ()
        self._clock = clock
        self.login_zone = login_zone
        self.patience = patience
        self._chains = NamedChains(config)
        self._held = HeldContracts(self, self._chains)
        self._callbacks: list[Callable[[Listing], object]] = []

    # What nautilus and the clients call.

    async def initialize(self, reload: bool = False) -> None:  # noqa: FBT001, FBT002 - nautilus' own
        """Load what the config names, once; again with `reload`.

        Raises
        ------
        BrokerDisagreementError
            If the broker contradicts a spec, and the config wants that to be an error.
        ChainError
            If a root has no position at this instant.
        RequestError
            If the broker does not answer.
        SpecError
            If a spec cannot be read.
        UnknownInstrumentError
            If one of `load_ids` is no contract of the catalogue.
        UnknownRootError
            If one of `roots` is in no folder.
        """
        async with self._init_lock:
            if self._loaded and not reload:
                return
            config = self._config
            if not (config.load_all or config.roots or config.load_ids):
                self._log.warning(
                    "Nothing to load: name `roots`, `load_ids` or `load_all` in the instrument"
                    " provider's config. Positions at the broker are loaded all the same"
                )
                return
            if config.load_all or config.roots:
                await self.load_all_async(config.filters)
            if config.load_ids:
                ids = sorted(config.load_ids, key=str)
                await self.load_ids_async(
                    [x if isinstance(x, InstrumentId) else InstrumentId.from_str(x) for x in ids]
                )
            self._loaded = True
            self._log.info(f"{self.count} instruments of {self._summary()}")

    async def load_all_async(self, filters: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Load the months of every root that the config names; every root of IB without `roots`.

        Raises
        ------
        BrokerDisagreementError
            If the broker contradicts a spec, and the config wants that to be an error.
        ChainError
            If a root that is named has no position at this instant.
        RequestError
            If the broker does not answer.
        SpecError
            If a spec cannot be read.
        UnknownRootError
            If one of `roots` is in no folder.
        """
        config, now = self._config, await self._now()
        wanted: dict[Chain, dict[ContractMonth, bool]] = {}
        for chain in (await self._chains.chosen()).values():
            if config.roots is None and chain.spec.ib is None:
                continue
            try:
                wanted[chain] = selected(chain, config.months, now)
            except ChainError as error:
                if config.roots is not None:
                    raise
                self._log.warning(f"{chain.root} is left out: {error}")
        await self._load(wanted, now, whole=config.months.all)

    async def load_ids_async(
        self,
        instrument_ids: list[InstrumentId],
        filters: dict[str, Any] | None = None,  # noqa: ARG002 - nautilus' own
    ) -> None:
        """Load single contracts, also months that the config leaves out.

        Raises
        ------
        BrokerDisagreementError
            If the broker contradicts a spec, and the config wants that to be an error.
        RequestError
            If the broker does not answer.
        UnknownInstrumentError
            If one is no contract of the catalogue.
        """
        missing = [x for x in instrument_ids if x not in self.listings]
        if not missing:
            return
        wanted: dict[Chain, dict[ContractMonth, bool]] = {}
        for instrument_id in missing:
            for chain, month in await self._chains.meant(instrument_id):
                wanted.setdefault(chain, {})[month] = True
        await self._load(wanted, await self._now())

    async def load_async(
        self,
        instrument_id: InstrumentId,
        filters: dict[str, Any] | None = None,
    ) -> None:
        """Load one contract, as `load_ids_async` does."""
        await self.load_ids_async([instrument_id], filters)

    async def load_con_ids(
        self, contracts: Iterable[int | Contract], *, required: bool = True
    ) -> tuple[Listing, ...]:
        """Load the broker's contracts of positions, orders and fills, known to a spec or not.

        Expired ones too. What a spec says of them is compared and only ever a warning here: a
        position must not be dropped for it. What is no future is logged and left out.

        Parameters
        ----------
        contracts
            Numbers of the broker, or contracts that have one, as positions and fills do.
        required
            Whether one that the broker does not know is an error, as it is where something is held.
            Else it is left out, and `unknown` counts it; each is logged once.

        Returns
        -------
        tuple of Listing
            In the order of the numbers, those that were known before included.

        Raises
        ------
        RequestError
            If the broker does not answer.
        UnknownInstrumentError
            If the broker does not know a number that is required; all others are loaded by then.
        """
        return await self._held.load(contracts, required=required)

    @property
    def log(self) -> Logger:
        """Where its parts log."""
        return self._log

    @property
    def venue_form(self) -> VenueForm:
        """What stands behind the point of its ids."""
        form: VenueForm = self._config.venue
        return form

    @property
    def unknown(self) -> dict[int, int]:
        """How often contracts were met that the broker does not know, by their numbers."""
        return self._held.unknown

    def subscribe(self, callback: Callable[[Listing], object]) -> Callable[[], None]:
        """Call back for every listing that is new or changed; the answer ends it."""
        self._callbacks.append(callback)

        def end() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return end

    async def until_roll(self) -> float | None:
        """Return the seconds until the next roll of a root that is loaded, None if there is none.

        Raises
        ------
        RequestError
            If the broker does not answer.
        """
        now = await self._now()
        rolls = []
        for chain in {chain.root: chain for one in self.listings for chain in one.chains}.values():
            try:
                day = next_roll(chain, now)
            except ChainError:
                continue  # an old contract of a root that has no position any more
            if day is not None:
                midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
                rolls.append((midnight - now).total_seconds() + (day - now.date()).days * 86400)
        return min((x for x in rolls if x > 0), default=None)

    # Loading.

    async def _load(
        self,
        wanted: Mapping[Chain, dict[ContractMonth, bool]],
        now: dt.datetime,
        *,
        whole: bool = False,
    ) -> None:
        """Load months of chains; what the broker must have and has not is a disagreement."""
        slots = asyncio.Semaphore(_AT_ONCE)
        expired: dict[Shelf, bool] = {}
        holders: dict[Shelf, list[Chain]] = {}
        found: list[Diagnostic] = []
        for chain, months in wanted.items():
            past = any(not trades(chain.row(month), now) for month in months)
            for shelf in shelves_of(chain, months, whole=whole):
                expired[shelf] = expired.get(shelf, self._config.include_expired) or past
                holders.setdefault(shelf, []).append(chain)

        async def ask(shelf: Shelf) -> tuple[ContractDetails, ...]:
            async with slots:
                return await self.shelf(shelf, expired=expired[shelf])

        try:
            async with asyncio.TaskGroup() as tasks:
                asked = {shelf: tasks.create_task(ask(shelf)) for shelf in expired}
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the others failed for the same reason, or later
        answers = {shelf: task.result() for shelf, task in asked.items()}
        for chain, months in wanted.items():
            every = dict(months)
            if whole:
                every |= {m: False for m in told_months(chain, answers) if m not in every}
            for month in sorted(every):
                place = shelf_of(chain, month)
                candidates = () if place is None else answers.get(place, ())
                found += self._take(chain, month, candidates, required=every[month])
        self._share(holders, answers)
        self._judge(found)

    def _share(
        self,
        holders: Mapping[Shelf, list[Chain]],
        answers: Mapping[Shelf, tuple[ContractDetails, ...]],
    ) -> None:
        """Give a listing to every root whose month it is, also where only one of them wanted it."""
        for listing in self.listings:
            month, contract = listing.month, listing.contract
            shelf = (contract.symbol, contract.exchange, contract.currency)
            if month is None or listing.details is None:
                continue
            others = [x for x in holders.get(shelf, ()) if x.root not in listing.roots]
            zone = self.login_zone
            for chain, _ in fitting(others, month, answers.get(shelf, ()), listing.con_id, zone):
                self._told(self.listings.add(replace(listing, chains=(chain,))), listing)

    def _take(
        self,
        chain: Chain,
        month: ContractMonth,
        candidates: tuple[ContractDetails, ...],
        *,
        required: bool,
    ) -> list[Diagnostic]:
        """List a month, and return what is wrong with it; nothing is listed that is an error."""
        resolution = resolve(chain, month, candidates, login_zone=self.login_zone)
        found = list(resolution.diagnostics)
        if resolution.details is None:
            absent = all(one.code == "PF601" for one in found)
            return [] if absent and not required else found
        details = resolution.details
        expires = expiration_ns(chain, month, details, login_zone=self.login_zone)
        if expires is None:
            return [*found, _timeless(chain, month)]
        if not found or self._config.on_disagreement == Disagreement.WARN:
            self.list_month(details, chain, month, expires)
        return found

    def _judge(self, found: list[Diagnostic]) -> None:
        warnings = judged(found, self._config.on_disagreement)
        self.warnings = tuple(dict.fromkeys((*self.warnings, *warnings)))
        for one in warnings:
            self._log.warning(str(one))

    def list_month(
        self, details: ContractDetails, chain: Chain, month: ContractMonth, expires: int
    ) -> Listing:
        """List a contract as a month of a root."""
        venue = self._venue(details, chain)
        identity = contract_id(details.contract.trading_class or chain.root, month, venue)
        return self.list_contract(details, identity, (chain,), month, expires, chain.spec.exchange)

    def list_contract(  # noqa: PLR0913, PLR0917 - one parameter a fact
        self,
        details: ContractDetails,
        identity: InstrumentId,
        chains: tuple[Chain, ...],
        month: ContractMonth | None,
        expires: int,
        exchange: str,
    ) -> Listing:
        """List a contract under an id, and tell whoever listens if it is news."""
        before = self.listings.by_con_id(details.contract.con_id)
        scale = PriceScale.of(details)
        instrument = future_of(
            details,
            identity,
            scale=scale,
            expires_ns=expires,
            exchange=exchange,
            ts_ns=self._clock.timestamp_ns(),
        )
        listing = self.listings.add(
            Listing(instrument, named(details), details, chains, month, scale)
        )
        self.add(instrument)
        self._told(listing, before)
        return listing

    def _told(self, listing: Listing, before: Listing | None) -> None:
        if before is None or not _is_same(before, listing):
            for callback in tuple(self._callbacks):
                callback(listing)

    # Asking.

    async def _now(self) -> dt.datetime:
        """Return the gateway's time: contracts expire by it, not by this machine's."""
        return await self.client.reference.server_time(patience=self.patience)

    async def shelf(self, shelf: Shelf, *, expired: bool) -> tuple[ContractDetails, ...]:
        """Return everything that the broker has under a symbol, exchange and currency.

        Raises
        ------
        RequestError
            If the broker does not answer.
        """
        symbol, exchange, currency = shelf

        async def ask() -> tuple[ContractDetails, ...]:
            return await self.client.reference.chain(
                symbol,
                exchange=exchange,
                currency=currency,
                include_expired=expired,
                patience=self.patience,
            )

        try:
            return await ask()
        except RequestTimeoutError as error:
            # A gateway that is short of breath (code 100) drops single requests.
            self._log.warning(f"{error}; it is asked again")
            return await ask()

    # Names.

    def _venue(self, details: ContractDetails, chain: Chain) -> str:
        if self._config.venue == VenueForm.IB:
            return details.contract.exchange
        return chain.spec.exchange

    def _summary(self) -> str:
        roots = sorted({root for one in self.listings for root in one.roots})
        return ", ".join(roots) if len(roots) <= 10 else f"{len(roots)} roots"


def _is_same(one: Listing, other: Listing) -> bool:
    return (one.details, one.chains, one.id) == (other.details, other.chains, other.id)


def _timeless(chain: Chain, month: ContractMonth) -> Diagnostic:
    return diagnostic(
        "PF610",
        f"{chain.root} {month}: neither the spec nor IB says at what time it trades last",
        locate(chain.spec.locations, ("last_trade",)),
        hint='add `at: "14:30 America/New_York"` to last_trade, or `hours` to the spec',
    )
