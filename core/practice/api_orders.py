"""Order search and detail: stored bytes glued together, page by page."""

from __future__ import annotations

from typing import Any

import orjson

from core.practice.answers import Refusal, bad_parameter
from core.practice.gate import Call, whole_number
from core.practice.identity import JSON, PICTURE_BASE
from core.practice.page_tokens import Place, read_token, write_token
from core.practice.parts import Parts

MOST_IDS = 50
STATUSES = frozenset(
    (
        "UNPAID",
        "ON_HOLD",
        "AWAITING_SHIPMENT",
        "PARTIALLY_SHIPPING",
        "AWAITING_COLLECTION",
        "IN_TRANSIT",
        "DELIVERED",
        "COMPLETED",
        "CANCELLED",
    )
)
TIMES = {
    "create_time_ge": "create_time >= ?",
    "create_time_lt": "create_time < ?",
    "update_time_ge": "update_time >= ?",
    "update_time_lt": "update_time < ?",
}
TEXTS = {
    "order_status": "status = ?",
    "shipping_type": "json_extract(CAST(body AS TEXT), '$.shipping_type') = ?",
    "buyer_user_id": "json_extract(CAST(body AS TEXT), '$.user_id') = ?",
}


def search(parts: Parts, call: Call) -> bytes:
    """`POST /order/202309/orders/search` (TikTok Shop API: "Get Order List")."""
    size = whole_number(call, "page_size", 1, 100)
    column = _one_of(call, "sort_field", ("create_time", "update_time"))
    order = _one_of(call, "sort_order", ("DESC", "ASC"))
    wish = call.json()
    where, values = _conditions(wish)
    binding = orjson.dumps([column, order, size, wish], option=orjson.OPT_SORT_KEYS)
    place = _place(call, binding)
    parts.ground.observe()
    if call.struck_by("empty_page"):
        return b'{"orders":[],"next_page_token":"","total_count":0}'
    beyond, so_far = "", []
    if place is not None:
        beyond = f" AND ({column}, id) {'>' if order == 'ASC' else '<'} (?, ?)"
        so_far = [place.value, place.id]
    with parts.ground.world.read() as db:
        rows = db.execute(
            f"SELECT {column}, id, body FROM orders WHERE {where}{beyond} "
            f"ORDER BY {column} {order}, id {order} LIMIT ?",
            (*values, *so_far, size + 1),
        ).fetchall()
        if place is not None:
            total = place.total
        elif len(rows) <= size:
            total = len(rows)
        else:
            total = db.execute(f"SELECT count(*) FROM orders WHERE {where}", values).fetchone()[0]
    more = rows[size - 1] if len(rows) > size else None
    token = "" if more is None else write_token(Place(more[0], more[1], total), binding)
    return _glue(call, [row[2] for row in rows[:size]], _page_end(token, total))


def detail(parts: Parts, call: Call) -> bytes:
    """`GET /order/202507/orders?ids=` (TikTok Shop API: "Get Order Detail"), up to fifty comma-joined ids."""
    ids = [part.strip() for part in call.query.get("ids", "").split(",") if part.strip()]
    if not ids:
        raise bad_parameter("query", "ids", "is missing")
    if len(ids) > MOST_IDS:
        raise bad_parameter("query", "ids", f"must have at most {MOST_IDS} values")
    if not all(part.isdigit() and len(part) < 19 for part in ids):
        raise Refusal(21001001, "Invalid parameter: ids must be order ids.")
    parts.ground.observe()
    marks = ",".join("?" * len(ids))
    with parts.ground.world.read() as db:
        found = dict(
            db.execute(f"SELECT id, body FROM orders WHERE id IN ({marks})", [int(part) for part in ids]).fetchall()
        )
    if not found:
        raise Refusal(21008111, "The order does not belong to this seller.")
    return _glue(call, [found[int(part)] for part in dict.fromkeys(ids) if int(part) in found], "")


def _glue(call: Call, bodies: list[bytes], rest: str) -> bytes:
    """The page, with picture addresses that lead to where the practice shop was asked."""
    page = b'{"orders":[' + b",".join(bodies) + b"]" + rest.encode() + b"}"
    return page.replace(PICTURE_BASE.encode(), call.base_url.encode())


def _page_end(token: str, total: int) -> str:
    """What follows the orders; on a last page the token is empty or not there at all, as it happens."""
    if token or total % 2:
        return f',"next_page_token":"{token}","total_count":{total}'
    return f',"total_count":{total}'


def _one_of(call: Call, name: str, allowed: tuple[str, ...]) -> str:
    value = call.query.get(name) or allowed[0]
    if value not in allowed:
        raise bad_parameter("query", name, f"must be one of {', '.join(allowed)}")
    return value


def _place(call: Call, binding: bytes) -> Place | None:
    token = call.query.get("page_token")
    if not token:
        return None
    place = read_token(token, binding)
    if place is None:
        raise bad_parameter("query", "page_token")
    return place


def _conditions(wish: JSON) -> tuple[str, list[Any]]:
    """The filters of the body as SQL."""
    clauses: list[str] = ["1"]
    values: list[Any] = []
    for name, value in wish.items():
        if value is None:
            continue
        if name in TIMES:
            if type(value) is not int:
                raise bad_parameter("body", name, "must be an integer")
            clauses.append(TIMES[name])
            values.append(value)
        elif name in TEXTS:
            if not isinstance(value, str) or (name == "order_status" and value not in STATUSES):
                raise bad_parameter("body", name)
            clauses.append(TEXTS[name])
            values.append(value)
        else:
            _special(name, value, clauses, values)
    return " AND ".join(clauses), values


def _special(name: str, value: Any, clauses: list[str], values: list[Any]) -> None:
    if name == "is_buyer_request_cancel":
        if not isinstance(value, bool):
            raise bad_parameter("body", name, "must be a boolean")
        if value:  # the practice buyers never ask, they cancel
            clauses.append("0")
    elif name == "warehouse_ids":
        if not isinstance(value, list) or len(value) > 100 or not all(isinstance(part, str) for part in value):
            raise bad_parameter("body", name)
        if value:
            clauses.append(f"warehouse_id IN ({','.join('?' * len(value))})")
            values.extend(value)
    # Unknown members are ignored, as the real gateway does.
