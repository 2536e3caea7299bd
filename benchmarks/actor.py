"""The roll actor in a backtest against an actor that only counts: the same bars, one run."""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money

from benchmarks.timing import Figure, tell
from pyfutures.chain import Catalog
from pyfutures.chain.sessions import listings, sessions
from pyfutures.gateway.curve import Curve
from pyfutures.months import ContractMonth
from pyfutures.nautilus.actor import RollActor, RollActorConfig
from pyfutures.nautilus.instruments import futures_contract
from pyfutures.nautilus.parsing import bar_to_native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nautilus_trader.model.data import Bar as NativeBar

    from pyfutures.chain import Chain

_SPEC = "30-SECOND-LAST-EXTERNAL"
_TIMES = 20_000
_STORED_TIMES = 1_000  # every leg is a commit that waits for the disk
_RUNS = 3
_AIM = 0.5
_MONTHS = [ContractMonth.parse(text) for text in ("2024H", "2024M", "2024U")]


class _Counter(Actor):  # type: ignore[misc] # nautilus has no types
    """Subscribes to the same bars, and counts them."""

    def __init__(self, types: list[BarType]) -> None:
        super().__init__(ActorConfig(component_id="COUNTER"))
        self._types, self.count = types, 0

    def on_start(self) -> None:
        for bar_type in self._types:
            self.subscribe_bars(bar_type)

    def on_bar(self, bar: NativeBar) -> None:  # noqa: ARG002 - as nautilus calls it
        self.count += 1


def measure() -> Iterator[Figure]:
    """Yield bars per second through both, and the share of the one in the other."""
    warnings.filterwarnings("ignore", message="Timestamp.utcnow is deprecated")
    chain = Catalog.load(roots=["ES"])["ES"]
    bars, few = _bars(chain, _TIMES), _bars(chain, _STORED_TIMES)
    tell("actor: bars through a backtest")
    note = f"{len(bars)} bars of three months; median of {_RUNS}"
    kinds = sorted({bar.bar_type for bar in bars}, key=str)
    counter = _rate(chain, bars, lambda _: _Counter(kinds))
    yield Figure("actor: one that only counts", counter, "bars/s", note)
    for name, plain in (("roll actor", False), ("roll actor with plain bars", True)):
        rate = _rate(chain, bars, lambda _, plain=plain: _actor(chain, native_bars=plain))
        yield Figure(f"actor: {name}", rate, "bars/s", note)
        aim = None if plain else _AIM
        yield Figure(
            f"actor: {name} / one that only counts", rate / counter, "times", note, aim=aim
        )
    rate = _rate(chain, few, lambda folder: _actor(chain, store=str(folder / "s.sqlite")))
    note = f"{len(few)} bars; a commit that is on the disk for each"
    yield Figure("actor: roll actor with a store", rate, "bars/s", note)


def _actor(chain: Chain, *, native_bars: bool = False, store: str | None = None) -> RollActor:
    config = RollActorConfig(
        root=chain.root, start="2024H", bar_spec=_SPEC, native_bars=native_bars, store=store
    )
    return RollActor(config, chain)


def _bars(chain: Chain, times: int) -> list[NativeBar]:
    """The same daily bars again and again, half a minute apart: no roll, all legs."""
    contracts = [x for x in listings(chain, _MONTHS[0], _MONTHS[-1]) if x.month in _MONTHS]
    days = sessions(chain, dt.date(2024, 2, 26), dt.date(2024, 2, 26))
    columns = Curve(chain.root, 3).bars(contracts, days)
    first = [next(iter(each.bars())) for each in columns.values()]
    made = []
    for i in range(times):
        for bar in first:
            contract = futures_contract(chain, bar.month)
            one = replace(bar, ts=bar.ts + i * 30 * 10**9, open_interest=None)
            bar_type = BarType.from_str(f"{contract.id}-{_SPEC}")
            made.append(bar_to_native(one, bar_type, contract.price_precision))
    return made


def _rate(chain: Chain, bars: list[NativeBar], make: Callable[[Path], Actor]) -> float:
    return statistics.median(_once(chain, bars, make) for _ in range(_RUNS))


def _once(chain: Chain, bars: list[NativeBar], make: Callable[[Path], Actor]) -> float:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        Venue(chain.spec.exchange),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(1_000_000, USD)],
    )
    for month in _MONTHS:
        engine.add_instrument(futures_contract(chain, month))
    engine.add_data(bars)
    with tempfile.TemporaryDirectory() as folder:
        engine.add_actor(make(Path(folder)))
        begun = time.perf_counter()
        engine.run()
        taken = time.perf_counter() - begun
        engine.dispose()
    return len(bars) / taken
