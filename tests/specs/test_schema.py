"""The contract schema: what it says of itself, and that its two readers agree."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from pyfutures.chain import ChainRow
from pyfutures.resources import data_dir
from pyfutures.rules import STEP_KINDS
from pyfutures.specs import schema as form
from pyfutures.specs.model import Anchor, OffsetUnit, Settlement
from pyfutures.specs.schema import load_schema, validator
from pyfutures.specs.yaml import read
from pyfutures.weekdays import Weekday

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = load_schema("contract")
BOTH = {"contract": SCHEMA, "calendar": load_schema("calendar")}


def parts(schema: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every sub-schema that describes a value, with its path."""
    if not isinstance(schema, dict):
        return
    if "title" in schema:
        yield path, schema
    for key in ("properties", "$defs"):
        for name, part in schema.get(key, {}).items():
            yield from parts(part, f"{path}/{key}/{name}")
    for key in ("items", "additionalProperties"):
        yield from parts(schema.get(key), f"{path}/{key}")


PARTS = {(kind, path): part for kind, schema in BOTH.items() for path, part in parts(schema)}


def keys_of(schema: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of a schema, also those that no part with a title leads to."""
    if isinstance(schema, dict):
        for name, part in schema.items():
            if name == "properties":
                yield from ((f"{path}/{key}", value) for key, value in part.items())
            if name not in {"examples", "if", "then", "allOf"}:
                yield from keys_of(part, f"{path}/{name}")
    elif isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from keys_of(part, f"{path}/{number}")


KEYS = {(kind, path): part for kind, schema in BOTH.items() for path, part in keys_of(schema)}


@pytest.mark.parametrize("kind", BOTH)
def test_schema_is_a_schema(kind: str) -> None:
    Draft202012Validator.check_schema(BOTH[kind])
    assert sum(of == kind for of, _ in PARTS) > {"contract": 80, "calendar": 20}[kind]


@pytest.mark.parametrize("where", KEYS, ids="".join)
def test_every_key_has_what_an_editor_shows(where: tuple[str, str]) -> None:
    part = KEYS[where]
    name = part.get("$ref", "").removeprefix("#/$defs/")
    part = {**(BOTH[where[0]]["$defs"][name] if name else {}), **part}
    assert {"title", "description", "markdownDescription", "examples"} <= part.keys()


def test_steps_are_those_of_the_rules() -> None:
    assert list(SCHEMA["$defs"]["step"]["properties"]) == list(STEP_KINDS)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("properties", "settlement"), Settlement),
        (("properties", "roll", "properties", "anchor"), Anchor),
        (("properties", "roll", "properties", "unit"), OffsetUnit),
    ],
)
def test_words_are_those_of_the_code(path: tuple[str, ...], words: Any) -> None:
    part: Any = SCHEMA
    for key in path:
        part = part[key]
    assert part["enum"] == [word.value for word in words]


def test_expected_dates_are_columns_of_a_chain() -> None:
    dates = SCHEMA["properties"]["expect"]["additionalProperties"]["properties"]
    assert set(dates) <= set(ChainRow.__dataclass_fields__)


def test_weekdays_are_those_of_the_code() -> None:
    for part in PARTS.values():
        if "friday" in part.get("enum", ()):
            assert part["enum"] == [day.value for day in Weekday]


def test_no_union_but_by_type() -> None:
    def keys(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, item in value.items():
                if key != "examples":
                    yield key
                    yield from keys(item)
        elif isinstance(value, list):
            for item in value:
                yield from keys(item)

    assert not {"oneOf", "anyOf"} & set(keys(SCHEMA))


@pytest.mark.parametrize("where", PARTS, ids="".join)
def test_part_is_described(where: tuple[str, str]) -> None:
    part = PARTS[where]
    assert {"title", "description", "markdownDescription", "examples"} <= part.keys()
    assert part["examples"]
    if "enum" in part:
        assert len(part["markdownEnumDescriptions"]) == len(part["enum"])
    if "pattern" in part:
        assert part["patternErrorMessage"]
    if part.get("type") == "object" or part.get("properties"):
        assert part.get("additionalProperties") is not None


@pytest.mark.parametrize("where", PARTS, ids="".join)
def test_examples_are_valid(where: tuple[str, str]) -> None:
    part = {**PARTS[where], "$defs": BOTH[where[0]].get("$defs", {})}
    for example in part["examples"]:
        errors = [error.message for error in Draft202012Validator(part).iter_errors(example)]
        assert errors == []


# --- the quick reader is as strict as jsonschema

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 0.5, 1.0, 99999, "", "x", "H", "HM", "2026H", "05\n"),
    *([], ["x"], ["x", "x"], [1, True], [None], {}, {"x": 1}, {"a": {}}, {"day": 1}, "previous"),
    *([{"from": "2014X", "value": 1}], {"nth": 3, "day": "friday"}, {"else": []}, "2026H\n"),
]


def paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, (dict, list)):
            yield from paths(item, (*path, key))


def mutations(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a document with one value replaced, removed or added, for every place in it."""
    for path in paths(good):
        for value in [*VALUES, "remove", "add"]:
            data = copy.deepcopy(good)
            at: Any = data
            for key in path[:-1]:
                at = at[key]
            if value == "remove":
                del at[path[-1]]
            elif value == "add" and isinstance(at[path[-1]], dict):
                at[path[-1]]["extra"] = 1
            else:
                at[path[-1]] = value
            yield data


CALENDAR = {
    "schema": 1,
    "calendar": "it",
    "base": "XNYS",
    "add": ["2018-12-05"],
    "remove": {"2025-01-09": "mourning"},
    "annual": [
        {"name": "a", "month": 10, "nth": 2, "weekday": "monday", "from": 1971},
        {"name": "b", "month": 11, "day": 11, "observed": "nearest"},
        {"name": "c", "easter": -2},
    ],
    "sources": ["a page"],
}
JOIN = {"schema": 1, "calendar": "it", "sequence": [{"calendar": "a"}, {"calendar": "b"}]}


@pytest.mark.parametrize("kind", ["contract", "calendar"])
def test_quick_reader_agrees_with_jsonschema(kind: form.Kind) -> None:
    quick = form._quick(kind).is_valid
    slow = validator(kind)
    full = dict(SCHEMA["examples"][0])
    full["ib"] = {**full["ib"], "trading_class": {"default": "X", "months": {"HJ": "Y"}}}
    full["months"] = {**full["months"], "skip": {"hold": ["2004Z"]}}
    full["tick"] = [{"until": "2014X", "value": 0.5}, {"from": "2014Z", "value": 0.25}]
    steps = [
        {name: example}
        for name, part in SCHEMA["$defs"]["step"]["properties"].items()
        for example in part["examples"]
    ]
    full["expiry"] = {"rule": steps}
    goods = [full] if kind == "contract" else [CALENDAR, JOIN]
    count = 0
    for good in goods:
        for data in mutations(good):
            count += 1
            assert quick(data) == slow.is_valid(data), data
    assert count > 500


FILES = sorted((data_dir("contracts")).glob("x*/*.yaml"))


def test_the_schema_accepts_every_file_of_the_catalogue() -> None:
    # As an editor sees it: the file alone, without what it extends.
    assert len(FILES) > 250
    for path in FILES:
        document, faults = read(path)
        assert not faults, path
        assert document is not None
        assert validator("contract").is_valid(document.data), path
