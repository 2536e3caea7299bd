"""How a client is set up."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyfutures.ib.pacing import Limits
from pyfutures.ib.schedule import Schedule
from pyfutures.ib.versions import Versions

__all__ = ["Backoff", "ClientConfig"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds to wait before the next attempt: `first`, then `factor` times as long, to `most`."""

    first: float
    factor: float
    most: float

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.most or self.factor < 1:
            raise ValueError(f"{self}: must be positive and not shrink")

    def delay(self, attempt: int) -> float:
        """Return the wait behind attempt 0, 1, 2 …; attempts never run out."""
        # The exponent is bounded: a client may try for days.
        return min(self.most, self.first * self.factor ** min(attempt, 64))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """How a client is set up. All times are in seconds.

    Attributes
    ----------
    host, port, client_id
        The gateway, and the id under which orders are seen.
    versions
        The server versions to offer.
    pipeline
        Whether to send `StartApi` with the hello instead of behind the gateway's answer.
    trading
        Whether to ask for open orders, completed orders and executions at every connect; a client
        that places an order does so from then on.
    connect_deadline, handshake_deadline, start_deadline
        How long TCP, the version and the start of a session may take.
    request_deadline, history_deadline
        How long an answer may take, from the moment the request goes out.
    silence, heartbeat_deadline
        After `silence` without a byte the gateway is asked for the time; if nothing comes within
        `heartbeat_deadline` the connection is dead.
    line_deadline
        How long IB's servers may be away (1100) before the connection is made anew.
    verify_after
        How long a feed may be silent behind 1102 before it is subscribed again.
    bar_grace
        How long after its scheduled close, by the gateway's clock, a bar is taken to be complete
        though no later bar came. None: only a later bar closes one.
    order_deadline, commission_deadline
        How long an acknowledgement and a commission may take before they are asked for.
    queue_size
        How many values a subscription holds for a slow consumer.
    login_zone
        The zone chosen at the gateway's login, for times that name none.
    first_request_id
        Request ids count up from here, or down if it is negative; keep them apart from order ids.

    Raises
    ------
    ValueError
        For times that are not positive, or a port or an id that cannot be.

    """

    host: str = "127.0.0.1"
    port: int = 4002
    client_id: int = 1
    versions: Versions = field(default_factory=Versions)
    capabilities: str = ""
    pipeline: bool = False
    trading: bool = False
    connect_deadline: float = 10.0
    handshake_deadline: float = 10.0
    start_deadline: float = 20.0
    request_deadline: float = 30.0
    history_deadline: float = 90.0
    silence: float = 30.0
    heartbeat_deadline: float = 10.0
    line_deadline: float = 1800.0
    verify_after: float = 30.0
    bar_grace: float | None = 15.0
    order_deadline: float = 15.0
    commission_deadline: float = 5.0
    reconnect: Backoff = field(default_factory=lambda: Backoff(1.0, 2.0, 60.0))
    id_in_use: Backoff = field(default_factory=lambda: Backoff(5.0, 1.5, 60.0))
    retry: Backoff = field(default_factory=lambda: Backoff(15.0, 2.0, 300.0))
    limits: Limits = field(default_factory=lambda: Limits(margin=50_000_000))
    schedule: Schedule = field(default_factory=Schedule)
    queue_size: int = 10_000
    login_zone: str | None = None
    first_request_id: int = 1_000_000_000

    def __post_init__(self) -> None:
        for name in (
            "connect_deadline", "handshake_deadline", "start_deadline", "request_deadline",
            "history_deadline", "silence", "heartbeat_deadline", "line_deadline", "verify_after",
            "order_deadline", "commission_deadline", "queue_size",
        ):  # fmt: skip
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} {getattr(self, name)}: must be positive")
        if not self.host:
            raise ValueError("host: the address of the gateway is missing")
        if not 0 < self.port < 65_536:
            raise ValueError(f"port {self.port}: must be 1 to 65535")
        if not 0 <= self.client_id < 2**31:
            raise ValueError(f"client_id {self.client_id}: must be 0 to 2147483647")
        if -10 < self.first_request_id < 1:
            raise ValueError(
                f"first_request_id {self.first_request_id}: -1 means no request; "
                "take 1 and above, or -10 and below"
            )
