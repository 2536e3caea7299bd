"""What a series missed while the program was off: which history to ask for, and in which order.

Rules of this file. No clock and no requests: it says which months' bars are lacking and takes what
is brought. Bars go to the machine by time over all months, and only as long as every month that the
machine wants just then has been brought; a roll changes what it wants, so that rolls that were
missed are made one by one, each with all its legs. What the machine has seen already is not fed
again but compared: the first value stands, and what differs is a revision.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from pyfutures.continuous.bars import Bar, Revised, same_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyfutures.continuous.bars import ContinuousBar
    from pyfutures.continuous.machine import RollMachine
    from pyfutures.months import ContractMonth

__all__ = ["Recovery"]


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
        self._brought: set[ContractMonth] = set()
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
        return not self._asked <= self._brought

    @property
    def is_done(self) -> bool:
        """Whether everything that is wanted was brought and fed."""
        return not self._waiting and self._brought.issuperset(self._machine.wanted())

    def knows(self, month: ContractMonth) -> bool:
        """Whether a bar of the month is stored that its history must have."""
        return any(held == month for held, _ in self._known)

    def bring(self, month: ContractMonth, bars: Iterable[Bar]) -> tuple[Revised, ...]:
        """Take the history of a month; return what of it was another value before."""
        self._brought.add(month)
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
        while self._waiting and self._brought.issuperset(machine.wanted()):
            bar = heapq.heappop(self._waiting)[3]
            closed, opened = machine.closed_ts, machine.open_ts
            # A month that is wanted since a roll was no leg of what was closed before.
            if (closed is None or bar.ts > closed) and (opened is None or bar.ts >= opened):
                yield bar
