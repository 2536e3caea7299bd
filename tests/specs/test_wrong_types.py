"""A value of another type at any place of a spec or a calendar is a fault of it, not of ours."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pyfutures.chain.validate import check
from pyfutures.specs.load import load_paths
from pyfutures.specs.yaml import load
from tests.specs.test_calendar_mistakes import GOOD as CALENDAR

HERE = Path(__file__).parent
SPEC = (HERE / "ok" / "FULL.yaml").read_text(encoding="utf-8")
VALUES: tuple[Any, ...] = (True, 7.5, 10**17, "x", [1], [{"x": 1}], {"2026H": True})
#: Keys and places from the top, so deep.
DEPTH = 3


def plain(value: Any) -> Any:
    """Return data as JSON has it."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def places(value: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if len(above) == DEPTH or not isinstance(value, (dict, list)):
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [place for key, item in items for place in [(*above, key), *places(item, (*above, key))]]


def replaced(data: Any, place: tuple[str | int, ...], value: object) -> Any:
    data = node = copy.deepcopy(data)
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return data


@pytest.mark.parametrize(
    ("name", "text"), [("xtst/FULL", SPEC), ("calendars/city", CALENDAR)], ids=["spec", "calendar"]
)
def test_any_type_at_any_place(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / f"{name}.yaml"
    path.parent.mkdir()
    document, _ = load(text, "x")
    assert document is not None
    data = plain(document.data)
    # JSON is YAML; without a schema line, which is a warning.
    path.write_text(json.dumps(data), encoding="utf-8")
    sound = check(load_paths([path], [HERE / "context"])).diagnostics
    assert [item.code for item in sound] == ["PF002"]
    tried = 0
    for place in places(data):
        for value in VALUES:
            path.write_text(json.dumps(replaced(data, place, value)), encoding="utf-8")
            found = check(load_paths([path], [HERE / "context"])).diagnostics
            tried += 1
            assert all(item.location for item in found), (place, value)
    assert tried > 100
