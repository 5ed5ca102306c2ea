"""The stock ledger: every change of stock is a movement, every level the sum of its movements."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, select, text

from core import clock
from core.store.chunks import chunks
from core.store.engine import Store
from core.store.queries import places
from core.store.queries.places import STORE as STORE
from core.store.tables import Item, Level, Movement
from core.store.upsert import append, table, upsert
from core.sync import outbox, shortfalls
from core.sync.booking import FULFILLED_BY_TIKTOK, due

_MOVEMENT = table(Movement)
_ITEM = table(Item)


class UnknownItem(Exception):
    """No item has this SKU."""

    def __init__(self, sku: str) -> None:
        super().__init__(
            f"There is no item with the SKU {sku!r}. Check the spelling, or add it to your catalogue first."
        )


class BadQuantity(Exception):
    """A number of units that cannot be."""

    def __init__(self, quantity: int) -> None:
        super().__init__(f"{quantity} is not a number of units. Enter a whole number from 0 to 99,999.")


@dataclass
class Booked:
    """What booking changed: how many movements, on which items."""

    movements: int = 0
    items: set[int] = field(default_factory=set)


def stock_units(line: Mapping[Any, Any]) -> list[tuple[str, int]]:
    """The TikTok SKUs whose stock one order line moves: its own, or the parts of a virtual bundle."""
    if not line["components"]:
        return [(line["sku_id"], 1)]
    parts = [part.rpartition("*") for part in line["components"].split(",")]
    return [(sku, int(count)) for sku, _, count in parts]


def write(connection: Connection, movements: Sequence[Mapping[Any, Any]]) -> None:
    """Append movements and carry the levels along; the one place that does."""
    if not movements:
        return
    empty: dict[str, Any] = {
        "on_hand": 0,
        "reserved": 0,
        "reference": "",
        "actor": "",
        "note": "",
        "location_id": STORE,
    }
    rows = [empty | dict(movement) for movement in movements]
    append(connection, Movement, rows)
    levels: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        level = levels[(row["item_id"], row["location_id"])]
        level[0] += row["on_hand"]
        level[1] += row["reserved"]
    upsert(
        connection,
        Level,
        [{"item_id": i, "location_id": at, "on_hand": h, "reserved": r} for (i, at), (h, r) in levels.items()],
        add=("on_hand", "reserved"),
    )
    shortfalls.follow(connection, rows)


_LINKS = text("""
SELECT link.sku_id, link.item_id, link.quantity, item.counted_at FROM link JOIN item ON item.id = link.item_id
WHERE link.shop_id = :shop AND link.sku_id IN :skus
""").bindparams(bindparam("skus", expanding=True))
_BOOKED = """
SELECT reference, item_id, {place} AS place, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM movement
WHERE reference IN :lines GROUP BY reference, item_id{each}
"""
# Where an item can lie in one place only, an index alone answers.
_BOOKED_ANYWHERE = text(_BOOKED.format(place=STORE, each="")).bindparams(bindparam("lines", expanding=True))
_BOOKED_BY_PLACE = text(_BOOKED.format(place="location_id", each=", location_id")).bindparams(
    bindparam("lines", expanding=True)
)


def book_lines(
    connection: Connection,
    shop_id: str,
    orders: Mapping[str, Mapping[Any, Any]],
    lines: Sequence[Mapping[Any, Any]],
    *,
    fresh_only: bool = False,
) -> Booked:
    """Book the difference between what these stored lines demand and what is booked for them.

    `orders` holds the order row of each line. `fresh_only` says that none of the lines was stored before. What a line
    has booked on items that it does not sell any more (another link, TikTok's own stock) is released. A line is booked
    in the location that serves its order's warehouse, and stays there when that is mapped to another one later.
    """
    found = Booked()
    theirs = {order_id for order_id, row in orders.items() if row["fulfillment_type"] == FULFILLED_BY_TIKTOK}
    links = _links(connection, shop_id, {sku for line in lines for sku, _ in stock_units(line)})
    several = places.several(connection)
    served = places.of_warehouses(connection, shop_id) if several else {}
    booked = {} if fresh_only else _booked(connection, [line["id"] for line in lines], several)
    now, origin = clock.now_ms(), _origin(connection, shop_id)
    movements = []
    for line in lines:
        before = booked.get(line["id"], {})
        gone = any(units for units, _ in before.values())
        place = _place(before, served.get(orders[line["order_id"]].get("warehouse_id", ""), STORE))
        for (item_id, at), (quantity, counted_at) in _parts(
            line, links, before, place, line["order_id"] in theirs
        ).items():
            on_hand, reserved = before.get((item_id, at), (0, 0))
            change = due(
                quantity=quantity, state=line["status"], shipped=line["shipped"],
                shipped_ms=(line["shipped_time"] or 0) * 1000, counted_ms=counted_at, on_hand=on_hand,
                reserved=reserved, gone=gone,
            )  # fmt: skip
            if change is not None:
                movements.append(
                    {"item_id": item_id, "location_id": at, "on_hand": change.on_hand, "reserved": change.reserved,
                     "reason": change.reason, "origin": origin, "reference": line["id"], "at": now}
                )  # fmt: skip
                found.items.add(item_id)
    write(connection, movements)
    found.movements = len(movements)
    return found


def _origin(connection: Connection, shop_id: str) -> str:
    """Where the orders of a shop come from, as the ledger tells it."""
    kind = connection.execute(text("SELECT kind FROM shop WHERE id = :shop"), {"shop": shop_id}).scalar()
    return "own shop" if kind == "store" else "tiktok"


def _links(connection: Connection, shop_id: str, skus: Collection[str]) -> dict[str, list[Any]]:
    links: dict[str, list[Any]] = {}
    for chunk in chunks(sorted(skus)):
        for link in connection.execute(_LINKS, {"shop": shop_id, "skus": chunk}):
            links.setdefault(link.sku_id, []).append(link)
    return links


Spot = tuple[int, int]  # an item in a location


def _booked(connection: Connection, line_ids: list[str], several: bool) -> dict[str, dict[Spot, tuple[int, int]]]:
    query = _BOOKED_BY_PLACE if several else _BOOKED_ANYWHERE
    booked: dict[str, dict[Spot, tuple[int, int]]] = {}
    for chunk in chunks(line_ids):
        for row in connection.execute(query, {"lines": chunk}):
            booked.setdefault(row.reference, {})[row.item_id, row.place] = (row.on_hand, row.reserved)
    return booked


def _place(before: Mapping[Spot, tuple[int, int]], served: int) -> int:
    """Where a line is booked: where it is already, best where it holds something, else where its warehouse leads."""
    return max(((any(units), place) for (_, place), units in before.items()), default=(False, served))[1]


def _parts(
    line: Mapping[Any, Any], links: Mapping[str, list[Any]], before: Collection[Spot], place: int, theirs: bool
) -> dict[Spot, tuple[int, int | None]]:
    """The items that a line concerns: units of each, 0 where it only holds something from before."""
    parts: dict[Spot, tuple[int, int | None]] = dict.fromkeys(before, (0, None))
    for sku, count in () if theirs else stock_units(line):
        for link in links.get(sku, ()):
            units, _ = parts.get((link.item_id, place), (0, None))
            parts[link.item_id, place] = (units + count * link.quantity, link.counted_at)
    return parts


def record_sale(
    store: Store,
    sku: str,
    quantity: int,
    *,
    actor: str,
    reference: str = "",
    note: str = "",
    location_id: int = STORE,
) -> int:
    """Book a sale in the owner's own store: the units leave their location. Returns the units now on hand in all.

    Raises UnknownItem and BadQuantity. The same non-empty reference is booked once only.
    """
    if not 1 <= quantity <= 99_999:
        raise BadQuantity(quantity)
    with store.write(urgent=True) as connection:
        item = _find(connection, sku)
        if not reference or not _already(connection, f"own:{reference}", item.id):
            write(
                connection,
                [{"item_id": item.id, "location_id": location_id, "on_hand": -quantity, "reason": "own sale",
                  "origin": "store", "actor": actor, "reference": f"own:{reference}" if reference else "",
                  "note": note, "at": clock.now_ms()}],
            )  # fmt: skip
            outbox.mark_items(connection, [item.id], "a sale in your own store")
        return _on_hand(connection, item.id)


def record_count(store: Store, sku: str, on_hand: int, *, actor: str, note: str = "", location_id: int = STORE) -> int:
    """Set what was counted on the shelf of a location as a movement of the difference. Returns that difference.

    Units shipped before this moment are taken to be missing from the count already. Raises UnknownItem, BadQuantity.
    """
    if not 0 <= on_hand <= 99_999:
        raise BadQuantity(on_hand)
    with store.write(urgent=True) as connection:
        item = _find(connection, sku)
        change = on_hand - _on_hand(connection, item.id, location_id)
        count(
            connection, [(item.id, change)], actor=actor, origin="store", reference="", note=note,
            location_id=location_id,
        )  # fmt: skip
        outbox.mark_items(connection, [item.id], "a count of your own")
    return change


def count(
    connection: Connection,
    changes: Sequence[tuple[int, int]],
    *,
    actor: str,
    origin: str,
    reference: str,
    note: str = "",
    location_id: int = STORE,
) -> None:
    """Book counts as (item id, units to add); a count of no difference still moves the moment of counting."""
    now = clock.now_ms()
    write(
        connection,
        [{"item_id": item_id, "location_id": location_id, "on_hand": change, "reason": "count", "origin": origin,
          "actor": actor, "reference": reference, "note": note, "at": now} for item_id, change in changes if change],
    )  # fmt: skip
    connection.execute(
        text("UPDATE item SET counted_at = :at WHERE id = :id"), [{"at": now, "id": item_id} for item_id, _ in changes]
    )
    shortfalls.counted(connection, [item_id for item_id, _ in changes])


def _find(connection: Connection, sku: str) -> Any:
    row = connection.execute(select(_ITEM.c.id).where(_ITEM.c.sku == sku)).one_or_none()
    if row is None:
        raise UnknownItem(sku)
    return row


def _already(connection: Connection, reference: str, item_id: int) -> bool:
    query = select(_MOVEMENT.c.id).where(_MOVEMENT.c.reference == reference, _MOVEMENT.c.item_id == item_id).limit(1)
    return connection.execute(query).first() is not None


def _on_hand(connection: Connection, item_id: int, location_id: int | None = None) -> int:
    query = text(
        "SELECT coalesce(sum(on_hand), 0) FROM level WHERE item_id = :id AND (:place IS NULL OR location_id = :place)"
    ).bindparams(bindparam("place", type_=Integer))
    return int(connection.execute(query, {"id": item_id, "place": location_id}).scalar_one())


@dataclass(frozen=True, slots=True)
class Proof:
    """The daily proof that movements and levels agree; `broken` lists the SKUs that do not."""

    movements: int
    items: int
    broken: tuple[str, ...]


_PROOF = text("""
WITH booked AS (SELECT item_id, location_id, on_hand, reserved FROM movement
  UNION ALL SELECT item_id, location_id, -on_hand, -reserved FROM level
), wrong AS (SELECT item_id FROM booked GROUP BY item_id, location_id HAVING sum(on_hand) <> 0 OR sum(reserved) <> 0)
SELECT DISTINCT item.sku FROM wrong JOIN item ON item.id = wrong.item_id ORDER BY item.sku
""")


def prove(connection: Connection) -> Proof:
    """Add every movement up and compare with the levels, item by item and location by location."""
    movements = connection.execute(text("SELECT count(*) FROM movement")).scalar_one()
    items = connection.execute(text("SELECT count(*) FROM item")).scalar_one()
    return Proof(int(movements), int(items), tuple(row.sku for row in connection.execute(_PROOF)))
