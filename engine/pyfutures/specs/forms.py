"""The schemas that documents follow, as data."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Literal

from pyfutures.resources import data_dir

__all__ = ["Kind", "load_schema"]

type Kind = Literal["contract", "calendar"]


@cache
def load_schema(kind: Kind) -> dict[str, Any]:
    """Return a schema as data, read once."""
    path = data_dir("schemas") / f"{kind}.schema.json"
    schema: dict[str, Any] = json.loads(path.read_bytes())
    return schema
