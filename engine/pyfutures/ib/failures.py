"""What a caller of the client may have to deal with: one class an outcome, all typed.

Rules of this file. A request ends in its result or in exactly one of these. Each carries the code,
the gateway's text and the reaction from the table in `codes.py`; where no gateway spoke (a deadline
passed, there is no connection) the code is the one official clients make up, or 0. `is_final` says
whether asking again is useless: only final outcomes may be remembered.
"""

from __future__ import annotations

from typing import ClassVar

from pyfutures.ib.codes import Reaction, lookup

__all__ = [
    "ClientClosedError",
    "ClientIdInUseError",
    "ConnectError",
    "ConnectionLostError",
    "DisabledError",
    "IbError",
    "LineDownError",
    "NotConnectedError",
    "OrderRefusedError",
    "OverflowedError",
    "RequestError",
    "RequestFailedError",
    "RequestTimeoutError",
]

_FINAL = frozenset({Reaction.FAIL, Reaction.REJECT, Reaction.GIVE_UP, Reaction.EMPTY})


class IbError(Exception):
    """Anything that goes wrong between a caller and the gateway."""

    code: int = 0
    reaction: Reaction = Reaction.RETRY

    @property
    def is_final(self) -> bool:
        """Whether asking again is useless."""
        return self.reaction in _FINAL


class ConnectError(IbError):
    """No session could be had; the client goes on trying unless it was closed."""

    code = 502
    reaction = Reaction.RECONNECT


class ClientIdInUseError(ConnectError):
    """The gateway has another session under our client id, often our own that is not dead yet."""

    code = 326
    reaction = Reaction.BACK_OFF


class DisabledError(ConnectError):
    """The schedule keeps the client away from the gateway."""


class OverflowedError(IbError):
    """A consumer was slower than its subscription: the oldest values were dropped."""

    def __init__(self, name: str, dropped: int) -> None:
        super().__init__(f"{name}: {dropped} values were dropped because nobody fetched them")
        self.dropped = dropped


class RequestError(IbError):
    """A request that did not come to its result.

    Parameters
    ----------
    what
        The request, in words.
    text
        What the gateway said, or what happened.
    code
        The gateway's code.
    reaction
        What to do about it; by default what the table says of the code.

    """

    default_code: ClassVar[int] = 0

    def __init__(
        self, what: str, text: str, *, code: int | None = None, reaction: Reaction | None = None
    ) -> None:
        self.what = what
        self.text = text
        self.code = self.default_code if code is None else code
        if reaction is not None:
            self.reaction = reaction
        elif self.code:
            self.reaction = lookup(self.code).reaction
        said = f"error {self.code}: {text}" if self.code else text
        if self.code == 200 and self.reaction is Reaction.RETRY:
            said += "; IB's servers are being reset and may deny what exists: ask again later"
        super().__init__(f"{what}: {said}")


class RequestFailedError(RequestError):
    """The gateway answered with an error."""


class RequestTimeoutError(RequestError, TimeoutError):
    """No answer came before the deadline; one that comes later is ignored."""


class NotConnectedError(RequestError):
    """There is no session, so nothing was sent."""

    default_code = 504


class LineDownError(NotConnectedError):
    """The gateway has lost IB's servers (1100, 2110), so nothing was sent."""

    default_code = 1100


class ConnectionLostError(RequestError):
    """The connection ended before the answer; whether the gateway got the request is not known."""

    default_code = 504


class ClientClosedError(RequestError):
    """The client was closed."""

    default_code = 504
    reaction = Reaction.GIVE_UP


class OrderRefusedError(RequestError):
    """An order that was not sent because it cannot be meant so, or that the gateway refused."""
