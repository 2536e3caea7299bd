"""The rolling strategy in a node against the gateway: spread first, one move, one ledger."""

from __future__ import annotations

import asyncio

import pytest

from pyfutures.store import LeaseHeldError, Owner, Store
from tests.nautilus.exec_tools import ACCOUNT
from tests.nautilus.rolling_tools import H26, U25, Z25, moved, node_of, rolling, say, with_gateway
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW


def test_opens_and_rolls_by_one_spread(tmp_path):
    async def scenario(server):
        strategy = rolling(tmp_path / "s.sqlite", target=2, open_when_flat=True, step_secs=2)
        async with node_of(server, [strategy]) as d:
            say(d, "2025U")
            await moved(d, strategy, {U25: 2})
            say(d, "2025Z")
            await moved(d, strategy, {Z25: 2})
            assert {str(name): size for name, size in d.theirs().items()} == {"ESZ25.XCME": 2}
        with Store.open(tmp_path / "s.sqlite") as store:
            assert store.positions(ACCOUNT) == {"ES": {"ESZ25.XCME": 2}}
            kinds = [
                line.order_ref.rpartition("-")[2]
                for line in store.audit(ACCOUNT)
                if line.kind == "fill"
            ]
        assert kinds[0] == "L1"
        assert set(kinds[1:]) == {"S1"}

    with_gateway(scenario)


def test_several_missed_rolls_are_one_move(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        first = rolling(store, target=-1, open_when_flat=True)
        async with node_of(server, [first]) as d:
            say(d, "2025U")
            await moved(d, first, {U25: -1})
        again = rolling(store)
        async with node_of(server, [again]) as d:
            assert again.target == -1
            say(d, "2026H")
            await moved(d, again, {H26: -1})
        with Store.open(store) as opened:
            begun = [line.intent for line in opened.audit(ACCOUNT) if line.kind == "intent"]
        assert [text.rpartition("-")[0] for text in begun] == ["ES-FLAT-2025U", "ES-2025U-2026H"]

    with_gateway(scenario)


def test_a_second_node_on_the_position_is_refused(tmp_path):
    async def scenario(server):
        store = tmp_path / "s.sqlite"
        first = rolling(store)
        async with node_of(server, [first]) as d:
            with Store.open(store) as other, pytest.raises(LeaseHeldError, match="ES"):
                other.lease(ACCOUNT, "ES", Owner.here("OTHER-001"))
            assert first.failure is None
            assert d.theirs() == {}

    with_gateway(scenario)


def test_a_position_traded_by_hand_stops(tmp_path):
    async def scenario(server):
        strategy = rolling(tmp_path / "s.sqlite")
        async with node_of(server, [strategy]) as d:
            name = strategy._market.name(U25)
            d.by_hand(name)
            await d.advance(1)
            strategy._beat()
            await d.agree()
            await asyncio.sleep(0.15)
            strategy._guard(strategy._beat)
            await asyncio.sleep(0.15)
            strategy._guard(strategy._beat)
            assert "ESU25.XCME: the broker holds +1, the ledger says nothing" in str(
                strategy.failure
            )

    with_gateway(scenario)
