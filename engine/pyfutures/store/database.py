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

from pyfutures.store.errors import StoreError, StoreVersionError
from pyfutures.store.tables import SCHEMA_VERSION, meta, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Database"]

_WRITES: Final = "pyfutures_writes"
# Any number that no other program uses: nobody creates tables while another does.
_CREATING: Final = 7_310_042_611


class Database:
    """A database with the tables of this version, made if they are not there.

    Parameters
    ----------
    target
        A file, or a URL such as ``postgresql://user@host/name`` or ``sqlite:////folder/file``.
    wait
        Seconds to wait for another process that writes.
    clock
        Nanoseconds since 1970. By default that of PostgreSQL's machine, or of this one.

    Raises
    ------
    StoreVersionError
        If a newer program made the store.
    StoreError
        If the database cannot be opened, or cannot be made safe.

    """

    def __init__(
        self, target: str | Path, *, wait: float = 30.0, clock: Callable[[], int] | None = None
    ) -> None:
        self.url = _url(target)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._clock = clock
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = self._engine(wait)
        try:
            with self.writing() as connection:
                self._prepare(connection)
        except BaseException as error:
            self.engine.dispose()
            if not isinstance(error, sa.exc.SQLAlchemyError):
                raise
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise StoreError(f"the store {self} cannot be opened: {reason}") from error

    def __str__(self) -> str:
        """Return the URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one state of the store."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection whose changes are all durable when the block ends, or none."""
        options = {_WRITES: True}
        with (
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection

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
            return sa.create_engine(self.url, pool_pre_ping=True)
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
        for pragma in ("synchronous=FULL", "fullfsync=ON", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    def _prepare(self, connection: sa.Connection) -> None:
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATING)))
        if sa.inspect(connection).has_table(meta.name):
            found = connection.execute(sa.select(meta.c.value).where(meta.c.key == "schema"))
            version = found.scalar()
            if version == str(SCHEMA_VERSION):
                return
            raise StoreVersionError(
                f"the store {self} has schema {version or 'unknown'}, this program knows"
                f" {SCHEMA_VERSION}: use the pyfutures that made it, or a newer one"
            )
        metadata.create_all(connection)
        connection.execute(meta.insert().values(key="schema", value=str(SCHEMA_VERSION)))


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
