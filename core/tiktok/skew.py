"""TikTok's clock as seen from here: how far this computer's clock is off, learned from the answers themselves."""

import threading
from collections import deque
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from statistics import median

from core import clock

SAMPLES = 9
JUMP = 5.0  # seconds: a sample further off than this means that a clock was set, not that the network was slow


@lru_cache(maxsize=64)
def _seconds(date: str) -> int | None:
    try:
        found = parsedate_to_datetime(date)
    except (TypeError, ValueError, OverflowError):
        return None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


class ServerClock:
    """TikTok accepts timestamps from 5 minutes ago to 30 seconds ahead of its own clock, so we sign with its time."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=SAMPLES)
        self._lock = threading.Lock()
        self._skew = 0.0

    @property
    def skew(self) -> float:
        """Seconds to add to our clock to have TikTok's; negative when ours is fast."""
        return self._skew

    def now(self) -> int:
        """Unix seconds on TikTok's clock."""
        return int(clock.now_ms() / 1000 + self._skew)

    def learn(self, date: str | None) -> int | None:
        """Take in the Date header of an answer that has just arrived; its time in milliseconds."""
        seconds = _seconds(date) if date else None
        if seconds is None:
            return None
        # The header has whole seconds, so on average it is half a second behind.
        sample = seconds + 0.5 - clock.now_ms() / 1000
        with self._lock:
            if self._samples and abs(sample - self._skew) > JUMP:
                self._samples.clear()
            self._samples.append(sample)
            self._skew = median(self._samples)
        return seconds * 1000
