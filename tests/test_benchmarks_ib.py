"""The benchmarks of the IB client compare the same thing: equal values, complete streams."""

from __future__ import annotations

import pytest

from benchmarks import ib, ib_clients, ib_decoders, ib_messages
from benchmarks.feed import pieces

TICKS, BLOCKS = 600, 3


@pytest.mark.parametrize("seed", [1, 2])
def test_three_decoders_read_the_same(seed):
    for kind in ib_messages.kinds(2000, seed=seed):
        assert ib_decoders.disagreements(kind.bodies) == 0, kind.name
        assert len(ib_decoders.rows("ib_async", kind.bodies)) == kind.count


def test_a_disagreement_would_be_seen(monkeypatch):
    bodies = ib_messages.encoded(ib_messages.quotes(10))
    real = ib_decoders.rows

    def rows(name, bodies):
        return real(name, bodies[:8] if name == "ibapi" else bodies)

    monkeypatch.setattr(ib_decoders, "rows", rows)
    assert ib_decoders.disagreements(bodies) == 2


@pytest.mark.parametrize("size", [1, 100, 4000, 10**6])
def test_pieces_are_whole_frames_and_all_of_them(size):
    data = ib_messages.framed(ib_messages.encoded(ib_messages.ticks(50)))
    found = list(pieces(data, size))
    assert b"".join(found) == data
    for piece in found:
        rest = piece
        frames = 0
        while rest:
            rest = rest[4 + int.from_bytes(rest[:4]) :]
            frames += 1
        assert len(piece) <= size or frames == 1


@pytest.mark.slow
@pytest.mark.parametrize("client", ib_clients.CLIENTS)
def test_every_client_gets_the_whole_stream(client, tmp_path):
    ticks, bars = tmp_path / "ticks", tmp_path / "bars"
    ticks.write_bytes(ib_messages.framed(ib_messages.encoded(ib_messages.ticks(TICKS))))
    bars.write_bytes(ib_messages.framed(ib_messages.encoded(ib_messages.bars(BLOCKS))))
    with ib.feed(ticks, bars, BLOCKS) as port:
        seconds = ib.run_client(client, port, TICKS, BLOCKS, runs=2)
    assert [sorted(run) for run in seconds] == [["bars", "ticks"]] * 2
