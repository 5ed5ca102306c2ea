"""The practice shop's own routes: what a test or the practice panel may do to it. They are no part of the real API."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.practice.answers import NotPossible
from core.practice.bodies import money
from core.practice.identity import JSON
from core.practice.pictures import draw_picture
from core.practice.shop import PracticeShop
from core.practice.stock import Truth
from core.practice.trouble import KINDS

Verb = Callable[[JSON], Any]
_PRICE = re.compile(r"(\d{1,7})(?:\.(\d{1,2}))?")


def truth_as_json(truth: Truth) -> JSON:
    """One SKU as the control routes show it."""
    return {
        "sku_id": truth.sku_id, "product_id": truth.product_id, "seller_sku": truth.seller_sku,
        "own_sku": truth.own_sku,
        "title": truth.title, "variant": truth.variant, "price": money(truth.price), "status": truth.status,
        "barcode": truth.barcode, "locked": truth.locked, "available": truth.available, "committed": truth.committed,
        "warehouses": [asdict(held) for held in truth.warehouses],
    }  # fmt: skip


def control_routes(shop: PracticeShop) -> list[Route]:
    """All routes below /practice."""
    verbs = _verbs(shop)
    routes = [Route(f"/practice/{name}", _posted(verb), methods=["POST"]) for name, verb in verbs.items()]
    return [
        *routes,
        Route("/practice/orders/{order_id}/{action}", _order_event(shop), methods=["POST"]),
        Route("/practice/orders/{order_id}", _asked(lambda request: shop.order(request.path_params["order_id"]))),
        Route("/practice/trouble", _asked(lambda _: {"troubles": shop.parts.troubles.listed(), "kinds": KINDS})),
        Route("/practice/trouble", _asked(lambda _: _done(shop.clear_trouble)), methods=["DELETE"]),
        Route("/practice/state", _asked(lambda request: _state(shop, request))),
        Route("/practice/log", _asked(lambda request: shop.parts.journal.report(_number(request, "last", 100)))),
        Route("/practice/pictures/{product_id}.svg", _picture(shop)),
    ]


def _verbs(shop: PracticeShop) -> dict[str, Verb]:
    return {
        "buy": lambda wish: {"order_id": _buy(shop, wish)},
        "stock": lambda wish: truth_as_json(
            shop.set_stock(_sku(wish), _whole(wish, "available"), wish.get("warehouse_id"))
        ),
        "price": lambda wish: truth_as_json(shop.set_price(_sku(wish), _pence(wish.get("amount")))),
        "promotion": lambda wish: truth_as_json(shop.set_promotion(_sku(wish), bool(wish.get("locked", True)))),
        "status": lambda wish: _done(lambda: shop.set_status(str(wish.get("product_id")), str(wish.get("status")))),
        "pass-time": lambda wish: {"events": shop.pass_time(float(wish.get("seconds", 0)))},
        "tick": lambda _: {"events": shop.tick()},
        "busy": lambda wish: {"orders": shop.busy(_whole(wish, "orders"), float(wish.get("minutes", 0)))},
        "trouble": lambda wish: asdict(shop.trouble(**_with_kind(wish))),
        "trouble/clear": lambda _: _done(shop.clear_trouble),
        "webhook-trouble": lambda wish: asdict(shop.webhook_trouble(**wish)),
        "settings": lambda wish: asdict(shop.change_settings(**wish)),
        "log/reset": lambda _: _done(shop.parts.journal.reset),
    }


def _posted(verb: Verb) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            wish = await _wish(request)
            return _json(await run_in_threadpool(verb, wish))
        except (NotPossible, TypeError, ValueError) as problem:
            return _problem(problem)

    return answer


def _asked(question: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            return _json(await run_in_threadpool(question, request))
        except (NotPossible, ValueError) as problem:
            return _problem(problem)

    return answer


def _order_event(shop: PracticeShop) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        number, action = request.path_params["order_id"], request.path_params["action"]
        try:
            wish = await _wish(request)
            if action == "cancel":
                who, reason = str(wish.get("by", "BUYER")), wish.get("reason")
                return _json(
                    await run_in_threadpool(shop.cancel, number, by=who, reason=reason, line_ids=wish.get("line_ids"))
                )
            if action == "ship":
                return _json(await run_in_threadpool(shop.ship, number, wish.get("line_ids")))
            return _json(await run_in_threadpool(shop.act, number, action))
        except NotPossible as problem:
            return _problem(problem)

    return answer


def _picture(shop: PracticeShop) -> Callable[[Request], Any]:
    def answer(request: Request) -> Response:
        number = request.path_params["product_id"]
        with shop.world.read() as db:
            row = db.execute("SELECT id, title, ink FROM products WHERE id = ?", (number,)).fetchone()
        if row is None:
            return Response(status_code=404)
        headers = {"Cache-Control": "public, max-age=86400", "Content-Security-Policy": "default-src 'none'"}
        return Response(draw_picture(*row), media_type="image/svg+xml", headers=headers)

    return answer


def _state(shop: PracticeShop, request: Request) -> JSON:
    """The whole shop in numbers, and a page of SKUs as they really are."""
    size = min(_number(request, "page_size", 50), 1_000)
    offset = (max(_number(request, "page", 1), 1) - 1) * size
    if sku := request.query_params.get("sku"):
        return {**shop.state(), "skus": [truth_as_json(shop.truth(sku))]}
    truths = shop.truths(offset=offset, limit=size, query=request.query_params.get("q", ""))
    return {**shop.state(), "skus": [truth_as_json(truth) for truth in truths]}


async def _wish(request: Request) -> JSON:
    """The JSON object in the body; only JSON is taken, so that no form of a foreign page can do anything here."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise NotPossible("Send a JSON object with the content type application/json.")
    try:
        wish = orjson.loads(await request.body() or b"{}")
    except orjson.JSONDecodeError:
        raise NotPossible("The body is not valid JSON.") from None
    if not isinstance(wish, dict):
        raise NotPossible("The body must be a JSON object.")
    return wish


def _buy(shop: PracticeShop, wish: JSON) -> str:
    quantity = _whole({"quantity": 1, **wish}, "quantity")
    return shop.buy(_sku(wish), quantity, paid=bool(wish.get("paid", True)), warehouse_id=wish.get("warehouse_id"))


def _done(work: Callable[[], None]) -> JSON:
    """An empty answer after work that returns nothing."""
    work()
    return {}


def _sku(wish: JSON) -> str:
    sku = wish.get("sku_id") or wish.get("seller_sku")
    if not sku:
        raise NotPossible("Say which SKU, by sku_id or seller_sku.")
    return str(sku)


def _whole(wish: JSON, name: str) -> int:
    if type(wish.get(name)) is not int:
        raise NotPossible(f"{name} must be a whole number.")
    return int(wish[name])


def _pence(amount: Any) -> int:
    match = _PRICE.fullmatch(str(amount))
    if match is None:
        raise NotPossible('amount must be a price such as "24.50".')
    return int(match[1]) * 100 + int(((match[2] or "") + "00")[:2])


def _with_kind(wish: JSON) -> JSON:
    return {"kind": "", **wish}


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdigit() else default


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), media_type="application/json")


def _problem(problem: Exception) -> Response:
    body = orjson.dumps({"problem": str(problem)})
    return Response(body, 409, media_type="application/json")
