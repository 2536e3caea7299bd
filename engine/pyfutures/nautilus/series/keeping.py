"""Where a roll actor's series is kept: the store with its lease, and the catalogue.

Rules of this file. What the machine said is in the store before anybody else hears of it. The store
is the truth; the catalogue is a copy that is brought up to date now and then, and what the series
is built from again if the store is lost. A series is taken back from a catalogue only if the
machine makes the very same bars and rolls of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.continuous.bars import ContinuousBar, Roll, Time
from pyfutures.continuous.policies import Missing, Policy
from pyfutures.nautilus.series.archive import Archive
from pyfutures.nautilus.series.exports import export_series
from pyfutures.store import Owner, SeriesDefinition, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from nautilus_trader.model.data import BarType

    from pyfutures.continuous.bars import Event
    from pyfutures.continuous.machine import RollMachine
    from pyfutures.store import Lease, SeriesLog

__all__ = ["Keeping", "KeepingError", "patched"]


class KeepingError(RuntimeError):
    """A catalogue that does not go with the rules of the series."""


class Keeping:
    """A store, what is held of it, and a catalogue beside it.

    Parameters
    ----------
    target
        File or URL of the store.
    root
        Root of the series.
    account, trader
        For the lease: the account, and the node's trader id. None in a backtest, which is alone.

    Raises
    ------
    LeaseHeldError
        If another node has the account and root.
    StoreError
        If the store cannot be opened.

    """

    def __init__(
        self, target: str, root: str, *, account: str | None, trader: str | None = None
    ) -> None:
        self.store = Store.open(target, synced=account is not None)
        self.account = account
        self.lease: Lease | None = None
        self._root = root
        self._log: SeriesLog | None = None
        self._archive: Archive | None = None
        if account is not None:
            try:
                self.lease = self.store.lease(account, root, Owner.here(trader or root))
            except BaseException:  # refused or not, no connection is left open
                self.store.close()
                raise

    @property
    def log(self) -> SeriesLog:
        """The series, once it is open."""
        if self._log is None:
            raise AssertionError(f"{self._root}: the series is not open")
        return self._log

    def close(self) -> None:
        """Let go of the lease, and close the store."""
        try:
            if self.lease is not None:
                self.lease.release()
        finally:
            self.store.close()

    # Starting

    def mine(self, held: Mapping[str, int]) -> dict[str, int]:
        """Return what of the broker's position is this root's: all that no other root has."""
        if self.account is None:
            return dict(held)
        ledgers = self.store.positions(self.account)
        others = [ledger for root, ledger in ledgers.items() if root != self._root]
        return {
            contract: quantity - sum(ledger.get(contract, 0) for ledger in others)
            for contract, quantity in held.items()
        }

    @property
    def has_intent(self) -> bool:
        """Whether an intent to move the position is open."""
        if self.account is None:
            return False
        return bool(self.store.open_intents(self.account, self._root))

    def open_series(
        self,
        name: str,
        machine: RollMachine,
        *,
        bar_spec: str,
        rebuild: bool = False,
    ) -> SeriesLog:
        """Return the series that a new machine would begin, found or new.

        Raises
        ------
        SeriesChangedError
            If the rules have changed in what has passed.
        """
        policy = machine.policy.value
        if machine.policy.is_crossing:
            policy = f"{policy} lag {machine.lag} sessions {machine.sessions}"
        definition = SeriesDefinition(
            name=name,
            calendar=machine.calendar,
            start=machine.month,
            bar_spec=bar_spec,
            policy=policy,
            missing=machine.missing.value,
            fingerprint=machine.fingerprint,
        )
        self._log = self.store.series(definition, lease=self.lease, rebuild=rebuild)
        return self._log

    def open_archive(self, path: str | Path, bar_type: BarType) -> None:
        """Use a catalogue."""
        self._archive = Archive(path, bar_type)

    def restore(
        self, begin: Callable[[ContinuousBar], RollMachine], *, now_ns: int
    ) -> RollMachine | None:
        """Take a series that is new from the catalogue; None if there is nothing.

        Parameters
        ----------
        begin
            Makes a machine that starts with a bar.
        now_ns
            Now.

        Raises
        ------
        KeepingError
            If the machine does not make the same series of it.
        """
        if self._archive is None or not self.log.is_new:
            return None
        known = self._archive.bars()
        if not known:
            return None
        machine = begin(known[0])
        self._replay(known, machine, now_ns=now_ns)
        return machine

    def take_back(self, machine: RollMachine, *, now_ns: int) -> int:
        """Take what the catalogue has and the store has not: the store is an older copy of itself.

        Without it the broker's history, as it is now, would write other values for the same bars.

        Raises
        ------
        KeepingError
            If the machine does not make the same series of it.
        """
        archive, last = self._archive, self.log.last_ts
        if archive is None or last is None or (archive.last_ts or 0) <= last:
            return 0
        known = archive.bars(since_ns=last + 1)
        self._replay(known, machine, now_ns=now_ns)
        return len(known)

    def _replay(self, known: Sequence[ContinuousBar], machine: RollMachine, *, now_ns: int) -> None:
        """Feed bars of the catalogue, and write what comes of them if it is the same."""
        events: list[Event] = []
        for bar in known:
            for leg in (bar.current, bar.forward, bar.carry, bar.previous):
                if leg is not None:
                    events.extend(machine.feed(leg))
        events.extend(machine.feed(Time(known[-1].ts + machine.grace)))
        made = [event for event in events if isinstance(event, ContinuousBar)]
        rolls = [event for event in events if isinstance(event, Roll)]
        first, last = known[0].ts, known[-1].ts
        archived = [] if self._archive is None else self._archive.rolls()
        told = [roll for roll in archived if first <= roll.last_old_ts <= last]
        for one, other in ((made, list(known)), (_plain(rolls), _plain(told))):
            if one != other:
                raise KeepingError(
                    f"{self._root}: the catalogue has a series that these rules do not make of the"
                    " same bars: use the rules that it was made by, or move it away"
                )
        self.log.append(events, machine.state(), now_ns=now_ns)

    # Going on

    def append(self, events: Iterable[Event], machine: RollMachine, *, now_ns: int) -> None:
        """Write what the machine said, and what it remembers."""
        self.log.append(events, machine.state(), now_ns=now_ns)

    def file(self) -> int:
        """Append to the catalogue what is new; return how many bars."""
        if self._archive is None:
            return 0
        last = self._archive.last_ts
        since = None if last is None else last + 1
        return self._archive.append(self.log.bars(since_ns=since), self.log.rolls())

    def export(self, machine: RollMachine, path: str | Path) -> int:
        """Write the series to a parquet file; return how many bars."""
        return export_series(self.log, machine, path)

    def beat(self) -> None:
        """Say that the node lives."""
        if self.lease is not None:
            self.lease.beat()


def patched(state: Mapping[str, Any], machine: RollMachine) -> dict[str, Any]:
    """Return a stored state with the settings of a new machine, as far as they may change."""
    changed = dict(state)
    end = None if machine.end is None else str(machine.end)
    policy, missing = Policy(state["policy"]), Missing(state["missing"])
    changed |= {"grace": machine.grace, "end": end, "lag": machine.lag}
    if missing is not machine.missing:
        changed["missing"] = machine.missing.value
    if policy is not machine.policy:
        # No roll was made by the old one, or the store would have refused.
        fresh = machine.state()
        changed |= {name: fresh[name] for name in ("policy", "sessions", "crossing")}
    return changed


def _plain(rolls: Iterable[Roll]) -> list[tuple[object, ...]]:
    return [(x.last_old_ts, x.old, x.new, x.pre_price, x.post_price, x.reason) for x in rolls]
