"""A live series after any number of stops and failures is that of a backtest: a sample of them."""

from __future__ import annotations

import pytest

from tests.nautilus.actor_restarts import prove
from tests.nautilus.tools import UTCNOW

pytestmark = UTCNOW


@pytest.mark.parametrize(("root", "seed"), [("ES", 1), ("CL", 5), ("CL", 6)])
def test_whatever_happens_between(tmp_path, root, seed):
    lives, _ = prove(root, seed, tmp_path)
    assert lives > 3
