"""Read the shop's products, keep them as listings, and link what is the same beyond doubt."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from core import clock
from core.store.tables import Cursor, Link, Listing
from core.store.upsert import table, upsert
from core.sync import aims, ledger, locks, outbox, rules
from core.sync.context import ShopContext
from core.sync.runs import Running
from core.tiktok.errors import BadAnswer, Stopped
from core.tiktok.models import Product

_LISTING = table(Listing)
_OVERLAP = 600
_COMPARED = ("product_id", "seller_sku", "title", "variant", "price_units", "currency", "status", "gone", "backorder")


def scan(shop: ShopContext, running: Running, *, full: bool) -> int:
    """Read the shop's products, all or those changed since the last complete scan. Returns how many listings changed.

    A complete scan marks listings that TikTok no longer has; one that finds nothing where there was something stops.
    Raises TikTokError and StoreProblem.
    """
    with shop.store.read() as connection:
        since = connection.execute(_SINCE, {"source": _source(shop)}).scalar()
        before = connection.execute(_COUNT, {"shop": shop.shop_id}).scalar_one()
    full = full or since is None
    newest, changed = int(since or 0), 0
    seen: set[str] = set()
    for page in shop.api.product_pages(None if full else newest - _OVERLAP):
        if shop.stop.is_set() or running.stop.is_set():
            raise Stopped("Stopped. The products read so far are kept.")
        with shop.store.write() as connection:
            changed += store(connection, shop.shop_id, page.products, full=full)
        for product in page.products:
            newest = max(newest, product.update_time)
            seen.update(sku.id for sku in product.skus)
    if full and before and not seen:
        raise BadAnswer(
            "TikTok answered that the shop has no products, although it had some before. Nothing was changed here.",
            "Look at the shop in TikTok's Seller Center. If the products are there, sync again later.",
        )
    gone = _missing(shop, seen) if full else []
    with shop.store.write() as connection:
        if full:
            changed += _mark_gone(connection, shop.shop_id, gone)
            _remember(connection, f"catalog:{shop.shop_id}", len(seen))
        if newest != since:
            _remember(connection, _source(shop), newest)
    running.counts["listings changed"] += changed
    return changed


_SINCE = text("SELECT value FROM cursor WHERE source = :source")
_COUNT = text("SELECT count(*) FROM listing WHERE shop_id = :shop AND NOT gone AND status <> 'UNSEEN'")


def _remember(connection: Connection, source: str, value: int) -> None:
    upsert(connection, Cursor, [{"source": source, "value": value, "moved_at": clock.now_ms()}])


def _source(shop: ShopContext) -> str:
    return f"products:{shop.shop_id}"


def store(connection: Connection, shop_id: str, products: Sequence[Product], *, full: bool = False) -> int:
    """Keep these products as listings, one a SKU; only what differs is written. Returns how many differed.

    Units on backorder are forgotten by a complete scan only: TikTok turns them into stock, and what it shows then must
    still be told from goods.
    """
    now = clock.now_ms()
    rows = [_row(shop_id, product, sku, now) for product in products for sku in product.skus]
    ids = [row["sku_id"] for row in rows]
    query = select(_LISTING).where(_LISTING.c.shop_id == shop_id, _LISTING.c.sku_id.in_(ids))
    known = {row["sku_id"]: row for row in connection.execute(query).mappings()}
    for row in () if full else rows:
        row["backorder"] = max(row["backorder"], known.get(row["sku_id"], row)["backorder"])
    fresh = [row for row in rows if _differs(row, known.get(row["sku_id"]))]
    upsert(connection, Listing, fresh, keep=("open_units", "shipped_units"))
    changed = [row["sku_id"] for row in fresh]
    aims.of_listings(connection, shop_id, changed)
    _unlock(connection, shop_id, [sku for sku in changed if sku in known and known[sku]["refused_code"] in locks.CODES])
    return len(fresh)


def _unlock(connection: Connection, shop_id: str, sku_ids: Sequence[str]) -> None:
    """What nobody could set may be free now that its product has changed, so it is tried once more."""
    if sku_ids:
        free = text("UPDATE listing SET refused_code = NULL WHERE shop_id = :shop AND sku_id = :sku")
        connection.execute(free, [{"shop": shop_id, "sku": sku} for sku in sku_ids])
        outbox.mark_listings(connection, shop_id, sku_ids, "its product changed on TikTok")


def _row(shop_id: str, product: Product, sku: Any, now: int) -> dict[str, Any]:
    return {
        "shop_id": shop_id, "sku_id": sku.id, "product_id": product.id, "seller_sku": sku.seller_sku,
        "title": product.title, "variant": sku.variant, "price_units": sku.price_units, "currency": sku.currency,
        "status": product.status, "update_time": product.update_time, "seen_at": now,
        "gone": product.status == "DELETED", "picture_url": product.image_url, "open_units": 0, "shipped_units": 0,
        "backorder": sku.backorder,
    }  # fmt: skip


def _differs(row: Mapping[str, Any], known: Mapping[Any, Any] | None) -> bool:
    return known is None or any(row[name] != known[name] for name in _COMPARED)


def _missing(shop: ShopContext, seen: Collection[str]) -> list[str]:
    """Listings that a complete scan did not meet. A page may have been lost, so each is asked for by its id as well."""
    query = text("SELECT sku_id FROM listing WHERE shop_id = :shop AND NOT gone AND status <> 'UNSEEN'")
    with shop.store.read() as connection:
        missing = [row.sku_id for row in connection.execute(query, {"shop": shop.shop_id}) if row.sku_id not in seen]
    still_there = shop.api.stock(missing) if missing else {}
    return [sku_id for sku_id in missing if sku_id not in still_there]


def _mark_gone(connection: Connection, shop_id: str, missing: Sequence[str]) -> int:
    if missing:
        mark = text("UPDATE listing SET gone = true WHERE shop_id = :shop AND sku_id = :sku")
        connection.execute(mark, [{"shop": shop_id, "sku": sku} for sku in missing])
        aims.of_listings(connection, shop_id, missing)
    return len(missing)


def plain_sku(sku: str) -> str:
    """A SKU without what people see as the same: blanks around it and letter case."""
    return sku.strip().casefold()


def match(connection: Connection, shop_id: str) -> int:
    """Link unlinked listings to items with the same SKU, where both are alone with it. Returns how many were linked.

    Exactly equal SKUs go first, then those equal but for blanks and letter case; anything ambiguous stays unlinked.
    """
    listings = connection.execute(_UNLINKED, {"shop": shop_id}).all()
    items = connection.execute(text("SELECT id, sku FROM item WHERE NOT archived")).all()
    taken = connection.execute(text("SELECT item_id FROM link WHERE shop_id = :shop"), {"shop": shop_id})
    used = {row.item_id for row in taken}
    links: dict[str, tuple[int, str]] = {}
    for key, origin in ((str, "same SKU"), (plain_sku, "same SKU but for blanks and letter case")):
        left = [row for row in listings if row.sku_id not in links and row.seller_sku]
        by_listing = _alone((key(row.seller_sku), row.sku_id) for row in left)
        free = (row for row in items if row.id not in used)
        by_item = _alone((key(row.sku), row.id) for row in free)
        for sku in by_listing.keys() & by_item.keys():
            links[by_listing[sku]] = (by_item[sku], origin)
            used.add(by_item[sku])
    link(connection, shop_id, [(sku_id, item_id, 1, origin) for sku_id, (item_id, origin) in sorted(links.items())])
    return len(links)


_UNLINKED = text("""
SELECT sku_id, seller_sku FROM listing l WHERE shop_id = :shop AND NOT gone AND status <> 'UNSEEN'
  AND NOT EXISTS (SELECT 1 FROM link k WHERE k.shop_id = l.shop_id AND k.sku_id = l.sku_id)
""")


def _alone(pairs: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    several = set()
    for key, value in pairs:
        if key in found:
            several.add(key)
        found[key] = value
    return {key: value for key, value in found.items() if key not in several}


def link(connection: Connection, shop_id: str, links: Sequence[tuple[str, int, int, str]]) -> None:
    """Link listings to items as (sku_id, item_id, quantity, origin) and book the orders that were waiting for it.

    What a link changes is reviewed once before anything is sent.
    """
    now = clock.now_ms()
    upsert(
        connection,
        Link,
        [
            {
                "shop_id": shop_id,
                "sku_id": sku,
                "item_id": item,
                "quantity": quantity,
                "origin": origin,
                "created_at": now,
            }
            for sku, item, quantity, origin in links
        ],
    )
    skus = {sku for sku, *_ in links}
    _start_afresh(connection, shop_id, skus)
    for start in range(0, len(links), 500):
        _book_waiting(connection, shop_id, [sku for sku, *_ in links[start : start + 500]])
    rules.refresh(connection, shop_id=shop_id, sku_ids=skus)
    outbox.mark_listings(connection, shop_id, skus, "newly linked")


def _start_afresh(connection: Connection, shop_id: str, sku_ids: Collection[str]) -> None:
    rows = [{"shop": shop_id, "sku": sku, "now": clock.now_ms()} for sku in sorted(sku_ids)]
    for statement in (_NEW_BASE, _NO_DRIFT) if rows else ():
        connection.execute(statement, rows)


_NEW_BASE = text("""
UPDATE listing SET base_available = NULL, base_open = NULL, base_shipped = NULL, base_at = NULL, settled_at = NULL
WHERE shop_id = :shop AND sku_id = :sku
""")
_NO_DRIFT = text("""
UPDATE drift SET state = 'explained', decided_at = :now
WHERE shop_id = :shop AND sku_id = :sku AND state IN ('suspected', 'open', 'lowered')
""")
_WAITING = text("""
SELECT line.* FROM order_line line
WHERE line.shop_id = :shop AND (line.sku_id IN :skus OR line.components <> '')
  AND (NOT (line.shipped OR line.status = 'CANCELLED') OR line.components <> '' OR line.shipped_time * 1000 + 1000 >
    (SELECT coalesce(min(item.counted_at), 9223372036854775807) FROM link JOIN item ON item.id = link.item_id
     WHERE link.shop_id = :shop AND link.sku_id = line.sku_id))
""").bindparams(bindparam("skus", expanding=True))
_ORDERS = text("SELECT id, fulfillment_type, warehouse_id FROM orders WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)


def _book_waiting(connection: Connection, shop_id: str, skus: Sequence[str]) -> None:
    lines = connection.execute(_WAITING, {"shop": shop_id, "skus": list(skus)}).mappings().all()
    if not lines:
        return
    ids = sorted({line["order_id"] for line in lines})
    orders: dict[str, Mapping[Any, Any]] = {}
    for start in range(0, len(ids), 5_000):
        found = connection.execute(_ORDERS, {"ids": ids[start : start + 5_000]}).mappings()
        orders |= {row["id"]: row for row in found}
    booked = ledger.book_lines(connection, shop_id, orders, lines)
    outbox.mark_items(connection, booked.items, "orders that waited for the link")
