"""What may be remembered of the gateway's answers, and for how long.

    bars          whose end is given and past: for good once they have settled, before that until
                  they have (late volume, a close that becomes the settlement); never up to now
    ticks         a full answer like bars; a short one once its session is over for sure
    contracts     until the first of them that still trades has expired
    "nothing"     for a while, and never while IB's servers are reset, the line is down or a farm
                  is broken: gateways deny then what exists
    errors        only those that the table in `codes.py` calls final, and like "nothing"
    CONTFUT       never: what it stands for changes without a date

An answer that was cut off is an error of the client, so it never gets here; one whose times are out
of order is handed on and not kept. The time is the gateway's, not ours.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pyfutures.ib.codes import CODES
from pyfutures.ib.messages.history import (
    RequestHeadTimestamp,
    RequestHistoricalBars,
    RequestHistoricalTicks,
)
from pyfutures.ib.times import TimeError, instant, last_trade, zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfutures.ib.failures import RequestFailedError
    from pyfutures.ib.messages.contracts import ContractDetails, RequestContractDetails
    from pyfutures.ib.messages.history import (
        Bar,
        HistoricalMidpoint,
        HistoricalQuote,
        HistoricalTrade,
    )

    type Tick = HistoricalTrade | HistoricalQuote | HistoricalMidpoint
    type Asking = (
        RequestContractDetails
        | RequestHistoricalBars
        | RequestHistoricalTicks
        | RequestHeadTimestamp
    )

__all__ = ["CachePolicy", "Keep", "is_final", "is_never_kept", "moment"]

_DAY: Final = dt.timedelta(days=1)
_CLOSURE: Final = dt.timedelta(days=12)  # longer than any market is closed
_NEVER: Final = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
# Final errors that are about an id or a moment, not about what was asked.
_PASSING: Final = frozenset({102, 320, 322})


@dataclass(frozen=True, slots=True)
class Keep:
    """That an answer may be kept, and until when; `denies` if it says that nothing is there."""

    expires: dt.datetime | None = None
    denies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """For how long answers are good.

    Attributes
    ----------
    delay
        Seconds between two requests that the cache cannot answer, from start to start.
    lag
        How long behind the end of a span its data may still come in.
    settles
        How long behind the end of a span its data may still be revised.
    nothing_for
        How long "there is nothing" and final errors are believed; None for good.
    details_for
        How long contract details are kept at most; None: until the front contract has expired.
        Their trading hours are those of the week in which they were asked for.

    """

    delay: float = 0.0
    lag: dt.timedelta = dt.timedelta(minutes=1)
    settles: dt.timedelta = dt.timedelta(days=1)
    nothing_for: dt.timedelta | None = dt.timedelta(days=7)
    details_for: dt.timedelta | None = None

    def __post_init__(self) -> None:
        if self.delay < 0 or self.lag < dt.timedelta(0) or self.settles < self.lag:
            raise ValueError(f"{self}: not negative, and `settles` not shorter than `lag`")

    def nothing(self, now: dt.datetime) -> Keep:
        """Return for how long "there is nothing" is believed."""
        return Keep(None if self.nothing_for is None else now + self.nothing_for, denies=True)

    def span(
        self, end: dt.datetime | None, now: dt.datetime, *, denies: bool = False
    ) -> Keep | None:
        """Return for how long data up to `end` is good; None while it still comes in."""
        if end is None or end + self.lag > now:
            return None
        if denies:
            return self.nothing(now)
        settled = end + self.settles
        return Keep(None if settled <= now else settled)

    def bars(
        self, bars: Sequence[Bar], *, end: dt.datetime | None, now: dt.datetime
    ) -> Keep | None:
        """Return for how long bars up to `end` are good, None for not at all."""
        if any(a.date >= b.date for a, b in pairwise(bars)):
            return None
        return self.span(end, now, denies=not bars)

    def ticks(
        self, ticks: Sequence[Tick], *, asked: RequestHistoricalTicks, now: dt.datetime
    ) -> Keep | None:
        """Return for how long ticks are good, None for not at all."""
        if any(a.time > b.time for a, b in pairwise(ticks)):
            return None
        start, end = moment(asked.start), moment(asked.end)
        if end is not None:
            return self.span(end, now, denies=not ticks)
        if not ticks:
            return self.span((start or _NEVER) + _CLOSURE, now, denies=True)
        last = dt.datetime.fromtimestamp(ticks[-1].time, dt.UTC)
        # No answer spans two sessions: a short one is whole when its session is over.
        return self.span(last if len(ticks) >= asked.count else last + _DAY, now)

    def details(
        self, found: Sequence[ContractDetails], *, now: dt.datetime, login_zone: str | None
    ) -> Keep | None:
        """Return for how long contract details are good, None for not at all."""
        if not found:
            return self.nothing(now)
        try:
            ends = [_end_of(one, login_zone) for one in found]
        except TimeError:
            return None  # whoever reads them will say what is wrong with them
        alive = [end for end in ends if end is not None and end > now]
        expires = min(alive, default=None)
        if self.details_for is not None:
            expires = min(filter(None, (expires, now + self.details_for)))
        return Keep(expires)


def _end_of(one: ContractDetails, login_zone: str | None) -> dt.datetime | None:
    contract = one.contract
    if not contract.last_trade:
        return None  # not a future
    end = last_trade(
        contract.last_trade, one.time_zone, date=contract.last_trade_date, login_zone=login_zone
    )
    if end.instant is not None:
        return end.instant
    where = zone(one.time_zone) if one.time_zone else dt.UTC
    return dt.datetime.combine(end.date + _DAY, dt.time(), where).astimezone(dt.UTC)


def is_never_kept(request: Asking) -> bool:
    """Whether the answer is another one at any time."""
    if request.contract.sec_type == "CONTFUT":
        return True
    if isinstance(request, RequestHistoricalBars):
        return not request.end
    return isinstance(request, RequestHistoricalTicks) and not (request.start or request.end)


def is_final(error: RequestFailedError) -> bool:
    """Whether an error is about what was asked, for good.

    Of a code that is not in the table nobody knows.
    """
    return error.is_final and error.code in CODES and error.code not in _PASSING


def moment(text: str) -> dt.datetime | None:
    """Return the instant that a request names, None for none.

    Raises
    ------
    TimeError
        For one that says no zone.

    """
    return instant(text) if text else None
