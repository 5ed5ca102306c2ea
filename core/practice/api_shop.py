"""The smaller endpoints: authorised shops, warehouses, and webhook registrations."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import orjson

from core.practice.answers import bad_parameter
from core.practice.gate import Call
from core.practice.identity import (
    JSON,
    MAIN_WAREHOUSE,
    REGION,
    RETURN_WAREHOUSE,
    SECOND_WAREHOUSE,
    SHOP_CIPHER,
    SHOP_CODE,
    SHOP_ID,
    SHOP_NAME,
)
from core.practice.parts import Parts
from core.practice.webhooks import TYPES, is_loopback

LONGEST_ADDRESS = 255


def shops(_parts: Parts, _call: Call) -> bytes:
    """`GET /authorization/202309/shops` (TikTok Shop API: "Get Authorized Shops")."""
    shop = {
        "id": SHOP_ID,
        "name": SHOP_NAME,
        "region": REGION,
        "seller_type": "LOCAL",
        "cipher": SHOP_CIPHER,
        "code": SHOP_CODE,
    }
    return orjson.dumps({"shops": [shop]})


def warehouses(_parts: Parts, _call: Call) -> bytes:
    """`GET /logistics/202309/warehouses` (TikTok Shop API: "Get Warehouse List"; `distict` is spelt so)."""
    rows = [
        _warehouse(MAIN_WAREHOUSE, "Harbour warehouse", "SALES_WAREHOUSE", "Bristol", "1 Example Quay", "BS1 0AA"),
        _warehouse(SECOND_WAREHOUSE, "Pine Street stockroom", "SALES_WAREHOUSE", "Leeds", "2 Sample Street", "LS1 0AA"),
        _warehouse(RETURN_WAREHOUSE, "Returns desk", "RETURN_WAREHOUSE", "Bristol", "1 Example Quay", "BS1 0AA"),
    ]
    return orjson.dumps({"warehouses": rows})


def _warehouse(number: str, name: str, kind: str, city: str, street: str, postcode: str) -> JSON:
    address = {
        "region": "United Kingdom", "state": "England", "city": city, "distict": city, "contact_person": "Pat Practice",
        "postal_code": postcode, "full_address": f"{street}, {city}, {postcode}", "region_code": REGION,
        "address_line1": street,
        "phone_number": "(+44)7700900000",
    }  # fmt: skip
    return {
        "id": number, "entity_id": "7300000000000000100", "name": name, "effect_status": "ENABLED", "type": kind,
        "sub_type": "DOMESTIC_WAREHOUSE", "is_default": number != SECOND_WAREHOUSE, "address": address,
    }  # fmt: skip


def list_webhooks(parts: Parts, _call: Call) -> bytes:
    """`GET /event/202309/webhooks` (TikTok Shop API: "Get Shop Webhooks")."""
    rows = parts.hooks.registered()
    return orjson.dumps({"webhooks": rows, "total_count": len(rows)})


def put_webhook(parts: Parts, call: Call) -> bytes:
    """`PUT /event/202309/webhooks`: creates or replaces; plain http is taken for this machine only."""
    wish = call.json()
    event_type, address = _event_type(wish.get("event_type")), wish.get("address")
    if not address:
        raise bad_parameter("body", "address", "is missing")
    if not isinstance(address, str) or len(address) > LONGEST_ADDRESS:
        raise bad_parameter("body", "address", f"must be a text of at most {LONGEST_ADDRESS} characters")
    secure = urlsplit(address).scheme == "https" or (urlsplit(address).scheme == "http" and is_loopback(address))
    if not secure:
        raise bad_parameter("body", "address", "must be an https address")
    parts.hooks.register(event_type, address)
    return b"{}"


def delete_webhook(parts: Parts, call: Call) -> bytes:
    """`DELETE /event/202309/webhooks`: succeeds also when nothing was registered."""
    parts.hooks.unregister(_event_type(call.json().get("event_type")))
    return b"{}"


def _event_type(value: Any) -> str:
    if not value:
        raise bad_parameter("body", "event_type", "is missing")
    if value not in TYPES:
        raise bad_parameter("body", "event_type")
    return str(value)
