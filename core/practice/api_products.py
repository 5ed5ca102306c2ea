"""Product search and product detail, worded as the API words them."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from core.practice.answers import Refusal, bad_parameter
from core.practice.bodies import money
from core.practice.gate import Call, whole_number
from core.practice.identity import CURRENCY, JSON, REGION
from core.practice.page_tokens import Place, read_token, write_token
from core.practice.parts import Parts

STATUSES = frozenset(
    ("ALL", "DRAFT", "PENDING", "FAILED", "ACTIVATE", "SELLER_DEACTIVATED", "PLATFORM_DEACTIVATED", "FREEZE", "DELETED")
)
HIDDEN = ("FREEZE", "DELETED")  # cannot be read one by one, stocked or edited
TIMES = {
    "create_time_ge": "create_time >= ?",
    "create_time_le": "create_time <= ?",
    "update_time_ge": "update_time >= ?",
    "update_time_le": "update_time <= ?",
}
FILTERS = {"seller_skus": ("seller_sku", 12019027), "sku_ids": ("id", 12019087)}


def search(parts: Parts, call: Call) -> bytes:
    """`POST /product/202502/products/search` (TikTok Shop API: "Search Products"); time filters include both ends."""
    size = whole_number(call, "page_size", 1, 100, Refusal(12019109, "The page_size is invalid."))
    wish = call.json()
    where, values = _conditions(wish)
    binding = orjson.dumps(["products", size, wish], option=orjson.OPT_SORT_KEYS)
    token = call.query.get("page_token")
    place = read_token(token, binding) if token else Place(0, 0, -1)
    if place is None:
        raise Refusal(12019108, "The page_token is invalid.")
    if call.struck_by("empty_page"):
        return b'{"products":[],"next_page_token":"","total_count":0}'
    with parts.ground.world.read() as db:
        total = (
            place.total
            if place.total >= 0
            else int(db.execute(f"SELECT count(*) FROM products WHERE {where}", values).fetchone()[0])
        )
        window = parts.ground.settings.result_window
        if window and total > window:
            raise Refusal(12052180, f"The filter matches more than {window} products, narrow it.")
        rows = db.execute(
            "SELECT id, title, status, create_time, update_time FROM products "
            f"WHERE {where} AND id > ? ORDER BY id LIMIT ?",
            (*values, str(place.id), size + 1),
        ).fetchall()
        skus = _skus_of(db, [row[0] for row in rows[:size]])
    products = [_found(row, skus.get(row[0], [])) for row in rows[:size]]
    next_token = write_token(Place(0, int(rows[size - 1][0]), total), binding) if len(rows) > size else ""
    return orjson.dumps({"products": products, "next_page_token": next_token, "total_count": total})


def get(parts: Parts, call: Call) -> bytes:
    """`GET /product/202309/products/{id}` (TikTok Shop API: "Get Product"); flat, not for frozen or deleted ones."""
    if call.query.get("return_under_review_version") == "true":
        raise Refusal(12052547, "There is no version under review.")
    with parts.ground.world.read() as db:
        row = db.execute(
            "SELECT id, title, status, create_time, update_time, category, brand, description "
            "FROM products WHERE id = ?",
            call.ids,
        ).fetchone()
        if row is None:
            raise Refusal(12052032, "The product does not exist.")
        if row[2] in HIDDEN:
            raise Refusal(12019113, f"The product cannot be read in status {row[2]}.")
        skus = _skus_of(db, [row[0]]).get(row[0], [])
    return orjson.dumps(_whole(row, skus, call.base_url))


def _conditions(wish: JSON) -> tuple[str, list[Any]]:
    clauses, values = ["1"], []
    status = wish.get("status", "ALL")
    if status not in STATUSES:
        raise bad_parameter("body", "status")
    if status != "ALL":
        clauses.append("status = ?")
        values.append(status)
    for name, clause in TIMES.items():
        value = wish.get(name)
        if value is None:
            continue
        if type(value) is not int:
            raise Refusal(12019118 if name.startswith("create") else 12019119, f"The {name} is invalid.")
        clauses.append(clause)
        values.append(value)
    for name, (column, too_many) in FILTERS.items():
        wanted = wish.get(name) or []
        if not isinstance(wanted, list) or not all(isinstance(part, str) for part in wanted):
            raise bad_parameter("body", name)
        if len(wanted) > 10:
            raise Refusal(too_many, f"At most 10 {name} can be searched at once.")
        if wanted:
            clauses.append(f"id IN (SELECT product_id FROM skus WHERE {column} IN ({','.join('?' * len(wanted))}))")
            values.extend(wanted)
    _audit(wish, clauses)
    return " AND ".join(clauses), values


def _audit(wish: JSON, clauses: list[str]) -> None:
    wanted = wish.get("audit_status") or []
    if not isinstance(wanted, list):
        raise bad_parameter("body", "audit_status")
    if wanted:
        clauses.append("status <> 'DRAFT'" if "APPROVED" in wanted else "0")


def _skus_of(db: sqlite3.Connection, product_ids: list[str]) -> dict[str, list[JSON]]:
    """The SKUs of some products, with the stock that can be ordered per warehouse."""
    marks = ",".join("?" * len(product_ids))
    rows = db.execute(
        "SELECT s.product_id, s.id, s.seller_sku, s.price, s.colour, s.size, s.barcode, k.warehouse_id, k.available "
        f"FROM skus s JOIN stock k ON k.sku_id = s.id WHERE s.product_id IN ({marks}) "
        "ORDER BY s.product_id, s.position, k.warehouse_id",
        product_ids,
    )
    found: dict[str, list[JSON]] = {}
    for product_id, sku_id, seller_sku, price, colour, size, barcode, warehouse_id, available in rows:
        skus = found.setdefault(product_id, [])
        if not skus or skus[-1]["id"] != sku_id:
            skus.append(
                {"id": sku_id, "seller_sku": seller_sku, "price": {"currency": CURRENCY,
                "tax_exclusive_price": money(price)},
                 "inventory": [], "status_info": {"status": "NORMAL"}, "_more": (colour, size, barcode)}
            )  # fmt: skip
        skus[-1]["inventory"].append({"warehouse_id": warehouse_id, "quantity": available})
    return found


def _audit_of(status: str) -> JSON:
    return {"status": "NONE" if status == "DRAFT" else "APPROVED", "pre_approved_reasons": []}


def _found(row: tuple[Any, ...], skus: list[JSON]) -> JSON:
    """One product as search words it; optional members come and go."""
    product_id, title, status, created, updated = row
    for sku in skus:
        del sku["_more"]
    product: JSON = {
        "id": product_id, "title": title, "status": status, "create_time": created, "update_time": updated,
        "has_draft": False,
        "sales_regions": [REGION], "skus": skus, "audit": _audit_of(status),
    }  # fmt: skip
    oddity = int(product_id) // 1_000 % 7
    if oddity == 0:
        product["product_sync_fail_reasons"] = None
    elif oddity == 1:
        product.update(
            is_not_for_sale=False, recommended_categories=[], practice_note="a member that no document knows"
        )
    elif oddity == 2:
        del product["audit"], product["has_draft"]
    return product


def _whole(row: tuple[Any, ...], skus: list[JSON], base_url: str) -> JSON:
    """One product as Get Product words it."""
    product_id, title, status, created, updated, category, brand, description = row
    for sku in skus:
        colour, size, barcode = sku.pop("_more")
        sku["price"]["sale_price"] = sku["price"]["tax_exclusive_price"]
        sku["identifier_code"] = {"code": barcode, "type": "EAN"}
        sku["sales_attributes"] = [_attribute("100000", "Colour", colour)] + (
            [_attribute("100007", "Size", size)] if size else []
        )
    picture = f"{base_url}/practice/pictures/{product_id}.svg"
    return {
        "id": product_id, "title": title, "status": status, "product_status": status, "description": description,
        "brand": {"id": "7082427311584347905", "name": brand},
        "category_chains": [
            {"id": "600001", "parent_id": "0", "is_leaf": False, "local_name": "Home & Living"},
            {"id": "600002", "parent_id": "600001", "is_leaf": True, "local_name": category},
        ],
        "main_images": [
            {"uri": f"practice/{product_id}", "urls": [picture], "thumb_urls": [picture], "width": 600, "height": 600}
        ],
        "package_weight": {"unit": "KILOGRAM", "value": "0.6"}, "create_time": created, "update_time": updated,
        "has_draft": False, "is_cod_allowed": False, "audit": _audit_of(status), "skus": skus,
    }  # fmt: skip


def _attribute(attribute_id: str, name: str, value: str) -> JSON:
    value_id = str(
        7_000_000_000_000_000_000 + sum(ord(letter) * 131**place for place, letter in enumerate(value[:8])) % 10**12
    )
    return {"id": attribute_id, "name": name, "value_id": value_id, "value_name": value}
