"""A bug of ours: one line on the terminal, everything else in a file to send along."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyfutures import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence


def report_bug(args: Sequence[str] | None) -> int:
    """Write the exception in flight to a file and name it; exit code 3."""
    words = list(sys.argv[1:] if args is None else args)
    lines = [
        f"pyfutures {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"arguments: {words}",
        "",
        traceback.format_exc(),
    ]
    error = sys.exception()
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="pyfutures-", suffix=".log", delete=False, encoding="utf-8"
        ) as file:
            file.write("\n".join(lines))
        where = f"the report is in {Path(file.name)}"
    except OSError:
        where = "\n".join(lines)
    click.echo(f"pyfutures: a bug of ours: {type(error).__name__}: {error}; {where}", err=True)
    return 3
