"""Compiled roots: chains, the catalogue of them, and their roll calendars."""

from pyfutures.chain.catalog import Catalog, UnknownRootError
from pyfutures.chain.chain import Chain, ChainRow, Position
from pyfutures.chain.errors import ChainError
from pyfutures.chain.explain import Explanation, early_close, explain
from pyfutures.chain.rolls import RollCalendar, RollCalendarError, RollRow

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
