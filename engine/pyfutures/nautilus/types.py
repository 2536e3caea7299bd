"""What a roll actor publishes: our values with the two instants that nautilus asks of its data.

The values stay ours and exact: prices are integers in units of 1e-9, an absent leg is None. A
subscriber reads them at `bar` or `roll`. Importing this module teaches nautilus how to write both
to its catalogue (as columns, see `arrow.py`), its message bus and its cache.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Final, Self

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import BarType, DataType
from nautilus_trader.serialization.arrow.serializer import register_arrow
from nautilus_trader.serialization.base import register_serializable_type

from pyfutures.continuous.bars import Bar, ContinuousBar, Roll
from pyfutures.months import ContractMonth
from pyfutures.nautilus import arrow

__all__ = [
    "ContinuousBarData",
    "RollEvent",
    "bar_topic",
    "bars_of",
    "current_topic",
    "roll_topic",
    "rolls_of",
]

FORMAT: Final = 1


def bars_of(root: str) -> DataType:
    """Return the data type to subscribe to for the continuous bars of a root."""
    return DataType(ContinuousBarData, metadata={"root": root})


def rolls_of(root: str) -> DataType:
    """Return the data type to subscribe to for the rolls of a root."""
    return DataType(RollEvent, metadata={"root": root})


def bar_topic(root: str) -> str:
    """Return the message bus topic, and cache key, of the continuous bars of a root."""
    return f"pyfutures.bars.{root}"


def roll_topic(root: str) -> str:
    """Return the message bus topic of the rolls of a root."""
    return f"pyfutures.rolls.{root}"


def current_topic(root: str) -> str:
    """Return the topic and cache key of a root's current month, a text such as ``2026H``."""
    return f"pyfutures.current.{root}"


class _Published(Data):  # type: ignore[misc] # nautilus has no types
    """What both kinds have: root and instants, and being equal if they say the same."""

    def __init__(self, root: str, ts_event: int, ts_init: int, bar_type: BarType | None) -> None:
        self._root = root
        self._ts_event = ts_event
        self._ts_init = ts_init
        self._bar_type = bar_type

    @property
    def bar_type(self) -> BarType:
        """Which series it belongs to; in a catalogue each has a folder of its own.

        Raises
        ------
        ValueError
            If it was made without.
        """
        if self._bar_type is None:
            msg = f"{self!r} names no series: make it with a `bar_type` to write it to a catalogue"
            raise ValueError(msg)
        return self._bar_type

    @property
    def ts_event(self) -> int:
        """Scheduled close of the bar, or of the last bar of the old month, UTC nanoseconds."""
        return self._ts_event

    @property
    def ts_init(self) -> int:
        """When it was published, UTC nanoseconds."""
        return self._ts_init

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self._root, self._ts_event, self._ts_init))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it; every price exact."""
        return {
            "type": type(self).__name__,
            "format": FORMAT,
            "root": self._root,
            "bar_type": None if self._bar_type is None else str(self._bar_type),
            "ts_event": self._ts_event,
            "ts_init": self._ts_init,
        }


class ContinuousBarData(_Published):
    """A continuous bar on the message bus.

    Parameters
    ----------
    bar
        The bar; its timestamp is `ts_event`.
    ts_init
        When it was published, UTC nanoseconds.
    bar_type
        The series, ``ES_CONTINUOUS.XCME-1-DAY-LAST-EXTERNAL``.
    """

    def __init__(self, bar: ContinuousBar, ts_init: int, bar_type: BarType | None = None) -> None:
        super().__init__(bar.root, bar.ts, ts_init, bar_type)
        self.bar = bar

    def __repr__(self) -> str:
        return f"ContinuousBarData({self.bar.root} {self.bar.current}, ts_init={self.ts_init})"

    def to_dict(self) -> dict[str, Any]:
        """Return the bar as JSON holds it; every price exact."""
        bar = self.bar
        legs = {"forward": bar.forward, "carry": bar.carry, "previous": bar.previous}
        return super().to_dict() | {
            "month": str(bar.month),
            "current": bar.current.data(),
            **{name: None if leg is None else leg.data() for name, leg in legs.items()},
            "C": bar.C,
            "R": _json_float(bar.R),
            "roll_date": bar.roll_date.isoformat(),
            "deadline": bar.deadline.isoformat(),
            "rolled": bar.rolled,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the bar that `data` was made of.

        Raises
        ------
        ValueError
            If `data` is of another format.
        """
        _check_format(cls, data)
        legs = {
            name: None if data[name] is None else Bar.from_data(data[name])
            for name in ("forward", "carry", "previous")
        }
        bar = ContinuousBar(
            root=data["root"],
            month=ContractMonth.parse(data["month"]),
            ts=data["ts_event"],
            current=Bar.from_data(data["current"]),
            **legs,
            C=data["C"],
            R=_float(data["R"]),
            roll_date=dt.date.fromisoformat(data["roll_date"]),
            deadline=dt.date.fromisoformat(data["deadline"]),
            rolled=data["rolled"],
        )
        return cls(bar, data["ts_init"], _bar_type(data))


class RollEvent(_Published):
    """A roll on the message bus.

    Parameters
    ----------
    roll
        The roll; the timestamp of the last bar of the old month is `ts_event`.
    ts_init
        When it was published, UTC nanoseconds.
    bar_type
        The series, ``ES_CONTINUOUS.XCME-1-DAY-LAST-EXTERNAL``.
    """

    def __init__(self, roll: Roll, ts_init: int, bar_type: BarType | None = None) -> None:
        super().__init__(roll.root, roll.last_old_ts, ts_init, bar_type)
        self.roll = roll

    def __repr__(self) -> str:
        return f"RollEvent({self.roll}, ts_init={self.ts_init})"

    def to_dict(self) -> dict[str, Any]:
        """Return the roll as JSON holds it; every price exact."""
        roll = self.roll
        return super().to_dict() | {
            "old": str(roll.old),
            "new": str(roll.new),
            "roll_date": roll.roll_date.isoformat(),
            "pre_price": roll.pre_price,
            "post_price": roll.post_price,
            "gap": roll.gap,
            "ratio": _json_float(roll.ratio),
            "C": roll.C,
            "R": _json_float(roll.R),
            "reason": roll.reason,
            "inferred": roll.inferred,
            "first_new_ts": roll.first_new_ts,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the roll that `data` was made of.

        Raises
        ------
        ValueError
            If `data` is of another format.
        """
        _check_format(cls, data)
        roll = Roll(
            root=data["root"],
            old=ContractMonth.parse(data["old"]),
            new=ContractMonth.parse(data["new"]),
            roll_date=dt.date.fromisoformat(data["roll_date"]),
            last_old_ts=data["ts_event"],
            pre_price=data["pre_price"],
            post_price=data["post_price"],
            gap=data["gap"],
            ratio=_float(data["ratio"]),
            C=data["C"],
            R=_float(data["R"]),
            reason=data["reason"],
            inferred=data["inferred"],
            first_new_ts=data["first_new_ts"],
        )
        return cls(roll, data["ts_init"], _bar_type(data))


def _check_format(cls: type[Data], data: dict[str, Any]) -> None:
    if data.get("type") != cls.__name__ or data.get("format") != FORMAT:
        msg = (
            f"{data.get('type')!r} format {data.get('format')!r} is not {cls.__name__}"
            f" format {FORMAT}, which this program reads"
        )
        raise ValueError(msg)


def _bar_type(data: dict[str, Any]) -> BarType | None:
    text = data.get("bar_type")
    return None if text is None else BarType.from_str(text)


def _json_float(value: float) -> float | None:
    return None if math.isnan(value) else value


def _float(value: float | None) -> float:
    return math.nan if value is None else value


for _cls, _form in ((ContinuousBarData, arrow.BARS), (RollEvent, arrow.ROLLS)):
    register_serializable_type(_cls, _cls.to_dict, _cls.from_dict)
    register_arrow(
        _cls,
        _form.schema,
        encoder=_form.encode,
        batch_encoder=_form.encode,
        decoder=_form.decoder(_cls.from_dict),
    )
