"""From a sale in the own store, or on TikTok, until the other side knows it, with the loop running."""

import argparse
import time
from typing import Any

from sqlalchemy import text

from core.runtime import Runtime
from core.settings import Settings
from core.sync import reconcile
from tests.bench.harness import Options, folder, main, percentile, verify

PATIENCE = 15.0


def evenstock(options: Options) -> dict[str, float]:
    """The whole product in one process as the owner runs it: practice shop, loop, webhooks off."""
    with folder() as place:
        runtime = Runtime(Settings(evenstock_data_dir=place))
        runtime.start()
        try:
            return _measure(runtime, options)
        finally:
            runtime.stop()


def _measure(runtime: Runtime, options: Options) -> dict[str, float]:
    _wait(lambda: _number(runtime, "SELECT count(*) FROM cursor WHERE source LIKE 'stock:%'"), "the first sync")
    _make_even(runtime)
    with runtime.store.read() as connection:
        skus = connection.execute(text(
            "SELECT i.sku, l.sku_id FROM item i JOIN link k ON k.item_id = i.id JOIN listing l ON l.sku_id = k.sku_id "
            "WHERE l.available > 12 AND l.settled_at IS NOT NULL AND l.committed = l.open_units "
            "ORDER BY l.sku_id LIMIT :n"
        ), {"n": options.sales}).all()  # fmt: skip
    verify(len(skus) == options.sales, f"only {len(skus)} listings are even and well stocked")
    out = [_own_sale(runtime, sku, sku_id) for sku, sku_id in skus]
    return {
        "own_sale_p50_ms": percentile(out, 0.5) * 1000, "own_sale_p95_ms": percentile(out, 0.95) * 1000,
        "own_sale_max_ms": max(out) * 1000, "sales": len(out),
    }  # fmt: skip


def _make_even(runtime: Runtime) -> None:
    """The owner's first review: every difference is sent once, from then on the loop keeps things even."""
    (shop,) = runtime.sessions.shops
    plan = runtime.propose_resync(shop.shop_id)
    run = runtime.start_plan(plan.id, confirmed_rows=plan.rows)
    _wait(lambda: _number(runtime, "SELECT count(*) FROM run WHERE status <> 'running' AND id = :id", id=run), "resync")


def _own_sale(runtime: Runtime, sku: str, sku_id: str) -> float:
    assert runtime.practice is not None
    started = time.perf_counter()
    runtime.record_sale(sku, 1)
    with runtime.store.read() as connection:
        (row,) = reconcile.rows(connection, search=sku_id)
    desk = runtime.practice
    _wait(lambda: next(t for t in desk.state(query=sku_id).skus if t.sku_id == sku_id).available == row.target, sku)
    return time.perf_counter() - started


def _number(runtime: Runtime, query: str, **given: Any) -> int:
    with runtime.store.read() as connection:
        return int(connection.execute(text(query), given).scalar_one() or 0)


def _wait(condition: Any, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        verify(time.monotonic() < end, f"{what} did not come within {PATIENCE:.0f} s")
        time.sleep(0.01)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sales", type=int, default=30)


if __name__ == "__main__":
    main("tests.bench.sale", {"evenstock": evenstock}, rounds=3, add_options=_options)
