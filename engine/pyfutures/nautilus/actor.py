"""The roll actor: subscribe, feed the roll machine, write down and publish what it says.

Everything about when to roll is in `pyfutures.continuous.machine`, where the chain is entered in
`placing`, which history is missing in `recovery`, what is written where in `keeping`; here is what
binds them to nautilus; how it asks for history and subscribes is in `catching_up`, how timers fail
in `guarded_actor`. The rules of this file. Whatever goes wrong stops the component, loudly:
nautilus merely logs what a timer callback raises, and a roll that failed there would go unseen. A
timestamp is closed by the first of: a bar of a later one, its alert `grace` after it, the end of
the run. What the machine says is durable before it is published. Live, the series is brought up to
date by history first; bars that come meanwhile wait.
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any, Final, assert_never

from pyfutures.continuous.bars import (
    ContinuousBar,
    Late,
    Revised,
    Roll,
    Time,
    price_text,
)
from pyfutures.continuous.machine import (
    Policy,
    RollMachine,
    RollMissedError,
    RollPriceError,
)
from pyfutures.nautilus.actor_config import RollActorConfig
from pyfutures.nautilus.parsing import bar_from_native
from pyfutures.nautilus.series.catching_up import line
from pyfutures.nautilus.series.guarded_actor import RollActorError
from pyfutures.nautilus.series.starting import StartingActor
from pyfutures.nautilus.types import (
    ContinuousBarData,
    RollEvent,
    bar_topic,
    bars_of,
    current_topic,
    roll_topic,
    rolls_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nautilus_trader.model.data import Bar as NativeBar

    from pyfutures.chain import Chain
    from pyfutures.continuous.bars import Bar, Event
    from pyfutures.nautilus.series.keeping import Keeping

__all__ = ["RollActor", "RollActorConfig", "RollActorError"]

_NS: Final = 10**9
_AT_ONCE: Final = 256  # bars of history in one transaction
#: Policies that only a batch can follow, and why.
_BATCH_ONLY: Final[dict[str, str]] = {
    Policy.OPEN_INTEREST: "the policy open_interest is for files: bars of nautilus have no open"
    " interest, and IB keeps none of the past, so that a restart could not fill in what it missed;"
    " take volume or first_common",
    Policy.NEAREST: "the policy nearest is for files: it looks at prices to come; take first_common"
    " or volume",
}


class RollActor(StartingActor):
    """Keeps the continuous series of one root.

    Publishes each continuous bar and each roll as data (`bars_of`, `rolls_of`) and on free topics
    (`bar_topic`, `roll_topic`), plain bars under two ids of the root (`root_bar_type`), and the
    current month (`current_topic`). The last continuous bar is in the cache, JSON under
    `bar_topic`, and the current month under `current_topic`.

    Parameters
    ----------
    config
        What to keep.
    chain
        The compiled root, if it is at hand; by default it is loaded on start.

    Attributes
    ----------
    bars : deque of ContinuousBar
        The last ones, oldest first.
    counts : dict of str to int
        Bars refused as late or revised, feeds found overdue, requests that had to be repeated.
    failure : Exception or None
        What stopped it.
    """

    def __init__(self, config: RollActorConfig, chain: Chain | None = None) -> None:
        super().__init__(config)
        if config.policy in _BATCH_ONLY:
            raise RollActorError(f"{config.root}: {_BATCH_ONLY[config.policy]}")
        self._given = chain
        self._name = config.series or config.root
        self._loaded: dict[str, Any] | None = None
        self._clear()

    def _clear(self) -> None:
        self.bars: deque[ContinuousBar] = deque(maxlen=self.config.capacity)
        self._clear_guard()
        self._clear_feeds()
        self._machine: RollMachine | None = None
        self._keeping: Keeping | None = None
        self._alert: str | None = None
        self._deadline_alert: str | None = None

    @property
    def machine(self) -> RollMachine:
        """The roll machine, from start on.

        Raises
        ------
        RollActorError
            If the actor has not been started.
        """
        if self._machine is None:
            raise RollActorError(f"{self.config.root}: the roll actor has not been started")
        return self._machine

    def export(self, path: str | Path) -> int:
        """Write the stored series to a parquet file; return how many bars it has.

        Raises
        ------
        RollActorError
            If the series is not in a store.
        """
        if self._keeping is None:
            raise RollActorError(f"{self._name}: the series is in no store: give one to export it")
        return self._keeping.export(self.machine, path)

    # What nautilus calls

    def on_start(self) -> None:
        """Compile the root, take the place in the chain, catch up, subscribe."""
        if self._name == self.config.root:  # what a node said before, and Redis kept, is no news
            self.cache.add(current_topic(self._name), b"")
        try:
            self._begin()
        except BaseException:  # nautilus ends the node without a word to its components
            self._cancel_alerts()
            self._close()
            raise

    def on_bar(self, bar: NativeBar) -> None:
        """Feed one bar; a timestamp that it opens is given its alert."""
        month = self._subscribed.get(bar.bar_type)
        if month is None or self.failure is not None:  # on its way while the subscription ended
            return
        try:
            one = bar_from_native(bar, month)
            if self._recovery is not None:
                self._held_back.append(one)
                return
            self._feed(one)
            self._await_legs()
        except Exception as error:  # whatever it was, the series must not go on without a word
            raise self._fail(error, month) from error

    def on_historical_data(self, data: Any) -> None:  # noqa: ANN401 - whatever was asked for
        """Keep the bars of a request until it is answered."""
        bar_type = getattr(data, "bar_type", None)
        if bar_type in self._past:
            month = self._month_of(bar_type)
            try:
                self._past[bar_type].append(bar_from_native(data, month))
            except Exception as error:  # as in on_bar
                raise self._fail(error, month) from error

    def on_stop(self) -> None:
        """Close the last timestamp of a backtest, which nothing else will, and the store."""
        self._cancel_alerts()
        machine = self._machine
        try:
            if machine is None or self.failure is not None:
                return
            if not self.is_live and (ts := machine.open_ts) is not None:
                self._feed(Time(ts + machine.grace), subscribe=False)
            if self._keeping is not None:
                self._keeping.append((), machine, now_ns=self._now())
                self._keeping.file()
                if self.config.export is not None:
                    self.export(self.config.export)
        except Exception as error:  # as in on_bar
            raise self._fail(error, self.machine.month) from error
        finally:
            self._close()

    def on_fault(self) -> None:
        """Leave no alert and no lease behind."""
        self._cancel_alerts()
        self._close()

    def on_reset(self) -> None:
        """Forget the series."""
        self._close()
        self._clear()

    def on_save(self) -> dict[str, bytes]:
        """Return what the machine remembers, for a node that has Redis and no store."""
        if self._machine is None:
            return {}
        return {"machine": json.dumps(self._machine.state()).encode()}

    def on_load(self, state: dict[str, bytes]) -> None:
        """Take what `on_save` returned; the store has the last word if there is one."""
        if "machine" in state:
            self._loaded = json.loads(state["machine"])

    # Going on

    def _go_on(self) -> None:
        """Follow the bars as they come."""
        if self._follows_since is None:
            self._follows_since = self._now()
        self._follow_row()
        self._await_legs()
        if self._keeping is not None:
            self._keeping.file()
        self._tell_month()
        config = self.config
        if self.is_live and not config.replay:
            if config.refresh_mins:
                self._every(config.refresh_mins * 60, "refresh", self._refresh)
            if config.overdue_secs:
                self._every(config.overdue_secs / 2, "overdue", self._look_for_overdue)

    # What it does

    def _feed(self, event: Bar | Time, *, subscribe: bool = True) -> None:
        try:
            events = self.machine.feed(event)
        except (RollMissedError, RollPriceError) as error:
            self._take(error.events)  # closed by the same call, and nowhere else
            raise
        if self._take(events) and subscribe:
            self._follow_row()
            self._tell_month()
            if self.is_live and not self.config.replay:
                self._refresh()

    def _feed_all(self, bars: Iterable[Bar]) -> None:
        """Feed history, many bars to a transaction."""
        events: list[Event] = []
        try:
            for count, bar in enumerate(bars, 1):
                events.extend(self.machine.feed(bar))
                if count % _AT_ONCE == 0:
                    self._take(tuple(events))
                    events.clear()
        except (RollMissedError, RollPriceError) as error:
            events.extend(error.events)
            self._take(tuple(events))
            raise
        self._take(tuple(events))

    def _take(self, events: tuple[Event, ...]) -> bool:
        """Write events and the machine's memory down, hand them out; whether one was a roll."""
        # A leg alone changes nothing that is told; live its first value is kept all the same.
        if self._keeping is not None and (events or self.is_live):
            self._keeping.append(events, self.machine, now_ns=self._now())
        root, now, rolled = self._name, self.clock.timestamp_ns(), False
        for event in events:
            match event:
                case ContinuousBar():
                    self.bars.append(event)
                    self._last_ns, self._strikes = event.ts, 0
                    data = ContinuousBarData(event, now, self._bar_type)
                    self._remember(data)
                    self.publish_data(bars_of(root), data)
                    self.msgbus.publish(bar_topic(root), data)
                    if self.config.native_bars:
                        for bar in self._native.made(event, now):
                            self.msgbus.send(endpoint="DataEngine.process", msg=bar)
                case Roll():
                    rolled = True
                    gap = price_text(event.gap)
                    self.log.info(line(root, "rolled", event.old, "to", event.new, "gap", gap))
                    roll = RollEvent(event, now, self._bar_type)
                    self.publish_data(rolls_of(root), roll)
                    self.msgbus.publish(roll_topic(root), roll)
                case Late():
                    self.counts["late"] += 1
                    count = self.counts["late"]
                    self.log.warning(line(root, "late, refused:", event.bar, f"({count} so far)"))
                case Revised():
                    self.counts["revised"] += 1
                    count = self.counts["revised"]
                    self.log.warning(
                        line(root, "revised, refused:", event.refused, f"({count} so far)")
                    )
                case _ as never:
                    assert_never(never)
        return rolled

    def _remember(self, data: ContinuousBarData) -> None:
        self.cache.add(bar_topic(self._name), json.dumps(data.to_dict()).encode())

    def _tell_month(self) -> None:
        """Say which month is current, once nothing is missing."""
        if self._name != self.config.root or self._recovery is not None:
            return
        month = str(self.machine.month)
        self.cache.add(current_topic(self._name), month.encode())
        self.msgbus.publish(current_topic(self._name), month)

    def _follow_row(self) -> None:
        """Subscribe to what the machine wants from now on, and watch the new deadline."""
        machine = self.machine
        self._subscribe()
        if self._deadline_alert is not None:
            self._cancel(self._deadline_alert)
            self._deadline_alert = None
        if machine.month != machine.end and not self.config.replay:
            # Without it a feed that falls silent would never be told apart from a quiet market.
            self._deadline_alert = f"{self.id}-deadline-{machine.month}"
            due = machine.row.deadline_ns + machine.grace
            self._alert_at(due, self._deadline_alert, lambda: self._feed(Time(due)))

    def _await_legs(self) -> None:
        """Set the alert of the open timestamp, one at a time."""
        ts = None if self.config.replay else self.machine.open_ts
        name = None if ts is None else f"{self.id}-close-{ts}"
        if name == self._alert:
            return
        if self._alert is not None:
            self._cancel(self._alert)
        self._alert = name
        if ts is not None and name is not None:
            # A bar that comes late itself still leaves the other legs their time.
            due = max(ts, self.clock.timestamp_ns()) + self.machine.grace
            self._alert_at(due, name, lambda: self._feed(Time(due)))

    def _where(self, month: object) -> str:
        if month is None and self._machine is not None:
            month = self._machine.month
        return self._name if month is None else f"{self._name} {month}"

    def _close(self) -> None:
        if self._recovery is not None:
            self._hear_no_feeds()
        keeping, self._keeping = self._keeping, None
        if keeping is None:
            return
        from pyfutures.store import StoreError  # noqa: PLC0415 - as for the store

        try:
            keeping.close()
        except StoreError as error:  # what is written is safe
            self.log.error(line(self._name, f"the store was not closed in good order: {error}"))  # noqa: TRY400 - its trace tells nothing
