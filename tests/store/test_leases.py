"""One node at a time: who may have a lease, and when a dead holder's is free."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from pyfutures.store import LeaseHeldError, LeaseLostError, Owner, Store
from tests.store.tools import ACCOUNT, definition

SECOND = 10**9
START = 1_710_000_000 * SECOND

HOLDER = """
import sys, time
from pyfutures.store import Owner, Store
store = Store.open(sys.argv[1])
lease = store.lease(sys.argv[2], "ES", Owner.here("OTHER-001"))
print("held", flush=True)
time.sleep(600)
"""


class Clock:
    def __init__(self):
        self.ns = START

    def __call__(self):
        return self.ns

    def wait(self, seconds):
        self.ns += round(seconds * SECOND)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timed(target, clock):
    with Store.open(target, clock=clock) as store:
        yield store


ME = Owner.here("TRADER-001")
ELSEWHERE = Owner("TRADER-002", "another-machine", 77, "5", "run-1/space")


def test_a_second_holder_is_refused_by_name_and_time(timed, clock):
    timed.lease(ACCOUNT, "ES", ELSEWHERE)
    clock.wait(20)
    with pytest.raises(LeaseHeldError) as caught:
        timed.lease(ACCOUNT, "ES", ME)
    text = str(caught.value)
    # 1,710,000,000 seconds after 1970.
    for word in ("account DU1234567, root ES", "TRADER-002 (process 77 on another-machine)",
                 "since 2024-03-09T16:00:00Z", "last heartbeat 20 s ago", "60 s"):  # fmt: skip
        assert word in text


def test_other_accounts_and_roots_are_free(timed):
    timed.lease(ACCOUNT, "ES", ELSEWHERE)
    assert str(timed.lease(ACCOUNT, "NQ", ME)) == "account DU1234567, root NQ"
    timed.lease("DU7654321", "ES", ME)


def test_two_nodes_of_one_process_are_two(timed):
    timed.lease(ACCOUNT, "ES", replace(ME, instance="one"))
    with pytest.raises(LeaseHeldError, match="stop it first"):
        timed.lease(ACCOUNT, "ES", replace(ME, instance="two"))


def test_the_parts_of_a_node_share_it_and_the_last_one_frees_it(timed):
    first, second = timed.lease(ACCOUNT, "ES", ME), timed.lease(ACCOUNT, "ES", ME)
    first.release()
    first.release()
    second.beat()
    with pytest.raises(LeaseHeldError):
        timed.lease(ACCOUNT, "ES", ELSEWHERE)
    second.release()
    timed.lease(ACCOUNT, "ES", ELSEWHERE).beat()


def test_of_another_machine_silence_frees_it(timed, clock):
    old = timed.lease(ACCOUNT, "ES", ELSEWHERE, ttl=30)
    clock.wait(29)
    old.beat()
    clock.wait(30)
    with pytest.raises(LeaseHeldError):
        timed.lease(ACCOUNT, "ES", ME)
    clock.wait(1)
    timed.lease(ACCOUNT, "ES", ME).beat()
    with pytest.raises(LeaseLostError, match=r"lease of TRADER-002 .* is lost, TRADER-001"):
        old.beat()
    old.release()  # of one that is lost: the new holder keeps it
    with pytest.raises(LeaseHeldError):
        timed.lease(ACCOUNT, "ES", ELSEWHERE)


def test_a_holder_of_this_machine_that_runs_keeps_it_however_silent(timed, clock):
    timed.lease(ACCOUNT, "ES", replace(ME, instance="stopped by a debugger"))
    clock.wait(10_000)
    with pytest.raises(LeaseHeldError, match="last heartbeat 10000 s ago"):
        timed.lease(ACCOUNT, "ES", ME)


@pytest.mark.parametrize(
    "dead",
    [
        replace(ME, started="1"),
        replace(ME, boot=f"an-earlier-run/{ME.boot.partition('/')[2]}"),
    ],
    ids=["the number is another process by now", "the machine was started again"],
)
def test_a_dead_holder_of_this_machine_is_no_holder(timed, dead):
    timed.lease(ACCOUNT, "ES", dead)
    timed.lease(ACCOUNT, "ES", ME).beat()


def test_in_another_container_a_number_says_nothing(timed, clock):
    timed.lease(
        ACCOUNT, "ES", replace(ME, pid=4_000_000, boot=f"{ME.boot.partition('/')[0]}/another")
    )
    with pytest.raises(LeaseHeldError):
        timed.lease(ACCOUNT, "ES", ME)
    clock.wait(61)
    timed.lease(ACCOUNT, "ES", ME)


def test_what_stands_on_a_lost_lease_is_not_written(timed, clock):
    lease = timed.lease(ACCOUNT, "ES", ELSEWHERE)
    book, log = timed.book(lease, strategy="S"), timed.series(definition(), lease=lease)
    clock.wait(61)
    timed.lease(ACCOUNT, "ES", ME)
    for write in (
        lambda: book.begin("one", {}),
        lambda: book.fill("ESH24.XCME", 1, execution="1", at_ns=1),
        lambda: log.append((), {"month": "2024H"}, now_ns=1),
        lambda: timed.series(definition(name="more"), lease=lease),
    ):
        with pytest.raises(LeaseLostError):
            write()
    assert timed.positions(ACCOUNT) == {}
    assert timed.open_intents(ACCOUNT) == ()
    assert timed.audit(ACCOUNT) == ()
    assert timed.series(definition()).state is None


def test_a_killed_process_frees_it_at_once(target):
    """The holder is a process of its own, and gets no chance to let go."""
    with Store.open(target) as store:
        command = [sys.executable, "-c", HOLDER, str(target), ACCOUNT]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(LeaseHeldError, match=rf"OTHER-001 \(process {holder.pid} on"):
                store.lease(ACCOUNT, "ES", ME)
            os.kill(holder.pid, signal.SIGKILL)
        store.lease(ACCOUNT, "ES", ME).beat()
