"""Where the data lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfutures.resources import data_dir

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_checkout_has_its_own_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYFUTURES_CONTRACTS", raising=False)
    monkeypatch.delenv("PYFUTURES_SCHEMAS", raising=False)
    assert (data_dir("contracts") / "calendars").is_dir()
    assert (data_dir("schemas") / "contract.schema.json").is_file()


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYFUTURES_CONTRACTS", str(tmp_path))
    assert data_dir("contracts") == tmp_path
    assert data_dir("schemas") != tmp_path
