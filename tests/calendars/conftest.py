"""The calendars of `contracts/`, read as their authors wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from pyfutures.calendars import CalendarLibrary, CalendarSpec
from pyfutures.resources import data_dir
from pyfutures.specs import yaml


@pytest.fixture(scope="session")
def documents() -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted((data_dir("contracts") / "calendars").glob("*.yaml")):
        document, faults = yaml.load(path.read_bytes(), path.name)
        assert not faults
        assert document is not None
        found[path.stem] = document.data
    return found


@pytest.fixture(scope="session")
def library(documents: dict[str, dict[str, Any]]) -> CalendarLibrary:
    return CalendarLibrary({name: CalendarSpec.from_data(data) for name, data in documents.items()})
