"""Every page: with a shop, empty, in trouble, in a second window, and with foreign text that must stay text."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import seed

PAGES = (
    "overview",
    "stock",
    "rules",
    "ledger",
    "start",
    "count",
    "low",
    "oversold",
    "catalog",
    "orders",
    "analytics",
    "activity",
    "places",
    "connection",
    "settings",
)
Visit = Callable[..., AppTest]


def words(at: AppTest) -> str:
    """All that is written on the page as Markdown, which is where foreign text could do harm."""
    parts = [
        each.value
        for kind in ("title", "caption", "markdown", "error", "warning", "info", "success")
        for each in at.get(kind)
    ]
    return "\n".join(str(part) for part in parts)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_draws_a_shop(desk, visit: Visit, page: str) -> None:
    at = visit(page)
    assert not at.exception
    assert not at.error
    assert at.title[0].value
    assert "Practice shop" in words(at)
    assert "Loop running" in words(at)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_something_helpful_when_no_shop_is_connected(rt, visit: Visit, page: str) -> None:
    at = visit(page)
    assert not at.exception
    assert not at.error
    if page not in ("connection", "settings", "activity"):
        assert "No shop is connected yet" in words(at)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_an_empty_shop_says_what_will_come(rt, visit: Visit, page: str) -> None:
    with rt.store.write() as connection:
        seed.shop(connection)
    at = visit(page)
    assert not at.exception
    assert not at.error


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_what_keeps_a_shop_from_working(desk, visit: Visit, page: str) -> None:
    trouble = SimpleNamespace(shop="Hazel", sentence="TikTok ended the sign-in.", next_step="Connect the shop again.")
    desk.troubles = [trouble]
    at = visit(page)
    assert "TikTok ended the sign\\-in\\. Connect the shop again\\." in words(at)
    assert any(link.label == "Open Connection" for link in at.get("page_link"))


@pytest.mark.parametrize("page", PAGES)
def test_a_second_window_says_that_it_only_reads_and_lets_nobody_change_anything(desk, visit: Visit, page: str) -> None:
    desk.owner, desk.owner_note = False, "Evenstock is already running. This window reads, the other one works."
    at = visit(page)
    assert not at.exception
    assert "the other one works" in words(at)
    free = {"see", "back", "clear", "explain"}
    assert all(button.disabled for button in at.button if button.key not in free), [b.label for b in at.button]


@pytest.mark.parametrize("page", PAGES)
def test_foreign_text_stays_text(desk, visit: Visit, page: str) -> None:
    at = visit(page)
    assert "](http" not in words(at)
    assert "http://evil" not in words(at)
    assert ":red[sale]" not in words(at)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_primary_button_at_most(desk, visit: Visit, page: str) -> None:
    at = visit(page)
    assert len([button for button in at.button if button.proto.type == "primary"]) <= 1


@pytest.mark.parametrize("page", PAGES)
def test_nobody_is_shouted_at(desk, visit: Visit, page: str) -> None:
    at = visit(page)
    told = words(at).replace("\\!", "")
    assert "!" not in told
    assert not any(ord(letter) > 0x1F000 for letter in told)


def test_a_stopped_loop_is_told_on_every_page(desk, visit: Visit) -> None:
    desk.alive = False
    assert "Loop stopped" in words(visit("orders"))


def test_a_paused_loop_is_told(desk, visit: Visit) -> None:
    from core.settings import Choices

    desk.save_choices(Choices(paused=True))
    assert "Paused" in words(visit("overview"))


def test_a_store_that_another_program_holds_becomes_a_sentence(desk, visit: Visit, monkeypatch) -> None:
    from core.store.errors import StoreLocked

    def locked() -> None:
        raise StoreLocked("database is locked")

    at = visit("overview")
    monkeypatch.setattr(desk.store, "revision", locked)
    at.run()
    assert not at.exception
    assert "Another program is using the store file" in words(at)
    assert "database is locked" not in words(at)
