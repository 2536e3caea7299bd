"""``pyfutures continuous adjust`` and ``rolls``: prices that people bring, in a file."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import click

from pyfutures.cli.places import CycleType, PlaceType, check_folder
from pyfutures.continuous.adjustment import Adjustment, RatioError
from pyfutures.continuous.bars import instant
from pyfutures.continuous.files import FilesError, same_place, write_whole
from pyfutures.continuous.policies import Missing, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable


@click.command(name="adjust")
@click.argument("file", type=PlaceType())
@click.option(
    "--mode",
    type=click.Choice([m.value for m in Adjustment]),
    default=Adjustment.BACKWARD_SPREAD.value,
    show_default=True,
    help="Which prices are moved, and how.",
)
@click.option(
    "--missing",
    type=click.Choice([Missing.FAIL.value, Missing.INFER.value]),
    default=Missing.FAIL.value,
    show_default=True,
    help="Where the last row of a contract lacks a price.",
)
@click.option("--out", required=True, help="The csv, csv.gz or parquet file or URL to write.")
def adjust_command(file: str, mode: str, missing: str, out: str) -> None:
    """Adjust the prices of a file: multiple prices, or a series that `build` wrote.

    Multiple prices are one row a time, as pysystemtrade writes them: ts, price, forward, carry,
    price_contract, forward_contract, carry_contract, with contracts as yyyymm00. A roll is where
    price_contract changes; its gap is forward less price in the last row before.

    Written: ts, adjusted, adjustment, which is adjusted less price. A row without a price stays one
    without.

    \b
    Example:
      pyfutures continuous adjust GOLD.csv --mode backward_spread --out adjusted.csv
    """  # noqa: D301
    from pyfutures.continuous.multiple import MultipleError  # noqa: PLC0415 - numpy takes its time
    from pyfutures.continuous.multiple_files import read_multiple  # noqa: PLC0415
    from pyfutures.continuous.output import adjusted_multiple, adjusted_series, write_table  # noqa: PLC0415
    from pyfutures.continuous.series import SeriesError, is_series, read_parquet  # noqa: PLC0415

    if not out.endswith((".csv", ".csv.gz", ".parquet")):
        raise click.UsageError(f"--out {out} must end in .csv, .csv.gz or .parquet")
    _check_out(out, file)
    kind = Adjustment(mode)
    try:
        if is_series(file):
            table = adjusted_series(read_parquet(file), kind)
        else:
            table = adjusted_multiple(read_multiple(file), kind, Missing(missing))
        write_table(table, out)
    except ModuleNotFoundError as error:
        raise click.UsageError(str(error)) from None
    except (MultipleError, RatioError, SeriesError, FilesError) as error:
        click.echo(f"pyfutures: {error}", err=True)
        raise click.exceptions.Exit(1) from None
    click.echo(f"{out}: {table.num_rows} rows, {kind.value}")


@click.command(name="rolls")
@click.argument("file", type=PlaceType())
@click.option("--hold", required=True, type=CycleType(), help="Months to hold, HMUZ.")
@click.option(
    "--roll-offset", required=True, type=click.IntRange(-3660, 3660), help="Days from expiry."
)
@click.option(
    "--expiry-offset",
    type=click.IntRange(-3660, 3660),
    default=0,
    show_default=True,
    help="Days from the first of the month to expiry.",
)
@click.option(
    "--policy",
    type=click.Choice([Policy.NEAREST.value, Policy.FIRST_COMMON.value]),
    default=Policy.NEAREST.value,
    show_default=True,
    help="Which timestamp, of those at which both contracts have a price.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "json"]),
    default="csv",
    show_default=True,
    help="How to print.",
)
@click.option("--out", help="A file or URL. Default: print.")
def rolls_command(
    file: str,
    hold: str,
    roll_offset: int,
    expiry_offset: int,
    policy: str,
    kind: str,
    out: str | None,
) -> None:
    """Find the rolls that a rule makes in a file of multiple prices.

    The file is one as `adjust` takes it. The roll date is the first of the month, --expiry-offset
    and --roll-offset calendar days on. The bar at last_old_ts is the last of the old contract, that
    at first_new_ts the first of the new one; both prices are those at last_old_ts.

    \b
    Example:
      pyfutures continuous rolls GOLD.csv --hold GJMQVZ --roll-offset -30 --expiry-offset 26
    """  # noqa: D301
    from pyfutures.continuous.multiple import MultipleError  # noqa: PLC0415
    from pyfutures.continuous.multiple_files import read_multiple  # noqa: PLC0415
    from pyfutures.continuous.recorded import rolls_by_rule  # noqa: PLC0415

    if out is not None:
        _check_out(out, file)
    try:
        found = rolls_by_rule(
            read_multiple(file),
            hold=hold,
            roll_offset=roll_offset,
            expiry_offset=expiry_offset,
            policy=Policy(policy),
        )
    except ModuleNotFoundError as error:
        raise click.UsageError(str(error)) from None
    except (MultipleError, FilesError) as error:
        click.echo(f"pyfutures: {error}", err=True)
        raise click.exceptions.Exit(1) from None
    rows = [
        {
            "old_contract": roll.old_contract,
            "new_contract": roll.new_contract,
            "last_old_ts": instant(roll.last_old_ts),
            "first_new_ts": instant(roll.first_new_ts),
            "pre_price": roll.pre_price,
            "post_price": roll.post_price,
            "reason": roll.reason,
        }
        for roll in found
    ]
    text = _csv(rows) if kind == "csv" else json.dumps(rows, indent=2) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        write_whole(out, lambda sink: sink.write(text.encode()))


def _check_out(out: str, file: str) -> None:
    if same_place(out, file):
        raise click.UsageError(f"--out {out} is the file that is read: give another name")
    check_folder(out)


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    names = (
        *("old_contract", "new_contract", "last_old_ts", "first_new_ts"),
        *("pre_price", "post_price", "reason"),
    )
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
