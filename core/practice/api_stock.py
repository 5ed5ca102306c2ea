"""Inventory search and update, and price update, with the refusals that the documents list."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import orjson

from core.practice.answers import Refusal, bad_parameter
from core.practice.api_products import HIDDEN
from core.practice.gate import Call
from core.practice.identity import CURRENCY, JSON, SALES_WAREHOUSES
from core.practice.parts import Parts
from core.practice.stock import Held
from core.practice.trouble import Trouble

MOST_PRODUCTS, MOST_SKUS, MOST_SKUS_A_CALL = 100, 600, 300
MOST_UNITS = 99_999
PRICE = re.compile(r"\d{1,7}(\.\d{1,2})?")


def search(parts: Parts, call: Call) -> bytes:
    """`POST /product/202309/inventory/search` (TikTok Shop API: "Inventory Search"); `sku_ids` win."""
    wish = call.json()
    sku_ids, product_ids = _ids(wish, "sku_ids"), _ids(wish, "product_ids")
    if not sku_ids and not product_ids:
        raise bad_parameter("body", "product_ids", "is missing")
    if len(sku_ids) > MOST_SKUS:
        raise Refusal(12019015, f"At most {MOST_SKUS} SKU ids can be searched at once.")
    if not sku_ids and len(product_ids) > MOST_PRODUCTS:
        raise Refusal(12019120, f"At most {MOST_PRODUCTS} product ids can be searched at once.")
    if call.struck_by("empty_page"):
        return b'{"inventory":[]}'
    column, wanted = ("s.id", sku_ids) if sku_ids else ("s.product_id", product_ids)
    with parts.ground.world.read() as db:
        rows = db.execute(
            "SELECT s.product_id, s.id, s.seller_sku, k.warehouse_id, k.available, k.committed FROM skus s "
            "JOIN stock k ON k.sku_id = s.id JOIN products p ON p.id = s.product_id "
            f"WHERE {column} IN ({','.join('?' * len(wanted))}) AND p.status NOT IN (?, ?) "
            "ORDER BY s.product_id, s.position, k.warehouse_id",
            (*wanted, *HIDDEN),
        ).fetchall()
    return orjson.dumps({"inventory": _by_product(rows)})


def _ids(wish: JSON, name: str) -> list[str]:
    ids = wish.get(name) or []
    if not isinstance(ids, list):
        raise bad_parameter("body", name, "must be a list")
    if not all(isinstance(part, str) and part.isdigit() for part in ids):
        raise Refusal(12019008, f"The {name} are malformed.")
    return list(dict.fromkeys(ids))


def _by_product(rows: list[tuple[str, str, str, str, int, int]]) -> list[JSON]:
    products: list[JSON] = []
    for product_id, sku_id, seller_sku, warehouse_id, available, committed in rows:
        if not products or products[-1]["product_id"] != product_id:
            products.append({"product_id": product_id, "skus": []})
        skus = products[-1]["skus"]
        if not skus or skus[-1]["id"] != sku_id:
            skus.append(
                {"id": sku_id, "seller_sku": seller_sku, "total_available_quantity": 0, "total_committed_quantity": 0,
                 "total_available_inventory_distribution": {"in_shop_inventory": {"quantity": 0}},
                 "warehouse_inventory": []}
            )  # fmt: skip
        sku = skus[-1]
        sku["total_available_quantity"] += available
        sku["total_committed_quantity"] += committed
        sku["total_available_inventory_distribution"]["in_shop_inventory"]["quantity"] += available
        sku["warehouse_inventory"].append(
            {"warehouse_id": warehouse_id, "available_quantity": available, "committed_quantity": committed}
        )
    return products


def update(parts: Parts, call: Call) -> bytes:
    """`POST /product/202309/products/{id}/inventory/update`: absolute; a refused SKU never blocks the others."""
    skus = _list_of_skus(call)
    struck = call.struck_by("partial_errors")
    errors: list[JSON] = []
    with parts.ground.world.write() as db:
        _check_product(db, call.ids[0], refused=HIDDEN)
        for sku in skus:
            error = _struck(struck, sku["id"]) or _refusal_of(parts, db, call.ids[0], sku)
            if error:
                errors.append(error)
                continue
            held = parts.stock.held(db, sku["id"])
            wanted = {row.get("warehouse_id") or held[0].warehouse_id: row["quantity"] for row in sku["inventory"]}
            parts.stock.set_available(db, sku["id"], wanted, "api_sync")
    return orjson.dumps({"errors": errors}) if errors else b"{}"


def _list_of_skus(call: Call) -> list[JSON]:
    """The SKUs of the body, well formed; a malformed body refuses the whole call."""
    skus = call.json().get("skus")
    if not isinstance(skus, list) or not skus:
        raise bad_parameter("body", "skus", "is missing")
    if len(skus) > MOST_SKUS_A_CALL:
        raise Refusal(12052050, f"At most {MOST_SKUS_A_CALL} SKUs can be sent at once.")
    for sku in skus:
        if not isinstance(sku, dict) or not isinstance(sku.get("id"), str) or not sku["id"]:
            raise Refusal(12052036, "The SKU id is missing.")
        rows = sku.get("inventory", [])
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and type(row.get("quantity")) is int for row in rows
        ):
            raise bad_parameter("body", "skus.inventory.quantity", "must be an integer")
        if not rows and "price" not in sku:
            raise bad_parameter("body", "skus.inventory", "is missing")
    return skus


def _check_product(db: sqlite3.Connection, product_id: str, refused: tuple[str, ...] = (), needed: str = "") -> None:
    row = db.execute("SELECT status FROM products WHERE id = ?", (product_id,)).fetchone()
    if row is None:
        raise Refusal(12052032, "The product does not exist.")
    if row[0] in refused or (needed and row[0] != needed):
        raise Refusal(12019113, f"This cannot be done with a product in status {row[0]}.")


def _struck(trouble: Trouble | None, sku_id: str) -> JSON | None:
    if trouble is None or (trouble.sku_ids and sku_id not in trouble.sku_ids):
        return None
    return _error(sku_id, trouble.code, trouble.message)


def _error(sku_id: str, code: int, message: str, warehouse_id: str = "", extra: int = 0) -> JSON:
    """One entry of `data.errors[]`, with the warehouse concerned where one is."""
    detail: JSON = {"sku_id": sku_id}
    if warehouse_id:
        detail["extra_errors"] = [{"code": extra or code, "message": message, "warehouse_id": warehouse_id}]
    return {"code": code, "message": "Check failed" if extra else message, "detail": detail}


def _refusal_of(parts: Parts, db: sqlite3.Connection, product_id: str, sku: JSON) -> JSON | None:
    """Why this SKU's stock cannot be set, as an entry of `data.errors[]`; None when it can."""
    row = db.execute("SELECT locked FROM skus WHERE id = ? AND product_id = ?", (sku["id"], product_id)).fetchone()
    if row is None:
        return _error(sku["id"], 12052048, "The SKU does not belong to this product.")
    held = parts.stock.held(db, sku["id"])
    return _wrong_warehouses(sku, held) or _wrong_quantities(sku, held, bool(row[0]))


def _wrong_warehouses(sku: JSON, held: list[Held]) -> JSON | None:
    """All warehouses of the SKU and no others; with exactly one its id may be left out."""
    own = {row.warehouse_id for row in held}
    given = [row.get("warehouse_id") for row in sku["inventory"]]
    if None in given or "" in given:
        if len(own) == 1 and len(given) == 1:
            return None
        return _error(sku["id"], 12019028, "The SKU is kept in several warehouses, list all of them.")
    for warehouse_id in given:
        if warehouse_id not in SALES_WAREHOUSES:
            return _error(sku["id"], 12052990, "The warehouse does not exist.", str(warehouse_id), 12052097)
    if len(set(given)) != len(given):
        return _error(sku["id"], 12052555, "A warehouse is listed twice.")
    if set(given) != own:
        return _error(sku["id"], 12052037, "The inventory cannot be updated: the warehouses are not those of the SKU.")
    return None


def _wrong_quantities(sku: JSON, held: list[Held], locked: bool) -> JSON | None:
    for row in sku["inventory"]:
        if not 0 <= row["quantity"] <= MOST_UNITS:
            return _error(
                sku["id"],
                12052055,
                "The quantity is outside the allowed limits.",
                row.get("warehouse_id") or held[0].warehouse_id,
            )
    if locked and sum(row["quantity"] for row in sku["inventory"]) < sum(row.available for row in held):
        return _error(sku["id"], 12052393, "The SKU is in a promotion, its stock cannot go below what it is now.")
    return None


def update_prices(parts: Parts, call: Call) -> bytes:
    """`POST /product/202309/products/{id}/prices/update`: only active products, nothing in a promotion, all or none."""
    skus = _list_of_skus(call)
    with parts.ground.world.write() as db:
        _check_product(db, call.ids[0], needed="ACTIVATE")
        for sku in skus:
            row = db.execute(
                "SELECT locked FROM skus WHERE id = ? AND product_id = ?", (sku["id"], call.ids[0])
            ).fetchone()
            if row is None:
                raise Refusal(12052048, "The SKU does not belong to this product.")
            if row[0]:
                raise Refusal(12052038, "The price is locked by a running promotion.")
            db.execute("UPDATE skus SET price = ? WHERE id = ?", (_pence(sku.get("price")), sku["id"]))
        db.execute(
            "UPDATE products SET update_time = max(update_time, ?) WHERE id = ?", (parts.ground.seconds(), call.ids[0])
        )
    return b"{}"


def _pence(price: Any) -> int:
    """The price sent, in pence; raises Refusal for a wrong currency or amount."""
    if not isinstance(price, dict) or not isinstance(price.get("amount"), str):
        raise Refusal(12052571, "The price is missing.")
    if price.get("currency") != CURRENCY:
        raise Refusal(12052084, f"The currency must be {CURRENCY}.")
    if not PRICE.fullmatch(price["amount"]):
        raise Refusal(12052073, "The price is invalid.")
    whole, _, rest = price["amount"].partition(".")
    pence = int(whole) * 100 + int((rest + "00")[:2])
    if pence == 0:
        raise Refusal(12052073, "The price must be more than zero.")
    return pence
