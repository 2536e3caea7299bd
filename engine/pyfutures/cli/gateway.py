"""``pyfutures gateway``: recorded sessions of an IB gateway, read and served."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pyfutures.gateway.recordings import Recording

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(name="gateway")
def command() -> None:
    """Read and serve recorded gateway sessions."""


@command.command()
@click.argument("file", type=_FILE)
def decode(file: Path) -> None:
    """Print each message of a recorded session as one JSON line."""
    recording = _load(file)
    welcome = {"from": "gateway", "kind": "Welcome", **dataclasses.asdict(recording.welcome)}
    click.echo(json.dumps(welcome, ensure_ascii=False))
    for sender, exact in recording.messages():
        message = exact.message
        line: dict[str, object] = {"from": sender, "kind": type(message).__name__}
        line |= dataclasses.asdict(message)  # type: ignore[call-overload]
        if exact.spelling:
            line["spelling"] = exact.spelling
        click.echo(json.dumps(line, ensure_ascii=False, default=_plain))


@command.command()
@click.argument("file", type=_FILE)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=4002, show_default=True, help="Port to listen on; 0: a free one.")
@click.option("--strict", is_flag=True, help="Do not answer what was not recorded.")
def replay(file: Path, host: str, port: int, *, strict: bool) -> None:
    """Serve a recorded session over TCP until interrupted."""
    asyncio.run(_serve(_load(file), host, port, strict=strict))


async def _serve(recording: Recording, host: str, port: int, *, strict: bool) -> None:
    from pyfutures.gateway.replay import ReplayServer  # noqa: PLC0415 - only when it is served

    async with ReplayServer(recording, host=host, port=port, strict=strict) as server:
        click.echo(
            f"serving at {server.host}:{server.port}, server version {recording.welcome.version}"
        )
        await server.serve_forever()


def _load(file: Path) -> Recording:
    from pyfutures.gateway.recordings import Recording, RecordingError  # noqa: PLC0415 - one command

    try:
        return Recording.load(file)
    except RecordingError as error:
        raise click.ClickException(str(error)) from None


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{value!r} has no form in JSON")
