"""Every message that the client and the simulated gateway speak, as frozen values.

One module a subject; each holds the classes and, below them, their layouts on the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyfutures.ib.messages import (
    account,
    conditions,
    contracts,
    depth,
    executions,
    history,
    market,
    order,
    orders,
    session,
)
from pyfutures.ib.messages.account import *  # noqa: F403
from pyfutures.ib.messages.base import Malformed, Message, Request, Response, Unknown
from pyfutures.ib.messages.conditions import *  # noqa: F403
from pyfutures.ib.messages.contracts import *  # noqa: F403
from pyfutures.ib.messages.depth import *  # noqa: F403
from pyfutures.ib.messages.executions import *  # noqa: F403
from pyfutures.ib.messages.history import *  # noqa: F403
from pyfutures.ib.messages.market import *  # noqa: F403
from pyfutures.ib.messages.order import *  # noqa: F403
from pyfutures.ib.messages.orders import *  # noqa: F403
from pyfutures.ib.messages.session import *  # noqa: F403

if TYPE_CHECKING:
    from pyfutures.ib.layout import Layout

    type AnyLayout = Layout[Any]

_MODULES: tuple[Any, ...] = (
    session, contracts, history, market, depth, orders, executions, account,
)  # fmt: skip
REQUESTS: tuple[AnyLayout, ...] = tuple(row for module in _MODULES for row in module.REQUESTS)
RESPONSES: tuple[AnyLayout, ...] = tuple(row for module in _MODULES for row in module.RESPONSES)

__all__ = [  # noqa: PLE0604
    "REQUESTS",
    "RESPONSES",
    "Malformed",
    "Message",
    "Request",
    "Response",
    "Unknown",
    *account.__all__,
    *conditions.__all__,
    *contracts.__all__,
    *depth.__all__,
    *executions.__all__,
    *history.__all__,
    *market.__all__,
    *order.__all__,
    *orders.__all__,
    *session.__all__,
]
