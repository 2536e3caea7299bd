"""The same build on a cluster: two worker processes, files on an S3 stand-in, a worker killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("distributed")
pytest.importorskip("moto")
pytest.importorskip("s3fs")
pytest.importorskip("pyarrow")

PYFUTURES = (sys.executable, "-c", "from pyfutures.cli import main; main()")
# A task takes long enough to be killed within it; the slow ones wait for a file of the test.
PRELOAD = """
import os, time
from pyfutures.continuous import jobs
jobs.plain = getattr(jobs, "plain", jobs.run_job)  # it is loaded twice

def slowly(job, progress=None):
    gate, mark = os.environ["GATE"], os.environ["MARK"] + "." + str(os.getpid())
    open(mark, "a").close()
    while not os.path.exists(gate):
        time.sleep(0.02)
    return jobs.plain(job, progress)

jobs.run_job = slowly
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {condition}")


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture
def cluster(tmp_path):
    """S3 stand-in, scheduler and two workers, each a process of its own; stopped by their ids."""
    s3, scheduler = free_port(), free_port()
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}",
        "GATE": str(tmp_path / "gate"),
        "MARK": str(tmp_path / "mark"),
        "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "10s",
    }
    (tmp_path / "slow.py").write_text(PRELOAD)
    processes = []

    def start(*words):
        with (tmp_path / f"{len(processes)}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, *map(str, words)],
                env=environment,
                cwd=tmp_path,
                stdout=log,
                stderr=log,
            )
        processes.append(process)
        return process

    address = f"tcp://127.0.0.1:{scheduler}"
    try:
        start("-m", "moto.server", "-H", "127.0.0.1", "-p", s3)
        where = ("--host", "127.0.0.1", "--port", scheduler, "--no-dashboard")
        start("-m", "distributed.cli.dask_scheduler", *where)
        workers = [
            start("-m", "distributed.cli.dask_worker", address, "--nthreads", 1, "--no-nanny",
                  "--no-dashboard", "--name", f"w{n}", "--preload", tmp_path / "slow.py")
            for n in range(2)
        ]  # fmt: skip
        until(lambda: answers(s3))
        yield address, environment, workers
    finally:
        for process in processes:
            process.kill()
            process.wait()


def bars(shift):
    lines = ["contract,ts,open,high,low,close,volume"]
    for number, day in enumerate(("13", "16", "17", "18")):
        for place, code in enumerate(("2026H", "2026M")):
            price = 100 + shift + number + 5 * place
            lines.append(f"{code},2026-03-{day}T21:00:00Z,{price},{price},{price},{price},10")
    return "\n".join(lines) + "\n"


def test_files_on_s3_and_a_worker_that_is_killed(cluster, tmp_path):
    address, environment, workers = cluster
    import s3fs

    files = s3fs.S3FileSystem(
        key="test",
        secret="test",  # noqa: S106
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        skip_instance_cache=True,
    )
    files.mkdir("lake")
    roots = ("ES", "NQ", "RTY", "YM")
    for number, root in enumerate(roots):
        files.pipe_file(f"lake/bars/{root}.csv", bars(number).encode())
    files.pipe_file("lake/bars/GC.csv", b"contract,ts,open,high,low,close,volume\n")
    words = [*PYFUTURES, "continuous", "build", *roots, "GC"]
    words += ["--bars", "s3://lake/bars/{root}.csv", "--out", "s3://lake/out/{root}.parquet"]
    with subprocess.Popen(
        [*words, "--scheduler", address],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        # Both workers are within a task when one of them dies; then the gate opens.
        until(lambda: all((tmp_path / f"mark.{one.pid}").exists() for one in workers))
        os.kill(workers[0].pid, signal.SIGKILL)
        workers[0].wait()
        (tmp_path / "gate").touch()
        said, erred = command.communicate(timeout=120)
    assert command.returncode == 1, erred
    assert "GC: " in erred
    assert "1 of 5 series failed" in erred
    assert sorted(files.ls("lake/out")) == [f"lake/out/{root}.parquet" for root in roots]
    for number, root in enumerate(roots):
        path = tmp_path / f"{root}.csv"
        path.write_text(bars(number))
    again = [*PYFUTURES, "continuous", "build", *roots]
    again += ["--bars", "{root}.csv", "--out", "."]
    subprocess.run(again, env=environment, cwd=tmp_path, check=True, capture_output=True)
    for root in roots:
        built = (tmp_path / f"{root}.parquet").read_bytes()
        assert files.cat_file(f"lake/out/{root}.parquet") == built
    assert "s3://lake/out/ES.parquet: 4 bars, 1 roll, 2026H to 2026M" in said


def test_a_scheduler_that_is_not_there(tmp_path, monkeypatch, capsys):
    from pyfutures.continuous import cluster as module

    monkeypatch.setattr(module, "_CONNECT", "1s")
    with pytest.raises(module.ClusterError, match=r"no scheduler at tcp://127\.0\.0\.1:1"):
        list(module.run_on_cluster([], "tcp://127.0.0.1:1"))
