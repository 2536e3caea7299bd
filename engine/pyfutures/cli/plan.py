"""``pyfutures plan``: what will roll in the next days, for which positions, with which orders."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nautilus_trader.config import TradingNodeConfig

    from pyfutures.nautilus.plans import RollingRoot
    from pyfutures.positions.plan import PlannedMove

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command(name="plan")
@click.argument("file", metavar="NODE.yaml", type=_FILE)
@click.option(
    "--days", type=click.IntRange(0, 3660), default=30, show_default=True, help="How far ahead."
)
@click.option("--today", type=_DAY, help="What is today; default: the day that it is, UTC.")
@click.option("--broker", is_flag=True, help="Compare the ledger with what the broker holds.")
@click.option(
    "--client-id", type=click.IntRange(0), default=99, show_default=True, help="For --broker."
)
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def command(
    folders: tuple[str, ...],
    file: Path,
    *,
    days: int,
    today: dt.datetime | None,
    broker: bool,
    client_id: int,
    style: str,
) -> None:
    """Say what the rolling strategies of a node will move, when, and with which orders.

    Positions are those of the ledger in the store. Days are those of the calendar: prices may let
    the series roll some days later. Nothing is sent and nothing is written.

    \b
    Exit codes: 0 it is told, 1 the file has faults, or broker and ledger differ, 2 wrong usage.

    \b
    Examples:
      pyfutures plan node.yaml
      pyfutures plan --days 5 --broker node.yaml
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    try:
        import nautilus_trader  # noqa: F401, PLC0415 - an extra, and heavy
    except ImportError:
        raise click.UsageError(
            "nautilus_trader is not installed: pip install 'pyfutures[nautilus]'"
        ) from None
    from pyfutures.diagnostics import SpecError  # noqa: PLC0415 - only when it is run
    from pyfutures.nautilus.node_file import read_node  # noqa: PLC0415

    day = dt.datetime.now(dt.UTC).date() if today is None else today.date()
    try:
        told = _told(read_node(file, catalog=folders), folders, day, days)
        if broker:
            told["broker"] = _compared(told, client_id)
    except SpecError as error:  # of the node's file, or of a spec
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(1) from None
    differences = told.get("broker", [])
    roots, node = told.pop("roots"), told.pop("node")
    del roots, node
    if style == "json":
        click.echo(json.dumps(told, indent=2))
    else:
        for line in _lines(told, days):
            click.echo(line)
    if differences:
        raise click.exceptions.Exit(1)


def _told(
    node: TradingNodeConfig, folders: Sequence[str], today: dt.date, days: int
) -> dict[str, Any]:
    """Return the plan as data."""
    from pyfutures.chain import (  # noqa: PLC0415 - only when it is run
        ChainError,
        RollCalendarError,
        UnknownRootError,
    )
    from pyfutures.cycles import CycleError  # noqa: PLC0415
    from pyfutures.nautilus.plans import PlanError, rolling_roots  # noqa: PLC0415
    from pyfutures.positions.plan import plan  # noqa: PLC0415
    from pyfutures.store import StoreError  # noqa: PLC0415

    try:
        roots = rolling_roots(node, folders=folders)
        moves = [
            (root, move)
            for root in roots
            for move in plan(
                {root.root: root.calendar}, {root.root: root.position}, today=today, days=days
            )
        ]
        openings = [root for root in roots if root.opening]
        current = {root.root: _current(root, today) for root in openings}
    except (
        ChainError, CycleError, PlanError, RollCalendarError, StoreError, UnknownRootError
    ) as error:  # fmt: skip
        raise click.ClickException(str(error)) from None
    moves.sort(key=lambda pair: (pair[1].day, pair[1].root, pair[1].source))
    return {
        "roots": roots,
        "node": node,
        "today": today.isoformat(),
        "days": days,
        "positions": [
            {
                "root": root.root,
                "account": root.account,
                "held": {str(month): n for month, n in sorted(root.position.items())},
                "open_moves": list(root.moves),
            }
            for root in roots
        ],
        "moves": [_move(root, move) for root, move in moves],
        "openings": [
            {"root": root.root, "month": current[root.root], "quantity": root.opening}
            for root in openings
        ],
    }


def _current(root: RollingRoot, today: dt.date) -> str:
    from pyfutures.chain.rolls import midnight_ns  # noqa: PLC0415 - only when it is run

    return str(root.calendar.position(midnight_ns(today)).month)


def _move(root: RollingRoot, move: PlannedMove) -> dict[str, Any]:
    return {
        "root": move.root,
        "account": root.account,
        "source": str(move.source),
        "target": str(move.target),
        "quantity": move.quantity,
        "day": move.day.isoformat(),
        "deadline": move.deadline.isoformat(),
        "orders": list(move.orders(root.config.rules)),
    }


def _compared(told: dict[str, Any], client_id: int) -> list[dict[str, Any]]:
    """Return in which contracts the broker holds something else than the ledgers say."""
    from pyfutures.ib.failures import IbError  # noqa: PLC0415 - only with a broker
    from pyfutures.nautilus.plans import PlanError, broker_positions  # noqa: PLC0415

    roots: list[RollingRoot] = told["roots"]
    try:
        held = broker_positions(told["node"], roots, client_id=client_id)
    except (IbError, PlanError, OSError) as error:
        raise click.ClickException(f"the broker was not asked: {error}") from None
    found = {}
    for root in roots:
        names = root.names
        for contract in {*held[root.account], *root.contracts} & {*names}:
            ledgers = {
                one: ledger[contract] for one, ledger in root.ledgers.items() if contract in ledger
            }
            at_broker = held[root.account].get(contract, 0)
            if at_broker != sum(ledgers.values()):
                found[root.account, contract] = {
                    "account": root.account,
                    "contract": contract,
                    "broker": at_broker,
                    "ledgers": ledgers,
                }
    return [found[key] for key in sorted(found)]


def _lines(told: dict[str, Any], days: int) -> Iterator[str]:
    for row in told["positions"]:
        held = ", ".join(f"{month} {quantity:+d}" for month, quantity in row["held"].items())
        yield f"{row['root']}: {held or 'flat'} in {row['account']}"
        for move in row["open_moves"]:
            yield f"  {move} was interrupted: the node goes on with it when it starts"
    for row in told["openings"]:
        yield f"{row['root']}: opens {row['quantity']:+d} {row['month']} when the node runs"
    for row in told["moves"]:
        yield (
            f"{row['day']}: {row['root']} {row['source']} to {row['target']}, {row['quantity']:+d},"
            f" before {row['deadline']}"
        )
        for order in row["orders"]:
            yield f"  {order}"
    if not told["moves"]:
        yield f"nothing rolls from {told['today']} in {days} days"
    if "broker" in told and not told["broker"]:
        yield "the broker holds what the ledgers say"
    for row in told.get("broker", ()):
        ledgers = ", ".join(f"{root} {n:+d}" for root, n in sorted(row["ledgers"].items()))
        yield (
            f"{row['contract']}: the broker holds {row['broker']:+d}, the ledger says"
            f" {ledgers or 'nothing'}"
        )
