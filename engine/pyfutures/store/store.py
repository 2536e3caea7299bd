"""A store: the one thing to open, and what it gives out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from pyfutures.store.book import AuditEntry, Book, Intent, entries, intent_of, target_of
from pyfutures.store.database import Database
from pyfutures.store.leases import LEASE_TTL, Lease
from pyfutures.store.series import SeriesLog
from pyfutures.store.tables import audit, intents, ledger, series

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyfutures.positions.book import Target
    from pyfutures.store.leases import Owner
    from pyfutures.store.series import SeriesDefinition

__all__ = ["Store"]


class Store:
    """Everything that must outlive the program, in one database.

    Take it from `open`. Use it as a context manager, or call `close`. It may be used from several
    threads.

    Parameters
    ----------
    database
        Where it is kept.

    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(
        cls,
        target: str | Path,
        *,
        wait: float = 30.0,
        clock: Callable[[], int] | None = None,
        synced: bool = True,
    ) -> Self:
        """Return the store of a file or URL; one that is not there is made.

        Parameters
        ----------
        target
            A file for SQLite, or a URL such as ``postgresql://user@host/name``.
        wait
            Seconds to wait for another process that writes.
        clock
            Nanoseconds since 1970, for leases, intents and audit; by default the clock of
            PostgreSQL's machine, or of this one.
        synced
            Whether a commit waits for the disk; without, a power cut may lose the last ones, a kill
            none: for backtests, which can be run again.

        Raises
        ------
        StoreVersionError
            If a newer program made it.
        StoreError
            If it cannot be opened.

        """
        return cls(Database(target, wait=wait, clock=clock, synced=synced))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def __str__(self) -> str:
        """Return its URL, without a password."""
        return str(self._database)

    def close(self) -> None:
        """Close every connection. Nothing is lost without it."""
        self._database.close()

    # One node at a time

    def lease(self, account: str, root: str, owner: Owner, *, ttl: float = LEASE_TTL) -> Lease:
        """Take the right to write for an account and root.

        The parts of one node (the same owner) share it. Call `Lease.beat` a few times within `ttl`.

        Parameters
        ----------
        account, root
            What for.
        owner
            Who; `Owner.here` is this process.
        ttl
            Seconds without a heartbeat after which another machine may take it over.

        Raises
        ------
        LeaseHeldError
            If another node holds it; the text names which one, and since when.

        """
        return Lease(self._database, account, root, owner=owner, ttl=ttl)

    # Series

    def series(
        self, definition: SeriesDefinition, *, lease: Lease | None = None, rebuild: bool = False
    ) -> SeriesLog:
        """Return a series, found or new.

        Parameters
        ----------
        definition
            What it is.
        lease
            What its writes stand on; None where nobody else can write, as in a backtest.
        rebuild
            Begin it anew. What was stored stays in the database as an older generation.

        Raises
        ------
        SeriesChangedError
            If by the definition a recorded roll or a past date would be another one. Any other
            change is taken over.
        LeaseLostError
            If the lease is lost.
        StoreError
            If the stored series of that name is of another root or of other bars.

        """
        return SeriesLog(self._database, definition, lease=lease, rebuild=rebuild)

    def series_names(self) -> tuple[str, ...]:
        """Return the names of all series."""
        query = sa.select(series.c.name).distinct().order_by(series.c.name)
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    # Positions

    def book(self, lease: Lease, *, strategy: str) -> Book:
        """Return the book of a strategy on the account and root of a lease."""
        return Book(self._database, lease, strategy=strategy)

    def positions(self, account: str) -> dict[str, dict[str, int]]:
        """Return the signed quantities of an account, root to contract, without zeros.

        Their sum over the roots is what the broker must hold.
        """
        query = (
            sa.select(ledger.c.root, ledger.c.contract, sa.func.sum(ledger.c.quantity))
            .where(ledger.c.account == account)
            .group_by(ledger.c.root, ledger.c.contract)
            .order_by(ledger.c.root, ledger.c.contract)
        )
        found: dict[str, dict[str, int]] = {}
        with self._database.reading() as connection:
            for root, contract, quantity in connection.execute(query):
                if quantity:
                    found.setdefault(root, {})[contract] = int(quantity)
        return found

    def target(self, account: str, root: str, *, strategy: str) -> Target | None:
        """Return the target of a strategy that was set while it ran; None if none was."""
        with self._database.reading() as connection:
            return target_of(connection, account=account, root=root, strategy=strategy)

    def open_intents(self, account: str, root: str | None = None) -> tuple[Intent, ...]:
        """Return the intents that are not ended, of all strategies, the oldest first."""
        query = sa.select(intents).where(intents.c.account == account, intents.c.ended_ns.is_(None))
        if root is not None:
            query = query.where(intents.c.root == root)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(intents.c.begun_ns, intents.c.id)).all()
        return tuple(intent_of(row) for row in rows)

    def audit(
        self, account: str, root: str | None = None, *, intent: str | None = None, last: int = 1000
    ) -> tuple[AuditEntry, ...]:
        """Return the last lines of the audit, the oldest first.

        Parameters
        ----------
        account
            Whose.
        root, intent
            Only theirs.
        last
            How many at most.

        """
        query = sa.select(audit).where(audit.c.account == account)
        if root is not None:
            query = query.where(audit.c.root == root)
        if intent is not None:
            query = query.where(audit.c.intent == intent)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(audit.c.id.desc()).limit(last)).all()
        return tuple(entries(reversed(rows)))
