"""The words diagnostics are made of: names of places and values, and "did you mean"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pyfutures.specs.model import DataPath

__all__ = ["flow", "join", "meant", "place", "shown", "suggestion", "ticks"]

_MANY = 12
# Characters that would break or garble the line they are shown on.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def ticks(values: Iterable[object]) -> str:
    """Return values in back-ticks, separated by commas."""
    return ", ".join(f"`{flow(value)}`" for value in values)


def join(values: Iterable[object]) -> str:
    """Return values in back-ticks as an alternative: "`a`, `b` or `c`"."""
    *first, last = [f"`{flow(value)}`" for value in values]
    return f"{', '.join(first)} or {last}" if first else last


def place(path: DataPath) -> str:
    """Return what an author calls a place: "`roll`", "step 2 of `rule`", "the spec"."""
    if not path:
        return "the spec"
    last = path[-1]
    if isinstance(last, str):
        return f"`{flow(last)}`"
    above = [key for key in path if isinstance(key, str)]
    names = {"rule": "step", "else": "step", "sources": "source", "skip": "month"}
    name = names.get(above[-1] if above else "", "entry")
    if "by_month" in above:
        name = "step"
    return f"{name} {last + 1} of `{above[-1]}`" if above else f"{name} {last + 1}"


def meant(word: str, known: Collection[str]) -> str | None:
    """Return the known word that a misspelt one most resembles, or None."""
    folded = {name.lower(): name for name in known}
    if word.lower() in folded:
        return folded[word.lower()]
    from difflib import get_close_matches  # noqa: PLC0415 - only for what is misspelt

    close = get_close_matches(word.lower(), folded, 1, 0.6)
    return folded[close[0]] if close else None


def suggestion(word: str, known: Collection[str], what: str) -> str:
    """Return "did you mean …?", or what there is to choose from."""
    if close := meant(word, known):
        return f"did you mean `{close}`?"
    names = sorted(known)
    if not names:
        return "there is none yet"
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return f"{what} {ticks(names[:_MANY])}{more}"


def flow(value: object) -> str:
    """Return a value as one line of YAML."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(flow(item) for item in value) + "]"
        case _:
            return shown(str(value), 60)


def shown(text: str, most: int) -> str:
    """Return a text on one line, without what would garble it, and not too long."""
    line = _UNSEEN.sub("\N{MIDDLE DOT}", text.replace("\n", " "))
    return line if len(line) <= most else line[: most - 3] + "..."
