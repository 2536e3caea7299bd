"""``pyfutures verify``: the specs against the broker's own contract details."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pyfutures.cli.common import at_gateway, load
from pyfutures.cli.drawing import FORMATS, drawn, format_here
from pyfutures.cli.progress import progress_bar
from pyfutures.months import ContractMonth, MonthError
from pyfutures.report.text import summary, wants_colour
from pyfutures.specs.ignores import Ignores
from pyfutures.specs.positions import Locations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pyfutures.chain import Chain
    from pyfutures.diagnostics import Diagnostic
    from pyfutures.ib.cached import CachedClient
    from pyfutures.ib.messages.contracts import ContractDetails
    from pyfutures.ib.verification import Query, Verification

    type Notice = tuple[str, ContractMonth, dt.date]

_CONNECT: Final = 20.0  # seconds for the first session
_PATIENCE: Final = 60.0  # seconds for a line that is cut to come back; not again for each root
_HEADER: Final = ("root", "month", "first_notice")


@dataclass(slots=True)
class _Found:
    """What came out so far; `failures` are questions that got no answer, with why."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    compared: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@click.command(name="verify")
@click.argument("roots", metavar="[ROOT]...", nargs=-1)
@at_gateway
@click.option(
    "--cache",
    "cache_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep answers in this file, and take them from it; default: gateway.sqlite in the user's"
    " cache folder.",
)
@click.option("--no-cache", is_flag=True, help="Ask for everything anew, keep nothing.")
@click.option("--offline", is_flag=True, help="Ask nobody: take what the cache has.")
@click.option(
    "--notices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A csv of the broker's first notices: root, month, first_notice.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    help="How to print what was found; text by default, github where GITHUB_ACTIONS is true.",
)
@click.option("--strict", is_flag=True, help="Warnings count as problems.")
@click.pass_obj
def command(
    folders: tuple[str, ...],
    roots: tuple[str, ...],
    host: str,
    port: int,
    client_id: int,
    cache_file: Path | None,
    notices: Path | None,
    style: str | None,
    *,
    no_cache: bool,
    offline: bool,
    strict: bool,
) -> None:
    """Compare specs with the contract details of an IB gateway, all roots by default.

    Dates, multipliers, ticks, magnifiers, classes and currencies of every month that still trades
    are compared, and months that only one side has are named; each disagreement with its line of
    the spec. First notices are not among the details: --notices compares them with a list.

    Exit codes: 0 no disagreement, 1 some, 2 usage, I/O, or a gateway that does not answer.

    \b
    Examples:
      pyfutures verify ES CL --port 4002
      pyfutures verify --offline --cache details.sqlite --format sarif
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    if offline and no_cache:
        raise click.UsageError("--offline needs the cache that --no-cache leaves out")
    catalog = load(folders, roots or None)
    chains = {root: catalog[root] for root in dict.fromkeys(roots or catalog)}
    from pyfutures.ib.cache import default_path  # noqa: PLC0415 - what follows needs the client
    from pyfutures.ib.verification import check_notices  # noqa: PLC0415

    found = _Found()
    if notices is not None:
        listed = _read_notices(notices)
        found.diagnostics += check_notices(chains, listed)
        if others := sorted({root for root, _, _ in listed} - chains.keys()):
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            found.notes.append(
                f"{notices}: rows of roots that are not looked at: {', '.join(others[:5])}{more}"
            )
    path = cache_file or default_path()
    absent = [root for root, chain in chains.items() if chain.spec.ib is None]
    chains = {root: chain for root, chain in chains.items() if chain.spec.ib is not None}
    if absent:
        # Said in the spec itself: these roots are not traded at IB.
        more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
        found.notes.append(f"not at IB by their specs: {', '.join(absent[:5])}{more}")
    if offline:
        _verify_offline(chains, path, found)
    else:
        work = _verify_online(chains, found, None if no_cache else path, (host, port, client_id))
        asyncio.run(work)
    if offline and chains and not found.compared and not found.diagnostics:
        # A check that looked at nothing is no check that passed.
        found.failures.append(f"nothing was compared: {path} has no details of these roots")
    style = format_here(style)
    left = _unignored(chains.values(), found.diagnostics)
    paths = sorted({chain.spec.path for chain in chains.values()})
    click.echo(drawn(style, left, paths, coloured=wants_colour()), nl=False)
    for words in (*found.notes, *found.failures):
        click.echo(f"pyfutures: {words}", err=True)
    contracts = "1 contract" if found.compared == 1 else f"{found.compared} contracts"
    if found.compared or not found.failures:  # "no errors" of what nobody looked at misleads
        click.echo(f"{summary(left, len(paths))}; compared {contracts}", err=True)
    if found.failures:
        raise click.exceptions.Exit(2)
    raise click.exceptions.Exit(int(any(item.is_error or strict for item in left)))


async def _verify_online(
    chains: Mapping[str, Chain], found: _Found, cache_file: Path | None, at: tuple[str, int, int]
) -> None:
    from pyfutures.ib import Client, ClientConfig  # noqa: PLC0415
    from pyfutures.ib.cache import Cache  # noqa: PLC0415
    from pyfutures.ib.cached import CachedClient  # noqa: PLC0415
    from pyfutures.ib.errors import HandshakeError  # noqa: PLC0415
    from pyfutures.ib.failures import ConnectError  # noqa: PLC0415

    host, port, client_id = at
    try:
        client = Client(ClientConfig(host=host, port=port, client_id=client_id))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    try:
        with nullcontext() if cache_file is None else Cache(cache_file) as cache:
            try:
                await client.start(_CONNECT)
                with progress_bar("verify") as progress:
                    await _ask_all(CachedClient(client, cache), chains, found, progress)
            finally:
                await client.close()
    except (ConnectError, HandshakeError) as error:
        found.failures.append(f"no session with a gateway: {error}")
    except ModuleNotFoundError as error:
        raise click.UsageError(str(error)) from None


async def _ask_all(
    client: CachedClient,
    chains: Mapping[str, Chain],
    found: _Found,
    progress: Callable[[int, int], None] | None,
) -> None:
    from pyfutures.ib.failures import RequestError  # noqa: PLC0415
    from pyfutures.ib.verification import queries, verify  # noqa: PLC0415

    today = (await client.now()).date()
    # Roots that share a symbol share its answer.
    answers: dict[Query, tuple[ContractDetails, ...]] = {}
    for number, chain in enumerate(chains.values()):
        if progress is not None:
            progress(number, len(chains))
        candidates: list[ContractDetails] = []
        try:
            for query in queries(chain, today):
                if query not in answers:
                    # What there is in another currency only is no missing contract: it is said so.
                    patience = 0.0 if found.failures else _PATIENCE
                    answers[query] = await _ask(client, query, patience) or await _ask(
                        client, replace(query, currency=""), patience
                    )
                candidates += answers[query]
        except RequestError as error:
            found.failures.append(f"{chain.root}: {error}")
            continue
        zone = client.client.config.login_zone
        _add(found, verify(chain, candidates, today=today, login_zone=zone))
    if progress is not None:
        progress(len(chains), len(chains))


async def _ask(client: CachedClient, query: Query, patience: float) -> tuple[ContractDetails, ...]:
    from pyfutures.ib.messages.contracts import Contract  # noqa: PLC0415

    return await client.details(
        Contract(
            symbol=query.symbol,
            sec_type="FUT",
            exchange=query.exchange,
            currency=query.currency,
        ),
        patience=patience,
    )


def _verify_offline(chains: Mapping[str, Chain], path: Path, found: _Found) -> None:
    from pyfutures.ib.verification import queries, verify  # noqa: PLC0415

    if not path.is_file() or not path.stat().st_size:
        raise click.UsageError(f"there is no cache {path}: verify once with a gateway")
    kept = _kept(path)
    for chain in chains.values():
        asked = queries(chain, dt.date.min.replace(year=1970))
        places = {(query.symbol, query.exchange) for query in asked}
        wanted = [(query, *kept[query]) for query in asked if query in kept] or [
            # In another currency than the spec has: that is one of its disagreements.
            (query, *answer)
            for query, answer in kept.items()
            if (query.symbol, query.exchange) in places
        ]
        if not wanted:
            found.notes.append(f"{chain.root}: no details in {path}")
            continue
        # What expired before the answer was kept was no part of it.
        today = min(stored for _, stored, _, _ in wanted).date()
        candidates = [one for _, _, _, details in wanted for one in details.values()]
        whole = all(whole for _, _, whole, _ in wanted)
        _add(found, verify(chain, candidates, today=today, whole=whole))


def _kept(
    path: Path,
) -> dict[Query, tuple[dt.datetime, bool, dict[int, ContractDetails]]]:
    """What a cache has of futures: when it was kept, whether a whole chain is in it, by id."""
    from pyfutures.ib.cache import Cache  # noqa: PLC0415
    from pyfutures.ib.messages.contracts import ContractDetails  # noqa: PLC0415
    from pyfutures.ib.verification import Query  # noqa: PLC0415

    kept: dict[Query, tuple[dt.datetime, bool, dict[int, ContractDetails]]] = {}
    with Cache(path) as cache:
        for stored, answer in cache.kept(ContractDetails):
            for one in answer:
                contract = one.contract
                if contract.sec_type != "FUT":
                    continue
                query = Query(contract.symbol, contract.exchange, contract.currency)
                first, whole, details = kept.get(query, (stored, False, {}))
                # An answer of several months is that of a question about the whole symbol.
                whole = whole or len({other.contract_month for other in answer}) > 1
                details[contract.con_id] = one
                kept[query] = (max(first, stored), whole, details)
    return kept


def _add(found: _Found, verification: Verification) -> None:
    found.diagnostics += verification.diagnostics
    found.compared += len(verification.compared)


def _unignored(chains: Iterable[Chain], diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """What no comment of the specs ignores, in reading order."""
    places = [chain.spec.locations for chain in chains]
    documents = [d for at in places if isinstance(at, Locations) for d in at.documents]
    ignores = Ignores(documents)
    left = {item for item in diagnostics if not ignores.hides(item)}
    return sorted(left, key=lambda item: item.order)


def _read_notices(path: Path) -> list[Notice]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(text.splitlines(), skipinitialspace=True))
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path}: no text in UTF-8: {error}; save it as such") from None
    except csv.Error as error:
        raise click.UsageError(f"{path}: no csv: {error}") from None
    header = [name.strip() for name in rows[0]] if rows else []
    missing = [name for name in _HEADER if name not in header]
    if missing:
        raise click.UsageError(
            f"{path}: no column {', '.join(missing)}; the first line is {','.join(_HEADER)}"
        )
    places = [header.index(name) for name in _HEADER]
    found: list[Notice] = []
    for line, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row):
            cells = [row[place].strip() if place < len(row) else "" for place in places]
            found.append(_notice(cells, f"{path}:{line}"))
    if not found:
        raise click.UsageError(f"{path}: a list without a row")
    return found


def _notice(cells: Sequence[str], place: str) -> Notice:
    root, name, day = cells
    try:
        month = ContractMonth.parse(name)
    except MonthError as error:
        raise click.UsageError(f"{place}: {error}") from None
    try:
        return root, month, dt.date.fromisoformat(day)
    except ValueError:
        raise click.UsageError(
            f"{place}: first_notice {day!r} is no date: write it like 2025-04-30"
        ) from None
