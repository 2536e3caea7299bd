"""What a gateway has answered before, on disk: one table for contracts, bars and ticks alike.

Rules of this file. An entry is known by its request, in one canonical spelling, and by the login
that asked: what a gateway says depends on the permissions of the login, and a simulated gateway is
no real one. Answers are kept as the messages they came in, by the layouts of the wire, so there is
one way to write a message down and nothing is ever unpickled. An entry is written in one
transaction, with a checksum: after a crash it is there whole or not at all. Two processes may share
the file. A cache that cannot be used is a warning, and everything works without it, more slowly.

SQLite stores, by way of SQLAlchemy: both are kept well, and WAL gives readers, one writer at a time
and crash safety to any number of processes. Not diskcache, which is the usual choice: it has not
been released since 2023, and its files can make it unpickle, also under JSONDisk.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import warnings
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import platformdirs

from pyfutures.ib.codec import Codec, Role
from pyfutures.ib.errors import MessageError
from pyfutures.ib.messages.base import Unknown
from pyfutures.ib.messages.contracts import Contract
from pyfutures.ib.versions import MAX_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine, Table

    from pyfutures.ib.messages.base import Message, Request

__all__ = ["CACHE_VARIABLE", "Cache", "CacheWarning", "Entry", "default_path", "key_of"]

#: Names the folder of the cache, in place of the user's own cache folder.
CACHE_VARIABLE: Final = "PYFUTURES_CACHE"

_FORMAT: Final = 2  # of keys and of entries: another one finds nothing of this one
_UTC: Final = dt.UTC
# What comes of an entry that we have not written, or not so.
_NOT_OURS: Final = (ValueError, TypeError, OverflowError, OSError, zlib.error, MessageError)
# What SQLite says of a file that it cannot mend.
_SPOILT: Final = ("malformed", "not a database")
# The layouts of one version for good, whatever version was spoken: they can say everything.
_SAID: Final = Codec(MAX_VERSION, Role.CLIENT)
_HEARD: Final = Codec(MAX_VERSION, Role.GATEWAY)


class CacheWarning(UserWarning):
    """The cache cannot be used; everything works without it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a gateway answered: messages, or a final error with its code.

    `expires` is when it is forgotten, None for never.
    """

    messages: tuple[Message, ...] = ()
    code: int = 0
    text: str = ""
    expires: dt.datetime | None = None


def default_path() -> Path:
    """Return the file of the cache: in the folder `PYFUTURES_CACHE`, else in the user's own."""
    folder = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("pyfutures")
    return Path(folder) / "gateway.sqlite"


def _plain(contract: Contract) -> Contract:
    """Return the one spelling of a contract in a key."""
    if contract.con_id and contract.sec_type != "BAG":
        # The id says it all; whether it has expired and where it is asked for are no part of it.
        return Contract(
            con_id=contract.con_id,
            sec_type=contract.sec_type,
            exchange=contract.exchange,
            include_expired=contract.include_expired,
        )
    return replace(
        contract,
        strike=contract.strike or None,
        right=contract.right.strip("?0"),
        last_trade=contract.last_trade.replace("-", "") if len(contract.last_trade) == 7 else
        contract.last_trade,
    )  # fmt: skip


def fields_of_request(request: Request) -> list[str]:
    """Return the fields of a request in their canonical spelling, without its id."""
    contract: Any = getattr(request, "contract", None)
    changes: dict[str, Any] = {"request_id": 0}
    if contract is not None:
        changes["contract"] = _plain(contract)
    return _SAID.write(replace(request, **changes))  # type: ignore[type-var]


def key_of(request: Request, origin: str) -> str:
    """Return the key of a request.

    Parameters
    ----------
    request
        The request; its id does not matter.
    origin
        Whose answers they are: the accounts of the login.

    Raises
    ------
    EncodeError
        For a request that cannot be said.

    """
    text = json.dumps([_FORMAT, origin, *fields_of_request(request)], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """Answers on disk, by request.

    Use it as a context manager, or call `close`.

    Parameters
    ----------
    path
        The file; by default `default_path`. Its folder is made.
    wait
        Seconds to wait for another process that writes.

    Warns
    -----
    CacheWarning
        Where the file cannot be used. Nothing is found then, and nothing kept.

    Raises
    ------
    ModuleNotFoundError
        If SQLAlchemy is not installed.

    """

    def __init__(self, path: Path | None = None, *, wait: float = 30.0) -> None:
        self.path = default_path() if path is None else path
        self._engine, self._table = _open(self.path, wait)
        self._warned = False
        self._works = True
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _create(self._engine, self._table)
        except Exception as error:  # noqa: BLE001 - whatever it is, we work without
            self._works = False
            self._warn(error)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._works = False
        self._engine.dispose()

    def get(self, key: str, now: dt.datetime) -> Entry | None:
        """Return the entry of a key, None if there is none, or none any more at `now`."""
        if not self._works:
            return None
        table = self._table
        try:
            with self._engine.connect() as connection:
                row = connection.execute(table.select().where(table.c.key == key)).one_or_none()
        except Exception as error:  # noqa: BLE001 - whatever it is, we work without
            self._warn(error)
            return None
        if row is None or row.format != _FORMAT:
            return None
        try:
            entry = _unpacked(row.answer)
        except _NOT_OURS as error:
            self._warn(error)  # it is asked for anew and written over
            return None
        return None if entry.expires is not None and entry.expires <= now else entry

    def kept[M: Message](self, kind: type[M]) -> Iterator[tuple[dt.datetime, tuple[M, ...]]]:
        """Yield the answers that have messages of a kind, oldest first, expired ones too.

        Each comes with when it was kept. For who works without a gateway; what is expired may have
        changed since.
        """
        if not self._works:
            return
        table = self._table
        wanted = table.select().where(table.c.format == _FORMAT).order_by(table.c.stored)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(wanted).all()
        except Exception as error:  # noqa: BLE001 - whatever it is, we work without
            self._warn(error)
            return
        for row in rows:
            try:
                messages = _unpacked(row.answer).messages
                stored = dt.datetime.fromtimestamp(row.stored, _UTC)
            except _NOT_OURS as error:
                self._warn(error)
                continue
            if found := tuple(message for message in messages if isinstance(message, kind)):
                yield stored, found

    def put(self, key: str, request: Request, entry: Entry, *, now: dt.datetime) -> None:
        """Keep an entry, whole, in place of any before it.

        Parameters
        ----------
        key
            From `key_of`.
        request
            The request, for people who look into the file.
        entry
            What was answered.
        now
            When.

        """
        if not self._works:
            return
        from sqlalchemy.dialects.sqlite import insert  # noqa: PLC0415 - loaded by `_open`

        values = {
            "format": _FORMAT,
            "request": "|".join(fields_of_request(request)),
            "answer": _packed(entry),
            "code": entry.code,
            "text": entry.text,
            "stored": now.timestamp(),
            "expires": None if entry.expires is None else entry.expires.timestamp(),
        }
        statement = insert(self._table).values(key=key, **values)
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    statement.on_conflict_do_update(index_elements=["key"], set_=values)
                )
        except Exception as error:  # noqa: BLE001 - whatever it is, we work without
            self._warn(error)

    def prune(self, now: dt.datetime) -> int:
        """Forget what has expired; return how much that was."""
        return self._delete(self._table.c.expires <= now.timestamp())

    def clear(self) -> int:
        """Forget everything; return how much that was."""
        return self._delete(self._table.c.key.is_not(None))

    def __len__(self) -> int:
        """Return how many entries there are, expired ones too."""
        if not self._works:
            return 0
        from sqlalchemy import func, select  # noqa: PLC0415 - loaded by `_open`

        counted = select(func.count()).select_from(self._table)
        try:
            with self._engine.connect() as connection:
                return int(connection.execute(counted).scalar_one())
        except Exception as error:  # noqa: BLE001 - whatever it is, we work without
            self._warn(error)
            return 0

    def _delete(self, where: Any) -> int:  # noqa: ANN401 - an expression of SQLAlchemy
        if not self._works:
            return 0
        try:
            with self._engine.begin() as connection:
                return int(connection.execute(self._table.delete().where(where)).rowcount)
        except Exception as error:  # noqa: BLE001 - whatever it is, we work without
            self._warn(error)
            return 0

    def _warn(self, error: Exception) -> None:
        if self._warned:
            return
        self._warned = True
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        if any(words in text for words in _SPOILT):
            text += "; remove the file, then it is made anew"
        warnings.warn(
            f"the cache {self.path} cannot be used, so everything is asked for anew: {text}",
            CacheWarning,
            stacklevel=3,
        )


def _open(path: Path, wait: float) -> tuple[Engine, Table]:
    try:
        import sqlalchemy as sa  # noqa: PLC0415 - only who keeps answers needs it
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the cache {path} needs SQLAlchemy: pip install 'pyfutures[ib]'", name=error.name
        ) from None
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": wait}
    )

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _: object) -> None:  # noqa: ANN401 - sqlite3's own
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            # Another process may just be doing it; without it all is as safe, only slower.
            with contextlib.suppress(connection.OperationalError):
                connection.execute(f"PRAGMA {pragma}")

    table = sa.Table(
        "answers",
        sa.MetaData(),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("format", sa.Integer, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("stored", sa.Float, nullable=False),
        sa.Column("expires", sa.Float, index=True),
    )
    return engine, table


def _create(engine: Engine, table: Table) -> None:
    from sqlalchemy.schema import CreateIndex, CreateTable  # noqa: PLC0415 - loaded by `_open`

    # Each asks and creates at once: another process may be doing the same, or have died half way.
    with engine.begin() as connection:
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))


def _packed(entry: Entry) -> bytes:
    """Return an entry, with a checksum: SQLite has none, and a file that was cut reads as zeros."""
    rows = [_HEARD.write(message) for message in entry.messages]
    expires = None if entry.expires is None else entry.expires.timestamp()
    parts = [entry.code, entry.text, expires, rows]
    return zlib.compress(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode())


def _unpacked(data: bytes) -> Entry:
    code, text, expires, rows = json.loads(zlib.decompress(data))
    if not isinstance(rows, list) or not all(isinstance(row, list) and row for row in rows):
        raise ValueError("no list of messages")
    found = tuple(_SAID.read([str(field) for field in row]) for row in rows)
    for message in found:
        if isinstance(message, Unknown):
            raise ValueError(f"a message of a kind that is not known: {message.fields[0]}")  # noqa: TRY004 - of data, not of code
    until = None if expires is None else dt.datetime.fromtimestamp(expires, _UTC)
    return Entry(found, int(code), str(text), until)
