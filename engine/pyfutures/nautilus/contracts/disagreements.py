"""What becomes of the differences between specs and the broker: an error, or loud warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyfutures.diagnostics import Severity, SpecError
from pyfutures.nautilus.config import Disagreement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyfutures.diagnostics import Diagnostic

__all__ = ["BrokerDisagreementError", "judged"]


class BrokerDisagreementError(SpecError):
    """Specs that the broker contradicts; ``diagnostics`` has every difference with its place."""


def judged(diagnostics: Iterable[Diagnostic], mode: Disagreement) -> tuple[Diagnostic, ...]:
    """Return the diagnostics as warnings, in reading order.

    Parameters
    ----------
    diagnostics
        What `pyfutures.ib.comparison` found.
    mode
        What the config wants of them.

    Raises
    ------
    BrokerDisagreementError
        With all of them, if there is one and the mode is ``error``.
    """
    found = sorted(set(diagnostics), key=lambda one: one.order)
    if found and mode == Disagreement.ERROR:
        raise BrokerDisagreementError(found)
    return tuple(replace(one, severity=Severity.WARNING) for one in found)
