"""Listings beside the items they sell, and what differs, for the Catalogue page."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

VIEWS = ("all", "different", "unlinked", "only_here", "gone")


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """A listing and its item, or either alone; amounts in ten-thousandths, `seen_at` in milliseconds."""

    sku_id: str | None
    product_id: str | None
    seller_sku: str
    title: str
    variant: str
    price_units: int | None
    currency: str
    status: str
    available: int | None
    gone: bool
    seen_at: int | None
    links: int
    item_sku: str | None
    item_title: str | None
    item_variant: str | None
    item_price_units: int | None
    free: int | None
    link_origin: str
    differs_title: bool
    differs_price: bool
    differs_stock: bool


@dataclass(frozen=True, slots=True)
class CatalogCounts:
    """How many rows each view has."""

    all: int
    different: int
    unlinked: int
    only_here: int
    gone: int


# One row a listing; a bundle has several links and is compared by stock only.
_LINKED = """
SELECT l.shop_id, l.sku_id, l.product_id, l.seller_sku, l.title, l.variant, l.price_units, l.currency, l.status,
  l.available, l.gone, l.seen_at, count(k.item_id) AS links, min(i.sku) AS item_sku, min(i.title) AS item_title,
  min(i.variant) AS item_variant, min(i.price_units) AS item_price_units, min(k.origin) AS link_origin,
  min(k.quantity) AS quantity,
  min(((SELECT coalesce(sum(v.on_hand - v.reserved), 0) FROM level v WHERE v.item_id = k.item_id)
    - k.buffer) / k.quantity) AS target,
  min((SELECT coalesce(sum(v.on_hand - v.reserved), 0) FROM level v WHERE v.item_id = k.item_id) / k.quantity) AS free
FROM listing l LEFT JOIN link k ON k.shop_id = l.shop_id AND k.sku_id = l.sku_id LEFT JOIN item i ON i.id = k.item_id
WHERE l.shop_id = :shop {where}
GROUP BY l.shop_id, l.sku_id
"""
_JUDGED = f"""
SELECT sku_id, product_id, seller_sku, title, variant, price_units, currency, status, available, gone, seen_at, links,
  CASE WHEN links = 1 THEN item_sku END AS item_sku, CASE WHEN links = 1 THEN item_title END AS item_title,
  CASE WHEN links = 1 THEN item_variant END AS item_variant,
  CASE WHEN links = 1 THEN item_price_units END AS item_price_units,
  CASE WHEN links > 0 THEN free END AS free, coalesce(link_origin, '') AS link_origin,
  links = 1 AND quantity = 1 AND trim(title) <> trim(item_title) AS differs_title,
  links = 1 AND quantity = 1 AND coalesce(price_units <> item_price_units, 1 = 0) AS differs_price,
  links > 0 AND coalesce(available <> CASE WHEN target < 0 THEN 0 ELSE target END, 1 = 0) AS differs_stock
FROM ({_LINKED}) AS linked
"""  # noqa: S608 (constants)
_ALONE = """
SELECT NULL AS sku_id, NULL AS product_id, '' AS seller_sku, '' AS title, '' AS variant, NULL AS price_units,
  i.currency, '' AS status, NULL AS available, 1 = 0 AS gone, NULL AS seen_at, 0 AS links, i.sku AS item_sku,
  i.title AS item_title, i.variant AS item_variant, i.price_units AS item_price_units,
  (SELECT coalesce(sum(v.on_hand - v.reserved), 0) FROM level v WHERE v.item_id = i.id) AS free, '' AS link_origin,
  1 = 0 AS differs_title, 1 = 0 AS differs_price, 1 = 0 AS differs_stock
FROM item i WHERE NOT i.archived
  AND i.id NOT IN (SELECT item_id FROM link WHERE shop_id = :shop) {where}
"""
_FIND_LISTING = (
    "AND (lower(l.seller_sku) LIKE :like ESCAPE '\\' OR lower(l.title) LIKE :like ESCAPE '\\' OR l.sku_id = :exact "
    "OR l.product_id = :exact)"
)
_FIND_ITEM = "AND (lower(i.sku) LIKE :like ESCAPE '\\' OR lower(i.title) LIKE :like ESCAPE '\\')"
_DIFFERENT = "(differs_title OR differs_price OR differs_stock) AND NOT gone"
_ONLY = {
    "all": "SELECT * FROM ({judged}) AS j UNION ALL {alone}",
    "different": f"SELECT * FROM ({{judged}}) AS j WHERE {_DIFFERENT}",  # noqa: S608 (constants)
    "unlinked": "SELECT * FROM ({judged}) AS j WHERE links = 0 AND NOT gone",
    "only_here": "{alone}",
    "gone": "SELECT * FROM ({judged}) AS j WHERE gone",
}
_NAME = "CASE WHEN seller_sku = '' THEN coalesce(item_sku, '') ELSE seller_sku END"


def _like(search: str) -> str:
    words = search.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{words}%"


def _query(view: str, search: str) -> str:
    judged = _JUDGED.format(where=_FIND_LISTING if search else "")
    alone = _ALONE.format(where=_FIND_ITEM if search else "")
    return _ONLY[view].format(judged=judged, alone=alone)


def rows(
    connection: Connection, shop_id: str, *, view: str = "all", search: str = "",
    limit: int = 50, offset: int = 0,
) -> list[CatalogRow]:  # fmt: skip
    """One page of the view, by SKU. Raises KeyError for no view."""
    query = text(f"SELECT * FROM ({_query(view, search)}) AS c ORDER BY {_NAME}, sku_id LIMIT :limit OFFSET :offset")  # noqa: S608
    values = {"shop": shop_id, "limit": limit, "offset": offset, **_found(search)}
    flags = ("gone", "differs_title", "differs_price", "differs_stock")
    return [
        CatalogRow(**{**row, **{flag: bool(row[flag]) for flag in flags}})
        for row in connection.execute(query, values).mappings()
    ]


def count(connection: Connection, shop_id: str, *, view: str = "all", search: str = "") -> int:
    """How many rows the view has."""
    query = text(f"SELECT count(*) FROM ({_query(view, search)}) AS c")  # noqa: S608
    return int(connection.execute(query, {"shop": shop_id, **_found(search)}).scalar_one())


def _found(search: str) -> dict[str, str]:
    return {"like": _like(search), "exact": search.strip()} if search else {}


def counts(connection: Connection, shop_id: str) -> CatalogCounts:
    """How many rows each view has, without a search."""
    judged = _JUDGED.format(where="")
    query = (
        "SELECT count(*) AS listings, "  # noqa: S608 (constants)
        "coalesce(sum(CASE WHEN links = 0 AND NOT gone THEN 1 ELSE 0 END), 0) AS unlinked, "
        "coalesce(sum(CASE WHEN gone THEN 1 ELSE 0 END), 0) AS gone, "
        f"coalesce(sum(CASE WHEN {_DIFFERENT} THEN 1 ELSE 0 END), 0) AS different FROM ({judged}) AS j"
    )
    row = connection.execute(text(query), {"shop": shop_id}).one()
    alone = count(connection, shop_id, view="only_here")
    return CatalogCounts(row.listings + alone, int(row.different), int(row.unlinked), alone, int(row.gone))
