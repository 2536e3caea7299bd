"""Compiled roots: chains, the catalogue of them, and their roll calendars."""

from typing import TYPE_CHECKING

from pyfutures.chain.catalog import Catalog, UnknownRootError
from pyfutures.chain.chain import Chain, ChainRow, Position
from pyfutures.chain.errors import ChainError
from pyfutures.chain.rolls import RollCalendar, RollCalendarError, RollRow

if TYPE_CHECKING:
    from pyfutures.chain.explanation import Explanation, early_close, explain

__all__ = [
    "Catalog",
    "Chain",
    "ChainError",
    "ChainRow",
    "Explanation",
    "Position",
    "RollCalendar",
    "RollCalendarError",
    "RollRow",
    "UnknownRootError",
    "early_close",
    "explain",
]


def __getattr__(name: str) -> object:
    """Load what explains dates when somebody asks for it: most programs only want the dates."""
    if name in __all__:
        from pyfutures.chain import explanation  # noqa: PLC0415 - see above

        return getattr(explanation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
