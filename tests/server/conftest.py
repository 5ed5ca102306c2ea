"""The web side of Evenstock: its routes in this process, and the real dashboard as a process of its own."""

import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import runtime as running
from core.practice import CREDENTIALS, PracticeServer, PracticeShop, serve
from core.runtime import Runtime
from core.server import middleware, routes
from core.settings import Settings

ROOT = Path(__file__).parents[2]
LOCAL = "http://127.0.0.1:8501"


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """What a start in this process does to the log ends with the test."""
    logger = logging.getLogger("evenstock")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    yield
    for handler in set(logger.handlers) - set(handlers):
        handler.close()
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own settings."""
    for name in list(os.environ):
        if name.startswith(("TIKTOK_SHOP_", "EVENSTOCK_", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("EVENSTOCK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENSTOCK_PRACTICE_ORDERS", "20")
    monkeypatch.setenv("EVENSTOCK_KEY", "a made-up key for tests")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@contextmanager
def started(*, loop: bool = False) -> Iterator[Runtime]:
    """A runtime on the data folder of the environment."""
    runtime = Runtime(Settings())
    runtime.start(loop=loop)
    running.install(runtime)
    try:
        yield runtime
    finally:
        running.install(None)
        runtime.stop()


@pytest.fixture
def desk() -> Iterator[Runtime]:
    """The practice desk, without its loop."""
    with started() as runtime:
        yield runtime


@pytest.fixture
def web(desk: Runtime) -> TestClient:
    """Asks the routes under a name of this computer, without following redirects."""
    app = Starlette(routes=routes, middleware=middleware)
    return TestClient(app, base_url=LOCAL, follow_redirects=False)


@pytest.fixture(scope="package")
def service() -> Iterator[PracticeServer]:
    """A practice shop on a port of its own, taken for the real service."""
    shop = PracticeShop(products=2, orders=3)
    with serve(shop) as server:
        yield server
    shop.close()


@pytest.fixture
def real(service: PracticeServer, monkeypatch: pytest.MonkeyPatch) -> PracticeServer:
    """An environment that names the service's addresses."""
    monkeypatch.setenv("TIKTOK_SHOP_API_BASE", service.base_url)
    monkeypatch.setenv("TIKTOK_SHOP_AUTH_BASE", service.base_url)
    return service


def begin(runtime: Runtime, secret: str = CREDENTIALS.app_secret) -> str:
    """Start a sign-in; returns the page where the owner agrees."""
    return runtime.connect_begin(CREDENTIALS.app_key, secret, CREDENTIALS.service_id, "")


@dataclass
class Dashboard:
    """A running dashboard process."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def end(self) -> str:
        """Stop it as Ctrl-C does, and return all it said."""
        self.process.terminate()
        self.process.wait(30)
        return self.log.read_text()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Callable[[], Dashboard]]:
    """Starts `streamlit run app.py` on the data folder of the environment; ends what is left at the end."""
    begun: list[Dashboard] = []

    def start() -> Dashboard:
        port, log = free_port(), tmp_path / f"dashboard-{len(begun)}.log"
        words = ["streamlit", "run", "app.py", "--server.headless", "true", "--server.port", str(port)]
        with log.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                text=True,
            )
        begun.append(Dashboard(process, f"http://127.0.0.1:{port}", log))
        wait_until(lambda: process.poll() is not None or _answers(begun[-1].url), "the dashboard did not start")
        assert process.poll() is None, log.read_text()
        return begun[-1]

    yield start
    for each in begun:
        each.process.kill()
        each.process.wait(10)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(met: Callable[[], object], otherwise: str, seconds: float = 60) -> None:
    """Return as soon as the condition is met; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
