"""What Evenstock is told from outside: the environment, `.env`, and the shape of the owner's own choices."""

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

API_BASE = "https://open-api.tiktokglobalshop.com"
AUTH_BASE = "https://auth.tiktok-shops.com"
AUTHORISE_BASES = {"US": "https://services.us.tiktokshop.com", "": "https://services.tiktokshop.com"}

# Currency and usual time zone by region code; zones are general knowledge, so the owner can change them.
MARKETS: dict[str, tuple[str, str]] = {
    "US": ("USD", "America/Los_Angeles"), "GB": ("GBP", "Europe/London"), "IE": ("EUR", "Europe/Dublin"),
    "ES": ("EUR", "Europe/Madrid"), "DE": ("EUR", "Europe/Berlin"), "FR": ("EUR", "Europe/Paris"),
    "IT": ("EUR", "Europe/Rome"), "JP": ("JPY", "Asia/Tokyo"), "BR": ("BRL", "America/Sao_Paulo"),
    "MX": ("MXN", "America/Mexico_City"), "ID": ("IDR", "Asia/Jakarta"), "MY": ("MYR", "Asia/Kuala_Lumpur"),
    "PH": ("PHP", "Asia/Manila"), "SG": ("SGD", "Asia/Singapore"), "TH": ("THB", "Asia/Bangkok"),
    "VN": ("VND", "Asia/Ho_Chi_Minh"),
}  # fmt: skip


class Settings(BaseSettings):
    """Set once per start, by environment variable or `.env`; README lists them with their defaults."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    tiktok_shop_app_key: str = ""
    tiktok_shop_app_secret: SecretStr = SecretStr("")
    tiktok_shop_service_id: str = ""
    tiktok_shop_region: str = ""
    tiktok_shop_redirect_uri: str = "http://127.0.0.1:8501/oauth/callback"
    tiktok_shop_api_base: str = API_BASE
    tiktok_shop_auth_base: str = AUTH_BASE
    tiktok_shop_sync_interval: int | None = Field(default=None, ge=0, description="seconds; 0 is by hand only")
    database_url: str = ""
    evenstock_data_dir: Path = Path("data")
    evenstock_key: SecretStr = SecretStr("")
    evenstock_practice_orders: int | None = None

    @property
    def store_url(self) -> str:
        """Where the store is, as a database address."""
        return self.database_url or f"sqlite:///{(self.evenstock_data_dir / 'evenstock.db').as_posix()}"

    @property
    def wants_real_shop(self) -> bool:
        """Whether the environment names an app of the owner's own."""
        return bool(self.tiktok_shop_app_key and self.tiktok_shop_app_secret.get_secret_value())


def config_folder() -> Path:
    """The folder of this user for keys, outside the data folder and so outside its backups."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "Evenstock"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Evenstock"
    return Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "evenstock"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


class Choices(BaseModel):
    """What the owner chose on the Settings page; kept in the store, with these defaults."""

    sync_minutes: Literal[0, 5, 15, 30, 60] = 5
    paused: bool = False
    push_on: bool = True
    stop_zero_percent: int = Field(default=20, ge=1, le=100)
    stop_zero_count: int = Field(default=50, ge=1, le=100_000)
    stop_touch_count: int = Field(default=500, ge=1, le=1_000_000)
    keep_log_days: int = Field(default=90, ge=1, le=3650)
