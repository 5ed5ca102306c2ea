"""Where sign-ins and shops are kept: app, tokens and ciphers sealed in the vault, the rest in tables."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import select, text

from core import clock
from core.lock import holding
from core.redact import register_secret
from core.settings import MARKETS
from core.store.engine import Store
from core.store.tables import Shop, Warehouse
from core.store.upsert import table, upsert
from core.store.vault import Vault, VaultLocked
from core.sync.ledger import STORE
from core.tiktok.auth import App, Tokens
from core.tiktok.models import ShopInfo
from core.tiktok.models import Warehouse as TikTokWarehouse

_PATIENCE = 60.0


class KeptTokens:
    """The tokens of one authorisation, sealed in the store; renewed by one thread of one process at a time."""

    def __init__(self, vault: Vault, auth: str, folder: Path) -> None:
        self._vault = vault
        self._name = f"tokens:{auth}"
        self._mark = f"refreshing:{auth}"
        self._lock_file = folder / f"refresh-{auth}.lock"
        self._thread_lock = threading.Lock()

    def load(self) -> Tokens | None:
        """The tokens as they are on disk now."""
        sealed = self._vault.get(self._name)
        if sealed is None:
            return None
        values = json.loads(sealed)
        return Tokens(**values | {"scopes": tuple(values["scopes"])})

    def save(self, tokens: Tokens) -> None:
        """Keep these, durably, and forget the mark of a refresh."""
        self._vault.put(self._name, json.dumps(asdict(tokens)).encode())
        self.clear_refreshing()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep out every other thread and process that wants to refresh."""
        with self._thread_lock, holding(self._lock_file, _PATIENCE):
            yield

    def mark_refreshing(self, token_fingerprint: str) -> None:
        """Note that the refresh token with this fingerprint is about to be used."""
        self._vault.put(self._mark, token_fingerprint.encode())

    def refreshing(self) -> str | None:
        """The fingerprint of a refresh whose answer was never saved."""
        mark = self._vault.get(self._mark)
        return None if mark is None else mark.decode()

    def clear_refreshing(self) -> None:
        """Forget the mark."""
        try:
            marked = self._vault.get(self._mark) is not None
        except VaultLocked:
            marked = True
        if marked:
            self._vault.remove(self._mark)


def keep_app(vault: Vault, auth: str, app: App) -> None:
    """Seal the owner's app."""
    vault.put(f"app:{auth}", json.dumps(asdict(app)).encode())


def load_app(vault: Vault, auth: str) -> App | None:
    """The owner's app, or None when none was saved."""
    sealed = vault.get(f"app:{auth}")
    return None if sealed is None else App(**json.loads(sealed))


def keep_shops(
    store: Store,
    vault: Vault,
    auth: str,
    shops: Sequence[tuple[ShopInfo, Sequence[TikTokWarehouse]]],
    *,
    practice: bool = False,
) -> None:
    """Remember the shops of a sign-in; one that was known keeps its mode, its zone and all of its data."""
    now = clock.now_ms()
    for shop, _ in shops:
        vault.put(f"cipher:{shop.id}", shop.cipher.encode())
    rows, places = [], []
    for shop, warehouses in shops:
        currency, zone = MARKETS.get(shop.region, ("", "UTC"))
        rows.append(
            {"id": shop.id, "auth": auth, "name": shop.name, "region": shop.region, "currency": currency,
             "timezone": zone, "practice": practice, "mode": "watch", "connected_at": now,
             "problem": None, "problem_next": None, "problem_outcome": None, "problem_at": None}
        )  # fmt: skip
        places += [
            {"shop_id": shop.id, "id": place.id, "name": place.name, "kind": place.kind, "location_id": STORE,
             "enabled": place.effect_status == "ENABLED", "is_default": place.is_default}
            for place in warehouses
        ]  # fmt: skip
    with store.write(urgent=True) as connection:
        upsert(connection, Shop, rows, keep=("mode", "timezone", "currency"))
        upsert(connection, Warehouse, places, keep=("location_id",))


def load_shops(store: Store, vault: Vault) -> list[tuple[Shop, ShopInfo]]:
    """The connected TikTok shops with what a call needs to name them; one whose secrets stay shut says so itself."""
    query = select(table(Shop)).where(text("kind = 'tiktok'")).order_by(text("connected_at"), text("id"))
    with store.read() as connection:
        rows = connection.execute(query).mappings().all()
    found = []
    for row in rows:
        try:
            cipher = (vault.get(f"cipher:{row['id']}") or b"").decode()
        except VaultLocked:
            _end(store, row["auth"], VaultLocked.sentence, VaultLocked.next_step)
            continue
        register_secret(cipher)
        found.append((Shop(**row), ShopInfo(row["id"], row["name"], row["region"], "", cipher, "")))
    return found


def forget(store: Store, vault: Vault, auth: str) -> None:
    """Remove a sign-in; shops, orders and stock stay, and reconnecting takes them up again."""
    for name in (f"tokens:{auth}", f"refreshing:{auth}", f"app:{auth}"):
        vault.remove(name)
    sentence = "This shop is disconnected. Nothing is read or sent."
    _end(store, auth, sentence, "Connect it again on the Connection page.")


def _end(store: Store, auth: str, sentence: str, next_step: str) -> None:
    query = text(
        "UPDATE shop SET problem = :sentence, problem_next = :next, problem_outcome = 'sign in again', "
        "problem_at = :now WHERE auth = :auth"
    )
    with store.write(urgent=True) as connection:
        connection.execute(query, {"sentence": sentence, "next": next_step, "now": clock.now_ms(), "auth": auth})
