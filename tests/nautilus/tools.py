"""A backtest with a roll actor in it, and all that was published."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar as NativeBar
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money

from pyfutures.chain.sessions import listings, sessions
from pyfutures.continuous.bars import ContinuousBar, Roll, Time
from pyfutures.continuous.machine import RollMachine
from pyfutures.gateway.curve import Curve
from pyfutures.months import ContractMonth
from pyfutures.nautilus.actor import RollActor, RollActorConfig
from pyfutures.nautilus.instruments import futures_contract
from pyfutures.nautilus.parsing import bar_to_native
from pyfutures.nautilus.types import bar_topic, roll_topic

# nautilus' own engine calls what pandas 3 deprecates; nothing of ours does.
UTCNOW = pytest.mark.filterwarnings("ignore:Timestamp.utcnow is deprecated")
SECOND = 10**9
DAILY = "1-DAY-LAST-EXTERNAL"

month = ContractMonth.parse


def market(chain, first, last, *, months, seed=3):
    """Simulated daily bars by time, `months` as ``2024H 2024M``."""
    wanted = [month(text) for text in months.split()]
    contracts = [x for x in listings(chain, min(wanted), max(wanted)) if x.month in wanted]
    days = sessions(chain, dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    columns = Curve(chain.root, seed).bars(contracts, days)
    bars = [bar for each in columns.values() for bar in each.bars()]
    # A native bar has no open interest.
    bars = [type(b)(b.month, b.ts, b.open, b.high, b.low, b.close, b.volume) for b in bars]
    return sorted(bars, key=lambda bar: (bar.ts, bar.month))


def expected(chain, bars, *, start, **overrides):
    """What the roll machine says of the same bars without a platform around it."""
    machine = RollMachine(chain.roll_calendar(**overrides), start=month(start))
    events = [event for bar in bars for event in machine.feed(bar)]
    return events + list(machine.feed(Time(bars[-1].ts)))


def native(chain, bars, *, delay=lambda _: 0, spec=DAILY, venue=None):
    """Native bars that arrive `delay` nanoseconds after their close."""
    made = []
    for bar in bars:
        contract = futures_contract(chain, bar.month, venue=venue)
        bar_type = BarType.from_str(f"{contract.id}-{spec}")
        one = bar_to_native(bar, bar_type, contract.price_precision)
        late = bar.ts + delay(bar)
        made.append(
            NativeBar(bar_type, one.open, one.high, one.low, one.close, one.volume, bar.ts, late)
        )
    return made


class Spy(RollActor):
    """A roll actor that remembers when it subscribed to what."""

    def __init__(self, config, chain=None):
        super().__init__(config, chain)
        self.calls = []

    def subscribe_bars(self, bar_type, **options):
        self.calls.append((self.clock.timestamp_ns(), "+", str(bar_type.instrument_id)))
        super().subscribe_bars(bar_type, **options)

    def unsubscribe_bars(self, bar_type, **options):
        self.calls.append((self.clock.timestamp_ns(), "-", str(bar_type.instrument_id)))
        super().unsubscribe_bars(bar_type, **options)


@dataclass
class Run:
    """A backtest that has been run."""

    actor: Spy
    engine: BacktestEngine
    events: list = field(default_factory=list)
    shutdowns: list = field(default_factory=list)
    error: Exception | None = None

    @property
    def bars(self):
        return [event for event in self.events if isinstance(event, ContinuousBar)]

    @property
    def rolls(self):
        return [event for event in self.events if isinstance(event, Roll)]


def run(chain, data, *, listener=None, **options):
    """Run native bars through a roll actor; an exception of the run is kept, not raised."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        Venue(options.get("venue") or chain.spec.exchange),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(1_000_000, USD)],
    )
    for symbol in sorted({bar.bar_type.instrument_id.symbol.value for bar in data}):
        each = month(f"20{symbol[-2:]}{symbol[-3]}")
        engine.add_instrument(futures_contract(chain, each, venue=options.get("venue")))
    engine.add_data(data)
    actor = Spy(RollActorConfig(root=chain.root, **options), chain)
    result = Run(actor, engine)
    engine.add_actor(actor)
    if listener is not None:
        engine.add_actor(listener)
    bus = engine.kernel.msgbus
    bus.subscribe(bar_topic(chain.root), lambda data: result.events.append(data.bar))
    bus.subscribe(roll_topic(chain.root), lambda data: result.events.append(data.roll))
    bus.subscribe("commands.system.shutdown", result.shutdowns.append)
    try:
        engine.run()
    except Exception as error:  # noqa: BLE001 - the tests look at it
        result.error = error
    return result
