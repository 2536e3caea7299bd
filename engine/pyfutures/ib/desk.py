"""What is known of orders, and how it is found out: the half of `Orders` that listens and asks."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pyfutures.ib.answers import Many
from pyfutures.ib.book import OrderBook
from pyfutures.ib.failures import ClientClosedError, RequestError
from pyfutures.ib.masking import masked
from pyfutures.ib.messages.executions import (
    ExecutionDetails,
    ExecutionDetailsEnd,
    RequestExecutions,
)
from pyfutures.ib.messages.orders import (
    CompletedOrder,
    CompletedOrdersEnd,
    OpenOrder,
    OpenOrderEnd,
    RequestAllOpenOrders,
    RequestCompletedOrders,
    RequestOpenOrders,
)
from pyfutures.ib.orders import Fill, OrderEvent, OrderEventKind, OrderPhase, OrderView
from pyfutures.ib.subscriptions import FeedState, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable, Sequence
    from decimal import Decimal

    from pyfutures.ib.clock import Clock, Timer
    from pyfutures.ib.codes import Reaction
    from pyfutures.ib.config import ClientConfig
    from pyfutures.ib.messages.base import Response
    from pyfutures.ib.messages.session import ErrorMessage
    from pyfutures.ib.outbox import Outbox
    from pyfutures.ib.requests import Requests

__all__ = ["OrderDesk"]

_LOG: Final = logging.getLogger("pyfutures.ib")
_ASK_AGAIN: Final = frozenset({135, 201, 10147, 10148})
#: Days of executions that are asked for at each connect, the most that IB keeps; from version 200.
_EXECUTION_DAYS: Final = 7


class OrderDesk:
    """The book of orders, and what keeps it right."""

    def __init__(
        self,
        config: ClientConfig,
        clock: Clock,
        *,
        requests: Requests,
        outbox: Outbox,
        spawn: Callable[[Coroutine[object, object, None], str], object],
    ) -> None:
        self._config = config
        self._clock = clock
        self._requests = requests
        self._outbox = outbox
        self._spawn = spawn
        self.book = OrderBook(config.client_id)
        self.is_active = config.trading
        self._next_id = 0
        self._listeners: list[Subscription[OrderEvent]] = []
        self._waiters: dict[int, list[asyncio.Future[None]]] = {}
        self._timers: dict[Hashable, Timer] = {}
        self._asks_commissions = False
        self._sync_lock = asyncio.Lock()
        self._closed = False

    # Asking.

    async def open_orders(
        self, *, everyone: bool = False, deadline: float | None = None, patience: float = 0.0
    ) -> tuple[OpenOrder, ...]:
        """Return the open orders of this client id, or of all; the book hears of them too.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        found = await self._requests.ask_lane(
            "open orders",
            "open orders",
            RequestAllOpenOrders() if everyone else RequestOpenOrders(),
            lambda: Many(OpenOrder, OpenOrderEnd),
            deadline=deadline,
            patience=patience,
        )
        latest = {(order.order.perm_id or -index, order.order_id): order
                  for index, order in enumerate(found, 1)}  # fmt: skip
        return tuple(latest.values())

    async def completed_orders(
        self, *, api_only: bool = False, deadline: float | None = None, patience: float = 0.0
    ) -> tuple[CompletedOrder, ...]:
        """Return the orders that are over, as far as the gateway keeps them.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        return await self._requests.ask_lane(
            "completed orders",
            "completed orders",
            RequestCompletedOrders(api_only=api_only),
            lambda: Many(CompletedOrder, CompletedOrdersEnd),
            deadline=deadline,
            patience=patience,
        )

    async def executions(
        self,
        wanted: RequestExecutions | None = None,
        *,
        deadline: float | None = None,
        patience: float = 0.0,
    ) -> tuple[Fill, ...]:
        """Return executions with the commissions that are known, today's below version 200.

        Parameters
        ----------
        wanted
            Which ones; its id is replaced. None: all.
        deadline
            Seconds for the answer.
        patience
            Seconds during which failures that may pass are met with another try.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        template = RequestExecutions(0) if wanted is None else wanted
        answer = await self._requests.ask(
            "executions",
            lambda request_id: replace(template, request_id=request_id),
            lambda: Many(ExecutionDetails, ExecutionDetailsEnd),
            deadline=deadline,
            patience=patience,
        )
        # Commissions follow behind the end: let those that are on their way come in.
        await asyncio.sleep(0)
        wanted_ids = {message.execution.exec_id for message in answer}
        return tuple(
            fill
            for view in self.book
            for fill in view.fills
            if fill.execution.exec_id in wanted_ids
        )

    async def sync(self, *, patience: float = 0.0) -> None:
        """Ask for open orders, completed orders and executions, and set the book right by them.

        Done at each connect and after each loss of the line once orders are in use.

        Raises
        ------
        RequestError
            One of its kinds.

        """
        self.is_active = True
        async with self._sync_lock:
            placed_up_to, asked = len(self.book), self.book.asking()
            found = await self.open_orders(patience=patience)
            try:
                await self.completed_orders(patience=patience)
            except RequestError as error:
                _LOG.warning("%s; going on without", error)
            # A fill of before midnight must not be missed because nobody was there.
            recent = RequestExecutions(0, last_days=_EXECUTION_DAYS)
            await self.executions(recent, patience=patience)
            self._tell(self.book.reconcile(found, placed_up_to=placed_up_to, asked=asked))

    def positions(self) -> dict[tuple[str, int], Decimal]:
        """Return what the executions heard here add up to, by account and contract id."""
        return self.book.positions()

    def events(
        self,
        *,
        callback: Callable[[OrderEvent], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[OrderEvent]:
        """Return a subscription to everything that happens to orders."""
        found = Subscription(
            "order events", callback=callback, size=queue_size or self._config.queue_size
        )
        found.become(FeedState.LIVE)
        self._listeners.append(found)
        found.on_close(lambda: self._listeners.remove(found))
        return found

    async def wait(
        self, key: int, until: Callable[[OrderView], bool], deadline: float | None
    ) -> OrderView:
        """Return an order once `until` holds of it.

        Raises
        ------
        ClientClosedError
            When the client is closed meanwhile.
        TimeoutError
            When it does not in time.

        """

        async def waiting() -> OrderView:
            while not until(view := self.book.view(key)):
                if self._closed:
                    raise ClientClosedError(f"order {view.order_id}", "the client was closed")
                future = asyncio.get_running_loop().create_future()
                self._waiters.setdefault(key, []).append(future)
                await future
            return view

        if deadline is None:
            return await waiting()
        async with self._clock.timeout(deadline):
            return await waiting()

    # Hearing; for the client.

    def next_id(self, order_id: int) -> None:
        """Take note of the gateway's next order id; it never goes back here."""
        self._next_id = max(self._next_id, order_id)

    def opened(self) -> None:
        """Set the book right, if orders are in use: a session is ready, or the line is back."""
        if self.is_active:
            self._spawn(self._sync_quietly(), "reconciliation of orders")

    async def _sync_quietly(self) -> None:
        try:
            await self.sync(patience=self._config.order_deadline)
        except RequestError as error:
            if not self._closed:
                _LOG.error("orders are not reconciled: %s", error)
                self.later("sync", self._config.order_deadline, self.opened)

    def hear(self, message: Response) -> None:
        """Take a message about orders."""
        self._tell(self.book.hear(message))

    def refuse(self, error: ErrorMessage, reaction: Reaction) -> bool:
        """Take an error; whether it is about one of our orders."""
        if self.book.find(error.request_id) is None:
            return False
        events = self.book.refuse(error, reaction)
        self._tell(events)
        if error.code in _ASK_AGAIN and any(
            event.kind is OrderEventKind.REFUSED for event in events
        ):
            self.opened()  # whether the order lives on is for the gateway to say
        return True

    def _tell(self, events: Sequence[OrderEvent]) -> None:
        for event in events:
            if event.kind in {OrderEventKind.FILL, OrderEventKind.CORRECTION}:
                self._mind_commission(event)
            if event.kind in {OrderEventKind.WARNING, OrderEventKind.REFUSED}:
                text = masked(event.text)
                _LOG.warning("order %s: %s %s", event.order.order_id, event.code, text)
            for listener in tuple(self._listeners):
                listener.emit(event)
            for future in self._waiters.pop(event.order.key, ()):
                if not future.done():
                    future.set_result(None)

    def _mind_commission(self, event: OrderEvent) -> None:
        if event.fill is None or event.fill.commission is not None or self._asks_commissions:
            return
        self._asks_commissions = True

        def ask() -> None:
            self._asks_commissions = False
            if any(view.lacks_commission for view in self.book):
                self._spawn(self._ask_executions(), "late commissions")

        self.later("commissions", self._config.commission_deadline, ask)

    async def _ask_executions(self) -> None:
        try:
            await self.executions()
        except RequestError as error:
            _LOG.warning("commissions are missing: %s", error)

    def check(self, key: int) -> None:
        """Ask the gateway about an order of which nothing, or no answer, was heard."""
        view = self.book.view(key)
        waits = view.phase in {OrderPhase.SENT, OrderPhase.CANCELLING} or self.book.is_asking(key)
        if waits and not view.is_final:
            _LOG.warning("order %s: no answer in %g s; asking what is open",
                         view.order_id, self._config.order_deadline)  # fmt: skip
            self.opened()

    def later(self, key: Hashable, seconds: float, callback: Callable[[], None]) -> None:
        """Call back, once a key: a later call takes the place of an earlier one."""
        self._stop_timer(key)

        def run() -> None:
            self._timers.pop(key, None)
            callback()

        self._timers[key] = self._clock.call_later(seconds, run)

    def _stop_timer(self, key: Hashable) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """End it: the client is closed."""
        self._closed = True
        for key in tuple(self._timers):
            self._stop_timer(key)
        for futures in self._waiters.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)
        self._waiters.clear()
        for listener in tuple(self._listeners):
            listener.close()
