"""``pyfutures validate``: yes or no, and what to change."""

from __future__ import annotations

import sys

import click

from pyfutures.chain.validate import validate_catalog, validate_paths
from pyfutures.report.json import json_report
from pyfutures.report.text import concise_report, text_report


@click.command(name="validate")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True))
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "concise", "json"]),
    default="text",
    show_default=True,
    help="How to print what was found.",
)
@click.option("--strict", is_flag=True, help="Warnings count as problems.")
@click.pass_obj
def command(folders: tuple[str, ...], paths: tuple[str, ...], style: str, *, strict: bool) -> None:
    """Check contract specs and calendars.

    PATH is a file or a folder of your own; without one the whole catalogue is checked, the built-in one
    and every --contracts folder. All faults of all files are found in one run.

    Exit codes: 0 clean, 1 problems, 2 usage or I/O, 3 a bug of ours. Warnings do not change the exit
    code, unless --strict.

    \b
    Examples:
      pyfutures validate
      pyfutures validate contracts/xcme/ES.yaml
      pyfutures validate --format json my-contracts/
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    result = validate_paths(paths, folders) if paths else validate_catalog(folders)
    report = {"text": text_report, "concise": concise_report, "json": json_report}[style]
    click.echo(report(result), nl=False)
    sys.exit(1 if result.has_errors or (strict and result.diagnostics) else 0)
