"""While a long import runs: how long a page's reading and an owner's edit take, and that neither is ever refused."""

import argparse
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import cycle

from sqlalchemy import Connection, text

from core import clock
from core.store.queries import health, orders, sales
from core.sync import ledger
from core.sync import orders as poll
from tests.bench import peers
from tests.bench.desk import Desk, desk, stock_up
from tests.bench.harness import Options, folder, main, percentile, verify
from tests.bench.shops import practice

Look = Callable[[Connection], object]
PAUSE = 0.05  # seconds between two looks of the owner, and between two edits


def evenstock(options: Options) -> dict[str, float]:
    """Our import at the pace that TikTok allows, or as fast as the shop answers (`--rate`)."""
    with folder() as place, desk(place, options.url, rate=options.rate) as found:
        stock_up(found)
        skus, looks = _skus(found), _looks(found)
        stop = threading.Event()
        reads: list[float] = []
        edits: list[float] = []
        errors: list[BaseException] = []
        owners = [
            threading.Thread(target=_repeat, args=(work, times, stop, errors))
            for work, times in ((lambda: _look(found, looks), reads), (lambda: _edit(found, skus), edits))
        ]
        started = time.perf_counter()
        for owner in owners:
            owner.start()
        try:
            poll.poll(found.shop, found.running())
        finally:
            seconds = time.perf_counter() - started
            stop.set()
            for owner in owners:
                owner.join()
        verify(not errors, f"{errors[:1]}")
        verify(found.value("SELECT count(*) FROM orders") == options.orders, "orders are missing")
        verify(found.value("SELECT count(*) FROM movement WHERE origin = 'store'") == len(edits), "edits are missing")
    return _figures(reads, edits, seconds)


def _figures(reads: list[float], edits: list[float], seconds: float) -> dict[str, float]:
    return {
        "read_p50_ms": percentile(reads, 0.5) * 1000, "read_p95_ms": percentile(reads, 0.95) * 1000,
        "read_max_ms": max(reads) * 1000, "edit_p50_ms": percentile(edits, 0.5) * 1000,
        "edit_p95_ms": percentile(edits, 0.95) * 1000, "edit_max_ms": max(edits) * 1000, "reads": len(reads),
        "edits": len(edits), "import_s": seconds,
    }  # fmt: skip


def _repeat(work: object, times: list[float], stop: threading.Event, errors: list[BaseException]) -> None:
    assert callable(work)
    while not stop.wait(PAUSE):
        started = time.perf_counter()
        try:
            work()
        except Exception as error:
            errors.append(error)
            return
        times.append(time.perf_counter() - started)


def _looks(found: Desk) -> Iterator[Look]:
    """One query after the other of those that the pages ask again and again."""
    shop = found.shop.shop_id
    now = datetime.fromtimestamp(clock.now(), found.shop.zone)
    return cycle(
        (
            lambda connection: health.backlog(connection, shop),
            lambda connection: sales.until(connection, shop, found.shop.currency, now),
            lambda connection: orders.page(connection, orders.Wanted(shop), 50),
        )
    )


def _look(found: Desk, looks: Iterator[Look]) -> None:
    with found.store.read() as connection:
        next(looks)(connection)


def _skus(found: Desk) -> Iterator[str]:
    with found.store.read() as connection:
        return cycle(connection.execute(text("SELECT sku FROM item ORDER BY sku")).scalars().all())


def _edit(found: Desk, skus: Iterator[str]) -> None:
    ledger.record_sale(found.store, next(skus), 1, actor="owner")


def unpaced_script(options: Options) -> dict[str, float]:
    """A script that imports without a turn for others: the owner's edit waits for SQLite's own lock."""
    with folder() as place:
        path = place / "peer.db"
        database = peers.open_tables(path)
        database.execute("CREATE TABLE sale (sku, quantity)")
        stop = threading.Event()
        reads: list[float] = []
        edits: list[float] = []
        errors: list[BaseException] = []

        def owner(statement: str, times: list[float]) -> None:
            mine = sqlite3.connect(path, isolation_level=None, timeout=30)
            _repeat(lambda: mine.execute(statement).fetchall(), times, stop, errors)
            mine.close()

        look = "SELECT * FROM orders ORDER BY create_time DESC LIMIT 50"
        owners = [
            threading.Thread(target=owner, args=(look, reads)),
            threading.Thread(target=owner, args=("INSERT INTO sale VALUES ('x', 1)", edits)),
        ]
        started = time.perf_counter()
        for each in owners:
            each.start()
        seen = peers.ingest(peers.Script(options.url), database)
        seconds = time.perf_counter() - started
        stop.set()
        for each in owners:
            each.join()
        verify(not errors and seen == options.orders, f"{errors[:1]}")
        database.close()
    return _figures(reads, edits, seconds)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=50, help="requests a second of our import")
    parser.add_argument("--url", help=argparse.SUPPRESS)


@contextmanager
def _shop(options: Options) -> Iterator[list[str]]:
    with practice(orders=options.orders, rate=5_000) as shop:
        yield ["--url", shop.url]


if __name__ == "__main__":
    main(
        "tests.bench.edits", {"evenstock": evenstock, "unpaced script": unpaced_script}, rounds=3,
        add_options=_options, around=_shop, seconds=600,
    )  # fmt: skip
