"""Paths as programs want them: below the working folder where they are, with forward slashes."""

from __future__ import annotations

from pathlib import Path

__all__ = ["relative"]


def relative(path: str) -> str:
    """Return a path relative to the working folder if it lies in it, else as it is."""
    found = Path(path)
    if found.is_absolute() and found.is_relative_to(Path.cwd()):
        found = found.relative_to(Path.cwd())
    return found.as_posix()
