"""A YAML document that remembers where everything stands.

A :class:`Node` is one value with its span and those of its keys; :class:`Locations` answers
"where is `("roll", "offset")`?" for a document, or for one laid over another by ``extends``.
Line numbers are counted from 0 here, as libyaml does, and from 1 in a
:class:`~pyfutures.diagnostics.Location`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pyfutures.diagnostics import Location

if TYPE_CHECKING:
    from pyfutures.specs.model import DataPath

__all__ = ["Data", "Document", "Locations", "Node", "locate"]

#: What YAML can hold; the schemas say what it is.
type Data = Any

#: Line, column, end line, end column, from 0.
type Marks = tuple[int, int, int, int]

#: What ends a line for libyaml, which counts them.
_LINE_END: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

#: What a scalar has below it; read-only, since all share it.
_NONE: Final[Any] = MappingProxyType({})


@dataclass(slots=True, eq=False)
class Node:
    """One value of a document.

    `children` are the values of a mapping by key or of a list by place, `keys` the spans of the
    keys of a mapping, `raw` the text of a scalar as it was written.
    """

    data: Any
    marks: Marks
    raw: str | None = None
    plain: bool = False
    children: dict[str | int, Node] = _NONE
    keys: dict[str | int, Marks] = _NONE

    def find(self, path: DataPath) -> Node | None:
        """Return the node at a path below this one, or None."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            node = node.children.get(step)
        return node


@dataclass(slots=True, eq=False)
class Document:
    """A file that was read: its text, its data and the tree of positions.

    `broken` are places whose data cannot be relied on, since a diagnostic about them was made.
    """

    path: str
    text: str
    root: Node
    broken: frozenset[DataPath] = frozenset()

    @property
    def data(self) -> dict[str, Any]:
        """The values of the document, a mapping at the top."""
        data: dict[str, Any] = self.root.data
        return data

    @property
    def spans(self) -> Locations:
        """Where each value and each key stands."""
        return Locations((self,))


@dataclass(frozen=True, slots=True, eq=False)
class Locations(Mapping["DataPath", Location]):
    """Where the values of one document stand, or of several laid one over the other.

    The first document wins, as in ``extends``: mappings are merged, all else is replaced.
    `own` are top-level keys that are never taken from the documents below.
    """

    documents: tuple[Document, ...]
    own: frozenset[str] = frozenset()

    def __getitem__(self, path: DataPath) -> Location:
        """Return the location of the value at a path.

        Raises
        ------
        KeyError
            If there is no such value.

        """
        document, node = self._find(path)
        return _location(document.path, node.marks)

    def __iter__(self) -> Iterator[DataPath]:
        """Yield the path of every value, the document itself (the empty path) first."""
        seen: dict[DataPath, None] = {}
        for document in self.documents:
            stack: list[tuple[DataPath, Node]] = [((), document.root)]
            while stack:
                path, node = stack.pop()
                if path in seen or path in self:
                    seen[path] = None
                    stack += [((*path, key), child) for key, child in node.children.items()]
        return iter(seen)

    def __len__(self) -> int:
        """Return how many values there are."""
        return sum(1 for _ in self)

    def __contains__(self, path: object) -> bool:
        """Whether there is a value at a path."""
        try:
            self._find(path)  # type: ignore[arg-type]
        except KeyError:
            return False
        return True

    def key(self, path: DataPath) -> Location:
        """Return the location of the key of a value; of the value itself in a list.

        Raises
        ------
        KeyError
            If there is no such value.

        """
        document, node = self._find(path)
        if path:
            parent = document.root.find(path[:-1])
            if parent is not None and path[-1] in parent.keys:
                return _location(document.path, parent.keys[path[-1]])
        return _location(document.path, node.marks)

    def own_keys(self, path: DataPath) -> frozenset[str | int]:
        """Return the keys that the first document itself has in a mapping."""
        node = self.documents[0].root.find(path)
        return frozenset(node.keys) if node else frozenset()

    def raw(self, path: DataPath) -> str | None:
        """Return a scalar as it was written, without its quotes; None if it is no scalar."""
        try:
            return self._find(path)[1].raw
        except KeyError:
            return None

    def is_plain(self, path: DataPath) -> bool:
        """Whether a scalar was written without quotes."""
        try:
            return self._find(path)[1].plain
        except KeyError:
            return False

    def is_flow(self, path: DataPath) -> bool:
        """Whether a list or a mapping was written in brackets."""
        try:
            return self._rest(path)[:1] in {"{", "["}
        except KeyError:
            return False

    def has_comment(self, path: DataPath) -> bool:
        """Whether a comment stands where the value would."""
        try:
            return self._rest(path, key=True).partition(":")[2].lstrip(" \t").startswith("#")
        except KeyError:
            return False

    def _rest(self, path: DataPath, *, key: bool = False) -> str:
        """Return the line of a value, or of its key, from there on."""
        document, _ = self._find(path)
        at = self.key(path) if key else self[path]
        line = _LINE_END.split(document.text)[at.line - 1]
        return line[at.column - 1 :]

    def _find(self, path: DataPath) -> tuple[Document, Node]:
        for depth, document in enumerate(self.documents):
            if depth and path and path[0] in self.own:
                break
            node: Node | None = document.root
            for step in path:
                if node is None:
                    break
                if not isinstance(node.data, dict) and step not in node.children:
                    # A scalar or a list hides all that the documents below have in its place.
                    raise KeyError(path)
                node = node.children.get(step)
            if node is not None:
                return document, node
        raise KeyError(path)


def locate(
    locations: Mapping[DataPath, Location], path: DataPath, *, key: bool = False
) -> Location | None:
    """Return the location of a value, or of the nearest thing around it that is written down.

    The top of a document is its first key: nobody wants a whole file underlined.
    """
    for end in range(len(path), 0, -1):
        part = path[:end]
        if part in locations:
            if (key or end < len(path)) and isinstance(locations, Locations):
                return locations.key(part)
            return locations[part]
    if isinstance(locations, Locations):
        return _top(locations)
    return locations.get(())


def _top(locations: Locations) -> Location:
    document = locations.documents[0]
    keys = document.root.keys
    for name in ("root", "calendar"):
        if name in keys:
            return _location(document.path, keys[name])
    if keys:
        return _location(document.path, next(iter(keys.values())))
    return Location(document.path, 1, 1, 1, 1)


def _location(path: str, marks: Marks) -> Location:
    line, column, end_line, end_column = marks
    return Location(path, line + 1, column + 1, end_line + 1, end_column + 1)
