"""What a gateway sent to a live node, fed to a backtest: the same series on disk, bit for bit."""

from __future__ import annotations

import asyncio

import pytest
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money

from pyfutures.chain import Catalog
from pyfutures.nautilus.actor import RollActor, RollActorConfig
from pyfutures.nautilus.instruments import futures_contract
from pyfutures.store import Store
from tests.nautilus import kills
from tests.nautilus.tools import UTCNOW, native

pytestmark = [pytest.mark.slow, UTCNOW]
SESSIONS = 32  # the roll out of 2025K, by rule on 2025-03-13, lies in between


async def lived(folder):
    """What a live node has on disk, and the contract bars that it had it from."""
    folder.mkdir()
    cradle = await kills.Cradle.open()
    try:
        async with kills.life(cradle, folder) as one:
            await one.start()
            assert await one.ready()
            assert await one.live(SESSIONS)
            await cradle.kill()
            with Store.open(one.store) as store:
                legs, _ = kills._legs(store)
            return one.written(), legs
    finally:
        await cradle.close()


def backtest(path, legs):
    """What a backtest of the same bars has on disk."""
    chain = Catalog.load(roots=[kills.ROOT])[kills.ROOT]
    bars = sorted({(bar.ts, bar.month): bar for bar in legs}.items())
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        Venue(chain.spec.exchange),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(1_000_000, USD)],
    )
    for month in sorted({bar.month for _, bar in bars}):
        engine.add_instrument(futures_contract(chain, month))
    engine.add_data(native(chain, [bar for _, bar in bars]))
    actor = RollActor(RollActorConfig(root=chain.root, store=str(path), **kills.RULES), chain)
    engine.add_actor(actor)
    engine.run()
    engine.dispose()
    assert actor.failure is None
    return kills.written(path)


def test_a_live_series_is_that_of_a_backtest_of_the_same_bars(tmp_path):
    (bars, rolls), legs = asyncio.run(lived(tmp_path / "live"))
    assert len(bars) == SESSIONS - 2  # the first one is missed, the last one is not closed
    assert len(rolls) == 1
    assert len(legs) > 2 * len(bars)
    found = backtest(tmp_path / "backtest.sqlite", legs)
    assert found == [bars, rolls], kills.difference(found, [bars, rolls])
