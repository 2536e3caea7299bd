"""Layouts: what a message looks like on the wire, as a table read both ways.

Theory of operation. A `Layout` names a message class, its id and a row for each field in wire
order. A row says where the value lives in the object (`order.limit_price`), of which kind it is,
and from (`since`, inclusive) and up to (`before`, exclusive) which server version it is there.
Blocks are rows made of rows: `When` (only where another field says so), `Many` (a count, then that
many items), `Maybe` (a flag, then the item). `Layout.at(version)` leaves the rows of that version,
once; reading and writing then walk the same rows, so that what one end writes the other end reads.
A field that a version does not have keeps the default of its dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from pyfutures.ib.errors import EncodeError, MessageError
from pyfutures.ib.fields import INT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyfutures.ib.fields import Kind

__all__ = [
    "Bound",
    "Const",
    "Cursor",
    "Custom",
    "Field",
    "Layout",
    "Many",
    "Maybe",
    "Row",
    "Run",
    "Values",
    "When",
]

_LAST = 10_000  # above every server version


class Cursor:
    """Where the reading of a message stands."""

    __slots__ = ("at", "fields")

    def __init__(self, fields: list[str], at: int = 1) -> None:
        self.fields = fields
        self.at = at

    def take(self) -> str:
        """Return the next field."""
        at = self.at
        if at >= len(self.fields):
            raise MessageError(f"the message ends after {len(self.fields)} fields")
        self.at = at + 1
        return self.fields[at]

    def read[T](self, path: str, kind: Kind[T]) -> T:
        """Return the next field as a value; `path` names it in the error."""
        text = self.take()
        try:
            return kind.read(text)
        except (ValueError, ArithmeticError) as error:
            raise MessageError(
                f"field {self.at - 1} ({path}): `{text[:80]}` is no {kind.name}"
            ) from error

    def count(self, path: str) -> int:
        """Return the next field as a count of items, each of which has at least one field."""
        count = self.read(path, INT)
        if not 0 <= count <= len(self.fields) - self.at:
            raise MessageError(
                f"field {self.at - 1} ({path}): {count} items announced, "
                f"{len(self.fields) - self.at} fields left"
            )
        return count


class Row(Protocol):
    """One row of a layout, or a block of rows."""

    @property
    def since(self) -> int:
        """The first server version that has it."""

    @property
    def before(self) -> int:
        """The first server version that has it no more."""

    def bound(self, version: int) -> Row:
        """Return the row with only what `version` has of its inner rows."""

    def read(self, cursor: Cursor, values: dict[str, object]) -> None:
        """Put what comes next into `values`."""

    def write(self, message: object, fields: list[str]) -> None:
        """Append what `message` has at this place."""

    def paths(self) -> list[str]:
        """Return the paths of the values it reads."""


@dataclass(frozen=True, slots=True)
class Field[T]:
    """One value in one field."""

    path: str
    kind: Kind[T]
    since: int = 0
    before: int = _LAST
    _get: Callable[[object], T] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_get", attrgetter(self.path))

    def bound(self, version: int) -> Field[T]:  # noqa: ARG002
        """Return itself: there is nothing inside."""
        return self

    def read(self, cursor: Cursor, values: dict[str, object]) -> None:
        """Read the value."""
        values[self.path] = cursor.read(self.path, self.kind)

    def write(self, message: object, fields: list[str]) -> None:
        """Write the value."""
        value = self._get(message)
        try:
            fields.append(self.kind.write(value))
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise EncodeError(
                f"{type(message).__name__}.{self.path}: {value!r} is no {self.kind.name}: {error}"
            ) from error

    def paths(self) -> list[str]:
        """Return its own path."""
        return [self.path]


@dataclass(frozen=True, slots=True)
class Const:
    """A field without a value: the version of a message, or a slot that is no longer used."""

    text: str
    since: int = 0
    before: int = _LAST

    def bound(self, version: int) -> Const:  # noqa: ARG002
        """Return itself: there is nothing inside."""
        return self

    def read(self, cursor: Cursor, values: dict[str, object]) -> None:  # noqa: ARG002
        """Pass over the field, whatever it says."""
        cursor.take()

    def write(self, message: object, fields: list[str]) -> None:  # noqa: ARG002
        """Write the constant."""
        fields.append(self.text)

    def paths(self) -> list[str]:
        """Return nothing: it has no value."""
        return []


@dataclass(frozen=True, slots=True)
class Run:
    """A fixed number of texts in a row, kept as a tuple."""

    path: str
    length: int
    kind: Kind[str]
    since: int = 0
    before: int = _LAST

    def bound(self, version: int) -> Run:  # noqa: ARG002
        """Return itself: there is nothing inside."""
        return self

    def read(self, cursor: Cursor, values: dict[str, object]) -> None:
        """Read the texts."""
        values[self.path] = tuple(cursor.read(self.path, self.kind) for _ in range(self.length))

    def write(self, message: object, fields: list[str]) -> None:
        """Write the texts, or as many empty ones."""
        texts: tuple[str, ...] = attrgetter(self.path)(message) or ("",) * self.length
        if len(texts) != self.length:
            raise EncodeError(f"{self.path}: {len(texts)} texts, {self.length} go there")
        fields.extend(self.kind.write(text) for text in texts)

    def paths(self) -> list[str]:
        """Return its own path."""
        return [self.path]


@dataclass(frozen=True, slots=True)
class When:
    """Rows that are there only if the value at `path`, read before, passes the test."""

    path: str
    test: Callable[[object], object]
    rows: tuple[Row, ...]
    since: int = 0
    before: int = _LAST

    def bound(self, version: int) -> When:
        """Return the block with the rows of `version`."""
        return When(self.path, self.test, _bound(self.rows, version))

    def read(self, cursor: Cursor, values: dict[str, object]) -> None:
        """Read the rows if the test passes."""
        if self.test(values.get(self.path)):
            for row in self.rows:
                row.read(cursor, values)

    def write(self, message: object, fields: list[str]) -> None:
        """Write the rows if the test passes."""
        if self.test(attrgetter(self.path)(message)):
            for row in self.rows:
                row.write(message, fields)

    def paths(self) -> list[str]:
        """Return the paths of the rows."""
        return [path for row in self.rows for path in row.paths()]


@dataclass(frozen=True, slots=True)
class Many:
    """A count, then that many items: a tuple of `item` objects."""

    path: str
    item: Callable[..., object]
    rows: tuple[Row, ...]
    since: int = 0
    before: int = _LAST

    def bound(self, version: int) -> Many:
        """Return the block with the rows of `version`."""
        return Many(self.path, self.item, _bound(self.rows, version))

    def read(self, cursor: Cursor, values: dict[str, object]) -> None:
        """Read the items."""
        count = cursor.count(self.path)
        values[self.path] = tuple(_item(self.item, self.rows, cursor) for _ in range(count))

    def write(self, message: object, fields: list[str]) -> None:
        """Write the items."""
        items: tuple[object, ...] = attrgetter(self.path)(message)
        fields.append(str(len(items)))
        for item in items:
            for row in self.rows:
                row.write(item, fields)

    def paths(self) -> list[str]:
        """Return its own path."""
        return [self.path]


@dataclass(frozen=True, slots=True)
class Values[T]:
    """A count, then that many plain values: a tuple."""

    path: str
    kind: Kind[T]
    since: int = 0
    before: int = _LAST

    def bound(self, version: int) -> Values[T]:  # noqa: ARG002
        """Return itself: there is nothing inside."""
        return self

    def read(self, cursor: Cursor, values: dict[str, object]) -> None:
        """Read the values."""
        count = cursor.count(self.path)
        values[self.path] = tuple(cursor.read(self.path, self.kind) for _ in range(count))

    def write(self, message: object, fields: list[str]) -> None:
        """Write the values."""
        items: tuple[T, ...] = attrgetter(self.path)(message)
        fields.append(str(len(items)))
        fields.extend(self.kind.write(item) for item in items)

    def paths(self) -> list[str]:
        """Return its own path."""
        return [self.path]


@dataclass(frozen=True, slots=True)
class Maybe:
    """A flag, then an object if the flag is set, else None."""

    path: str
    item: Callable[..., object]
    rows: tuple[Row, ...]
    since: int = 0
    before: int = _LAST

    def bound(self, version: int) -> Maybe:
        """Return the block with the rows of `version`."""
        return Maybe(self.path, self.item, _bound(self.rows, version))

    def read(self, cursor: Cursor, values: dict[str, object]) -> None:
        """Read the flag and the object."""
        there = cursor.read(self.path, INT) != 0
        values[self.path] = _item(self.item, self.rows, cursor) if there else None

    def write(self, message: object, fields: list[str]) -> None:
        """Write the flag and the object."""
        item = attrgetter(self.path)(message)
        fields.append("0" if item is None else "1")
        if item is not None:
            for row in self.rows:
                row.write(item, fields)

    def paths(self) -> list[str]:
        """Return its own path."""
        return [self.path]


@dataclass(frozen=True, slots=True)
class Custom:
    """A value with a form of its own."""

    path: str
    reader: Callable[[Cursor], object]
    writer: Callable[[object, list[str]], None]
    since: int = 0
    before: int = _LAST

    def bound(self, version: int) -> Custom:  # noqa: ARG002
        """Return itself: there is nothing inside."""
        return self

    def read(self, cursor: Cursor, values: dict[str, object]) -> None:
        """Read the value."""
        values[self.path] = self.reader(cursor)

    def write(self, message: object, fields: list[str]) -> None:
        """Write the value."""
        self.writer(attrgetter(self.path)(message), fields)

    def paths(self) -> list[str]:
        """Return its own path."""
        return [self.path]


def _bound(rows: tuple[Row, ...], version: int) -> tuple[Row, ...]:
    return tuple(row.bound(version) for row in rows if row.since <= version < row.before)


def _item(item: Callable[..., object], rows: tuple[Row, ...], cursor: Cursor) -> object:
    values: dict[str, object] = {}
    for row in rows:
        row.read(cursor, values)
    return item(**values)


@dataclass(frozen=True, slots=True)
class Bound[M]:
    """A layout at one server version."""

    cls: type[M]
    id: str
    rows: tuple[Row, ...]
    parts: Mapping[str, Callable[..., object]]

    def read(self, fields: list[str]) -> M:
        """Return the message of these fields, the id first; fields beyond the layout are let be.

        Raises
        ------
        MessageError
            For fields that are missing or of the wrong kind.

        """
        cursor = Cursor(fields)
        values: dict[str, object] = {}
        for row in self.rows:
            row.read(cursor, values)
        if self.parts:
            values = self._assemble(values)
        return self.cls(**values)

    def _assemble(self, values: dict[str, object]) -> dict[str, object]:
        whole: dict[str, object] = {}
        inner: dict[str, dict[str, object]] = {part: {} for part in self.parts}
        for path, value in values.items():
            part, dot, name = path.partition(".")
            if dot:
                inner[part][name] = value
            else:
                whole[path] = value
        return whole | {part: self.parts[part](**inside) for part, inside in inner.items()}

    def write(self, message: M) -> list[str]:
        """Return the fields of the message, its id first.

        Raises
        ------
        EncodeError
            For a value that cannot be said.

        """
        fields = [self.id]
        try:
            for row in self.rows:
                row.write(message, fields)
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise EncodeError(f"{self.cls.__name__}: {error}") from error
        return fields


@dataclass(frozen=True, slots=True, eq=False)
class Layout[M]:
    """The layout of a message class at all server versions.

    Parameters
    ----------
    cls
        The message class; one field of it for each path without a dot, one for each part.
    id
        The number that opens the message.
    rows
        The fields behind the number.
    parts
        The classes of the objects inside: ``{"contract": Contract}`` for paths `contract.…`.
    since
        The first server version that has the message at all.

    """

    cls: type[M]
    id: int
    rows: tuple[Row, ...]
    parts: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    since: int = 0

    def at(self, version: int) -> Bound[M]:
        """Return the layout at a server version."""
        return Bound(self.cls, str(self.id), _bound(self.rows, version), self.parts)
