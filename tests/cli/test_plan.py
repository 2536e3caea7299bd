"""`pyfutures plan`: node files, ledgers on disk, and a gateway that holds something else."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from pyfutures.cli import run
from pyfutures.gateway.order_desk import place_by_hand
from pyfutures.months import ContractMonth
from pyfutures.positions.book import Target
from pyfutures.store import Owner, Store
from tests.gateway.tools import gateway, order

ACCOUNT = "DU1234567"


def node(store, *, port=1, strategies=("ES",), **more):
    client = {
        "port": port,
        "instrument_provider": {"roots": ["ES", "COIL", "COIL_Z"]},
        "account_id": ACCOUNT,
        "routing": {"default": True},
    }
    return json.dumps({
        "trader_id": "TRADER-001",
        "exec_clients": {
            "PYF": {
                "path": "pyfutures.nautilus.config:FuturesExecClientConfig",
                "factory": {"path": "pyfutures.nautilus.factories:FuturesLiveExecClientFactory"},
                "config": client,
            }
        },
        "strategies": [
            {
                "strategy_path": "pyfutures.nautilus.rolling:RollingStrategy",
                "config_path": "pyfutures.nautilus.rolling:RollingStrategyConfig",
                "config": {"root": root, "order_id_tag": f"{n:03}", "store": str(store), **more},
            }
            for n, root in enumerate(strategies)
        ],
    })  # fmt: skip


def write(path, root, **contracts):
    with Store.open(path) as store, store.lease(ACCOUNT, root, Owner.here("T-001")) as lease:
        book = store.book(lease, strategy="ROLLING")
        for contract, quantity in contracts.items():
            book.adjust(contract.replace("_", "."), quantity, reason="a test")


@pytest.fixture
def call(capsys, tmp_path):
    def call(text, *arguments):
        file = tmp_path / "node.yaml"
        file.write_text(text, "utf-8")
        code = run(["plan", *arguments, str(file)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def store(tmp_path):
    return tmp_path / "moves.sqlite"


def test_a_position_that_rolls_within_the_days(call, store):
    write(store, "ES", ESU25_XCME=2)
    # The exchange's roll: the Monday before the third Friday, on which the contract ends.
    code, out, err = call(node(store), "--today", "2025-09-01", "--days", "20")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "ES: 2025U +2 in DU1234567",
        "2025-09-15: ES 2025U to 2025Z, +2, before 2025-09-19",
        "  sell 2 ES 2025U, buy 2 ES 2025Z: one calendar spread, limit in 5 steps of 30 s",
        "  what remains: market orders",
    ]


def test_nothing_rolls_within_the_days(call, store):
    write(store, "ES", ESU25_XCME=2)
    _, out, _ = call(node(store), "--today", "2025-09-01", "--days", "5")
    assert out.splitlines()[-1] == "nothing rolls from 2025-09-01 in 5 days"


def test_coil_twice_each_by_its_own_rule(call, store):
    write(store, "COIL", COILZ25_IFEU=1)
    write(store, "COIL_Z", COILZ25_IFEU=-3)
    code, out, _ = call(
        node(store, strategies=("COIL", "COIL_Z"), spread=False),
        "--today", "2025-09-22", "--days", "30", "--format", "json",
    )  # fmt: skip
    told = json.loads(out)
    assert code == 0
    names = ("root", "source", "target", "quantity", "day")
    assert [tuple(move[name] for name in names) for move in told["moves"]] == [
        ("COIL", "2025Z", "2026F", 1, "2025-09-22"),
        ("COIL_Z", "2025Z", "2026Z", -3, "2025-10-16"),
    ]
    assert told["moves"][1]["orders"] == [
        "buy 3 COIL_Z 2025Z, sell 3 COIL_Z 2026Z: two market orders"
    ]


def test_a_flat_root_that_is_to_be_opened_and_a_store_that_is_not_there(call, store):
    code, out, _ = call(
        node(store, target=2, open_when_flat=True), "--today", "2025-09-01", "--days", "1"
    )
    assert code == 0
    assert out.splitlines()[:2] == [
        "ES: flat in DU1234567", "ES: opens +2 2025U when the node runs"
    ]  # fmt: skip
    assert not store.exists()


def test_the_rules_of_the_roll_actor_count(call, store):
    write(store, "ES", ESU25_XCME=1)
    text = json.loads(node(store))
    text["actors"] = [{
        "actor_path": "pyfutures.nautilus.actor:RollActor",
        "config_path": "pyfutures.nautilus.actor:RollActorConfig",
        "config": {"root": "ES", "hold": "MU"},
    }]  # fmt: skip
    _, out, err = call(json.dumps(text), "--today", "2025-09-01", "--days", "20")
    assert err == ""
    assert ": ES 2025U to 2026M, +1, before " in out


def test_a_cycle_that_is_none(call, store):
    code, _, err = call(node(store, hold="UM"))
    assert (code, "the cycle `UM` repeats a month or is out of order" in err) == (1, True)


def test_an_interrupted_move_is_named(call, store):
    write(store, "ES", ESU25_XCME=1, ESZ25_XCME=1)
    with Store.open(store) as opened, opened.lease(ACCOUNT, "ES", Owner.here("T-001")) as lease:
        opened.book(lease, strategy="ROLLING").begin("ES-2025U-2025Z-20250915T140000", {})
    _, out, _ = call(node(store), "--today", "2025-09-15")
    assert "  ES-2025U-2025Z-20250915T140000 was interrupted: the node goes on" in out


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('{"strategies": []}', 1, "no strategy that is a RollingStrategy"),
        ('{"strategiez": []}', 1, "strategiez"),
        (node("x").replace('"account_id": "DU1234567", ', ""), 1, "0 accounts; name one"),
    ],
    ids=["none", "typo", "no account"],
)
def test_what_cannot_be_planned(call, text, code, words):
    found, _, err = call(text)
    assert found == code
    assert words in err


def test_a_month_that_is_not_held(call, store):
    write(store, "COIL_Z", COILX25_IFEU=1)
    code, _, err = call(node(store, strategies=("COIL_Z",)))
    assert code == 1
    assert "2025X is not a held month" in err


@pytest.fixture
def port():
    """The port of a gateway that holds 2 ESU25."""
    loop = asyncio.new_event_loop()
    ready, stop, ports = threading.Event(), asyncio.Event(), []

    async def main():
        async with gateway(roots=("ES", "COIL", "COIL_Z")) as server:
            what = server.gateway.universe.of("ES", ContractMonth.parse("2025U"))
            place_by_hand(server.gateway, what, order("BUY", 2, "MKT", account=ACCOUNT))
            await server.advance(1)
            ports.append(server.port)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert ready.wait(30)
    yield ports[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.mark.parametrize(
    ("held", "code", "words"),
    [
        (2, 0, "the broker holds what the ledgers say"),
        (1, 1, "ESU25.XCME: the broker holds +2, the ledger says ES +1"),
    ],
)
def test_the_broker_is_compared(call, store, port, held, code, words):
    write(store, "ES", ESU25_XCME=held)
    found, out, err = call(node(store, port=port), "--today", "2025-09-01", "--broker")
    assert (found, err) == (code, "")
    assert out.splitlines()[-1] == words


def test_a_broker_that_is_not_there(call, store):
    text = json.loads(node(store))
    text["exec_clients"]["PYF"]["config"]["connection_timeout"] = 0.5
    code, _, err = call(json.dumps(text), "--broker")
    assert code == 1
    assert "the broker was not asked: " in err


@pytest.mark.parametrize(
    ("kept", "options", "opened"),
    [
        (None, {"target": 2, "open_when_flat": True}, 2),
        (Target(-3, 2, opens=True), {"target": 2}, -3),
        (Target(-3, 2, opens=False), {"target": 2}, None),
        (Target(-3, 2, opens=False), {"target": 2, "open_when_flat": True}, -3),
        (Target(-3, 2, opens=True), {"target": 1, "open_when_flat": True}, 1),
        (Target(0, 2, opens=False), {"target": 2, "open_when_flat": True}, None),
    ],
)
def test_a_target_that_was_set_is_what_is_opened(call, tmp_path, kept, options, opened):
    """It counts as long as the config says what it said when it was set."""
    path = tmp_path / "s.sqlite"
    with Store.open(path) as store, store.lease(ACCOUNT, "ES", Owner.here("T-001")) as lease:
        store.book(lease, strategy="ROLLING").set_target(kept)
    told = json.loads(call(node(path, **options), "--format", "json")[1])
    assert [row["quantity"] for row in told["openings"]] == ([] if opened is None else [opened])
