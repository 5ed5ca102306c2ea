"""Every page, on a desk and on a phone, in light and in dark: finished, quiet, and on this computer alone."""

import re
import sqlite3
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Desk, settled, visit

pytestmark = pytest.mark.browser
PAGES = {
    "": "listings are even",
    "stock": "listings",
    "rules": "",
    "ledger": "",
    "count": "",
    "low": "",
    "oversold": "",
    "catalog": "",
    "orders": "",
    "analytics": "",
    "activity": "",
    "connection": "",
    "settings": "",
}
EXPECTED_NOISE = re.compile(r"404 \(Not Found\)")  # Streamlit probes its own health address below a deep link


@pytest.fixture(scope="module", params=[(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")], ids=str)
def window(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    """One browser window a size and colours, which keeps its cache from page to page."""
    width, colours = request.param
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=colours)
    yield context
    context.close()


@pytest.mark.parametrize("path", list(PAGES))
def test_a_page_opens_complete_and_stays_within_the_window(window: BrowserContext, desk: Desk, path: str) -> None:
    page = window.new_page()
    noise: list[str] = []
    outside: list[str] = []
    page.on("console", lambda line: noise.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: outside.append(request.url) if _is_outside(request.url) else None)
    try:
        visit(page, desk, path)
        expect(page.get_by_role("heading").first).to_be_visible()
        expect(page.get_by_text("Practice shop", exact=True).first).to_be_visible()
        expect(page.locator('[data-testid="stException"]')).to_have_count(0)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{overflow} px of the page lie outside the window"
        assert [line for line in noise if not EXPECTED_NOISE.search(line)] == []
        assert outside == []
    finally:
        page.close()


def test_a_deep_link_right_after_the_start_shows_the_menu_too(page: Page, desk: Desk) -> None:
    visit(page, desk, "connection")
    expect(page.get_by_role("link", name="Stock")).to_be_visible()
    expect(page).to_have_title(re.compile("Evenstock"))


def test_filters_of_the_stock_page_are_in_its_address_and_survive_a_reload(page: Page, desk: Desk) -> None:
    visit(page, desk, "stock")
    page.get_by_placeholder("Find a SKU or product").fill("mug")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("find=mug"))
    page.reload()
    settled(page)
    expect(page.get_by_placeholder("Find a SKU or product")).to_have_value("mug")


def test_hostile_titles_are_shown_as_written_and_fetch_nothing(page: Page, desk: Desk) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for row in _hostile(desk):
        visit(page, desk, f"stock?sku={row}")
        expect(page.get_by_text("Where this number comes from")).to_be_visible()
        assert page.locator("[role=dialog] img, [role=dialog] script, [role=dialog] a[href^=http]").count() == 0
    assert not [url for url in asked if _is_outside(url)]


def _hostile(desk: Desk) -> list[str]:
    with sqlite3.connect(f"file:{desk.folder / 'practice' / 'evenstock.db'}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT sku_id, title FROM listing").fetchall()
    found = [sku for sku, title in rows if re.search(r"[<\[*`=]|\u202e|\u202b", title)]
    assert found, "the practice shop carries hostile titles on purpose"
    return found[:4]


def test_a_sale_in_the_own_store_is_on_tiktok_within_seconds(page: Page, desk: Desk) -> None:
    visit(page, desk, "stock")
    expect(page.get_by_role("button", name=re.compile(r"Review \d+ changes?"))).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Review \d+ changes?")).click()
    page.get_by_role("button", name=re.compile(r"Send \d+ changes?")).click()
    expect(page.get_by_text(re.compile("sent and read back"))).to_be_visible()
    sku_id, sku, target = _plenty(desk)
    visit(page, desk, "stock")
    page.get_by_role("button", name="Record").click()
    page.get_by_text("A sale in your store").click()
    page.get_by_placeholder("SKU or name").fill(sku)
    expect(page.get_by_role("combobox", name="Item")).to_have_value(re.compile(rf"^{re.escape(sku)}:"))
    settled(page)
    page.get_by_role("button", name="Record 1 unit sold").click()
    expect(page.get_by_text(re.compile("Recorded: 1 unit"))).to_be_visible()
    visit(page, desk, f"stock?sku={sku_id}")
    expect(page.get_by_text("Where this number comes from")).to_be_visible()
    for _ in range(40):
        if _available(desk, sku_id) == target - 1:
            break
        page.wait_for_timeout(100)
    assert _available(desk, sku_id) == target - 1


def _plenty(desk: Desk) -> tuple[str, str, int]:
    with sqlite3.connect(f"file:{desk.folder / 'practice' / 'evenstock.db'}?mode=ro", uri=True) as store:
        row = store.execute(
            "SELECT l.sku_id, item.sku, l.available FROM listing l JOIN link k ON k.sku_id = l.sku_id "
            "JOIN item ON item.id = k.item_id WHERE l.available > 30 AND l.committed = l.open_units "
            "AND l.settled_at IS NOT NULL LIMIT 1"
        ).fetchone()
    return row[0], row[1], row[2]


def _available(desk: Desk, sku_id: str) -> int:
    with sqlite3.connect(f"file:{desk.folder / 'practice' / 'evenstock.db'}?mode=ro", uri=True) as store:
        return int(store.execute("SELECT available FROM listing WHERE sku_id = ?", (sku_id,)).fetchone()[0])


def _is_outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
