"""Checks requests and answers against the wire contract: names known, types right, what is demanded present."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

SPEC = Path(__file__).parent / "spec"

# In every signed request, whatever the endpoint.
COMMON_QUERY = frozenset({"app_key", "timestamp", "sign"})

# What the documents' prose demands although the specification says optional.
NEEDED_IN_BODY: dict[str, tuple[str, ...]] = {
    "PUT /event/202309/webhooks": ("event_type", "address"),
    "DELETE /event/202309/webhooks": ("event_type",),
    "POST /product/202309/products/{product_id}/inventory/update": (
        "skus",
        "skus[].id",
        "skus[].inventory",
        "skus[].inventory[].quantity",
    ),
    "POST /product/202309/products/{product_id}/prices/update": ("skus", "skus[].id", "skus[].price"),
}
NEEDED_IN_DATA: dict[str, tuple[str, ...]] = {
    "GET /authorization/202309/shops": ("shops", "shops[].id", "shops[].cipher", "shops[].region"),
    "GET /logistics/202309/warehouses": (
        "warehouses", "warehouses[].id", "warehouses[].type", "warehouses[].effect_status",
    ),
    "GET /event/202309/webhooks": ("webhooks", "total_count", "webhooks[].event_type", "webhooks[].address"),
    "POST /product/202502/products/search": (
        "products", "total_count", "products[].id", "products[].status", "products[].skus[].id",
    ),
    "GET /product/202309/products/{product_id}": ("id", "title", "status", "skus", "skus[].id", "skus[].inventory"),
    "POST /product/202309/inventory/search": (
        "inventory", "inventory[].product_id", "inventory[].skus[].id", "inventory[].skus[].total_available_quantity",
        "inventory[].skus[].total_committed_quantity", "inventory[].skus[].warehouse_inventory[].available_quantity",
    ),
    "POST /order/202309/orders/search": (
        "orders", "total_count", "orders[].id", "orders[].status", "orders[].create_time", "orders[].update_time",
        "orders[].payment", "orders[].line_items", "orders[].line_items[].id", "orders[].line_items[].sku_id",
    ),
    "GET /order/202507/orders": (
        "orders", "orders[].id", "orders[].status", "orders[].update_time", "orders[].line_items",
    ),
    "GET /order/202309/orders": (
        "orders", "orders[].id", "orders[].status", "orders[].update_time", "orders[].line_items",
    ),
}  # fmt: skip

# Members that the practice shop adds on purpose, as the real service does without notice.
UNDOCUMENTED_ON_PURPOSE = frozenset({"room_id", "is_temporary_listing", "practice_note"})

# Endpoints that take the shop's cipher, refuse it, or leave the choice.
CIPHER_REFUSED = frozenset({"GET /authorization/202309/shops"})
CIPHER_OPTIONAL = frozenset({"POST /product/202309/products/{product_id}/inventory/update"})

STATUS = frozenset(
    ("UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING", "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED",
    "COMPLETED", "CANCELLED")
)  # fmt: skip
VALUES = {
    "orders[].status": STATUS,
    "orders[].line_items[].display_status": STATUS,
    "orders[].shipping_type": frozenset({"TIKTOK", "SELLER"}),
    "orders[].cancellation_initiator": frozenset({"BUYER", "SELLER", "SYSTEM"}),
    "warehouses[].type": frozenset({"SALES_WAREHOUSE", "RETURN_WAREHOUSE"}),
    "shops[].seller_type": frozenset({"LOCAL", "CROSS_BORDER"}),
}
MONEY = re.compile(r"-?\d+(\.\d+)?")
_TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "boolean": bool, "number": (int, float)}


class BrokenContract(AssertionError):
    """What was sent or answered does not fit the contract."""


def endpoints() -> dict[str, dict[str, Any]]:
    """The whole contract: `METHOD /path` to its facts."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(SPEC.glob("*.json")):
        found |= json.loads(file.read_text(encoding="utf-8"))
    return found


ENDPOINTS = endpoints()


def endpoint_of(method: str, path: str) -> str:
    """The contract's key for a real path; raises BrokenContract for a path that is in no document."""
    for key in ENDPOINTS:
        key_method, template = key.split(" ", 1)
        if key_method == method and re.fullmatch(re.sub(r"\{\w+\}", r"\\d+", template), path):
            return key
    raise BrokenContract(f"{method} {path} is not in the contract")


def check_data(endpoint: str, data: Any) -> None:
    """The `data` member of an answer with code 0."""
    schema = ENDPOINTS[endpoint].get("data", {"type": "object"})
    _check(schema, data, "", tolerant=True)
    _check_needed(data, NEEDED_IN_DATA.get(endpoint, ()))


def check_envelope(answer: Any) -> None:
    """The envelope around every answer."""
    if not isinstance(answer, dict) or set(answer) != {"code", "message", "data", "request_id"}:
        raise BrokenContract(f"not the documented envelope: {answer!r:.200}")
    if type(answer["code"]) is not int or not isinstance(answer["message"], str) or not answer["request_id"]:
        raise BrokenContract(f"a member of the envelope has a wrong type: {answer!r:.200}")
    if answer["code"] != 0 and answer["data"] is not None:
        raise BrokenContract("an error carries data")


def check_request(endpoint: str, query: dict[str, str], body: Any = None) -> None:
    """A request as it goes out: `query` decoded; `body` parsed, None when there is none."""
    facts = ENDPOINTS[endpoint]
    known = {parameter["name"]: parameter for parameter in facts.get("parameters", []) if parameter["in"] == "query"}
    for name, value in query.items():
        if name not in known and name not in COMMON_QUERY:
            raise BrokenContract(f"{endpoint}: the query has an unknown {name}")
        if known.get(name, {}).get("type") == "integer" and not re.fullmatch(r"\d+", str(value)):
            raise BrokenContract(f"{endpoint}: {name} is no whole number: {value!r}")
        if value == "":
            raise BrokenContract(f"{endpoint}: {name} is empty, leave it out instead")
    missing = [name for name, parameter in known.items() if parameter["required"] and name not in query]
    if missing:
        raise BrokenContract(f"{endpoint}: the query lacks {missing[0]}")
    if endpoint not in CIPHER_REFUSED | CIPHER_OPTIONAL and "shop_cipher" not in query:
        raise BrokenContract(f"{endpoint}: the query lacks shop_cipher")
    _check_body(endpoint, facts.get("body"), body)


def _check_body(endpoint: str, facts: dict[str, Any] | None, body: Any) -> None:
    if facts is None:
        if body is not None:
            raise BrokenContract(f"{endpoint} takes no body")
        return
    _check(facts["schema"], {} if body is None else body, "", tolerant=False)
    _check_needed({} if body is None else body, NEEDED_IN_BODY.get(endpoint, ()))


def _check(schema: dict[str, Any], value: Any, where: str, *, tolerant: bool) -> None:
    """Walks schema and value together; an answer may say null and add the members known to be undocumented."""
    if value is None and tolerant:
        return
    kind = schema.get("type", "object")
    if kind == "object":
        if not isinstance(value, dict):
            raise BrokenContract(f"{where or 'the whole'} must be an object, not {value!r:.80}")
        for name, member in value.items():
            _check_member(schema.get("properties", {}), name, member, f"{where}.{name}".lstrip("."), tolerant=tolerant)
    elif kind == "array":
        if not isinstance(value, list):
            raise BrokenContract(f"{where} must be a list, not {value!r:.80}")
        for member in value:
            _check(schema["items"], member, f"{where}[]", tolerant=tolerant)
    else:
        _check_scalar(kind, value, where)


def _check_member(properties: dict[str, Any], name: str, value: Any, where: str, *, tolerant: bool) -> None:
    if name in properties:
        _check(properties[name], value, where, tolerant=tolerant)
    elif not (tolerant and name in UNDOCUMENTED_ON_PURPOSE):
        raise BrokenContract(f"{where} is not in the contract")


def _check_scalar(kind: str, value: Any, where: str) -> None:
    if not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        raise BrokenContract(f"{where} must be {kind}, not {value!r:.80}")
    if where in VALUES and value not in VALUES[where]:
        raise BrokenContract(f"{where} has an undocumented value: {value!r}")
    if where.startswith("orders[].payment.") and not where.endswith("currency") and not MONEY.fullmatch(value):
        raise BrokenContract(f"{where} is no money: {value!r}")


def _check_needed(value: Any, paths: tuple[str, ...]) -> None:
    for path in paths:
        parents: list[Any] = [value]
        for step in path.split("."):
            name = step.removesuffix("[]")
            missing = [parent for parent in parents if not isinstance(parent, dict) or parent.get(name) is None]
            if missing:
                raise BrokenContract(f"{path} is missing")
            parents = [parent[name] for parent in parents]
            if step.endswith("[]"):
                parents = [member for parent in parents for member in parent]
