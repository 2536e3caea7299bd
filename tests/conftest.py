"""What several tests need: the built-in catalogue, loaded once."""

from __future__ import annotations

import pytest

from pyfutures.chain import Catalog


@pytest.fixture(scope="session")
def catalog():
    return Catalog.load()
