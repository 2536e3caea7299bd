"""``pyfutures download``: bars and ticks of contracts from an IB gateway, into files."""

from __future__ import annotations

import asyncio
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pyfutures.cli.common import INSTANT, MONTH, answers, at_gateway, load
from pyfutures.cli.progress import progress_bar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Coroutine, Iterator

    from pyfutures.chain import Chain
    from pyfutures.download import BarDownload, BarsWanted, TickDownload, TicksWanted
    from pyfutures.ib.cached import CachedClient
    from pyfutures.months import ContractMonth

    type Found = BarDownload | TickDownload
    type One = Callable[
        [CachedClient, ContractMonth, Callable[[int, int], None] | None],
        Coroutine[object, object, Found],
    ]

_SIZES: Final = {
    "1d": "1 day", "8h": "8 hours", "4h": "4 hours", "3h": "3 hours", "2h": "2 hours",
    "1h": "1 hour", "30m": "30 mins", "20m": "20 mins", "15m": "15 mins", "10m": "10 mins",
    "5m": "5 mins", "3m": "3 mins", "2m": "2 mins", "1m": "1 min", "30s": "30 secs",
    "15s": "15 secs", "10s": "10 secs", "5s": "5 secs", "1s": "1 secs",
}  # fmt: skip
_WEEK: Final = 7 * 86_400
_CONNECT: Final = 20.0  # seconds for the first session
_MOST_HOLES: Final = 10  # printed one by one


class _Seconds(click.ParamType[float]):
    """A time to wait, up to a week."""

    name = "seconds"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds that a text names."""
        try:
            seconds = float(value)
        except ValueError:
            self.fail(f"{value!r} is no number", param, ctx)
        if not 0 <= seconds <= _WEEK:  # which nan is not either
            self.fail(f"{value}: must be 0 to {_WEEK} seconds", param, ctx)
        return seconds


_SECONDS: Final = _Seconds()


@click.command(name="download")
@click.argument("root")
@click.argument("months", metavar="MONTH...", nargs=-1, required=True, type=MONTH)
@click.option("--bar", type=click.Choice(list(_SIZES)), metavar="1d|1h|1m|…", help="Size of bars.")
@click.option(
    "--ticks", type=click.Choice(["trades", "quotes", "midpoints"]), help="Ticks in place of bars."
)
@click.option(
    "--what",
    type=click.Choice(["trades", "midpoint", "bid", "ask"]),
    default="trades",
    show_default=True,
    help="What bars are of.",
)
@click.option("--from", "start", type=INSTANT, help="After this instant; default: all there is.")
@click.option("--to", "end", type=INSTANT, help="Up to this instant; default: now.")
@click.option("--rth", is_flag=True, help="Regular trading hours only.")
@at_gateway
@click.option(
    "--delay",
    type=_SECONDS,
    default=0.0,
    help="Seconds between requests that the cache cannot answer.",
)
@click.option(
    "--patience",
    type=_SECONDS,
    default=900.0,
    show_default=True,
    help="Seconds to go on trying where a request fails for reasons that may pass.",
)
@click.option(
    "--cache",
    "cache_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the cache; default: gateway.sqlite in the user's cache folder.",
)
@click.option("--no-cache", is_flag=True, help="Ask for everything anew, keep nothing.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A .csv, .csv.gz or .parquet file for all months, or a folder for one .csv.gz a month;"
    " default: ROOT_BAR.csv.gz here.",
)
@click.pass_obj
def command(
    folders: tuple[str, ...],
    root: str,
    months: tuple[ContractMonth, ...],
    bar: str | None,
    ticks: str | None,
    what: str,
    start: dt.datetime | None,
    end: dt.datetime | None,
    rth: bool,  # noqa: FBT001 - click calls by keyword
    host: str,
    port: int,
    client_id: int,
    delay: float,
    patience: float,
    cache_file: Path | None,
    no_cache: bool,  # noqa: FBT001
    out: Path | None,
) -> None:
    """Download bars or ticks of contracts from an IB gateway.

    Bars are those that close after --from and not after --to; their ts is the scheduled close in
    UTC. A bar that is not closed yet is left out. Prices are in currency: quotes in cents are
    divided by the price magnifier. What was answered is kept, so a download that was stopped goes
    on where it stopped. Sessions without a bar are named.

    \b
    Example:
      pyfutures download CL 2026F 2026G --bar 1d --from 2025-06-01 --out cl.csv.gz
      pyfutures continuous build CL --bars cl.csv.gz --out cl.parquet
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    if (bar is None) is (ticks is None):
        raise click.UsageError("give --bar or --ticks")
    if ticks is not None and what != "trades":
        raise click.UsageError(f"--what {what} is of bars; ticks are of --ticks {ticks}")
    from pyfutures import download as d  # noqa: PLC0415 - what follows needs the client
    from pyfutures.ib.times import BarSize  # noqa: PLC0415

    chain = load(folders, [root])[root]
    with answers():
        for month in months:
            chain.row(month)
    wanted: BarsWanted | TicksWanted
    try:
        if bar is not None:
            wanted = d.BarsWanted(
                size=BarSize(_SIZES[bar]), show=what.upper(), start=start, end=end, use_rth=rth,
                patience=patience,
            )  # fmt: skip
        else:
            wanted = d.TicksWanted(
                kind=d.TickKind(ticks or ""), start=start, end=end, use_rth=rth, patience=patience
            )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    targets = _targets(out, root, dict.fromkeys(months), bar or ticks or "", what)

    async def one(
        client: CachedClient, month: ContractMonth, progress: Callable[[int, int], None] | None
    ) -> Found:
        if isinstance(wanted, d.BarsWanted):
            return await d.download_bars(client, chain, month, wanted, progress=progress)
        return await d.download_ticks(client, chain, month, wanted, progress=progress)

    work = _Work(chain, one, None if no_cache else cache_file, delay, keeps=not no_cache)
    with _plain_warnings():
        code = asyncio.run(work.run(targets, host, port, client_id))
    if code:
        raise click.exceptions.Exit(code)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Say what the cache warns of in a line, without our source."""
    from pyfutures.ib.cache import CacheWarning  # noqa: PLC0415 - of the client

    def tell(message: Warning | str, *_: object, **__: object) -> None:
        click.echo(f"pyfutures: {message}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", CacheWarning)
        warnings.showwarning = tell
        yield


def _targets(
    out: Path | None, root: str, months: dict[ContractMonth, None], size: str, what: str
) -> dict[Path, tuple[ContractMonth, ...]]:
    """Return the files to write and the months that go into each."""
    from pyfutures.download.files import ENDINGS  # noqa: PLC0415

    name = f"{size}" if what == "trades" else f"{size}_{what}"
    if out is None:
        return {Path(f"{root}_{name}.csv.gz"): tuple(months)}
    if out.name.endswith(ENDINGS) and not out.is_dir():
        return {out: tuple(months)}
    if out.suffix and not out.is_dir():
        raise click.UsageError(
            f"--out {out}: a folder, or a file that ends in {', '.join(ENDINGS)}"
        )
    return {out / f"{root}_{month}_{name}.csv.gz": (month,) for month in months}


class _Work:
    def __init__(
        self, chain: Chain, one: One, cache: Path | None, delay: float, *, keeps: bool
    ) -> None:
        self.chain = chain
        self.one = one
        self.cache = cache
        self.delay = delay
        self.keeps = keeps

    async def run(
        self, targets: dict[Path, tuple[ContractMonth, ...]], host: str, port: int, client_id: int
    ) -> int:
        """Download everything; return the exit code."""
        from pyfutures.ib import Client, ClientConfig  # noqa: PLC0415
        from pyfutures.ib.cache import Cache  # noqa: PLC0415
        from pyfutures.ib.cached import CachedClient, CachePolicy  # noqa: PLC0415
        from pyfutures.ib.errors import HandshakeError  # noqa: PLC0415
        from pyfutures.ib.failures import ConnectError  # noqa: PLC0415

        try:
            client = Client(ClientConfig(host=host, port=port, client_id=client_id))
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        code = 0
        try:
            with Cache(self.cache) if self.keeps else nullcontext() as cache:
                try:
                    await client.start(_CONNECT)
                    asking = CachedClient(client, cache, policy=CachePolicy(delay=self.delay))
                    for path, months in targets.items():
                        code = max(code, await self._file(asking, path, months))
                finally:
                    await client.close()
        except (ConnectError, HandshakeError) as error:
            click.echo(f"pyfutures: no session with a gateway: {error}", err=True)
            return 2
        except ModuleNotFoundError as error:
            raise click.UsageError(str(error)) from None
        return code

    async def _file(
        self, client: CachedClient, path: Path, months: tuple[ContractMonth, ...]
    ) -> int:
        from pyfutures import download as d  # noqa: PLC0415
        from pyfutures.ib.failures import RequestError  # noqa: PLC0415

        done: list[Found] = []
        code = 0
        for month in months:
            asked, kept = client.asked, client.found
            try:
                with progress_bar(f"{self.chain.root} {month}") as progress:
                    found = await self.one(client, month, progress)
            except d.FutureError as error:
                raise click.UsageError(str(error)) from None
            except (d.DownloadError, RequestError) as error:
                name = f"{self.chain.root} {month}"
                text = str(error) if str(error).startswith(name) else f"{name}: {error}"
                click.echo(f"pyfutures: {text}", err=True)
                is_final = isinstance(error, d.DownloadError) or error.is_final
                code = max(code, 1 if is_final else 2)
                continue
            self._report(found, client.asked - asked, client.found - kept)
            done.append(found)
        bars = [one for one in done if isinstance(one, d.BarDownload)]
        if bars:
            count = d.write_bars((row for one in bars for row in one.rows), path)
            click.echo(f"{path}: {count} bars of {_count(len(bars), 'contract')}")
        elif done:
            count = d.write_ticks([one for one in done if not isinstance(one, d.BarDownload)], path)
            click.echo(f"{path}: {count} ticks of {_count(len(done), 'contract')}")
        return code

    def _report(self, found: Found, asked: int, kept: int) -> None:
        from pyfutures.download import BarDownload  # noqa: PLC0415

        name = f"{self.chain.root} {found.contract.month}"
        for note in found.notes:
            click.echo(f"note: {note}", err=True)
        how = f"{_count(asked, 'request')}, {kept} from the cache"
        if not isinstance(found, BarDownload):
            click.echo(f"{name}: {_count(len(found.ticks), 'tick')}; {how}")
            return
        rows = found.rows
        span = f", {rows[0].ts:%Y-%m-%d %H:%M} to {rows[-1].ts:%Y-%m-%d %H:%M} UTC" if rows else ""
        click.echo(f"{name}: {_count(len(rows), 'bar')}{span}; {how}")
        sessions = [hole for hole in found.holes if hole.session is not None]
        inner = [hole for hole in found.holes if hole.session is None]
        for hole in sessions[:_MOST_HOLES]:
            click.echo(f"hole: {name} {hole}", err=True)
        if len(sessions) > _MOST_HOLES:
            rest = len(sessions) - _MOST_HOLES
            click.echo(f"hole: {name} {_count(rest, 'more session')} without a bar", err=True)
        if inner:
            bars = sum(hole.bars for hole in inner)
            longest = max(inner, key=lambda hole: hole.bars)
            quiet = " (a bar of trades is missing where nobody traded)"
            if found.wanted.show != "TRADES":
                quiet = ""
            click.echo(
                f"hole: {name} {_count(bars, 'bar')} missing within sessions, the longest"
                f" {longest}{quiet}",
                err=True,
            )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
