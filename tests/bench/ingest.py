"""Orders in: CPU and time per order beside a plain script, a replay of the same orders, a first import from afar."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from core import clock
from core.analytics.rollups import recount
from core.sync import ledger, orders
from tests.bench import peers
from tests.bench.desk import Desk, desk, settle, stock_up
from tests.bench.harness import Meter, Options, folder, main, verify
from tests.bench.shops import Shop, practice

YEAR_MS = 365 * 86_400_000
_SUMS = (
    "SELECT (SELECT coalesce(sum(sales_units), 0) FROM sales_hour) * 31 + (SELECT coalesce(sum(sales_units), 0) "
    "FROM sales_day) * 7 + (SELECT coalesce(sum(units + orders + cancelled + unpaid), 0) FROM sales_hour)"
)


def first_import(options: Options) -> dict[str, float]:
    """As a new owner meets it: the stock was counted today, so old shipments are kept but move nothing."""
    return _ours(options, counted_at=None)


def all_stock_moves(options: Options) -> dict[str, float]:
    """The heaviest case: every unit ever sold is also taken off the stock."""
    return _ours(options, counted_at=clock.now_ms() - YEAR_MS)


def _ours(options: Options, counted_at: int | None) -> dict[str, float]:
    with folder() as place, desk(place, options.url, rate=options.rate) as found:
        stock_up(found, on_hand=90_000, counted_at=counted_at)
        with Meter() as first:
            orders.poll(found.shop, found.running())
        _check(found, options)
        movements = found.value("SELECT count(*) FROM movement")
        kept = _kept(found)
        with found.store.write() as connection:
            connection.execute(text("DELETE FROM cursor WHERE source LIKE 'orders:%'"))
        with Meter() as again:
            replayed = orders.poll(found.shop, found.running())
        verify(replayed.unchanged >= options.orders and not replayed.new + replayed.changed, f"replay: {replayed}")
        verify(_kept(found) == kept, "the replay changed something")
        second = _second_poll(found, options)
    return {
        "cpu_us_per_order": first.cpu / options.orders * 1e6,
        "seconds": first.seconds,
        "replay_share": again.seconds / first.seconds,
        "replay_cpu_share": again.cpu / first.cpu,
        "movements": movements,
        "second_poll_ms": second * 1000,
    }


def _kept(found: Desk) -> list[str]:
    """Every row of orders, lines, movements, levels and sums, as it is."""
    tables = ("orders", "order_line", "movement", "level", "listing", "sales_hour", "sales_day", "outbox")
    with found.store.read() as connection:
        return [repr(connection.execute(text(f"SELECT * FROM {name}")).all()) for name in tables]


def _second_poll(found: Desk, options: Options) -> float:
    """Seconds of a poll that finds nothing new; verifies that it is one request and writes nothing."""
    shop = Shop(options.url)
    shop.ask("log/reset")
    revision = found.value("SELECT value FROM revision")
    with Meter() as meter:
        nothing = orders.poll(found.shop, found.running())
    verify(not nothing.new + nothing.changed, f"second poll: {nothing}")
    verify(shop.get("log?last=1")["total"] == 1, "the second poll was more than one request")
    verify(found.value("SELECT value FROM revision") == revision, "the second poll wrote something")
    return meter.seconds


def _check(found: Desk, options: Options) -> None:
    verify(found.value("SELECT count(*) FROM orders") == options.orders, "orders are missing")
    verify(found.value("SELECT sum(units) FROM orders") == found.value("SELECT count(*) FROM order_line"), "lines")
    kept = found.value(_SUMS)
    with found.store.write() as connection:
        recount(connection)
        verify(not ledger.prove(connection).broken, "the ledger does not add up")
    verify(found.value(_SUMS) == kept, "the kept sums are not those of a recount")


def requests_sqlite3(options: Options) -> dict[str, float]:
    """A script with requests, json and sqlite3 that keeps the same fields: no ledger, no sums."""
    with folder() as place:
        script = peers.Script(options.url)
        database = peers.open_tables(place / "peer.db")
        settle()
        with Meter() as first:
            seen = peers.ingest(script, database)
        verify(seen == options.orders == database.execute("SELECT count(*) FROM orders").fetchone()[0], "orders")
        with Meter() as again:
            peers.ingest(script, database)
        database.close()
    return {
        "cpu_us_per_order": first.cpu / options.orders * 1e6,
        "seconds": first.seconds,
        "replay_share": again.seconds / first.seconds,
        "replay_cpu_share": again.cpu / first.cpu,
    }


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--latency", type=float, default=0, help="milliseconds added to every answer")
    parser.add_argument("--rate", type=float, default=5_000, help="requests a second; 50 is what TikTok allows")
    parser.add_argument("--url", help=argparse.SUPPRESS)


@contextmanager
def _shop(options: Options) -> Iterator[list[str]]:
    with practice(orders=options.orders, rate=options.rate, latency_ms=options.latency) as shop:
        yield ["--url", shop.url]


if __name__ == "__main__":
    main(
        "tests.bench.ingest",
        {"requests+sqlite3": requests_sqlite3, "first import": first_import, "all stock moves": all_stock_moves},
        baseline="requests+sqlite3", value="cpu_us_per_order", add_options=_options, around=_shop,
    )  # fmt: skip
