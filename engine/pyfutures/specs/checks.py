"""Checks: functions that find what a schema cannot see, each registered under its code.

A check gets one subject and yields findings; it never prints and never raises. It looks only at
parts of a document whose form is sound, so that one fault does not call forth another. Rooms above
this one register checks of their own, over subjects of their own, in a registry of their own:

    chain_checks: Registry[Chain] = Registry()

    @chain_checks("PF411")
    def last_trades_increase(chain: Chain) -> Iterator[Finding]:
        yield Finding(("last_trade",), "...")

    diagnostics = chain_checks.run(chain, chain.spec.locations)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyfutures.codes import CODES, diagnostic
from pyfutures.specs.positions import locate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pyfutures.diagnostics import Diagnostic, Location
    from pyfutures.specs.model import DataPath
    from pyfutures.specs.positions import Data, Locations

__all__ = ["Draft", "Finding", "Registry", "calendar_checks", "contract_checks"]


class Finding(NamedTuple):
    """A fault and where it is: a path in the document; with `key`, the key rather than the value.

    `related` are other places that matter, each with a few words.
    """

    path: DataPath
    message: str
    hint: str | None = None
    key: bool = False
    related: tuple[tuple[DataPath, str], ...] = ()


class Registry[Subject]:
    """Checks of one kind of subject, in the order they were registered.

    Used as a decorator it registers a check; `run` makes diagnostics of what they all find.
    """

    def __init__(self) -> None:
        """Start with no check."""
        self.checks: list[tuple[str, Callable[[Subject], Iterator[Finding]]]] = []

    def __call__(
        self, code: str
    ) -> Callable[[Callable[[Subject], Iterator[Finding]]], Callable[[Subject], Iterator[Finding]]]:
        """Return a decorator that registers a check under a code of the table.

        Raises
        ------
        KeyError
            If there is no such code.

        """
        CODES[code]

        def register(
            check: Callable[[Subject], Iterator[Finding]],
        ) -> Callable[[Subject], Iterator[Finding]]:
            self.checks.append((code, check))
            return check

        return register

    def run(self, subject: Subject, locations: Mapping[DataPath, Location]) -> Iterator[Diagnostic]:
        """Yield a diagnostic for each finding of each check."""
        for code, check in self.checks:
            for finding in check(subject):
                yield diagnose(code, finding, locations)


def diagnose(code: str, finding: Finding, locations: Mapping[DataPath, Location]) -> Diagnostic:
    """Return the diagnostic of a finding, with its paths turned into places."""
    related = ((locate(locations, path), words) for path, words in finding.related)
    return diagnostic(
        code,
        finding.message,
        locate(locations, finding.path, key=finding.key),
        hint=finding.hint,
        related=tuple((at, words) for at, words in related if at is not None),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A document on its way to a spec: data after ``extends``, and what is known to be wrong.

    `calendars` are the names that calendars can be called by here.
    """

    data: dict[str, Any]
    locations: Locations
    faults: Collection[DataPath] = frozenset()
    calendars: Collection[str] = frozenset()

    def has(self, *path: str | int) -> bool:
        """Whether there is a value at a path, and its form is sound in every part."""
        return self._sound(path) is not _NOTHING

    def get(self, *path: str | int) -> Data:
        """Return the value at a path, or None if there is none or its form is not sound."""
        value = self._sound(path)
        return None if value is _NOTHING else value

    def _sound(self, path: DataPath) -> Data:
        value: Any = self.data
        for key in path:
            if isinstance(value, str):
                return _NOTHING
            try:
                value = value[key]
            except (LookupError, TypeError):
                return _NOTHING
        for fault in self.faults:
            if fault[: len(path)] == path or path[: len(fault)] == fault:
                return _NOTHING
        return value


#: No value, or one that is not sound; None is a value.
_NOTHING: Final = object()

contract_checks: Final[Registry[Draft]] = Registry()
calendar_checks: Final[Registry[Draft]] = Registry()
