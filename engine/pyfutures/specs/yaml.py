"""YAML text to data with positions, or diagnostics: never a traceback.

The types are those of YAML 1.2: ``05``, ``NO``, ``on``, ``15:30`` and ``2026-01-15`` stay text,
and a number with a fraction is a ``Decimal``. Keys are always text. What makes two readers see two
different things is refused: duplicate keys, anchors, aliases, tags, directives, several documents.
"""

from __future__ import annotations

import re
import stat
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import yaml as pyyaml

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Diagnostic, Edit, Location
from pyfutures.specs.positions import Document, Node
from pyfutures.specs.text_faults import at_index, not_utf8, syntax, too_large
from pyfutures.specs.tree import StopError, Tree
from pyfutures.specs.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MAX_BYTES", "load", "read"]

#: No spec comes near this; a file beyond it is not a spec.
MAX_BYTES: Final = 256 * 1024

# PyYAML has no types for its events.
type Event = Any

_LOADER: Final[Any] = getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)

# What YAML does not call printable, and what ends a line in YAML 1.1 and not in 1.2; a byte order
# mark is looked at apart.
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
# They change the order in which an editor shows a line: what is read is not what is seen.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BOM: Final = "\ufeff"


def read(path: Path, name: str | None = None) -> tuple[Document | None, list[Diagnostic]]:
    """Return the document in a file, or None, and every diagnostic about its text.

    Parameters
    ----------
    path
        The file.
    name
        How diagnostics name it; the path itself by default.

    """
    name = str(path) if name is None else name
    try:
        known = path.stat()
        if not (stat.S_ISREG(known.st_mode) or stat.S_ISDIR(known.st_mode)):
            # Reading a pipe waits for whoever writes to it, and a device may never end.
            at = Location(name, 1, 1, 1, 1)
            message = "the file cannot be read: it is a pipe or a device"
            return None, [diagnostic("PF001", message, at, hint="save the text as a file")]
        if known.st_size > MAX_BYTES:
            return None, [too_large(name, known.st_size, MAX_BYTES)]
        content = path.read_bytes()
    except OSError as error:
        words = (error.strerror or type(error).__name__).lower()
        at = Location(name, 1, 1, 1, 1)
        return None, [diagnostic("PF001", f"the file cannot be read: {words}", at)]
    except ValueError:
        # A path with a NUL byte is refused before the file system is asked.
        at = Location(name, 1, 1, 1, 1)
        return None, [diagnostic("PF001", "the file cannot be read: it has no valid name", at)]
    return load(content, name)


def load(content: bytes | str, path: str) -> tuple[Document | None, list[Diagnostic]]:
    """Return the document of a text, or None, and every diagnostic about the text.

    Errors that leave the rest of the text readable (a duplicate key, an anchor) come with a
    document whose `broken` places are not to be looked at.
    """
    if len(content) > MAX_BYTES:
        return None, [too_large(path, len(content), MAX_BYTES)]
    found: list[Diagnostic] = []
    text = content if isinstance(content, str) else ""
    if isinstance(content, bytes):
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            return None, [not_utf8(content, error, path)]
    if text.startswith(_BOM):
        message = "the file starts with a byte order mark"
        hint = "save it as UTF-8 without a byte order mark (BOM)"
        at = Location(path, 1, 1, 1, 1)
        found.append(diagnostic("PF004", message, at, hint=hint, fix=Edit(at, "")))
        text = text[1:]
    if odd := _odd_character(text, path):
        return None, [*found, odd]
    tree = Tree(path)
    try:
        tree.grow(_events(text))
    except pyyaml.YAMLError as error:
        return None, [*found, *tree.found, syntax(error, text, path)]
    except StopError:
        return None, [*found, *tree.found]
    found += tree.found
    root = tree.root
    if root is None or not isinstance(root.data, dict):
        return None, [*found, _no_mapping(root, path)]
    return Document(path, text, root, frozenset(tree.broken)), found


def _odd_character(text: str, path: str) -> Diagnostic | None:
    """Return the diagnostic of the first character that no spec may have, or None."""
    if control := _CONTROL.search(text):
        message = f"the character U+{ord(control[0]):04X} is not allowed in YAML"
        at = at_index(path, text, control.start())
        hint = "remove it" if control[0] != "\0" else "is this a text file? remove the character"
        return diagnostic("PF006", message, at, hint=hint)
    if turning := _TURNING.search(text):
        message = f"the invisible character U+{ord(turning[0]):04X} changes the order of the text"
        return diagnostic("PF006", message, at_index(path, text, turning.start()), hint="remove it")
    return None


def _no_mapping(root: Node | None, path: str) -> Diagnostic:
    """Return the diagnostic of a text that is empty, or something else than keys and values."""
    if root is None or (root.data is None and not root.raw):
        hint = "start with `schema: 1`, `root:` and `name:`, or delete the file"
        at = Location(path, 1, 1, 1, 1)
        return diagnostic("PF013", "the file is empty", at, hint=hint)
    message = f"a spec is a mapping of keys to values, not {describe(root.data)}"
    line, column, end_line, end_column = root.marks
    at = Location(path, line + 1, column + 1, end_line + 1, end_column + 1)
    hint = "write `key: value` lines; a space follows the colon"
    return diagnostic("PF014", message, at, hint=hint)


def describe(value: object) -> str:
    """Return what a value is in the words of a spec author."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | Decimal():
            return f"the number `{value}`"
        case str():
            return f"the text `{shown(value, 40)}`"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _events(text: str) -> Iterator[Event]:
    loader = _LOADER(text)
    try:
        # `yaml.parse` asks twice for each event: whether there is one, and for it.
        yield from iter(loader.get_event, None)
    finally:
        loader.dispose()
