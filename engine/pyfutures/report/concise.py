"""Diagnostics one a line, for editors and logs that make a link of ``path:line:column``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyfutures.diagnostics import Diagnostic

__all__ = ["report"]


def report(diagnostics: Iterable[Diagnostic]) -> str:
    """Return diagnostics in reading order, each on one line with its help."""
    ordered = sorted(diagnostics, key=lambda item: item.order)
    return "".join(f"{item}{_short_help(item)}\n" for item in ordered)


def _short_help(item: Diagnostic) -> str:
    return f" ({' '.join(item.help.split())})" if item.help else ""
