"""``pyfutures node``: a live node of nautilus_trader, from a file."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(name="node")
def command() -> None:
    """Run a live node of nautilus_trader."""


@command.command()
@click.argument("file", type=_FILE)
@click.option("--check", is_flag=True, help="Only say whether the file is sound.")
@click.pass_obj
def run(folders: tuple[str, ...], file: Path, *, check: bool) -> None:
    """Run the node of a YAML file until SIGTERM or SIGINT.

    Exit codes: 0 it was stopped, 1 it did not start or ended by itself, or the file has faults, 2
    wrong usage or a file that cannot be read.
    """
    try:
        import nautilus_trader  # noqa: F401, PLC0415 - an extra, and heavy
    except ImportError:
        raise click.UsageError(
            "nautilus_trader is not installed: pip install 'pyfutures[nautilus]'"
        ) from None
    from pyfutures.nautilus.node import NodeEndedError, NodeStartError  # noqa: PLC0415
    from pyfutures.nautilus.node import run as run_to_the_end  # noqa: PLC0415
    from pyfutures.nautilus.node_file import NodeFileError, read_node  # noqa: PLC0415

    try:
        config = read_node(file, catalog=folders)
    except NodeFileError as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(1) from None
    if check:
        click.echo(f"{file}: a node with {_names(config.data_clients, config.exec_clients)}")
        return
    try:
        run_to_the_end(config, started=lambda node: click.echo(f"{node.trader_id} runs", err=True))
    except NodeStartError as error:
        click.echo(f"pyfutures: the node did not start: {error}", err=True)
        raise click.exceptions.Exit(1) from None
    except NodeEndedError as error:
        click.echo(f"pyfutures: the node ended by itself: {error}", err=True)
        raise click.exceptions.Exit(1) from None


def _names(*groups: dict[str, object]) -> str:
    names = sorted({name for group in groups for name in group})
    return f"clients {', '.join(names)}" if names else "no clients"
