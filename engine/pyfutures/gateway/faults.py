"""Faults on demand: what goes wrong, when, and how often.

A fault waits for a request or a response that it is about (`when`), or for an instant (`at`), and
then does something (`do`). Actions on a message change its fate: it is lost, late, said twice, said
with other values, held until something else has been said. All other actions happen to a client or
to the gateway as a whole; they are in `fault_actions`, by the names that scripts use.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.clock import seconds
from pyfutures.gateway.fault_actions import ACTIONS, Scene
from pyfutures.gateway.fault_checks import (
    Action,
    actions_of,
    check_by_themselves,
    check_on_messages,
    compared,
    cut_after,
    kinds_of,
)
from pyfutures.gateway.fault_fields import FaultError, as_field, changed, value_at
from pyfutures.gateway.fault_values import Given, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyfutures.gateway.core import Gateway
    from pyfutures.gateway.fault_checks import Do
    from pyfutures.gateway.orders import Working
    from pyfutures.gateway.session import Session
    from pyfutures.ib import messages as m
    from pyfutures.ib.messages.base import Request, Response

__all__ = ["Fault", "FaultError", "Faults"]

_log = logging.getLogger(__name__)

#: Actions on a request after which nobody answers it.
_SWALLOWS: Final = {"drop", "error", "reject", "cut", "silence", "restart"}


@dataclass(slots=True, eq=False)
class Fault:
    """A fault that waits for a message.

    Attributes
    ----------
    kinds
        The messages it is about.
    do
        What it does.
    client
        Only for this client id.
    where
        Only for messages with these values, by kind and dotted field.
    times
        How often; None for always.
    skip
        How many matches it lets pass first.
    hits
        How often it happened.

    """

    kinds: frozenset[type]
    do: tuple[Action, ...]
    client: int | None = None
    where: Mapping[type, Mapping[str, object]] = field(default_factory=dict)
    times: int | None = 1
    skip: int = 0
    hits: int = 0

    def takes(self, session: Session, message: m.Message) -> bool:
        """Whether it happens to a message; counts it."""
        if type(message) not in self.kinds or self.client not in {None, session.client_id}:
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        chosen = self.where.get(type(message), {})
        if any(value_at(message, path) != value for path, value in chosen.items()):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hits += 1
        return True


class Faults:
    """The faults of a gateway.

    Parameters
    ----------
    gateway
        What they happen to.

    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._faults: list[Fault] = []
        self._silent: dict[Session, list[Response] | None] = {}
        self._holds: dict[Session, list[tuple[type, Response]]] = defaultdict(list)
        self.mute = False  # connections are accepted and never answered
        self.wedges = False  # a client that cannot be served leaves all others without an answer
        self.mute_next = 0  # so many of the next ones
        self.id_in_use = 0  # so many of the next starts are refused with 326
        self._hold_orders: list[str] = []
        self._slow_cancels: list[int] = []
        self._error_first = 0

    # What users call

    def when(  # noqa: PLR0913 - one parameter a condition
        self,
        kinds: str | type | Iterable[str | type],
        do: Do,
        *,
        client: int | None = None,
        where: Mapping[str, object] | None = None,
        times: int | None = 1,
        skip: int = 0,
    ) -> Fault:
        """Return a fault that happens to messages: requests as they come, responses as they go.

        Parameters
        ----------
        kinds
            The messages, by class or by name.
        do
            What happens: a name, a mapping of names to values, or a list of these.
        client, where
            Only to messages of this client; only to those with these values, by dotted field.
        times
            How often; None for always.
        skip
            How many it lets pass first.

        Raises
        ------
        FaultError
            For a message or an action that is none, and a field that the message does not have.

        """
        named, actions = kinds_of(kinds), actions_of(do)
        check_on_messages(actions, named)
        fault = Fault(named, actions, client, compared(named, where or {}), times, skip)
        self._faults.append(fault)
        return fault

    def act(self, name: str, value: object = None) -> None:
        """Do something to the gateway or to its clients now.

        Raises
        ------
        FaultError
            For a name that is no such action.

        """
        check_by_themselves(actions_of({name: value}))
        ACTIONS[name](Scene(self._gateway), Given(value))

    def at(self, instant: int, do: Do, *, every: int = 0, times: int = 1) -> None:
        """Do something at a simulated instant, UTC nanoseconds, and `every` so often again.

        Raises
        ------
        FaultError
            For an action that is none, or one that happens to messages only.

        """
        actions = actions_of(do)
        check_by_themselves(actions)
        timeline = self._gateway.timeline

        def happen(instant: int, left: int) -> None:
            for action in actions:
                self._do(action, Scene(self._gateway))
            plan(instant + every, left - 1)

        def plan(instant: int, left: int) -> None:
            if left > 0:  # one at a time: a script may say "a billion times"
                timeline.at(instant, lambda: happen(instant, left))

        plan(instant, times)

    def after(self, delay: float, do: Do) -> None:
        """Do something so many simulated seconds from now."""
        self.at(self._gateway.timeline.now + seconds(delay), do)

    def remove(self, fault: Fault) -> None:
        """Let a fault not happen any more."""
        self._faults.remove(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more; what is held is said."""
        self._faults.clear()
        self.mute, self.wedges, self.mute_next, self.id_in_use = False, False, 0, 0
        for session in tuple(self._silent):
            self.speak(session)
        for session, held in tuple(self._holds.items()):
            del self._holds[session]
            for _, response in held:
                session.deliver(response)

    # What the gateway asks

    def starting(self, session: Session) -> bool:
        """Whether a client that starts is refused because its id is said to be in use."""
        if self.id_in_use <= 0:
            return False
        self.id_in_use -= 1
        session.error(-1, 326)
        session.sink.cut()
        session.closed = True
        return True

    def is_mute(self) -> bool:
        """Whether a connection that comes now is not answered."""
        if self.mute_next > 0:
            self.mute_next -= 1
            return True
        return self.mute

    def placing(self, order: Working) -> None:
        """Let an order be held back, if one is to be."""
        if self._hold_orders:
            order.held = self._hold_orders.pop(0)

    def cancelling(self) -> tuple[int, bool]:
        """Return how long a cancel takes, and whether its error comes before its status."""
        error_first, self._error_first = self._error_first > 0, max(0, self._error_first - 1)
        return (self._slow_cancels.pop(0) if self._slow_cancels else 0), error_first

    def hold_next(self, why: str) -> None:
        """Hold the next order back."""
        self._hold_orders.append(why)

    def slow_next_cancel(self, delay: int) -> None:
        """Let the next cancel take a while."""
        self._slow_cancels.append(delay)

    def error_before_status(self, times: int = 1) -> None:
        """Let the next cancels say their error before their status."""
        self._error_first += times

    def incoming(self, session: Session, request: Request) -> bool:
        """Let faults happen to a request; whether nobody answers it now."""
        swallowed = False
        for fault in tuple(self._faults):
            if not fault.takes(session, request):
                continue
            for action in fault.do:
                swallowed |= self._on_request(session, request, action)
        return swallowed

    def _on_request(self, session: Session, request: Request, action: Action) -> bool:
        if action.name == "delay":
            fault_free = self._gateway.timeline
            fault_free.after(duration(action.value), lambda: _again(session, request))
            return True
        if action.name == "duplicate":
            _again(session, request)
            return False
        if action.name == "cut":
            session.cut(cut_after(action.value))
            return True
        if action.name in ACTIONS:
            self._do(action, Scene(self._gateway, session, request))
        return action.name in _SWALLOWS

    def outgoing(self, session: Session, response: Response) -> None:
        """Say a response, or what faults make of it."""
        queue = self._silent.get(session, _NOT_SILENT)
        if queue is not _NOT_SILENT:
            if queue is not None:
                queue.append(response)
            return
        said: list[Response] = [response]
        for fault in tuple(self._faults):
            if said and fault.takes(session, response):
                for action in fault.do:
                    said = self._on_response(session, said, action)
        for one in said:
            session.deliver(one)
        if said:
            self._release(session, type(response))

    def _on_response(
        self, session: Session, said: list[Response], action: Action
    ) -> list[Response]:
        if action.name == "drop":
            return []
        if action.name == "duplicate":
            return said * int(action.value or 2)
        if action.name == "set":
            return [changed(one, _values(one, action.value)) for one in said]
        if action.name == "delay":
            for one in said:
                self._later(session, one, duration(action.value))
            return []
        if action.name == "hold_until":
            (kind,) = kinds_of(action.value)
            self._holds[session].extend((kind, one) for one in said)
            return []
        if action.name == "cut":
            session.cut(cut_after(action.value))
            return said
        self._do(action, Scene(self._gateway, session, said[0] if said else None))
        return said

    def _do(self, action: Action, scene: Scene) -> None:
        """Let an action happen; one whose values say nothing must not end the gateway."""
        try:
            ACTIONS[action.name](scene, Given(action.value))
        except (ValueError, LookupError) as error:
            _log.exception("fault `%s: %s` failed", action.name, action.value)
            self._gateway.bugs.append(error)

    def _later(self, session: Session, response: Response, delay: int) -> None:
        self._gateway.timeline.after(delay, lambda: session.deliver(response))

    def _release(self, session: Session, kind: type) -> None:
        held = self._holds.get(session)
        if not held:
            return
        free = [response for awaited, response in held if awaited is kind]
        self._holds[session] = [pair for pair in held if pair[0] is not kind]
        for response in free:
            session.deliver(response)

    # Silence

    def silence(self, session: Session, lasts: int | None, *, lose: bool) -> None:
        """Say nothing to a client for a while, or for ever; what is not said is lost or comes late.

        The connection stays open, as one that is half open does.
        """
        self._silent[session] = None if lose else []
        if lasts is not None:
            self._gateway.timeline.after(lasts, lambda: self.speak(session))

    def speak(self, session: Session) -> None:
        """End a silence."""
        queue = self._silent.pop(session, None)
        for response in queue or ():
            session.deliver(response)

    def forget(self, session: Session) -> None:
        """Forget a connection that is gone."""
        self._silent.pop(session, None)
        self._holds.pop(session, None)


_NOT_SILENT: Final[list[Response]] = []


def _again(session: Session, request: Request) -> None:
    """Serve a request without asking the faults once more."""
    session.serve(request)


def _values(message: Response, values: Mapping[str, object]) -> dict[str, object]:
    return {path: as_field(type(message), path, value) for path, value in values.items()}
