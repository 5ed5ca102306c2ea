"""Stock out: hundreds of changes at the pace that TikTok allows, over a slow line, and after somebody else's 429."""

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from core.sync import ledger, observe, push
from tests.bench import peers
from tests.bench.desk import Desk, desk, stock_up
from tests.bench.harness import Meter, Options, folder, main, verify
from tests.bench.shops import Shop, practice

RATE = 50.0
BURST = 10.0  # calls that the shop takes at once: no client comes to the millisecond
_UPDATE = "POST /product/202309/products/{product_id}/inventory/update"
_SEQUENTIAL_SHARE = 10  # the sequential peer sends every tenth change; its time is multiplied


def evenstock(options: Options) -> dict[str, float]:
    """The whole push as the loop does it: read, decide, keep the intent, write, keep the answer, read back."""
    return _push(options, foreign_429=False)


def evenstock_after_429(options: Options) -> dict[str, float]:
    """The same, and in the middle somebody else has used up the limit once."""
    return _push(options, foreign_429=True)


def _push(options: Options, *, foreign_429: bool) -> dict[str, float]:
    shop = Shop(options.url)
    starts: list[float] = []
    ends: list[float] = []
    with folder() as place, desk(place, options.url) as found:
        wanted = _make_uneven(found, options.changes)
        shop.ask("log/reset")
        _spy(found, starts, ends, (lambda: shop.ask("trouble", kind="rate_limit", path="inventory/update", times=1))
             if foreign_429 else None, options.changes // 2)  # fmt: skip
        with Meter() as meter:
            pushed = push.drain(found.shop, "bench", found.running())
        log = shop.get("log?last=1")
        refusals = log["by_status"].get("429", 0)
        verify(pushed.confirmed == options.changes, f"{pushed}"[:300])
        verify(refusals == foreign_429, f"{refusals} answers 429")
        for sku_id in wanted:
            verify(shop.truth(sku_id)["available"] == wanted[sku_id], f"{sku_id} shows another number")
    limit = options.changes / RATE
    result = {
        "writes_s": max(ends) - min(starts),
        "writes_by_limit": (max(ends) - min(starts)) / limit,
        "whole_s": meter.seconds,
        "whole_by_limit": meter.seconds / limit,
        "answers_429": refusals,
        "calls": log["total"],
        "cpu_s": meter.cpu,
    }
    if foreign_429:
        result["back_at_95_percent_after_s"] = _recovery(sorted(starts))
    return result


def _make_uneven(found: Desk, changes: int) -> dict[str, int]:
    """Bring every listing even, then sell one unit of one SKU of so many products. Returns what TikTok must show."""
    stock_up(found, on_hand=0)
    observe.read_all(found.shop)
    with found.store.write() as connection:
        connection.execute(text("UPDATE shop SET mode = 'live'"))
        connection.execute(text("UPDATE listing SET settled_at = 1, refused_code = NULL"))
        shown = connection.execute(text(
            "SELECT k.item_id, l.available + l.open_units FROM link k "
            "JOIN listing l ON l.shop_id = k.shop_id AND l.sku_id = k.sku_id WHERE l.available IS NOT NULL"
        )).all()  # fmt: skip
        ledger.count(
            connection, [(item, units) for item, units in shown], actor="bench", origin="bench", reference="even"
        )
        connection.execute(text("UPDATE outbox SET state = 'idle'"))
        chosen = connection.execute(text(
            "SELECT l.product_id, min(l.sku_id) AS sku_id, i.sku, l.available FROM listing l "
            "JOIN link k ON k.shop_id = l.shop_id AND k.sku_id = l.sku_id JOIN item i ON i.id = k.item_id "
            "WHERE l.available >= 12 AND l.status = 'ACTIVATE' GROUP BY l.product_id ORDER BY l.product_id LIMIT :n"
        ), {"n": changes}).all()  # fmt: skip
        verify(len(chosen) == changes, f"only {len(chosen)} products")
    for row in chosen:
        ledger.record_sale(found.store, row.sku, 1, actor="bench")
    return {row.sku_id: row.available - 1 for row in chosen}


def _spy(found: Desk, starts: list[float], ends: list[float], trouble: Callable[[], object] | None, after: int) -> None:
    """Note when each write leaves and when its answer is there; after so many of them, make trouble."""
    wire = found.shop.api.transport._wire  # the one place through which every request goes
    send, lock = wire.send, threading.Lock()

    def noted(method: str, url: str, headers: Any, body: bytes = b"") -> Any:
        mine = "/inventory/update" in url
        if mine:
            with lock:
                starts.append(time.monotonic())
                due = trouble is not None and len(starts) == after
            if due and trouble is not None:
                trouble()
        reply = send(method, url, headers, body)
        if mine:
            ends.append(time.monotonic() if reply.status == 200 else 0.0)
            if reply.status == 429:
                refused.append(time.monotonic())
        return reply

    wire.send = noted  # type: ignore[method-assign]


refused: list[float] = []


def _recovery(starts: list[float]) -> float:
    """Seconds from the 429 until a full second follows in which 95 % of the rate is used."""
    verify(len(refused) == 1, "no 429 was met")
    for start in (one for one in starts if one > refused[0]):
        if sum(start <= one < start + 1 for one in starts) >= 0.95 * RATE:
            return start - refused[0]
    return float("inf")


def sequential(options: Options) -> dict[str, float]:
    """One request after the other; every tenth change only, the time multiplied."""
    script = peers.Script(options.url)
    bodies = _bodies(script, options)[::_SEQUENTIAL_SHARE]
    with Meter() as meter:
        for product, body in bodies:
            script.call(
                "POST", f"/product/202309/products/{product}/inventory/update", {"shop_cipher": script.cipher}, body
            )
    seconds = meter.seconds * options.changes / len(bodies)
    return {"writes_s": seconds, "writes_by_limit": seconds / (options.changes / RATE)}


def no_limiter(options: Options) -> dict[str, float]:
    """Sixteen threads as fast as they can; a 429 is tried again after a second."""
    scripts = threading.local()
    first = peers.Script(options.url)
    bodies = _bodies(first, options)
    refusals: list[int] = []

    def send(item: tuple[str, Any]) -> None:
        if not hasattr(scripts, "own"):
            scripts.own = first.copy()
        while True:
            try:
                scripts.own.call(
                    "POST",
                    f"/product/202309/products/{item[0]}/inventory/update",
                    {"shop_cipher": first.cipher},
                    item[1],
                )
                return
            except peers.TooFast:
                refusals.append(1)
                time.sleep(1)

    with Meter() as meter, ThreadPoolExecutor(16) as pool:
        list(pool.map(send, bodies))
    return {
        "writes_s": meter.seconds, "writes_by_limit": meter.seconds / (options.changes / RATE),
        "answers_429": len(refusals), "cpu_s": meter.cpu,
    }  # fmt: skip


def _bodies(script: peers.Script, options: Options) -> list[tuple[str, Any]]:
    """One change in each of so many products, as the update takes it."""
    found: list[tuple[str, Any]] = []
    token = ""
    while len(found) < options.changes:
        query = {"page_size": "100", "shop_cipher": script.cipher} | ({"page_token": token} if token else {})
        data = script.call("POST", "/product/202502/products/search", query, None)
        for product in data["products"]:
            sku = product["skus"][0]
            stock = [{"warehouse_id": one["warehouse_id"], "quantity": one["quantity"]} for one in sku["inventory"]]
            if product["status"] == "ACTIVATE":
                found.append((product["id"], json.loads(json.dumps({"skus": [{"id": sku["id"], "inventory": stock}]}))))
        token = data["next_page_token"]
    return found[: options.changes]


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--changes", type=int, default=500)
    parser.add_argument("--latency", type=float, default=100, help="milliseconds added to every answer")
    parser.add_argument("--url", help=argparse.SUPPRESS)


@contextmanager
def _shop(options: Options) -> Iterator[list[str]]:
    products = max(120, options.changes * 3 // 2)
    with practice(products=products, rate=RATE, burst=BURST, latency_ms=options.latency, keep=False) as shop:
        yield ["--url", shop.url]


if __name__ == "__main__":
    main(
        "tests.bench.push",
        {
            "evenstock": evenstock, "evenstock after a 429": evenstock_after_429, "no limiter": no_limiter,
            "sequential": sequential,
        },
        baseline="sequential", value="writes_s", rounds=3, add_options=_options, around=_shop,
    )  # fmt: skip
