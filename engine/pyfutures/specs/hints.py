"""What to write instead of a value that was refused, by what the schema says is wanted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pyfutures.specs.slips import (
    DASHES,
    codes_hint,
    contract_month,
    day,
    odd_character,
    time_of_day,
)
from pyfutures.specs.words import flow
from pyfutures.specs.zones import hint as zone_hint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyfutures.specs.model import DataPath

__all__ = ["example", "for_boolean", "for_list", "for_mapping", "for_one", "for_text", "limits"]

#: Nobody means a longer name.
_LONG: Final = 60
#: The keys by which a mapping is meant to be a range of contract months.
_RANGE: Final = frozenset({"value", "months", "rule"})


def for_list(path: DataPath, value: object, *, only: bool = True) -> str | None:
    """Return what to write where a list is wanted; with `only`, where nothing else would do."""
    if isinstance(value, dict):
        if path[-1:] == ("rule",):
            return "start each step with `- `"
        if _RANGE & value.keys():
            return "ranges are a list: start each with `- `"
        return "start each entry with `- `" if only else None
    if path[-1:] == ("rule",):
        return "write steps, such as\n- weekday: {nth: 3, day: friday}"
    if isinstance(value, list) or not (only or isinstance(value, str)):
        return None
    return f"put it in brackets: `[{flow(value)}]`"


def for_one(values: list[object]) -> str | None:
    """Return what to write where one text is wanted and a list is given."""
    if len(values) == 1 and isinstance(values[0], str):
        return f"write `{flow(values[0])}`"
    return "write one text"


def for_mapping(path: DataPath, value: object) -> str | None:
    """Return what to write where a mapping is wanted."""
    if path and isinstance(path[-1], int):
        step = isinstance(value, str) and re.fullmatch(r"([a-z_]+)[ :=]+(\S.*)", value)
        if step and "rule" in path:
            return f"write `{step[1]}: {step[2]}`"
        return "a step is `key: value`" if "rule" in path else "write `key: value` pairs"
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return "remove the `-` in front of each key"
    return None


def for_boolean(text: str) -> str | None:
    """Return how true and false are written, for a text that was meant to be one."""
    if text.lower() in {"yes", "y", "on", "true", "1"}:
        return "write `true`, without quotes"
    if text.lower() in {"no", "n", "off", "false", "0"}:
        return "write `false`, without quotes"
    return None


def example(schema: Mapping[str, Any], *, ranges: bool = False) -> str | None:
    """Return a value that would do, if the schema has one; with `ranges` a list of ranges."""
    examples = schema.get("examples")
    if ranges:
        lists = [item for item in examples or () if isinstance(item, list)]
        entries = "\n".join(f"- {flow(entry)}" for entry in lists[0]) if lists else ""
        return f"ranges of contract months are a list, such as\n{entries}" if entries else None
    return f"such as `{flow(examples[0])}`" if examples else None


def limits(schema: Mapping[str, Any]) -> str:
    """Return the numbers that would do: "0 to 5 and not 0"."""
    low, high = schema.get("minimum"), schema.get("maximum")
    parts = []
    if (least := schema.get("exclusiveMinimum")) is not None:
        parts.append(f"more than {least}")
    if low is not None and high is not None:
        parts.append(f"{low} to {high}")
    elif low is not None:
        parts.append(f"at least {low}")
    elif high is not None:
        parts.append(f"at most {high}")
    if schema.get("not") == {"const": 0}:
        parts.append("not 0")
    return " and ".join(parts) or "another number"


def for_text(text: str, schema: Mapping[str, Any]) -> str | None:
    """Return a hint what a text was meant to be that is not of its form."""
    rule = schema.get("patternErrorMessage", "")
    if "FGHJK" in rule:
        is_else = text.lower() == "else" and _fits("else", schema)
        return "write `else`" if is_else else codes_hint(text)
    found = None
    if "contract month" in rule:
        found = contract_month(text)
    elif rule.startswith("a date"):
        found = day(text)
    elif rule.startswith("a break"):
        found = re.sub(f" *[-{DASHES}] *| +to +", "-", text.strip(" "))
    elif rule.startswith("a time zone"):
        return zone_hint(text)
    elif rule.startswith(("a time", "a moment")):
        found = time_of_day(text)
        if found is None or not _fits(found, schema):
            return _moment(text, schema) or odd_character(text)
    else:
        found = next((word for word in _names(text) if _fits(word, schema)), None)
        if found and (end := re.match(r" *[,;#]", text.removeprefix(found))) and found in text:
            mark = end[0].strip()
            return (
                "put a space before `#`"
                if mark == "#"
                else f"write `{found}`: nothing follows a value"
            )
    most = schema.get("maxLength", _LONG)
    fits = found and len(found) <= most and _fits(found, schema)
    return f"write `{found}`" if fits else odd_character(text)


def _names(text: str) -> Iterator[str]:
    """Yield the names that a text may stand for: in another case, of a file, with an end."""
    stem = re.sub(r"\.ya?ml$", "", text.strip(" ").rpartition("/")[2])
    bare = re.sub(r"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$", "", text) if text.isascii() else text
    for part in (text, stem, re.split(r" *[,;#]", text)[0].strip(" "), bare):
        yield part.upper()
        yield re.sub(r"[ -]", "_", part).lower()


def _moment(text: str, schema: Mapping[str, Any]) -> str | None:
    """Return a hint about a time that no reordering mends."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::[0-9]{2})?( ?)(.*)", text.strip(" "))
    if match is None:
        return None
    if int(match[1]) > 23 or int(match[2]) > 59:
        return "hours go from 00 to 23, minutes from 00 to 59"
    zone = match[4]
    bare = f"{match[1]:0>2}:{match[2]}"
    if zone and _fits(bare, schema):
        return f"write `{bare}`; the zone is a key of its own"
    if zone == "Z":
        return f"write `{bare} UTC`"
    return zone_hint(zone) if zone else None


def _fits(text: str, schema: Mapping[str, Any]) -> bool:
    return re.search(schema.get("pattern", ""), text) is not None
