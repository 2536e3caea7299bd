"""Whether instruments trade: by their hours, and by what the broker says of halts.

What a contract's hours say becomes CLOSE, PAUSE (a break within a session), TRADING, and after its
last trade NOT_AVAILABLE_FOR_TRADING; a halt becomes HALT while it would trade otherwise.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.data import InstrumentStatus
from nautilus_trader.model.enums import MarketStatusAction as Action

if TYPE_CHECKING:
    from nautilus_trader.model.identifiers import InstrumentId

    from pyfutures.nautilus.contracts.listings import Listing
    from pyfutures.nautilus.market.feeds import Outlet
    from pyfutures.nautilus.market.trading_hours import TradingHours

__all__ = ["Statuses"]

_NS: Final = 10**9
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_WHY: Final = {
    Action.TRADING: "open by its trading hours",
    Action.CLOSE: "closed by its trading hours",
    Action.PAUSE: "a break of its session",
    Action.HALT: "halted, says the broker",
    Action.NOT_AVAILABLE_FOR_TRADING: "its last trade is over",
    Action.NONE: "neither the broker nor a spec tells its trading hours",
}


@dataclass(slots=True)
class _Status:
    """One instrument: what was told last, and since when that is."""

    listing: Listing
    hours: TradingHours
    told: Action | None = None
    is_halted: bool = False


class Statuses:
    """The instruments whose status is wanted.

    Parameters
    ----------
    outlet
        Where statuses go.

    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._wanted: dict[InstrumentId, _Status] = {}

    def __contains__(self, instrument_id: object) -> bool:
        return instrument_id in self._wanted

    def add(self, listing: Listing, hours: TradingHours, now: dt.datetime) -> None:
        """Begin with one, and tell how it is; with new hours if it is there."""
        known = self._wanted.get(listing.id)
        if known is not None:
            known.listing, known.hours = listing, hours
            self._tell(known, now)
            return
        self._wanted[listing.id] = status = _Status(listing, hours)
        self._tell(status, now)

    def remove(self, instrument_id: InstrumentId) -> None:
        """End with one."""
        self._wanted.pop(instrument_id, None)

    def halt(self, instrument_id: InstrumentId, now: dt.datetime, *, is_halted: bool) -> None:
        """Take what the broker says of a halt."""
        status = self._wanted.get(instrument_id)
        if status is not None and status.is_halted is not is_halted:
            status.is_halted = is_halted
            self._tell(status, now)

    def review(self, now: dt.datetime) -> dt.datetime | None:
        """Tell what changed, and return when something changes next; None if not known."""
        found = []
        for status in self._wanted.values():
            self._tell(status, now)
            if (at := _next(status, now)) is not None:
                found.append(at)
        return min(found, default=None)

    def _tell(self, status: _Status, now: dt.datetime) -> None:
        action, since = _action(status, now)
        if action is status.told:
            return
        status.told = action
        is_trading = action is Action.TRADING
        known = action is not Action.NONE
        self._outlet.give(
            InstrumentStatus(
                status.listing.id,
                action,
                int((since - _EPOCH).total_seconds()) * _NS,
                self._outlet.now,
                reason=_WHY[action],
                is_trading=is_trading if known else None,
                is_quoting=is_trading if known else None,
            )
        )


def _expiry(status: _Status) -> dt.datetime:
    return dt.datetime.fromtimestamp(status.listing.instrument.expiration_ns // _NS, dt.UTC)


def _action(status: _Status, now: dt.datetime) -> tuple[Action, dt.datetime]:
    """Return what a status is, and since when as far as that is known."""
    if now >= _expiry(status):
        return Action.NOT_AVAILABLE_FOR_TRADING, _expiry(status)
    if not status.hours.are_known:
        return Action.NONE, now
    stretch = status.hours.stretch(now)
    if stretch is None:
        close = status.hours.closed(now)
        if close is None:
            return Action.CLOSE, now
        return (Action.PAUSE if status.hours.is_pause(close) else Action.CLOSE), close
    if status.is_halted:
        return Action.HALT, now
    return Action.TRADING, stretch[0]


def _next(status: _Status, now: dt.datetime) -> dt.datetime | None:
    stretch = status.hours.stretch(now)
    at = status.hours.opens(now) if stretch is None else stretch[1]
    expiry = _expiry(status)
    if expiry <= now:
        return None
    return expiry if at is None else min(at, expiry)
