"""Stores on both databases."""

from __future__ import annotations

import pytest

from pyfutures.store import Store
from tests.store.servers import postgresql


@pytest.fixture(scope="session")
def server():
    with postgresql() as url:
        yield url


@pytest.fixture
def target(request, tmp_path):
    """A new store's file, or URL with a database of its own."""
    if request.param == "sqlite":
        return tmp_path / "live.sqlite"
    url = request.getfixturevalue("server")
    if url is None:
        pytest.skip("no PostgreSQL server is installed, or root has no unprivileged user for it")
    import psycopg

    name = f"t{abs(hash(str(tmp_path)))}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.rpartition("/")[0] + f"/{name}"


@pytest.fixture
def store(target):
    with Store.open(target) as opened:
        yield opened


@pytest.fixture
def local(tmp_path):
    """A store in a file, where the database makes no difference."""
    with Store.open(tmp_path / "live.sqlite") as opened:
        yield opened


def pytest_generate_tests(metafunc):
    if "target" in metafunc.fixturenames:
        metafunc.parametrize("target", ["sqlite", "postgresql"], indirect=True)
