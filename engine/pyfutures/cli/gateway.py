"""``pyfutures gateway``: a simulated IB gateway, and recorded sessions read and served."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
from contextlib import AsyncExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfutures.gateway.config import GatewayConfig
    from pyfutures.gateway.fault_script import Script
    from pyfutures.gateway.recordings import Recording

_PORT = click.IntRange(0, 65_535)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _WrongError(click.ClickException):
    """Wrong usage or a port that cannot be had: one line, exit 2."""

    exit_code = 2


@click.group(name="gateway")
def command() -> None:
    """Run a simulated IB gateway; read and serve recorded sessions."""


@command.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=_PORT, default=4002, show_default=True, help="Port to listen on; 0: a free one."
)
@click.option("--server-version", default=176, show_default=True, help="Highest version, 157-200.")
@click.option("--roots", help="Roots to serve, joined by commas; all that IB has by default.")
@click.option("--speed", default=1.0, show_default=True, help="Simulated seconds in a real one.")
@click.option("--seed", default=0, show_default=True, help="Another seed is another market.")
@click.option("--start", help="Simulated start, e.g. 2025-07-01T14:00:00+00:00; now by default.")
@click.option("--script", type=_FILE, help="Faults, as docs/gateway.md has them.")
@click.option("--read-only", is_flag=True, help="Refuse orders.")
@click.option("--no-pacing", is_flag=True, help="Hold clients to no limits.")
def run(
    host: str,
    port: int,
    *,
    server_version: int,
    roots: str | None,
    speed: float,
    seed: int,
    start: str | None,
    script: Path | None,
    read_only: bool,
    no_pacing: bool,
) -> None:
    """Run a simulated gateway until interrupted."""
    from pyfutures.gateway.config import GatewayConfig  # noqa: PLC0415 - only when it is run
    from pyfutures.gateway.fault_script import Script, ScriptError  # noqa: PLC0415

    names = None
    if roots is not None:
        names = tuple(name for part in roots.split(",") if (name := part.strip()))
        if not names:
            raise _WrongError("--roots names no root; leave it out for all that IB has")
    try:
        config = GatewayConfig(
            roots=names, start=_start(start), version=server_version, seed=seed, read_only=read_only
        )
        if no_pacing:
            config = dataclasses.replace(config, limits=None)
        faults = None if script is None else Script(script)
    except ScriptError as error:
        raise click.ClickException(str(error)) from None
    except ValueError as error:
        raise _WrongError(str(error)) from None
    try:
        asyncio.run(_run(config, host, port, speed, faults))
    except ScriptError as error:
        raise click.ClickException(str(error)) from None
    except (ValueError, LookupError) as error:
        raise _WrongError(str(error)) from None


def _start(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise _WrongError(
            f"--start {text}: no instant; write it like 2025-07-01T14:00:00+00:00"
        ) from None


@contextmanager
def _listening(host: str, port: int) -> Iterator[None]:
    """Say of a port that cannot be listened on which it is."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise _WrongError(f"cannot listen on {host}:{port}: {reason}") from None


async def _run(
    config: GatewayConfig, host: str, port: int, speed: float, faults: Script | None
) -> None:
    from pyfutures.gateway.server import GatewayServer  # noqa: PLC0415 - only when it is run

    async with AsyncExitStack() as stack:
        made = GatewayServer(config, host=host, port=port, speed=speed)
        with _listening(host, port):
            server = await stack.enter_async_context(made)
        if faults is not None:
            faults.play(server.gateway)
        contracts = len(server.gateway.universe.instruments())
        click.echo(
            f"serving {contracts} contracts at {server.host}:{server.port}, server versions to "
            f"{config.version}, {server.now:%Y-%m-%d %H:%M:%S} UTC, speed {speed:g}"
        )
        await server.serve_forever()


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
@click.option(
    "--port", type=_PORT, default=4002, show_default=True, help="Port to listen on; 0: a free one."
)
@click.option("--strict", is_flag=True, help="Do not answer what was not recorded.")
def replay(file: Path, host: str, port: int, *, strict: bool) -> None:
    """Serve a recorded session over TCP until interrupted."""
    asyncio.run(_serve(_load(file), host, port, strict=strict))


async def _serve(recording: Recording, host: str, port: int, *, strict: bool) -> None:
    from pyfutures.gateway.replay import ReplayServer  # noqa: PLC0415 - only when it is served

    async with AsyncExitStack() as stack:
        made = ReplayServer(recording, host=host, port=port, strict=strict)
        with _listening(host, port):
            server = await stack.enter_async_context(made)
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
