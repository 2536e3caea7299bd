"""Continuous series: one pure roll machine, views that adjust, and the batch build."""

from pyfutures.continuous.bars import (
    PRICE_SCALE,
    Bar,
    ContinuousBar,
    Event,
    Late,
    Revised,
    Roll,
    Time,
)
from pyfutures.continuous.machine import (
    Missing,
    Policy,
    RollMachine,
    RollMissedError,
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
    "Policy",
    "Revised",
    "Roll",
    "RollMachine",
    "RollMissedError",
    "RollWindowError",
    "StateError",
    "Time",
]
