"""Keys: where in a spec they belong, what the schema says of them, and what others call them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pyfutures.specs.forms import Kind, load_schema

if TYPE_CHECKING:
    from pyfutures.specs.model import DataPath
    from pyfutures.specs.positions import Data

__all__ = ["OTHER_WORDS", "described", "homes", "steps"]

#: What keys are called elsewhere.
OTHER_WORDS: Final = {
    "point_value": ("multiplier",),
    "contract_size": ("multiplier",),
    "lot_size": ("multiplier",),
    "big_point_value": ("multiplier",),
    "increment": ("tick",),
    "expiration": ("last_trade",),
    "expiration_date": ("last_trade",),
    "last_day": ("last_trade",),
    "ltd": ("last_trade",),
    "fnd": ("first_notice",),
    "notice": ("first_notice",),
    "class": ("trading_class",),
    "local_symbol": ("trading_class",),
    "cycle": ("listed",),
    "trading_hours": ("hours",),
    "holidays": ("remove",),
    "closed": ("remove",),
    "reason": ("name",),
    "to": ("until",),
    "end": ("until",),
    "through": ("until",),
    "start": ("from",),
    "since": ("from",),
    "value": ("months",),
    "values": ("value", "months"),
    "months": ("value",),
}


@cache
def homes(kind: Kind) -> dict[str, list[str]]:
    """Return the mapping at the top that each key of a mapping belongs in."""
    homes: dict[str, list[str]] = {}
    for name, part in load_schema(kind)["properties"].items():
        for key in part.get("properties", {}):
            homes.setdefault(key, []).append(name)
    return homes


@cache
def steps(kind: Kind) -> frozenset[str]:
    """Return the keys that steps of a rule have."""
    return frozenset(load_schema(kind).get("$defs", {}).get("step", {}).get("properties", ()))


def described(kind: Kind, path: DataPath, key: str) -> dict[str, Any] | None:
    """Return the part of a schema that describes a key of a mapping, or the same key elsewhere."""
    schema = load_schema(kind)
    node: Data = schema
    for step in path:
        node = node.get("properties", {}).get(step, {})
    return _find(node, key) or _find(schema, key)


def _find(schema: Data, key: str) -> dict[str, Any] | None:
    """Return the first part of a schema that describes a key, at any depth."""
    if isinstance(schema, list):
        return next((part for item in schema if (part := _find(item, key))), None)
    if not isinstance(schema, dict):
        return None
    part = schema.get("properties", {}).get(key)
    if isinstance(part, dict) and "title" in part:
        return part
    return _find([item for name, item in schema.items() if name != "examples"], key)
