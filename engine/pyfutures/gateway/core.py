"""The gateway without a socket: what all clients share, and what can happen to it.

Orders, executions, positions and accounts live here, so they outlive connections. Time is a
`Timeline`; whoever owns the gateway moves it (a server that runs, or a test).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from pyfutures.gateway import (
    account_desk,
    contract_desk,
    data_desk,
    depth_desk,
    history_desk,
    order_desk,
)
from pyfutures.gateway.accounts import Accounts
from pyfutures.gateway.bars import Bars
from pyfutures.gateway.book import Book
from pyfutures.gateway.clock import SECOND, Timeline
from pyfutures.gateway.config import GatewayConfig
from pyfutures.gateway.contracts import Universe
from pyfutures.gateway.faults import Faults
from pyfutures.gateway.feeds import Feeds
from pyfutures.gateway.line import Connectivity, FarmState, Line, kind_of, notice
from pyfutures.gateway.market import Market
from pyfutures.gateway.pacing import Pacing
from pyfutures.gateway.session import Session
from pyfutures.gateway.spreads import Prices
from pyfutures.ib import messages as m
from pyfutures.ib.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyfutures.gateway.session import Sink

__all__ = ["Gateway"]

_log = logging.getLogger(__name__)

# The desks register what they answer when they are imported.
_DESKS: Final = (account_desk, contract_desk, data_desk, depth_desk, history_desk, order_desk)
_CONNECTIVITY: Final = {
    Connectivity.LOST: 1100,
    Connectivity.BROKEN: 2110,
    Connectivity.RESTORED_LOST: 1101,
    Connectivity.RESTORED_KEPT: 1102,
}
_MAX_CLIENTS: Final = 32


class Gateway:
    """A simulated gateway.

    Parameters
    ----------
    config
        What it is like.
    universe
        Its contracts; by default those of the configuration's roots.
    present
        Says which simulated instant it is now; by default that of the timeline, which stands still
        until somebody moves it.

    """

    def __init__(
        self,
        config: GatewayConfig | None = None,
        *,
        universe: Universe | None = None,
        present: Callable[[], int] | None = None,
    ) -> None:
        self.config = config or GatewayConfig()
        self.timeline = Timeline(self.config.start_ns())
        self.present = present or (lambda: self.timeline.now)
        self.universe = universe or Universe.load(self.config)
        self.universe.refresh(self.timeline.now)
        self.market = Market()
        self.prices = Prices(self.market)
        self.bars = Bars(self.market)
        self.line = Line()
        self.faults = Faults(self)
        self.sessions: dict[int, Session] = {}
        self.pacing = Pacing(self.config.limits, self.timeline)
        self.accounts = Accounts(
            self, tell_change=account_desk.tell_change, tell_values=account_desk.tell_values
        )
        self.book = Book(self)
        self.feeds = Feeds(self)
        self.bugs: list[Exception] = []
        self.accepts = True  # whether new connections are served
        self._held: list[Callable[[], None]] = []
        self._next_ids: dict[int, int] = {}

    # Clients

    def connect(self, version: int, sink: Sink) -> Session:
        """Return the session of a client that agreed on a version."""
        return Session(self, version, sink)

    def start(self, session: Session, client_id: int) -> None:
        """Open a session under a client id: accounts, the next order id, notices."""
        if session.started:
            return
        if client_id in self.sessions or len(self.sessions) >= _MAX_CLIENTS:
            session.error(-1, 326)
            session.sink.cut()
            session.closed = True
            return
        session.client_id = client_id
        if self.faults.starting(session):
            return
        session.started = True
        self.sessions[client_id] = session
        session.send(m.ManagedAccounts(",".join(self.config.accounts)))
        session.send(m.NextValidId(self.next_order_id(client_id)))
        for farm, state in self.line.farms.items():
            self._notice(session, farm, state)
        if not self.line.up:
            session.error(-1, 1100)
        if session.version < 163:
            session.error(-1, 10285)

    def left(self, session: Session) -> None:
        """Forget a connection; its orders stay."""
        if session.closed:
            return
        session.closed = True
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]
        self.feeds.drop(session)
        self.pacing.left(session)
        self.faults.forget(session)

    def next_order_id(self, client_id: int) -> int:
        """Return the lowest order id that a client has not used."""
        return self._next_ids.get(client_id, self.config.next_order_id)

    def used_order_id(self, client_id: int, order_id: int) -> None:
        """Take note of an order id."""
        if order_id >= self.next_order_id(client_id):
            self._next_ids[client_id] = order_id + 1

    def restart_order_ids(self, first: int = 1) -> None:
        """Hand out order ids from the start again, as after a reset of the ids."""
        self._next_ids = dict.fromkeys(self._next_ids, first)

    def clients(self, client_id: int | None = None) -> tuple[Session, ...]:
        """Return the open sessions, or that of one client."""
        return tuple(s for s in self.sessions.values() if client_id in {None, s.client_id})

    def watchers(self, client_id: int) -> Iterator[Session]:
        """Return who is told about a client's orders: itself, and the master client."""
        for session in tuple(self.sessions.values()):
            if session.client_id in {client_id, self.config.master_client}:
                yield session

    # The line to IB

    def connectivity(self, state: Connectivity | str) -> None:
        """Lose the line to IB, or have it again, with what follows for subscriptions and orders.

        While it is down no data comes, requests to IB stay without an answer, and what happens to
        orders is told when it is up again.
        """
        state = Connectivity(state)
        self.line.up = state not in {Connectivity.LOST, Connectivity.BROKEN}
        for session in self.clients():
            if state in _CONNECTIVITY:
                session.error(-1, _CONNECTIVITY[state])
        if not self.line.up:
            return
        if state is Connectivity.RESTORED_LOST:
            self.feeds.clear()
        elif self.config.keep_up_dies:
            self.feeds.drop_kept_bars()
        held, self._held = self._held, []
        for action in held:
            action()

    def once_up(self, action: Callable[[], None]) -> None:
        """Do something now, or as soon as the line is up again."""
        if self.line.up:
            action()
        else:
            self._held.append(action)

    def farm(self, name: str, state: FarmState | str, *, kills: bool = True) -> None:
        """Say that a farm broke or is back; with `kills` the lines of a broken farm end silently.

        A kept-up bar ends with error 10182 when the farm of the past breaks.
        """
        state = FarmState(state)
        self.line.farms[name] = state
        for session in self.clients():
            self._notice(session, name, state)
        if state is FarmState.BROKEN and kind_of(name) != "contracts":
            self.feeds.farm_broke(name, kills=kills)

    @staticmethod
    def _notice(session: Session, farm: str, state: FarmState) -> None:
        code = notice(farm, state)
        session.error(-1, code, CODES[code].text.format(farm))

    def reset(self, *, on: bool = True) -> None:
        """Begin or end a reset of IB's servers: contract details answer 200 for what exists."""
        self.line.resetting = on

    def compete(self, *, on: bool = True, burst: int = 10) -> None:
        """Let another session take the market data, with bursts of 10197; or give it back."""
        self.line.competing = on
        if on:
            self.feeds.compete(burst)

    def restart(self, down: float = 150.0, *, mute: bool = False) -> None:
        """Restart: all connections close; new ones are refused for `down` simulated seconds.

        With `mute` they are accepted and never answered.
        """
        for session in self.clients():
            session.close()
        self.accepts = mute
        self.faults.mute = mute
        self.feeds.clear()

        def up() -> None:
            self.accepts = True
            self.faults.mute = False

        self.timeline.after(round(down * SECOND), up)
