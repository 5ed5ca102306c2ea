"""What the engine needs to work on one shop."""

import threading
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from core import clock
from core.store.engine import Store
from core.tiktok.api import ShopApi


@dataclass(frozen=True, slots=True)
class Scan:
    """One complete reading of the orders: when it began and when it was stored, in our milliseconds."""

    began_at: int
    ended_at: int


@dataclass
class ShopContext:
    """One connected shop: its client, its store and the signal to stop."""

    shop_id: str
    name: str
    currency: str
    zone: ZoneInfo
    api: ShopApi
    store: Store
    salt: bytes
    practice: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    scanning: threading.Lock = field(default_factory=threading.Lock)  # one reading of the orders at a time
    scanned: Scan | None = None  # the last complete one of this process

    def server_now(self) -> int:
        """Seconds in UTC by TikTok's clock, as far as its answers have told it."""
        return clock.now() + int(self.api.transport.clock_skew or 0)
