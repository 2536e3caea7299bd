"""The pages of ``docs/`` that are made, not typed: reference and catalogue.

``python -m pyfutures.report.reference docs`` writes them; a test makes them again and compares.
What a page says comes from where it is decided: keys from the schemas, diagnostics from their
codes, rules and dates from the specs. No clock: the date from which the catalogue counts is a
parameter. In the catalogue only what stands between its marks is made; the rest is kept.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml

from pyfutures.calendars import day_number
from pyfutures.chain import Catalog
from pyfutures.codes import CODES
from pyfutures.resources import data_dir
from pyfutures.specs.model import OffsetUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pyfutures.chain import Chain, ChainRow
    from pyfutures.codes import Code
    from pyfutures.specs.model import Event, Roll

__all__ = [
    "AFTER",
    "PageError",
    "filled",
    "left_out",
    "main",
    "pages",
    "reference",
    "rolls",
    "roots",
]

AFTER: Final = dt.date(2026, 12, 1)
"""The day from which the catalogue counts the next last trades."""

_NEXT: Final = 3
#: What the digit after PF says.
_STAGES: Final = {
    "0": "The file and its YAML",
    "1": "The form of a spec",
    "2": "Cycles and ranges",
    "3": "Rules, calendars and times",
    "4": "Dates and rolls",
    "5": "Between files",
    "6": "A spec and the broker",
    "9": "Comments that ignore a fault",
}
_TYPES: Final = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "mapping",
    "string": "text",
}

type _Schema = Mapping[str, Any]


class PageError(ValueError):
    """A page without the marks between which something is to be written."""


# --- the reference


def reference(contract: _Schema, calendar: _Schema) -> str:
    """The page of all keys and all diagnostics.

    Parameters
    ----------
    contract, calendar
        The two schemas.

    """
    parts = [
        "# Reference",
        (
            "Made from the schemas and from the table of codes by"
            " `python -m pyfutures.report.reference docs`; not to be edited. The guide to the same"
            " keys is [spec_language.md](spec_language.md)."
        ),
        (
            "`x[]` is an entry of the list at `x`, `x.*` each value of the mapping at `x`. A key in"
            " bold is required; a spec that `extends` another needs only `schema` and `root`, and"
            " what the two make together the others."
        ),
        *_schema_section("Keys of a contract", "contracts/<exchange>/<ROOT>.yaml", contract),
        *_schema_section("Keys of a calendar", "contracts/calendars/<name>.yaml", calendar),
        "## Diagnostics",
        (
            "An error keeps a spec from being loaded, a warning does not. A code never changes its"
            " meaning."
        ),
    ]
    for digit, title in _STAGES.items():
        parts.append(f"### {title}")
        for code in CODES.values():
            if code.code[2] == digit:
                parts += _code(code)
    return "\n\n".join(parts) + "\n"


def _schema_section(title: str, where: str, schema: _Schema) -> Iterator[str]:
    yield f"## {title}"
    yield f"`{where}`. {schema['markdownDescription']}"
    for example in schema["examples"]:
        yield _fence("yaml", _block(example))
    mappings = list(_mappings("", schema, schema.get("then", {}), schema.get("$defs", {})))
    for number, mapping in enumerate(mappings):
        if any(mapping.same(before) for before in mappings[:number]):
            continue
        paths = [f"`{other.path}`" for other in mappings if other.same(mapping) and other.path]
        yield f"### {', '.join(paths) or 'Top level'}"
        yield _table(("key", "what", "value", "example"), mapping.rows())


@dataclass(frozen=True, slots=True)
class _Mapping:
    """A mapping of a spec that has keys of its own."""

    path: str
    schema: _Schema
    required: frozenset[str]
    defs: _Schema

    def same(self, other: _Mapping) -> bool:
        """Whether two mappings have the same keys with the same meaning."""
        same_keys = self.schema["properties"] == other.schema["properties"]
        return same_keys and self.required == other.required

    def rows(self) -> Iterator[tuple[str, ...]]:
        for key, given in self.schema["properties"].items():
            value = _resolved(given, self.defs)
            title, what = value["title"], value["markdownDescription"]
            if title.lower() != key and not what.startswith(title):
                what = f"{title[0].upper()}{title[1:]}. {what}"
            yield (
                f"**`{key}`**" if key in self.required else f"`{key}`",
                what,
                "; ".join(_value(value, self.defs)),
                "<br>".join(f"`{_flow(example)}`" for example in value["examples"]),
            )


def _mappings(path: str, given: _Schema, then: _Schema, defs: _Schema) -> Iterator[_Mapping]:
    """The mappings in a schema, an outer one before those in it; those in ``$defs`` once.

    `then` is what holds of the same place in a spec that extends no other.
    """
    schema = _resolved(given, defs) if path else given
    if "properties" in schema:
        required = frozenset({*schema.get("required", ()), *then.get("required", ())})
        yield _Mapping(path, schema, required, defs)
        inner = then.get("properties", {})
        for key, value in schema["properties"].items():
            if value.get("$ref") != "#/$defs/step":
                place = f"{path}.{key}" if path else key
                yield from _mappings(place, value, inner.get(key, {}), defs)
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and "properties" in values:
        yield from _mappings(f"{path}.*", values, {}, defs)
    items = schema.get("items", {})
    if items and ("$ref" not in items or path in {"sequence", "annual"}):
        yield from _mappings(f"{path}[]", items, {}, defs)
    if not path and "step" in defs:
        yield from _mappings("rule[]", defs["step"], {}, defs)


def _resolved(schema: _Schema, defs: _Schema) -> _Schema:
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return {**defs[name], **schema} if name else schema


def _value(schema: _Schema, defs: _Schema) -> Iterator[str]:
    """What a value may be: its type, its limits, the words it is chosen from, its default."""
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds:
        ranges = " of ranges" if schema.get("items", {}).get("title") == "Range" else ""
        yield " or ".join(_TYPES[kind] + (ranges if kind == "array" else "") for kind in kinds)
    chosen = schema.get("enum") or schema.get("then", {}).get("enum", ())
    words = schema.get("markdownEnumDescriptions") or schema.get("then", {}).get(
        "markdownEnumDescriptions", [""] * len(chosen)
    )
    if chosen:
        each = (
            f"`{_flow(value)}`{f' ({word.rstrip(".")})' if _says_more(word, value) else ''}"
            for value, word in zip(chosen, words, strict=True)
        )
        yield f"one of {', '.join(each)}"
    yield from _limits(schema)
    if message := schema.get("patternErrorMessage"):
        yield message
    if message := schema.get("propertyNames", {}).get("patternErrorMessage"):
        yield message
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        yield f"each value: {_resolved(values, defs)['markdownDescription'].rstrip('.')}"
    if "default" in schema:
        yield f"default `{_flow(schema['default'])}`"


def _says_more(word: str, value: object) -> bool:
    """Whether what is said of a value is more than its name."""
    return word.rstrip(".").lower() not in {"", str(value)}


def _limits(schema: _Schema) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    elif "exclusiveMinimum" in schema:
        yield f"above {schema['exclusiveMinimum']}"
    if schema.get("not") == {"const": 0}:
        yield "not 0"
    if schema.get("minItems", 1) > 1:
        yield f"at least {schema['minItems']} entries"
    if schema.get("maxProperties") == 1:
        yield "exactly one key"
    if schema.get("uniqueItems"):
        yield "no entry twice"


def _code(code: Code) -> Iterator[str]:
    yield f"#### {code.code} {code.title}"
    yield f"{code.severity.capitalize()}. {code.what} {code.why}"
    yield _fence("text", code.example)
    yield "Instead:"
    yield _fence("text", code.instead)


# --- the catalogue


def roots(catalog: Mapping[str, Chain], after: dt.date) -> str:
    """The table of all roots, one line each.

    Parameters
    ----------
    catalog
        The compiled roots.
    after
        The day from which the next last trades are counted, itself included.

    """
    header = (
        *("root", "name", "exchange", "last trade", "calendar", "listed", "priced", "hold"),
        *(f"next last trades from {after}", "status", "verified"),
    )
    return _table(header, (_root(catalog[root], after) for root in sorted(catalog)))


def _root(chain: Chain, after: dt.date) -> tuple[str, ...]:
    spec = chain.spec
    rows = chain.rows()
    coming = [row for row in rows if row.last_trade is not None and row.last_trade >= after]
    shown = coming[:_NEXT]
    if len(shown) < _NEXT:
        # A calendar that ends early: the months after the last known one, which have no date.
        known = max((row.month for row in rows if row.last_trade is not None), default=None)
        rest = [row for row in rows if known is None or row.month > known]
        shown += rest[: _NEXT - len(shown)]
    cycles = [str(cycle) for cycle in (spec.listed, spec.priced, spec.hold)]
    return (
        f"`{spec.root}`",
        spec.name,
        spec.exchange,
        _rules(spec.last_trade),
        ", ".join(_calendars(spec.last_trade)),
        *cycles,
        "<br>".join(f"{row.month} {row.last_trade or 'unknown'}" for row in shown),
        _status(shown),
        "yes" if spec.verified else "no",
    )


def _rules(event: Event) -> str:
    """The rules of an event in words, one a range, and how many dates stand by themselves."""
    lines = []
    # Ranges that differ in the time of day or the calendar only are one rule.
    for text, group in groupby(event.spans.spans, key=lambda span: span.value.rule.text):
        spans = list(group)
        bounds = [f"from {spans[0].start}"] if spans[0].start else []
        bounds += [f"until {spans[-1].until}"] if spans[-1].until else []
        lines.append((f"{' '.join(bounds)}: " if bounds else "") + text)
    if event.dates:
        plural = "" if len(event.dates) == 1 else "s"
        lines.append(f"{len(event.dates)} month{plural} by date")
    return "<br>".join(lines)


def _calendars(event: Event) -> Iterable[str]:
    rules = [span.value for span in event.spans.spans]
    return dict.fromkeys(f"`{n}`" for rule in rules for n in (rule.calendar, *rule.rule.calendars))


def _status(rows: Sequence[ChainRow]) -> str:
    """The worst status of some rows."""
    found = {row.status for row in rows}
    return next((status for status in ("unknown", "projected") if status in found), "")


def rolls(catalog: Mapping[str, Chain]) -> str:
    """The table of the rolls that roots have, one line each kind, with the shortest window of it.

    Parameters
    ----------
    catalog
        The compiled roots.

    """
    kinds: dict[Roll, list[tuple[int, str, str]]] = {}
    for root in sorted(catalog):
        roll = catalog[root].spec.roll
        if roll is not None:
            kinds.setdefault(replace(roll, carry=0), []).append(_shortest_window(catalog[root]))
    header = ("roll date", "roots", "fewest sessions in a window")
    return _table(header, (_rolls(kind, kinds[kind]) for kind in sorted(kinds, key=_roll_order)))


def _rolls(roll: Roll, windows: Sequence[tuple[int, str, str]]) -> tuple[str, ...]:
    days = "business day" if roll.unit is OffsetUnit.BUSINESS else "day"
    days += "" if abs(roll.offset) == 1 else "s"
    side = "after" if roll.offset > 0 else "before"
    anchor = roll.anchor.replace("_", " ")
    words = f"{abs(roll.offset)} {days} {side} {anchor}" if roll.offset else f"on {anchor}"
    if roll.close_out:
        words += f", closed out {roll.close_out} sessions before the last safe day"
    sessions, root, month = min(windows)
    names = ", ".join(f"`{name}`" for _, name, _ in windows)
    return words, names, f"{sessions} ({root} {month})"


def _roll_order(roll: Roll) -> tuple[str, str, int, int]:
    return roll.anchor, roll.unit, -roll.offset, roll.close_out


def _shortest_window(chain: Chain) -> tuple[int, str, str]:
    """Fewest sessions from a roll date to before its deadline, the root, and the month of it.

    Sessions are the open days of the calendar of the last trade; it must know the whole window.
    """
    found = []
    for row in chain.rolls:
        event = chain.spec.last_trade.spans.at(row.month)
        calendar = None if event is None else chain.calendars[event.calendar]
        if calendar is not None and calendar.first <= row.roll_date:
            bounds = [day_number(row.roll_date), day_number(row.deadline)]
            low, high = np.searchsorted(calendar.days, bounds).tolist()
            found.append((high - low, chain.root, str(row.month)))
    return min(found)


def left_out(reasons: Sequence[Mapping[str, str]]) -> str:
    """The table of the roots that have no spec, with the reason.

    Parameters
    ----------
    reasons
        Mappings with ``root``, ``exchange``, ``name`` and ``reason``.

    """
    names = ("root", "exchange", "name", "reason")
    rows = ((f"`{row['root']}`", *(row[name] for name in names[1:])) for row in reasons)
    return _table(names, rows)


# --- pages and files


def filled(page: str, parts: Mapping[str, str]) -> str:
    """The page with what stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` replaced.

    Raises
    ------
    PageError
        If a mark is missing.

    """
    for name, text in parts.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise PageError(f"the page has no `{begin.strip()}` before `{end}`")
        page = f"{before}{begin}\n{text}\n\n{end}{after}"
    return page


def pages(
    folder: Path, catalog: Mapping[str, Chain] | None = None, after: dt.date = AFTER
) -> dict[Path, str]:
    """The made pages of a folder of docs by path; nothing is written.

    Parameters
    ----------
    folder
        Has ``catalogue.md``, whose marks are filled, and ``left_out.yaml``.
    catalog
        The roots; by default the built-in catalogue.
    after
        See `roots`.

    Raises
    ------
    PageError
        If ``catalogue.md`` lacks a mark.
    OSError
        If a file cannot be read.

    """
    contract, calendar = (
        json.loads((data_dir("schemas") / f"{kind}.schema.json").read_text(encoding="utf-8"))
        for kind in ("contract", "calendar")
    )
    reasons = yaml.safe_load((folder / "left_out.yaml").read_text(encoding="utf-8"))
    page = (folder / "catalogue.md").read_text(encoding="utf-8")
    chains = Catalog.load() if catalog is None else catalog
    made = {
        "roots": roots(chains, after),
        "left out": left_out(reasons),
        "rolls": rolls(chains),
    }
    return {
        folder / "reference.md": reference(contract, calendar),
        folder / "catalogue.md": filled(page, made),
    }


def main(args: Sequence[str]) -> int:
    """Write the pages of the folder that is named; the exit code."""
    if len(args) != 1 or not Path(args[0]).is_dir():
        sys.stderr.write("usage: python -m pyfutures.report.reference FOLDER\n")
        return 2
    for path, text in pages(Path(args[0])).items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return 0


# --- Markdown


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _fence(kind: str, text: str) -> str:
    return f"```{kind}\n{text.rstrip()}\n```"


def _flow(value: object) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _block(value: object) -> str:
    """A value as YAML on lines of its own; mappings of plain values on one."""
    return yaml.safe_dump(value, default_flow_style=None, sort_keys=False, allow_unicode=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
