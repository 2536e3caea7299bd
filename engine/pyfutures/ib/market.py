"""The present: lines of market data, tick-by-tick, real-time bars, the order book."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

from pyfutures.ib.answers import Many
from pyfutures.ib.farms import FarmKind
from pyfutures.ib.feeds import Feed, Feeds
from pyfutures.ib.history import name_of
from pyfutures.ib.messages.depth import (
    CancelMarketDepth,
    MarketDepth,
    MarketDepthL2,
    RequestMarketDepth,
)
from pyfutures.ib.messages.market import (
    CancelMarketData,
    MarketDataType,
    RealTimeBar,
    RequestMarketData,
    RequestMarketDataType,
    RequestRealTimeBars,
    RequestTickByTick,
    TickByTickMidpoint,
    TickByTickQuote,
    TickByTickTrade,
    TickGeneric,
    TickParameters,
    TickPrice,
    TickSize,
    TickSnapshotEnd,
    TickString,
)
from pyfutures.ib.ticks import RealTimeBarFeed, TickFeed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from pyfutures.ib.codes import Reaction
    from pyfutures.ib.history import History
    from pyfutures.ib.messages.base import Request, Response
    from pyfutures.ib.messages.contracts import Contract
    from pyfutures.ib.messages.session import ErrorMessage
    from pyfutures.ib.requests import Requests
    from pyfutures.ib.subscriptions import Subscription
    from pyfutures.ib.ticks import PastTick

__all__ = ["DataKind", "DepthReset", "Market", "StreamFeed", "TickKind"]

type LineTick = TickPrice | TickSize | TickGeneric | TickString | TickParameters | MarketDataType
type LiveTick = TickByTickTrade | TickByTickQuote | TickByTickMidpoint
type DepthChange = MarketDepth | MarketDepthL2 | DepthReset

_MARKET: Final = frozenset({FarmKind.MARKET})
_LINE: Final = (TickPrice, TickSize, TickGeneric, TickString, TickParameters, MarketDataType)
_DEPTH_RESET: Final = 317


class DataKind(IntEnum):
    """Which market data to send."""

    LIVE = 1
    FROZEN = 2
    DELAYED = 3
    DELAYED_FROZEN = 4


class TickKind(StrEnum):
    """Which ticks to send, tick by tick."""

    LAST = "Last"
    ALL_LAST = "AllLast"
    BID_ASK = "BidAsk"
    MIDPOINT = "MidPoint"


@dataclass(frozen=True, slots=True)
class DepthReset:
    """The order book has to be emptied: the changes that follow build it anew."""


class StreamFeed[T](Feed[T]):
    """A feed that hands its messages over as they are, and has no past to fill.

    Parameters
    ----------
    feeds
        All feeds of the client.
    subscription
        The consumer's end.
    ask
        From an id to the request.
    cancel
        From an id to the request that ends it.
    kinds
        The messages to hand over.
    farms
        The kinds of farms it comes from.
    first
        What to hand over each time it starts again.

    """

    def __init__(  # noqa: PLR0913
        self,
        feeds: Feeds,
        subscription: Subscription[T],
        *,
        ask: Callable[[int], Request],
        cancel: Callable[[int], Request],
        kinds: tuple[type, ...],
        farms: frozenset[FarmKind] = frozenset(),
        first: T | None = None,
    ) -> None:
        super().__init__(feeds, subscription, farms=farms)
        self._ask = ask
        self._cancel = cancel
        self._kinds = frozenset(kinds)
        self._restarted = first

    def request(self, request_id: int) -> Request:
        """Return the request that starts it."""
        return self._ask(request_id)

    def cancellation(self, request_id: int) -> Request:
        """Return the request that ends it."""
        return self._cancel(request_id)

    def accept(self, message: Response) -> None:
        """Take a message."""
        self.live()
        if type(message) in self._kinds:
            self.subscription.emit(message)  # type: ignore[arg-type]

    def paused(self) -> None:
        """Say that what was said before is void."""
        if self._restarted is not None and not self.is_over:
            self.subscription.emit(self._restarted)

    def refuse(self, error: ErrorMessage, reaction: Reaction) -> None:
        """Take an error; a book that is reset is none."""
        if error.code == _DEPTH_RESET and self._restarted is not None:
            self.subscription.emit(self._restarted)
            return
        super().refuse(error, reaction)


class Market:
    """What a gateway sends of the present. Part of `Client`.

    Subscriptions survive cuts under new ids. Prices are IB's quotes: divide by the contract's
    `price_magnifier` for money.
    """

    def __init__(
        self, requests: Requests, feeds: Feeds, *, history: History, send: Callable[[Request], bool]
    ) -> None:
        self._requests = requests
        self._feeds = feeds
        self._history = history
        self._send = send
        self.kind: DataKind | None = None

    def use(self, kind: DataKind) -> None:
        """Have lines send live, frozen or delayed data from now on, after reconnects too."""
        self.kind = kind
        self.opened()

    def opened(self) -> None:
        """Say it again to a new session."""
        if self.kind is not None:
            self._send(RequestMarketDataType(self.kind))

    def line(
        self,
        contract: Contract,
        *,
        generic_ticks: str = "",
        callback: Callable[[LineTick], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[LineTick]:
        """Return a subscription to a line of market data: prices, sizes and texts, by tick type.

        Parameters
        ----------
        contract
            The contract.
        generic_ticks
            What else to send, joined by commas; 588 is the open interest of futures.
        callback
            Called with each value in place of the queue.
        queue_size
            How many values wait for a slow consumer.

        """
        name = f"market data of {name_of(contract)}"
        return self._feeds.add(
            StreamFeed(
                self._feeds,
                self._feeds.subscription(name, callback, queue_size),
                ask=lambda request_id: RequestMarketData(request_id, contract, generic_ticks),
                cancel=CancelMarketData,
                kinds=_LINE,
                farms=_MARKET,
            )
        )

    async def snapshot(
        self, contract: Contract, *, deadline: float | None = None, patience: float = 0.0
    ) -> tuple[LineTick, ...]:
        """Return what a line says once.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        return await self._requests.ask(
            f"snapshot of {name_of(contract)}",
            lambda request_id: RequestMarketData(request_id, contract, snapshot=True),
            lambda: Many[LineTick](_LINE, TickSnapshotEnd),  # type: ignore[arg-type]
            cancel=CancelMarketData,
            deadline=deadline,
            patience=patience,
        )

    def ticks(
        self,
        contract: Contract,
        kind: TickKind,
        *,
        ignore_size: bool = False,
        callback: Callable[[LiveTick], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[LiveTick]:
        """Return a subscription to every tick; what a cut cost is filled in from the history.

        Parameters
        ----------
        contract
            The contract.
        kind
            Which ticks.
        ignore_size
            Whether to leave out quotes of which sizes alone changed.
        callback
            Called with each value in place of the queue.
        queue_size
            How many values wait for a slow consumer.

        """

        async def fetch(start: dt.datetime) -> Sequence[PastTick]:
            patience = self._feeds.config.history_deadline
            if kind is TickKind.BID_ASK:
                return await self._history.quotes(
                    contract, start=start, ignore_size=ignore_size, patience=patience
                )
            if kind is TickKind.MIDPOINT:
                return await self._history.midpoints(contract, start=start, patience=patience)
            return await self._history.trades(contract, start=start, patience=patience)

        name = f"{kind} ticks of {name_of(contract)}"
        return self._feeds.add(
            TickFeed(
                self._feeds,
                self._feeds.subscription(name, callback, queue_size),
                RequestTickByTick(0, contract, kind, 0, ignore_size),
                fetch=fetch,
            )
        )

    def real_time_bars(
        self,
        contract: Contract,
        *,
        show: str = "TRADES",
        use_rth: bool = False,
        callback: Callable[[RealTimeBar], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[RealTimeBar]:
        """Return a subscription to bars of five seconds, each once, gaps filled in."""
        name = f"real-time {show} bars of {name_of(contract)}"
        return self._feeds.add(
            RealTimeBarFeed(
                self._feeds,
                self._feeds.subscription(name, callback, queue_size),
                RequestRealTimeBars(0, contract, show=show, use_rth=use_rth),
                fetch=lambda request: self._history.ask_bars(
                    replace(request), patience=self._feeds.config.history_deadline
                ),
            )
        )

    def depth(
        self,
        contract: Contract,
        *,
        rows: int = 5,
        smart: bool = False,
        callback: Callable[[DepthChange], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[DepthChange]:
        """Return a subscription to the changes of the order book.

        A `DepthReset` says that the book has to be emptied: after each cut, and when the gateway
        says so.
        """
        name = f"order book of {name_of(contract)}"
        return self._feeds.add(
            StreamFeed[DepthChange](
                self._feeds,
                self._feeds.subscription(name, callback, queue_size),
                ask=lambda request_id: RequestMarketDepth(request_id, contract, rows, smart),
                cancel=lambda request_id: CancelMarketDepth(request_id, smart),
                kinds=(MarketDepth, MarketDepthL2),
                farms=_MARKET,
                first=DepthReset(),
            )
        )
