"""Our own side of a benchmark: a fresh store, signed in to a practice shop through the real client."""

import gc
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import text

from core.connect import keep_connection
from core.embedded import app_for
from core.process import SWITCH
from core.sessions import RATE, Sessions, buyer_salt, open_sessions
from core.settings import Settings
from core.store.engine import Store, open_store
from core.store.vault import Vault, vault_key
from core.sync import catalog, ledger
from core.sync.context import ShopContext
from core.sync.runs import Running
from core.tiktok.auth import App, Code, Tokens, authorise_url, exchange_code, parse_redirect

AUTH = "practice"


@dataclass
class Desk:
    """A store and the one shop connected to it."""

    store: Store
    sessions: Sessions
    shop: ShopContext

    def running(self, kind: str = "bench") -> Running:
        """A run to pass to the engine."""
        return Running(self.store, kind, self.shop.shop_id, "timer")

    def value(self, query: str, **given: object) -> int:
        """One number from the store."""
        with self.store.read() as connection:
            return int(connection.execute(text(query), given).scalar_one() or 0)


def sign_in(url: str) -> tuple[App, Tokens]:
    """Agree on the practice shop's consent page and fetch tokens."""
    app = app_for(url)
    state = secrets.token_urlsafe(16)
    answer = httpx.get(f"{authorise_url(app, state)}&decision=allow", trust_env=False)
    code = parse_redirect(answer.headers["location"], state)
    assert isinstance(code, Code)
    return app, exchange_code(app, code.value)


def settle() -> None:
    """Take what is loaded by now out of later garbage collections, as the running product does after its start."""
    gc.collect()
    gc.freeze()


@contextmanager
def desk(folder: Path, url: str, *, rate: float | None = None) -> Iterator[Desk]:
    """A store in `folder` connected to the practice shop at `url`; `rate` replaces the product's own pace."""
    store = open_store(f"sqlite:///{(folder / 'evenstock.db').as_posix()}")
    key = vault_key(Settings(evenstock_data_dir=folder))
    vault = Vault(store, key)
    app, tokens = sign_in(url)
    keep_connection(store, vault, AUTH, app, tokens, folder, practice=True)
    sessions = open_sessions(store, vault, buyer_salt(key), folder, {AUTH: app}, RATE if rate is None else rate)
    sys.setswitchinterval(SWITCH)  # as the running product does
    settle()
    try:
        yield Desk(store, sessions, sessions.shops[0])
    finally:
        sessions.close()
        store.close()


def stock_up(desk: Desk, *, on_hand: int = 50, counted_at: int | None = None) -> int:
    """Read the shop's products, make one item for each listing, link and count them. Returns how many.

    `counted_at` (ms) puts the count into the past, so that older shipments take units off as well.
    """
    catalog.scan(desk.shop, desk.running(), full=True)
    with desk.store.write() as connection:
        shop = {"shop": desk.shop.shop_id}
        connection.execute(
            text(
                "INSERT INTO item (sku, title, variant, currency, barcode, archived, created_at) "
                "SELECT sku_id, title, variant, currency, '', false, 0 FROM listing WHERE shop_id = :shop"
            ),
            shop,
        )
        pairs = connection.execute(
            text("SELECT l.sku_id, i.id FROM listing l JOIN item i ON i.sku = l.sku_id WHERE l.shop_id = :shop"), shop
        ).all()
        catalog.link(connection, desk.shop.shop_id, [(sku, item, 1, "bench") for sku, item in pairs])
        ledger.count(
            connection, [(item, on_hand) for _, item in pairs], actor="bench", origin="bench", reference="bench"
        )
        if counted_at is not None:
            connection.execute(text("UPDATE item SET counted_at = :at"), {"at": counted_at})
    return len(pairs)
