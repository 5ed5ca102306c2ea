"""The consent page and the token host, as the seller and the app meet them."""

from __future__ import annotations

import asyncio
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.practice.answers import Refusal, envelope, json_answer
from core.practice.api import cut_off
from core.practice.identity import CREDENTIALS, SHOP_NAME
from core.practice.journal import Entry
from core.practice.parts import Parts
from core.practice.trouble import Trouble

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Practice shop: allow access</title>
<style>
 :root {{ color-scheme: light dark }}
 body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center;
  background: #f4f3f0; color: #24292c }}
 main {{ background: #fff; max-width: 26rem; margin: 1rem; padding: 2rem; border-radius: 12px;
  border: 1px solid #ddd9d2 }}
 h1 {{ font-size: 1.25rem; margin: 0 0 .75rem }} ul {{ padding-left: 1.2rem; color: #55605f }}
 .row {{ display: flex; gap: .75rem; margin-top: 1.5rem }}
 a {{ flex: 1; text-align: center; padding: .65rem 1rem; border-radius: 8px; text-decoration: none;
  border: 1px solid #3f6b63; color: #2d554e }}
 a.yes {{ background: #2f6f63; color: #fff }} a:focus-visible {{ outline: 3px solid #8fb8ae; outline-offset: 2px }}
 @media (prefers-color-scheme: dark) {{ body {{ background: #16191a; color: #e6e8e7 }}
  main {{ background: #1f2425; border-color: #343b3c }}
  ul {{ color: #a9b4b2 }} a {{ color: #a8d3ca }} }}
</style></head><body><main>
<h1>Allow access to {shop}?</h1>
<p>This is the practice shop on your own computer. An app asks to read and change:</p>
<ul><li>shop and warehouse details</li><li>products, prices and stock</li><li>orders</li></ul>
<div class="row"><a class="yes" href="{allow}">Allow</a><a href="{refuse}">Refuse</a></div>
</main></body></html>"""


def consent_routes(parts: Parts) -> list[Route]:
    """`/open/authorize` and the two token calls."""

    async def authorize(request: Request) -> Response:
        return _authorize(parts, request)

    return [
        Route("/open/authorize", authorize),
        Route("/api/v2/token/{call}", TokenHost(parts)),
    ]


def _authorize(parts: Parts, request: Request) -> Response:
    """Asks the seller; `decision=allow|refuse` answers as the buttons do (TikTok Shop API: "Authorize link")."""
    query = dict(parse_qsl(request.scope["query_string"].decode("latin-1")))
    if query.get("service_id") != CREDENTIALS.service_id:
        return HTMLResponse("<p>This service_id belongs to no app of the practice shop.</p>", 400)
    decision, state = query.get("decision"), {"state": query["state"]} if query.get("state") else {}
    if decision == "allow":
        return RedirectResponse(_back(parts, {"code": parts.auth.new_code(), **state}), 302)
    if decision == "refuse":
        return RedirectResponse(_back(parts, {"code": "null", "error": "auth_denied", **state}), 302)
    links = {answer: escape("?" + urlencode({**query, "decision": answer})) for answer in ("allow", "refuse")}
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "Referrer-Policy": "no-referrer",
    }
    return HTMLResponse(_PAGE.format(shop=escape(SHOP_NAME), **links), headers=headers)


def _back(parts: Parts, answer: dict[str, str]) -> str:
    uri = parts.ground.settings.redirect_uri
    return uri + ("&" if urlsplit(uri).query else "?") + urlencode(answer)


class TokenHost:
    """`/api/v2/token/get` and `/api/v2/token/refresh`: unsigned, everything in the query, HTTP 200 also for a no."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one token call; a trouble whose path names it strikes here too."""
        request = Request(scope, receive)
        troubles = {one.kind: one for one in self._parts.troubles.strike(request.method, request.url.path, api=False)}
        if "slow" in troubles:
            await asyncio.sleep(troubles["slow"].delay)
        if "timeout_before" in troubles:
            await cut_off(request, troubles["timeout_before"])
            return
        response = _broken(troubles, self._parts) or self._answer(request)
        if "timeout_after" in troubles:
            await cut_off(request, troubles["timeout_after"])
            return
        if "garbage" in troubles:
            response = json_answer(bytes(response.body)[:40])
        await response(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        query = dict(parse_qsl(request.scope["query_string"].decode("latin-1")))
        request_id, path, code = self._parts.ground.request_id(), request.url.path, 0
        calls = {"/api/v2/token/get": self._parts.auth.get_tokens, "/api/v2/token/refresh": self._parts.auth.refresh}
        try:
            if path not in calls or request.method != "GET":
                raise Refusal(36009009, "Invalid path. Please check the path of the request.")
            body, status = envelope(0, "success", calls[path](query), request_id), 200
        except Refusal as refusal:
            code, status = refusal.code, refusal.status or self._parts.ground.settings.status_of(refusal.code)
            body = envelope(code, refusal.message, None, request_id)
        entry = Entry(
            self._parts.ground.now(), request.method, path, path, {}, status, code, code == 0, 0.0, request_id
        )
        self._parts.journal.note(entry)
        return json_answer(body, status)


def _broken(troubles: dict[str, Trouble], parts: Parts) -> Response | None:
    """The troubles that answer instead of the token host."""
    request_id = parts.ground.request_id()
    if "unavailable_html" in troubles:
        return HTMLResponse("<h1>503</h1>", 503)
    if limit := troubles.get("rate_limit"):
        headers = {} if limit.retry_after is None else {"Retry-After": str(limit.retry_after)}
        return json_answer(envelope(36009002, "Too many requests. Please slow down.", None, request_id), 429, headers)
    if error := troubles.get("server_error"):
        return json_answer(envelope(36009003, "Internal error, please retry.", None, request_id), error.status or 500)
    return None
