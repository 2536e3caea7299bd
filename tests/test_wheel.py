"""The built wheel, in an empty environment away from the checkout and without any extra."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The bin folder of an environment that has the wheel and nothing of the checkout."""
    away = tmp_path_factory.mktemp("wheel")
    python = away / "env" / "bin" / "python"
    run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(away), str(ROOT)], away)
    run([sys.executable, "-m", "venv", str(away / "env")], away)
    (wheel,) = away.glob("pyfutures-*.whl")
    constraints = str(ROOT / "constraints.txt")
    run([str(python), "-m", "pip", "install", "-q", "-c", constraints, str(wheel)], away)
    return python.parent


def run(words, cwd):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PY")}
    done = subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["validate"], "Found no errors"),
        (["chain", "ES", "--from", "2026H", "--to", "2026H", "--format", "csv"], "2026-03-20"),
        (["explain", "ES", "2026H"], "2026-03-20"),
        (["position", "CL", "--at", "2024-09-01"], "2024Z"),
    ],
)
def test_the_wheel_answers(installed, tmp_path, words, expected):
    assert expected in run([str(installed / "pyfutures"), *words], tmp_path)


@pytest.mark.slow
def test_the_wheel_carries_its_data_and_none_of_the_extras(installed, tmp_path):
    code = (
        "import importlib.util as u, pyfutures.resources as r;"
        "extras = ('nautilus_trader', 'ibapi', 'pyarrow', 'plotly');"
        "print([u.find_spec(n) is None for n in extras]);"
        "print(all('_data' in str(r.data_dir(n)) for n in ('contracts', 'schemas')))"
    )
    out = run([str(installed / "python"), "-c", code], tmp_path)
    assert out.split("\n")[:2] == ["[True, True, True, True]", "True"]


@pytest.mark.slow
def test_bars_without_pyarrow_say_what_to_install(installed, tmp_path):
    (tmp_path / "x.csv").write_text("contract,ts,open,high,low,close,volume\n")
    done = subprocess.run(
        [
            installed / "pyfutures",
            "continuous",
            "build",
            "CL",
            "--bars",
            "x.csv",
            "--out",
            "x.parquet",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'pyfutures[series]'" in done.stderr
