"""The practice shop inside Evenstock: served on loopback, connected as a real shop is, its goods in the catalogue."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from core.connect import keep_connection
from core.practice import CREDENTIALS, PracticeServer, PracticeShop, serve
from core.practice.catalogue import write_demo_csv
from core.store.engine import Store
from core.store.vault import Vault
from core.sync import imports
from core.sync.signin import load_shops
from core.tiktok.api import ShopApi
from core.tiktok.auth import App, exchange_code

AUTH = "practice"
_EVENTS = ("ORDER_STATUS_CHANGE", "INVENTORY_CHANGED")


@dataclass
class Embedded:
    """The running practice shop and how to reach it."""

    shop: PracticeShop
    server: PracticeServer
    app: App

    def listen(self, address: str, api: ShopApi) -> None:
        """Have the practice shop send its events to this loopback address. Raises TikTokError."""
        for event_type in _EVENTS:
            api.register_webhook(event_type, address)

    def stop(self) -> None:
        """Close it; its state stays in its file."""
        self.server.stop()
        self.shop.close()


def start(folder: Path, orders: int | None = None) -> Embedded:
    """Open or create the practice shop in `folder` and serve it on a free loopback port."""
    shop = PracticeShop(folder / "shop.db", orders=orders, living=True)
    server = serve(shop)
    (folder / "address.json").write_text(json.dumps({"base_url": server.base_url, "pid": os.getpid()}))
    return Embedded(shop, server, app_for(server.base_url))


def app_for(base_url: str) -> App:
    """The made-up app of the practice shop at this address."""
    return App(
        CREDENTIALS.app_key, CREDENTIALS.app_secret, CREDENTIALS.service_id, base_url, base_url,
        "http://127.0.0.1:8501/oauth/callback", "GB",
    )  # fmt: skip


def address(folder: Path) -> str | None:
    """Where another process serves the practice shop, if one said so."""
    try:
        return str(json.loads((folder / "address.json").read_text())["base_url"])
    except (OSError, ValueError, KeyError):
        return None


def connect(embedded: Embedded, store: Store, vault: Vault, folder: Path) -> None:
    """Bring in the demo catalogue and sign in, once. Raises TikTokError."""
    if load_shops(store, vault):
        return
    with store.read() as connection:
        stocked = connection.execute(text("SELECT 1 FROM item LIMIT 1")).first()
    if not stocked:  # it may be the sign-in alone that is missing, when the key for secrets has changed
        _demo_catalogue(embedded.shop, store, folder)
    sign_in(embedded, store, vault, folder)


def sign_in(embedded: Embedded, store: Store, vault: Vault, folder: Path) -> None:
    """Get tokens from the practice shop, as an owner who agrees would. Raises TikTokError."""
    tokens = exchange_code(embedded.app, embedded.shop.authorise())
    keep_connection(store, vault, AUTH, embedded.app, tokens, folder, practice=True)


def _demo_catalogue(shop: PracticeShop, store: Store, folder: Path) -> None:
    file = write_demo_csv(shop, folder / "demo-catalogue.csv")
    imports.apply(store, file, partial=True, actor="practice shop")
