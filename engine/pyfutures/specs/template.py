"""A first spec of a root: every key that most specs have, with a comment that says what it is.

The text is valid as it is; the values are those of another root, or stand-ins to be replaced.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pyfutures.specs.extends import merge
from pyfutures.specs.positions import Locations
from pyfutures.specs.tree import scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.specs.model import Spec
    from pyfutures.specs.positions import Data

__all__ = ["STAND_IN", "facts", "written"]

#: The facts of no root.
STAND_IN: Final[dict[str, Any]] = {
    "name": "Name of the contract",
    "exchange": "XCME",
    "currency": "USD",
    "multiplier": 1,
    "tick": Decimal("0.01"),
    "settlement": "cash",
    "ib": {"exchange": "CME"},
    "months": {"listed": "HMUZ"},
    "last_trade": {
        "calendar": "us_expiry",
        "rule": [{"weekday": {"nth": 3, "day": "friday"}}, {"if_closed": "previous"}],
        "at": "09:30 America/New_York",
    },
    "roll": {"anchor": "last_trade", "offset": -5, "carry": 1},
    "hours": {"zone": "America/Chicago", "open": "17:00", "close": "16:00"},
}
#: What is known of one root only.
_OWN: Final = frozenset({"schema", "root", "extends", "expect", "verified", "sources", "dates"})
_COMMENTS: Final = {
    "name": "As the exchange calls it.",
    "exchange": "ISO 10383 code (MIC) of the exchange.",
    "currency": "ISO 4217 code of the price.",
    "multiplier": "Value of one whole point of price in the currency.",
    "tick": "Smallest step of the price, in the currency and exact: 0.015625, not 0.0156.",
    "settlement": "`cash`, or `physical`: then add `first_notice`.",
    "ib": "What Interactive Brokers calls it; add `trading_class` where a symbol has several.",
    "months": (
        "Month codes F G H J K M N Q U V X Z. `priced` (with usable prices) is `listed`, and `hold`"
        " is `priced`, if they are not there."
    ),
    "last_trade": (
        "Steps from the contract month to the last day of trading, left to right; `pyfutures"
        " explain` shows what each does."
    ),
    "first_notice": "First day on which delivery may be announced.",
    "expiry": "Settlement or expiration day, where it is not the last trade.",
    "roll": "When the held month is left for the next one, in days from the anchor.",
    "hours": "Daily trading hours; `open` after `close` means the evening before.",
    "verified": "Whether dates were checked against a list of the exchange or the broker.",
    "expect": "Dates known from elsewhere: `pyfutures validate` compares them with the rules.",
    "sources": "Where the facts are published: a rulebook chapter, an address.",
}
_BLOCK: Final = frozenset({"last_trade", "first_notice", "expiry"})
# Plain where every reader of YAML, also one of version 1.1, takes it for text.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_/&.+-]*(?: [A-Za-z0-9_/&.+()-]+)*")
_NOT_TEXT: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_WIDTH: Final = 90


def facts(spec: Spec) -> dict[str, Any]:
    """Return the document of a spec, with the facts of those it extends and no dates."""
    locations = spec.locations
    documents = locations.documents if isinstance(locations, Locations) else ()
    data: dict[str, Any] = {}
    for document in reversed(documents):
        data = merge(document.data, data)
    found = _without_dates(data)
    return found if isinstance(found, dict) else {}


def _without_dates(value: Data) -> Data:
    if isinstance(value, dict):
        return {k: _without_dates(v) for k, v in value.items() if k not in _OWN and k != "skip"}
    if isinstance(value, list):
        return [_without_dates(item) for item in value]
    return value


def written(root: str, schema: str, like: Mapping[str, Any], **given: object) -> str:
    """Return the text of a new spec; what is not known is a stand-in.

    Parameters
    ----------
    root
        Its product code.
    schema
        Where its schema lies from its file.
    like
        The facts of the root it is like, or `STAND_IN`.
    given
        Values by key that are known; None where they are not.

    """
    data = dict(like) | {"name": STAND_IN["name"]}
    data |= {key: value for key, value in given.items() if value is not None}
    identity = data.get("ib")
    exchange = identity.get("exchange") if isinstance(identity, dict) else None
    if exchange is not None:
        # The class is that of the other root.
        keep = {k: v for k, v in data["ib"].items() if k not in {"symbol", "trading_class"}}
        data["ib"] = {"symbol": root, **keep}
    lines = [f"# yaml-language-server: $schema={schema}", "schema: 1", f"root: {_text(root)}"]
    for key, comment in _COMMENTS.items():
        if key == "verified":
            lines += [*_comment(comment), "verified: false"]
        elif key == "expect":
            lines += [*_comment(comment), "# expect: {2026H: 2026-03-20}"]
        elif key == "sources":
            lines += [*_comment(comment), "sources:", "  - to be named"]
        elif key in data:
            lines += [*_comment(comment), *_entry(key, data[key])]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    lines, line = [], "#"
    for word in text.split():
        if len(line) + len(word) >= _WIDTH:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]


def _entry(key: str, value: Data, indent: str = "") -> list[str]:
    """Return a key and its value: in one line where it fits, rules always in several."""
    short = f"{indent}{key}: {_flow(value)}"
    if not isinstance(value, (dict, list)):
        return [short]
    if key not in _BLOCK and key != "rule" and len(short) <= _WIDTH:
        return [short]
    lines = [f"{indent}{key}:"]
    if isinstance(value, dict):
        for name, item in value.items():
            lines += _entry(name, item, f"{indent}  ")
        return lines
    for item in value:
        whole = f"{indent}  - {_flow(item)}"
        if isinstance(item, dict) and (len(item) == 1 or "rule" in item or len(whole) > _WIDTH):
            inner = [line for name, part in item.items() for line in _entry(name, part)]
            lines += [f"{indent}  {'  ' if n else '- '}{line}" for n, line in enumerate(inner)]
        else:
            lines.append(whole)
    return lines


def _flow(value: Data) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{_text(k)}: {_flow(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case str():
            return _text(value)
        case _:
            return str(value)


def _text(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT and scalar(text) == text
    # A month such as 2014X and a date are text to every reader of YAML that this project has.
    is_month = re.fullmatch(r"[0-9]{4}[A-Z]", text)
    return text if plain or is_month else json.dumps(text, ensure_ascii=False)
