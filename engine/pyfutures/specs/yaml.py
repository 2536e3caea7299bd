"""YAML text to data with positions, or diagnostics: never a traceback.

The types are those of YAML 1.2: ``05``, ``NO``, ``on``, ``15:30`` and ``2026-01-15`` stay text,
and a number with a fraction is a ``Decimal``. Keys are always text. What makes two readers see two
different things is refused: duplicate keys, anchors, aliases, tags, directives, several documents.

The tree is built from the parser's events in one loop without recursion, so that depth is a number
to check and not a stack to overflow.
"""

from __future__ import annotations

import re
import stat
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import yaml as pyyaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from pyfutures.codes import diagnostic
from pyfutures.diagnostics import Diagnostic, Edit, Location
from pyfutures.specs.positions import Document, Marks, Node
from pyfutures.specs.text_faults import at_index, not_utf8, syntax, too_large
from pyfutures.specs.words import flow, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyfutures.specs.model import DataPath

__all__ = ["MAX_BYTES", "MAX_DEPTH", "load", "read"]

#: No spec comes near this; a file beyond it is not a spec.
MAX_BYTES: Final = 256 * 1024
#: Mappings and lists inside one another.
MAX_DEPTH: Final = 24

# PyYAML has no types for its events.
type Event = Any

_LOADER: Final[Any] = getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)

# Longer digit strings are no number anybody means, and stay text for the schema to refuse.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,2})?")
_EXPONENT = re.compile(r"[-+]?[0-9]{1,18}[eE][-+]?[0-9]{1,2}")
#: A number with more digits stays as it was written: it is no fact of a contract.
_DIGITS: Final = 20
_CONSTANTS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_START: Final = frozenset("0123456789+-.")

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


def load(content: bytes | str, path: str) -> tuple[Document | None, list[Diagnostic]]:  # noqa: C901 - a row a fault
    """Return the document of a text, or None, and every diagnostic about the text.

    Errors that leave the rest of the text readable (a duplicate key, an anchor) come with a
    document whose `broken` places are not to be looked at.
    """
    if len(content) > MAX_BYTES:
        return None, [too_large(path, len(content), MAX_BYTES)]
    found: list[Diagnostic] = []
    if isinstance(content, bytes):
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            return None, [not_utf8(content, error, path)]
    else:
        text = content
    if text.startswith(_BOM):
        message = "the file starts with a byte order mark"
        hint = "save it as UTF-8 without a byte order mark (BOM)"
        at = Location(path, 1, 1, 1, 1)
        found.append(diagnostic("PF004", message, at, hint=hint, fix=Edit(at, "")))
        text = text[1:]
    if control := _CONTROL.search(text):
        message = f"the character U+{ord(control[0]):04X} is not allowed in YAML"
        at = at_index(path, text, control.start())
        hint = "remove it" if control[0] != "\0" else "is this a text file? remove the character"
        return None, [*found, diagnostic("PF006", message, at, hint=hint)]
    if turning := _TURNING.search(text):
        message = f"the invisible character U+{ord(turning[0]):04X} changes the order of the text"
        at = at_index(path, text, turning.start())
        return None, [*found, diagnostic("PF006", message, at, hint="remove it")]
    builder = _Builder(path)
    try:
        builder.run(_events(text))
    except pyyaml.YAMLError as error:
        return None, [*found, *builder.found, syntax(error, text, path)]
    except _StopError:
        return None, [*found, *builder.found]
    root = builder.root
    if root is None or (root.data is None and not root.raw):
        message = "the file is empty"
        hint = "start with `schema: 1`, `root:` and `name:`, or delete the file"
        empty = diagnostic("PF013", message, Location(path, 1, 1, 1, 1), hint=hint)
        return None, [*found, *builder.found, empty]
    if not isinstance(root.data, dict):
        message = f"a spec is a mapping of keys to values, not {describe(root.data)}"
        line, column, end_line, end_column = root.marks
        at = Location(path, line + 1, column + 1, end_line + 1, end_column + 1)
        hint = "write `key: value` lines; a space follows the colon"
        return None, [*found, *builder.found, diagnostic("PF014", message, at, hint=hint)]
    document = Document(path, text, root, frozenset(builder.broken))
    return document, [*found, *builder.found]


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


def scalar(text: str) -> object:
    """Return the value of an unquoted scalar by the core types of YAML 1.2."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in _NUMBER_START:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text) or _EXPONENT.fullmatch(text):
            return _exact(Decimal(text))
    return text


def _exact(number: Decimal) -> int | Decimal:
    """An integer if the number is one, as in JSON Schema, where 5.0 and 5 are the same."""
    if abs(number.adjusted()) < _DIGITS and number == number.to_integral_value():
        return int(number)
    return number


def _events(text: str) -> Iterator[Event]:
    loader = _LOADER(text)
    try:
        # `yaml.parse` asks twice for each event: whether there is one, and for it.
        yield from iter(loader.get_event, None)
    finally:
        loader.dispose()


class _StopError(Exception):
    """The rest of the text is not worth reading; the reason is already told."""


class _Builder:
    """Builds the tree of nodes from the events of one text."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.root: Node | None = None
        self.found: list[Diagnostic] = []
        self.broken: set[DataPath] = set()
        # Open collections: the node, its path, and in a mapping the key that waits for its value.
        self._stack: list[tuple[Node, DataPath]] = []
        self._waiting: list[tuple[str, Marks] | None] = []

    def run(self, events: Iterator[Event]) -> None:
        documents = 0
        for event in events:
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self._open(event, mapping=kind is MappingStartEvent)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node, _ = self._stack.pop()
                self._waiting.pop()
                mark = event.end_mark
                node.marks = (node.marks[0], node.marks[1], mark.line, mark.column)
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentStartEvent:
                documents += 1
                self._document(event, documents)

    def _document(self, event: Event, count: int) -> None:
        if count > 1:
            message = "a second document starts here; a file has one spec"
            hint = "remove the `---`, or move what follows it to a file of its own"
            self._tell("PF012", message, _marks(event), hint=hint)
            raise _StopError
        if event.version or event.tags:
            hint = "remove the line that starts with `%`"
            self._tell("PF011", "YAML directives are not allowed", _marks(event), hint=hint)

    def _scalar(self, event: Event) -> None:
        raw: str = event.value
        marks = _marks(event)
        bare = event.anchor is None and event.tag is None
        if self._stack and self._waiting[-1] is None and type(self._stack[-1][0].data) is dict:
            self._key(raw, marks)
            if not bare:
                self._check_properties(event, marks)
            return
        plain = not event.style
        value = scalar(raw) if plain and event.tag is None else raw
        path = self._attach(Node(value, marks, raw, plain))
        if not bare:
            self._check_properties(event, marks, path)

    def _open(self, event: Event, *, mapping: bool) -> None:
        marks = _marks(event)
        self._refuse_as_key(marks)
        if len(self._stack) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} lists and mappings inside one another"
            self._tell("PF015", message, marks)
            raise _StopError
        node = Node({} if mapping else [], marks, children={}, keys={})
        path = self._attach(node)
        self._check_properties(event, marks, path)
        self._stack.append((node, path))
        self._waiting.append(None)

    def _alias(self, event: Event) -> None:
        marks = _marks(event)
        message = f"aliases are not allowed: `*{event.anchor}`"
        self._tell("PF010", message, marks, hint="write the value out where it is used")
        if self._stack and self._waiting[-1] is None and type(self._stack[-1][0].data) is dict:
            raise _StopError
        self.broken.add(self._attach(Node(None, marks)))

    def _refuse_as_key(self, marks: Marks) -> None:
        if self._stack and self._waiting[-1] is None and type(self._stack[-1][0].data) is dict:
            message = "a key is plain text, not a list or a mapping"
            hint = "quote the value if it starts with `[` or `{`"
            self._tell("PF016", message, marks, hint=hint)
            raise _StopError

    def _check_properties(
        self,
        event: Event,
        marks: Marks,
        path: DataPath | None = None,
    ) -> None:
        """Refuse an anchor or a tag; a value with a tag cannot be relied on."""
        if event.anchor is not None:
            message = f"anchors are not allowed: `&{event.anchor}`"
            hint = "write the value out where it is used; `extends` shares the facts of a root"
            self._tell("PF010", message, _first_line(marks), hint=hint)
        if event.tag is not None:
            message = f"tags are not allowed: `{_short_tag(event.tag)}`"
            hint = "remove it; quote a value that is text"
            self._tell("PF011", message, _first_line(marks), hint=hint)
            if path is not None:
                self.broken.add(path)

    def _key(self, name: str, marks: Marks) -> None:
        node, _ = self._stack[-1]
        self._waiting[-1] = (name, marks)
        if name not in node.keys:
            node.keys[name] = marks
            return
        first = self._location(node.keys[name])
        self.found.append(
            diagnostic(
                "PF009",
                f"the key `{flow(name)}` is there twice",
                self._location(marks),
                hint="keep one of the two",
                related=((first, "it is first here"),),
            )
        )

    def _attach(self, node: Node) -> DataPath:
        """Hang a node into the open collection and return its path."""
        if not self._stack:
            self.root = node
            return ()
        parent, path = self._stack[-1]
        data = parent.data
        if type(data) is list:
            place = len(data)
            data.append(node.data)
            parent.children[place] = node
            return (*path, place)
        name, marks = self._waiting[-1] or ("", node.marks)
        self._waiting[-1] = None
        if parent.keys.get(name) is not marks:
            # The second of two equal keys: read for the faults of its text, but part of nothing.
            return (*path, name, "")
        data[name] = node.data
        parent.children[name] = node
        return (*path, name)

    def _tell(self, code: str, message: str, marks: Marks, *, hint: str | None = None) -> None:
        self.found.append(diagnostic(code, message, self._location(marks), hint=hint))

    def _location(self, marks: Marks) -> Location:
        line, column, end_line, end_column = marks
        return Location(self.path, line + 1, column + 1, end_line + 1, end_column + 1)


def _marks(event: Event) -> Marks:
    start, end = event.start_mark, event.end_mark
    return (start.line, start.column, end.line, end.column)


def _first_line(marks: Marks) -> Marks:
    line, column, end_line, end_column = marks
    return marks if line == end_line else (line, column, line, max(end_column, column + 1))


def _short_tag(tag: str) -> str:
    return "!!" + tag.removeprefix("tag:yaml.org,2002:") if tag.startswith("tag:yaml") else tag
