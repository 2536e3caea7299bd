"""Recorded data of other projects, which is not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared(*parts: str) -> Path:
    """Path below the folder of recorded data, or skip the test naming what is absent."""
    default = Path(__file__).resolve().parents[3] / "shared"
    path = Path(os.environ.get("PYFUTURES_SHARED", default)).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no {path}: set PYFUTURES_SHARED to the folder of recorded data")
    return path
