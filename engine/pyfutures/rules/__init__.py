"""Date rules: from a contract month to a day.

`parse_rule` makes a `Rule` of plain data, `trace` evaluates it for one month and says why,
`evaluate` for an array of months. The two share no code: one walks Python dates with dateutil, the
other bisects numpy arrays, and they must agree.
"""

from __future__ import annotations

from pyfutures.rules.errors import (
    NoDayError,
    OutOfSpanError,
    RuleError,
    RuleFailure,
    UnknownEventError,
)
from pyfutures.rules.rule import Rule, parse_rule
from pyfutures.rules.scalar import Trace, TraceStep, trace
from pyfutures.rules.steps import STEP_KINDS, Step, StepKind
from pyfutures.rules.vector import Evaluated, Status, evaluate

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
