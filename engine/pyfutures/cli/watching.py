"""Runs something again whenever a spec changes: by polling, 300 files are stat'ed in a moment."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pyfutures.resources import data_dir
from pyfutures.specs.folders import home, spec_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SECONDS: Final = 0.5

type Snapshot = dict[str, tuple[int, int]]


def watched(
    run: Callable[[], int],
    paths: Sequence[str],
    *,
    clear: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Run now and after each change, until interrupted.

    Parameters
    ----------
    run
        What to run; it prints what it finds.
    paths
        Files and folders to look at; the built-in catalogue without any.
    clear
        Whether to clear the terminal before each run.
    sleep
        Waits between two looks.

    """
    places = [Path(path) for path in paths] or [data_dir("contracts")]
    seen: Snapshot | None = None
    again = False
    try:
        while True:
            now = snapshot(places)
            if now != seen:
                seen = now
                if clear:
                    click.clear()
                _again(run) if again else run()
                again = True
                click.echo("Watching for changes; stop with Ctrl-C", err=True)
            sleep(_SECONDS)
    except KeyboardInterrupt:
        return


def _again(run: Callable[[], int]) -> None:
    """Run; while files come and go there may be none, or one that cannot be written."""
    try:
        run()
    except click.ClickException as error:
        error.show()
    except OSError as error:
        click.echo(f"Error: {error}", err=True)


def snapshot(places: Sequence[Path]) -> Snapshot:
    """When each file that could be a spec was changed, and how long it is.

    The other files of a folder of specs are looked at with one of them: it may extend another, and
    its calendar is one.
    """
    found: Snapshot = {}
    for place in places:
        is_folder = place.is_dir()
        near = home(place / "_" if is_folder else place)
        files = place.rglob("*.y*ml") if is_folder else iter([place])
        for file in (*files, *(spec_files(near) if near else ())):
            try:
                stat = file.stat()
            except OSError:  # it has just gone, which is a change
                continue
            found[str(file)] = (stat.st_mtime_ns, stat.st_size)
    return found
