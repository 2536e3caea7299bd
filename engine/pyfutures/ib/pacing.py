"""Pacing: what may be sent when, so that the gateway's limits are never broken.

Theory of operation. Time is an int of nanoseconds that the caller brings; nothing here reads a
clock or waits. `Ledger` knows the rules: what was sent when, hence the first instant at which a
request may go. `Pacer` is the client's queue over it: put a request in, ask which may go now and
when to ask again. Orders go before everything else and have messages of each second kept for them.
The simulated gateway holds the same `Ledger` against its clients: `Ledger.broken` names the rule a
request breaks.

Windows are half-open backwards: with a limit of 50 a second a message may go at `t` if fewer than
50 went in ``(t - 1 s, t]``.

Sources: https://interactivebrokers.github.io/tws-api/historical_limitations.html (15 seconds, six
requests in two seconds, sixty in ten minutes, BID_ASK twice, 50 open), order_limitations.html (50
messages a second), tick_data.html (tick-by-tick once an instrument in 15 seconds). The historical
rules hold for bars of 30 seconds and below; above, IB lifted them.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

from pyfutures.ib.messages.contracts import RequestContractDetails
from pyfutures.ib.messages.depth import RequestMarketDepth
from pyfutures.ib.messages.history import (
    RequestHeadTimestamp,
    RequestHistoricalBars,
    RequestHistoricalTicks,
)
from pyfutures.ib.messages.market import (
    RequestMarketData,
    RequestRealTimeBars,
    RequestTickByTick,
)
from pyfutures.ib.messages.orders import CancelOrder, GlobalCancel, PlaceOrder
from pyfutures.ib.times import BarSize

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pyfutures.ib.messages.base import Request

__all__ = ["Cost", "Ledger", "Limits", "Pacer", "Priority", "Rule", "cost_of"]

SECOND: Final = 1_000_000_000


class Priority(IntEnum):
    """Who goes first."""

    ORDER = 0
    CONTROL = 1  # cancels, accounts, the clock
    LIVE = 2  # subscriptions
    HISTORY = 3


class Rule(StrEnum):
    """A limit of the gateway."""

    MESSAGES = "messages a second"
    OPEN = "open historical requests"
    IDENTICAL = "identical historical requests"
    CONTRACT = "historical requests for one contract"
    TOTAL = "historical requests in ten minutes"
    TICKS = "tick-by-tick requests for one contract"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits; `margin` keeps a client below those of the gateway, whose clock sees bursts."""

    messages: int = 50
    messages_span: int = SECOND
    reserved: int = 5  # messages a span that only orders may use
    open: int = 50
    identical_span: int = 15 * SECOND
    contract: int = 5  # six within the span are a violation
    contract_span: int = 2 * SECOND
    total: int = 60
    total_span: int = 600 * SECOND
    ticks_span: int = 15 * SECOND
    margin: int = 0  # ns added to every span

    def __post_init__(self) -> None:
        if not 0 <= self.reserved < self.messages or min(self.open, self.contract, self.total) < 1:
            raise ValueError(f"{self}: nothing could ever be sent")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request counts for. Keys are None where a rule does not apply."""

    priority: Priority = Priority.CONTROL
    identical: Hashable = None
    contract: Hashable = None
    weight: int = 0  # of the sixty in ten minutes
    ticks: Hashable = None
    holds: bool = False  # an open historical request until it is answered or cancelled


def cost_of(request: Request) -> Cost:
    """Return what a request counts for."""
    if isinstance(request, PlaceOrder | CancelOrder | GlobalCancel):
        return Cost(Priority.ORDER)
    if isinstance(request, RequestHistoricalBars):
        size = next((size for size in BarSize if size == request.bar_size), None)
        if size is not None and not size.is_small:
            return Cost(Priority.HISTORY, holds=True)
        what: tuple[object, ...] = (
            request.end, request.duration, request.bar_size, request.use_rth,
        )  # fmt: skip
        return _historical(request, "bars", what)
    if isinstance(request, RequestHistoricalTicks):
        return _historical(
            request, "ticks", (request.start, request.end, request.count, request.use_rth)
        )
    if isinstance(request, RequestTickByTick):
        return Cost(Priority.LIVE, ticks=request.contract)
    return _COSTS.get(type(request), Cost())


def _historical(
    request: RequestHistoricalBars | RequestHistoricalTicks, kind: str, what: tuple[object, ...]
) -> Cost:
    of = (request.contract, request.show)
    weight = 2 if request.show == "BID_ASK" else 1
    return Cost(Priority.HISTORY, (kind, of, what), of, weight, holds=True)


_COSTS: Final = {
    RequestMarketData: Cost(Priority.LIVE),
    RequestMarketDepth: Cost(Priority.LIVE),
    RequestRealTimeBars: Cost(Priority.LIVE),
    RequestContractDetails: Cost(Priority.HISTORY),
    RequestHeadTimestamp: Cost(Priority.HISTORY),
}


class _Window:
    """How much went in the last `span`, at most `limit`."""

    __slots__ = ("_sent", "_total", "limit", "span")

    def __init__(self, limit: int, span: int) -> None:
        self.limit = limit
        self.span = span
        self._sent: deque[tuple[int, int]] = deque()
        self._total = 0

    def forget(self, now: int) -> bool:
        """Drop what is past; whether nothing is left."""
        while self._sent and self._sent[0][0] <= now - self.span:
            self._total -= self._sent.popleft()[1]
        return not self._sent

    def free_at(self, now: int, weight: int = 1, kept: int = 0) -> int:
        """Return the first instant from `now` on for `weight` more, with `kept` left over."""
        self.forget(now)
        excess = self._total + weight - (self.limit - kept)
        for at, amount in self._sent:
            if excess <= 0:
                break
            excess -= amount
            now = at + self.span
        return now

    def add(self, now: int, weight: int = 1) -> None:
        """Take note."""
        self._sent.append((now, weight))
        self._total += weight


class Ledger:
    """What was sent, and what may be sent when.

    Parameters
    ----------
    limits
        The limits to hold.

    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self.open: set[Hashable] = set()
        self._now = 0
        self._messages = _Window(limits.messages, limits.messages_span + limits.margin)
        self._total = _Window(limits.total, limits.total_span + limits.margin)
        self._identical: dict[Hashable, _Window] = {}
        self._contract: dict[Hashable, _Window] = {}
        self._ticks: dict[Hashable, _Window] = {}
        self._sweep_at = 0

    def _keyed(self, cost: Cost) -> list[tuple[Rule, dict[Hashable, _Window], Hashable, int, int]]:
        limits = self.limits
        rows = (
            (Rule.IDENTICAL, self._identical, cost.identical, 1, limits.identical_span),
            (Rule.CONTRACT, self._contract, cost.contract, limits.contract, limits.contract_span),
            (Rule.TICKS, self._ticks, cost.ticks, 1, limits.ticks_span),
        )
        return [row for row in rows if row[2] is not None]

    def _free(self, cost: Cost, now: int) -> list[tuple[Rule, int]]:
        kept = 0 if cost.priority is Priority.ORDER else self.limits.reserved
        free = [(Rule.MESSAGES, self._messages.free_at(now, 1, kept))]
        if cost.weight:
            # A weight above the whole limit would wait for ever: it goes alone.
            free.append((Rule.TOTAL, self._total.free_at(now, min(cost.weight, self.limits.total))))
        for rule, windows, key, _, _ in self._keyed(cost):
            if key in windows:
                free.append((rule, windows[key].free_at(now)))
        return free

    def earliest(self, cost: Cost, now: int) -> int | None:
        """Return the first instant, `now` or later, at which the request may go.

        None where no time will do: as many historical requests are open as may be.
        """
        now = max(now, self._now)
        if cost.holds and len(self.open) >= self.limits.open:
            return None
        return max(at for _, at in self._free(cost, now))

    def broken(self, cost: Cost, now: int) -> Rule | None:
        """Return the rule that the request breaks if it goes now, None if it may go."""
        now = max(now, self._now)
        if cost.holds and len(self.open) >= self.limits.open:
            return Rule.OPEN
        return next((rule for rule, at in self._free(cost, now) if at > now), None)

    def sent(self, cost: Cost, now: int, *, request_id: Hashable = None) -> None:
        """Take note that the request went; whether it was allowed is not asked.

        A clock that steps back is held at the latest instant seen.
        """
        self._now = now = max(now, self._now)
        self._messages.add(now)
        if cost.weight:
            self._total.add(now, cost.weight)
        for _, windows, key, limit, span in self._keyed(cost):
            window = windows.get(key)
            if window is None:
                window = windows[key] = _Window(limit, span + self.limits.margin)
            window.add(now)
        if cost.holds:
            self.open.add(request_id)
        self._messages.forget(now)
        self._total.forget(now)
        if now >= self._sweep_at:
            self._sweep(now)

    def done(self, request_id: Hashable) -> None:
        """Take note that a historical request was answered, failed or cancelled."""
        self.open.discard(request_id)

    def reset(self) -> None:
        """Take note of a new connection: nothing is open any more. The windows still count."""
        self.open.clear()

    def _sweep(self, now: int) -> None:
        # Keys of requests long past must not pile up in a process that runs for months.
        for windows in (self._identical, self._contract, self._ticks):
            for key in [key for key, window in windows.items() if window.forget(now)]:
                del windows[key]
        self._sweep_at = now + self.limits.identical_span


@dataclass(order=True, slots=True)
class _Waiting[T]:
    priority: int
    number: int
    ticket: Hashable = field(compare=False)
    item: T = field(compare=False)
    cost: Cost = field(compare=False)


class Pacer[T]:
    """The client's queue: what waits, what may go now, when to ask again.

    Parameters
    ----------
    ledger
        The rules and what was sent.
    cost
        What an item counts for; `cost_of` for requests.

    """

    def __init__(self, cost: Callable[[T], Cost], ledger: Ledger | None = None) -> None:
        self.ledger = Ledger() if ledger is None else ledger
        self._cost = cost
        self._waiting: list[_Waiting[T]] = []
        self._number = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def put(self, item: T, *, ticket: Hashable = None) -> None:
        """Put an item in the queue; `ticket` is the request id that `done` and `drop` name."""
        cost = self._cost(item)
        heapq.heappush(self._waiting, _Waiting(cost.priority, self._number, ticket, item, cost))
        self._number += 1

    def take(self, now: int) -> list[T]:
        """Return the items that may go at `now`, best first; they count as sent.

        An item that has to wait for its own reasons does not hold up the ones behind it.
        """
        gone: list[T] = []
        kept: list[_Waiting[T]] = []
        while self._waiting:
            first = heapq.heappop(self._waiting)
            at = self.ledger.earliest(first.cost, now)
            if at == now:
                self.ledger.sent(first.cost, now, request_id=first.ticket)
                gone.append(first.item)
                continue
            kept.append(first)
            if self.ledger.earliest(Cost(first.cost.priority), now) != now:
                break  # not one message more of this kind or a lower one may go
        for waiting in kept:
            heapq.heappush(self._waiting, waiting)
        return gone

    def next_at(self, now: int) -> int | None:
        """Return the first instant at which something may go; None if nothing waits for time.

        What waits for an open request to end is not counted: call `take` again after `done`.
        """
        instants = [self.ledger.earliest(waiting.cost, now) for waiting in self._waiting]
        return min((at for at in instants if at is not None), default=None)

    def drop(self, ticket: Hashable) -> bool:
        """Take an item out of the queue before it went; whether it was there."""
        kept = [waiting for waiting in self._waiting if waiting.ticket != ticket]
        found = len(kept) < len(self._waiting)
        if found:
            heapq.heapify(kept)
            self._waiting = kept
        return found

    def done(self, ticket: Hashable) -> None:
        """Take note that a historical request was answered, failed or cancelled."""
        self.ledger.done(ticket)
