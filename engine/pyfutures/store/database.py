"""The database under a store: how it is opened so that nothing which was committed is lost.

Rules of this file. A transaction that writes takes its lock at once, so that what it has read still
holds when it writes. SQLite runs with a write-ahead log that is synced at every commit
(synchronous=FULL): a kill or a power cut loses nothing that was committed and leaves nothing half
written. PostgreSQL does so by itself.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from pyfutures.store.errors import StoreError, StoreFailedError, StoreVersionError
from pyfutures.store.tables import SCHEMA_VERSION, meta, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Database"]

_WRITES: Final = "pyfutures_writes"
#: Versions to which this one has only added tables.
_ADDED_TO: Final = frozenset({"1"})
# Any number that no other program uses: nobody creates tables while another does.
_CREATING: Final = 7_310_042_611
_RETRY: Final = 0.2  # seconds


class Database:
    """A database with the tables of this version, made if they are not there.

    Parameters
    ----------
    target
        A file, or a URL such as ``postgresql://user@host/name`` or ``sqlite:////folder/file``.
    wait
        Seconds to wait for another process that writes, and for a server that was there and is not.
    clock
        Nanoseconds since 1970. By default that of PostgreSQL's machine, or of this one.
    synced
        Whether a commit waits until it is on the disk. Without, a kill loses nothing either, but a
        power cut may lose the last commits. PostgreSQL has a setting of its own.

    Raises
    ------
    StoreVersionError
        If a newer program made the store.
    StoreError
        If the database cannot be opened, or cannot be made safe.

    """

    def __init__(
        self,
        target: str | Path,
        *,
        wait: float = 30.0,
        clock: Callable[[], int] | None = None,
        synced: bool = True,
    ) -> None:
        self.url = _url(target)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._clock = clock
        self._synced = synced
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self._wait = 0.0
        self.engine = self._engine(wait)
        try:
            with self._connected(writes=True) as connection:
                self._prepare(connection)
        except BaseException as error:
            self.engine.dispose()
            if not isinstance(error, sa.exc.SQLAlchemyError):
                raise
            raise StoreError(f"the store {self} cannot be opened: {_reason(error)}") from error
        self._wait = wait

    def __str__(self) -> str:
        """Return the URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one state of the store.

        Raises
        ------
        StoreFailedError
            If the database fails.
        """
        with self._failing_loudly(), self._connected(writes=False) as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self, *, patient: bool = True) -> Iterator[sa.Connection]:
        """Give a connection whose changes are all durable when the block ends, or none.

        Parameters
        ----------
        patient
            Whether to wait for a server that is gone.

        Raises
        ------
        StoreFailedError
            If the database fails.
        """
        with self._failing_loudly(), self._connected(writes=True, patient=patient) as connection:
            yield connection

    @contextlib.contextmanager
    def _failing_loudly(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError):
            raise  # bugs, and not the database's
        except sa.exc.DBAPIError as error:
            raise StoreFailedError(f"the store {self} fails: {_reason(error)}") from error

    @contextlib.contextmanager
    def _connected(self, *, writes: bool, patient: bool = True) -> Iterator[sa.Connection]:
        connection = self._connect(self._wait if patient else 0.0)
        if writes:
            connection = connection.execution_options(**{_WRITES: True})
        with connection, connection.begin():
            yield connection

    def _connect(self, wait: float) -> sa.Connection:
        """Connect; a server may be away for a moment, as while it is started again."""
        until = time.monotonic() + wait
        while True:
            try:
                return self.engine.connect()
            except sa.exc.OperationalError:
                if self.is_sqlite or time.monotonic() >= until:
                    raise
                time.sleep(_RETRY)

    def now_ns(self, connection: sa.Connection) -> int:
        """Return the time by the one clock that all who use the store share."""
        if self._clock is not None:
            return self._clock()
        if self.is_sqlite:
            return time.time_ns()
        micros = sa.text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        return int(connection.execute(micros).scalar_one()) * 1000

    def _engine(self, wait: float) -> sa.Engine:
        if not self.is_sqlite:
            # A server that falls silent must not hold up its node for ever.
            wanted = {"connect_timeout": 10, "tcp_user_timeout": 30_000}
            limits = {name: x for name, x in wanted.items() if name not in self.url.query}
            return sa.create_engine(self.url, pool_pre_ping=True, connect_args=limits)
        engine = sa.create_engine(self.url, connect_args={"timeout": wait})
        sa.event.listen(engine, "connect", self._make_safe)
        sa.event.listen(engine, "begin", _begin)
        return engine

    def _make_safe(self, connection: Any, _: object) -> None:  # noqa: ANN401 - sqlite3's own
        connection.isolation_level = None  # transactions begin where we say
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode not in {"wal", "memory"}:
            raise StoreError(
                f"the store {self} has no write-ahead log (journal mode {mode}): keep it on a local"
                " disk, or use PostgreSQL"
            )
        sync = "synchronous=FULL" if self._synced else "synchronous=NORMAL"
        for pragma in (sync, "fullfsync=ON", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    def _prepare(self, connection: sa.Connection) -> None:
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATING)))
        if sa.inspect(connection).has_table(meta.name):
            found = connection.execute(sa.select(meta.c.value).where(meta.c.key == "schema"))
            version = found.scalar()
            if version == str(SCHEMA_VERSION):
                return
            if version in _ADDED_TO:
                metadata.create_all(connection)
                connection.execute(
                    meta.update().where(meta.c.key == "schema").values(value=str(SCHEMA_VERSION))
                )
                return
            raise StoreVersionError(
                f"the store {self} has schema {version or 'unknown'}, this program knows"
                f" {SCHEMA_VERSION}: use the pyfutures that made it, or a newer one"
            )
        metadata.create_all(connection)
        connection.execute(meta.insert().values(key="schema", value=str(SCHEMA_VERSION)))


def _reason(error: sa.exc.SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _url(target: str | Path) -> sa.URL:
    text = str(target)
    if "://" not in text:
        return sa.URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreError(f"`{text}` is neither a file nor the URL of a database") from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite")
    raise StoreError(
        f"`{url.render_as_string(hide_password=True)}`: a store is a file, or on PostgreSQL"
        " (postgresql://user@host/name)"
    )
