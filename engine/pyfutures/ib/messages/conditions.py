"""Conditions of an order: what has to be true before it becomes active or is cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfutures.ib.errors import EncodeError, MessageError
from pyfutures.ib.fields import BOOL, FLOAT, INT, TEXT
from pyfutures.ib.layout import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.layout import Cursor, Row

__all__ = [
    "ExecutionCondition",
    "MarginCondition",
    "OrderCondition",
    "PercentChangeCondition",
    "PriceCondition",
    "TimeCondition",
    "VolumeCondition",
]


@dataclass(frozen=True, slots=True)
class PriceCondition:
    """The price of a contract is at or beyond `price`; `trigger` says which price (2 is last)."""

    con_id: int
    exchange: str
    is_more: bool
    price: float
    trigger: int = 0
    conjunction: str = "a"


@dataclass(frozen=True, slots=True)
class TimeCondition:
    """It is before or after `time`."""

    is_more: bool
    time: str
    conjunction: str = "a"


@dataclass(frozen=True, slots=True)
class MarginCondition:
    """The margin cushion is below or above `percent`."""

    is_more: bool
    percent: float
    conjunction: str = "a"


@dataclass(frozen=True, slots=True)
class ExecutionCondition:
    """There was a trade in a symbol."""

    sec_type: str
    exchange: str
    symbol: str
    conjunction: str = "a"


@dataclass(frozen=True, slots=True)
class VolumeCondition:
    """The day's volume of a contract is below or above `volume`."""

    con_id: int
    exchange: str
    is_more: bool
    volume: int
    conjunction: str = "a"


@dataclass(frozen=True, slots=True)
class PercentChangeCondition:
    """The day's change of a contract is below or above `percent`."""

    con_id: int
    exchange: str
    is_more: bool
    percent: float
    conjunction: str = "a"


type OrderCondition = (
    PriceCondition
    | TimeCondition
    | MarginCondition
    | ExecutionCondition
    | VolumeCondition
    | PercentChangeCondition
)

# "a" for and, "o" for or: how it is joined to the one after it.
_JOIN: Final = Field("conjunction", TEXT)
_MORE: Final = Field("is_more", BOOL)
_OF: Final = (Field("con_id", INT), Field("exchange", TEXT))

_LAYOUTS: Final[dict[int, tuple[Callable[..., object], tuple[Row, ...]]]] = {
    1: (PriceCondition, (_JOIN, _MORE, Field("price", FLOAT), *_OF, Field("trigger", INT))),
    3: (TimeCondition, (_JOIN, _MORE, Field("time", TEXT))),
    4: (MarginCondition, (_JOIN, _MORE, Field("percent", FLOAT))),
    5: (
        ExecutionCondition,
        (_JOIN, Field("sec_type", TEXT), Field("exchange", TEXT), Field("symbol", TEXT)),
    ),
    6: (VolumeCondition, (_JOIN, _MORE, Field("volume", INT), *_OF)),
    7: (PercentChangeCondition, (_JOIN, _MORE, Field("percent", FLOAT), *_OF)),
}
_NUMBERS: Final = {item: (number, rows) for number, (item, rows) in _LAYOUTS.items()}


def read_conditions(cursor: Cursor) -> tuple[OrderCondition, ...]:
    """Return the conditions that come next: a count, then each with its number in front."""
    return tuple(_read(cursor) for _ in range(cursor.count("order.conditions")))


def _read(cursor: Cursor) -> OrderCondition:
    number = cursor.read("order.conditions", INT)
    if number not in _LAYOUTS:
        raise MessageError(
            f"field {cursor.at - 1}: no condition of type {number}; there are {sorted(_LAYOUTS)}"
        )
    item, rows = _LAYOUTS[number]
    values: dict[str, object] = {}
    for row in rows:
        row.read(cursor, values)
    condition: OrderCondition = item(**values)  # type: ignore[assignment]
    return condition


def write_conditions(conditions: object, fields: list[str]) -> None:
    """Append the conditions: a count, then each with its number in front."""
    if not isinstance(conditions, tuple):
        raise EncodeError(f"order.conditions: {conditions!r} is no tuple of conditions")
    fields.append(str(len(conditions)))
    for condition in conditions:
        if type(condition) not in _NUMBERS:
            raise EncodeError(f"order.conditions: {condition!r} is no condition")
        number, rows = _NUMBERS[type(condition)]
        fields.append(str(number))
        for row in rows:
            row.write(condition, fields)
