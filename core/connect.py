"""Connect a shop: app, consent, tokens, shops and warehouses; tested before anything is kept."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from core import clock
from core.store.engine import Store
from core.store.vault import Vault, VaultLocked
from core.sync.signin import KeptTokens, keep_app, keep_shops
from core.tiktok.api import ShopApi
from core.tiktok.auth import App, Code, RedirectProblem, Tokens, authorise_url, exchange_code, parse_redirect
from core.tiktok.errors import TikTokError
from core.tiktok.transport import Transport

STATE_SECONDS = 600
_PENDING = "connecting"


@dataclass(frozen=True, slots=True)
class ConnectResult:
    """How connecting ended, in a sentence and a next step; `shops` are the names of the connected ones."""

    ok: bool
    sentence: str
    next_step: str = ""
    shops: tuple[str, ...] = ()


NOT_STARTED = ConnectResult(False, "No sign-in was started here.", "Enter key and secret first, then follow the link.")


def begin(vault: Vault, app: App) -> str:
    """Keep the app and a one-time state for ten minutes, and return the page where the owner agrees."""
    state = secrets.token_urlsafe(24)
    pending = {"state": state, "until": clock.now() + STATE_SECONDS, "app": _values(app)}
    vault.put(_PENDING, json.dumps(pending).encode())
    return authorise_url(app, state)


def finish(store: Store, vault: Vault, auth: str, pasted: str, folder: Path, *, from_callback: bool) -> ConnectResult:
    """Turn what came back from the consent page into a connected shop; nothing is kept unless all of it worked."""
    sealed = vault.get(_PENDING)
    if sealed is None:
        return NOT_STARTED
    pending = json.loads(sealed)
    if clock.now() > pending["until"] and from_callback:
        vault.remove(_PENDING)
        return ConnectResult(False, "This sign-in was started more than ten minutes ago.", "Start it again.")
    found = parse_redirect(pasted, pending["state"])
    if isinstance(found, RedirectProblem):
        return ConnectResult(False, found.sentence, found.next_step)
    if from_callback and not _same(found, pending["state"]):
        return ConnectResult(
            False, "This address does not belong to the sign-in that was started here.", "Start it again."
        )
    app = App(**pending["app"])
    vault.remove(_PENDING)  # a state and a code work once
    try:
        tokens = exchange_code(app, found.value)
        return keep_connection(store, vault, auth, app, tokens, folder)
    except TikTokError as error:
        return ConnectResult(False, error.sentence, error.next_step)


def _same(code: Code, state: str) -> bool:
    return code.state is not None and secrets.compare_digest(code.state, state)


def keep_connection(
    store: Store, vault: Vault, auth: str, app: App, tokens: Tokens, folder: Path, *, practice: bool = False
) -> ConnectResult:
    """Ask for the shops and warehouses of these tokens, then keep all of it. Raises TikTokError."""
    kept = KeptTokens(vault, auth, folder)
    before = _before(kept)
    kept.save(tokens)
    try:
        with Transport(app, kept) as transport:
            shops = ShopApi(transport).authorized_shops()
            found = [(shop, ShopApi(transport, shop).warehouses()) for shop in shops]
    except TikTokError:
        if before is not None:
            kept.save(before)
        else:
            vault.remove(f"tokens:{auth}")
        raise
    if not found:
        return ConnectResult(False, "This sign-in has no shop.", "Sign in with the account that owns the shop.")
    keep_app(vault, auth, app)
    keep_shops(store, vault, auth, found, practice=practice)
    names = tuple(shop.name for shop, _ in found)
    return ConnectResult(True, f"Connected: {', '.join(names)}.", "The first sync runs now.", names)


def _before(kept: KeptTokens) -> Tokens | None:
    try:
        return kept.load()
    except VaultLocked:  # sealed under a key that is gone; that is why the owner signs in again
        return None


def _values(app: App) -> dict[str, str]:
    return {name: getattr(app, name) for name in App.__dataclass_fields__}
