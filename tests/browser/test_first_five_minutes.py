"""What a newcomer does first: look, review, send, see it even, and watch a sale arrive."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, settled, visit

pytestmark = pytest.mark.browser


def open_practice_panel(page: Page, desk: Desk) -> None:
    visit(page, desk, "connection")
    page.get_by_text("Practice panel", exact=False).first.click()
    settled(page)


def heading(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", name=text).first).to_be_visible()


def test_the_owner_walks_the_first_five_minutes(page: Page, desk: Desk) -> None:
    outside: list[str] = []
    page.on("request", lambda request: None if _local(request.url) else outside.append(request.url))

    # A living shop, at once.
    visit(page, desk)
    heading(page, re.compile(r"\d+ of \d+ listings are even"))
    expect(page.get_by_text("Practice shop", exact=True).first).to_be_visible()
    expect(page.get_by_text("Sales today")).to_be_visible()

    # See the differences, review them, send them.
    page.get_by_role("button", name="Look at the differences").click()
    heading(page, re.compile(r"Not for \d+ of \d+ listings"))
    page.get_by_role("button", name=re.compile(r"Review \d+ changes")).click()
    heading(page, re.compile(r"\d+ changes to send"))
    expect(page.get_by_text("Until now this shop was only watched", exact=False)).to_be_visible()
    page.get_by_role("button", name=re.compile(r"Send \d+ changes")).click()
    heading(page, re.compile(r"(\d+) of \1 changes done"))
    expect(page.get_by_text(re.compile(r"\d+ changes sent and read back"))).to_be_visible()

    # Gone.
    visit(page, desk, "stock")
    heading(page, re.compile(r"^Yes"))

    # A customer buys on TikTok: own stock, orders, sales and activity follow by themselves.
    visit(page, desk, "orders")
    before, runs = _orders_today(page, desk), _runs(page, desk)
    open_practice_panel(page, desk)
    page.get_by_role("button", name=re.compile(r"^Buy")).first.click()
    expect(page.get_by_text(re.compile(r"Order \d+|Bought|bought", re.I)).first).to_be_visible()
    visit(page, desk, "orders")
    expect(page.get_by_text("On hold").or_(page.get_by_text("Awaiting shipment")).first).to_be_attached()
    assert _orders_today(page, desk, more_than=before) > before
    assert _runs(page, desk) > runs, "what TikTok told of is in Activity"

    assert outside == [], "nothing leaves the computer while the practice shop is used"


def _local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def _runs(page: Page, desk: Desk) -> int:
    """How many runs the Activity page counts."""
    visit(page, desk, "activity")
    said = page.get_by_text(re.compile(r"\d+ runs")).first.inner_text()
    return int(re.search(r"(\d+) runs", said).group(1))  # type: ignore[union-attr]


def _orders_today(page: Page, desk: Desk, more_than: int = -1) -> int:
    """The figure "Orders today" of the overview, read again until it has grown."""
    found = 0
    for _ in range(40):
        visit(page, desk)
        card = page.locator('[data-testid="stMetric"]', has_text="Orders today")
        found = int(card.locator('[data-testid="stMetricValue"]').inner_text().replace(",", ""))
        if found > more_than:
            break
        page.wait_for_timeout(250)
    return found
