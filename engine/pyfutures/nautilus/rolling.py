"""A strategy that holds a target in the current contract and moves it on the roll.

Theory of operation. The roll actor says which month is current (`current_topic`), once it has
caught up with all that was missed. If the position of the root is not what it shall be there, a
move is written down and carried out: at every event of an order and every second the facts go to
`pyfutures.positions.decide`, and what it says is written down, then done. A restart finds the move,
its orders by their references, and goes on.

The position is the ledger's: signed quantity by contract of what this root has filled. At start and
between moves the sum over the roots of the account must be what the broker holds, or it stops.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

from nautilus_trader.common.component import TestClock
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderEvent, OrderFilled, OrderInitialized
from nautilus_trader.model.identifiers import ClientId, ClientOrderId, InstrumentId
from nautilus_trader.trading.strategy import Strategy

from pyfutures.chain.catalog import Catalog
from pyfutures.months import ContractMonth
from pyfutures.nautilus.liquidity import LiquidHours
from pyfutures.nautilus.node_thread import NodeThread
from pyfutures.nautilus.rolling_config import RollingStrategyConfig
from pyfutures.nautilus.root_market import RootMarket
from pyfutures.nautilus.types import current_topic
from pyfutures.positions import (
    AttributionError,
    Cancel,
    Done,
    Ended,
    Facts,
    Halt,
    Move,
    MoveId,
    MoveOrder,
    OrderKind,
    OrderRef,
    Place,
    Reprice,
    State,
    Wait,
    attribute,
    claims_of,
    decide,
)
from pyfutures.positions.book import MemoryBook, MoveBook, RootFill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nautilus_trader.model.data import QuoteTick
    from nautilus_trader.model.orders import Order

    from pyfutures.chain import Chain

__all__ = ["RollingStrategy", "RollingStrategyConfig", "RollingStrategyError"]

_NS: Final = 10**9
_BACKTEST_POLL_SECS: Final = 60.0
_PULSE_SECS: Final = 10.0  # well within a lease's time to live
_IN_FLIGHT: Final = frozenset(
    {
        OrderStatus.INITIALIZED, OrderStatus.SUBMITTED, OrderStatus.PENDING_UPDATE,
        OrderStatus.PENDING_CANCEL, OrderStatus.EMULATED, OrderStatus.RELEASED,
    }
)  # fmt: skip


class RollingStrategyError(RuntimeError):
    """Something that stopped the moving of a position; names the root and what it stands at."""


class RollingStrategy(Strategy):  # type: ignore[misc] # nautilus has no types
    """Holds `target` contracts of a root in the month that the roll actor says.

    Subclass it and call `set_target` for a strategy of your own; a subclass that overrides
    `on_start`, `on_stop` or `on_quote_tick` calls these too.

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
        self._given_chain, self._owns_book = chain, book is None
        self._rules = config.rules
        self.failure: Exception | None = None
        self._current: ContractMonth | None = None
        self._target: int | None = config.target
        self._may_open = config.open_when_flat
        self._move: Move | None = None
        self._quoted: dict[ContractMonth, InstrumentId] = {}
        self._said = ""
        self._stamp = 0
        self._next_check_ns = 0
        self._difference: str | None = None
        self._book = book
        self._is_busy = False

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

    def set_target(self, quantity: int) -> None:
        """Hold another quantity from now on; opens if nothing is held."""
        self._target = quantity
        self._may_open = True
        self._guard(self._step)

    @property
    def position(self) -> dict[ContractMonth, int]:
        """The signed quantity of the root by month, of its ledger, without zeros."""
        ledger = self.book.position(self.config.root)
        return {self._market.month(name): quantity for name, quantity in ledger.items() if quantity}

    # What nautilus calls

    def on_start(self) -> None:
        """Take the position over, and the move that a stop interrupted."""
        self._guard(self._begin)

    def on_stop(self) -> None:
        """Stop looking; orders that work are left to the next start, which knows them."""
        self._cancel(self._poll)
        self._cancel(self._pulse)
        self._watch(())
        self.msgbus.unsubscribe("events.order.*", self._on_order)
        self.msgbus.unsubscribe(current_topic(self.config.root), self._on_current)
        if self._book is not None and self._owns_book:
            self._book.close()
            self._book = None

    def on_fault(self) -> None:
        """Stop looking."""
        self.on_stop()

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Take no part: quotes are read from the cache when they are needed."""

    # Start

    @property
    def _poll(self) -> str:
        return f"{self.id}-poll"

    @property
    def _pulse(self) -> str:
        return f"{self.id}-pulse"

    def _begin(self) -> None:
        config = self.config
        chain = (
            self._given_chain or Catalog.load(*config.contracts, roots=[config.root])[config.root]
        )
        if isinstance(self.clock, TestClock):  # a backtest knows no combinations
            self._rules = replace(self._rules, spread=False)
        self._calendar = chain.rolls
        self._market = RootMarket(
            chain,
            venue=config.venue,
            cache=self.cache,
            hours=LiquidHours.of(config.hours, chain),
        )
        if self._book is None:
            self._book = self._open_book()
        self._settle()
        open_moves = [move for move in self.book.open_moves() if move.id.root == config.root]
        if len(open_moves) > 1:
            raise RollingStrategyError(
                f"{config.root}: two moves are open, {open_moves[0].id} and {open_moves[1].id};"
                " end one by hand"
            )
        if open_moves:
            self._move = open_moves[0]
            self.log.warning(f"{self._move.id}: goes on where it was interrupted")
            self._catch_up(self._move)
            self._watch(self._move.remaining(self.position))
        if self._target is None:
            self._target = sum((self._move.desired if self._move else self.position).values())
        self.msgbus.subscribe("events.order.*", self._on_order)
        self.msgbus.subscribe(current_topic(config.root), self._on_current)
        known = self.cache.get(current_topic(config.root))
        if known is not None:
            self._current = ContractMonth.parse(known.decode())
        if config.store is not None:  # a backtest is alone, and its broker does not err
            self._every(_PULSE_SECS, self._pulse, self._beat)
        if open_moves:
            self._begin_to_poll()

    def _catch_up(self, move: Move) -> None:
        """Take note of what filled while the node was down: the ledger has it by now."""
        for order in self.book.orders(move.id):
            live = self.cache.order(ClientOrderId(str(order.ref)))
            if live is not None and int(live.filled_qty) > order.filled:
                filled = int(live.filled_qty)
                self.book.write(replace(order, filled=filled), "filled while the node was down")

    def _every(self, seconds: float, name: str, action: Callable[[], None]) -> None:
        interval = round(seconds * _NS)
        thread = NodeThread()
        self.clock.set_timer_ns(
            name, interval, 0, 0, lambda _: thread.call(lambda: self._guard(action))
        )

    def _begin_to_poll(self) -> None:
        """Look every moment while a move is open; nothing needs it otherwise."""
        seconds = self.config.poll_secs
        if isinstance(self.clock, TestClock):  # a month that waits must not take an hour
            seconds = max(seconds, _BACKTEST_POLL_SECS)
        self._every(seconds, self._poll, self._step)

    def _cancel(self, name: str) -> None:
        if name in self.clock.timer_names:
            self.clock.cancel_timer(name)

    def _open_book(self) -> MoveBook:
        if self.config.store is None:
            return MemoryBook()
        from pyfutures.store.moves import StoredMoves  # noqa: PLC0415 - SQLAlchemy, if it is used

        return StoredMoves.open(
            self.config.store,
            account=self._account(),
            root=self.config.root,
            strategy=str(self.id),
            trader=str(self.trader_id),
        )

    def _account(self) -> str:
        if self.config.account_id is not None:
            return str(self.config.account_id)
        accounts = [str(account.id) for account in self.cache.accounts()]
        if len(accounts) != 1:
            raise RollingStrategyError(
                f"{self.config.root}: {len(accounts)} accounts ({', '.join(accounts) or 'none'});"
                " name one with `account_id`"
            )
        return accounts[0].partition("-")[2] or accounts[0]

    # The broker and the ledgers

    def _ledgers(self) -> dict[str, dict[str, int]]:
        """Return the part of each ledger that is of the contracts of this root."""
        return {
            root: self._market.only_ours(dict(ledger))
            for root, ledger in self.book.ledgers().items()
        }

    def _settle(self) -> None:
        """Give the difference between broker and ledgers to the move that explains it."""
        held, ledgers = self._market.held(), self._ledgers()
        if self.config.adopt and not ledgers.get(self.config.root):
            free = {
                name: quantity - sum(ledger.get(name, 0) for ledger in ledgers.values())
                for name, quantity in held.items()
            }
            taken = {name: quantity for name, quantity in free.items() if quantity}
            if taken:
                self.log.warning(f"{self.config.root}: takes over {taken}")
                self.book.adjust(self.config.root, taken, "taken over from the broker")
                ledgers = self._ledgers()
        found = attribute(held, ledgers, claims_of(self.book))
        mine = found.get(self.config.root)
        if mine:
            self.log.warning(f"{self.config.root}: was filled while nobody looked: {mine}")
            self.book.adjust(self.config.root, mine, "filled while the node was down")

    def _beat(self) -> None:
        """Keep the lease; look from time to time whether broker and ledgers agree."""
        self.book.beat()
        now = self.clock.timestamp_ns()
        if now >= self._next_check_ns and not self.book.open_moves():
            self._next_check_ns = now + round(self.config.check_secs * _NS)
            self._compare()

    def _compare(self) -> None:
        """Stop if the broker holds something else than the ledgers say, twice in a row.

        A spread is told as a whole and leg by leg, some seconds apart: once may be in between.
        """
        try:
            attribute(self._market.held(), self._ledgers(), ())
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
        if ref is not None and ref.move.root == self.config.root and self.failure is None:
            self._guard(lambda: self._heard(event, ref))

    def _heard(self, event: OrderEvent, ref: OrderRef) -> None:
        known = {order.ref: order for order in self.book.orders(ref.move)}
        if ref not in known:
            raise RollingStrategyError(
                f"{ref}: an order with our reference that is not written down"
            )
        order = known[ref]
        if isinstance(event, OrderFilled):
            sign = 1 if event.order_side is OrderSide.BUY else -1
            size = int(event.last_qty)
            if order.ref.kind is OrderKind.LEG:
                contracts = {str(event.instrument_id): sign * size}
            else:
                names = (str(self._market.name(month)) for month in sorted(order.legs))
                contracts = dict(zip(names, (sign * size, -sign * size), strict=True))
            fill = RootFill(
                event.trade_id.value, ref, contracts, str(event.last_px), event.ts_event
            )
            if self.book.fill(fill):
                order = replace(order, filled=order.filled + size)
        self.book.write(self._refreshed(order), type(event).__name__)
        self._step()

    # Moving

    def _step(self) -> None:
        """Look at the facts and do what they ask for; asking once too often does no harm."""
        if self.failure is not None or self._is_busy:
            return
        self._is_busy = True  # what is sent may be answered before `submit_order` returns
        try:
            while self._advance():
                pass
        finally:
            self._is_busy = False

    def _advance(self) -> bool:
        """Do what is to be done now; return whether to look again."""
        if self._move is None and not self._decide_to_move():
            return False
        move = self._move
        assert move is not None  # noqa: S101 - decided just now
        facts = self._facts(move)
        if not any(order.state is not State.DONE for order in facts.orders):
            aim = self._aim()
            if aim is not None and aim != dict(move.desired):
                self._finish(move, "superseded")
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

    def _decide_to_move(self) -> bool:
        aim, position = self._aim(), self.position
        if aim is None:
            return False
        if aim == position or (not position and not self._may_open):
            return False
        # Ids are of whole seconds; two moves in one second would be one.
        self._stamp = max(self.clock.timestamp_ns() // _NS, self._stamp + 1)
        now = dt.datetime.fromtimestamp(self._stamp, dt.UTC)
        source = min(position) if position else None
        deadline = None
        if source is not None and source != self._current and not self.config.replay:
            deadline = self._calendar.row(source).deadline_ns
        move = Move(
            MoveId(self.config.root, source, next(iter(aim), None), now),
            aim,
            {month: str(self._market.name(month)) for month in {*aim, *position}},
            deadline,
        )
        self.book.begin(move)
        self._move = move
        self._begin_to_poll()
        self.log.info(f"{move.id}: {position} to {aim}")
        self._watch(move.remaining(position))
        return True

    def _finish(self, move: Move, outcome: str) -> None:
        self.book.end(move.id, outcome)
        self.log.info(f"{move.id}: {outcome}")
        self._move = None
        self._said = ""
        self._cancel(self._poll)
        self._next_check_ns = self.clock.timestamp_ns() + round(self.config.check_secs * _NS)
        self._watch(())

    def _facts(self, move: Move) -> Facts:
        left = move.remaining(self.position)
        quotes = self._market.quotes(left)
        now = self.clock.timestamp_ns()
        kill = self.config.kill_file
        return Facts(
            now_ns=now,
            position=self.position,
            orders=[self._refreshed(order) for order in self.book.orders(move.id)],
            quotes=quotes,
            tick=self._market.tick(left),
            liquid=self.config.replay or self._market.is_liquid(left, now),
            killed=kill is not None and Path(kill).exists(),
        )

    def _refreshed(self, order: MoveOrder) -> MoveOrder:
        """Return an order as the cache knows it, and as far filled as the ledger was told."""
        live: Order | None = self.cache.order(ClientOrderId(str(order.ref)))
        if order.state is State.DONE:
            return order
        if live is None:
            # Written down, never sent: the node died in between. Or done, and forgotten there.
            return replace(order, state=State.DONE, ended=order.ended or Ended.PAUSED)
        if live.status in _IN_FLIGHT or int(live.filled_qty) > order.filled:
            return replace(order, state=State.IN_FLIGHT)
        if not live.is_closed:
            return replace(order, state=State.WORKING)
        ended = Ended.FILLED if live.status is OrderStatus.FILLED else order.ended
        return replace(order, state=State.DONE, ended=ended or Ended.REFUSED)

    def _do(self, move: Move, action: object, *, now_ns: int) -> None:
        match action:
            case Place():
                self._place(action, now_ns=now_ns)
            case Reprice(ref, price, step):
                order = self._written(ref)
                live = self.cache.order(ClientOrderId(str(ref)))
                instrument = self.cache.instrument(live.instrument_id)
                changed = replace(order, step=step, price=price, sent_ns=now_ns)
                self.book.write(changed, f"re-priced to {price}")
                if order.price != price:
                    self.modify_order(
                        live, price=instrument.make_price(price), client_id=self._client
                    )
            case Cancel(ref, ended):
                order = self._written(ref)
                if order.ended is None:
                    self.book.write(replace(order, ended=ended), f"cancelled: {ended.value}")
                self.cancel_order(self.cache.order(ClientOrderId(str(ref))), client_id=self._client)
            case Wait(reason):
                self._say(reason)
            case Halt(reason):
                if "kill switch" in reason:  # it may be lifted: nothing has failed
                    self._say(reason)
                    return
                raise RollingStrategyError(reason)
            case Done():
                self._finish(move, "moved")
            case _:
                assert_never(action)  # type: ignore[arg-type]

    def _place(self, action: Place, *, now_ns: int) -> None:
        ref, legs = action.ref, action.legs
        words = " ".join(f"{quantity:+d} {month}" for month, quantity in legs.items())
        text = f"{words} at {action.price if action.price is not None else 'market'}"
        if self.config.dry_run:
            self._say(f"{ref.move}: dry run, would send {ref.kind.value} {text}")
            return
        order = self._market.order(action, self.order_factory)
        self.book.write(
            MoveOrder(ref, legs, State.IN_FLIGHT, now_ns, price=action.price), f"sent: {text}"
        )
        self.log.info(f"{ref}: {text}")
        self.submit_order(order, client_id=self._client)

    # Facts

    @property
    def _client(self) -> ClientId | None:
        return None if self.config.client_id is None else ClientId(self.config.client_id)

    def _written(self, ref: OrderRef) -> MoveOrder:
        return next(order for order in self.book.orders(ref.move) if order.ref == ref)

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

    # Failing

    def _say(self, text: str) -> None:
        """Log what is new; a reason to wait is asked for every second."""
        if text != self._said:
            self._said = text
            self.log.info(text)

    def _guard(self, action: Callable[[], None]) -> None:
        """Do something that must not fail unheard: nautilus only logs what a timer raises."""
        if self.failure is not None:
            return
        try:
            action()
        except (
            Exception
        ) as error:  # whatever it was, the position must not be left half moved unsaid
            self.failure = error
            text = f"{self.config.root}: {error}"
            self.log.exception(text, error)
            self.fault()
            self.shutdown_system(text)
            if not isinstance(error, (RollingStrategyError, AttributionError)):
                raise
