"""A PostgreSQL server of the tests' own, in a folder of its own, as a user without rights."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

USER = "postgres"


def binaries():
    """Folder of the newest server that is installed, None if there is none."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


def _unprivileged():
    """As whom to run a server that refuses to run as root; None if there is nobody."""
    if os.geteuid():
        return {}
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return None
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def postgresql():
    """URL of a server that runs; None with a reason where there is none."""
    folder, user = binaries(), _unprivileged()
    if folder is None or user is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as place:
        root = Path(place)
        root.chmod(0o755)
        data = root / "data"
        data.mkdir()
        if user:
            os.chown(data, user["user"], user["group"])
        data.chmod(0o700)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        make = [folder / "initdb", "-D", data, "-A", "trust", "-N", "-U", USER]
        subprocess.run(list(map(str, make)), check=True, capture_output=True, cwd="/", **user)
        serve = [folder / "postgres", "-D", data, "-p", port, "-k", "", "-h", "127.0.0.1", "-F"]
        with (root / "log").open("wb") as log:
            server = subprocess.Popen(
                list(map(str, serve)), stdout=log, stderr=log, cwd="/", **user
            )
        try:
            url = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
            for _ in range(200):
                if _answers(url):
                    break
                if server.poll() is not None:
                    raise RuntimeError((root / "log").read_text())
                time.sleep(0.05)
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nobody needs its files any more
            server.wait(30)


def _answers(url):
    import psycopg

    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(url).close()
        return True
    return False
