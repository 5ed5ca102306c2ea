"""The gate before the API: every request is checked in the order in which the real gateway checks it."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import orjson

from core.practice.answers import Refusal, bad_parameter
from core.practice.auth import Auth
from core.practice.ground import Ground
from core.practice.identity import CREDENTIALS, JSON, SHOP_CIPHER
from core.practice.trouble import Trouble

PAST_SECONDS, FUTURE_SECONDS = 300, 30  # TikTok Shop API: "Common parameters", the window is not symmetric


class Cipher(Enum):
    """Whether an endpoint takes `shop_cipher`."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    REFUSED = "refused"


@dataclass(slots=True)
class Call:
    """One request as it came: `path` raw, `query` decoded, `body` byte by byte."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    content_type: str
    token: str
    base_url: str
    ids: tuple[str, ...] = ()
    troubles: list[Trouble] = field(default_factory=list)

    def struck_by(self, kind: str) -> Trouble | None:
        """The trouble of this kind that hit the request."""
        return next((trouble for trouble in self.troubles if trouble.kind == kind), None)

    def json(self) -> JSON:
        """The JSON object in the body; an empty body is an empty object. Raises Refusal for anything else."""
        if not self.body:
            return {}
        if not self.content_type.lower().startswith("application/json"):
            raise Refusal(36009022, "The content-type must be application/json.")
        try:
            value: Any = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Refusal(36009022, "The request body must be valid JSON.") from None
        if not isinstance(value, dict):
            raise Refusal(36009022, "The request body must be a JSON object.")
        return value


def signature(
    secret: str, path: str, query: dict[str, str], body: bytes, content_type: str = "application/json"
) -> str:
    """TikTok Shop API: "Sign your API request"; query values decoded, the body left out only for multipart."""
    pairs = "".join(f"{name}{query[name]}" for name in sorted(query) if name not in ("sign", "access_token"))
    multipart = content_type.split(";")[0].strip().lower() == "multipart/form-data"
    wrapped = f"{secret}{path}{pairs}".encode() + (b"" if multipart else body) + secret.encode()
    return hmac.new(secret.encode(), wrapped, hashlib.sha256).hexdigest()


class Gate:
    """App key, time, signature, token, cipher, scope and rate of each request."""

    def __init__(self, ground: Ground, auth: Auth) -> None:
        self._ground = ground
        self._auth = auth
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def pass_through(self, call: Call, endpoint: str, scope: str, cipher: Cipher, now: float) -> None:
        """Raises Refusal at the first check that fails; `now` is the shop's clock as this request sees it."""
        self._check_app_and_sign(call, now)
        granted = self._auth.check(call.token)
        self._check_cipher(call, cipher)
        if scope not in granted.scopes or call.struck_by("missing_scope"):
            raise Refusal(105005, f"Access denied. The app or the token does not have the scope '{scope}'.")
        self._check_rate(endpoint)

    def _check_app_and_sign(self, call: Call, now: float) -> None:
        if "app_key" not in call.query:
            raise Refusal(36009004, "Invalid credentials. The 'app_key' query parameter is missing.")
        if call.query["app_key"] != CREDENTIALS.app_key:
            raise Refusal(36009004, "Invalid credentials. The 'app_key' is invalid.")
        self._check_time(call.query.get("timestamp", ""), now)
        given = call.query.get("sign")
        if not given:
            raise Refusal(36009004, "Missing credentials. The 'sign' query parameter is missing.")
        expected = signature(CREDENTIALS.app_secret, call.path, call.query, call.body, call.content_type)
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise Refusal(106001, "Invalid credentials. The 'sign' query parameter is invalid.")

    @staticmethod
    def _check_time(text: str, now: float) -> None:
        if not text.isdigit():
            raise Refusal(36009004, "The 'timestamp' query parameter is missing or invalid.")
        if int(text) < now - PAST_SECONDS:
            raise Refusal(36009004, "The 'timestamp' query parameter is too old, it must be within 5 minutes.")
        if int(text) > now + FUTURE_SECONDS:
            raise Refusal(36009004, "The 'timestamp' query parameter is too far in the future.")

    @staticmethod
    def _check_cipher(call: Call, cipher: Cipher) -> None:
        given = call.query.get("shop_cipher")
        if "category_asset_cipher" in call.query or (given is not None and cipher is Cipher.REFUSED):
            name = "shop_cipher" if given is not None else "category_asset_cipher"
            raise Refusal(
                36009004, f"Unexpected identifier. The '{name}' query parameter is not required for this endpoint."
            )
        if given is None and cipher is Cipher.REQUIRED:
            raise Refusal(106013, "The 'shop_cipher' query parameter is missing.")
        if given is not None and given != SHOP_CIPHER:
            raise Refusal(101000, "The access token does not match the 'shop_cipher'.")

    def _check_rate(self, endpoint: str) -> None:
        settings = self._ground.settings
        with self._lock:
            bucket = self._buckets.setdefault(endpoint, Bucket())
            allowed = bucket.take(settings.rate, settings.burst or settings.rate)
        if not allowed:
            headers = {"Retry-After": "1"} if settings.retry_after else {}
            raise Refusal(36009002, "Too many requests. Please slow down.", headers=headers)


class Bucket:
    """A token bucket in real time: `rate` requests a second, at most `burst` at once."""

    def __init__(self) -> None:
        self._level: float | None = None
        self._at = time.monotonic()

    def take(self, rate: float, burst: float) -> bool:
        """Whether one more request is allowed now."""
        now = time.monotonic()
        room = max(1.0, burst)
        level = room if self._level is None else min(room, self._level + (now - self._at) * rate)
        self._at = now
        self._level = level - 1 if level >= 1 else level
        return level >= 1


def whole_number(call: Call, name: str, low: int, high: int, refusal: Refusal | None = None) -> int:
    """A whole number from the query within limits; raises the refusal given or the usual one."""
    text = call.query.get(name, "")
    if text.isdigit() and low <= int(text) <= high:
        return int(text)
    raise refusal or bad_parameter("query", name, "is missing" if not text else f"must be between {low} and {high}")
