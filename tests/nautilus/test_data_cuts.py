"""A sample of `tests.nautilus.data_cuts`: bars through a node while the gateway goes wrong."""

from __future__ import annotations

import pytest

from tests.nautilus.data_cuts import run_seed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Timestamp.utcnow is deprecated")
@pytest.mark.parametrize("seed", [1, 5])
def test_no_bar_is_lost_or_doubled(seed):
    assert run_seed(seed).endswith(" bars")
