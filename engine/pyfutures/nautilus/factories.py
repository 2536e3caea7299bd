"""What nautilus_trader calls to make the clients of a node; both share one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nautilus_trader.live.factories import LiveDataClientFactory, LiveExecClientFactory

from pyfutures.nautilus.config import FuturesDataClientConfig, FuturesExecClientConfig
from pyfutures.nautilus.link import link_for

if TYPE_CHECKING:
    import asyncio

    from nautilus_trader.cache.cache import Cache
    from nautilus_trader.common.component import LiveClock, MessageBus

    from pyfutures.nautilus.execution.client import FuturesExecutionClient
    from pyfutures.nautilus.market.client import FuturesDataClient

__all__ = ["FuturesLiveDataClientFactory", "FuturesLiveExecClientFactory"]


class FuturesLiveDataClientFactory(LiveDataClientFactory):  # type: ignore[misc] # nautilus has no types
    """Makes the data client of a gateway."""

    @staticmethod
    def create(  # noqa: PLR0913, PLR0917 - nautilus' signature
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: FuturesDataClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> FuturesDataClient:
        """Return a data client.

        Raises
        ------
        LinkConflictError
            If the execution client of the same connection is set up differently.
        TypeError
            If the config is that of another client.
        """
        from pyfutures.nautilus.market.client import FuturesDataClient  # noqa: PLC0415 - each client alone

        _check(name, config, FuturesDataClientConfig)
        link = link_for(loop, config, clock=clock)
        client = FuturesDataClient(
            loop=loop,
            link=link,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=config,
            name=name,
        )
        link.clients.append(client)
        return client


class FuturesLiveExecClientFactory(LiveExecClientFactory):  # type: ignore[misc] # nautilus has no types
    """Makes the execution client of a gateway."""

    # From a file nautilus makes an instance of the class, and then asks it for its name.
    __name__ = "FuturesLiveExecClientFactory"

    @staticmethod
    def create(  # noqa: PLR0913, PLR0917 - nautilus' signature
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: FuturesExecClientConfig,
        msgbus: MessageBus,
        cache: Cache,
        clock: LiveClock,
    ) -> FuturesExecutionClient:
        """Return an execution client.

        Raises
        ------
        LinkConflictError
            If the data client of the same connection is set up differently.
        TypeError
            If the config is that of another client.
        """
        from pyfutures.nautilus.execution.client import FuturesExecutionClient  # noqa: PLC0415 - as above

        _check(name, config, FuturesExecClientConfig)
        link = link_for(loop, config, clock=clock)
        client = FuturesExecutionClient(
            loop=loop,
            link=link,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            config=config,
            name=name,
        )
        link.clients.append(client)
        return client


def _check(name: str, config: object, wanted: type) -> None:
    if not isinstance(config, wanted):
        raise TypeError(
            f"client {name}: the config is a {type(config).__name__}, and must be a"
            f" {wanted.__name__}; in JSON and YAML give its `path`"
        )
