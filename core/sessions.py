"""Open clients for the connected shops: one transport and one rate budget for each sign-in."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from core.store.engine import Store
from core.store.vault import Vault
from core.sync.context import ShopContext
from core.sync.signin import KeptTokens, load_app, load_shops
from core.tiktok.api import ShopApi
from core.tiktok.auth import App
from core.tiktok.budget import Budget
from core.tiktok.transport import Transport

RATE = 50.0  # TikTok Shop API, rate limits: calls a second for each app, shop and endpoint; less when it says so
RESERVE = 0.2  # of the rate, kept free for a sale that arrives during a mass change


@dataclass
class Sessions:
    """All open shops and what must be closed after them."""

    shops: list[ShopContext]
    stop: threading.Event
    transports: list[Transport] = field(default_factory=list)

    def close(self) -> None:
        """Stop what waits, and close every connection."""
        self.stop.set()
        for transport in self.transports:
            transport.close()


def open_sessions(
    store: Store, vault: Vault, salt: bytes, folder: Path, apps: Mapping[str, App] | None = None, rate: float = RATE
) -> Sessions:
    """A context for every connected shop; `apps` replaces the saved app of a sign-in (the practice shop's)."""
    stop = threading.Event()
    sessions = Sessions([], stop)
    transports: dict[str, Transport] = {}
    for shop, info in load_shops(store, vault):
        app = (apps or {}).get(shop.auth) or load_app(vault, shop.auth)
        if app is None:
            continue
        if shop.auth not in transports:
            tokens = KeptTokens(vault, shop.auth, folder)
            budget = Budget(rate, reserve=RESERVE, wait=stop.wait)
            transports[shop.auth] = Transport(app, tokens, budget, wait=stop.wait)
        api = ShopApi(transports[shop.auth], info)
        sessions.shops.append(
            ShopContext(
                shop.id, shop.name, shop.currency, ZoneInfo(shop.timezone), api, store, salt, shop.practice, stop
            )
        )
    sessions.transports = list(transports.values())
    return sessions


def buyer_salt(key: bytes) -> bytes:
    """What buyers' ids are hashed with, so that the store alone does not tell who they are."""
    return hashlib.blake2b(b"buyer keys", key=key, digest_size=32).digest()
