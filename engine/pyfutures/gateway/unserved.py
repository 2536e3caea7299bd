"""Requests that no desk answers, and where the id stands in any request.

A peer that asks for something waits for an answer under the id that it asked with, or for a list
that it knows by its kind alone. It gets the error under its id, or the list with what there is,
which is mostly nothing; it never waits for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from pyfutures.ib.layout import Const, Field
from pyfutures.ib.messages import REQUESTS
from pyfutures.ib.messages.base import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["KINDS", "Kind", "id_at", "id_places"]

_INT32: Final = 2**31


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request without a layout here.

    Attributes
    ----------
    name
        What it is called.
    place
        The field with its id; None if it has none.
    answer
        The fields of the answer, where one is true; `id` stands for the id.

    """

    name: str
    place: int | None = None
    answer: tuple[str, ...] | None = None

    @property
    def is_cancel(self) -> bool:
        """Whether it ends something, which cannot be there."""
        return self.name.startswith("Cancel")

    def id_of(self, fields: Sequence[str]) -> int:
        """Return the id in a request of this kind, -1 if there is none."""
        return -1 if self.place is None else id_at(fields, self.place)

    def answered(self, fields: Sequence[str]) -> Unknown:
        """Return the answer to a request."""
        about = str(self.id_of(fields))
        return Unknown(tuple(about if x == "id" else x for x in self.answer or ()))


#: By the number of the message; the places are those of the official client's encoders.
KINDS: Final[Mapping[str, Kind]] = {
    "12": Kind("RequestNewsBulletins"),
    "13": Kind("CancelNewsBulletins"),
    "18": Kind("RequestFA"),
    "19": Kind("ReplaceFA", 4),
    "21": Kind("ExerciseOptions", 2),
    "22": Kind("RequestScannerSubscription", 1),
    "23": Kind("CancelScannerSubscription", 2),
    "24": Kind("RequestScannerParameters", None, ("19", "1", "<ScanParameterResponse/>")),
    "52": Kind("RequestFundamentalData", 2),
    "53": Kind("CancelFundamentalData", 2),
    "54": Kind("CalculateImpliedVolatility", 2),
    "55": Kind("CalculateOptionPrice", 2),
    "56": Kind("CancelCalculateImpliedVolatility", 2),
    "57": Kind("CancelCalculateOptionPrice", 2),
    "67": Kind("QueryDisplayGroups", 2),
    "68": Kind("SubscribeToGroupEvents", 2),
    "69": Kind("UpdateDisplayGroup", 2),
    "70": Kind("UnsubscribeFromGroupEvents", 2),
    "78": Kind("RequestSecDefOptParams", 1),
    "79": Kind("RequestSoftDollarTiers", 1, ("77", "id", "0")),
    "80": Kind("RequestFamilyCodes", None, ("78", "0")),
    "81": Kind("RequestMatchingSymbols", 1),
    "83": Kind("RequestSmartComponents", 1),
    "84": Kind("RequestNewsArticle", 1),
    "85": Kind("RequestNewsProviders", None, ("85", "0")),
    "86": Kind("RequestHistoricalNews", 1),
    "88": Kind("RequestHistogramData", 1),
    "89": Kind("CancelHistogramData", 1),
    "100": Kind("RequestWshMetaData", 1),
    "101": Kind("CancelWshMetaData", 1),
    "102": Kind("RequestWshEventData", 1),
    "103": Kind("CancelWshEventData", 1),
    "104": Kind("RequestUserInfo", 1, ("107", "id", "")),
}


def id_at(fields: Sequence[str], place: int) -> int:
    """Return the id at a place, -1 where none can be read."""
    try:
        found = int(fields[place])
    except (IndexError, ValueError):
        return -1
    return found if -_INT32 <= found < _INT32 else -1


@cache
def id_places(version: int) -> Mapping[str, int]:
    """Return where the id stands in each request that has a layout, by its message number."""
    places: dict[str, int] = {}
    for layout in REQUESTS:
        if layout.since > version:
            continue
        for place, row in enumerate(layout.at(version).rows, 1):
            if isinstance(row, Field) and row.path in {"request_id", "order_id"}:
                places[str(layout.id)] = place
            if not isinstance(row, Const):
                break
    return places
