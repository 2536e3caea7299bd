"""What can go wrong with a date rule: a faulty rule, or a month that it gives no day for.

`RuleError` is the author's mistake, found when a rule is parsed. `RuleFailure` is met when a sound
rule is evaluated; beside it the calendars' own `CalendarRangeError` and `NoSuchDayError` pass
through unchanged.
"""

from __future__ import annotations

__all__ = ["NoDayError", "OutOfSpanError", "RuleError", "RuleFailure", "UnknownEventError"]


class RuleError(ValueError):
    """A rule that means nothing.

    Attributes
    ----------
    path : tuple of int and str
        Where it went wrong, from the rule's root, ``(0, "by_month", "G", 1)``.
    message : str
        What is wrong.
    help : str or None
        The way out.

    """

    def __init__(
        self,
        path: tuple[int | str, ...],
        message: str,
        help: str | None = None,  # noqa: A002
    ) -> None:
        """Keep the parts apart: a diagnostic wants them so."""
        self.path = path
        self.message = message
        self.help = help
        super().__init__(path, message, help)

    def __str__(self) -> str:
        """Place, fault and way out in one line."""
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path)
        way_out = f"; {self.help}" if self.help else ""
        return f"rule{place}: {self.message}{way_out}"


class RuleFailure(Exception):  # noqa: N818 - a failure is an answer, not a fault of the program
    """A sound rule gives no day for this month."""


class NoDayError(RuleFailure):
    """The day that the rule asks for does not exist: 31 June, a fifth Friday, a search in vain."""


class UnknownEventError(RuleFailure):
    """The rule counts from another event of the contract month whose day is not known."""


class OutOfSpanError(RuleFailure):
    """The rule leaves the years that contract months have, 1900 to 2199."""
