"""The books of some items beside what they must equal, counted again from movements and order lines."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, text

from core.store.chunks import chunks
from core.sync.booking import FULFILLED_BY_TIKTOK
from core.sync.ledger import stock_units


@dataclass(slots=True)
class Listing:
    """One listing of an item: units of its open and shipped orders as kept and as counted again, and its shares."""

    shop_id: str
    sku_id: str
    sku: str
    quantity: int
    open_kept: int
    shipped_kept: int
    split_from: int
    split_to: int
    open_units: int = 0
    shipped_units: int = 0


@dataclass(slots=True)
class Books:
    """One item: units on hand and reserved by location as kept (`level`) and as the sum of its movements (`moved`).

    `other` is reserved by movements that no order of a channel left; `split_total` are the shares of its last units.
    """

    item_id: int
    sku: str
    split_total: int = 0
    level: dict[int, tuple[int, int]] = field(default_factory=dict)
    moved: dict[int, tuple[int, int]] = field(default_factory=dict)
    other: int = 0
    listings: list[Listing] = field(default_factory=list)

    @property
    def demanded(self) -> int:
        """Units that the open orders of its listings ask for."""
        return sum(listing.quantity * listing.open_units for listing in self.listings)


def wrong(books: Books) -> list[str]:
    """What is wrong with the books of one item, in sentences. Pure."""
    found = []
    for place in books.level.keys() | books.moved.keys():
        kept, moved = books.level.get(place, (0, 0)), books.moved.get(place, (0, 0))
        if kept[0] != moved[0]:
            found.append(f"Its stock says {kept[0]:,} on hand, but its movements add up to {moved[0]:,}.")
        if kept[1] != moved[1]:
            found.append(f"Its stock says {kept[1]:,} promised, but its movements add up to {moved[1]:,}.")
        if kept[1] < 0:
            found.append(f"{kept[1]:,} units of it are promised, and fewer than none cannot be.")
    reserved = sum(units for _, units in books.level.values())
    if reserved != books.demanded + books.other:
        asked = books.demanded + books.other
        found.append(f"{reserved:,} units of it are promised, but its open orders ask for {asked:,}.")
    for listing in books.listings:
        found += _listing(listing)
    return found + shares(books.split_total, [(each.split_from, each.split_to) for each in books.listings])


def _listing(listing: Listing) -> list[str]:
    found = []
    for kept, counted, what in (
        (listing.open_kept, listing.open_units, "open"),
        (listing.shipped_kept, listing.shipped_units, "shipped"),
    ):
        if kept != counted:
            found.append(
                f"Listing {listing.sku} is said to have {kept:,} {what} units, but its orders have {counted:,}."
            )
    return found


def shares(total: int, parts: Iterable[tuple[int, int]]) -> list[str]:
    """What is wrong with the shares in which the last units of an item are split. Pure."""
    divided = [part for part in parts if total > 0 and part != (0, total)]  # one that has all is not split
    if any(not 0 <= start <= stop <= total for start, stop in divided):
        return ["A share of its last units lies outside of them."]
    some = [part for part in divided if part[0] < part[1]]
    if any(max(a[0], b[0]) < min(a[1], b[1]) for a, b in combinations(some, 2)):
        return ["Two channels have the same share of its last units."]
    return []


_ITEMS: BindParameter[Any] = bindparam("items", expanding=True)
_ITEM = text("SELECT id, sku, split_total FROM item WHERE id IN :items").bindparams(_ITEMS)
_LEVEL = text("SELECT item_id, location_id, on_hand, reserved FROM level WHERE item_id IN :items").bindparams(_ITEMS)
_MOVED = text("""
SELECT item_id, location_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved,
  sum(CASE WHEN origin IN ('tiktok', 'own shop') THEN 0 ELSE reserved END) AS other
FROM movement WHERE item_id IN :items GROUP BY item_id, location_id
""").bindparams(_ITEMS)
_LISTINGS = text("""
SELECT k.item_id, k.shop_id, k.sku_id, l.seller_sku, k.quantity, l.open_units, l.shipped_units, k.split_from, k.split_to
FROM link k JOIN listing l ON l.shop_id = k.shop_id AND l.sku_id = k.sku_id WHERE k.item_id IN :items
ORDER BY k.item_id, k.shop_id, k.sku_id
""").bindparams(_ITEMS)


def books(connection: Connection, item_ids: Collection[int]) -> list[Books]:
    """Count the books of these items again; ask for few at a time, in one view of the store."""
    given = {"items": sorted(item_ids)}
    found = {row.id: Books(row.id, row.sku, row.split_total) for row in connection.execute(_ITEM, given)}
    for row in connection.execute(_LEVEL, given):
        found[row.item_id].level[row.location_id] = (row.on_hand, row.reserved)
    for row in connection.execute(_MOVED, given):
        found[row.item_id].moved[row.location_id] = (row.on_hand, row.reserved)
        found[row.item_id].other += row.other
    listings: dict[tuple[str, str], list[Listing]] = defaultdict(list)
    for row in connection.execute(_LISTINGS, given):
        listing = Listing(
            row.shop_id, row.sku_id, row.seller_sku or row.sku_id, row.quantity, row.open_units, row.shipped_units,
            row.split_from, row.split_to,
        )  # fmt: skip
        found[row.item_id].listings.append(listing)
        listings[row.shop_id, row.sku_id].append(listing)
    _count(connection, listings)
    return list(found.values())


def _count(connection: Connection, listings: dict[tuple[str, str], list[Listing]]) -> None:
    quick = _quickly(connection, [sku for _, sku in listings])
    for (shop_id, sku_id), same in listings.items():
        units = quick.get(sku_id, (0, 0))
        if units != (same[0].open_kept, same[0].shipped_kept):
            units = units_of(connection, shop_id, sku_id)
        for listing in same:
            listing.open_units, listing.shipped_units = units


_SKUS: BindParameter[Any] = bindparam("skus", expanding=True)
# Nearly every listing is sold only by itself and shipped by ourselves. Then an index tells how many of its lines left,
# and only the few that are open or cancelled are looked at one by one.
_GONE = "('AWAITING_COLLECTION', 'IN_TRANSIT', 'DELIVERED', 'COMPLETED')"
_LEFT = text(f"""
SELECT sku_id, count(*) AS units FROM order_line WHERE sku_id IN :skus AND status IN {_GONE} GROUP BY sku_id
""").bindparams(_SKUS)  # noqa: S608 (constants)
_HERE = text(f"""
SELECT sku_id, sum(CASE WHEN NOT shipped AND status <> 'CANCELLED' THEN 1 ELSE 0 END) AS open,
  sum(CASE WHEN shipped THEN 1 ELSE 0 END) AS shipped
FROM order_line WHERE sku_id IN :skus AND status NOT IN {_GONE} GROUP BY sku_id
""").bindparams(_SKUS)  # noqa: S608 (constants)


def _quickly(connection: Connection, skus: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Open and shipped units by SKU id, right for listings that no bundle holds and TikTok does not ship."""
    found: dict[str, tuple[int, int]] = {}
    for some in chunks(skus):
        for row in connection.execute(_LEFT, {"skus": some}):
            found[row.sku_id] = (0, row.units)
        for row in connection.execute(_HERE, {"skus": some}):
            found[row.sku_id] = (row.open, row.shipped + found.get(row.sku_id, (0, 0))[1])
    return found


_SOLD_IN = """
SELECT l.* FROM order_line l JOIN orders o ON o.id = l.order_id
WHERE l.shop_id = :shop AND o.fulfillment_type <> :theirs AND {which}
"""
_ITSELF = text(_SOLD_IN.format(which="l.sku_id = :sku AND l.components = ''"))
_IN_BUNDLES = text(_SOLD_IN.format(which="l.components <> '' AND l.components LIKE :part"))


def lines(connection: Connection, shop_id: str, sku_id: str) -> Iterator[Any]:
    """Every order line of a listing whose stock is ours, bundles that hold it among them, as mappings."""
    given = {"shop": shop_id, "theirs": FULFILLED_BY_TIKTOK, "sku": sku_id, "part": f"%{sku_id}*%"}
    yield from connection.execute(_ITSELF, given).mappings()
    yield from connection.execute(_IN_BUNDLES, given).mappings()


def units_of(connection: Connection, shop_id: str, sku_id: str) -> tuple[int, int]:
    """Units of a listing in open orders, and units ever shipped, counted line by line."""
    opened = left = 0
    for line in lines(connection, shop_id, sku_id):
        units = sum(count for sku, count in stock_units(line) if sku == sku_id)
        opened += 0 if line["shipped"] or line["status"] == "CANCELLED" else units
        left += units if line["shipped"] else 0
    return opened, left
