"""The gateway: finds the endpoint, lets trouble strike, checks the request, answers in the documented envelope."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.practice import api_orders, api_products, api_shop, api_stock
from core.practice.answers import NotPossible, Refusal, envelope, envelope_of_bytes, json_answer
from core.practice.gate import Call, Cipher
from core.practice.journal import Entry, harmless
from core.practice.parts import Handler, Parts
from core.practice.trouble import Trouble

log = logging.getLogger("core.practice")
_ID = re.compile(r"(?<=/)\d{7,}(?=/|$)")  # a version has six digits, an id more
_HTML = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body><h1>503</h1></body></html>"


@dataclass(frozen=True)
class Endpoint:
    """One operation: who answers it, the scope it needs, whether it takes a cipher, whether it changes anything."""

    handler: Handler
    scope: str
    cipher: Cipher = Cipher.REQUIRED
    writes: bool = False


ENDPOINTS = {
    "/authorization/202309/shops": {"GET": Endpoint(api_shop.shops, "seller.authorization.info", Cipher.REFUSED)},
    "/logistics/202309/warehouses": {"GET": Endpoint(api_shop.warehouses, "seller.logistics")},
    "/event/202309/webhooks": {
        "GET": Endpoint(api_shop.list_webhooks, "seller.authorization.info"),
        "PUT": Endpoint(api_shop.put_webhook, "seller.authorization.info", writes=True),
        "DELETE": Endpoint(api_shop.delete_webhook, "seller.authorization.info", writes=True),
    },
    "/product/202502/products/search": {"POST": Endpoint(api_products.search, "seller.product.basic")},
    "/product/202309/products/{product_id}": {"GET": Endpoint(api_products.get, "seller.product.basic")},
    "/product/202309/inventory/search": {"POST": Endpoint(api_stock.search, "seller.product.basic")},
    "/product/202309/products/{product_id}/inventory/update": {
        "POST": Endpoint(api_stock.update, "seller.product.write", Cipher.OPTIONAL, writes=True)
    },
    "/product/202309/products/{product_id}/prices/update": {
        "POST": Endpoint(api_stock.update_prices, "seller.product.write", writes=True)
    },
    "/order/202309/orders/search": {"POST": Endpoint(api_orders.search, "seller.order.info")},
    "/order/202309/orders": {"GET": Endpoint(api_orders.detail, "seller.order.info")},
    "/order/202507/orders": {"GET": Endpoint(api_orders.detail, "seller.order.info")},
}
_VERSION = re.compile(r"^/([a-z_]+)/\d{6}/")
_WITHOUT_VERSION = {_VERSION.sub(r"/\1/*/", path) for path in ENDPOINTS}


def find_endpoint(method: str, path: str) -> tuple[str, Endpoint]:
    """The path as documented and the endpoint behind it; raises Refusal for an unknown path, version or method."""
    template = _ID.sub("{product_id}", path)
    methods = ENDPOINTS.get(template)
    if methods is None:
        if _VERSION.sub(r"/\1/*/", template) in _WITHOUT_VERSION:
            raise Refusal(36009014, "Invalid API version. The version is retired or does not exist.")
        raise Refusal(36009009, "Invalid path. Please check the path of the request.")
    if method not in methods:
        raise Refusal(36009010, f"The method {method} is not allowed for this path.")
    return template, methods[method]


class Gateway:
    """The ASGI application that serves the signed API."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        call = await _read(request)
        call.troubles = self._parts.troubles.strike(call.method, call.path, api=True)
        await self._wait(call)
        if call.struck_by("timeout_before"):
            self._note(call, call.path, 0, None, False, 0.0, "")
            await cut_off(request, call.struck_by("timeout_before"))
            return
        response = self._answer(call)
        if call.struck_by("timeout_after"):
            await cut_off(request, call.struck_by("timeout_after"))
            return
        await response(scope, receive, send)

    async def _wait(self, call: Call) -> None:
        """The latency of the line and slow answers; other requests go on meanwhile."""
        seconds = self._parts.ground.settings.latency_ms / 1000
        seconds += sum(trouble.delay for trouble in call.troubles if trouble.kind == "slow")
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _answer(self, call: Call) -> Response:
        started, request_id, endpoint, wrote = time.perf_counter(), self._parts.ground.request_id(), call.path, False
        now = self._parts.ground.now() + self._parts.troubles.clock_offset()
        code: int | None = 0
        headers = {"Date": formatdate(now, usegmt=True)}
        try:
            broken = self._broken(call)
            if broken is not None:
                return self._done(broken, call, endpoint, None, False, started, request_id)
            endpoint, found = find_endpoint(call.method, call.path)
            self._parts.gate.pass_through(call, f"{call.method} {endpoint}", found.scope, found.cipher, now)
            call.ids = tuple(_ID.findall(call.path))
            body, status, wrote = envelope_of_bytes(found.handler(self._parts, call), request_id), 200, found.writes
        except Refusal as refusal:
            body, status, code = self._refused(call, refusal, request_id)
            headers |= refusal.headers
        except NotPossible as problem:
            body, status, code = envelope(36009003, str(problem), None, request_id), 500, 36009003
        except Exception:
            log.exception("The practice shop failed at %s %s", call.method, endpoint)
            body, status, code = envelope(36009003, "Internal error.", None, request_id), 500, 36009003
        if code == 0 and call.struck_by("garbage"):
            body = body[: max(1, len(body) * 2 // 3)]
        return self._done(json_answer(body, status, headers), call, endpoint, code, wrote, started, request_id)

    def _broken(self, call: Call) -> Response | None:
        """Trouble that answers before anything is looked at, or that takes the session away."""
        if call.struck_by("unavailable_html"):
            return Response(_HTML, 503, media_type="text/html")
        limit, error = call.struck_by("rate_limit"), call.struck_by("server_error")
        if limit:
            headers = {} if limit.retry_after is None else {"Retry-After": str(limit.retry_after)}
            raise Refusal(36009002, "Too many requests. Please slow down.", status=429, headers=headers)
        if error:
            raise Refusal(36009003, "Internal error, please retry.", status=error.status or 500)
        if call.struck_by("expired_token"):
            self._parts.auth.expire_access_tokens()
        if call.struck_by("revoked"):
            with self._parts.ground.world.write() as db:
                self._parts.auth.revoke()
                self._parts.hooks.deauthorised(db)
        return None

    def _refused(self, call: Call, refusal: Refusal, request_id: str) -> tuple[bytes, int, int]:
        status = refusal.status or self._parts.ground.settings.status_of(refusal.code)
        expired = call.struck_by("expired_token")
        if refusal.code == 105002 and expired and expired.status:
            status = expired.status
        return envelope(refusal.code, refusal.message, None, request_id), status, refusal.code

    def _done(
        self,
        response: Response,
        call: Call,
        endpoint: str,
        code: int | None,
        wrote: bool,
        started: float,
        request_id: str,
    ) -> Response:
        self._note(
            call, endpoint, response.status_code, code, wrote, (time.perf_counter() - started) * 1000, request_id
        )
        return response

    def _note(
        self, call: Call, endpoint: str, status: int, code: int | None, wrote: bool, took_ms: float, request_id: str
    ) -> None:
        now = self._parts.ground.now()
        query = harmless(call.query)
        entry = Entry(now, call.method, call.path, endpoint, query, status, code, wrote, round(took_ms, 3), request_id)
        self._parts.journal.note(entry)


async def _read(request: Request) -> Call:
    raw_path = request.scope.get("raw_path") or request.scope["path"].encode()
    query = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
    headers = request.headers
    return Call(
        method=request.method, path=raw_path.decode("latin-1").split("?")[0], query=query, body=await request.body(),
        content_type=headers.get("content-type", ""), token=headers.get("x-tts-access-token", ""),
        base_url=f"http://{headers.get('host', '127.0.0.1')}",
    )  # fmt: skip


async def cut_off(request: Request, trouble: Trouble | None) -> None:
    """Ends the connection without an answer, after the stall that the trouble asks for."""
    await asyncio.sleep(trouble.stall if trouble else 0)
    request.scope["practice.cut"]()
    await asyncio.sleep(0)  # lets the server notice before it would answer for us
