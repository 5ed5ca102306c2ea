"""Signatures: of the requests we send, and of the webhooks we are sent."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

UNSIGNED = frozenset({"sign", "access_token"})


def sign(
    secret: str, path: str, query: Mapping[str, str], body: bytes = b"", content_type: str = "application/json"
) -> str:
    """The `sign` parameter of a request: 64 lower-case hex digits.

    TikTok Shop API, Sign your API request: the secret around path, decoded query pairs in order of their keys, and
    the exact bytes of the body unless it is multipart; HMAC-SHA256 keyed with the secret.
    """
    pairs = "".join(key + query[key] for key in sorted(query) if key not in UNSIGNED)
    multipart = content_type.split(";", 1)[0].strip().lower() == "multipart/form-data"
    key = secret.encode()
    message = key + f"{path}{pairs}".encode() + (b"" if multipart else body) + key
    return hmac.new(key, message, sha256).hexdigest()


def webhook_signature(app_key: str, secret: str, raw: bytes) -> str:
    """What the Authorization header of a webhook must be. TikTok Shop API: Webhooks overview."""
    return hmac.new(secret.encode(), app_key.encode() + raw, sha256).hexdigest()


def verify_webhook(app_key: str, secret: str, raw: bytes, header: str | None) -> bool:
    """Whether the raw bytes were signed with our secret; compared in constant time."""
    expected = webhook_signature(app_key, secret, raw)
    return hmac.compare_digest(expected.encode(), (header or "").strip().encode())
