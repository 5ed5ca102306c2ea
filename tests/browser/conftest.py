"""A real server on a fresh data folder, and a real Chromium in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
expect.set_options(timeout=20_000)


@dataclass(frozen=True)
class Desk:
    """A running dashboard."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, port: int) -> Desk:
    ours = ("TIKTOK_", "EVENSTOCK_", "DATABASE_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    home = str(folder.parent)
    environment |= {"EVENSTOCK_DATA_DIR": str(folder), "XDG_CONFIG_HOME": f"{home}/config", "HOME": home}
    options = ["--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    log = (folder.parent / "server.log").open("ab")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    log.close()
    desk = Desk(f"http://127.0.0.1:{port}", folder, process)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{desk.url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return desk
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"the dashboard did not start: {(folder.parent / 'server.log').read_text()[-3000:]}")


def stop(desk: Desk) -> None:
    desk.process.terminate()
    try:
        desk.process.wait(20)
    except subprocess.TimeoutExpired:
        desk.process.kill()
        desk.process.wait(10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    running = start(tmp_path_factory.mktemp("desk") / "data", free_port())
    yield running
    stop(running)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    window = {"width": 1440, "height": 1200}
    context = browser.new_context(viewport=window, color_scheme="light", timezone_id="Europe/London")  # type: ignore[arg-type]
    tab = context.new_page()
    yield tab
    context.close()


def settled(page: Page) -> None:
    """Wait until the page's script has run to its end."""
    page.wait_for_selector(IDLE, timeout=30_000)


def visit(page: Page, desk: Desk, path: str = "") -> None:
    page.goto(f"{desk.url}/{path}")
    settled(page)
