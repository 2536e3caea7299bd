"""Bars of any size, made of the market's slots; and what is revised of them later.

A bar covers the slots that begin in it. Intraday bars start at multiples of their size on the clock
of the exchange and are cut where trading starts and stops. Longer bars are whole sessions. Trades
make bars only where there are trades; quotes make them wherever the market is open.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from pyfutures.gateway.hours import NS_PER_MINUTE
from pyfutures.gateway.market import SLOT_NS
from pyfutures.ib.times import BarSize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from pyfutures.chain.sessions import Session
    from pyfutures.gateway.contracts import Instrument
    from pyfutures.gateway.hours import Stretches
    from pyfutures.gateway.market import Day, Market

    type Ints = NDArray[np.int64]
    type Floats = NDArray[np.float64]

__all__ = ["BarRow", "Bars", "Revision", "Show"]

_SECOND: Final = 1_000_000_000
_CLOSES: Final = 10_000  # last prices in memory


class Show(StrEnum):
    """What a bar is of."""

    TRADES = "TRADES"
    MIDPOINT = "MIDPOINT"
    BID = "BID"
    ASK = "ASK"
    BID_ASK = "BID_ASK"


@dataclass(frozen=True, slots=True)
class BarRow:
    """One bar, prices in ticks. `value` is the sum of price times size; -1 sizes mean none."""

    start: int
    day: dt.date
    open: float
    high: float
    low: float
    close: float
    volume: int
    value: float
    count: int

    @property
    def average(self) -> float:
        """The price weighted by volume."""
        return self.value / self.volume if self.volume > 0 else self.close


@dataclass(frozen=True, slots=True)
class Revision:
    """What became of a daily bar: another close (the settlement), more volume (late trades)."""

    close: int | None = None
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class _Slots:
    """The slots that bars are made of, one after the other."""

    starts: Ints
    high: Floats
    low: Floats
    first: Floats  # what the open is taken from
    last: Floats  # and the close
    size: Ints


class Bars:
    """Makes bars of a market.

    Parameters
    ----------
    market
        What the bars are of.

    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.revisions: dict[tuple[int, dt.date], Revision] = {}
        self._closes: dict[tuple[int, Session], int | None] = {}

    def of(  # noqa: PLR0913 - one parameter a choice of the request
        self,
        instrument: Instrument,
        sessions: Iterable[Session],
        size: BarSize,
        show: Show,
        *,
        until: int,
        since: int = 0,
        use_rth: bool = False,
    ) -> list[BarRow]:
        """Return the bars of sessions, ascending, as they stand at `until`.

        Intraday bars that begin before `since` are left out, or have only a part of their slots.
        """
        answer: list[BarRow] = []
        for session in sessions:
            day = self.market.day(instrument, session)
            stretches = instrument.hours.liquid(session) if use_rth else session.stretches
            begins = 0 if size.seconds is None else since
            slots = _select(day, stretches, show, until, since=begins)
            if slots is None:
                continue
            if size.seconds is None:
                keys = np.zeros(len(slots.starts), np.int64)
                rows = list(_rows(slots, keys, session.day, show))
                answer += [self._revised(instrument, row) for row in rows]
                continue
            if size.seconds * _SECOND < SLOT_NS and show is not Show.TRADES:
                slots = _each_second(slots, size.seconds, until)
            offset = _offset(instrument, session)
            keys = _aligned(slots.starts, size.seconds * _SECOND, offset, stretches)
            answer += _rows(slots, keys, session.day, show)
        if size in {BarSize.WEEK_1, BarSize.MONTH_1}:
            return list(_longer(answer, size))
        return answer

    def latest(  # noqa: PLR0913 - one parameter a choice of the request
        self,
        instrument: Instrument,
        session: Session,
        size: BarSize,
        show: Show,
        *,
        until: int,
        use_rth: bool = False,
    ) -> BarRow | None:
        """Return the bar of a session that is forming at `until`, without its earlier ones."""
        since = 0
        if size.seconds is not None:
            span = max(size.seconds * _SECOND, SLOT_NS)
            offset = _offset(instrument, session)
            since = (until + offset) // span * span - offset
        day = self.market.day(instrument, session)
        stretches = instrument.hours.liquid(session) if use_rth else session.stretches
        begun = [a * NS_PER_MINUTE for a, b in stretches if a * NS_PER_MINUTE <= until]
        slots = _select(day, stretches, show, until, since=max([since, *begun[-1:]]))
        if size.seconds is None:
            slots = _select(day, stretches, show, until)
        if slots is None:
            return None
        keys = np.full(len(slots.starts), since)
        start = max([since, *begun[-1:]])
        row = next(_rows(slots, keys, session.day, show))
        return replace(row, start=start) if size.seconds is not None else row

    def settled(self, instrument: Instrument, session: Session) -> int | None:
        """Return the close of a session: the settlement where there is one, else the last price."""
        revision = self.revisions.get((instrument.con_id, session.day))
        if revision is not None and revision.close is not None:
            return revision.close
        key = (instrument.con_id, session)
        if key not in self._closes:  # asked for with every tick of a line
            if len(self._closes) > _CLOSES:
                self._closes.clear()
            self._closes[key] = self.market.day(instrument, session).close
        return self._closes[key]

    def _revised(self, instrument: Instrument, row: BarRow) -> BarRow:
        revision = self.revisions.get((instrument.con_id, row.day))
        if revision is None or row.volume < 0:
            return row
        volume = round(row.volume * revision.volume)
        value = row.value * volume / row.volume if row.volume else 0.0
        if revision.close is None:
            return replace(row, volume=volume, value=value)
        close = revision.close
        return replace(
            row, close=close, high=max(row.high, close), low=min(row.low, close), volume=volume,
            value=value,
        )  # fmt: skip


def _select(
    day: Day, stretches: Stretches, show: Show, until: int, *, since: int = 0
) -> _Slots | None:
    """Return the slots of a day that have begun, None if there are none."""
    starts = day.starts
    keep = (starts <= until) & (starts >= since)
    minutes = starts // NS_PER_MINUTE
    inside = np.zeros(len(starts), np.bool_)
    for opened, closed in stretches:
        inside |= (minutes >= opened) & (minutes < closed)
    keep &= inside
    size = day.size.ravel()
    if show is Show.TRADES:
        keep &= size > 0
    if not keep.any():
        return None
    price = day.price.ravel()[keep].astype(np.float64)
    bid = price - day.side.ravel()[keep]
    ask = bid + 1
    if show is Show.TRADES:
        return _Slots(starts[keep], price, price, price, price, size[keep].astype(np.int64))
    none = np.zeros(0, np.int64)
    if show is Show.BID_ASK:
        return _Slots(starts[keep], ask, bid, bid, ask, none)
    chosen = {Show.BID: bid, Show.ASK: ask, Show.MIDPOINT: (bid + ask) / 2}[show]
    return _Slots(starts[keep], chosen, chosen, chosen, chosen, none)


def _each_second(slots: _Slots, step: int, until: int) -> _Slots:
    """Return slots of a second each: a quote stands until the next one."""
    times = SLOT_NS // _SECOND // step
    starts = np.repeat(slots.starts, times) + np.tile(
        np.arange(times) * step * _SECOND, len(slots.starts)
    )
    begun = starts <= until
    columns = (slots.high, slots.low, slots.first, slots.last)
    high, low, first, last = (np.repeat(column, times)[begun] for column in columns)
    return _Slots(starts[begun], high, low, first, last, slots.size)


def _offset(instrument: Instrument, session: Session) -> int:
    local = instrument.hours.local(session.stretches[-1][0])
    offset = local.utcoffset() or dt.timedelta(0)
    return int(offset.total_seconds()) * _SECOND


def _aligned(starts: Ints, size: int, offset: int, stretches: Stretches) -> Ints:
    """Return the start of the bar that each slot belongs to."""
    keys = (starts + offset) // size * size - offset
    for opened, closed in stretches:
        low, high = opened * NS_PER_MINUTE, closed * NS_PER_MINUTE
        mine = (starts >= low) & (starts < high)
        keys = np.where(mine, np.maximum(keys, low), keys)
    return keys


def _rows(slots: _Slots, keys: Ints, day: dt.date, show: Show) -> Iterator[BarRow]:
    at = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    ends = np.append(at[1:], len(keys)) - 1
    high = np.maximum.reduceat(slots.high, at)
    low = np.minimum.reduceat(slots.low, at)
    first, last = slots.first[at], slots.last[ends]
    if show is Show.BID_ASK:  # the averages of both sides, and their extremes
        lengths = ends - at + 1
        first = np.add.reduceat(slots.first, at) / lengths
        last = np.add.reduceat(slots.last, at) / lengths
    begun = slots.starts[at] if keys[0] == keys[-1] == 0 else keys[at]
    if show is Show.TRADES:
        volume = np.add.reduceat(slots.size, at)
        value = np.add.reduceat(slots.first * slots.size, at)
        count = np.add.reduceat(np.minimum(slots.size, 2), at)
    else:
        volume = count = np.full(len(at), -1)
        value = np.zeros(len(at))
    columns = (begun, first, high, low, last, volume, value, count)
    for start, *rest in zip(*(column.tolist() for column in columns), strict=True):
        yield BarRow(start, day, *rest)


def _longer(days: list[BarRow], size: BarSize) -> Iterator[BarRow]:
    """Return bars of weeks or months; each is dated by its last session."""
    group: list[BarRow] = []
    for row in [*days, None]:
        if group and (row is None or _period(row.day, size) != _period(group[0].day, size)):
            sized = group[0].volume >= 0
            yield BarRow(
                group[0].start,
                group[-1].day,
                group[0].open,
                max(bar.high for bar in group),
                min(bar.low for bar in group),
                group[-1].close,
                sum(bar.volume for bar in group) if sized else -1,
                sum(bar.value for bar in group),
                sum(bar.count for bar in group) if sized else -1,
            )
            group = []
        if row is not None:
            group.append(row)


def _period(day: dt.date, size: BarSize) -> tuple[int, int]:
    if size is BarSize.MONTH_1:
        return day.year, day.month
    week = day.isocalendar()
    return week.year, week.week
