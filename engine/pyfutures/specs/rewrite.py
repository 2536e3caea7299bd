"""The complaints of jsonschema in a spec author's words.

One fault gives one diagnostic: of several complaints about one value the most basic one stays, and
an unknown key takes along the missing key that it resembles.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Edit
from pyfutures.specs import hints
from pyfutures.specs import keys as known_keys
from pyfutures.specs.forms import Kind, load_schema
from pyfutures.specs.positions import Data, Locations, locate
from pyfutures.specs.slips import (
    codes_hint,
    contract_month,
    day,
    number,
    odd_character,
    reordered,
)
from pyfutures.specs.words import flow, join, meant, place, ticks
from pyfutures.specs.yaml import describe

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jsonschema.exceptions import ValidationError

    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.model import DataPath

__all__ = ["Rewriter"]

_TYPES: Final = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "array": "a list",
    "object": "a mapping",
    "boolean": "`true` or `false`",
    "null": "nothing",
}
# Of several complaints about one value the first of these is the cause of the others.
_RANK: Final = ("type", "enum", "const", "minLength", "not", "minimum", "maximum", "pattern")


_EVENTS: Final = (("last_trade",), ("first_notice",), ("expiry",))
_EVENT: Final = (
    "such as `{calendar: us_expiry, rule: [{weekday: {nth: 3, day: friday}}, "
    "{if_closed: previous}]}`"
)
#: Lists that may be mappings as well, of days or months to reasons.
_DAYS: Final = (("add",), ("remove",), ("skip",))
_UNQUOTE: Final = "remove the quotes"


class Rewriter:
    """Turns the complaints of jsonschema about one document into diagnostics."""

    def __init__(
        self,
        kind: Kind,
        data: dict[str, Any],
        locations: Locations,
        *,
        partial: bool,
        broken: Collection[DataPath] = (),
    ) -> None:
        self._kind = kind
        self._broken = broken
        self._data = data
        self._locations = locations
        self._partial = partial
        self._found: list[Diagnostic] = []
        self._places: set[DataPath] = set()
        # Keys by the mapping they are unknown to, or missing in, with the schema of that mapping.
        self._unknown: dict[DataPath, tuple[list[str], Mapping[str, Any]]] = {}
        self._missing: dict[DataPath, tuple[dict[str, None], Mapping[str, Any]]] = {}
        # Values about which their key has told all there is.
        self._swapped: set[DataPath] = set()
        # The most basic complaint about each value.
        self._values: dict[DataPath, tuple[int, ValidationError]] = {}

    def add(self, error: ValidationError) -> None:
        """Take one complaint; `finish` says what all of them mean."""
        path = tuple(error.absolute_path)
        instance: Any = error.instance
        schema: Any = error.schema
        keyword: Any = error.validator
        match keyword:
            case "additionalProperties":
                extra = [key for key in instance if key not in schema.get("properties", {})]
                self._unknown[path] = (extra, schema)
            case "required":
                missing = [key for key in _sequence(error.validator_value) if key not in instance]
                keys, _ = self._missing.setdefault(path, ({}, schema))
                keys.update(dict.fromkeys(missing))
            case "uniqueItems":
                self._repeated(path, instance)
            case "not" if error.validator_value == {}:
                self._excluded(path, error)
            case _ if isinstance(instance, str) and isinstance(self._at(path), dict):
                self._bad_key(path, error)
            case name:
                rank = _RANK.index(name) if name in _RANK else len(_RANK)
                if path not in self._values or rank < self._values[path][0]:
                    self._values[path] = (rank, error)

    def finish(self) -> tuple[list[Diagnostic], set[DataPath]]:
        """Return the diagnostics and the places they are about."""
        self._no_spec()
        self._steps_without_a_rule()
        for path in [path for path in self._unknown if len(path) <= 1]:
            self._block_without_its_head(path)
        for path, (keys, schema) in self._unknown.items():
            for key in keys:
                self._unknown_key(path, key, schema)
        for path, (missing, schema) in self._missing.items():
            for key in missing:
                self._missing_key(path, key, schema)
        for path in self._whole_lists():
            self._list_of_values(path)
        for path, (_, error) in self._values.items():
            if path not in self._swapped:
                self._value(path, error)
        return self._found, self._places

    def _no_spec(self) -> None:
        """Tell once of a file with no key of a spec at its top: of another kind, or deeper."""
        known = load_schema(self._kind)["properties"]
        keys, _ = self._unknown.get((), ([], {}))
        if (
            not keys
            or self._partial
            or any(key in known or meant(key, known) for key in self._data)
        ):
            return
        inner = self._data[keys[0]]
        inner = inner[0] if isinstance(inner, list) and inner else inner
        name = "root" if self._kind == "contract" else "calendar"
        hint = f"start with `schema: 1`, `{name}:` and `name:`"
        if isinstance(inner, dict) and inner.keys() & known.keys():
            hint = f"remove `{flow(keys[0])}:`, and start the keys below it in column 1"
        more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
        message = f"no key of a spec stands at the top, only {ticks(keys[:3])}{more}"
        self._unknown, self._missing, self._values = {}, {}, {}
        self._tell("PF101", message, (keys[0],), hint, key=True)
        self._places.add(())

    def _steps_without_a_rule(self) -> None:
        """Tell once of an event that is a list of steps, where a list is one of ranges."""
        steps = known_keys.steps(self._kind)
        for event in _EVENTS:
            items = self._data.get(event[0])
            if not isinstance(items, list) or not items or event in self._places:
                continue
            if all(isinstance(item, dict) and item and item.keys() <= steps for item in items):
                for told in (self._unknown, self._missing, self._values):
                    for path in [path for path in told if path[:1] == event]:
                        del told[path]
                message = f"{place(event)} is a list of steps; a list is for ranges"
                rule = "\n".join(f"    - {flow(item)[1:-1]}" for item in items)
                hint = f"put the steps into a rule:\n  calendar: us_expiry\n  rule:\n{rule}"
                self._tell("PF103", message, event, hint, key=True)

    def _whole_lists(self) -> list[DataPath]:
        """Return the lists of which every entry should be a range and none is a mapping."""
        lists = dict.fromkeys(path[:-1] for path in self._values if isinstance(path[-1:], tuple))
        found = []
        for path in lists:
            items = self._at(path)
            errors = [self._values.get((*path, n)) for n in range(len(items))] if items else []
            if not isinstance(items, list) or path[-1:] in {("rule",), ("else",)}:
                continue
            if all(e is not None and e[1].validator_value == "object" for e in errors):
                found.append(path)
        return found

    def _list_of_values(self, path: DataPath) -> None:
        """Tell once of a list of values where one value is wanted, or a list of ranges."""
        items: list[Any] = self._at(path)
        schema: Any = self._values[(*path, 0)][1].schema
        self._values.pop(path, None)
        for number_ in range(len(items)):
            del self._values[(*path, number_)]
        message = f"{place(path)} is a list of values; a list is for ranges of contract months"
        hint = f"write `{flow(items[0])}`" if len(items) == 1 else None
        if "value" not in schema["properties"] and path[:1] != ("months",):
            message = f"{place(path)} is a list of mappings, not of values"
            hint = f"each entry is {example}" if (example := hints.example(schema)) else None
        if path[:1] == ("months",):
            codes = codes_hint(" ".join(str(item) for item in items))
            hint = f"write the month codes as one text: {codes.removeprefix('write ')}"
        self._tell("PF103", message, path, hint)

    def _tell(  # noqa: PLR0913 - one parameter a field of the diagnostic
        self,
        code: str,
        message: str,
        path: DataPath,
        hint: str | None = None,
        *,
        key: bool = False,
        fix: str | None = None,
    ) -> None:
        at = locate(self._locations, path, key=key)
        edit = None if fix is None or at is None else Edit(at, fix)
        self._found.append(diagnostic(code, message, at, hint=hint, fix=edit))
        self._places.add(path)

    # --- keys

    def _unknown_key(self, path: DataPath, key: str, schema: Mapping[str, Any]) -> None:
        if (*path, key) in self._broken:
            return
        # Keys that only the extended spec has may be the ones that were meant.
        given = self._locations.own_keys(path)
        allowed = [name for name in schema.get("properties", {}) if name not in given]
        missing = self._missing.get(path, ({}, schema))[0]
        homes = [home for home in known_keys.homes(self._kind).get(key, []) if (home,) != path]
        close = meant(key, missing)
        if close is None and not homes:
            other = known_keys.OTHER_WORDS.get(key.lower(), ())
            close = next((name for name in other if name in allowed), None) or meant(key, allowed)
        if close:
            missing.pop(close, None)
            # What is meant may not be known to later checks, as a range without its end.
            self._places.add((*path, close))
            hint: str | None = f"did you mean `{close}`?"
            if odd := odd_character(key):
                hint = f"{hint} {odd}"
        else:
            hint = self._elsewhere(path, key, homes if len(path) <= 1 else [])
            hint = hint or _misread(key, schema)
            free = [name for name in allowed if name not in self._at(path)]
            if hint is None and free:
                hint = f"expected {'one of ' if len(free) > 1 else ''}{ticks(free)}"
        where = f" in {place(path)}" if path else ""
        message = f"unknown key `{flow(key)}`{where}"
        self._tell("PF101", message, (*path, key), hint or "remove it", key=True)

    def _block_without_its_head(self, path: DataPath) -> None:
        """Tell once of keys of one block that stand elsewhere: its head is gone, or indented."""
        keys = self._unknown[path][0]
        homes = known_keys.homes(self._kind)
        inside = {
            home: [key for key in keys if home in homes.get(key, [])]
            for home in load_schema(self._kind)["properties"]
            if home not in self._data
        }
        home = max(inside, key=lambda name: len(inside[name]), default="")
        if len(inside.get(home, ())) < 2:
            return
        where = f"in {place(path)}" if path else "at the top"
        if home in keys:
            message = f"`{home}` and what is below it stand {where}"
            self._tell("PF101", message, (*path, home), "start it in column 1", key=True)
        else:
            message = f"{ticks(inside[home])} stand {where}: they are keys of `{home}`"
            first = (*path, inside[home][0])
            self._tell("PF101", message, first, f"write `{home}:` above them", key=True)
        left = [key for key in keys if key not in {home, *inside[home]}]
        self._unknown[path] = (left, self._unknown[path][1])
        self._places |= {(*path, key) for key in inside[home]} | {(home,)}
        self._not_missing((), home)

    def _elsewhere(self, path: DataPath, key: str, homes: list[str]) -> str | None:
        """Return where a key belongs that is known at another place: there it is not missing."""
        if homes:
            for home in homes:
                self._not_missing((home,), key)
            empty = [home for home in homes if home in self._data and self._data[home] is None]
            if len(empty) == 1 and not path:
                self._values.pop((empty[0],), None)
                self._places.add((empty[0],))
                return f"indent it below `{empty[0]}:`"
            return f"`{key}` belongs in {join(homes)}"
        if path and key in load_schema(self._kind)["properties"]:
            self._not_missing((), key)
            return f"`{key}` belongs at the top, not in {place(path)}"
        return None

    def _not_missing(self, path: DataPath, key: str) -> None:
        if path in self._missing and key in self._missing[path][0]:
            del self._missing[path][0][key]
            self._places.add((*path, key))

    def _missing_key(self, path: DataPath, key: str, schema: Mapping[str, Any]) -> None:
        self._places.add((*path, key))
        if self._partial:
            return
        part = schema.get("properties", {}).get(key)
        if part is None or "examples" not in part:
            # A condition of the schema asks for the key; what the key is stands elsewhere.
            part = known_keys.described(self._kind, path, key)
        example = part["examples"][0] if part and "examples" in part else None
        where = f" in {place(path)}" if path else ""
        at = locate(self._locations, path, key=True)
        hint = (
            f"add `{key}: {flow(example)}`, with the value it has" if example is not None else None
        )
        if example is not None and isinstance(example, (dict, list)):
            hint = f"add `{key}`, such as\n{key}: {flow(example)}"
        message = f"missing key `{key}`{where}"
        self._found.append(diagnostic("PF102", message, at, hint=hint))

    def _bad_key(self, path: DataPath, error: ValidationError) -> None:
        schema: Any = error.schema
        key = str(error.instance)
        rule = schema.get("patternErrorMessage", "it is not of the form it needs")
        message = f"the key `{flow(key)}` in {place(path)} is badly written: {rule}"
        hint = hints.for_text(key, schema)
        value = flow(self._at(path)[key])
        if "contract month" in rule and day(key) and (month := contract_month(value)):
            message = f"the date `{flow(key)}` stands before its month, `{value}`, in {place(path)}"
            hint = f"write `{month}: {day(key)}`"
            self._swapped.add((*path, key))
        if (*path, key) not in self._places:
            fix = reordered(key) if "FGHJK" in rule else None
            self._tell("PF105", message, (*path, key), hint, key=True, fix=fix)

    def _excluded(self, path: DataPath, error: ValidationError) -> None:
        needed, others = _condition(load_schema(self._kind), list(error.absolute_schema_path))
        if path in self._places:
            return
        if needed:
            message = f"{place(path)} needs {join(needed)} beside it"
            self._tell("PF111", message, path, f"add {join(needed)}, or remove it", key=True)
            return
        message = f"{place(path)} cannot stand beside {join(others)}"
        self._tell("PF111", message, path, "keep one of the two", key=True)

    def _repeated(self, path: DataPath, items: list[Any]) -> None:
        for place_, item in enumerate(items):
            if item in items[:place_]:
                message = f"`{flow(item)}` is in {place(path)} twice"
                self._tell("PF108", message, (*path, place_), "keep one of the two")

    # --- values

    def _value(self, path: DataPath, error: ValidationError) -> None:  # noqa: C901, PLR0912
        schema: Any = error.schema
        value: Any = error.instance
        name = place(path)
        match error.validator:
            case "type":
                self._type(path, value, error.validator_value, schema)
            case "enum" | "const":
                self._enum(path, value, error)
            case "pattern":
                rule = schema.get("patternErrorMessage", "it is not of the form it needs")
                hint = hints.for_text(value, schema)
                fix = reordered(value) if "FGHJK" in rule else None
                if fix and not self._locations.is_plain(path):
                    fix = f'"{fix}"'
                self._tell("PF105", f"{name} is `{flow(value)}`: {rule}", path, hint, fix=fix)
            case "minLength":
                self._tell("PF105", f"{name} is empty", path, hints.example(schema))
            case "maxLength":
                most = error.validator_value
                message = f"{name} has {len(value)} characters; it has at most {most}"
                self._tell("PF105", message, path)
            case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "not":
                message = f"{name} is `{value}`; it must be {hints.limits(schema)}"
                self._tell("PF106", message, path)
            case "minProperties" | "minItems":
                self._tell("PF107", f"{name} is empty", path, hints.example(schema))
            case "maxProperties" if error.validator_value == 1:
                keys = ticks(value)
                message = f"{name} has {len(value)} keys: {keys}; a step has one"
                split = "\n".join(f"- {key}: {flow(item)}" for key, item in value.items())
                self._tell("PF107", message, path, f"make them steps of their own:\n{split}")
            case "maxProperties" | "maxItems":
                message = f"{name} has {len(value)} entries; at most {error.validator_value}"
                self._tell("PF107", message, path)
            case "dependentRequired":
                needs: Any = error.validator_value
                lacking = {
                    k: [o for o in v if o not in value] for k, v in needs.items() if k in value
                }
                for key, others in lacking.items():
                    if others:
                        message = f"`{key}` needs {ticks(others)} beside it"
                        self._tell("PF111", message, (*path, key), key=True)
            case _:
                keys = ticks(value) if isinstance(value, dict) else f"`{flow(value)}`"
                message = f"{keys} do not go together in {name}"
                self._tell("PF111", message, path, hints.example(schema), key=True)

    def _type(
        self,
        path: DataPath,
        value: object,
        types: Data,
        schema: Mapping[str, Any],
    ) -> None:
        wanted: list[str] = [types] if isinstance(types, str) else list(types)
        name = place(path)
        if value is None:
            last = path[-1] if path else ""
            advice = f"write it behind `{last}:`, or remove the key"
            if self._locations.has_comment(path):
                advice = f"write it behind `{last}:`, in quotes if it starts with `#`"
            if not isinstance(last, str):
                advice = "remove the `-`, or write something behind it"
            self._tell("PF103", f"{name} has no value", path, advice, key=True)
            return
        raw = self._locations.raw(path)
        if "string" in wanted and isinstance(value, (int, Decimal)) and raw is not None:
            kind = "true or false" if isinstance(value, bool) else "a number"
            message = f"{name} is text, but YAML reads `{raw}` as {kind}"
            quoted = f'"{raw}"'
            hint: str | None = f"quote it: `{quoted}`"
            if options := schema.get("enum") or schema.get("then", {}).get("enum"):
                self._tell("PF104", f"{name} is `{raw}`; it must be {_choice(options)}", path)
                return
            if "pattern" in schema and not re.search(schema["pattern"], raw):
                hint = hints.for_text(raw, schema) or schema.get("patternErrorMessage")
                self._tell("PF110", message, path, hint)
                return
            self._tell("PF110", message, path, hint, fix=quoted)
            return
        words = [_TYPES[item] for item in wanted]
        text = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
        message = f"{name} must be {text}, not {describe(value)}"
        hint = self._type_hint(path, value, wanted)
        if hint is None and wanted != ["array"]:
            hint = hints.example(schema, ranges=isinstance(value, dict) and "array" in wanted)
        bare = hint is not None and hint.startswith(_UNQUOTE)
        self._tell("PF103", message, path, hint, fix=str(value) if bare else None)

    def _type_hint(self, path: DataPath, value: object, wanted: Collection[str]) -> str | None:
        """Return what to write instead of a value of the wrong kind."""
        if isinstance(value, str) and {"number", "integer"} & set(wanted):
            if not self._locations.is_plain(path) and re.fullmatch(r"[-+]?[0-9.]+", value):
                return f"{_UNQUOTE}: `{value}`"
            return number(value)
        if wanted == ["boolean"] and isinstance(value, (str, int)):
            return hints.for_boolean(str(value))
        if wanted == ["string"] and isinstance(value, dict) and len(value) == 1:
            if path[-2:-1] in _DAYS:
                return "remove the `-` in front of each key"
            if self._locations.is_flow(path):
                bare = next(iter(value.values())) is None
                return "put the whole value in quotes" if bare else None
            return f'quote a text that has a colon: `"{next(iter(value))}: ..."`'
        if wanted == ["string"] and isinstance(value, list):
            return hints.for_one(value)
        if path[-1:] in _EVENTS and not isinstance(value, (dict, list)):
            return _EVENT
        if "array" in wanted:
            return hints.for_list(path, value, only=not {"number", "string"} & set(wanted))
        return hints.for_mapping(path, value) if wanted == ["object"] else None

    def _enum(self, path: DataPath, value: object, error: ValidationError) -> None:
        given: Any = error.validator_value
        options = given if error.validator == "enum" else [given]
        name = place(path)
        raw = self._locations.raw(path)
        shown = raw or flow(value)
        if isinstance(value, str) and not self._locations.is_plain(path):
            shown = f'"{shown}"'
        choice = _choice(options)
        hint = fix = None
        if isinstance(value, str):
            close = meant(value, [str(option) for option in options])
            if close and close in options:
                hint = f"did you mean `{close}`?"
            elif close and self._locations.is_plain(path):
                hint = f"write `{close}`"
            elif close:
                hint, fix = f"{_UNQUOTE}: `{close}`", close
            elif len(value) >= 3:
                starts = [o for o in options if str(o).startswith(value.lower()[:3])]
                hint = f"did you mean `{starts[0]}`?" if len(starts) == 1 else None
        if value is None:
            self._tell("PF103", f"{name} has no value; it must be {choice}", path, key=True)
        elif isinstance(value, (dict, list)):
            self._tell("PF103", f"{name} must be {choice}, not {describe(value)}", path)
        else:
            self._tell("PF104", f"{name} is `{shown}`; it must be {choice}", path, hint, fix=fix)

    def _at(self, path: DataPath) -> Data:
        value: Any = self._data
        for key in path:
            value = value[key]
        return value


def _choice(options: list[Any]) -> str:
    return f"one of {ticks(options)}" if len(options) > 1 else f"`{flow(options[0])}`"


def _misread(key: str, schema: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the text of a key that is none."""
    if key == "<<":
        return "there are no merge keys: write the keys out"
    if odd := odd_character(key):
        return odd
    known = (name for name in schema.get("properties", {}) if key.startswith(f"{name}:"))
    if glued := next(known, None):
        return f"a space follows the colon: `{glued}: {key.removeprefix(f'{glued}:')}`"
    return None


def _condition(schema: Data, path: list[str | int]) -> tuple[list[str], list[str]]:
    """Return the keys without which, and those beside which, a key is excluded by a schema.

    jsonschema leaves `if` and `$ref` out of the path: the condition stands beside the `then`.
    """
    node, top = schema, schema
    condition: dict[str, Any] = {}
    for step in path:
        while isinstance(node, dict) and "$ref" in node and step not in node:
            node = _follow(top, node["$ref"])
        if step == "then":
            condition = node["if"]
        node = node[step]
    needed: list[str] = condition.get("not", {}).get("required", [])
    return needed, condition.get("required", [])


def _follow(top: Data, reference: str) -> Data:
    node = top
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def _sequence(value: Data) -> list[str]:
    return list(value)
