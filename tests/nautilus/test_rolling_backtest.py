"""The rolling strategy in a backtest: one move a roll, by legs, and nothing else."""

from __future__ import annotations

import pytest
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money

from pyfutures.chain import Catalog
from pyfutures.nautilus.instruments import futures_contract
from pyfutures.nautilus.rolling import RollingStrategy, RollingStrategyConfig
from pyfutures.nautilus.types import current_topic
from pyfutures.positions.book import MemoryBook
from tests.nautilus.tools import UTCNOW, market, month, native

pytestmark = UTCNOW
MONTHS = "2024H 2024M 2024U"


@pytest.fixture(scope="module")
def chain():
    return Catalog.load(roots=["ES"])["ES"]


class Caller(Actor):
    """Says which month is current, at given times."""

    def __init__(self, root, calls):
        super().__init__(ActorConfig(component_id="CALLER"))
        self._root, self._calls = root, calls

    def on_start(self):
        for i, (ns, text) in enumerate(self._calls):
            self.clock.set_time_alert_ns(
                f"call-{i}",
                ns,
                lambda _, text=text: self.msgbus.publish(current_topic(self._root), text),
            )


def run(chain, data, calls, book, **config):
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        Venue("XCME"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(10_000_000, USD)],
    )
    for text in MONTHS.split():
        engine.add_instrument(futures_contract(chain, month(text)))
    engine.add_data(data)
    engine.add_actor(Caller(chain.root, calls))
    strategy = RollingStrategy(
        RollingStrategyConfig(root=chain.root, strategy_id="ROLL", order_id_tag="001", **config),
        chain,
        book,
    )
    engine.add_strategy(strategy)
    engine.run()
    held = {
        str(position.instrument_id): int(position.signed_qty)
        for position in engine.cache.positions_open()
    }
    orders = [str(order.client_order_id) for order in engine.cache.orders()]
    engine.dispose()
    return strategy, held, orders


def hour(data, day):
    """The instant an hour after the daily close of a day, within the next session."""
    return next(bar.ts_event for bar in data if bar.ts_event > day) + 3 * 3600 * 10**9


@pytest.fixture(scope="module")
def data(chain):
    return native(chain, market(chain, "2024-03-04", "2024-06-28", months=MONTHS))


DAY = 86_400 * 10**9
# 2024-03-05, 2024-03-11 and 2024-06-13, 00:00 UTC.
OPENS, FIRST, SECOND = (1_709_596_800 * 10**9, 1_710_115_200 * 10**9, 1_718_236_800 * 10**9)


def test_opens_when_asked_and_moves_on_each_roll(chain, data):
    book = MemoryBook()
    calls = [
        (hour(data, OPENS), "2024H"),
        (hour(data, FIRST), "2024M"),
        (hour(data, SECOND), "2024U"),
    ]
    strategy, held, orders = run(chain, data, calls, book, target=2, open_when_flat=True)
    assert strategy.failure is None
    assert held == {"ESU24.XCME": 2}
    assert strategy.position == {month("2024U"): 2}
    sides = [text.rpartition("T")[0].rsplit("-", 1)[0] + text[-3:] for text in orders]
    assert sorted(sides) == [
        "ES-2024H-2024M-L1", "ES-2024H-2024M-L2", "ES-2024M-2024U-L1", "ES-2024M-2024U-L2",
        "ES-FLAT-2024H-L1",
    ]  # fmt: skip


def test_flat_stays_flat_unless_asked(chain, data):
    _, held, orders = run(chain, data, [(hour(data, OPENS), "2024H")], MemoryBook(), target=2)
    assert (held, orders) == ({}, [])


def test_dry_run_sends_nothing(chain, data):
    book = MemoryBook()
    calls = [(hour(data, OPENS), "2024H")]
    strategy, held, orders = run(
        chain, data[:24], calls, book, target=2, open_when_flat=True, dry_run=True
    )
    assert (held, orders, strategy.failure) == ({}, [], None)
    assert book.audit[0].startswith("ES-FLAT-2024H-")


def test_kill_file_sends_nothing(chain, data, tmp_path):
    kill = tmp_path / "KILL"
    kill.touch()
    calls = [(hour(data, OPENS), "2024H")]
    strategy, held, orders = run(
        chain, data[:24], calls, MemoryBook(), target=2, open_when_flat=True, kill_file=str(kill)
    )
    assert (held, orders, strategy.failure) == ({}, [], None)


def test_a_position_that_no_move_explains_stops(chain, data):
    book = MemoryBook()
    book.adjust("ES", {"ESH24.XCME": 1}, "written by a test")
    strategy, held, orders = run(chain, data, [], book)
    assert (held, orders) == ({}, [])
    assert "ESH24.XCME: the broker holds +0, the ledger says ES +1" in str(strategy.failure)
