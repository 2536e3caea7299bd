"""Accounts: positions, values, summaries, profit and loss; once, or as they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfutures.ib.answers import Many
from pyfutures.ib.feeds import Feed, Feeds
from pyfutures.ib.market import StreamFeed
from pyfutures.ib.messages.account import (
    AccountDownloadEnd,
    AccountSummary,
    AccountSummaryEnd,
    AccountTime,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AccountValue,
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelPnl,
    CancelPnlSingle,
    CancelPositions,
    CancelPositionsMulti,
    Pnl,
    PnlSingle,
    PortfolioValue,
    Position,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
    RequestAccountSummary,
    RequestAccountUpdates,
    RequestAccountUpdatesMulti,
    RequestPnl,
    RequestPnlSingle,
    RequestPositions,
    RequestPositionsMulti,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyfutures.ib.messages.base import Request, Response
    from pyfutures.ib.requests import Requests
    from pyfutures.ib.subscriptions import Subscription

__all__ = ["SUMMARY_TAGS", "Account"]

type AccountChange = AccountValue | PortfolioValue | AccountTime | AccountDownloadEnd
type SummaryChange = AccountSummary | AccountSummaryEnd
type PositionChange = Position | PositionEnd

#: All tags of a summary (https://interactivebrokers.github.io/tws-api/account_summary.html).
SUMMARY_TAGS: Final = (
    "AccountType,NetLiquidation,TotalCashValue,SettledCash,AccruedCash,BuyingPower,"
    "EquityWithLoanValue,PreviousDayEquityWithLoanValue,GrossPositionValue,ReqTEquity,ReqTMargin,"
    "SMA,InitMarginReq,MaintMarginReq,AvailableFunds,ExcessLiquidity,Cushion,FullInitMarginReq,"
    "FullMaintMarginReq,FullAvailableFunds,FullExcessLiquidity,LookAheadNextChange,"
    "LookAheadInitMarginReq,LookAheadMaintMarginReq,LookAheadAvailableFunds,"
    "LookAheadExcessLiquidity,HighestSeverity,DayTradesRemaining,Leverage"
)
_POSITIONS: Final = (Position, PositionEnd)
_UPDATES: Final = (AccountValue, PortfolioValue, AccountTime, AccountDownloadEnd)


def _all_positions() -> Many[Position]:
    return Many(Position, PositionEnd)


class _SharedFeed[T](Feed[T]):
    """A subscription without an id: there is one at the gateway, and any number of consumers.

    The first one asks, the last one takes it back, and who comes later hears from the gateway again
    because it is asked again: it answers with everything.
    """

    def __init__(  # noqa: PLR0913
        self,
        feeds: Feeds,
        subscription: Subscription[T],
        *,
        shared: dict[object, list[Feed[object]]],
        key: object,
        ask: Request,
        cancel: Request,
        on_sent: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(feeds, subscription, farms=frozenset())
        self._on_sent = on_sent
        self._shared = shared
        self._key = key
        self._others = shared.setdefault(key, [])
        self._others.append(self)
        self._ask = ask
        self._cancel = cancel

    def request(self, request_id: int) -> Request:  # noqa: ARG002 - it has none
        """Return the request that starts it."""
        return self._ask

    def cancellation(self, request_id: int) -> Request:  # noqa: ARG002 - it has none
        """Return the request that ends it."""
        return self._cancel

    def start(self) -> None:
        """Ask, if there is a connection."""
        if not self.is_over and self.feeds.outbox.is_open and self.feeds.is_line_up:
            self._stop_retry()
            self.request_id = 0
            self.feeds.outbox.put(self._ask, ticket=("shared", id(self)), on_sent=self._on_sent)

    def stop(self, *, tell: bool = True) -> None:
        """Take it back, if nobody else wants it."""
        asked, self.request_id = self.request_id, None
        alone = all(other is self or other.request_id is None for other in self._others)
        if asked is None:
            return
        dropped = self.feeds.outbox.drop(("shared", id(self)))
        if not tell or not alone or dropped:
            return
        heir = self._heir()
        if heir is None:
            self.feeds.outbox.put(self._cancel)
        else:
            heir.start()

    def _heir(self) -> Feed[object] | None:
        """Return who is to have the subscription now: to cancel it would end theirs as well.

        A client has one subscription to accounts; to ask for another account moves it there.
        """
        if not isinstance(self._key, tuple):
            return None
        of_others = (
            feed
            for key, feeds in self._shared.items()
            if isinstance(key, tuple) and key != self._key
            for feed in feeds
            if feed.request_id is not None and not feed.is_over
        )
        return next(of_others, None)

    def accept(self, message: Response) -> None:
        """Take a message."""
        self.live()
        self.subscription.emit(message)  # type: ignore[arg-type]

    def close(self) -> None:
        """End it."""
        super().close()
        if self in self._others:
            self._others.remove(self)  # type: ignore[arg-type]


class Account:
    """What a gateway says about accounts. Part of `Client`."""

    def __init__(self, requests: Requests, feeds: Feeds) -> None:
        self._requests = requests
        self._feeds = feeds
        self._shared: dict[object, list[Feed[object]]] = {}

    def hear(self, message: Response) -> None:
        """Give a message without an id to those who asked."""
        if isinstance(message, _POSITIONS):
            for feed in tuple(self._shared.get("positions", ())):
                feed.receive(message)
            self._requests.lane("positions", message)
        elif isinstance(message, _UPDATES):
            account = getattr(message, "account", "")
            for key, feeds in tuple(self._shared.items()):
                of = key[1] if isinstance(key, tuple) else None
                if of is not None and (not of or not account or of == account):
                    for feed in tuple(feeds):
                        feed.receive(message)

    async def positions(
        self, *, deadline: float | None = None, patience: float = 0.0
    ) -> tuple[Position, ...]:
        """Return the positions of all accounts, the latest of each contract.

        For futures `average_cost` is money for one contract: price by multiplier, and fees.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        try:
            found = await self._requests.ask_lane(
                "positions",
                "positions",
                RequestPositions(),
                _all_positions,
                deadline=deadline,
                patience=patience,
            )
        finally:
            # There is one subscription at the gateway: others may have come to need it meanwhile.
            if not self._shared.get("positions"):
                self._feeds.outbox.put(CancelPositions())
        # One that changes while they are told is told twice.
        latest = {
            (one.account, one.contract.con_id, one.contract.local_symbol): one for one in found
        }
        return tuple(latest.values())

    def position_updates(
        self,
        *,
        callback: Callable[[PositionChange], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[PositionChange]:
        """Return a subscription to positions: all, then `PositionEnd`, then changes.

        After a cut all come again.
        """
        return self._feeds.add(
            _SharedFeed(
                self._feeds,
                self._feeds.subscription("positions", callback, queue_size),
                shared=self._shared,
                key="positions",
                ask=RequestPositions(),
                cancel=CancelPositions(),
                on_sent=lambda: self._requests.expect(
                    "positions", RequestPositions(), _all_positions
                ),
            )
        )

    def updates(
        self,
        account: str = "",
        *,
        callback: Callable[[AccountChange], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[AccountChange]:
        """Return a subscription to values and portfolio of an account, one account at a time.

        All come first, then `AccountDownloadEnd`, then changes, every three minutes at the latest.
        """
        return self._feeds.add(
            _SharedFeed(
                self._feeds,
                self._feeds.subscription(f"account {account}", callback, queue_size),
                shared=self._shared,
                key=("account", account),
                ask=RequestAccountUpdates(subscribe=True, account=account),
                cancel=RequestAccountUpdates(subscribe=False, account=account),
            )
        )

    async def values(
        self, account: str = "", *, deadline: float | None = None
    ) -> tuple[AccountValue | PortfolioValue, ...]:
        """Return the values and the portfolio of an account, once.

        Raises
        ------
        RequestError
            One of its kinds.
        TimeoutError
            When they do not come.

        """
        self._requests.check(f"values of account {account}")
        found: list[AccountValue | PortfolioValue] = []
        seconds = self._feeds.config.request_deadline if deadline is None else deadline
        with_values = self.updates(account)
        async with with_values, self._feeds.clock.timeout(seconds):
            async for message in with_values:
                if isinstance(message, AccountDownloadEnd):
                    break
                if isinstance(message, AccountValue | PortfolioValue):
                    found.append(message)
        return tuple(found)

    async def summary(
        self,
        tags: str | Iterable[str] = SUMMARY_TAGS,
        *,
        group: str = "All",
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> tuple[AccountSummary, ...]:
        """Return values of all accounts, once.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        wanted = tags if isinstance(tags, str) else ",".join(tags)
        return await self._requests.ask(
            "account summary",
            lambda request_id: RequestAccountSummary(request_id, group, wanted),
            lambda: Many(AccountSummary, AccountSummaryEnd),
            cancel=CancelAccountSummary,
            always_cancel=True,
            deadline=deadline,
            patience=patience,
        )

    def summary_updates(
        self,
        tags: str | Iterable[str] = SUMMARY_TAGS,
        *,
        group: str = "All",
        callback: Callable[[SummaryChange], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[SummaryChange]:
        """Return a subscription to values of all accounts: all, then the end, then changes."""
        wanted = tags if isinstance(tags, str) else ",".join(tags)
        return self._stream(
            self._feeds.subscription("account summary", callback, queue_size),
            lambda request_id: RequestAccountSummary(request_id, group, wanted),
            CancelAccountSummary,
            kinds=(AccountSummary, AccountSummaryEnd),
        )

    def positions_of(
        self,
        account: str,
        *,
        model: str = "",
        callback: Callable[[PositionMulti | PositionMultiEnd], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[PositionMulti | PositionMultiEnd]:
        """Return a subscription to the positions of one account or model."""
        return self._stream(
            self._feeds.subscription(f"positions of {account}", callback, queue_size),
            lambda request_id: RequestPositionsMulti(request_id, account, model),
            CancelPositionsMulti,
            kinds=(PositionMulti, PositionMultiEnd),
        )

    def updates_of(
        self,
        account: str,
        *,
        model: str = "",
        callback: Callable[[AccountUpdateMulti | AccountUpdateMultiEnd], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[AccountUpdateMulti | AccountUpdateMultiEnd]:
        """Return a subscription to the values of one account or model."""
        return self._stream(
            self._feeds.subscription(f"values of {account}", callback, queue_size),
            lambda request_id: RequestAccountUpdatesMulti(request_id, account, model),
            CancelAccountUpdatesMulti,
            kinds=(AccountUpdateMulti, AccountUpdateMultiEnd),
        )

    def pnl(
        self,
        account: str,
        *,
        model: str = "",
        con_id: int | None = None,
        callback: Callable[[Pnl | PnlSingle], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[Pnl | PnlSingle]:
        """Return a subscription to the profit and loss of an account, or of one position."""

        def ask(request_id: int) -> Request:
            if con_id is None:
                return RequestPnl(request_id, account, model)
            return RequestPnlSingle(request_id, account, model, con_id)

        return self._stream(
            self._feeds.subscription(f"profit and loss of {account}", callback, queue_size),
            ask,
            CancelPnl if con_id is None else CancelPnlSingle,
            kinds=(Pnl, PnlSingle),
        )

    def _stream[T](
        self,
        subscription: Subscription[T],
        ask: Callable[[int], Request],
        cancel: Callable[[int], Request],
        *,
        kinds: tuple[type[Response], ...],
    ) -> Subscription[T]:
        return self._feeds.add(
            StreamFeed[T](self._feeds, subscription, ask=ask, cancel=cancel, kinds=kinds)
        )
