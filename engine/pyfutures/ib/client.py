"""The client: one session with a gateway, kept alive, and everything that can be asked of it.

Theory of operation. `Supervisor` has the one task that connects; every message it hears comes to
`Client.hear`, which knows by its type who wants it. Messages with an id go to the request or the
feed that owns the id; those without go to the desks; notices about the line to IB and about farms
are dealt with in `line.py`. A session that ends takes the ids of all feeds with it; the next one
gives them new ones.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from typing import TYPE_CHECKING, Final, Self

from pyfutures.ib import messages as m
from pyfutures.ib.account import Account
from pyfutures.ib.answers import Ids
from pyfutures.ib.clock import Clock, SystemClock
from pyfutures.ib.codes import Kind, lookup, meaning
from pyfutures.ib.config import ClientConfig
from pyfutures.ib.events import ClientEvent, ClientEventKind, Events
from pyfutures.ib.failures import ConnectionLostError, IbError
from pyfutures.ib.farms import Farms
from pyfutures.ib.feeds import Feeds
from pyfutures.ib.history import History
from pyfutures.ib.line import Line
from pyfutures.ib.market import Market
from pyfutures.ib.masking import masked
from pyfutures.ib.outbox import Outbox
from pyfutures.ib.reference import Reference
from pyfutures.ib.requests import Requests
from pyfutures.ib.supervisor import Phase, Supervisor
from pyfutures.ib.trading import Orders

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pyfutures.ib.messages.base import Response
    from pyfutures.ib.subscriptions import Subscription

__all__ = ["Client"]

_LOG: Final = logging.getLogger("pyfutures.ib")


class Client:
    """A client of one gateway.

    Use it as an async context manager, or call `start` and `close`. Its parts: `reference`
    (contracts, rules, time), `history`, `market`, `account`, `orders`.

    Parameters
    ----------
    config
        How it is set up.
    clock
        The time; the machine's by default.

    Examples
    --------
    >>> async def chain() -> None:
    ...     async with Client(ClientConfig(port=4002, client_id=7)) as client:
    ...         for details in await client.reference.chain("ES", exchange="CME"):
    ...             print(details.contract.local_symbol)

    """

    def __init__(self, config: ClientConfig | None = None, *, clock: Clock | None = None) -> None:
        self.config = ClientConfig() if config is None else config
        self.clock: Clock = SystemClock() if clock is None else clock
        self.farms = Farms()
        self.faults = 0
        self.strays = 0
        self._ahead = dt.timedelta()  # how far the gateway's clock is before ours
        self._tasks: set[asyncio.Task[None]] = set()
        self._events = Events(lambda: self.phase)
        self._outbox = Outbox(self.clock, self.config.limits)
        self._requests = Requests(
            self.config, self.clock, outbox=self._outbox, ids=Ids(self.config.first_request_id)
        )
        self._routes = self._requests.routes
        self._feeds = Feeds(
            self.config, self.clock, outbox=self._outbox, ids=self._requests.ids,
            routes=self._routes, spawn=self._spawn, heard=self._data_flows,
            is_broken=self.farms.is_broken,
        )  # fmt: skip
        self._supervisor = Supervisor(self.config, self.clock, outbox=self._outbox, hooks=self)
        self.reference = Reference(self._requests)
        self.history = History(
            self._requests, self._feeds, version=lambda: self._supervisor.version,
            server_time=self.reference.server_time, login_zone=self.config.login_zone,
        )  # fmt: skip
        self.market = Market(
            self._requests, self._feeds, history=self.history, send=self._outbox.put
        )
        self.account = Account(self._requests, self._feeds)
        self.orders = Orders(
            self.config, self.clock, requests=self._requests, outbox=self._outbox,
            spawn=self._spawn,
        )  # fmt: skip
        self._line = Line(
            self.config, self.clock, farms=self.farms, requests=self._requests, feeds=self._feeds,
            events=self._events, back=self.orders.opened, drop=self._supervisor.drop,
        )  # fmt: skip
        self._handlers = self._table()

    # The life of the client.

    async def start(self, deadline: float | None = 60.0) -> Self:
        """Connect, and return itself when the session is ready.

        From then on the client connects again by itself, for as long as it takes.

        Parameters
        ----------
        deadline
            Seconds to wait for the first session; None waits for ever.

        Raises
        ------
        ClientIdInUseError
            When another session has our client id, and keeps it.
        ConnectError
            When there is no session in time. The client is closed then.
        HandshakeError
            When the gateway speaks no version of ours.

        """
        try:
            await self._supervisor.start(deadline)
        except BaseException:  # cancelled or failed: no socket and no task may be left behind
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """End the session, all subscriptions and all requests; leave nothing behind."""
        self._requests.close()
        self._feeds.close()
        self.orders.close()
        await self._supervisor.stop()
        await self._end_tasks()
        self._line.lost()
        self._events.close()

    async def __aenter__(self) -> Self:
        """Start."""
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        """Close."""
        await self.close()

    @property
    def phase(self) -> Phase:
        """Where the session stands."""
        return self._supervisor.phase

    @property
    def is_ready(self) -> bool:
        """Whether requests can be sent: a session, and IB behind the gateway."""
        return self.phase is Phase.READY and self._line.is_up

    @property
    def version(self) -> int | None:
        """The server version of the present or the last session."""
        return self._supervisor.version

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts of the login."""
        return self._supervisor.accounts

    @property
    def sessions(self) -> int:
        """How many sessions were ready so far."""
        return self._supervisor.sessions

    @property
    def failure(self) -> Exception | None:
        """Why there is no session, None if there is one."""
        return self._supervisor.failure

    @property
    def in_reset(self) -> bool:
        """Whether IB's servers are being reset now: negative answers are not final.

        By the gateway's clock once it has told the time, by the machine's before.
        """
        return self.config.schedule.in_reset(self.clock.now() + self._ahead)

    async def ready(self, deadline: float | None = None) -> None:
        """Wait until requests can be sent.

        Raises
        ------
        NotConnectedError
            When they cannot within `deadline`, or the client is closed.

        """
        await self._requests.wait_until_ready(
            self.config.request_deadline if deadline is None else deadline
        )
        self._requests.check("the session")

    def events(
        self,
        *,
        callback: Callable[[ClientEvent], object] | None = None,
        queue_size: int | None = None,
    ) -> Subscription[ClientEvent]:
        """Return a subscription to what happens to the connection."""
        return self._events.subscribe(callback, queue_size or self.config.queue_size)

    def reconnect(self) -> None:
        """End the present session; the next one follows at once and restores everything."""
        self._supervisor.drop(ConnectionLostError("the session", "it was asked to reconnect"))

    def _spawn(self, work: Coroutine[object, object, None], name: str) -> None:
        loop = asyncio.get_running_loop()
        task: asyncio.Task[None] = loop.create_task(work, name=f"pyfutures-ib: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fault(f"{task.get_name()}: {error!r}", error)

    async def _end_tasks(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What the supervisor tells.

    def opened(self) -> None:
        """Take note that a session is ready: restore everything."""
        self._line.opened()
        self._requests.opened()
        if self._supervisor.next_order_id is not None:
            self.orders.next_id(self._supervisor.next_order_id)
        self.market.opened()
        self._feeds.start()
        self.orders.opened()

    def lost(self, error: IbError) -> None:
        """Take note that the session is over."""
        self._line.lost()
        self._requests.lost(str(error))
        self._feeds.lost()
        for task in tuple(self._tasks):
            task.cancel()

    def entered(self, phase: Phase, cause: Exception | None) -> None:  # noqa: ARG002 - a hook
        """Take note of a phase."""
        self._events.tell(ClientEventKind.PHASE, text=str(cause or ""), cause=cause)

    def hear(self, message: Response) -> None:
        """Take a message. Nothing that goes wrong with one may end the session."""
        try:
            handler = self._handlers.get(type(message))
            if handler is not None:
                handler(message)
            else:
                self._by_id(message)
        except Exception as error:  # noqa: BLE001 - a bug in one handler must not end the session
            self._fault(f"{type(message).__name__}: {error!r}", error)
            _LOG.exception("a message could not be dealt with: %s", type(message).__name__)

    # Who gets what.

    def _table(self) -> dict[type[Response], Callable[..., object]]:
        requests, orders = self._requests, self.orders

        def lane(key: str) -> Callable[[Response], None]:
            def give(message: Response) -> None:
                requests.lane(key, message)

            return give

        def open_order(message: m.OpenOrder) -> None:
            if message.order.what_if:
                self._by_id(message, message.order_id)
                return
            orders.hear(message)
            requests.lane("open orders", message)

        def executed(message: m.ExecutionDetails) -> None:
            orders.hear(message)
            route = self._routes.get(message.request_id)
            if route is not None:
                route.receive(message)

        def completed(message: m.CompletedOrder) -> None:
            orders.hear(message)
            requests.lane("completed orders", message)

        def told_time(message: m.CurrentTime) -> None:
            requests.lane("time", message)
            self._ahead = dt.datetime.fromtimestamp(message.seconds, dt.UTC) - self.clock.now()

        return {
            m.ErrorMessage: self._error,
            m.CurrentTime: told_time,
            m.MarketRule: lambda rule: requests.lane(("rule", rule.rule_id), rule),
            m.DepthExchanges: lane("depth exchanges"),
            m.NextValidId: lambda message: orders.next_id(message.order_id),
            m.ManagedAccounts: lambda _: None,
            m.OpenOrder: open_order,
            m.OpenOrderEnd: lane("open orders"),
            m.OrderStatus: orders.hear,
            m.ExecutionDetails: executed,
            m.CommissionReport: orders.hear,
            m.CompletedOrder: completed,
            m.CompletedOrdersEnd: lane("completed orders"),
            m.OrderBound: orders.hear,
            m.Position: self.account.hear,
            m.PositionEnd: self.account.hear,
            m.AccountValue: self.account.hear,
            m.PortfolioValue: self.account.hear,
            m.AccountTime: self.account.hear,
            m.AccountDownloadEnd: self.account.hear,
            m.Malformed: self._malformed,
            m.Unknown: self._unknown,
        }

    def _by_id(self, message: Response, request_id: int | None = None) -> None:
        found = message.request_id if request_id is None else request_id  # type: ignore[attr-defined]
        route = self._routes.get(found)
        if route is not None:
            route.receive(message)
        elif not self._requests.ids.used(found):
            self.strays += 1  # else it is late for a request that is over

    def _data_flows(self) -> None:
        self._line.flows()

    def _malformed(self, message: m.Malformed) -> None:
        self._fault(f"a message that cannot be read: {message.error}")

    def _unknown(self, message: m.Unknown) -> None:
        _LOG.debug("a message of a kind that is not known: %r", masked(message.fields[:3]))

    def _error(self, message: m.ErrorMessage) -> None:
        code = message.code
        row = lookup(code)
        if message.request_id == -1 or row.kind in {Kind.CONNECTION, Kind.FARM}:
            self._line.notice(message)
            return
        reaction = meaning(code, message.text, in_reset=code == 200 and self.in_reset)
        route = self._routes.get(message.request_id)
        if route is not None:
            route.refuse(message, reaction)
        elif not self.orders.refuse(message, reaction) and not self._requests.ids.used(
            message.request_id
        ):
            self.strays += 1
            self._events.tell(ClientEventKind.NOTICE, text=message.text, code=code)

    def _fault(self, text: str, cause: BaseException | None = None) -> None:
        self.faults += 1
        _LOG.error("%s", masked(text))
        self._events.tell(
            ClientEventKind.FAULT, text=text, cause=cause if isinstance(cause, Exception) else None
        )
