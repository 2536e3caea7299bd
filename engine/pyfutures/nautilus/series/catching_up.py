"""How a roll actor is brought up to date, and kept so: subscriptions, history, what is overdue.

Rules of this file. A month is subscribed to before its history is asked for, and what comes live
waits until history has been fed: so nothing falls between the two. An answer with nothing in it is
no answer where the data client says that it failed, where a bar of that month is stored which it
should have, or where trading hours say that the current month must have something; it is asked for
again. In the end the start fails; a series that was followed already is asked for on and on, with
longer and longer breaks, and nothing is published meanwhile. Of an expired contract behind the
current one history may be gone for good: that is told, and the leg is absent.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any, Final

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

__all__ = ["CatchingUpActor", "line"]

_NS: Final = 10**9
_REVIEWED: Final = 20  # stored bars that history is compared with
_DAY: Final = dt.timedelta(days=1)
_STEPS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600}
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PIECE: Final = 5000  # bars for which an answer is given `history_secs` more
_DOUBLINGS: Final = 6
_COUNTED: Final = ("late", "revised", "overdue", "asked_again", "empty")
_ROUNDS: Final = 4  # after that the live feed, or the watchdog, has to bring what is lacking
_ALL_FEEDS: Final = "pyfutures.feeds.*"  # events of data clients: `market.events`
_UNANSWERED: Final = "unanswered"  # kind of feed event: a request failed and is answered by nothing


class CatchingUpActor(GuardedActor):
    """Subscriptions and history of a roll machine.

    Parameters
    ----------
    config
        Of the actor.

    Attributes
    ----------
    counts : dict of str to int
        Bars refused as late or revised, feeds found overdue, requests that had to be repeated,
        answers with nothing in them that were taken for true.
    """

    def __init__(self, config: RollActorConfig) -> None:
        super().__init__(config)
        self._grace = round(config.grace_secs * _NS)
        self._clear_feeds()

    def _clear_feeds(self) -> None:
        self.counts = dict.fromkeys(_COUNTED, 0)
        self._recovery: Recovery | None = None
        self._held_back: list[Bar] = []
        self._past: dict[BarType, list[Bar]] = {}
        self._tries: dict[ContractMonth, int] = {}
        self._asked_ns: dict[ContractMonth, int | None] = {}
        self._gone: set[ContractMonth] = set()  # expired, and without history
        self._rounds = 0  # how often all was asked for, since some answers reached further
        self._failed: dict[BarType, str] = {}  # why there was no answer, until it is asked again
        self._subscribed: dict[BarType, ContractMonth] = {}
        self._unknown: set[BarType] = set()  # wanted, but the broker does not have it
        self._last_ns = 0  # the newest bar of the current month
        self._strikes = 0
        self._follows_since: int | None = None  # None until history was brought for the first time
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
        elif self.config.history_days or (self._begun_ns is not None and not self.config.replay):
            # A start that was cut short begins where it would have begun.
            begun = min(self._begun_ns or self._now(), self._now())
            since = max(0, begun - round(self.config.history_days * 86_400) * _NS)
        else:
            self._go_on()
            return
        self._recovery = Recovery(machine, since_ns=since, stored=stored)
        self._rounds += 1
        self._tries.clear()
        self.msgbus.subscribe(_ALL_FEEDS, self._on_feed)
        self._ask()

    def _ask(self) -> None:
        """Subscribe to months and ask for their history, in this order, so that none is missed."""
        recovery = self._require_recovery()
        self._subscribe()
        for month in recovery.to_ask():
            if month in self._gone:
                self._take(recovery.bring(month, ()))
                continue
            # Behind the subscription, so that no bar falls between the two.
            self._with_instrument(self._bar_type_of(month), partial(self._request, month))
        self._feed_all(recovery.ready())
        if not recovery.is_done or recovery.is_waiting:
            return
        live = {(bar.month, bar.ts) for bar in self._held_back}
        if self._rounds < _ROUNDS and recovery.left(self._now()) - live:
            self._catch_up()
        else:
            self._caught_up()

    def _request(self, month: ContractMonth, _: BarType | None = None) -> None:
        recovery = self._recovery
        if recovery is None:
            return
        bar_type = self._bar_type_of(month)
        self._past[bar_type] = []
        self._failed.pop(bar_type, None)
        self._tries[month] = self._tries.get(month, 0) + 1
        since, now = recovery.since_ns, self._now()
        self._asked_ns[month] = None if self.config.replay else now
        self.request_bars(
            bar_type,
            start=_moment(since if self.config.replay else min(since, now)),
            client_id=self._client(),
            callback=lambda _: self._answered(month),
        )
        # A long answer is many requests to the broker, who has them paced.
        pieces = 1 + max(0, now - since) // (self._bar_secs() * _PIECE * _NS)
        self._ask_again_in(self.config.history_secs * pieces, month)

    def _ask_again_in(self, seconds: float, month: ContractMonth) -> None:
        if self._follows_since is not None:
            seconds *= 2 ** min(self._tries[month] - 1, _DOUBLINGS)
        self._once(seconds, f"history-{month}", lambda: self._ask_again(month))

    def _ask_again(self, month: ContractMonth) -> None:
        if self._recovery is None:
            return
        if self._tries[month] % self.config.history_tries == 0:
            bar_type = self._bar_type_of(month)
            why = self._failed.get(bar_type, "see the log of the data client")
            text = (
                f"no history of {bar_type} since {_moment(self._recovery.since_ns)}, asked for"
                f" {self._tries[month]} times; {why}"
            )
            if self._can_be_gone(month):
                self.log.error(line(self._name, f"{text}. It has expired: this leg stays absent"))
                self._gone.add(month)
                self._take_history(month, [])
                return
            if self._follows_since is None:
                raise RollActorError(text)
            self.log.error(line(self._name, f"{text}. Nothing is published until there is one"))
        self.counts["asked_again"] += 1
        self.log.warning(line(self._name, "history of", month, "is asked for again"))
        self._request(month)

    def _hear_no_feeds(self) -> None:
        self.msgbus.unsubscribe(_ALL_FEEDS, self._on_feed)

    def _can_be_gone(self, month: ContractMonth) -> bool:
        """Whether the broker may not keep a month any more, and no roll will ever need it."""
        is_behind = month < self.machine.month and not self._require_recovery().knows(month)
        return is_behind and self._has_expired(month)

    def _on_feed(self, event: Any) -> None:  # noqa: ANN401 - a FeedEvent
        """Hear that a request failed; its answer, which follows, has nothing in it."""
        if event.kind == _UNANSWERED:
            for bar_type in self._past:
                if event.feed == f"bars {bar_type}":
                    self._failed[bar_type] = event.text

    def _answered(self, month: ContractMonth) -> None:
        """Take the history of a month."""
        bar_type = self._bar_type_of(month)
        if self._recovery is None or bar_type not in self._past or self.failure is not None:
            return
        try:
            bars = self._past[bar_type]
            if not bars:
                why = self._failed.get(bar_type) or self._why_not_empty(month)
                if why is not None:
                    self._failed[bar_type] = why
                    self._ask_again_in(self.config.history_secs, month)
                    return
                self.counts["empty"] += 1
                self.log.warning(
                    line(self._name, "history of", month, "is empty: taken as nothing traded")
                )
            self._take_history(month, bars)
        except Exception as error:  # as in on_bar
            raise self._fail(error, month) from error

    def _take_history(self, month: ContractMonth, bars: list[Bar]) -> None:
        self._past.pop(self._bar_type_of(month), None)
        self._cancel(self._timer(f"history-{month}"))
        recovery = self._require_recovery()
        until = None if month in self._gone else self._asked_ns[month]
        self._take(recovery.bring(month, bars, until_ns=until))
        self._feed_all(recovery.ready())
        self._ask()

    def _why_not_empty(self, month: ContractMonth) -> str | None:
        """Return why an answer cannot be empty in truth; None if it can."""
        machine = self.machine
        if self._require_recovery().knows(month):
            return "the answer was empty, and bars of that time are stored"
        if month != machine.month or machine.closed_ts is None:
            return None
        first, last = _moment(machine.closed_ts).date(), self._today()
        closes = [session.close_ns for session in self._times.between(first, last)]
        if any(machine.closed_ts < close <= self._now() - self._grace for close in closes):
            return "the answer was empty, and a session has passed"
        return None

    def _caught_up(self) -> None:
        """Feed what came meanwhile, and go on live."""
        self._recovery, self._rounds = None, 0
        held_back, self._held_back = self._held_back, []
        closed = self.machine.closed_ts
        waiting = (bar for bar in held_back if closed is None or bar.ts > closed)
        self._feed_all(sorted(waiting, key=lambda bar: (bar.ts, bar.month)))
        self._past.clear()
        self._hear_no_feeds()
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
            if not self.is_live or self._may_have_bars(month)
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
            self.log.error(line(self._name, bar_type, "is not known to the broker (yet)"))
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
        due, since = self._due_ns(), self._follows_since
        if due is None or since is None or self._recovery is not None:
            return
        if due <= max(self._last_ns, since):  # what was due before was history, and asked for
            return
        late = (self._now() - due) / _NS
        # Twice as long each time: a month that nobody trades is no broken feed.
        if late < self.config.overdue_secs * 2 ** min(self._strikes, 6):
            return
        self._strikes += 1
        self.counts["overdue"] += 1
        self.log.warning(
            line(
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
        if self.config.bar_spec.split("-")[1] not in _STEPS:
            sessions = self._times.between(now.date() - 10 * _DAY, now.date() + _DAY)
            return max((x.close_ns for x in sessions if x.close_ns <= _ns(now)), default=None)
        stretch = self._times.stretch(now)
        if stretch is None:
            return None
        # Bars are cut at multiples of their size on the clock of the exchange.
        size = dt.timedelta(seconds=self._bar_secs())
        offset = now.astimezone(self._times.zone).utcoffset() or dt.timedelta(0)
        due = _EPOCH + (now - _EPOCH + offset) // size * size - offset
        return _ns(due) if due > stretch[0] else None

    def _bar_secs(self) -> int:
        """Seconds of a bar; a day for all that are longer."""
        count, unit = self.config.bar_spec.split("-")[:2]
        return int(count) * _STEPS[unit] if unit in _STEPS else 86_400

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

    def _may_have_bars(self, month: ContractMonth) -> bool:
        """Whether a bar may still come: one may close hours after the last trade of a contract."""
        last = self._chain.row(month).last_trade_utc
        if last is None:
            return True
        near = self._times.between(last.date() - _DAY, last.date() + _DAY)
        closes = (session.close_ns for session in near if session.close_ns >= _ns(last))
        return self._now() <= min(closes, default=_ns(last)) + self._grace

    def _has_expired(self, month: ContractMonth) -> bool:
        last = self._chain.row(month).last_trade_utc
        return last is not None and _ns(last) < self._now()


def _moment(ns: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ns / _NS, dt.UTC)


def _ns(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * _NS


def line(root: str, *words: object) -> str:
    """Return a line for nautilus' log, which takes whole texts only."""
    return f"{root}: {' '.join(map(str, words))}"
