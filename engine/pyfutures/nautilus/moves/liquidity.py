"""When orders may be sent: hours that the user names, the broker's liquid ones, or the spec's."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyfutures.chain.sessions import sessions
from pyfutures.ib.times import hours

if TYPE_CHECKING:
    from nautilus_trader.model.instruments import Instrument

    from pyfutures.chain import Chain

__all__ = ["LiquidHours"]

_HOURS: Final = re.compile(r"(\d{2}:\d{2})-(\d{2}:\d{2}) (\S+)")
_NS: Final = 10**9
_NS_PER_MINUTE: Final = 60 * _NS


@dataclass
class LiquidHours:
    """Says whether an instant lies in liquid hours.

    Parameters
    ----------
    open, close, zone
        Daily hours of the user; None to go by broker or spec.
    chain
        Has the trading hours of the spec.
    """

    open: dt.time | None
    close: dt.time | None
    zone: ZoneInfo | None
    chain: Chain
    _told: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    _days: dict[dt.date, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str | None, chain: Chain) -> Self:
        """Return the hours that a text names; None for those of broker or spec.

        Raises
        ------
        ValueError
            If the text is not as ``09:30-16:00 America/New_York``.
        """
        if text is None:
            return cls(None, None, None, chain)
        found = _HOURS.fullmatch(text)
        try:
            if found is None:
                raise ValueError("no such form")  # noqa: TRY301 - one message for both
            first, last = (dt.time.fromisoformat(found[n]) for n in (1, 2))
            return cls(first, last, ZoneInfo(found[3]), chain)
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise ValueError(
                f"`{text}` are no hours: write them as 09:30-16:00 America/New_York ({error})"
            ) from None

    def holds(self, now_ns: int, instrument: Instrument | None) -> bool:
        """Return whether an instant is in the liquid hours of an instrument."""
        if self.open is not None and self.close is not None:
            local = dt.datetime.fromtimestamp(now_ns // _NS, self.zone)
            if not self._in_session(now_ns):
                return False
            if self.open <= self.close:
                return self.open <= local.time() < self.close
            return local.time() >= self.open or local.time() < self.close
        told = self._of_broker(instrument)
        if told and now_ns < told[-1][1]:
            return any(first <= now_ns < last for first, last in told)
        return self._in_session(now_ns)

    def _of_broker(self, instrument: Instrument | None) -> tuple[tuple[int, int], ...]:
        info: dict[str, Any] = (instrument.info or {}) if instrument is not None else {}
        text = info.get("liquid_hours") or info.get("trading_hours") or ""
        if text not in self._told:
            stretches = hours(text, info.get("time_zone", ""))
            self._told[text] = tuple(
                (int(stretch.open.timestamp()) * _NS, int(stretch.close.timestamp()) * _NS)
                for stretch in stretches
                if stretch.open is not None and stretch.close is not None
            )
        return self._told[text]

    def _in_session(self, now_ns: int) -> bool:
        """Return whether the root trades; a session may begin the evening before its day."""
        day = dt.datetime.fromtimestamp(now_ns // _NS, dt.UTC).date()
        if day not in self._days:
            near = dt.timedelta(days=2)
            found = sessions(self.chain, day - near, day + near)
            self._days = {
                day: tuple(
                    (first * _NS_PER_MINUTE, last * _NS_PER_MINUTE)
                    for session in found
                    for first, last in session.stretches
                )
            }
        return any(first <= now_ns < last for first, last in self._days[day])
