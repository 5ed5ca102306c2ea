"""A small practice shop with its server, a turned clock, and a desk that is live and even."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from core import clock
from core.practice import PracticeServer, PracticeShop, serve
from core.store.engine import open_store
from core.sync import batch, orders
from core.tiktok import auth, transport
from tests.simulation.desk import NOON, Desk
from tests.simulation.inside import Inside, OneAfterTheOther, wire_to


@pytest.fixture
def time() -> Iterator[clock.Turned]:
    with clock.turned(NOON) as turned:
        yield turned


@pytest.fixture
def past_orders() -> int:
    """How many orders the shop had in its last ninety days."""
    return 12


@pytest.fixture
def server(time: clock.Turned, past_orders: int) -> Iterator[PracticeServer]:
    shop = PracticeShop(products=4, orders=past_orders, clock=time, rate=100_000, hold=False)
    with serve(shop) as running:
        yield running
    shop.close()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a store with its tables and nothing in them, made once."""
    file = tmp_path_factory.mktemp("empty") / "evenstock.db"
    open_store(f"sqlite:///{file.as_posix()}").close()
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
    return file.read_bytes()


@pytest.fixture
def new(tmp_path: Path, server: PracticeServer, time: clock.Turned, empty_store: bytes) -> Iterator[Desk]:
    """Connected and stocked, nothing read yet."""
    (tmp_path / "evenstock.db").write_bytes(empty_store)
    found = Desk(tmp_path, server, time)
    found.stock_up()
    yield found
    found.close()


@pytest.fixture
def desk(new: Desk) -> Desk:
    """Live, everything even."""
    new.go_live()
    new.check_even()
    new.sent.clear()
    return new


@pytest.fixture
def sku(desk: Desk) -> str:
    """A listing with a good number of units in one warehouse."""
    return max(desk.skus(), key=lambda one: min(held.available for held in desk.practice.truth(one).warehouses))


@pytest.fixture(scope="session")
def moulds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("moulds")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where the system has such a place: what a crash leaves is the same, and a day takes half as long."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory) as found:
        yield Path(found)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No network and no threads: a seed gives the same day every time."""
    for module in (transport, auth):
        monkeypatch.setattr(module, "Wire", wire_to)
    for module in (batch, orders):
        monkeypatch.setattr(module, "ThreadPoolExecutor", OneAfterTheOther)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    Inside.at.clear()
