"""What must outlive the program: series, rolls, leases, intents, positions per root, audit.

A store is a SQLite file, or a PostgreSQL database where several machines share it. Everything is
written as it happens: what a call has written is on disk when it returns, whole, and nothing is
when it raises. So a kill at any instant loses nothing, and nothing needs to be saved at the end.

::

    store = Store.open("live.sqlite")                   # or postgresql://user@host/name
    owner = Owner.here("TRADER-001")
    with store.lease("DU1234567", "ES", owner) as lease:
        log = store.series(definition, lease=lease)     # the continuous series of a root
        log.append(machine.feed(bar), machine.state(), now_ns=now)

        book = store.book(lease, strategy="ROLL-ES")    # what moves the position stands on
        book.begin("ES-2026H-2026M-20260310T143000", payload)  # before an order is sent
        book.note("order", {...}, intent=…, order_ref=…)       # append-only
        book.fill("ESH26.XCME", -2, execution="0000e0d5.1", at_ns=now, order_ref=…)
        book.position()                                 # {"ESH26.XCME": 3}, by what was filled
        book.finish("ES-2026H-2026M-20260310T143000", "moved")
    store.positions("DU1234567")                        # by root, to compare with the broker
"""

from __future__ import annotations

from pyfutures.store.book import AuditEntry, Book, Intent
from pyfutures.store.errors import (
    IntentError,
    LeaseError,
    LeaseHeldError,
    LeaseLostError,
    SeriesChangedError,
    SeriesConflictError,
    StoreError,
    StoreFailedError,
    StoreVersionError,
)
from pyfutures.store.leases import LEASE_TTL, Lease, Owner
from pyfutures.store.series import Refusal, Segment, SeriesDefinition, SeriesLog
from pyfutures.store.store import Store

__all__ = [
    "LEASE_TTL",
    "AuditEntry",
    "Book",
    "Intent",
    "IntentError",
    "Lease",
    "LeaseError",
    "LeaseHeldError",
    "LeaseLostError",
    "Owner",
    "Refusal",
    "Segment",
    "SeriesChangedError",
    "SeriesConflictError",
    "SeriesDefinition",
    "SeriesLog",
    "Store",
    "StoreError",
    "StoreFailedError",
    "StoreVersionError",
]
