"""A strategy that holds a target in the current contract and moves it on the roll.

Theory of operation. The roll actor says which month is current (`current_topic`), once it has
caught up with all that was missed. If the position of the root is not what it shall be there, a
move is written down and carried out: at every event of an order and every second the facts go to
`pyfutures.positions.decide`, and what it says is written down, then done. A restart finds the move,
its orders by their references, and goes on as soon as positions and orders agree.

The position is the ledger's: signed quantity by contract of what this root has filled. The sum over
the roots of the account must be what the broker holds, or it stops.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

from nautilus_trader.common.component import TestClock
from nautilus_trader.model.events import OrderEvent, OrderFilled, OrderInitialized
from nautilus_trader.model.identifiers import ClientId

from pyfutures.months import ContractMonth
from pyfutures.nautilus.moves.core import RollingCore, RollingStrategyError
from pyfutures.nautilus.moves.root_market import ContractNotLoadedError
from pyfutures.nautilus.rolling_config import RollingStrategyConfig
from pyfutures.positions import (
    Action,
    Cancel,
    Done,
    Facts,
    Halt,
    Move,
    MoveId,
    OrderRef,
    Place,
    Reprice,
    State,
    Wait,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nautilus_trader.model.data import QuoteTick

__all__ = ["RollingStrategy", "RollingStrategyConfig", "RollingStrategyError"]

_NS: Final = 10**9


class RollingStrategy(RollingCore):
    """Holds `target` contracts of a root in the month that the roll actor says.

    Subclass it and call `set_target` for a strategy of your own; a subclass that overrides
    `on_start`, `on_stop`, `on_fault` or `on_reset` calls these too.

    Parameters
    ----------
    config
        What to hold and how.
    chain
        The compiled root, if it is at hand.
    book
        What moves are written in, if it is not that of `config.store`.

    Attributes
    ----------
    failure : Exception or None
        What stopped it.
    """

    # What a user calls

    @property
    def target(self) -> int | None:
        """The signed quantity to hold; None before start if the config names none."""
        return self._target

    @property
    def current(self) -> ContractMonth | None:
        """The month that the roll actor says is current; None before it has said one."""
        return self._current

    @property
    def is_moving(self) -> bool:
        """Whether a move is open."""
        return self._move is not None

    def set_target(self, quantity: int) -> None:
        """Hold another quantity from now on, also after a restart; opens if nothing is held.

        It counts until the config names another `target` than it does now. An order that works is
        let finish first.
        """
        self._target = quantity
        self._may_open = self._is_told = True
        self._guard(self._take_target)

    def is_liquid(self, months: Iterable[ContractMonth], now_ns: int) -> bool:
        """Return whether orders for all of these months may be sent; a subclass may say otherwise.

        Parameters
        ----------
        months
            What is to be traded.
        now_ns
            Now, UTC nanoseconds.
        """
        return bool(self.config.replay) or self._market.is_liquid(months, now_ns)

    def _take_target(self) -> None:
        self._keep_target()
        self._step()

    # Events

    def _on_current(self, month: str) -> None:
        self._current = ContractMonth.parse(month)
        self._guard(self._step)

    def _on_order(self, event: OrderEvent) -> None:
        if isinstance(event, OrderInitialized):  # told before the order is in the cache
            return
        ref = OrderRef.parse(event.client_order_id.value)
        if ref is not None and ref.move.root == self.config.root:
            self._guard(lambda: self._heard(event, ref))

    def _heard(self, event: OrderEvent, ref: OrderRef) -> None:
        if not self._is_settled:
            self._settle()
            return
        move = next((move for move in self._own_moves() if move.id == ref.move), None)
        if move is None or all(order.ref != ref for order in self.book.orders(ref.move)):
            raise RollingStrategyError(
                f"{ref}: {type(event).__name__} of an order with our reference that is of no open"
                " move"
            )
        self._ledger.take(move, event if isinstance(event, OrderFilled) else None)
        order = next(order for order in self._ledger.orders(move) if order.ref == ref)
        self.book.write(order, type(event).__name__)
        self._step()

    # Moving

    def _step(self) -> None:
        """Look at the facts and do what they ask for; asking once too often does no harm."""
        if not self._is_settled:
            self._settle()
            return
        if self._is_busy:  # what is sent may be answered before `submit_order` returns
            self._is_again = True
            return
        self._is_busy = True
        try:
            while self._advance() or self._is_again:
                self._is_again = False
        finally:
            self._is_busy = False

    def _advance(self) -> bool:
        """Do what is to be done now; return whether to look again at once."""
        move = self._move or self._decided_move()
        if move is None:
            return False
        facts = self._facts(move)
        if facts is None:
            return False
        if not any(order.state is not State.DONE for order in facts.orders):
            aim = self._aim()
            if aim is not None and aim != dict(move.desired):
                self._supersede(move)
                return True
        actions = decide(move, facts, self._rules)
        for action in actions:
            self._do(move, action, now_ns=facts.now_ns)
        return isinstance(actions[0], Done)

    def _aim(self) -> dict[ContractMonth, int] | None:
        """Return what the position shall be; None while that is not known."""
        if self._current is None or self._target is None:
            return None
        return {self._current: self._target} if self._target else {}

    def _decided_move(self) -> Move | None:
        aim, position = self._aim(), self.position
        if aim is None or aim == position or (not position and not self._may_open):
            return None
        move = self._new_move(aim, position)
        self._open(move)
        self.log.info(f"{move.id}: {position} to {aim}")
        return move

    def _new_move(self, aim: dict[ContractMonth, int], position: dict[ContractMonth, int]) -> Move:
        source = min(position) if position else None
        if source is not None and aim and source > min(aim):
            raise RollingStrategyError(
                f"{self.config.root}: {source} is held and {min(aim)} is said to be current: a"
                " position never rolls backwards; rebuild the series, or move it by hand"
            )
        # Ids are of whole seconds; two moves in one second would be one.
        self._stamp = max(self.clock.timestamp_ns() // _NS, self._stamp + 1)
        now = dt.datetime.fromtimestamp(self._stamp, dt.UTC)
        deadline = None
        if source not in {None, self._current} and not self.config.replay:
            deadline = self._calendar.row(source).deadline_ns
        return Move(
            MoveId(self.config.root, source, next(iter(aim), None), now),
            aim,
            {month: str(self._market.name(month)) for month in {*aim, *position}},
            deadline,
        )

    def _open(self, move: Move) -> None:
        self.book.begin(move)
        self._move = move
        self._begin_to_poll()

    def _supersede(self, move: Move) -> None:
        """Begin the move that another target or month asks for, then end this one.

        In this order, so that a position in two months is never without a move that explains it.
        """
        aim, position = self._aim(), self.position
        if aim is None or aim == position:
            self._finish(move, "superseded")
            return
        self._open(self._new_move(aim, position))
        self.book.end(move.id, "superseded")
        self.log.info(f"{move.id}: superseded")

    def _finish(self, move: Move, outcome: str) -> None:
        self.book.end(move.id, outcome)
        self.log.info(f"{move.id}: {outcome}")
        self._move = None
        self._said = ""
        self._cancel_timer("poll")
        self._next_check_ns = self.clock.timestamp_ns() + round(self.config.check_secs * _NS)
        self._watch(())

    def _facts(self, move: Move) -> Facts | None:
        """Return what is known; None while a contract that is to be traded is not."""
        self._ledger.take(move)
        position = self.position
        left = move.remaining(position)
        if not self._has_contracts(left):
            return None
        self._watch(left)
        now = self.clock.timestamp_ns()
        kill = self.config.kill_file
        return Facts(
            now_ns=now,
            position=position,
            orders=self._ledger.orders(move),
            quotes=self._market.quotes(left),
            tick=self._market.tick(left),
            liquid=self.is_liquid(left, now),
            killed=kill is not None and Path(kill).exists(),
        )

    def _has_contracts(self, months: Iterable[ContractMonth]) -> bool:
        """Return whether the node knows the contracts of months; ask for those it does not."""
        missing = self._market.missing(months)
        now = self.clock.timestamp_ns()
        for name in missing:
            if isinstance(self.clock, TestClock) or (
                now > self._asked.setdefault(name, now) + self.config.settle_secs * _NS
            ):
                raise ContractNotLoadedError(
                    f"{self.config.root}: {name} is not loaded and the broker does not tell it;"
                    " widen `months` of the instrument provider"
                )
            if self._asked[name] == now:
                self.request_instrument(name, client_id=self._client)
        return not missing

    def _do(self, move: Move, action: Action, *, now_ns: int) -> None:
        match action:
            case Place() | Reprice() | Cancel():
                self._orders.do(action, now_ns=now_ns)
            case Wait(reason):
                self._say(reason)
            case Halt(reason):
                raise RollingStrategyError(reason)
            case Done():
                self._finish(move, "moved")
            case _:
                assert_never(action)

    # Quotes

    @property
    def _client(self) -> ClientId | None:
        return None if self.config.client_id is None else ClientId(self.config.client_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Take no part: quotes are read from the cache when they are needed."""

    def _watch(self, months: Iterable[ContractMonth]) -> None:
        """Have quotes of these months, and of no others."""
        wanted = {month: self._market.name(month) for month in months}
        for month, name in self._quoted.items():
            if month not in wanted:
                self.unsubscribe_quote_ticks(name, client_id=self._client)
        for month, name in wanted.items():
            if month not in self._quoted:
                self.subscribe_quote_ticks(name, client_id=self._client)
        self._quoted = wanted
