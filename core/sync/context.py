"""What the engine needs to work on one shop."""

import threading
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from core import clock
from core.store.engine import Store
from core.sync.channel import Channel
from core.sync.drift import SURE_AFTER_MS


@dataclass(frozen=True, slots=True)
class Scan:
    """One complete reading of the orders: when it began and when it was stored, in our milliseconds."""

    began_at: int
    ended_at: int


@dataclass
class ShopContext:
    """One connected shop: its client, its store and the signal to stop.

    `kind` is `tiktok`, or `store` for a store of the owner's own with a life of its own, whose sales may leave the
    building at once. An order is visible to us `sure_after_ms` after it was placed, as good as always.
    """

    shop_id: str
    name: str
    currency: str
    zone: ZoneInfo
    api: Channel
    store: Store
    salt: bytes
    practice: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    scanning: threading.Lock = field(default_factory=threading.Lock)  # one reading of the orders at a time
    scanned: Scan | None = None  # the last complete one of this process
    kind: str = "tiktok"
    sure_after_ms: int = SURE_AFTER_MS
    divided_at: int = 0  # when the last units were last divided anew (ms)

    @property
    def skew(self) -> int:
        """Seconds that the shop's clock is ahead of ours, as far as its answers have told it."""
        return int(self.api.clock_skew)

    def server_now(self) -> int:
        """Seconds in UTC by the shop's clock."""
        return clock.now() + self.skew
