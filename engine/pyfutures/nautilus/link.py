"""One connection to a gateway, shared by the clients of a node.

A link is the IB client, the instrument provider and the listings of one gateway and client id, in
one event loop. Whoever opens it first connects; the last one to close it disconnects.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from nautilus_trader.common.component import Logger

from pyfutures.ib.client import Client
from pyfutures.ib.config import ClientConfig
from pyfutures.ib.versions import Versions
from pyfutures.nautilus.config import differences
from pyfutures.nautilus.contracts.listings import Listings
from pyfutures.nautilus.contracts.providers import FuturesInstrumentProvider

if TYPE_CHECKING:
    from nautilus_trader.common.component import Clock as NautilusClock
    from nautilus_trader.live.data_client import LiveMarketDataClient
    from nautilus_trader.live.execution_client import LiveExecutionClient

    from pyfutures.ib.clock import Clock
    from pyfutures.nautilus.config import FuturesDataClientConfig, FuturesExecClientConfig

    type NautilusClient = LiveMarketDataClient | LiveExecutionClient
    type LinkConfig = FuturesDataClientConfig | FuturesExecClientConfig

__all__ = ["Link", "LinkClosedError", "LinkConflictError", "client_config", "link_for", "links_of"]

#: Seconds behind a roll before the contracts are looked at, and behind a failure.
_AFTER_ROLL: Final = 1.0
_RETRY: Final = 60.0
#: Seconds during which the provider meets denials with another try.
_PATIENCE: Final = 30.0


class LinkConflictError(ValueError):
    """Two clients of one gateway and client id that are set up differently."""


class LinkClosedError(RuntimeError):
    """A link that is opened again after it was closed."""


def client_config(config: LinkConfig) -> ClientConfig:
    """Return how the IB client of a config is set up.

    Raises
    ------
    ValueError
        For server versions that are not spoken.

    """
    return ClientConfig(
        host=config.host,
        port=config.port,
        client_id=config.client_id,
        versions=Versions(*config.server_versions),
        request_deadline=config.request_timeout,
        history_deadline=config.history_timeout,
        login_zone=config.login_zone,
    )


class Link:
    """A shared connection. Made by `link_for`.

    Parameters
    ----------
    config
        That of the first client that asked.
    clock
        The node's clock: which month is current is asked of it.
    ib_clock
        The time of the connection; the machine's by default.

    """

    def __init__(
        self, config: LinkConfig, *, clock: NautilusClock, ib_clock: Clock | None = None
    ) -> None:
        self.config = config
        self.client = Client(client_config(config), clock=ib_clock)
        self.listings = Listings()
        self.provider = FuturesInstrumentProvider(
            self.client,
            config.instrument_provider,
            listings=self.listings,
            clock=clock,
            login_zone=config.login_zone,
            patience=min(config.connection_timeout, _PATIENCE),
        )
        self.clients: list[NautilusClient] = []
        self.failure: Exception | None = None
        self.refresh_failures = 0
        self._log = Logger("PYF-Link")
        self._users = 0
        self._opened = False
        self._lock = asyncio.Lock()
        self._refresher: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        where = f"{self.config.host}:{self.config.port}"
        return f"Link({where}, client id {self.config.client_id}, {self._users} users)"

    @property
    def users(self) -> int:
        """How many clients have it open."""
        return self._users

    async def open(self) -> None:
        """Connect and load the instruments, unless another client of the node has.

        Raises
        ------
        BrokerDisagreementError
            When the broker contradicts a spec, and the config wants that to be an error.
        ConnectError
            When there is no session in time.
        HandshakeError
            When the gateway speaks no version of ours.
        LinkClosedError
            When it was closed before: a node is built anew to be run again.
        RequestError
            When the broker does not say what contracts it has.
        SpecError
            When a spec cannot be read.
        """
        async with self._lock:
            if self.failure is not None:
                raise self.failure  # the other client of the node has tried already
            if self._opened and self._users == 0:
                raise LinkClosedError(f"{self!r} was closed: build the node anew to run it again")
            if self._users == 0:
                self._opened = True
                try:
                    await self._connect()
                except Exception as error:
                    self.failure = error
                    await self._disconnect()
                    raise
            self._users += 1

    async def close(self) -> None:
        """Disconnect, unless another client of the node still uses the connection."""
        async with self._lock:
            if self._users == 0:
                return
            self._users -= 1
            if self._users == 0:
                await self._disconnect()

    async def _connect(self) -> None:
        await self.client.start(self.config.connection_timeout)
        await self.provider.initialize()
        if self.config.instrument_provider.refresh_mins > 0:
            self._refresher = asyncio.get_running_loop().create_task(
                self._refresh(), name=f"pyfutures: refresh of {self!r}"
            )

    async def _disconnect(self) -> None:
        _forget(self)
        task, self._refresher = self._refresher, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self.client.close()

    async def _refresh(self) -> None:
        """Look at the broker's contracts again, every hour and when a root rolls, for ever."""
        usual = self.config.instrument_provider.refresh_mins * 60
        while True:
            try:
                roll = await self.provider.until_roll()
                delay = usual if roll is None else min(usual, roll + _AFTER_ROLL)
                await self.client.clock.sleep(delay)
                await self.provider.initialize(reload=True)
            except Exception as error:  # noqa: BLE001 - trading goes on with what is known
                self.refresh_failures += 1
                retry = min(usual, _RETRY)
                self._log.error(
                    f"The instruments could not be refreshed ({self.refresh_failures} times now);"
                    f" those that are known stay, next try in {retry:g} s: {error!r}\n{error}"
                )
                await self.client.clock.sleep(retry)


#: Links by event loop: a loop that is closed takes its links along.
_LINKS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int, int], Link]]] = (
    WeakKeyDictionary()
)


def link_for(
    loop: asyncio.AbstractEventLoop,
    config: LinkConfig,
    *,
    clock: NautilusClock,
    ib_clock: Clock | None = None,
) -> Link:
    """Return the link of a gateway and client id in an event loop; the same to all that ask.

    Raises
    ------
    LinkConflictError
        If another client of the same gateway and client id is set up differently.
    """
    for gone in [known for known in _LINKS if known.is_closed()]:
        del _LINKS[gone]  # a node that was never run, or did not start, still holds its loop
    links = _LINKS.setdefault(loop, {})
    key = (config.host, config.port, config.client_id)
    link = links.get(key)
    if link is None:
        link = links[key] = Link(config, clock=clock, ib_clock=ib_clock)
        return link
    conflicts = differences(link.config, config)
    if conflicts:
        words = "; ".join(
            f"{name} {ours!r} and {theirs!r}" for name, (ours, theirs) in conflicts.items()
        )
        raise LinkConflictError(
            f"two clients of {config.host}:{config.port} with client id {config.client_id} are set"
            f" up differently: {words}. Give both the same values, or client ids of their own"
        )
    return link


def links_of(loop: asyncio.AbstractEventLoop) -> tuple[Link, ...]:
    """Return the links of an event loop that are not closed."""
    return tuple(_LINKS.get(loop, {}).values())


def _forget(link: Link) -> None:
    for links in _LINKS.values():
        for key in [key for key, one in links.items() if one is link]:
            del links[key]
