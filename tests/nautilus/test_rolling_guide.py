"""docs/rolling.md is true: its strategy runs in a backtest and live, its table is complete."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest
from nautilus_trader.backtest.config import (
    BacktestDataConfig,
    BacktestEngineConfig,
    BacktestRunConfig,
    BacktestVenueConfig,
)
from nautilus_trader.backtest.node import BacktestNode
from nautilus_trader.config import (
    ImportableActorConfig,
    ImportableStrategyConfig,
    LoggingConfig,
)
from nautilus_trader.model.data import Bar
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from pyfutures.chain import Catalog
from pyfutures.nautilus.actor import RollActorConfig
from pyfutures.nautilus.instruments import futures_contract
from pyfutures.nautilus.rolling_config import RollingStrategyConfig
from pyfutures.nautilus.types import bar_topic
from pyfutures.store import Owner, Store
from tests.nautilus.exec_tools import ACCOUNT
from tests.nautilus.rolling_tools import U25, Z25, moved, node_of, say, with_gateway
from tests.nautilus.tools import UTCNOW, market, month, native

pytestmark = UTCNOW
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rolling.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MONTHS = ("2024H", "2024M", "2024U")


@pytest.fixture(scope="module")
def page():
    """The blocks of the page as a module that nautilus can import."""
    module = types.ModuleType("rolling_page")
    sys.modules["rolling_page"] = module
    for number, block in enumerate(BLOCKS):
        exec(compile(block, f"rolling.md block {number}", "exec"), module.__dict__)  # noqa: S102
    yield module
    del sys.modules["rolling_page"]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """A catalogue of daily bars with two rolls in it."""
    chain = Catalog.load(roots=["ES"])["ES"]
    folder = tmp_path_factory.mktemp("catalog")
    data = native(chain, market(chain, "2024-02-20", "2024-06-28", months=" ".join(MONTHS)))
    found = ParquetDataCatalog(str(folder))
    found.write_data([futures_contract(chain, month(text)) for text in MONTHS])
    for name in sorted({str(bar.bar_type) for bar in data}):
        found.write_data([bar for bar in data if str(bar.bar_type) == name])
    return folder, sorted({str(bar.bar_type) for bar in data})


def backtest(catalog, strategy, config, **settings):
    """The orders of a backtest node, its positions by contract, and its strategy."""
    folder, bar_types = catalog
    kind = f"{strategy}Config"
    run = BacktestRunConfig(
        venues=[
            BacktestVenueConfig(
                name="XCME", oms_type="NETTING", account_type="MARGIN",
                starting_balances=["10000000 USD"], base_currency="USD",
            )
        ],
        data=[BacktestDataConfig(catalog_path=str(folder), data_cls=Bar, bar_types=bar_types)],
        engine=BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            actors=[
                ImportableActorConfig(
                    actor_path="pyfutures.nautilus.actor:RollActor",
                    config_path="pyfutures.nautilus.actor:RollActorConfig",
                    config={"root": "ES", "start": "2024H", **settings},
                )
            ],
            strategies=[
                ImportableStrategyConfig(
                    strategy_path=strategy, config_path=kind,
                    config={"root": "ES", "order_id_tag": "001", **config},
                )
            ],
        ),
        raise_exception=True,
        dispose_on_completion=False,
    )  # fmt: skip
    node = BacktestNode(configs=[run])
    node.run()
    engine = node.get_engine(run.id)
    (found,) = engine.trader.strategies()
    (actor,) = engine.trader.actors()
    assert actor.failure is found.failure is None
    orders = sorted(engine.cache.orders(), key=lambda order: (order.ts_init, order.client_order_id))
    held = {str(x.instrument_id): int(x.signed_qty) for x in engine.cache.positions_open()}
    result = [
        (order.client_order_id.value.rsplit("-", 2)[0], order.side_string(), int(order.filled_qty))
        for order in orders
    ]
    node.dispose()
    return result, held, found


def test_a_backtest_node_rolls_by_legs(catalog):
    found, held, strategy = backtest(
        catalog, "pyfutures.nautilus.rolling:RollingStrategy", {"target": 2, "open_when_flat": True}
    )
    assert found == [
        ("ES-FLAT-2024H", "BUY", 2),
        ("ES-2024H-2024M", "SELL", 2),
        ("ES-2024H-2024M", "BUY", 2),
        ("ES-2024M-2024U", "SELL", 2),
        ("ES-2024M-2024U", "BUY", 2),
    ]
    assert held == {"ESU24.XCME": 2}
    assert strategy.position == {month("2024U"): 2}


def test_the_strategy_of_the_page_in_a_backtest(catalog, page):
    found, held, strategy = backtest(catalog, "rolling_page:Trend", {"size": 3})
    assert set(held) == {"ESU24.XCME"}
    assert abs(held["ESU24.XCME"]) == 3
    assert strategy.position == {month("2024U"): held["ESU24.XCME"]}
    assert [move for move, _, _ in found if move in {"ES-2024H-2024M", "ES-2024M-2024U"}]
    assert isinstance(strategy, page.Trend)


def test_the_strategy_of_the_page_live(tmp_path, page):
    """Bars of the series come from a test, all else is a node that trades with the gateway."""

    async def scenario(server):
        config = page.TrendConfig(
            strategy_id="TREND", order_id_tag="001", root="ES", days=2, size=2, step_secs=0.5,
            store=str(tmp_path / "s.sqlite"), replay=True, poll_secs=0.05,
        )  # fmt: skip
        strategy = page.Trend(config)
        async with node_of(server, [strategy]) as d:
            say(d, "2025U")
            publish = d.node.kernel.msgbus.publish
            for close in (100, 101):
                publish(bar_topic("ES"), _told(close))
            await moved(d, strategy, {U25: 2})
            say(d, "2025Z")
            await moved(d, strategy, {Z25: 2})
            publish(bar_topic("ES"), _told(99))
            await moved(d, strategy, {Z25: -2})

    with_gateway(scenario)


def _told(close):
    bar = types.SimpleNamespace(current=types.SimpleNamespace(close=close * 10**9), C=0)
    return types.SimpleNamespace(bar=bar)


def test_a_ledger_is_corrected_by_hand(tmp_path, page):
    path = tmp_path / "s.sqlite"
    page.correct(path, ACCOUNT, "ES", "ESU25.XCME", -1)
    with Store.open(path) as store:
        assert store.positions(ACCOUNT) == {"ES": {"ESU25.XCME": -1}}
        store.lease(ACCOUNT, "ES", Owner.here("free again")).release()


def test_the_table_names_every_field():
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    told = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    inherited = set(RollingStrategyConfig.__mro__[1].__struct_fields__)
    assert told == set(RollingStrategyConfig.__struct_fields__) - inherited


def test_the_nodes_of_the_page_are_configs_of_ours():
    import yaml

    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    told = yaml.safe_load(block)
    assert RollActorConfig(**told["actors"][0]["config"]).root == "ES"
    assert RollingStrategyConfig(**told["strategies"][0]["config"]).target == 2
