"""Date rules: from a contract month to a day.

`parse_rule` makes a `Rule` of plain data, `trace` evaluates it for one month and says why,
`evaluate` for an array of months. The two share no code: one walks Python dates with dateutil, the
other bisects numpy arrays, and they must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyfutures.rules.errors import (
    NoDayError,
    OutOfSpanError,
    RuleError,
    RuleFailure,
    UnknownEventError,
)
from pyfutures.rules.rule import Rule, parse_rule
from pyfutures.rules.steps import STEP_KINDS, Step, StepKind
from pyfutures.rules.vector import Evaluated, Status, evaluate

if TYPE_CHECKING:
    from pyfutures.rules.scalar import Trace, TraceStep, trace

__all__ = [
    "STEP_KINDS",
    "Evaluated",
    "NoDayError",
    "OutOfSpanError",
    "Rule",
    "RuleError",
    "RuleFailure",
    "Status",
    "Step",
    "StepKind",
    "Trace",
    "TraceStep",
    "UnknownEventError",
    "evaluate",
    "parse_rule",
    "trace",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """What the scalar evaluation has: it is asked for one date at a time, and not to compile."""
    if name not in {"Trace", "TraceStep", "trace"}:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from pyfutures.rules import scalar  # noqa: PLC0415

    return getattr(scalar, name)
