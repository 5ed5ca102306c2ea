"""The owner's rules as they were said, the groups of items, and who belongs to which."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from core.store.queries.ledger import like


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What was said at one place, None says nothing; `changed_at` in milliseconds.

    `name` is how the owner calls the place, and `listings` how many of them it can reach.
    """

    scope: str
    key: str
    name: str
    buffer: int | None
    share: int | None
    cap: int | None
    zero_below: int | None
    split: bool | None
    changed_at: int
    listings: int


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group by its name, and how many items are in it."""

    name: str
    items: int


@dataclass(frozen=True, slots=True)
class Member:
    """An item and the group it is in, "" for none."""

    item_id: int
    sku: str
    title: str
    variant: str
    group_name: str
    listings: int


@dataclass(frozen=True, slots=True)
class ListingOf:
    """One listing of an item, with what TikTok shows there."""

    shop_id: str
    shop: str
    sku_id: str
    seller_sku: str
    quantity: int
    available: int | None


_RULES = text("""
SELECT r.scope, r.key, coalesce(s.name, i.sku, r.key) AS name, r.buffer, r.share, r.cap, r.zero_below, r.split,
  r.changed_at, CASE r.scope
    WHEN 'item' THEN (SELECT count(*) FROM link k WHERE k.item_id = i.id)
    WHEN 'shop' THEN (SELECT count(*) FROM link k WHERE k.shop_id = r.key)
    WHEN 'group' THEN (SELECT count(*) FROM item m JOIN link k ON k.item_id = m.id WHERE m.group_name = r.key)
    ELSE (SELECT count(*) FROM link) END AS listings
FROM rule r LEFT JOIN shop s ON r.scope = 'shop' AND s.id = r.key
LEFT JOIN item i ON r.scope = 'item' AND CAST(i.id AS VARCHAR) = r.key
WHERE r.scope <> 'all'
ORDER BY CASE r.scope WHEN 'shop' THEN 1 WHEN 'group' THEN 2 ELSE 3 END, name LIMIT :limit OFFSET :offset
""")


def said(connection: Connection, limit: int = 50, offset: int = 0) -> list[RuleRow]:
    """The rules of shops, groups and items, in this order and by name; the one for everything is not among them."""
    rows = connection.execute(_RULES, {"limit": limit, "offset": offset}).mappings()
    return [RuleRow(**{**row, "split": None if row["split"] is None else bool(row["split"])}) for row in rows]


def total(connection: Connection) -> int:
    """How many rules there are beside the one for everything."""
    return int(connection.execute(text("SELECT count(*) FROM rule WHERE scope <> 'all'")).scalar_one())


def groups(connection: Connection) -> list[GroupRow]:
    """The groups by name: those with items in them, and those that only a rule names."""
    query = text("""
SELECT name, sum(items) AS items FROM (
  SELECT group_name AS name, count(*) AS items FROM item WHERE group_name <> '' GROUP BY group_name
  UNION ALL SELECT key, 0 FROM rule WHERE scope = 'group'
) AS g GROUP BY name ORDER BY name
""")
    return [GroupRow(row.name, int(row.items)) for row in connection.execute(query)]


_FOUND = """
FROM item i WHERE NOT i.archived
  AND (:like = '' OR lower(i.sku) LIKE :like ESCAPE '\\' OR lower(i.title) LIKE :like ESCAPE '\\')
"""
_IN = {"all": "", "none": " AND i.group_name = ''", "group": " AND i.group_name = :name"}


def _within(group: str | None) -> str:
    return _IN["all"] if group is None else _IN["group"] if group else _IN["none"]


def members(
    connection: Connection, *, search: str = "", group: str | None = None, limit: int = 50, offset: int = 0
) -> list[Member]:
    """One page of items by SKU with their groups: of one group, of none (""), or all (None)."""
    query = text(
        "SELECT i.id AS item_id, i.sku, i.title, i.variant, i.group_name, "  # noqa: S608 (constants)
        f"(SELECT count(*) FROM link k WHERE k.item_id = i.id) AS listings {_FOUND}{_within(group)} "
        "ORDER BY i.sku LIMIT :limit OFFSET :offset"
    )
    given = {"like": like(search) if search else "", "name": group or "", "limit": limit, "offset": offset}
    return [Member(**row) for row in connection.execute(query, given).mappings()]


def member_total(connection: Connection, *, search: str = "", group: str | None = None) -> int:
    """How many items match."""
    query = text(f"SELECT count(*) {_FOUND}{_within(group)}")
    return int(connection.execute(query, {"like": like(search) if search else "", "name": group or ""}).scalar_one())


def item_named(connection: Connection, sku: str) -> Member | None:
    """The item with this SKU."""
    query = text(
        "SELECT i.id AS item_id, i.sku, i.title, i.variant, i.group_name, "
        "(SELECT count(*) FROM link k WHERE k.item_id = i.id) AS listings FROM item i WHERE i.sku = :sku"
    )
    row = connection.execute(query, {"sku": sku}).mappings().one_or_none()
    return None if row is None else Member(**row)


def listings_of(connection: Connection, item_id: int) -> list[ListingOf]:
    """The listings that sell an item, by shop."""
    query = text("""
SELECT k.shop_id, s.name AS shop, k.sku_id, l.seller_sku, k.quantity, l.available
FROM link k JOIN listing l ON l.shop_id = k.shop_id AND l.sku_id = k.sku_id JOIN shop s ON s.id = k.shop_id
WHERE k.item_id = :item AND NOT l.gone ORDER BY s.name, l.seller_sku, k.sku_id
""")
    return [ListingOf(**row) for row in connection.execute(query, {"item": item_id}).mappings()]


def links(connection: Connection) -> int:
    """How many links there are, each of which carries a rule."""
    return int(connection.execute(text("SELECT count(*) FROM link")).scalar_one())
