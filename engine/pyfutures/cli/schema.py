"""``pyfutures schema``: what an editor checks specs by, for folders of your own."""

from __future__ import annotations

from pathlib import Path

import click

from pyfutures.resources import data_dir

_SUFFIX = ".schema.json"


@click.command(name="schema")
@click.argument("name", default="contract", metavar="[contract|calendar|…]")
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write all schemas to this folder; those that are the same already stay as they are.",
)
def command(name: str, folder: Path | None) -> None:
    """Print a JSON Schema, or write all of them for an editor.

    The first line of a spec names its schema relative to the file. Specs in my-contracts/xnym/ that
    say ../../schemas/contract.schema.json find it in schemas/ beside my-contracts.

    \b
    Examples:
      pyfutures schema --write schemas
      pyfutures schema calendar
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    found = {
        path.name.removesuffix(_SUFFIX): path.read_bytes()
        for path in sorted(data_dir("schemas").glob(f"*{_SUFFIX}"))
    }
    if folder is None:
        if name not in found:
            raise click.UsageError(f"no schema `{name}`: the schemas are {', '.join(found)}")
        click.echo(found[name], nl=False)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for key, data in found.items():
        target = folder / f"{key}{_SUFFIX}"
        if target.is_file() and target.read_bytes() == data:
            click.echo(f"{target} is up to date")
            continue
        target.write_bytes(data)
        click.echo(f"wrote {target}")
