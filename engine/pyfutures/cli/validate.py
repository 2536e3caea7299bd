"""``pyfutures validate``: yes or no, and what to change."""

from __future__ import annotations

import datetime as dt
import gc
from typing import TYPE_CHECKING

import click

from pyfutures.chain.validate import read_catalog, validate_paths
from pyfutures.cli.drawing import FORMATS, drawn, format_here
from pyfutures.cli.selection import CODES_OPTION, selected
from pyfutures.report.text import summary, wants_colour

if TYPE_CHECKING:
    from pyfutures.chain.validate import Checked


@click.command(name="validate")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True))
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    help="How to print what was found; text by default, github where GITHUB_ACTIONS is true.",
)
@click.option(
    "--color",
    "colour",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours of text; auto: on a terminal, unless NO_COLOR is set.",
)
@click.option("--select", multiple=True, type=CODES_OPTION, help="Only these codes: PF4,PF101.")
@click.option("--ignore", multiple=True, type=CODES_OPTION, help="None of these codes.")
@click.option("--strict", is_flag=True, help="Warnings count as problems.")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend, then check what is left.")
@click.option("--diff", is_flag=True, help="With --fix: show the changes, write nothing.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until stopped.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day from which contracts are listed ahead; today by default.",
)
@click.pass_obj
def command(
    folders: tuple[str, ...],
    paths: tuple[str, ...],
    *,
    style: str | None,
    colour: str,
    select: tuple[frozenset[str], ...],
    ignore: tuple[frozenset[str], ...],
    strict: bool,
    fix: bool,
    diff: bool,
    watch: bool,
    as_of: dt.datetime | None,
) -> None:
    """Check contract specs and calendars.

    PATH is a file or a folder of your own; without one the whole catalogue is checked, the built-in
    one and every --contracts folder. All faults of all files are found in one run.

    Exit codes: 0 clean, 1 problems, 2 usage or I/O, 3 a bug of ours. Warnings do not change the
    exit code, unless --strict. What was found goes to stdout, the count of it to stderr.

    \b
    Examples:
      pyfutures validate
      pyfutures validate contracts/xcme/ES.yaml
      pyfutures validate --format sarif my-contracts/ > pyfutures.sarif
      pyfutures validate --fix --diff my-contracts/
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    if diff and not fix:
        raise click.UsageError("--diff shows what --fix would change: write --fix --diff")
    style = format_here(style)
    coloured = wants_colour() if colour == "auto" else colour == "always"
    today = dt.datetime.now(dt.UTC).date() if as_of is None else as_of.date()

    def check() -> Checked:
        if not paths:
            return read_catalog(folders, today=today)
        return validate_paths(paths, folders, today=today)

    def run() -> int:
        checked = check()
        if not checked.paths and not checked.diagnostics:
            raise click.UsageError(f"no specs in {', '.join(paths)}")
        if fix:
            from pyfutures.cli.mending import mend  # noqa: PLC0415 - only when files are changed

            mendable = selected(checked.diagnostics, select, ignore)
            if mend(mendable, write=not diff, coloured=coloured):
                checked = check()
        found = selected(checked.diagnostics, select, ignore)
        click.echo(drawn(style, found, checked.paths, coloured=coloured), nl=False, color=coloured)
        click.echo(summary(found, len(checked.paths)), err=True)
        return int(any(item.is_error or strict for item in found))

    if watch:
        from pyfutures.cli.watching import watched  # noqa: PLC0415 - only when it is asked for

        gc.enable()
        watched(run, [*paths, *folders], clear=coloured)
        return
    raise click.exceptions.Exit(run())
