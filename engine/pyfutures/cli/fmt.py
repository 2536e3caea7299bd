"""``pyfutures fmt``: spaces and line ends of specs as all of them have."""

from __future__ import annotations

from pathlib import Path

import click

from pyfutures.cli.mending import replace, show_change
from pyfutures.report.text import report, wants_colour
from pyfutures.specs.folders import spec_files
from pyfutures.specs.layout import formatted
from pyfutures.specs.yaml import read


@click.command(name="fmt")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True))
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Show the changes and write nothing; exit as --check.")
@click.pass_obj
def command(folders: tuple[str, ...], paths: tuple[str, ...], *, check: bool, diff: bool) -> None:
    """Lay out specs and calendars alike: spaces, empty lines and line ends.

    PATH is a file or a folder; without one all --contracts folders. Comments, the order of keys and
    every value stay as they are. A file that is no YAML stays as it is, and is exit 1.

    \b
    Examples:
      pyfutures fmt contracts/
      pyfutures fmt --check contracts/
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    places = paths or folders
    if not places:
        raise click.UsageError("name a file or a folder, such as contracts/")
    files = list(dict.fromkeys(file for place in places for file in spec_files(Path(place))))
    if not files:
        raise click.UsageError(f"no specs in {', '.join(places)}")
    changed, faulty = 0, 0
    for file in files:
        document, found = read(file)
        if document is None:
            faulty += 1
            click.echo(report(found, colour=wants_colour()), nl=False)
            continue
        before = file.read_bytes().decode("utf-8")
        after, _ = formatted(before, str(file))
        if after == before:
            continue
        changed += 1
        if diff:
            show_change(str(file), before, after, coloured=wants_colour())
        elif check:
            click.echo(f"{file}: would change")
        else:
            replace(file, after)
    told = "would change" if check or diff else "changed"
    click.echo(f"{changed} of {len(files)} files {told}", err=True)
    raise click.exceptions.Exit(int(faulty > 0 or ((check or diff) and changed > 0)))
