"""Continuous series on disk: bars, rolls and the state of the roll machine, as they come.

Rules of this file. What one call of `append` is given is written in one transaction: the state that
is found later is always the one right after the last bar and roll that are found. What a bar or a
roll stores never changes; only the instant of the first bar after a roll is added when it comes.
Bars are read piece by piece: nothing here grows with the length of a series.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from pyfutures.continuous.bars import (
    Bar,
    ContinuousBar,
    Event,
    Roll,
)
from pyfutures.continuous.series import roll_of
from pyfutures.months import ContractMonth
from pyfutures.store.changes import calendar_changes, policy_changes
from pyfutures.store.errors import SeriesChangedError, SeriesConflictError, StoreError
from pyfutures.store.leases import leased
from pyfutures.store.series_rows import SeriesRows, bar_of, json_text
from pyfutures.store.tables import bars, refusals, rolls, series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pyfutures.chain.rolls import RollCalendar
    from pyfutures.store.database import Database
    from pyfutures.store.leases import Lease

__all__ = ["Refusal", "Segment", "SeriesDefinition", "SeriesLog"]

_INT64: Final = 2**63
_PIECE: Final = 4096  # bars read at a time
# Made once: to make a statement takes longer than to carry it out.
_WRITTEN: Final = (
    series.update()
    .where(series.c.id == sa.bindparam("series"), series.c.writes == sa.bindparam("before"))
    .values(
        {name: sa.bindparam(name) for name in ("state", "month", "last_ts", "writes", "written_ns")}
    )
)


@dataclass(frozen=True, slots=True)
class SeriesDefinition:
    """What makes a series the one it is.

    Parameters
    ----------
    name
        Its name in the store; several series of one root differ in it.
    calendar
        Its held months and their roll windows.
    start
        The month that is current at first, if the series is new.
    bar_spec
        Its bars, ``1-DAY-LAST-EXTERNAL``.
    policy, missing
        When it rolls, and what it does while a price is missing; whatever names them fully.
    fingerprint
        Hash of the compiled rows and of the policies, `RollMachine.fingerprint`.

    """

    name: str
    calendar: RollCalendar
    start: ContractMonth
    bar_spec: str
    policy: str
    missing: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Segment:
    """The stretch of a series between two rolls, and what adjusts its prices.

    Parameters
    ----------
    month
        The month that is current in it.
    first_ts
        Its first bar; None if there is none yet.
    C, R
        Sum of gaps (1e-9) and product of ratios of all rolls before it.

    """

    month: ContractMonth
    first_ts: int | None
    C: int
    R: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """A bar that was refused since what was stored first stands.

    Parameters
    ----------
    at_ns
        When.
    kind
        ``revised`` or ``late``.
    refused, kept
        The bar, and the one that stands; None if there was none of its month.

    """

    at_ns: int
    kind: str
    refused: Bar
    kept: Bar | None


class SeriesLog:
    """One continuous series in a store. Take it from `Store.series`.

    Attributes
    ----------
    definition
        What it is.
    generation
        Grows by one with each rebuild; the older ones stay in the database.
    month
        The current month; the first one of a series that is new.
    last_ts
        The last bar, None if there is none.
    is_new
        Whether nothing was found when it was opened.
    created_ns
        When it was begun, by the clock of the store.

    """

    def __init__(
        self,
        database: Database,
        definition: SeriesDefinition,
        *,
        lease: Lease | None = None,
        rebuild: bool = False,
    ) -> None:
        self.definition = definition
        self._database = database
        self._lease = lease
        with leased(database, lease) as connection:
            row = self._newest(connection)
            if row is not None and not rebuild:
                self._check(connection, row)
                self.is_new = row.state == ""
                self._adopt(connection, row)
            else:
                self.is_new = True
                generation = 1 if row is None else row.generation + 1
                row = self._create(connection, generation)
        self._id: int = row.id
        self._writes: int = row.writes
        self._state: str = row.state
        self.generation: int = row.generation
        self.created_ns: int = row.created_ns
        self.start = ContractMonth.parse(row.start)
        self.month = ContractMonth.parse(row.month)
        self.last_ts: int | None = row.last_ts

    # What is there

    @property
    def state(self) -> dict[str, Any] | None:
        """State of the roll machine after the last call of `append`; None before the first."""
        return json.loads(self._state) if self._state else None

    def bars(
        self, *, since_ns: int | None = None, until_ns: int | None = None
    ) -> Iterator[ContinuousBar]:
        """Give the bars from `since_ns` to `until_ns`, both included, oldest first."""
        query = sa.select(bars).where(bars.c.series_id == self._id)
        if since_ns is not None:
            query = query.where(bars.c.ts >= since_ns)
        if until_ns is not None:
            query = query.where(bars.c.ts <= until_ns)
        with self._database.reading() as connection:
            found = connection.execution_options(yield_per=_PIECE).execute(
                query.order_by(bars.c.ts)
            )
            for row in found:
                yield bar_of(row, self.definition.calendar.root)

    def last_bars(self, count: int) -> tuple[ContinuousBar, ...]:
        """Return the last bars, oldest first."""
        query = sa.select(bars).where(bars.c.series_id == self._id)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(bars.c.ts.desc()).limit(count)).all()
        return tuple(bar_of(row, self.definition.calendar.root) for row in reversed(rows))

    def rolls(self) -> tuple[Roll, ...]:
        """Return the rolls, oldest first."""
        with self._database.reading() as connection:
            return self._rolls(connection, self._id)

    def segments(self) -> tuple[Segment, ...]:
        """Return the segments with their offsets, oldest first."""
        query = sa.select(sa.func.min(bars.c.ts)).where(bars.c.series_id == self._id)
        with self._database.reading() as connection:
            first = connection.execute(query).scalar()
            made = self._rolls(connection, self._id)
        return (
            Segment(self.start, first, 0, 1.0),
            *(Segment(roll.new, roll.first_new_ts, roll.C, roll.R) for roll in made),
        )

    def refusals(self) -> tuple[Refusal, ...]:
        """Return the bars that were refused, oldest first."""
        query = sa.select(refusals).where(refusals.c.series_id == self._id)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(refusals.c.id)).all()
        return tuple(
            Refusal(
                row.at_ns,
                row.kind,
                Bar.from_data(json.loads(row.refused)),
                None if row.kept is None else Bar.from_data(json.loads(row.kept)),
            )
            for row in rows
        )

    def __len__(self) -> int:
        query = sa.select(sa.func.count()).where(bars.c.series_id == self._id)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    # What is written

    def append(self, events: Iterable[Event], state: Mapping[str, Any], *, now_ns: int) -> None:
        """Write what the roll machine said, and its state after it, in one transaction.

        Parameters
        ----------
        events
            Bars, rolls and refusals, in the order in which they came. None at all is fine: the
            state alone holds the legs of the timestamp that is still open.
        state
            `RollMachine.state`.
        now_ns
            When, by the clock of the caller.

        Raises
        ------
        SeriesConflictError
            If another process has written to the series since this one did.
        LeaseLostError
            If the lease is lost.
        StoreError
            If a sum of gaps is more than the store can hold.

        """
        parts = SeriesRows(self._id, now_ns)
        for event in events:
            parts.take(event)
        text = json_text(state)
        month, last_ts = str(state["month"]), parts.last_ts or self.last_ts
        written = {
            "series": self._id,
            "before": self._writes,
            "state": text,
            "month": month,
            "last_ts": last_ts,
            "writes": self._writes + 1,
            "written_ns": now_ns,
        }
        with leased(self._database, self._lease) as connection:
            if connection.execute(_WRITTEN, written).rowcount != 1:
                raise SeriesConflictError(
                    f"{self.definition.name}: another process has written to this series; only one"
                    " may: stop the other, then start again"
                )
            parts.write(connection)
        self._state = text
        self._writes += 1
        self.month = ContractMonth.parse(month)
        self.last_ts = last_ts

    # How it is done

    def _newest(self, connection: sa.Connection) -> sa.Row[Any] | None:
        query = sa.select(series).where(series.c.name == self.definition.name)
        return connection.execute(query.order_by(series.c.generation.desc()).limit(1)).one_or_none()

    def _create(self, connection: sa.Connection, generation: int) -> sa.Row[Any]:
        new = self.definition
        now = self._database.now_ns(connection)
        values = {
            **self._rules(),
            "name": new.name,
            "generation": generation,
            "root": new.calendar.root,
            "start": str(new.start),
            "bar_spec": new.bar_spec,
            "state": "",
            "month": str(new.start),
            "writes": 0,
            "created_ns": now,
            "written_ns": now,
        }
        connection.execute(series.insert().values(values))
        row = self._newest(connection)
        if row is None:
            raise AssertionError(f"{new.name}: the row just written is not there")
        return row

    def _rules(self) -> dict[str, str]:
        new = self.definition
        return {
            "policy": new.policy,
            "missing": new.missing,
            "fingerprint": new.fingerprint,
            "calendar": json.dumps([str(row) for row in new.calendar]),
        }

    def _check(self, connection: sa.Connection, row: sa.Row[Any]) -> None:
        """Refuse rules that do not go with what is stored."""
        new = self.definition
        for what, then, now in (
            ("root", row.root, new.calendar.root),
            ("bars", row.bar_spec, new.bar_spec),
        ):
            if then != now:
                raise StoreError(
                    f"{new.name}: the stored series has {what} {then}, not {now}: give the new"
                    " series a name of its own"
                )
        if row.fingerprint == new.fingerprint:
            return
        made = self._rolls(connection, row.id)
        differences = policy_changes(
            (row.policy, row.missing), (new.policy, new.missing), made
        ) + calendar_changes(
            json.loads(row.calendar),
            new.calendar,
            start=row.start,
            month=row.month,
            last_ts=row.last_ts,
            rolls=made,
        )
        if differences:
            raise SeriesChangedError(new.name, differences)

    def _adopt(self, connection: sa.Connection, row: sa.Row[Any]) -> None:
        """Write down new rules that change nothing of the past."""
        if row.fingerprint != self.definition.fingerprint:
            connection.execute(series.update().where(series.c.id == row.id).values(self._rules()))

    @staticmethod
    def _rolls(connection: sa.Connection, series_id: int) -> tuple[Roll, ...]:
        query = sa.select(rolls.c.roll, rolls.c.first_new_ts).where(rolls.c.series_id == series_id)
        rows = connection.execute(query.order_by(rolls.c.last_old_ts)).all()
        return tuple(
            replace(roll_of(json.loads(row.roll)), first_new_ts=row.first_new_ts) for row in rows
        )
