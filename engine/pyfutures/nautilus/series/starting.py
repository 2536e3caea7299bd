"""How a roll actor starts: its root, its store, its place in the chain, what was stored.

Rules of this file. The position at the broker says where it starts, else the store, else the
calendar. Nothing is subscribed to and nothing is asked for before all of it agrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyfutures.chain.catalog import Catalog
from pyfutures.continuous.bars import instant
from pyfutures.continuous.machine import Missing, Policy, RollMachine
from pyfutures.continuous.policies import UTC_DAYS, TradingDays
from pyfutures.download.windows import TradingTimes
from pyfutures.months import ContractMonth
from pyfutures.nautilus.instruments import instrument_id
from pyfutures.nautilus.series.catching_up import CatchingUpActor, line
from pyfutures.nautilus.series.guarded_actor import RollActorError
from pyfutures.nautilus.series.placing import Place, place
from pyfutures.nautilus.series.root_bars import CONTINUOUS, RootBars, root_bar_type
from pyfutures.nautilus.types import ContinuousBarData
from pyfutures.specs.model import Anchor, OffsetUnit

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Mapping

    from pyfutures.chain import Chain
    from pyfutures.continuous.bars import ContinuousBar
    from pyfutures.nautilus.series.keeping import Keeping

__all__ = ["StartingActor"]

_NS: Final = 10**9
_BEAT_SECS: Final = 15.0  # well within a lease's time to live
_NEAR: Final = 15  # years around now in which contracts can be held


class StartingActor(CatchingUpActor):
    """The start of a roll actor."""

    bars: deque[ContinuousBar]
    _given: Chain | None
    _name: str
    _loaded: dict[str, Any] | None
    _machine: RollMachine | None
    _keeping: Keeping | None

    def _begin(self) -> None:
        config = self.config
        if self.is_live:
            self._stay_on_this_thread()
        self._chain = self._given or self._load()
        self._venue = config.venue or self._chain.spec.exchange
        spec = config.bar_spec
        self._bar_type = root_bar_type(self._name, CONTINUOUS, self._venue, spec)
        self._native = RootBars(self._chain, self._name, venue=self._venue, bar_spec=spec)
        self._times = TradingTimes(self._chain)
        if config.store is not None:
            self._open_store(config.store)
        held = self._held()
        self._machine = self._new_machine(self._place(held, None, ()).month)
        self._take_up(held)
        self._refuse_a_clock_behind()
        self.log.info(line(self._name, "starting in", self.machine.month))
        if self._keeping is not None:
            self.bars.extend(self._keeping.log.last_bars(config.capacity))
            if self.bars:
                self._last_ns = self.bars[-1].ts
                self._remember(ContinuousBarData(self.bars[-1], self._now(), self._bar_type))
            self._keeping.file()
        if self.is_live:
            self._catch_up()
        else:
            self._go_on()

    def _refuse_a_clock_behind(self) -> None:
        """Refuse to go on with a series that is ahead of the clock: no roll would be in time."""
        newest = self.machine.closed_ts
        if newest is None or not self.is_live or newest <= self._now() + self._grace:
            return
        raise RollActorError(
            f"{self._name}: the series has a bar of {instant(newest)}, and the clock says"
            f" {instant(self._now() // _NS * _NS)}: set the clock right"
        )

    def _load(self) -> Chain:
        config = self.config
        return Catalog.load(*config.contracts, roots=[config.root])[config.root]

    def _open_store(self, target: str) -> None:
        from pyfutures.nautilus.series.keeping import Keeping  # noqa: PLC0415 - SQLAlchemy, if it is used

        config = self.config
        account = self._account() if self.is_live else None
        self._keeping = Keeping(target, config.root, account=account, trader=str(self.trader_id))
        if account is not None and not config.replay:
            self._every(_BEAT_SECS, "beat", self._keeping.beat)

    def _account(self) -> str:
        if self.config.account_id is not None:
            return str(self.config.account_id)
        accounts = [str(account.id) for account in self.cache.accounts()]
        if len(accounts) > 1:
            raise RollActorError(
                f"{self.config.root}: {len(accounts)} accounts ({', '.join(accounts)}); name one"
                " with `account_id`"
            )
        # A node without an account only keeps series.
        return accounts[0].partition("-")[2] or accounts[0] if accounts else "none"

    def _held(self) -> dict[ContractMonth, int]:
        """Return the signed quantity of this root by month."""
        now = self.clock.utc_now()
        ids = {
            str(instrument_id(self._chain, month, venue=self.config.venue)): month
            for month in self._chain.months
            if abs(month.year - now.year) <= _NEAR
        }
        held: dict[str, int] = {}
        account = self.config.account_id
        for position in self.cache.positions_open():
            name = str(position.instrument_id)
            is_ours = account is None or str(position.account_id).partition("-")[2] == account
            if name in ids and is_ours:
                held[name] = held.get(name, 0) + int(position.signed_qty)
        if self._keeping is not None:
            held = self._keeping.mine(held)
        return {ids[name]: quantity for name, quantity in held.items() if quantity}

    def _place(
        self,
        held: Mapping[ContractMonth, int],
        stored: ContractMonth | None,
        left: tuple[ContractMonth, ...],
    ) -> Place:
        now = self._now()
        return place(
            self._calendar(),
            held,
            stored=stored,
            left=left,
            expired=[month for month in held if self._has_expired(month)],
            has_intent=self._keeping is not None and self._keeping.has_intent,
            now_ns=now,
            wanted=None if self.config.start is None else ContractMonth.parse(self.config.start),
        )

    def _calendar(self) -> Any:  # noqa: ANN401 - RollCalendar
        config = self.config
        return self._chain.roll_calendar(
            hold=config.hold,
            priced=config.priced,
            anchor=None if config.anchor is None else Anchor(config.anchor),
            offset=config.offset,
            unit=None if config.unit is None else OffsetUnit(config.unit),
            carry=config.carry,
        )

    def _new_machine(self, start: ContractMonth) -> RollMachine:
        config, hours = self.config, self._chain.spec.hours
        return RollMachine(
            self._calendar(),
            start=start,
            end=None if config.end is None else ContractMonth.parse(config.end),
            policy=Policy(config.policy),
            missing=Missing(config.missing),
            lag=config.lag,
            sessions=UTC_DAYS if hours is None else TradingDays(hours.close, hours.zone),
            grace=self._grace,
        )

    def _take_up(self, held: Mapping[ContractMonth, int]) -> None:
        """Go on with what was stored, if something was."""
        machine, keeping = self.machine, self._keeping
        if keeping is None:
            if self._loaded is not None:
                self._machine = self._resumed(self._loaded)
                self._place(held, self._machine.month, ())
            return
        log = keeping.open_series(
            self._name, machine, bar_spec=self.config.bar_spec, rebuild=self.config.rebuild
        )
        if self.config.catalog is not None:
            keeping.open_archive(self.config.catalog, self._bar_type)
        if log.state is not None:
            machine = self._machine = self._resumed(log.state)
            if count := keeping.take_back(machine, now_ns=self._now()):
                words = f"{count} bars of the catalogue are not in the store: an older copy of it?"
                self.log.warning(line(self._name, words, "They are taken back"))
        elif not self.config.rebuild:
            restored = keeping.restore(lambda bar: self._new_machine(bar.month), now_ns=self._now())
            if restored is not None:
                self.log.warning(line(self._name, "rebuilt from the catalogue:", len(log), "bars"))
                self._machine = restored
        machine = self.machine
        if machine.closed_ts is not None:
            found = self._place(held, machine.month, tuple(roll.old for roll in log.rolls()))
            if found.held not in {None, machine.month} or found.is_moving:
                self.log.warning(
                    line(self._name, "the position is still in", found.held, "and must follow")
                )
        self._begun_ns = None if log.is_new else log.created_ns
        keeping.append((), machine, now_ns=self._now())

    def _resumed(self, state: Mapping[str, Any]) -> RollMachine:
        from pyfutures.nautilus.series.keeping import patched  # noqa: PLC0415 - as for the store

        machine = self.machine
        return RollMachine.resume(
            machine.calendar, patched(state, machine), sessions=machine.sessions
        )
