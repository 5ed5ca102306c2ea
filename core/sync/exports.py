"""Write what we know as CSV files: streamed, all or nothing, safe in a spreadsheet, never with buyers' data."""

import csv
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from core.store import Store
from core.storefront.csv_cells import protect
from core.storefront.csv_header import FIELDS
from core.sync.differences import money_text
from core.sync.ledger import STORE

_BLOCK = 1_000
_CODES = frozenset({"sku", "barcode", "seller_sku"})


class Kind(StrEnum):
    """What can be exported."""

    ITEMS = "items"
    STOCK = "stock"
    ORDERS = "orders"
    MOVEMENTS = "movements"
    SALES = "sales"


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export: where it lies and how many rows it has below its header."""

    file: Path
    rows: int


class ExportRefused(Exception):
    """No file was written: `sentence` says why, `next_step` what to do."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(f"{sentence} {next_step}")
        self.sentence = sentence
        self.next_step = next_step


Cells = dict[str, str | int | None]
Zones = dict[str, ZoneInfo]


@dataclass(frozen=True, slots=True)
class _Sheet:
    header: tuple[str, ...]
    query: str
    cells: Callable[[Any, Zones], Cells]


def _items(row: Any, _zones: Zones) -> Cells:
    # Below zero means that more was sold than counted: a file that is read back must not count that.
    counted = row.on_hand is not None and row.on_hand >= 0
    return {
        "sku": row.sku, "title": row.title, "variant": row.variant, "price": money_text(row.price_units, row.currency),
        "currency": row.currency, "cost": money_text(row.cost_units, row.currency), "barcode": row.barcode,
        "on_hand": row.on_hand if counted else None,
    }  # fmt: skip


def _stock(row: Any, zones: Zones) -> Cells:
    return {
        "sku": row.sku, "title": row.title, "variant": row.variant, "location": row.location, "on_hand": row.on_hand,
        "reserved": row.reserved, "available": row.on_hand - row.reserved,
        "counted": at_text(row.counted_at, zones[""]),
    }  # fmt: skip


def _orders(row: Any, zones: Zones) -> Cells:
    zone = zones.get(row.shop_id, zones[""])
    first = {
        "order_total": money_text(row.total_units, row.currency),
        "shipping": money_text(row.shipping_fee_units, row.currency),
    }
    return {
        "order_id": row.id, "shop": row.shop or row.shop_id, "status": row.status,
        "created": _time(row.create_time, zone), "paid": _time(row.paid_time, zone),
        "cancelled": _time(row.cancel_time, zone),
        "changed": _time(row.update_time, zone), "line_id": row.line_id, "sku_id": row.sku_id,
        "seller_sku": row.seller_sku, "title": row.title, "variant": row.variant, "line_status": row.line_status,
        "original_price": money_text(row.original_price_units, row.currency),
        "seller_discount": money_text(row.line_discount, row.currency),
        "price": money_text(row.sale_price_units, row.currency), "currency": row.currency,
        **(first if row.is_first else {}),
    }  # fmt: skip


def _movements(row: Any, zones: Zones) -> Cells:
    return {
        "at": at_text(row.at, zones[""]), "sku": row.sku, "title": row.title, "location": row.location,
        "on_hand": row.on_hand, "reserved": row.reserved, "reason": row.reason, "origin": row.origin,
        "reference": row.reference, "actor": row.actor, "note": row.note,
    }  # fmt: skip


def _sales(row: Any, _zones: Zones) -> Cells:
    return {
        "day": row.day, "shop": row.shop or row.shop_id, "sku_id": row.sku_id, "seller_sku": row.seller_sku or "",
        "title": row.title or "", "variant": row.variant or "", "units": row.units,
        "sales": money_text(row.sales_units, row.currency), "currency": row.currency,
    }  # fmt: skip


_SHEETS = {
    Kind.ITEMS: _Sheet(
        FIELDS,
        "SELECT item.sku, item.title, item.variant, item.price_units, item.currency, item.cost_units, item.barcode, "
        "CASE WHEN level.on_hand IS NULL AND item.counted_at IS NOT NULL THEN 0 ELSE level.on_hand END AS on_hand "
        "FROM item LEFT JOIN level ON level.item_id = item.id AND level.location_id = :store "
        "WHERE NOT item.archived ORDER BY item.id",
        _items,
    ),
    Kind.STOCK: _Sheet(
        ("sku", "title", "variant", "location", "on_hand", "reserved", "available", "counted"),
        "SELECT item.sku, item.title, item.variant, location.name AS location, level.on_hand, level.reserved, "
        "item.counted_at FROM item JOIN level ON level.item_id = item.id "
        "JOIN location ON location.id = level.location_id "
        "WHERE NOT item.archived ORDER BY item.id, location.id",
        _stock,
    ),
    Kind.ORDERS: _Sheet(
        ("order_id", "shop", "status", "created", "paid", "cancelled", "changed", "line_id", "sku_id", "seller_sku",
         "title", "variant", "line_status", "original_price", "seller_discount", "price", "currency",
         "order_total", "shipping"),
        "SELECT orders.id, orders.shop_id, shop.name AS shop, orders.status, orders.create_time, orders.paid_time, "
        "orders.cancel_time, orders.update_time, orders.currency, orders.total_units, orders.shipping_fee_units, "
        "line.id AS line_id, line.sku_id, line.seller_sku, line.title, line.variant, line.status AS line_status, "
        "line.original_price_units, line.seller_discount_units AS line_discount, line.sale_price_units, "
        "line.id = (SELECT min(id) FROM order_line WHERE order_id = orders.id) AS is_first "
        "FROM orders JOIN order_line AS line ON line.order_id = orders.id LEFT JOIN shop ON shop.id = orders.shop_id "
        "ORDER BY orders.shop_id, orders.create_time, orders.id, line.id",
        _orders,
    ),
    Kind.MOVEMENTS: _Sheet(
        ("at", "sku", "title", "location", "on_hand", "reserved", "reason", "origin", "reference", "actor", "note"),
        "SELECT movement.at, item.sku, item.title, location.name AS location, movement.on_hand, movement.reserved, "
        "movement.reason, movement.origin, movement.reference, movement.actor, movement.note FROM movement "
        "JOIN item ON item.id = movement.item_id JOIN location ON location.id = movement.location_id "
        "ORDER BY movement.id",
        _movements,
    ),
    Kind.SALES: _Sheet(
        ("day", "shop", "sku_id", "seller_sku", "title", "variant", "units", "sales", "currency"),
        "SELECT sales.day, sales.shop_id, shop.name AS shop, sales.sku_id, listing.seller_sku, listing.title, "
        "listing.variant, sales.units, sales.sales_units, sales.currency FROM sales_day AS sales "
        "LEFT JOIN shop ON shop.id = sales.shop_id "
        "LEFT JOIN listing ON listing.shop_id = sales.shop_id AND listing.sku_id = sales.sku_id "
        "WHERE sales.units <> 0 ORDER BY sales.shop_id, sales.day, sales.sku_id",
        _sales,
    ),
}  # fmt: skip


def export(store: Store, kind: Kind | str, file: Path, *, bom: bool = False, force: bool = False) -> Exported:
    """Write one kind to a CSV file in UTF-8 and return where it lies; raises ExportRefused and StoreProblem.

    The file appears whole at the end. One that exists is kept unless `force`. `bom` puts the mark at its start that
    helps spreadsheets to see the encoding. Money is exact, times are ISO with the offset of the shop's time zone.
    """
    if file.exists() and not force:
        raise _exists(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".part")
    except OSError as error:
        raise _no_room(file, error) from error
    part = Path(name)
    try:
        with open(handle, "w", encoding="utf-8-sig" if bom else "utf-8", newline="") as stream:
            rows = write(store, kind, stream)
            stream.flush()
            os.fsync(stream.fileno())
        _put(part, file, force=force)
    except OSError as error:
        raise _no_room(file, error) from error
    finally:
        part.unlink(missing_ok=True)
    return Exported(file, rows)


def _put(part: Path, file: Path, *, force: bool) -> None:
    if not force:
        try:
            os.link(part, file)  # never replaces a file that appeared meanwhile
            return
        except FileExistsError as error:
            raise _exists(file) from error
        except OSError:  # a disk without links
            if file.exists():
                raise _exists(file) from None
    part.replace(file)


def _exists(file: Path) -> ExportRefused:
    return ExportRefused(f"There is a file {file} already.", "Choose another name, or replace it with force.")


def _no_room(file: Path, error: OSError) -> ExportRefused:
    sentence = f"The file {file} could not be written: {error.strerror or error}."
    return ExportRefused(sentence, "Free some space, or choose another folder.")


def write(store: Store, kind: Kind | str, stream: TextIO) -> int:
    """Write one kind as CSV to a text stream, a block of rows at a time; returns the rows below the header."""
    sheet = _SHEETS[Kind(kind)]
    writer = csv.writer(stream)
    writer.writerow(sheet.header)
    count = 0
    with store.read() as connection:
        zones = shop_zones(connection)
        for row in _rows(connection, sheet.query):
            cells = sheet.cells(row, zones)
            writer.writerow([cell(name, cells.get(name)) for name in sheet.header])
            count += 1
    return count


def _rows(connection: Connection, query: str) -> Iterator[Any]:
    statement = text(query).execution_options(stream_results=True, yield_per=_BLOCK)
    return iter(connection.execute(statement, {"store": STORE} if ":store" in query else {}))


_NUMBERS = frozenset({"price", "cost", "original_price", "seller_discount", "sales", "order_total", "shipping"})


def cell(name: str, value: str | int | None) -> str | int:
    """What to write for the value of a column: numbers as they are, text so that no spreadsheet runs it."""
    if value is None:
        return ""
    if isinstance(value, int) or name in _NUMBERS:
        return value  # a number stays one, also below zero
    return protect(value, code=name in _CODES)


def shop_zones(connection: Connection) -> Zones:
    """The time zone of each shop; under "" the one for what belongs to no shop, UTC where shops disagree."""
    found = {row.id: ZoneInfo(row.timezone) for row in connection.execute(text("SELECT id, timezone FROM shop"))}
    keys = {zone.key for zone in found.values()}
    return found | {"": ZoneInfo(keys.pop() if len(keys) == 1 else "UTC")}


def _time(seconds: int | None, zone: ZoneInfo) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).astimezone(zone).isoformat()


def at_text(milliseconds: int | None, zone: ZoneInfo) -> str:
    """A moment in ISO form with the offset of the zone, "" for none."""
    return _time(None if milliseconds is None else milliseconds // 1000, zone)
