# ruff: noqa: S311 - chance, not secrets
"""Frames that nobody should send, by the thousand, at our decoder and at the simulated gateway.

``python -m tests.ib.fuzz 1000000 [SEED]`` runs that many in one process and prints the seed and
what they came to. Whatever is sent, only typed errors come out, nothing takes long (a run that
stands still for a minute is killed with a traceback), and memory does not grow.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import random
import resource
import sys
import time
from collections import Counter
from decimal import Decimal

from pyfutures.gateway.core import Gateway
from pyfutures.gateway.market import SLOT_NS
from pyfutures.ib import messages as m
from pyfutures.ib.codec import Codec, Role, split_body
from pyfutures.ib.errors import MessageError
from pyfutures.ib.exact import Reader
from pyfutures.ib.framing import frame
from pyfutures.ib.messages.base import Malformed, Response
from tests.gateway.tools import Raw, config, contract, gateway, order, universe
from tests.ib.test_golden import REQUESTS, RESPONSES, fields

VERSIONS = (157, 163, 176, 178, 182, 193, 194, 195, 196, 198, 200)
#: How many frames `make test` sends, by what they are sent at: 20,000 in all.
SHARES = {"responses": 7_000, "requests": 2_500, "gateway": 9_000, "tcp": 1_500}
BATCH = 500
_ODD = [
    "", "0", "-1", "2147483647", "1.7976931348623157E308", "1.7976931348623157e+308", "NaN", "sNaN",
    "Infinity", "-inf", "1e999", "9" * 5000, "None", "\\u", "\\ud83d\\ude00", "\\ud83d", "ä",
    "1_000", " 7 ", "0x10", "1E+400", "170141183460469231731687303715884105727",
]  # fmt: skip
_WORDS = [
    "", "0", "1", "-1", "2", "7", "2147483647", "-2147483648", "99999999999999999999", "1e308",
    "1.7976931348623157E308", "nan", "inf", "-inf", "Infinity", "None", "\U0001f600", "FUT", "BAG",
    "CONTFUT", "ES", "CME", "LMT", "TRAIL", "GTD", "20250701-12:00:00", "99991231-23:59:59",
    "00000000-00:00:00", "1 D", "9999 Y", "1 min", "1 secs", "TRADES", "BID_ASK", "SCHEDULE", "BUY",
    "x" * 5000, "\\u0000", "%s%n",
]  # fmt: skip
# What a run may grow by once it has seen everything: caches are full by then.
_MOST_GROWTH = 64 * 2**20
_STILL = 60


def mutate(dice, body):
    """A body with one to three things wrong with it."""
    for _ in range(dice.randint(1, 3)):
        parts = body.split(b"\0")
        at = dice.randrange(len(parts))
        match dice.randrange(6):
            case 0:
                parts[at] = dice.choice(_ODD).encode()
            case 1:
                del parts[at]
            case 2:
                parts.insert(at, dice.choice(_ODD).encode())
            case 3:
                parts = parts[:at]
            case 4:
                parts[at] = dice.randbytes(dice.randint(0, 6))
            case 5:
                parts = parts + parts[at:]
        body = b"\0".join(parts)
    return body


def mutate_fields(dice, texts):
    """A request with one to four fields changed, lost or doubled; most of it still makes sense."""
    texts = list(texts)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(texts))
        kind = dice.randrange(6)
        if kind <= 2:
            texts[at] = dice.choice(_WORDS)
        elif kind == 3 and len(texts) > 1:
            del texts[at]
        elif kind == 4:
            texts.insert(at, dice.choice(texts))
        else:
            text = texts[at]
            place = dice.randint(0, len(text))
            texts[at] = text[:place] + chr(dice.randint(1, 255)) + text[place:]
    return texts


def responses(seed, count):
    """What our client makes of mutated responses, at several server versions."""
    return _decoded(Role.CLIENT, RESPONSES, seed, count)


def requests(seed, count):
    """What the gateway's decoder makes of mutated requests."""
    return _decoded(Role.GATEWAY, REQUESTS, seed, count)


def _decoded(role, rows, seed, count):
    dice = random.Random(f"{role} {seed}")
    told = Counter()
    for _ in range(count):
        version, text, _ = dice.choice(rows)
        version = dice.choice([version, *VERSIONS])
        body = mutate(dice, fields(text))
        codec = Codec(version, role)
        try:
            message = codec.decode(body)
        except MessageError:
            assert isinstance(codec.try_decode(body), Malformed)
            told["errors"] += 1
            continue
        told["read"] += 1
        # The quick decoders mean what the tables mean, and what was read can be said again.
        assert repr(message) == repr(codec.read(split_body(body)))
        other = Codec(version, Role.GATEWAY if role is Role.CLIENT else Role.CLIENT)
        assert Reader(codec, other).read(body).body(Reader(codec, other)) == body
        assert codec.decode(other.encode(message)) == message
    return told


def good_requests(named):
    """One good request of every kind that the gateway serves."""
    legs = (m.ComboLeg(named.con_id, 1, "BUY", "CME"), m.ComboLeg(5, 1, "SELL", "CME"))
    bag = m.Contract(symbol="ES", sec_type="BAG", exchange="CME", currency="USD", legs=legs)
    return [
        m.RequestContractDetails(1, m.Contract(symbol="ES", sec_type="FUT", exchange="CME")),
        m.RequestHistoricalBars(2, named, "", "1 hour", "1 D"),
        m.RequestHistoricalBars(3, named, "", "5 secs", "60 S", keep_up_to_date=True),
        m.RequestHistoricalTicks(4, named, "20250701-13:00:00", "", 10),
        m.RequestHeadTimestamp(5, named),
        m.RequestMarketData(6, named, "233"),
        m.RequestMarketData(7, bag),
        m.RequestTickByTick(8, named, "BidAsk"),
        m.RequestRealTimeBars(9, named),
        m.PlaceOrder(10, named, order("BUY", 1, "LMT", 4000.0)),
        m.PlaceOrder(11, bag, order("BUY", 1)),
        m.PlaceOrder(12, named, order("SELL", 1, "TRAIL", aux=2.0)),
        m.CancelOrder(10),
        m.RequestExecutions(13),
        m.RequestAccountSummary(14, "All", "NetLiquidation"),
        m.RequestAccountUpdates(subscribe=True),
        m.RequestPositionsMulti(15, ""),
        m.RequestPnlSingle(16, "", "", named.con_id),
        m.RequestMarketRule(17),
        m.RequestMarketDataType(3),
        m.CancelHistoricalBars(3),
        m.RequestCompletedOrders(),
        m.RequestAllOpenOrders(),
        m.StartApi(1),
    ]


class _Deaf:
    """Takes what is said, and checks that it can be said."""

    def __init__(self, version):
        self.codec = Codec(version, Role.GATEWAY)
        self.count = 0
        self.errors = 0

    def send(self, response):
        assert isinstance(response, Response)
        self.codec.encode(response)
        self.count += 1
        self.errors += isinstance(response, m.ErrorMessage)

    def cut(self, after=0):
        raise AssertionError(f"cut off after {after} bytes")


def served(seed, count):
    """What a gateway without a socket answers to mutated requests while its time goes on."""
    dice = random.Random(f"gateway {seed}")
    version = dice.choice(VERSIONS)
    gw = Gateway(config(version=version, limits=None, cash=Decimal(10**9)), universe=universe())
    es = m.Contract(symbol="ES", sec_type="FUT", exchange="CME")
    item = gw.universe.of("ES", gw.universe.match(es, gw.timeline.now)[0].month)
    client, server = Codec(version), Codec(version, Role.GATEWAY)
    seeds = [client.write(request) for request in good_requests(item.spelled())]
    sink = _Deaf(version)
    session = gw.connect(version, sink)
    session.receive(m.StartApi(1))
    for number in range(count):
        body = ("\0".join(mutate_fields(dice, dice.choice(seeds))) + "\0").encode()
        session.receive(server.try_decode(body))
        if number % 50 == 0:
            gw.timeline.run_until(gw.timeline.now + 3 * SLOT_NS)
    assert gw.bugs == []
    assert not session.closed
    assert sink.count
    assert len(gw.feeds) < count // 2 + 50
    return Counter(answers=sink.count, errors=sink.errors)


def served_over_tcp(seed, count):
    """How many bytes a gateway answers over TCP where lengths are broken too.

    The connection may end then; others and the gateway do not.
    """
    dice = random.Random(f"tcp {seed}")

    async def main():
        async with gateway(limits=None) as server:
            good = await Raw.connect(server, 99)
            seeds = [good.connection.codec.write(r) for r in good_requests(contract(server))]
            raw, answers = None, 0
            for number in range(count):
                if raw is None:
                    raw = await Raw.connect(server, number % 30)
                body = ("\0".join(mutate_fields(dice, dice.choice(seeds))) + "\0").encode()
                data = bytearray(frame(body))
                if number % 20 == 19:  # the length too: then all that follows is lost
                    data[dice.randrange(4)] = dice.randrange(256)
                raw.write(bytes(data))
                if number % 25 == 24:
                    raw.writer.write_eof()  # so that all of it is read
                    with contextlib.suppress(ConnectionError):
                        answers += len(await asyncio.wait_for(raw.reader.read(), 5))
                    await raw.close()
                    raw = None
                    await good.sync()
                    await server.advance(5)
            if raw is not None:
                await raw.close()
                await good.sync()
            assert server.connections == 1
            await good.close()
            return answers

    return asyncio.run(main())


def run(count, seed):
    """What `count` frames came to: half at decoders, half at gateways, memory watched."""
    told = Counter()
    sent = batch = 0
    settled = None
    while sent < count:
        faulthandler.dump_traceback_later(_STILL, exit=True, file=sys.__stderr__)
        size = min(BATCH, count - sent)
        name = f"{seed} {batch}"
        job = (responses, served, requests, served)[batch % 4]
        try:
            told += Counter({f"{job.__name__}: {k}": n for k, n in job(name, size).items()})
        except BaseException:  # to name what broke, then on it goes
            sys.stdout.write(f"seed {seed}: broken by {job.__name__}({name!r}, {size})\n")
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()
        sent, batch = sent + size, batch + 1
        if settled is None and sent >= count // 4:
            settled = _memory()
    grown = _memory() - settled
    assert grown < _MOST_GROWTH, f"memory grew by {grown:,} bytes"
    return {**told, "grown by MB": round(grown / 2**20, 1), "frames": sent}


def _memory():
    """The most memory that the process has had, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main(words):
    """Run what the command line says."""
    count = int(words[0]) if words else sum(SHARES.values())
    seed = int(words[1]) if len(words) > 1 else 0
    logging.getLogger("pyfutures").setLevel(logging.ERROR)  # a warning a frame otherwise
    start = time.process_time()
    found = run(count, seed)
    said = ", ".join(f"{name} {value:,}" for name, value in sorted(found.items()))
    sys.stdout.write(f"seed {seed}: {said}; {time.process_time() - start:,.0f} s of CPU\n")


if __name__ == "__main__":
    main(sys.argv[1:])
