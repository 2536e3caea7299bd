"""Fields of messages as faults name them: whether they exist, and what they can be.

A field is named by its path, dotted where it is nested (`contract.symbol`). A fault that names one
that there is not would wait for ever or fail when it should happen; so it is refused when it is
made.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin, get_type_hints

from pyfutures.specs.words import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FaultError", "as_field", "changed", "value_at"]

_SCALARS: Final = (bool, int, float, Decimal, str)


class FaultError(ValueError):
    """A fault that cannot be: an unknown action, message, field or value.

    Attributes
    ----------
    place
        Where in the fault: the keys that lead there.

    """

    def __init__(self, message: str, place: tuple[str, ...] = ()) -> None:
        self.place = place
        super().__init__(message)


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    """Return the types of a message's fields."""
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def _types(hint: object) -> tuple[object, ...]:
    """Return what a value may be: the parts of a union, or the one type."""
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)


@cache
def _paths(kind: type) -> frozenset[str]:
    """Return all fields of a message, with those of its parts."""
    found = set()
    for name, hint in _hints(kind).items():
        found.add(name)
        for part in _types(hint):
            if isinstance(part, type) and is_dataclass(part):
                found |= {f"{name}.{path}" for path in _paths(part)}
    return frozenset(found)


def _hint(kind: type, path: str) -> object:
    """Return the type of a field.

    Raises
    ------
    FaultError
        If there is none.

    """
    if path not in _paths(kind):
        hint = suggestion(path, _paths(kind), "its fields are")
        raise FaultError(f"`{path}` is no field of {kind.__name__}: {hint}")
    head, _, rest = path.partition(".")
    found = _hints(kind)[head]
    if not rest:
        return found
    (part,) = (one for one in _types(found) if isinstance(one, type) and is_dataclass(one))
    return _hint(part, rest)


def as_field(kind: type, path: str, value: object) -> object:
    """Return a value of a script as a field of a message has it.

    Raises
    ------
    FaultError
        For a field that there is not, and a value that it cannot have.

    """
    kinds = _types(_hint(kind, path))
    scalar = next((one for one in _SCALARS if any(_is(hint, one) for hint in kinds)), None)
    if value is None:
        if NoneType in kinds:
            return None
        raise FaultError(f"`{path}` of {kind.__name__} is never nothing")
    if scalar is None:
        part = next((one for one in kinds if isinstance(one, type) and is_dataclass(one)), None)
        if part is not None and not isinstance(value, part):
            raise FaultError(
                f"`{path}` of {kind.__name__} is a {part.__name__}: name one of its fields, as in "
                f"`{path}.{min(_hints(part))}`"
            )
        return _as_list(kind, path, value) if part is None else value
    try:
        return _cast(scalar, value)
    except (ValueError, InvalidOperation):
        raise FaultError(
            f"`{path}` of {kind.__name__} cannot be `{value}`: it is {_WORDS[scalar]}"
        ) from None


def _as_list(kind: type, path: str, value: object) -> tuple[object, ...]:
    """Return a value of a field with many: texts from a script, or what Python code made."""
    if isinstance(value, tuple):
        return value
    (hint,) = _types(_hint(kind, path))
    if get_args(hint)[:1] == (str,) and isinstance(value, list):
        return tuple(str(one) for one in value)
    what = "a list of texts" if get_args(hint)[:1] == (str,) else "no single value"
    raise FaultError(f"`{path}` of {kind.__name__} cannot be `{value}`: it is {what}")


_WORDS: Final = {
    bool: "true or false", int: "a whole number", float: "a number", Decimal: "a number",
    str: "a text",
}  # fmt: skip


def _is(hint: object, scalar: type) -> bool:
    if not isinstance(hint, type):
        return False
    # A flag is an integer to Python, not to those who write scripts.
    return issubclass(hint, scalar) and (scalar is bool or not issubclass(hint, bool))


def _cast(scalar: type, value: object) -> object:
    if scalar is bool:
        if value in {True, False}:
            return bool(value)
        raise ValueError
    if isinstance(value, dict | list | tuple) or (isinstance(value, bool) and scalar is not str):
        raise ValueError
    if scalar is int and isinstance(value, float) and value.is_integer():
        return int(value)
    return scalar(str(value))


def value_at(message: object, path: str) -> object:
    """Return what a message has in a field; None where a part of the path is nothing."""
    for name in path.split("."):
        message = getattr(message, name, None)
    return message


def changed[T](message: T, values: Mapping[str, object]) -> T:
    """Return a message with other values, by path; a part that is nothing stays so."""
    for path, value in values.items():
        head, _, rest = path.partition(".")
        old = getattr(message, head)
        new = changed(old, {rest: value}) if rest and old is not None else old if rest else value
        message = replace(message, **{head: new})  # type: ignore[type-var]
    return message
