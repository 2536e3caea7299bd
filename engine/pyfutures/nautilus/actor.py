"""The roll actor: subscribe, feed the roll machine, publish what it says.

Everything about when to roll is in `pyfutures.continuous.machine`; here is only what binds it to
nautilus. Two rules of this file. Whatever goes wrong stops the component, loudly: nautilus merely
logs what a timer callback raises, and a roll that failed there would go unseen. And a timestamp is
closed by the first of: a bar of a later one, its alert `grace` after it, the end of the run.
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, assert_never

from nautilus_trader.common.actor import Actor
from nautilus_trader.config import ActorConfig
from nautilus_trader.model.data import BarType
from nautilus_trader.model.identifiers import ClientId

from pyfutures.chain.catalog import Catalog
from pyfutures.continuous.bars import (
    Bar,
    ContinuousBar,
    Event,
    Late,
    Revised,
    Roll,
    Time,
    price_text,
)
from pyfutures.continuous.machine import Missing, Policy, RollMachine, RollMissedError
from pyfutures.months import ContractMonth
from pyfutures.nautilus.instruments import instrument_id
from pyfutures.nautilus.parsing import bar_from_native
from pyfutures.nautilus.types import (
    ContinuousBarData,
    RollEvent,
    bar_topic,
    bars_of,
    roll_topic,
    rolls_of,
)
from pyfutures.specs.model import Anchor, OffsetUnit

if TYPE_CHECKING:
    from nautilus_trader.common.component import TimeEvent
    from nautilus_trader.model.data import Bar as NativeBar

    from pyfutures.chain import Chain

__all__ = ["RollActor", "RollActorConfig", "RollActorError"]

_NS = 10**9


class RollActorError(RuntimeError):
    """Something that stopped a roll actor; names the root and the month it was in."""


class RollActorConfig(ActorConfig, frozen=True, kw_only=True):  # type: ignore[misc, call-arg] # nautilus has no types
    """What a roll actor is to keep, and by which rules; a wrong type or key is refused.

    Parameters
    ----------
    root : str
        Root of the series.
    bar_spec : str, default "1-DAY-LAST-EXTERNAL"
        Bars to take, as nautilus writes them after the instrument.
    contracts : tuple of str
        Folders laid over the built-in catalogue.
    hold, priced, anchor, offset, unit, carry : optional
        Stand in for the spec's own cycles and roll parameters.
    policy, missing : str
        When to roll within the window, and what to do while a price is missing.
    start : str, optional
        Month that is current at first; by default that of the calendar when the actor starts.
    end : str, optional
        Month that is not left any more.
    venue : str, optional
        Stands in for the exchange of the spec in instrument ids.
    client_id : str, optional
        Data client to subscribe with; by default the one of the venue.
    grace_secs : float, default 60
        How long a bar may come after its timestamp before that is closed without it.
    capacity : int, default 1000
        Continuous bars kept in memory.
    """

    root: str
    bar_spec: str = "1-DAY-LAST-EXTERNAL"
    contracts: tuple[str, ...] = ()
    hold: str | None = None
    priced: str | None = None
    anchor: str | None = None
    offset: int | None = None
    unit: str | None = None
    carry: int | None = None
    policy: str = "first_common"
    missing: str = "wait"
    start: str | None = None
    end: str | None = None
    venue: str | None = None
    client_id: str | None = None
    grace_secs: float = 60.0
    capacity: int = 1000


class RollActor(Actor):  # type: ignore[misc] # nautilus has no types
    """Keeps the continuous series of one root.

    Publishes each continuous bar and each roll as data (`bars_of`, `rolls_of`) and on free topics
    (`bar_topic`, `roll_topic`); the last continuous bar is in the cache, JSON under `bar_topic`.

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
    failure : Exception or None
        What stopped it.
    """

    def __init__(self, config: RollActorConfig, chain: Chain | None = None) -> None:
        super().__init__(config)
        self._given = chain
        self._grace = round(config.grace_secs * _NS)
        self._clear()

    def _clear(self) -> None:
        self.bars: deque[ContinuousBar] = deque(maxlen=self.config.capacity)
        self.failure: Exception | None = None
        self._machine: RollMachine | None = None
        self._subscribed: dict[BarType, ContractMonth] = {}
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
            msg = f"{self.config.root}: the roll actor has not been started"
            raise RollActorError(msg)
        return self._machine

    # What nautilus calls

    def on_start(self) -> None:
        """Compile the root, take the position in the chain, subscribe."""
        self._chain = self._given or self._load()
        self._machine = self._new_machine(self._chain)
        self.log.info(_line(self.config.root, "starting in", self._machine.month))
        self._follow_row()

    def on_bar(self, bar: NativeBar) -> None:
        """Feed one bar; a timestamp that it opens is given its alert."""
        month = self._subscribed.get(bar.bar_type)
        if month is None:  # on its way while the subscription ended
            return
        try:
            self._feed(bar_from_native(bar, month))
            self._await_legs()
        except Exception as error:  # whatever it was, the series must not go on without a word
            raise self._fail(error, month) from error

    def on_stop(self) -> None:
        """Close the last timestamp, which nothing else will."""
        self._cancel_alerts()
        machine = self._machine
        if machine is None or self.failure is not None:
            return
        if (ts := machine.open_ts) is not None:
            try:
                self._feed(Time(ts + machine.grace), subscribe=False)
            except Exception as error:  # as in on_bar
                raise self._fail(error, machine.month) from error

    def on_fault(self) -> None:
        """Leave no alert behind."""
        self._cancel_alerts()

    def on_reset(self) -> None:
        """Forget the series."""
        self._clear()

    # What it does

    def _load(self) -> Chain:
        config = self.config
        return Catalog.load(*config.contracts, roots=[config.root])[config.root]

    def _new_machine(self, chain: Chain) -> RollMachine:
        config = self.config
        calendar = chain.roll_calendar(
            hold=config.hold,
            priced=config.priced,
            anchor=None if config.anchor is None else Anchor(config.anchor),
            offset=config.offset,
            unit=None if config.unit is None else OffsetUnit(config.unit),
            carry=config.carry,
        )
        start = (
            calendar.position(self.clock.timestamp_ns()).month
            if config.start is None
            else ContractMonth.parse(config.start)
        )
        return RollMachine(
            calendar,
            start=start,
            end=None if config.end is None else ContractMonth.parse(config.end),
            policy=Policy(config.policy),
            missing=Missing(config.missing),
            grace=self._grace,
        )

    def _feed(self, event: Bar | Time, *, subscribe: bool = True) -> None:
        try:
            events = self.machine.feed(event)
        except RollMissedError as error:
            self._publish(error.events)  # closed by the same call, and nowhere else
            raise
        if self._publish(events) and subscribe:
            self._follow_row()

    def _publish(self, events: tuple[Event, ...]) -> bool:
        """Hand out events; whether one was a roll."""
        root, now, rolled = self.config.root, self.clock.timestamp_ns(), False
        for event in events:
            match event:
                case ContinuousBar():
                    data = ContinuousBarData(event, now)
                    self.bars.append(event)
                    self.cache.add(bar_topic(root), json.dumps(data.to_dict()).encode())
                    self.publish_data(bars_of(root), data)
                    self.msgbus.publish(bar_topic(root), data)
                case Roll():
                    rolled = True
                    gap = price_text(event.gap)
                    self.log.info(_line(root, "rolled", event.old, "to", event.new, "gap", gap))
                    data = RollEvent(event, now)
                    self.publish_data(rolls_of(root), data)
                    self.msgbus.publish(roll_topic(root), data)
                case Late():
                    self.log.warning(_line(root, "late, refused:", event.bar))
                case Revised():
                    self.log.warning(_line(root, "revised, refused:", event.refused))
                case _ as never:
                    assert_never(never)
        return rolled

    def _follow_row(self) -> None:
        """Subscribe to what the machine wants from now on, and watch the new deadline."""
        machine, config = self.machine, self.config
        wanted = {
            BarType.from_str(
                f"{instrument_id(self._chain, month, venue=config.venue)}-{config.bar_spec}"
            ): month
            for month in machine.wanted()
        }
        client = None if config.client_id is None else ClientId(config.client_id)
        # In the order of months, so that two runs send the same commands.
        for bar_type in wanted:
            if bar_type not in self._subscribed:
                self.subscribe_bars(bar_type, client_id=client)
        for bar_type in self._subscribed:
            if bar_type not in wanted:
                self.unsubscribe_bars(bar_type, client_id=client)
        self._subscribed = wanted
        if self._deadline_alert is not None:
            self._cancel(self._deadline_alert)
            self._deadline_alert = None
        if machine.month != machine.end:
            # Without it a feed that falls silent would never be told apart from a quiet market.
            self._deadline_alert = f"{self.id}-deadline-{machine.month}"
            due = machine.row.deadline_ns + machine.grace
            self.clock.set_time_alert_ns(self._deadline_alert, due, self._on_alert)

    def _await_legs(self) -> None:
        """Set the alert of the open timestamp, one at a time."""
        ts = self.machine.open_ts
        name = None if ts is None else f"{self.id}-close-{ts}"
        if name == self._alert:
            return
        if self._alert is not None:
            self._cancel(self._alert)
        self._alert = name
        if ts is not None:
            # A bar that comes late itself still leaves the other legs their time.
            due = max(ts, self.clock.timestamp_ns()) + self.machine.grace
            self.clock.set_time_alert_ns(name, due, self._on_alert)

    def _on_alert(self, event: TimeEvent) -> None:
        try:
            self._feed(Time(event.ts_event))
        except Exception as error:  # as in on_bar; nautilus would only log it
            raise self._fail(error, self.machine.month) from error

    def _fail(self, error: Exception, month: ContractMonth) -> RollActorError:
        """Stop the component and the system; the error to raise on."""
        failure = RollActorError(f"{self.config.root} {month}: {error}")
        failure.__cause__ = error
        self.failure = failure
        self.log.exception(str(failure), error)  # noqa: LOG004 - called by handlers only
        self.fault()
        self.shutdown_system(str(failure))
        return failure

    def _cancel_alerts(self) -> None:
        for name in (self._alert, self._deadline_alert):
            if name is not None:
                self._cancel(name)
        self._alert = self._deadline_alert = None

    def _cancel(self, name: str) -> None:
        if name in self.clock.timer_names:
            self.clock.cancel_timer(name)


def _line(root: str, *words: object) -> str:
    """Return a line for nautilus' log, which takes whole texts only."""
    return f"{root}: {' '.join(map(str, words))}"
