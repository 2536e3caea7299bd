"""Messages about the connection itself: start, ids, accounts, clock, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import ESCAPED, INT, TEXT
from pyfutures.ib.layout import Const, Field, Layout
from pyfutures.ib.messages.base import Request, Response

__all__ = [
    "CurrentTime",
    "CurrentTimeInMillis",
    "ErrorMessage",
    "ManagedAccounts",
    "NextValidId",
    "RequestCurrentTime",
    "RequestCurrentTimeInMillis",
    "RequestIds",
    "RequestManagedAccounts",
    "SetLogLevel",
    "StartApi",
]

CURRENT_TIME_IN_MILLIS: Final = 197


@dataclass(frozen=True, slots=True)
class StartApi(Request):
    """Open the session under a client id; the gateway sends nothing before it."""

    client_id: int = 0
    capabilities: str = ""


@dataclass(frozen=True, slots=True)
class RequestIds(Request):
    """Ask for the next valid order id again; it reserves nothing, the count is ignored."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class RequestManagedAccounts(Request):
    """Ask for the accounts again."""


@dataclass(frozen=True, slots=True)
class RequestCurrentTime(Request):
    """Ask for the gateway's clock, in seconds."""


@dataclass(frozen=True, slots=True)
class RequestCurrentTimeInMillis(Request):
    """Ask for the gateway's clock, in milliseconds."""


@dataclass(frozen=True, slots=True)
class SetLogLevel(Request):
    """Set what the gateway writes to its log: 1 system, 2 error, 3 warning, 4 info, 5 detail."""

    level: int = 2


@dataclass(frozen=True, slots=True)
class NextValidId(Response):
    """The lowest order id that the client may use next."""

    order_id: int


@dataclass(frozen=True, slots=True)
class ManagedAccounts(Response):
    """The accounts of the login, as the wire has them: one text, a comma behind each."""

    text: str

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts."""
        return tuple(account for account in self.text.split(",") if account)


@dataclass(frozen=True, slots=True)
class CurrentTime(Response):
    """The gateway's clock: seconds since 1970 UTC."""

    seconds: int


@dataclass(frozen=True, slots=True)
class CurrentTimeInMillis(Response):
    """The gateway's clock: milliseconds since 1970 UTC."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class ErrorMessage(Response):
    """An error, a warning or a notice; what it means is in the table of `pyfutures.ib.codes`.

    `request_id` is the request or the order concerned, -1 if none. `time_ms` is 0 below version
    194.
    """

    request_id: int
    code: int
    text: str
    reject_json: str = ""
    time_ms: int = 0


_V1: Final = Const("1")

REQUESTS: Final = (
    Layout(StartApi, 71, (Const("2"), Field("client_id", INT), Field("capabilities", TEXT))),
    Layout(RequestIds, 8, (_V1, Field("count", INT))),
    Layout(RequestManagedAccounts, 17, (_V1,)),
    Layout(RequestCurrentTime, 49, (_V1,)),
    Layout(RequestCurrentTimeInMillis, 105, (), since=CURRENT_TIME_IN_MILLIS),
    Layout(SetLogLevel, 14, (_V1, Field("level", INT))),
)

RESPONSES: Final = (
    Layout(NextValidId, 9, (_V1, Field("order_id", INT))),
    Layout(ManagedAccounts, 15, (_V1, Field("text", ESCAPED))),
    Layout(CurrentTime, 49, (_V1, Field("seconds", INT))),
    Layout(CurrentTimeInMillis, 109, (Field("milliseconds", INT),), since=CURRENT_TIME_IN_MILLIS),
    Layout(
        ErrorMessage,
        4,
        (
            Const("2", before=sv.ERROR_TIME),
            Field("request_id", INT),
            Field("code", INT),
            Field("text", ESCAPED),
            Field("reject_json", ESCAPED, since=sv.ADVANCED_REJECT),
            Field("time_ms", INT, since=sv.ERROR_TIME),
        ),
    ),
)
