"""What a series missed while the program was off: which history to ask for, and in which order.

Rules of this file. No clock and no requests: it says which months' bars are lacking and takes what
is brought. Bars go to the machine by time over all months, and only as long as every month that the
machine wants just then has been brought; a roll changes what it wants, so that rolls that were
missed are made one by one, each with all its legs. Answers of different months reach up to
different instants: no bar after the earliest of them is fed, since another leg of its time may be
lacking; it comes live as well, or has to be asked for again. What the machine has seen already is
not fed again but compared: the first value stands, and what differs is a revision.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from pyfutures.continuous.bars import Bar, Revised, same_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyfutures.continuous.bars import ContinuousBar
    from pyfutures.continuous.machine import RollMachine
    from pyfutures.months import ContractMonth

__all__ = ["Recovery"]

_EVER: Final = 2**63


class Recovery:
    """Brings a machine up to date.

    Parameters
    ----------
    machine
        The machine, as it was stored or new.
    since_ns
        From when on history is wanted.
    stored
        The last bars of the series, to compare with.

    Attributes
    ----------
    since_ns
        From when on history is wanted.

    """

    def __init__(
        self, machine: RollMachine, *, since_ns: int, stored: Iterable[ContinuousBar] = ()
    ) -> None:
        self.since_ns = since_ns
        self._machine = machine
        self._brought: dict[ContractMonth, int | None] = {}  # until when
        self._asked: set[ContractMonth] = set()
        self._waiting: list[tuple[int, ContractMonth, int, Bar]] = []
        self._known = {
            (leg.month, leg.ts): leg
            for bar in stored
            for leg in (bar.current, bar.forward, bar.carry, bar.previous)
            if leg is not None
        }
        # Before it nothing is fed.
        self._closed = machine.closed_ts

    def to_ask(self) -> tuple[ContractMonth, ...]:
        """Return the months whose history is lacking and was not asked for, oldest first."""
        months = tuple(month for month in self._machine.wanted() if month not in self._asked)
        self._asked.update(months)
        return months

    @property
    def is_waiting(self) -> bool:
        """Whether history that was asked for has not been brought."""
        return not self._brought.keys() >= self._asked

    @property
    def is_done(self) -> bool:
        """Whether everything that is wanted was brought, and fed as far as all of it reaches."""
        return self._has_all and not self._next_is_fed

    @property
    def _has_all(self) -> bool:
        return self._brought.keys() >= set(self._machine.wanted())

    @property
    def _next_is_fed(self) -> bool:
        """Whether a bar waits that no other answer ended before."""
        if not self._waiting:
            return False
        ends = (self._brought[month] for month in self._machine.wanted())
        return self._waiting[0][0] <= min((end for end in ends if end is not None), default=_EVER)

    def left(self, now_ns: int) -> set[tuple[ContractMonth, int]]:
        """Return month and timestamp of what was brought and not fed, of the months wanted."""
        wanted = self._machine.wanted()
        return {(month, ts) for ts, month, *_ in self._waiting if month in wanted and ts <= now_ns}

    def knows(self, month: ContractMonth) -> bool:
        """Whether a bar of the month is stored that its history must have."""
        return any(held == month for held, _ in self._known)

    def bring(
        self, month: ContractMonth, bars: Iterable[Bar], *, until_ns: int | None = None
    ) -> tuple[Revised, ...]:
        """Take the history of a month; return what of it was another value before.

        Parameters
        ----------
        month, bars
            The month, and its bars.
        until_ns
            When it was asked for: later bars may be lacking. None if none can.
        """
        self._brought[month] = until_ns
        revised = []
        for bar in bars:
            if bar.ts < self.since_ns:  # asked for by another series of the same contracts
                continue
            if self._closed is not None and bar.ts <= self._closed:
                known = self._known.get((month, bar.ts))
                if known is not None and not same_bar(known, bar):
                    revised.append(Revised(self._machine.root, known, bar))
            else:
                heapq.heappush(self._waiting, (bar.ts, month, len(self._waiting), bar))
        return tuple(revised)

    def ready(self) -> Iterator[Bar]:
        """Give the bars that can be fed now, by time; feed each one before taking the next."""
        machine = self._machine
        while self._has_all and self._next_is_fed:
            bar = heapq.heappop(self._waiting)[3]
            closed, opened = machine.closed_ts, machine.open_ts
            # A month that is wanted since a roll was no leg of what was closed before.
            if (closed is None or bar.ts > closed) and (opened is None or bar.ts >= opened):
                yield bar
