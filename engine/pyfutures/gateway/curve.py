"""A term structure that stands in for a market: log spot and a convenience yield, seeded.

Rules of this file. One path is drawn a root, on knots at each midnight UTC from 1970 to 2050 and on
minutes between them, so a price depends on seed, root, month and instant alone: never on what was
asked before, over which span or at which bar size. Hence a day's high is the highest of its hours,
and a bar's volume the sum of its parts. Contracts of a root are priced off the same two factors by
the formula of Gibson and Schwartz (1990, J. Finance 45, 959-976; closed form in Schwartz 1997,
J. Finance 52, 923-973, eq. 20): with the yield above the rate the curve falls with maturity
(backwardation), below it rises (contango).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np

from pyfutures.continuous.bars import Bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pyfutures.chain.sessions import Listing, Session
    from pyfutures.months import ContractMonth

    type Int64s = NDArray[np.int64]
    type Floats = NDArray[np.float64]

__all__ = ["MODELS", "Columns", "Curve", "CurveModel"]

NS_PER_MINUTE: Final = 60_000_000_000
MINUTES_PER_DAY: Final = 1440
_MINUTES_PER_YEAR: Final = 365.25 * MINUTES_PER_DAY
# The whole path is drawn at once, whatever is asked: that is what makes it the same each time.
_KNOTS: Final = (dt.date(2051, 12, 31) - dt.date(1970, 1, 1)).days
_FIRST_SATURDAY: Final = 2  # day 0, 1970-01-01, is a Thursday
_WEEKEND_CLOCK: Final = 0.15  # a closed day moves prices, but less
_SESSIONS_AT_ONCE: Final = 64  # bounds the memory of a long request
_LEAD_DAYS: Final = 4.0  # trading moves on this long before the roll date
_MOVE_DAYS: Final = 1.5  # and takes about this long to do so
_THIN: Final = 0.01  # of the leading contract's volume, in months that nobody holds


@dataclass(frozen=True, slots=True)
class CurveModel:
    """The parameters of a root's market; rates and volatilities are annual.

    `reversion` pulls the log spot to `level`, so that the spot of any year is a plausible one.
    `season` is the amplitude of the delivery month's own premium, highest at `season_peak` (1-12).
    `volume` is what the leading contract trades on a usual day.
    """

    level: float
    volatility: float
    rate: float = 0.04
    reversion: float = 0.25
    yield_mean: float = 0.04
    yield_reversion: float = 1.5
    yield_volatility: float = 0.25
    correlation: float = 0.6
    season: float = 0.0
    season_peak: int = 1
    volume: float = 100_000.0

    def log_future(self, spot: Floats, convenience: Floats, years: Floats) -> Floats:
        """Return logs of futures prices, from log spot and yield, `years` before the last trade."""
        k, s, v = self.yield_reversion, self.volatility, self.yield_volatility
        covariance = s * v * self.correlation
        decay = np.exp(-k * years)
        drift = self.rate - self.yield_mean + 0.5 * v * v / k**2 - covariance / k
        once = (self.yield_mean * k + covariance - v * v / k) * (1 - decay) / k**2
        twice = 0.25 * v * v * (1 - decay * decay) / k**3
        answer: Floats = spot - convenience * (1 - decay) / k + drift * years + once + twice
        return answer

    def premium(self, month: ContractMonth) -> float:
        """Return the log premium of a delivery month over an average one."""
        return self.season * math.cos(2 * math.pi * (month.month - self.season_peak) / 12)


#: Markets with a character of their own; any other root gets one that fits its tick.
MODELS: Final[Mapping[str, CurveModel]] = {
    "ES": CurveModel(
        5200, 0.17, yield_mean=0.013, yield_volatility=0.004, correlation=0.0, volume=1_400_000
    ),
    "CL": CurveModel(72, 0.34, yield_mean=0.06, yield_volatility=0.28, volume=320_000),
    "NG": CurveModel(
        3.2, 0.55, yield_volatility=0.45, season=0.12, season_peak=1, volume=180_000
    ),
    "GC": CurveModel(2300, 0.16, yield_mean=0.002, yield_volatility=0.004, volume=190_000),
    "HG": CurveModel(4.2, 0.22, yield_mean=0.045, yield_volatility=0.12, volume=80_000),
    "ZC": CurveModel(
        4.6, 0.28, yield_mean=0.02, yield_volatility=0.22, season=0.05, season_peak=6,
        volume=170_000,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Bars of one contract, a row a bar: prices in units of 1e-9, `ts` the close in UTC ns."""

    month: ContractMonth
    ts: Int64s
    open: Int64s
    high: Int64s
    low: Int64s
    close: Int64s
    volume: Int64s
    open_interest: Int64s

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self.ts)

    def bars(self) -> list[Bar]:
        """Return the rows as bars of the roll machine."""
        prices = (self.open, self.high, self.low, self.close)
        sizes = (self.volume.astype(np.float64), self.open_interest.astype(np.float64))
        columns = (column.tolist() for column in (self.ts, *prices, *sizes))
        return [Bar(self.month, *row) for row in zip(*columns, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Windows:
    """Bars to be: `minutes` of all windows one after the other, window i from `starts[i]`."""

    minutes: Int64s
    starts: Int64s
    ts: Int64s
    session: Int64s  # which of the sessions a window belongs to
    shares: Floats  # of the session's volume traded by the start and by the end, a row a window


class Curve:
    """The market of one root.

    Parameters
    ----------
    root
        Names the path together with the seed, and picks the model.
    seed
        Any non-negative integer; another seed is another market.
    model
        The market's character; by default that of `MODELS`, or one that fits a tick of 0.01.
    """

    def __init__(self, root: str, seed: int = 0, *, model: CurveModel | None = None) -> None:
        self.root = root
        self.seed = seed
        self.model = model or MODELS.get(root) or CurveModel(100.0, 0.25)

    def prices(self, listing: Listing, instants: Int64s) -> Int64s:
        """Prices of a contract at UTC nanoseconds, on its tick grid, in units of 1e-9.

        After its last trade a contract keeps its last price. An instant between two minutes has the
        price of the minute before.

        Raises
        ------
        ValueError
            If an instant lies outside 1970-2050.
        """
        if not len(instants):
            return np.empty(0, np.int64)
        minutes = np.asarray(instants, np.int64) // NS_PER_MINUTE
        low, high = int(minutes.min()), int(minutes.max())
        path = self._path(low // MINUTES_PER_DAY, high // MINUTES_PER_DAY + 1)
        return self._price(listing, minutes, path)

    def bars(
        self,
        listings: Sequence[Listing],
        sessions: Sequence[Session],
        *,
        minutes: int | None = None,
    ) -> dict[ContractMonth, Columns]:
        """Bars of contracts over sessions, by month.

        Parameters
        ----------
        listings
            The contracts; each has bars from its first day to its last trade only.
        sessions
            Open sessions in order of time.
        minutes
            Length of a bar, counted from the open of each stretch of a session; the last bar of a
            stretch may be shorter. By default one bar a session. A bar without volume is left out.

        Raises
        ------
        ValueError
            If a session lies outside 1970-2050, or the length is not positive.
        """
        if minutes is not None and minutes < 1:
            msg = f"a bar of {minutes} minutes: the length must be at least 1"
            raise ValueError(msg)
        parts: dict[ContractMonth, list[tuple[Int64s, ...]]] = {x.month: [] for x in listings}
        for at in range(0, len(sessions), _SESSIONS_AT_ONCE):
            some = sessions[at : at + _SESSIONS_AT_ONCE]
            windows = _windows(some, minutes)
            path = self._path(
                int(windows.minutes[0]) // MINUTES_PER_DAY,
                int(windows.minutes[-1]) // MINUTES_PER_DAY + 1,
            )
            for listing in listings:
                if some[0].day <= listing.last and some[-1].day >= listing.first:
                    parts[listing.month].append(self._bars(listing, some, windows, path))
        empty = (np.empty(0, np.int64),) * 7
        return {
            month: Columns(month, *(np.concatenate(column) for column in zip(empty, *rows)))  # noqa: B905
            for month, rows in parts.items()
        }

    def minutes(self, listing: Listing, session: Session) -> tuple[Int64s, Int64s, Int64s, Int64s]:
        """Minutes of a session up to the last trade, one by one.

        Returns
        -------
        tuple
            The minutes since 1970, the prices at the start and at the end of each in units of 1e-9,
            and what is traded in it. They add up to the bars of the session.

        Raises
        ------
        ValueError
            If the session lies outside 1970-2050.
        """
        parts = [np.arange(opened, closed, dtype=np.int64) for opened, closed in session.stretches]
        minutes = np.concatenate(parts)
        first, until = int(minutes[0]) // MINUTES_PER_DAY, int(minutes[-1] + 1) // MINUTES_PER_DAY
        path = self._path(first, until + 1)
        totals, _ = self._sizes(listing, [session])
        part = np.arange(len(minutes) + 1) / len(minutes)
        traded = part + 0.6 * np.sin(2 * np.pi * part) / (2 * np.pi)
        traded[-1] = 1.0
        volume = np.diff(np.floor(traded * totals[0]).astype(np.int64))
        keep = minutes < listing.last_ns // NS_PER_MINUTE
        return (
            minutes[keep],
            self._price(listing, minutes[keep], path),
            self._price(listing, minutes[keep] + 1, path),
            volume[keep],
        )

    # Prices

    @cached_property
    def _knots(self) -> tuple[Floats, Floats, Floats]:
        """Log spot, yield and the spot's standard deviation over the day, at each midnight."""
        m = self.model
        days = np.arange(_KNOTS)
        clock = np.where((days - _FIRST_SATURDAY) % 7 < 2, _WEEKEND_CLOCK, 1.0) / 260.0
        draws = self._random(0).standard_normal((_KNOTS, 2))
        deviation = m.volatility * np.sqrt(clock)
        spot_moves = deviation * draws[:, 0]
        mixed = m.correlation * draws[:, 0] + math.sqrt(1 - m.correlation**2) * draws[:, 1]
        yield_moves = m.yield_volatility * np.sqrt(clock) * mixed
        level = math.log(m.level)
        spot = _reverting(level, m.reversion, clock, spot_moves)
        return spot, _reverting(m.yield_mean, m.yield_reversion, clock, yield_moves), deviation

    def _path(self, first: int, until: int) -> tuple[int, Floats, Floats]:
        """Return the first minute, log spot and yield of the minutes of days [first, until]."""
        if first < 0 or until >= _KNOTS:
            msg = f"{self.root}: day {first} or {until} after 1970-01-01 is not in 1970-2050"
            raise ValueError(msg)
        spot, convenience, deviation = self._knots
        within = np.arange(MINUTES_PER_DAY) / MINUTES_PER_DAY
        steps = np.stack(
            [self._random(1, day).standard_normal(MINUTES_PER_DAY) for day in range(first, until)]
        )
        walk = np.cumsum(steps, axis=1) / math.sqrt(MINUTES_PER_DAY)
        ends = walk[:, -1:].copy()
        walk = np.concatenate([np.zeros_like(ends), walk[:, :-1]], axis=1)  # at the minute's start
        bridge = (walk - within * ends) * deviation[first:until, None]
        days = slice(first, until)
        after = slice(first + 1, until + 1)
        line = spot[days, None] + within * (spot[after] - spot[days])[:, None]
        slope = convenience[days, None] + within * (convenience[after] - convenience[days])[:, None]
        return (
            first * MINUTES_PER_DAY,
            np.append((line + bridge).ravel(), spot[until]),
            np.append(slope.ravel(), convenience[until]),
        )

    def _price(self, listing: Listing, minutes: Int64s, path: tuple[int, Floats, Floats]) -> Int64s:
        base, spot, convenience = path
        last = listing.last_ns // NS_PER_MINUTE
        at = np.minimum(minutes, last)
        rows = np.clip(at - base, 0, len(spot) - 1)
        logs = self.model.log_future(
            spot[rows], convenience[rows], (last - at) / _MINUTES_PER_YEAR
        ) + self.model.premium(listing.month)
        ticks = np.rint(np.exp(logs) * 1e9 / listing.tick).astype(np.int64)
        return np.maximum(ticks, 1) * listing.tick

    def _bars(
        self,
        listing: Listing,
        sessions: Sequence[Session],
        windows: _Windows,
        path: tuple[int, Floats, Floats],
    ) -> tuple[Int64s, ...]:
        price = self._price(listing, windows.minutes, path)
        ends = np.append(windows.starts[1:], len(price)) - 1
        totals, interest = self._sizes(listing, sessions)
        traded = np.floor(windows.shares * totals[windows.session, None]).astype(np.int64)
        volume = traded[:, 1] - traded[:, 0]
        keep = (volume > 0) & (windows.minutes[windows.starts] < listing.last_ns // NS_PER_MINUTE)
        columns = (
            windows.ts,
            price[windows.starts],
            np.maximum.reduceat(price, windows.starts),
            np.minimum.reduceat(price, windows.starts),
            price[ends],
            volume,
            interest[windows.session],
        )
        return tuple(column[keep] for column in columns)

    # Sizes

    def _sizes(self, listing: Listing, sessions: Sequence[Session]) -> tuple[Int64s, Int64s]:
        """Volume and open interest of each session; no volume outside the contract's life."""
        days = np.array([session.day.toordinal() for session in sessions])
        left = listing.last.toordinal() - days  # calendar days to the last trade
        alive = (left >= 0) & (days >= listing.first.toordinal())
        # Drawn from the end of the life backwards, so that its start has no say in it.
        draws = self._random(2, listing.month.index).standard_normal(int(left.max(initial=0)) + 1)
        noise = np.exp(0.25 * draws[np.maximum(left, 0)])
        share = _share(listing, days)
        volume = np.where(alive, np.floor(self.model.volume * share * noise), 0)
        interest = np.where(alive, np.floor(4 * self.model.volume * _share(listing, days - 1)), 0)
        return volume.astype(np.int64), interest.astype(np.int64)

    def _random(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, crc32(self.root.encode()), *key])


def _reverting(mean: float, speed: float, clock: Floats, moves: Floats) -> Floats:
    """Return a path that starts at its mean and is pulled back to it."""
    path = np.empty(len(moves) + 1)
    value = mean
    for i, (pull, move) in enumerate(zip((speed * clock).tolist(), moves.tolist(), strict=True)):
        path[i] = value
        value += pull * (mean - value) + move
    path[-1] = value
    return path


def _share(listing: Listing, days: Int64s) -> Floats:
    """Return a contract's part of the leading volume: it takes over, and yields to the next."""
    if listing.leave is None:
        left = listing.last.toordinal() - days
        thin: Floats = _THIN * np.exp(-np.maximum(left, 0) / 120)
        return thin
    share = _logistic((listing.leave.toordinal() - _LEAD_DAYS - days) / _MOVE_DAYS)
    if listing.enter is not None:
        share *= _logistic((days - listing.enter.toordinal() + _LEAD_DAYS) / _MOVE_DAYS)
    # A held month is quoted all its life, however thin.
    answer: Floats = np.maximum(share, _THIN / 10)
    return answer


def _logistic(x: NDArray[np.floating]) -> Floats:
    answer: Floats = (1 / (1 + np.exp(-np.clip(x, -40, 40)))).astype(np.float64)
    return answer


def _windows(sessions: Sequence[Session], length: int | None) -> _Windows:
    minutes: list[Int64s] = []
    starts: list[int] = []
    ts: list[int] = []
    owner: list[int] = []
    shares: list[tuple[float, float]] = []
    size = 0
    for i, session in enumerate(sessions):
        whole = sum(close - opened for opened, close in session.stretches)
        done = 0
        for window in _cut(session, length):
            starts.append(size)
            for opened, close in window:
                minutes.append(np.arange(opened, close + 1))
                size += close + 1 - opened
            before, done = done, done + sum(close - opened for opened, close in window)
            shares.append((_traded(before / whole), _traded(done / whole)))
            ts.append(window[-1][1] * NS_PER_MINUTE)
            owner.append(i)
    return _Windows(
        np.concatenate(minutes),
        np.array(starts, np.int64),
        np.array(ts, np.int64),
        np.array(owner, np.int64),
        np.array(shares),
    )


def _cut(session: Session, length: int | None) -> Iterator[tuple[tuple[int, int], ...]]:
    if length is None:
        yield session.stretches
        return
    for opened, close in session.stretches:
        for at in range(opened, close, length):
            yield ((at, min(at + length, close)),)


def _traded(part: float) -> float:
    """Return the part of a session's volume traded by a part of its time: busy at both ends."""
    return part + 0.6 * math.sin(2 * math.pi * part) / (2 * math.pi) if part < 1 else 1.0
