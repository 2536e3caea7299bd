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


class Server:
    """A server that can be stopped and started again."""

    def __init__(self, root, folder, user):
        self._root, self._folder, self._user = root, folder, user
        self._data = root / "data"
        self._data.mkdir()
        if user:
            os.chown(self._data, user["user"], user["group"])
        self._data.chmod(0o700)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"postgresql://{USER}@127.0.0.1:{self._port}/postgres"
        make = [folder / "initdb", "-D", self._data, "-A", "trust", "-N", "-U", USER]
        subprocess.run(list(map(str, make)), check=True, capture_output=True, cwd="/", **user)

    def start(self):
        serve = [self._folder / "postgres", "-D", self._data, "-p", self._port, "-k", ""]
        serve += ["-h", "127.0.0.1", "-F"]
        with (self._root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                list(map(str, serve)), stdout=log, stderr=log, cwd="/", **self._user
            )
        for _ in range(200):
            if _answers(self.url):
                return
            if self._process.poll() is not None:
                raise RuntimeError((self._root / "log").read_text())
            time.sleep(0.05)

    def stop(self):
        self._process.send_signal(signal.SIGQUIT)  # at once, as in a crash
        self._process.wait(30)


@contextlib.contextmanager
def server():
    """A server that runs; None where there is none."""
    folder, user = binaries(), _unprivileged()
    if folder is None or user is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as place:
        root = Path(place)
        root.chmod(0o755)
        made = Server(root, folder, user)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@contextlib.contextmanager
def postgresql():
    """URL of a server that runs; None where there is none."""
    with server() as made:
        yield None if made is None else made.url


def _answers(url):
    import psycopg

    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(url).close()
        return True
    return False
