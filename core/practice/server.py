"""The practice shop as a server: uvicorn on loopback in a thread of its own, and the threads that let it live."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from core.practice.api import Gateway
from core.practice.consent import consent_routes
from core.practice.control import control_routes
from core.practice.identity import CREDENTIALS
from core.practice.shop import PracticeShop

log = logging.getLogger("core.practice")
_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
START_SECONDS = 20.0
BREATH = 1.0


def build_app(shop: PracticeShop) -> ASGIApp:
    """The ASGI application: control routes, consent and token host, and the signed API behind everything else."""
    routes: list[Any] = [*control_routes(shop), *consent_routes(shop.parts), Mount("/", Gateway(shop.parts))]
    return Door(Starlette(routes=routes))


class Door:
    """Lets in only requests for a loopback name, so that no web page can reach the shop under a name of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks the host and passes on; gives the routes a way to break the connection."""
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
            if name not in _LOOPBACK_NAMES:
                await Response("This practice shop only answers on this computer.", 421)(scope, receive, send)
                return
            transport = getattr(getattr(send, "__self__", None), "transport", None)
            scope["practice.cut"] = transport.abort if transport is not None else _reset
        await self._app(scope, receive, send)


def _reset() -> None:
    raise ConnectionResetError("The practice shop broke the connection off.")


def _listening(host: str, port: int) -> socket.socket:
    # The protocol is named, because asyncio sends small answers at once (no delay) only on sockets that name it.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(512)
    return listener


class PracticeServer:
    """A running practice shop; a context manager that stops it."""

    def __init__(self, shop: PracticeShop, host: str = "127.0.0.1", port: int = 0) -> None:
        """Binds and starts; it answers when this returns. Raises ValueError for a host that others could reach."""
        host = "127.0.0.1" if host == "localhost" else host
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"The practice shop only listens on this computer, not on {host}.")
        self.shop = shop
        self._socket = _listening(host, port)
        self.port = int(self._socket.getsockname()[1])
        self.base_url = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
        config = uvicorn.Config(
            build_app(shop), log_config=None, log_level="critical", access_log=False, date_header=False,
            server_header=False,
            lifespan="off", timeout_keep_alive=75, timeout_graceful_shutdown=1, loop="asyncio", ws="none",
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._server.run, kwargs={"sockets": [self._socket]}, name="practice-http", daemon=True
            ),
            threading.Thread(target=self._live, name="practice-life", daemon=True),
            threading.Thread(target=self._deliver, name="practice-webhooks", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._wait_until_ready()

    def stop(self) -> None:
        """Stops answering and living; the shop itself stays open for its owner. Fine to call twice."""
        self._stopping.set()
        self.shop.parts.hooks.wake.set()
        self._server.should_exit = True
        self._server.force_exit = True
        for thread in self._threads:
            thread.join(timeout=5)
        self._socket.close()

    def __enter__(self) -> PracticeServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._threads[0].is_alive():
                self.stop()
                raise RuntimeError("The practice shop's server did not start.")
            time.sleep(0.005)

    def _live(self) -> None:
        """One breath a second while the shop lives."""
        while not self._stopping.wait(BREATH):
            if self.shop.settings.living:
                _guarded(self.shop.tick)

    def _deliver(self) -> None:
        """Sends webhooks as soon as they are due."""
        wake = self.shop.parts.hooks.wake
        while not self._stopping.is_set():
            wake.wait(BREATH)
            wake.clear()
            if not self._stopping.is_set():
                _guarded(self.shop.parts.hooks.deliver_due)


def _guarded(work: Any) -> None:
    """A thread that lives on whatever happens, and says what happened."""
    try:
        work()
    except Exception:
        log.exception("The practice shop stumbled")


def serve(shop: PracticeShop, host: str = "127.0.0.1", port: int = 0) -> PracticeServer:
    """Starts the practice shop on a loopback address; port 0 takes a free one. Ready when it returns."""
    return PracticeServer(shop, host, port)


def run_standalone(
    port: int = 0, seed: int = 7, products: int = 120, orders: int | None = None, path: str | Path = ":memory:"
) -> None:
    """Serves a living practice shop in the foreground until Ctrl-C, after saying how to reach it."""
    shop = PracticeShop(path, seed=seed, products=products, orders=orders, living=True)
    try:
        with serve(shop, port=port) as server:
            sys.stdout.write(_welcome(server.base_url))
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        sys.stdout.write("\nThe practice shop is closed.\n")
    finally:
        shop.close()


def _welcome(base_url: str) -> str:
    return (
        f"Practice shop at {base_url} (Ctrl-C closes it)\n\n"
        f"TIKTOK_SHOP_API_BASE={base_url}\n"
        f"TIKTOK_SHOP_AUTH_BASE={base_url}\n\n"
        f"App key     {CREDENTIALS.app_key}\n"
        f"App secret  {CREDENTIALS.app_secret}\n"
        f"Service id  {CREDENTIALS.service_id}\n"
        f"Authorise   {base_url}/open/authorize?service_id={CREDENTIALS.service_id}&state=practice\n"
    )
