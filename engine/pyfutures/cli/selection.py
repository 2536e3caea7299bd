"""Codes on a command line: whole ones, and the start of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyfutures.codes import CODES
from pyfutures.specs.words import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyfutures.diagnostics import Diagnostic


class CodesType(click.ParamType[frozenset[str]]):
    """Codes or starts of codes, joined by commas: ``PF4,PF101``."""

    name = "codes"

    def convert(
        self,
        value: str | frozenset[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> frozenset[str]:
        """All codes that a text names."""
        if isinstance(value, frozenset):
            return value
        found: set[str] = set()
        for word in filter(None, (part.strip().upper() for part in value.split(","))):
            codes = {code for code in CODES if code.startswith(word)}
            if not codes:
                self.fail(
                    f"no code starts with {word}; {suggestion(word, CODES, 'the codes are')}",
                    param,
                    ctx,
                )
            found |= codes
        if not found:
            self.fail("name a code, such as PF101", param, ctx)
        return frozenset(found)


CODES_OPTION = CodesType()


def selected(
    found: Iterable[Diagnostic],
    select: Sequence[frozenset[str]],
    ignore: Sequence[frozenset[str]],
) -> tuple[Diagnostic, ...]:
    """What is left of diagnostics: those of the selected codes, less those that are ignored."""
    wanted = frozenset().union(*select) if select else frozenset(CODES)
    unwanted: frozenset[str] = frozenset().union(*ignore)
    return tuple(item for item in found if item.code in wanted and item.code not in unwanted)
