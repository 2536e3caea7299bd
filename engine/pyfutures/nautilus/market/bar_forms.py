"""Which bars IB has, and when each of them closes.

The law: the timestamp of a bar is its scheduled close. An intraday bar ends where the clock of the
exchange reaches the next multiple of its size, or where trading stops, by the hours of the spec,
else by those that the broker tells; a daily bar ends with its session. Live and past bars are
stamped by the same function, and as the files that `pyfutures download` writes are.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.enums import BarAggregation, PriceType

from pyfutures.chain import ChainError
from pyfutures.ib.times import BarSize
from pyfutures.nautilus.contracts.details import session_close

if TYPE_CHECKING:
    from nautilus_trader.model.data import BarType

    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.market.trading_hours import TradingHours

__all__ = ["BarForm", "BarTimes", "UnsupportedBarError", "bar_form"]

_NS: Final = 10**9
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SIZES: Final = {
    BarAggregation.SECOND: {1: BarSize.SECOND_1, 5: BarSize.SECOND_5, 10: BarSize.SECOND_10,
                            15: BarSize.SECOND_15, 30: BarSize.SECOND_30},
    BarAggregation.MINUTE: {1: BarSize.MINUTE_1, 2: BarSize.MINUTE_2, 3: BarSize.MINUTE_3,
                            5: BarSize.MINUTE_5, 10: BarSize.MINUTE_10, 15: BarSize.MINUTE_15,
                            20: BarSize.MINUTE_20, 30: BarSize.MINUTE_30},
    BarAggregation.HOUR: {1: BarSize.HOUR_1, 2: BarSize.HOUR_2, 3: BarSize.HOUR_3,
                          4: BarSize.HOUR_4, 8: BarSize.HOUR_8},
    BarAggregation.DAY: {1: BarSize.DAY_1},
}  # fmt: skip
_SHOWS: Final = {
    PriceType.LAST: "TRADES",
    PriceType.BID: "BID",
    PriceType.ASK: "ASK",
    PriceType.MID: "MIDPOINT",
}


class UnsupportedBarError(ValueError):
    """A bar type that IB does not have."""


@dataclass(frozen=True, slots=True)
class BarForm:
    """A bar type in IB's words."""

    size: BarSize
    show: str

    @property
    def is_real_time(self) -> bool:
        """Whether it comes as a real-time bar; others come as bars that are kept up to date."""
        return self.size is BarSize.SECOND_5


def bar_form(bar_type: BarType, *, live: bool) -> BarForm:
    """Return a bar type in IB's words.

    Parameters
    ----------
    bar_type
        The bars.
    live
        Whether they are to come as they close; IB has more sizes of the past.

    Raises
    ------
    UnsupportedBarError
        If IB does not have them; the text says what it has.
    """
    if not bar_type.is_externally_aggregated():
        raise UnsupportedBarError(f"{bar_type}: only EXTERNAL bars come from the broker")
    spec = bar_type.spec
    sizes = _SIZES.get(BarAggregation(spec.aggregation), {})
    size = sizes.get(spec.step)
    if size is None:
        raise UnsupportedBarError(
            f"{bar_type}: IB has bars of 1, 5, 10, 15 and 30 seconds, 1, 2, 3, 5, 10, 15, 20 and 30"
            " minutes, 1, 2, 3, 4 and 8 hours and 1 day; make others of these with"
            " INTERNAL aggregation"
        )
    if live and size is BarSize.SECOND_1:
        raise UnsupportedBarError(
            f"{bar_type}: IB has bars of 1 second of the past only; the shortest live ones are"
            " 5-SECOND"
        )
    show = _SHOWS.get(PriceType(spec.price_type))
    if show is None:
        raise UnsupportedBarError(
            f"{bar_type}: IB has bars of LAST, BID, ASK and MID, none of this price type"
        )
    return BarForm(size, show)


class BarTimes:
    """When the bars of a contract close.

    Parameters
    ----------
    listing
        The contract.
    hours
        When it trades.

    """

    def __init__(self, listing: Listing, hours: TradingHours) -> None:
        self._listing = listing
        self._hours = hours
        self._chains = (listing.legs[0] if listing.legs else listing).chains
        self._near: tuple[int, int, int] | None = None  # a stretch and the offset in it

    def check(self, size: BarSize) -> None:
        """Say no to bars whose close is not known.

        Raises
        ------
        UnsupportedBarError
            For daily bars of a contract whose session close neither a spec nor the broker tells.
        """
        if size.seconds is None:
            self.close_ns("20240102", size)  # any day: hours do not depend on it

    def start_ns(self, date: str) -> int:
        """Return when an intraday bar starts, UTC nanoseconds."""
        return int(date) * _NS

    def close_ns(self, date: str, size: BarSize) -> int:
        """Return the scheduled close of a bar by the date that IB gives it, UTC nanoseconds.

        Raises
        ------
        UnsupportedBarError
            For a daily bar, where the close of its session is not known.
        """
        seconds = size.seconds
        if seconds is None:
            return self._session_close_ns(date)
        return self._intraday_close(int(date), seconds) * _NS

    def close(self, date: str, size: BarSize) -> dt.datetime:
        """Return the scheduled close of a bar as an instant."""
        return dt.datetime.fromtimestamp(self.close_ns(date, size) // _NS, dt.UTC)

    def _session_close_ns(self, date: str) -> int:
        day = dt.datetime.strptime(date, "%Y%m%d").replace(tzinfo=dt.UTC).date()
        for chain in self._chains:
            try:
                return chain.session_close_ns(day)
            except ChainError:
                continue  # no hours in this spec
        details = (self._listing.legs[0] if self._listing.legs else self._listing).details
        close = None if details is None else session_close(details, day)
        if close is None:
            raise UnsupportedBarError(
                f"{self._listing.id}: daily bars have no time, since neither a spec nor IB says"
                " when its session closes; add `hours` to the spec"
            )
        return int((close - _EPOCH).total_seconds()) * _NS

    def _intraday_close(self, start: int, seconds: int) -> int:
        near = self._near
        if near is None or not near[0] <= start < near[1]:
            near = self._look(start)
        local = start + near[2]
        return min((local // seconds + 1) * seconds - near[2], near[1])

    def _look(self, start: int) -> tuple[int, int, int]:
        """Return the stretch that an instant is in and the clock's offset; remember it if sure."""
        moment = dt.datetime.fromtimestamp(start, dt.UTC)
        stretch = self._hours.planned(moment)
        if stretch is None:  # no trading is planned: the clock alone says where bars are cut
            return start, start + 10**6, self._offset(moment)
        opened, closed = (int((one - _EPOCH).total_seconds()) for one in stretch)
        near = opened, closed, self._offset(moment)
        if self._offset(stretch[0]) == self._offset(stretch[1]):
            self._near = near
        return near

    def _offset(self, moment: dt.datetime) -> int:
        offset = moment.astimezone(self._hours.zone).utcoffset() or dt.timedelta(0)
        return int(offset.total_seconds())
