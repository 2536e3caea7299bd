"""The blocks of docs/execution.md, run one after the other inside a strategy of a node."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.objects import Quantity

from tests.nautilus.exec_tools import ESU, ESZ, desk, until
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW
PAGE = Path(__file__).resolve().parents[2] / "docs" / "execution.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_every_block_does_what_the_page_says():
    async def scenario():
        async with desk() as d:
            strategy = d.strategy
            bid, _ = d.quote(ESU)
            space = {
                "self": strategy, "OrderSide": OrderSide, "ClientOrderId": ClientOrderId,
                "near": ESU, "far": ESZ, "one": Quantity.from_int(1), "answers": [],
                "price": strategy.px(ESU, bid - 100), "order_fills": [], "leg_fills": [],
                "start": 100,
            }  # fmt: skip

            def run(number):
                exec(compile(BLOCKS[number], f"{PAGE.name} block {number}", "exec"), space)  # noqa: S102

            assert len(BLOCKS) == 7
            run(0)
            await d.status(space["order"], "ACCEPTED")
            assert d.gateway.book.open()[0].order.outside_rth is False
            run(1)
            await d.status(space["order"], "ACCEPTED")
            assert d.gateway.book.open()[1].order.order_ref == "ES-2025U-2025Z-S1"
            run(2)
            await until(lambda: space["answers"], "margin")
            assert [str(x) for x in space["answers"][0]][2] == "2.25 USD"
            run(3)
            order = space["order"]
            await d.status(order, "ACCEPTED")
            run(4)
            await until(lambda: str(order.price) == "99.75", "re-priced")
            run(5)
            await d.status(order, "CANCELED")
            space["on_order_canceled"](strategy, order.last_event)
            await until(lambda: d.ours() == {ESU: -1, ESZ: 1} == d.theirs(), "legs")
            run(6)
            sent = strategy.market(space["spread"].id, OrderSide.BUY)
            await until(lambda: d.ours() == {} == d.theirs(), "spread")
            for event in [*strategy.fills()][2:]:
                space["on_order_filled"](strategy, event)
            assert [len(space["order_fills"]), len(space["leg_fills"])] == [1, 2]
            assert space["order_fills"][0].client_order_id == sent.client_order_id

    asyncio.run(scenario())


def test_the_page_lists_every_field_and_every_param():
    from pyfutures.nautilus.execution.orders import PARAMS

    text = PAGE.read_text("utf-8")
    for name in (*PARAMS, "account_id", "allow_live", "read_only", "limits", "commission_timeout"):
        assert f"`{name}`" in text, name
