"""Diagnostics in the format that was asked for; each renderer is imported when it is needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfutures.diagnostics import Diagnostic

FORMATS: Final = ("text", "concise", "json", "github", "sarif", "junit", "markdown")


def format_here(style: str | None) -> str:
    """The format that was asked for; by default text, github where GitHub runs it."""
    if style is not None:
        return style
    return "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text"


def drawn(style: str, found: Sequence[Diagnostic], paths: Sequence[str], *, coloured: bool) -> str:
    """What was found, by the renderer of a format."""
    match style:
        case "concise":
            from pyfutures.report import concise  # noqa: PLC0415

            return concise.report(found)
        case "json":
            from pyfutures.report import json  # noqa: PLC0415

            return json.report(found, len(paths))
        case "github":
            from pyfutures.report import github  # noqa: PLC0415

            return github.report(found)
        case "sarif":
            from pyfutures.report import sarif  # noqa: PLC0415

            return sarif.report(found)
        case "junit":
            from pyfutures.report import junit  # noqa: PLC0415

            return junit.report(found, paths)
        case "markdown":
            from pyfutures.report import markdown  # noqa: PLC0415

            return markdown.report(found, paths)
        case _:
            from pyfutures.report import text  # noqa: PLC0415

            return text.report(found, colour=coloured)
