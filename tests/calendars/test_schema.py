"""The calendar schema: what it accepts, refuses and says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from pyfutures.calendars import Annual, CalendarSpec, Observed, bad_dates
from pyfutures.resources import data_dir
from pyfutures.weekdays import Weekday

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELINE = "# yaml-language-server: $schema=../../schemas/calendar.schema.json"
SCHEMA: dict[str, Any] = json.loads(
    (data_dir("schemas") / "calendar.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)
GOOD: dict[str, Any] = {"schema": 1, "calendar": "it", "base": "XNYS", "sources": ["a page"]}
JOIN: dict[str, Any] = {"schema": 1, "calendar": "it", "all": ["a", "b"], "sources": ["a page"]}


def described(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every place of the schema that an author meets, with its path."""
    for key, part in schema.get("properties", {}).items():
        yield f"{path}/{key}", part
        yield from described(part, f"{path}/{key}")
    if isinstance(items := schema.get("items"), dict) and "$ref" not in items:
        yield f"{path}/items", items
        yield from described(items, f"{path}/items")
    for key, part in schema.get("$defs", {}).items():
        yield f"{path}/$defs/{key}", part
        yield from described(part, f"{path}/$defs/{key}")


PLACES = dict([("", SCHEMA), *described(SCHEMA)])


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "oneOf" not in json.dumps(SCHEMA)


@pytest.mark.parametrize("path", PLACES)
def test_every_place_explains_itself(path: str) -> None:
    place = PLACES[path]
    for key in ("title", "description", "markdownDescription", "examples"):
        assert place.get(key), f"{path} has no {key}"
    if place.get("type") == "object" and "properties" in place:
        assert place["additionalProperties"] is False
    wrapped = Draft202012Validator({**place, "$defs": SCHEMA["$defs"]})
    for example in place["examples"]:
        assert wrapped.is_valid(example), f"{path}: {example}"


def test_closed_sets_are_those_of_the_code() -> None:
    annual = SCHEMA["$defs"]["annual"]["properties"]
    assert annual["weekday"]["enum"] == list(Weekday)
    assert annual["observed"]["enum"] == list(Observed)
    assert len(annual["observed"]["markdownEnumDescriptions"]) == len(Observed)


def test_the_shipped_calendars(documents: dict[str, dict[str, Any]]) -> None:
    assert documents
    for name, data in documents.items():
        assert not [error.message for error in VALIDATOR.iter_errors(data)], name
        assert data["calendar"] == name
        assert not bad_dates(data)
        text = (data_dir("contracts") / "calendars" / f"{name}.yaml").read_text(encoding="utf-8")
        assert text.splitlines()[0] == MODELINE


@pytest.mark.parametrize(
    "document",
    [
        GOOD,
        JOIN,
        {**GOOD, "base": "weekdays"},
        {**GOOD, "sources": ["x"]},
        {**GOOD, "base": "us_futures"},
        {**GOOD, "base": "24/5"},
        {**GOOD, "add": ["2024-02-29"], "remove": {"2024-03-01": "why"}},
        {**GOOD, "annual": [{"name": "x", "month": 2, "day": 29, "observed": "monday"}]},
        {**GOOD, "annual": [{"name": "x", "month": 10, "nth": -1, "weekday": "friday"}]},
        {**GOOD, "annual": [{"name": "x", "easter": -2, "from": 1971, "until": 1972}]},
        {**GOOD, "early_closes": {"2024-11-29": "13:00"}, "base_early_closes": True},
        {**GOOD, "valid_from": "1990-01-01", "valid_until": "2026-12-31", "projected": True},
        {**JOIN, "annual": [{"name": "x", "easter": 1}], "valid_until": "2026-12-31"},
    ],
)
def test_accepted(document: dict[str, Any]) -> None:
    assert not [error.message for error in VALIDATOR.iter_errors(document)]
    assert CalendarSpec.from_data(document).calendar == "it"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({**GOOD, "schema": 2}, ["schema"]),
        ({**GOOD, "calendar": "US"}, ["calendar"]),
        ({**GOOD, "calender": "us"}, []),
        ({**GOOD, "base": ""}, ["base"]),
        ({**GOOD, "sources": []}, ["sources"]),
        ({**GOOD, "add": []}, ["add"]),
        ({**GOOD, "add": ["5.12.2018"]}, ["add", 0]),
        ({**GOOD, "add": ["2018-13-05"]}, ["add", 0]),
        ({**GOOD, "add": ["2018-12-05", "2018-12-05"]}, ["add"]),
        ({**GOOD, "remove": {"2018-12": "x"}}, ["remove"]),
        ({**GOOD, "remove": {"2018-12-05": None}}, ["remove", "2018-12-05"]),
        ({**GOOD, "early_closes": {"2018-12-05": "24:00"}}, ["early_closes", "2018-12-05"]),
        ({**GOOD, "early_closes": {"2018-12-05": 13}}, ["early_closes", "2018-12-05"]),
        ({**GOOD, "all": ["a"]}, ["all"]),
        ({**JOIN, "any": ["a"]}, ["any"]),
        ({**JOIN, "all": ["a", "a"]}, ["all"]),
        ({**JOIN, "base_early_closes": True}, ["base_early_closes"]),
        ({**GOOD, "annual": [{"month": 1, "day": 1}]}, ["annual", 0]),
        ({**GOOD, "annual": [{"name": "x"}]}, ["annual", 0]),
        ({**GOOD, "annual": [{"name": "x", "month": 1}]}, ["annual", 0]),
        ({**GOOD, "annual": [{"name": "x", "day": 1}]}, ["annual", 0]),
        ({**GOOD, "annual": [{"name": "x", "month": 1, "nth": 1}]}, ["annual", 0]),
        ({**GOOD, "annual": [{"name": "x", "month": 1, "weekday": "monday"}]}, ["annual", 0]),
        (
            {**GOOD, "annual": [{"name": "x", "month": 1, "nth": 0, "weekday": "monday"}]},
            ["annual", 0, "nth"],
        ),
        (
            {**GOOD, "annual": [{"name": "x", "month": 1, "nth": 1, "weekday": "mon"}]},
            ["annual", 0, "weekday"],
        ),
        ({**GOOD, "annual": [{"name": "x", "easter": 1, "month": 4}]}, ["annual", 0, "month"]),
        (
            {**GOOD, "annual": [{"name": "x", "easter": 1, "observed": "monday"}]},
            ["annual", 0],
        ),
        ({k: v for k, v in GOOD.items() if k != "base"}, []),
        ({k: v for k, v in GOOD.items() if k != "sources"}, []),
        (
            {**{k: v for k, v in JOIN.items() if k != "all"}, "sequence": [{"calendar": "a"}]},
            ["sequence"],
        ),
    ],
)
def test_refused(document: dict[str, Any], path: list[str | int]) -> None:
    assert path in [list(error.absolute_path) for error in VALIDATOR.iter_errors(document)]


def test_names_of_the_yaml_are_those_of_the_code() -> None:
    spec_keys = set(SCHEMA["properties"]) - {"schema", "name", "all", "any", "sequence"}
    assert spec_keys <= set(CalendarSpec.__dataclass_fields__)
    annual_keys = set(SCHEMA["$defs"]["annual"]["properties"]) - {"from"}
    assert annual_keys <= set(Annual.__dataclass_fields__)
