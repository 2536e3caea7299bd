"""The book of a strategy: intents before orders, fills into positions, and the audit of both.

Rules of this file. An intent is durable before its first order can be sent. A fill is counted once,
by the broker's id of the execution, however often it is reported; it changes the position and is
written to the audit in one transaction. The audit is only ever appended to. A position is signed
quantity per contract, per root and strategy; the broker knows only the sum over all of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pyfutures.positions.book import Target
from pyfutures.store.errors import IntentError
from pyfutures.store.leases import leased
from pyfutures.store.tables import audit, fills, intents, ledger, targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from pyfutures.store.database import Database
    from pyfutures.store.leases import Lease

__all__ = ["AuditEntry", "Book", "Intent"]


@dataclass(frozen=True, slots=True)
class Intent:
    """What a strategy has made up its mind to do.

    Parameters
    ----------
    id
        Its name, the same in the reference of each of its orders.
    account, root, strategy
        Whose it is.
    payload
        What it says, as JSON.
    begun_ns
        When it was written.
    ended_ns, outcome
        When and how it ended; None while it is open.

    """

    id: str
    account: str
    root: str
    strategy: str
    payload: Mapping[str, Any]
    begun_ns: int
    ended_ns: int | None = None
    outcome: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is not ended."""
        return self.ended_ns is None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit.

    Parameters
    ----------
    number
        Grows by time within a store.
    at_ns
        When it was written, by the clock of the store.
    account, root, strategy
        Whose it is.
    kind
        ``intent``, ``fill``, ``adjust``, ``target``, ``ended``, or what the strategy called it.
    intent, order_ref
        What it belongs to, None if nothing.
    payload
        The rest, as JSON.

    """

    number: int
    at_ns: int
    account: str
    root: str
    strategy: str
    kind: str
    intent: str | None
    order_ref: str | None
    payload: Mapping[str, Any]


class Book:
    """Intents, positions and audit of one strategy on one root. Take it from `Store.book`.

    Every call that writes checks the lease in the same transaction, and has written durably when
    it returns.

    Parameters
    ----------
    database
        Where.
    lease
        The account and root, and the right to write for them.
    strategy
        The strategy's id.

    """

    def __init__(self, database: Database, lease: Lease, *, strategy: str) -> None:
        self._database = database
        self._lease = lease
        self._owner = {"account": lease.account, "root": lease.root, "strategy": strategy}

    # Intents

    def begin(self, name: str, payload: Mapping[str, Any]) -> Intent:
        """Write an intent; only then may its first order be sent.

        A target that was to be opened is being opened from now on.

        Raises
        ------
        IntentError
            If an intent of that name was written before.
        LeaseLostError
            If the lease is lost.

        """
        with self._writing() as connection:
            if connection.execute(sa.select(intents.c.id).where(intents.c.id == name)).first():
                raise IntentError(f"intent {name} was written before: give the new one its time")
            now = self._database.now_ns(connection)
            text = _json(payload)
            values = {"id": name, **self._owner, "payload": text, "begun_ns": now}
            connection.execute(intents.insert().values(values))
            self._write(connection, "intent", payload, intent=name)
            connection.execute(targets.update().where(self._mine(targets)).values(opens=False))
        return Intent(
            id=name,
            account=self._owner["account"],
            root=self._owner["root"],
            strategy=self._owner["strategy"],
            payload=json.loads(text),
            begun_ns=now,
        )

    def finish(self, name: str, outcome: str, payload: Mapping[str, Any] | None = None) -> None:
        """End an intent and say how: moved, stopped by hand.

        Raises
        ------
        IntentError
            If no intent of that name is open in this book.
        LeaseLostError
            If the lease is lost.

        """
        with self._writing() as connection:
            now = self._database.now_ns(connection)
            ended = connection.execute(
                intents.update()
                .where(self._mine(intents), intents.c.id == name, intents.c.ended_ns.is_(None))
                .values(ended_ns=now, outcome=outcome)
            )
            if ended.rowcount != 1:
                raise IntentError(f"intent {name} is not open in the book of {self}")
            self._write(connection, "ended", {"outcome": outcome, **(payload or {})}, intent=name)

    def open_intents(self) -> tuple[Intent, ...]:
        """Return what is not ended, the oldest first."""
        query = sa.select(intents).where(self._mine(intents), intents.c.ended_ns.is_(None))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(intents.c.begun_ns, intents.c.id)).all()
        return tuple(intent_of(row) for row in rows)

    # Positions

    def fill(  # noqa: PLR0913 - a fill has as many sides
        self,
        contract: str,
        quantity: int,
        *,
        execution: str,
        at_ns: int,
        intent: str | None = None,
        order_ref: str | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> bool:
        """Add a fill to the position, once; return whether it was new.

        Parameters
        ----------
        contract
            Id of the contract that was traded: a leg, never a combination.
        quantity
            Signed: negative for a sale.
        execution
            The broker's id of the execution. A second fill of the same contract and id, in any
            book of the account, changes nothing.
        at_ns
            When it was executed.
        intent, order_ref
            What it belongs to.
        payload
            Price, commission and whatever else the audit shall have.

        Raises
        ------
        LeaseLostError
            If the lease is lost.

        """
        with self._writing() as connection:
            known = connection.execute(
                sa.select(fills.c.execution).where(
                    fills.c.account == self._lease.account,
                    fills.c.contract == contract,
                    fills.c.execution == execution,
                )
            )
            if known.first() is not None:
                return False
            values = {"contract": contract, "execution": execution, "quantity": quantity}
            connection.execute(fills.insert().values(**self._owner, **values, at_ns=at_ns))
            self._add(connection, contract, quantity)
            said = {**values, "at_ns": at_ns, **(payload or {})}
            self._write(connection, "fill", said, intent=intent, order_ref=order_ref)
        return True

    def adjust(
        self, contract: str, quantity: int, *, reason: str, intent: str | None = None
    ) -> None:
        """Add to the position what was no fill that was seen: an expiry, a fill while off, a hand.

        Parameters
        ----------
        contract
            Id of the contract.
        quantity
            Signed change.
        reason
            Why, for people who read the audit.
        intent
            What it belongs to.

        Raises
        ------
        LeaseLostError
            If the lease is lost.

        """
        with self._writing() as connection:
            self._add(connection, contract, quantity)
            said = {"contract": contract, "quantity": quantity, "reason": reason}
            self._write(connection, "adjust", said, intent=intent)

    def position(self) -> dict[str, int]:
        """Return the signed quantity of this strategy by contract, without zeros."""
        query = sa.select(ledger.c.contract, ledger.c.quantity).where(
            self._mine(ledger), ledger.c.quantity != 0
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(ledger.c.contract)).all()
        return {row.contract: int(row.quantity) for row in rows}

    # The target

    def target(self) -> Target | None:
        """Return the target that was set while running; None if none was."""
        with self._database.reading() as connection:
            return target_of(connection, **self._owner)

    def set_target(self, target: Target | None) -> None:
        """Write down what was set while running; None for what the config says again.

        Raises
        ------
        LeaseLostError
            If the lease is lost.

        """
        with self._writing() as connection:
            connection.execute(targets.delete().where(self._mine(targets)))
            if target is not None:
                values = {"quantity": target.quantity, "configured": target.configured}
                now = self._database.now_ns(connection)
                row = {**self._owner, **values, "opens": target.opens, "set_ns": now}
                connection.execute(targets.insert().values(row))
            said = {"quantity": None if target is None else target.quantity}
            self._write(connection, "target", said)

    # Audit

    def note(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        intent: str | None = None,
        order_ref: str | None = None,
    ) -> None:
        """Append a line to the audit: an order sent, an answer to it, a decision.

        Raises
        ------
        LeaseLostError
            If the lease is lost.

        """
        with self._writing() as connection:
            self._write(connection, kind, payload, intent=intent, order_ref=order_ref)

    def __str__(self) -> str:
        """Return it as in ``ROLL-ES on account DU1234567, root ES``."""
        return f"{self._owner['strategy']} on {self._lease}"

    # How it is done

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        return leased(self._database, self._lease)

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return sa.and_(*(table.c[name] == value for name, value in self._owner.items()))

    def _add(self, connection: sa.Connection, contract: str, quantity: int) -> None:
        where = self._mine(ledger) & (ledger.c.contract == contract)
        more = ledger.update().where(where).values(quantity=ledger.c.quantity + quantity)
        if not connection.execute(more).rowcount:
            row = {**self._owner, "contract": contract, "quantity": quantity}
            connection.execute(ledger.insert().values(row))

    def _write(
        self,
        connection: sa.Connection,
        kind: str,
        payload: Mapping[str, Any],
        *,
        intent: str | None = None,
        order_ref: str | None = None,
    ) -> None:
        values = {
            "at_ns": self._database.now_ns(connection),
            "kind": kind,
            "intent": intent,
            "order_ref": order_ref,
            "payload": _json(payload),
        }
        connection.execute(audit.insert().values(**self._owner, **values))


def intent_of(row: sa.Row[Any]) -> Intent:
    """Return the intent of a row."""
    values = dict(row._mapping)  # noqa: SLF001 - its documented name
    return Intent(**values | {"payload": json.loads(row.payload)})


def target_of(
    connection: sa.Connection, *, account: str, root: str, strategy: str
) -> Target | None:
    """Return the target that a strategy was told while it ran."""
    c = targets.c
    query = sa.select(targets).where(c.account == account, c.root == root, c.strategy == strategy)
    row = connection.execute(query).one_or_none()
    return None if row is None else Target(row.quantity, row.configured, opens=bool(row.opens))


def entries(rows: Iterable[sa.Row[Any]]) -> Iterator[AuditEntry]:
    """Return lines of the audit."""
    for row in rows:
        values = dict(row._mapping)  # noqa: SLF001 - its documented name
        number = values.pop("id")
        yield AuditEntry(number=number, **values | {"payload": json.loads(row.payload)})


def _json(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
