"""Who the practice shop is: its made-up keys, ids, warehouses and scopes, and its switches."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from core.practice.answers import NotPossible

JSON = dict[str, Any]


@dataclass(frozen=True)
class Credentials:
    """The app that may talk to the practice shop. Made up, and visibly so."""

    app_key: str = "practice-app-key"
    app_secret: str = "practice-app-secret-not-real"  # noqa: S105
    service_id: str = "7000000000000000001"


CREDENTIALS = Credentials()

SHOP_ID = "7495540735365770101"
SHOP_NAME = "Harbour & Pine (practice)"
SHOP_CODE = "GBPRACTICE01"
SHOP_CIPHER = "GCP_practiceShopCipher01"
SELLER_ID = 7495274531001430101
OPEN_ID = "PracticeOpenIdExample0001"
REGION = "GB"
CURRENCY = "GBP"
ZONE = "Europe/London"

MAIN_WAREHOUSE = "7300000000000000001"
SECOND_WAREHOUSE = "7300000000000000002"
RETURN_WAREHOUSE = "7300000000000000003"
SALES_WAREHOUSES = (MAIN_WAREHOUSE, SECOND_WAREHOUSE)

SCOPES = (
    "seller.authorization.info",
    "seller.logistics",
    "seller.order.info",
    "seller.product.basic",
    "seller.product.write",
)

# Stored texts carry this base; answers carry the address under which the practice shop was asked.
PICTURE_BASE = "http://pictures.invalid"

# TikTok Shop API: "Rate limits" and "Common errors". Codes that are not listed answer with HTTP 200.
DEFAULT_STATUS = {
    36009002: 429,
    36009003: 500,
    36009004: 400,
    36009009: 404,
    36009014: 400,
    36009037: 429,
    36009043: 401,
    36009044: 401,
    105005: 403,
}


@dataclass
class Settings:
    """What a person or a test may turn while the shop runs; times in the unit of the name."""

    hold: bool = True
    living: bool = False
    redirect_uri: str = "http://127.0.0.1:8501/oauth/callback"
    rate: float = 50.0
    burst: float | None = None
    retry_after: bool = False
    rotation: bool = True
    latency_ms: float = 0.0
    result_window: int = 10_000
    http_status: dict[int, int] = field(default_factory=dict)
    access_token_seconds: int = 7 * 86_400
    authorisation_seconds: int = 365 * 86_400

    def status_of(self, code: int) -> int:
        """The HTTP status that goes with an error code."""
        return self.http_status.get(code, DEFAULT_STATUS.get(code, 200))


def fitting(settings: Settings, name: str, value: Any) -> Any:
    """The value for a switch, checked against what the switch is now; raises NotPossible with a sentence."""
    if name not in {one.name for one in fields(settings)}:
        raise NotPossible(f"There is no setting {name}.")
    now = getattr(settings, name)
    if name == "http_status" and isinstance(value, dict):
        return {int(code): int(status) for code, status in value.items()}
    if name == "burst" and value is None:
        return None
    kind = (int, float) if name == "burst" or type(now) in (int, float) else type(now)
    if not isinstance(value, kind) or (isinstance(value, bool) and not isinstance(now, bool)):
        raise NotPossible(f"The setting {name} cannot be {value!r}.")
    return value


# What outlives a restart; the rest belongs to one run.
KEPT_SETTINGS = ("hold", "redirect_uri", "rotation")
