"""What a node's rolling strategies hold and how they move it, read from its file alone.

The rolls are those of the roll actor of the same root: its own hold cycle and offsets count.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from nautilus_trader.common.component import LiveClock
from nautilus_trader.common.config import resolve_config_path, resolve_path

from pyfutures.chain.catalog import Catalog
from pyfutures.nautilus.actor_config import RollActorConfig
from pyfutures.nautilus.config import FuturesExecClientConfig
from pyfutures.nautilus.instruments import instrument_id
from pyfutures.nautilus.link import Link
from pyfutures.nautilus.rolling import RollingStrategy
from pyfutures.specs.model import Anchor, OffsetUnit
from pyfutures.store import Store
from pyfutures.store.moves import stored_target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nautilus_trader.config import TradingNodeConfig

    from pyfutures.chain import Chain, RollCalendar
    from pyfutures.months import ContractMonth
    from pyfutures.nautilus.rolling_config import RollingStrategyConfig
    from pyfutures.positions.book import Target

__all__ = ["PlanError", "RollingRoot", "broker_positions", "rolling_roots"]


class PlanError(ValueError):
    """A node whose moves cannot be told; says what is missing."""


@dataclass(frozen=True)
class RollingRoot:
    """A root that a node holds.

    Parameters
    ----------
    config
        Of its strategy.
    chain, calendar
        The root, and its rolls as its roll actor has them.
    account
        At the broker.
    contracts
        Signed quantity by contract id, of its ledger.
    ledgers
        Of all roots of the account: signed quantity by root and contract id.
    moves
        Ids of the moves that were begun and not ended.
    set_target
        The target that was set while the strategy ran; None if none was.
    """

    config: RollingStrategyConfig
    chain: Chain
    calendar: RollCalendar
    account: str
    contracts: Mapping[str, int]
    ledgers: Mapping[str, Mapping[str, int]]
    moves: tuple[str, ...]
    set_target: Target | None = None

    @property
    def opening(self) -> int:
        """Signed quantity that is opened when the node runs."""
        config, told = self.config, self.set_target
        if any(self.contracts.values()) or self.moves:
            return 0
        if told is not None and told.configured == config.target:
            return told.quantity if told.opens or config.open_when_flat else 0
        return config.target or 0 if config.open_when_flat else 0

    @property
    def root(self) -> str:
        """The root."""
        return self.chain.root

    @property
    def names(self) -> dict[str, ContractMonth]:
        """Months by contract id."""
        venue = self.config.venue
        return {
            str(instrument_id(self.chain, month, venue=venue)): month for month in self.chain.months
        }

    @property
    def position(self) -> dict[ContractMonth, int]:
        """Signed quantity by month.

        Raises
        ------
        PlanError
            If the ledger has a contract that is no month of the root.
        """
        names = self.names
        for contract in self.contracts:
            if contract not in names:
                raise PlanError(f"{self.root}: the ledger has {contract}, which the spec does not")
        return {names[contract]: quantity for contract, quantity in self.contracts.items()}


def rolling_roots(node: TradingNodeConfig, *, folders: Sequence[str] = ()) -> list[RollingRoot]:
    """Return what a node holds, by its strategies and their stores.

    Parameters
    ----------
    node
        Its config.
    folders
        Of specs, laid over the catalogue before those that the strategies name.

    Raises
    ------
    PlanError
        If it has no rolling strategy, or one whose account is not known.
    """
    configs = [_parsed(part) for part in node.strategies if _is_rolling(part.strategy_path)]
    if not configs:
        raise PlanError("the node has no strategy that is a RollingStrategy")
    actors = [resolve_config_path(part.config_path) for part in node.actors]
    rolls = {}
    for part, wanted in zip(node.actors, actors, strict=True):
        if issubclass(wanted, RollActorConfig):
            config = wanted.parse(msgspec.json.encode(part.config))
            if config.series in {None, config.root}:
                rolls[config.root] = config
    return [_root(config, rolls.get(config.root), node, folders) for config in configs]


def _is_rolling(path: str) -> bool:
    found = resolve_path(path)
    return isinstance(found, type) and issubclass(found, RollingStrategy)


def _parsed(part: Any) -> RollingStrategyConfig:  # noqa: ANN401 - nautilus has no types
    wanted = resolve_config_path(part.config_path)
    config: RollingStrategyConfig = wanted.parse(msgspec.json.encode(part.config))
    return config


def _root(
    config: RollingStrategyConfig,
    actor: RollActorConfig | None,
    node: TradingNodeConfig,
    folders: Sequence[str],
) -> RollingRoot:
    chain = Catalog.load(*folders, *config.contracts, roots=[config.root])[config.root]
    account = config.account_id or _account(config.root, node)
    ledgers: dict[str, dict[str, int]] = {}
    moves: tuple[str, ...] = ()
    told = None
    target = config.store
    if target is not None and ("://" in target or Path(target).exists()):
        with Store.open(target) as store:
            ledgers = store.positions(account)
            moves = tuple(intent.id for intent in store.open_intents(account, config.root))
            told = stored_target(store, account, config.root)
    contracts = ledgers.get(config.root, {})
    calendar = _calendar(chain, config, actor)
    return RollingRoot(config, chain, calendar, account, contracts, ledgers, moves, told)


def _calendar(
    chain: Chain, config: RollingStrategyConfig, actor: RollActorConfig | None
) -> RollCalendar:
    if actor is None:
        return chain.roll_calendar(hold=config.hold)
    return chain.roll_calendar(
        hold=actor.hold,
        priced=actor.priced,
        anchor=None if actor.anchor is None else Anchor(actor.anchor),
        offset=actor.offset,
        unit=None if actor.unit is None else OffsetUnit(actor.unit),
        carry=actor.carry,
    )


def _clients(node: TradingNodeConfig) -> list[FuturesExecClientConfig]:
    parsed = [client.create() for client in node.exec_clients.values()]
    return [client for client in parsed if isinstance(client, FuturesExecClientConfig)]


def _account(root: str, node: TradingNodeConfig) -> str:
    accounts = {client.account_id for client in _clients(node)} - {None}
    if len(accounts) != 1:
        raise PlanError(
            f"{root}: the file names {len(accounts)} accounts; name one with `account_id`, in the"
            " strategy or in the execution client"
        )
    return str(accounts.pop())


def broker_positions(
    node: TradingNodeConfig, roots: Sequence[RollingRoot], *, client_id: int
) -> dict[str, dict[str, int]]:
    """Return what the broker holds, by account and contract id, of what it calls a future.

    Parameters
    ----------
    node
        Says where the gateway is.
    roots
        Whose accounts are asked for.
    client_id
        Of the connection; the node may be running under its own.

    Raises
    ------
    IbError
        If the gateway cannot be asked.
    PlanError
        If the node has no execution client of ours.
    """
    clients = _clients(node)
    if not clients:
        raise PlanError("the node has no execution client to ask the broker by")
    accounts = {root.account for root in roots}
    found: dict[str, dict[str, int]] = {account: {} for account in accounts}

    async def ask(client: FuturesExecClientConfig) -> None:
        config = msgspec.structs.replace(client, client_id=client_id)
        link = Link(config, clock=LiveClock())
        try:
            await link.client.start(config.connection_timeout)
            rows = [
                row
                for row in await link.client.account.positions()
                if row.account in accounts and row.position
            ]
            await link.provider.load_con_ids([row.contract for row in rows])
            for row in rows:
                listing = link.listings.by_con_id(row.contract.con_id)
                if listing is not None:
                    found[row.account][str(listing.id)] = int(row.position)
        finally:
            await link.client.close()

    gateways = {(client.host, client.port): client for client in clients}
    for client in gateways.values():
        asyncio.run(ask(client))
    return found
