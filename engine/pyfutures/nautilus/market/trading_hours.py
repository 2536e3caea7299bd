"""When a contract trades: by the broker for the days that it tells, else by the spec.

The broker knows of holidays and early closes that were announced late, so it is believed about
whether a market is open now. Bars are cut by the spec, whose hours do not change with the day on
which somebody asks.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pyfutures.download.windows import TradingTimes, at_minute
from pyfutures.ib.times import TimeError, hours, zone

if TYPE_CHECKING:
    from pyfutures.chain import Chain
    from pyfutures.nautilus.contracts.listings import Listing

    type Stretch = tuple[dt.datetime, dt.datetime]

__all__ = ["TradingHours", "TradingHoursBook"]

_DAY: Final = dt.timedelta(days=1)
_AHEAD: Final = 14 * _DAY  # longer than any market is closed


class TradingHoursBook:
    """The hours of contracts; those of a root are worked out once.

    Parameters
    ----------
    use_rth
        Whether only regular hours count, where the broker tells them.

    """

    def __init__(self, *, use_rth: bool = False) -> None:
        self._use_rth = use_rth
        self._times: dict[str, TradingTimes] = {}

    def of(self, listing: Listing) -> TradingHours:
        """Return the hours of a contract; of a spread, those of its near leg."""
        one = listing.legs[0] if listing.legs else listing
        known = [x for x in map(self._of_chain, one.chains) if x.are_known]
        return TradingHours(one, known[0] if known else None, use_rth=self._use_rth)

    def _of_chain(self, chain: Chain) -> TradingTimes:
        found = self._times.get(chain.root)
        if found is None or found.chain is not chain:
            found = self._times[chain.root] = TradingTimes(chain)
        return found


class TradingHours:
    """When one contract trades.

    `are_known` is unset where neither broker nor spec tells: it is open at no time then.

    Parameters
    ----------
    listing
        The contract.
    times
        The hours of its spec.
    use_rth
        Whether only regular hours count, where the broker tells them.

    """

    def __init__(
        self, listing: Listing, times: TradingTimes | None, *, use_rth: bool = False
    ) -> None:
        self._details = listing.details
        self._times = times
        self._use_rth = use_rth

    @property
    def are_known(self) -> bool:
        """Whether anybody tells."""
        return self._times is not None or bool(self._told)

    @cached_property
    def zone(self) -> dt.tzinfo:
        """The zone of the exchange; UTC where it is not known."""
        if self._times is not None:
            return self._times.zone
        try:
            return zone("" if self._details is None else self._details.time_zone)
        except TimeError:
            return dt.UTC

    @cached_property
    def _told(self) -> tuple[Stretch, ...]:
        """The stretches that the broker tells."""
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[tuple[Stretch, ...], Stretch | None]:
        """The stretches that the broker tells, and the span that it speaks of."""
        details = self._details
        if details is None:
            return (), None
        text = details.liquid_hours if self._use_rth else details.trading_hours
        try:
            rows = hours(text, details.time_zone)
            where = zone(details.time_zone)
        except TimeError:
            return (), None
        if not rows:
            return (), None
        found = sorted({(one.open, one.close) for one in rows if one.open and one.close})
        first = dt.datetime.combine(min(one.date for one in rows), dt.time(), where)
        last = dt.datetime.combine(max(one.date for one in rows) + _DAY, dt.time(), where)
        if found:
            first, last = min(first, found[0][0]), max(last, found[-1][1])
            # The evening of the last day opens the next session, of which nothing is told.
            if found[-1][1].astimezone(where).date() == last.date() - _DAY:
                last = found[-1][1]
        return tuple(found), (first.astimezone(dt.UTC), last.astimezone(dt.UTC))

    def planned(self, moment: dt.datetime) -> Stretch | None:
        """Return the stretch of trading that bars of an instant belong to, None if in none."""
        if self._times is not None:
            return self._times.stretch(moment)
        return _around(self._told, moment)

    def stretch(self, moment: dt.datetime) -> Stretch | None:
        """Return the stretch in which it trades at an instant, None where it does not."""
        span = self._read[1]
        if span is not None and span[0] <= moment < span[1]:
            return _around(self._told, moment)
        if self._times is None:
            return None
        return self._times.stretch(moment)

    def opens(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the next instant, later than `moment`, at which it opens; None if not known."""
        found = [opened for opened, _ in self._told if opened > moment]
        span = self._read[1]
        since = moment if span is None else max(moment, span[1] - dt.timedelta(seconds=1))
        if self._times is not None and not found:
            local = since.astimezone(self.zone).date()
            for session in self._times.between(local, local + _AHEAD):
                found += [at_minute(a) for a, _ in session.stretches if at_minute(a) > since]
                if found:
                    break
        return min(found, default=None)

    def closed(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the last close at or before an instant; None if not known."""
        found = [close for _, close in self._told if close <= moment]
        if self._times is not None:
            day = moment.astimezone(self.zone).date()
            span = self._read[1]
            until = moment if span is None else min(moment, span[0])
            for session in self._times.between(day - _AHEAD, day + _DAY):
                found += [at_minute(b) for _, b in session.stretches if at_minute(b) <= until]
        return max(found, default=None)

    def sessions(self, first: dt.datetime, last: dt.datetime) -> tuple[dt.datetime, ...]:
        """Return when sessions open between two instants; midnights where that is not known."""
        days = (last.date() - first.date()).days + 2
        if self._times is None or not self._times.are_known:
            midnights = (
                dt.datetime.combine(first.date() + n * _DAY, dt.time(), dt.UTC) for n in range(days)
            )
            return tuple(one for one in midnights if first < one < last)
        found = self._times.between(first.date() - _DAY, last.date() + 2 * _DAY)
        opens = (at_minute(session.stretches[0][0]) for session in found)
        return tuple(one for one in opens if first < one < last)

    def is_pause(self, close: dt.datetime) -> bool:
        """Whether trading that stops goes on in the same session, as far as the spec tells."""
        if self._times is None:
            return False
        minute = int(close.timestamp()) // 60
        local = close.astimezone(self.zone).date()
        return any(
            any(b == minute for _, b in session.stretches[:-1])
            for session in self._times.between(local - _DAY, local + _DAY)
        )


def _around(stretches: tuple[Stretch, ...], moment: dt.datetime) -> Stretch | None:
    i = bisect_right(stretches, moment, key=lambda pair: pair[0]) - 1
    if i < 0 or not stretches[i][0] <= moment < stretches[i][1]:
        return None
    return stretches[i]
