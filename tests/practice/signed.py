"""A tiny signed client of the tests' own: written from the documents, sharing no code with the product."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import httpx

CIPHER = "GCP_practiceShopCipher01"
KEY = "practice-app-key"
SECRET = "practice-app-secret-not-real"


def sign(secret: str, path: str, query: dict[str, str], body: bytes = b"") -> str:
    """The signature as the documents describe it."""
    text = path + "".join(name + query[name] for name in sorted(query))
    return hmac.new(
        secret.encode(), secret.encode() + text.encode() + body + secret.encode(), hashlib.sha256
    ).hexdigest()


class Caller:
    """Sends signed requests and hands back the raw answers."""

    def __init__(self, base_url: str, token: str, clock: Any) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=10, trust_env=False)
        self.token = token
        self.clock = clock

    def ask(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None, *,
        raw: bytes | None = None,
        cipher: str | None = CIPHER, **spoil: Any,
    ) -> httpx.Response:  # fmt: skip
        """One signed request; `spoil` replaces query values after signing or headers (token, content_type)."""
        values = {"app_key": KEY, "timestamp": str(int(self.clock()))}
        values |= {} if cipher is None else {"shop_cipher": cipher}
        values |= {name: str(value) for name, value in (query or {}).items() if value is not None}
        payload = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        values["sign"] = sign(SECRET, path, values, payload)
        headers = {
            "x-tts-access-token": spoil.pop("token", self.token),
            "content-type": spoil.pop("content_type", "application/json"),
        }
        values |= {name: value for name, value in spoil.items() if value is not None}
        gone = [name for name, value in spoil.items() if value is None]
        query_string = urlencode({name: value for name, value in values.items() if name not in gone})
        return self.http.request(method, f"{path}?{query_string}", content=payload, headers=headers)

    def data(self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None, **more: Any) -> Any:
        """The `data` of an answer that must be a success."""
        answer = self.ask(method, path, query, body, **more).json()
        assert answer["code"] == 0, answer
        return answer["data"]

    def code(self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None, **more: Any) -> int:
        """The code of an answer."""
        return int(self.ask(method, path, query, body, **more).json()["code"])

    def orders(self, body: dict[str, Any] | None = None, **query: Any) -> list[dict[str, Any]]:
        """All orders of a search, over all its pages."""
        found: list[dict[str, Any]] = []
        token = None
        while True:
            wish = {"page_size": 100, "sort_field": "update_time", "sort_order": "ASC", "page_token": token, **query}
            page = self.data("POST", "/order/202309/orders/search", wish, body or {})
            found += page["orders"]
            token = page.get("next_page_token")
            if not token:
                return found

    def inventory(self, sku_id: str) -> tuple[int, int]:
        """Available and committed of one SKU, as the API shows them."""
        data = self.data("POST", "/product/202309/inventory/search", body={"sku_ids": [sku_id]})
        sku = data["inventory"][0]["skus"][0]
        return sku["total_available_quantity"], sku["total_committed_quantity"]
