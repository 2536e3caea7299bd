"""Compiled roots: chains, the catalogue of them, and their roll calendars."""

from pyfutures.chain.catalog import Catalog, UnknownRootError
from pyfutures.chain.chain import Chain, ChainError, ChainRow, Explanation, Position
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
]
