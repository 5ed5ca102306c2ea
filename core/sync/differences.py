"""What the rows of an import would change, item by item and field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text

from core import money
from core.storefront.csv_files import Row
from core.sync.ledger import STORE

TEXTS = ("title", "variant", "currency", "barcode")
MONEYS = ("price", "cost")

_ITEMS = text(
    "SELECT item.id, item.sku, item.title, item.variant, item.price_units AS price, item.currency, "
    "item.cost_units AS cost, item.barcode, coalesce(level.on_hand, 0) AS on_hand FROM item "
    "LEFT JOIN level ON level.item_id = item.id AND level.location_id = :store WHERE item.sku IN :skus"
).bindparams(bindparam("skus", expanding=True))


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one item, before and after."""

    sku: str
    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One row beside its item (`item_id` None when new): the columns to write and the units there now."""

    row: Row
    item_id: int | None
    on_hand: int
    values: Mapping[str, Any]
    changes: tuple[Change, ...]

    @property
    def moved(self) -> int:
        """Units by which the count differs from what we had; 0 when the row counts nothing."""
        return 0 if self.row.on_hand is None else self.row.on_hand - self.on_hand

    @property
    def written(self) -> bool:
        """Whether the item itself changes, apart from its stock."""
        return any(change.field != "on_hand" for change in self.changes)


def compare(connection: Connection, rows: Sequence[Row], place: int = STORE) -> list[Compared]:
    """Set rows against the items of the store as they are now, with their units in one location."""
    found = connection.execute(_ITEMS, {"store": place, "skus": [row.sku for row in rows]})
    items = {item["sku"]: item for item in found.mappings()}
    return [_existing(row, items[row.sku]) if row.sku in items else _new(row) for row in rows]


def _new(row: Row) -> Compared:
    values = {
        "sku": row.sku, "title": row.title or row.sku, "variant": row.variant or "", "currency": row.currency or "",
        "barcode": row.barcode or "", "price_units": _units(row.price), "cost_units": _units(row.cost),
    }  # fmt: skip
    return Compared(row, None, 0, values, (Change(row.sku, "", "", str(values["title"])),))


def _existing(row: Row, item: Mapping[Any, Any]) -> Compared:
    values: dict[str, Any] = {"sku": row.sku}
    changes = []
    for field in TEXTS:
        given = getattr(row, field)
        values[field] = item[field] if given is None else given
        if values[field] != item[field]:
            changes.append(Change(row.sku, field, item[field], values[field]))
    for field in MONEYS:
        given = getattr(row, field)
        values[f"{field}_units"] = units = item[field] if given is None else money.to_units(given)
        if units != item[field]:
            old, new = money_text(item[field], item["currency"]), money_text(units, values["currency"])
            changes.append(Change(row.sku, field, old, new))
    if row.on_hand is not None and row.on_hand != item["on_hand"]:
        changes.append(Change(row.sku, "on_hand", str(item["on_hand"]), str(row.on_hand)))
    return Compared(row, item["id"], item["on_hand"], values, tuple(changes))


def _units(value: Any) -> int | None:
    return None if value is None else money.to_units(value)


def money_text(units: int | None, currency: str) -> str:
    """The exact amount as a file shows it: "12.50", "1250", "0.1250"; never with three decimals, easily misread."""
    if units is None:
        return ""
    short = money.plain(units, currency)
    return short if money.to_units(money.parse(short)) == units else f"{money.from_units(units):.4f}"
