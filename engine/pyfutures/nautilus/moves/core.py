"""What a rolling strategy is besides its moves: start, care of the ledger, timers, end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nautilus_trader.common.component import TestClock
from nautilus_trader.trading.strategy import Strategy

from pyfutures.chain.catalog import Catalog
from pyfutures.months import ContractMonth
from pyfutures.nautilus.moves.ledger import LedgerError, RootLedger
from pyfutures.nautilus.moves.liquidity import LiquidHours
from pyfutures.nautilus.moves.node_thread import NodeThread
from pyfutures.nautilus.moves.orders import MoveOrders
from pyfutures.nautilus.moves.root_market import ContractNotLoadedError, RootMarket
from pyfutures.nautilus.types import current_topic
from pyfutures.positions import AttributionError, Move, State
from pyfutures.positions.book import MemoryBook, MoveBook, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nautilus_trader.model.events import OrderEvent
    from nautilus_trader.model.identifiers import InstrumentId

    from pyfutures.chain import Chain
    from pyfutures.nautilus.rolling_config import RollingStrategyConfig

__all__ = ["RollingCore", "RollingStrategyError"]

_NS: Final = 10**9
_BACKTEST_POLL_SECS: Final = 60.0
_PULSE_SECS: Final = 10.0  # well within a lease's time to live


class RollingStrategyError(RuntimeError):
    """Something that stopped the moving of a position; names the root and what it stands at."""


#: What is said in one line; anything else is a bug and raised on.
_KNOWN: Final = (RollingStrategyError, AttributionError, LedgerError, ContractNotLoadedError)


class RollingCore(Strategy):  # type: ignore[misc] # nautilus has no types
    """The part of a rolling strategy that stands before its moves.

    Parameters
    ----------
    config
        What to hold and how.
    chain
        The compiled root, if it is at hand.
    book
        What moves are written in, if it is not that of `config.store`.
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
        self._is_told = False  # whether `set_target` was called
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
    def position(self) -> dict[ContractMonth, int]:
        """The signed quantity of the root by month, of its ledger, without zeros."""
        self.book  # noqa: B018 - raises before start
        return RootLedger(self.book, self._market).position

    # What the moves are

    def _step(self) -> None:
        raise NotImplementedError

    def _on_order(self, event: OrderEvent) -> None:
        raise NotImplementedError

    def _on_current(self, month: str) -> None:
        raise NotImplementedError

    def _watch(self, months: Iterable[ContractMonth]) -> None:
        raise NotImplementedError

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
        self._recall_target()
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

    def _recall_target(self) -> None:
        """Take the target up that was set while an earlier run was up, if it still counts."""
        if self._is_told:  # before the start
            self._keep_target()
            return
        kept, configured = self.book.target(), self.config.target
        if kept is None:
            return
        if kept.configured != configured:
            self.log.warning(
                f"{self.config.root}: the target is {configured}, as the config says now; it was"
                f" {kept.configured} when {kept.quantity} was set"
            )
            if not self.config.dry_run:
                self.book.set_target(None)
            return
        self._target, self._may_open = kept.quantity, self._may_open or kept.opens
        self.log.info(f"{self.config.root}: the target is {kept.quantity}, which was set")

    def _keep_target(self) -> None:
        """Write the target down; a strategy may say the same at every bar."""
        if self._target is None or self.config.dry_run:
            return
        is_flat = not self.position and not self._own_moves()
        told = Target(self._target, self.config.target, opens=is_flat and self._target != 0)
        if told != self.book.target():
            self.book.set_target(told)

    def _settle(self) -> None:
        """Bring the ledger up to date; what the start found may still be on its way."""
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
            if self.book.target() is not None:
                self.book.set_target(None)

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
        try:
            if self.config.dry_run and self._move is not None and not book.orders(self._move.id):
                book.end(self._move.id, "dry run")
            if book is not self._given_book:
                book.close()
        except Exception as error:  # of the store alone; what is written is safe
            if not self._is_of_store(error):
                raise
            self.log.error(f"{self.config.root}: not closed in good order: {error}")  # noqa: TRY400 - its trace tells nothing

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
            try:
                self.fault()
            finally:
                self.shutdown_system(text)
            if not is_known:
                raise

    def _is_of_store(self, error: Exception) -> bool:
        if self.config.store is None:
            return False
        from pyfutures.store.errors import StoreError  # noqa: PLC0415 - as in `_open_book`

        return isinstance(error, StoreError)
