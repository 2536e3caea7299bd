"""The tables of a store, version 2; version 1 had no targets.

Prices are whole numbers of 1e-9, instants nanoseconds UTC, months texts such as 2026H; a nan is
NULL. What is JSON is text, so that both databases give back the very bytes that were written.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

__all__ = [
    "SCHEMA_VERSION",
    "audit",
    "bars",
    "fills",
    "intents",
    "leases",
    "ledger",
    "meta",
    "metadata",
    "refusals",
    "rolls",
    "series",
    "targets",
]

SCHEMA_VERSION: Final = 2
metadata: Final = sa.MetaData()

# SQLite numbers rows by itself only where the key is an INTEGER.
_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, primary_key=True, autoincrement=True)


def _series_id() -> sa.Column[int]:
    return sa.Column("series_id", _NUMBER, sa.ForeignKey("pyf_series.id"), primary_key=True)


meta: Final = sa.Table(
    "pyf_meta",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

series: Final = sa.Table(
    "pyf_series",
    metadata,
    _number("id"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("start", sa.Text, nullable=False),
    sa.Column("bar_spec", sa.Text, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("missing", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("calendar", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("month", sa.Text, nullable=False),
    sa.Column("last_ts", sa.BigInteger),
    sa.Column("writes", sa.BigInteger, nullable=False),
    sa.Column("created_ns", sa.BigInteger, nullable=False),
    sa.Column("written_ns", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("name", "generation"),
)

bars: Final = sa.Table(
    "pyf_bars",
    metadata,
    _series_id(),
    sa.Column("ts", sa.BigInteger, primary_key=True),
    sa.Column("month", sa.Text, nullable=False),
    sa.Column("open", sa.BigInteger),
    sa.Column("high", sa.BigInteger),
    sa.Column("low", sa.BigInteger),
    sa.Column("close", sa.BigInteger),
    sa.Column("volume", sa.Double),
    sa.Column("open_interest", sa.Double),
    sa.Column("legs", sa.Text, nullable=False),
    sa.Column("C", sa.BigInteger, nullable=False),
    sa.Column("R", sa.Double),
    sa.Column("roll_date", sa.Text, nullable=False),
    sa.Column("deadline", sa.Text, nullable=False),
    sa.Column("rolled", sa.Boolean, nullable=False),
)

rolls: Final = sa.Table(
    "pyf_rolls",
    metadata,
    _series_id(),
    sa.Column("last_old_ts", sa.BigInteger, primary_key=True),
    sa.Column("first_new_ts", sa.BigInteger),
    sa.Column("old", sa.Text, nullable=False),
    sa.Column("new", sa.Text, nullable=False),
    sa.Column("C", sa.BigInteger, nullable=False),
    sa.Column("R", sa.Double),
    sa.Column("roll", sa.Text, nullable=False),
)

refusals: Final = sa.Table(
    "pyf_refusals",
    metadata,
    _number("id"),
    sa.Column("series_id", _NUMBER, sa.ForeignKey("pyf_series.id"), nullable=False, index=True),
    sa.Column("at_ns", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    sa.Column("month", sa.Text, nullable=False),
    sa.Column("kept", sa.Text),
    sa.Column("refused", sa.Text, nullable=False),
)

leases: Final = sa.Table(
    "pyf_leases",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("root", sa.Text, primary_key=True),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("holders", sa.Integer, nullable=False),
    sa.Column("since_ns", sa.BigInteger, nullable=False),
    sa.Column("beat_ns", sa.BigInteger, nullable=False),
    sa.Column("ttl_ns", sa.BigInteger, nullable=False),
)

intents: Final = sa.Table(
    "pyf_intents",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("begun_ns", sa.BigInteger, nullable=False),
    sa.Column("ended_ns", sa.BigInteger),
    sa.Column("outcome", sa.Text),
    sa.Index("pyf_intents_open", "account", "root", "ended_ns"),
)

ledger: Final = sa.Table(
    "pyf_ledger",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("root", sa.Text, primary_key=True),
    sa.Column("strategy", sa.Text, primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("quantity", sa.BigInteger, nullable=False),
)

targets: Final = sa.Table(
    "pyf_targets",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("root", sa.Text, primary_key=True),
    sa.Column("strategy", sa.Text, primary_key=True),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("configured", sa.BigInteger),
    sa.Column("opens", sa.Boolean, nullable=False),
    sa.Column("set_ns", sa.BigInteger, nullable=False),
)

fills: Final = sa.Table(
    "pyf_fills",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("execution", sa.Text, primary_key=True),
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("at_ns", sa.BigInteger, nullable=False),
)

audit: Final = sa.Table(
    "pyf_audit",
    metadata,
    _number("id"),
    sa.Column("at_ns", sa.BigInteger, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("intent", sa.Text),
    sa.Column("order_ref", sa.Text),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("pyf_audit_of", "account", "root", "id"),
)
