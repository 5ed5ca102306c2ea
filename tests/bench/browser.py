"""What the owner waits for: the first page of a fresh server in a fresh browser, a reload, a change of page."""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.harness import ROOT, Options, environment, folder, main, verify

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
CELLS = '[data-testid="stDataFrame"] canvas'
EVEN = re.compile(r"listings are even")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]
TIMES = 7
BARE = """
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

st.title("A bare page")
frame = pd.DataFrame({"day": range(28), "sales": [day * 7 % 11 for day in range(28)]})
st.dataframe(frame)
st.plotly_chart(go.Figure(go.Scatter(x=frame.day, y=frame.sales)))
"""


@contextmanager
def served(script: Path, data: Path) -> Iterator[str]:
    """A Streamlit server of its own; ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.headless", "true",
        "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=environment(data), stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _port_opens(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.01)
    verify(False, "the server did not start")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without any cache of earlier visits."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def evenstock(_options: Options) -> dict[str, float]:
    """The product on the store of its practice shop, which an earlier start has filled."""
    with folder() as data, chromium() as browser:
        with served(ROOT / "app.py", data) as url:  # the very first start builds the practice shop and reads it
            _port_opens(url)
            page = browser.new_page(viewport={"width": 1440, "height": 1200})
            page.goto(url)
            page.get_by_text("Stock read").or_(page.get_by_role("heading", name=EVEN)).first.wait_for(timeout=60_000)
            page.close()
        started = time.perf_counter()
        with served(ROOT / "app.py", data) as url:
            first = _first(browser, url, started, lambda page: page.get_by_role("heading", name=EVEN).first.wait_for())
            return first | _again(first.pop("page"), "Stock", "Does TikTok show")  # type: ignore[arg-type]


def bare_page(_options: Options) -> dict[str, float]:
    """One page with a title, a table of 28 rows by pandas and a chart by plotly."""
    with folder() as data, chromium() as browser:
        script = data / "bare.py"
        script.write_text(BARE)
        started = time.perf_counter()
        with served(script, data) as url:
            first = _first(browser, url, started, lambda page: page.locator(".js-plotly-plot").first.wait_for())
            page = first.pop("page")
            return first | {"reload_s": _reloads(page)}  # type: ignore[arg-type]


def _first(browser: Browser, url: str, started: float, ready: object) -> dict[str, object]:
    _port_opens(url)
    opened = time.perf_counter()
    page = browser.new_context(viewport={"width": 1440, "height": 1200}).new_page()
    page.goto(url)
    assert callable(ready)
    ready(page)
    page.wait_for_selector(CELLS)
    shown = time.perf_counter()
    page.wait_for_selector(IDLE)
    return {"port_open_s": opened - started, "page_s": shown - opened, "start_to_page_s": shown - started, "page": page}


def _reloads(page: Page) -> float:
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        page.reload()
        page.wait_for_selector(CELLS)
        page.wait_for_selector(IDLE)
        times.append(time.perf_counter() - started)
    return median(times)


def _again(page: Page, name: str, question: str) -> dict[str, float]:
    reload = _reloads(page)
    there, back = [], []
    for _ in range(TIMES):
        there.append(_switch(page, name, question))
        back.append(_switch(page, "Overview", "Is everything even"))
    return {"reload_s": reload, "switch_s": median(there + back), "switch_to_stock_s": median(there)}


def _switch(page: Page, name: str, question: str) -> float:
    started = time.perf_counter()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    page.get_by_text(question).first.wait_for()
    page.wait_for_selector(CELLS)
    page.wait_for_selector(IDLE)
    return time.perf_counter() - started


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "Set CHROMIUM to the browser's program where it is not found by itself."


if __name__ == "__main__":
    main(
        "tests.bench.browser", {"bare page": bare_page, "evenstock": evenstock}, baseline="bare page", value="page_s",
        rounds=3, add_options=_options,
    )  # fmt: skip
