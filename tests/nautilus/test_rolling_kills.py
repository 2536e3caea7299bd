"""A node that is killed while it moves a position; `roll_kills` does the same more often."""

from __future__ import annotations

import asyncio

import pytest

from tests.nautilus.roll_kills import prove


@pytest.mark.slow
def test_six_kills():
    moves, sent = asyncio.run(prove(6, 11, at_once=3))
    assert moves == 2
    assert sent >= 2
