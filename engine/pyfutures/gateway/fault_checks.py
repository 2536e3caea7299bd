"""What a fault says, checked when it is made: its messages, its actions and what these take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyfutures.gateway.fault_actions import ACTIONS, PARTS
from pyfutures.gateway.fault_fields import FaultError, as_field
from pyfutures.gateway.fault_values import Given, duration
from pyfutures.ib import messages as m
from pyfutures.specs.words import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable

    type Do = str | Mapping[str, Any] | Iterable[str | Mapping[str, Any]]

__all__ = [
    "FATES",
    "Action",
    "actions_of",
    "check_by_themselves",
    "check_on_messages",
    "compared",
    "cut_after",
    "kinds_of",
]

FATES: Final = {"drop", "delay", "duplicate", "set", "hold_until", "cut"}
_OF_RESPONSES: Final = {"set", "hold_until"}
_MESSAGES: Final = frozenset(
    name
    for name in m.__all__
    if isinstance(getattr(m, name), type) and issubclass(getattr(m, name), m.Message)
)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a fault does."""

    name: str
    value: Any = None


def actions_of(do: Do) -> tuple[Action, ...]:
    """Return the actions of a `do`: a name, a mapping of names to values, or a list of these.

    Raises
    ------
    FaultError
        For a name that is none.

    """
    if isinstance(do, str):
        actions = [Action(do)]
    elif hasattr(do, "items"):
        actions = [Action(name, value) for name, value in do.items()]
    else:
        actions = [action for part in do for action in actions_of(part)]
    for action in actions:
        known = FATES | set(ACTIONS)
        if action.name not in known:
            hint = suggestion(action.name, known, "there are")
            raise FaultError(f"`{action.name}` is nothing that a fault can do: {hint}", ("do",))
        parts = PARTS.get(action.name)
        for part in action.value if parts is not None and isinstance(action.value, Mapping) else ():
            if part not in (parts or ()):
                hint = suggestion(part, parts or (), "it takes")
                raise FaultError(
                    f"`{action.name}` takes no `{part}`: {hint}", ("do", action.name, part)
                )
    return tuple(actions)


def check_on_messages(actions: Iterable[Action], kinds: Iterable[type]) -> None:
    """Check what happens to messages of these kinds.

    Raises
    ------
    FaultError
        For what cannot happen to them, a field that they do not have, and an impossible value.

    """
    for action in actions:
        name, value = action.name, action.value
        for kind in kinds:
            # To set nothing is to count what comes.
            if name in _OF_RESPONSES and value != {} and not issubclass(kind, m.Response):
                raise FaultError(
                    f"`{name}` happens to responses, and {kind.__name__} is a request", ("do", name)
                )
            if name == "set":
                _check_set(kind, value)
        try:
            if name == "hold_until":
                kinds_of(value)
            elif name == "delay":
                duration(value)
            elif name == "duplicate":
                int(2 if value is None else value)
            elif name == "cut":
                cut_after(value)
        except (TypeError, ValueError) as error:
            raise FaultError(f"`{name}`: {error}", ("do", name)) from None


def _check_set(kind: type, values: object) -> None:
    if not isinstance(values, Mapping):
        raise FaultError("`set` takes fields and their values: {perm_id: 0}", ("do", "set"))
    for path, value in values.items():
        try:
            as_field(kind, path, value)
        except FaultError as error:
            raise FaultError(str(error), ("do", "set", path)) from None


def check_by_themselves(actions: Iterable[Action]) -> None:
    """Check what happens at an instant, when there is no message at hand.

    Raises
    ------
    FaultError
        For what happens to messages only.

    """
    for action in actions:
        if action.name not in ACTIONS:
            raise FaultError(
                f"`{action.name}` happens to messages only: give it to `when`", ("do", action.name)
            )


def compared(kinds: frozenset[type], where: Mapping[str, object]) -> dict[type, dict[str, object]]:
    """Return for each kind of message the values by which it is chosen.

    Raises
    ------
    FaultError
        For a field that a kind does not have, and a value that it cannot have.

    """
    chosen: dict[type, dict[str, object]] = {}
    for kind in sorted(kinds, key=lambda kind: kind.__name__):
        chosen[kind] = {}
        for path, value in where.items():
            try:
                chosen[kind][path] = as_field(kind, path, value)
            except FaultError as error:
                raise FaultError(str(error), ("when", "where", path)) from None
    return chosen


def kinds_of(names: str | type | Iterable[str | type] | None) -> frozenset[type]:
    """Return the classes of messages by name, e.g. `OrderStatus`.

    Raises
    ------
    FaultError
        For a name that is no message.

    """
    if names is None:
        return frozenset()
    if isinstance(names, str | type):
        names = [names]
    found = set()
    for name in names:
        kind = name if isinstance(name, type) else getattr(m, name, None)
        if not (isinstance(kind, type) and issubclass(kind, m.Message)):
            hint = suggestion(str(name), _MESSAGES, "there are")
            raise FaultError(f"`{name}` is no message of pyfutures.ib.messages: {hint}", ("when",))
        found.add(kind)
    return frozenset(found)


def cut_after(value: object) -> int:
    """Return after how many bytes a connection is cut.

    Raises
    ------
    ValueError
        If that is no number.

    """
    return Given(value).integer("after", 0)
