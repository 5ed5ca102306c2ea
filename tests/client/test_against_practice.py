"""The whole client against the practice shop, over real HTTP with real signatures."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from core import clock
from core.practice import CREDENTIALS, PracticeServer, PracticeShop, serve
from core.tiktok.api import ShopApi
from core.tiktok.auth import App, Code, RedirectProblem, authorise_url, exchange_code, parse_redirect
from core.tiktok.budget import Budget
from core.tiktok.errors import (
    BadAnswer,
    MissingScope,
    OutcomeUnknown,
    RateLimited,
    ServiceDown,
    SignInAgain,
    Unreachable,
    WrongCredentials,
)
from core.tiktok.models import Order
from core.tiktok.requestlog import RequestLine
from core.tiktok.transport import Transport
from core.tiktok.wire import Wire
from tests.client.stores import MemoryStore


@pytest.fixture(scope="module")
def server() -> Iterator[PracticeServer]:
    shop = PracticeShop(products=25, orders=230, burst=500)
    with serve(shop) as found:
        yield found
    shop.close()


@pytest.fixture
def practice(server: PracticeServer) -> Iterator[PracticeShop]:
    server.shop.clear_trouble()
    server.shop.parts.journal.reset()
    yield server.shop
    server.shop.clear_trouble()


@pytest.fixture
def app(server: PracticeServer) -> App:
    base = server.base_url
    return App(CREDENTIALS.app_key, CREDENTIALS.app_secret, CREDENTIALS.service_id, api_base=base, auth_base=base)


@pytest.fixture
def store(app: App, practice: PracticeShop) -> MemoryStore:
    return MemoryStore(exchange_code(app, practice.authorise()))


@pytest.fixture
def lines() -> list[RequestLine]:
    return []


def no_wait(seconds: float) -> bool:
    """Waiting for nothing: the pauses are other tests' matter."""
    return False


@pytest.fixture
def transport(app: App, store: MemoryStore, lines: list[RequestLine]) -> Iterator[Transport]:
    budget = Budget(rate=2000)
    with Transport(app, store, budget, lines.append, wait=no_wait, read_seconds=5) as found:
        yield found


@pytest.fixture
def shop(transport: Transport) -> ShopApi:
    return ShopApi(transport, ShopApi(transport).authorized_shops()[0])


def all_orders(shop: ShopApi, page_size: int = 100) -> list[Order]:
    found: list[Order] = []
    token = ""
    while True:
        page = shop.order_page(None, None, token, page_size)
        assert not page.unreadable
        found += page.orders
        token = page.next_page_token
        if not token:
            return found


# ---- the whole round


def follow(url: str) -> str:
    """Where the consent page sends the browser."""
    with Wire([url]) as wire:
        reply = wire.send("GET", url, {})
    assert reply.status == 302
    return reply.headers["location"]


def test_from_consent_to_stock_and_orders(app: App, practice: PracticeShop) -> None:
    code = parse_redirect(follow(authorise_url(app, "made-up-state") + "&decision=allow"), "made-up-state")
    assert isinstance(code, Code)
    store = MemoryStore(exchange_code(app, code.value))
    assert store.held is not None
    assert store.held.access_expires_time > clock.now() + 6 * 86_400
    with Transport(app, store, Budget(rate=2000)) as transport:
        (info,) = ShopApi(transport).authorized_shops()
        shop = ShopApi(transport, info)
        assert len([place for place in shop.warehouses() if place.kind == "SALES_WAREHOUSE"]) == 2
        products = [product for page in shop.product_pages(page_size=7) for product in page.products]
        assert len({product.id for product in products}) == 25
        skus = {sku.id: sku for product in products for sku in product.skus}
        truths = {truth.sku_id: truth for truth in practice.truths()}
        assert skus.keys() <= truths.keys()
        stock = shop.stock(skus)
        assert stock.keys() == skus.keys()
        for sku_id, found in stock.items():
            assert (found.available, found.committed) == (truths[sku_id].available, truths[sku_id].committed)
        orders = all_orders(shop, page_size=50)
        assert len({order.id for order in orders}) == len(orders) >= 230
        assert [order.update_time for order in orders] == sorted(order.update_time for order in orders)
        some = [order.id for order in orders[:70]]
        assert {order.id for order in shop.orders(some)} == set(some)


def test_the_same_order_reads_the_same_from_search_and_from_detail(shop: ShopApi) -> None:
    searched = {order.id: order for order in all_orders(shop)}
    for order in shop.orders(list(searched)[:100]):
        assert (order.status, order.lines, order.total_units) == (
            searched[order.id].status,
            searched[order.id].lines,
            searched[order.id].total_units,
        )


def test_stock_that_is_set_is_the_stock_that_is_read(shop: ShopApi, practice: PracticeShop) -> None:
    truth = practice.truths()[0]
    wanted = {held.warehouse_id: 5 + n for n, held in enumerate(truth.warehouses)}
    result = shop.set_stock(truth.product_id, {truth.sku_id: wanted})
    assert result.accepted == {truth.sku_id}
    assert not result.refused
    now = shop.stock([truth.sku_id])[truth.sku_id]
    assert {row.warehouse_id: row.available for row in now.warehouses} == wanted


def test_a_price_that_is_set_is_the_price_that_is_read(shop: ShopApi, practice: PracticeShop) -> None:
    truth = next(found for found in practice.truths() if found.status == "ACTIVATE" and not found.locked)
    assert shop.set_prices(truth.product_id, {truth.sku_id: (Decimal("12.34"), "GBP")}).accepted == {truth.sku_id}
    sku = next(found for found in shop.product(truth.product_id).skus if found.id == truth.sku_id)
    assert sku.price == Decimal("12.34")


def test_a_sale_is_in_the_orders_and_in_the_stock(shop: ShopApi, practice: PracticeShop) -> None:
    truth = next(found for found in practice.truths() if found.status == "ACTIVATE" and found.available >= 5)
    before = shop.stock([truth.sku_id])[truth.sku_id]
    order_id = practice.buy(truth.sku_id, 2)
    (order,) = shop.orders([order_id])
    assert [line.sku_id for line in order.lines] == [truth.sku_id] * 2
    after = shop.stock([truth.sku_id])[truth.sku_id]
    assert (after.available, after.committed) == (before.available - 2, before.committed + 2)


def test_a_single_refused_sku_does_not_block_the_others(shop: ShopApi, practice: PracticeShop) -> None:
    many = next(found for page in shop.product_pages() for found in page.products if len(found.skus) > 1)
    bad = many.skus[0].id
    practice.trouble("partial_errors", sku_ids=[bad], code=12052097, times=1)
    result = shop.set_stock(many.id, {sku.id: dict.fromkeys(sku.stock, 3) for sku in many.skus})
    assert result.refused.keys() == {bad}
    assert result.accepted == {sku.id for sku in many.skus[1:]}


def test_webhooks_can_be_registered_and_removed(shop: ShopApi) -> None:
    shop.register_webhook("ORDER_STATUS_CHANGE", "https://desk.example/hooks")
    assert [(hook.event_type, hook.address) for hook in shop.webhooks()] == [
        ("ORDER_STATUS_CHANGE", "https://desk.example/hooks")
    ]
    shop.remove_webhook("ORDER_STATUS_CHANGE")
    shop.remove_webhook("ORDER_STATUS_CHANGE")
    assert shop.webhooks() == []


# ---- signing in


def test_a_refusal_on_the_consent_page_is_a_refusal_here(app: App, practice: PracticeShop) -> None:
    back = follow(authorise_url(app, "made-up-state") + "&decision=refuse")
    assert isinstance(parse_redirect(back, "made-up-state"), RedirectProblem)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"key": "another-made-up-key"}, "app key"), ({"secret": "another-made-up-secret"}, "app secret")],
)
def test_a_wrong_key_or_secret_is_named_at_the_sign_in(
    app: App, practice: PracticeShop, change: dict[str, str], named: str
) -> None:
    parts = {"key": app.key, "secret": app.secret, "api_base": app.api_base, "auth_base": app.auth_base} | change
    with pytest.raises(WrongCredentials, match=named):
        exchange_code(App(**parts), practice.authorise())


@pytest.mark.parametrize(
    ("change", "named"),
    [({"key": "another-made-up-key"}, "app key"), ({"secret": "another-made-up-secret"}, "app secret")],
)
def test_a_wrong_key_or_secret_is_named_in_every_call(
    app: App, store: MemoryStore, change: dict[str, str], named: str
) -> None:
    parts = {"key": app.key, "secret": app.secret, "api_base": app.api_base, "auth_base": app.auth_base} | change
    with Transport(App(**parts), store) as transport, pytest.raises(WrongCredentials, match=named):
        ShopApi(transport).authorized_shops()


def test_a_used_or_wrong_code_is_named(app: App, practice: PracticeShop) -> None:
    code = practice.authorise()
    exchange_code(app, code)
    for wrong in (code, "ROW_made_up"):
        with pytest.raises(WrongCredentials, match="code"):
            exchange_code(app, wrong)


@pytest.mark.parametrize("status", [200, 401])
def test_expired_tokens_are_renewed_on_the_way(
    shop: ShopApi, practice: PracticeShop, store: MemoryStore, status: int
) -> None:
    before = store.held
    practice.trouble("expired_token", status=status)
    assert shop.warehouses()
    assert store.held != before


def test_fifty_threads_with_expired_tokens_make_one_refresh(shop: ShopApi, practice: PracticeShop) -> None:
    practice.parts.auth.expire_access_tokens()
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(shop.warehouses()))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 50
    assert practice.parts.journal.report()["by_endpoint"]["GET /api/v2/token/refresh"] == 1


def test_a_withdrawn_authorisation_asks_for_a_new_sign_in(
    app: App, shop: ShopApi, practice: PracticeShop, store: MemoryStore
) -> None:
    practice.parts.auth.revoke()
    for _ in range(3):
        with pytest.raises(SignInAgain):
            shop.warehouses()
    assert practice.parts.journal.report()["by_endpoint"]["GET /api/v2/token/refresh"] == 1
    store.held = exchange_code(app, practice.authorise())
    assert shop.warehouses()


def test_a_refresh_whose_answer_was_lost_is_named(shop: ShopApi, practice: PracticeShop) -> None:
    practice.parts.auth.expire_access_tokens()
    practice.trouble("timeout_after", path="/token/refresh", times=1)
    with pytest.raises(Unreachable):
        shop.warehouses()
    with clock.turned(time.time() + 30), pytest.raises(SignInAgain, match="answer with new keys was lost"):
        shop.warehouses()


# ---- trouble


@pytest.mark.parametrize(
    "trouble",
    [
        {"kind": "rate_limit"},
        {"kind": "rate_limit", "retry_after": 1},
        {"kind": "server_error"},
        {"kind": "unavailable_html"},
        {"kind": "timeout_before"},
        {"kind": "timeout_after"},
        {"kind": "garbage"},
    ],
    ids=str,
)
def test_a_passing_trouble_does_not_stop_a_read(
    shop: ShopApi, practice: PracticeShop, trouble: dict[str, object]
) -> None:
    practice.trouble(times=2, path="/orders/search", **trouble)  # type: ignore[arg-type]
    assert shop.order_page(None, None).orders
    assert practice.parts.journal.report()["by_endpoint"]["POST /order/202309/orders/search"] == 3


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limit", RateLimited),
        ("server_error", ServiceDown),
        ("unavailable_html", ServiceDown),
        ("timeout_before", Unreachable),
        ("garbage", BadAnswer),
        ("missing_scope", MissingScope),
    ],
)
def test_a_lasting_trouble_is_named(shop: ShopApi, practice: PracticeShop, kind: str, error: type[Exception]) -> None:
    practice.trouble(kind)
    with pytest.raises(error):
        shop.warehouses()


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "server_error", "unavailable_html", "garbage"])
def test_a_write_without_a_clear_answer_is_sent_once(shop: ShopApi, practice: PracticeShop, kind: str) -> None:
    truth = practice.truths()[1]
    practice.trouble(kind, path="/inventory/update")
    with pytest.raises(OutcomeUnknown):
        shop.set_stock(truth.product_id, {truth.sku_id: {held.warehouse_id: 9 for held in truth.warehouses}})
    counts = practice.parts.journal.report()["by_endpoint"]
    assert sum(number for name, number in counts.items() if "inventory/update" in name) == 1


def test_a_limited_write_is_sent_again(shop: ShopApi, practice: PracticeShop) -> None:
    truth = practice.truths()[1]
    practice.trouble("rate_limit", path="/inventory/update", times=2)
    wanted = {held.warehouse_id: 8 for held in truth.warehouses}
    assert shop.set_stock(truth.product_id, {truth.sku_id: wanted}).accepted == {truth.sku_id}


@pytest.mark.parametrize("offset", [-600, -40, 40, 600])
def test_a_shop_whose_clock_differs_is_served_after_one_refusal(
    shop: ShopApi, practice: PracticeShop, transport: Transport, lines: list[RequestLine], offset: float
) -> None:
    practice.trouble("wrong_clock", offset=offset)
    for _ in range(5):
        assert shop.warehouses()
    assert transport.clock_skew == pytest.approx(offset, abs=2)
    assert [line.code for line in lines].count(36009004) <= 1


def test_a_shop_that_is_not_there_is_unreachable(app: App, store: MemoryStore) -> None:
    nowhere = App(app.key, app.secret, api_base="http://127.0.0.1:9", auth_base=app.auth_base)
    with Transport(nowhere, store, wait=no_wait) as transport, pytest.raises(Unreachable, match="no connection"):
        ShopApi(transport).authorized_shops()


def test_more_products_than_a_search_may_match_are_all_read(shop: ShopApi, practice: PracticeShop) -> None:
    practice.change_settings(result_window=10)
    try:
        found = [product.id for page in shop.product_pages(page_size=5) for product in page.products]
    finally:
        practice.change_settings(result_window=10_000)
    assert len(set(found)) == 25


def test_a_steady_push_at_the_limit_is_never_refused(
    app: App, store: MemoryStore, practice: PracticeShop, lines: list[RequestLine]
) -> None:
    # Room for 15 at once forgives a busy test machine, and no client without a pacer.
    practice.change_settings(rate=50, burst=15)
    try:
        with Transport(app, store, Budget(rate=50), lines.append) as transport:
            shop = ShopApi(transport, ShopApi(transport).authorized_shops()[0])
            begin = time.monotonic()
            with ThreadPoolExecutor(10) as pool:
                answered = list(pool.map(lambda _: bool(shop.warehouses()), range(100)))
            took = time.monotonic() - begin
    finally:
        practice.change_settings(rate=50, burst=500)
    assert answered == [True] * 100
    assert {line.code for line in lines} == {0}
    assert took < 5, "two seconds at 50 a second"


def test_the_address_of_the_practice_shop_is_the_consent_page(app: App) -> None:
    assert urlsplit(authorise_url(app, "x")).netloc == urlsplit(app.auth_base).netloc
