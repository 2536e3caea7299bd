"""Our four modes against nautilus' own engine, run on the same bars and transitions."""

from __future__ import annotations

import pytest

from pyfutures.continuous.adjustment import Adjustment
from pyfutures.continuous.bars import PRICE_SCALE, price_text
from pyfutures.continuous.build import build
from pyfutures.continuous.frame import read_bars
from tests.continuous.tools import calendar, month

pytest.importorskip("pyarrow")
nautilus = pytest.importorskip("nautilus_trader.backtest.engine")

pytestmark = [  # of the platform
    pytest.mark.filterwarnings("ignore:Timestamp.utcnow"),
    pytest.mark.filterwarnings("ignore:'d' is deprecated"),
]

ES = calendar(
    "2021H - 2021M - 2021-03-10 2021-03-19",
    "2021M 2021H 2021U - 2021-06-10 2021-06-18",
    "2021U 2021M - - 2021-09-10 2021-09-17",
    root="ES",
)
IDS = {"2021H": "ESH21.XCME", "2021M": "ESM21.XCME", "2021U": "ESU21.XCME"}
MINUTE = 60 * 10**9


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Three months, gaps of both signs; each roll on the first minute of its roll date."""
    path = tmp_path_factory.mktemp("bars") / "es.csv"
    lines = ["contract,ts,open,high,low,close,volume"]
    for day, names, base in (
        ("2021-03-09", ("2021H", "2021M"), 3900),
        ("2021-03-10", ("2021H", "2021M"), 3925),
        ("2021-03-11", ("2021M",), 3933),
        ("2021-06-10", ("2021M", "2021U"), 4235),
        ("2021-06-11", ("2021U",), 4180),
    ):
        for minute in range(3):
            for name in names:
                price = base + minute + {"2021H": 0, "2021M": 12.5, "2021U": -7.25}[name]
                prices = f"{price},{price + 1},{price - 1},{price + 0.5}"
                lines.append(f"{name},{day}T15:0{minute}:00Z,{prices},10")
    path.write_text("\n".join(lines) + "\n")
    built = build(read_bars(path), ES)
    assert [price_text(roll.gap) for roll in built.rolls] == ["12.5", "-19.75"]
    return built


def native_bars(series, mode):
    """Adjusted closes by timestamp as nautilus' data engine makes them of the same bars."""
    from nautilus_trader.backtest.config import BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig
    from nautilus_trader.data.config import DataEngineConfig
    from nautilus_trader.model.currencies import USD
    from nautilus_trader.model.data import Bar, BarType
    from nautilus_trader.model.enums import (
        AccountType,
        AssetClass,
        ContinuousFutureAdjustmentType,
        OmsType,
    )
    from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
    from nautilus_trader.model.instruments import FuturesContract
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.trading.strategy import Strategy

    target = BarType.from_str("ES.XCME-1-MINUTE-LAST-INTERNAL@1-MINUTE-EXTERNAL")
    transitions = [
        {
            "transition_time_ns": roll.last_old_ts + 1,
            "pre_instrument_id": IDS[str(roll.old)],
            "post_instrument_id": IDS[str(roll.new)],
            "pre_price": price_text(roll.pre_price),
            "post_price": price_text(roll.post_price),
        }
        for roll in series.rolls
    ]
    params = {
        "continuous_future_transitions": transitions,
        "continuous_future_adjustment_mode": ContinuousFutureAdjustmentType[mode.name],
    }

    class Listener(Strategy):
        def on_start(self):
            self.closes = {}
            self.subscribe_bars(target, params=params)

        def on_bar(self, bar):
            self.closes[bar.ts_event] = tuple(map(str, (bar.open, bar.high, bar.low, bar.close)))

    engine = nautilus.BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            data_engine=DataEngineConfig(time_bars_build_with_no_updates=False),
        )
    )
    try:
        engine.add_venue(
            Venue("XCME"),
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            starting_balances=[Money(1_000_000, USD)],
        )
        for name in IDS.values():
            engine.add_instrument(
                FuturesContract(
                    InstrumentId.from_str(name),
                    Symbol(name.split(".")[0]),
                    AssetClass.INDEX,
                    USD,
                    9,
                    Price.from_str("0.000000001"),
                    Quantity.from_int(50),
                    Quantity.from_int(1),
                    "ES",
                    0,
                    2**62,
                    0,
                    0,
                )
            )
        texts = [str(one) for one in series.month_texts()]
        bars = []
        for row, (text, ts) in enumerate(zip(texts, series.ts.tolist(), strict=True)):
            prices = [
                Price.from_raw(int(getattr(series, name)[row]) * (10**16 // PRICE_SCALE), 9)
                for name in ("open", "high", "low", "close")
            ]
            kind = BarType.from_str(f"{IDS[text]}-1-MINUTE-LAST-EXTERNAL")
            bars.append(Bar(kind, *prices, Quantity.from_int(10), ts, ts))
        engine.add_data(bars)
        listener = Listener()
        engine.add_strategy(listener)
        engine.run(end=int(series.ts[-1]) + MINUTE)
        return listener.closes
    finally:
        engine.dispose()


@pytest.mark.parametrize("mode", list(Adjustment))
def test_a_mode_equals_that_of_the_engine(series, mode):
    found = native_bars(series, mode)
    assert sorted(found) == series.ts.tolist()
    columns = [series.adjusted(mode, name) for name in ("open", "high", "low", "close")]
    for row, ts in enumerate(series.ts.tolist()):
        ours = [int(column[row]) for column in columns]
        theirs = [round(float(text) * PRICE_SCALE) for text in found[ts]]
        # Its ratios pass through a float and are cut to nine decimals; ours are rounded.
        allowed = 5 if mode.is_ratio else 0
        assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= allowed
    assert series.start == month("2021H")
