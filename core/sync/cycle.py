"""One sync of a shop: products, orders, stock, and what follows from them."""

from typing import Literal

from sqlalchemy import text

from core import clock
from core.sync import aims, catalog, invariants, observe, orders, outbox, reconcile, runs, speeds, trouble
from core.sync.context import ShopContext
from core.sync.runs import Running, sentence
from core.tiktok.errors import NeedsPerson

Kind = Literal["orders", "stock", "catalog", "all"]
_FULL_CATALOG_MS = 24 * 3600 * 1000


def cycle(shop: ShopContext, kind: Kind, trigger: str) -> Running:
    """Bring what we know of the shop up to date, in the order products, orders, stock.

    Raises TikTokError and StoreProblem. A timed cycle that finds nothing new leaves no trace but its freshness; the
    first one of a day reads all products, and the orders of a month once more. What it changed is checked at its end,
    also where it failed.
    """
    began = clock.monotonic()
    try:
        running = _cycle(shop, kind, trigger)
    except Exception:
        invariants.after(shop.store, clock.monotonic() - began)
        raise
    invariants.after(shop.store, clock.monotonic() - began)
    return running


def _cycle(shop: ShopContext, kind: Kind, trigger: str) -> Running:
    with runs.run(shop.store, f"sync {kind}", shop.shop_id, trigger, quiet=trigger == "timer") as running:
        full = _full_is_due(shop)
        problem: NeedsPerson | None = None
        if kind in ("catalog", "all"):
            try:
                _products(shop, running, full=full or kind == "catalog")
            except NeedsPerson as error:  # orders and stock must not wait for a person to look at the products
                problem = error
        if kind in ("orders", "all"):
            orders.poll(shop, running, deep=full and kind == "all")
        if kind in ("stock", "all", "orders"):
            if kind != "orders":
                running.counts["quantities changed on TikTok"] += observe.read_all(shop)
            speeds.keep_up(shop)
            mark_uneven(shop)
        running.sentence = sentence(running)
        if problem is not None:
            raise problem
    trouble.over(shop.store, shop.shop_id)
    return running


def _products(shop: ShopContext, running: Running, *, full: bool) -> None:
    catalog.scan(shop, running, full=full)
    with shop.store.write() as connection:
        running.counts["listings linked"] += catalog.match(connection, shop.shop_id)


def mark_uneven(shop: ShopContext) -> None:
    """Whatever differs after a reading is looked at by the pusher; a shop that is only watched is left alone."""
    with shop.store.read() as connection:
        astray = aims.astray(connection, shop.shop_id)
    if astray:
        with shop.store.write() as connection:
            aims.of_listings(connection, shop.shop_id, astray)
    with shop.store.read() as connection:
        mode = connection.execute(text("SELECT mode FROM shop WHERE id = :id"), {"id": shop.shop_id}).scalar()
        if mode != "live":
            return
        uneven = reconcile.uneven(connection, shop.shop_id)
    if uneven:
        with shop.store.write() as connection:
            outbox.mark_listings(connection, shop.shop_id, uneven, "TikTok shows another number")


def _full_is_due(shop: ShopContext) -> bool:
    source = f"catalog:{shop.shop_id}"
    with shop.store.read() as connection:
        last = connection.execute(text("SELECT moved_at FROM cursor WHERE source = :s"), {"s": source}).scalar()
    return last is None or clock.now_ms() - last > _FULL_CATALOG_MS
