"""What the web server does besides pages: the runtime's start and stop, sign-in callback, webhooks, health, guard."""

import gc
import logging
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from anyio import to_thread
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.runtime import Runtime, current, install
from core.settings import settings
from core.store.errors import StoreProblem
from core.store.vault import VaultLocked
from core.sync import hooks
from core.sync.signin import load_app
from core.tiktok.auth import App
from core.tiktok.reading import Unreadable
from core.tiktok.signing import verify_webhook
from core.tiktok.webhooks import parse

LARGEST_EVENT = 1 << 20
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_log = logging.getLogger("evenstock.server")


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Start the runtime before the first page and stop it after the last; opens the browser where there is one."""
    port, headless = _server_options()
    runtime = Runtime(settings(), port=port)
    try:
        await to_thread.run_sync(runtime.start)
    except StoreProblem as problem:
        _log.error("%s", problem)
        raise SystemExit(f"\n{problem}\n") from None
    install(runtime)
    threading.Thread(target=_warm_up, daemon=True).start()
    if not headless:
        threading.Timer(0.5, webbrowser.open, [f"http://localhost:{port}"]).start()
    try:
        yield
    finally:
        install(None)
        await to_thread.run_sync(runtime.stop)


def _server_options() -> tuple[int, bool]:
    from streamlit import config

    return int(config.get_option("server.port")), bool(config.get_option("server.headless"))


def _warm_up() -> None:
    """Import what the first page needs, then spare later garbage collections all of it (0.05 s each otherwise)."""
    import pandas
    import plotly.graph_objects

    assert pandas
    assert plotly
    gc.collect()
    gc.freeze()


async def oauth_callback(request: Request) -> Response:
    """Where TikTok sends the owner back to; ends on the Connection page with the result."""
    result = await to_thread.run_sync(lambda: current().connect_finish(str(request.url), from_callback=True))
    told = {"connected": "1"} if result.ok else {"problem": result.sentence, "next": result.next_step}
    return RedirectResponse(f"/connection?{urlencode(told)}", status_code=303)


async def receive_hook(request: Request) -> Response:
    """Take a webhook: check its signature over the raw bytes, store it, answer; the work is done afterwards."""
    raw = await _body(request)
    if raw is None:
        return PlainTextResponse("", status_code=413)
    runtime = current()
    app = await to_thread.run_sync(_hook_app, runtime)
    if app is None or not verify_webhook(app.key, app.secret, raw, request.headers.get("authorization", "")):
        return PlainTextResponse("", status_code=401)
    event = parse(raw)
    if isinstance(event, Unreadable):
        return PlainTextResponse("", status_code=200)
    try:
        await to_thread.run_sync(hooks.keep, runtime.store, event)
    except StoreProblem:
        return PlainTextResponse("", status_code=503)  # TikTok sends it again later
    runtime.heard()
    return PlainTextResponse("", status_code=200)


def _hook_app(runtime: Runtime) -> App | None:
    try:
        return load_app(runtime.vault, "practice" if runtime.is_practice else "main")
    except VaultLocked:
        return None


async def _body(request: Request) -> bytes | None:
    """The raw body, or None as soon as it is larger than any event."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_EVENT:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


async def health(_request: Request) -> Response:
    """Whether the loop is alive; for a person or a watchdog on this computer."""
    state = await to_thread.run_sync(lambda: current().loop())
    return JSONResponse({"ok": state.alive or state.paused, "beat_at": state.beat_at, "paused": state.paused})


class Guard:
    """Let a public host name reach the webhook and the sign-in callback and nothing else, and add safe headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse foreign hosts before anything else sees them."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if not _is_local(scope) and not _is_public(scope):
            await _refuse(scope, receive, _with_headers(send))
            return
        await self.app(scope, receive, _with_headers(send))


def _is_local(scope: Scope) -> bool:
    """Whether it was asked for under a name of this computer; a live connection also by a page of this computer.

    Streamlit checks the page as well, but to do so it asks an outside service for this computer's address.
    """
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    foreign_page = scope["type"] == "websocket" and origin and _name(origin.partition("://")[2]) not in _LOCAL
    return not foreign_page and _name(headers.get(b"host", b"").decode("latin-1").lower()) in _LOCAL


def _name(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if port.isdigit() else host


def _is_public(scope: Scope) -> bool:
    return scope["type"] == "http" and (scope["method"], scope["path"]) in PUBLIC


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await PlainTextResponse("Not found", status_code=404)(scope, receive, send)


def _with_headers(send: Send) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message["headers"],
                (b"x-content-type-options", b"nosniff"),
                (b"content-security-policy", b"frame-ancestors 'none'"),
                (b"referrer-policy", b"no-referrer"),
            ]
        await send(message)

    return add


PUBLIC = frozenset({("GET", "/oauth/callback"), ("POST", "/hooks/tiktok")})
routes = [
    Route("/oauth/callback", oauth_callback, methods=["GET"]),
    Route("/hooks/tiktok", receive_hook, methods=["POST"]),
    Route("/health", health, methods=["GET"]),
]
middleware = [Middleware(Guard)]
