"""A node as a YAML (or JSON) file, checked before anything runs; every fault has its place.

The file is what nautilus_trader's `TradingNodeConfig` takes, with clients, actors and strategies in
their importable forms. nautilus finds most faults late and says only where in the JSON they are;
here all of them are looked for first, and said with line and column.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from nautilus_trader.common.config import resolve_config_path, resolve_path
from nautilus_trader.config import TradingNodeConfig

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import SpecError
from pyfutures.specs.positions import locate
from pyfutures.specs.words import suggestion
from pyfutures.specs.yaml import read

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.model import DataPath
    from pyfutures.specs.positions import Document

__all__ = ["NodeFileError", "read_node"]

#: What runs in a node, and under which key its class stands.
_PARTS: Final = {
    "actors": "actor_path",
    "strategies": "strategy_path",
    "exec_algorithms": "exec_algorithm_path",
}
_CLIENTS: Final = ("data_clients", "exec_clients")
_ENGINES: Final = ("data_engine", "risk_engine", "exec_engine")
_OURS: Final = "pyfutures.nautilus.config:"
_WHERE: Final = re.compile(r"^(.*?)(?: - at `(?:key in )?\$(.*)`)?$", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"unknown field `(.+?)`")


class NodeFileError(SpecError):
    """A file of a node that cannot be used; ``diagnostics`` has every fault with its place."""


def read_node(path: str | os.PathLike[str], *, catalog: Sequence[str] = ()) -> TradingNodeConfig:
    """Return the config of a node.

    Exceptions in the engines stop the node in good order unless the file says otherwise
    (`graceful_shutdown_on_exception`); nautilus alone would end the process on the spot. Its check
    of orders in flight is off unless the file sets `inflight_check_interval_ms`.

    Parameters
    ----------
    path
        The file.
    catalog
        Folders of specs, laid over those of each of our clients.

    Raises
    ------
    NodeFileError
        With everything that is wrong in it.
    """
    document, faults = read(Path(path))
    if document is None or any(fault.is_error for fault in faults):
        raise NodeFileError([_of_a_node(fault) for fault in faults])
    data = copy.deepcopy(document.data)
    for engine in _ENGINES:
        if isinstance(data.setdefault(engine, {}), dict):
            data[engine].setdefault("graceful_shutdown_on_exception", True)
    if isinstance(data["exec_engine"], dict):
        # Of an order in flight our client says what became of it when the line is back; the
        # engine's own check would call it failed in the meantime.
        data["exec_engine"].setdefault("inflight_check_interval_ms", 0)
    found = [fault for group in _CLIENTS for fault in _clients(document, data, group)]
    found += [fault for part in _PARTS for fault in _parts(document, data, part)]
    if found:
        raise NodeFileError(found)
    _lay_over(data, catalog)
    try:
        config: TradingNodeConfig = TradingNodeConfig.parse(_json(data))
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise NodeFileError([_invalid(document, (), error, TradingNodeConfig)]) from None
    return config


def _of_a_node(fault: Diagnostic) -> Diagnostic:
    """Return what the reader of specs says in the words of a node."""
    if fault.code == "PF013":
        return replace(fault, help="start with `trader_id:`, `data_clients:` and `exec_clients:`")
    return replace(fault, message=fault.message.replace("a spec is", "a node is", 1))


def _clients(document: Document, data: dict[str, Any], group: str) -> Iterator[Diagnostic]:
    clients = data.get(group, {})
    if not isinstance(clients, dict):
        yield _fault(document, (group,), f"`{group}` is a mapping of names to clients")
        return
    names: dict[str, str] = {}
    for key, client in clients.items():
        where = (group, key)
        name = key.partition("-")[0]
        if name in names:
            yield _fault(
                document, where, f"`{key}` and `{names[name]}` are one client to nautilus_trader",
                "it drops what follows the hyphen; call one of them"
                f" `{name}2`, without a hyphen",
            )  # fmt: skip
        names.setdefault(name, key)
        if not isinstance(client, dict) or "path" not in client or "factory" not in client:
            yield _fault(
                document, where, f"client `{key}` needs `path`, `factory` and `config`",
                "as in `{path: pyfutures.nautilus.config:FuturesDataClientConfig,"
                " factory: {path: ...}, config: {...}}`",
            )  # fmt: skip
            continue
        factory = client["factory"]
        named = factory.get("path") if isinstance(factory, dict) else None
        yield from _resolved(document, (*where, "factory", "path"), named)
        yield from _config(document, where, client, "path")


def _parts(document: Document, data: dict[str, Any], part: str) -> Iterator[Diagnostic]:
    rows = data.get(part, [])
    if not isinstance(rows, list):
        yield _fault(document, (part,), f"`{part}` is a list")
        return
    key = _PARTS[part]
    for place, row in enumerate(rows):
        where = (part, place)
        if not isinstance(row, dict) or key not in row or "config_path" not in row:
            yield _fault(document, where, f"it needs `{key}`, `config_path` and `config`")
            continue
        yield from _resolved(document, (*where, key), row[key])
        yield from _config(document, where, row, "config_path")


def _resolved(document: Document, where: DataPath, path: object) -> Iterator[Diagnostic]:
    try:
        resolve_path(str(path))
    except (ImportError, AttributeError, ValueError) as error:
        yield _fault(
            document, where, f"`{path}` cannot be imported: {error}",
            "write `package.module:Class`; the module must be installed or on PYTHONPATH",
        )  # fmt: skip


def _config(
    document: Document, where: DataPath, row: dict[str, Any], key: str
) -> Iterator[Diagnostic]:
    """Check a config against the class that it names."""
    try:
        wanted = resolve_config_path(str(row[key]))
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        yield _fault(
            document, (*where, key), f"`{row[key]}` is no config that can be imported: {error}"
        )
        return
    values = row.get("config", {})
    if not isinstance(values, dict):
        yield _fault(document, (*where, "config"), "`config` is a mapping")
        return
    try:
        wanted.parse(_json(values))
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        yield _invalid(document, (*where, "config"), error, wanted)


def _invalid(document: Document, where: DataPath, error: Exception, wanted: type) -> Diagnostic:
    """Return what msgspec says, at the place that it means."""
    found = _WHERE.fullmatch(str(error))
    words, inner = (found[1], found[2] or "") if found else (str(error), "")
    path: list[str | int] = []
    for name, place in _STEP.findall(inner):
        if place == "...":
            break  # somewhere in a mapping: the mapping is as near as it says
        path.append(name or int(place))
    hint = None
    field = _UNKNOWN.search(words)
    if field is not None:
        path.append(field[1])
        if len(path) == 1:
            hint = suggestion(field[1], wanted.__struct_fields__, "the fields are")  # type: ignore[attr-defined]
    words = words[:1].lower() + words[1:]
    return _fault(document, (*where, *path), words, hint, key=field is not None)


def _fault(
    document: Document,
    where: DataPath,
    message: str,
    hint: str | None = None,
    *,
    key: bool = False,
) -> Diagnostic:
    place = locate(document.spans, where, key=key)
    return diagnostic("PF620", message, place, hint=hint)


def _lay_over(data: dict[str, Any], catalog: Sequence[str]) -> None:
    """Add folders of specs to our own clients."""
    for group in _CLIENTS:
        for client in data.get(group, {}).values():
            if catalog and client["path"].startswith(_OURS):
                provider = client.setdefault("config", {}).setdefault("instrument_provider", {})
                provider["catalog"] = [*provider.get("catalog", []), *catalog]


def _json(data: object) -> str:
    return json.dumps(data, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{value!r} has no form in JSON")
