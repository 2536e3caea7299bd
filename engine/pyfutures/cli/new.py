"""``pyfutures new``: the first file of a root."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace as replaced
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyfutures.chain.validate import validate_paths
from pyfutures.cli.common import load
from pyfutures.cli.mending import replace
from pyfutures.diagnostics import Edit
from pyfutures.report.text import report, summary, wants_colour
from pyfutures.resources import data_dir
from pyfutures.specs.file_checks import schema_near
from pyfutures.specs.fixes import mended
from pyfutures.specs.folders import Folder
from pyfutures.specs.ignores import reasons
from pyfutures.specs.positions import Locations
from pyfutures.specs.template import STAND_IN, facts, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.model import Spec

_ROOT = re.compile(r"[A-Z0-9][A-Z0-9_]{0,19}")


class NumberType(click.ParamType[Decimal]):
    """An exact number above zero."""

    name = "number"

    def convert(
        self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """The number that a text is."""
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal(0)
        if not number.is_finite() or number <= 0:
            self.fail(f"{value!r} is no number above 0", param, ctx)
        return number


def _matching(
    form: str, what: str
) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    def checked(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(form, value):
            raise click.BadParameter(f"{value!r} is no {what}")
        return value

    return checked


@click.command(name="new")
@click.argument("root")
@click.option("--like", metavar="ROOT", help="Start from the facts and rules of this root.")
@click.option("--name", help="Name for people.")
@click.option(
    "--exchange", callback=_matching("[A-Z0-9]{4}", "MIC such as XCME"), help="MIC, such as XCME."
)
@click.option(
    "--currency",
    callback=_matching("[A-Z]{3}", "currency such as USD"),
    help="Currency, such as USD.",
)
@click.option("--multiplier", type=NumberType(), help="Value of one point of price.")
@click.option("--tick", type=NumberType(), help="Smallest step of the price.")
@click.pass_obj
def command(
    folders: tuple[str, ...],
    root: str,
    *,
    like: str | None,
    name: str | None,
    exchange: str | None,
    currency: str | None,
    multiplier: Decimal | None,
    tick: Decimal | None,
) -> None:
    """Write the first spec of ROOT: commented, with its schema line, and valid as it is.

    It goes to the last --contracts folder, which is made if it is not there, or to contracts/ of
    the working folder, as <exchange>/<ROOT>.yaml. The schemas are copied beside that folder if
    there are none.

    \b
    Examples:
      pyfutures new WTI --like CL
      pyfutures --contracts my-contracts new WTI --exchange XNYM
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    if not _ROOT.fullmatch(root):
        raise click.UsageError(f"{root!r} is no root: upper-case letters, digits and `_`, up to 20")
    there = tuple(name for name in folders if Path(name).is_dir())
    relative = None if like is None else load(there, [like])[like].spec
    found = STAND_IN if relative is None else facts(relative)
    mic = exchange or str(found["exchange"])
    if mic != found["exchange"]:
        found = _moved(found, mic)
    folder = Path(folders[-1]) if folders else Path("contracts")
    path = folder / mic.lower() / f"{root}.yaml"
    # Below another exchange it would be the same root, and each of the two a fault.
    there_already = [path] if path.exists() else [*Folder(folder).contracts(root)]
    if there_already:
        raise click.UsageError(f"{there_already[0]} is already there; it was not changed")
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = schema_near(path, "contract") or _with_schemas(folder, path)
    values = {"name": name, "exchange": mic, "currency": currency}
    text = written(root, schema, found, **values, multiplier=multiplier, tick=tick)
    replace(path, text)
    click.echo(f"{path}")
    checked = validate_paths([path], folders)
    if relative is not None and (excused := _excused(relative, checked.diagnostics)):
        replace(path, mended(text, excused))
        checked = validate_paths([path], folders)
    click.echo(report(checked.diagnostics, colour=wants_colour()), nl=False)
    click.echo(summary(checked.diagnostics, len(checked.paths)), err=True)
    raise click.exceptions.Exit(int(bool(checked.errors)))


def _moved(found: Mapping[str, Any], mic: str) -> dict[str, Any]:
    """The facts at another exchange, which IB calls as most roots have it; no `ib` if none is."""
    kept = {key: value for key, value in found.items() if key != "ib"}
    names = Counter(
        chain.spec.ib.exchange.values[-1]
        for chain in load(()).values()
        if chain.spec.exchange == mic and chain.spec.ib is not None
    )
    if not names or "ib" not in found:
        return kept
    return kept | {"ib": {**found["ib"], "exchange": names.most_common(1)[0][0]}}


def _excused(like: Spec, found: Iterable[Diagnostic]) -> list[Edit]:
    """Comments that ignore what is right of a root, for the reason that its relative gives."""
    documents = like.locations.documents if isinstance(like.locations, Locations) else ()
    known = reasons(documents)
    edits = []
    for item in found:
        if item.code in known and (at := item.location) is not None:
            start = replaced(at, column=1, end_line=at.line, end_column=1)
            comment = f"# pyfutures: ignore[{item.code}] {known[item.code]}"
            edits.append(Edit(start, f"{' ' * (at.column - 1)}{comment}\n"))
    return edits


def _with_schemas(folder: Path, path: Path) -> str:
    """Copy the schemas beside a folder of specs; where the schema lies from a file in it."""
    place = folder.absolute().parent / "schemas"
    place.mkdir(exist_ok=True)
    for kind in ("contract", "calendar"):
        target = place / f"{kind}.schema.json"
        if not target.exists():
            replace(target, (data_dir("schemas") / target.name).read_text(encoding="utf-8"))
            click.echo(f"{target}", err=True)
    found = os.path.relpath(place / "contract.schema.json", path.absolute().parent)
    return found.replace(os.sep, "/")
