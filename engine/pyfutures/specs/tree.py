"""The parser's events as a tree of nodes, each with its place.

Built in one loop without recursion, so that depth is a number to check and not a stack to overflow.
What makes two readers see two different things is told and left out: duplicate keys, anchors,
aliases, tags, directives, several documents.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

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
from pyfutures.diagnostics import Location
from pyfutures.specs.positions import Node
from pyfutures.specs.words import flow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.model import DataPath
    from pyfutures.specs.positions import Marks

__all__ = ["MAX_DEPTH", "StopError", "Tree", "scalar"]

#: Mappings and lists inside one another.
MAX_DEPTH: Final = 24

# PyYAML has no types for its events.
type Event = Any

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


class StopError(Exception):
    """The rest of the text is not worth reading; the reason is already told."""


class _Open:
    """A mapping or a list that has begun, and in a mapping the key that waits for its value."""

    __slots__ = ("is_mapping", "key", "key_marks", "node", "path")

    def __init__(self, node: Node, path: DataPath, *, is_mapping: bool) -> None:
        self.node = node
        self.path = path
        self.is_mapping = is_mapping
        self.key: str | None = None
        self.key_marks: Marks | None = None

    def hang(self, node: Node) -> DataPath:
        """Hang a node in here and return its path from here."""
        parent = self.node
        if not self.is_mapping:
            place = len(parent.data)
            parent.data.append(node.data)
            parent.children[place] = node
            return (place,)
        name = self.key or ""
        self.key = None
        if parent.keys.get(name) is not self.key_marks:
            # The second of two equal keys: read for the faults of its text, but part of nothing.
            return (name, "")
        parent.data[name] = node.data
        parent.children[name] = node
        return (name,)


class Tree:
    """The nodes of one text.

    Attributes
    ----------
    root
        The node at the top; None for a text without any.
    found
        What is wrong with the text.
    broken
        Places whose data cannot be relied on, since something was found there.

    """

    def __init__(self, path: str) -> None:
        """Start with nothing; `path` is how diagnostics name the file."""
        self.root: Node | None = None
        self.found: list[Diagnostic] = []
        self.broken: set[DataPath] = set()
        self._path = path
        self._stack: list[_Open] = []

    def grow(self, events: Iterable[Event]) -> None:
        """Take in the events of a text.

        Raises
        ------
        StopError
            If the rest of the text is not worth reading.

        """
        documents = 0
        for event in events:
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self._open(event, is_mapping=kind is MappingStartEvent)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = self._stack.pop().node
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
            raise StopError
        if event.version or event.tags:
            hint = "remove the line that starts with `%`"
            self._tell("PF011", "YAML directives are not allowed", _marks(event), hint=hint)

    def _scalar(self, event: Event) -> None:
        raw: str = event.value
        marks = _marks(event)
        is_bare = event.anchor is None and event.tag is None
        above = self._stack[-1] if self._stack else None
        if above is not None and above.is_mapping and above.key is None:
            self._key(above, raw, marks)
            if not is_bare:
                self._check_properties(event, marks)
            return
        plain = not event.style
        node = Node(scalar(raw) if plain and event.tag is None else raw, marks, raw, plain)
        if above is None:
            self.root = node
        step = above.hang(node) if above is not None else ()
        if not is_bare:
            self._check_properties(event, marks, (*above.path, *step) if above is not None else ())

    def _open(self, event: Event, *, is_mapping: bool) -> None:
        marks = _marks(event)
        if self._key_is_next():
            message = "a key is plain text, not a list or a mapping"
            hint = "quote the value if it starts with `[` or `{`"
            self._tell("PF016", message, marks, hint=hint)
            raise StopError
        if len(self._stack) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} lists and mappings inside one another"
            self._tell("PF015", message, marks)
            raise StopError
        node = Node({} if is_mapping else [], marks, children={}, keys={})
        path = self._hang(node)
        self._check_properties(event, marks, path)
        self._stack.append(_Open(node, path, is_mapping=is_mapping))

    def _alias(self, event: Event) -> None:
        marks = _marks(event)
        message = f"aliases are not allowed: `*{event.anchor}`"
        self._tell("PF010", message, marks, hint="write the value out where it is used")
        if self._key_is_next():
            raise StopError
        self.broken.add(self._hang(Node(None, marks)))

    def _key_is_next(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_mapping and self._stack[-1].key is None

    def _hang(self, node: Node) -> DataPath:
        """Hang a node into what is open and return its path."""
        if not self._stack:
            self.root = node
            return ()
        above = self._stack[-1]
        return (*above.path, *above.hang(node))

    def _key(self, above: _Open, name: str, marks: Marks) -> None:
        above.key, above.key_marks = name, marks
        keys = above.node.keys
        if name not in keys:
            keys[name] = marks
            return
        if above.node.data.get(name) is None:
            # It is the second that has the value: nobody is to be told that the first has none.
            self.broken.add((*above.path, name))
        self.found.append(
            diagnostic(
                "PF009",
                f"the key `{flow(name)}` is there twice",
                self._location(marks),
                hint="keep one of the two",
                related=((self._location(keys[name]), "it is first here"),),
            )
        )

    def _check_properties(self, event: Event, marks: Marks, path: DataPath | None = None) -> None:
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

    def _tell(self, code: str, message: str, marks: Marks, *, hint: str | None = None) -> None:
        self.found.append(diagnostic(code, message, self._location(marks), hint=hint))

    def _location(self, marks: Marks) -> Location:
        line, column, end_line, end_column = marks
        return Location(self._path, line + 1, column + 1, end_line + 1, end_column + 1)


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


def _marks(event: Event) -> Marks:
    start, end = event.start_mark, event.end_mark
    return (start.line, start.column, end.line, end.column)


def _first_line(marks: Marks) -> Marks:
    line, column, end_line, end_column = marks
    return marks if line == end_line else (line, column, line, max(end_column, column + 1))


def _short_tag(tag: str) -> str:
    return "!!" + tag.removeprefix("tag:yaml.org,2002:") if tag.startswith("tag:yaml") else tag
