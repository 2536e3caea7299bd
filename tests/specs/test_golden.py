"""Faulty specs and the report on each; sound ones that must stay silent.

`PYFUTURES_UPDATE=1 pytest tests/specs/test_golden.py` writes the reports anew: read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyfutures.codes import CODES
from pyfutures.report import text
from pyfutures.specs.load import load_paths

HERE = Path(__file__).parent
CONTEXT = [Path("context")]


@pytest.fixture(autouse=True)
def _in_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", sorted(path.stem for path in HERE.glob("bad/*.yaml")))
def test_report(name: str) -> None:
    loaded = load_paths([Path(f"bad/{name}.yaml")], CONTEXT)
    summary = text.summary(loaded.diagnostics, len(loaded.paths))
    report = f"{text.report(loaded.diagnostics)}{summary}\n"
    expected = Path(f"bad/{name}.out")
    if os.environ.get("PYFUTURES_UPDATE"):
        expected.write_text(report, encoding="utf-8")
    assert report == expected.read_text(encoding="utf-8")
    assert loaded.diagnostics
    assert not loaded.errors or name not in loaded.specs


@pytest.mark.parametrize("name", sorted(path.stem for path in HERE.glob("ok/*.yaml")))
def test_silence(name: str) -> None:
    loaded = load_paths([Path(f"ok/{name}.yaml")], CONTEXT)
    assert text.report(loaded.diagnostics) == ""
    assert list(loaded.specs) == [name]


def test_context_is_sound() -> None:
    loaded = load_paths(CONTEXT, [])
    assert text.report(loaded.diagnostics) == ""
    assert set(loaded.calendars) == {"us_expiry", "london"}


def test_every_code_of_a_spec_file_has_an_example() -> None:
    shown = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("bad/*.out"))
    elsewhere = {
        *(
            "PF001",
            "PF003",
            "PF004",
            "PF005",
            "PF006",
            "PF017",
            "PF018",
        ),  # bytes and folders: test_yaml, test_load
        *("PF306", "PF307", "PF308"),
        *("PF502", "PF505", "PF506", "PF507", "PF508"),
    }
    dates = {code for code in CODES if "PF410" <= code < "PF500"}  # need calendars: tests/chain
    assert {c for c in CODES if c < "PF900" and c not in shown} == elsewhere | dates
