"""The rows of a series: what the roll machine said as a database keeps it, and back."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import TYPE_CHECKING, Any, Final, assert_never

from pyfutures.continuous.bars import (
    Bar,
    ContinuousBar,
    Event,
    Late,
    Revised,
    Roll,
    instant,
    price_text,
)
from pyfutures.continuous.series import roll_data
from pyfutures.months import ContractMonth
from pyfutures.store.errors import StoreError
from pyfutures.store.tables import bars, refusals, rolls

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["SeriesRows", "bar_of", "json_text"]

_INT64: Final = 2**63
# Made once: to make a statement takes longer than to carry it out.
_INSERTED: Final = tuple(table.insert() for table in (bars, rolls, refusals))


def bar_of(row: sa.Row[Any], root: str) -> ContinuousBar:
    """Return the bar of a row."""
    month = ContractMonth.parse(row.month)
    volume = math.nan if row.volume is None else row.volume
    forward, carry, previous = (
        None if leg is None else Bar.from_data(leg) for leg in json.loads(row.legs)
    )
    return ContinuousBar(
        root=root,
        month=month,
        ts=row.ts,
        current=Bar(
            month, row.ts, row.open, row.high, row.low, row.close, volume, row.open_interest
        ),
        forward=forward,
        carry=carry,
        previous=previous,
        C=row.C,
        R=math.nan if row.R is None else row.R,
        roll_date=dt.date.fromisoformat(row.roll_date),
        deadline=dt.date.fromisoformat(row.deadline),
        rolled=bool(row.rolled),
    )


class SeriesRows:
    """What a machine said as rows to be written, by table."""

    def __init__(self, series_id: int, now_ns: int) -> None:
        self._id = series_id
        self._now = now_ns
        self._bars: list[dict[str, Any]] = []
        self._rolls: list[dict[str, Any]] = []
        self._refusals: list[dict[str, Any]] = []
        self._first: int | None = None
        self.last_ts: int | None = None

    def take(self, event: Event) -> None:
        """Take what the machine said."""
        match event:
            case ContinuousBar():
                self._bar(event)
            case Roll():
                self._roll(event)
            case Revised():
                self._refuse("revised", event.refused, event.kept)
            case Late():
                self._refuse("late", event.bar, None)
            case _ as never:
                assert_never(never)

    def write(self, connection: sa.Connection) -> None:
        """Write all of it."""
        if self._first is not None:
            # The roll before the first of these bars is on disk since an earlier call.
            connection.execute(
                rolls.update()
                .where(rolls.c.series_id == self._id, rolls.c.first_new_ts.is_(None))
                .values(first_new_ts=self._first)
            )
        for insert, rows in zip(_INSERTED, (self._bars, self._rolls, self._refusals), strict=True):
            if rows:
                connection.execute(insert, rows)

    def _bar(self, bar: ContinuousBar) -> None:
        current = bar.current
        if bar.rolled:
            if self._rolls:
                self._rolls[-1]["first_new_ts"] = bar.ts
            else:
                self._first = bar.ts
        self.last_ts = bar.ts
        legs = (bar.forward, bar.carry, bar.previous)
        self._bars.append(
            {
                "series_id": self._id,
                "ts": bar.ts,
                "month": str(bar.month),
                "open": current.open,
                "high": current.high,
                "low": current.low,
                "close": current.close,
                "volume": null(current.volume),
                "open_interest": current.open_interest,
                "legs": json_text([None if leg is None else leg.data() for leg in legs]),
                "C": bar.C,
                "R": null(bar.R),
                "roll_date": str(bar.roll_date),
                "deadline": str(bar.deadline),
                "rolled": bar.rolled,
            }
        )

    def _roll(self, roll: Roll) -> None:
        if not -_INT64 <= roll.C < _INT64:
            raise StoreError(
                f"{roll.root}: the gaps up to the roll from {roll.old} to {roll.new} at"
                f" {instant(roll.last_old_ts)} sum to {price_text(roll.C)}, more than the store"
                " counts: mend the prices"
            )
        self._rolls.append(
            {
                "series_id": self._id,
                "last_old_ts": roll.last_old_ts,
                "first_new_ts": None,
                "old": str(roll.old),
                "new": str(roll.new),
                "C": roll.C,
                "R": null(roll.R),
                "roll": json_text(roll_data(roll)),
            }
        )

    def _refuse(self, kind: str, refused: Bar, kept: Bar | None) -> None:
        self._refusals.append(
            {
                "series_id": self._id,
                "at_ns": self._now,
                "kind": kind,
                "ts": refused.ts,
                "month": str(refused.month),
                "kept": None if kept is None else json_text(kept.data()),
                "refused": json_text(refused.data()),
            }
        )


def null(value: float) -> float | None:
    """Return a number, or None for a nan."""
    return None if math.isnan(value) else value


def json_text(data: object) -> str:
    """Return JSON that both databases give back byte by byte."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
