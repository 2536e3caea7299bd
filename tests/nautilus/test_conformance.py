"""Every coroutine that nautilus_trader asks of a client is there, or refused with a reason.

The lists are those of the platform: a version that asks for more fails here first.
"""

from __future__ import annotations

import inspect

import pytest
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.live.execution_client import LiveExecutionClient

from pyfutures.nautilus.execution.client import FuturesExecutionClient
from pyfutures.nautilus.market.client import FuturesDataClient
from pyfutures.nautilus.market.refusals import (
    UNSUPPORTED_REQUESTS,
    UNSUPPORTED_SUBSCRIPTIONS,
    DataRefusals,
)

#: What is left unimplemented, and why; nothing is, without a reason.
REASONS = (
    {f"_subscribe_{name}": reason for name, reason in UNSUPPORTED_SUBSCRIPTIONS.items()}
    | {f"_unsubscribe_{name}": reason for name, reason in UNSUPPORTED_SUBSCRIPTIONS.items()}
    | {f"_request_{name}": reason for name, reason in UNSUPPORTED_REQUESTS.items()}
)
REASONS["_request"] = REASONS.pop("_request_data")


def asked(base):
    """The coroutines of a base client that its subclasses must write."""
    return {
        name
        for name, found in inspect.getmembers(base, inspect.iscoroutinefunction)
        if "NotImplementedError" in inspect.getsource(found)
    }


def own(client, base, name):
    return getattr(client, name, None) is not getattr(base, name, None)


@pytest.mark.parametrize(
    ("base", "client"),
    [(LiveMarketDataClient, FuturesDataClient), (LiveExecutionClient, FuturesExecutionClient)],
)
def test_no_coroutine_is_left_out(base, client):
    names = asked(base)
    assert len(names) > 10
    assert {name for name in names if not own(client, base, name)} == set()


def test_each_that_is_refused_has_a_reason_and_nothing_else_is():
    refused = {
        name for name, found in vars(DataRefusals).items() if inspect.iscoroutinefunction(found)
    }
    assert refused == set(REASONS)
    assert refused <= asked(LiveMarketDataClient)
    assert all(len(reason) > 20 and not reason.endswith(".") for reason in REASONS.values())


def test_what_futures_at_ib_have_is_not_refused():
    kinds = ("quote_ticks", "trade_ticks", "bars", "order_book_deltas", "order_book_depth",
             "instrument", "instruments", "instrument_status")  # fmt: skip
    names = {f"_{verb}_{kind}" for verb in ("subscribe", "unsubscribe") for kind in kinds}
    names |= {f"_request_{kind}" for kind in ("quote_ticks", "trade_ticks", "bars", "instrument",
                                              "instruments")}  # fmt: skip
    assert names <= asked(LiveMarketDataClient)
    assert not names & set(REASONS)


def test_an_execution_client_refuses_nothing():
    reports = {name for name in dir(LiveExecutionClient) if name.startswith("generate_")
               and inspect.iscoroutinefunction(getattr(LiveExecutionClient, name))}  # fmt: skip
    left = {name for name in reports if not own(FuturesExecutionClient, LiveExecutionClient, name)}
    # The whole is made of the three others by the platform.
    assert left <= {"generate_mass_status"}
    assert "_query_account" in dir(FuturesExecutionClient)  # asked for, and not declared
