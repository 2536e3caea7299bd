"""The guide of the adapter is true: its blocks run, its tables are complete."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from pyfutures.codes import CODES
from pyfutures.nautilus.config import (
    FuturesDataClientConfig,
    FuturesExecClientConfig,
    FuturesInstrumentProviderConfig,
    MonthsSelection,
)
from pyfutures.nautilus.link import links_of
from pyfutures.nautilus.node import run_node
from pyfutures.nautilus.node_file import read_node
from tests.gateway.tools import gateway
from tests.nautilus.tools import UTCNOW

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "nautilus.md").read_text("utf-8")
QUIET = """
logging: {log_level: "OFF", print_config: false}
exec_engine: {reconciliation_startup_delay_secs: 0.1}
timeout_connection: 10
timeout_disconnection: 3
timeout_post_stop: 0.1
"""


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def fields_of_tables():
    cells = [line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("block", blocks("python"), ids=range(len(blocks("python"))))
def test_code_runs(block):
    exec(compile(block, "nautilus.md", "exec"), {})  # noqa: S102 - the guide's own words


@pytest.mark.parametrize("block", blocks("yaml"), ids=range(len(blocks("yaml"))))
def test_nodes_can_be_read(block, tmp_path):
    path = tmp_path / "node.yaml"
    path.write_text(block, "utf-8")
    config = read_node(path)
    for client in (*config.data_clients.values(), *config.exec_clients.values()):
        assert client.create().instrument_provider.roots


@UTCNOW
def test_the_first_node_runs(tmp_path):
    path = tmp_path / "node.yaml"

    async def main():
        stop, seen = asyncio.Event(), []

        def started(node):
            (link,) = links_of(asyncio.get_running_loop())
            seen.extend(str(x.id) for x in node.cache.instruments())
            assert link.users == 2
            stop.set()

        async with gateway(roots=("ES", "ZC")) as server:
            text = blocks("yaml")[0].replace("4002", str(server.port))
            path.write_text(text + QUIET, "utf-8")
            await run_node(read_node(path), stop=stop, started=started)
        return sorted(seen)

    expected = ["ESU25.XCME", "ESZ25.XCME", "ZCU25.XCBT", "ZCZ25.XCBT", "ZCZ26.XCBT"]
    assert asyncio.run(main()) == expected


@UTCNOW
def test_the_node_in_python_is_built():
    made = {}
    for block in blocks("python")[:2]:
        exec(compile(block, "nautilus.md", "exec"), made)  # noqa: S102 - the guide's own words

    async def main():
        from nautilus_trader.config import LoggingConfig, TradingNodeConfig

        quiet = LoggingConfig(log_level="OFF", print_config=False)
        fields = {**made["config"].dict(), "logging": quiet}
        node = made["build"](TradingNodeConfig(**fields), asyncio.get_running_loop())
        assert node.is_built()
        (link,) = links_of(asyncio.get_running_loop())
        assert len(link.clients) == 2
        node.kernel.dispose()

    asyncio.run(main())


def test_the_tables_name_every_field():
    told = fields_of_tables()
    assert set(MonthsSelection.__struct_fields__) <= told
    own = set(FuturesInstrumentProviderConfig.__struct_fields__)
    assert own - {"filters", "filter_callable", "log_warnings", "use_gamma_markets"} <= told
    shared = set(FuturesDataClientConfig.__struct_fields__) & set(
        FuturesExecClientConfig.__struct_fields__
    )
    assert shared - {"instrument_provider", "routing"} <= told


def test_the_table_of_codes_is_complete():
    assert {code for code in CODES if "PF601" <= code <= "PF610"} == set(
        re.findall(r"^\| `(PF\d+)`", GUIDE, re.MULTILINE)
    )


#: What the tables say in words, where a default is no single value.
IN_WORDS = {
    "none": [None, (), frozenset(), {}],
    "the only one": [None],
    "current, forward, carry": [MonthsSelection()],
}


def rows_of_tables(*pages):
    """The fields of the tables of configs with their defaults, as the pages have them."""
    found = {}
    for page in pages:
        text = GUIDE if page == "nautilus" else (DOCS / f"{page}.md").read_text("utf-8")
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            names = re.findall(r"`(\w+)`", cells[0])
            if line.startswith("| `") and len(cells) == 3 and cells[2]:
                one = len(names) == 1 or "," not in cells[2]
                values = [cells[2]] * len(names) if one else cells[2].split(", ")
                found |= dict(zip(names, values, strict=True))
    return found


def is_told(value, text):
    if text in IN_WORDS:
        return value in IN_WORDS[text]
    text = text.strip("`")
    if isinstance(value, bool):
        return text == str(value).lower()
    if isinstance(value, int | float):
        return float(text) == value
    return text == str(list(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize(
    ("config", "pages", "inherited"),
    [
        (MonthsSelection, ["nautilus"], set()),
        (
            FuturesInstrumentProviderConfig,
            ["nautilus"],
            {"filters", "filter_callable", "log_warnings", "use_gamma_markets"},
        ),
        (
            FuturesDataClientConfig,
            ["nautilus", "market_data"],
            {"handle_revised_bars", "instrument_provider", "routing"},
        ),
        (
            FuturesExecClientConfig,
            ["nautilus", "execution"],
            {"instrument_provider", "routing"},
        ),
    ],
)
def test_every_default_of_the_tables_is_the_codes(config, pages, inherited):
    told = rows_of_tables(*pages)
    own = set(config.__struct_fields__) - inherited
    assert own - set(told) == set()
    values = {name: getattr(config(), name) for name in own}
    assert {x: (v, told[x]) for x, v in values.items() if not is_told(v, told[x])} == {}
