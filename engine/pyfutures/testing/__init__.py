"""A kit for your own tests of what talks to an IB gateway.

`made` and `SAMPLES` have a message of every kind that is parsed, `serve` plays a session to any
client over TCP, and `details_table` has contract details of every root of a catalogue, in every
form in which gateways spell a last trade, with what they mean. No test framework is needed.
"""

from __future__ import annotations

from pyfutures.testing.details import (
    DetailsCase,
    Facts,
    LastTradeForm,
    check_details,
    details_table,
    made_details,
    read_details,
)
from pyfutures.testing.messages import SAMPLES, body_of, frames, made, parsed
from pyfutures.testing.sessions import Exchange, recorded, serve, session_data

__all__ = [
    "SAMPLES",
    "DetailsCase",
    "Exchange",
    "Facts",
    "LastTradeForm",
    "body_of",
    "check_details",
    "details_table",
    "frames",
    "made",
    "made_details",
    "parsed",
    "read_details",
    "recorded",
    "serve",
    "session_data",
]
