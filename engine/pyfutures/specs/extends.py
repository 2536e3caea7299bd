"""A spec laid over the one it extends: mappings are merged, all else is replaced."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["OWN", "gives", "merge"]

#: What a file says of itself only: never taken from the spec it extends.
OWN: Final = frozenset({"schema", "root", "extends", "expect"})


def merge(data: dict[str, Any], below: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a spec laid over those of the spec it extends."""
    return _merge(data, {key: value for key, value in below.items() if key not in OWN})


def _merge(data: dict[str, Any], below: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in data.items():
        under = below.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            merged[key] = _merge(value, under)
        else:
            merged[key] = value
    return merged


def gives(data: dict[str, Any], below: dict[str, Any]) -> bool:
    """Whether a spec takes anything from the one it extends."""
    return merge(data, below) != data
