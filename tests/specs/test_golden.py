"""Faulty specs and the report on each; sound ones that must stay silent.

`PYFUTURES_UPDATE=1 pytest tests/specs/test_golden.py` writes the reports anew: read the difference.
A case is a file, or a folder of specs; of a folder with a file of its own name only that is given.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyfutures.chain.validate import check
from pyfutures.codes import CODES
from pyfutures.report import text
from pyfutures.specs.load import load_paths
from pyfutures.specs.yaml import MAX_BYTES

if TYPE_CHECKING:
    from pyfutures.chain.validate import Checked

HERE = Path(__file__).parent
CONTEXT = [Path("context")]
TODAY = dt.date(2026, 11, 22)


def cases(folder: str) -> list[str]:
    return sorted(p.name for p in HERE.glob(f"{folder}/*") if p.suffix != ".out")


def checked(case: str) -> Checked:
    own = list(Path(case).glob(f"*/{Path(case).name}.yaml"))
    return check(load_paths(own or [Path(case)], CONTEXT), today=TODAY, complete=True)


@pytest.fixture(autouse=True)
def _in_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("name", cases("bad"))
def test_report(name: str) -> None:
    found = checked(f"bad/{name}")
    summary = text.summary(found.diagnostics, len(found.paths))
    report = f"{text.report(found.diagnostics)}{summary}\n".replace(f"{HERE}/", "")
    expected = Path(f"bad/{name}").with_suffix(".out")
    if os.environ.get("PYFUTURES_UPDATE"):
        expected.write_text(report, encoding="utf-8")
    assert report == expected.read_text(encoding="utf-8")
    assert found.diagnostics


@pytest.mark.parametrize("name", cases("ok"))
def test_silence(name: str) -> None:
    found = checked(f"ok/{name}")
    assert text.report(found.diagnostics) == ""
    files = Path(f"ok/{name}").rglob("*.yaml") if Path(f"ok/{name}").is_dir() else [Path(name)]
    assert set(found.chains) == {file.stem for file in files if file.parent.name != "calendars"}


def test_context_is_sound() -> None:
    found = check(load_paths(CONTEXT, []), today=TODAY, complete=True)
    assert text.report(found.diagnostics) == ""
    assert set(found.calendars) == {"us_expiry", "london"}


def test_every_code_of_a_spec_file_has_an_example() -> None:
    shown = set(
        re.findall(r"\[(PF\d{3})\]", "".join(p.read_text("utf-8") for p in HERE.glob("bad/*.out")))
    )
    # What no folder of specs can show: see the tests below, and those of the command line.
    elsewhere = {"PF001", "PF005", "PF018", "PF507"}
    of_the_broker = {code for code in CODES if code.startswith("PF6")}
    assert set(CODES) - shown == elsewhere | of_the_broker
    assert shown <= set(CODES)


def test_codes_that_no_folder_of_specs_can_show(tmp_path: Path) -> None:
    (tmp_path / "HUGE.yaml").write_text("#" * (MAX_BYTES + 1))
    (tmp_path / "ES.txt").write_text("schema: 1\n")
    paths = [tmp_path / name for name in ("HUGE.yaml", "ES.txt", "ABSENT.yaml")]
    found = check(load_paths(paths, CONTEXT)).diagnostics
    assert sorted(item.code for item in found) == ["PF001", "PF005", "PF018"]
