"""One client: its id, what it subscribed to, and what is said to it.

No socket here: responses go to a `Sink`. What the client asks is answered by the functions in
`HANDLERS`, which the modules `contract_desk`, `data_desk`, `order_desk` and `account_desk` fill.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from pyfutures.gateway.unserved import KINDS, id_at, id_places
from pyfutures.ib import messages as m
from pyfutures.ib.codes import CODES
from pyfutures.ib.errors import EncodeError
from pyfutures.ib.masking import masked
from pyfutures.ib.pacing import Ledger, Rule, cost_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.gateway.core import Gateway
    from pyfutures.ib.messages.base import Request, Response

    type Handler = Callable[["Session", m.Request], None]

__all__ = ["HANDLERS", "Session", "Sink", "handles"]

_log = logging.getLogger(__name__)

_VIOLATIONS: Final = 3  # seconds with too many messages, until the gateway hangs up
HANDLERS: Final[dict[type[m.Message], Handler]] = {}


def handles[R: m.Request](
    kind: type[R],
) -> Callable[[Callable[[Session, R], None]], Callable[[Session, R], None]]:
    """Register the answer to a kind of request."""

    def register(function: Callable[[Session, R], None]) -> Callable[[Session, R], None]:
        HANDLERS[kind] = function  # type: ignore[assignment]
        return function

    return register


class Sink(Protocol):
    """Where responses go: a socket, or a test."""

    def send(self, response: Response) -> None:
        """Take a response."""

    def cut(self, after: int = 0) -> None:
        """Close once `after` more bytes have gone out."""


@dataclass(slots=True)
class Subscriptions:
    """What a client wants to be told about accounts."""

    summaries: dict[int, tuple[str, ...]] = field(default_factory=dict)
    positions: bool = False
    positions_multi: dict[int, str] = field(default_factory=dict)
    updates: str | None = None
    updates_multi: dict[int, str] = field(default_factory=dict)
    pnl: dict[int, str] = field(default_factory=dict)
    pnl_single: dict[int, tuple[str, int]] = field(default_factory=dict)


class Session:
    """One client's connection, from `StartApi` on.

    Parameters
    ----------
    gateway
        What it is connected to.
    version
        The server version that was agreed on.
    sink
        Where responses go.

    """

    def __init__(self, gateway: Gateway, version: int, sink: Sink) -> None:
        self.gateway = gateway
        self.version = version
        self.sink = sink
        self.client_id = -1
        self.started = False
        self.closed = False
        self.subscriptions = Subscriptions()
        self.market_data_type = 1
        self.binds_orders = False
        limits = gateway.config.limits
        self.ledger = None if limits is None else Ledger(limits)
        self._violations = 0
        self._violated_at = 0

    def __repr__(self) -> str:
        return f"Session(client {self.client_id}, version {self.version})"

    # What comes in

    def receive(self, request: Request) -> None:
        """Answer a request."""
        if self.closed:
            return
        gateway = self.gateway
        gateway.timeline.run_until(gateway.present())
        if not self._is_paced(request):
            return
        if not gateway.faults.incoming(self, request):
            self.serve(request)

    def serve(self, request: Request) -> None:
        """Answer a request, past all limits and faults."""
        gateway = self.gateway
        if self.closed:
            return
        if isinstance(request, m.Malformed):
            _log.warning("client %d: %s", self.client_id, masked(request.error))
            about = self._id_of(request)
            self.error(about, 320, f"{CODES[320].text} {request.error}"[:500])
            return
        if not self.started and not isinstance(request, m.StartApi):
            return
        handler = HANDLERS.get(type(request))
        if handler is None:
            self._not_served(request)
            return
        try:
            handler(self, request)
        except Exception as error:  # noqa: BLE001 - one request must not end the gateway
            _log.exception(
                "%s failed", type(request).__name__
            )  # no values: accounts are among them
            gateway.bugs.append(error)
            self.error(request_id(request), 323)

    def _not_served(self, request: Request) -> None:
        """Answer what no desk answers: nobody waits for nothing."""
        if not isinstance(request, m.Unknown):
            name = type(request).__name__
            self.invalid(request_id(request), "sim", f"{name} is not served by this gateway")
            return
        kind = KINDS.get(request.fields[0])
        if kind is None:
            self.error(-1, 320, f"{CODES[320].text} Message {request.fields[0]}"[:500])
            return
        about = kind.id_of(request.fields)
        if kind.answer is not None:
            self.send(kind.answered(request.fields))
        elif kind.is_cancel:
            self.error(about, 300, CODES[300].text.format(about))
        else:
            self.invalid(about, "sim", f"{kind.name} is not served by this gateway")

    def _id_of(self, request: m.Malformed) -> int:
        """Return the id in a request that cannot be read, -1 if that cannot be read either."""
        place = id_places(self.version).get(request.fields[0])
        return -1 if place is None else id_at(request.fields, place)

    def _is_paced(self, request: Request) -> bool:
        """Take note of a message; one above the limit is not served."""
        if self.ledger is None:
            return True
        now = self.gateway.present()  # the timeline stands still while the gateway is busy
        cost = replace(cost_of(request), identical=None, contract=None, weight=0, holds=False)
        cost = replace(cost, ticks=None)
        if self.ledger.broken(cost, now) is Rule.MESSAGES:
            second = self.ledger.limits.messages_span
            if now - self._violated_at >= second or not self._violations:
                self._violated_at = now
                self._violations += 1
            limit = f" max={self.ledger.limits.messages} rec={self.ledger.limits.messages + 1}"
            self.error(-1, 100, CODES[100].text.format(f"{limit} (1)"))
            if self._violations >= _VIOLATIONS:
                self.close()
            return False
        self.ledger.sent(cost, now)
        return True

    # What goes out

    def send(self, response: Response) -> None:
        """Say something, unless a fault has other ideas."""
        if not self.closed:
            self.gateway.faults.outgoing(self, response)

    def deliver(self, response: Response) -> None:
        """Say something, whatever faults there are."""
        if self.closed:
            return
        try:
            self.sink.send(response)
        except EncodeError as error:  # a value that a client brought, of this version or another
            _log.warning("client %d: %s", self.client_id, masked(error))

    def error(self, about: int, code: int, text: str | None = None, reject_json: str = "") -> None:
        """Say an error, a warning or a notice; `about` is a request or an order, or -1."""
        said = CODES[code].text if text is None else text
        time_ms = self.gateway.timeline.now // 1_000_000 if self.version >= 194 else 0
        self.send(m.ErrorMessage(about, code, said, reject_json, time_ms))

    def invalid(self, about: int, kind: str, cause: str) -> None:
        """Say that a request failed validation; `kind` is what IB calls it inside."""
        self.error(about, 321, f"Error validating request.-'{kind}' : cause - {cause}")

    def close(self) -> None:
        """Hang up."""
        self.gateway.left(self)
        self.sink.cut()

    def cut(self, after: int) -> None:
        """Let the connection break once `after` more bytes have gone out, wherever that is."""
        if after > 0:
            self.sink.cut(after)
        else:
            self.close()


def request_id(request: Request) -> int:
    """Return the id of a request or order, -1 if it has none."""
    return int(getattr(request, "request_id", getattr(request, "order_id", -1)))


@handles(m.StartApi)
def _start(session: Session, request: m.StartApi) -> None:
    session.gateway.start(session, request.client_id)


@handles(m.RequestIds)
def _ids(session: Session, _: m.RequestIds) -> None:
    session.send(m.NextValidId(session.gateway.next_order_id(session.client_id)))


@handles(m.RequestManagedAccounts)
def _accounts(session: Session, _: m.RequestManagedAccounts) -> None:
    session.send(m.ManagedAccounts(",".join(session.gateway.config.accounts)))


@handles(m.RequestCurrentTime)
def _time(session: Session, _: m.RequestCurrentTime) -> None:
    session.send(m.CurrentTime(session.gateway.timeline.now // 1_000_000_000))


@handles(m.RequestCurrentTimeInMillis)
def _time_ms(session: Session, _: m.RequestCurrentTimeInMillis) -> None:
    session.send(m.CurrentTimeInMillis(session.gateway.timeline.now // 1_000_000))


@handles(m.SetLogLevel)
def _log_level(session: Session, request: m.SetLogLevel) -> None:
    pass
