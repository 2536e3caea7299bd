"""A node in a process of its own, that does what it is told line by line, and can be killed.

    python -m tests.nautilus.node_process PORT [REDIS_PORT]

Every line of stdin is a JSON object with `do`; every answer is a JSON object on a line of stdout.
"""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal

from nautilus_trader.config import CacheConfig, DatabaseConfig
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId

from tests.nautilus.exec_tools import NAME, Book, exec_config, node_config, running


def order_of(order):
    return {
        "status": order.status_string(),
        "filled": int(order.filled_qty),
        "quantity": int(order.quantity),
        "price": str(order.price) if order.has_price else "",
        "venue": order.venue_order_id.value if order.venue_order_id else "",
        "strategy": order.strategy_id.value,
        "trades": [trade.value for trade in order.trade_ids],
    }


def state(d):
    return {
        "orders": {o.client_order_id.value: order_of(o) for o in d.cache.orders()},
        "positions": {str(i): total for i, total in d.ours().items()},
        "loop": type(asyncio.get_running_loop()).__module__,
        "counts": d.counts.lost,
    }


def obey(d, command):
    """Do one thing; return what is to be said."""
    strategy, cache = d.strategy, d.cache
    what = command["do"]
    if what == "dump":
        return state(d)
    instrument = InstrumentId.from_str(command.get("instrument", "ESU25.XCME"))
    if what in {"limit", "market"}:
        side = OrderSide[command["side"]]
        if what == "market":
            made = strategy.market(instrument, side, command["quantity"])
        else:
            price = Decimal(command["price"])
            made = strategy.limit(instrument, side, price, command["quantity"])
        return {"id": made.client_order_id.value}
    order = next(o for o in cache.orders() if o.client_order_id.value == command["id"])
    if what == "cancel":
        strategy.cancel_order(order)
    elif what == "modify":
        strategy.modify_order(order, price=strategy.px(instrument, Decimal(command["price"])))
    return {}


async def main(port, redis_port=None):
    cache = None
    if redis_port:
        database = DatabaseConfig(type="redis", host="127.0.0.1", port=int(redis_port))
        cache = CacheConfig(database=database)
    more = {"instance_id": UUID4()} if redis_port else {}
    config = node_config({NAME: exec_config(int(port))}, cache=cache, **more)
    # Claims make what was ours ours again, when no cache says so.
    claims = [InstrumentId.from_str(f"{name}.XCME") for name in ("ESU25", "ESZ25")]
    async with running(None, strategies=[Book(claims=claims)], config=config) as d:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        sys.stdout.write('\n{"ready": true}\n')
        sys.stdout.flush()
        while line := await reader.readline():
            command = json.loads(line)
            if command["do"] == "stop":
                break
            sys.stdout.write("\n" + json.dumps(obey(d, command)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
