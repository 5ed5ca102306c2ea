"""The owner's locations: what lies where, and which TikTok warehouse is served from which of them."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

STORE = 1  # the location that every desk starts with; what is mapped nowhere is served from it


@dataclass(frozen=True, slots=True)
class Place:
    """One location: units in it, units of them promised, items that lie there, and the warehouses it serves."""

    id: int
    name: str
    items: int
    on_hand: int
    reserved: int
    serves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """One warehouse of a shop, the location it is served from, and how many listings lie in it."""

    shop_id: str
    shop: str
    id: str
    name: str
    kind: str
    enabled: bool
    is_default: bool
    location_id: int
    listings: int


@dataclass(frozen=True, slots=True)
class Lies:
    """What lies of one item in one location."""

    location_id: int
    name: str
    on_hand: int
    reserved: int


def several(connection: Connection) -> bool:
    """Whether there is more than one location; with a single one nothing has to ask where something lies."""
    return int(connection.execute(text("SELECT count(*) FROM location")).scalar_one()) > 1


def of_warehouses(connection: Connection, shop_id: str) -> dict[str, int]:
    """The location that each warehouse of a shop is served from, by the warehouse's id."""
    query = text("SELECT id, coalesce(location_id, :store) AS place FROM warehouse WHERE shop_id = :shop")
    return {row.id: row.place for row in connection.execute(query, {"shop": shop_id, "store": STORE})}


def names(connection: Connection) -> dict[int, str]:
    """Every location by its id, the first one first."""
    return {row.id: row.name for row in connection.execute(text("SELECT id, name FROM location ORDER BY id"))}


_PLACES = text(
    "SELECT l.id, l.name, count(CASE WHEN v.on_hand <> 0 OR v.reserved <> 0 THEN 1 END) AS items, "
    "coalesce(sum(v.on_hand), 0) AS on_hand, coalesce(sum(v.reserved), 0) AS reserved "
    "FROM location l LEFT JOIN level v ON v.location_id = l.id GROUP BY l.id, l.name ORDER BY l.id"
)


def places(connection: Connection) -> list[Place]:
    """Every location with what lies in it and whom it serves."""
    serves: dict[int, list[str]] = {}
    for each in warehouses(connection):
        serves.setdefault(each.location_id, []).append(each.name)
    return [
        Place(row.id, row.name, row.items, int(row.on_hand), int(row.reserved), tuple(serves.get(row.id, ())))
        for row in connection.execute(_PLACES)
    ]


# Warehouses for returned goods sell nothing, so nothing has to serve them.
_SERVED = text(
    "SELECT w.shop_id, s.name AS shop, w.id, w.name, w.kind, w.enabled, w.is_default, "
    "coalesce(w.location_id, :store) AS location_id, (SELECT count(*) FROM stock k "
    "WHERE k.shop_id = w.shop_id AND k.warehouse_id = w.id) AS listings "
    "FROM warehouse w JOIN shop s ON s.id = w.shop_id WHERE w.kind <> 'RETURN_WAREHOUSE' "
    "ORDER BY s.name, w.shop_id, w.is_default DESC, w.name, w.id"
)


def warehouses(connection: Connection) -> list[Served]:
    """The warehouses of every shop that goods are sold from."""
    return [
        Served(**{**row, "enabled": bool(row["enabled"]), "is_default": bool(row["is_default"])})
        for row in connection.execute(_SERVED, {"store": STORE}).mappings()
    ]


def lies(connection: Connection, sku: str) -> list[Lies]:
    """Where an item lies: every location, also those that hold none of it."""
    query = text(
        "SELECT l.id AS location_id, l.name, coalesce(v.on_hand, 0) AS on_hand, coalesce(v.reserved, 0) AS reserved "
        "FROM item i CROSS JOIN location l LEFT JOIN level v ON v.item_id = i.id AND v.location_id = l.id "
        "WHERE i.sku = :sku ORDER BY l.id"
    )
    return [Lies(**row) for row in connection.execute(query, {"sku": sku}).mappings()]
