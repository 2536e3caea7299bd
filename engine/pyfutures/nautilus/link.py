"""One connection to a gateway, shared by the clients of a node.

A link is the IB client, the instrument provider and the listings of one gateway and client id, in
one event loop. Whoever opens it first connects; the last one to close it disconnects.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from nautilus_trader.common.component import Logger

from pyfutures.ib.client import Client
from pyfutures.ib.config import ClientConfig
from pyfutures.ib.errors import ProtocolError
from pyfutures.ib.failures import ConnectError, ConnectionLostError, NotConnectedError
from pyfutures.ib.versions import Versions
from pyfutures.nautilus.config import differences
from pyfutures.nautilus.contracts.listings import Listings
from pyfutures.nautilus.contracts.providers import FuturesInstrumentProvider

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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
#: Seconds before a failure that goes on is said again.
_SAID: Final = 3600.0
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
        self.waits_for = ""
        self._log = Logger("PYF-Link")
        self._said: tuple[str, float] | None = None
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
                except BaseException as error:  # cancelled or failed: nothing may be left behind
                    if isinstance(error, Exception):
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
        where = f"{self.config.host}:{self.config.port}"
        self.waits_for = f"a session with {where}"
        try:
            await self.client.start(self.config.connection_timeout)
        except ConnectError as error:
            raise _explained(error, where) from error
        self.waits_for = "the contracts of the instrument provider"
        await self.provider.initialize()
        self.waits_for = ""
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

    # Looking again.

    async def _refresh(self) -> None:
        """Look at the broker's contracts again, every hour and when a root rolls, for ever."""
        while True:
            delay = await self._done(self._until_due)
            await self.client.clock.sleep(delay)
            await self._done(lambda: self.provider.initialize(reload=True))

    async def _until_due(self) -> float:
        usual: float = self.config.instrument_provider.refresh_mins * 60
        roll = await self.provider.until_roll()
        return usual if roll is None else min(usual, roll + _AFTER_ROLL)

    async def _done[T](self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return an answer of the gateway, however often it has to be asked for it."""
        retry = min(self.config.instrument_provider.refresh_mins * 60, _RETRY)
        failed = 0
        while True:
            await self._session()
            try:
                answer = await ask()
            except (NotConnectedError, ConnectionLostError):
                await self.client.clock.sleep(_AFTER_ROLL)  # an outage: `_session` tells of it
            except Exception as error:  # noqa: BLE001 - trading goes on with what is known
                failed += 1
                self.refresh_failures += 1
                self._say(error, retry)
                await self.client.clock.sleep(retry)
            else:
                if failed:
                    self._said = None
                    self._log.info(f"The instruments are refreshed, after {failed} failures")
                return answer

    async def _session(self) -> None:
        """Wait until requests can be sent, for as long as it takes."""
        if not self.client.is_ready:
            self._log.warning(
                "The instruments are refreshed when the gateway is back; those that are known stay"
            )
        while not self.client.is_ready:
            with contextlib.suppress(NotConnectedError):
                await self.client.ready(_SAID)
            if not self.client.is_ready:
                await self.client.clock.sleep(_AFTER_ROLL)

    def _say(self, error: Exception, retry: float) -> None:
        """Log a failure: at once if it is news, else once in an hour."""
        text, now = f"{type(error).__name__}: {error}", self.client.clock.monotonic()
        if self._said is not None and self._said[0] == text and now - self._said[1] < _SAID:
            return
        self._said = (text, now)
        self._log.error(
            f"The instruments could not be refreshed ({self.refresh_failures} times now); those"
            f" that are known stay, next try in {retry:g} s: {text}"
        )


def _explained(error: ConnectError, where: str) -> ConnectError:
    """Return an error that says why, where the client says only that time is over."""
    if type(error) is not ConnectError or not str(error).startswith("no session with"):
        return error
    why: object = error.__cause__ or (
        f"nothing at {where} answers as a gateway does; is it the port of TWS or IB Gateway, and is"
        " somebody logged in?"
    )
    if isinstance(why, ProtocolError):
        why = f"what listens there is no gateway: {why}"
    return ConnectError(f"{error}: {why}")


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
