"""What the market does within a minute: trades and quotes, of which every bar is made.

Theory of operation. A minute of a session has twelve slots of five seconds. The price walks from
the curve's price at the start of the minute (slot 0) to that at its end (slot 11), on the grid.
What the curve trades in the minute is spread over the slots, the first and the last before others;
a single lot trades in the last. At each slot the market quotes one tick wide, and the slot's price
is its bid or its ask. So whatever is asked for (ticks, bars of any size, live or later) is made of
the same slots, and depends on seed, contract and instant alone. Prices here are in ticks.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.gateway.hours import NS_PER_MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pyfutures.chain.sessions import Session
    from pyfutures.gateway.contracts import Instrument

    type Ints = NDArray[np.int64]
    type Small = NDArray[np.int32]  # half the memory

__all__ = ["SLOTS", "SLOT_NS", "Day", "Market", "Quote", "Trade"]

SLOTS: Final = 12
SLOT_NS: Final = NS_PER_MINUTE // SLOTS
_STEPS: Final = np.arange(SLOTS) / (SLOTS - 1)
_KEPT: Final = 128  # sessions in memory, about half a megabyte each


def _places() -> Ints:
    """Return in which slot trade i of n is, a row an n."""
    table = np.full((SLOTS + 1, SLOTS), SLOTS - 1, np.int64)
    for n in range(2, SLOTS + 1):
        for i in range(n):
            table[n, i] = i * (SLOTS - 1) // (n - 1)
    return table


_PLACES: Final = _places()


@dataclass(frozen=True, slots=True)
class Quote:
    """The market at an instant, prices in ticks. `last` is None before the first trade."""

    bid: int
    ask: int
    bid_size: int
    ask_size: int
    last: int | None
    last_size: int
    last_ns: int

    @property
    def mark(self) -> float:
        """What a position is valued at: the middle."""
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True)
class Trade:
    """One print, its price in ticks."""

    ns: int
    price: int
    size: int


def scatter(keys: Ints) -> Ints:
    """Return a number that looks random for each key, and always the same."""
    mixed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    answer: Ints = ((mixed ^ (mixed >> np.uint64(29))) >> np.uint64(20)).astype(np.int64)
    return answer


class Day:
    """One contract in one session, slot by slot. Rows are minutes.

    Attributes
    ----------
    minutes
        The minutes since 1970.
    price
        What the market is at in each slot.
    size
        What trades in it.
    side
        1 where the price is the ask, 0 where it is the bid.
    bid_size, ask_size
        What is bid for and offered.

    """

    def __init__(self, instrument: Instrument, session: Session) -> None:
        self.instrument = instrument
        self.session = session
        listing = instrument.listing
        minutes, first, last, volume = instrument.product.curve.minutes(listing, session)
        start, end = first // listing.tick, last // listing.tick
        self.minutes: Ints = minutes
        walk = np.rint((end - start)[:, None] * _STEPS).astype(np.int64)
        self.price: Small = (start[:, None] + walk).astype(np.int32)
        self.size: Small = np.zeros((len(minutes), SLOTS), np.int32)
        trades = np.minimum(volume, SLOTS)
        rows = np.arange(len(minutes))
        for i in range(SLOTS):
            some = trades > i
            n, v = trades[some], volume[some]
            self.size[rows[some], _PLACES[n, i]] = v * (i + 1) // n - v * i // n
        noise = scatter(minutes[:, None] * SLOTS + np.arange(SLOTS) + instrument.con_id)
        self.side: Small = np.where(self.price > 1, noise & 1, 0).astype(np.int32)
        self.bid_size: Small = (5 + (noise >> 3) % 60).astype(np.int32)
        self.ask_size: Small = (5 + (noise >> 11) % 60).astype(np.int32)

    def __len__(self) -> int:
        """Return the number of minutes."""
        return len(self.minutes)

    @property
    def bid(self) -> Small:
        """The bid of each slot; the ask is a tick above it."""
        return self.price - self.side

    @cached_property
    def starts(self) -> Ints:
        """When each slot begins, UTC ns, one after the other."""
        starts: Ints = self.minutes[:, None] * NS_PER_MINUTE + np.arange(SLOTS) * SLOT_NS
        return starts.ravel()

    @cached_property
    def _last(self) -> Ints:
        """The slot of the last trade up to each slot, -1 before the first."""
        traded = np.where(self.size.ravel() > 0, np.arange(self.size.size), -1)
        answer: Ints = np.maximum.accumulate(traded)
        return answer

    @cached_property
    def _sums(self) -> tuple[Ints, Small, Small]:
        """Volume, high and low of the trades up to each slot."""
        size, price = self.size.ravel(), self.price.ravel()
        high = np.maximum.accumulate(np.where(size > 0, price, 0))
        low = np.minimum.accumulate(np.where(size > 0, price, np.iinfo(np.int32).max))
        return np.cumsum(size, dtype=np.int64), high, low

    def slot(self, ns: int) -> int:
        """Return the slot an instant lies in or after, -1 before the open."""
        return int(np.searchsorted(self.starts, ns, side="right")) - 1

    def quote(self, slot: int) -> Quote:
        """Return the market in a slot."""
        row, column = divmod(slot, SLOTS)
        price, side = int(self.price[row, column]), int(self.side[row, column])
        last = int(self._last[slot])
        bid = price - side
        sizes = int(self.bid_size[row, column]), int(self.ask_size[row, column])
        if last < 0:
            return Quote(bid, bid + 1, *sizes, None, 0, 0)
        at = divmod(last, SLOTS)
        ns = int(self.starts[last])
        return Quote(bid, bid + 1, *sizes, int(self.price[at]), int(self.size[at]), ns)

    def trades(self, slot: int) -> tuple[Trade, ...]:
        """Return the prints of a slot, all in its first second; more than one lot prints twice."""
        row, column = divmod(slot, SLOTS)
        size = int(self.size[row, column])
        if size == 0:
            return ()
        ns, price = int(self.starts[slot]), int(self.price[row, column])
        parts = (size,) if size == 1 else (size - size // 2, size // 2)
        return tuple(Trade(ns, price, part) for part in parts)

    def so_far(self, slot: int) -> tuple[int, int | None, int | None, int | None]:
        """Return volume, open, high and low of the day up to a slot; None before a trade."""
        volume, high, low = self._sums
        if slot < 0 or volume[slot] == 0:
            return 0, None, None, None
        first = int(np.argmax(self.size.ravel() > 0))
        opened = int(self.price.ravel()[first])
        return int(volume[slot]), opened, int(high[slot]), int(low[slot])

    @property
    def close(self) -> int | None:
        """The last price of the session, None if nothing traded."""
        slot = int(self._last[-1]) if len(self) else -1
        return None if slot < 0 else int(self.price[divmod(slot, SLOTS)])


class Market:
    """The markets of all contracts."""

    def __init__(self) -> None:
        self._days: OrderedDict[tuple[int, Session], Day] = OrderedDict()

    def day(self, instrument: Instrument, session: Session) -> Day:
        """Return a contract in a session.

        Raises
        ------
        ValueError
            For a session outside 1970-2050.

        """
        key = (instrument.con_id, session)
        day = self._days.get(key)
        if day is None:
            day = self._days[key] = Day(instrument, session)
            if len(self._days) > _KEPT:
                self._days.popitem(last=False)
        else:
            self._days.move_to_end(key)
        return day

    def is_open(self, instrument: Instrument, ns: int) -> bool:
        """Whether the contract trades at an instant."""
        return not instrument.is_expired(ns) and instrument.hours.at(ns) is not None

    def latest(self, instrument: Instrument, ns: int) -> tuple[Day, int] | None:
        """Return the session and slot of the market's latest state; None before the first."""
        ns = min(ns, instrument.last_ns - 1)
        session = instrument.hours.at(ns) or instrument.hours.ahead(ns)
        for _ in range(10):
            if session is None:
                return None
            day = self.day(instrument, session)
            slot = day.slot(ns) if len(day) else -1
            if slot >= 0:
                return day, slot
            session = instrument.hours.before(session)
        return None

    def quote(self, instrument: Instrument, ns: int) -> Quote | None:
        """Return the market at an instant; that of the last close while it is closed."""
        found = self.latest(instrument, ns)
        return None if found is None else found[0].quote(found[1])

    def next_slot(self, instrument: Instrument, ns: int) -> int | None:
        """Return when the market of a contract moves next after an instant; None if never."""
        after = ns - ns % SLOT_NS + SLOT_NS
        if instrument.is_expired(after):
            return None
        opens = instrument.hours.next_open(after)
        if opens is None or instrument.is_expired(opens):
            return None
        return opens
