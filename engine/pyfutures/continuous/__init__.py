"""Continuous series: one pure roll machine, views that adjust, and the batch build."""

from pyfutures.continuous.bars import (
    PRICE_SCALE,
    Bar,
    ContinuousBar,
    Event,
    Late,
    OpenInterest,
    Revised,
    Roll,
    Time,
)
from pyfutures.continuous.machine import (
    Missing,
    Policy,
    RollMachine,
    RollMissedError,
    RollPriceError,
    RollWindowError,
    StateError,
)

__all__ = [
    "PRICE_SCALE",
    "Bar",
    "ContinuousBar",
    "Event",
    "Late",
    "Missing",
    "OpenInterest",
    "Policy",
    "Revised",
    "Roll",
    "RollMachine",
    "RollMissedError",
    "RollPriceError",
    "RollWindowError",
    "StateError",
    "Time",
]
