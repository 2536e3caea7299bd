"""A yes or no to "does this data satisfy the schema?", as functions compiled once.

Sound specs are nearly all specs, and jsonschema takes longer to import than they take to load. So a
sound document never meets it: it is asked only why a document is wrong, and a test asserts that
the two always agree. A schema with a keyword that is not known here is not compiled at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

__all__ = ["Check", "UnsupportedSchemaError", "compile_schema"]

type Check = Callable[[Any], bool]
type Data = Any
type Schema = Mapping[str, Any] | bool


class UnsupportedSchemaError(Exception):
    """A schema that uses a keyword or a reference that is not known here."""


def compile_schema(schema: Mapping[str, Any]) -> Check:
    """Return a function that says whether data satisfies a schema.

    Raises
    ------
    UnsupportedSchemaError
        If the schema needs more than the keywords of this module.

    """
    return _Compiler(schema).compile(schema)


_ANNOTATIONS: Final = frozenset(
    {
        "$schema",
        "$id",
        "$defs",
        "$comment",
        "title",
        "description",
        "markdownDescription",
        "examples",
        "default",
        "deprecated",
        "defaultSnippets",
        "patternErrorMessage",
        "errorMessage",
        "enumDescriptions",
        "markdownEnumDescriptions",
    }
)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    # jsonschema counts a float without a fraction as an integer, and a Decimal never.
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Check]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def _all(checks: list[Check]) -> Check:
    if not checks:
        return lambda _: True
    if len(checks) == 1:
        return checks[0]
    parts = tuple(checks)

    def check(value: object) -> bool:
        for part in parts:  # noqa: SIM110
            if not part(value):
                return False
        return True

    return check


def _any(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]
    return lambda v: any(check(v) for check in checks)


class _Compiler:
    """Turns the parts of one schema into functions, each definition once."""

    def __init__(self, top: Mapping[str, Any]) -> None:
        self._top = top
        self._definitions: dict[str, list[Check]] = {}

    def compile(self, schema: Schema) -> Check:
        if isinstance(schema, bool):
            return (lambda _: True) if schema else (lambda _: False)
        checks: list[Check] = []
        keys = [key for key in schema if key not in _ANNOTATIONS]
        if "type" in keys:
            checks.append(_type(schema["type"]))
        for key in keys:
            if key in {"then", "else", "patternProperties", "additionalProperties", "type"}:
                continue
            checks.append(self._keyword(key, schema))
        if "properties" not in keys and (
            "additionalProperties" in keys or "patternProperties" in keys
        ):
            checks.append(self._properties(schema))
        return _all(checks)

    def _keyword(self, key: str, schema: Mapping[str, Any]) -> Check:  # noqa: C901, PLR0911, PLR0912
        value = schema[key]
        match key:
            case "$ref":
                return self._reference(value)
            case "enum" | "const":
                return _one_of([value] if key == "const" else value)
            case "pattern":
                return _pattern(value)
            case "properties":
                return self._properties(schema)
            case "items":
                return self._items(value)
            case "propertyNames":
                names = self.compile(value)
                return lambda v: not isinstance(v, dict) or all(map(names, v))
            case "allOf":
                return _all([self.compile(part) for part in value])
            case "anyOf":
                return _any([self.compile(part) for part in value])
            case "if":
                return self._condition(schema)
            case "not":
                refused = self.compile(value)
                return lambda v: not refused(v)
            case "dependentRequired":
                return _dependent(value)
            case "oneOf":
                branches = [self.compile(part) for part in value]
                return lambda v: sum(branch(v) for branch in branches) == 1
            case _:
                return _measure(key, value)

    def _reference(self, target: str) -> Check:
        if target not in self._definitions:
            if not target.startswith("#/"):
                raise UnsupportedSchemaError(target)
            # A definition may refer to itself: the cell is filled when it is compiled.
            cell = self._definitions[target] = []
            part: Any = self._top
            for step in target[2:].split("/"):
                part = part[step.replace("~1", "/").replace("~0", "~")]
            cell.append(self.compile(part))
        cell = self._definitions[target]
        return lambda v: cell[0](v)  # noqa: PLW0108

    def _items(self, schema: Schema) -> Check:
        item = self.compile(schema)
        return lambda v: not isinstance(v, list) or all(map(item, v))

    def _condition(self, schema: Mapping[str, Any]) -> Check:
        test = self.compile(schema["if"])
        then = self.compile(schema.get("then", True))
        other = self.compile(schema.get("else", True))
        return lambda v: then(v) if test(v) else other(v)

    def _properties(self, schema: Mapping[str, Any]) -> Check:
        known = {key: self.compile(part) for key, part in schema.get("properties", {}).items()}
        patterns = [
            (re.compile(pattern), self.compile(part))
            for pattern, part in schema.get("patternProperties", {}).items()
        ]
        extra = self.compile(schema.get("additionalProperties", True))

        def check(value: object) -> bool:
            if not isinstance(value, dict):
                return True
            for key, item in value.items():
                part = known.get(key)
                if part is not None and not part(item):
                    return False
                matched = part is not None
                for pattern, other in patterns:
                    if pattern.search(key):
                        matched = True
                        if not other(item):
                            return False
                if not matched and not extra(item):
                    return False
            return True

        return check


def _type(names: str | list[str]) -> Check:
    return _any([_TYPES[name] for name in ([names] if isinstance(names, str) else names)])


def _one_of(values: list[Any]) -> Check:
    # True equals 1 in Python and not in JSON.
    pairs = [(isinstance(value, bool), value) for value in values]
    return lambda v: any(isinstance(v, bool) is flag and v == value for flag, value in pairs)


def _pattern(text: str) -> Check:
    search = re.compile(text).search
    # `$` of Python matches before a newline at the end, that of JSON Schema does not.
    return lambda v: not isinstance(v, str) or (search(v) is not None and not v.endswith("\n"))


def _dependent(needs: Mapping[str, list[str]]) -> Check:
    return lambda v: (
        not isinstance(v, dict)
        or all(other in v for key, others in needs.items() if key in v for other in others)
    )


def _measure(key: str, limit: Data) -> Check:  # noqa: C901, PLR0911, PLR0912
    match key:
        case "required":
            keys = frozenset(limit)
            return lambda v: not isinstance(v, dict) or keys <= v.keys()
        case "minLength":
            return lambda v: not isinstance(v, str) or len(v) >= limit
        case "maxLength":
            return lambda v: not isinstance(v, str) or len(v) <= limit
        case "minItems":
            return lambda v: not isinstance(v, list) or len(v) >= limit
        case "maxItems":
            return lambda v: not isinstance(v, list) or len(v) <= limit
        case "minProperties":
            return lambda v: not isinstance(v, dict) or len(v) >= limit
        case "maxProperties":
            return lambda v: not isinstance(v, dict) or len(v) <= limit
        case "uniqueItems":
            return lambda v: not (limit and isinstance(v, list)) or _unique(v)
        case "minimum":
            return lambda v: not _is_number(v) or v >= limit
        case "maximum":
            return lambda v: not _is_number(v) or v <= limit
        case "exclusiveMinimum":
            return lambda v: not _is_number(v) or v > limit
        case "exclusiveMaximum":
            return lambda v: not _is_number(v) or v < limit
        case _:
            raise UnsupportedSchemaError(key)


def _unique(values: list[Any]) -> bool:
    seen: list[tuple[bool, Any]] = []
    for value in values:
        pair = (isinstance(value, bool), value)
        if pair in seen:
            return False
        seen.append(pair)
    return True
