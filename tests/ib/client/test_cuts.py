"""Random cuts at any byte in any phase, with subscriptions running; more of them in the soak."""

from __future__ import annotations

import pytest

from tests.ib.client.cuts import run_seed


@pytest.mark.parametrize("seed", range(20))
def test_pain_04_whatever_is_cut_all_comes_once_and_nothing_is_left(seed):
    assert "each once" in run_seed(seed)
