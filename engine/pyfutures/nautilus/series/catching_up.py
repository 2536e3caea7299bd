"""How a roll actor is brought up to date, and kept so: subscriptions, history, what is overdue.

Rules of this file. A month is subscribed to before its history is asked for, and what comes live
waits until history has been fed: so nothing falls between the two. An answer with nothing in it is
taken for a failure where trading hours say that there must be something; it is asked for again, and
in the end the start fails.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Final

from nautilus_trader.model.data import BarType
from nautilus_trader.model.identifiers import ClientId

from pyfutures.nautilus.instruments import instrument_id
from pyfutures.nautilus.series.guarded_actor import GuardedActor, RollActorError
from pyfutures.nautilus.series.recovery import Recovery

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.continuous.bars import Bar
    from pyfutures.months import ContractMonth
    from pyfutures.nautilus.actor_config import RollActorConfig

__all__ = ["CatchingUpActor"]

_NS: Final = 10**9
_REVIEWED: Final = 20  # stored bars that history is compared with
_DAY: Final = dt.timedelta(days=1)
_STEPS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600}


class CatchingUpActor(GuardedActor):
    """Subscriptions and history of a roll machine.

    Parameters
    ----------
    config
        Of the actor.

    Attributes
    ----------
    counts : dict of str to int
        Bars refused as late or revised, feeds found overdue, requests that had to be repeated.
    """

    def __init__(self, config: RollActorConfig) -> None:
        super().__init__(config)
        self._grace = round(config.grace_secs * _NS)
        self._clear_feeds()

    def _clear_feeds(self) -> None:
        self.counts = dict.fromkeys(("late", "revised", "overdue", "asked_again"), 0)
        self._recovery: Recovery | None = None
        self._held_back: list[Bar] = []
        self._past: dict[BarType, list[Bar]] = {}
        self._tries: dict[ContractMonth, int] = {}
        self._subscribed: dict[BarType, ContractMonth] = {}
        self._unknown: set[BarType] = set()  # wanted, but the broker does not have it
        self._last_ns = 0  # the newest bar of the current month
        self._strikes = 0
        self._begun_ns: int | None = None  # when a series was begun that has no bar yet

    @property
    def is_catching_up(self) -> bool:
        """Whether history is being fed; nothing is said of the current month until then."""
        return self._recovery is not None

    # History

    def _catch_up(self) -> None:
        """Ask for the history that is missing."""
        machine = self.machine
        stored = () if self._keeping is None else self._keeping.log.last_bars(_REVIEWED)
        if stored:
            since = stored[0].ts
        elif (known := machine.closed_ts or machine.open_ts) is not None:
            since = known
        elif self._begun_ns is not None and not self.config.replay:
            since = self._begun_ns
        elif self.config.history_days:
            since = max(0, self._now() - round(self.config.history_days * 86_400) * _NS)
        else:
            self._go_on()
            return
        self._recovery = Recovery(machine, since_ns=since, stored=stored)
        self._ask()

    def _ask(self) -> None:
        """Subscribe to months and ask for their history, in this order, so that none is missed."""
        recovery = self._require_recovery()
        self._subscribe()
        for month in recovery.to_ask():
            # Behind the subscription, so that no bar falls between the two.
            self._with_instrument(self._bar_type_of(month), partial(self._request, month))
        if recovery.is_done and not recovery.is_waiting:
            self._caught_up()

    def _request(self, month: ContractMonth, _: BarType | None = None) -> None:
        if self._recovery is None:
            return
        bar_type = self._bar_type_of(month)
        self._past[bar_type] = []
        self._tries[month] = self._tries.get(month, 0) + 1
        self.request_bars(
            bar_type,
            start=_moment(self._recovery.since_ns),
            client_id=self._client(),
            callback=lambda _: self._answered(month),
        )
        self._once(self.config.history_secs, f"history-{month}", lambda: self._ask_again(month))

    def _ask_again(self, month: ContractMonth) -> None:
        if self._recovery is None:
            return
        if self._tries[month] >= self.config.history_tries:
            raise RollActorError(
                f"no history of {self._bar_type_of(month)} since"
                f" {_moment(self._recovery.since_ns)}, asked for {self._tries[month]} times; see"
                " the log of the data client"
            )
        self.counts["asked_again"] += 1
        self.log.warning(_line(self._name, "history of", month, "is asked for again"))
        self._request(month)

    def _answered(self, month: ContractMonth) -> None:
        """Take the history of a month."""
        recovery, bar_type = self._recovery, self._bar_type_of(month)
        if recovery is None or bar_type not in self._past or self.failure is not None:
            return
        try:
            bars = self._past[bar_type]
            if not bars and self._is_needed(month):
                return  # asked for again by its alert
            del self._past[bar_type]
            self._cancel(self._timer(f"history-{month}"))
            self._take(recovery.bring(month, bars))
            self._feed_all(recovery.ready())
            self._ask()
        except Exception as error:  # as in on_bar
            raise self._fail(error, month) from error

    def _is_needed(self, month: ContractMonth) -> bool:
        """Whether an empty answer must be an error: a session of the current month has passed."""
        machine = self.machine
        if month != machine.month or machine.closed_ts is None:
            return False
        first, last = _moment(machine.closed_ts).date(), self._today()
        closes = [session.close_ns for session in self._times.between(first, last)]
        return any(machine.closed_ts < close <= self._now() - self._grace for close in closes)

    def _caught_up(self) -> None:
        """Feed what came meanwhile, and go on live."""
        self._recovery = None
        held_back, self._held_back = self._held_back, []
        closed = self.machine.closed_ts
        waiting = (bar for bar in held_back if closed is None or bar.ts > closed)
        self._feed_all(sorted(waiting, key=lambda bar: (bar.ts, bar.month)))
        self._past.clear()
        self._go_on()

    def _require_recovery(self) -> Recovery:
        if self._recovery is None:
            raise AssertionError(f"{self._name}: nothing is missing")
        return self._recovery

    def _month_of(self, bar_type: BarType) -> ContractMonth:
        return next(m for m in self._tries if self._bar_type_of(m) == bar_type)

    # Subscriptions

    def _subscribe(self) -> None:
        """Change the subscriptions to what the machine wants, as far as it still trades."""
        wanted = {
            self._bar_type_of(month): month
            for month in self.machine.wanted()
            if not self.is_live or not self._has_expired(month)
        }
        before, self._subscribed = self._subscribed, wanted
        # In the order of months, so that two runs send the same commands.
        for bar_type in wanted:
            if bar_type not in before:
                self._with_instrument(bar_type, self._begin_subscription)
        for bar_type in before:
            if bar_type not in wanted and bar_type not in self._unknown:
                self.unsubscribe_bars(bar_type, client_id=self._client())
        self._unknown.intersection_update(wanted)

    def _begin_subscription(self, bar_type: BarType) -> None:
        if bar_type not in self._subscribed:  # rolled away while the instrument was loaded
            return
        if self.is_live and self.cache.instrument(bar_type.instrument_id) is None:
            self._unknown.add(bar_type)
            self.log.error(_line(self._name, bar_type, "is not known to the broker (yet)"))
            return
        self._unknown.discard(bar_type)
        self.subscribe_bars(bar_type, client_id=self._client())

    def _with_instrument(self, bar_type: BarType, action: Callable[[BarType], object]) -> None:
        """Do something once the node knows a contract, or has asked for it in vain."""
        identity = bar_type.instrument_id
        if not self.is_live or self.cache.instrument(identity) is not None:
            action(bar_type)
        else:
            self.request_instrument(
                identity,
                client_id=self._client(),
                callback=lambda _: self._guarded(lambda: action(bar_type)),
            )

    def _refresh(self) -> None:
        """Have the instruments of the months that are wanted loaded anew."""
        for bar_type in self._subscribed:
            if bar_type in self._unknown:
                self._with_instrument(bar_type, self._begin_subscription)
            else:
                self.request_instrument(bar_type.instrument_id, client_id=self._client())
        if self._keeping is not None:
            self._keeping.file()

    def _look_for_overdue(self) -> None:
        """Subscribe anew to a current month whose bar was due and has not come."""
        due = self._due_ns()
        if due is None or self._last_ns >= due or self._recovery is not None:
            return
        late = (self._now() - due) / _NS
        # Twice as long each time: a month that nobody trades is no broken feed.
        if late < self.config.overdue_secs * 2 ** min(self._strikes, 6):
            return
        self._strikes += 1
        self.counts["overdue"] += 1
        self.log.warning(
            _line(
                self._name, "the bar of", _moment(due), "is overdue for", f"{late:.0f} s,",
                "subscribed again", f"({self.counts['overdue']} times now)",
            )
        )  # fmt: skip
        for bar_type in self._subscribed:
            if bar_type not in self._unknown:
                self.unsubscribe_bars(bar_type, client_id=self._client())
        self._subscribed = {}
        self._catch_up()

    def _due_ns(self) -> int | None:
        """When the last bar was due by the hours of the spec; None if they are not known."""
        now = _moment(self._now() - self._grace)
        step = _STEPS.get(self.config.bar_spec.split("-")[1])
        if step is None:
            sessions = self._times.between(now.date() - 10 * _DAY, now.date() + _DAY)
            return max((x.close_ns for x in sessions if x.close_ns <= _ns(now)), default=None)
        stretch = self._times.stretch(now)
        if stretch is None:
            return None
        length = step * int(self.config.bar_spec.split("-")[0])
        whole = int((now - stretch[0]).total_seconds()) // length * length
        return _ns(stretch[0]) + whole * _NS if whole else None

    def _client(self) -> ClientId | None:
        return None if self.config.client_id is None else ClientId(self.config.client_id)

    def _bar_type_of(self, month: ContractMonth) -> BarType:
        identity = instrument_id(self._chain, month, venue=self.config.venue)
        return BarType.from_str(f"{identity}-{self.config.bar_spec}")

    def _now(self) -> int:
        """Now; where the past is played, the newest bar, 0 before the first."""
        if not self.config.replay:
            return int(self.clock.timestamp_ns())
        if self._machine is None:
            return 0
        known = (self._machine.open_ts, self._machine.closed_ts)
        return max((ts for ts in known if ts is not None), default=0)

    def _today(self) -> dt.date:
        return _moment(self._now()).date()

    def _has_expired(self, month: ContractMonth) -> bool:
        last = self._chain.row(month).last_trade_utc
        return last is not None and _ns(last) < self._now()


def _moment(ns: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ns / _NS, dt.UTC)


def _ns(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * _NS


def _line(root: str, *words: object) -> str:
    """Return a line for nautilus' log, which takes whole texts only."""
    return f"{root}: {' '.join(map(str, words))}"
