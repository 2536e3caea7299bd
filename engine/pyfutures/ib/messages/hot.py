"""Decoders by hand for the messages that come by the thousand.

Rules of `hot_market`, `hot_history` and `hot_orders`. A decoder there knows the usual spelling of
its message only and is quick about it: plain calls on plain fields, no walk over a table. Whatever
it stumbles over (an empty number, a field that is missing) it gives up with an IndexError, a
ValueError or an ArithmeticError, and the table's own decoder decides. So a message means the same
either way; a test holds the two against each other, on good messages and on mutated ones.

The constructor of a frozen dataclass takes half of the time of a tick. So a message begins as a
blank, an object of a subclass that is not frozen, has its slots filled one by one, and is then
declared to be what it is. All slots of all kinds are filled: the same test sees to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.ib.messages.hot_history import history_decoders
from pyfutures.ib.messages.hot_market import MARKET_DECODERS
from pyfutures.ib.messages.hot_orders import order_decoders

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.messages.base import Response

__all__ = ["hot_decoders"]


def hot_decoders(version: int) -> dict[str, Callable[[list[str]], Response]]:
    """Return the decoders of a server version, by the id as it stands on the wire."""
    return {**MARKET_DECODERS, **history_decoders(version), **order_decoders(version)}
