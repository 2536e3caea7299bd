"""What several tests need: the built-in catalogue, loaded once; examples that do not change.

Hypothesis draws the same examples every time, so that a change fails for what it did itself;
`make soak` draws others (`--hypothesis-profile random`).
"""

from __future__ import annotations

import pytest
from hypothesis import settings

from pyfutures.chain import Catalog

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("same")


@pytest.fixture(scope="session")
def catalog():
    return Catalog.load()
