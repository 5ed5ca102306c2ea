"""Who we are (app), what we may use (tokens), where tokens are kept, and how the owner's consent becomes tokens."""

import hmac
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Protocol
from urllib.parse import parse_qs, urlencode

from core import clock
from core.redact import register_secret
from core.tiktok.endpoints import AUTHORISE, TOKENS_AGAIN, TOKENS_NEW
from core.tiktok.errors import BadAnswer, WrongShop
from core.tiktok.exchange import Exchange, Parcel
from core.tiktok.reading import count, items, mapping, needed, plain, texts
from core.tiktok.requestlog import write_line
from core.tiktok.skew import ServerClock
from core.tiktok.wire import Wire

API_BASE = "https://open-api.tiktokglobalshop.com"
AUTH_BASE = "https://auth.tiktok-shops.com"
CONSENT_BASE = "https://services.tiktokshop.com"
CONSENT_BASE_US = "https://services.us.tiktokshop.com"
LONGEST_PASTE = 4_000
FIRST_EPOCH = 10**9  # a smaller "expire_in" is a duration, not a time
SELLER = 0


@dataclass(frozen=True, slots=True)
class App:
    """The owner's app in Partner Center, and the hosts it talks to."""

    key: str
    secret: str = field(repr=False)
    service_id: str = ""
    api_base: str = API_BASE
    auth_base: str = AUTH_BASE
    redirect_uri: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        register_secret(self.secret)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One authorisation. Both expiry times are absolute Unix seconds; the refresh one ends the authorisation."""

    access_token: str = field(repr=False)
    access_expires_time: int
    refresh_token: str = field(repr=False)
    refresh_expires_time: int
    open_id: str = ""
    seller_name: str = ""
    region: str = ""
    scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        register_secret(self.access_token)
        register_secret(self.refresh_token)


class TokenStore(Protocol):
    """Where one authorisation is kept. A refresh token works once, so a lost answer can lose the authorisation.

    The refresh runs inside `lock()`: load, `mark_refreshing`, ask TikTok, `save`. When a process dies in between,
    the mark stays, and the next refresh can name the cause if the old token no longer works.
    """

    def load(self) -> Tokens | None:
        """The tokens as they are on disk now, or None when no shop is connected."""

    def save(self, tokens: Tokens) -> None:
        """Keep these; durable before it returns. Also clears the mark of a refresh."""

    def lock(self) -> AbstractContextManager[None]:
        """Keep out every other thread and process that wants to refresh."""

    def mark_refreshing(self, token_fingerprint: str) -> None:
        """Note, durably, that the refresh token with this fingerprint is about to be used."""

    def refreshing(self) -> str | None:
        """The fingerprint of a refresh whose answer was never saved."""

    def clear_refreshing(self) -> None:
        """Forget the mark: the refresh never reached TikTok."""


def fingerprint(token: str) -> str:
    """A short name for a token that does not give it away."""
    return sha256(token.encode()).hexdigest()[:16]


def authorise_url(app: App, state: str) -> str:
    """The page where the owner agrees. TikTok Shop API: Authorization overview.

    A service of its own (the practice shop) shows that page on the host of its tokens.
    """
    if app.auth_base == AUTH_BASE:
        base = CONSENT_BASE_US if app.region.upper() == "US" else CONSENT_BASE
    else:
        base = app.auth_base
    return f"{base}{AUTHORISE}?{urlencode({'service_id': app.service_id, 'state': state})}"


class RedirectFault(StrEnum):
    """What is wrong with what came back from the consent page."""

    REFUSED = "refused"
    NO_CODE = "no code"
    WRONG_STATE = "wrong state"


@dataclass(frozen=True, slots=True)
class Code:
    """An authorisation code: valid for 30 minutes and for one use."""

    value: str = field(repr=False)
    state: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RedirectProblem:
    """Why there is no code, with what to do."""

    fault: RedirectFault
    sentence: str
    next_step: str


_REFUSED = RedirectProblem(
    RedirectFault.REFUSED,
    "The sign-in was refused on TikTok's page.",
    "Start again under Connection and agree there, with an account that owns the shop.",
)
_NO_CODE = RedirectProblem(
    RedirectFault.NO_CODE,
    "There is no code in this.",
    "Copy the whole address of the page that TikTok sent you to; it contains \u201ccode=\u201d.",
)
_WRONG_STATE = RedirectProblem(
    RedirectFault.WRONG_STATE,
    "This address does not belong to the sign-in that was started here.",
    "Start again under Connection and use the newest address only.",
)


def parse_redirect(url_or_code: str, expected_state: str | None) -> Code | RedirectProblem:
    """The code in a redirect address, in its query alone, or pasted bare.

    With `expected_state` an address must carry exactly that state; a bare code was pasted by the owner and has none.
    TikTok writes `code=null&error=auth_denied` when the owner refuses.
    """
    text = url_or_code.strip()
    if not text or len(text) > LONGEST_PASTE:
        return _NO_CODE
    if not any(mark in text for mark in ("://", "code=", "error=")):
        return _NO_CODE if text == "null" or not text.isprintable() or " " in text else Code(text)
    # Only the query matters, so an address whose other parts make no sense is fine.
    values = parse_qs((text.partition("?")[2] or text).partition("#")[0])
    code, state = values.get("code", [""])[0].strip(), values.get("state", [None])[0]
    if values.get("error"):
        return _REFUSED
    if code in ("", "null"):
        return _NO_CODE
    if expected_state is not None and not hmac.compare_digest((state or "").encode(), expected_state.encode()):
        return _WRONG_STATE
    return Code(code, state)


def exchange_code(app: App, code: str, exchange: Exchange | None = None) -> Tokens:
    """Tokens for an authorisation code. TikTok Shop API: Get Access Token.

    The code works once and is never sent twice: after a lost answer the owner starts again.
    Raises WrongCredentials (key, secret or code), WrongShop (not a seller), Unreachable and ServiceDown.
    """
    return _ask(app, TOKENS_NEW, {"auth_code": code, "grant_type": "authorized_code"}, exchange)


def refresh(app: App, refresh_token: str, exchange: Exchange | None = None) -> Tokens:
    """New tokens for a refresh token, which stops working with its use. TikTok Shop API: Refresh Access Token.

    Raises SignInAgain when the authorisation is over; Unreachable says in `sent` whether TikTok may have acted.
    """
    return _ask(app, TOKENS_AGAIN, {"refresh_token": refresh_token, "grant_type": "refresh_token"}, exchange)


def _ask(app: App, path: str, values: dict[str, str], exchange: Exchange | None) -> Tokens:
    if exchange is None:
        with Wire([app.auth_base]) as wire:
            return _ask(app, path, values, Exchange(wire, ServerClock(), write_line))
    # Key and secret travel in the query, in clear: that is TikTok's way, and why no address is ever logged.
    query = urlencode({"app_key": app.key, "app_secret": app.secret, **values})
    answer = exchange.send(Parcel("GET", app.auth_base, path, query, {}))
    return read_tokens(answer.data, answer.request_id)


def read_tokens(data: object, request_id: str) -> Tokens:
    """The tokens in an answer of the auth host. TikTok Shop API: Get Access Token, Refresh Access Token."""
    fields: Mapping[str, object] = mapping(data)
    if count(fields.get("user_type")) not in (None, SELLER):
        raise WrongShop(
            "This sign-in belongs to a creator or partner, not to a shop.",
            "Sign in with the account that owns the shop.",
            request_id=request_id,
        )
    try:
        return Tokens(
            access_token=needed(fields.get("access_token"), "access_token"),
            access_expires_time=_absolute(fields.get("access_token_expire_in")),
            refresh_token=needed(fields.get("refresh_token"), "refresh_token"),
            refresh_expires_time=_absolute(fields.get("refresh_token_expire_in")),
            open_id=plain(fields.get("open_id")),
            seller_name=plain(fields.get("seller_name")),
            region=plain(fields.get("seller_base_region")),
            scopes=texts(items(fields.get("granted_scopes"))),
        )
    except ValueError as problem:
        raise BadAnswer(
            f"TikTok's answer to the sign-in is incomplete: {problem}.",
            "Open Connection and sign in again.",
            request_id=request_id,
        ) from None


def _absolute(value: object) -> int:
    found = count(value)
    if found is None or found <= 0:
        raise ValueError("an expiry time is missing")
    return found if found >= FIRST_EPOCH else clock.now() + found
