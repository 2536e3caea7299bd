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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

from nautilus_trader.common.component import TestClock
from nautilus_trader.model.events import OrderEvent, OrderFilled, OrderInitialized
from nautilus_trader.model.identifiers import ClientId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from pyfutures.chain.catalog import Catalog
from pyfutures.months import ContractMonth
from pyfutures.nautilus.liquidity import LiquidHours
from pyfutures.nautilus.move_orders import MoveOrders
from pyfutures.nautilus.node_thread import NodeThread
from pyfutures.nautilus.rolling_config import RollingStrategyConfig
from pyfutures.nautilus.root_ledger import LedgerError, RootLedger
from pyfutures.nautilus.root_market import ContractNotLoadedError, RootMarket
from pyfutures.nautilus.types import current_topic
from pyfutures.positions import (
    Action,
    AttributionError,
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
from pyfutures.positions.book import MemoryBook, MoveBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nautilus_trader.model.data import QuoteTick

    from pyfutures.chain import Chain

__all__ = ["RollingStrategy", "RollingStrategyConfig", "RollingStrategyError"]

_NS: Final = 10**9
_BACKTEST_POLL_SECS: Final = 60.0
_PULSE_SECS: Final = 10.0  # well within a lease's time to live


class RollingStrategyError(RuntimeError):
    """Something that stopped the moving of a position; names the root and what it stands at."""


#: What is said in one line; anything else is a bug and raised on.
_KNOWN: Final = (RollingStrategyError, AttributionError, LedgerError, ContractNotLoadedError)


class RollingStrategy(Strategy):  # type: ignore[misc] # nautilus has no types
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

    def __init__(
        self,
        config: RollingStrategyConfig,
        chain: Chain | None = None,
        book: MoveBook | None = None,
    ) -> None:
        super().__init__(config)
        self._given_chain, self._given_book = chain, book
        self._clear()

    def _clear(self) -> None:
        self._rules = self.config.rules
        self.failure: Exception | None = None
        self._current: ContractMonth | None = None
        self._target: int | None = self.config.target
        self._may_open = bool(self.config.open_when_flat)
        self._move: Move | None = None
        self._quoted: dict[ContractMonth, InstrumentId] = {}
        self._said = ""
        self._stamp = 0
        self._next_check_ns = 0
        self._difference: str | None = None
        self._book: MoveBook | None = None
        self._claim: str | None = None
        self._is_open = self._is_settled = False
        self._settle_by_ns = 0
        self._asked: dict[InstrumentId, int] = {}
        self._is_busy = self._is_again = False

    # What a user calls

    @property
    def book(self) -> MoveBook:
        """Where moves are written, from start on.

        Raises
        ------
        RollingStrategyError
            If the strategy is not started.
        """
        if self._book is None:
            raise RollingStrategyError(f"{self.config.root}: the strategy is not started")
        return self._book

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

    @property
    def position(self) -> dict[ContractMonth, int]:
        """The signed quantity of the root by month, of its ledger, without zeros."""
        self.book  # noqa: B018 - raises before start
        return RootLedger(self.book, self._market).position

    def set_target(self, quantity: int) -> None:
        """Hold another quantity from now on; opens if nothing is held.

        An order that works is let finish first.
        """
        self._target = quantity
        self._may_open = True
        self._guard(self._step)

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

    # What nautilus calls

    def on_start(self) -> None:
        """Take the position over, and the move that a stop interrupted."""
        self._guarded(self._begin)

    def on_stop(self) -> None:
        """Stop looking; orders that work are left to the next start, which knows them."""
        self._close()

    def on_fault(self) -> None:
        """Stop looking."""
        self._close()

    def on_reset(self) -> None:
        """Forget everything that is not written down."""
        self._close()
        self._clear()

    # Start

    def _begin(self) -> None:
        config = self.config
        chain = (
            self._given_chain or Catalog.load(*config.contracts, roots=[config.root])[config.root]
        )
        if isinstance(self.clock, TestClock):  # a backtest knows no combinations
            self._rules = replace(self._rules, spread=False)
        self._calendar = chain.roll_calendar(hold=config.hold)
        account = self._account()
        self._market = RootMarket(
            chain,
            venue=config.venue,
            cache=self.cache,
            hours=LiquidHours.of(config.hours, chain),
            account=account,
        )
        self._claim_root(account)
        self._book = self._given_book or self._open_book(account)
        self._is_open = True
        self._ledger = RootLedger(self._book, self._market)
        self._orders = MoveOrders(
            self, self._book, self._market,
            client_id=config.client_id, dry_run=config.dry_run, say=self._say,
        )  # fmt: skip
        self.msgbus.subscribe("events.order.*", self._on_order)
        self.msgbus.subscribe(current_topic(config.root), self._on_current)
        known = self.cache.get(current_topic(config.root))
        if known:
            self._current = ContractMonth.parse(known.decode())
        if config.store is not None:  # a backtest is alone, and its broker does not err
            self._every(_PULSE_SECS, "pulse", self._beat)
        self._settle_by_ns = self.clock.timestamp_ns() + round(config.settle_secs * _NS)
        self._settle()

    def _claim_root(self, account: str | None) -> None:
        """Refuse a second strategy on the same position; two could not tell their orders apart."""
        name = f"pyfutures.rolling.{account or 'all'}.{self.config.root}"
        if name in self.msgbus.endpoints():
            raise RollingStrategyError(
                f"{self.config.root}: another strategy of this node holds this root in account"
                f" {account}; a root is held by one strategy"
            )
        self.msgbus.register(name, self._on_current)
        self._claim = name

    def _open_book(self, account: str | None) -> MoveBook:
        if self.config.store is None:
            return MemoryBook()
        from pyfutures.store.moves import StoredMoves  # noqa: PLC0415 - SQLAlchemy, if it is used

        return StoredMoves.open(
            self.config.store,
            account=account or "",
            root=self.config.root,
            trader=str(self.trader_id),
        )

    def _account(self) -> str | None:
        if self.config.account_id is not None:
            return str(self.config.account_id)
        accounts = [str(account.id) for account in self.cache.accounts()]
        if len(accounts) == 1:
            return accounts[0].partition("-")[2] or accounts[0]
        if self.config.store is None:
            return None
        raise RollingStrategyError(
            f"{self.config.root}: {len(accounts)} accounts ({', '.join(accounts) or 'none'});"
            " name one with `account_id`"
        )

    def _settle(self) -> None:
        """Bring the ledger up to date; fills and positions of the start may still be on their way."""
        if self._is_settled:
            return
        self._write_off_expired()
        if self.config.adopt and (taken := self._ledger.adopt()):
            self.log.warning(f"{self.config.root}: takes over {taken}")
        try:
            found = self._ledger.settle()
        except AttributionError as error:
            if self.config.store is None or self.clock.timestamp_ns() >= self._settle_by_ns:
                raise
            self._say(f"{self.config.root}: waits for positions and orders to agree: {error}")
            if f"{self.id}-poll" not in self.clock.timer_names:
                self._begin_to_poll()
            return
        if found:
            self.log.warning(f"{self.config.root}: was filled while nobody looked: {found}")
        self._is_settled = True
        self._take_up()

    def _write_off_expired(self) -> None:
        config = self.config
        gone = {} if config.replay else self._ledger.expired(self.clock.timestamp_ns())
        if not gone:
            return
        words = ", ".join(f"{name} {quantity:+d}" for name, quantity in gone.items())
        if config.on_expired == "fault":
            raise RollingStrategyError(
                f"{config.root}: the ledger says {words}, which has expired: see what became of"
                " it, and set `on_expired` to `flat` to write it off, or to `reopen` to open the"
                " target anew as well"
            )
        self._ledger.write_off(gone)
        self.log.warning(f"{config.root}: {words} has expired and is written off")
        for move in self._own_moves():
            self.book.end(move.id, "expired")
        if config.on_expired == "reopen":
            self._may_open = True
        else:
            self._target, self._may_open = sum(self.position.values()), False

    def _take_up(self) -> None:
        """Go on with the move that is open, if there is one."""
        config, position = self.config, self.position
        moves = self._own_moves()
        for older in moves[:-1]:  # superseded by the last one, and the node died before it said so
            if any(order.state is not State.DONE for order in self._ledger.orders(older)):
                raise RollingStrategyError(
                    f"{config.root}: two moves are open, {older.id} and {moves[-1].id}, and orders"
                    " of the older one work: cancel them by hand"
                )
            self.book.end(older.id, "superseded")
        self._move = moves[-1] if moves else None
        words = ", ".join(f"{month} {quantity:+d}" for month, quantity in sorted(position.items()))
        strange = [month for month in position if month not in self._calendar]
        if strange and self._move is None:
            raise RollingStrategyError(
                f"{config.root}: holds {words}, but {min(strange)} is not in the hold cycle; close"
                " it, or name the cycle with `hold`"
            )
        if len(position) > 1 and self._move is None:
            raise RollingStrategyError(
                f"{config.root}: holds {words}, and no move from one to the other was begun: a"
                " spread, or a trade by hand? Make it one month by hand"
            )
        if self._move is not None:
            self.log.warning(f"{self._move.id}: goes on where it was interrupted")
            self._begin_to_poll()
        else:
            self._cancel_timer("poll")
        if self._target is None:
            self._target = sum((self._move.desired if self._move else position).values())
        self._step()

    def _own_moves(self) -> list[Move]:
        return [move for move in self.book.open_moves() if move.id.root == self.config.root]

    # Timers

    def _every(self, seconds: float, name: str, action: Callable[[], None]) -> None:
        interval = round(seconds * _NS)
        thread = NodeThread()
        self._cancel_timer(name)
        self.clock.set_timer_ns(
            f"{self.id}-{name}", interval, 0, 0, lambda _: thread.call(lambda: self._guard(action))
        )

    def _begin_to_poll(self) -> None:
        """Look every moment while a move is open; nothing needs it otherwise."""
        seconds = self.config.poll_secs
        if isinstance(self.clock, TestClock):  # a month that waits must not take an hour
            seconds = max(seconds, _BACKTEST_POLL_SECS)
        self._every(seconds, "poll", self._step)

    def _cancel_timer(self, name: str) -> None:
        if f"{self.id}-{name}" in self.clock.timer_names:
            self.clock.cancel_timer(f"{self.id}-{name}")

    def _beat(self) -> None:
        """Keep the lease; look from time to time whether broker and ledgers agree."""
        self.book.beat()
        now = self.clock.timestamp_ns()
        if self._is_settled and now >= self._next_check_ns:
            self._next_check_ns = now + round(self.config.check_secs * _NS)
            self._compare()

    def _compare(self) -> None:
        """Stop if the broker holds something else than the ledgers say, twice in a row.

        A spread is told as a whole and leg by leg, some seconds apart: once may be in between.
        """
        try:
            self._ledger.compare()
        except AttributionError as error:
            if self._difference == str(error):
                raise
            self._difference = str(error)
            self.log.warning(str(error))
        else:
            self._difference = None

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

    # Ending

    def _close(self) -> None:
        self._cancel_timer("poll")
        self._cancel_timer("pulse")
        if self._claim is not None:
            self.msgbus.deregister(self._claim, self._on_current)
            self._claim = None
        if not self._is_open:
            return
        self._is_open, book = False, self.book
        self._watch(())
        self.msgbus.unsubscribe("events.order.*", self._on_order)
        self.msgbus.unsubscribe(current_topic(self.config.root), self._on_current)
        if self.config.dry_run and self._move is not None and not book.orders(self._move.id):
            book.end(self._move.id, "dry run")
        if book is not self._given_book:
            book.close()

    def _say(self, text: str) -> None:
        """Log what is new; a reason to wait is asked for every second."""
        if text != self._said:
            self._said = text
            self.log.info(text)

    def _guard(self, action: Callable[[], None]) -> None:
        """Do something if the strategy is started and not stopped: timers and users call late."""
        if self._is_open and self.failure is None:
            self._guarded(action)

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do something that must not fail unheard: nautilus only logs what a timer raises."""
        try:
            action()
        except (
            Exception
        ) as error:  # whatever it was, the position must not be left half moved unsaid
            self.failure = error
            text = f"{self.config.root}: {error}"
            is_known = isinstance(error, _KNOWN) or self._is_of_store(error)
            if is_known:
                self.log.error(text)  # noqa: TRY400 - its trace tells nothing
            else:
                self.log.exception(text, error)
            self.fault()
            self.shutdown_system(text)
            if not is_known:
                raise

    def _is_of_store(self, error: Exception) -> bool:
        if self.config.store is None:
            return False
        from pyfutures.store.errors import StoreError  # noqa: PLC0415 - as in `_open_book`

        return isinstance(error, StoreError)
