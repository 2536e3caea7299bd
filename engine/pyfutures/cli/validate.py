"""``pyfutures validate``: yes or no, and what to change."""

from __future__ import annotations

import click

from pyfutures.chain.validate import read_catalog, validate_paths
from pyfutures.report.json import report as json_report
from pyfutures.report.text import concise, report, summary, wants_colour


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

    PATH is a file or a folder of your own; without one the whole catalogue is checked, the built-in
    one and every --contracts folder. All faults of all files are found in one run.

    Exit codes: 0 clean, 1 problems, 2 usage or I/O, 3 a bug of ours. Warnings do not change the
    exit code, unless --strict.

    \b
    Examples:
      pyfutures validate
      pyfutures validate contracts/xcme/ES.yaml
      pyfutures validate --format json my-contracts/
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    checked = validate_paths(paths, folders) if paths else read_catalog(folders)
    files = len(checked.paths)
    if not files and not checked.diagnostics:
        raise click.UsageError(f"no specs in {', '.join(paths)}")
    match style:
        case "json":
            click.echo(json_report(checked.diagnostics, files), nl=False)
        case "concise":
            click.echo(concise(checked.diagnostics), nl=False)
        case _:
            click.echo(report(checked.diagnostics, colour=wants_colour()), nl=False)
    click.echo(summary(checked.diagnostics, files), err=True)
    raise click.exceptions.Exit(1 if checked.errors or (strict and checked.diagnostics) else 0)
