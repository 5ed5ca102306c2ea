"""The control routes, and the desk that turns them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from core.practice import NotPossible, PracticeServer, PracticeShop
from core.practice.desk import PracticeDesk, PracticeUnavailable


@pytest.fixture
def desk(server: PracticeServer) -> Iterator[PracticeDesk]:
    with PracticeDesk(server.base_url) as desk:
        yield desk


def test_the_desk_buys_and_follows_an_order(desk: PracticeDesk, shop: PracticeShop, sku: str) -> None:
    before = shop.truth(sku)
    number = desk.buy(sku, 2)
    assert shop.truth(sku).available == before.available - 2
    assert desk.order_event(number, "release") == "AWAITING_SHIPMENT"
    assert desk.order_event(number, "ship") == "AWAITING_COLLECTION"
    assert desk.order_event(desk.buy(before.seller_sku, paid=False), "cancel", by="BUYER") == "CANCELLED"


def test_the_desk_passes_refusals_on_as_sentences(desk: PracticeDesk, sku: str) -> None:
    with pytest.raises(PracticeUnavailable, match="can be bought at once"):
        desk.buy(sku, 400)
    with pytest.raises(PracticeUnavailable, match="no order 5"):
        desk.order_event("5", "ship")
    with pytest.raises(PracticeUnavailable, match="no event explode"):
        desk.order_event("5", "explode")


def test_the_desk_edits_stock_price_and_promotion(desk: PracticeDesk, shop: PracticeShop, sku: str) -> None:
    where = shop.truth(sku).warehouses[0].warehouse_id
    assert desk.set_stock(sku, 3, where).warehouses[0].available == 3
    assert desk.set_price(sku, "12.5").price == 1_250
    assert desk.set_promotion(sku, True).locked is True
    assert desk.set_promotion(sku, False) == shop.truth(sku)
    with pytest.raises(PracticeUnavailable, match="amount must be a price"):
        desk.set_price(sku, "cheap")


def test_the_desk_shows_the_state_and_finds_skus(desk: PracticeDesk, shop: PracticeShop, sku: str) -> None:
    state = desk.state(page_size=10)
    assert sum(state.orders.values()) == 150
    assert len(state.skus) == 10
    assert state.sku_count == len(shop.truths())
    assert [one.sku_id for one in desk.state(query=sku).skus] == [sku]
    assert desk.state(page=2, page_size=10).skus[0].sku_id == shop.truths()[10].sku_id


def test_the_desk_turns_time_rush_trouble_and_switches(desk: PracticeDesk, shop: PracticeShop, sku: str) -> None:
    number = desk.buy(sku)
    assert desk.pass_time(3_600) >= 1
    assert shop.order(number)["status"] == "AWAITING_SHIPMENT"
    assert desk.busy(5) == 5
    desk.trouble("slow", delay=0.1)
    assert [trouble["kind"] for trouble in desk.state().troubles] == ["slow"]
    desk.clear_trouble()
    assert desk.state().troubles == []
    assert desk.settings(hold=False, rate=10)["rate"] == 10
    assert shop.settings.hold is False
    with pytest.raises(PracticeUnavailable, match="no setting speed"):
        desk.settings(speed=1)
    assert desk.log()["total"] == 0


@pytest.mark.parametrize(
    ("name", "value"), [("hold", "yes"), ("rate", "fast"), ("redirect_uri", 5), ("latency_ms", True)]
)
def test_a_switch_takes_only_what_fits(shop: PracticeShop, name: str, value: object) -> None:
    with pytest.raises(NotPossible, match=f"The setting {name} cannot be"):
        shop.change_settings(**{name: value})


def test_a_shop_on_its_own_says_how_to_reach_it_until_ctrl_c() -> None:
    code = "from core.practice import run_standalone; run_standalone(products=5, orders=10)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    welcome = "".join(process.stdout.readline() for _ in range(8))
    base = welcome.split("TIKTOK_SHOP_API_BASE=")[1].split()[0]
    assert f"TIKTOK_SHOP_AUTH_BASE={base}" in welcome
    assert "practice-app-secret-not-real" in welcome
    assert httpx.get(f"{base}/practice/state").json()["settings"]["living"] is True
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=15)
    assert "closed" in rest
    assert process.returncode == 0


def test_a_closed_shop_is_named(server: PracticeServer) -> None:
    desk = PracticeDesk(server.base_url)
    server.stop()
    with pytest.raises(PracticeUnavailable, match="does not answer"):
        desk.state()
    desk.close()


def test_trouble_is_listed_and_cleared_by_its_own_verbs(server: PracticeServer) -> None:
    url = f"{server.base_url}/practice/trouble"
    assert httpx.post(url, json={"kind": "garbage", "times": 1}).status_code == 200
    assert len(httpx.get(url).json()["troubles"]) == 1
    assert httpx.delete(url).status_code == 200
    assert httpx.get(url).json()["troubles"] == []


def test_pictures_are_drawn_here(server: PracticeServer, shop: PracticeShop) -> None:
    product = shop.truths()[0].product_id
    picture = httpx.get(f"{server.base_url}/practice/pictures/{product}.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.startswith("<svg")
    assert "http" not in picture.text.replace("http://www.w3.org/2000/svg", "")
    assert httpx.get(f"{server.base_url}/practice/pictures/1.svg").status_code == 404


def test_a_server_stops_and_starts_again_on_the_same_shop(shop: PracticeShop) -> None:
    with PracticeServer(shop) as first:
        assert httpx.get(f"{first.base_url}/practice/state").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{first.base_url}/practice/state")
    with PracticeServer(shop, port=first.port) as second:
        assert second.base_url == first.base_url
        assert httpx.get(f"{second.base_url}/practice/state").status_code == 200
