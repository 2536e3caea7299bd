"""What to write instead of a value that was refused, by what the schema says is wanted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pyfutures.specs.slips import codes_hint, contract_month, day, odd_character, time_of_day
from pyfutures.specs.words import flow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.specs.model import DataPath

__all__ = ["example", "for_boolean", "for_list", "for_mapping", "for_one", "for_text", "limits"]


def for_list(path: DataPath, value: object) -> str | None:
    """Return what to write where a list is wanted."""
    if isinstance(value, dict):
        if path[-1:] == ("rule",):
            return "start each step with `- `"
        return "ranges are a list: start each with `- `" if "value" in value else None
    if path[-1:] == ("rule",):
        return "write steps, such as\n- weekday: {nth: 3, day: friday}"
    return None if isinstance(value, list) else f"put it in brackets: `[{flow(value)}]`"


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
    return "remove the `-` in front of each key" if isinstance(value, list) and value else None


def for_boolean(text: str) -> str | None:
    """Return how true and false are written, for a text that was meant to be one."""
    if text.lower() in {"yes", "y", "on", "true", "1"}:
        return "write `true`, without quotes"
    if text.lower() in {"no", "n", "off", "false", "0"}:
        return "write `false`, without quotes"
    return None


def example(schema: Mapping[str, Any]) -> str | None:
    """Return a value that would do, if the schema has one."""
    examples = schema.get("examples")
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
        return codes_hint(text)
    found = None
    if "contract month" in rule:
        found = contract_month(text)
    elif rule.startswith("a date"):
        found = day(text)
    elif rule.startswith(("a time", "a moment")):
        found = time_of_day(text)
    else:
        plain = re.sub(r"[ -]", "_", text)
        found = next((word for word in (text.upper(), plain.lower()) if _fits(word, schema)), None)
    return f"write `{found}`" if found and _fits(found, schema) else odd_character(text)


def _fits(text: str, schema: Mapping[str, Any]) -> bool:
    return re.search(schema.get("pattern", ""), text) is not None
