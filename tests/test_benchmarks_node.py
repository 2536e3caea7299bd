"""The benchmark of nodes: both adapters are sent the same and hand all of it on, in order."""

from __future__ import annotations

import pytest

from benchmarks import node, node_clients

COUNTS = {"quotes": 300, "paced": 20, "bars": 50}


@pytest.mark.slow
@pytest.mark.parametrize("name", node_clients.CLIENTS)
def test_an_adapter_hands_on_all_that_is_sent(name):
    sent, told = node.run(name, COUNTS)
    assert {what: len(times) for what, times in told.items()} == COUNTS
    assert {what: len(times) for what, times in sent.items()} == {
        "quotes": 1, "paced": COUNTS["paced"], "bars": 1,
    }  # fmt: skip
    for times in told.values():
        assert times == sorted(times)
    assert all(seconds > 0 for seconds in node.latencies(sent["paced"], told["paced"]))


def test_quantiles():
    assert node.quantile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert node.quantile([float(n) for n in range(100)], 0.99) == 99.0
    assert node.latencies([10**9, 2 * 10**9], [2 * 10**9, 5 * 10**9]) == [1.0, 3.0]
