"""A database that fails: told as what it is, and nothing half written."""

from __future__ import annotations

import threading
import time

import pytest

from pyfutures.store import Owner, Store, StoreFailedError
from tests.store.servers import server
from tests.store.tools import ACCOUNT, definition, fed, market

ME = Owner.here("TRADER-001")


@pytest.mark.parametrize(
    ("pragma", "text"),
    [("max_page_count=1", "disk is full"), ("query_only=ON", "readonly database")],
)
def test_a_file_that_takes_no_more(tmp_path, pragma, text):
    path = tmp_path / "live.sqlite"
    with Store.open(path) as store:
        log = store.series(definition())
        machine, _ = fed(log, market("2024-03-01", "2024-03-05"))
        before = len(log)
        with store._database.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        with pytest.raises(StoreFailedError, match=f"live.sqlite fails: .*{text}"):
            fed(log, market("2024-03-06", "2024-05-31"), machine=machine)
    with Store.open(path) as store:
        assert len(store.series(definition())) >= before
        state = store.series(definition()).state
        last = store.series(definition()).last_bars(1)[0]
        assert state["closed"] == last.ts


def test_a_server_that_is_started_again_is_waited_for():
    """A lease, a book and a series go on; what was there is there."""
    with server() as made:
        if made is None:
            pytest.skip("no PostgreSQL server is installed, or root has no user for it")
        with Store.open(made.url, wait=20) as store, store.lease(ACCOUNT, "ES", ME) as lease:
            log = store.series(definition(), lease=lease)
            machine, _ = fed(log, market("2024-03-01", "2024-03-05"))
            made.stop()
            again = threading.Thread(target=lambda: (time.sleep(0.5), made.start()))
            again.start()
            lease.beat()
            again.join()
            fed(log, market("2024-03-06", "2024-03-08"), machine=machine)
            assert len(log) == 7
            made.stop()
            store._database._wait = 0.3
            with pytest.raises(StoreFailedError, match="fails: "):
                lease.beat()
            made.start()
            lease.beat()
