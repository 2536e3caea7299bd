"""The columns of continuous bars and rolls in a catalogue; every price an integer of 1e-9.

A leg is eight columns, null where it is absent. What a value says is what its `to_dict` says: the
columns are made of that and read back into it, so there is one way to write a value down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BARS", "LEGS", "ROLLS", "Form"]

LEGS: Final = ("current", "forward", "carry", "previous")
# In the order of `Bar.data`.
_LEG: Final = {
    "month": pa.string(),
    "ts": pa.int64(),
    "open": pa.int64(),
    "high": pa.int64(),
    "low": pa.int64(),
    "close": pa.int64(),
    "volume": pa.float64(),
    "open_interest": pa.float64(),
}
_HEAD: Final = {
    "type": pa.string(),
    "format": pa.int64(),
    "root": pa.string(),
    "bar_type": pa.string(),
    "ts_event": pa.uint64(),
    "ts_init": pa.uint64(),
}


@dataclass(frozen=True, slots=True)
class Form:
    """How values of one kind are written as columns.

    Parameters
    ----------
    columns
        Type by name of the plain columns.
    legs
        What is written as the columns of a leg.

    """

    columns: dict[str, pa.DataType]
    legs: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """All columns."""
        legs = {f"{leg}_{name}": kind for leg in self.legs for name, kind in _LEG.items()}
        return pa.schema(_HEAD | self.columns | legs)

    def encode(self, values: Any) -> pa.RecordBatch:  # noqa: ANN401 - one value or a list of them
        """Return values as a batch of columns."""
        items = values if isinstance(values, list) else [values]
        return pa.RecordBatch.from_pylist([self._flat(x.to_dict()) for x in items], self.schema)

    def decoder(
        self, made: Callable[[dict[str, Any]], Any]
    ) -> Callable[[pa.Table | pa.RecordBatch], list[Any]]:
        """Return what makes values of a table."""

        def decode(table: pa.Table | pa.RecordBatch) -> list[Any]:
            return [made(self._deep(row)) for row in table.to_pylist()]

        return decode

    def _flat(self, data: dict[str, Any]) -> dict[str, Any]:
        row = {name: data[name] for name in (*_HEAD, *self.columns)}
        for leg in self.legs:
            fields = data[leg] or [None] * len(_LEG)
            row |= {f"{leg}_{name}": field for name, field in zip(_LEG, fields, strict=True)}
        return row

    def _deep(self, row: dict[str, Any]) -> dict[str, Any]:
        data = {name: row[name] for name in (*_HEAD, *self.columns)}
        for leg in self.legs:
            fields = [row[f"{leg}_{name}"] for name in _LEG]
            data[leg] = None if fields[0] is None else fields
        return data


BARS: Final = Form(
    {
        "month": pa.string(),
        "C": pa.int64(),
        "R": pa.float64(),
        "roll_date": pa.string(),
        "deadline": pa.string(),
        "rolled": pa.bool_(),
    },
    LEGS,
)
ROLLS: Final = Form(
    {
        "old": pa.string(),
        "new": pa.string(),
        "roll_date": pa.string(),
        "pre_price": pa.int64(),
        "post_price": pa.int64(),
        "gap": pa.int64(),
        "ratio": pa.float64(),
        "C": pa.int64(),
        "R": pa.float64(),
        "reason": pa.string(),
        "inferred": pa.bool_(),
        "first_new_ts": pa.int64(),
    }
)
