"""What goes into a roll machine and what comes out: plain values.

Prices are integers in units of 1e-9, so that adding and taking away roll gaps is exact; None is a
missing price (a NaN of the source) and is never filled. A timestamp is the scheduled close of the
bar, in nanoseconds UTC. What a `ContinuousBar` or a `Roll` says never changes afterwards: C and R
hold the rolls *before* the bar, and every adjustment is a view on them (see `adjustment`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pyfutures.months import ContractMonth

PRICE_SCALE = 10**9
# A missing price in an int64 array, where None has no place.
NO_PRICE = -(2**63)

type BarData = list[str | int | float | None]


def instant(ns: int) -> str:
    """Text of an instant, ``2021-03-01T18:00:30Z``; with a fraction where there is one."""
    seconds, fraction = divmod(ns, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09d}Z" if fraction else f"{text}Z"


def price_text(price: int | None) -> str:
    """Text of a price, ``4.1435``, without trailing zeros; ``nan`` if it is missing."""
    if price is None:
        return "nan"
    whole, fraction = divmod(abs(price), PRICE_SCALE)
    digits = f"{fraction:09d}".rstrip("0")
    return f"{'-' if price < 0 else ''}{whole}{'.' if digits else ''}{digits}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of one contract. Prices in 1e-9, None where missing; `volume` nan if unknown."""

    month: ContractMonth
    ts: int
    open: int | None
    high: int | None
    low: int | None
    close: int | None
    volume: float
    open_interest: float | None = None

    def data(self) -> BarData:
        """Bar as a list that JSON can hold (a nan becomes None)."""
        return [
            str(self.month),
            self.ts,
            self.open,
            self.high,
            self.low,
            self.close,
            None if math.isnan(self.volume) else self.volume,
            self.open_interest,
        ]

    @classmethod
    def from_data(cls, data: BarData) -> Bar:
        """Bar that `data` was made of."""
        month, ts, open_, high, low, close, volume, open_interest = data
        return cls(
            ContractMonth.parse(str(month)),
            int(ts or 0),
            _price(open_),
            _price(high),
            _price(low),
            _price(close),
            math.nan if volume is None else float(volume),
            None if open_interest is None else float(open_interest),
        )

    def __str__(self) -> str:
        prices = " ".join(map(price_text, (self.open, self.high, self.low, self.close)))
        return f"{self.month} {instant(self.ts)} {prices} volume {self.volume:g}"


def _price(value: str | float | None) -> int | None:
    return None if value is None else int(value)


@dataclass(frozen=True, slots=True)
class Time:
    """The clock of the driver has reached `ts`."""

    ts: int


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """The open interest of one contract, known from `ts` on; a column of bars says the same."""

    month: ContractMonth
    ts: int
    value: float


@dataclass(frozen=True, slots=True)
class ContinuousBar:
    """One bar of a continuous series: the current month's, with what else was seen at its time.

    Parameters
    ----------
    root, month, ts
        The series, the current month and the timestamp.
    current
        The bar of the current month.
    forward, carry, previous
        The bars of the other legs at the same timestamp, None where there is none.
    C
        Sum of the gaps of all rolls before this bar, in 1e-9.
    R
        Product of their ratios; nan after a roll with a leg that is not positive.
    roll_date, deadline
        The roll window of `month`.
    rolled
        Whether this is the first bar after a roll.

    """

    root: str
    month: ContractMonth
    ts: int
    current: Bar
    forward: Bar | None
    carry: Bar | None
    previous: Bar | None
    C: int
    R: float
    roll_date: date
    deadline: date
    rolled: bool


@dataclass(frozen=True, slots=True)
class Roll:
    """The series moved from `old` to `new`.

    The bar at `last_old_ts` still belongs to the old month, the one at `first_new_ts` to the new.

    Parameters
    ----------
    root, old, new, roll_date
        The series, the two months, and from when on the rule asked for the roll.
    last_old_ts
        Timestamp of the last bar of the old month; the time of the roll if its price was inferred.
    pre_price, post_price
        Closes of the old and the new month at `last_old_ts`.
    gap, ratio
        ``post - pre``, and ``post / pre``: nan if a leg is not positive.
    C, R
        Sums and products including this roll: those of the new month's bars.
    reason
        The policy that made the roll; ``end_of_window`` where it had not till the window ended.
    inferred
        Whether a price was inferred.
    first_new_ts
        Timestamp of the first bar of the new month; None while there is none yet.

    """

    root: str
    old: ContractMonth
    new: ContractMonth
    roll_date: date
    last_old_ts: int
    pre_price: int
    post_price: int
    gap: int
    ratio: float
    C: int
    R: float
    reason: str
    inferred: bool
    first_new_ts: int | None = None


@dataclass(frozen=True, slots=True)
class Revised:
    """A second, different bar of one contract and timestamp came; the first was kept."""

    root: str
    kept: Bar
    refused: Bar


@dataclass(frozen=True, slots=True)
class Late:
    """A bar came when its timestamp was closed already; it was refused.

    `seen_ts` is the newest timestamp known to the machine then.
    """

    root: str
    bar: Bar
    seen_ts: int


type Event = ContinuousBar | Roll | Revised | Late


def same_bar(one: Bar, other: Bar) -> bool:
    """Whether two bars say the same; an unknown volume equals an unknown volume."""
    return one == other or one.data() == other.data()
