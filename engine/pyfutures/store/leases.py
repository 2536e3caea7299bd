"""Leases: one node at a time for each account and root.

Theory of operation. A lease is a row that names its owner: the node, and the process it lives in.
Who finds a row of another owner is refused, unless that owner is known to be dead. A process of
this machine is dead if the machine has been started again since, or no process of that number and
start time is there; then the lease is free at once. Of another machine nothing is known but the
heartbeat: its lease is free when that is older than its time to live. Every write that stands on a
lease checks the token in the same transaction, so that a holder that slept past its time cannot
write beside the new one. The parts of one node share a lease: the last one to let go frees it.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import sqlalchemy as sa

from pyfutures.continuous.bars import instant
from pyfutures.store.errors import LeaseHeldError, LeaseLostError
from pyfutures.store.tables import leases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.store.database import Database

__all__ = ["LEASE_TTL", "Lease", "Owner", "leased"]

#: Seconds without a heartbeat after which a lease on another machine is free.
LEASE_TTL: Final = 60.0
_SECOND: Final = 10**9


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lease: a node in a process on a machine.

    Parameters
    ----------
    name
        What people call it, the trader id.
    host
        Name of the machine.
    pid
        Number of the process.
    started
        When the process started, in the machine's own counting; empty where that is not known.
    boot
        What names this run of the machine and of its numbers of processes; empty where not known.
    instance
        Tells two nodes of one name in one process apart.

    """

    name: str
    host: str
    pid: int
    started: str = ""
    boot: str = ""
    instance: str = ""

    @classmethod
    def here(cls, name: str, *, instance: str = "") -> Self:
        """Return the owner that this process is."""
        pid = os.getpid()
        return cls(name, socket.gethostname(), pid, _started(pid), _boot(), instance)

    def is_dead(self) -> bool:
        """Whether it is of this machine and known not to run any more."""
        if self.host != socket.gethostname() or not self.boot or not self.started:
            return False
        (machine, _, space), (now, _, here) = self.boot.partition("/"), _boot().partition("/")
        if machine != now:
            return True
        # In a container of its own the same number may be another process.
        return space == here and _started(self.pid) != self.started

    def __str__(self) -> str:
        """Return it as in ``TRADER-001 (process 4711 on host)``."""
        return f"{self.name} (process {self.pid} on {self.host})"


def _started(pid: int) -> str:
    with suppress(OSError):
        # The name of the program, in parentheses, may have spaces in it.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""


def _boot() -> str:
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - no path that exists
    return ""


class Lease:
    """The right to write for an account and root. Take it from `Store.lease`.

    Use it as a context manager, or call `release`.

    Attributes
    ----------
    account, root, owner
        What is held, and by whom.

    """

    def __init__(
        self, database: Database, account: str, root: str, *, owner: Owner, ttl: float = LEASE_TTL
    ) -> None:
        self.account = account
        self.root = root
        self.owner = owner
        self._database = database
        self._ttl = round(ttl * _SECOND)
        self._where = where = (leases.c.account == account) & (leases.c.root == root)
        query = sa.select(leases.c.token, leases.c.owner).where(where)
        self._query = query if database.is_sqlite else query.with_for_update()
        with database.writing() as connection:
            self._token = self._take(connection)
        self._held = True

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Release."""
        self.release()

    def __str__(self) -> str:
        """Return it as in ``account DU1234567, root ES``."""
        return f"account {self.account}, root {self.root}"

    def _take(self, connection: sa.Connection) -> str:
        now = self._database.now_ns(connection)
        if not self._database.is_sqlite:
            # Two who find no row would both insert one.
            name = f"{self.account}\n{self.root}"
            connection.execute(
                sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0)))
            )
        row = connection.execute(sa.select(leases).where(self._where)).one_or_none()
        if row is not None:
            holder = Owner(**json.loads(row.owner))
            if holder == self.owner:
                values = {"holders": row.holders + 1, "beat_ns": now, "ttl_ns": self._ttl}
                connection.execute(leases.update().where(self._where).values(values))
                return str(row.token)
            self._refuse_if_alive(row, holder, now)
            connection.execute(leases.delete().where(self._where))
        token = uuid.uuid4().hex
        connection.execute(
            leases.insert().values(
                account=self.account,
                root=self.root,
                token=token,
                owner=json.dumps(asdict(self.owner)),
                holders=1,
                since_ns=now,
                beat_ns=now,
                ttl_ns=self._ttl,
            )
        )
        return token

    def _refuse_if_alive(self, row: sa.Row[tuple[object, ...]], holder: Owner, now: int) -> None:
        if holder.is_dead():
            return
        silent = now - row.beat_ns
        is_here = holder.host == self.owner.host and holder.boot == self.owner.boot != ""
        if silent > row.ttl_ns and not is_here:
            return
        wait = (
            "stop it first"
            if is_here
            else f"stop it, or wait until it has been silent for {row.ttl_ns // _SECOND} s"
        )
        raise LeaseHeldError(
            f"{self} is held by {holder} since {instant(row.since_ns // _SECOND * _SECOND)}, last"
            f" heartbeat {silent / _SECOND:.0f} s ago: two nodes must not trade one root of one"
            f" account; {wait}"
        )

    def beat(self) -> None:
        """Say that the holder lives; do so a few times within the time to live.

        Raises
        ------
        LeaseLostError
            If another has it by now.

        """
        with self._database.writing() as connection:
            self.check(connection)
            now = self._database.now_ns(connection)
            connection.execute(leases.update().where(self._where).values(beat_ns=now))

    def check(self, connection: sa.Connection) -> None:
        """Refuse to write if the lease is not held any more, in the transaction of the write.

        Raises
        ------
        LeaseLostError
            If it is not.

        """
        row = connection.execute(self._query).one_or_none()
        if self._held and row is not None and row.token == self._token:
            return
        holder = "nobody" if row is None else Owner(**json.loads(row.owner))
        raise LeaseLostError(f"{self}: the lease of {self.owner} is lost, {holder} has it now")

    def release(self) -> None:
        """Let go; the lease is free when every part of the node has. A lost one is left alone.

        Raises
        ------
        StoreFailedError
            If that cannot be written; it is free all the same when the process has ended.
        """
        if not self._held:
            return
        self._held = False
        mine = self._where & (leases.c.token == self._token)
        with self._database.writing(patient=False) as connection:
            less = leases.update().where(mine).values(holders=leases.c.holders - 1)
            connection.execute(less)
            connection.execute(leases.delete().where(mine & (leases.c.holders <= 0)))


@contextmanager
def leased(database: Database, lease: Lease | None) -> Iterator[sa.Connection]:
    """Give a connection to write with, after a look at the lease.

    Raises
    ------
    LeaseLostError
        If it is lost.

    """
    with database.writing() as connection:
        if lease is not None:
            lease.check(connection)
        yield connection
