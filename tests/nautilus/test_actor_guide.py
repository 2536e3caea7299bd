"""The page of live series is true: its blocks run, and its actor can be made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nautilus_trader.common.config import ActorFactory

from pyfutures.nautilus.actor import RollActor
from pyfutures.nautilus.actor_config import RollActorConfig

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "live.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_its_code_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = {}
    exec(compile(block, "live.md", "exec"), made)  # noqa: S102 - the page's own words
    if "roll_es" in made:
        assert isinstance(ActorFactory.create(made["roll_es"]), RollActor)


def test_it_names_settings_that_there_are():
    fields = set(RollActorConfig.__struct_fields__)
    named = {"store", "catalog", "history_days", "history_tries", "overdue_secs", "series"}
    assert named <= fields
    assert all(f"`{name}" in PAGE or f'"{name}"' in PAGE for name in named)
